from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

def instance_cache(func: Callable[_P, _R]) -> Callable[_P, _R]: ...

class JSONFileLoader:
    def load_file(self, file_path: str) -> object: ...

class Loader:
    file_loader: JSONFileLoader
    @property
    def search_paths(self) -> list[str]: ...
    def __init__(
        self,
        extra_search_paths: list[str] | None = None,
        file_loader: JSONFileLoader | None = None,
        cache: object = None,
        include_default_search_paths: bool = True,
        include_default_extras: bool = True,
    ) -> None: ...
    def list_available_services(self, type_name: str) -> list[str]: ...
    def load_data_with_path(self, name: str) -> tuple[object, str]: ...
    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> dict[str, Any]: ...

def create_loader(search_path_string: str | None = None) -> Loader: ...

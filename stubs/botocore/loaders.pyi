from typing import Any

class Loader:
    def __init__(
        self,
        extra_search_paths: object = None,
        file_loader: object = None,
        cache: object = None,
        include_default_search_paths: bool = True,
        include_default_extras: bool = True,
    ) -> None: ...
    # Any: the JSON of botocore's files.
    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any: ...

def create_loader(search_path_string: str | None = None) -> Loader: ...

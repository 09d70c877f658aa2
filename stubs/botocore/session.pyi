from collections.abc import Callable
from typing import Any

from botocore.config import Config

class Session:
    user_agent_extra: str
    def __init__(
        self,
        session_vars: object = None,
        event_hooks: object = None,
        include_builtin_handlers: bool = True,
        profile: str | None = None,
    ) -> None: ...
    # Any: each name has a type of its own.
    def get_component(self, name: str) -> Any: ...
    def register_component(self, name: str, component: object) -> None: ...
    def get_config_variable(self, logical_name: str, methods: object = None) -> Any: ...
    def set_config_variable(self, logical_name: str, value: object) -> None: ...
    def register(
        self,
        event_name: str,
        handler: Callable[..., object],
        unique_id: str | None = None,
        unique_id_uses_count: bool = False,
    ) -> None: ...
    def get_available_partitions(self) -> list[str]: ...
    def get_available_regions(
        self, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
    ) -> list[str]: ...
    def user_agent(self) -> str: ...
    def get_default_client_config(self) -> Config | None: ...
    def set_default_client_config(self, client_config: Config | None) -> None: ...
    def set_credentials(
        self,
        access_key: str,
        secret_key: str,
        token: str | None = None,
        account_id: str | None = None,
    ) -> None: ...

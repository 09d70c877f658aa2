from botocore.config import Config

class Session:
    def __init__(
        self,
        session_vars: object = None,
        event_hooks: object = None,
        include_builtin_handlers: bool = True,
        profile: str | None = None,
    ) -> None: ...
    def get_default_client_config(self) -> Config | None: ...
    def set_credentials(
        self,
        access_key: str,
        secret_key: str,
        token: str | None = None,
        account_id: str | None = None,
    ) -> None: ...

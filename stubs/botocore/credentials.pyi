class Credentials:
    secret_key: str
    def __init__(
        self,
        access_key: str,
        secret_key: str,
        token: str | None = None,
        method: str | None = None,
        account_id: str | None = None,
    ) -> None: ...

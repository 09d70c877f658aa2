from collections.abc import Awaitable, Callable, Mapping, Sequence

from botocore.credentials import CredentialProvider, ReadOnlyCredentials

class AioCredentials:
    def __init__(
        self,
        access_key: str,
        secret_key: str,
        token: str | None = None,
        method: str | None = None,
        account_id: str | None = None,
    ) -> None: ...
    async def get_frozen_credentials(self) -> ReadOnlyCredentials: ...

class AioDeferredRefreshableCredentials:
    def __init__(
        self,
        refresh_using: Callable[[], Awaitable[Mapping[str, object]]],
        method: str,
        time_fetcher: Callable[[], object] = ...,
    ) -> None: ...

class AioAssumeRoleCredentialFetcher:
    def __init__(
        self,
        client_creator: Callable[..., object],
        source_credentials: AioCredentials,
        role_arn: str,
        extra_args: Mapping[str, str] | None = None,
        mfa_prompter: object = None,
        cache: object = None,
        expiry_window_seconds: float | None = None,
    ) -> None: ...
    async def fetch_credentials(self) -> Mapping[str, object]: ...

class AioCredentialResolver:
    def __init__(self, providers: Sequence[CredentialProvider]) -> None: ...

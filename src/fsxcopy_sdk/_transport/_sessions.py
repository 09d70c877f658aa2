"""Sessions of many accounts: of profiles, of roles, and with the credentials of a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from aiobotocore.config import AioConfig
from aiobotocore.credentials import (
    AioAssumeRoleCredentialFetcher,
    AioCredentialResolver,
    AioCredentials,
    AioDeferredRefreshableCredentials,
)
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from anyio.to_thread import run_sync
from botocore.credentials import CredentialProvider, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader

from fsxcopy_sdk._transport._botocore_errors import from_botocore_error
from fsxcopy_sdk._transport._config import session_of_profile
from fsxcopy_sdk._transport._protocols import (
    SupportsConfig,
    SupportsCredentials,
    SupportsSettings,
)

# Programs have one search path, or one more of a profile.
_shared_loader = lru_cache(maxsize=4)(create_loader)


class _LentCredentials(AioCredentials):
    """
    Credentials that another library holds and renews.

    Each reading is done in a thread, because the renewal of boto3's credentials calls STS or
    runs a program, and blocks meanwhile.
    """

    def __init__(self, source: SupportsCredentials) -> None:
        super().__init__("", "", method="lent")
        self._source = source

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        frozen: ReadOnlyCredentials = await run_sync(self._source.get_frozen_credentials)
        return frozen


class _Lender(CredentialProvider):
    """Lend the credentials of a program."""

    METHOD = "lent"

    def __init__(self, source: SupportsCredentials) -> None:
        super().__init__()
        self._source = source

    async def load(self) -> AioCredentials:
        """Return credentials that are read when they are needed."""
        return _LentCredentials(self._source)


class _AssumedRole(CredentialProvider):
    """Lend credentials of one role, which aiobotocore renews."""

    METHOD = "assume-role"

    def __init__(
        self,
        base: AioSession,
        create_client: Callable[..., object],
        role_arn: str,
        arguments: Mapping[str, str],
    ) -> None:
        super().__init__()
        self._base = base
        self._create_client = create_client
        self._role_arn = role_arn
        self._arguments = dict(arguments)

    async def load(self) -> AioDeferredRefreshableCredentials | None:
        """Return credentials that are fetched when they are first needed; None without a base."""
        source = await self._base.get_credentials()
        if source is None:
            return None
        fetcher = AioAssumeRoleCredentialFetcher(
            self._create_client, source, self._role_arn, extra_args=self._arguments
        )
        return AioDeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)


class Sessions:
    """
    Make the sessions of accounts, which share what costs much: botocore's files.

    *prepare* is called with each session, to register handlers for example. The calls of STS
    for roles are made with *config*. *credentials* are those of accounts without a profile;
    None for what botocore finds on the machine.
    """

    def __init__(
        self,
        config: SupportsConfig | None = None,
        prepare: Callable[[SupportsSettings], None] = lambda _: None,
        credentials: SupportsCredentials | None = None,
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._prepare = prepare
        self._bases: dict[str | None, AioSession] = {}

    def of_profile(self, profile: str | None) -> AioSession:
        """
        Make a session of a profile; None for the default one.

        Raises:
            ConfigurationError: there is no such profile, or its file cannot be read.
        """
        session = session_of_profile(profile)
        try:
            path: str | None = session.get_config_variable("data_path")
        except BotoCoreError as error:
            raise from_botocore_error(error, profile=profile) from error
        # Read again for each session, the files would take 80 ms and 5 MB more each time.
        session.register_component("data_loader", _shared_loader(path))
        chosen: type = getattr(self._config, "http_session_cls", AIOHTTPSession)
        if not issubclass(chosen, AIOHTTPSession):
            # Calls for credentials take theirs from here; on trio, that of aiohttp would fail.
            session.set_default_client_config(AioConfig(http_session_cls=chosen))
        if profile is None and self._credentials is not None:
            lender = AioCredentialResolver([_Lender(self._credentials)])
            session.register_component("credential_provider", lender)
        self._prepare(session)
        return session

    def of_role(
        self,
        profile: str | None,
        role_arn: str,
        region: str,
        *,
        external_id: str | None,
        session_name: str,
    ) -> AioSession:
        """
        Make a session whose credentials are those of a role, renewed before they expire.

        STS is called in *region*, with the credentials of *profile*, which all roles of that
        profile share.
        """
        base = self._bases.get(profile)
        if base is None:
            base = self._bases[profile] = self.of_profile(profile)
        arguments = {"RoleSessionName": session_name}
        if external_id is not None:
            arguments["ExternalId"] = external_id
        create_client = partial(base.create_client, region_name=region, config=self._config)
        provider = _AssumedRole(base, create_client, role_arn, arguments)
        session = self.of_profile(profile)
        session.register_component("credential_provider", AioCredentialResolver([provider]))
        return session

"""Sessions of many accounts: of profiles, and of roles whose credentials are renewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from aiobotocore.config import AioConfig
from aiobotocore.credentials import (
    AioAssumeRoleCredentialFetcher,
    AioCredentialResolver,
    AioDeferredRefreshableCredentials,
)
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.credentials import CredentialProvider
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader

from fsxcopy_sdk._transport._botocore_errors import from_botocore_error
from fsxcopy_sdk._transport._config import session_of_profile
from fsxcopy_sdk._transport._protocols import SupportsConfig, SupportsEvents

# Programs have one search path, or one more of a profile.
_shared_loader = lru_cache(maxsize=4)(create_loader)


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
    for roles are made with *config*.
    """

    def __init__(
        self,
        config: SupportsConfig | None = None,
        prepare: Callable[[SupportsEvents], None] = lambda _: None,
    ) -> None:
        self._config = config
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

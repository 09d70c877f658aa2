"""
An HTTP session that follows no redirects.

aiobotocore 3.10 lets aiohttp follow them: to another host go the session token in
`X-Amz-Security-Token` and, for 307 and 308, the request; and that host's answer is
taken for the service's. boto3 does not follow either. The httpx backend of
aiobotocore does not, and is left as it is.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession

from fsxcopy_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    import aiohttp
    from aiobotocore.httpsession import _Requester
    from aiobotocore.session import AioSession
    from botocore.config import Config


class _NoRedirects:
    """
    What aiobotocore uses of an aiohttp session, with redirects off.
    """

    def __init__(self, session: _Requester) -> None:
        self._session = session

    async def request(self, method: str, **options: Any) -> aiohttp.ClientResponse:
        return await self._session.request(method, **{**options, "allow_redirects": False})


class NoRedirectSession(AIOHTTPSession):
    """
    aiobotocore's HTTP session, which hands redirects back as the errors they are.
    """

    async def _get_session(self, proxy_url: str | None) -> _Requester:
        return _NoRedirects(await super()._get_session(proxy_url))


def without_redirects(session_class: type) -> type:
    """
    Return *session_class*, a user's own too, as one that follows no redirects.
    """
    if session_class is AIOHTTPSession:
        return NoRedirectSession
    is_safe = issubclass(session_class, NoRedirectSession)
    if is_safe or not issubclass(session_class, AIOHTTPSession):
        return session_class
    return type(session_class.__name__, (NoRedirectSession, session_class), {})


def careful_config(session: AioSession, config: Config | None) -> AioConfig:
    """
    Return *config* with redirects off and the loader's files read off the event loop.

    Raises:
        ConfigurationError: the setting would be lost in aiobotocore's merge with the
            session's default client config.
    """
    careful = copy.copy(config) if isinstance(config, AioConfig) else _from_plain(config)
    default = session.get_default_client_config()
    chosen = careful.http_session_cls
    if chosen is AIOHTTPSession and isinstance(default, AioConfig):
        chosen = default.http_session_cls
    chosen = without_redirects(chosen)
    careful.http_session_cls = chosen
    careful.warm_up_loader_caches = True
    if default is None:
        return careful
    # The session merges its default with what it is given, and keeps only what was
    # given to a constructor; some versions of aiobotocore do not even keep that.
    keeping = AioConfig(http_session_cls=chosen, warm_up_loader_caches=True).merge(careful)
    if _session_class_after_merge(default, keeping) is not chosen:
        raise ConfigurationError(
            "session: its default client config would switch redirects on, as this version of "
            "aiobotocore merges it; give it as config= instead"
        )
    return keeping


def _session_class_after_merge(default: Config, keeping: AioConfig) -> object:
    try:
        merged = default.merge(keeping)
    except TypeError:  # a plain botocore Config, which takes no options of aiobotocore
        return None
    return getattr(merged, "http_session_cls", None)


def _from_plain(config: Config | None) -> AioConfig:
    return AioConfig() if config is None else AioConfig().merge(config)

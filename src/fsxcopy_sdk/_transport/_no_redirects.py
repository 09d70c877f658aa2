"""
An HTTP session that follows no redirects.

aiobotocore 3.10 lets aiohttp follow them: to another host go the session token in
`X-Amz-Security-Token` and, for 307 and 308, the request; and that host's answer is
taken for the service's. boto3 does not follow either. The httpx backend of
aiobotocore does not, and needs no more than bounds.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from aiobotocore.httpsession import AIOHTTPSession

from fsxcopy_sdk._transport._bounds import Bounded
from fsxcopy_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    import aiohttp
    from aiobotocore.awsrequest import AioAWSResponse
    from aiobotocore.httpsession import _Requester
    from botocore.awsrequest import AWSPreparedRequest

_UNSAFE = "http_session_cls: redirects cannot be switched off in this class or this aiobotocore"


class _NoRedirects:
    """
    What aiobotocore uses of an aiohttp session, with redirects off.
    """

    def __init__(self, session: _Requester) -> None:
        self._session = session

    def request(self, method: str, **options: Any) -> Awaitable[aiohttp.ClientResponse]:
        return self._session.request(method, **{**options, "allow_redirects": False})


class NoRedirectSession(Bounded, AIOHTTPSession):
    """
    aiobotocore's HTTP session, which hands redirects back as the errors they are.
    """

    _redirects_are_off = False

    async def _get_session(self, proxy_url: str | None) -> _Requester:
        session = await super()._get_session(proxy_url)
        self._redirects_are_off = True
        return _NoRedirects(session)

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        """
        Send a request, as `Bounded` does.

        Raises:
            ConfigurationError: `_get_session`, which is no public method of aiobotocore,
                was not called, so that the answer may be another host's.
        """
        response = await super().send(request)
        if not self._redirects_are_off:
            raise ConfigurationError(_UNSAFE)
        return response


def safe_session(session_class: type) -> type:
    """
    Return *session_class*, a user's own too, as one with bounds that follows no redirects.

    Raises:
        ConfigurationError: it has no `_get_session`, which switches redirects off.
    """
    if issubclass(session_class, Bounded):
        return session_class
    if not issubclass(session_class, AIOHTTPSession):
        return type(session_class.__name__, (Bounded, session_class), {})
    if not callable(getattr(session_class, "_get_session", None)):
        raise ConfigurationError(_UNSAFE)
    if session_class is AIOHTTPSession:
        return NoRedirectSession
    return type(session_class.__name__, (NoRedirectSession, session_class), {})

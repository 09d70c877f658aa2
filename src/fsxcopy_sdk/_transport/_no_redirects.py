"""
An HTTP session that follows no redirects.

aiobotocore 3.10 lets aiohttp follow them: to another host go the session token in
`X-Amz-Security-Token` and, for 307 and 308, the request; and that host's answer is
taken for the service's. boto3 does not follow either. The httpx backend of
aiobotocore does not, and is left as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from aiobotocore.httpsession import AIOHTTPSession

if TYPE_CHECKING:
    import aiohttp
    from aiobotocore.httpsession import _Requester


class _NoRedirects:
    """
    What aiobotocore uses of an aiohttp session, with redirects off.
    """

    def __init__(self, session: _Requester) -> None:
        self._session = session

    def request(self, method: str, **options: Any) -> Awaitable[aiohttp.ClientResponse]:
        return self._session.request(method, **{**options, "allow_redirects": False})


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

"""
HTTP sessions that follow no redirects, and bounds for time and size.

aiobotocore lets aiohttp follow redirects (as of 3.10): to another host go the session token
in `X-Amz-Security-Token` and, for 307 and 308, the request; and that host's answer is taken
for the service's. Overriding `AIOHTTPSession._get_session` is the only means to switch them
off, and the one place where this package overrides something private; a test pins it, and
each answer checks it.

aiobotocore has a timeout for connecting and one for each silence between two reads. A
peer that sends a byte every half second, headers without end, or interim answers keeps
within both for ever. So a session of this package bounds each attempt by the sum of the two
timeouts, and every call, of a wrapped client too, ends after

    attempts * (connect_timeout + read_timeout) + pauses between attempts + 300 s

where the last part is for loading credentials. A timeout that was switched off (None or
0) switches off both bounds, because nothing says then how long an attempt may take.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from aiobotocore.httpsession import AIOHTTPSession
from aiohttp import ClientResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from fsxcopy_sdk._codec import MAX_BODY
from fsxcopy_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from aiobotocore.awsrequest import AioAWSResponse
    from aiobotocore.httpsession import AIOHTTPSession as _HttpSession
    from aiobotocore.httpsession import _Requester
    from botocore.awsrequest import AWSPreparedRequest
else:
    _HttpSession = object  # at run time any HTTP session of aiobotocore comes after it

_DEFAULT_TIMEOUT = 60  # seconds, to connect and to read (botocore.endpoint)

# Credentials may come from a chain of calls of their own (STS, SSO) or from a program that
# asks its user. A call that ends too early would start over with them, and never get further.
_CREDENTIALS_SECONDS = 300

_MAX_PAUSE = 25  # seconds: 20 of backoff, and 5 by a header (botocore.retries.standard)

# Attempts where the config does not say (botocore/data/_retry.json, botocore.retries.standard).
_LEGACY_ATTEMPTS, _ATTEMPTS = 5, 3

_MAX_DOUBLINGS = 32  # 136 years; a higher power may not fit into a float

_UNSAFE = "http_session_cls: redirects cannot be switched off in this class or this aiobotocore"

_Result = TypeVar("_Result")


class BodyTooLargeError(Exception):
    """An answer is larger than `MAX_BODY`; it was not read to its end."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"the body has more than {MAX_BODY} bytes")
        self.status = status
        self.headers = headers


async def within(seconds: float | None, call: Awaitable[_Result]) -> _Result:
    """Return what *call* returns, or raise TimeoutError after *seconds*; None for no bound."""
    try:
        with anyio.fail_after(seconds):
            return await call
    except TimeoutError as error:
        if error.args:  # raised by the call; the one of anyio has no text
            raise
        raise TimeoutError(f"the call did not finish within {seconds:g} s") from error


def call_seconds(config: Config) -> float | None:
    """Return how long a call of a client may take, in seconds; None for no bound."""
    attempt = _attempt_seconds((config.connect_timeout, config.read_timeout))
    if attempt is None:
        return None
    retries = config.retries or {}
    is_legacy = retries.get("mode", "legacy") == "legacy"
    default = _LEGACY_ATTEMPTS if is_legacy else _ATTEMPTS
    attempts = retries.get("total_max_attempts") or default
    if is_legacy:  # a second at most, then twice as long each time, without a limit
        pauses = 2 ** min(attempts - 1, _MAX_DOUBLINGS) - 1
    else:
        pauses = (attempts - 1) * _MAX_PAUSE
    return float(attempts * attempt + pauses + _CREDENTIALS_SECONDS)


def _attempt_seconds(timeout: float | Sequence[float | None] | None) -> float | None:
    """Return the sum of a pair of timeouts, or of one that is used for both."""
    connect, read = timeout if isinstance(timeout, Sequence) else (timeout, timeout)
    return connect + read if connect and read else None


class _Body:
    """A body that was read, with the methods that aiobotocore's responses call."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        return self._body

    aread = read


class BoundedSession(_HttpSession):
    """Bound each request of the HTTP session that comes after it in the bases of a class."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bound = _attempt_seconds(options.get("timeout", _DEFAULT_TIMEOUT))

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        """Send a request, and return when the whole answer was read."""
        try:
            return await within(self._bound, self._send_and_read(request))
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error

    async def _send_and_read(self, request: AWSPreparedRequest) -> AioAWSResponse:
        request.stream_output = True  # so that the body is not read yet
        response = await super().send(request)
        try:
            body = await _read(response)
        except BodyTooLargeError:
            raise
        except Exception as error:
            # httpx's class for it is known by name.
            is_timeout = isinstance(error, TimeoutError) or type(error).__name__ == "ReadTimeout"
            their_class = ReadTimeoutError if is_timeout else ConnectionClosedError
            raise their_class(endpoint_url=request.url, error=error) from error
        if body is None:
            return response
        return type(response)(response.url, response.status_code, response.headers, _Body(body))


class _NoRedirects:
    """What aiobotocore uses of an aiohttp session, with redirects off."""

    def __init__(self, session: _Requester) -> None:
        self._session = session

    def request(self, method: str, **options: Any) -> Awaitable[ClientResponse]:
        return self._session.request(method, **{**options, "allow_redirects": False})


class NoRedirectSession(BoundedSession, AIOHTTPSession):
    """aiobotocore's HTTP session, which returns redirects as the errors that they are."""

    _redirects_are_off = False

    async def _get_session(self, proxy_url: str | None) -> _Requester:
        session = await super()._get_session(proxy_url)
        self._redirects_are_off = True
        return _NoRedirects(session)

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        response = await super().send(request)
        # `_get_session` is not public. If aiobotocore did not call it, redirects were followed.
        if not self._redirects_are_off:
            raise ConfigurationError(_UNSAFE)
        return response


def safe_session(session_class: type) -> type:
    """Return a class like *session_class* that has bounds and does not follow redirects."""
    if issubclass(session_class, BoundedSession):
        return session_class
    if not issubclass(session_class, AIOHTTPSession):
        return type(session_class.__name__, (BoundedSession, session_class), {})
    if not callable(getattr(session_class, "_get_session", None)):
        raise ConfigurationError(_UNSAFE)
    if session_class is AIOHTTPSession:
        return NoRedirectSession
    return type(session_class.__name__, (NoRedirectSession, session_class), {})


async def _read(response: AioAWSResponse) -> bytes | None:
    """Read a body to its end or beyond the limit; None if there is no stream to read."""
    raw = response.raw
    announced = response.headers.get("content-length", "")
    is_too_large = announced.isdecimal() and int(announced) > MAX_BODY
    limit = -1 if is_too_large else MAX_BODY
    # At its end already if a class of the user has read it.
    if isinstance(raw, ClientResponse) and not raw.content.at_eof():
        body = await _read_aiohttp(raw, limit)
    elif hasattr(raw, "aiter_bytes"):  # of httpx2 or httpx; neither need be installed
        body = await _read_httpx(raw, limit)
    else:
        return None
    if len(body) > limit:
        raise BodyTooLargeError(response.status_code, response.headers)
    return body


async def _read_aiohttp(raw: ClientResponse, limit: int) -> bytes:
    body = BytesIO()  # `getvalue` makes no copy of what was written
    try:
        while body.tell() <= limit and (chunk := await raw.content.readany()):
            body.write(chunk)
    finally:
        if not raw.content.at_eof():
            raw.close()
    return body.getvalue()


async def _read_httpx(raw: Any, limit: int) -> bytes:
    body = BytesIO()
    try:
        # Cancelling closes httpx's generators from the innermost on; a break would not.
        with anyio.CancelScope() as scope:
            if limit < 0:
                scope.cancel()
            async for chunk in raw.aiter_bytes():
                body.write(chunk)
                if body.tell() > limit:
                    scope.cancel()
    finally:
        await raw.aclose()
    return body.getvalue()

"""
Bounds: how long one attempt and one call may take, and how large an answer may be.

aiobotocore has a timeout for connecting and one for each silence between two reads. A
peer that sends a byte every half second, headers without end, or interim answers keeps
within both for ever. So a session of this package bounds each attempt as a whole:

    attempt = connect_timeout + read_timeout

and every call, of a wrapped client too, ends after

    attempts * (connect_timeout + read_timeout) + pauses between attempts + 300 s

where the last part is for loading credentials. A timeout that was switched off (None or
0) switches off both bounds, because nothing says then how long an attempt may take.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import anyio
from aiohttp import ClientResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from fsxcopy_sdk._event_loop import runs_on_asyncio

if TYPE_CHECKING:
    from aiobotocore.awsrequest import AioAWSResponse
    from aiobotocore.httpsession import AIOHTTPSession as _HttpSession
    from botocore.awsrequest import AWSPreparedRequest
else:
    _HttpSession = object  # at run time any HTTP session of aiobotocore comes after it

MAX_BODY = 64 * 1024 * 1024
"""Bytes. A page has at most 50 backups (FSx API 2018-03-01), each of some kilobytes."""

_DEFAULT_TIMEOUT = 60
"""Seconds: botocore's for connecting and for reading (botocore.endpoint)."""

_CREDENTIALS = 300
"""
Seconds for credentials, in addition to the attempts. They may come from a chain of calls
of their own (STS, SSO) or from a program that asks its user; a call that is ended too
early begins with them anew, and would never get further.
"""

_MAX_PAUSE = 25
"""Seconds: 20 of backoff, and 5 that a header may add (botocore.retries.standard)."""

# Attempts where the config does not say (botocore/data/_retry.json, botocore.retries.standard).
_ATTEMPTS = {"legacy": 5}
_OTHER_ATTEMPTS = 3

_MAX_DOUBLINGS = 32  # 136 years; the power of any number of attempts is no float

_Result = TypeVar("_Result")


class BodyTooLargeError(Exception):
    """
    An answer is larger than `MAX_BODY`; it was not read to its end.
    """

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"the body has more than {MAX_BODY} bytes")
        self.status = status
        self.headers = headers


async def within(seconds: float | None, call: Awaitable[_Result]) -> _Result:
    """
    Return what *call* returns, if that takes no longer than *seconds*; None for no bound.

    Raises:
        TimeoutError: it took longer.
    """
    try:
        if runs_on_asyncio():
            # anyio would load its backend first, and that on the event loop: 10 to 20 ms.
            async with asyncio.timeout(seconds):
                return await call
        with anyio.fail_after(seconds):
            return await call
    except TimeoutError as error:
        if error.args:  # not of the two above, which say nothing
            raise
        raise TimeoutError(f"no end after {seconds} s") from error


def call_seconds(config: Config) -> float | None:
    """
    Return how long a call of a client may take, in seconds; None for no bound.
    """
    attempt = _attempt_seconds((config.connect_timeout, config.read_timeout))
    if attempt is None:
        return None
    retries = config.retries or {}
    mode = retries.get("mode", "legacy")
    attempts = retries.get("total_max_attempts") or _ATTEMPTS.get(mode, _OTHER_ATTEMPTS)
    return attempts * attempt + _pauses(mode, attempts - 1) + _CREDENTIALS


def _attempt_seconds(timeout: float | Sequence[float | None] | None) -> float | None:
    """
    Return the sum of a pair of timeouts, or of one that stands for both.
    """
    connect, read = timeout if isinstance(timeout, Sequence) else (timeout, timeout)
    return connect + read if connect and read else None


def _pauses(mode: str, retries: int) -> float:
    """
    Return the longest time that botocore sleeps between all attempts, in seconds.
    """
    if mode == "legacy":  # a second at most, then twice as long each time, without a limit
        return float(2 ** min(retries, _MAX_DOUBLINGS) - 1)
    return float(retries * _MAX_PAUSE)


@runtime_checkable
class _HttpxResponse(Protocol):
    """
    What is used of an answer of httpx2 or httpx, of which neither need be installed.
    """

    def aiter_bytes(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class _Body:
    """
    A body that was read, as aiobotocore's responses read one.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        return self._body

    aread = read


class Bounded(_HttpSession):
    """
    Bound each request of the HTTP session that comes after it in a class.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bound = _attempt_seconds(options.get("timeout", _DEFAULT_TIMEOUT))

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        """
        Send a request, and return when the whole answer was read.

        Raises:
            ReadTimeoutError: it took longer than the two timeouts together.
            ConnectionClosedError: the connection broke, or what came was no HTTP.
            BodyTooLargeError: the answer has more than `MAX_BODY` bytes.
        """
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
            # httpx has a class of its own for it.
            took_too_long = (
                isinstance(error, TimeoutError) or type(error).__name__ == "ReadTimeout"
            )
            their_class = ReadTimeoutError if took_too_long else ConnectionClosedError
            raise their_class(endpoint_url=request.url, error=error) from error
        if body is None:
            return response
        return type(response)(response.url, response.status_code, response.headers, _Body(body))


async def _read(response: AioAWSResponse) -> bytes | None:
    """
    Read a body as far as it may go; None where there is nothing that could be bounded.
    """
    raw = response.raw
    announced = response.headers.get("content-length", "")
    is_too_large = announced.isdecimal() and int(announced) > MAX_BODY
    limit = -1 if is_too_large else MAX_BODY
    # At its end already, where a class of the user's has read it.
    if isinstance(raw, ClientResponse) and not raw.content.at_eof():
        body = await _read_aiohttp(raw, limit)
    elif isinstance(raw, _HttpxResponse):
        body = await _read_httpx(raw, limit)
    else:
        return None
    if len(body) > limit:
        raise BodyTooLargeError(response.status_code, response.headers)
    return body


async def _read_aiohttp(raw: ClientResponse, limit: int) -> bytes:
    """
    Read a body until it has more than *limit* bytes or ends.
    """
    body = BytesIO()  # which gives its bytes away without a copy
    try:
        while body.tell() <= limit and (chunk := await raw.content.readany()):
            body.write(chunk)
    finally:
        if not raw.content.at_eof():
            raw.close()
    return body.getvalue()


async def _read_httpx(raw: _HttpxResponse, limit: int) -> bytes:
    """
    Read a body until it has more than *limit* bytes or ends.
    """
    body = BytesIO()
    try:
        # Cancelled, httpx's generators end from the innermost on; left, some stay open.
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

"""Every call ends, whatever the peer sends, and no answer fills the memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

import aiohttp
import anyio
import anyio.lowlevel
import attrs
import pytest
import trio
import trio.testing
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from raw_peer import SOURCE, Answer, Request, client_of, http, raw_peer, right

from fsxcopy_sdk import (
    ConfigurationError,
    FsxCopyClient,
    NoResponse,
    RequestTimeout,
    ResponseDecodingError,
)
from fsxcopy_sdk._codec import MAX_BODY
from fsxcopy_sdk._transport import isolated_session
from fsxcopy_sdk._transport._http import call_seconds, within

_PATIENCE = 20  # seconds of real time after which a call counts as one without an end

Main: TypeAlias = Callable[[type], Coroutine[object, object, None]]
Run: TypeAlias = Callable[[Main], None]


def _httpx_session() -> type:
    pytest.importorskip("httpx2", reason="aiobotocore runs on trio from 3.9")
    session_class: type = pytest.importorskip("aiobotocore.httpxsession").HttpxSession
    return session_class


@pytest.fixture(name="run", params=["aiohttp", "httpx", "httpx-trio"])
def _run(request: pytest.FixtureRequest) -> Run:
    """Run a main function with an HTTP session class, on an event loop that it knows."""
    session_class = AIOHTTPSession if request.param == "aiohttp" else _httpx_session()
    backend = "trio" if request.param == "httpx-trio" else "asyncio"
    return lambda main: anyio.run(main, session_class, backend=backend)


@asynccontextmanager
async def _answered(answer: Answer, **options: Any) -> AsyncIterator[FsxCopyClient]:
    """A client whose first request gets the answer, and others the right one."""
    async with raw_peer(answer) as peer, client_of(peer.url, **options) as client:
        yield client


def _short(session_class: type, **options: Any) -> AioConfig:
    """Make a config with one attempt of at most half a second."""
    given = {"connect_timeout": 0.2, "read_timeout": 0.3, "retries": {"total_max_attempts": 1}}
    return AioConfig(**{"http_session_cls": session_class, **given, **options})


def _again_and_again(piece: bytes, first: bytes = b"") -> Callable[[Request], Awaitable[None]]:
    async def answer(request: Request) -> None:
        await request.stream.send(first)
        while True:
            await request.stream.send(piece)
            await anyio.sleep(0.05)

    return answer


async def _interim_and_silence(request: Request) -> None:
    await request.stream.send(b"HTTP/1.1 102 Processing\r\n\r\n")
    await anyio.sleep_forever()


async def _silence(request: Request) -> None:
    await anyio.sleep_forever()


ENDLESS: dict[str, Answer] = {
    "silence": _silence,
    "an interim answer, then silence": _interim_and_silence,
    "interim answers": _again_and_again(b"HTTP/1.1 102 Processing\r\n\r\n"),
    "headers": _again_and_again(b"X: y\r\n", b"HTTP/1.1 200 OK\r\n"),
    "one header": _again_and_again(b"y", b"HTTP/1.1 200 OK\r\nX: "),
    "a status line": _again_and_again(b"O", b"HTTP/1.1 200 "),
    "a body": _again_and_again(b" ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
    "a body of no length": _again_and_again(b" ", b"HTTP/1.1 200 OK\r\n\r\n"),
    "chunks": _again_and_again(
        b"1\r\n \r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    "an error's body": _again_and_again(
        b" ", b"HTTP/1.1 503 Unavailable\r\nContent-Length: 100000\r\n\r\n"
    ),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)
def test_an_attempt_ends_whatever_arrives(run: Run, answer: Answer) -> None:
    """An answer without an end is a timeout that passes, with its token and attempts."""

    async def main(session_class: type) -> None:
        async with _answered(answer, config=_short(session_class)) as client:
            with anyio.fail_after(_PATIENCE), pytest.raises(RequestTimeout) as caught:
                await client.copy_backup(SOURCE, client_request_token="my-token")
        error = caught.value
        assert ("my-token", 1) == (error.client_request_token, error.attempts)
        assert error.is_transient
        assert error.may_have_been_sent
        assert error.__cause__ is not None

    run(main)


def test_silence_instead_of_tls_ends(run: Run) -> None:
    """A peer that accepts connections and says nothing holds no call up."""

    async def main(session_class: type) -> None:
        async with raw_peer() as peer:
            url = peer.url.replace("http:", "https:")
            async with client_of(url, config=_short(session_class)) as client:
                with anyio.fail_after(_PATIENCE), pytest.raises(RequestTimeout):
                    await client.describe_backups()

    run(main)


@pytest.mark.parametrize("mode", ["legacy", "standard"])
async def test_aiobotocore_retries_an_attempt_that_was_ended(mode: str) -> None:
    """For its retries it is a read timeout like any other."""
    config = _short(AIOHTTPSession, retries={"mode": mode, "total_max_attempts": 2})
    async with _answered(ENDLESS["a body"], config=config) as client:
        with anyio.fail_after(_PATIENCE):
            response = await client.copy_backup(SOURCE)
    assert 2 == response.metadata.attempts


@pytest.mark.parametrize("off", [None, 0])
@pytest.mark.parametrize("name", ["connect_timeout", "read_timeout"])
async def test_a_timeout_that_is_off_bounds_nothing(name: str, off: float | None) -> None:
    """With one of the two switched off, an attempt may take any time."""
    config = _short(AIOHTTPSession, **{"connect_timeout": 0.05, "read_timeout": 0.3, name: off})
    arrived = anyio.Event()

    async def drip(request: Request) -> None:
        answer = right(request)
        for number in range(8):  # takes longer than both timeouts together
            await request.stream.send(answer[number : number + 1])
            await anyio.sleep(0.05)
        await request.stream.send(answer[8:])
        arrived.set()

    async with _answered(drip, config=config) as client:
        await client.describe_backups()

    assert arrived.is_set()


@pytest.mark.parametrize("kind", ["silence", "a body"])
def test_cancelling_a_call_is_no_timeout(run: Run, kind: str) -> None:
    """A cancellation from outside reaches the call at once."""

    async def main(session_class: type) -> None:
        ended: list[str] = []

        async def call(client: FsxCopyClient) -> None:
            try:
                await client.describe_backups()
            except anyio.get_cancelled_exc_class():
                ended.append("cancelled")
                raise

        begun = time.monotonic()
        async with (
            raw_peer(ENDLESS[kind]) as peer,
            client_of(peer.url, http_session_cls=session_class) as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(call, client)
            await peer.arrived.wait()
            group.cancel_scope.cancel()
        assert ["cancelled"] == ended
        assert time.monotonic() - begun < 5  # the timeouts are 5 s each

    run(main)


async def test_a_task_that_is_cancelled_is_cancelled() -> None:
    """asyncio's own cancellation stays one too."""
    async with raw_peer(_silence) as peer, client_of(peer.url) as client:
        task = asyncio.create_task(client.describe_backups())
        await peer.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 5 * 120 + (1 + 2 + 4 + 8) + 300),
        ({"retries": {"mode": "standard"}}, 3 * 120 + 2 * 25 + 300),
        ({"retries": {"mode": "adaptive", "max_attempts": 9}}, 10 * 120 + 9 * 25 + 300),
        ({"retries": {"total_max_attempts": 1}, "connect_timeout": 1}, 61 + 300),
        ({"retries": {"max_attempts": 10}, "read_timeout": 1}, 11 * 61 + 1023 + 300),
        ({"retries": {"max_attempts": 9999}}, 10_000 * 120 + 2**32 - 1 + 300),
        ({"read_timeout": None}, None),
        ({"connect_timeout": 0}, None),
    ],
    ids=str,
)
async def test_the_bound_of_a_call_is_in_its_config(
    session: AioSession, options: dict[str, Any], expected: float | None
) -> None:
    """All attempts, the pauses of botocore between them, and five minutes for credentials."""
    async with session.create_client(
        "fsx", region_name="us-west-2", config=AioConfig(**options)
    ) as raw:
        seconds = call_seconds(raw.meta.config)
    assert expected == seconds


def test_a_config_that_no_client_has_completed_has_a_bound() -> None:
    """botocore's defaults are assumed where it says nothing."""
    assert 5 * 120 + 15 + 300 == call_seconds(Config())


async def _hangs(event: str, config: AioConfig, jump: Callable[[], None]) -> RequestTimeout:
    """Return how a call of a wrapped client ends in which credentials never come."""
    session = isolated_session("AKIDEXAMPLE", "secret")
    async with (
        raw_peer() as peer,
        session.create_client(
            "fsx", region_name="us-west-2", endpoint_url=peer.url, config=config
        ) as raw,
    ):

        async def hang(**_: object) -> None:
            jump()
            await anyio.sleep_forever()

        client = FsxCopyClient.from_client(raw)
        raw.meta.events.register(f"{event}.fsx", hang)
        with pytest.raises(RequestTimeout) as caught:
            await client.copy_backup(SOURCE)
    return caught.value


class _JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.mark.parametrize(("event", "attempts"), [("before-sign", 0), ("before-send", 1)])
def test_a_wrapped_client_s_call_ends_too(event: str, attempts: int) -> None:
    """Credentials that never come, or a session of the caller's that hangs, end as a timeout."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, _JumpingLoop)

        def jump() -> None:
            loop.ahead += 916.0

        error = runner.run(_hangs(event, AioConfig(), jump))

    assert attempts == error.attempts
    assert bool(attempts) == error.may_have_been_sent
    assert isinstance(error.__cause__, TimeoutError)
    assert error.client_request_token is not None
    assert error.is_transient


def test_a_wrapped_client_s_call_ends_under_trio() -> None:
    """The same on trio, whose clock jumps when all tasks sleep."""
    config = AioConfig(http_session_cls=_httpx_session())
    clock = trio.testing.MockClock()

    async def main() -> RequestTimeout:
        return await _hangs("before-sign", config, lambda: clock.jump(916))

    assert 0 == trio.run(main, clock=clock).attempts


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_within_is_no_bound_with_none(backend: str) -> None:
    """What has no bound returns what it returns."""

    async def main() -> None:
        async def answer() -> int:
            await anyio.lowlevel.checkpoint()
            return 5

        async def fail() -> None:
            raise TimeoutError("of its own")

        assert 5 == await within(None, answer())
        assert 5 == await within(10, answer())
        with pytest.raises(TimeoutError, match=r"the call did not finish within 0\.01 s"):
            await within(0.01, anyio.sleep_forever())
        with pytest.raises(TimeoutError, match="of its own"):
            await within(10, fail())

    anyio.run(main, backend=backend)


async def _pour(request: Request, headers: list[str], piece: bytes) -> None:
    """Send a piece of an answer's body for ever."""
    await request.stream.send("\r\n".join(["HTTP/1.1 200 OK", *headers, "", ""]).encode())
    while True:
        await request.stream.send(piece)


TOO_LARGE = {
    "announced": (f"Content-Length: {MAX_BODY + 1}", b" " * 2**20),
    "in chunks": ("Transfer-Encoding: chunked", b"100000\r\n" + b" " * 2**20 + b"\r\n"),
    "of no length": ("Connection: close", b" " * 2**20),
}


@pytest.mark.parametrize(("header", "piece"), TOO_LARGE.values(), ids=TOO_LARGE)
@pytest.mark.parametrize("request_id", ["request-1", None])
def test_an_answer_that_is_too_large_is_not_read(
    run: Run, header: str, piece: bytes, request_id: str | None
) -> None:
    """It is an answer that cannot be read; it passes if it is not the service's own."""
    headers = [header, *([f"x-amzn-RequestId: {request_id}"] if request_id else [])]
    answer = partial(_pour, headers=headers, piece=piece)

    async def main(session_class: type) -> None:
        async with _answered(answer, http_session_cls=session_class) as client:
            with pytest.raises(ResponseDecodingError) as caught:
                await client.copy_backup(SOURCE, client_request_token="my-token")
        error = caught.value
        assert (f"$: the body has more than {MAX_BODY} bytes",) == error.error_paths
        assert (200, request_id) == (error.http_status, error.request_id)
        assert "my-token" == error.client_request_token
        assert None is error.payload
        assert (request_id is None) == error.is_transient

    run(main)


def test_reading_stops_at_the_bound(run: Run) -> None:
    """The peer is not read on: it has sent the bound and what fits into buffers."""
    sent = 0

    async def endless(request: Request) -> None:
        nonlocal sent
        await request.stream.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await request.stream.send(b" " * 2**20)
            sent += 2**20

    async def main(session_class: type) -> None:
        async with _answered(endless, http_session_cls=session_class) as client:
            with pytest.raises(ResponseDecodingError):
                await client.describe_backups()
            await anyio.sleep(0.1)

    run(main)

    assert MAX_BODY - 2**20 <= sent < MAX_BODY + 2**24


def test_an_answer_of_the_largest_size_is_read(run: Run) -> None:
    """The bound itself is allowed."""

    async def largest(request: Request) -> None:
        page = b'{"Backups": []}'
        await request.stream.send(http(200, page + b" " * (MAX_BODY - len(page))))

    async def main(session_class: type) -> None:
        async with _answered(largest, http_session_cls=session_class) as client:
            assert () == (await client.describe_backups()).backups

    run(main)


class _ReadsItself(AIOHTTPSession):
    """A session that keeps the bodies of answers."""

    bodies: list[bytes] = []  # noqa: RUF012 - of the one session of a test

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        response = await super().send(request)
        self.bodies.append(await response.content)  # type: ignore[attr-defined]  # not in our stubs
        return response


@attrs.define
class _Recorded:
    """A body from elsewhere."""

    body: bytes

    async def read(self) -> bytes:
        return self.body


class _Replays(AIOHTTPSession):
    """A session that answers from memory."""

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        await self._get_session(None)
        return AioAWSResponse(request.url, 200, {}, _Recorded(b'{"Backups": []}'))


@pytest.mark.parametrize("session_class", [_ReadsItself, _Replays])
async def test_a_session_may_read_or_make_the_answer(session_class: type) -> None:
    """What a user's own session does with an answer does not change it."""
    async with raw_peer() as peer, client_of(peer.url, http_session_cls=session_class) as client:
        assert () == (await client.describe_backups()).backups


class _Renamed(AIOHTTPSession):
    """As of an aiobotocore that has renamed what switches redirects off."""

    _get_session = None  # type: ignore[assignment]  # that is the point


async def test_a_session_that_would_follow_redirects_is_refused() -> None:
    """Without the method that is overridden nothing is made, and nothing sent."""
    async with raw_peer() as peer:
        with pytest.raises(ConfigurationError, match="redirects cannot be switched off"):
            await client_of(peer.url, http_session_cls=_Renamed).__aenter__()
    assert [] == peer.requests


class _OtherWay(AIOHTTPSession):
    """A session that never asks the method that is overridden."""

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(request.url, data=b"{}")
            await answer.read()
            return AioAWSResponse(str(answer.url), answer.status, {}, answer)


async def test_an_answer_after_redirects_that_were_on_is_not_believed() -> None:
    """Where the method was not called, redirects were on, and another host may have answered."""
    async with (
        raw_peer() as peer,
        raw_peer(http(307, b"", f"Location: {peer.url}")) as first,
        client_of(first.url, http_session_cls=_OtherWay) as client,
    ):
        with pytest.raises(NoResponse, match="redirects cannot be switched off") as caught:
            await client.copy_backup(SOURCE)

    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert not caught.value.is_transient
    assert caught.value.client_request_token is not None

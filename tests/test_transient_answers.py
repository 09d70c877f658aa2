"""Transient failures are survived, whichever service had them; what was never sent is known."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import anyio
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from anyio.abc import SocketStream
from raw_peer import SOURCE, Answer, Request, client_of, http, raw_peer

from fsxcopy_sdk import (
    AccessDenied,
    BackupLifecycle,
    ConfigurationError,
    ConnectionFailed,
    FsxCopyClient,
    FsxCopyError,
    NoResponse,
    RequestTimeout,
)

_PAGE = b"<html><body>The proxy says no.</body></html>"
_HTML = "Content-Type: text/html"


async def _reset(request: Request) -> None:
    raw = request.stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


ANSWERS: dict[str, Answer] = {
    "nothing": b"",
    "a reset": _reset,
    "no HTTP": b"\x00\x01 this is no HTTP\r\n\r\n",
    "no HTTP, and no line": b"220 smtp.example ESMTP",
    "a bad header": b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
    "a header that is no text": http(200, _PAGE, _HTML).replace(b"text/html", b"caf\xe9"),
    "a line too long": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "a body cut short": b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Backup',
    "an interim answer": b"HTTP/1.1 102 Processing\r\n\r\n",
    "a captive portal": http(200, _PAGE, _HTML),
    "no content": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    **{
        f"a page with {status}": http(status, _PAGE, _HTML)
        for status in (300, 304, 400, 403, 404, 407, 413, 429, 451, 500, 502, 503, 504, 511)
    },
    "a redirect": http(302, b"", "Location: http://127.0.0.1:9/login"),
    "JSON without a code": http(403, b'{"message": "Forbidden"}'),
    "nothing with 400": http(400, b""),
}

_every_answer = pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)


async def _copy(client: FsxCopyClient) -> None:
    await client.copy_backup(SOURCE)


async def _describe(client: FsxCopyClient) -> None:
    await client.describe_backups()


async def _wait(client: FsxCopyClient) -> None:
    backup = await client.wait_until_backup_available(SOURCE)
    assert BackupLifecycle.AVAILABLE is backup.lifecycle


async def _is_survived(answer: Answer, http_session_cls: type) -> None:
    """Let each operation meet an answer first, and the right one afterwards."""
    for call in (_copy, _describe, _wait):
        async with (
            raw_peer(answer) as peer,
            client_of(peer.url, http_session_cls=http_session_cls) as client,
        ):
            if call is not _wait:
                with pytest.raises(FsxCopyError) as caught:
                    await call(client)
                assert caught.value.is_transient
                assert getattr(caught.value, "may_have_been_sent", True)
            await call(client)
        assert 2 == len(peer.requests)


@_every_answer
async def test_what_passes_is_survived(answer: Answer) -> None:
    """A call says that its failure is transient, and a wait polls again."""
    await _is_survived(answer, AIOHTTPSession)


@_every_answer
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_passes_is_survived_with_httpx(answer: Answer, backend: str) -> None:
    """The same with the other HTTP client, on both event loops."""
    reason = "aiobotocore runs on trio from 3.9, with its extra httpx2"
    pytest.importorskip("httpx2", reason=reason)
    module = pytest.importorskip("aiobotocore.httpxsession", reason=reason)

    anyio.run(_is_survived, answer, module.HttpxSession, backend=backend)


@_every_answer
async def test_fifty_waits_that_share_a_call_survive(answer: Answer) -> None:
    """One such answer, which all of them get, ends none of them."""
    ids = [f"backup-{number:017x}" for number in range(50)]

    async with raw_peer(answer) as peer, client_of(peer.url) as client:
        backups = await asyncio.gather(*map(client.wait_until_backup_available, ids))

    assert ids == [backup.backup_id for backup in backups]
    assert [50, 50] == [len(request.body["BackupIds"]) for request in peer.requests]


async def test_a_refusal_of_the_service_is_final() -> None:
    """An error document is believed: 403 with a code is no proxy's doing."""
    answer = http(403, b'{"__type": "AccessDeniedException"}')

    async with raw_peer(answer) as peer, client_of(peer.url) as client:
        with pytest.raises(AccessDenied):
            await client.wait_until_backup_available(SOURCE)


# What was never sent.


def _closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


Trouble: TypeAlias = tuple[str, dict[str, Any]]


def _no_host() -> Trouble:
    return "http://no-such-host.invalid", {}


def _refused() -> Trouble:
    return f"http://127.0.0.1:{_closed_port()}", {}


def _no_proxy() -> Trouble:
    proxy = f"http://127.0.0.1:{_closed_port()}"
    return "http://fsx.example", {"proxies": {"http": proxy}}


def _no_proxy_for_tls() -> Trouble:
    proxy = f"http://127.0.0.1:{_closed_port()}"
    return "https://fsx.example", {"proxies": {"https": proxy}}


TROUBLES: dict[str, Callable[[], Trouble]] = {
    "refused": _refused,
    "no such host": _no_host,
    "no proxy": _no_proxy,
    "no proxy for TLS": _no_proxy_for_tls,
}


async def _is_not_sent(url: str, options: dict[str, Any]) -> None:
    async with client_of(url, **options) as client:
        with pytest.raises(NoResponse) as caught:
            await client.copy_backup(SOURCE)
    assert 1 == caught.value.attempts
    assert not caught.value.may_have_been_sent


_every_session = pytest.mark.parametrize(
    ("backend", "module", "name"),
    [("asyncio", "httpsession", "AIOHTTPSession"), ("trio", "httpxsession", "HttpxSession")],
    ids=["aiohttp", "httpx"],
)


def _run(
    backend: str,
    module: str,
    name: str,
    call: Callable[..., Coroutine[object, object, None]],
    *arguments: object,
) -> None:
    """Run a function with the HTTP session class of this name as its last argument."""
    if backend == "trio":
        pytest.importorskip("httpx2", reason="aiobotocore runs on trio from 3.9")
    found = pytest.importorskip(f"aiobotocore.{module}")
    anyio.run(call, *arguments, getattr(found, name), backend=backend)


@_every_session
@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_without_a_connection_nothing_was_sent(
    backend: str, module: str, name: str, trouble: Callable[[], Trouble]
) -> None:
    """Where no connection could be made, the service cannot have accepted anything."""

    async def run(session_class: type) -> None:
        url, options = trouble()
        await _is_not_sent(url, {**options, "http_session_cls": session_class})

    _run(backend, module, name, run)


@_every_session
def test_a_proxy_that_refuses_to_connect_sends_nothing(
    backend: str, module: str, name: str
) -> None:
    """What a proxy does not forward has not arrived."""

    async def run(session_class: type) -> None:
        async with raw_peer(http(403, _PAGE, _HTML)) as proxy:
            options = {"proxies": {"https": proxy.url}, "http_session_cls": session_class}
            await _is_not_sent("https://fsx.example", options)

    _run(backend, module, name, run)


@asynccontextmanager
async def _listening(serve: Callable[[SocketStream], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve connections without reading a request first."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        group.cancel_scope.cancel()


async def _speak_http(stream: SocketStream) -> None:
    async with stream:
        await stream.receive()
        await stream.send(http(400, _PAGE, _HTML))


@_every_session
def test_tls_that_fails_sends_nothing(backend: str, module: str, name: str) -> None:
    """A peer that speaks no TLS has seen no request, and is not waited for."""

    async def run(session_class: type) -> None:
        async with _listening(_speak_http) as url:
            secure = url.replace("http:", "https:")
            async with client_of(secure, http_session_cls=session_class) as client:
                with pytest.raises(ConfigurationError, match="SSL"):
                    await client.wait_until_backup_available(SOURCE)

    _run(backend, module, name, run)


@contextmanager
def _full() -> Iterator[int]:
    """Keep a port whose queue of connections is full, so that further ones are not answered."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port: int = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for one in waiting:
                one.close()


@_every_session
def test_a_timeout_while_connecting_sends_nothing(backend: str, module: str, name: str) -> None:
    """A connection that was not made in time has carried nothing."""

    async def run(session_class: type) -> None:
        config = AioConfig(
            connect_timeout=0.2,
            read_timeout=5,
            retries={"total_max_attempts": 1},
            http_session_cls=session_class,
        )
        with _full() as port:
            async with client_of(f"http://127.0.0.1:{port}", config=config) as client:
                with pytest.raises(RequestTimeout) as caught:
                    await client.copy_backup(SOURCE)
        assert not caught.value.may_have_been_sent

    _run(backend, module, name, run)


@_every_session
def test_a_timeout_while_writing_may_have_sent_something(
    backend: str, module: str, name: str
) -> None:
    """A peer that stops reading has a part of the request, at least."""

    async def stop_reading(request: Request) -> None:
        await anyio.sleep_forever()

    async def run(session_class: type) -> None:
        config = AioConfig(
            connect_timeout=0.2,
            read_timeout=0.2,
            retries={"total_max_attempts": 1},
            http_session_cls=session_class,
        )
        async with raw_peer(stop_reading) as peer, client_of(peer.url, config=config) as client:
            with pytest.raises(RequestTimeout) as caught:
                await client.copy_backup(SOURCE)
        assert caught.value.may_have_been_sent

    _run(backend, module, name, run)


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize("was_sent", [True, False])
async def test_every_attempt_of_a_call_counts(
    monkeypatch: pytest.MonkeyPatch, mode: str, was_sent: bool
) -> None:
    """After an attempt that was sent, one that found no connection does not unsay it."""
    monkeypatch.setattr(random, "random", lambda: 0.0)  # botocore's jitter: no sleeping
    config = AioConfig(retries={"mode": mode, "total_max_attempts": 2})

    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.close()
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve_once, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    if not was_sent:
        server.close()
    async with client_of(f"http://{host}:{port}", config=config) as client:
        with pytest.raises(ConnectionFailed) as caught:
            await client.copy_backup(SOURCE)

    assert 2 == caught.value.attempts
    assert was_sent == caught.value.may_have_been_sent


async def test_a_retry_of_aiobotocore_survives_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """With attempts left the call itself retries."""
    monkeypatch.setattr(random, "random", lambda: 0.0)  # botocore's jitter: no sleeping
    config = AioConfig(retries={"mode": "standard"})

    async with raw_peer(b"no HTTP") as peer, client_of(peer.url, config=config) as client:
        response = await client.copy_backup(SOURCE)

    assert 2 == response.metadata.attempts

"""A peer on loopback that sends bytes no HTTP server would send, on any event loop."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
import attrs
from aiobotocore.config import AioConfig
from anyio.abc import SocketStream

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk._transport import isolated_session
from fsxcopy_sdk.testing import ManualClock

SOURCE = "backup-0123456789abcdef0"
COPY = "backup-0a0a0a0a0a0a0a0a0"
DATE = "Thu, 09 Apr 2026 07:53:28 GMT"

# One for all tests, because each session reads botocore's files anew.
_SESSION = isolated_session("AKIDEXAMPLE", "secret")

Document: TypeAlias = dict[str, Any]


@attrs.frozen(eq=False)
class Request:
    """What one connection asks first."""

    operation: str
    body: Document
    stream: SocketStream


Answer: TypeAlias = bytes | Callable[[Request], Awaitable[None]]
"""What is sent before the connection is closed, or what does it."""


def backup(backup_id: str, **members: object) -> Document:
    """Make a backup that is AVAILABLE."""
    return {
        "BackupId": backup_id,
        "Lifecycle": "AVAILABLE",
        "Type": "USER_INITIATED",
        "CreationTime": 1767225600.0,
        **members,
    }


def http(status: int, body: bytes, *headers: str) -> bytes:
    """Make a whole answer."""
    length = f"Content-Length: {len(body)}"
    lines = [f"HTTP/1.1 {status} Because", "Connection: close", length, *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def ok(document: Document, *headers: str) -> bytes:
    """Make a success."""
    return http(200, json.dumps(document).encode(), *headers)


def right(request: Request) -> bytes:
    """Answer what was asked."""
    body = request.body
    if request.operation == "CopyBackup":
        return ok({"Backup": backup(COPY, SourceBackupId=body["SourceBackupId"])})
    if request.operation == "DeleteBackup":
        return ok({"BackupId": body["BackupId"], "Lifecycle": "DELETED"})
    return ok({"Backups": [backup(one) for one in body.get("BackupIds", [])]})


@attrs.define(eq=False)
class RawPeer:
    """Gives the first requests the answers that were set, and all others the right one."""

    answers: list[Answer]
    requests: list[Request] = attrs.field(factory=list)
    arrived: anyio.Event = attrs.field(factory=anyio.Event)
    """Set by the first request."""
    url: str = ""

    async def serve(self, stream: SocketStream) -> None:
        """Answer one request, and close the connection."""
        try:
            async with stream:
                request = await _receive(stream)
                self.requests.append(request)
                self.arrived.set()
                answer = self.answers.pop(0) if self.answers else right(request)
                if isinstance(answer, bytes):
                    await stream.send(answer)
                else:
                    await answer(request)
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass  # the client has gone


async def _receive(stream: SocketStream) -> Request:
    received = b""
    while b"\r\n\r\n" not in received:
        received += await stream.receive()
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += await stream.receive()
    operation = re.search(rb"(?i)x-amz-target: *\w+\.(\w+)", head)
    return Request(operation[1].decode() if operation else "", json.loads(body or b"{}"), stream)


@asynccontextmanager
async def raw_peer(*answers: Answer) -> AsyncIterator[RawPeer]:
    """Serve *answers*, one connection each, and right ones after them."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    peer = RawPeer(list(answers))
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    peer.url = f"http://127.0.0.1:{port}"
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, peer.serve)
        yield peer
        group.cancel_scope.cancel()


def client_of(url: str, *, config: AioConfig | None = None, **options: Any) -> FsxCopyClient:
    """Make a client of us-west-2 that tries once, on a clock that moves by itself."""
    once = AioConfig(
        retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5, **options
    )
    return FsxCopyClient(
        "us-west-2",
        session=_SESSION,
        endpoint_url=url,
        config=once if config is None else config,
        clock=ManualClock(auto_advance=True),
    )

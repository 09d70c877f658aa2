"""
A server on loopback that sends answers made beforehand, so that it costs next to nothing.

It is a process of its own: only the client is measured. Connections are kept. CopyBackup
gets one answer, and DescribeBackups the pages of one listing: the token is the page's number.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_TOKEN = re.compile(rb'"NextToken":\s*"(\d+)"')
_HEAD = (
    "HTTP/1.1 200 OK\r\n"
    "x-amzn-RequestId: 3e7ec0d4-1f3c-4c1e-9d0a-3f5b5d6c7e8f\r\n"
    "Content-Type: application/x-amz-json-1.1\r\n"
    "Content-Length: {}\r\n\r\n"
)


@attrs.frozen
class Answers:
    """The answers that a run needs, HTTP heads included."""

    copy: bytes
    pages: Sequence[bytes]

    def to(self, request: bytes) -> bytes:
        """Return the answer to a whole request."""
        if b"DescribeBackups" not in request:
            return self.copy
        token = _TOKEN.search(request)
        return self.pages[int(token[1]) if token else 0]


class Connection(asyncio.Protocol):
    """One connection, with as many requests as its client likes."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer by."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            length = _LENGTH.search(self._received, 0, end + 2)
            size = end + len(_HEAD_END) + (int(length[1]) if length else 0)
            if len(self._received) < size:
                return
            request, self._received = self._received[:size], self._received[size:]
            self._transport.write(self._answers.to(request))


def read(folder: Path) -> Answers:
    """Read the answers that `documents` wrote, and link the pages of the listing."""

    def answer(body: bytes) -> bytes:
        return _HEAD.format(len(body)).encode("ascii") + body

    pages = [json.loads(path.read_bytes()) for path in sorted(folder.glob("listing-*.json"))]
    for number, page in enumerate(pages[:-1], start=1):
        page["NextToken"] = str(number)
    return Answers(
        copy=answer((folder / "copy-backup.json").read_bytes()),
        pages=[answer(json.dumps(page).encode("utf-8")) for page in pages],
    )


async def serve(answers: Answers) -> None:
    """Serve until killed; the first line of output is the URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(read(Path(sys.argv[1]))))

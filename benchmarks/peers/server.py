"""
A server on loopback that answers every request alike, so that it costs next to nothing.

It is a process of its own: what is measured is the client's. Connections are kept.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One connection, with as many requests as its client likes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
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
            self._received = self._received[size:]
            self._transport.write(self._answer)


async def serve(body: bytes) -> None:
    """Serve until killed; the first line of output is the URL."""
    head = (
        "HTTP/1.1 200 OK\r\n"
        "x-amzn-RequestId: 3e7ec0d4-1f3c-4c1e-9d0a-3f5b5d6c7e8f\r\n"
        "Content-Type: application/x-amz-json-1.1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    answer = head.encode("ascii") + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answer), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_bytes()))

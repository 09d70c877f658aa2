"""
ArgumentErrors below the answer: what is done to the connection itself.

Each function returns the response that aiohttp demands of a handler; where
the connection is closed by then, aiohttp sends nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import socket
import struct
from collections.abc import Mapping
from typing import Final, cast

from aiohttp import web

from ._faults import Answer

_GARBAGE: Final = b"\x16\x03\x03\x00\x02\x02\x28 this is no HTTP\r\n\r\n"
"""What a client gets that speaks HTTP to a TLS port: an alert, and more."""

_BAD_CHUNK: Final = b'size\r\n{"Backups":[]}\r\n0\r\n\r\n'
"""A chunk must begin with its size in hexadecimal digits (RFC 9112, 7.1)."""

_CLOSED_CHECK_INTERVAL: Final = 0.02
"""
Real seconds. aiohttp tells a handler of a closed connection only by cancelling
it, and then it would cancel the calls that a fault delays too.
"""


def reset(request: web.Request) -> web.Response:
    """
    Reset the connection of *request* (TCP RST).
    """
    transport = _transport(request)
    connection = transport.get_extra_info("socket")
    # With nothing to linger for, closing sends RST in the place of FIN.
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    return web.Response()


async def truncate(
    request: web.Request, answer: Answer, headers: Mapping[str, str]
) -> web.StreamResponse:
    """
    Announce *answer* whole, send the first half, and close.
    """
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    response.force_close()
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    return response


async def interim(request: web.Request, status: int) -> web.Response:
    """
    Send an interim answer, then nothing until the client closes.
    """
    transport = _transport(request)
    phrase = http.HTTPStatus(status).phrase
    transport.write(f"HTTP/1.1 {status} {phrase}\r\n\r\n".encode())
    while not transport.is_closing():  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(_CLOSED_CHECK_INTERVAL)
    return web.Response()


async def drip(
    request: web.Request, headers: Mapping[str, str], interval: float
) -> web.StreamResponse:
    """
    Send headers, then a space each *interval* seconds until the client closes.
    """
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(interval)
            await response.write(b" ")
    return response


def garbage(request: web.Request) -> web.Response:
    """
    Send bytes that are no HTTP, and close.
    """
    transport = _transport(request)
    transport.write(_GARBAGE)
    transport.close()
    return web.Response()


async def bad_chunk(request: web.Request, headers: Mapping[str, str]) -> web.StreamResponse:
    """
    Send headers and a body whose first chunk has no size, and close.
    """
    transport = _transport(request)
    # Without a length, aiohttp announces chunks.
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    transport.write(_BAD_CHUNK)
    transport.close()
    return response


def _transport(request: web.Request) -> asyncio.Transport:
    # Nothing was awaited since the body was read: the connection is there.
    return cast("asyncio.Transport", request.transport)

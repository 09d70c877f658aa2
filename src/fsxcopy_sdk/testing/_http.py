"""
The protocol: from an HTTP request to an operation, and back.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

import attrs
import orjson
from aiohttp import web

from ._errors import ProtocolFailure, ServiceFailure
from ._faults import Answer, Fault, FaultKind, Injections
from ._json import Document, JsonValue
from ._operations import OPERATIONS, perform
from ._regions import Place
from ._signature import read_caller
from ._store import Store

LARGEST_BODY: Final = 1024 * 1024
"""Bytes; FSx names no figure, this is far above any request that its model allows."""

_TARGET_PREFIX: Final = "AWSSimbaAPIService_v20180301."
"""The model's targetPrefix."""

_SECRETS: Final = frozenset({"authorization", "x-amz-security-token"})


@attrs.frozen(kw_only=True)
class RecordedRequest:
    """
    One call that reached an operation.
    """

    operation: str
    region: str
    account: str
    body: Mapping[str, JsonValue]
    """What was asked, under the service's own names."""
    headers: Mapping[str, str]
    """In lower case, without the signature and the session token."""
    at: float
    """Seconds, by the clock of the local FSx."""


class Front:
    """
    Answer HTTP requests, and keep account of them.
    """

    def __init__(self, store: Store) -> None:
        self.calls: Counter[str] = Counter()
        self.requests: list[RecordedRequest] = []
        self.injections = Injections(store.settings.seed)
        self._store = store

    def application(self) -> web.Application:
        """
        Return an aiohttp application that takes every path and method.
        """
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            recorded = await self._read(request)
        except ProtocolFailure as failure:
            return self._response(_error_answer(failure))
        self.calls[recorded.operation] += 1
        self.requests.append(recorded)
        return await self._carry_out(request, recorded)

    async def _read(self, request: web.Request) -> RecordedRequest:
        """
        Return what is asked, by whom, in the order that AWS checks it.
        """
        body = await _read_body(request)
        operation = _operation_of(request)
        caller = read_caller(request.headers)
        return RecordedRequest(
            operation=operation,
            region=caller.region,
            account=self._store.account_of(caller.access_key),
            body=MappingProxyType(_parse(body)),
            headers=MappingProxyType(
                {
                    name.lower(): value
                    for name, value in request.headers.items()
                    if name.lower() not in _SECRETS
                }
            ),
            at=self._store.clock.now(),
        )

    async def _carry_out(
        self, request: web.Request, recorded: RecordedRequest
    ) -> web.StreamResponse:
        def answer() -> Answer:
            return self._answer(recorded)

        injection = self.injections.strike(recorded.operation)
        if injection is None:
            return self._response(answer())
        fault = injection.fault
        match fault.kind:
            case FaultKind.DELAY:
                given = await self._delayed(fault, answer, after=injection.after)
                return self._response(given)
            case FaultKind.TRUNCATE:
                return await self._truncated(request, answer())
            case FaultKind.RELABEL:
                headers = fault.answer.headers
                return self._response(attrs.evolve(answer(), headers=headers))
        if injection.after:
            answer()
        if fault.kind is FaultKind.RESET:
            return _reset(request)
        return self._response(fault.answer)

    def _answer(self, recorded: RecordedRequest) -> Answer:
        place = Place(recorded.account, recorded.region)
        try:
            document = perform(self._store, place, recorded.operation, dict(recorded.body))
        except ServiceFailure as failure:
            return _error_answer(failure)
        return Answer(200, orjson.dumps(document))

    async def _delayed(self, fault: Fault, answer: Callable[[], Answer], *, after: bool) -> Answer:
        if after:
            given = answer()
            await self._store.clock.sleep(fault.seconds)
            return given
        await self._store.clock.sleep(fault.seconds)
        return answer()

    async def _truncated(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=self._headers(answer))
        response.content_length = len(answer.body)
        response.force_close()
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
        return response

    def _response(self, answer: Answer) -> web.Response:
        return web.Response(
            status=answer.status,
            body=answer.body,
            headers=self._headers(answer),
        )

    def _headers(self, answer: Answer) -> dict[str, str]:
        request_id = self._store.new_request_id()
        return {"x-amzn-RequestId": request_id, **answer.headers}


async def _read_body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        msg = f"The body is larger than {LARGEST_BODY} bytes."
        raise ProtocolFailure("RequestEntityTooLargeException", msg, status=413) from None


def _operation_of(request: web.Request) -> str:
    target = request.headers.get("X-Amz-Target", "")
    operation = target.removeprefix(_TARGET_PREFIX)
    if request.method != "POST" or request.path != "/":
        raise ProtocolFailure("UnknownOperationException", "Only POST / is known.", status=404)
    if operation == target or operation not in OPERATIONS:
        msg = f"The target {target!r} is unknown."
        raise ProtocolFailure("UnknownOperationException", msg)
    return operation


def _parse(body: bytes) -> Document:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        msg = "The body must be a JSON object."
        raise ProtocolFailure("SerializationException", msg)
    return document


def _error_answer(failure: ServiceFailure) -> Answer:
    return Answer(failure.status, orjson.dumps(failure.document()))


def _reset(request: web.Request) -> web.Response:
    # Nothing was awaited since the body was read: the connection is there.
    transport = cast("asyncio.Transport", request.transport)
    connection = transport.get_extra_info("socket")
    # With nothing to linger for, closing sends RST in the place of FIN.
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    # Nobody gets this; aiohttp demands one.
    return web.Response()

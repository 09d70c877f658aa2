"""The protocol: from an HTTP request to an operation and back, and faults of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import socket
import struct
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, cast

import attrs
import orjson
from aiohttp import web

from fsxcopy_sdk._clock import lift_of
from fsxcopy_sdk.testing._documents import (
    AccountRegion,
    Answer,
    Document,
    JsonValue,
    ProtocolFailure,
    ServiceFailure,
)
from fsxcopy_sdk.testing._faults import (
    CARRIED_OUT,
    LISTING_FAULTS,
    Fault,
    Injection,
    altered,
    other_answer,
)
from fsxcopy_sdk.testing._operations import OPERATIONS
from fsxcopy_sdk.testing._requests import check_request
from fsxcopy_sdk.testing._stalls import StallGuard
from fsxcopy_sdk.testing._store import Store

MAX_BODY: Final = 1024 * 1024
"""Bytes; FSx documents no figure, this is far above any request that its model allows."""

KEPT_REQUESTS: Final = 10_000
"""How many requests are kept: more than a test reads, few enough for a long run."""

MAX_KEPT_BODY: Final = 256 * 1024
"""Bytes; the model allows at most 50 tags of 384 characters, in JSON of twelve bytes each."""

_TARGET_PREFIX: Final = "AWSSimbaAPIService_v20180301."
"""The model's targetPrefix."""

_SECRETS: Final = frozenset({"authorization", "x-amz-security-token"})

_GARBAGE: Final = b"\x16\x03\x03\x00\x02\x02\x28 this is no HTTP\r\n\r\n"
"""What a client receives that speaks HTTP to a TLS port: an alert, and more."""

_BAD_CHUNK: Final = b'size\r\n{"Backups":[]}\r\n0\r\n\r\n'
"""A chunk must begin with its size in hexadecimal digits (RFC 9112, 7.1)."""

_CLOSED_CHECK_INTERVAL: Final = 0.02
"""
Real seconds. aiohttp reports a closed connection to a handler only by cancelling
it, which would end the calls that a fault delays as well.
"""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class RecordedRequest:
    """One call that reached an operation."""

    operation: str
    region: str
    account: str
    body: Mapping[str, JsonValue]
    """Under the service's own names; empty for more than 256 KiB, which are not kept."""
    headers: Mapping[str, str]
    """In lower case, without the signature and the session token."""
    at: float
    """Seconds, by the clock of the local FSx."""


class RequestHandler:
    """Answer HTTP requests, and record them."""

    def __init__(self, store: Store) -> None:
        self.calls: Counter[str] = Counter()
        self.requests: list[RecordedRequest] = []
        """The latest `KEPT_REQUESTS`, in order."""
        self.injections: list[Injection] = []
        self._store = store
        self._stalls = StallGuard(store)
        self._lift_hold = lift_of(store.clock)
        self._tasks: set[asyncio.Task[object]] = set()

    def application(self) -> web.Application:
        """Return an aiohttp application that accepts every path and method."""
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        application.on_cleanup.append(self._cancel_all)
        return application

    async def _cancel_all(self, _: web.Application) -> None:
        # aiohttp ends calls in progress only if their connections are still open.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        # aiohttp runs each handler in a task.
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            _check_loopback(request)
            body = await _read_body(request)
            operation = _operation_of(request)
            access_key, region = _caller_of(request.headers)
            if not self._store.is_region(region):
                raise _invalid("Credential should be scoped to a valid region. ")
            with self._store.lock:
                scope = AccountRegion(self._store.account_of(access_key), region)
                call = self.record(operation, scope, body, request.headers)
        except ProtocolFailure as failure:
            return self._response(failure.answer)
        for injection in self.injections:
            if injection.matches(call.operation, call.body):
                return await self._inject(request, call, injection)
        return self._response(self.answer(call))

    def record(
        self, operation: str, scope: AccountRegion, body: bytes, headers: Mapping[str, str]
    ) -> RecordedRequest:
        """Count a call and keep it, if *body* is a JSON object."""
        lower = {name.lower(): value for name, value in headers.items()}
        shown = {name: value for name, value in lower.items() if name not in _SECRETS}
        call = RecordedRequest(
            operation=operation,
            region=scope.region,
            account=scope.account,
            body=MappingProxyType(_parse(body)),
            headers=MappingProxyType(shown),
            at=self._store.clock.now(),
        )
        self.calls[operation] += 1
        is_huge = len(body) > MAX_KEPT_BODY
        self.requests.append(attrs.evolve(call, body=MappingProxyType({})) if is_huge else call)
        del self.requests[:-KEPT_REQUESTS]
        return call

    def answer(self, call: RecordedRequest, injection: Injection | None = None) -> Answer:
        """Carry out *call*; a fault of listings in *injection* changes its answer."""
        scope = AccountRegion(call.account, call.region)
        try:
            request = check_request(call.operation, call.body)
            with self._store.lock:
                self._stalls.check(call.operation, scope, call.body)
                document = OPERATIONS[call.operation](self._store, scope, request)
            if injection is not None:
                document = altered(injection, scope, request, document)
        except ServiceFailure as failure:
            return failure.answer
        return Answer(200, orjson.dumps(document))

    async def _inject(
        self, request: web.Request, call: RecordedRequest, injection: Injection
    ) -> web.StreamResponse:
        fault = injection.fault
        answer = fault.answer
        if injection.after or fault.kind in CARRIED_OUT:
            answer = self.answer(call, injection)
        match fault.kind:
            case "delay":
                with self._lift_hold():
                    await self._store.clock.sleep(fault.seconds)
                answer = answer if injection.after else self.answer(call)
            case "raw":
                answer = fault.answer
            case "content_type":
                answer = attrs.evolve(answer, headers=fault.answer.headers)
            case "other_answer":
                scope = AccountRegion(call.account, call.region)
                document = other_answer(self._store, scope, call.operation, call.body)
                answer = Answer(200, orjson.dumps(document))
            case kind if kind not in LISTING_FAULTS:
                return await self._break_connection(request, fault, answer)
        return self._response(answer)

    async def _break_connection(
        self, request: web.Request, fault: Fault, answer: Answer
    ) -> web.StreamResponse:
        # aiohttp requires a response, of which it sends nothing if the connection
        # is closed by then. Without a length it announces a chunked body.
        # Nothing was awaited since the body was read, so the connection exists.
        transport = cast("asyncio.Transport", request.transport)
        if fault.kind != "truncated":
            answer = Answer()
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        self._complete(response)
        match fault.kind:
            case "reset":
                # With a linger time of zero, closing sends RST instead of FIN.
                linger = struct.pack("ii", 1, 0)
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                transport.abort()
            case "interim":
                phrase = HTTPStatus(fault.answer.status).phrase
                transport.write(f"HTTP/1.1 {fault.answer.status} {phrase}\r\n\r\n".encode())
                with self._lift_hold():
                    while not transport.is_closing():  # noqa: ASYNC110 - there is no event for it
                        await asyncio.sleep(_CLOSED_CHECK_INTERVAL)
            case "garbage":
                transport.write(_GARBAGE)
                transport.close()
            case "bad_chunk":
                await response.prepare(request)
                transport.write(_BAD_CHUNK)
                transport.close()
            case "drip":
                await response.prepare(request)
                with contextlib.suppress(ConnectionError), self._lift_hold():
                    while True:
                        await asyncio.sleep(fault.seconds)
                        await response.write(b" ")
            case _:
                response.content_length = len(answer.body)
                response.force_close()
                await response.prepare(request)
                await response.write(answer.body[: len(answer.body) // 2])
        return response

    def _response(self, answer: Answer) -> web.Response:
        response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        self._complete(response)
        return response

    def _complete(self, response: web.StreamResponse) -> None:
        # Headers of a fault win. Date is the local FSx's own time, as CreationTime is.
        now = _EPOCH + timedelta(seconds=self._store.epoch())
        response.headers.setdefault("Date", format_datetime(now, usegmt=True))
        response.headers.setdefault("x-amzn-RequestId", self._store.new_request_id())


_LOOPBACK: Final = r"(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]*)?"
"""The hosts that a request may name, and that its origin may have."""


def _check_loopback(request: web.Request) -> None:
    # A web page can make its own host name resolve to 127.0.0.1 (DNS rebinding); the
    # browser then sends that name as Host. To another origin it sends Origin.
    hosts = [("Host", "", value) for value in request.headers.getall("Host", [""])]
    origins = [("Origin", "https?://", value) for value in request.headers.getall("Origin", [])]
    for name, scheme, value in (*hosts, *origins):
        if not re.fullmatch(scheme + _LOOPBACK, value, re.IGNORECASE):
            message = f"Only loopback hosts are served: {name} is {value!r}."
            raise ProtocolFailure("AccessDeniedException", message, status=403)


async def _read_body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        message = f"The body is larger than {MAX_BODY} bytes."
        code = "RequestEntityTooLargeException"
        raise ProtocolFailure(code, message, status=error.status) from None


def _operation_of(request: web.Request) -> str:
    target = request.headers.get("X-Amz-Target", "")
    operation = target.removeprefix(_TARGET_PREFIX)
    if request.method != "POST" or request.path != "/":
        raise ProtocolFailure("UnknownOperationException", "Only POST / is known.", status=404)
    if operation == target or operation not in OPERATIONS:
        raise ProtocolFailure("UnknownOperationException", f"The target {target!r} is unknown.")
    return operation


def _parse(body: bytes) -> Document:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise ProtocolFailure("SerializationException", "The body must be a JSON object.")
    return document


_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_CREDENTIAL: Final = re.compile(r"([^/\s]+)/\d{8}/([^/\s]+)/([^/\s]+)/aws4_request")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
"""The forms of both, from AWS's description of Signature Version 4."""

_incomplete: Final = functools.partial(ProtocolFailure, "IncompleteSignatureException")
_invalid: Final = functools.partial(ProtocolFailure, "InvalidSignatureException")


def _caller_of(headers: Mapping[str, str]) -> tuple[str, str]:
    # The signature is not verified, because the local FSx knows no secret keys.
    authorization = headers.get("Authorization")
    if authorization is None:
        # The status is that of the common errors of AWS services.
        code = "MissingAuthenticationTokenException"
        raise ProtocolFailure(code, "Missing Authentication Token", status=403)
    parts = _parts_of(authorization)
    credential = _CREDENTIAL.fullmatch(parts["Credential"])
    if credential is None:
        raise _incomplete("Credential must be key/date/region/service/…")
    if not _SIGNATURE.fullmatch(parts["Signature"]):
        raise _incomplete("Signature must be 64 hexadecimal digits.")
    if "host" not in parts["SignedHeaders"].split(";"):
        raise _incomplete("'host' must be one of SignedHeaders.")
    if "X-Amz-Date" not in headers and "Date" not in headers:
        raise _incomplete("'X-Amz-Date' or 'Date' must be a header.")
    key, region, service = credential.groups()
    if service != "fsx":
        raise _invalid("Credential should be scoped to correct service: 'fsx'. ")
    return key, region


def _parts_of(authorization: str) -> dict[str, str]:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != _ALGORITHM:
        raise _incomplete(f"The algorithm must be {_ALGORITHM}.")
    pairs = (part.strip().partition("=") for part in rest.split(","))
    parts = {name: value for name, _, value in pairs}
    for name in ("Credential", "SignedHeaders", "Signature"):
        if name not in parts:
            raise _incomplete(f"Authorization header requires '{name}'.")
    return parts

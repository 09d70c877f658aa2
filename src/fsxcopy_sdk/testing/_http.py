"""
The protocol: from an HTTP request to an operation, and back.
"""

from __future__ import annotations

import asyncio
import re
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

from . import _wire
from ._alterations import alter_listing, other_answer
from ._errors import ProtocolFailure, ServiceFailure
from ._faults import Answer, Fault, FaultKind
from ._injections import CARRIED_OUT, LISTING_FAULTS, Injection, Injections
from ._json import Document, JsonValue
from ._operations import OPERATIONS, perform
from ._regions import AccountRegion
from ._signature import read_caller
from ._store import Store

LARGEST_BODY: Final = 1024 * 1024
"""Bytes; FSx names no figure, this is far above any request that its model allows."""

KEPT_REQUESTS: Final = 10_000
"""How many requests are remembered: more than a test reads, few enough for a long run."""

LARGEST_KEPT_BODY: Final = 256 * 1024
"""
Bytes; above any request that the model allows, at most 50 tags of 384
characters that JSON can write as twelve bytes each.
"""

_LOOPBACK: Final = r"(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]*)?"
_HOST: Final = re.compile(_LOOPBACK, re.IGNORECASE)
_ORIGIN: Final = re.compile(f"https?://{_LOOPBACK}", re.IGNORECASE)
"""The hosts that a request may name, and the origins that it may have."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

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
    """
    What was asked, under the service's own names; empty for a body of more
    than 256 KiB, which is not kept.
    """
    headers: Mapping[str, str]
    """In lower case, without the signature and the session token."""
    at: float
    """Seconds, by the clock of the local FSx."""


class RequestHandler:
    """
    Answer HTTP requests, and keep account of them.
    """

    def __init__(self, store: Store) -> None:
        self.calls: Counter[str] = Counter()
        self.requests: list[RecordedRequest] = []
        """The latest `KEPT_REQUESTS`, in order."""
        self.injections = Injections(store.settings.seed)
        self._store = store
        self._handlers: set[asyncio.Task[object]] = set()

    def application(self) -> web.Application:
        """
        Return an aiohttp application that takes every path and method.
        """
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        application.on_cleanup.append(self._end)
        return application

    async def _end(self, _: web.Application) -> None:
        """
        End the calls that are still in progress.

        aiohttp does so too, unless their connections are closed already.
        """
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        # A handler always runs in a task.
        handler = cast("asyncio.Task[object]", asyncio.current_task())
        self._handlers.add(handler)
        try:
            return await self._respond(request)
        finally:
            self._handlers.discard(handler)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        try:
            _check_loopback(request)
            body = await _read_body(request)
            recorded = self._read(request, body)
        except ProtocolFailure as failure:
            return self._response(_error_answer(failure))
        self.calls[recorded.operation] += 1
        self._remember(recorded, len(body))
        return await self._carry_out(request, recorded)

    def _remember(self, recorded: RecordedRequest, size: int) -> None:
        if size > LARGEST_KEPT_BODY:
            recorded = attrs.evolve(recorded, body=MappingProxyType({}))
        self.requests.append(recorded)
        del self.requests[:-KEPT_REQUESTS]

    def _read(self, request: web.Request, body: bytes) -> RecordedRequest:
        """
        Return what is asked, by whom, in the order that AWS checks it.
        """
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
        injection = self.injections.strike(recorded.operation, recorded.body)
        if injection is None:
            return self._response(self._answer(recorded))
        fault = injection.fault
        if fault.kind is FaultKind.DELAY:
            return self._response(await self._delayed(injection, recorded))
        is_carried_out = injection.after or fault.kind in CARRIED_OUT
        answer = self._answer(recorded) if is_carried_out else fault.answer
        match fault.kind:
            case FaultKind.ANSWER:
                answer = fault.answer
            case FaultKind.RELABEL:
                answer = attrs.evolve(answer, headers=fault.answer.headers)
            case FaultKind.OTHER_ANSWER:
                answer = self._other(recorded)
            case kind if kind in LISTING_FAULTS:
                answer = self._altered(injection, recorded, answer)
            case _:
                return await self._misbehave(request, fault, answer)
        return self._response(answer)

    def _answer(self, recorded: RecordedRequest) -> Answer:
        place = _place_of(recorded)
        try:
            document = perform(self._store, place, recorded.operation, dict(recorded.body))
        except ServiceFailure as failure:
            return _error_answer(failure)
        return Answer(200, orjson.dumps(document))

    async def _delayed(self, injection: Injection, recorded: RecordedRequest) -> Answer:
        seconds = injection.fault.seconds
        if injection.after:
            given = self._answer(recorded)
            await self._store.clock.sleep(seconds)
            return given
        await self._store.clock.sleep(seconds)
        return self._answer(recorded)

    def _altered(self, injection: Injection, recorded: RecordedRequest, answer: Answer) -> Answer:
        if answer.status != HTTPStatus.OK:
            return answer
        document = alter_listing(
            injection.fault,
            _place_of(recorded),
            dict(recorded.body),
            orjson.loads(answer.body),
            injection.random,
        )
        return Answer(200, orjson.dumps(document))

    def _other(self, recorded: RecordedRequest) -> Answer:
        document = other_answer(
            self._store, _place_of(recorded), recorded.operation, dict(recorded.body)
        )
        return Answer(200, orjson.dumps(document))

    async def _misbehave(
        self, request: web.Request, fault: Fault, answer: Answer
    ) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.RESET:
                return _wire.reset(request)
            case FaultKind.TRUNCATE:
                return await _wire.truncate(request, answer, self._headers(answer))
            case FaultKind.INTERIM:
                return await _wire.interim(request, fault.answer.status)
            case FaultKind.GARBAGE:
                return _wire.garbage(request)
        headers = self._headers(Answer(200, b""))
        if fault.kind is FaultKind.DRIP:
            return await _wire.drip(request, headers, fault.seconds)
        return await _wire.bad_chunk(request, headers)

    def _response(self, answer: Answer) -> web.Response:
        return web.Response(
            status=answer.status,
            body=answer.body,
            headers=self._headers(answer),
        )

    def _headers(self, answer: Answer) -> dict[str, str]:
        now = _EPOCH + timedelta(seconds=self._store.epoch())
        own = {
            "x-amzn-RequestId": self._store.new_request_id(),
            "Date": format_datetime(now, usegmt=True),
        }
        given = {name.lower() for name in answer.headers}
        missing = {name: value for name, value in own.items() if name.lower() not in given}
        return {**missing, **answer.headers}


def _place_of(recorded: RecordedRequest) -> AccountRegion:
    return AccountRegion(recorded.account, recorded.region)


def _check_loopback(request: web.Request) -> None:
    """
    Check that no web page of another host has sent *request*.

    A page can make its own host name resolve to 127.0.0.1 (DNS rebinding);
    the browser then sends that name as Host. A request that it sends to
    another origin has Origin.

    Raises:
        ProtocolFailure: Host or Origin is not loopback.
    """
    hosts = request.headers.getall("Host", [""])
    origins = request.headers.getall("Origin", [])
    for name, values, allowed in (("Host", hosts, _HOST), ("Origin", origins, _ORIGIN)):
        for value in values:
            if not allowed.fullmatch(value):
                msg = f"Only loopback hosts are served: {name} is {value!r}."
                raise ProtocolFailure("AccessDeniedException", msg, status=403)


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

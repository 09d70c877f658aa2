"""
Faults on demand: what goes wrong, in which calls.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Final

import attrs
import orjson

from ._json import Document, JsonValue
from ._rules import REQUESTS

CONTENT_TYPE: Final = "application/x-amz-json-1.1"
"""What every answer of the protocol AWS JSON 1.1 is."""


@attrs.frozen
class Answer:
    """
    An HTTP answer, but for the request id that each gets.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"Content-Type": CONTENT_TYPE})


class ErrorPlacement(StrEnum):
    """
    Name where an error's code stands, of the places that AWS JSON has.
    """

    TYPE = "__type"
    """The member ``__type`` of the body."""
    CODE = "code"
    """The member ``code`` of the body."""
    HEADER = "x-amzn-ErrorType"
    """The header of that name."""


class FaultKind(Enum):
    """
    Name what happens to a call.
    """

    ANSWER = auto()
    """It gets an answer of the fault's own."""
    RESET = auto()
    """The connection is reset, there is no answer."""
    DELAY = auto()
    """It takes longer."""
    TRUNCATE = auto()
    """Its answer ends in the middle, and the connection with it."""
    RELABEL = auto()
    """Its answer has other headers."""


@attrs.frozen(kw_only=True)
class Fault:
    """
    One thing that goes wrong; make it with one of the class methods.
    """

    kind: FaultKind
    answer: Answer = Answer(200, b"")
    """What to answer, for ANSWER; whose headers to take, for RELABEL."""
    seconds: float = 0.0
    """How much longer, by the clock of the local FSx, for DELAY."""

    @classmethod
    def error(
        cls,
        code: str,
        message: str = "A fault on demand.",
        *,
        status: int = 400,
        placement: ErrorPlacement = ErrorPlacement.TYPE,
        message_member: str = "Message",
        **members: JsonValue,
    ) -> Fault:
        """
        Answer with an error of the service, known or not.

        *code* is sent as it is: give it a namespace
        (``com.amazonaws.fsx#BadRequest``) or a suffix
        (``BadRequest:http://…``) to see how a client takes it. *members*
        are what the error has beside its text (``Limit="…"``).
        """
        document: Document = {message_member: message, **members}
        headers = {"Content-Type": CONTENT_TYPE}
        if placement is ErrorPlacement.HEADER:
            headers[placement.value] = code
        else:
            document[placement.value] = code
        return cls.raw(status, headers, orjson.dumps(document))

    @classmethod
    def throttling(cls) -> Fault:
        """
        Answer that the caller asks too often: 400, ThrottlingException.
        """
        return cls.error("ThrottlingException", "Rate exceeded", message_member="message")

    @classmethod
    def internal_error(cls) -> Fault:
        """
        Answer 500, InternalServerError.
        """
        return cls.error("InternalServerError", "Sorry.", status=500)

    @classmethod
    def unavailable(cls) -> Fault:
        """
        Answer 503, ServiceUnavailable.
        """
        return cls.error("ServiceUnavailable", "Sorry.", status=503)

    @classmethod
    def reset(cls) -> Fault:
        """
        Reset the connection (TCP RST) in the place of an answer.
        """
        return cls(kind=FaultKind.RESET)

    @classmethod
    def delay(cls, seconds: float) -> Fault:
        """
        Take *seconds* longer, by the clock of the local FSx.

        Raises:
            ValueError: *seconds* is negative or not finite.
        """
        if not 0 <= seconds < math.inf:
            msg = f"seconds must be a finite number, zero or more, not {seconds!r}"
            raise ValueError(msg)
        return cls(kind=FaultKind.DELAY, seconds=seconds)

    @classmethod
    def truncated(cls) -> Fault:
        """
        Carry out the call, announce its answer whole, send the first half.
        """
        return cls(kind=FaultKind.TRUNCATE)

    @classmethod
    def content_type(cls, content_type: str) -> Fault:
        """
        Carry out the call, give its answer another content type.
        """
        headers = {"Content-Type": content_type}
        return cls(kind=FaultKind.RELABEL, answer=Answer(200, b"", headers))

    @classmethod
    def html(cls, status: int = 502) -> Fault:
        """
        Answer with a page, as proxies and load balancers do.
        """
        page = f"<html><body><h1>{status}</h1></body></html>"
        return cls.raw(status, {"Content-Type": "text/html"}, page.encode())

    @classmethod
    def redirect(cls, location: str, status: int = 307) -> Fault:
        """
        Answer that *location* should be asked instead.
        """
        return cls.raw(status, {"Location": location}, b"")

    @classmethod
    def empty(cls, status: int = 200) -> Fault:
        """
        Answer without a body.
        """
        return cls.raw(status, {"Content-Type": CONTENT_TYPE}, b"")

    @classmethod
    def null(cls, status: int = 200) -> Fault:
        """
        Answer with the JSON text ``null``.
        """
        return cls.raw(status, {"Content-Type": CONTENT_TYPE}, b"null")

    @classmethod
    def raw(cls, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """
        Answer with exactly this, and a request id.
        """
        answer = Answer(status, body, MappingProxyType(dict(headers)))
        return cls(kind=FaultKind.ANSWER, answer=answer)


@attrs.define(eq=False, kw_only=True)
class Injection:
    """
    A fault, and the calls that it is for.
    """

    fault: Fault
    after: bool
    """Whether the call is carried out before it goes wrong."""
    operation: str | None
    calls_left: int | None
    fraction: float
    random: random.Random

    def strikes(self, operation: str) -> bool:
        """
        Tell whether this call of *operation* gets the fault.
        """
        if self.operation not in (None, operation) or self.calls_left == 0:
            return False
        if self.calls_left is None:
            return self.random.random() < self.fraction
        self.calls_left -= 1
        return True


class Injections:
    """
    Hold the faults on demand; the first that strikes has the call.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._injections: list[Injection] = []

    def add(
        self,
        fault: Fault,
        *,
        next_calls: int | None,
        fraction: float | None,
        operation: str | None,
        after: bool,
    ) -> None:
        """
        Add *fault*, for the next call unless something else is asked.

        Raises:
            TypeError: *fault* is no fault.
            ValueError: an argument breaks its rule.
        """
        given: object = fault
        if not isinstance(given, Fault):
            msg = f"fault must be a Fault, such as Fault.throttling(), not {fault!r}"
            raise TypeError(msg)
        if next_calls is not None and fraction is not None:
            msg = "next_calls and fraction cannot be given together"
            raise ValueError(msg)
        if next_calls is not None and (next_calls < 1 or next_calls % 1):
            msg = f"next_calls must be a whole number, one or more, not {next_calls!r}"
            raise ValueError(msg)
        if fraction is not None and not 0 <= fraction <= 1:
            msg = f"fraction must be between 0 and 1, not {fraction!r}"
            raise ValueError(msg)
        if operation is not None and operation not in REQUESTS:
            msg = f"operation must be one of {sorted(REQUESTS)}, not {operation!r}"
            raise ValueError(msg)
        injection = Injection(
            fault=fault,
            after=after,
            operation=operation,
            calls_left=(next_calls or 1) if fraction is None else None,
            fraction=fraction or 0.0,
            # Each has numbers of its own, unlike the others': adding one changes none.
            random=random.Random(f"{self._seed}/{len(self._injections)}"),  # noqa: S311 - must be repeatable
        )
        self._injections.append(injection)

    def clear(self) -> None:
        """
        Forget all faults.
        """
        self._injections.clear()

    def strike(self, operation: str) -> Injection | None:
        """
        Return what this call of *operation* suffers, None for nothing.
        """
        for injection in self._injections:
            if injection.strikes(operation):
                return injection
        return None

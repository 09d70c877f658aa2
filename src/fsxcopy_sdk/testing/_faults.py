"""
ArgumentErrors on demand: what can go wrong with a call.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Final

import attrs
import orjson

from ._json import Document, JsonValue

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
    EMPTY_LISTING = auto()
    """Its page has no backups and no NextToken."""
    CUT_LISTING = auto()
    """Its page has only the first backups, and no NextToken."""
    SHUFFLED_LISTING = auto()
    """Its page has its backups in another order."""
    ENDLESS_LISTING = auto()
    """Its page has no backups and a new NextToken."""
    OTHER_ANSWER = auto()
    """It gets the answer of another request."""
    INTERIM = auto()
    """It gets an interim answer and no final one."""
    DRIP = auto()
    """Its answer comes byte by byte and never ends."""
    GARBAGE = auto()
    """It gets bytes that are no HTTP."""
    BAD_CHUNK = auto()
    """It gets a body with a broken chunk."""


@attrs.frozen(kw_only=True)
class Fault:
    """
    One thing that goes wrong; make it with one of the class methods.
    """

    kind: FaultKind
    answer: Answer = Answer(200, b"")
    """What to answer, for ANSWER; its headers for RELABEL, its status for INTERIM."""
    seconds: float = 0.0
    """
    How much longer, by the clock of the local FSx, for DELAY; real seconds
    between two bytes, for DRIP.
    """
    keep: int = 0
    """How many backups remain, for CUT_LISTING."""

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
    def empty_listing(cls) -> Fault:
        """
        Answer DescribeBackups without BackupIds with no backups and no NextToken.
        """
        return cls(kind=FaultKind.EMPTY_LISTING)

    @classmethod
    def cut_listing(cls, keep: int) -> Fault:
        """
        Answer with the first *keep* backups of the page only, and no NextToken.

        It is for DescribeBackups without BackupIds.

        Raises:
            ValueError: *keep* is not a whole number, zero or more.
        """
        if keep < 0 or keep % 1:
            msg = f"keep must be a whole number, zero or more, not {keep!r}"
            raise ValueError(msg)
        return cls(kind=FaultKind.CUT_LISTING, keep=int(keep))

    @classmethod
    def shuffled_listing(cls) -> Fault:
        """
        Answer with the backups of the page in another order, drawn from the seed.

        It is for DescribeBackups without BackupIds.
        """
        return cls(kind=FaultKind.SHUFFLED_LISTING)

    @classmethod
    def endless_listing(cls) -> Fault:
        """
        Answer with no backups and a NextToken that was never used before.

        It is for DescribeBackups without BackupIds. Injected with
        ``fraction=1`` the listing never ends; after a number of calls it
        continues where it was.
        """
        return cls(kind=FaultKind.ENDLESS_LISTING)

    @classmethod
    def other_answer(cls) -> Fault:
        """
        Answer what another request would get: of other backups.

        CopyBackup gets a copy of another source, DeleteBackup another id,
        DescribeBackups with BackupIds one other backup. None of them exists.
        """
        return cls(kind=FaultKind.OTHER_ANSWER)

    @classmethod
    def interim(cls, status: int = 102) -> Fault:
        """
        Send an interim answer (102 or 103), then nothing.

        It ends when the client closes the connection, or the server stops.

        Raises:
            ValueError: *status* is another.
        """
        if status not in (102, 103):
            msg = f"status must be 102 or 103, not {status!r}"
            raise ValueError(msg)
        return cls(kind=FaultKind.INTERIM, answer=Answer(status, b""))

    @classmethod
    def drip(cls, interval: float) -> Fault:
        """
        Send headers, then one byte of the body each *interval* real seconds.

        It ends when the client closes the connection, or the server stops.

        Raises:
            ValueError: *interval* is not a finite number above zero.
        """
        if not 0 < interval < math.inf:
            msg = f"interval must be a finite number of seconds above zero, not {interval!r}"
            raise ValueError(msg)
        return cls(kind=FaultKind.DRIP, seconds=interval)

    @classmethod
    def garbage(cls) -> Fault:
        """
        Send bytes that are no HTTP, then close the connection.
        """
        return cls(kind=FaultKind.GARBAGE)

    @classmethod
    def bad_chunk(cls) -> Fault:
        """
        Send a chunked body with a broken chunk header, then close the connection.
        """
        return cls(kind=FaultKind.BAD_CHUNK)

    @classmethod
    def raw(cls, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """
        Answer with exactly this, and a request id.
        """
        answer = Answer(status, body, MappingProxyType(dict(headers)))
        return cls(kind=FaultKind.ANSWER, answer=answer)

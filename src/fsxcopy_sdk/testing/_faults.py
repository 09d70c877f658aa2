"""Faults on demand: what can go wrong with a call, and which calls it happens to."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, cast

import attrs
import orjson

from fsxcopy_sdk.testing._documents import (
    CONTENT_TYPE,
    AccountRegion,
    Answer,
    Document,
    JsonValue,
    text_member,
)
from fsxcopy_sdk.testing._operations import read_token, write_token
from fsxcopy_sdk.testing._requests import REQUESTS, Request
from fsxcopy_sdk.testing._settings import is_number
from fsxcopy_sdk.testing._store import Store


class ErrorPlacement(StrEnum):
    """Name the member of the body or the header that has the code of an error."""

    TYPE = "__type"
    CODE = "code"
    HEADER = "x-amzn-ErrorType"


LISTING_FAULTS: Final = frozenset(
    {"empty_listing", "cut_listing", "shuffled_listing", "endless_listing"}
)
"""Kinds of faults of DescribeBackups without BackupIds."""

CARRIED_OUT: Final = LISTING_FAULTS | {"truncated", "content_type"}
"""Kinds that change the answer of the call, which is always carried out."""


@attrs.frozen(kw_only=True)
class Fault:
    """
    One thing that goes wrong with a call; create it with one of the class methods.

    Faults of a listing apply to DescribeBackups without BackupIds. Those that
    do not end by themselves end when the client closes the connection, or the
    server stops. Each class method raises ValueError if an argument breaks its rule.
    """

    kind: str
    """The name of the class method, "raw" for those that send an answer unchanged."""
    answer: Answer = attrs.field(factory=Answer)
    """Of "raw" all, of "content_type" the headers, of "interim" the status."""
    seconds: float = 0.0
    """Of "delay" by the clock of the local FSx, of "drip" real ones between two bytes."""
    keep: int = 0
    """How many backups remain in a "cut_listing"."""

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
        Answer with an error, known to the service's model or not.

        *code* is sent unchanged, also with a namespace
        (``com.amazonaws.fsx#BadRequest``) or a suffix (``BadRequest:http://…``).
        *members* are further ones of the body (``Limit="…"``).
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
        """Answer that the caller sends too many requests: 400, ThrottlingException."""
        return cls.error("ThrottlingException", "Rate exceeded", message_member="message")

    @classmethod
    def internal_error(cls) -> Fault:
        """Answer 500, InternalServerError."""
        return cls.error("InternalServerError", "Sorry.", status=500)

    @classmethod
    def unavailable(cls) -> Fault:
        """Answer 503, ServiceUnavailable."""
        return cls.error("ServiceUnavailable", "Sorry.", status=503)

    @classmethod
    def reset(cls) -> Fault:
        """Reset the connection (TCP RST) instead of answering."""
        return cls(kind="reset")

    @classmethod
    def delay(cls, seconds: float) -> Fault:
        """Take *seconds* longer, zero or more, by the clock of the local FSx."""
        if not (is_number(seconds) and 0 <= seconds < math.inf):
            raise ValueError(f"seconds must be a finite number, zero or more, not {seconds!r}")
        return cls(kind="delay", seconds=seconds)

    @classmethod
    def truncated(cls) -> Fault:
        """Carry out the call, announce the whole answer, send the first half."""
        return cls(kind="truncated")

    @classmethod
    def content_type(cls, content_type: str) -> Fault:
        """Carry out the call, give its answer another content type."""
        headers = {"Content-Type": content_type}
        return cls(kind="content_type", answer=Answer(200, b"", headers))

    @classmethod
    def html(cls, status: int = 502) -> Fault:
        """Answer with an HTML page, as proxies and load balancers do."""
        page = f"<html><body><h1>{status}</h1></body></html>"
        return cls.raw(status, {"Content-Type": "text/html"}, page.encode())

    @classmethod
    def redirect(cls, location: str, status: int = 307) -> Fault:
        """Redirect the call to *location*."""
        return cls.raw(status, {"Location": location}, b"")

    @classmethod
    def empty(cls, status: int = 200) -> Fault:
        """Answer without a body."""
        return cls(kind="raw", answer=Answer(status, b""))

    @classmethod
    def null(cls, status: int = 200) -> Fault:
        """Answer with the JSON text ``null``."""
        return cls(kind="raw", answer=Answer(status, b"null"))

    @classmethod
    def empty_listing(cls) -> Fault:
        """Answer a listing with no backups and no NextToken."""
        return cls(kind="empty_listing")

    @classmethod
    def cut_listing(cls, keep: int) -> Fault:
        """Answer with only the first *keep* backups of the page, and no NextToken."""
        if not (is_number(keep) and keep >= 0 and keep % 1 == 0):
            raise ValueError(f"keep must be a whole number, zero or more, not {keep!r}")
        return cls(kind="cut_listing", keep=int(keep))

    @classmethod
    def shuffled_listing(cls) -> Fault:
        """Answer with the backups of the page in another order, drawn from the seed."""
        return cls(kind="shuffled_listing")

    @classmethod
    def endless_listing(cls) -> Fault:
        """
        Answer with no backups and a NextToken that was never used before.

        Injected with ``fraction=1`` the listing never ends; injected for a
        number of calls it then continues at its position.
        """
        return cls(kind="endless_listing")

    @classmethod
    def other_answer(cls) -> Fault:
        """
        Answer with that of another request, about backups that do not exist.

        CopyBackup gets a copy of another source, DeleteBackup another ID,
        DescribeBackups with BackupIds one other backup.
        """
        return cls(kind="other_answer")

    @classmethod
    def interim(cls, status: int = 102) -> Fault:
        """Send an interim answer (102 or 103), then nothing."""
        if status not in (102, 103):
            raise ValueError(f"status must be 102 or 103, not {status!r}")
        return cls(kind="interim", answer=Answer(status, b""))

    @classmethod
    def drip(cls, interval: float) -> Fault:
        """Send headers, then one byte of the body each *interval* real seconds, above zero."""
        if not (is_number(interval) and 0 < interval < math.inf):
            raise ValueError(
                f"interval must be a finite number of seconds above zero, not {interval!r}"
            )
        return cls(kind="drip", seconds=interval)

    @classmethod
    def garbage(cls) -> Fault:
        """Send bytes that are not HTTP, then close the connection."""
        return cls(kind="garbage")

    @classmethod
    def bad_chunk(cls) -> Fault:
        """Send a chunked body with a broken chunk header, then close the connection."""
        return cls(kind="bad_chunk")

    @classmethod
    def raw(cls, status: int, headers: Mapping[str, str], body: bytes) -> Fault:
        """Answer with exactly this, and a request ID."""
        return cls(kind="raw", answer=Answer(status, body, MappingProxyType(dict(headers))))


@attrs.define(eq=False, kw_only=True)
class Injection:
    """A fault, and the calls to which it happens; `LocalFsx.inject` explains it."""

    fault: Fault
    next_calls: int | None
    fraction: float | None
    operation: str | None
    after: bool
    """Whether the call is carried out before it goes wrong."""
    random: random.Random
    _calls_left: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        fault = cast("object", self.fault)
        if not isinstance(fault, Fault):
            raise TypeError(f"fault must be a Fault, such as Fault.throttling(), not {fault!r}")
        calls, fraction, operation = self.next_calls, self.fraction, self.operation
        if calls is not None and fraction is not None:
            raise ValueError("next_calls and fraction cannot be given together")
        if calls is not None and not (is_number(calls) and calls >= 1 and calls % 1 == 0):
            raise ValueError(f"next_calls must be a whole number, one or more, not {calls!r}")
        if fraction is not None and not (is_number(fraction) and 0 <= fraction <= 1):
            raise ValueError(f"fraction must be between 0 and 1, not {fraction!r}")
        operations = _operations_of(fault.kind)
        if operation is not None and operation not in operations:
            raise ValueError(f"operation must be one of {sorted(operations)}, not {operation!r}")
        self._calls_left = 1 if self.next_calls is None else self.next_calls

    def matches(self, operation: str, body: Mapping[str, JsonValue]) -> bool:
        """Whether this call of *operation* gets the fault, which then has one call less."""
        kind = self.fault.kind
        if self.operation not in (None, operation) or operation not in _operations_of(kind):
            return False
        # For DescribeBackups some faults need a listing, and one needs IDs.
        needs_ids = kind == "other_answer" and operation == "DescribeBackups"
        by_id = bool(body.get("BackupIds"))
        if (
            self._calls_left == 0
            or (needs_ids and not by_id)
            or (by_id and kind in LISTING_FAULTS)
        ):
            return False
        if self.fraction is not None:
            return self.random.random() < self.fraction
        self._calls_left -= 1
        return True


def _operations_of(kind: str) -> Collection[str]:
    """Return the operations to which a fault of *kind* applies."""
    if kind in LISTING_FAULTS:
        return ["DescribeBackups"]
    if kind == "other_answer":
        return ["CopyBackup", "DeleteBackup", "DescribeBackups"]
    return REQUESTS


def altered(
    injection: Injection, scope: AccountRegion, request: Request, answer: Document
) -> Document:
    """Return *answer* to *request*, changed if the fault of *injection* is one of a listing."""
    match injection.fault.kind:
        case "empty_listing":
            return {"Backups": []}
        case "cut_listing":
            backups = cast("list[JsonValue]", answer["Backups"])
            return {"Backups": backups[: injection.fault.keep]}
        case "shuffled_listing":
            backups = list(cast("list[JsonValue]", answer["Backups"]))
            injection.random.shuffle(backups)
            if backups == answer["Backups"]:
                backups.reverse()
            return {**answer, "Backups": backups}
        case "endless_listing":
            position = read_token("DescribeBackups", scope, request)
            salt = f"{injection.random.getrandbits(64):016x}"
            token = write_token("DescribeBackups", scope, position, salt)
            return {"Backups": [], "NextToken": token}
    return answer


def other_answer(
    store: Store, scope: AccountRegion, operation: str, request: Mapping[str, JsonValue]
) -> Document:
    """Return the answer to another request of *operation*, about backups that do not exist."""
    if operation == "DeleteBackup":
        return {"BackupId": store.new_backup_id(), "Lifecycle": "DELETED"}
    if operation == "DescribeBackups":
        return {"Backups": [store.complete(scope, {})]}
    copy: Document = {
        "Lifecycle": "COPYING",
        "SourceBackupId": store.new_backup_id(),
        "SourceBackupRegion": text_member(request, "SourceRegion") or scope.region,
    }
    return {"Backup": store.complete(scope, copy)}

"""Which copy is requested next, and when: bookkeeping and rules, nothing here awaits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import attrs

from fsxcopy_sdk.bulk._outcomes import CopyInProgress
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.enums import ServiceLimit
from fsxcopy_sdk.errors import (
    CallError,
    FsxCopyError,
    NoResponse,
    ResponseDecodingError,
    ServiceError,
    ServiceLimitExceeded,
    ServiceUnavailable,
    Throttled,
)
from fsxcopy_sdk.models import Backup

DEFAULT_MAX_IN_PROGRESS = 5
"""Per destination Region, and for ONTAP per volume and key there (FSx quotas)."""

TOKEN_LIFETIME = 120.0
"""
Seconds for which a repeated request relies on the service to remember its token. No
source says how long it does, so that this is as short as retries allow.
"""

UNSEEN_FOR = 3600.0
"""
Seconds for which a copy that may have been accepted is searched for in listings. No
source says how long a new copy may be missing from them: an hour is far above any report.
"""

SHARED_FOR = 30.0
"""Seconds for which items that search at about the same time share a listing."""

NOT_FOUND_FOR = 600.0
"""
Seconds for which DescribeBackups may not know an accepted copy by its ID before the
destination is listed without IDs. A listing costs many calls in a large Region.
"""

# The ends of our own copies are seen, those of other programs are not, so time is all
# there is to go by. Copies take minutes to hours: a minute is short beside them, and one
# call a minute is less than the waits make. A copy that failed is repeated no sooner.
_CAPACITY_DELAY = 60.0

# From 1 s on, each delay twice the one before, as in the Smithy waiter specification:
# eight tries bridge about two minutes, below that aiobotocore retries by itself.
_FIRST_DELAY = 1.0
_MAX_DELAY = 60.0
_MAX_DOUBLINGS = 1000  # 2.0 ** 1024 is no float
MAX_TRIES = 8
"""How often a call may meet a transient error, unless a known service has an outage."""

_SERVER_ERROR = 500


@attrs.frozen
class CopyAttempt:
    """A request whose copy is to be started."""

    number: int
    """Its position among the requests."""
    request: CopyRequest
    attempt: int = 0
    """How many copies of the request are known to be dead; each has spent its token."""
    is_repeated: bool = False
    """Whether it follows, in this run, a token that led to a dead copy."""
    is_existing: bool = False
    """Whether the destination had its copy when the run began."""
    tries: int = 0
    """How many calls in a row met a transient error."""
    unknown_since: float | None = None
    """
    When it was first sent without an answer that tells whether it was accepted, in
    seconds of the client's clock; None if no such call was made.
    """

    @property
    def may_be_repeated(self) -> bool:
        """
        Whether a dead copy may be followed by another attempt in this run.

        One only, and none if a call of this run may have started the copy that is dead.
        """
        is_first = not self.is_repeated and self.unknown_since is None
        return is_first and self.request.client_request_token is None

    def next_attempt(self) -> CopyAttempt:
        """Return the attempt that follows a dead copy, with a token of its own."""
        return CopyAttempt(self.number, self.request, self.attempt + 1, is_repeated=True)

    def is_token_forgotten(self, now: float) -> bool:
        """Whether sending it again could make a second copy: its token may be forgotten."""
        return self.unknown_since is not None and now - self.unknown_since > TOKEN_LIFETIME


@attrs.define(eq=False)
class QuotaGroup:
    """
    The requests that the service limits together, in their order.

    Copies of file systems are limited by destination Region, those of ONTAP volumes by
    volume and key there (FSx ONTAP guide).
    """

    slots: int
    waiting: deque[CopyAttempt] = attrs.field(factory=deque)
    held: int = 0
    """Slots that are taken; more than there are if existing copies take them."""
    ended: int = 0
    """How many copies that were in progress no longer are."""
    full_since: float | None = None
    """When the service first had no capacity, by the client's clock; None if it has."""
    failing_since: float | None = None
    """When the first of some calls in a row met an outage; None if the last did not."""

    @staticmethod
    def key_of(request: CopyRequest) -> tuple[str | None, str | None]:
        """Return what the requests of one group have in common."""
        volume_id = request.volume_id
        return (volume_id, None if volume_id is None else request.kms_key_id)

    def answered(self) -> None:
        """Note that the service answered: an outage, if there was one, is over."""
        self.failing_since = None

    @property
    def is_done(self) -> bool:
        """Whether nothing waits and nothing is in progress."""
        return not (self.waiting or self.held)

    def take(self) -> CopyAttempt | None:
        """Give the first attempt a slot; return None if there is no slot or no attempt."""
        if not self.waiting or self.held >= self.slots:
            return None
        self.held += 1
        return self.waiting.popleft()

    def put_back(self, attempt: CopyAttempt) -> None:
        """Take the slot back and make *attempt* the first again."""
        self.held -= 1
        self.waiting.appendleft(attempt)

    def release(self) -> None:
        """Take back the slot of a copy that has ended."""
        self.held -= 1
        self.ended += 1


class CopyTracker:
    """Where each request stands: not started, in progress, or ended."""

    def __init__(self, requests: Iterable[CopyRequest]) -> None:
        self._not_started = dict(enumerate(requests))
        self._in_progress: dict[int, CopyInProgress] = {}
        self._known: dict[int, str] = {}

    @property
    def is_complete(self) -> bool:
        """Whether every request has its outcome."""
        return not (self._not_started or self._in_progress)

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """The requests whose copies were certainly not accepted, in their order."""
        return tuple(request for _, request in sorted(self._not_started.items(), key=_number))

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """The copies that were accepted, or may have been, in the order of the requests."""
        return tuple(copy for _, copy in sorted(self._in_progress.items(), key=_number))

    def copy_of(self, attempt: CopyAttempt) -> CopyInProgress:
        """Return what is known of a copy that was requested and has not ended."""
        return self._in_progress[attempt.number]

    def other_ids(self, attempt: CopyAttempt) -> set[str]:
        """Return the IDs of the copies that belong to other requests."""
        return {backup_id for number, backup_id in self._known.items() if number != attempt.number}

    def sent(self, attempt: CopyAttempt, token: str, now: float) -> None:
        """Note that a copy is requested: from now on it may have been accepted."""
        self._not_started.pop(attempt.number, None)
        self._in_progress[attempt.number] = CopyInProgress(
            request=attempt.request, client_request_token=token, started=now
        )

    def found(self, attempt: CopyAttempt, token: str, now: float) -> None:
        """Note that a copy is there, unless it is known to be in progress."""
        if attempt.number not in self._in_progress:
            self.sent(attempt, token, now)

    def adopt(self, number: int, copy: CopyInProgress) -> None:
        """Note a copy that was in progress before."""
        self._in_progress[number] = copy

    def refused(self, attempt: CopyAttempt) -> None:
        """Note that no copy was accepted, or one that is dead."""
        self._in_progress.pop(attempt.number, None)
        self._not_started[attempt.number] = attempt.request

    def seen(self, attempt: CopyAttempt, backup: Backup) -> CopyInProgress:
        """Note what a copy is like now."""
        copy = attrs.evolve(self._in_progress[attempt.number], backup=backup)
        self._in_progress[attempt.number] = copy
        self._known[attempt.number] = backup.backup_id
        return copy

    def ended(self, number: int) -> None:
        """Note that a request has its outcome."""
        self._not_started.pop(number, None)
        self._in_progress.pop(number, None)


def _number(entry: tuple[int, object]) -> int:
    return entry[0]


def is_at_capacity(error: FsxCopyError) -> bool:
    """Whether *error* means that too many copies are in progress, which passes."""
    return (
        isinstance(error, ServiceLimitExceeded)
        and error.limit == ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS
    )


def is_retryable(error: FsxCopyError) -> bool:
    """Whether the same request with the same token may get a good answer soon."""
    # One that cannot be read may be of a copy that was accepted: its token finds it.
    return error.is_transient or isinstance(error, ResponseDecodingError)


def is_outage(error: FsxCopyError) -> bool:
    """Whether *error* is likely to meet every request, not this one in particular."""
    malformed = isinstance(error, ResponseDecodingError) and error.is_malformed
    return malformed or isinstance(error, NoResponse | Throttled | ServiceUnavailable)


def is_outcome_unknown(error: FsxCopyError) -> bool:
    """Whether the request may have been accepted in spite of *error*."""
    if not isinstance(error, CallError) or error.refused_attempts >= error.attempts:
        return False
    if isinstance(error, NoResponse):
        return error.may_have_been_sent
    # Of several attempts an earlier one may have been accepted, and its answer lost. An
    # error without a code of the service's own comes from a proxy.
    is_refusal = (
        isinstance(error, ServiceError)
        and error.http_status < _SERVER_ERROR
        and not error.code.isdecimal()
        and error.attempts == 1
    )
    return not is_refusal


def capacity_delay(random: Callable[[], float]) -> float:
    """Return the seconds after which a service without capacity is asked again."""
    return _CAPACITY_DELAY * (0.75 + 0.5 * random())


def retry_delay(tries: int, random: Callable[[], float]) -> float:
    """Return the seconds to sleep after *tries* transient errors in a row."""
    grown = _FIRST_DELAY * 2.0 ** min(tries - 1, _MAX_DOUBLINGS)
    return min(_MAX_DELAY, grown) * (0.5 + 0.5 * random())

"""The state of requests, what an error means, and how long to wait: nothing here awaits."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from copy import copy as cloned
from datetime import timedelta
from typing import Literal

import anyio
import attrs

from fsxcopy_sdk._error_mapping import is_refusal
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
)
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.errors import (
    BackupCopyFailed,
    BackupNotFound,
    CallError,
    ClockSkewed,
    CredentialsUnavailable,
    FsxCopyError,
    NoResponse,
    ResponseDecodingError,
    ServiceError,
    ServiceUnavailable,
    Throttled,
    WaitTimeout,
)
from fsxcopy_sdk.models import Backup

_log = logging.getLogger("fsxcopy_sdk.bulk")

TOKEN_LIFETIME = 120.0
"""
Seconds for which a repeated request relies on the service to remember its token. How long
the service does is not documented, so this is as short as retries allow.
"""

MAX_DELAY_IN_DOUBT = 10.0
"""
Seconds between two requests where one may have been accepted: a dozen fit into the lifetime
of the token, after which the copy can only be searched for, and never requested again.
"""

UNSEEN_FOR = 3600.0
"""
Seconds for which listings are searched for a copy that may have been accepted. How long a
new copy may be missing from them is not documented; an hour is far above any report.
"""

SHARED_FOR = 30.0
"""Seconds for which items that search at about the same time share a listing."""

NOT_FOUND_FOR = 600.0
"""
Seconds for which DescribeBackups may not know an accepted copy by its ID before the
destination is listed without IDs. A listing costs many calls in a large Region.
"""

# We see when our own copies end, but not when those of other programs do, so the request is
# repeated after a time. Copies take minutes to hours: a minute is short beside them, and one
# call a minute is less than the waits make. A dead copy is not repeated sooner either.
_CAPACITY_DELAY = 60.0

# With wait=False: how long after the start of a FAILED copy the next one may start. Such runs
# come every few minutes, and a person must mend what makes a copy fail, such as a disabled key.
# Each pause is twice the one before, because a copy may take hours to fail.
_FIRST_PAUSE = timedelta(hours=1)
_LONGEST_PAUSE = timedelta(days=1)

# From 1 s on, each delay twice the one before, as in the Smithy waiter specification:
# eight tries bridge about two minutes, below that aiobotocore retries by itself.
_FIRST_DELAY = 1.0
_MAX_DELAY = 60.0
_MAX_DOUBLINGS = 1000  # 2.0 ** 1024 does not fit into a float
MAX_TRIES = 8
"""How often a call may meet a transient error, unless a known service has an outage."""
MAX_REFUSALS = 3
"""
How many requests in a row are refused for a limit before those behind them wait too. The
service does not say which limit it is: it may be that of an ONTAP volume that the request does
not name, and each other volume has one of its own.
"""
_DOUBT_EACH = 5
"""
Which refusals of a request may be for its volume though listings show as many copies as we
allow: the service may allow more, and then other requests would wait with it for hours.
"""
FEW_TRIES = 3
"""The same if nothing is waited for: seconds instead of minutes."""

# With these the service was not reached, or would refuse any request of this client.
_OUTAGES = (ClockSkewed, CredentialsUnavailable, NoResponse, ServiceUnavailable, Throttled)
# The same from a gateway or proxy, in a page without a code of the service. A 500 is not among
# them, because it may also come from the service.
_OUTAGE_STATUSES = (429, 502, 503, 504)


@attrs.define(eq=False)
class QuotaGroup:
    """
    The requests that the service limits together, in their order.

    Copies of file systems are limited by destination Region, those of ONTAP volumes by
    volume and key there (FSx ONTAP guide).
    """

    slots: int
    volume_id: str | None = None
    """The ONTAP volume; None for all file systems, and for volumes that are not known yet."""
    waiting: list[RequestState] = attrs.field(factory=list)
    held: int = 0
    """Slots that are taken; more than there are if existing copies take them."""
    ended: int = 0
    """How many copies that were in progress no longer are."""
    full_since: float | None = None
    """When the service first had no capacity, by the client's clock; None if it has."""
    failing_since: float | None = None
    """
    When the first of several calls in a row met an outage; None if the last did not. Without
    waiting: when the last request was given up because of transient errors.
    """
    refusals: int = 0
    """How many requests in a row the service refused for a limit."""
    passed_over: set[RequestState] = attrs.field(factory=set)
    """The waiting requests that it refused for a limit since a copy has ended."""
    starting: anyio.Lock = attrs.field(factory=anyio.Lock)
    """Held while a copy is started, because one refusal for capacity is enough."""
    sleeps: set[anyio.CancelScope] = attrs.field(factory=set)
    """What sleeps until a copy ends."""
    closed: CopyDeferred | None = None
    """Without waiting: the outcome of the first request that could not be started."""

    @property
    def must_wait(self) -> bool:
        """Whether all waiting requests must wait before one is sent again."""
        return self.refusals >= MAX_REFUSALS or len(self.passed_over) == len(self.waiting)

    def has_failed_since(self, time: float) -> bool:
        """Whether calls have met an outage since then or before."""
        return self.failing_since is not None and self.failing_since <= time

    def next(self) -> RequestState:
        """Return the request to send next: the first, or the next of those behind refused ones."""
        if not self.passed_over:
            return self.waiting[0]
        left = (one for one in self.waiting if one not in self.passed_over)
        return min(left, key=lambda one: one.refusals)

    def pass_over(self, state: RequestState, *, is_full: bool = False) -> None:
        """
        Note that the service refused a request for a limit, which may be that of its volume.

        If listings show that the group *is_full*, the limit is more likely that of the group.
        """
        self.passed_over.add(state)
        state.refusals += 1
        is_known = self.volume_id is not None or (is_full and state.refusals % _DOUBT_EACH)
        self.refusals += MAX_REFUSALS if is_known else 1

    def try_anew(self) -> None:
        """Begin with the first request again."""
        self.refusals = 0
        self.passed_over.clear()

    def note_end(self) -> None:
        """Wake what waits for the end of a copy."""
        self.ended += 1
        self.passed_over.clear()
        self.wake()

    def wake(self) -> None:
        """Wake what waits for a slot."""
        for scope in self.sleeps:
            scope.cancel()


@attrs.define(eq=False)
class RequestState:
    """The state of one request, and what its calls met."""

    copy: CopyInProgress
    """The copy as it is known, which may not have been requested yet."""
    group: QuotaGroup
    stage: Literal["not started", "in progress", "ended"] = "not started"
    """A copy that may have been accepted is in progress."""
    is_existing: bool = False
    """Whether its copy was found in the destination, so that none was requested."""
    is_fresh: bool = False
    """Whether the answer to its request has just shown its copy, which need not be polled yet."""
    attempt: int = 0
    """How many copies of the request are known to be dead; each has spent its token."""
    is_repeated: bool = False
    """Whether in this run its token led to a dead copy, and it is sent with another one."""
    tries: int = 0
    """How many calls in a row met a transient error."""
    failures: int = 0
    """How many of them met an error that may be of this request only, not an outage."""
    unknown_since: float = math.inf
    """
    The client's clock when it was first sent without an answer that shows whether it was
    accepted; infinity if no such call was made.
    """
    accepted_backup_id: str | None = None
    """The ID of the copy, from a response that is otherwise unreadable."""
    refusals: int = 0
    """How often the service refused it for a limit that may be its own."""
    ended_before: int = 0
    """How many copies of its group had ended when it was sent."""

    @property
    def request(self) -> CopyRequest:
        """The request."""
        return self.copy.request

    @property
    def is_in_doubt(self) -> bool:
        """Whether it may have been accepted without an answer that shows it."""
        return self.unknown_since < math.inf

    def begin(self, region: str, now: float) -> None:
        """Note that a copy is requested or found: from now on it may be in progress."""
        self.stage, self.ended_before = "in progress", self.group.ended
        token = self.request.token(region, self.attempt)
        self.copy = CopyInProgress(request=self.request, client_request_token=token, started=now)

    def repeat(self) -> None:
        """Note that its token led to a dead copy, so that it is sent again with the next token."""
        self.attempt, self.is_repeated = self.attempt + 1, True
        self.tries = self.failures = 0

    def refuse(self) -> None:
        """Note that the last call was refused; an earlier one may have been accepted."""
        if not self.is_in_doubt:
            self.stage = "not started"


def is_retryable(error: FsxCopyError) -> bool:
    """Whether the same request with the same token may get a good answer soon."""
    # An unreadable response may mean that a copy was accepted: its token finds it.
    return error.is_transient or isinstance(error, ResponseDecodingError)


def unlisted(request: CopyRequest, error: FsxCopyError) -> CopyDeferred:
    """Return the outcome of a request that was not sent, because a copy may exist already."""
    reason = "the destination cannot be listed"
    return CopyDeferred(request=request, reason=reason, error=error)


def not_accepted(request: CopyRequest, error: FsxCopyError) -> CopyFailed | CopyDeferred:
    """Return the outcome of a request that was certainly not accepted."""
    if isinstance(error, ServiceError) and not error.is_transient:
        return CopyFailed(request=request, error=error)
    return CopyDeferred(request=request, reason="the request was not accepted", error=error)


def outcome_of(state: RequestState, backup: Backup, region: str) -> Copied | CopyFailed:
    """Return the outcome of a copy that has ended."""
    if backup.lifecycle.is_available:
        return Copied(request=state.request, backup=backup, existing=state.is_existing)
    error = BackupCopyFailed.of(backup, polls=1, elapsed=0.0, region=region)
    return CopyFailed(request=state.request, error=error, backup=backup)


def not_observed(state: RequestState, error: FsxCopyError) -> CopyNotObserved:
    """Return the outcome of a copy that was accepted, or may have been."""
    known = state.copy
    if error.accepted_backup_id is None and state.accepted_backup_id is not None:
        # The error of a later call would hide the ID that an earlier one named. It may be
        # that of other requests too, so this one gets its own.
        own = cloned(error).with_traceback(error.__traceback__)
        own.accepted_backup_id, own.__cause__ = state.accepted_backup_id, error.__cause__
        error = own
    return CopyNotObserved(
        request=known.request,
        client_request_token=known.client_request_token,
        error=error,
        backup=known.backup,
    )


def repeat_failed_after(failed: int) -> timedelta:
    """Return how long after the start of the last of *failed* copies the next may start."""
    doublings = min(failed - 1, _LONGEST_PAUSE // _FIRST_PAUSE)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def is_outage(error: FsxCopyError) -> bool:
    """Whether *error* is likely to meet every request, not this one in particular."""
    if isinstance(error, ResponseDecodingError):
        return error.is_malformed
    if isinstance(error, ServiceError) and error.code.isdecimal():
        return error.http_status in _OUTAGE_STATUSES
    return error.is_transient and isinstance(error, _OUTAGES)


def is_outcome_unknown(error: FsxCopyError) -> bool:
    """Whether the request may have been accepted in spite of *error*."""
    if not isinstance(error, CallError) or error.refused_attempts >= error.attempts:
        return False
    if isinstance(error, NoResponse):
        return error.may_have_been_sent
    # Of several attempts an earlier one may have been accepted, and its answer lost.
    return not (
        isinstance(error, ServiceError)
        and is_refusal(error.code, error.http_status)
        and error.attempts == 1
    )


def saw_it_in_progress(error: BackupNotFound | WaitTimeout) -> bool:
    """Whether the wait that ended with *error* saw the copy until its deadline."""
    return (
        isinstance(error, WaitTimeout)
        and error.last_backup is not None
        and not isinstance(error.__cause__, BackupNotFound)
    )


def log_what_is_left(copy: CopyInProgress, region: str) -> None:
    """Log a copy that continues and is no longer followed."""
    source, token = copy.request.source_backup_id, copy.client_request_token
    extra = {"source_backup_id": source, "client_request_token": token, "region": region}
    if copy.backup_id is None:
        text = "a copy of %s may have been accepted, with the token %s"
        _log.warning(text, source, token, extra=extra)
    else:
        text = "%s: the copy of %s continues unobserved"
        extra["backup_id"] = copy.backup_id
        _log.info(text, copy.backup_id, source, extra=extra)


def capacity_delay(random: Callable[[], float]) -> float:
    """Return the seconds after which a service without capacity is asked again."""
    return _CAPACITY_DELAY * (0.75 + 0.5 * random())


def retry_delay(tries: int, random: Callable[[], float]) -> float:
    """Return the seconds to sleep after *tries* transient errors in a row."""
    grown = _FIRST_DELAY * 2.0 ** min(tries - 1, _MAX_DOUBLINGS)
    return min(_MAX_DELAY, grown) * (0.5 + 0.5 * random())

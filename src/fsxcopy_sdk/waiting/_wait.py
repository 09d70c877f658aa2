"""
One wait: what it has seen, what that means, and when it looks again.

Nothing here awaits.
"""

from __future__ import annotations

import copy
import logging
from datetime import timedelta
from functools import lru_cache

import anyio
import attrs

from fsxcopy_sdk._progress import ProgressHistory
from fsxcopy_sdk._schedule import WaitSchedule
from fsxcopy_sdk.errors import (
    BackupCopyFailed,
    BackupNotFound,
    ClientNotOpen,
    FsxCopyError,
    PaginationError,
    RequestTimeout,
    ResponseDecodingError,
    WaitTimeout,
)
from fsxcopy_sdk.models import Backup

MAX_BATCH = 50
"""DescribeBackups takes so many ids (FSx API 2018-03-01)."""

DEFAULT_MAX_WAIT = timedelta(hours=8)
"""A working day or a night: most copies end well before, and a wait can be repeated."""

CALL_GRACE = 10.0
"""
Seconds past its deadline that a wait allows its last poll: to be made, where a budget
holds it back, and to be answered. A healthy answer takes less than one second; the rest
is for the retries of a call that was throttled.
"""

_log = logging.getLogger("fsxcopy_sdk.waiting")


# Where a call does not hold all, its number is set by the waits that are near their
# end. Looks twice as far apart there save a fifth of all calls, for 2.5 s more lag
# (measured by benchmarks/waits.py).
_CROWD_MIN_DELAYS = 2


# So many looks in a row that saw nothing are no hiccup; said once, not at each.
_WORTH_A_WARNING = 3


@lru_cache
def _for_crowds(schedule: WaitSchedule) -> WaitSchedule:
    min_delay = min(_CROWD_MIN_DELAYS * schedule.min_delay, schedule.max_delay)
    return attrs.evolve(schedule, min_delay=min_delay)


@attrs.frozen(eq=False)
class Call:
    """
    One call for the backups of some ids, or one listing.
    """

    ids: tuple[str, ...]
    max_pages: int = 0
    """
    The most pages to read of a listing of all backups; 0 where the ids are described.
    """


@attrs.define(eq=False)
class Wait:
    """
    One wait for one backup; times are those of the client's clock.
    """

    backup_id: str
    max_wait: float
    """Seconds."""
    schedule: WaitSchedule
    started: float
    due: float
    """When to look next."""
    looked: float = 0.0
    """When it was looked at last."""
    polls: int = 0
    failures: int = 0
    """Looks in a row that saw nothing for a reason that may pass."""
    batch_size: int = 0
    """How many backups the last look was for."""
    draw: float = 0.0
    """A random number, 0 to 1, that all waits of the last look have in common."""
    most: int = MAX_BATCH
    """How many backups it may share a look with; fewer while one of them is suspect."""
    last_backup: Backup | None = None
    last_error: FsxCopyError | None = None
    absent_since: float | None = None
    """The time of the first poll of those in a row that did not find the backup."""
    progress: ProgressHistory = attrs.field(factory=ProgressHistory)
    answered: bool = False
    """Whether the last look's result was not taken yet."""
    expired: bool = False
    """Whether it ended without an answer to its last poll."""
    bell: anyio.Event | None = None
    """Rung when there is a result, or somebody is needed to look."""
    call: Call | None = None
    """The call that this wait is to make next, for itself and others."""
    scope: anyio.CancelScope = attrs.field(init=False)
    """What it awaits its result in; its deadline is in the event loop's time."""
    limit: float = attrs.field(init=False)
    """When it gives up the call in progress, in the event loop's time."""

    @property
    def deadline(self) -> float:
        """
        The time at which the wait is to end.
        """
        return self.started + self.max_wait

    @property
    def elapsed(self) -> float:
        """
        Seconds from the start of the wait to its last look.
        """
        return self.looked - self.started

    def ring(self) -> None:
        """
        Wake the coroutine of this wait.
        """
        if self.bell is not None:
            self.bell.set()

    def answer(
        self, result: Backup | FsxCopyError, now: float, batch_size: int, draw: float
    ) -> None:
        """
        Note the result of a look, and wake the coroutine of this wait.
        """
        self.polls += 1
        self.looked, self.batch_size, self.draw, self.answered = now, batch_size, draw, True
        if isinstance(result, Backup):
            self.last_backup, self.last_error, self.failures = result, None, 0
            self.most, self.absent_since = MAX_BATCH, None
            self.progress.add(self.elapsed, result.progress_percent)
        else:
            self.last_error = result
            self.failures += 1
            if isinstance(result, BackupNotFound) and self.absent_since is None:
                self.absent_since = now
            if not result.is_transient:
                self.most = 1
        self.ring()

    def set_limit(self, now: float, real_now: float) -> None:
        """
        Say how long the call that begins now may take, in the event loop's time.

        Not in the client's: a clock that a test moves may pass hours while a healthy
        call takes its milliseconds.
        """
        self.limit = real_now + max(self.deadline - now, 0.0) + CALL_GRACE

    def expire(self, now: float, *, in_call: bool) -> None:
        """
        End the wait without an answer to its last poll.
        """
        if in_call:
            text = f"no answer {CALL_GRACE:.0f} s after the deadline of the wait"
            error = RequestTimeout(text, operation="DescribeBackups")
            error.__cause__ = self.last_error
            self.polls += 1
            self.last_error = error
        self.looked, self.answered, self.expired = now, True, True
        self.ring()

    def take(self) -> Backup | None:
        """
        Return what the last look saw; None where it saw nothing that is final.

        Raises:
            WaitTimeout: the last look was not answered in time.
            FsxCopyError: the last look met what will not pass by waiting.
        """
        self.answered = False
        error = self.last_error
        if self.expired:
            raise self._timeout() from error
        if error is None:
            return self.last_backup
        if self._may_pass(error):
            return None
        # Waits share looks, and so errors: the note must be on an error of its own.
        self._log(logging.INFO, f"ended by {type(error).__name__}")
        mine = copy.copy(error)
        mine.add_note(
            f"while waiting for {self.backup_id}: poll {self.polls}, after {self.elapsed:.0f} s"
        )
        raise mine from error

    def _may_pass(self, error: FsxCopyError) -> bool:
        if self.absent_since is not None and isinstance(error, BackupNotFound):
            # A copy that was just accepted may not be known everywhere yet, and one
            # server may know what another does not. A grace as long as the wait holds
            # for the last poll too, which may be answered after the deadline.
            grace = self.schedule.not_found_grace
            return grace >= self.max_wait or self.looked - self.absent_since <= grace
        # An answer that cannot be read may be due to another backup of the same call.
        is_odd = isinstance(error, ResponseDecodingError | PaginationError)
        return error.is_transient or (is_odd and self.batch_size > 1)

    def closed(self) -> ClientNotOpen:
        """
        Return the error of a wait whose client was closed.
        """
        self._log(logging.INFO, "the client was closed")
        return ClientNotOpen(f"The client was closed while waiting for {self.backup_id}")

    def reschedule(self, *, in_crowd: bool) -> None:
        """
        Set the time of the next look, further off for one of very many waits.

        Raises:
            WaitTimeout: there is none.
        """
        schedule = _for_crowds(self.schedule) if in_crowd else self.schedule
        delay = schedule.delay(
            self.failures or self.polls,
            self.max_wait - self.elapsed,
            lambda: self.draw,
            None if self.failures else self.progress,
            self.elapsed,
        )
        if delay is None:
            raise self._timeout() from self.last_error
        self.due = self.looked + delay
        after = f" after {type(self.last_error).__name__}" if self.last_error else ""
        level = logging.WARNING if self.failures == _WORTH_A_WARNING else logging.DEBUG
        self._log(level, f"next look in {delay:.1f} s{after}", next_delay=delay)

    def _timeout(self) -> WaitTimeout:
        seen = self.last_backup.lifecycle if self.last_backup else "it was not seen"
        failure = f"; last failure: {self.last_error}" if self.last_error else ""
        self._log(logging.INFO, "timed out")
        return WaitTimeout(
            f"{self.backup_id} is not AVAILABLE after {self.elapsed:.0f} s: {seen}{failure}",
            self.backup_id,
            self.polls,
            self.elapsed,
            self.max_wait,
            self.last_backup,
        )

    def is_over(self, backup: Backup) -> bool:
        """
        Whether *backup* is what was waited for.

        Raises:
            BackupCopyFailed: it never will be.
        """
        if backup.lifecycle.is_dead:
            self._log(logging.INFO, "failed")
            raise BackupCopyFailed.of(backup, polls=self.polls, elapsed=self.elapsed)
        if backup.lifecycle.is_available:
            self._log(logging.INFO, "done")
        return backup.lifecycle.is_available

    def _log(self, level: int, what: str, *, next_delay: float | None = None) -> None:
        if not _log.isEnabledFor(level):
            return
        lifecycle = self.last_backup.lifecycle.value if self.last_backup else None
        extra = {
            "backup_id": self.backup_id,
            "lifecycle": lifecycle,
            "progress_percent": self.last_backup.progress_percent if self.last_backup else None,
            "next_delay": next_delay,
            "batch_size": self.batch_size,
        }
        _log.log(
            level, "%s: %s, %s", self.backup_id, lifecycle or "not seen yet", what, extra=extra
        )

"""
One wait: what it has seen, what that means, and when it polls next.

Nothing here awaits.
"""

from __future__ import annotations

import copy
import logging
from datetime import timedelta

import anyio
import attrs

from fsxcopy_sdk._validation import MAX_BACKUP_IDS
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
from fsxcopy_sdk.waiting._schedule import ProgressHistory, WaitSchedule

DEFAULT_MAX_WAIT = timedelta(hours=8)
"""A working day or a night: most copies end well before, and a wait can be repeated."""

CALL_GRACE = 10.0
"""
Seconds that the last poll may take after the deadline, including a delay by the rate limit.
A healthy answer takes less than one; the rest is for retries.
"""

# With more waits than fit into one call, the number of calls depends on the waits that
# are near their end. Doubling the distance of their polls saves a fifth of all calls,
# for 2.5 s more lag (measured by benchmarks/waits.py).
_CROWD_FACTOR = 2

# After so many failures in a row there is one warning.
_MANY_FAILURES = 3

_log = logging.getLogger("fsxcopy_sdk.waiting")


@attrs.frozen(eq=False)
class Call:
    """One call for the backups of some ids, or one listing."""

    ids: tuple[str, ...]
    max_pages: int = 0
    """The most pages to read of a listing of all backups; 0 to describe the ids."""


@attrs.define(eq=False)
class Wait:
    """One wait for one backup; times are those of the client's clock."""

    backup_id: str
    max_wait: float
    """Seconds."""
    schedule: WaitSchedule
    started: float
    due: float
    """When to poll next."""
    region: str | None = None
    """Where the backup is."""
    polled: float = 0.0
    """When it was polled last."""
    polls: int = 0
    failures: int = 0
    """Polls in a row that saw nothing for a transient reason."""
    batch_size: int = 0
    """How many backups shared the last poll."""
    jitter: float = 0.0
    """A random number from 0 to 1, the same for all waits that shared the last poll."""
    max_batch: int = MAX_BACKUP_IDS
    """How many backups may share its next poll; fewer while it is being isolated."""
    last_backup: Backup | None = None
    is_seen_before: bool = False
    """Whether it started with an observation that it did not poll itself."""
    last_error: FsxCopyError | None = None
    absent_since: float | None = None
    """The time of the first poll of those in a row that did not find the backup."""
    progress: ProgressHistory = attrs.field(factory=ProgressHistory)
    answered: bool = False
    """Whether there is a result that was not taken yet."""
    expired: bool = False
    """Whether it ended without an answer to its last poll."""
    wakeup: anyio.Event | None = None
    """Set when there is a result, or when this wait is to make a call or to sleep."""
    call: Call | None = None
    """The call that this wait is to make next, for itself and others."""
    scope: anyio.CancelScope = attrs.field(init=False)
    """Where it awaits its result."""

    @property
    def deadline(self) -> float:
        return self.started + self.max_wait

    @property
    def elapsed(self) -> float:
        """Seconds from the start of the wait to its last poll."""
        return self.polled - self.started

    def notify(self) -> None:
        if self.wakeup is not None:
            self.wakeup.set()

    def answer(
        self, result: Backup | FsxCopyError, now: float, batch_size: int, jitter: float
    ) -> None:
        self.polls += 1
        self.polled, self.batch_size, self.jitter, self.answered = now, batch_size, jitter, True
        if isinstance(result, Backup):
            self.last_backup, self.last_error, self.failures = result, None, 0
            self.max_batch, self.absent_since = MAX_BACKUP_IDS, None
            self.progress.add(self.elapsed, result.progress_percent)
        else:
            self.last_error = result
            self.failures += 1
            if isinstance(result, BackupNotFound) and self.absent_since is None:
                self.absent_since = now
            if not result.is_transient:
                self.max_batch = 1
        self.notify()

    def begin_with(self, backup: Backup) -> None:
        """Take an answer that was just given for the first observation."""
        self.last_backup, self.is_seen_before, self.polled = backup, True, self.started
        self.progress.add(0.0, backup.progress_percent)

    def limit_call(self, now: float, loop_now: float) -> None:
        """Stop awaiting the present call some seconds after the deadline."""
        # In the event loop's time, not in the client's: a clock that a test moves may pass
        # hours while a healthy call takes its milliseconds.
        self.scope.deadline = loop_now + max(self.deadline - now, 0.0) + CALL_GRACE

    def expire_in_call(self, now: float) -> None:
        text = f"no answer {CALL_GRACE:.0f} s after the deadline of the wait"
        error = RequestTimeout(text, operation="DescribeBackups", region=self.region)
        error.__cause__ = self.last_error
        self.polls, self.last_error = self.polls + 1, error
        self.expire(now)

    def expire(self, now: float) -> None:
        self.polled, self.answered, self.expired = now, True, True
        self.notify()

    def take(self) -> Backup | None:
        """Return what the last poll saw; None where it failed and the wait continues."""
        self.answered = False
        error = self.last_error
        if self.expired:
            raise self._timeout() from error
        if error is None:
            return self.last_backup
        if self._is_tolerated(error):
            return None
        # Waits share calls, and so errors: the note must be on an error of its own.
        self._log(logging.INFO, f"ended by {type(error).__name__}")
        own = copy.copy(error)
        note = f"while waiting for {self.backup_id}: poll {self.polls}, after {self.elapsed:.0f} s"
        own.__notes__ = [*getattr(error, "__notes__", ()), note]
        raise own from error

    def _is_tolerated(self, error: FsxCopyError) -> bool:
        if self.absent_since is not None and isinstance(error, BackupNotFound):
            # A new copy may not be visible everywhere yet, and one server may know what
            # another does not. A grace as long as the wait includes its last poll, which
            # may be answered after the deadline.
            grace = self.schedule.not_found_grace
            return grace >= self.max_wait or self.polled - self.absent_since <= grace
        # Another backup of the same call may be what makes an answer unreadable.
        is_odd = isinstance(error, ResponseDecodingError | PaginationError)
        return error.is_transient or (is_odd and self.batch_size > 1)

    def closed(self) -> ClientNotOpen:
        self._log(logging.INFO, "the client was closed")
        return ClientNotOpen(f"The client was closed while waiting for {self.backup_id}")

    def reschedule(self, *, in_crowd: bool) -> None:
        """Set the time of the next poll, later for one of very many waits."""
        schedule = self.schedule
        if in_crowd:
            min_delay = min(_CROWD_FACTOR * schedule.min_delay, schedule.max_delay)
            schedule = attrs.evolve(schedule, min_delay=min_delay)
        delay = schedule.delay(
            self.failures or self.polls + self.is_seen_before,
            self.max_wait - self.elapsed,
            lambda: self.jitter,
            None if self.failures else self.progress,
            self.elapsed,
        )
        if delay is None:
            raise self._timeout() from self.last_error
        self.due = self.polled + delay
        after = f" after {type(self.last_error).__name__}" if self.last_error else ""
        level = logging.WARNING if self.failures == _MANY_FAILURES else logging.DEBUG
        self._log(level, f"next poll in {delay:.1f} s{after}", next_delay=delay)

    def _timeout(self) -> WaitTimeout:
        seen = self.last_backup.lifecycle if self.last_backup else "it was never observed"
        failure = f"; last failure: {self.last_error}" if self.last_error else ""
        self._log(logging.INFO, "timed out")
        place = f" in {self.region}" if self.region else ""
        error = WaitTimeout(
            f"{self.backup_id} is not AVAILABLE{place} after {self.elapsed:.0f} s: "
            f"{seen}{failure}",
            self.backup_id,
            self.polls,
            self.elapsed,
            self.max_wait,
            self.last_backup,
        )
        error.region = self.region
        return error

    def is_over(self, backup: Backup) -> bool:
        """Return whether *backup* is AVAILABLE; raise BackupCopyFailed if it never will be."""
        if backup.lifecycle.is_dead:
            self._log(logging.INFO, "failed")
            raise BackupCopyFailed.of(
                backup, polls=self.polls, elapsed=self.elapsed, region=self.region
            )
        if backup.lifecycle.is_available:
            self._log(logging.INFO, "done")
        return backup.lifecycle.is_available

    def _log(self, level: int, what: str, *, next_delay: float | None = None) -> None:
        seen = self.last_backup
        lifecycle = seen.lifecycle.value if seen else None
        extra = {
            "backup_id": self.backup_id,
            "region": self.region,
            "lifecycle": lifecycle,
            "progress_percent": seen.progress_percent if seen else None,
            "next_delay": next_delay,
            "batch_size": self.batch_size,
        }
        state = lifecycle or "not seen yet"
        _log.log(level, "%s: %s, %s", self.backup_id, state, what, extra=extra)

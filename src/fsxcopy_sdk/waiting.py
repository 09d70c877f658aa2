"""
Watch a backup until it is AVAILABLE, or never will be.

Of the client this module knows one thing: how to describe the backups of given ids.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import timedelta
from enum import Enum
from typing import TypeAlias, assert_never

import attrs

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk._schedule import WaitSchedule
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import BackupCopyFailed, BackupNotFound, FsxCopyError, WaitTimeout
from fsxcopy_sdk.models import Backup

DEFAULT_MAX_WAIT = timedelta(hours=8)
"""A working day or a night: most copies end well before, and a wait can be repeated."""

NOT_FOUND_GRACE = 60.0
"""Seconds after the start of a wait in which the backup may still be unknown."""

Describe: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Backup]]]
"""Describe the backups of some ids; what is unknown is left out or `BackupNotFound`."""

_log = logging.getLogger("fsxcopy_sdk.waiting")


class Verdict(Enum):
    """
    What a lifecycle means for a wait.
    """

    SUCCESS = "success"
    FAILURE = "failure"
    RETRY = "retry"


def judge(lifecycle: BackupLifecycle) -> Verdict:
    """
    Say what *lifecycle* means; a value that nobody knows yet means to wait on.
    """
    if lifecycle.is_unknown:
        return Verdict.RETRY
    match lifecycle:
        case BackupLifecycle.AVAILABLE:
            return Verdict.SUCCESS
        case BackupLifecycle.FAILED | BackupLifecycle.DELETED:
            return Verdict.FAILURE
        case (
            BackupLifecycle.PENDING
            | BackupLifecycle.CREATING
            | BackupLifecycle.TRANSFERRING
            | BackupLifecycle.COPYING
        ):
            return Verdict.RETRY
        case _:
            assert_never(lifecycle)


@attrs.define
class _Wait:
    """
    One wait: what was seen so far, and how to look again.
    """

    describe: Describe
    backup_id: str
    max_wait: float
    schedule: WaitSchedule
    clock: Clock
    random: Callable[[], float]
    started: float = attrs.field(init=False)
    polls: int = 0
    last_seen: Backup | None = None
    last_error: FsxCopyError | None = None

    def __attrs_post_init__(self) -> None:
        self.started = self.clock.now()

    @property
    def elapsed(self) -> float:
        return self.clock.now() - self.started

    async def look(self) -> Backup | None:
        """
        Describe the backup once; None where that may still come right.
        """
        self.polls += 1
        try:
            backups = await self.describe([self.backup_id])
        except BackupNotFound as error:
            self._forgive(error)
            return None
        except FsxCopyError as error:
            if not error.is_transient:
                self._note(error)
                raise
            self.last_error = error
            return None
        found = next((one for one in backups if one.backup_id == self.backup_id), None)
        if found is None:
            text = f"{self.backup_id} is not in the answer"
            self._forgive(BackupNotFound(text, operation="DescribeBackups"))
            return None
        self.last_seen = found
        self.last_error = None
        return found

    def _forgive(self, error: BackupNotFound) -> None:
        # A copy that was just accepted may not be known everywhere yet.
        if self.last_seen is not None or self.elapsed > NOT_FOUND_GRACE:
            self._note(error)
            raise error
        self.last_error = error

    def _note(self, error: FsxCopyError) -> None:
        error.add_note(
            f"while waiting for {self.backup_id}: poll {self.polls}, after {self.elapsed:.0f} s"
        )

    async def pause(self) -> None:
        """
        Sleep until the next look is due.
        """
        delay = self.schedule.delay(self.polls, self.max_wait - self.elapsed, self.random)
        if delay is None:
            raise WaitTimeout(
                f"{self.backup_id} is not AVAILABLE after {self.elapsed:.0f} s: "
                + (f"{self.last_seen.lifecycle}" if self.last_seen else "it was not seen")
                + (f"; last failure: {self.last_error}" if self.last_error else ""),
                self.backup_id,
                self.polls,
                self.elapsed,
                self.max_wait,
                self.last_seen,
            ) from self.last_error
        _log.debug(
            "%s: %s, next look in %.1f s",
            self.backup_id,
            self.last_seen.lifecycle if self.last_seen else "not seen yet",
            delay,
        )
        await self.clock.sleep(delay)


async def watch(
    describe: Describe,
    backup_id: str,
    *,
    max_wait: float,
    schedule: WaitSchedule,
    clock: Clock,
    random: Callable[[], float],
) -> AsyncGenerator[Backup, None]:
    """
    Yield every observation of a backup, the first at once; end after AVAILABLE.

    *max_wait* is in seconds. Throttling, server errors and broken connections are
    survived until then.

    Raises:
        BackupCopyFailed: the backup is FAILED or DELETED.
        WaitTimeout: it was not AVAILABLE in time.
        BackupNotFound: it is unknown, and no longer only just accepted.
        FsxCopyError: what else will not pass by waiting, a missing permission say.
    """
    wait = _Wait(describe, backup_id, max_wait, schedule, clock, random)
    while True:
        backup = await wait.look()
        if backup is not None:
            yield backup
            verdict = judge(backup.lifecycle)
            if verdict is Verdict.SUCCESS:
                return
            if verdict is Verdict.FAILURE:
                raise _failed(backup, wait)
        await wait.pause()


def _failed(backup: Backup, wait: _Wait) -> BackupCopyFailed:
    details = backup.failure_details
    reason = (details and details.message) or "the service gives no reason"
    text = f"{backup.backup_id} is {backup.lifecycle}: {reason}"
    return BackupCopyFailed(text, backup.backup_id, wait.polls, wait.elapsed, backup)

"""How a copy that the service has accepted ends, and what is known of it until then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import aclosing

import attrs

from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._existing import ExistingCopies
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyTimedOut,
)
from fsxcopy_sdk.bulk._queue import CopyAttempt, CopyTracker
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import BackupCopyFailed, BackupNotFound, FsxCopyError, WaitTimeout
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import NOTHING, WaitSchedule

_log = logging.getLogger("fsxcopy_sdk.bulk")


@attrs.frozen(kw_only=True)
class Settings:
    """How the copies are carried out, checked."""

    max_in_progress: int
    max_wait: float
    """Seconds."""
    schedule: WaitSchedule
    on_seen: Callable[[CopyInProgress], None] | None


class Follower:
    """Follow copies by their IDs, each until it ends or until its deadline."""

    def __init__(
        self,
        client: FsxCopyClient,
        settings: Settings,
        tracker: CopyTracker,
        existing: ExistingCopies,
    ) -> None:
        self._client = client
        self._clock = client.clock
        self._settings = settings
        self._tracker = tracker
        self._existing = existing

    async def follow(self, attempt: CopyAttempt, backup_id: str) -> CopyOutcome:
        """Return how a copy ends; only a lifecycle that was seen ends it, absence does not."""
        request = attempt.request
        deadline = self._clock.now() + self._settings.max_wait
        while True:
            outcome = await self._wait(attempt, backup_id, deadline)
            if not isinstance(outcome, FsxCopyError):
                return outcome
            listed = await self._listed(backup_id)
            if listed is not None:
                self.see(attempt, listed)
                if listed.lifecycle.is_terminal:
                    return outcome_of(request, listed)
            if deadline - self._clock.now() < NOTHING:
                if listed is not None:
                    return CopyTimedOut(request=request, error=outcome, backup=listed)
                return self.not_observed(attempt, self._absence(attempt, backup_id))

    async def _listed(self, backup_id: str) -> Backup | None:
        """Return a copy that DescribeBackups does not know by its ID, if a listing shows it."""
        before = self._existing.with_id(backup_id)
        try:
            await self._existing.refresh(queue.SHARED_FOR)
        except FsxCopyError as error:
            _log.warning("%s: cannot be searched for: %s", backup_id, error)
        listed = self._existing.with_id(backup_id)
        return None if listed is before else listed

    def _absence(self, attempt: CopyAttempt, backup_id: str) -> BackupNotFound:
        seen = self._tracker.copy_of(attempt).backup
        last = f"; it was last seen {seen.lifecycle}" if seen else ""
        return BackupNotFound(
            f"{backup_id} is unknown after {self._settings.max_wait:.0f} s{last}",
            operation="DescribeBackups",
        )

    async def _wait(
        self, attempt: CopyAttempt, backup_id: str, deadline: float
    ) -> CopyOutcome | BackupNotFound | WaitTimeout:
        """Wait by the ID of a copy; return the error if DescribeBackups does not know it."""
        request, settings = attempt.request, self._settings
        grace = max(settings.schedule.not_found_grace, queue.NOT_FOUND_FOR)
        observations = self._client.watch_backup(
            backup_id,
            max_wait=max(0.0, deadline - self._clock.now()),
            schedule=attrs.evolve(settings.schedule, not_found_grace=grace),
        )
        try:
            async with aclosing(observations):
                async for seen in observations:
                    self.see(attempt, seen)
            return Copied(request=request, backup=seen)
        except BackupCopyFailed as error:
            return CopyFailed(request=request, error=error, backup=error.last_backup)
        except (BackupNotFound, WaitTimeout) as error:
            if _saw_it_in_progress(error):
                backup = self._tracker.copy_of(attempt).backup
                return CopyTimedOut(request=request, error=error, backup=backup)
            return error
        except FsxCopyError as error:
            return self.not_observed(attempt, error)

    def see(self, attempt: CopyAttempt, backup: Backup) -> None:
        """Note what a copy is like now, and show it to the caller."""
        seen = self._tracker.seen(attempt, backup)
        if self._settings.on_seen is not None:
            self._settings.on_seen(seen)

    def not_observed(self, attempt: CopyAttempt, error: FsxCopyError) -> CopyNotObserved:
        """Return the outcome of a copy that was accepted, or may have been."""
        copy = self._tracker.copy_of(attempt)
        return CopyNotObserved(
            request=copy.request,
            client_request_token=copy.client_request_token,
            error=error,
            backup=copy.backup,
        )


def outcome_of(request: CopyRequest, backup: Backup) -> Copied | CopyFailed:
    """Return the outcome of a copy that has ended."""
    if backup.lifecycle.is_available:
        return Copied(request=request, backup=backup)
    error = BackupCopyFailed.of(backup, polls=1, elapsed=0.0)
    return CopyFailed(request=request, error=error, backup=backup)


def _saw_it_in_progress(error: BackupNotFound | WaitTimeout) -> bool:
    """Whether the wait that ended with *error* saw the copy until its deadline."""
    return (
        isinstance(error, WaitTimeout)
        and error.last_backup is not None
        and not isinstance(error.__cause__, BackupNotFound)
    )

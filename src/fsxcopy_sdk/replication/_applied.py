"""
Carry out a plan: copy, wait for what was on its way already, then prune.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

import anyio
import attrs

from fsxcopy_sdk._schedule import WaitSchedule
from fsxcopy_sdk.bulk import (
    BulkCopy,
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyOutcome,
    CopyRequest,
    CopyTimedOut,
    OutcomeStream,
)
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupType
from fsxcopy_sdk.errors import FsxCopyError, WaitTimeout
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._outcomes import PlanOutcome
from fsxcopy_sdk.replication._plan import KnownCopy, ReplicationPlan
from fsxcopy_sdk.replication._pruning import Pruning


@attrs.frozen(kw_only=True)
class Watching:
    """
    How copies are followed that were on their way before, checked.
    """

    destination: FsxCopyClient
    max_wait: float
    """Seconds."""
    schedule: WaitSchedule
    on_seen: Callable[[CopyInProgress], None] | None


class AppliedPlan(OutcomeStream[PlanOutcome]):
    """
    A plan that is carried out, as ``async with`` and, within, ``async for``; see `apply_plan`.
    """

    def __init__(
        self,
        plan: ReplicationPlan,
        copies: BulkCopy,
        watching: Watching,
        random: Callable[[], float],
        *,
        prune: bool,
    ) -> None:
        super().__init__()
        self._copies = copies
        self._watching = watching
        self._pruning = Pruning(plan, watching.destination, random, self._add) if prune else None
        self._found = [(one.request, _found(plan, one)) for one in plan.in_progress]
        self._watched = {
            backup.backup_id: CopyInProgress(
                request=request,
                client_request_token=request.token(plan.destination_region),
                started=watching.destination.clock.now(),
                backup=backup,
            )
            for request, backup in self._found
        }

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """
        The copies that the service has accepted, or may have, and that are not over.

        After the block these are left alone, and go on; another plan finds them.
        """
        return (*self._watched.values(), *self._copies.in_progress)

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """
        The requests of which surely no copy was accepted so far.
        """
        return self._copies.not_started

    def _begin(self) -> None:
        self._tasks.start_soon(self._run)

    async def _run(self) -> None:
        async with anyio.create_task_group() as copying:
            copying.start_soon(self._copy)
            for request, backup in self._found:
                copying.start_soon(self._follow, request, backup)
        if self._pruning is not None:
            await self._pruning.run()
        self._finish()

    async def _copy(self) -> None:
        async with self._copies:
            async for outcome in self._copies:
                self._add(outcome)

    async def _follow(self, request: CopyRequest, found: Backup) -> None:
        """
        Wait for a copy that somebody began before, by its id: it may not be of our request.
        """
        outcome = await self._watch(request, found)
        del self._watched[found.backup_id]
        self._copies.another_ended()
        self._add(outcome)

    async def _watch(self, request: CopyRequest, found: Backup) -> CopyOutcome:
        how, last = self._watching, found
        observations = how.destination.watch_backup(
            found.backup_id, max_wait=how.max_wait, schedule=how.schedule
        )
        try:
            async with aclosing(observations):
                async for last in observations:
                    self._see(last)
        except WaitTimeout as error:
            return CopyTimedOut(request=request, error=error, backup=last)
        except FsxCopyError as error:
            return CopyFailed(request=request, error=error, backup=last)
        return Copied(request=request, backup=last)

    def _see(self, backup: Backup) -> None:
        copy = attrs.evolve(self._watched[backup.backup_id], backup=backup)
        self._watched[backup.backup_id] = copy
        if self._watching.on_seen is not None:
            self._watching.on_seen(copy)


def _found(plan: ReplicationPlan, known: KnownCopy) -> Backup:
    """
    Return a copy as it was when *plan* was made.
    """
    copy = known.copy
    return Backup(
        backup_id=copy.backup_id,
        lifecycle=copy.lifecycle,
        type=BackupType.USER_INITIATED,  # which copies are
        creation_time=copy.creation_time,
        kms_key_id=copy.kms_key_id,
        progress_percent=copy.progress_percent,
        size_in_bytes=copy.size_in_bytes,
        source_backup_id=known.backup.backup_id,
        source_backup_region=plan.source_region,
    )

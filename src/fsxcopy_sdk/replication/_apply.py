"""
Carry out a plan: copy, follow what is in progress already, then prune.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from fsxcopy_sdk._validation import ArgumentErrors, Duration, check_type
from fsxcopy_sdk.bulk import (
    DEFAULT_MAX_IN_PROGRESS,
    BulkCopy,
    Copied,
    CopyInProgress,
    CopyRequest,
    OutcomeStream,
    copy_many,
)
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupType
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._outcomes import PlanOutcome
from fsxcopy_sdk.replication._plan import ExistingCopy, PlannedCopy, PruneObstacle, ReplicationPlan
from fsxcopy_sdk.replication._pruning import Pruning
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, WaitSchedule


def apply_plan(
    plan: ReplicationPlan,
    destination: FsxCopyClient,
    *,
    source: FsxCopyClient | None = None,
    prune: bool = False,
    prune_orphans: bool = False,
    prune_most: bool = False,
    max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
    max_wait: Duration = DEFAULT_MAX_WAIT,
    schedule: WaitSchedule = DEFAULT_SCHEDULE,
    on_seen: Callable[[CopyInProgress], None] | None = None,
) -> AppliedPlan:
    """
    Carry out *plan* in the Region of *destination*.

    Use it as ``async with apply_plan(...) as applied``, and within that as
    ``async for outcome in applied``: there is one outcome for each of the plan's
    `to_copy` and `in_progress`, and with *prune* for each copy that may be pruned. A
    failure stops nothing but its own part. The plan may be late: like `copy_many`, this
    lists the destination first, and requests no copy of a backup that has one. Leaving
    the block starts nothing more.

    Pruning begins when all copies have ended. Before each deletion the copies and
    originals of its file system or volume are read again in both Regions, and the copy is
    deleted only if the policy still does not keep it. Nothing of a source is deleted if
    one of its copies failed or was not seen to end in this run.

    Args:
        plan: What to do.

        destination: An open client of the plan's destination.

        source: An open client of the plan's source, for pruning; None for one that is
            opened with the destination's session, endpoint and config.

        prune: Whether to delete the plan's `to_prune`. If the service refuses because a
            copy is being copied, it is tried for some minutes.

        prune_orphans: Whether to delete also copies whose source shows no AVAILABLE
            backup: for file systems and volumes that were retired on purpose.

        prune_most: Whether one run may delete more than half of a source's copies.

        max_in_progress: Copies in progress at once, as for `copy_many`.

        max_wait: Seconds or a timedelta that each copy is waited for.

        schedule: The intervals at which each copy is polled.

        on_seen: Called when a copy was accepted or found, and at every poll of it. An
            exception from it ends the block, in an exception group.

    Raises:
        InvalidArguments: arguments break rules, or a client is of another Region;
            nothing was sent.
        ConfigurationError: *source* is needed and cannot be derived from *destination*,
            which wraps a client.
        ClientNotOpen: a client is not open.
    """
    check_type("plan", plan, ReplicationPlan)
    errors = ArgumentErrors()
    _check_region(errors, "destination", destination, plan.destination_region)
    if source is not None:
        _check_region(errors, "source", source, plan.source_region)
    switches = {"prune_orphans": prune_orphans, "prune_most": prune_most}
    for name in [name for name, given in switches.items() if given and not prune]:
        errors.add(name, "given with prune=True", "alone")
    errors.raise_any()
    copies = copy_many(
        destination,
        [one.request for one in plan.to_copy],
        adopt=_copies_in_progress(plan, destination.clock.now()),
        max_in_progress=max_in_progress,
        max_wait=max_wait,
        schedule=schedule,
        on_seen=on_seen,
    )
    if not prune:
        return AppliedPlan(plan, copies, None)
    allowed = {
        obstacle
        for obstacle, given in (
            (PruneObstacle.NO_ORIGINAL, prune_orphans),
            (PruneObstacle.MORE_THAN_HALF, prune_most),
        )
        if given
    }
    pruning = Pruning(plan, source, destination, frozenset(allowed), random.random)
    return AppliedPlan(plan, copies, pruning)


def _check_region(errors: ArgumentErrors, name: str, client: FsxCopyClient, region: str) -> None:
    if client.region != region:
        errors.add(name, f"a client of {region}", f"of {client.region}")


class AppliedPlan(OutcomeStream[PlanOutcome]):
    """
    A plan that is carried out, as ``async with`` and, within, ``async for``; see `apply_plan`.
    """

    def __init__(self, plan: ReplicationPlan, copies: BulkCopy, pruning: Pruning | None) -> None:
        super().__init__()
        self._copies = copies
        self._pruning = pruning
        planned: tuple[PlannedCopy | ExistingCopy, ...] = (*plan.to_copy, *plan.in_progress)
        self._source_ids = {one.request.source_backup_id: one.source_id for one in planned}

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """
        The copies that the service has accepted, or may have, and that have not ended.

        They continue after the block, and another plan finds them.
        """
        return self._copies.in_progress

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """
        The requests whose copies were certainly not accepted so far.
        """
        return self._copies.not_started

    def _begin(self) -> None:
        self._tasks.start_soon(self._run)

    async def _run(self) -> None:
        incomplete: set[str] = set()
        async with self._copies:
            async for outcome in self._copies:
                if not isinstance(outcome, Copied):
                    incomplete.add(self._source_ids[outcome.request.source_backup_id])
                self._add(outcome)
        if self._pruning is not None:
            await self._pruning.run(incomplete, self._add)
        self._finish()


def _copies_in_progress(plan: ReplicationPlan, now: float) -> Iterable[CopyInProgress]:
    """
    Yield the copies that were in progress when *plan* was made.
    """
    for known in plan.in_progress:
        yield CopyInProgress(
            request=known.request,
            client_request_token=known.request.token(plan.destination_region),
            started=now,
            backup=_backup_of(plan, known),
        )


def _backup_of(plan: ReplicationPlan, known: ExistingCopy) -> Backup:
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

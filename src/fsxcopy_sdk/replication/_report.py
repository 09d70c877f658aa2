"""The report of a plan after some of it was applied, without another listing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

import attrs

from fsxcopy_sdk.bulk import (
    BulkCopy,
    Copied,
    CopyBatch,
    CopyFailed,
    CopyNotObserved,
    CopyOutcome,
    CopyStarted,
    CopyTimedOut,
)
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.replication._plan import (
    BackupSummary,
    ExistingCopy,
    PlannedCopy,
    PlannedPrune,
    ReplicationPlan,
    ReplicationReport,
    SourceReport,
)


def report_after(
    plan: ReplicationPlan,
    copies: BulkCopy | CopyBatch,
    pruned: Iterable[PlannedPrune],
    now: datetime,
) -> ReplicationReport:
    """Return the report of *plan* at *now*, as *copies* and what was *pruned* have changed it."""
    outcomes = {one.request.source_backup_id: one for one in copies.outcomes}
    running = {copy.request.source_backup_id for copy in copies.in_progress if copy.backup}
    running.update(one for one, outcome in outcomes.items() if _is_running(outcome))
    planned: defaultdict[str, list[PlannedCopy | ExistingCopy]] = defaultdict(list)
    everything: tuple[PlannedCopy | ExistingCopy, ...] = (*plan.to_copy, *plan.in_progress)
    for one in everything:
        planned[one.source_id].append(one)
    freed: Counter[str] = Counter()
    for prune in pruned:
        freed[prune.source_id] += prune.copy.size_in_bytes or 0
    rows: list[SourceReport] = []
    for row in plan.report.sources:
        mine = planned[row.source_id]
        begun = sum(one.backup.backup_id in running for one in mine)
        known = sum(isinstance(one, ExistingCopy) for one in mine)
        newest_copy, recovery_point = row.newest_copy, row.recovery_point
        copied = [*_copied(mine, outcomes)]
        for moment, copy in copied:
            if recovery_point is None or moment > recovery_point:
                newest_copy, recovery_point = copy, moment
        age = max(0.0, (now - recovery_point).total_seconds()) if recovery_point else None
        rows.append(
            attrs.evolve(
                row,
                newest_copy=newest_copy,
                recovery_point=recovery_point,
                age=age,
                in_progress=row.in_progress + begun - known,
                is_late=age is None or age > plan.report.max_age,
                failed=_failed(row, mine, outcomes, recovery_point),
                copy_bytes=row.copy_bytes
                + sum(copy.size_in_bytes or 0 for _, copy in copied)
                - freed[row.source_id],
            )
        )
    return attrs.evolve(plan.report, made_at=now, sources=tuple(rows))


def _is_running(outcome: CopyOutcome) -> bool:
    """Whether a copy that the run no longer follows was in progress when it was last seen."""
    is_unseen = isinstance(outcome, CopyTimedOut | CopyNotObserved) and outcome.backup is not None
    return is_unseen or isinstance(outcome, CopyStarted)


def _copied(
    planned: Iterable[PlannedCopy | ExistingCopy], outcomes: dict[str, CopyOutcome]
) -> Iterable[tuple[datetime, BackupSummary]]:
    """Yield the copies that are AVAILABLE now, with the recovery point of each."""
    for one in planned:
        outcome = outcomes.get(one.backup.backup_id)
        if isinstance(outcome, Copied):
            copy = BackupSummary.of(outcome.backup)
            yield min(one.backup.creation_time, copy.creation_time), copy


def _failed(
    row: SourceReport,
    planned: Iterable[PlannedCopy | ExistingCopy],
    outcomes: dict[str, CopyOutcome],
    recovery_point: datetime | None,
) -> int:
    """Return how many copies have FAILED, before or now, that would be newer than the newest."""
    moments = [one.backup.creation_time for one in planned if _has_failed(one, outcomes)]
    before = row.failed
    if recovery_point != row.recovery_point:
        before = 0
        moments += [
            one.recovery_point
            for one in row.timeline or ()
            if one.source_backup_id and one.backup.lifecycle is BackupLifecycle.FAILED
        ]
    return before + sum(recovery_point is None or one > recovery_point for one in moments)


def _has_failed(planned: PlannedCopy | ExistingCopy, outcomes: dict[str, CopyOutcome]) -> bool:
    outcome = outcomes.get(planned.backup.backup_id)
    copy = outcome.backup if isinstance(outcome, CopyFailed) else None
    return copy is not None and copy.lifecycle is BackupLifecycle.FAILED

"""The report of a plan after some of it was applied, without another listing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import attrs

from fsxcopy_sdk.bulk import (
    BulkCopy,
    Copied,
    CopyBatch,
    CopyNotObserved,
    CopyOutcome,
    CopyStarted,
    CopyTimedOut,
)
from fsxcopy_sdk.replication._plan import (
    BackupSummary,
    ExistingCopy,
    PlannedCopy,
    ReplicationPlan,
    ReplicationReport,
    SourceReport,
)


def report_after(
    plan: ReplicationPlan, copies: BulkCopy | CopyBatch, now: datetime
) -> ReplicationReport:
    """Return the report of *plan* at *now*, as the outcomes of *copies* have changed it."""
    outcomes = {one.request.source_backup_id: one for one in copies.outcomes}
    running = {copy.request.source_backup_id for copy in copies.in_progress if copy.backup}
    running.update(one for one, outcome in outcomes.items() if _is_running(outcome))
    planned: defaultdict[str, list[PlannedCopy | ExistingCopy]] = defaultdict(list)
    everything: tuple[PlannedCopy | ExistingCopy, ...] = (*plan.to_copy, *plan.in_progress)
    for one in everything:
        planned[one.source_id].append(one)
    rows: list[SourceReport] = []
    for row in plan.report.sources:
        mine = planned[row.source_id]
        begun = sum(one.backup.backup_id in running for one in mine)
        known = sum(isinstance(one, ExistingCopy) for one in mine)
        newest_copy, recovery_point = row.newest_copy, row.recovery_point
        for moment, copy in _copied(mine, outcomes):
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
    """Yield the copies that are AVAILABLE now, and the time that each leads back to."""
    for one in planned:
        outcome = outcomes.get(one.backup.backup_id)
        if isinstance(outcome, Copied):
            copy = BackupSummary.of(outcome.backup)
            yield min(one.backup.creation_time, copy.creation_time), copy

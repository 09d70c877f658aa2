"""What a listing shows of the backups of a source and of their copies, over some months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import InventoryCopy
from fsxcopy_sdk.replication._plan import (
    BackupSummary,
    CannotCopy,
    Decision,
    ExistingCopy,
    KeptCopy,
    PlannedCopy,
    PlannedPrune,
    TimelineEntry,
)

TIMELINE_SPAN: Final = timedelta(days=90)
"""How long ago the recovery points of a timeline are at most."""

Decisions: TypeAlias = Mapping[str, tuple[Decision, str]]
"""What a plan decides over backups and copies, and why, by their IDs."""


def decisions(
    wanted: Iterable[PlannedCopy | ExistingCopy],
    beyond: Iterable[PlannedPrune],
    kept: Iterable[KeptCopy],
    cannot_copy: Iterable[CannotCopy],
) -> Decisions:
    """Return the decisions of a plan over each backup and copy that it has one for."""
    made: dict[str, tuple[Decision, str]] = {}
    for one in wanted:
        if isinstance(one, PlannedCopy):
            made[one.backup.backup_id] = (Decision.COPY, one.reason)
    for refused in cannot_copy:
        reason = ": ".join(filter(None, (refused.reason, refused.detail)))
        made[refused.backup.backup_id] = (Decision.CANNOT_COPY, reason)
    for copy in kept:
        made[copy.copy.backup_id] = (Decision.KEEP, copy.reason)
    for prune in beyond:
        decision = Decision.HOLD_BACK if prune.obstacles else Decision.PRUNE
        made[prune.copy.backup_id] = (decision, "; but ".join((prune.reason, *prune.obstacles)))
    return made


def timeline(
    backups: Iterable[Backup],
    copies: Iterable[InventoryCopy],
    made: Decisions,
    now: datetime,
) -> tuple[TimelineEntry, ...]:
    """Return the entries of one source, the oldest recovery point first."""
    start = now - TIMELINE_SPAN
    moments = [
        *((one, one.creation_time) for one in backups),
        *((one.backup, one.recovery_point) for one in copies),
    ]
    # What is in progress counts, though it may be a copy of a backup that is older.
    entries = (
        _entry(one, moment, made)
        for one, moment in moments
        if moment >= start or not one.lifecycle.is_terminal
    )
    return tuple(sorted(entries, key=_order))


def _order(one: TimelineEntry) -> tuple[datetime, bool, datetime, str]:
    is_copy = one.source_backup_id is not None
    return (one.recovery_point, is_copy, one.backup.creation_time, one.backup.backup_id)


def _entry(backup: Backup, recovery_point: datetime, made: Decisions) -> TimelineEntry:
    decision, reason = made.get(backup.backup_id, (None, None))
    details = backup.failure_details
    return TimelineEntry(
        backup=BackupSummary.of(backup),
        source_backup_id=backup.source_backup_id,
        recovery_point=recovery_point,
        decision=decision,
        reason=reason,
        failure=details.message if details else None,
    )

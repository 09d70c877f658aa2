"""
How far behind the destination is: the newest copy of every file system and volume.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import attrs

from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import Inventory, InventoryCopy
from fsxcopy_sdk.replication._policy import ReplicationPolicy
from fsxcopy_sdk.replication._sources import (
    Source,
    source_of,
)
from fsxcopy_sdk.replication._values import (
    BackupSummary,
    JsonValue,
    duration_text,
    time_text,
    to_plain,
)


@attrs.frozen(kw_only=True)
class SourceReport:
    """
    Where one file system or volume stands.
    """

    source_id: str
    """The volume's id; for a whole file system the file system's."""
    newest_backup: BackupSummary | None
    """The newest AVAILABLE backup in its own Region; None where there is none."""
    newest_copy: BackupSummary | None
    """The AVAILABLE copy that leads back to the latest time, whoever made it."""
    recovery_point: datetime | None
    """The time that it leads back to: its backup's, or its own where that is unknown."""
    age: float | None
    """Seconds since the recovery point: how much work would be lost now."""
    in_progress: int
    """How many copies are on their way."""
    is_late: bool
    """Whether there is no copy, or none that the policy thinks young enough."""

    def __str__(self) -> str:
        copy = "no copy"
        if self.newest_copy is not None and self.age is not None:
            copy = f"{self.newest_copy.backup_id}, {duration_text(self.age)} old"
        under_way = f", {self.in_progress} on the way" if self.in_progress else ""
        return f"{self.source_id}: {copy}{under_way}{', LATE' if self.is_late else ''}"


@attrs.frozen(kw_only=True)
class ReplicationReport:
    """
    Where everything in the scope of a policy stands.
    """

    policy_name: str
    source_region: str
    destination_region: str
    made_at: datetime
    """UTC."""
    max_age: float
    """Seconds that the policy thinks young enough."""
    sources: tuple[SourceReport, ...]
    """By their ids."""

    @property
    def late(self) -> tuple[SourceReport, ...]:
        """
        Those that are late.
        """
        return tuple(one for one in self.sources if one.is_late)

    def to_dict(self) -> dict[str, JsonValue]:
        """
        Return plain JSON-able data; times are in ISO 8601, durations in seconds.
        """
        return to_plain(self)

    def __str__(self) -> str:
        where = f"{self.policy_name}: {self.source_region} to {self.destination_region}"
        count = f"{len(self.late)} of {len(self.sources)} late"
        lines = [f"{where}, seen at {time_text(self.made_at)}: {count}"]
        return "\n".join([*lines, *(f"  {one}" for one in self.sources)])


def report_of(policy: ReplicationPolicy, situation: Inventory) -> ReplicationReport:
    """
    Return where everything in the scope of *policy* stands.
    """
    originals: defaultdict[str, list[Backup]] = defaultdict(list)
    sources: dict[str, Source] = {}
    for backup in situation.backups:
        source = source_of(backup)
        # A source of which there are only copies lives elsewhere.
        if source is None or not policy.covers(source) or backup.source_backup_id is not None:
            continue
        sources[source.source_id] = source
        originals[source.source_id].append(backup)
    copies: defaultdict[str, list[InventoryCopy]] = defaultdict(list)
    for copy in situation.copies:
        if copy.source is not None:
            copies[copy.source.source_id].append(copy)
        ours = copy.source_under(policy.name)
        if ours is not None and policy.covers(ours):
            # Its backups may all be gone; then its copies are what is left to worry about.
            sources[ours.source_id] = ours
    rows = [
        _row(policy, situation.now, source_id, originals[source_id], copies[source_id])
        for source_id in sorted({*sources, *_missing(policy, sources.values())})
    ]
    return ReplicationReport(
        policy_name=policy.name,
        source_region=situation.source_region,
        destination_region=situation.destination_region,
        made_at=situation.now,
        max_age=policy.max_age,
        sources=tuple(rows),
    )


def _missing(policy: ReplicationPolicy, sources: Iterable[Source]) -> set[str]:
    """
    Return the ids that *policy* names and that have no backups.
    """
    seen = {seen_id for one in sources for seen_id in (one.source_id, one.file_system_id)}
    return {*policy.file_system_ids, *policy.volume_ids} - seen


def _row(
    policy: ReplicationPolicy,
    now: datetime,
    source_id: str,
    originals: Iterable[Backup],
    copies: Iterable[InventoryCopy],
) -> SourceReport:
    backups = [one for one in originals if one.lifecycle.is_available]
    newest = max(backups, key=lambda one: (one.creation_time, one.backup_id), default=None)
    ready = [one for one in copies if one.backup.lifecycle.is_available]
    latest = max(ready, key=lambda one: one.order, default=None)
    # Clocks differ a little: nothing is made in the future.
    age = max(0.0, (now - latest.recovery_point).total_seconds()) if latest else None
    return SourceReport(
        source_id=source_id,
        newest_backup=BackupSummary.of(newest) if newest else None,
        newest_copy=BackupSummary.of(latest.backup) if latest else None,
        recovery_point=latest.recovery_point if latest else None,
        age=age,
        in_progress=sum(not one.backup.lifecycle.is_terminal for one in copies),
        is_late=age is None or age > policy.max_age,
    )

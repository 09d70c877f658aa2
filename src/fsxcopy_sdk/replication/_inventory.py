"""
What both Regions hold, read with one policy in mind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import attrs

from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._lineage import Lineage
from fsxcopy_sdk.replication._sources import Source, source_of


@attrs.frozen(kw_only=True)
class InventoryCopy:
    """
    A copy in the destination, and what is known of the backup that it was made of.
    """

    backup: Backup
    origin_id: str
    """The backup that it was made of."""
    source: Source | None
    """What that is a backup of; None where nothing says so."""
    recovery_point: datetime
    """When that backup was made; when the copy was begun, where nothing says so."""
    lineage: Lineage | None
    """What its tags say; None unless they are a policy's."""

    def source_under(self, policy_name: str) -> Source | None:
        """
        Return its source if it was made for the policy of that name, else None.

        Its tags must say so whole, and must not contradict what the service says, which
        must say where it is from.
        """
        lineage, source = self.lineage, self.source
        if lineage is None or source is None or self.backup.source_backup_region is None:
            return None
        claimed = (lineage.policy, lineage.source_id, lineage.backup_id)
        return source if claimed == (policy_name, source.source_id, self.origin_id) else None

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """
        By which copies are older and newer: recovery point, then their own beginning.
        """
        return (self.recovery_point, self.backup.creation_time, self.backup.backup_id)


@attrs.frozen(kw_only=True)
class Inventory:
    """
    What both Regions held when they were read.
    """

    source_region: str
    destination_region: str
    now: datetime
    """UTC."""
    backups: tuple[Backup, ...]
    """What passes the policy's filters in the source Region, copies of others too."""
    copies: tuple[InventoryCopy, ...]
    """What the destination holds of copies from the source Region, in any lifecycle."""

    def copies_by_origin(self) -> dict[str, list[InventoryCopy]]:
        """
        Return the copies by the id of the backup that they were made of.
        """
        by_origin: defaultdict[str, list[InventoryCopy]] = defaultdict(list)
        for copy in self.copies:
            by_origin[copy.origin_id].append(copy)
        return by_origin


def inventory_of(
    *,
    source_region: str,
    destination_region: str,
    now: datetime,
    source_backups: Iterable[Backup],
    destination_backups: Iterable[Backup],
) -> Inventory:
    """
    Return the situation that two listings show.
    """
    backups = _each_once(source_backups)
    held = _each_once(destination_backups)
    copies = []
    for backup in held.values():
        origin_id = backup.source_backup_id
        if origin_id is None:
            continue
        origin = backups.get(origin_id)
        # One that does not say where it is from is from here, unless its origin is there.
        unsaid = source_region if origin is not None else destination_region
        if (backup.source_backup_region or unsaid) == source_region:
            copies.append(_copy(backup, origin_id, origin))
    return Inventory(
        source_region=source_region,
        destination_region=destination_region,
        now=now,
        backups=tuple(backups.values()),
        copies=tuple(copies),
    )


def _each_once(backups: Iterable[Backup]) -> dict[str, Backup]:
    """
    Return each backup once, by its ID and in the order of the IDs.

    If backups come and go between two pages, one may be on both. Then the later lifecycle
    counts, so that the order of a listing decides nothing.
    """
    found: dict[str, Backup] = {}
    for backup in backups:
        other = found.setdefault(backup.backup_id, backup)
        if _progress(other) < _progress(backup):
            found[backup.backup_id] = backup
    return dict(sorted(found.items()))


def _progress(backup: Backup) -> tuple[bool, bool, int, str]:
    """
    Return how far in its life *backup* was when it was listed.
    """
    lifecycle = backup.lifecycle
    percent = backup.progress_percent or 0
    return (lifecycle.is_dead, lifecycle.is_available, percent, lifecycle.value)


def _copy(backup: Backup, origin_id: str, origin: Backup | None) -> InventoryCopy:
    """
    Return a copy with what the service says of its origin; its tags fill what is missing.

    Anyone who may tag could move a recovery point, so the service's own creation time
    counts if the origin is listed, and a tag cannot name a time after the copy began.
    """
    lineage = Lineage.of(backup)
    source = source_of(backup)
    recovery_point = backup.creation_time
    if lineage is not None:
        recovery_point = min(lineage.recovery_point, backup.creation_time)
    if origin is not None:
        source = source or source_of(origin)
        recovery_point = origin.creation_time
    if source is None and lineage is not None:
        source = Source.of_id(lineage.source_id)
    return InventoryCopy(
        backup=backup,
        origin_id=origin_id,
        source=source,
        recovery_point=recovery_point,
        lineage=lineage,
    )

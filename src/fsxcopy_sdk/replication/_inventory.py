"""
What both Regions hold, and what is known of each copy: its source, its policy, its time.

Four tags assign a copy to a policy. They depend on nothing but policy and backup, so that
the same backup gets the same tags in every process and at any time, and so the same
request. The time is that of the backup, which may be gone long before its copy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Self

import attrs

from fsxcopy_sdk.enums import ResourceType, VolumeStyle, VolumeType
from fsxcopy_sdk.models import Backup, Tag, Volume


@attrs.frozen(kw_only=True)
class Source:
    """What backups are made of: a file system, or a volume of one."""

    source_id: str
    """The volume's id; for a whole file system the file system's."""
    file_system_id: str | None = None
    """Itself, or of a volume the file system that it lies on, where that is known."""

    @classmethod
    def of_id(cls, source_id: str) -> Self:
        """Return what has that id."""
        is_volume = source_id.startswith("fsvol-")
        return cls(source_id=source_id, file_system_id=None if is_volume else source_id)


def source_of(backup: Backup) -> Source | None:
    """
    Return what *backup* was made of; None where the service does not say.

    A backup of a volume may tell of its file system too, and is no backup of that.
    """
    volume = backup.volume
    if volume is not None and volume.volume_id:
        return Source(source_id=volume.volume_id, file_system_id=volume.file_system_id)
    if volume is not None or backup.resource_type == ResourceType.VOLUME:
        return None
    if backup.file_system is not None and backup.file_system.file_system_id:
        return Source.of_id(backup.file_system.file_system_id)
    return None


def ontap_volume_id(backup: Backup) -> str | None:
    """Return the ONTAP volume that *backup* is of: its copies are limited by themselves."""
    volume = backup.volume
    return volume.volume_id if volume is not None and _is_ontap(volume) else None


def _is_ontap(volume: Volume) -> bool:
    return volume.volume_type == VolumeType.ONTAP or volume.ontap_configuration is not None


def is_of_flexgroup(backup: Backup) -> bool:
    """Whether *backup* is of a FlexGroup volume, which the service does not copy."""
    ontap = backup.volume.ontap_configuration if backup.volume is not None else None
    return ontap is not None and ontap.volume_style == VolumeStyle.FLEXGROUP


POLICY_TAG: Final = "fsxcopy:policy"
"""The name of the policy that the copy was made for."""

SOURCE_TAG: Final = "fsxcopy:source"
"""The id of the file system or volume that the copy's backup is of."""

BACKUP_TAG: Final = "fsxcopy:backup"
"""
The id of the copy's backup. Who copies a copy on, with its tags, makes one that is of
another backup than this says, and so is not the policy's.
"""

TIME_TAG: Final = "fsxcopy:source-time"
"""When the copy's backup was made, in ISO 8601."""

LINEAGE_TAGS: Final = (POLICY_TAG, SOURCE_TAG, BACKUP_TAG, TIME_TAG)

_SOME_TIME = datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Lineage:
    """What the tags of a copy say of it."""

    policy: str
    source_id: str
    backup_id: str
    recovery_point: datetime
    """When the backup was made, in UTC."""

    @classmethod
    def example(cls) -> Self:
        """Return one, to see what the rules of tags have against others."""
        return cls(
            policy="name",
            source_id="fs-00000000",
            backup_id="backup-00000000",
            recovery_point=_SOME_TIME,
        )

    @classmethod
    def of(cls, backup: Backup) -> Self | None:
        """Return the lineage of *backup*; None unless its tags tell all of it."""
        texts = {tag.key: tag.value for tag in backup.tags if tag.value is not None}
        if not all(key in texts for key in LINEAGE_TAGS):
            return None
        recovery_point = _read(texts[TIME_TAG])
        if recovery_point is None:
            return None
        return cls(
            policy=texts[POLICY_TAG],
            source_id=texts[SOURCE_TAG],
            backup_id=texts[BACKUP_TAG],
            recovery_point=recovery_point,
        )

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags that say this."""
        values = (self.policy, self.source_id, self.backup_id, self.recovery_point.isoformat())
        return tuple(
            Tag(key=key, value=value) for key, value in zip(LINEAGE_TAGS, values, strict=True)
        )


def _read(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        # This package writes no time without a zone.
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@attrs.frozen(kw_only=True)
class InventoryCopy:
    """A copy in the destination, and what is known of the backup that it was made of."""

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
        """By which copies are older and newer: recovery point, then their own beginning."""
        return (self.recovery_point, self.backup.creation_time, self.backup.backup_id)


@attrs.frozen(kw_only=True)
class Inventory:
    """What both Regions held when they were read."""

    source_region: str
    destination_region: str
    now: datetime
    """UTC."""
    backups: tuple[Backup, ...]
    """What passes the policy's filters in the source Region, copies of others too."""
    copies: tuple[InventoryCopy, ...]
    """What the destination holds of copies from the source Region, in any lifecycle."""

    def copies_by_origin(self) -> dict[str, list[InventoryCopy]]:
        """Return the copies by the id of the backup that they were made of."""
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
    """Return the inventory that two listings show."""
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
    """Return how far in its life *backup* was when it was listed."""
    lifecycle = backup.lifecycle
    percent = backup.progress_percent or 0
    return (lifecycle.is_dead, lifecycle.is_available, percent, lifecycle.value)


def _copy(backup: Backup, origin_id: str, origin: Backup | None) -> InventoryCopy:
    """
    Return a copy with what the service says of its origin; its tags fill what is missing.

    Anyone who may tag could move a recovery point, so the service's own creation time
    counts if the origin is listed. Neither can be after the copy itself began: one that is
    dated in the future would make all others look old.
    """
    lineage = Lineage.of(backup)
    source = source_of(backup)
    recovery_point = backup.creation_time
    if lineage is not None:
        recovery_point = min(lineage.recovery_point, backup.creation_time)
    if origin is not None:
        source = source or source_of(origin)
        recovery_point = min(origin.creation_time, backup.creation_time)
    if source is None and lineage is not None:
        source = Source.of_id(lineage.source_id)
    return InventoryCopy(
        backup=backup,
        origin_id=origin_id,
        source=source,
        recovery_point=recovery_point,
        lineage=lineage,
    )

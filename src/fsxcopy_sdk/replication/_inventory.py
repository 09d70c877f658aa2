"""
The backups of both Regions, and the source, the policy and the time of each copy.

Four tags assign a copy to a policy. They depend on nothing but policy and backup, so that
the same backup gets the same tags in every process and at any time, and so the same
request. The time is that of the backup, which may be gone long before its copy.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, Self, TypeVar

import attrs

from fsxcopy_sdk.enums import ResourceType, StorageType, VolumeStyle
from fsxcopy_sdk.models import Backup, Tag, UnreadableBackup

POLICY_TAG: Final = "fsxcopy:policy"
"""The name of the policy that the copy was made for."""

SOURCE_TAG: Final = "fsxcopy:source"
"""The ID of the file system or volume that the copy's backup is of."""

BACKUP_TAG: Final = "fsxcopy:backup"
"""
The ID of the copy's backup. A copy of a copy, made with its tags, is of another backup
than this says, and so does not belong to the policy.
"""

TIME_TAG: Final = "fsxcopy:source-time"
"""When the copy's backup was made, in ISO 8601."""

LINEAGE_TAGS: Final = (POLICY_TAG, SOURCE_TAG, BACKUP_TAG, TIME_TAG)

# arn:partition:service:region:account:resource
_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:([0-9]{12}):")

_Item = TypeVar("_Item")
_Key = TypeVar("_Key")


def grouped(items: Iterable[_Item], key: Callable[[_Item], _Key]) -> dict[_Key, list[_Item]]:
    """Return *items* by their *key*, each group in the given order."""
    groups: defaultdict[_Key, list[_Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


@attrs.frozen(kw_only=True)
class Source:
    """The source of backups: a file system, or a volume of one."""

    source_id: str
    """The volume's ID; for a whole file system the file system's."""
    file_system_id: str | None = None
    """The file system itself, or the one that the volume is on; None if unknown."""

    @classmethod
    def of_id(cls, source_id: str) -> Self:
        """Return the file system or volume with an ID."""
        is_volume = source_id.startswith("fsvol-")
        return cls(source_id=source_id, file_system_id=None if is_volume else source_id)


def source_of(backup: Backup) -> Source | None:
    """
    Return the source of *backup*; None where the service does not say.

    A backup of a volume may also name its file system, but is not a backup of it.
    """
    volume = backup.volume
    if volume is not None and volume.volume_id:
        return Source(source_id=volume.volume_id, file_system_id=volume.file_system_id)
    if volume is not None or backup.resource_type == ResourceType.VOLUME:
        return None
    if backup.file_system is not None and backup.file_system.file_system_id:
        return Source.of_id(backup.file_system.file_system_id)
    return None


def sources_of(
    *unreadable: UnreadableBackup, origins: Iterable[Backup] = ()
) -> frozenset[str | None]:
    """
    Return the source IDs of *unreadable* backups; with None if one may be of any source.

    A copy also has the source of its origin, if that is among *origins*.
    """
    if not unreadable:
        return frozenset()
    sources = {one.backup_id: source for one in origins if (source := source_of(one))}
    ids: set[str | None] = set()
    for one in unreadable:
        origin = sources.get(one.source_backup_id or "")
        known = {one.resource_id, origin.source_id if origin else None} - {None}
        ids |= known or {None}
    return frozenset(ids)


def owner_of(backup: Backup) -> str | None:
    """Return the account that the ARN of *backup* names; None where it has no such ARN."""
    found = _ARN.match(backup.resource_arn or "")
    return found[1] if found else None


def is_of_flexgroup(backup: Backup) -> bool:
    """Whether *backup* is of a FlexGroup volume, which the service does not copy."""
    ontap = backup.volume.ontap_configuration if backup.volume is not None else None
    return ontap is not None and ontap.volume_style == VolumeStyle.FLEXGROUP


def has_intelligent_tiering(backup: Backup) -> bool:
    """Whether *backup* is of Intelligent-Tiering storage, which the service does not copy."""
    file_system = backup.file_system
    return file_system is not None and file_system.storage_type == StorageType.INTELLIGENT_TIERING


@attrs.frozen(kw_only=True)
class Lineage:
    """What the tags of a copy say of it."""

    policy: str
    source_id: str
    backup_id: str
    recovery_point: datetime
    """When the backup was made, in UTC."""

    @classmethod
    def of(cls, backup: Backup) -> Self | None:
        """Return the lineage of *backup*; None unless its tags have all of it."""
        texts = {tag.key: tag.value for tag in backup.tags if tag.value is not None}
        if not all(key in texts for key in LINEAGE_TAGS):
            return None
        try:
            moment = datetime.fromisoformat(texts[TIME_TAG])
            recovery_point = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        # This package writes no time without a zone.
        if moment.tzinfo is None:
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


@attrs.frozen(kw_only=True)
class InventoryCopy:
    """A copy in the destination, and what is known about its source backup."""

    backup: Backup
    origin_id: str
    """The backup that it was made of."""
    source: Source | None
    """The source of that backup; None if unknown."""
    recovery_point: datetime
    """When that backup was made; if unknown, when the copy was started."""
    lineage: Lineage | None
    """The contents of its tags; None unless they are those of a policy."""

    def source_under(self, policy_name: str) -> Source | None:
        """
        Return its source if it was made for the policy of that name, else None.

        Its tags must all say so and must not contradict the service, which must name the
        source Region.
        """
        lineage, source = self.lineage, self.source
        if lineage is None or source is None or self.backup.source_backup_region is None:
            return None
        claimed = (lineage.policy, lineage.source_id, lineage.backup_id)
        return source if claimed == (policy_name, source.source_id, self.origin_id) else None

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """The sort key from old to new: recovery point, then the start of the copy."""
        return (self.recovery_point, self.backup.creation_time, self.backup.backup_id)


def _each_once(backups: Iterable[Backup]) -> tuple[Backup, ...]:
    """Return each backup once, in the order of the IDs."""
    # If backups come and go between two pages, one may be on both. Then the later lifecycle
    # counts, so that the order of a listing decides nothing.
    return tuple({one.backup_id: one for one in sorted(backups, key=_progress)}.values())


def _progress(backup: Backup) -> tuple[str, bool, bool, int, str]:
    """Return the ID, and how far in its life *backup* was when it was listed."""
    lifecycle, percent = backup.lifecycle, backup.progress_percent or 0
    is_dead, is_available = lifecycle.is_dead, lifecycle.is_available
    return (backup.backup_id, is_dead, is_available, percent, lifecycle.value)


def _copy(backup: Backup, origin_id: str, origin: Backup | None) -> InventoryCopy:
    """Return a copy with what the service says of its origin; its tags fill what is missing."""
    # Anyone who may tag could move a recovery point, so the service's own creation time counts if
    # the origin is listed. Neither can be after the copy itself began: one that is dated in the
    # future would make all others look old.
    lineage = Lineage.of(backup)
    source, made = source_of(backup), backup.creation_time
    if origin is not None:
        source, made = source or source_of(origin), origin.creation_time
    elif lineage is not None:
        made = lineage.recovery_point
    if source is None and lineage is not None:
        source = Source.of_id(lineage.source_id)
    return InventoryCopy(
        backup=backup,
        origin_id=origin_id,
        source=source,
        recovery_point=min(made, backup.creation_time),
        lineage=lineage,
    )


@attrs.frozen(kw_only=True)
class Inventory:
    """What both Regions held when they were read."""

    source_region: str
    destination_region: str
    now: datetime
    """UTC."""
    backups: tuple[Backup, ...] = attrs.field(converter=_each_once)
    """What passes the policy's filters in the source Region, copies of others too."""
    held: tuple[Backup, ...] = attrs.field(converter=_each_once)
    """What the destination holds."""
    unreadable_backups: tuple[UnreadableBackup, ...] = ()
    """What cannot be read of the source Region."""
    unreadable_held: tuple[UnreadableBackup, ...] = ()
    """What cannot be read of the destination."""
    copies: tuple[InventoryCopy, ...] = attrs.field(init=False)
    """What it holds of copies from the source Region, in any lifecycle."""

    @copies.default
    def _find_copies(self) -> tuple[InventoryCopy, ...]:
        backups = {one.backup_id: one for one in self.backups}
        copies = []
        for backup in self.held:
            origin_id = backup.source_backup_id
            if origin_id is None:
                continue
            origin = backups.get(origin_id)
            # Without a source Region it is from this one, unless its origin is listed there.
            unsaid = self.destination_region if origin is None else self.source_region
            if (backup.source_backup_region or unsaid) == self.source_region:
                copies.append(_copy(backup, origin_id, origin))
        return tuple(copies)

    @property
    def owner_id(self) -> str | None:
        """The account that the ARNs of all backups name; None if they name none or several."""
        owners = {*map(owner_of, (*self.backups, *self.held))} - {None}
        return owners.pop() if len(owners) == 1 else None

    def unreadable_copy_of(self, backup_id: str) -> UnreadableBackup | None:
        """Return a copy of that backup that cannot be read."""
        held = self.unreadable_held
        return next((one for one in held if one.source_backup_id == backup_id), None)

    @property
    def unreadable_sources(self) -> frozenset[str | None]:
        """The sources of unreadable backups, as `sources_of` returns them."""
        return sources_of(*self.unreadable_backups, *self.unreadable_held, origins=self.backups)

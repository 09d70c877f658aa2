"""Backups and copies for the tests of replication, made up of what matters there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fsxcopy_sdk import (
    Backup,
    BackupLifecycle,
    BackupType,
    FileSystem,
    OntapVolumeConfiguration,
    Tag,
    Volume,
    VolumeStyle,
    VolumeType,
)
from fsxcopy_sdk.replication import POLICY_TAG, ReplicationPlan, ReplicationPolicy
from fsxcopy_sdk.replication._inventory import Inventory, Lineage, source_of
from fsxcopy_sdk.replication._planning import decide

EAST = "us-east-2"
WEST = "us-west-2"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLICY = ReplicationPolicy(name="nightly")
DAY = 86400.0
PROTECTED = Tag(key="fsxcopy:protected", value="")
FS = "fs-0123456789abcdef0"
OTHER_FS = "fs-0123456789abcdef1"
VOLUME = "fsvol-0123456789abcdef0"


def backup_id(number: int) -> str:
    """Return the id of the backup of that number; copies have numbers from 1000 on."""
    return f"backup-{number:08x}"


def backup(
    number: int,
    *,
    days: float = 0.0,
    source: str | None = FS,
    lifecycle: str = "AVAILABLE",
    style: VolumeStyle | None = None,
    tags: Iterable[Tag] = (),
) -> Backup:
    """Return an original that was made *days* before `NOW`, of a file system or a volume."""
    volume = None
    if source is not None and source.startswith("fsvol-"):
        volume = Volume(
            volume_id=source,
            file_system_id=OTHER_FS,
            volume_type=VolumeType.ONTAP,
            ontap_configuration=OntapVolumeConfiguration(volume_style=style),
        )
    return Backup(
        backup_id=backup_id(number),
        lifecycle=BackupLifecycle(lifecycle),
        type=BackupType.AUTOMATIC,
        creation_time=NOW - timedelta(days=days),
        kms_key_id="east-key",
        tags=tuple(tags),
        file_system=FileSystem(file_system_id=source) if source and not volume else None,
        volume=volume,
    )


def copy_of(
    original: Backup,
    number: int,
    *,
    days: float | None = None,
    policy: str | None = "nightly",
    lifecycle: str = "AVAILABLE",
    region: str | None = EAST,
    key: str | None = "west-key",
    tags: Iterable[Tag] = (),
) -> Backup:
    """Return a copy of *original* that was begun *days* before `NOW`, else right after it."""
    source = source_of(original)
    lineage: tuple[Tag, ...] = ()
    if policy is not None and source is not None:
        lineage = Lineage(
            policy=policy,
            source_id=source.source_id,
            backup_id=original.backup_id,
            recovery_point=original.creation_time,
        ).tags
    begun = original.creation_time if days is None else NOW - timedelta(days=days)
    return Backup(
        backup_id=backup_id(number),
        lifecycle=BackupLifecycle(lifecycle),
        type=BackupType.USER_INITIATED,
        creation_time=begun,
        kms_key_id=key,
        tags=(*tags, *lineage),
        file_system=original.file_system,
        volume=original.volume,
        source_backup_id=original.backup_id,
        source_backup_region=region,
    )


def inventory(
    backups: Iterable[Backup], copies: Iterable[Backup] = (), *, destination: str = WEST
) -> Inventory:
    """Return what two listings show at `NOW`."""
    return Inventory(
        source_region=EAST,
        destination_region=destination,
        now=NOW,
        backups=backups,
        held=copies,
    )


def planned(
    policy: ReplicationPolicy,
    backups: Iterable[Backup],
    copies: Iterable[Backup] = (),
    *,
    destination: str = WEST,
) -> ReplicationPlan:
    """Return what *policy* wants done at `NOW`."""
    return decide(policy, inventory(backups, copies, destination=destination))


def copied_ids(plan: ReplicationPlan) -> list[str]:
    """Return the backups that are to be copied, in their order."""
    return [one.backup.backup_id for one in plan.to_copy]


def pruned_ids(plan: ReplicationPlan) -> list[str]:
    """Return the copies that the policy no longer keeps, in their order, held back or not."""
    beyond = sorted(
        (*plan.to_prune, *plan.held_back), key=lambda one: (one.recovery_point, one.copy.backup_id)
    )
    return [one.copy.backup_id for one in beyond]


def made_of(one: Backup) -> str:
    """Return what a made-up backup is of, read without the code that is tested."""
    volume = one.volume and one.volume.volume_id
    return volume or str(one.file_system and one.file_system.file_system_id)


def is_owned(one: Backup) -> bool:
    """Return whether a made-up copy has the tag of the policy `nightly`."""
    return Tag(key=POLICY_TAG, value="nightly") in one.tags

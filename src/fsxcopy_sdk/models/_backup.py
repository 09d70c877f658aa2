"""
Backups and what they hold: four classes that refer to each other, and `Backup`.

They share a module because an administrative action holds the file system,
volume or snapshot that it leads to, which holds actions of its own.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import (
    AdministrativeActionType,
    BackupLifecycle,
    BackupType,
    FileSystemLifecycle,
    FileSystemType,
    NetworkType,
    ResourceType,
    SnapshotLifecycle,
    Status,
    StorageType,
    VolumeLifecycle,
    VolumeType,
)
from fsxcopy_sdk.models._lustre import (
    LustreFileSystemConfiguration,
)
from fsxcopy_sdk.models._ontap import (
    OntapFileSystemConfiguration,
    OntapVolumeConfiguration,
)
from fsxcopy_sdk.models._openzfs import (
    OpenZFSFileSystemConfiguration,
    OpenZFSVolumeConfiguration,
)
from fsxcopy_sdk.models._shared import (
    ActiveDirectoryBackupAttributes,
    AdministrativeActionFailureDetails,
    BackupFailureDetails,
    FileSystemFailureDetails,
    LifecycleTransitionReason,
    Tag,
)
from fsxcopy_sdk.models._windows import (
    WindowsFileSystemConfiguration,
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdministrativeAction(Value):
    """
    A change of a file system, volume or snapshot that the service carries out.
    """

    administrative_action_type: AdministrativeActionType | None = None
    progress_percent: int | None = None
    """0 to 100."""
    request_time: datetime | None = None
    """UTC."""
    status: Status | None = None
    target_file_system_values: FileSystem | None = None
    """What the file system will be like; holds actions of its own, to any depth."""
    failure_details: AdministrativeActionFailureDetails | None = None
    target_volume_values: Volume | None = None
    """What the volume will be like; holds actions of its own, to any depth."""
    target_snapshot_values: Snapshot | None = None
    """What the snapshot will be like; holds actions of its own, to any depth."""
    total_transfer_bytes: int | None = None
    """Bytes to move in all."""
    remaining_transfer_bytes: int | None = None
    """Bytes still to move."""
    message: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Snapshot(Value):
    """
    A snapshot of an OpenZFS volume.
    """

    resource_arn: str | None = None
    snapshot_id: str | None = None
    name: str | None = None
    volume_id: str | None = None
    creation_time: datetime | None = None
    """UTC."""
    lifecycle: SnapshotLifecycle | None = None
    lifecycle_transition_reason: LifecycleTransitionReason | None = None
    tags: tuple[Tag, ...] = ()
    administrative_actions: tuple[AdministrativeAction, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Volume(Value):
    """
    An ONTAP or OpenZFS volume.
    """

    creation_time: datetime | None = None
    """UTC."""
    file_system_id: str | None = None
    lifecycle: VolumeLifecycle | None = None
    name: str | None = None
    ontap_configuration: OntapVolumeConfiguration | None = None
    resource_arn: str | None = None
    tags: tuple[Tag, ...] = ()
    volume_id: str | None = None
    volume_type: VolumeType | None = None
    lifecycle_transition_reason: LifecycleTransitionReason | None = None
    administrative_actions: tuple[AdministrativeAction, ...] = ()
    open_zfs_configuration: OpenZFSVolumeConfiguration | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FileSystem(Value):
    """
    A file system as it was when it was backed up, or as an action wants it to be.
    """

    owner_id: str | None = None
    creation_time: datetime | None = None
    """UTC."""
    file_system_id: str | None = None
    file_system_type: FileSystemType | None = None
    lifecycle: FileSystemLifecycle | None = None
    failure_details: FileSystemFailureDetails | None = None
    storage_capacity: int | None = None
    """GiB."""
    storage_type: StorageType | None = None
    vpc_id: str | None = None
    subnet_ids: tuple[str, ...] = ()
    network_interface_ids: tuple[str, ...] = ()
    dns_name: str | None = None
    """Name to mount the file system by."""
    kms_key_id: str | None = None
    resource_arn: str | None = None
    tags: tuple[Tag, ...] = ()
    windows_configuration: WindowsFileSystemConfiguration | None = None
    lustre_configuration: LustreFileSystemConfiguration | None = None
    administrative_actions: tuple[AdministrativeAction, ...] = ()
    ontap_configuration: OntapFileSystemConfiguration | None = None
    file_system_type_version: str | None = None
    """Version of Lustre, such as `2.15`."""
    open_zfs_configuration: OpenZFSFileSystemConfiguration | None = None
    network_type: NetworkType | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Backup(Value):
    """
    A backup of a file system or of a volume, made in place or by a copy.
    """

    backup_id: str
    """`backup-` and at least eight hexadecimal digits."""
    lifecycle: BackupLifecycle
    failure_details: BackupFailureDetails | None = None
    """Present when `lifecycle` is FAILED."""
    type: BackupType
    progress_percent: int | None = None
    """0 to 100; may be absent, stand still for long, or jump."""
    creation_time: datetime
    """UTC; of a copy, when the copy was begun."""
    kms_key_id: str | None = None
    """The key that the backup is encrypted with in its own Region."""
    resource_arn: str | None = None
    tags: tuple[Tag, ...] = ()
    file_system: FileSystem | None = None
    """Required in the service's model, yet absent from backups of volumes."""
    directory_information: ActiveDirectoryBackupAttributes | None = None
    owner_id: str | None = None
    """Account, twelve digits."""
    source_backup_id: str | None = None
    """The backup that this one was copied from; None for an original."""
    source_backup_region: str | None = None
    """The Region that `source_backup_id` lives in."""
    resource_type: ResourceType | None = None
    volume: Volume | None = None
    size_in_bytes: int | None = None
    """Bytes that the backup takes up in storage."""

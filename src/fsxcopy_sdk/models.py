"""
What the service answers, as frozen classes.

Names are the service's own in snake_case. Lists are tuples, empty when the
service sent none; any other member that may be absent is None then. Times are
aware and in UTC. All instances are hashable and compare by value.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from fsxcopy_sdk.enums import (
    AdministrativeActionType,
    AliasLifecycle,
    AutocommitPeriodType,
    AutoImportPolicyType,
    BackupLifecycle,
    BackupType,
    DataCompressionType,
    DataRepositoryLifecycle,
    DiskIopsConfigurationMode,
    DriveCacheType,
    FileSystemLifecycle,
    FileSystemMaintenanceOperation,
    FileSystemType,
    FlexCacheEndpointType,
    LustreAccessAuditLogLevel,
    LustreDeploymentType,
    LustreReadCacheSizingMode,
    MetadataConfigurationMode,
    NetworkType,
    OntapDeploymentType,
    OntapVolumeType,
    OpenZFSCopyStrategy,
    OpenZFSDataCompressionType,
    OpenZFSDeploymentType,
    OpenZFSQuotaType,
    OpenZFSReadCacheSizingMode,
    PrivilegedDelete,
    ResourceType,
    RetentionPeriodType,
    SecurityStyle,
    SnaplockType,
    SnapshotLifecycle,
    Status,
    StorageType,
    TieringPolicyName,
    VolumeLifecycle,
    VolumeStyle,
    VolumeType,
    WindowsAccessAuditLogLevel,
    WindowsDeploymentType,
)

__all__ = [
    "ActiveDirectoryBackupAttributes",
    "AdministrativeAction",
    "AdministrativeActionFailureDetails",
    "AggregateConfiguration",
    "Alias",
    "AutocommitPeriod",
    "Backup",
    "BackupFailureDetails",
    "CopyBackupResponse",
    "DataRepositoryConfiguration",
    "DataRepositoryFailureDetails",
    "DeleteBackupResponse",
    "DescribeBackupsResponse",
    "DiskIopsConfiguration",
    "FileSystem",
    "FileSystemEndpoint",
    "FileSystemEndpoints",
    "FileSystemFailureDetails",
    "FileSystemLustreMetadataConfiguration",
    "LifecycleTransitionReason",
    "LustreFileSystemConfiguration",
    "LustreLogConfiguration",
    "LustreReadCacheConfiguration",
    "LustreRootSquashConfiguration",
    "OntapFileSystemConfiguration",
    "OntapVolumeConfiguration",
    "OpenZFSClientConfiguration",
    "OpenZFSFileSystemConfiguration",
    "OpenZFSNfsExport",
    "OpenZFSOriginSnapshotConfiguration",
    "OpenZFSReadCacheConfiguration",
    "OpenZFSUserOrGroupQuota",
    "OpenZFSVolumeConfiguration",
    "ResponseMetadata",
    "RetentionPeriod",
    "SelfManagedActiveDirectoryAttributes",
    "SnaplockConfiguration",
    "SnaplockRetentionPeriod",
    "Snapshot",
    "Tag",
    "TieringPolicy",
    "UnreadableBackup",
    "Volume",
    "WindowsAuditLogConfiguration",
    "WindowsFileSystemConfiguration",
    "WindowsFsrmConfiguration",
]


@attrs.frozen(repr=False)
class _Model:
    """Show only the members that are present and no secrets, so that a repr stays readable."""

    def __repr__(self) -> str:
        fields: tuple[attrs.Attribute[object], ...] = attrs.fields(type(self))
        shown = (
            f"{field.name}={value!r}"
            for field in fields
            if field.repr and (value := getattr(self, field.name)) is not None and value != ()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


@attrs.frozen(kw_only=True, repr=False)
class ActiveDirectoryBackupAttributes(_Model):
    """The directory that a backed-up Windows file system had joined."""

    domain_name: str | None = None
    active_directory_id: str | None = None
    resource_arn: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class AdministrativeActionFailureDetails(_Model):
    """Why an administrative action failed."""

    message: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class BackupFailureDetails(_Model):
    """Why a backup or a copy failed."""

    message: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class DiskIopsConfiguration(_Model):
    """Provisioned SSD IOPS of a file system."""

    mode: DiskIopsConfigurationMode | None = None
    iops: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class FileSystemFailureDetails(_Model):
    """Why a file system failed."""

    message: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class LifecycleTransitionReason(_Model):
    """Why a volume or snapshot is in the state it is in."""

    message: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class Tag(_Model):
    """A key and a value attached to a resource."""

    key: str
    """1 to 128 characters, unique on its resource."""
    value: str | None = None
    """0 to 256 characters; None is a null, which the service allows (CopyBackup's API page)."""


@attrs.frozen(kw_only=True, repr=False)
class DataRepositoryFailureDetails(_Model):
    """Why the link to an S3 bucket failed."""

    message: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class DataRepositoryConfiguration(_Model):
    """The S3 bucket that a Lustre file system is linked to."""

    lifecycle: DataRepositoryLifecycle | None = None
    import_path: str | None = None
    """S3 URL."""
    export_path: str | None = None
    """S3 URL."""
    imported_file_chunk_size: int | None = None
    """MiB; how much of a file lies on one disk."""
    auto_import_policy: AutoImportPolicyType | None = None
    failure_details: DataRepositoryFailureDetails | None = None


@attrs.frozen(kw_only=True, repr=False)
class FileSystemLustreMetadataConfiguration(_Model):
    """Metadata performance of a Lustre file system."""

    iops: int | None = None
    mode: MetadataConfigurationMode


@attrs.frozen(kw_only=True, repr=False)
class LustreLogConfiguration(_Model):
    """What a Lustre file system logs of its data repositories, and where."""

    level: LustreAccessAuditLogLevel
    destination: str | None = None
    """ARN of a log group or delivery stream."""


@attrs.frozen(kw_only=True, repr=False)
class LustreReadCacheConfiguration(_Model):
    """SSD read cache of a Lustre file system with tiered storage."""

    sizing_mode: LustreReadCacheSizingMode | None = None
    size_gib: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class LustreRootSquashConfiguration(_Model):
    """How a Lustre file system maps the root user of its clients."""

    root_squash: str | None = None
    """`UID:GID` that root is mapped to."""
    no_squash_nids: tuple[str, ...] = ()
    """Lustre network ids of clients that stay root."""


@attrs.frozen(kw_only=True, repr=False)
class LustreFileSystemConfiguration(_Model):
    """What only FSx for Lustre has."""

    weekly_maintenance_start_time: str | None = None
    """`d:HH:MM` in UTC, Monday is 1."""
    data_repository_configuration: DataRepositoryConfiguration | None = None
    deployment_type: LustreDeploymentType | None = None
    per_unit_storage_throughput: int | None = None
    """MB per second for each TiB of storage."""
    mount_name: str | None = None
    daily_automatic_backup_start_time: str | None = None
    """`HH:MM` in UTC."""
    automatic_backup_retention_days: int | None = None
    """Days; 0 switches automatic backups off."""
    copy_tags_to_backups: bool | None = None
    drive_cache_type: DriveCacheType | None = None
    data_compression_type: DataCompressionType | None = None
    log_configuration: LustreLogConfiguration | None = None
    root_squash_configuration: LustreRootSquashConfiguration | None = None
    metadata_configuration: FileSystemLustreMetadataConfiguration | None = None
    efa_enabled: bool | None = None
    """Whether Elastic Fabric Adapter is supported."""
    throughput_capacity: int | None = None
    """MB per second."""
    data_read_cache_configuration: LustreReadCacheConfiguration | None = None


@attrs.frozen(kw_only=True, repr=False)
class FileSystemEndpoint(_Model):
    """One endpoint of an ONTAP file system."""

    dns_name: str | None = None
    ip_addresses: tuple[str, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class FileSystemEndpoints(_Model):
    """Where an ONTAP file system is managed and replicated."""

    intercluster: FileSystemEndpoint | None = None
    management: FileSystemEndpoint | None = None


@attrs.frozen(kw_only=True, repr=False)
class OntapFileSystemConfiguration(_Model):
    """What only FSx for NetApp ONTAP has."""

    automatic_backup_retention_days: int | None = None
    """Days; 0 switches automatic backups off."""
    daily_automatic_backup_start_time: str | None = None
    """`HH:MM` in UTC."""
    deployment_type: OntapDeploymentType | None = None
    endpoint_ip_address_range: str | None = None
    """CIDR."""
    endpoints: FileSystemEndpoints | None = None
    disk_iops_configuration: DiskIopsConfiguration | None = None
    preferred_subnet_id: str | None = None
    route_table_ids: tuple[str, ...] = ()
    throughput_capacity: int | None = None
    """MB per second."""
    weekly_maintenance_start_time: str | None = None
    """`d:HH:MM` in UTC, Monday is 1."""
    fsx_admin_password: str | None = attrs.field(default=None, repr=False)
    """A secret: never shown in a repr, but kept by `to_dict`."""
    ha_pairs: int | None = None
    """Number of pairs of file servers."""
    throughput_capacity_per_ha_pair: int | None = None
    """MB per second."""
    endpoint_ipv6_address_range: str | None = None
    """CIDR."""


@attrs.frozen(kw_only=True, repr=False)
class AggregateConfiguration(_Model):
    """The aggregates that an ONTAP volume lies on."""

    aggregates: tuple[str, ...] = ()
    total_constituents: int | None = None
    """Number of constituents of a FlexGroup."""


@attrs.frozen(kw_only=True, repr=False)
class AutocommitPeriod(_Model):
    """How long a file stays untouched before it becomes WORM."""

    type: AutocommitPeriodType
    value: int | None = None
    """In the unit of `type`."""


@attrs.frozen(kw_only=True, repr=False)
class RetentionPeriod(_Model):
    """A span of time in SnapLock's units."""

    type: RetentionPeriodType
    value: int | None = None
    """In the unit of `type`."""


@attrs.frozen(kw_only=True, repr=False)
class SnaplockRetentionPeriod(_Model):
    """How long WORM files are kept."""

    default_retention: RetentionPeriod
    minimum_retention: RetentionPeriod
    maximum_retention: RetentionPeriod


@attrs.frozen(kw_only=True, repr=False)
class SnaplockConfiguration(_Model):
    """WORM protection of an ONTAP volume."""

    audit_log_volume: bool | None = None
    autocommit_period: AutocommitPeriod | None = None
    privileged_delete: PrivilegedDelete | None = None
    retention_period: SnaplockRetentionPeriod | None = None
    snaplock_type: SnaplockType | None = None
    volume_append_mode_enabled: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class TieringPolicy(_Model):
    """Which data of an ONTAP volume moves to the capacity pool, and when."""

    cooling_period: int | None = None
    """Days."""
    name: TieringPolicyName | None = None


@attrs.frozen(kw_only=True, repr=False)
class OntapVolumeConfiguration(_Model):
    """What only ONTAP volumes have."""

    flex_cache_endpoint_type: FlexCacheEndpointType | None = None
    junction_path: str | None = None
    security_style: SecurityStyle | None = None
    size_in_megabytes: int | None = None
    """MiB; `size_in_bytes` is exact."""
    storage_efficiency_enabled: bool | None = None
    storage_virtual_machine_id: str | None = None
    storage_virtual_machine_root: bool | None = None
    tiering_policy: TieringPolicy | None = None
    uuid: str | None = None
    ontap_volume_type: OntapVolumeType | None = None
    snapshot_policy: str | None = None
    copy_tags_to_backups: bool | None = None
    snaplock_configuration: SnaplockConfiguration | None = None
    volume_style: VolumeStyle | None = None
    aggregate_configuration: AggregateConfiguration | None = None
    size_in_bytes: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class OpenZFSReadCacheConfiguration(_Model):
    """SSD read cache of an OpenZFS file system."""

    sizing_mode: OpenZFSReadCacheSizingMode | None = None
    size_gib: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class OpenZFSFileSystemConfiguration(_Model):
    """What only FSx for OpenZFS has."""

    automatic_backup_retention_days: int | None = None
    """Days; 0 switches automatic backups off."""
    copy_tags_to_backups: bool | None = None
    copy_tags_to_volumes: bool | None = None
    daily_automatic_backup_start_time: str | None = None
    """`HH:MM` in UTC."""
    deployment_type: OpenZFSDeploymentType | None = None
    throughput_capacity: int | None = None
    """MB per second."""
    weekly_maintenance_start_time: str | None = None
    """`d:HH:MM` in UTC, Monday is 1."""
    disk_iops_configuration: DiskIopsConfiguration | None = None
    root_volume_id: str | None = None
    preferred_subnet_id: str | None = None
    endpoint_ip_address_range: str | None = None
    """CIDR."""
    endpoint_ipv6_address_range: str | None = None
    """CIDR."""
    route_table_ids: tuple[str, ...] = ()
    endpoint_ip_address: str | None = None
    endpoint_ipv6_address: str | None = None
    read_cache_configuration: OpenZFSReadCacheConfiguration | None = None


@attrs.frozen(kw_only=True, repr=False)
class OpenZFSClientConfiguration(_Model):
    """What some NFS clients may do with an export."""

    clients: str
    """Address, CIDR or `*`."""
    options: tuple[str, ...]
    """NFS export options such as `rw` and `crossmnt`."""


@attrs.frozen(kw_only=True, repr=False)
class OpenZFSNfsExport(_Model):
    """An NFS export of an OpenZFS volume."""

    client_configurations: tuple[OpenZFSClientConfiguration, ...]


@attrs.frozen(kw_only=True, repr=False)
class OpenZFSOriginSnapshotConfiguration(_Model):
    """The snapshot that an OpenZFS volume was made from."""

    snapshot_arn: str | None = None
    copy_strategy: OpenZFSCopyStrategy | None = None


@attrs.frozen(kw_only=True, repr=False)
class OpenZFSUserOrGroupQuota(_Model):
    """How much one user or group may store in an OpenZFS volume."""

    type: OpenZFSQuotaType
    id: int
    """UID or GID."""
    storage_capacity_quota_gib: int


@attrs.frozen(kw_only=True, repr=False)
class OpenZFSVolumeConfiguration(_Model):
    """What only OpenZFS volumes have."""

    parent_volume_id: str | None = None
    volume_path: str | None = None
    storage_capacity_reservation_gib: int | None = None
    """GiB kept free for this volume; -1 for none."""
    storage_capacity_quota_gib: int | None = None
    """GiB at most; -1 for no limit."""
    record_size_kib: int | None = None
    data_compression_type: OpenZFSDataCompressionType | None = None
    copy_tags_to_snapshots: bool | None = None
    origin_snapshot: OpenZFSOriginSnapshotConfiguration | None = None
    read_only: bool | None = None
    nfs_exports: tuple[OpenZFSNfsExport, ...] = ()
    user_and_group_quotas: tuple[OpenZFSUserOrGroupQuota, ...] = ()
    restore_to_snapshot: str | None = None
    delete_intermediate_snaphots: bool | None = None
    """Spelled as the service spells it."""
    delete_cloned_volumes: bool | None = None
    delete_intermediate_data: bool | None = None
    source_snapshot_arn: str | None = None
    destination_snapshot: str | None = None
    copy_strategy: OpenZFSCopyStrategy | None = None


@attrs.frozen(kw_only=True, repr=False)
class Alias(_Model):
    """A DNS alias of a Windows file system."""

    name: str | None = None
    lifecycle: AliasLifecycle | None = None


@attrs.frozen(kw_only=True, repr=False)
class SelfManagedActiveDirectoryAttributes(_Model):
    """The customer's own directory that a Windows file system has joined."""

    domain_name: str | None = None
    organizational_unit_distinguished_name: str | None = None
    file_system_administrators_group: str | None = None
    user_name: str | None = None
    dns_ips: tuple[str, ...] = ()
    domain_join_service_account_secret: str | None = None
    """ARN of the secret, not the secret."""


@attrs.frozen(kw_only=True, repr=False)
class WindowsAuditLogConfiguration(_Model):
    """What a Windows file system logs of its users' access, and where."""

    file_access_audit_log_level: WindowsAccessAuditLogLevel
    file_share_access_audit_log_level: WindowsAccessAuditLogLevel
    audit_log_destination: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class WindowsFsrmConfiguration(_Model):
    """File Server Resource Manager of a Windows file system."""

    fsrm_service_enabled: bool
    event_log_destination: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class WindowsFileSystemConfiguration(_Model):
    """What only FSx for Windows File Server has."""

    active_directory_id: str | None = None
    self_managed_active_directory_configuration: SelfManagedActiveDirectoryAttributes | None = None
    deployment_type: WindowsDeploymentType | None = None
    remote_administration_endpoint: str | None = None
    preferred_subnet_id: str | None = None
    preferred_file_server_ip: str | None = None
    throughput_capacity: int | None = None
    """MB per second."""
    maintenance_operations_in_progress: tuple[FileSystemMaintenanceOperation, ...] = ()
    weekly_maintenance_start_time: str | None = None
    """`d:HH:MM` in UTC, Monday is 1."""
    daily_automatic_backup_start_time: str | None = None
    """`HH:MM` in UTC."""
    automatic_backup_retention_days: int | None = None
    """Days; 0 switches automatic backups off."""
    copy_tags_to_backups: bool | None = None
    aliases: tuple[Alias, ...] = ()
    audit_log_configuration: WindowsAuditLogConfiguration | None = None
    disk_iops_configuration: DiskIopsConfiguration | None = None
    preferred_file_server_ipv6: str | None = None
    fsrm_configuration: WindowsFsrmConfiguration | None = None


@attrs.frozen(kw_only=True, repr=False)
class AdministrativeAction(_Model):
    """A change of a file system, volume or snapshot that the service carries out."""

    administrative_action_type: AdministrativeActionType | None = None
    progress_percent: int | None = None
    """0 to 100."""
    request_time: datetime | None = None
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


@attrs.frozen(kw_only=True, repr=False)
class Snapshot(_Model):
    """A snapshot of an OpenZFS volume."""

    resource_arn: str | None = None
    snapshot_id: str | None = None
    name: str | None = None
    volume_id: str | None = None
    creation_time: datetime | None = None
    lifecycle: SnapshotLifecycle | None = None
    lifecycle_transition_reason: LifecycleTransitionReason | None = None
    tags: tuple[Tag, ...] = ()
    administrative_actions: tuple[AdministrativeAction, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class Volume(_Model):
    """An ONTAP or OpenZFS volume."""

    creation_time: datetime | None = None
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
    openzfs_configuration: OpenZFSVolumeConfiguration | None = None


@attrs.frozen(kw_only=True, repr=False)
class FileSystem(_Model):
    """A file system as it was when it was backed up, or as an action wants it to be."""

    owner_id: str | None = None
    creation_time: datetime | None = None
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
    openzfs_configuration: OpenZFSFileSystemConfiguration | None = None
    network_type: NetworkType | None = None


@attrs.frozen(kw_only=True, repr=False)
class Backup(_Model):
    """A backup of a file system or of a volume, made in place or by a copy."""

    backup_id: str
    """`backup-` and at least eight hexadecimal digits."""
    lifecycle: BackupLifecycle
    failure_details: BackupFailureDetails | None = None
    """Present when `lifecycle` is FAILED."""
    type: BackupType
    progress_percent: int | None = None
    """0 to 100; may be absent, stand still for long, or jump."""
    creation_time: datetime
    """UTC; of a copy, when the copy was started."""
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


@attrs.frozen(kw_only=True, repr=False)
class ResponseMetadata(_Model):
    """How one exchange with the service went; answers that differ in it alone are equal."""

    request_id: str | None = None
    """Names the exchange to AWS support."""
    http_status: int = 200
    attempts: int = 1
    """How often the request was sent, retries included."""
    date: datetime | None = None
    """When the answer was made, in UTC, by the clock of the service (HTTP's `Date`)."""


@attrs.frozen(kw_only=True, repr=False)
class CopyBackupResponse(_Model):
    """The response of `CopyBackup`: the copy that was started."""

    backup: Backup
    """Its `lifecycle` is usually COPYING."""
    metadata: ResponseMetadata = attrs.field(factory=ResponseMetadata, eq=False)


@attrs.frozen(kw_only=True, repr=False)
class UnreadableBackup(_Model):
    """What is known of a backup of a listing that cannot be read as a `Backup`."""

    backup_id: str | None = None
    """None if it is missing or not a text."""
    source_backup_id: str | None = None
    """The backup that it was copied from; None for an original, or where that cannot be read."""
    is_copy: bool | None = None
    """Whether it has a `source_backup_id`; None where that cannot be read."""
    resource_id: str | None = None
    """The volume or, for a whole file system, file system that it is of, where that is known."""
    error_paths: tuple[str, ...]
    """
    One text for each error, of twenty at most: its path in the page, such as
    `$.Backups[3].CreationTime`, and what is wrong there.
    """

    def __str__(self) -> str:
        return f"{self.backup_id or 'without an ID':.128}: {'; '.join(self.error_paths[:1])}"


@attrs.frozen(kw_only=True, repr=False)
class DescribeBackupsResponse(_Model):
    """What `DescribeBackups` answers: one page of backups."""

    backups: tuple[Backup, ...]
    next_token: str | None = None
    """Asks for the next page; None on the last one."""
    unreadable: tuple[UnreadableBackup, ...] = ()
    """The backups of the page that cannot be read; empty where they make the call fail."""
    metadata: ResponseMetadata = attrs.field(factory=ResponseMetadata, eq=False)


@attrs.frozen(kw_only=True, repr=False)
class DeleteBackupResponse(_Model):
    """What `DeleteBackup` answers."""

    backup_id: str
    lifecycle: BackupLifecycle
    metadata: ResponseMetadata = attrs.field(factory=ResponseMetadata, eq=False)


# attrs compiles an `__init__` with the names that were defined before its class. These three
# classes contain this one, so they come after it; `typing.get_type_hints` needs their names.
AdministrativeAction.__init__.__annotations__.update(
    target_file_system_values=FileSystem | None,
    target_volume_values=Volume | None,
    target_snapshot_values=Snapshot | None,
)

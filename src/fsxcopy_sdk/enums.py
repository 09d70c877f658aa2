"""
Open enums: the service's values under the service's names.

The service adds values to its enums without notice, so a value that is not
listed here is not an error. It becomes an instance of the same class that keeps
its text, equals it, pickles, and says `is_unknown`. Such an instance is made
anew each time: compare it with ``==``, known members also with ``is``.

Values are those of the FSx API 2018-03-01 as in botocore 1.44.8; a test
compares them with the botocore that is installed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = [
    "AdministrativeActionType",
    "AliasLifecycle",
    "AutoImportPolicyType",
    "AutocommitPeriodType",
    "BackupLifecycle",
    "BackupType",
    "DataCompressionType",
    "DataRepositoryLifecycle",
    "DiskIopsConfigurationMode",
    "DriveCacheType",
    "FileSystemLifecycle",
    "FileSystemMaintenanceOperation",
    "FileSystemType",
    "FilterName",
    "FlexCacheEndpointType",
    "LustreAccessAuditLogLevel",
    "LustreDeploymentType",
    "LustreReadCacheSizingMode",
    "MetadataConfigurationMode",
    "NetworkType",
    "OntapDeploymentType",
    "OntapVolumeType",
    "OpenEnum",
    "OpenZFSCopyStrategy",
    "OpenZFSDataCompressionType",
    "OpenZFSDeploymentType",
    "OpenZFSQuotaType",
    "OpenZFSReadCacheSizingMode",
    "PrivilegedDelete",
    "ResourceType",
    "RetentionPeriodType",
    "SecurityStyle",
    "ServiceLimit",
    "SnaplockType",
    "SnapshotLifecycle",
    "Status",
    "StorageType",
    "TieringPolicyName",
    "VolumeLifecycle",
    "VolumeStyle",
    "VolumeType",
    "WindowsAccessAuditLogLevel",
    "WindowsDeploymentType",
]


class OpenEnum(StrEnum):
    """Hold one of the service's values, known or not."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = value
        unknown._value_ = value
        return unknown

    @property
    def is_unknown(self) -> bool:
        """Whether the service sent a value that this version does not list."""
        return self._value_ not in type(self)._value2member_map_


class BackupLifecycle(OpenEnum):
    """State of a backup; only AVAILABLE means that it can be restored or copied."""

    AVAILABLE = "AVAILABLE"
    CREATING = "CREATING"
    TRANSFERRING = "TRANSFERRING"
    DELETED = "DELETED"
    FAILED = "FAILED"
    PENDING = "PENDING"
    COPYING = "COPYING"

    @property
    def is_available(self) -> bool:
        """Whether the backup can be restored and copied."""
        return self is BackupLifecycle.AVAILABLE

    @property
    def is_dead(self) -> bool:
        """Whether the backup is FAILED or DELETED, and will never be AVAILABLE."""
        return self in (BackupLifecycle.FAILED, BackupLifecycle.DELETED)

    @property
    def is_terminal(self) -> bool:
        """Whether the lifecycle is final; an unknown value may still change."""
        return self.is_available or self.is_dead


class BackupType(OpenEnum):
    """Who made a backup; copies are always USER_INITIATED and never expire."""

    AUTOMATIC = "AUTOMATIC"
    USER_INITIATED = "USER_INITIATED"
    AWS_BACKUP = "AWS_BACKUP"


class FilterName(OpenEnum):
    """What `DescribeBackups` can filter by."""

    FILE_SYSTEM_ID = "file-system-id"
    BACKUP_TYPE = "backup-type"
    FILE_SYSTEM_TYPE = "file-system-type"
    VOLUME_ID = "volume-id"
    DATA_REPOSITORY_TYPE = "data-repository-type"
    FILE_CACHE_ID = "file-cache-id"
    FILE_CACHE_TYPE = "file-cache-type"


class ResourceType(OpenEnum):
    """What a backup holds: a whole file system or one volume."""

    FILE_SYSTEM = "FILE_SYSTEM"
    VOLUME = "VOLUME"


class ServiceLimit(OpenEnum):
    """The limits that `ServiceLimitExceeded` can name."""

    FILE_SYSTEM_COUNT = "FILE_SYSTEM_COUNT"
    TOTAL_THROUGHPUT_CAPACITY = "TOTAL_THROUGHPUT_CAPACITY"
    TOTAL_STORAGE = "TOTAL_STORAGE"
    TOTAL_USER_INITIATED_BACKUPS = "TOTAL_USER_INITIATED_BACKUPS"
    TOTAL_USER_TAGS = "TOTAL_USER_TAGS"
    TOTAL_IN_PROGRESS_COPY_BACKUPS = "TOTAL_IN_PROGRESS_COPY_BACKUPS"
    STORAGE_VIRTUAL_MACHINES_PER_FILE_SYSTEM = "STORAGE_VIRTUAL_MACHINES_PER_FILE_SYSTEM"
    VOLUMES_PER_FILE_SYSTEM = "VOLUMES_PER_FILE_SYSTEM"
    TOTAL_SSD_IOPS = "TOTAL_SSD_IOPS"
    FILE_CACHE_COUNT = "FILE_CACHE_COUNT"


class AdministrativeActionType(OpenEnum):
    """What an administrative action does to its target."""

    FILE_SYSTEM_UPDATE = "FILE_SYSTEM_UPDATE"
    STORAGE_OPTIMIZATION = "STORAGE_OPTIMIZATION"
    FILE_SYSTEM_ALIAS_ASSOCIATION = "FILE_SYSTEM_ALIAS_ASSOCIATION"
    FILE_SYSTEM_ALIAS_DISASSOCIATION = "FILE_SYSTEM_ALIAS_DISASSOCIATION"
    VOLUME_UPDATE = "VOLUME_UPDATE"
    SNAPSHOT_UPDATE = "SNAPSHOT_UPDATE"
    RELEASE_NFS_V3_LOCKS = "RELEASE_NFS_V3_LOCKS"
    VOLUME_RESTORE = "VOLUME_RESTORE"
    THROUGHPUT_OPTIMIZATION = "THROUGHPUT_OPTIMIZATION"
    IOPS_OPTIMIZATION = "IOPS_OPTIMIZATION"
    STORAGE_TYPE_OPTIMIZATION = "STORAGE_TYPE_OPTIMIZATION"
    MISCONFIGURED_STATE_RECOVERY = "MISCONFIGURED_STATE_RECOVERY"
    VOLUME_UPDATE_WITH_SNAPSHOT = "VOLUME_UPDATE_WITH_SNAPSHOT"
    VOLUME_INITIALIZE_WITH_SNAPSHOT = "VOLUME_INITIALIZE_WITH_SNAPSHOT"
    DOWNLOAD_DATA_FROM_BACKUP = "DOWNLOAD_DATA_FROM_BACKUP"


class DiskIopsConfigurationMode(OpenEnum):
    """Whether SSD IOPS follow the storage capacity or were chosen."""

    AUTOMATIC = "AUTOMATIC"
    USER_PROVISIONED = "USER_PROVISIONED"


class FileSystemLifecycle(OpenEnum):
    """State of a file system."""

    AVAILABLE = "AVAILABLE"
    CREATING = "CREATING"
    FAILED = "FAILED"
    DELETING = "DELETING"
    MISCONFIGURED = "MISCONFIGURED"
    UPDATING = "UPDATING"
    MISCONFIGURED_UNAVAILABLE = "MISCONFIGURED_UNAVAILABLE"


class FileSystemType(OpenEnum):
    """The four kinds of FSx file system."""

    WINDOWS = "WINDOWS"
    LUSTRE = "LUSTRE"
    ONTAP = "ONTAP"
    OPENZFS = "OPENZFS"


class NetworkType(OpenEnum):
    """Address families a file system answers on."""

    IPV4 = "IPV4"
    DUAL = "DUAL"


class SnapshotLifecycle(OpenEnum):
    """State of an OpenZFS snapshot."""

    PENDING = "PENDING"
    CREATING = "CREATING"
    DELETING = "DELETING"
    AVAILABLE = "AVAILABLE"


class Status(OpenEnum):
    """State of an administrative action."""

    FAILED = "FAILED"
    IN_PROGRESS = "IN_PROGRESS"
    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    UPDATED_OPTIMIZING = "UPDATED_OPTIMIZING"
    OPTIMIZING = "OPTIMIZING"
    PAUSED = "PAUSED"
    CANCELLED = "CANCELLED"


class StorageType(OpenEnum):
    """Storage medium of a file system."""

    SSD = "SSD"
    HDD = "HDD"
    INTELLIGENT_TIERING = "INTELLIGENT_TIERING"


class VolumeLifecycle(OpenEnum):
    """State of a volume."""

    CREATING = "CREATING"
    CREATED = "CREATED"
    DELETING = "DELETING"
    FAILED = "FAILED"
    MISCONFIGURED = "MISCONFIGURED"
    PENDING = "PENDING"
    AVAILABLE = "AVAILABLE"


class VolumeType(OpenEnum):
    """The two kinds of file system that have volumes."""

    ONTAP = "ONTAP"
    OPENZFS = "OPENZFS"


class AutoImportPolicyType(OpenEnum):
    """Which changes in the linked S3 bucket a Lustre file system picks up."""

    NONE = "NONE"
    NEW = "NEW"
    NEW_CHANGED = "NEW_CHANGED"
    NEW_CHANGED_DELETED = "NEW_CHANGED_DELETED"


class DataCompressionType(OpenEnum):
    """Compression of a Lustre file system."""

    NONE = "NONE"
    LZ4 = "LZ4"


class DataRepositoryLifecycle(OpenEnum):
    """State of the link between a Lustre file system and its S3 bucket."""

    CREATING = "CREATING"
    AVAILABLE = "AVAILABLE"
    MISCONFIGURED = "MISCONFIGURED"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    FAILED = "FAILED"


class DriveCacheType(OpenEnum):
    """Read cache in front of HDD storage of a Lustre file system."""

    NONE = "NONE"
    READ = "READ"


class LustreAccessAuditLogLevel(OpenEnum):
    """Which data repository events of a Lustre file system are logged."""

    DISABLED = "DISABLED"
    WARN_ONLY = "WARN_ONLY"
    ERROR_ONLY = "ERROR_ONLY"
    WARN_ERROR = "WARN_ERROR"


class LustreDeploymentType(OpenEnum):
    """Generation and durability of a Lustre file system."""

    SCRATCH_1 = "SCRATCH_1"
    SCRATCH_2 = "SCRATCH_2"
    PERSISTENT_1 = "PERSISTENT_1"
    PERSISTENT_2 = "PERSISTENT_2"


class LustreReadCacheSizingMode(OpenEnum):
    """How the SSD read cache of a Lustre file system is sized."""

    NO_CACHE = "NO_CACHE"
    USER_PROVISIONED = "USER_PROVISIONED"
    PROPORTIONAL_TO_THROUGHPUT_CAPACITY = "PROPORTIONAL_TO_THROUGHPUT_CAPACITY"


class MetadataConfigurationMode(OpenEnum):
    """Whether metadata IOPS of a Lustre file system are scaled or chosen."""

    AUTOMATIC = "AUTOMATIC"
    USER_PROVISIONED = "USER_PROVISIONED"


class AutocommitPeriodType(OpenEnum):
    """Unit of the time after which an untouched SnapLock file becomes WORM."""

    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"
    NONE = "NONE"


class FlexCacheEndpointType(OpenEnum):
    """The part an ONTAP volume plays in a FlexCache relation."""

    NONE = "NONE"
    ORIGIN = "ORIGIN"
    CACHE = "CACHE"


class OntapDeploymentType(OpenEnum):
    """Availability and generation of an ONTAP file system."""

    MULTI_AZ_1 = "MULTI_AZ_1"
    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"
    MULTI_AZ_2 = "MULTI_AZ_2"
    MULTI_AZ_3 = "MULTI_AZ_3"
    SINGLE_AZ_3 = "SINGLE_AZ_3"


class OntapVolumeType(OpenEnum):
    """Read-write, data protection or load-sharing ONTAP volume."""

    RW = "RW"
    DP = "DP"
    LS = "LS"


class PrivilegedDelete(OpenEnum):
    """Whether SnapLock administrators may delete WORM files before their time."""

    DISABLED = "DISABLED"
    ENABLED = "ENABLED"
    PERMANENTLY_DISABLED = "PERMANENTLY_DISABLED"


class RetentionPeriodType(OpenEnum):
    """Unit of a SnapLock retention period."""

    SECONDS = "SECONDS"
    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"
    INFINITE = "INFINITE"
    UNSPECIFIED = "UNSPECIFIED"


class SecurityStyle(OpenEnum):
    """Permission model of an ONTAP volume."""

    UNIX = "UNIX"
    NTFS = "NTFS"
    MIXED = "MIXED"


class SnaplockType(OpenEnum):
    """How strictly SnapLock retention is enforced."""

    COMPLIANCE = "COMPLIANCE"
    ENTERPRISE = "ENTERPRISE"


class TieringPolicyName(OpenEnum):
    """Which data of an ONTAP volume moves to the capacity pool."""

    SNAPSHOT_ONLY = "SNAPSHOT_ONLY"
    AUTO = "AUTO"
    ALL = "ALL"
    NONE = "NONE"


class VolumeStyle(OpenEnum):
    """Whether an ONTAP volume lies on one aggregate or on several; FLEXGROUP cannot be copied."""

    FLEXVOL = "FLEXVOL"
    FLEXGROUP = "FLEXGROUP"


class OpenZFSCopyStrategy(OpenEnum):
    """How an OpenZFS volume is made from a snapshot."""

    CLONE = "CLONE"
    FULL_COPY = "FULL_COPY"
    INCREMENTAL_COPY = "INCREMENTAL_COPY"


class OpenZFSDataCompressionType(OpenEnum):
    """Compression of an OpenZFS volume."""

    NONE = "NONE"
    ZSTD = "ZSTD"
    LZ4 = "LZ4"


class OpenZFSDeploymentType(OpenEnum):
    """Availability and generation of an OpenZFS file system."""

    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"
    SINGLE_AZ_HA_1 = "SINGLE_AZ_HA_1"
    SINGLE_AZ_HA_2 = "SINGLE_AZ_HA_2"
    MULTI_AZ_1 = "MULTI_AZ_1"


class OpenZFSQuotaType(OpenEnum):
    """Whom an OpenZFS quota binds."""

    USER = "USER"
    GROUP = "GROUP"


class OpenZFSReadCacheSizingMode(OpenEnum):
    """How the SSD read cache of an OpenZFS file system is sized."""

    NO_CACHE = "NO_CACHE"
    USER_PROVISIONED = "USER_PROVISIONED"
    PROPORTIONAL_TO_THROUGHPUT_CAPACITY = "PROPORTIONAL_TO_THROUGHPUT_CAPACITY"


class AliasLifecycle(OpenEnum):
    """State of a DNS alias of a Windows file system."""

    AVAILABLE = "AVAILABLE"
    CREATING = "CREATING"
    DELETING = "DELETING"
    CREATE_FAILED = "CREATE_FAILED"
    DELETE_FAILED = "DELETE_FAILED"


class FileSystemMaintenanceOperation(OpenEnum):
    """Maintenance that is going on in a Windows file system."""

    PATCHING = "PATCHING"
    BACKING_UP = "BACKING_UP"


class WindowsAccessAuditLogLevel(OpenEnum):
    """Which access attempts a Windows file system logs."""

    DISABLED = "DISABLED"
    SUCCESS_ONLY = "SUCCESS_ONLY"
    FAILURE_ONLY = "FAILURE_ONLY"
    SUCCESS_AND_FAILURE = "SUCCESS_AND_FAILURE"


class WindowsDeploymentType(OpenEnum):
    """Availability and generation of a Windows file system."""

    MULTI_AZ_1 = "MULTI_AZ_1"
    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"

"""
What the service answers, as frozen classes.

Names are the service's own in snake_case. Lists are tuples, empty when the
service sent none; any other member that may be absent is None then. Times are
aware and in UTC. All instances are hashable and compare by value.
"""

from __future__ import annotations

from fsxcopy_sdk.models._backup import (
    AdministrativeAction,
    Backup,
    FileSystem,
    Snapshot,
    Volume,
)
from fsxcopy_sdk.models._filters import (
    BackupFilter,
)
from fsxcopy_sdk.models._lustre import (
    DataRepositoryConfiguration,
    DataRepositoryFailureDetails,
    FileSystemLustreMetadataConfiguration,
    LustreFileSystemConfiguration,
    LustreLogConfiguration,
    LustreReadCacheConfiguration,
    LustreRootSquashConfiguration,
)
from fsxcopy_sdk.models._ontap import (
    AggregateConfiguration,
    AutocommitPeriod,
    FileSystemEndpoint,
    FileSystemEndpoints,
    OntapFileSystemConfiguration,
    OntapVolumeConfiguration,
    RetentionPeriod,
    SnaplockConfiguration,
    SnaplockRetentionPeriod,
    TieringPolicy,
)
from fsxcopy_sdk.models._openzfs import (
    OpenZFSClientConfiguration,
    OpenZFSFileSystemConfiguration,
    OpenZFSNfsExport,
    OpenZFSOriginSnapshotConfiguration,
    OpenZFSReadCacheConfiguration,
    OpenZFSUserOrGroupQuota,
    OpenZFSVolumeConfiguration,
)
from fsxcopy_sdk.models._responses import (
    CopyBackupResponse,
    DeleteBackupResponse,
    DescribeBackupsResponse,
    ResponseMetadata,
)
from fsxcopy_sdk.models._shared import (
    ActiveDirectoryBackupAttributes,
    AdministrativeActionFailureDetails,
    BackupFailureDetails,
    DiskIopsConfiguration,
    FileSystemFailureDetails,
    LifecycleTransitionReason,
    Tag,
)
from fsxcopy_sdk.models._windows import (
    Alias,
    SelfManagedActiveDirectoryAttributes,
    WindowsAuditLogConfiguration,
    WindowsFileSystemConfiguration,
    WindowsFsrmConfiguration,
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
    "BackupFilter",
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
    "Volume",
    "WindowsAuditLogConfiguration",
    "WindowsFileSystemConfiguration",
    "WindowsFsrmConfiguration",
]

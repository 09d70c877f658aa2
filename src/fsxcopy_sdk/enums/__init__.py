"""
Open enums: the service's values under the service's names.

The service adds values to its enums without notice, so a value that is not
listed here is not an error. It becomes an instance of the same class that keeps
its text, equals it, pickles, and says `is_unknown`. Such an instance is made
anew each time: compare it with ``==``, known members also with ``is``.

Values are those of the FSx API 2018-03-01 as in botocore 1.43.117; a test
compares them with the botocore that is installed.
"""

from __future__ import annotations

from fsxcopy_sdk.enums._backup import (
    BackupLifecycle,
    BackupType,
    FilterName,
    ResourceType,
    ServiceLimit,
)
from fsxcopy_sdk.enums._file_system import (
    AdministrativeActionType,
    DiskIopsConfigurationMode,
    FileSystemLifecycle,
    FileSystemType,
    NetworkType,
    SnapshotLifecycle,
    Status,
    StorageType,
    VolumeLifecycle,
    VolumeType,
)
from fsxcopy_sdk.enums._lustre import (
    AutoImportPolicyType,
    DataCompressionType,
    DataRepositoryLifecycle,
    DriveCacheType,
    LustreAccessAuditLogLevel,
    LustreDeploymentType,
    LustreReadCacheSizingMode,
    MetadataConfigurationMode,
)
from fsxcopy_sdk.enums._ontap import (
    AutocommitPeriodType,
    FlexCacheEndpointType,
    OntapDeploymentType,
    OntapVolumeType,
    PrivilegedDelete,
    RetentionPeriodType,
    SecurityStyle,
    SnaplockType,
    TieringPolicyName,
    VolumeStyle,
)
from fsxcopy_sdk.enums._open_enum import OpenEnum
from fsxcopy_sdk.enums._openzfs import (
    OpenZFSCopyStrategy,
    OpenZFSDataCompressionType,
    OpenZFSDeploymentType,
    OpenZFSQuotaType,
    OpenZFSReadCacheSizingMode,
)
from fsxcopy_sdk.enums._windows import (
    AliasLifecycle,
    FileSystemMaintenanceOperation,
    WindowsAccessAuditLogLevel,
    WindowsDeploymentType,
)

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

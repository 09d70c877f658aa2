"""
Typed async SDK for Amazon FSx backup copies.

Everything a user needs is here: the client, the models, the enums and the errors.
Importing it costs next to nothing: attrs and the classes come with the first type,
cattrs and orjson with the first conversion, aiobotocore with the client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from fsxcopy_sdk._arguments import Duration, Tags
    from fsxcopy_sdk._clock import Clock
    from fsxcopy_sdk._convert import from_dict, to_dict
    from fsxcopy_sdk._schedule import WaitSchedule
    from fsxcopy_sdk.client import FsxCopyClient
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
        FilterName,
        FlexCacheEndpointType,
        LustreAccessAuditLogLevel,
        LustreDeploymentType,
        LustreReadCacheSizingMode,
        MetadataConfigurationMode,
        NetworkType,
        OntapDeploymentType,
        OntapVolumeType,
        OpenEnum,
        OpenZFSCopyStrategy,
        OpenZFSDataCompressionType,
        OpenZFSDeploymentType,
        OpenZFSQuotaType,
        OpenZFSReadCacheSizingMode,
        PrivilegedDelete,
        ResourceType,
        RetentionPeriodType,
        SecurityStyle,
        ServiceLimit,
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
    from fsxcopy_sdk.errors import (
        AccessDenied,
        BackupBeingCopied,
        BackupCopyFailed,
        BackupInProgress,
        BackupNotFound,
        BackupRestoring,
        BadRequest,
        CallError,
        ClientClosed,
        ConfigurationError,
        ConnectionFailed,
        CredentialsUnavailable,
        ExpiredCredentials,
        FileSystemNotFound,
        FsxCopyError,
        IncompatibleParameterError,
        IncompatibleRegionForMultiAZ,
        InternalServerError,
        InvalidArguments,
        InvalidCredentials,
        InvalidDestinationKmsKey,
        InvalidRegion,
        InvalidSourceKmsKey,
        NoAnswer,
        RepeatedNextToken,
        RequestTimeout,
        ResponseDecodingError,
        ServiceError,
        ServiceLimitExceeded,
        ServiceUnavailable,
        SourceBackupUnavailable,
        Throttled,
        UnsupportedOperation,
        VolumeNotFound,
        WaitError,
        WaitTimeout,
    )
    from fsxcopy_sdk.models import (
        ActiveDirectoryBackupAttributes,
        AdministrativeAction,
        AdministrativeActionFailureDetails,
        AggregateConfiguration,
        Alias,
        AutocommitPeriod,
        Backup,
        BackupFailureDetails,
        BackupFilter,
        CopyBackupResponse,
        DataRepositoryConfiguration,
        DataRepositoryFailureDetails,
        DeleteBackupResponse,
        DescribeBackupsResponse,
        DiskIopsConfiguration,
        FileSystem,
        FileSystemEndpoint,
        FileSystemEndpoints,
        FileSystemFailureDetails,
        FileSystemLustreMetadataConfiguration,
        LifecycleTransitionReason,
        LustreFileSystemConfiguration,
        LustreLogConfiguration,
        LustreReadCacheConfiguration,
        LustreRootSquashConfiguration,
        OntapFileSystemConfiguration,
        OntapVolumeConfiguration,
        OpenZFSClientConfiguration,
        OpenZFSFileSystemConfiguration,
        OpenZFSNfsExport,
        OpenZFSOriginSnapshotConfiguration,
        OpenZFSReadCacheConfiguration,
        OpenZFSUserOrGroupQuota,
        OpenZFSVolumeConfiguration,
        ResponseMetadata,
        RetentionPeriod,
        SelfManagedActiveDirectoryAttributes,
        SnaplockConfiguration,
        SnaplockRetentionPeriod,
        Snapshot,
        Tag,
        TieringPolicy,
        Volume,
        WindowsAuditLogConfiguration,
        WindowsFileSystemConfiguration,
        WindowsFsrmConfiguration,
    )
    from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT

    __version__: str

__all__ = [
    "AccessDenied",
    "ActiveDirectoryBackupAttributes",
    "AdministrativeAction",
    "AdministrativeActionFailureDetails",
    "AdministrativeActionType",
    "AggregateConfiguration",
    "Alias",
    "AliasLifecycle",
    "AutoImportPolicyType",
    "AutocommitPeriod",
    "AutocommitPeriodType",
    "Backup",
    "BackupBeingCopied",
    "BackupCopyFailed",
    "BackupFailureDetails",
    "BackupFilter",
    "BackupInProgress",
    "BackupLifecycle",
    "BackupNotFound",
    "BackupRestoring",
    "BackupType",
    "BadRequest",
    "CallError",
    "ClientClosed",
    "Clock",
    "ConfigurationError",
    "ConnectionFailed",
    "CopyBackupResponse",
    "CredentialsUnavailable",
    "DEFAULT_MAX_WAIT",
    "DataCompressionType",
    "DataRepositoryConfiguration",
    "DataRepositoryFailureDetails",
    "DataRepositoryLifecycle",
    "DeleteBackupResponse",
    "DescribeBackupsResponse",
    "DiskIopsConfiguration",
    "DiskIopsConfigurationMode",
    "DriveCacheType",
    "Duration",
    "ExpiredCredentials",
    "FileSystem",
    "FileSystemEndpoint",
    "FileSystemEndpoints",
    "FileSystemFailureDetails",
    "FileSystemLifecycle",
    "FileSystemLustreMetadataConfiguration",
    "FileSystemMaintenanceOperation",
    "FileSystemNotFound",
    "FileSystemType",
    "FilterName",
    "FlexCacheEndpointType",
    "FsxCopyClient",
    "FsxCopyError",
    "IncompatibleParameterError",
    "IncompatibleRegionForMultiAZ",
    "InternalServerError",
    "InvalidArguments",
    "InvalidCredentials",
    "InvalidDestinationKmsKey",
    "InvalidRegion",
    "InvalidSourceKmsKey",
    "LifecycleTransitionReason",
    "LustreAccessAuditLogLevel",
    "LustreDeploymentType",
    "LustreFileSystemConfiguration",
    "LustreLogConfiguration",
    "LustreReadCacheConfiguration",
    "LustreReadCacheSizingMode",
    "LustreRootSquashConfiguration",
    "MetadataConfigurationMode",
    "NetworkType",
    "NoAnswer",
    "OntapDeploymentType",
    "OntapFileSystemConfiguration",
    "OntapVolumeConfiguration",
    "OntapVolumeType",
    "OpenEnum",
    "OpenZFSClientConfiguration",
    "OpenZFSCopyStrategy",
    "OpenZFSDataCompressionType",
    "OpenZFSDeploymentType",
    "OpenZFSFileSystemConfiguration",
    "OpenZFSNfsExport",
    "OpenZFSOriginSnapshotConfiguration",
    "OpenZFSQuotaType",
    "OpenZFSReadCacheConfiguration",
    "OpenZFSReadCacheSizingMode",
    "OpenZFSUserOrGroupQuota",
    "OpenZFSVolumeConfiguration",
    "PrivilegedDelete",
    "RepeatedNextToken",
    "RequestTimeout",
    "ResourceType",
    "ResponseDecodingError",
    "ResponseMetadata",
    "RetentionPeriod",
    "RetentionPeriodType",
    "SecurityStyle",
    "SelfManagedActiveDirectoryAttributes",
    "ServiceError",
    "ServiceLimit",
    "ServiceLimitExceeded",
    "ServiceUnavailable",
    "SnaplockConfiguration",
    "SnaplockRetentionPeriod",
    "SnaplockType",
    "Snapshot",
    "SnapshotLifecycle",
    "SourceBackupUnavailable",
    "Status",
    "StorageType",
    "Tag",
    "Tags",
    "Throttled",
    "TieringPolicy",
    "TieringPolicyName",
    "UnsupportedOperation",
    "Volume",
    "VolumeLifecycle",
    "VolumeNotFound",
    "VolumeStyle",
    "VolumeType",
    "WaitError",
    "WaitSchedule",
    "WaitTimeout",
    "WindowsAccessAuditLogLevel",
    "WindowsAuditLogConfiguration",
    "WindowsDeploymentType",
    "WindowsFileSystemConfiguration",
    "WindowsFsrmConfiguration",
    "__version__",
    "from_dict",
    "to_dict",
]

# Where the names live that are no types.
_LAZY = {
    "Clock": "fsxcopy_sdk._clock",
    "DEFAULT_MAX_WAIT": "fsxcopy_sdk.waiting",
    "Duration": "fsxcopy_sdk._arguments",
    "FsxCopyClient": "fsxcopy_sdk.client",
    "Tags": "fsxcopy_sdk._arguments",
    "WaitSchedule": "fsxcopy_sdk._schedule",
    "from_dict": "fsxcopy_sdk._convert",
    "to_dict": "fsxcopy_sdk._convert",
}
_TYPES = ("enums", "errors", "models")


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds

        return version("fsxcopy-sdk")
    if name in _TYPES:
        return import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fsxcopy_sdk._collector import settling  # noqa: PLC0415 - the first of what is lazy

    with settling():
        value: object = getattr(_home(name), name)
    globals()[name] = value
    return value


def _home(name: str) -> ModuleType:
    """
    Return the module that an exported name comes from, loading no more than it takes.
    """
    if name in _LAZY:
        return import_module(_LAZY[name])
    modules = (import_module(f"{__name__}.{types}") for types in _TYPES)
    return next(module for module in modules if hasattr(module, name))


def __dir__() -> list[str]:
    return sorted(__all__)

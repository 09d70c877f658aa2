"""
FSx for Lustre.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import (
    AutoImportPolicyType,
    DataCompressionType,
    DataRepositoryLifecycle,
    DriveCacheType,
    LustreAccessAuditLogLevel,
    LustreDeploymentType,
    LustreReadCacheSizingMode,
    MetadataConfigurationMode,
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DataRepositoryFailureDetails(Value):
    """
    Why the link to an S3 bucket failed.
    """

    message: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DataRepositoryConfiguration(Value):
    """
    The S3 bucket that a Lustre file system is linked to.
    """

    lifecycle: DataRepositoryLifecycle | None = None
    import_path: str | None = None
    """S3 URL."""
    export_path: str | None = None
    """S3 URL."""
    imported_file_chunk_size: int | None = None
    """MiB; how much of a file lies on one disk."""
    auto_import_policy: AutoImportPolicyType | None = None
    failure_details: DataRepositoryFailureDetails | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FileSystemLustreMetadataConfiguration(Value):
    """
    Metadata performance of a Lustre file system.
    """

    iops: int | None = None
    """Operations per second."""
    mode: MetadataConfigurationMode


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LustreLogConfiguration(Value):
    """
    What a Lustre file system logs of its data repositories, and where.
    """

    level: LustreAccessAuditLogLevel
    destination: str | None = None
    """ARN of a log group or delivery stream."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LustreReadCacheConfiguration(Value):
    """
    SSD read cache of a Lustre file system with tiered storage.
    """

    sizing_mode: LustreReadCacheSizingMode | None = None
    size_gi_b: int | None = None
    """GiB."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LustreRootSquashConfiguration(Value):
    """
    Whom a Lustre file system takes root for.
    """

    root_squash: str | None = None
    """`UID:GID` that root is mapped to."""
    no_squash_nids: tuple[str, ...] = ()
    """Lustre network ids of clients that stay root."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LustreFileSystemConfiguration(Value):
    """
    What only FSx for Lustre has.
    """

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

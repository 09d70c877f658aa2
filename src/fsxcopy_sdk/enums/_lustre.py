"""
Values of FSx for Lustre.
"""

from __future__ import annotations

from fsxcopy_sdk.enums._open_enum import OpenEnum


class AutoImportPolicyType(OpenEnum):
    """
    Which changes in the linked S3 bucket a Lustre file system picks up.
    """

    NONE = "NONE"
    NEW = "NEW"
    NEW_CHANGED = "NEW_CHANGED"
    NEW_CHANGED_DELETED = "NEW_CHANGED_DELETED"


class DataCompressionType(OpenEnum):
    """
    Compression of a Lustre file system.
    """

    NONE = "NONE"
    LZ4 = "LZ4"


class DataRepositoryLifecycle(OpenEnum):
    """
    Where the link between a Lustre file system and its S3 bucket stands.
    """

    CREATING = "CREATING"
    AVAILABLE = "AVAILABLE"
    MISCONFIGURED = "MISCONFIGURED"
    UPDATING = "UPDATING"
    DELETING = "DELETING"
    FAILED = "FAILED"


class DriveCacheType(OpenEnum):
    """
    Read cache in front of HDD storage of a Lustre file system.
    """

    NONE = "NONE"
    READ = "READ"


class LustreAccessAuditLogLevel(OpenEnum):
    """
    Which data repository events of a Lustre file system are logged.
    """

    DISABLED = "DISABLED"
    WARN_ONLY = "WARN_ONLY"
    ERROR_ONLY = "ERROR_ONLY"
    WARN_ERROR = "WARN_ERROR"


class LustreDeploymentType(OpenEnum):
    """
    Generation and durability of a Lustre file system.
    """

    SCRATCH_1 = "SCRATCH_1"
    SCRATCH_2 = "SCRATCH_2"
    PERSISTENT_1 = "PERSISTENT_1"
    PERSISTENT_2 = "PERSISTENT_2"


class LustreReadCacheSizingMode(OpenEnum):
    """
    How the SSD read cache of a Lustre file system is sized.
    """

    NO_CACHE = "NO_CACHE"
    USER_PROVISIONED = "USER_PROVISIONED"
    PROPORTIONAL_TO_THROUGHPUT_CAPACITY = "PROPORTIONAL_TO_THROUGHPUT_CAPACITY"


class MetadataConfigurationMode(OpenEnum):
    """
    Whether metadata IOPS of a Lustre file system are scaled or chosen.
    """

    AUTOMATIC = "AUTOMATIC"
    USER_PROVISIONED = "USER_PROVISIONED"

"""
Values of backups, of the limits on them and of the filters that find them.
"""

from __future__ import annotations

from fsxcopy_sdk.enums._open_enum import OpenEnum


class BackupLifecycle(OpenEnum):
    """
    Where a backup stands; only AVAILABLE means that it can be restored or copied.
    """

    AVAILABLE = "AVAILABLE"
    CREATING = "CREATING"
    TRANSFERRING = "TRANSFERRING"
    DELETED = "DELETED"
    FAILED = "FAILED"
    PENDING = "PENDING"
    COPYING = "COPYING"


class BackupType(OpenEnum):
    """
    Who made a backup; copies are always USER_INITIATED and never expire.
    """

    AUTOMATIC = "AUTOMATIC"
    USER_INITIATED = "USER_INITIATED"
    AWS_BACKUP = "AWS_BACKUP"


class FilterName(OpenEnum):
    """
    What `DescribeBackups` can filter by.
    """

    FILE_SYSTEM_ID = "file-system-id"
    BACKUP_TYPE = "backup-type"
    FILE_SYSTEM_TYPE = "file-system-type"
    VOLUME_ID = "volume-id"
    DATA_REPOSITORY_TYPE = "data-repository-type"
    FILE_CACHE_ID = "file-cache-id"
    FILE_CACHE_TYPE = "file-cache-type"


class ResourceType(OpenEnum):
    """
    What a backup holds: a whole file system or one volume.
    """

    FILE_SYSTEM = "FILE_SYSTEM"
    VOLUME = "VOLUME"


class ServiceLimit(OpenEnum):
    """
    The limits that `ServiceLimitExceeded` can name.
    """

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

"""
Values of FSx for Windows File Server.
"""

from __future__ import annotations

from fsxcopy_sdk.enums._open_enum import OpenEnum


class AliasLifecycle(OpenEnum):
    """
    Where a DNS alias of a Windows file system stands.
    """

    AVAILABLE = "AVAILABLE"
    CREATING = "CREATING"
    DELETING = "DELETING"
    CREATE_FAILED = "CREATE_FAILED"
    DELETE_FAILED = "DELETE_FAILED"


class FileSystemMaintenanceOperation(OpenEnum):
    """
    Maintenance that is going on in a Windows file system.
    """

    PATCHING = "PATCHING"
    BACKING_UP = "BACKING_UP"


class WindowsAccessAuditLogLevel(OpenEnum):
    """
    Which access attempts a Windows file system logs.
    """

    DISABLED = "DISABLED"
    SUCCESS_ONLY = "SUCCESS_ONLY"
    FAILURE_ONLY = "FAILURE_ONLY"
    SUCCESS_AND_FAILURE = "SUCCESS_AND_FAILURE"


class WindowsDeploymentType(OpenEnum):
    """
    Availability and generation of a Windows file system.
    """

    MULTI_AZ_1 = "MULTI_AZ_1"
    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"

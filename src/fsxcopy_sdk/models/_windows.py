"""
FSx for Windows File Server.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import (
    AliasLifecycle,
    FileSystemMaintenanceOperation,
    WindowsAccessAuditLogLevel,
    WindowsDeploymentType,
)
from fsxcopy_sdk.models._shared import (
    DiskIopsConfiguration,
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Alias(Value):
    """
    A DNS alias of a Windows file system.
    """

    name: str | None = None
    lifecycle: AliasLifecycle | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SelfManagedActiveDirectoryAttributes(Value):
    """
    The customer's own directory that a Windows file system has joined.
    """

    domain_name: str | None = None
    organizational_unit_distinguished_name: str | None = None
    file_system_administrators_group: str | None = None
    user_name: str | None = None
    dns_ips: tuple[str, ...] = ()
    domain_join_service_account_secret: str | None = None
    """ARN of the secret, not the secret."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WindowsAuditLogConfiguration(Value):
    """
    What a Windows file system logs of its users' access, and where.
    """

    file_access_audit_log_level: WindowsAccessAuditLogLevel
    file_share_access_audit_log_level: WindowsAccessAuditLogLevel
    audit_log_destination: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WindowsFsrmConfiguration(Value):
    """
    File Server Resource Manager of a Windows file system.
    """

    fsrm_service_enabled: bool
    event_log_destination: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class WindowsFileSystemConfiguration(Value):
    """
    What only FSx for Windows File Server has.
    """

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

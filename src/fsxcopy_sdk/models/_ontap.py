"""
FSx for NetApp ONTAP, SnapLock included.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import (
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
from fsxcopy_sdk.models._shared import (
    DiskIopsConfiguration,
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FileSystemEndpoint(Value):
    """
    One endpoint of an ONTAP file system.
    """

    dns_name: str | None = None
    ip_addresses: tuple[str, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FileSystemEndpoints(Value):
    """
    Where an ONTAP file system is managed and replicated.
    """

    intercluster: FileSystemEndpoint | None = None
    management: FileSystemEndpoint | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OntapFileSystemConfiguration(Value):
    """
    What only FSx for NetApp ONTAP has.
    """

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


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AggregateConfiguration(Value):
    """
    The aggregates that an ONTAP volume lies on.
    """

    aggregates: tuple[str, ...] = ()
    total_constituents: int | None = None
    """Number of constituents of a FlexGroup."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AutocommitPeriod(Value):
    """
    How long a file stays untouched before it becomes WORM.
    """

    type: AutocommitPeriodType
    value: int | None = None
    """In the unit of `type`."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetentionPeriod(Value):
    """
    A span of time in SnapLock's units.
    """

    type: RetentionPeriodType
    value: int | None = None
    """In the unit of `type`."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SnaplockRetentionPeriod(Value):
    """
    How long WORM files are kept.
    """

    default_retention: RetentionPeriod
    minimum_retention: RetentionPeriod
    maximum_retention: RetentionPeriod


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SnaplockConfiguration(Value):
    """
    WORM protection of an ONTAP volume.
    """

    audit_log_volume: bool | None = None
    autocommit_period: AutocommitPeriod | None = None
    privileged_delete: PrivilegedDelete | None = None
    retention_period: SnaplockRetentionPeriod | None = None
    snaplock_type: SnaplockType | None = None
    volume_append_mode_enabled: bool | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TieringPolicy(Value):
    """
    Which data of an ONTAP volume moves to the capacity pool, and when.
    """

    cooling_period: int | None = None
    """Days."""
    name: TieringPolicyName | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OntapVolumeConfiguration(Value):
    """
    What only ONTAP volumes have.
    """

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
    """Bytes."""

"""
FSx for OpenZFS.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import (
    OpenZFSCopyStrategy,
    OpenZFSDataCompressionType,
    OpenZFSDeploymentType,
    OpenZFSQuotaType,
    OpenZFSReadCacheSizingMode,
)
from fsxcopy_sdk.models._shared import (
    DiskIopsConfiguration,
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpenZFSReadCacheConfiguration(Value):
    """
    SSD read cache of an OpenZFS file system.
    """

    sizing_mode: OpenZFSReadCacheSizingMode | None = None
    size_gi_b: int | None = None
    """GiB."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpenZFSFileSystemConfiguration(Value):
    """
    What only FSx for OpenZFS has.
    """

    automatic_backup_retention_days: int | None = None
    """Days; 0 switches automatic backups off."""
    copy_tags_to_backups: bool | None = None
    copy_tags_to_volumes: bool | None = None
    daily_automatic_backup_start_time: str | None = None
    """`HH:MM` in UTC."""
    deployment_type: OpenZFSDeploymentType | None = None
    throughput_capacity: int | None = None
    """MB per second."""
    weekly_maintenance_start_time: str | None = None
    """`d:HH:MM` in UTC, Monday is 1."""
    disk_iops_configuration: DiskIopsConfiguration | None = None
    root_volume_id: str | None = None
    preferred_subnet_id: str | None = None
    endpoint_ip_address_range: str | None = None
    """CIDR."""
    endpoint_ipv6_address_range: str | None = None
    """CIDR."""
    route_table_ids: tuple[str, ...] = ()
    endpoint_ip_address: str | None = None
    endpoint_ipv6_address: str | None = None
    read_cache_configuration: OpenZFSReadCacheConfiguration | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpenZFSClientConfiguration(Value):
    """
    What some NFS clients may do with an export.
    """

    clients: str
    """Address, CIDR or `*`."""
    options: tuple[str, ...]
    """NFS export options such as `rw` and `crossmnt`."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpenZFSNfsExport(Value):
    """
    An NFS export of an OpenZFS volume.
    """

    client_configurations: tuple[OpenZFSClientConfiguration, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpenZFSOriginSnapshotConfiguration(Value):
    """
    The snapshot that an OpenZFS volume was made from.
    """

    snapshot_arn: str | None = None
    """The snapshot."""
    copy_strategy: OpenZFSCopyStrategy | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpenZFSUserOrGroupQuota(Value):
    """
    How much one user or group may store in an OpenZFS volume.
    """

    type: OpenZFSQuotaType
    id: int
    """UID or GID."""
    storage_capacity_quota_gi_b: int
    """GiB."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class OpenZFSVolumeConfiguration(Value):
    """
    What only OpenZFS volumes have.
    """

    parent_volume_id: str | None = None
    volume_path: str | None = None
    storage_capacity_reservation_gi_b: int | None = None
    """GiB kept free for this volume; -1 for none."""
    storage_capacity_quota_gi_b: int | None = None
    """GiB at most; -1 for no limit."""
    record_size_ki_b: int | None = None
    """KiB."""
    data_compression_type: OpenZFSDataCompressionType | None = None
    copy_tags_to_snapshots: bool | None = None
    origin_snapshot: OpenZFSOriginSnapshotConfiguration | None = None
    read_only: bool | None = None
    nfs_exports: tuple[OpenZFSNfsExport, ...] = ()
    user_and_group_quotas: tuple[OpenZFSUserOrGroupQuota, ...] = ()
    restore_to_snapshot: str | None = None
    delete_intermediate_snaphots: bool | None = None
    """Spelled as the service spells it."""
    delete_cloned_volumes: bool | None = None
    delete_intermediate_data: bool | None = None
    source_snapshot_arn: str | None = None
    destination_snapshot: str | None = None
    copy_strategy: OpenZFSCopyStrategy | None = None

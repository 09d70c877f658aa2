"""
The service's names of the members.
"""

from __future__ import annotations

from typing import Any

import attrs
from cattrs.gen import override

# Names that do not come back by capitalising each word. A table of acronyms would be
# wrong: the service has both DNSName and DnsIps.
_IRREGULAR_NAMES = {
    "dns_name": "DNSName",
    "ha_pairs": "HAPairs",
    "openzfs_configuration": "OpenZFSConfiguration",
    "record_size_kib": "RecordSizeKiB",
    "resource_arn": "ResourceARN",
    "size_gib": "SizeGiB",
    "snapshot_arn": "SnapshotARN",
    "source_snapshot_arn": "SourceSnapshotARN",
    "storage_capacity_quota_gib": "StorageCapacityQuotaGiB",
    "storage_capacity_reservation_gib": "StorageCapacityReservationGiB",
    "throughput_capacity_per_ha_pair": "ThroughputCapacityPerHAPair",
    "uuid": "UUID",
}


def wire_name(name: str) -> str:
    """
    Return the service's name of the member that a model calls *name*.
    """
    return _IRREGULAR_NAMES.get(name) or "".join(word.capitalize() for word in name.split("_"))


def member_overrides(cls: type[attrs.AttrsInstance]) -> dict[str, Any]:
    """
    Rename every member for cattrs, and leave out what is about the exchange, not in it.

    Any, because cattrs takes its own options and these in the same keywords.
    """
    return {
        field.name: override(omit=True)
        if field.name == "metadata"
        else override(rename=wire_name(field.name))
        for field in attrs.fields(cls)
    }

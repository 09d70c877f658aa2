"""
Regions, partitions and ARNs.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

_PARTITIONS: Final = tuple(
    (partition, re.compile(pattern))
    for partition, pattern in (
        ("aws-cn", r"cn-[a-z]+-\d{1,2}"),
        ("aws-us-gov", r"us-gov-[a-z]+-\d{1,2}"),
        ("aws-iso", r"us-iso-[a-z]+-\d{1,2}"),
        ("aws-iso-b", r"us-isob-[a-z]+-\d{1,2}"),
        ("aws-iso-e", r"eu-isoe-[a-z]+-\d{1,2}"),
        ("aws-iso-f", r"us-isof-[a-z]+-\d{1,2}"),
        ("aws-eusc", r"eusc-de-[a-z]+-\d{1,2}"),
        # Last, and wider than today's list of continents: Regions with new
        # ones keep opening.
        ("aws", r"[a-z]{2}-[a-z]+-\d{1,2}"),
    )
)
"""Partition and the names of its Regions, from botocore's partitions.json."""


def partition_of(region: str) -> str | None:
    """
    Return the partition of *region*, None for what cannot be a Region.
    """
    for partition, pattern in _PARTITIONS:
        if pattern.fullmatch(region):
            return partition
    return None


@attrs.frozen
class AccountRegion:
    """
    One account's Region: backups of two places do not know of each other.
    """

    account: str
    """Twelve digits."""
    region: str

    def arn(self, resource: str, *, service: str = "fsx") -> str:
        """
        Return the ARN of *resource*, such as ``backup/backup-…``.
        """
        partition = partition_of(self.region)
        return f"arn:{partition}:{service}:{self.region}:{self.account}:{resource}"

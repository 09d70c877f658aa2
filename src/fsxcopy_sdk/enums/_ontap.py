"""
Values of FSx for NetApp ONTAP.
"""

from __future__ import annotations

from fsxcopy_sdk.enums._open_enum import OpenEnum


class AutocommitPeriodType(OpenEnum):
    """
    Unit of the time after which an untouched SnapLock file becomes WORM.
    """

    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"
    NONE = "NONE"


class FlexCacheEndpointType(OpenEnum):
    """
    The part an ONTAP volume plays in a FlexCache relation.
    """

    NONE = "NONE"
    ORIGIN = "ORIGIN"
    CACHE = "CACHE"


class OntapDeploymentType(OpenEnum):
    """
    Availability and generation of an ONTAP file system.
    """

    MULTI_AZ_1 = "MULTI_AZ_1"
    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"
    MULTI_AZ_2 = "MULTI_AZ_2"


class OntapVolumeType(OpenEnum):
    """
    Read-write, data protection or load-sharing ONTAP volume.
    """

    RW = "RW"
    DP = "DP"
    LS = "LS"


class PrivilegedDelete(OpenEnum):
    """
    Whether SnapLock administrators may delete WORM files before their time.
    """

    DISABLED = "DISABLED"
    ENABLED = "ENABLED"
    PERMANENTLY_DISABLED = "PERMANENTLY_DISABLED"


class RetentionPeriodType(OpenEnum):
    """
    Unit of a SnapLock retention period.
    """

    SECONDS = "SECONDS"
    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"
    INFINITE = "INFINITE"
    UNSPECIFIED = "UNSPECIFIED"


class SecurityStyle(OpenEnum):
    """
    Permission model of an ONTAP volume.
    """

    UNIX = "UNIX"
    NTFS = "NTFS"
    MIXED = "MIXED"


class SnaplockType(OpenEnum):
    """
    How strictly SnapLock retention is enforced.
    """

    COMPLIANCE = "COMPLIANCE"
    ENTERPRISE = "ENTERPRISE"


class TieringPolicyName(OpenEnum):
    """
    Which data of an ONTAP volume moves to the capacity pool.
    """

    SNAPSHOT_ONLY = "SNAPSHOT_ONLY"
    AUTO = "AUTO"
    ALL = "ALL"
    NONE = "NONE"


class VolumeStyle(OpenEnum):
    """
    Whether an ONTAP volume lies on one aggregate or on several; FLEXGROUP cannot be copied.
    """

    FLEXVOL = "FLEXVOL"
    FLEXGROUP = "FLEXGROUP"

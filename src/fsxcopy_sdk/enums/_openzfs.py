"""
Values of FSx for OpenZFS.
"""

from __future__ import annotations

from fsxcopy_sdk.enums._open_enum import OpenEnum


class OpenZFSCopyStrategy(OpenEnum):
    """
    How an OpenZFS volume is made from a snapshot.
    """

    CLONE = "CLONE"
    FULL_COPY = "FULL_COPY"
    INCREMENTAL_COPY = "INCREMENTAL_COPY"


class OpenZFSDataCompressionType(OpenEnum):
    """
    Compression of an OpenZFS volume.
    """

    NONE = "NONE"
    ZSTD = "ZSTD"
    LZ4 = "LZ4"


class OpenZFSDeploymentType(OpenEnum):
    """
    Availability and generation of an OpenZFS file system.
    """

    SINGLE_AZ_1 = "SINGLE_AZ_1"
    SINGLE_AZ_2 = "SINGLE_AZ_2"
    SINGLE_AZ_HA_1 = "SINGLE_AZ_HA_1"
    SINGLE_AZ_HA_2 = "SINGLE_AZ_HA_2"
    MULTI_AZ_1 = "MULTI_AZ_1"


class OpenZFSQuotaType(OpenEnum):
    """
    Whom an OpenZFS quota binds.
    """

    USER = "USER"
    GROUP = "GROUP"


class OpenZFSReadCacheSizingMode(OpenEnum):
    """
    How the SSD read cache of an OpenZFS file system is sized.
    """

    NO_CACHE = "NO_CACHE"
    USER_PROVISIONED = "USER_PROVISIONED"
    PROPORTIONAL_TO_THROUGHPUT_CAPACITY = "PROPORTIONAL_TO_THROUGHPUT_CAPACITY"

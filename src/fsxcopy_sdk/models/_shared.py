"""
What several kinds of file system have in common.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import (
    DiskIopsConfigurationMode,
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ActiveDirectoryBackupAttributes(Value):
    """
    The directory that a backed-up Windows file system had joined.
    """

    domain_name: str | None = None
    active_directory_id: str | None = None
    resource_arn: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdministrativeActionFailureDetails(Value):
    """
    Why an administrative action failed.
    """

    message: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class BackupFailureDetails(Value):
    """
    Why a backup or a copy failed.
    """

    message: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DiskIopsConfiguration(Value):
    """
    Provisioned SSD IOPS of a file system.
    """

    mode: DiskIopsConfigurationMode | None = None
    iops: int | None = None
    """Operations per second."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FileSystemFailureDetails(Value):
    """
    Why a file system failed.
    """

    message: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LifecycleTransitionReason(Value):
    """
    Why a volume or snapshot is in the state it is in.
    """

    message: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Tag(Value):
    """
    A key and a value attached to a resource.
    """

    key: str
    """1 to 128 characters, unique on its resource."""
    value: str
    """0 to 256 characters."""

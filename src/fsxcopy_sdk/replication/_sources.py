"""
Which file system or volume a backup belongs to.
"""

from __future__ import annotations

from typing import Self

import attrs

from fsxcopy_sdk.enums import ResourceType, VolumeStyle, VolumeType
from fsxcopy_sdk.models import Backup, Volume


@attrs.frozen(kw_only=True)
class Source:
    """
    What backups are made of: a file system, or a volume of one.
    """

    source_id: str
    """The volume's id; for a whole file system the file system's."""
    file_system_id: str | None = None
    """Itself, or of a volume the file system that it lies on, where that is known."""

    @classmethod
    def of_id(cls, source_id: str) -> Self:
        """
        Return what has that id.
        """
        is_volume = source_id.startswith("fsvol-")
        return cls(source_id=source_id, file_system_id=None if is_volume else source_id)


def source_of(backup: Backup) -> Source | None:
    """
    Return what *backup* was made of; None where the service does not say.

    A backup of a volume may tell of its file system too, and is no backup of that.
    """
    volume = backup.volume
    if volume is not None and volume.volume_id:
        return Source(source_id=volume.volume_id, file_system_id=volume.file_system_id)
    if volume is not None or backup.resource_type == ResourceType.VOLUME:
        return None
    if backup.file_system is not None and backup.file_system.file_system_id:
        return Source.of_id(backup.file_system.file_system_id)
    return None


def ontap_volume_id(backup: Backup) -> str | None:
    """
    Return the ONTAP volume that *backup* is of: its copies are limited by themselves.
    """
    volume = backup.volume
    return volume.volume_id if volume is not None and _is_ontap(volume) else None


def _is_ontap(volume: Volume) -> bool:
    return volume.volume_type == VolumeType.ONTAP or volume.ontap_configuration is not None


def is_of_flexgroup(backup: Backup) -> bool:
    """
    Whether *backup* is of a FlexGroup volume, which the service does not copy.
    """
    ontap = backup.volume.ontap_configuration if backup.volume is not None else None
    return ontap is not None and ontap.volume_style == VolumeStyle.FLEXGROUP

"""
What plans and reports are made of: the summary of a backup, and the way to JSON.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Self, TypeAlias, cast

import attrs

from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.models import Backup

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What `json.dumps` takes."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


@attrs.frozen(kw_only=True)
class BackupSummary:
    """
    What matters of a backup here.
    """

    backup_id: str
    lifecycle: BackupLifecycle
    creation_time: datetime
    """UTC; of a copy, when the copy was begun."""
    kms_key_id: str | None = None
    progress_percent: int | None = None
    """0 to 100, where the service tells."""
    size_in_bytes: int | None = None

    @classmethod
    def of(cls, backup: Backup) -> Self:
        """
        Return what matters of *backup*.
        """
        return cls(
            backup_id=backup.backup_id,
            lifecycle=backup.lifecycle,
            creation_time=backup.creation_time,
            kms_key_id=backup.kms_key_id,
            progress_percent=backup.progress_percent,
            size_in_bytes=backup.size_in_bytes,
        )

    def __str__(self) -> str:
        return f"{self.backup_id} of {time_text(self.creation_time)}"


def time_text(moment: datetime) -> str:
    """
    Return *moment* to the second.
    """
    return moment.isoformat(timespec="seconds")


def duration_text(seconds: float) -> str:
    """
    Return a duration in the largest unit that it fills, rounded down.
    """
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def to_plain(instance: attrs.AttrsInstance) -> dict[str, JsonValue]:
    """
    Return JSON-able data: times in ISO 8601, durations in seconds.
    """
    return {
        field.name: _plain(getattr(instance, field.name)) for field in attrs.fields(type(instance))
    }


def _plain(value: object) -> JsonValue:
    if attrs.has(type(value)):
        return to_plain(cast("attrs.AttrsInstance", value))
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return cast("str", value.value)
    # What is left is plain: texts, numbers, truth and None.
    return cast("JsonValue", value)

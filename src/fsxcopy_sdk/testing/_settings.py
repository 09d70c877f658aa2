"""
What a user may set when the local FSx is made, checked once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import attrs

from ._lifecycle import ProgressShape

Duration: TypeAlias = float | timedelta
"""Seconds, or a timedelta."""

CopyDuration: TypeAlias = Duration | Callable[[str], float]
"""
How long a copy takes, or a function that says so in seconds for the id of
what is copied or backed up.
"""


def seconds_of(name: str, duration: Duration) -> float:
    """
    Return *duration* in seconds.

    Raises:
        ValueError: it is negative or not finite; *name* says whose it is.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not (math.isfinite(seconds) and seconds >= 0):
        msg = f"{name} must be finite and zero or more, not {duration!r}"
        raise ValueError(msg)
    return seconds


def _in_range(least: int, most: float) -> Callable[[object, attrs.Attribute[int], int], None]:
    def check(_: object, field: attrs.Attribute[int], value: int) -> None:
        if not least <= value <= most:
            bounds = f"{least} or more" if math.isinf(most) else f"between {least} and {most}"
            msg = f"{field.name} must be {bounds}, not {value!r}"
            raise ValueError(msg)

    return check


def _one_of_the_answers(_: object, field: attrs.Attribute[str], value: str) -> None:
    if value not in ("error", "omit"):
        msg = f"{field.name} must be 'error' or 'omit', not {value!r}"
        raise ValueError(msg)


def _aware(_: object, field: attrs.Attribute[datetime | None], value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        msg = f"{field.name} must have a time zone, {value!r} has none"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Settings:
    """
    Hold the settings of one local FSx; `LocalFsx` explains each.
    """

    copy_duration: CopyDuration = attrs.field()
    progress: ProgressShape = attrs.field(converter=ProgressShape)
    max_copies_in_progress: int = attrs.field(validator=_in_range(1, math.inf))
    max_volume_copies_in_progress: int = attrs.field(validator=_in_range(1, math.inf))
    max_user_initiated_backups: int | None = attrs.field(
        validator=attrs.validators.optional(_in_range(0, math.inf))
    )
    backup_being_copied_for: float = attrs.field()
    every_stage: bool
    unknown_ids: Literal["error", "omit"] = attrs.field(validator=_one_of_the_answers)
    # Fifty is the most that the model lets an answer hold.
    page_size: int = attrs.field(validator=_in_range(1, 50))
    started_at: datetime | None = attrs.field(validator=_aware)
    port: int = attrs.field(validator=_in_range(0, 65535))
    seed: int

    @copy_duration.validator
    def _check_copy_duration(self, _: object, value: CopyDuration) -> None:
        if not callable(value):
            seconds_of("copy_duration", value)

    @backup_being_copied_for.validator
    def _check_grace(self, _: object, value: float) -> None:
        seconds_of("backup_being_copied_for", value)

    def duration_of(self, source_id: str) -> float:
        """
        Return for how many seconds work on *source_id* goes on.
        """
        duration = (
            self.copy_duration(source_id) if callable(self.copy_duration) else self.copy_duration
        )
        return seconds_of("copy_duration", duration)

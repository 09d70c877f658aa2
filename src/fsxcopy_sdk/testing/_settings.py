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


UnseenFor: TypeAlias = Duration | Callable[[str], float]
"""
How long a new copy is not shown, or a function that returns it in seconds
for the id of the copy.
"""


def seconds_of(name: str, duration: Duration, *, finite: bool = True) -> float:
    """
    Return *duration* in seconds; infinity is allowed unless *finite*.

    Raises:
        ValueError: it breaks its rule; the message begins with *name*.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    # Not a number is not at least zero either.
    if not seconds >= 0 or (finite and math.isinf(seconds)):
        rule = "finite and zero or more" if finite else "zero or more"
        msg = f"{name} must be {rule}, not {duration!r}"
        raise ValueError(msg)
    return seconds


def _in_range(least: int, most: float) -> Callable[[object, attrs.Attribute[int], int], None]:
    def check(_: object, field: attrs.Attribute[int], value: int) -> None:
        if not least <= value <= most:
            bounds = f"{least} or more" if math.isinf(most) else f"between {least} and {most}"
            msg = f"{field.name} must be {bounds}, not {value!r}"
            raise ValueError(msg)

    return check


def _one_of(*choices: str) -> Callable[[object, attrs.Attribute[str], str], None]:
    def check(_: object, field: attrs.Attribute[str], value: str) -> None:
        if value not in choices:
            *first, last = map(repr, choices)
            msg = f"{field.name} must be {', '.join(first)} or {last}, not {value!r}"
            raise ValueError(msg)

    return check


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
    unknown_ids: Literal["error", "omit"] = attrs.field(validator=_one_of("error", "omit"))
    unseen_for: UnseenFor = attrs.field()
    unseen_by: Literal["all", "id", "listing"] = attrs.field(
        validator=_one_of("all", "id", "listing")
    )
    tokens_remembered_for: Duration = attrs.field()
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

    @unseen_for.validator
    def _check_unseen_for(self, _: object, value: UnseenFor) -> None:
        if not callable(value):
            seconds_of("unseen_for", value, finite=False)

    @tokens_remembered_for.validator
    def _check_tokens_remembered_for(self, _: object, value: Duration) -> None:
        seconds_of("tokens_remembered_for", value, finite=False)

    def duration_of(self, source_id: str) -> float:
        """
        Return for how many seconds work on *source_id* goes on.
        """
        duration = (
            self.copy_duration(source_id) if callable(self.copy_duration) else self.copy_duration
        )
        return seconds_of("copy_duration", duration)

    def unseen_seconds(self, copy_id: str) -> float:
        """
        Return for how many seconds the new copy *copy_id* is not shown.
        """
        unseen_for = self.unseen_for(copy_id) if callable(self.unseen_for) else self.unseen_for
        return seconds_of("unseen_for", unseen_for, finite=False)

"""The settings of a local FSx, and the checks of each."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, TypeGuard

import attrs

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk.testing._lifecycle import ProgressShape

COPY_DURATION: Final = 300.0
"""Seconds; the service documents no figure, because it depends on size and distance."""

Duration: TypeAlias = float | timedelta
"""Seconds, or a timedelta."""

BackupDuration: TypeAlias = Duration | Callable[[str], Duration]
"""A duration, or a function from the ID of a backup to one."""


def is_number(value: object) -> TypeGuard[float]:
    """Return whether *value* is a number; a boolean and a text are not, NaN is."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def seconds(name: str, duration: Duration, *, finite: bool = True) -> float:
    """
    Return *duration* in seconds.

    Raises:
        TypeError: it is not a duration; the text begins with *name*.
        ValueError: it is negative, or infinite and must be finite.
    """
    value: object = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if not is_number(value):
        raise TypeError(f"{name} must be seconds or a timedelta, not {duration!r}")
    # NaN is not at least zero either.
    if not value >= 0 or (finite and math.isinf(value)):
        rule = "finite and zero or more" if finite else "zero or more"
        raise ValueError(f"{name} must be {rule}, not {duration!r}")
    return value


def seconds_by_id(
    name: str, duration: BackupDuration, *, finite: bool = True
) -> Callable[[str], float]:
    """Return a function from the ID of a backup to seconds; each duration is checked."""
    if callable(duration):
        return lambda backup_id: seconds(name, duration(backup_id), finite=finite)
    constant = seconds(name, duration, finite=finite)
    return lambda _: constant


_Validator: TypeAlias = Callable[[object, "attrs.Attribute[Any]", Any], None]


def _whole(minimum: float = -math.inf, maximum: float = math.inf) -> _Validator:
    def check(_: object, field: attrs.Attribute[int | None], value: object) -> None:
        if value is None and field.default is None:
            return
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{field.name} must be a whole number, not {value!r}")
        if not minimum <= value <= maximum:
            rule = f"{minimum} or more" if math.isinf(maximum) else f"{minimum} to {maximum}"
            raise ValueError(f"{field.name} must be {rule}, not {value!r}")

    return check


def _one_of(*choices: str) -> _Validator:
    def check(_: object, field: attrs.Attribute[str], value: object) -> None:
        if value not in choices:
            *first, last = [repr(str(choice)) for choice in choices]
            raise ValueError(f"{field.name} must be {', '.join(first)} or {last}, not {value!r}")

    return check


def _flag(_: object, field: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{field.name} must be True or False, not {value!r}")


def _clock(_: object, field: attrs.Attribute[Clock | None], value: object) -> None:
    methods = (getattr(value, name, None) for name in ("now", "sleep"))
    # A class has the methods, too, but no time.
    if value is not None and (isinstance(value, type) or not all(map(callable, methods))):
        raise TypeError(f"{field.name} must be a clock, such as ManualClock(), not {value!r}")


def _aware(_: object, field: attrs.Attribute[datetime | None], value: object) -> None:
    if value is None:
        return
    if not isinstance(value, datetime):
        raise TypeError(f"{field.name} must be a datetime, not {value!r}")
    if value.tzinfo is None:
        raise ValueError(f"{field.name} must have a time zone, {value!r} has none")


@attrs.resolve_types  # so that LocalFsx.__init__ has types that resolve in its own module
@attrs.define(eq=False, kw_only=True)
class Settings:
    """The settings of a `LocalFsx`."""

    clock: Clock | None = attrs.field(default=None, validator=_clock)
    """The clock that copies progress with, the machine's if None; clients that wait share it."""
    copy_duration: BackupDuration = COPY_DURATION
    """How long a copy or a new backup takes; a function gets the ID of what is copied."""
    progress: ProgressShape = attrs.field(
        default=ProgressShape.LINEAR, validator=_one_of(*ProgressShape)
    )
    """How ProgressPercent grows meanwhile."""
    max_copies_in_progress: int = attrs.field(default=5, validator=_whole(1))
    """Of file systems per account and destination Region, of ONTAP volumes per volume and key."""
    max_volume_copies_in_progress: int = attrs.field(default=1000, validator=_whole(1))
    """Copies of ONTAP volumes in progress at once per account."""
    max_user_initiated_backups: int | None = attrs.field(default=None, validator=_whole(0))
    """USER_INITIATED backups per account and Region, None for any number."""
    backup_being_copied_for: Duration = 60.0
    """How long after a copy its source cannot be deleted, "a short time" for the service."""
    every_stage: bool = attrs.field(default=False, validator=_flag)
    """Whether backups also show PENDING and TRANSFERRING."""
    unknown_ids: Literal["error", "omit"] = attrs.field(
        default="error", validator=_one_of("error", "omit")
    )
    """Whether DescribeBackups refuses the whole call for an unknown ID, or leaves the ID out."""
    unseen_for: BackupDuration = 0
    """
    How long DescribeBackups does not show a new copy, infinity for always; a
    function gets its ID. Anything else knows it: it counts as one in progress.
    """
    unseen_by: Literal["all", "id", "listing"] = attrs.field(
        default="all", validator=_one_of("all", "id", "listing")
    )
    """Which calls do not show such a copy: "id" those with BackupIds, "listing" those without."""
    tokens_remembered_for: Duration = math.inf
    """How long a ClientRequestToken is remembered; then the same request makes a new copy."""
    page_size: int = attrs.field(default=50, validator=_whole(1, 50))
    """The maximum of backups on one page, 1 to 50, which is the service's own."""
    started_at: datetime | None = attrs.field(default=None, validator=_aware)
    """When CreationTime and Date begin, now if None; they advance with the clock."""
    one_account: bool = attrs.field(default=False, validator=_flag)
    """Whether each access key has `DEFAULT_ACCOUNT`; otherwise only the first one has it."""
    allow_any_region: bool = attrs.field(default=False, validator=_flag)
    """Whether any name may be that of a Region, of the partition aws where AWS has none of it."""
    allow_any_kms_key: bool = attrs.field(default=False, validator=_flag)
    """Whether any text may be the KMS key of a copy, also that of a key in another Region."""
    port: int = attrs.field(default=0, validator=_whole(0, 65535))
    """The TCP port on 127.0.0.1, 0 for any free one."""
    seed: int = attrs.field(default=0, validator=_whole())
    """The same calls with the same seed get the same IDs and faults."""

"""
Texts, numbers and times: what both passes read alike.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_origin

_JSON_NAMES: dict[type, str] = {
    bool: "a boolean",
    dict: "an object",
    float: "a number with a fraction",
    int: "an integer",
    list: "a list",
    str: "a string",
    type(None): "null",
}

PRIMITIVES: dict[type, str] = {one: _JSON_NAMES[one] for one in (str, int, bool)}
"""Types that are the same in JSON and in the models, with their names."""


class Mismatch(ValueError):
    """
    A value is not of the type that the service documents; says no secret values.
    """

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"must be {expected}, not {_JSON_NAMES.get(type(value), type(value))}")


def is_tuple(type_: object) -> bool:
    """
    Whether a member of this type is a list on the wire.
    """
    return get_origin(type_) is tuple


def time_from_wire(value: object, _: object) -> datetime:
    """
    Read a time in any form that AWS JSON 1.1 or botocore gives it.

    Raises:
        ValueError: it is none.
    """
    try:
        if isinstance(value, float):  # as the service sends it
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return _in_utc(value)
        if isinstance(value, int | str) and not isinstance(value, bool):
            return _parse_time(value)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"must be a time, not {value!r}") from error
    raise Mismatch("a time", value)


def time_to_wire(moment: datetime) -> float:
    """
    Return a time as epoch seconds.
    """
    # One without a zone can only come from a user; it is UTC here as it is on the way in.
    return _in_utc(moment).timestamp()


def _parse_time(value: int | str) -> datetime:
    try:
        seconds = float(value)
    except ValueError:
        return _in_utc(datetime.fromisoformat(str(value)))
    return datetime.fromtimestamp(seconds, UTC)


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

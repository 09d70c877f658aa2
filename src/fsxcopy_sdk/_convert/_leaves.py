"""
Texts, numbers and times: what both passes read alike.
"""

from __future__ import annotations

import re
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


MAX_SHOWN = 100
"""Characters of a value that a message about it shows at most."""

# Both are bounded in length, and have no digits but ASCII's.
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")
_DATE_AND_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)

# What a number in a text may mean. A date without separators, such as "20260101", would
# otherwise be a day in 1970.
_EARLIEST_IN_TEXT = datetime(2000, 1, 1, tzinfo=UTC).timestamp()


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
    Read a time in one of the forms that AWS JSON 1.1 or botocore gives it.

    These are epoch seconds as a number; the same as a text, as in the example file of
    botocore's service model, for times from the year 2000 on; ISO 8601 with date, time and
    optionally an offset; and a datetime. Without an offset it is UTC.

    Raises:
        ValueError: it is none of these.
    """
    try:
        if isinstance(value, float):  # as the service sends it
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return _in_utc(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return _parse_time(value)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"must be a time, not {shown(value)}") from error
    raise Mismatch("a time", value)


def time_to_wire(moment: datetime) -> float:
    """
    Return a time as epoch seconds.
    """
    # One without a zone can only come from a user; it is UTC here as it is on the way in.
    return _in_utc(moment).timestamp()


def shown(value: object) -> str:
    """
    Return the beginning of *value* as a text.
    """
    if isinstance(value, str):  # cut first: writing out a text of megabytes takes long
        value = value[:MAX_SHOWN]
    try:
        return f"{value!r:.{MAX_SHOWN}}"
    except ValueError:  # Python writes out no integer of more than 4300 digits
        return "a value too long to be shown"


def _parse_time(text: str) -> datetime:
    if _DATE_AND_TIME.fullmatch(text):
        return _in_utc(datetime.fromisoformat(text))
    if _NUMBER.fullmatch(text) and (seconds := float(text)) >= _EARLIEST_IN_TEXT:
        return datetime.fromtimestamp(seconds, UTC)  # refuses years after 9999
    raise ValueError("neither epoch seconds nor ISO 8601")


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

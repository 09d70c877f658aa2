"""
The service's rules for single values.

Lengths and patterns are those of the FSx API 2018-03-01 (botocore's service model
1.43.117), but for the token's: the model says `A-z`, which lets five stray characters
in, where `A-Za-z` is meant. Tests compare them with the model.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import TypeAlias

import attrs

from fsxcopy_sdk.errors import InvalidArguments

Duration: TypeAlias = float | timedelta
"""Seconds, or a timedelta."""

# Regions of every other partition begin with one of these; the rest are in `aws`
# (botocore/data/partitions.json).
_PARTITION_PREFIXES = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}


def _matches(pattern: str) -> Callable[[str], bool]:
    # Compiled, and kept by `re`, when the first text is looked at.
    return lambda text: re.fullmatch(pattern, text) is not None


def _is_tag_text(text: str) -> bool:
    # The model's pattern is \p{L}\p{Z}\p{N}_.:/=+-@, which `re` cannot express.
    return all(char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN" for char in text)


@attrs.frozen(eq=False, repr=False)
class Rule:
    """
    What a text may be: its length in characters, its form, and both in words.
    """

    min: int
    max: int
    has_form: Callable[[str], bool]
    words: str

    def allows(self, value: object) -> bool:
        """
        Whether *value* is a text that keeps the rule.
        """
        return (
            isinstance(value, str) and self.min <= len(value) <= self.max and self.has_form(value)
        )


BACKUP_ID = Rule(
    12, 128, _matches(r"backup-[0-9a-f]{8,}"), "`backup-` and 8 to 121 of 0-9 and a-f"
)
FILTER_VALUE = Rule(
    1, 128, _matches(r"[0-9a-zA-Z*.\\/?_-]*"), r"1 to 128 of A-Z, a-z, 0-9 and `*.\/?-_`"
)
KMS_KEY_ID = Rule(1, 2048, _matches(r".*"), "1 to 2048 characters on one line")
NEXT_TOKEN = Rule(
    1,
    255,
    _matches(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "1 to 255 characters of Base64, as the page before gave it",
)
REGION = Rule(1, 20, _matches(r"[a-z0-9-]*"), "1 to 20 of a-z, 0-9 and `-`")
TAG_KEY = Rule(1, 128, _is_tag_text, "1 to 128 letters, digits, spaces and `_.:/=+-@`")
TAG_VALUE = Rule(0, 256, _is_tag_text, "at most 256 letters, digits, spaces and `_.:/=+-@`")
TOKEN = Rule(1, 63, _matches(r"[A-Za-z0-9_.-]*"), "1 to 63 of A-Z, a-z, 0-9, `_`, `.` and `-`")


@attrs.frozen(eq=False, repr=False)
class Faults:
    """
    Collect what is wrong, so that the caller hears of everything at once.
    """

    texts: list[str] = attrs.field(factory=list)

    def add(self, name: str, rule: str, found: str) -> None:
        """
        Note that the argument *name* "must be *rule*, not *found*".
        """
        self.texts.append(f"{name}: must be {rule}, not {found}")

    def add_value(self, name: str, rule: str, value: object) -> None:
        """
        Note that the argument *name* must be *rule*, and show *value* on one line.
        """
        self.add(name, rule, shown(value))

    def add_type(self, name: str, rule: str, value: object) -> None:
        """
        Note that the argument *name* must be *rule*, without *value*, which may hold secrets.
        """
        self.add(name, rule, f"a value of type {type(value).__name__}")

    def check(self, name: str, value: object, rule: Rule) -> None:
        """
        Note a value that *rule* does not allow.
        """
        if not rule.allows(value):
            self.add_value(name, rule.words, value)

    def check_optional(self, name: str, value: object, rule: Rule) -> None:
        """
        Note a value that is neither None nor allowed by *rule*.
        """
        if value is not None:
            self.check(name, value, rule)

    def check_type(self, name: str, value: object, cls: type, words: str) -> None:
        """
        Note a value that is no instance of *cls*.
        """
        if not isinstance(value, cls):
            self.add_value(name, words, value)

    def raise_any(self) -> None:
        """
        Raise what was collected.

        Raises:
            InvalidArguments: there was a fault.
        """
        if self.texts:
            raise InvalidArguments("; ".join(self.texts), tuple(self.texts))


def shown(value: object) -> str:
    """
    Return *value* as a short text, whatever it is.
    """
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python writes out no integer of more than 4300 digits
        return f"a value of {type(value)}"


@lru_cache(maxsize=64)
def partition_of(region: str) -> str:
    """
    Return the partition that *region* lies in, such as `aws-cn`.
    """
    return next(
        (name for prefix, name in _PARTITION_PREFIXES.items() if region.startswith(prefix)), "aws"
    )


def check_backup_id(backup_id: str) -> None:
    """
    Refuse what is no id of a backup.

    Raises:
        InvalidArguments: *backup_id* breaks the rule.
    """
    faults = Faults()
    faults.check("backup_id", backup_id, BACKUP_ID)
    faults.raise_any()


def check_type(name: str, value: object, cls: type) -> None:
    """
    Refuse what is no instance of *cls*.

    Raises:
        InvalidArguments: it is none.
    """
    faults = Faults()
    faults.check_type(name, value, cls, f"a {cls.__name__}")
    faults.raise_any()


def seconds(name: str, value: Duration) -> float:
    """
    Return the duration that the argument *name* gives, in seconds.

    Raises:
        InvalidArguments: it is no finite number or timedelta, or is negative.
    """
    number: object = value.total_seconds() if isinstance(value, timedelta) else value
    # Compared, not converted: the largest integers are no floats.
    if (
        isinstance(number, bool)
        or not isinstance(number, int | float)
        or not 0 <= number <= sys.float_info.max
    ):
        faults = Faults()
        faults.add_value(name, "seconds or a timedelta, finite and not negative", value)
        raise InvalidArguments(faults.texts[0], tuple(faults.texts))
    return float(number)

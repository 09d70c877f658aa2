"""
The base of all enums: a value that nobody knows yet is kept, not refused.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """
    Hold one of the service's values, known or not.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = value
        unknown._value_ = value
        return unknown

    @property
    def is_unknown(self) -> bool:
        """
        Whether the service sent a value that this version does not list.
        """
        return self._value_ not in type(self)._value2member_map_

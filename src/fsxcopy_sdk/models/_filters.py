"""
What `DescribeBackups` is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from fsxcopy_sdk.enums import FilterName


def _to_tuple(values: Iterable[str]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values)


@attrs.frozen
class BackupFilter:
    """
    Keep the backups that have one of some values.

    Several filters together keep what passes all of them.
    """

    name: FilterName = attrs.field(converter=FilterName)
    """What to look at, such as `FilterName.FILE_SYSTEM_ID` or its text."""
    values: tuple[str, ...] = attrs.field(converter=_to_tuple)
    """1 to 20 values, any of which will do; a single one may be given bare."""

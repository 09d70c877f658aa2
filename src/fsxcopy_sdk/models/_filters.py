"""
What `DescribeBackups` is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import FilterName

if TYPE_CHECKING:
    from fsxcopy_sdk.errors import InvalidArguments


def _to_name(name: str) -> FilterName:
    if not isinstance(name, str):
        raise _invalid("name", "a FilterName or its text", name)
    return FilterName(name)


def _to_tuple(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        return (values,)
    if not isinstance(values, Iterable):
        raise _invalid("values", "a text or a collection of texts", values)
    return tuple(values)


def _invalid(name: str, rule: str, found: object) -> InvalidArguments:
    from fsxcopy_sdk.errors import InvalidArguments  # noqa: PLC0415 - a third of the import

    fault = f"{name}: must be {rule}, not a value of {type(found)}"
    return InvalidArguments(fault, (fault,))


@attrs.frozen(eq=False, repr=False)
class BackupFilter(Value):
    """
    Keep the backups that have one of some values.

    Several filters together keep what passes all of them.

    Raises:
        InvalidArguments: `name` is no text, or `values` no collection; what the texts
            may be is checked when the filter is used.
    """

    name: FilterName = attrs.field(converter=_to_name)
    """What to look at, such as `FilterName.FILE_SYSTEM_ID` or its text."""
    values: tuple[str, ...] = attrs.field(converter=_to_tuple)
    """1 to 20 values, any of which will do; a single one may be given bare."""

"""Read what people write: files of settings, with names as in Python and durations in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, Literal, TypeVar

import attrs
import cattrs

from fsxcopy_sdk._codec._documents import Pairs, class_hook, read_number, read_pairs, refused
from fsxcopy_sdk._codec._wire import (
    Hook,
    InvalidMembers,
    InvalidValue,
    configure,
    error_texts,
    wrong_type,
)
from fsxcopy_sdk._validation import BackupFilter, parse_duration, shown
from fsxcopy_sdk.enums import FilterName

_Read = TypeVar("_Read", bound=attrs.AttrsInstance)

ALL: Final = "all"
"""What people write for a number without a limit."""

COUNT: Final = int | Literal["all"]
"""A number, or no limit."""

FILTERS: Final = tuple[BackupFilter, ...]

_UNCHECKED = (str, int, bool, COUNT)


def from_settings(cls: type[_Read], settings: Mapping[str, object]) -> _Read:
    """
    Make an instance of *cls* from parsed settings, such as those of a TOML file.

    Keys are the names of the attributes, the keys of tables of filters those of the service;
    durations are seconds, or texts such as 30d.

    Raises:
        InvalidArguments: *settings* has errors; at most twenty are reported, with paths.
    """
    try:
        return _converter().structure(settings, cls)
    except (cattrs.BaseValidationError, InvalidValue) as error:
        found = refused(text.removeprefix(".") for text in error_texts(error, ""))
    raise found


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    configure(converter)
    converter.register_structure_hook_factory(attrs.has, _read_class)
    converter.register_structure_hook(float, _read_duration)
    converter.register_structure_hook_func(lambda one: one == Pairs, read_pairs)
    converter.register_structure_hook_func(lambda one: one == FILTERS, _read_filters)
    return converter


def _read_class(cls: type[_Read], converter: cattrs.Converter) -> Hook:
    return class_hook(cls, converter, str, nearest, _UNCHECKED)


def nearest(name: str, known: Collection[str]) -> str:
    """Return the question whether the nearest of the *known* names was meant, if one is near."""
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _read_duration(value: object, _: object) -> float:
    if not isinstance(value, str):
        return read_number(value, None)
    try:
        return parse_duration(value).total_seconds()
    except ValueError as error:
        raise InvalidValue(str(error)) from error


def _read_filters(value: object, _: object) -> tuple[BackupFilter, ...]:
    if not isinstance(value, Mapping):
        raise wrong_type("an object", value)
    known = [name.value for name in FilterName]
    texts: list[str] = []
    filters: list[BackupFilter] = []
    for name, given in value.items():
        values: Any = [given] if isinstance(given, str) else given
        if name not in known:
            texts.append(f".{name}: must be one of {', '.join(known)}{nearest(name, known)}")
        elif not (isinstance(values, list) and all(isinstance(one, str) for one in values)):
            texts.append(f".{name}: must be a string or a list of strings, not {shown(given)}")
        else:
            filters.append(BackupFilter(name, values))
    if texts:
        raise InvalidMembers(texts)
    return tuple(filters)

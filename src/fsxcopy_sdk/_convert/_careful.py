"""
From the wire to models with care: the second pass, which names the faults by their paths.

This is cattrs with detailed validation. It reads what `_quick` refused: documents with
faults, and those made of mappings that are no dicts. A list is read only until it has
more faults than are told, so that an answer that is wrong everywhere costs no more time
and memory than one that is wrong in some places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import TypeVar, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from fsxcopy_sdk._convert._leaves import PRIMITIVES, Mismatch, is_tuple, time_from_wire
from fsxcopy_sdk._convert._names import member_overrides, wire_name
from fsxcopy_sdk.enums import OpenEnum

_Model = TypeVar("_Model", bound=attrs.AttrsInstance)

FAULTY = (cattrs.BaseValidationError, ValueError)
"""What the converter raises for a document with faults."""

MAX_FAULTS = 20
"""How many faults of a document are told; more help no reader."""


@cache
def careful_converter() -> cattrs.Converter:
    """
    Make the one converter; hooks for a class are generated when it is first met.
    """
    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    converter.register_structure_hook_factory(is_tuple, _tuple_hook)
    converter.register_structure_hook(OpenEnum, _enum_from_wire)
    converter.register_structure_hook(datetime, time_from_wire)
    for primitive, name in PRIMITIVES.items():
        converter.register_structure_hook(primitive, _exactly(primitive, name))
    return converter


def faults(error: BaseException, path: str = "$") -> Iterator[str]:
    """
    Flatten what the converter found wrong into lines of path and reason.
    """
    if isinstance(error, cattrs.ClassValidationError):
        for inner, member in error.group_exceptions()[0]:
            yield from faults(inner, f"{path}.{wire_name(member.name)}")
    elif isinstance(error, cattrs.IterableValidationError):
        for inner, item in error.group_exceptions()[0]:
            yield from faults(inner, f"{path}[{item.index}]")
    elif isinstance(error, KeyError):
        yield f"{path}: required, but missing"
    else:
        yield f"{path}: {error}"


def _class_hook(
    cls: type[_Model], converter: cattrs.Converter
) -> Callable[[object, object], _Model]:
    generated = make_dict_structure_fn(cls, converter, **member_overrides(cls))

    def structure(value: object, _: object) -> _Model:
        if not isinstance(value, Mapping):
            raise Mismatch("an object", value)
        return generated({name: part for name, part in value.items() if part is not None}, cls)

    return structure


def _tuple_hook(
    type_: object, converter: cattrs.Converter
) -> Callable[[object, object], tuple[object, ...]]:
    item_type = get_args(type_)[0]
    hook = converter.get_structure_hook(item_type)

    def structure(value: object, _: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise Mismatch("a list", value)
        items, errors, found = [], [], 0
        for index, item in enumerate(value):
            try:
                items.append(hook(item, item_type))
            except FAULTY as error:
                error.add_note(cattrs.IterableValidationNote(f"Item {index}", index, item_type))
                errors.append(error)
                found += _count(error)
                if found > MAX_FAULTS:
                    break
        if errors:
            raise cattrs.IterableValidationError(f"While structuring {type_}", errors, tuple)
        return tuple(items)

    return structure


def _count(error: BaseException) -> int:
    """
    Return how many faults the converter found in one part of a document.
    """
    if isinstance(error, cattrs.BaseValidationError):
        return sum(map(_count, error.exceptions))
    return 1


def _exactly(primitive: type, name: str) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        # Not isinstance: a boolean is no integer on the wire.
        if type(value) is not primitive:
            raise Mismatch(name, value)
        return value

    return structure


def _enum_from_wire(value: object, enum: type[OpenEnum]) -> OpenEnum:
    if not isinstance(value, str):
        raise Mismatch("a string", value)
    return enum(value)

"""
From the wire to models with care: the second pass, which names every fault by its path.

This is cattrs as it comes, with detailed validation. It reads what `_quick` refused:
documents with faults, and those made of mappings that are no dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from types import GenericAlias
from typing import TypeVar, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from fsxcopy_sdk._convert._leaves import PRIMITIVES, Mismatch, is_tuple, time_from_wire
from fsxcopy_sdk._convert._names import member_overrides, wire_name
from fsxcopy_sdk.enums import OpenEnum

_Model = TypeVar("_Model", bound=attrs.AttrsInstance)

FAULTY = (cattrs.BaseValidationError, Mismatch)
"""What the converter raises for a document with faults."""


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
    elif isinstance(error, RecursionError):
        # A path as deep as that helps nobody; its beginning says where to look.
        yield f"{path:.80}...: nested too deeply"
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
    as_list = GenericAlias(list, get_args(type_)[:1])
    structure_list = converter.get_structure_hook(as_list)

    def structure(value: object, _: object) -> tuple[object, ...]:
        # cattrs takes anything that iterates, and so would split a string.
        if not isinstance(value, list):
            raise Mismatch("a list", value)
        return tuple(structure_list(value, as_list))

    return structure


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

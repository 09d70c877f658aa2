"""
From JSON to models at speed: the first pass, which takes only what is faultless.

A cattrs converter whose hook for a class is straight-line code, written here and
compiled when the class is first met. It has one line for each member,

    draft.owner_id = None if (part := get('OwnerId')) is None else PRESENT

where `None` is `()` for a list and `refuse()` for what must be there, and PRESENT is

    part if type(part) is str else refuse()     for texts, integers and booleans
    known_lifecycle[part]                       for enums
    to_volume(part, type_volume)                for all else: the hook of the member's type

A draft is a model that can still be written to; at the end it is made the model proper.
The `__init__` of a frozen class does each write by `object.__setattr__`, and that alone
took longer than everything here.

Whatever is not as expected is refused, and `_careful` says what it is and where.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, NoReturn, get_args

import attrs
import cattrs

from fsxcopy_sdk._convert._leaves import PRIMITIVES, is_tuple, time_from_wire
from fsxcopy_sdk._convert._names import wire_name
from fsxcopy_sdk.enums import OpenEnum
from fsxcopy_sdk.models import ResponseMetadata

REFUSALS = (TypeError, ValueError)
"""What the hooks raise; TypeError comes of a list or an object where an enum should be."""

_Hook = Callable[[Any, Any], Any]
"""A value and its type in, the converted value out: cattrs' own form."""


@cache
def quick_converter() -> cattrs.Converter:
    """
    Make the one converter; hooks are made when they are first needed.
    """
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    converter.register_structure_hook_factory(is_tuple, _tuple_hook)
    converter.register_structure_hook(OpenEnum, lambda value, enum: _known(enum)[value])
    converter.register_structure_hook(datetime, time_from_wire)
    for primitive in PRIMITIVES:
        converter.register_structure_hook(primitive, _exactly(primitive))
    return converter


def _class_hook(cls: type[attrs.AttrsInstance], converter: cattrs.Converter) -> _Hook:
    names: dict[str, Any] = {
        "Draft": _draft(cls),
        "Model": cls,
        "new": object.__new__,
        "refuse": _refuse,
    }
    attrs.resolve_types(cls)
    lines = [_line(field, names, converter) for field in attrs.fields(cls)]
    source = "\n    ".join(
        (
            "def structure(value, _):",
            "if type(value) is not dict: refuse()",
            "get = value.get",
            "draft = new(Draft)",
            *lines,
            "draft.__class__ = Model",
            "return draft",
        )
    )
    exec(compile(source, f"<quick {cls.__name__}>", "exec"), names)  # noqa: S102 - names of ours
    hook: _Hook = names["structure"]
    return hook


def _draft(cls: type[attrs.AttrsInstance]) -> type[attrs.AttrsInstance]:
    """
    Make a subclass that can be written to, and has the same layout in memory.

    Python lets an instance change between classes of one layout.
    """
    # Both, for they share a slot: with one of them left, writes stay slow.
    writing = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(f"{cls.__name__}Draft", (cls,), {"__slots__": (), **writing})


def _line(field: attrs.Attribute[Any], names: dict[str, Any], converter: cattrs.Converter) -> str:
    """
    Return the line that sets one member; what it refers to is added to *names*.
    """
    name, type_ = field.name, _without_none(field.type)
    if name == "metadata":  # is about the exchange, not in it
        names["metadata"] = ResponseMetadata()
        return "draft.metadata = metadata"
    if type_ in PRIMITIVES:
        present = f"part if type(part) is {type_.__name__} else refuse()"
    elif isinstance(type_, type) and issubclass(type_, OpenEnum):
        names[f"known_{name}"] = _known(type_)
        present = f"known_{name}[part]"
    else:
        names[f"type_{name}"] = type_
        names[f"to_{name}"] = _on_first_use(type_, f"to_{name}", names, converter)
        present = f"to_{name}(part, type_{name})"
    absent = "refuse()" if field.default is attrs.NOTHING else repr(field.default)
    return f"draft.{name} = {absent} if (part := get({wire_name(name)!r})) is None else {present}"


def _without_none(type_: Any) -> Any:
    return type_ if is_tuple(type_) else (get_args(type_) or (type_,))[0]


def _on_first_use(
    type_: object, name: str, names: dict[str, Any], converter: cattrs.Converter
) -> _Hook:
    """
    Make a hook that puts the right one in its place when it is called.

    Most documents have few of the classes, and some classes contain themselves.
    """

    def structure(value: object, _: object) -> object:
        names[name] = hook = converter.get_structure_hook(type_)
        return hook(value, type_)

    return structure


def _tuple_hook(type_: object, converter: cattrs.Converter) -> _Hook:
    item_type = get_args(type_)[0]
    hook = converter.get_structure_hook(item_type)

    def structure(value: object, _: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            _refuse()
        return tuple([hook(item, item_type) for item in value])

    return structure


def _exactly(primitive: type) -> _Hook:
    return lambda value, _: value if type(value) is primitive else _refuse()


class _Known(dict[str, OpenEnum]):
    """
    The values of an enum by their texts; one that is not among them is made each time.
    """

    def __init__(self, enum: type[OpenEnum]) -> None:
        super().__init__({value.value: value for value in enum})
        self._enum = enum

    def __missing__(self, text: object) -> OpenEnum:
        return self._enum(text) if isinstance(text, str) else _refuse()


_known = cache(_Known)


def _refuse() -> NoReturn:
    raise ValueError

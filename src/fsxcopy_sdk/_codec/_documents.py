"""
Write and read what leaves the package as JSON: plans, reports, outcomes, policies, requests.

All documents have one style:

* members have the service's names, and ours by the same rule: `keep_tag` is `KeepTag`;
* times are ISO 8601 in UTC, durations are numbers of seconds;
* enums of the service are its texts, and ours are the names of their members;
* pairs of texts are an object;
* what is absent is left out; a null is written only where it says more than absence does;
* secrets are masked, because documents go to logs: what no repr shows is `HIDDEN`;
* `Version` is at the top.

Reading finds all errors at once, with their paths. It refuses members that it does not know,
because a misspelt one would change what is kept and what is deleted.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from functools import cache
from itertools import islice
from types import NoneType
from typing import Any, Final, TypeVar, get_args

import attrs
import cattrs

from fsxcopy_sdk._codec._wire import (
    MAX_ERROR_PATHS,
    Hook,
    InvalidMembers,
    InvalidValue,
    configure,
    error_texts,
    is_tuple,
    wire_name,
    wrong_type,
)
from fsxcopy_sdk._validation import invalid, shown
from fsxcopy_sdk.errors import DOCUMENT_VERSION, FsxCopyError, InvalidArguments

_Read = TypeVar("_Read", bound=attrs.AttrsInstance)

HIDDEN: Final = "(not shown)"
"""What documents have in place of a secret."""

NOT_IN_DOCUMENTS: Final = {"not in documents": True}
"""The metadata of a member that means nothing in another process."""

Pairs = tuple[tuple[str, str], ...]

_UNCHECKED = (str, int, float, bool)
"""Members of these types are left to the class if it checks itself."""

_AFTER_NAME = re.compile(r"[:.\[]")


@attrs.frozen
class Document:
    """What leaves the package as JSON."""

    def to_dict(self) -> dict[str, object]:
        """
        Return this as JSON-able data, with `Version` at the top.

        Members have the service's names, or names in its style; times are ISO 8601 in UTC,
        durations numbers of seconds. What is absent is left out, and secrets are masked.
        """
        return {"Version": DOCUMENT_VERSION, **to_members(self)}


@attrs.frozen
class Outcome(Document):
    """What became of something; its document names the class as `Outcome`."""


def to_members(value: attrs.AttrsInstance) -> dict[str, object]:
    """Return *value* as it is inside another document, so without a version."""
    members: dict[str, object] = _converter().unstructure(value)
    return members


def from_document(
    cls: type[_Read], document: Mapping[str, object], *, ignored: Collection[str] = ()
) -> _Read:
    """
    Make an instance of *cls* from what its `to_dict` returned.

    A document without a version is taken for one of this version. The members *ignored* may
    be there, and are not read.

    Raises:
        InvalidArguments: *document* has errors; at most twenty are reported, with paths.
    """
    members: object = document
    if isinstance(document, Mapping):
        version = document.get("Version", DOCUMENT_VERSION)
        if type(version) is not int or version != DOCUMENT_VERSION:
            rule = f"{DOCUMENT_VERSION}, the only version that this release reads"
            raise invalid("$.Version", rule, shown(version))
        members = {
            name: value for name, value in document.items() if name not in ("Version", *ignored)
        }
    try:
        return _converter().structure(members, cls)
    except (cattrs.BaseValidationError, InvalidValue) as error:
        raise refused(error_texts(error)) from error


def refused(errors: Iterable[str]) -> InvalidArguments:
    """Return the exception for *errors*; it reports at most twenty of them."""
    texts = list(islice(errors, MAX_ERROR_PATHS + 1))
    if len(texts) > MAX_ERROR_PATHS:
        texts[MAX_ERROR_PATHS:] = ["and more"]
    return InvalidArguments("; ".join(texts), tuple(texts))


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    configure(converter)
    converter.register_unstructure_hook_factory(attrs.has, _write_class)
    converter.register_unstructure_hook(FsxCopyError, _write_error)
    converter.register_unstructure_hook_func(lambda type_: type_ == Pairs, dict)
    converter.register_unstructure_hook(StrEnum, lambda member: member.name)
    converter.register_structure_hook_factory(attrs.has, _read_class)
    converter.register_structure_hook_func(lambda type_: type_ == Pairs, read_pairs)
    converter.register_structure_hook(StrEnum, _read_name)
    converter.register_structure_hook(float, read_number)
    return converter


def _write_class(cls: type[attrs.AttrsInstance], converter: cattrs.Converter) -> Any:
    attrs.resolve_types(cls)
    fields = [
        (field, wire_name(field.name))
        for field in attrs.fields(cls)
        if field.metadata != NOT_IN_DOCUMENTS
    ]

    def unstructure(instance: object) -> dict[str, object]:
        members: dict[str, object] = {}
        if isinstance(instance, Outcome):
            members["Outcome"] = cls.__name__
        for field, name in fields:
            value = getattr(instance, field.name)
            if not _is_absent(value, field):
                written = converter.unstructure(value, unstructure_as=field.type)
                members[name] = written if field.repr else HIDDEN
        return members

    return unstructure


def _is_absent(value: object, field: attrs.Attribute[Any]) -> bool:
    """Whether *value* is empty and is also the default for an absent member."""
    unsaid = None if field.default is attrs.NOTHING else field.default
    return value in (None, (), "") and value == unsaid


def _write_error(error: FsxCopyError) -> dict[str, object]:
    members = error.to_dict()
    del members["Version"]
    return members


def _read_class(cls: type[_Read], converter: cattrs.Converter) -> Hook:
    return class_hook(cls, converter, wire_name, _no_guess, _UNCHECKED)


def _no_guess(_: str, __: Collection[str]) -> str:
    return ""


def class_hook(
    cls: type[_Read],
    converter: cattrs.Converter,
    name_of: Callable[[str], str],
    guess: Callable[[str, Collection[str]], str],
    unchecked: Collection[object],
) -> Hook:
    """
    Make a hook that reads an object into *cls* and finds all of its errors at once.

    *name_of* returns the name of a member, *guess* the known name that an unknown one may mean.
    Members of a type in *unchecked* are not checked if the class checks itself.
    """
    attrs.resolve_types(cls)
    fields = {name_of(field.name): field for field in attrs.fields(cls)}
    left_to_class = unchecked if hasattr(cls, "__attrs_post_init__") else ()

    def structure(value: object, _: object) -> _Read:
        if not isinstance(value, Mapping):
            raise wrong_type("an object", value)
        texts = [_unknown(name, guess, fields) for name in value if name not in fields]
        given: dict[str, Any] = {}
        wrong = set()
        for name, field in fields.items():
            try:
                given |= _read_member(field, value, name, converter, left_to_class)
            except (cattrs.BaseValidationError, InvalidValue) as error:
                texts += error_texts(error, f".{name}")
                wrong.add(field.name)
                if field.default is attrs.NOTHING:
                    given[field.name] = None
        # A class that checks itself finds more errors, as far as its members can be read.
        if texts and not left_to_class:
            raise InvalidMembers(texts)
        try:
            made = cls(**given)
        except InvalidArguments as error:
            texts += _broken_rules(error, wrong, name_of)
        if texts:
            raise InvalidMembers(texts)
        return made

    return structure


def _unknown(
    name: object, guess: Callable[[str, Collection[str]], str], known: Collection[str]
) -> str:
    """Return the path of a member that is not known, and what is wrong with it."""
    path, meant = f"[{shown(name)}]", ""
    if isinstance(name, str):
        path, meant = f".{name:.80}", guess(name, known)
    return f"{path}: must not be there: no such member is known{meant}"


def _read_member(
    field: attrs.Attribute[Any],
    value: Mapping[object, object],
    name: str,
    converter: cattrs.Converter,
    left_to_class: Collection[object],
) -> dict[str, object]:
    """Return the argument for one member, or none to use its default."""
    part = value.get(name)
    type_: Any = field.type
    is_optional = not is_tuple(type_) and NoneType in get_args(type_)
    if part is None:
        if is_optional and (name in value or field.default is attrs.NOTHING):
            return {field.name: None}
        if field.default is attrs.NOTHING:
            raise InvalidValue("required, but missing")
        return {}
    if is_optional:
        type_ = next(one for one in get_args(type_) if one is not NoneType)
    if type_ in left_to_class:
        return {field.name: part}
    return {field.name: converter.structure(part, type_)}


def _broken_rules(
    error: InvalidArguments, wrong: Collection[str], name_of: Callable[[str], str]
) -> list[str]:
    """Return the texts of a class that checked itself, those of *wrong* members aside."""
    named = [(_AFTER_NAME.split(text, maxsplit=1)[0], text) for text in error.errors]
    return [
        f".{name_of(name)}{text.removeprefix(name)}" for name, text in named if name not in wrong
    ]


def read_pairs(value: object, _: object) -> tuple[tuple[object, object], ...]:
    if not isinstance(value, Mapping):
        raise wrong_type("an object", value)
    return tuple(value.items())


def _read_name(value: object, enum: type[StrEnum]) -> StrEnum:
    if not isinstance(value, str) or value not in enum.__members__:
        raise InvalidValue(f"must be one of {', '.join(enum.__members__)}, not {shown(value)}")
    return enum[value]


def read_number(value: object, _: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("a number", value)
    # Compared, not converted, because the largest integers do not fit into a float.
    if not abs(value) <= sys.float_info.max:
        raise InvalidValue(f"must be a finite number, not {shown(value)}")
    return float(value)

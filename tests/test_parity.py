"""
Compare the classes of this package with botocore's model of the service, both ways.

Both sides are written as the lines that declare them, so a difference is the line to add
or to remove.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

import attrs
import pytest
import service_model
from botocore.model import (  # type: ignore[import-untyped]  # botocore ships no types
    ListShape,
    Shape,
    StructureShape,
)

from fsxcopy_sdk import BackupFilter, enums, errors, models
from fsxcopy_sdk._codec import wire_name

_SCALARS = {
    "boolean": "bool",
    "integer": "int",
    "long": "int",
    "string": "str",
    "timestamp": "datetime",
}

_OTHER_NAMES = {"Filter": "BackupFilter"}
"""Structures with a name of our own: `Filter` is too general beside other packages."""

_OURS_ALONE = {
    "errors.AccessDenied": "a family of codes that the model does not have",
    "errors.ClockSkewed": "the same",
    "errors.ExpiredCredentials": "the same",
    "errors.InvalidCredentials": "the same",
    "errors.ServiceUnavailable": "the same",
    "errors.Throttled": "the same",
    "models.CopyBackupResponse.metadata: ResponseMetadata": "describes the exchange",
    "models.DeleteBackupResponse.metadata: ResponseMetadata": "the same",
    "models.DescribeBackupsResponse.metadata: ResponseMetadata": "the same",
    "models.ResponseMetadata": "the same",
    "models.ResponseMetadata.attempts: int": "the same",
    "models.ResponseMetadata.date: datetime | None = None": "the same",
    "models.ResponseMetadata.http_status: int": "the same",
    "models.ResponseMetadata.request_id: str | None = None": "the same",
    "models.DescribeBackupsResponse.unreadable: tuple[UnreadableBackup, ...] = ()": (
        "describes the reading of the answer"
    ),
    "models.UnreadableBackup": "the same",
    "models.UnreadableBackup.backup_id: str | None = None": "the same",
    "models.UnreadableBackup.error_paths: tuple[str, ...]": "the same",
    "models.UnreadableBackup.is_copy: bool | None = None": "the same",
    "models.UnreadableBackup.resource_id: str | None = None": "the same",
    "models.UnreadableBackup.source_backup_id: str | None = None": "the same",
}
"""Lines without a counterpart in the service's model, with the reason."""

# `service_model` lists further deviations, in what is required. Members of errors are always
# optional here, because an error without them is still that error.


def _modelled() -> list[Shape]:
    """Return the shapes that this package has classes for."""
    inputs = (service_model.shape("Tag"), service_model.shape("Filter"))
    limit = service_model.shape("ServiceLimit")
    return [*service_model.answered(), *service_model.walk(*inputs, limit)]


def _our_name(shape: Shape) -> str:
    name: str = shape.name
    return _OTHER_NAMES.get(name, name)


def _type_in_model(shape: Shape) -> str:
    if isinstance(shape, StructureShape) or service_model.is_enum(shape):
        return _our_name(shape)
    if isinstance(shape, ListShape):
        return f"tuple[{_type_in_model(shape.member)}, ...]"
    return _SCALARS.get(shape.type_name, f"<{shape.type_name}: unknown>")


def _type_in_class(hint: object) -> str:
    arguments = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return " | ".join(
            "None" if one is type(None) else _type_in_class(one) for one in arguments
        )
    if get_origin(hint) is tuple:
        return f"tuple[{_type_in_class(arguments[0])}, ...]"
    return hint.__name__ if isinstance(hint, type) else repr(hint)


def _lines_of_structure(shape: StructureShape) -> Iterator[str]:
    owner = f"models.{_our_name(shape)}"
    yield owner
    for name, member in shape.members.items():
        line = f"{owner}.{service_model.member_name(name)}: {_type_in_model(member)}"
        if service_model.requires(shape, name):
            yield line
        else:
            yield f"{line} = ()" if isinstance(member, ListShape) else f"{line} | None = None"


def _lines_of_enum(name: str, values: dict[str, str]) -> Iterator[str]:
    yield f"enums.{name}"
    for member, value in values.items():
        yield f"enums.{name}.{member} = {value!r}"


def _lines_of_error(shape: StructureShape) -> Iterator[str]:
    yield f"errors.{shape.name}"
    for name, member in shape.members.items():
        if name != "Message":
            line = f"errors.{shape.name}.{service_model.member_name(name)}"
            yield f"{line}: {_type_in_model(member)} | None = None"


def _lines_in_model() -> set[str]:
    lines: set[str] = set()
    for shape in _modelled():
        if isinstance(shape, StructureShape):
            lines.update(_lines_of_structure(shape))
        elif service_model.is_enum(shape):
            values = {value.upper().replace("-", "_"): value for value in shape.enum}
            lines.update(_lines_of_enum(shape.name, values))
    for shape in service_model.error_shapes():
        lines.update(_lines_of_error(shape))
    return lines


def _lines_of_class(
    module: str, cls: type[attrs.AttrsInstance], inherited: frozenset[str] = frozenset()
) -> Iterator[str]:
    owner = f"{module}.{cls.__name__}"
    yield owner
    hints = get_type_hints(cls)
    for field in attrs.fields(cls):
        if field.name in inherited:
            continue
        line = f"{owner}.{field.name}: {_type_in_class(hints[field.name])}"
        plain = field.default is None or field.default == ()
        yield f"{line} = {field.default}" if plain else line


def _service_errors() -> list[type[errors.ServiceError]]:
    classes = [getattr(errors, name) for name in errors.__all__]
    return [
        cls
        for cls in classes
        if issubclass(cls, errors.ServiceError) and cls is not errors.ServiceError
    ]


def _lines_in_classes() -> set[str]:
    lines: set[str] = set()
    for cls in (*(getattr(models, name) for name in models.__all__), BackupFilter):
        lines.update(_lines_of_class("models", cls))
    for name in enums.__all__:
        if name != "OpenEnum":
            values = {one.name: one.value for one in getattr(enums, name)}
            lines.update(_lines_of_enum(name, values))
    base = frozenset(attrs.fields_dict(errors.ServiceError))
    for cls in _service_errors():
        lines.update(_lines_of_class("errors", cls, base))
    return lines


def _fields_below(cls: type[attrs.AttrsInstance]) -> dict[str, list[type]]:
    """Return the classes below *cls* and itself, each with the types of its members."""
    found: dict[str, list[type]] = {}
    waiting: list[type[attrs.AttrsInstance]] = [cls]
    while waiting:
        current = waiting.pop()
        if current.__name__ in found:
            continue
        hints = [hint for name, hint in get_type_hints(current).items() if name != "metadata"]
        leaves = [leaf for hint in hints for leaf in (get_args(hint) or (hint,))]
        types = [leaf for leaf in leaves if isinstance(leaf, type) and leaf is not type(None)]
        found[current.__name__] = types
        waiting.extend(one for one in types if attrs.has(one))
    return found


def test_classes_lack_nothing_of_the_model() -> None:
    """Everything that the installed botocore has is in this package."""
    to_add = sorted(_lines_in_model() - _lines_in_classes())

    assert [] == to_add, "\n".join(["to add:", *to_add])


@pytest.mark.skipif(
    service_model.INSTALLED < service_model.WRITTEN_FROM,
    reason="the installed botocore is older than the one that the models were written from",
)
def test_classes_have_nothing_more_than_the_model() -> None:
    """Everything in this package is in the service's model, or in the table."""
    to_remove = sorted(_lines_in_classes() - _lines_in_model() - set(_OURS_ALONE))

    assert [] == to_remove, "\n".join(["to remove:", *to_remove])


def test_table_of_our_own_lines_is_exact() -> None:
    """The lines of the table exist here and not in the service's model."""
    assert set() == set(_OURS_ALONE) - _lines_in_classes()
    assert set() == set(_OURS_ALONE) & _lines_in_model()


@pytest.mark.parametrize(("structure", "member"), service_model.OPTIONAL_HERE)
def test_optional_here_is_still_required_there(structure: str, member: str) -> None:
    """A member that is optional only in this package is required in the model."""
    assert member in service_model.shape(structure).required_members


@pytest.mark.parametrize(("structure", "member"), service_model.REQUIRED_HERE)
def test_required_here_is_still_optional_there(structure: str, member: str) -> None:
    """A member that only this package requires is optional in the model."""
    assert member not in service_model.shape(structure).required_members


def test_number_of_structures() -> None:
    """A CopyBackup answer is made of 42 structures."""
    assert 42 == len(_fields_below(models.CopyBackupResponse))


def test_number_of_members() -> None:
    """The structures of a CopyBackup answer have 240 members."""
    members = [
        field.name
        for name in _fields_below(models.CopyBackupResponse)
        for field in attrs.fields(getattr(models, name))
        if field.name != "metadata"
    ]

    assert 240 == len(members)


def test_number_of_enums() -> None:
    """A CopyBackup answer has members of 40 enums."""
    types = {one for types in _fields_below(models.CopyBackupResponse).values() for one in types}

    assert 40 == len([one for one in types if issubclass(one, enums.OpenEnum)])


def test_types_are_of_a_known_kind() -> None:
    """Members of a CopyBackup answer are strings, integers, booleans, times, enums, models."""
    types = {one for types in _fields_below(models.CopyBackupResponse).values() for one in types}
    others = {one for one in types if not attrs.has(one) and not issubclass(one, enums.OpenEnum)}

    assert {str, int, bool, datetime} == others


def _wire_names() -> list[str]:
    structures = [shape for shape in _modelled() if isinstance(shape, StructureShape)]
    return sorted({name for shape in structures for name in shape.members})


@pytest.mark.parametrize("wire", _wire_names())
def test_wire_names(wire: str) -> None:
    """Our name of a member is converted back to the service's own name."""
    assert wire == wire_name(service_model.member_name(wire))


def test_members_of_errors_are_what_their_conversion_knows() -> None:
    """A member of another type or name needs a line in `_error_mapping.service_error`."""
    members = [
        (name, _type_in_model(member))
        for shape in service_model.error_shapes()
        for name, member in shape.members.items()
        if name != "Message"
    ]
    regular = {
        name: service_model.member_name(name).title().replace("_", "") for name, _ in members
    }

    assert {name: name for name in regular} == regular
    assert {("Limit", "ServiceLimit")} == {(name, of) for name, of in members if of != "str"}


def test_modelled_errors_are_named_like_their_codes() -> None:
    """The class of a modelled error has the name of its code."""
    modelled = {shape.name for shape in service_model.error_shapes()}
    ours = {line.removeprefix("errors.") for line in _OURS_ALONE if line.startswith("errors.")}

    assert sorted(modelled | ours) == sorted(cls.__name__ for cls in _service_errors())

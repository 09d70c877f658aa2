"""The JSON Schema of the file, made from the classes that it is read into and their docstrings."""

from __future__ import annotations

import ast
import inspect
from importlib.resources import files
from itertools import pairwise
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

import attrs

from fsxcopy_sdk._validation import DURATION_PATTERN, BackupFilter
from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.fleet._fleet import FleetFile

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_SCALARS: Final[dict[object, dict[str, object]]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 1},
    str: {"type": "string"},
}
"""All numbers in the file are counts."""

_DURATION: Final = {
    "description": "Seconds, or a text such as 90s, 15m, 8h or 30d.",
    "oneOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": f"^{DURATION_PATTERN}$"},
    ],
}
_TAGS: Final = {"type": "object", "additionalProperties": {"type": "string"}}
_ONE_OR_MORE: Final = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}
_FILTERS: Final = {
    "type": "object",
    "properties": {name.value: _ONE_OR_MORE for name in FilterName},
    "additionalProperties": False,
}
_NAMED: Final[dict[object, tuple[str, object]]] = {
    float: ("Duration", _DURATION),
    tuple[BackupFilter, ...]: ("Filters", _FILTERS),
    tuple[tuple[str, str], ...]: ("Tags", _TAGS),
}
"""What is not written as it is kept."""


def fleet_schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of a file of policies, for editors."""
    definitions: dict[str, object] = {}
    root = _object(FleetFile, definitions)
    return {"$schema": _DIALECT, "title": "fsxcopy.toml", **root, "$defs": definitions}


def fleet_example() -> str:
    """Return an example of the file, with comments."""
    return files(__package__).joinpath("example.toml").read_text("utf-8")


def _object(cls: type[attrs.AttrsInstance], definitions: dict[str, object]) -> dict[str, object]:
    """Return the schema of a table that is read into *cls*, and define what it refers to."""
    attrs.resolve_types(cls)
    docs = _docstrings(cls)
    properties: dict[str, object] = {}
    required: list[str] = []
    for field in attrs.fields(cls):
        schema: dict[str, object] = {"description": docs[field.name]}
        schema |= _value(field.type, definitions) | field.metadata.get("schema", {})
        if field.default is attrs.NOTHING:
            required.append(field.name)
        elif field.type is float:
            # As a file has it, and not as the seconds that it is read into.
            schema["default"] = f"{field.default / 3600:g}h"
        elif isinstance(field.default, bool | int | float | str):
            schema["default"] = field.default
        properties[field.name] = schema
    text = inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]
    return {
        "description": text,
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _value(type_: Any, definitions: dict[str, object]) -> dict[str, object]:
    """Return the schema of a value."""
    if type_ in _SCALARS:
        return dict(_SCALARS[type_])
    if type_ in _NAMED:
        name, schema = _NAMED[type_]
        definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}
    if get_args(type_):
        return _generic(type_, definitions)
    definitions[type_.__name__] = _object(type_, definitions)
    return {"$ref": f"#/$defs/{type_.__name__}"}


def _generic(type_: Any, definitions: dict[str, object]) -> dict[str, object]:
    """Return the schema of a list, of a choice, or of what may be left out."""
    options = [one for one in get_args(type_) if one is not NoneType]
    if get_origin(type_) is tuple:
        return {"type": "array", "items": _value(options[0], definitions)}
    if get_origin(type_) is Literal:
        return {"enum": options}
    schemas = [_value(one, definitions) for one in options]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _docstrings(cls: type) -> dict[str, str]:
    """Return the strings below the attributes of *cls* and of what it inherits from."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__[:-1]):
        tree = ast.parse(inspect.getsource(one))
        body = next(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
        for field, text in pairwise(body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str() as doc)),
                ):
                    found[name] = " ".join(doc.split())
    return found

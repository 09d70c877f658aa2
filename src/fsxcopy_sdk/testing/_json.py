"""
The JSON of the protocol, typed: what a request, an answer or a backup is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypedDict, cast

JsonValue: TypeAlias = (
    bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
)
"""Whatever may stand in a JSON document."""

Document: TypeAlias = dict[str, JsonValue]
"""A JSON object under the service's own member names."""


class Tag(TypedDict):
    """
    One tag, as the wire has it.
    """

    Key: str
    Value: str


def member(document: JsonValue, *path: str) -> JsonValue:
    """
    Return the value at *path* below *document*, None where there is none.
    """
    value = document
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text_member(document: JsonValue, *path: str) -> str | None:
    """
    Return the text at *path* below *document*, None where there is none.
    """
    value = member(document, *path)
    return value if isinstance(value, str) else None


def tags_of(document: Document) -> list[Tag]:
    """
    Return the tags of *document*, an empty list where it has none.
    """
    return cast("list[Tag]", document.get("Tags") or [])


def with_tags(document: Document, tags: list[Tag]) -> Document:
    """
    Return *document* with *tags*, without the member where there are none.
    """
    rest = {name: value for name, value in document.items() if name != "Tags"}
    return {**rest, "Tags": cast("JsonValue", tags)} if tags else rest

"""
What callers of the conversion use: documents in, models or one exception out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

import attrs
import orjson

from fsxcopy_sdk import models
from fsxcopy_sdk._convert._careful import FAULTY, MAX_FAULTS, careful_converter, faults
from fsxcopy_sdk._convert._leaves import shown
from fsxcopy_sdk._convert._plain import plain_converter
from fsxcopy_sdk._convert._quick import REFUSALS, quick_converter
from fsxcopy_sdk.errors import InvalidArguments, ResponseDecodingError
from fsxcopy_sdk.models import (
    CopyBackupResponse,
    DeleteBackupResponse,
    DescribeBackupsResponse,
    ResponseMetadata,
)

_Model = TypeVar("_Model", bound=attrs.AttrsInstance)
# By identity: what a caller gives as a class may have no hash.
_MODELS = frozenset(id(getattr(models, name)) for name in models.__all__)
_Response = TypeVar("_Response", CopyBackupResponse, DescribeBackupsResponse, DeleteBackupResponse)

MAX_BODY = 64 * 1024 * 1024
"""
Bytes of a body that are parsed.

A page has at most 50 backups. With every member present they have 0.8 MB (the dense page of
`benchmarks/peers`), so a body of this size is not the service's.
"""

MAX_DEPTH = 32
"""
Objects and lists of a document that may lie within each other, in unknown members too.

A DescribeBackups answer has 13 levels at most in which no structure lies within one of its
own kind (botocore's service model 1.43.117). Each administrative action within another adds
three, so there may be seven.
"""

_MAX_PATH = 80
_MAX_MESSAGE = 4000
"""Characters of a path to what is nested too deeply, and of the text of an error."""

_NESTING = (dict, list, Mapping)
_FLAT = frozenset((str, int, float, bool, type(None)))  # found faster than `_NESTING`
_MANY_PARTS = 10_000


@attrs.frozen(kw_only=True)
class RawResponse:
    """
    A success as it was received.
    """

    operation: str
    payload: bytes | Mapping[str, object]
    """The body, or what botocore parsed where the body was not to be had."""
    metadata: ResponseMetadata


def from_dict(cls: type[_Model], data: Mapping[str, object]) -> _Model:
    """
    Make a model from a dict under the service's names.

    *data* may be parsed JSON, what botocore or aiobotocore returned, or what
    `to_dict` gave.

    Raises:
        InvalidArguments: *cls* is not one of this package's models.
        ResponseDecodingError: with the paths of the faults in *data*, twenty at most.
    """
    if id(cls) not in _MODELS:
        raise _no_model("cls", "a model", cls)
    return _structure(cls, data)


def to_dict(model: attrs.AttrsInstance) -> dict[str, object]:
    """
    Return *model* as plain JSON-able data under the service's own names.

    Times are epoch seconds, as on the wire. What is absent is left out, empty lists
    included. Secrets such as `FsxAdminPassword` are kept: mind where it is printed.

    Raises:
        InvalidArguments: *model* is not an instance of a model.
    """
    if id(type(model)) not in _MODELS:
        raise _no_model("model", "an instance of a model", model)
    data: dict[str, object] = plain_converter().unstructure(model)
    return data


def parse_response(cls: type[_Response], answer: RawResponse) -> _Response:
    """
    Make the response class *cls* from what the service answered.

    Raises:
        ResponseDecodingError: with the paths of the faults, twenty at most, and the
            payload; the body has more than 64 MiB; or it is nested too deeply.
    """
    response = _structure(cls, _document(answer), answer)
    return attrs.evolve(response, metadata=answer.metadata)


def _document(answer: RawResponse) -> object:
    body = answer.payload
    if not isinstance(body, bytes):
        return body
    if len(body) > MAX_BODY:
        raise _undecodable([f"$: {len(body)} bytes, more than {MAX_BODY}"], body, answer)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # "depth limit exceeded", or "recursion depth exceeded": orjson reads 1024 levels.
        if "depth" in error.msg:
            raise _undecodable([_too_deep("$")], body, answer) from error
        fault = f"$: not JSON: {error}" if body else "$: empty"
        garbled = _undecodable([fault], body, answer)
        garbled.is_malformed = True
        raise garbled from error


def _structure(cls: type[_Model], document: object, answer: RawResponse | None = None) -> _Model:
    if _is_deeper(document, MAX_DEPTH):
        payload = answer.payload if answer else document  # as it is: it may contain itself
        raise _undecodable([_too_deep(_deep_path(document))], payload, answer)
    with suppress(*REFUSALS):
        return quick_converter().structure(document, cls)
    try:
        return careful_converter().structure(document, cls)
    except FAULTY as error:
        payload = answer.payload if answer else _plain(document)
        raise _undecodable(faults(error), payload, answer) from error


def _undecodable(
    lines: Iterable[str], payload: object, answer: RawResponse | None
) -> ResponseDecodingError:
    found = tuple(islice(lines, MAX_FAULTS + 1))
    told = found[:MAX_FAULTS]
    text = "; ".join(told if told == found else (*told, "and more"))
    if len(text) > _MAX_MESSAGE:
        text = f"{text[:_MAX_MESSAGE]}..."
    return ResponseDecodingError(
        f"The answer cannot be read: {text}",
        operation=answer.operation if answer else None,
        attempts=answer.metadata.attempts if answer else 1,
        request_id=answer.metadata.request_id if answer else None,
        http_status=answer.metadata.http_status if answer else None,
        error_paths=told,
        payload=payload,
    )


def _is_deeper(document: object, levels: int) -> bool:
    """
    Whether more than so many objects and lists lie within each other.

    Every document is checked, so this is written for speed: it takes a sixth of the time of
    reading (`timeit`, on a page of backups like the service's example).
    """
    level = [document] if isinstance(document, _NESTING) else []
    for _ in range(levels):
        level = [
            part
            for whole in level
            for part in (whole if isinstance(whole, list) else whole.values())
            if type(part) not in _FLAT and isinstance(part, _NESTING)
        ]
        if not level:
            return False
        # The data of a user may contain one part many times, or itself.
        if len(level) > _MANY_PARTS:
            level = list({id(part): part for part in level}.values())
    return True


def _deep_path(document: object) -> str:
    """
    Return the beginning of a path to what is nested too deeply.
    """
    path: str = "$"
    whole: Any = document
    for levels in reversed(range(MAX_DEPTH)):
        is_list = isinstance(whole, list)
        parts = enumerate(whole) if is_list else whole.items()
        name, whole = next((name, part) for name, part in parts if _is_deeper(part, levels))
        path += f"[{name}]" if is_list else f".{name!s:.{_MAX_PATH}}"
    return path[:_MAX_PATH]


def _too_deep(path: str) -> str:
    return f"{path}...: nested too deeply"


def _plain(data: object) -> object:
    # Mappings of other kinds may not pickle, and an error that holds them neither.
    if isinstance(data, Mapping):
        return {name: _plain(value) for name, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


def _no_model(name: str, rule: str, found: object) -> InvalidArguments:
    fault = f"{name}: must be {rule}, not {shown(found)}"
    return InvalidArguments(fault, (fault,))

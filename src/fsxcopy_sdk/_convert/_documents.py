"""
What callers of the conversion use: documents in, models or one exception out.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TypeVar

import attrs
import orjson

from fsxcopy_sdk import models
from fsxcopy_sdk._convert._careful import FAULTY, careful_converter, faults
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
_MODELS = frozenset(getattr(models, name) for name in models.__all__)
_Response = TypeVar("_Response", CopyBackupResponse, DescribeBackupsResponse, DeleteBackupResponse)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Answer:
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
        ResponseDecodingError: with the path of every fault in *data*.
    """
    if cls not in _MODELS:
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
    if type(model) not in _MODELS:
        raise _no_model("model", "an instance of a model", model)
    data: dict[str, object] = plain_converter().unstructure(model)
    return data


def from_answer(cls: type[_Response], answer: Answer) -> _Response:
    """
    Make the response class *cls* from what the service answered.

    Raises:
        ResponseDecodingError: with the path of every fault, and the payload.
    """
    response = _structure(cls, _document(answer), answer)
    return attrs.evolve(response, metadata=answer.metadata)


def _document(answer: Answer) -> object:
    if not isinstance(answer.payload, bytes):
        return answer.payload
    try:
        return orjson.loads(answer.payload)
    except orjson.JSONDecodeError as error:
        fault = f"$: not JSON: {error}" if answer.payload else "$: empty"
        garbled = _undecodable((fault,), answer.payload, answer)
        garbled.is_garbled = True
        raise garbled from error


def _structure(cls: type[_Model], document: object, answer: Answer | None = None) -> _Model:
    with suppress(*REFUSALS):
        return quick_converter().structure(document, cls)
    try:
        return careful_converter().structure(document, cls)
    except FAULTY as error:
        payload = answer.payload if answer else document
        raise _undecodable(tuple(faults(error)), payload, answer) from error


def _undecodable(
    lines: tuple[str, ...], payload: object, answer: Answer | None
) -> ResponseDecodingError:
    return ResponseDecodingError(
        f"The answer cannot be read: {'; '.join(lines)}",
        operation=answer.operation if answer else None,
        attempts=answer.metadata.attempts if answer else 1,
        request_id=answer.metadata.request_id if answer else None,
        http_status=answer.metadata.http_status if answer else None,
        faults=lines,
        payload=payload if answer else _picklable(payload),
    )


def _picklable(data: object) -> object:
    # Mappings of other kinds may not pickle, and an error that holds them neither.
    try:
        return _plain(data)
    except RecursionError:  # what is nested that deeply does not pickle anyway
        return data


def _plain(data: object) -> object:
    if isinstance(data, Mapping):
        return {name: _plain(value) for name, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


def _no_model(name: str, rule: str, found: object) -> InvalidArguments:
    fault = f"{name}: must be {rule}, not {found!r:.80}"
    return InvalidArguments(fault, (fault,))

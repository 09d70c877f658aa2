"""
Between the wire and the models; the only module that knows cattrs.

The models know nothing of the wire. What differs is said here, once:

* names: `backup_id` is `BackupId`, by rule, but for the irregular ones;
* times: the wire has epoch seconds, their text, or ISO 8601; the models have
  aware datetimes in UTC; `to_dict` gives epoch seconds;
* absence: a missing member and a null are the same;
* types are checked, never coerced; members that no model has are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from types import GenericAlias
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
import orjson
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from fsxcopy_sdk import models
from fsxcopy_sdk.enums import OpenEnum
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

# Names that do not come back by capitalising each word. A table of acronyms would be
# wrong: the service has both DNSName and DnsIps.
_IRREGULAR_NAMES = {
    "dns_name": "DNSName",
    "ha_pairs": "HAPairs",
    "open_zfs_configuration": "OpenZFSConfiguration",
    "resource_arn": "ResourceARN",
    "snapshot_arn": "SnapshotARN",
    "source_snapshot_arn": "SourceSnapshotARN",
    "throughput_capacity_per_ha_pair": "ThroughputCapacityPerHAPair",
    "uuid": "UUID",
}


@attrs.frozen(kw_only=True)
class Answer:
    """
    A success as it was received.
    """

    operation: str
    payload: bytes | Mapping[str, object]
    """The body, or what botocore parsed where the body was not to be had."""
    metadata: ResponseMetadata


def wire_name(name: str) -> str:
    """
    Return the service's name of the member that a model calls *name*.
    """
    return _IRREGULAR_NAMES.get(name) or "".join(word.capitalize() for word in name.split("_"))


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
    return _structure(cls, data, payload=_plain(data))


def _no_model(name: str, rule: str, found: object) -> InvalidArguments:
    fault = f"{name}: must be {rule}, not {found!r:.80}"
    return InvalidArguments(fault, (fault,))


def _plain(data: object) -> object:
    # Mappings of other kinds may not pickle, and an error that holds them neither.
    if isinstance(data, Mapping):
        return {name: _plain(value) for name, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


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
    data: dict[str, object] = _converter().unstructure(model)
    return data


def from_answer(cls: type[_Response], answer: Answer) -> _Response:
    """
    Make the response class *cls* from what the service answered.

    Raises:
        ResponseDecodingError: with the path of every fault, and the payload.
    """
    document: object = answer.payload
    if isinstance(answer.payload, bytes):
        try:
            document = orjson.loads(answer.payload)
        except orjson.JSONDecodeError as error:
            fault = f"$: not JSON: {error}" if answer.payload else "$: empty"
            raise _undecodable((fault,), answer.payload, answer) from error
    response = _structure(cls, document, answer.payload, answer)
    return attrs.evolve(response, metadata=answer.metadata)


def _structure(
    cls: type[_Model], document: object, payload: object, answer: Answer | None = None
) -> _Model:
    try:
        return _converter().structure(document, cls)
    except (cattrs.BaseValidationError, _Mismatch) as error:
        raise _undecodable(tuple(_faults(error, "$")), payload, answer) from error


def _undecodable(
    faults: tuple[str, ...], payload: object, answer: Answer | None
) -> ResponseDecodingError:
    return ResponseDecodingError(
        f"The answer cannot be read: {'; '.join(faults)}",
        operation=answer.operation if answer else None,
        attempts=answer.metadata.attempts if answer else 1,
        request_id=answer.metadata.request_id if answer else None,
        http_status=answer.metadata.http_status if answer else None,
        faults=faults,
        payload=payload,
    )


def _faults(error: Exception, path: str) -> Iterator[str]:
    """
    Flatten what cattrs found wrong into lines of path and reason.
    """
    if isinstance(error, cattrs.ClassValidationError):
        for inner, member in error.group_exceptions()[0]:
            yield from _faults(inner, f"{path}.{wire_name(member.name)}")
    elif isinstance(error, cattrs.IterableValidationError):
        for inner, item in error.group_exceptions()[0]:
            yield from _faults(inner, f"{path}[{item.index}]")
    elif isinstance(error, KeyError):
        yield f"{path}: required, but missing"
    elif isinstance(error, RecursionError):
        # A path as deep as that helps nobody; its beginning says where to look.
        yield f"{path:.80}...: nested too deeply"
    else:
        yield f"{path}: {error}"


class _Mismatch(ValueError):
    """
    A value is not of the type that the service documents; says no secret values.
    """

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"must be {expected}, not {_JSON_NAMES.get(type(value), type(value))}")


_JSON_NAMES: dict[type, str] = {
    bool: "a boolean",
    dict: "an object",
    float: "a number with a fraction",
    int: "an integer",
    list: "a list",
    str: "a string",
    type(None): "null",
}

_OBJECTS = (dict, Mapping)  # dict first: asking that is quicker by far


@cache
def _converter() -> cattrs.Converter:
    """
    Make the one converter; hooks for a class are generated when it is first met.
    """
    converter = cattrs.Converter()
    converter.register_structure_hook_factory(attrs.has, _class_from_wire)
    converter.register_structure_hook_factory(_is_tuple, _tuple_from_wire)
    converter.register_structure_hook(OpenEnum, _enum_from_wire)
    converter.register_structure_hook(datetime, _time_from_wire)
    for primitive, name in ((str, "a string"), (int, "an integer"), (bool, "a boolean")):
        converter.register_structure_hook(primitive, _exactly(primitive, name))
    converter.register_unstructure_hook_factory(attrs.has, _class_to_wire)
    converter.register_unstructure_hook(OpenEnum, str.__str__)
    converter.register_unstructure_hook(datetime, _time_to_wire)
    return converter


def _member_overrides(cls: type[attrs.AttrsInstance]) -> dict[str, Any]:
    """
    Rename every member, and leave out what is about the exchange, not in it.

    Any, because cattrs takes its own options and these in the same keywords.
    """
    return {
        field.name: override(omit=True)
        if field.name == "metadata"
        else override(rename=wire_name(field.name))
        for field in attrs.fields(cls)
    }


def _class_from_wire(
    cls: type[_Model], converter: cattrs.Converter
) -> Callable[[object, object], _Model]:
    generated = make_dict_structure_fn(cls, converter, **_member_overrides(cls))

    def structure(value: object, _: object) -> _Model:
        if not isinstance(value, _OBJECTS):
            raise _Mismatch("an object", value)
        return generated({name: part for name, part in value.items() if part is not None}, cls)

    return structure


def _class_to_wire(
    cls: type[_Model], converter: cattrs.Converter
) -> Callable[[_Model], dict[str, object]]:
    return make_dict_unstructure_fn(
        cls, converter, _cattrs_omit_if_default=True, **_member_overrides(cls)
    )


def _is_tuple(type_: object) -> bool:
    return get_origin(type_) is tuple


def _tuple_from_wire(
    type_: object, converter: cattrs.Converter
) -> Callable[[object, object], tuple[object, ...]]:
    as_list = GenericAlias(list, get_args(type_)[:1])
    structure_list = converter.get_structure_hook(as_list)

    def structure(value: object, _: object) -> tuple[object, ...]:
        # cattrs takes anything that iterates, and so would split a string.
        if not isinstance(value, list):
            raise _Mismatch("a list", value)
        return tuple(structure_list(value, as_list))

    return structure


def _enum_from_wire(value: object, enum: type[OpenEnum]) -> OpenEnum:
    if not isinstance(value, str):
        raise _Mismatch("a string", value)
    return enum(value)


def _exactly(primitive: type, name: str) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        # Not isinstance: a boolean is no integer on the wire.
        if type(value) is not primitive:
            raise _Mismatch(name, value)
        return value

    return structure


def _time_from_wire(value: object, _: object) -> datetime:
    """
    Read a time in any form that AWS JSON 1.1 or botocore gives it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | datetime):
        raise _Mismatch("a time", value)
    try:
        moment = value if isinstance(value, datetime) else _parse_time(value)
        return _in_utc(moment)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"must be a time, not {value!r}") from error


def _time_to_wire(moment: datetime) -> float:
    # One without a zone can only come from a user; it is UTC here as it is on the way in.
    return _in_utc(moment).timestamp()


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parse_time(value: float | str) -> datetime:
    try:
        seconds = float(value)
    except ValueError:
        return datetime.fromisoformat(str(value))
    return datetime.fromtimestamp(seconds, UTC)

"""
Convert between the wire and the models.

The models do not know the wire. It differs from them in this:

* names: `backup_id` is `BackupId`, by rule except for the irregular ones (`wire_name`);
* times: the wire has epoch seconds, their text, or ISO 8601; the models have aware
  datetimes in UTC; `to_dict` gives ISO 8601, as the AWS CLI does;
* absence: a missing member and a null are the same;
* types are checked, never coerced; members that no model has are ignored.

`configure` registers the hooks for all of this with a cattrs converter, and is used twice.
The first converter is fast and stops at the first invalid value, without a path. Only a
document that it refuses is read again by the second, which has cattrs' detailed validation:
it finds all errors with their paths, and accepts mappings that are not dicts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
import orjson
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from fsxcopy_sdk import models
from fsxcopy_sdk._validation import invalid, shown
from fsxcopy_sdk.enums import OpenEnum
from fsxcopy_sdk.errors import ResponseDecodingError
from fsxcopy_sdk.models import ResponseMetadata

_Model = TypeVar("_Model", bound=attrs.AttrsInstance)
Response = TypeVar(
    "Response",
    models.CopyBackupResponse,
    models.DescribeBackupsResponse,
    models.DeleteBackupResponse,
)
Hook = Callable[[Any, Any], Any]
"""A value and its type in, the converted value out: cattrs' own signature."""

MAX_BODY = 64 * 1024 * 1024
"""
Bytes; a larger body is not read or parsed. A page of 50 backups with every member present has
0.8 MB (the dense page of `benchmarks/peers`), so a body of this size is not the service's.
"""

MAX_DEPTH = 32
"""
Levels of objects and lists; a document with more is refused, also in unknown members. A page
of backups has 13 (botocore's service model 1.44.8), and three more for each administrative
action inside another.
"""

MAX_ERROR_PATHS = 20
"""The number of errors in a document that are reported."""

_MAX_PATH = 80  # characters of a path to what is nested too deeply
_MAX_MESSAGE = 4000  # characters


@attrs.frozen(kw_only=True)
class RawResponse:
    """Hold a successful response of the service, which the client converts to a model."""

    operation: str
    """The service's name of the operation: `CopyBackup`, `DescribeBackups` or `DeleteBackup`."""
    payload: bytes | Mapping[str, object] = attrs.field(repr=False)
    """
    The body as it was received, or the same parsed, under the service's names; botocore's
    times, which are datetimes, are accepted. May hold secrets, so no repr shows it.
    """
    metadata: ResponseMetadata
    """How the exchange went; becomes the `metadata` of the model."""


def from_dict(cls: type[_Model], data: Mapping[str, object]) -> _Model:
    """
    Make a model from parsed JSON, from what aiobotocore returned, or from what `to_dict` gave.

    Raises:
        InvalidArguments: *cls* is not one of this package's models.
        ResponseDecodingError: *data* has errors; at most twenty are reported, with paths.
    """
    if id(cls) not in _MODELS:
        raise invalid("cls", "a model", shown(cls))
    return read_model(cls, data)


def to_dict(model: attrs.AttrsInstance) -> dict[str, object]:
    """
    Return *model* as plain JSON-able data under the service's own names.

    Times are ISO 8601 in UTC, to the microsecond. What is absent is left out, empty lists
    included, and the metadata of responses. Secrets such as `FsxAdminPassword` are kept.

    Raises:
        InvalidArguments: *model* is not an instance of a model.
    """
    if id(type(model)) not in _MODELS:
        raise invalid("model", "an instance of a model", shown(model))
    data: dict[str, object] = _converter(detailed_validation=False).unstructure(model)
    return data


def parse_response(cls: type[Response], response: RawResponse) -> Response:
    """Make the response class *cls* from a response of the service."""
    model = read_model(cls, parse_body(response), response)
    return attrs.evolve(model, metadata=response.metadata)


# By identity, because what a caller passes as a class may have no hash.
_MODELS = frozenset(id(getattr(models, name)) for name in models.__all__)


def parse_body(response: RawResponse) -> object:
    """Return the document of a response, which may be of any type."""
    body = response.payload
    if not isinstance(body, bytes):
        return body
    if len(body) > MAX_BODY:
        raise decoding_error([f"$: {len(body)} bytes, more than {MAX_BODY}"], response)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # "depth limit exceeded", or "recursion depth exceeded": orjson reads 1024 levels.
        if "depth" in error.msg:
            raise decoding_error(["$" + _TOO_DEEP], response) from error
        text = f"$: not JSON: {error}" if body else "$: empty"
        raise decoding_error([text], response, is_malformed=True) from error


def read_model(
    cls: type[_Model],
    document: object,
    response: RawResponse | None = None,
    *,
    max_depth: int = MAX_DEPTH,
) -> _Model:
    """Make an instance of the model *cls*, or raise ResponseDecodingError."""
    if _is_deeper(document, max_depth):
        # The document is not copied, because it may contain itself.
        raise decoding_error([_deep_path(document, max_depth) + _TOO_DEEP], response, document)
    with suppress(InvalidValue):
        return _converter(detailed_validation=False).structure(document, cls)
    # Outside the block above, so that the traceback of an error shows this pass alone.
    try:
        return _converter(detailed_validation=True).structure(document, cls)
    except (cattrs.BaseValidationError, InvalidValue) as error:
        data = None if response else _as_dicts(document)
        raise decoding_error(error_texts(error), response, data) from error


def decoding_error(
    error_paths: Iterable[str],
    response: RawResponse | None,
    data: object = None,
    *,
    reason: str = "cannot be read",
    is_malformed: bool = False,
) -> ResponseDecodingError:
    """Return the error of a response, or of *data* where there is none."""
    found = tuple(islice(error_paths, MAX_ERROR_PATHS + 1))
    reported = found[:MAX_ERROR_PATHS]
    text = "; ".join(reported if reported == found else (*reported, "and more"))
    if len(text) > _MAX_MESSAGE:
        text = f"{text[:_MAX_MESSAGE]}..."
    metadata = response.metadata if response else None
    return ResponseDecodingError(
        f"The answer {reason}: {text}",
        operation=response.operation if response else None,
        attempts=metadata.attempts if metadata else 1,
        request_id=metadata.request_id if metadata else None,
        http_status=metadata.http_status if metadata else None,
        error_paths=reported,
        payload=response.payload if response else data,
        is_malformed=is_malformed,
    )


def _as_dicts(data: object) -> object:
    # An error that holds mappings of other kinds may not pickle.
    if isinstance(data, Mapping):
        return {name: _as_dicts(value) for name, value in data.items()}
    return [_as_dicts(value) for value in data] if isinstance(data, list) else data


# Members of responses that say how the exchange and the reading went, with what they are then.
_NOT_IN_DOCUMENTS: dict[str, object] = {"metadata": ResponseMetadata(), "unreadable": ()}

_CONTAINERS = (dict, list, Mapping)
_SCALARS_OF_JSON = frozenset((str, int, float, bool, type(None)))
_MANY_PARTS = 10_000
_TOO_DEEP = "...: nested too deeply"


def _is_deeper(document: object, levels: int) -> bool:
    """Return whether *document* has more than *levels* levels of objects and lists."""
    # Every document is checked, so this is written for speed: it takes an eighth of the time
    # of decoding (`timeit`, on a page of backups like the service's example).
    level = [document] if isinstance(document, _CONTAINERS) else []
    for _ in range(levels):
        level = [
            part
            for whole in level
            for part in (whole if isinstance(whole, list) else whole.values())
            # The first test decides for nearly all parts, and is the faster one.
            if type(part) not in _SCALARS_OF_JSON and isinstance(part, _CONTAINERS)
        ]
        if not level:
            return False
        # The data of a user may contain one part many times, or itself.
        if len(level) > _MANY_PARTS:
            level = list({id(part): part for part in level}.values())
    return True


def _deep_path(document: object, max_depth: int) -> str:
    """Return the beginning of a path to what is nested too deeply."""
    path: str = "$"
    whole: Any = document
    for levels in reversed(range(max_depth)):
        is_list = isinstance(whole, list)
        parts = enumerate(whole) if is_list else whole.items()
        name, whole = next((name, part) for name, part in parts if _is_deeper(part, levels))
        path += f"[{name}]" if is_list else f".{name!s:.{_MAX_PATH}}"
    return path[:_MAX_PATH]


@cache
def _converter(*, detailed_validation: bool) -> cattrs.Converter:
    # Made on first use: of the two, most programs need one.
    converter = cattrs.Converter(detailed_validation=detailed_validation)
    configure(converter)
    return converter


def configure(converter: cattrs.Converter) -> None:
    """Register the hooks that convert the models from and to the wire."""
    detailed = converter.detailed_validation
    converter.register_structure_hook_factory(
        attrs.has, _detailed_class_hook if detailed else _fast_class_hook
    )
    converter.register_structure_hook_factory(
        is_tuple, _detailed_tuple_hook if detailed else _fast_tuple_hook
    )
    converter.register_structure_hook(OpenEnum, _structure_enum)
    converter.register_structure_hook(datetime, _structure_time)
    for scalar in _SCALARS:
        converter.register_structure_hook(scalar, _structure_scalar)
    converter.register_unstructure_hook_factory(
        attrs.has,
        lambda cls, converter: make_dict_unstructure_fn(
            cls, converter, _cattrs_omit_if_default=True, **_overrides(cls)
        ),
    )
    converter.register_unstructure_hook(OpenEnum, str.__str__)
    # Only a user can make a model with a naive time; it is UTC, as it is when it is read.
    converter.register_unstructure_hook(datetime, lambda moment: _in_utc(moment).isoformat())


def _fast_class_hook(cls: type[attrs.AttrsInstance], converter: cattrs.Converter) -> Hook:
    """
    Generate a function that makes *cls* of a dict, as attrs and cattrs generate theirs.

    It reads and sets one member after the other, in the order of the class:

        part = get('OwnerId')
        set_owner_id(model, None if part is None else VALUE)

    A required member has VALUE alone, because no hook accepts None. VALUE is the first of

        part if type(part) is str else HOOK                             str, int, bool
        (known_lifecycle.get(part) if type(part) is str else None) or HOOK        enums
        HOOK, which is: to_volume(part, type_volume)                  everything else

    `set_owner_id` is the slot's descriptor, which sets it on a frozen instance too. A loop
    over the members takes 1.7 times the CPU time, and cattrs' own function several times
    (`timeit`, on a page of backups like the service's example).
    """
    attrs.resolve_types(cls)
    names: dict[str, Any] = {"Model": cls, "new": object.__new__, "wrong_type": wrong_type}
    lines = [line for field in attrs.fields(cls) for line in _lines(cls, field, names, converter)]
    source = "\n    ".join(
        (
            "def structure(value, _):",
            "if type(value) is not dict: raise wrong_type('an object', value)",
            "get = value.get",
            "model = new(Model)",
            *lines,
            "return model",
        )
    )
    code = compile(source, f"<fsxcopy_sdk structure {cls.__name__}>", "exec")
    exec(code, names)  # noqa: S102 - made of the names of our own classes
    hook: Hook = names["structure"]
    return hook


def _lines(
    cls: type[attrs.AttrsInstance],
    field: attrs.Attribute[Any],
    names: dict[str, Any],
    converter: cattrs.Converter,
) -> tuple[str, ...]:
    """Return the lines that set one member, and add to *names* what they refer to."""
    name = field.name
    type_: Any = field.type
    if not is_tuple(type_):  # take "| None" away
        type_ = (get_args(type_) or (type_,))[0]
    names[f"set_{name}"] = getattr(cls, name).__set__
    if name in _NOT_IN_DOCUMENTS:
        names[name] = _NOT_IN_DOCUMENTS[name]
        return (f"set_{name}(model, {name})",)
    names[f"type_{name}"] = type_
    names[f"to_{name}"] = _on_first_use(type_, f"to_{name}", names, converter)
    value = f"to_{name}(part, type_{name})"
    if type_ in _SCALARS:
        value = f"part if type(part) is {type_.__name__} else {value}"
    elif isinstance(type_, type) and issubclass(type_, OpenEnum):
        names[f"known_{name}"] = {member.value: member for member in type_}
        value = f"(known_{name}.get(part) if type(part) is str else None) or {value}"
    if field.default is not attrs.NOTHING:
        value = f"{field.default!r} if part is None else {value}"
    return f"part = get({wire_name(name)!r})", f"set_{name}(model, {value})"


def _on_first_use(
    type_: object, name: str, names: dict[str, Any], converter: cattrs.Converter
) -> Hook:
    # Most documents have few of the classes, and some classes contain themselves.
    def structure(value: object, _: object) -> object:
        names[name] = hook = converter.get_structure_hook(type_)
        return hook(value, type_)

    return structure


def _fast_tuple_hook(type_: object, converter: cattrs.Converter) -> Hook:
    item_type = get_args(type_)[0]
    hook = converter.get_structure_hook(item_type)

    def structure(value: object, _: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise wrong_type("a list", value)
        return tuple([hook(item, item_type) for item in value])

    return structure


def _detailed_class_hook(cls: type[_Model], converter: cattrs.Converter) -> Hook:
    generated = make_dict_structure_fn(cls, converter, **_overrides(cls))

    def structure(value: object, _: object) -> _Model:
        if not isinstance(value, Mapping):
            raise wrong_type("an object", value)
        return generated({name: part for name, part in value.items() if part is not None}, cls)

    return structure


def _detailed_tuple_hook(type_: object, converter: cattrs.Converter) -> Hook:
    """Make a hook that reads a list only until it has more errors than are reported."""
    item_type = get_args(type_)[0]
    hook = converter.get_structure_hook(item_type)

    def structure(value: object, _: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise wrong_type("a list", value)
        items, errors, count = [], [], 0
        for index, item in enumerate(value):
            try:
                items.append(hook(item, item_type))
            except (cattrs.BaseValidationError, InvalidValue) as error:
                error.add_note(cattrs.IterableValidationNote(f"Item {index}", index, item_type))
                errors.append(error)
                count += sum(1 for _ in error_texts(error))
                if count > MAX_ERROR_PATHS:
                    break
        if errors:
            raise cattrs.IterableValidationError(f"While structuring {type_}", errors, tuple)
        return tuple(items)

    return structure


def error_texts(error: BaseException, path: str = "$") -> Iterator[str]:
    """Yield one text for each error that the converter found: its path and what is wrong."""
    if isinstance(error, cattrs.ClassValidationError):
        for inner, member in error.group_exceptions()[0]:
            yield from error_texts(inner, f"{path}.{wire_name(member.name)}")
    elif isinstance(error, cattrs.IterableValidationError):
        for inner, item in error.group_exceptions()[0]:
            yield from error_texts(inner, f"{path}[{item.index}]")
    elif isinstance(error, InvalidMembers):
        yield from (f"{path}{text}" for text in error.texts)
    elif isinstance(error, KeyError):
        yield f"{path}: required, but missing"
    else:
        yield f"{path}: {error}"


_JSON_NAMES: dict[type, str] = {
    bool: "a boolean",
    dict: "an object",
    float: "a number with a fraction",
    int: "an integer",
    list: "a list",
    str: "a string",
    type(None): "null",
}

_SCALARS = (str, int, bool)  # the same in JSON and in the models

# Both are bounded in length, and allow no digits but ASCII's.
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")
_DATE_AND_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)

# A date without separators, such as "20260101", must not become a day in 1970.
_EARLIEST_IN_TEXT = datetime(2000, 1, 1, tzinfo=UTC).timestamp()


class InvalidValue(ValueError):
    """A value is not what the service documents; the message shows no secrets."""


class InvalidMembers(InvalidValue):
    """Members of an object are invalid; each text is the path from there, and what is wrong."""

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__()
        self.texts = tuple(texts)


def wrong_type(expected: str, value: object) -> InvalidValue:
    # Names the type alone, because the value may be a secret in the wrong place.
    return InvalidValue(f"must be {expected}, not {_JSON_NAMES.get(type(value), type(value))}")


def is_tuple(type_: object) -> bool:
    return get_origin(type_) is tuple


def _structure_scalar(value: object, scalar: type) -> object:
    # Not isinstance: a boolean is an int in Python, but no integer on the wire.
    if type(value) is not scalar:
        raise wrong_type(_JSON_NAMES[scalar], value)
    return value


def _structure_enum(value: object, enum: type[OpenEnum]) -> OpenEnum:
    if not isinstance(value, str):
        raise wrong_type("a string", value)
    return enum(value)


def _structure_time(value: object, _: object) -> datetime:
    """Read a time in one of the forms that AWS JSON 1.1 or botocore gives it."""
    # These are epoch seconds, as a number or, from the year 2000 on, as a text (botocore's example
    # file); ISO 8601 with date, time and optionally an offset; and a datetime.
    try:
        if isinstance(value, float):  # as the service sends it
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return _in_utc(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return _parse_time(value)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidValue(f"must be a time, not {shown(value)}") from error
    raise wrong_type("a time", value)


def _parse_time(text: str) -> datetime:
    if _DATE_AND_TIME.fullmatch(text):
        return _in_utc(datetime.fromisoformat(text))
    if _NUMBER.fullmatch(text) and (seconds := float(text)) >= _EARLIEST_IN_TEXT:
        return datetime.fromtimestamp(seconds, UTC)  # refuses years after 9999
    raise ValueError("neither epoch seconds nor ISO 8601")


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# Irregular names. No table of acronyms gives them: the service has DNSName and DnsIps.
_IRREGULAR_NAMES = {
    "dns_name": "DNSName",
    "ha_pairs": "HAPairs",
    "openzfs_configuration": "OpenZFSConfiguration",
    "record_size_kib": "RecordSizeKiB",
    "resource_arn": "ResourceARN",
    "size_gib": "SizeGiB",
    "snapshot_arn": "SnapshotARN",
    "source_snapshot_arn": "SourceSnapshotARN",
    "storage_capacity_quota_gib": "StorageCapacityQuotaGiB",
    "storage_capacity_reservation_gib": "StorageCapacityReservationGiB",
    "throughput_capacity_per_ha_pair": "ThroughputCapacityPerHAPair",
    "uuid": "UUID",
}


def wire_name(name: str) -> str:
    """Return the service's name of the member that a model calls *name*."""
    return _IRREGULAR_NAMES.get(name) or "".join(word.capitalize() for word in name.split("_"))


def _overrides(cls: type[attrs.AttrsInstance]) -> dict[str, Any]:
    """Return cattrs' options for each member: its name on the wire, or that it is not there."""
    return {
        field.name: override(omit=True)
        if field.name in _NOT_IN_DOCUMENTS
        else override(rename=wire_name(field.name))
        for field in attrs.fields(cls)
    }

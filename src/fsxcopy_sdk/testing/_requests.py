"""
What may be in a request: the service model's input shapes, and the check of a request.

A wrong type is a SerializationException, as everywhere in AWS JSON. A broken
rule is a BadRequest in the service's own words, as recorded in
awsdocs/aws-cloudformation-user-guide pull request 439.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, cast

import attrs

from fsxcopy_sdk.testing._documents import (
    JsonValue,
    ProtocolFailure,
    ServiceFailure,
    is_reserved,
)

Request: TypeAlias = dict[str, Any]
"""The parameters of an operation after the check: each has the type of its shape."""


@attrs.frozen
class Shape:
    """What a value may be, as the service's model has it."""

    type: Literal["string", "integer", "boolean", "list", "structure"]
    min: int | None = None
    """Of the length of a string or list, or of an integer."""
    max: int | None = None
    pattern: str | None = None
    """As the model has it, in Java's syntax."""
    enum: tuple[str, ...] = ()
    member: Shape | None = attrs.field(default=None, kw_only=True)
    """The shape of the items of a list."""
    members: Mapping[str, Shape] = attrs.field(factory=dict, kw_only=True)
    required: tuple[str, ...] = attrs.field(default=(), kw_only=True)


MAX_TAGS: Final = 50
"""Tags on one resource (the model's maximum of Tags)."""

_TAG_TEXT: Final = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"

# The model's pattern with its typo (A-z): the service accepts the same.
_TOKEN: Final = Shape("string", 1, 63, r"[A-za-z0-9_.-]{0,63}$")
_BACKUP_ID: Final = Shape("string", 12, 128, r"^(backup-[0-9a-f]{8,})$")
_FILE_SYSTEM_ID: Final = Shape("string", 11, 21, r"^(fs-[0-9a-f]{8,})$")
_TAG_KEY: Final = Shape("string", 1, 128, _TAG_TEXT)
_TAG: Final = Shape(
    "structure",
    members={
        "Key": _TAG_KEY,
        "Value": Shape("string", 0, 256, _TAG_TEXT),
    },
    required=("Key", "Value"),
)
_TAGS: Final = Shape("list", 1, MAX_TAGS, member=_TAG)
_MAX_RESULTS: Final = Shape("integer", 1, 2147483647)
_NEXT_TOKEN: Final = Shape(
    "string", 1, 255, r"^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$"
)
_RESOURCE_ARN: Final = Shape(
    "string",
    8,
    512,
    r"^arn:(?=[^:]+:fsx:[^:]+:\d{12}:)((|(?=[a-z0-9-.]{1,63})"
    r"(?!\d{1,3}(\.\d{1,3}){3})(?![^:]*-{2})(?![^:]*-\.)(?![^:]*\.-)"
    r"[a-z0-9].*(?<!-)):){4}(?!/).{0,1024}$",
)
_FILTER: Final = Shape(
    "structure",
    members={
        "Name": Shape(
            "string",
            enum=(
                "file-system-id",
                "backup-type",
                "file-system-type",
                "volume-id",
                "data-repository-type",
                "file-cache-id",
                "file-cache-type",
            ),
        ),
        "Values": Shape(
            "list", max=20, member=Shape("string", 1, 128, r"^[0-9a-zA-Z\*\.\\/\?\-\_]*$")
        ),
    },
)

REQUESTS: Final[Mapping[str, Shape]] = {
    "CopyBackup": Shape(
        "structure",
        members={
            "ClientRequestToken": _TOKEN,
            "SourceBackupId": _BACKUP_ID,
            "SourceRegion": Shape("string", 1, 20, r"^[a-z0-9-]{1,20}$"),
            "KmsKeyId": Shape("string", 1, 2048, r"^.{1,2048}$"),
            "CopyTags": Shape("boolean"),
            "Tags": _TAGS,
        },
        required=("SourceBackupId",),
    ),
    "CreateBackup": Shape(
        "structure",
        members={
            "FileSystemId": _FILE_SYSTEM_ID,
            "ClientRequestToken": _TOKEN,
            "Tags": _TAGS,
            "VolumeId": Shape("string", 23, 23, r"^(fsvol-[0-9a-f]{17,})$"),
        },
    ),
    "DescribeBackups": Shape(
        "structure",
        members={
            "BackupIds": Shape("list", max=50, member=_BACKUP_ID),
            "Filters": Shape("list", max=10, member=_FILTER),
            "MaxResults": _MAX_RESULTS,
            "NextToken": _NEXT_TOKEN,
        },
    ),
    "DescribeFileSystems": Shape(
        "structure",
        members={
            "FileSystemIds": Shape("list", max=50, member=_FILE_SYSTEM_ID),
            "MaxResults": _MAX_RESULTS,
            "NextToken": _NEXT_TOKEN,
        },
    ),
    "DeleteBackup": Shape(
        "structure",
        members={"BackupId": _BACKUP_ID, "ClientRequestToken": _TOKEN},
        required=("BackupId",),
    ),
    "TagResource": Shape(
        "structure",
        members={"ResourceARN": _RESOURCE_ARN, "Tags": _TAGS},
        required=("ResourceARN", "Tags"),
    ),
    "UntagResource": Shape(
        "structure",
        members={
            "ResourceARN": _RESOURCE_ARN,
            "TagKeys": Shape("list", 1, MAX_TAGS, member=_TAG_KEY),
        },
        required=("ResourceARN", "TagKeys"),
    ),
    "ListTagsForResource": Shape(
        "structure",
        members={
            "ResourceARN": _RESOURCE_ARN,
            "MaxResults": _MAX_RESULTS,
            "NextToken": _NEXT_TOKEN,
        },
        required=("ResourceARN",),
    ),
}
"""The operations of the local FSx with their input shapes, which a test compares to botocore."""

_Path: TypeAlias = tuple[str | int, ...]
"""The operation, then names of members and numbers of items, which begin at 1."""

_Broken: TypeAlias = tuple[_Path, str]
"""Path of a value, and the rule that it breaks."""

_ANY_ARN: Final = re.compile(r"arn:[^:]+:(?!fsx:)[a-z0-9-]+:[^:]*:[^:]*:.+")


def check_request(operation: str, body: Mapping[str, JsonValue]) -> Request:
    """Return *body* without the members that are null or that *operation* does not know."""
    broken: list[_Broken] = []
    request = cast("Request", _checked(REQUESTS[operation], (operation,), body, broken))
    if broken:
        raise _failure(request, broken)
    # Rules of tag keys that the model does not have; "aws:" is reserved in any case.
    keys = [tag["Key"] for tag in request.get("Tags", [])]
    for key in (*keys, *request.get("TagKeys", [])):
        if is_reserved(key):
            message = f"Tags: the key {key!r} has the reserved prefix 'aws:'."
            raise ServiceFailure("BadRequest", message)
    if len(set(keys)) < len(keys):
        raise ServiceFailure("BadRequest", "Tags: keys must be unique within one request.")
    return request


def _checked(shape: Shape, path: _Path, value: JsonValue, broken: list[_Broken]) -> JsonValue:
    """Return the known members of *value*; add the rules that it breaks to *broken*."""
    match shape.type, value:
        case "boolean", bool():
            return value
        case "string", str():
            broken += _broken_size(shape, path, len(value), "length")
            if shape.pattern and not _matches(shape.pattern, value):
                broken.append((path, f"satisfy regular expression: {shape.pattern}"))
            if shape.enum and value not in shape.enum:
                broken.append((path, f"satisfy enum value set: {list(shape.enum)}"))
            return value
        case "integer", int() if not isinstance(value, bool):
            broken += _broken_size(shape, path, value, "value")
            return value
        case "list", list() if shape.member is not None:
            broken += _broken_size(shape, path, len(value), "length")
            items = enumerate(value, 1)
            return [_checked(shape.member, (*path, n), item, broken) for n, item in items]
        case "structure", Mapping():
            given = {name: value[name] for name in shape.members if value.get(name) is not None}
            missing = [name for name in shape.required if name not in given]
            broken += [((*path, name), "not be null") for name in missing]
            return {
                name: _checked(shape.members[name], (*path, name), item, broken)
                for name, item in given.items()
            }
    where = "".join("[]" if isinstance(part, int) else f".{part}" for part in path)
    raise ProtocolFailure(
        "SerializationException",
        f"{where.removeprefix('.')}: expected {shape.type}, got {value!r}.",
    )


def _broken_size(shape: Shape, path: _Path, size: int, what: str) -> Iterator[_Broken]:
    if shape.min is not None and size < shape.min:
        yield path, f"have {what} greater than or equal to {shape.min}"
    if shape.max is not None and size > shape.max:
        yield path, f"have {what} less than or equal to {shape.max}"


def _failure(request: Request, broken: list[_Broken]) -> ServiceFailure:
    """Choose the error for what is broken: an operation's own one before BadRequest."""
    names = {name for (_, name, *_), _ in broken}
    arn = request.get("ResourceARN")
    if names == {"ResourceARN"} and _ANY_ARN.fullmatch(str(arn)):
        return ServiceFailure(
            "NotServiceResourceError", f"{arn} is not a resource of Amazon FSx.", ResourceARN=arn
        )
    constraints = "; ".join(
        f"Value at '{_spelled(path)}' failed to satisfy constraint: Member must {rule}"
        for path, rule in broken
    )
    plural = "s" if len(broken) > 1 else ""
    return ServiceFailure(
        "InvalidRegion" if names == {"SourceRegion"} else "BadRequest",
        f"{len(broken)} validation error{plural} detected: {constraints}",
    )


def _spelled(path: _Path) -> str:
    """Spell *path* as the service does, without the operation: ``tags.1.member.key``."""
    return ".".join(
        f"{part}.member" if isinstance(part, int) else part[0].lower() + part[1:]
        for part in path[1:]
    )


def _matches(pattern: str, text: str) -> bool:
    """Whether *text* matches *pattern* as a whole, as in Java."""
    if pattern == _TAG_TEXT:
        # Python's expressions have no \p{L} for Unicode categories.
        return all(char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN" for char in text)
    return re.fullmatch(pattern, text) is not None

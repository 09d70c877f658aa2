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
from typing import Any, Final, TypeAlias, cast

import attrs

from fsxcopy_sdk.testing._documents import (
    JsonValue,
    ProtocolFailure,
    ServiceFailure,
)

Request: TypeAlias = dict[str, Any]
"""The parameters of an operation after the check: each has the type of its rule."""


@attrs.frozen
class Text:
    """A string: its length, its pattern, the values that it may have."""

    kind = "a string"
    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    """As the model has it, in Java's syntax."""
    choices: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Number:
    """A whole number within bounds."""

    kind = "a whole number"
    min: int
    max: int


@attrs.frozen
class Flag:
    """A boolean."""

    kind = "a boolean"


@attrs.frozen
class Many:
    """A list: the rule of its items, and their number."""

    kind = "a list"
    of: Rule
    min: int | None = None
    max: int | None = None


@attrs.frozen
class Members:
    """An object: the rules of its members, and those that are required."""

    kind = "an object"
    rules: Mapping[str, Rule]
    required: tuple[str, ...] = ()


Rule: TypeAlias = "Text | Number | Flag | Many | Members"

MAX_TAGS: Final = 50
"""Tags on one resource (the model's maximum of Tags)."""

_TAG_TEXT: Final = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"

# The model's pattern with its typo (A-z): the service accepts the same.
_TOKEN: Final = Text(1, 63, r"[A-za-z0-9_.-]{0,63}$")
_BACKUP_ID: Final = Text(12, 128, r"^(backup-[0-9a-f]{8,})$")
_TAG: Final = Members(
    {"Key": Text(1, 128, _TAG_TEXT), "Value": Text(0, 256, _TAG_TEXT)},
    required=("Key", "Value"),
)
_TAGS: Final = Many(_TAG, min=1, max=MAX_TAGS)
_MAX_RESULTS: Final = Number(min=1, max=2147483647)
_NEXT_TOKEN: Final = Text(
    1, 255, r"^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$"
)
_RESOURCE_ARN: Final = Text(
    8,
    512,
    r"^arn:(?=[^:]+:fsx:[^:]+:\d{12}:)((|(?=[a-z0-9-.]{1,63})"
    r"(?!\d{1,3}(\.\d{1,3}){3})(?![^:]*-{2})(?![^:]*-\.)(?![^:]*\.-)"
    r"[a-z0-9].*(?<!-)):){4}(?!/).{0,1024}$",
)
_FILTER: Final = Members(
    {
        "Name": Text(
            choices=(
                "file-system-id",
                "backup-type",
                "file-system-type",
                "volume-id",
                "data-repository-type",
                "file-cache-id",
                "file-cache-type",
            )
        ),
        "Values": Many(Text(1, 128, r"^[0-9a-zA-Z\*\.\\/\?\-\_]*$"), max=20),
    }
)

REQUESTS: Final[Mapping[str, Members]] = {
    "CopyBackup": Members(
        {
            "ClientRequestToken": _TOKEN,
            "SourceBackupId": _BACKUP_ID,
            "SourceRegion": Text(1, 20, r"^[a-z0-9-]{1,20}$"),
            "KmsKeyId": Text(1, 2048, r"^.{1,2048}$"),
            "CopyTags": Flag(),
            "Tags": _TAGS,
        },
        required=("SourceBackupId",),
    ),
    "CreateBackup": Members(
        {
            "FileSystemId": Text(11, 21, r"^(fs-[0-9a-f]{8,})$"),
            "ClientRequestToken": _TOKEN,
            "Tags": _TAGS,
            "VolumeId": Text(23, 23, r"^(fsvol-[0-9a-f]{17,})$"),
        }
    ),
    "DescribeBackups": Members(
        {
            "BackupIds": Many(_BACKUP_ID, max=50),
            "Filters": Many(_FILTER, max=10),
            "MaxResults": _MAX_RESULTS,
            "NextToken": _NEXT_TOKEN,
        }
    ),
    "DeleteBackup": Members(
        {"BackupId": _BACKUP_ID, "ClientRequestToken": _TOKEN}, required=("BackupId",)
    ),
    "TagResource": Members(
        {"ResourceARN": _RESOURCE_ARN, "Tags": _TAGS}, required=("ResourceARN", "Tags")
    ),
    "ListTagsForResource": Members(
        {"ResourceARN": _RESOURCE_ARN, "MaxResults": _MAX_RESULTS, "NextToken": _NEXT_TOKEN},
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
    for key in keys:
        if key.lower().startswith("aws:"):
            message = f"Tags: the key {key!r} has the reserved prefix 'aws:'."
            raise ServiceFailure("BadRequest", message)
    if len(set(keys)) < len(keys):
        raise ServiceFailure("BadRequest", "Tags: keys must be unique within one request.")
    return request


def _checked(rule: Rule, path: _Path, value: JsonValue, broken: list[_Broken]) -> JsonValue:
    """Return the known members of *value*; add the rules that it breaks to *broken*."""
    match rule, value:
        case Flag(), bool():
            return value
        case Text(), str():
            broken += _broken_size(rule, path, len(value), "length")
            if rule.pattern and not _matches(rule.pattern, value):
                broken.append((path, f"satisfy regular expression: {rule.pattern}"))
            if rule.choices and value not in rule.choices:
                broken.append((path, f"satisfy enum value set: {list(rule.choices)}"))
            return value
        case Number(), int() if not isinstance(value, bool):
            broken += _broken_size(rule, path, value, "value")
            return value
        case Many(), list():
            broken += _broken_size(rule, path, len(value), "length")
            items = enumerate(value, 1)
            return [_checked(rule.of, (*path, number), item, broken) for number, item in items]
        case Members(), Mapping():
            given = {name: value[name] for name in rule.rules if value.get(name) is not None}
            missing = [name for name in rule.required if name not in given]
            broken += [((*path, name), "not be null") for name in missing]
            return {
                name: _checked(rule.rules[name], (*path, name), item, broken)
                for name, item in given.items()
            }
    where = "".join("[]" if isinstance(part, int) else f".{part}" for part in path)
    raise ProtocolFailure(
        "SerializationException",
        f"{where.removeprefix('.')}: expected {rule.kind}, got {value!r}.",
    )


def _broken_size(
    rule: Text | Number | Many, path: _Path, size: int, what: str
) -> Iterator[_Broken]:
    if rule.min is not None and size < rule.min:
        yield path, f"have {what} greater than or equal to {rule.min}"
    if rule.max is not None and size > rule.max:
        yield path, f"have {what} less than or equal to {rule.max}"


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

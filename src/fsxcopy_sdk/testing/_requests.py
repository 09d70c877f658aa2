"""
What may be in a request: the service model's input shapes, and the check of a request.

A wrong type is a SerializationException, as everywhere in AWS JSON. A broken
rule is a BadRequest in the service's own words ("1 validation error detected:
Value null at 'fileSystemType' failed to satisfy constraint: Member must not
be null"), as recorded in awsdocs/aws-cloudformation-user-guide pull request
439.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias, TypedDict, cast

import attrs

from fsxcopy_sdk.testing._documents import (
    Document,
    JsonValue,
    ProtocolFailure,
    ServiceFailure,
    Tag,
)


class Filter(TypedDict, total=False):
    """One filter of DescribeBackups; the model requires neither member."""

    Name: str
    Values: list[str]


class Request(TypedDict, total=False):
    """
    The parameters of any operation after the check: each has its type, or is absent.

    A name has the same type in every operation. Which are present follows
    from the rules of the operation.
    """

    BackupId: str
    BackupIds: list[str]
    ClientRequestToken: str
    CopyTags: bool
    FileSystemId: str
    Filters: list[Filter]
    KmsKeyId: str
    MaxResults: int
    NextToken: str
    ResourceARN: str
    SourceBackupId: str
    SourceRegion: str
    Tags: list[Tag]
    VolumeId: str


# Rules


@attrs.frozen(kw_only=True)
class Text:
    """A string: its length, its pattern, the values that it may have."""

    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    """As the model has it, in Java's syntax."""
    choices: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Number:
    """A whole number within bounds."""

    min: int
    max: int


@attrs.frozen
class Flag:
    """A boolean."""


@attrs.frozen(kw_only=True)
class Many:
    """A list: the rule of its items, and their number."""

    of: Rule
    min: int | None = None
    max: int | None = None


@attrs.frozen
class Members:
    """An object: the rules of its members, and those that are required."""

    rules: Mapping[str, Rule]
    required: tuple[str, ...] = ()


Rule: TypeAlias = "Text | Number | Flag | Many | Members"

MAX_TAGS: Final = 50
"""Tags on one resource (the model's maximum of Tags)."""

_TAG_TEXT: Final = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"

# The model's pattern with its typo (A-z): the service accepts the same.
_TOKEN: Final = Text(min=1, max=63, pattern=r"[A-za-z0-9_.-]{0,63}$")
_BACKUP_ID: Final = Text(min=12, max=128, pattern=r"^(backup-[0-9a-f]{8,})$")
_TAGS: Final = Many(
    of=Members(
        {
            "Key": Text(min=1, max=128, pattern=_TAG_TEXT),
            "Value": Text(min=0, max=256, pattern=_TAG_TEXT),
        },
        required=("Key", "Value"),
    ),
    min=1,
    max=MAX_TAGS,
)
_MAX_RESULTS: Final = Number(min=1, max=2147483647)
_NEXT_TOKEN: Final = Text(
    min=1,
    max=255,
    pattern=r"^(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$",
)
_RESOURCE_ARN: Final = Text(
    min=8,
    max=512,
    pattern=(
        r"^arn:(?=[^:]+:fsx:[^:]+:\d{12}:)((|(?=[a-z0-9-.]{1,63})"
        r"(?!\d{1,3}(\.\d{1,3}){3})(?![^:]*-{2})(?![^:]*-\.)(?![^:]*\.-)"
        r"[a-z0-9].*(?<!-)):){4}(?!/).{0,1024}$"
    ),
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
        "Values": Many(
            of=Text(min=1, max=128, pattern=r"^[0-9a-zA-Z\*\.\\/\?\-\_]*$"),
            max=20,
        ),
    }
)

REQUESTS: Final[Mapping[str, Members]] = {
    "CopyBackup": Members(
        {
            "ClientRequestToken": _TOKEN,
            "SourceBackupId": _BACKUP_ID,
            "SourceRegion": Text(min=1, max=20, pattern=r"^[a-z0-9-]{1,20}$"),
            "KmsKeyId": Text(min=1, max=2048, pattern=r"^.{1,2048}$"),
            "CopyTags": Flag(),
            "Tags": _TAGS,
        },
        required=("SourceBackupId",),
    ),
    "CreateBackup": Members(
        {
            "FileSystemId": Text(min=11, max=21, pattern=r"^(fs-[0-9a-f]{8,})$"),
            "ClientRequestToken": _TOKEN,
            "Tags": _TAGS,
            "VolumeId": Text(min=23, max=23, pattern=r"^(fsvol-[0-9a-f]{17,})$"),
        }
    ),
    "DescribeBackups": Members(
        {
            "BackupIds": Many(of=_BACKUP_ID, max=50),
            "Filters": Many(of=_FILTER, max=10),
            "MaxResults": _MAX_RESULTS,
            "NextToken": _NEXT_TOKEN,
        }
    ),
    "DeleteBackup": Members(
        {"BackupId": _BACKUP_ID, "ClientRequestToken": _TOKEN},
        required=("BackupId",),
    ),
    "TagResource": Members(
        {"ResourceARN": _RESOURCE_ARN, "Tags": _TAGS},
        required=("ResourceARN", "Tags"),
    ),
    "ListTagsForResource": Members(
        {"ResourceARN": _RESOURCE_ARN, "MaxResults": _MAX_RESULTS, "NextToken": _NEXT_TOKEN},
        required=("ResourceARN",),
    ),
}
"""The operations of the local FSx with their input shapes, which a test compares to botocore."""

# The check

_Broken: TypeAlias = tuple[str, str]
"""Path of a value, and the rule that it breaks."""

_ANY_ARN: Final = re.compile(r"arn:[^:]+:(?!fsx:)[a-z0-9-]+:[^:]*:[^:]*:.+")


def check_request(operation: str, body: Document) -> Request:
    """
    Return *body* with only those members that *operation* knows.

    Members that are null count as absent, unknown ones are dropped.

    Raises:
        ServiceFailure: it has a wrong type or breaks a rule of the model.
    """
    rules = REQUESTS[operation]
    typed = cast("Document", _typed(rules, operation, body))
    broken = list(_broken(rules, "", typed))
    if broken:
        raise _failure(typed, broken)
    request = cast("Request", typed)
    _check_keys([tag["Key"] for tag in request.get("Tags", [])])
    return request


def _check_keys(keys: list[str]) -> None:
    """Check the rules of tag keys that the model does not have."""
    for key in keys:
        # "aws:" is reserved in any upper or lower case.
        if key.lower().startswith("aws:"):
            raise ServiceFailure(
                "BadRequest", f"Tags: the key {key!r} has the reserved prefix 'aws:'."
            )
    if len(set(keys)) < len(keys):
        raise ServiceFailure("BadRequest", "Tags: keys must be unique within one request.")


_TYPES: Final[dict[type[Rule], str]] = {
    Text: "a string",
    Flag: "a boolean",
    Number: "a whole number",
    Many: "a list",
    Members: "an object",
}


def _typed(rule: Rule, path: str, value: JsonValue) -> JsonValue:
    match rule, value:
        case (Text(), str()) | (Flag(), bool()):
            return value
        case Number(), int() if not isinstance(value, bool):
            return value
        case Many(), list():
            return [_typed(rule.of, f"{path}[]", item) for item in value]
        case Members(), dict():
            return {
                name: _typed(inner, f"{path}.{name}", value[name])
                for name, inner in rule.rules.items()
                if value.get(name) is not None
            }
    raise ProtocolFailure(
        "SerializationException", f"{path}: expected {_TYPES[type(rule)]}, got {value!r}."
    )


def _broken(rule: Rule, path: str, value: JsonValue) -> Iterator[_Broken]:
    match rule, value:
        case Text(), str():
            yield from _broken_size(rule, path, len(value), "length")
            if rule.pattern and not _matcher(rule.pattern)(value):
                yield path, f"satisfy regular expression: {rule.pattern}"
            if rule.choices and value not in rule.choices:
                yield path, f"satisfy enum value set: {list(rule.choices)}"
        case Number(), int():
            yield from _broken_size(rule, path, value, "value")
        case Many(), list():
            yield from _broken_size(rule, path, len(value), "length")
            for index, item in enumerate(value, 1):
                yield from _broken(rule.of, f"{path}.{index}.member", item)
        case Members(), dict():
            missing = [name for name in rule.required if name not in value]
            yield from ((_below(path, name), "not be null") for name in missing)
            for name, item in value.items():
                yield from _broken(rule.rules[name], _below(path, name), item)


def _broken_size(rule: Text | Number | Many, path: str, size: int, what: str) -> Iterator[_Broken]:
    if rule.min is not None and size < rule.min:
        yield path, f"have {what} greater than or equal to {rule.min}"
    if rule.max is not None and size > rule.max:
        yield path, f"have {what} less than or equal to {rule.max}"


def _below(path: str, name: str) -> str:
    # The service spells members as Java does: sourceBackupId.
    spelled = name[0].lower() + name[1:]
    return f"{path}.{spelled}" if path else spelled


def _failure(request: Document, broken: list[_Broken]) -> ServiceFailure:
    """Choose the error for what is broken: an operation's own one before BadRequest."""
    paths = {path for path, _ in broken}
    arn = request.get("ResourceARN")
    if paths == {"resourceARN"} and _ANY_ARN.fullmatch(str(arn)):
        return ServiceFailure(
            "NotServiceResourceError", f"{arn} is not a resource of Amazon FSx.", ResourceARN=arn
        )
    constraints = "; ".join(
        f"Value at '{path}' failed to satisfy constraint: Member must {rule}"
        for path, rule in broken
    )
    plural = "s" if len(broken) > 1 else ""
    return ServiceFailure(
        "InvalidRegion" if paths == {"sourceRegion"} else "BadRequest",
        f"{len(broken)} validation error{plural} detected: {constraints}",
    )


@functools.cache
def _matcher(pattern: str) -> Callable[[str], object]:
    r"""
    Return the test for *pattern*; the whole text must match, as in Java.

    Python's expressions have no ``\p{L}``, so the one pattern that needs it
    (tag keys and values) is tested by Unicode category instead.
    """
    if r"\p{L}" in pattern:
        return _is_tag_text
    return re.compile(pattern).fullmatch


def _is_tag_text(text: str) -> bool:
    return all(char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN" for char in text)

"""
The rules of arguments and requests, checked before anything is sent: all errors at once.

Lengths and patterns are those of the FSx API 2018-03-01 (botocore's service model
1.44.8), except for the token's: the model says `A-z`, which lets five stray characters
in, where `A-Za-z` is meant. Tests compare them with the model.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast
from uuid import uuid4

import attrs

from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.models import Tag

if TYPE_CHECKING:
    from types_aiobotocore_fsx.type_defs import (
        CopyBackupRequestTypeDef,
        DeleteBackupRequestTypeDef,
        DescribeBackupsRequestTypeDef,
        TagTypeDef,
    )

Duration: TypeAlias = float | timedelta
"""Seconds, or a timedelta."""

# Regions of every other partition begin with one of these; the rest are in `aws`
# (botocore/data/partitions.json).
_PARTITION_PREFIXES = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}


_KMS_ARN = re.compile(r"arn:[^:]*:kms:([^:]*):")


def _matches(pattern: str) -> Callable[[str], bool]:
    # `re` compiles the pattern when the first text is checked, and keeps it.
    return lambda text: re.fullmatch(pattern, text) is not None


def _is_tag_text(text: str) -> bool:
    # The model's pattern is \p{L}\p{Z}\p{N}_.:/=+-@, which `re` cannot express.
    return all(char in "_.:/=+-@" or unicodedata.category(char)[0] in "LZN" for char in text)


@attrs.frozen
class Rule:
    """What a text may be: its length in characters, its form, and both in words."""

    min: int
    max: int
    has_form: Callable[[str], bool]
    words: str

    def allows(self, value: object) -> bool:
        return (
            isinstance(value, str) and self.min <= len(value) <= self.max and self.has_form(value)
        )


BACKUP_ID = Rule(
    12, 128, _matches(r"backup-[0-9a-f]{8,}"), '"backup-" followed by 8 to 121 hexadecimal digits'
)
FILTER_VALUE = Rule(
    1, 128, _matches(r"[0-9a-zA-Z*.\\/?_-]*"), r"1 to 128 of A-Z, a-z, 0-9 and `*.\/?-_`"
)
KMS_KEY_ID = Rule(1, 2048, _matches(r".*"), "1 to 2048 characters on one line")
NEXT_TOKEN = Rule(
    1,
    255,
    _matches(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "1 to 255 characters of Base64, as the page before gave it",
)
REGION = Rule(1, 20, _matches(r"[a-z0-9-]*"), "1 to 20 of a-z, 0-9 and `-`")
TAG_KEY = Rule(1, 128, _is_tag_text, "1 to 128 letters, digits, spaces and `_.:/=+-@`")
TAG_VALUE = Rule(0, 256, _is_tag_text, "at most 256 letters, digits, spaces and `_.:/=+-@`")
TOKEN = Rule(1, 63, _matches(r"[A-Za-z0-9_.-]*"), "1 to 63 of A-Z, a-z, 0-9, `_`, `.` and `-`")


@attrs.frozen
class ArgumentErrors:
    """Collect what is wrong with arguments, so that one exception reports all of it."""

    texts: list[str] = attrs.field(factory=list)

    def add(self, name: str, rule: str, found: str) -> None:
        """Add that the argument *name* "must be *rule*, not *found*"."""
        self.texts.append(_broken(name, rule, found))

    def add_value(self, name: str, rule: str, value: object) -> None:
        """Add that the argument *name* must be *rule*, and show *value* on one line."""
        self.add(name, rule, shown(value))

    def check(self, name: str, value: object, rule: Rule) -> None:
        if not rule.allows(value):
            self.add_value(name, rule.words, value)

    def check_optional(self, name: str, value: object, rule: Rule) -> None:
        if value is not None:
            self.check(name, value, rule)

    def check_key_of(self, region: object, name: str, key: object) -> None:
        """Note a *key* that cannot encrypt copies in *region*; only an ARN says where it is."""
        self.check(name, key, KMS_KEY_ID)
        arn = _KMS_ARN.match(key) if isinstance(key, str) else None
        if arn and arn[1] != region:
            self.add(name, f"a key of {region}, where the copies are", f"one of {arn[1]}")

    def check_type(self, name: str, value: object, cls: type, words: str) -> None:
        if not isinstance(value, cls):
            self.add_value(name, words, value)

    def check_observer(self, name: str, value: object) -> None:
        if not (value is None or callable(value)) or iscoroutinefunction(value):
            self.add_value(name, "a function that is not async, or None", value)

    def check_count(self, name: str, value: object) -> None:
        if not (type(value) is int and value >= 1):
            self.add_value(name, "an integer, at least 1", value)

    def check_seconds(self, name: str, value: Duration) -> None:
        try:
            seconds(name, value)
        except InvalidArguments as error:
            self.texts.extend(error.errors)

    def raise_any(self) -> None:
        if self.texts:
            raise InvalidArguments("; ".join(self.texts), tuple(self.texts))


def invalid(name: str, rule: str, found: str) -> InvalidArguments:
    """Return the error of one argument, which "must be *rule*, not *found*"."""
    text = _broken(name, rule, found)
    return InvalidArguments(text, (text,))


def _broken(name: str, rule: str, found: str) -> str:
    return f"{name}: must be {rule}, not {found}"


def type_of(value: object) -> str:
    """Describe a value that may be secret by its type alone."""
    return f"a value of type {type(value).__name__}"


def shown(value: object) -> str:
    """Return *value* as a short text on one line, whatever it is."""
    if isinstance(value, str):  # cut first: the repr of megabytes takes long
        value = value[:80]
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python writes out no integer of more than 4300 digits
        return f"a value of {type(value)}"


def printable(text: str) -> str:
    """Return *text* on one line, with those characters escaped that a terminal might obey."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def size_text(size: float) -> str:
    """Return a number of bytes in the unit that AWS would use."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:  # noqa: PLR2004 - what the units mean
        size /= 1024
        del units[0]
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"


_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

DURATION_PATTERN = r"(\d+(?:\.\d+)?)([smhd]?)"
"""How a duration is typed: seconds, or a number with a unit."""


def parse_duration(text: str) -> timedelta:
    """
    Return the duration that a person typed, such as 90, 90s, 15m, 8h or 7d.

    Raises:
        ValueError: the text is not a duration; the message has the rule.
    """
    found = re.fullmatch(DURATION_PATTERN, text)
    with suppress(OverflowError):
        if found:
            return timedelta(**{_UNITS[found[2]]: float(found[1])})
    raise ValueError(f"must be like 90, 90s, 15m, 8h or 7d, not {text!r:.80}")


def duration_text(seconds: float) -> str:
    """Return a duration in the largest unit that it fills, rounded down."""
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds // 1:.0f} s"


def exact_duration_text(seconds: float) -> str:
    """Return a duration in all units that it fills, such as `1 d 12 h`."""
    texts: list[str] = []
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        count, seconds = divmod(seconds, length)
        texts += [f"{count:.0f} {unit}"] if count else []
    texts += [f"{seconds:g} s"] if seconds or not texts else []
    return " ".join(texts)


def age_text(age: float, limit: float) -> str:
    """Return an age in seconds in one unit, or in more where that would look like *limit*."""
    if duration_text(age) != duration_text(limit):
        return duration_text(age)
    return exact_duration_text(math.ceil(age) if age > limit else math.floor(age))


def is_reserved(tag_key: str) -> bool:
    """Whether tags with this key are AWS's own: the prefix counts in any case."""
    return tag_key.lower().startswith("aws:")


@lru_cache(maxsize=64)
def partition_of(region: str) -> str:
    """Return the partition that *region* lies in, such as `aws-cn`."""
    return next(
        (name for prefix, name in _PARTITION_PREFIXES.items() if region.startswith(prefix)), "aws"
    )


def check_backup_id(backup_id: str) -> None:
    """Raise InvalidArguments if *backup_id* is not the ID of a backup."""
    if not BACKUP_ID.allows(backup_id):
        raise invalid("backup_id", BACKUP_ID.words, shown(backup_id))


def check_type(name: str, value: object, cls: type) -> None:
    """Raise InvalidArguments if *value* is not an instance of *cls*."""
    if not isinstance(value, cls):
        raise invalid(name, f"a {cls.__name__}", shown(value))


def to_seconds(value: Duration) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value


def seconds(name: str, value: Duration) -> float:
    """Return a duration in seconds; raise InvalidArguments if it is negative or not one."""
    number: object = to_seconds(value)
    # Compared, not converted, because the largest integers do not fit into a float.
    if (
        isinstance(number, bool)
        or not isinstance(number, int | float)
        or not 0 <= number <= sys.float_info.max
    ):
        raise invalid(name, "seconds or a timedelta, finite and not negative", shown(value))
    return float(number)


def _to_name(name: str) -> FilterName:
    if not isinstance(name, str):
        raise invalid("name", "a FilterName or its text", f"a value of {type(name)}")
    return FilterName(name)


def _to_tuple(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        return (values,)
    if not isinstance(values, Iterable):
        raise invalid("values", "a text or a collection of texts", f"a value of {type(values)}")
    return tuple(values)


@attrs.frozen
class BackupFilter:
    """
    Keep the backups that have one of some values.

    Several filters together keep what passes all of them.

    Raises:
        InvalidArguments: `name` is not a text, or `values` is not a collection; what the texts
            may be is checked when the filter is used.
    """

    name: FilterName = attrs.field(converter=_to_name)
    """The name of the filter, such as `FilterName.FILE_SYSTEM_ID` or its text."""
    values: tuple[str, ...] = attrs.field(converter=_to_tuple)
    """1 to 20 values, any of which will do; a single one may be given bare."""


Tags: TypeAlias = Mapping[str, str] | Iterable[Tag]
"""Keys and values, or `Tag` objects."""

_Item = TypeVar("_Item")


# These convert members, and let wrong types through: the checks that follow name all of them.
def to_items(given: Iterable[_Item]) -> tuple[_Item, ...]:
    items: object = given
    is_collection = isinstance(items, Iterable) and not isinstance(items, str | bytes)
    return tuple(given) if is_collection else cast("tuple[_Item, ...]", (items,))


def to_tags(given: Tags) -> tuple[Tag, ...]:
    if isinstance(given, Mapping):
        return tuple(Tag(key=key, value=value) for key, value in given.items())
    return to_items(given)


DEFAULT_MAX_IN_PROGRESS = 5
"""Per destination Region, and for ONTAP per volume and key there (FSx quotas)."""

DEFAULT_KEEP_TAG = "fsxcopy:protected"
"""The key of the tag that keeps a copy from being pruned."""

DEFAULT_MAX_AGE = timedelta(days=1)
"""How old the newest copy's backup may be before a report calls it late: a nightly backup."""

# The service model's limits on lists and numbers.
MAX_BACKUP_IDS = 50
MAX_FILTERS = 10
MAX_FILTER_VALUES = 20
MAX_RESULTS = 2**31 - 1
MAX_TAGS = 50


def copy_backup_request(
    source_backup_id: str,
    *,
    region: str,
    source_region: str | None,
    kms_key_id: str | None,
    copy_tags: bool,
    tags: Tags | None,
    client_request_token: str | None,
) -> CopyBackupRequestTypeDef:
    """Make a CopyBackup request to *region*; without a token it gets a random one."""
    errors = ArgumentErrors()
    errors.check("source_backup_id", source_backup_id, BACKUP_ID)
    _check_source_region(errors, source_region, region)
    errors.check_optional("kms_key_id", kms_key_id, KMS_KEY_ID)
    errors.check_type("copy_tags", copy_tags, bool, "True or False")
    wire_tags = _wire_tags(errors, tags)
    errors.check_optional("client_request_token", client_request_token, TOKEN)
    errors.raise_any()
    request: CopyBackupRequestTypeDef = {
        "SourceBackupId": source_backup_id,
        "ClientRequestToken": client_request_token or str(uuid4()),
    }
    if source_region is not None:
        request["SourceRegion"] = source_region
    if kms_key_id is not None:
        request["KmsKeyId"] = kms_key_id
    if copy_tags:
        request["CopyTags"] = True
    if wire_tags:
        request["Tags"] = wire_tags
    return request


def describe_backups_request(
    *,
    backup_ids: Iterable[str] | None,
    filters: Iterable[BackupFilter],
    max_results: int | None,
    next_token: str | None,
    errors: ArgumentErrors | None = None,
) -> DescribeBackupsRequestTypeDef:
    """Make a DescribeBackups request; *errors* are those of other arguments, raised together."""
    errors = errors or ArgumentErrors()
    ids = None if backup_ids is None else _backup_ids(errors, backup_ids)
    wanted = _filters(errors, filters)
    if max_results is not None and not (
        type(max_results) is int and 1 <= max_results <= MAX_RESULTS
    ):
        errors.add_value("max_results", f"an integer from 1 to {MAX_RESULTS}", max_results)
    errors.check_optional("next_token", next_token, NEXT_TOKEN)
    errors.raise_any()
    request: DescribeBackupsRequestTypeDef = {}
    if ids is not None:
        request["BackupIds"] = ids
    if wanted:
        request["Filters"] = [{"Name": one.name.value, "Values": one.values} for one in wanted]
    if max_results is not None:
        request["MaxResults"] = max_results
    if next_token is not None:
        request["NextToken"] = next_token
    return request


def delete_backup_request(
    backup_id: str, *, client_request_token: str | None
) -> DeleteBackupRequestTypeDef:
    """Make a DeleteBackup request; without a token it gets a random one."""
    errors = ArgumentErrors()
    errors.check("backup_id", backup_id, BACKUP_ID)
    errors.check_optional("client_request_token", client_request_token, TOKEN)
    errors.raise_any()
    return {"BackupId": backup_id, "ClientRequestToken": client_request_token or str(uuid4())}


def _check_source_region(errors: ArgumentErrors, source_region: str | None, region: str) -> None:
    if source_region is None:
        return
    errors.check("source_region", source_region, REGION)
    if REGION.allows(source_region):
        source, destination = partition_of(source_region), partition_of(region)
        if source != destination:
            rule = f"in the partition of {region}, which is {destination}"
            errors.add("source_region", rule, f"{source_region}, which is in {source}")


def _wire_tags(errors: ArgumentErrors, tags: Tags | None) -> list[TagTypeDef]:
    if tags is None:
        return []
    if isinstance(tags, Mapping):
        pairs = list(tags.items())
    else:
        given = _items(errors, "tags", tags, Tag, "a mapping of strings or Tag objects")
        pairs = [(tag.key, tag.value) for tag in given or ()]
    for key, value in pairs:
        errors.check(f"tags: key {shown(key)}", key, TAG_KEY)
        errors.check(f"tags: value of {shown(key)}", value, TAG_VALUE)
    keys = [key for key, _ in pairs if isinstance(key, str)]
    for key, count in Counter(keys).items():
        name = f"tags: key {shown(key)}"
        if count > 1:
            errors.add(name, "unique", f"given {count} times")
        if is_reserved(key):
            errors.add(name, "without AWS's own prefix", "one with `aws:`")
    if len(pairs) > MAX_TAGS:
        errors.add("tags", f"at most {MAX_TAGS}", str(len(pairs)))
    return [{"Key": key, "Value": value} for key, value in pairs]


def _backup_ids(errors: ArgumentErrors, backup_ids: Iterable[str]) -> list[str]:
    ids = _items(errors, "backup_ids", backup_ids, str, "a collection of ids")
    if ids is None:
        return []
    for index, backup_id in enumerate(ids):
        errors.check(f"backup_ids[{index}]", backup_id, BACKUP_ID)
    # The service would answer an empty list with all backups, which is never what is meant.
    if not 1 <= len(ids) <= MAX_BACKUP_IDS:
        errors.add("backup_ids", f"1 to {MAX_BACKUP_IDS} ids, or None for all", f"{len(ids)} ids")
    return ids


def _filters(errors: ArgumentErrors, filters: Iterable[BackupFilter]) -> list[BackupFilter]:
    wanted = _items(errors, "filters", filters, BackupFilter, "a collection of BackupFilter") or []
    for index, one in enumerate(wanted):
        name = f"filters[{index}].values"
        for value in one.values:
            errors.check(name, value, FILTER_VALUE)
        if not 1 <= len(one.values) <= MAX_FILTER_VALUES:
            errors.add(name, f"1 to {MAX_FILTER_VALUES} values", f"{len(one.values)} values")
    if len(wanted) > MAX_FILTERS:
        errors.add("filters", f"at most {MAX_FILTERS}", str(len(wanted)))
    return wanted


def _items(
    errors: ArgumentErrors, name: str, given: object, cls: type[_Item], words: str
) -> list[_Item] | None:
    """Return the members of a collection, or note that it is none of *cls*."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        errors.add_value(name, words, given)
        return None
    items = list(given)
    if not all(isinstance(item, cls) for item in items):
        errors.add_value(name, words, items)
        return None
    return items

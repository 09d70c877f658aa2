"""
The options that commands share, and the conversion of their texts.

Help needs this module, so it must not import what takes long to import.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, TypeVar

import attrs
from cyclopts import Group, Parameter, Token

from fsxcopy_sdk import DEFAULT_MAX_WAIT, BackupFilter, WaitSchedule
from fsxcopy_sdk._validation import (
    BACKUP_ID,
    DEFAULT_KEEP_TAG,
    DEFAULT_MAX_IN_PROGRESS,
    ArgumentErrors,
    parse_duration,
)
from fsxcopy_sdk.enums import FilterName, OpenEnum
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.models import Tag

# The default of `testing`, which imports aiohttp: that takes several times as long as help
# may. A test compares the values.
COPY_DURATION = timedelta(minutes=5)

_MAIN = getattr(sys.modules.get("__main__"), "__spec__", None)
PROGRAM = "python -m fsxcopy_sdk" if _MAIN and _MAIN.name == "fsxcopy_sdk.__main__" else "fsxcopy"
"""What was typed to run this command."""

Flag: TypeAlias = Annotated[bool, Parameter(negative=(), show_default=False)]
"""An option without a value."""
Output: TypeAlias = Literal["table", "json", "jsonl", "html", "markdown", "prometheus"]
PAGES: tuple[Output, ...] = ("html", "markdown", "prometheus")
"""The output formats that only reports have."""

GLOBAL_GROUP = "Global options"


class LogLevel(StrEnum):
    """The levels that can be typed, in upper or lower case."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def _duration(_: object, tokens: Sequence[Token]) -> timedelta:
    return parse_duration(tokens[0].value)


def _typed(value: timedelta | None) -> str | None:
    """Return a duration as it can be typed; None for none."""
    if value is None:
        return None
    seconds = value.total_seconds()
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and not seconds % size:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


Duration: TypeAlias = Annotated[
    timedelta, Parameter(converter=_duration, metavar="DURATION", show_default=_typed)
]
"""Seconds, or a number with one of the units s, m, h and d."""


def _value(metavar: str, short: str | None = None) -> Parameter:
    """Return the parameter of an option whose value is called *metavar*."""
    return Parameter(metavar=metavar, alias=short)


@Parameter(name="*", group=Group(GLOBAL_GROUP, sort_key=2))
@attrs.frozen(kw_only=True)
class Globals:
    """Options that are given before or after the name of a command, which takes some of them."""

    region: Annotated[str | None, _value("REGION", "-r")] = None
    """Region of the backups, and destination of copies."""
    source_region: Annotated[str | None, _value("REGION", "-s")] = None
    """Region to copy from, if it is a different one."""
    profile: Annotated[str | None, _value("NAME", "-p")] = None
    """Profile of the AWS configuration."""
    endpoint_url: Annotated[str | None, _value("URL")] = None
    """URL of the service, if it is not in AWS."""
    output: Annotated[Output, _value("FORMAT", "-o")] = "table"
    """Results as a table, one JSON document, or one JSON object per line."""
    connect_timeout: Duration | None = None
    """Time for each attempt to connect, such as 5s; 0 for no limit (default: 60s)."""
    read_timeout: Duration | None = None
    """Time for each attempt to get an answer; 0 for no limit (default: 60s)."""
    quiet: Annotated[Flag, Parameter(alias="-q")] = False
    """Print only results and errors."""
    log_level: Annotated[LogLevel | None, _value("LEVEL")] = None
    """Lowest level of the log records on standard error (default: warning; quiet: error)."""


TWO_REGIONS = frozenset(field.name for field in attrs.fields(Globals))
"""The global options of commands that copy from one Region to another."""
ONE_REGION = TWO_REGIONS - {"source_region"}
MESSAGES = frozenset({"log_level", "quiet"})


def option_of(name: str) -> str:
    """Return the option for an attribute of `Globals`."""
    return f"--{name.replace('_', '-')}"


def given(options: Globals) -> set[str]:
    """Return the names of the options that differ from their defaults."""
    fields = attrs.fields(Globals)
    return {field.name for field in fields if getattr(options, field.name) != field.default}


# Cyclopts puts the option and the value before these texts.
def _is_at_least_one(_: object, value: int | str | None) -> None:
    if isinstance(value, int) and value < 1:
        raise ValueError("Must be 1 or more.")


def _is_positive(_: object, value: timedelta | None) -> None:
    if value is not None and not value:
        raise ValueError("Must be more than zero.")


_COUNT = Parameter(validator=_is_at_least_one, metavar="N")

MaxAge: TypeAlias = Annotated[
    Duration, Parameter(help="Report a newest copy older than this as late.")
]
Out: TypeAlias = Annotated[
    str | None,
    Parameter(metavar="FILE", help="Write to this file, all at once, instead of standard output."),
]
PlanOut: TypeAlias = Annotated[
    str | None,
    Parameter(metavar="FILE", help="Write the plan to this file too, for sync --plan."),
]
Texts: TypeAlias = Annotated[
    tuple[str, ...], Parameter(negative=(), show_default=False, metavar="ID")
]
"""An option that may be given several times."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Waiting:
    """How long to wait, and how often to poll."""

    max_wait: Duration = DEFAULT_MAX_WAIT
    """
    Stop waiting after this time: seconds, or a duration such as 15m, 8h or 7d. It bounds the
    whole run, not each copy.
    """
    min_delay: Annotated[Duration, Parameter(validator=_is_positive)] = timedelta(
        seconds=WaitSchedule().min_delay
    )
    """Shortest time between two polls of a backup."""

    @property
    def schedule(self) -> WaitSchedule:
        """The schedule of the polls."""
        delay = self.min_delay.total_seconds()
        return WaitSchedule(min_delay=delay, max_delay=max(delay, WaitSchedule().max_delay))


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Copying:
    """The members of copies."""

    kms_key_id: Annotated[str | None, _value("KEY")] = None
    """KMS key for the copies, in the destination Region (default: aws/fsx)."""
    tag: Annotated[Texts, _value("KEY=VALUE", "-t")] = ()
    """Tag for the copies; may be repeated, and wins over the source's."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Selection:
    """The backups to use."""

    file_system_id: Texts = ()
    """Only backups of this file system; may be repeated."""
    volume_id: Texts = ()
    """Only backups of this volume; may be repeated."""
    filter: Annotated[Texts, _value("NAME=VALUE", "-f")] = ()
    """
    Only backups that pass a filter of the service, such as backup-type=AUTOMATIC; may be repeated.

    The names are file-system-id, backup-type, file-system-type, volume-id,
    data-repository-type, file-cache-id and file-cache-type.
    """
    strict: Flag = False
    """Fail if a backup cannot be read, instead of warning and showing the others."""


SortKey: TypeAlias = Literal["created", "id", "lifecycle", "name", "of", "size", "type"]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Listing:
    """What of the selected backups to list, and in which order."""

    lifecycle: Annotated[Texts, _value("STATE")] = ()
    """Only backups in this state, such as AVAILABLE or COPYING; may be repeated."""
    newer_than: Duration | None = None
    """Only backups younger than this, such as 7d."""
    sort: Annotated[SortKey | None, _value("KEY")] = None
    """Sort by this, when all backups were read (default: the service's order)."""
    reverse: Flag = False
    """With --sort: the last first."""
    limit: Annotated[int | None, _COUNT] = None
    """List no more backups than this, and without --sort read no more."""

    def __attrs_post_init__(self) -> None:
        """Refuse to reverse the service's order, which is none."""
        if self.reverse and self.sort is None:
            raise usage_error("--reverse: must come with --sort")


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Scope:
    """The name and the backups of a policy, or a file of policies."""

    config: Annotated[str | None, _value("FILE", "-c")] = None
    """File of policies, accounts and Regions, such as fsxcopy.toml, instead of options."""
    policy: Annotated[Texts, _value("NAME")] = ()
    """
    Name of the policy, stored in a tag of its copies (default: fsxcopy). Only copies with this
    tag are pruned. With --config: only this policy of the file; may be repeated.
    """
    selection: Selection = Selection()

    def __attrs_post_init__(self) -> None:
        """Refuse several names where there are no policies to select."""
        if self.config is None and len(self.policy) > 1:
            raise usage_error("--policy: must come with --config to be repeated")


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Retention:
    """Which copies to keep, by the rules of restic."""

    keep_last: Annotated[int | None, _COUNT] = None
    """Keep the copies of the N newest backups of each file system or volume."""
    keep_hourly: Annotated[int | None, _COUNT] = None
    """Keep the newest copy of each of the N newest hours that have one."""
    keep_daily: Annotated[int | None, _COUNT] = None
    """Keep the newest copy of each of the N newest days that have one."""
    keep_weekly: Annotated[int | None, _COUNT] = None
    """Keep the newest copy of each of the N newest weeks (from Monday) that have one."""
    keep_monthly: Annotated[int | None, _COUNT] = None
    """Keep the newest copy of each of the N newest months that have one."""
    keep_yearly: Annotated[int | None, _COUNT] = None
    """Keep the newest copy of each of the N newest years that have one."""
    keep_within: Annotated[Duration | None, Parameter(validator=_is_positive)] = None
    """Keep the copies of backups less than this older than the newest, such as 30d."""
    keep_time_zone: Annotated[str | None, _value("NAME")] = None
    """Time zone of these hours, days and the rest, such as Europe/Berlin (default: UTC)."""

    @property
    def has_rule(self) -> bool:
        """Whether one of the rules is given."""
        return attrs.evolve(self, keep_time_zone=None) != Retention()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Policy:
    """Which backups to copy, how to copy them, and which copies to keep."""

    scope: Scope = Scope()
    copying: Copying = Copying()
    copy_tags: Annotated[bool, Parameter(show_default=False)] = True
    """Copy the tags of the source (default: yes)."""
    newest: Annotated[
        int | Literal["all"], _COUNT, Parameter(metavar="N|all", show_choices=False)
    ] = 1
    """How many backups of each file system or volume to copy, the newest first."""
    newer_than: Duration | None = None
    """Copy only backups younger than this, such as 7d."""
    retention: Retention = Retention()
    keep_tag: Annotated[str, _value("KEY")] = DEFAULT_KEEP_TAG
    """Keep the copies that have a tag with this key."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class CopyOptions:
    """The options of ``fsxcopy copy``."""

    copying: Copying = Copying()
    waiting: Waiting = Waiting()
    no_wait: Flag = False
    """Start as many copies as the quota allows, wait for none, and list the rest."""
    copy_tags: Annotated[bool, Parameter(show_default=False)] = True
    """Copy the tags of the source (default: yes)."""
    max_in_progress: Annotated[int, _COUNT] = DEFAULT_MAX_IN_PROGRESS
    """Copies in progress at once."""
    salt: Annotated[str, Parameter(metavar="TEXT", show_default=False)] = ""
    """Change this text to force another copy of the same backup."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class SyncOptions:
    """The options of ``fsxcopy sync``."""

    policy: Policy = Policy()
    waiting: Waiting = Waiting()
    no_wait: Flag = False
    """Start as many copies as the quota allows, wait for none, and list the rest."""
    max_in_progress: Annotated[int, _COUNT] = DEFAULT_MAX_IN_PROGRESS
    """Copies in progress at once."""
    prune: Flag = False
    """Delete copies that the policy no longer keeps; needs --policy."""
    prune_orphans: Flag = False
    """With --prune: also delete copies of retired sources, which show no AVAILABLE backup."""
    prune_most: Flag = False
    """With --prune: also delete more than half of the copies of one source."""
    dry_run: Annotated[Flag, Parameter(alias="-n")] = False
    """Show the plan, and change nothing."""
    plan: Annotated[str | None, _value("FILE")] = None
    """Carry out a plan that fsxcopy plan --out wrote at most 24 hours ago."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Deletion:
    """The options of ``fsxcopy delete``."""

    yes: Annotated[Flag, Parameter(alias="-y")] = False
    """Delete without confirmation."""
    dry_run: Annotated[Flag, Parameter(alias="-n")] = False
    """Show what would be deleted, and change nothing."""


def decided(given: object, free: Collection[str]) -> Iterator[str]:
    """Yield the options that differ from their defaults, but for those of the names *free*."""
    fields: Iterable[attrs.Attribute[object]] = attrs.fields(type(given))  # type: ignore[arg-type]  # classes of options are attrs'
    for field in fields:
        value = getattr(given, field.name)
        if attrs.has(type(value)):
            yield from decided(value, free)
        elif value != field.default and field.name not in free:
            yield option_of(field.name)


def policy_name(scope: Scope) -> str:
    """Return the name of the policy that is meant."""
    return scope.policy[0] if scope.policy else "fsxcopy"


def usage_error(*errors: str) -> InvalidArguments:
    """Return the exception for *errors* in what was typed."""
    return InvalidArguments("; ".join(errors), errors)


def checked_ids(backup_ids: Iterable[str]) -> tuple[str, ...]:
    """Return backup IDs without duplicates, or raise `InvalidArguments` that names all errors."""
    ids = tuple(dict.fromkeys(backup_ids))
    errors = ArgumentErrors([] if ids else ["BACKUP_IDS: give at least one"])
    for backup_id in ids:
        errors.check("BACKUP_ID", backup_id, BACKUP_ID)
    errors.raise_any()
    return ids


def _pairs(option: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of KEY=VALUE texts, which were given with *option*."""
    errors = ArgumentErrors()
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign:
            errors.add_value(option, "like KEY=VALUE", text)
        yield key, value
    errors.raise_any()


def tags(texts: Iterable[str]) -> tuple[Tag, ...]:
    """Return the tags of the options ``--tag Key=Value``, or raise `InvalidArguments`."""
    return tuple(Tag(key=key, value=value) for key, value in _pairs("--tag", texts))


_Value = TypeVar("_Value", bound=OpenEnum)


def known_values(option: str, texts: Iterable[str], cls: type[_Value]) -> tuple[_Value, ...]:
    """
    Return the values of *cls* that *texts* name, in upper or lower case.

    The library takes values that it does not know, because the service adds some. What is
    typed is more likely to be wrong than new.
    """
    by_name = {value.value.lower(): value for value in cls}
    errors, values = ArgumentErrors(), []
    for text in texts:
        if value := by_name.get(text.lower()):
            values.append(value)
        else:
            near = get_close_matches(text.lower(), by_name, n=1)
            guess = f"; did you mean {by_name[near[0]].value}?" if near else ""
            names = ", ".join(value.value for value in cls)
            errors.add(option, f"one of {names}", f"{text!r:.80}{guess}")
    errors.raise_any()
    return tuple(values)


def filters_by_option(selection: Selection) -> dict[str, BackupFilter]:
    """Return the filters by their options, or raise `InvalidArguments`."""
    values: defaultdict[str, list[str]] = defaultdict(list)
    pairs = [*_pairs("--filter", selection.filter)]
    names = known_values("--filter", (name for name, _ in pairs), FilterName)
    for name, (_, value) in zip(names, pairs, strict=True):
        values[name].append(value)
    by_option = {
        "--file-system-id": BackupFilter(FilterName.FILE_SYSTEM_ID, selection.file_system_id),
        "--volume-id": BackupFilter(FilterName.VOLUME_ID, selection.volume_id),
    }
    by_option |= {f"--filter {name}": BackupFilter(name, those) for name, those in values.items()}
    return {option: one for option, one in by_option.items() if one.values}


@contextmanager
def errors_by_option(filters: Mapping[str, BackupFilter]) -> Iterator[None]:
    """Let errors in *filters*, which were passed in this order, name their options."""
    options = list(filters)
    try:
        yield
    except InvalidArguments as error:
        name = re.compile(r"^filters\[(\d+)\]\.values")
        texts = (name.sub(lambda found: options[int(found[1])], text) for text in error.errors)
        raise usage_error(*texts) from error

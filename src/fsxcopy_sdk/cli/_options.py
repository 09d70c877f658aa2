"""
What the commands take: options that several share, and how texts become values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

import attrs
from cyclopts import Group, Parameter, Token

from fsxcopy_sdk._validation import BackupFilter, describe_backups_request
from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.models import Tag

_GLOBAL = Group("Global options")
_GROUPED = Parameter(group=_GLOBAL)
_FLAG = Parameter(negative=(), show_default=False)
_LAST_PORT = 65535
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Output: TypeAlias = Literal["table", "json", "jsonl"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]


@attrs.frozen(kw_only=True)
class Globals:
    """
    The options that every command takes, before or after its name.
    """

    region: Annotated[str | None, _GROUPED] = None
    """Region of the backups, and destination of copies."""
    source_region: Annotated[str | None, _GROUPED] = None
    """Region that copies come from, if it is another."""
    profile: Annotated[str | None, _GROUPED] = None
    """Profile of the AWS configuration."""
    endpoint_url: Annotated[str | None, _GROUPED] = None
    """Where the service is, if not in AWS."""
    output: Annotated[Output, _GROUPED] = "table"
    """Results as a table, one JSON document, or one JSON object per line."""
    quiet: Annotated[bool, _GROUPED, _FLAG] = False
    """Say nothing but results and errors."""
    log_level: Annotated[LogLevel, _GROUPED] = "warning"
    """Log records to write to standard error."""


def _duration(_: object, tokens: Sequence[Token]) -> timedelta:
    text = tokens[0].value
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    try:
        if found:
            return timedelta(**{_UNITS[found[2]]: float(found[1])})
    except OverflowError:
        pass
    raise ValueError(f"must be like 90, 90s, 15m, 8h or 7d, not {text!r:.80}")


Duration: TypeAlias = Annotated[timedelta, Parameter(converter=_duration)]
"""A duration as it is typed: seconds, or a number with one of s, m, h and d."""


# What these say comes after a sentence with the option and the value.
def _at_least_one(_: object, value: int | str | None) -> None:
    if isinstance(value, int) and value < 1:
        raise ValueError("Must be 1 or more.")


def _is_port(_: object, value: int) -> None:
    if not 0 <= value <= _LAST_PORT:
        raise ValueError(f"Must be from 0 to {_LAST_PORT}.")


def _some_time(_: object, value: timedelta) -> None:
    if not value:
        raise ValueError("Must be more than zero.")


def _is_speed(_: object, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError("Must be a finite number above zero.")


_COUNT = Parameter(validator=_at_least_one)

Port: TypeAlias = Annotated[int, Parameter(validator=_is_port)]
"""A TCP port, or 0."""

Speed: TypeAlias = Annotated[float, Parameter(validator=_is_speed)]
"""How many times as fast as real time a clock runs."""

Texts: TypeAlias = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
"""An option that may be given several times."""

Flag: TypeAlias = Annotated[bool, _FLAG]
"""An option that is given or not."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Waiting:
    """
    How to wait.
    """

    max_wait: Duration = timedelta(hours=8)
    """Give up waiting after so long: seconds, or like 15m, 8h, 7d."""
    min_delay: Annotated[Duration, Parameter(validator=_some_time)] = timedelta(seconds=5)
    """Look at a backup no more often than this."""


InProgress: TypeAlias = Annotated[int, _COUNT, Parameter(help="Copies in progress at once.")]

MaxAge: TypeAlias = Annotated[
    Duration, Parameter(help="Age from which on the newest copy is late.")
]
MAX_AGE = timedelta(days=1)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Copying:
    """
    What copies are to be like.
    """

    kms_key_id: str | None = None
    """Key for the copies in their Region, if not the account's own of FSx."""
    tag: Texts = ()
    """Tag for the copies, as Key=Value; may be repeated, and wins over the source's."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Selection:
    """
    Which backups are meant.
    """

    file_system_id: Texts = ()
    """Only backups of this file system; may be repeated."""
    volume_id: Texts = ()
    """Only backups of this volume; may be repeated."""
    filter: Texts = ()
    """Only what passes a filter, such as backup-type=AUTOMATIC; may be repeated."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Scope:
    """
    What a policy is for.
    """

    policy: str | None = None
    """Name of the policy, "fsxcopy" if not given: copies have it in a tag, and only
    copies with it are pruned."""
    selection: Selection = Selection()


@attrs.frozen(kw_only=True)
class Pruning:
    """
    What may be deleted; each is a switch of its own.
    """

    prune: bool = False
    orphans: bool = False
    """Copies whose source shows no AVAILABLE backup."""
    most: bool = False
    """More than half of the copies of one source."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Policy:
    """
    What is to be copied, what copies are to be like, and how long they stay.
    """

    scope: Scope = Scope()
    copying: Copying = Copying()
    copy_tags: bool = True
    """Give the copies the tags of their sources."""
    newest: Annotated[int | Literal["all"], _COUNT] = 1
    """How many backups of each file system or volume to copy, the newest first."""
    newer_than: Duration | None = None
    """Copy only backups younger than this, such as 7d."""
    keep_last: Annotated[int | None, _COUNT] = None
    """Prune no copies of so many backups of each file system or volume."""
    keep_within: Duration | None = None
    """Prune no copies of backups younger than this, such as 30d."""
    keep_tag: str = "fsxcopy:protected"
    """Prune no copies with a tag of this key."""


def pairs(name: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    """
    Split texts of the form KEY=VALUE, given with the option *name*.

    Raises:
        InvalidArguments: a text is of another form.
    """
    split = [(text, *text.partition("=")) for text in texts]
    faults = tuple(
        f"{name}: must be like KEY=VALUE, not {text!r:.80}"
        for text, _, sign, _ in split
        if not sign
    )
    if faults:
        raise InvalidArguments("; ".join(faults), faults)
    return [(key, value) for _, key, _, value in split]


def tags(texts: Iterable[str]) -> tuple[Tag, ...]:
    """
    Return the tags of the options ``--tag Key=Value``.

    Raises:
        InvalidArguments: a text is of another form.
    """
    return tuple(Tag(key=key, value=value) for key, value in pairs("--tag", texts))


def filters(texts: Iterable[str]) -> tuple[BackupFilter, ...]:
    """
    Return the filters of the options ``--filter NAME=VALUE``, one for each name.

    Raises:
        InvalidArguments: a text is of another form, or a filter breaks a rule.
    """
    values: dict[str, list[str]] = {}
    for name, value in pairs("--filter", texts):
        values.setdefault(name, []).append(value)
    return _checked(
        {f"--filter {name}": BackupFilter(name, those) for name, those in values.items()}
    )


def _checked(filters_of: Mapping[str, BackupFilter]) -> tuple[BackupFilter, ...]:
    """
    Return filters, if each keeps the rules.

    Raises:
        InvalidArguments: some do not; they are told by their options.
    """
    faults: list[str] = []
    for option, one in filters_of.items():
        try:
            describe_backups_request(
                backup_ids=None, filters=[one], max_results=None, next_token=None
            )
        except InvalidArguments as error:
            faults += [text.replace("filters[0].values", option, 1) for text in error.errors]
    if faults:
        raise InvalidArguments("; ".join(faults), tuple(faults))
    return tuple(filters_of.values())


def selected(selection: Selection) -> tuple[BackupFilter, ...]:
    """
    Return all that *selection* asks for as filters of the service.

    Raises:
        InvalidArguments: a filter is of another form, or breaks a rule.
    """
    ids = {
        FilterName.FILE_SYSTEM_ID: selection.file_system_id,
        FilterName.VOLUME_ID: selection.volume_id,
    }
    by_id = {f"--{name}": BackupFilter(name, values) for name, values in ids.items() if values}
    return _checked(by_id) + filters(selection.filter)

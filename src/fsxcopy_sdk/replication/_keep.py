"""
How long copies are kept, in restic's words: `last`, `hourly` to `yearly`, and `within`.

The rules are those of `restic forget`; a copy is kept if any one rule keeps it. A copy that a
listing omits makes no rule keep less, because each counts and measures from the newest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from fsxcopy_sdk._validation import (
    ArgumentErrors,
    Duration,
    age_text,
    exact_duration_text,
    invalid,
    shown,
    to_seconds,
)
from fsxcopy_sdk.errors import InvalidArguments


class KeepRule(StrEnum):
    """What keeps a copy: rules of `Keep`, and what keeps copies whatever those say."""

    LAST = "last"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    WITHIN = "within"
    NEWEST = "newest"
    """It is the newest of its file system or volume and key."""
    BEGUN_LAST = "begun last"
    """It was started last of these but is not the newest: an old backup was copied late."""
    SELECTED = "selected"
    """The policy wants a copy of its backup, and would make another one."""
    TAG = "tag"
    """It has the policy's `keep_tag`."""
    IN_PROGRESS = "in progress"
    DEAD = "dead"
    """It failed, so it cannot be restored: pruning is about AVAILABLE copies."""
    EVERYTHING = "everything"
    """The policy has no `Keep`, and so prunes nothing."""


def to_seconds_or_none(given: Duration | None) -> float | None:
    """Return a duration in seconds; None for none."""
    return None if given is None else to_seconds(given)


@attrs.frozen(kw_only=True)
class Keep:
    """
    Say which copies of each file system or volume and key are kept: those that any rule keeps.

    The rules have restic's meaning. An hour, a day, an ISO week, a month and a year is one
    on the clock of `time_zone`, and counts only if there is a copy of a backup made in it;
    of these the newest is kept. Two copies of one backup count once. (From 0.16 on restic
    also keeps the oldest of all while a rule has counted fewer than it may.)

    Durations are seconds or timedeltas, and become seconds.

    Raises:
        InvalidArguments: members break rules; `errors` has one text for each.
    """

    last: int | None = None
    """How many of the newest backups keep their copies."""
    hourly: int | None = None
    """How many of the newest hours keep their newest copy."""
    daily: int | None = None
    """How many of the newest days keep their newest copy."""
    weekly: int | None = None
    """How many of the newest ISO weeks, which begin on Monday, keep their newest copy."""
    monthly: int | None = None
    """How many of the newest months keep their newest copy."""
    yearly: int | None = None
    """How many of the newest years keep their newest copy."""
    within: float | None = attrs.field(default=None, converter=to_seconds_or_none)
    """A duration: keep copies of backups made less than this before the newest one."""
    time_zone: str = "UTC"
    """An IANA time zone, such as "Europe/Berlin", in which hours, days and the rest begin."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        counts = _counts(self)
        for rule, count in counts.items():
            if not (type(count) is int and count >= 1):
                errors.add_value(rule, "an integer of 1 or more, or None", count)
        if self.within == 0:
            # restic ignores it, but as documented above it would keep only the newest.
            errors.add_value("within", "more than 0 seconds, or None", self.within)
        elif self.within is not None:
            errors.check_seconds("within", self.within)
        elif not counts:
            others = "hourly, daily, weekly, monthly, yearly or within"
            errors.add("last", f"given if none of {others} is", "None")
        try:
            _zone(self.time_zone)
        except InvalidArguments as error:
            errors.texts.extend(error.errors)
        errors.raise_any()


def _zone(name: object) -> tzinfo:
    """Return a time zone, or raise `InvalidArguments`; the machine may have no data of any."""
    if name == "UTC":
        return UTC
    if isinstance(name, str):
        with suppress(KeyError, ValueError, OSError):
            return ZoneInfo(name)
    known = '"UTC", or an IANA time zone that this machine knows (PyPI\'s tzdata has all)'
    raise invalid("time_zone", known, shown(name))


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:  # within hours of the first or the last moment that Python knows
        return moment


def _week(local: datetime) -> str:
    year, week, _ = local.isocalendar()
    return f"{year:04}-W{week:02}"


# By its hour, not its moment: where a clock is set back, the hour that comes twice is one.
_COUNTED: Final[Mapping[KeepRule, Callable[[datetime], str] | None]] = {
    KeepRule.LAST: None,
    KeepRule.HOURLY: lambda local: f"{local.isoformat(' ')[:13]}:00",
    KeepRule.DAILY: lambda local: local.isoformat()[:10],
    KeepRule.WEEKLY: _week,
    KeepRule.MONTHLY: lambda local: local.isoformat()[:7],
    KeepRule.YEARLY: lambda local: local.isoformat()[:4],
}
"""The rules that count, and the periods that they count; None for each backup."""


def _counts(keep: Keep) -> dict[KeepRule, int]:
    """Return the rules of *keep* that count, with how many they keep."""
    counts = {rule: getattr(keep, rule) for rule in _COUNTED}
    return {rule: count for rule, count in counts.items() if count is not None}


@attrs.frozen
class Verdict:
    """What a retention says of one point to go back to."""

    kept_by: dict[KeepRule, str]
    """The rules that keep it, each with what it counts or measures."""
    passed_by: list[str]
    """Why the others do not."""


def judge(keep: Keep, newest_first: Sequence[datetime]) -> Iterator[Verdict]:
    """Yield the verdict of *keep* on each recovery point; the newest comes first."""
    # Not by the machine's own clock where a policy that was pickled elsewhere names no known zone.
    zone, counts = _zone(keep.time_zone), _counts(keep)
    # A set, not the period before: a clock that is set back over midnight repeats a day.
    seen: defaultdict[KeepRule, set[str]] = defaultdict(set)
    for number, moment in enumerate(newest_first, start=1):
        verdict = Verdict({}, [])
        local = _in_zone(moment, zone)
        for rule, count in counts.items():
            period_of = _COUNTED[rule]
            period = period_of(local) if period_of else f"{number}"
            if period in seen[rule]:
                verdict.passed_by.append(f"not the newest of {period}")
            elif len(seen[rule]) < count:
                where = f" ({period})" if period_of else ""
                verdict.kept_by[rule] = f"{rule} {len(seen[rule]) + 1} of {count}{where}"
            elif period_of:
                verdict.passed_by.append(f"beyond the {count} {rule}")
            else:
                among = f"among the newest {count}" if count > 1 else "the newest"
                verdict.passed_by.append(f"not {among}")
            seen[rule].add(period)
        if keep.within is not None:
            age = (newest_first[0] - moment).total_seconds()
            limit = exact_duration_text(keep.within)
            if age < keep.within:
                verdict.kept_by[KeepRule.WITHIN] = f"within {limit} of the newest"
            else:
                text = f"{age_text(age, keep.within)} older than the newest (within is {limit})"
                verdict.passed_by.append(text)
        yield verdict

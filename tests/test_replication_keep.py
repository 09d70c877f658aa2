"""
What a retention keeps, by a model that is written from restic's manual alone.

`nox -s restic` compares with restic itself, where that is installed.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replication_rig import DAY, NOW, POLICY, backup, copy_of, planned, pruned_ids
from strategies import MODERATE

from fsxcopy_sdk import Backup, InvalidArguments
from fsxcopy_sdk.replication import Keep, KeptCopy, ReplicationPlan, ReplicationPolicy

COUNTS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


def _backup_at(number: int, moment: datetime) -> Backup:
    return attrs.evolve(backup(number), creation_time=moment.astimezone(UTC))


def _plan(keep: Keep, *moments: datetime) -> ReplicationPlan:
    """Return the plan for a file system with copies of backups made then, the newest first."""
    made = [_backup_at(number, moment) for number, moment in enumerate(moments)]
    copies = [copy_of(one, 1000 + number) for number, one in enumerate(made)]
    return planned(attrs.evolve(POLICY, keep=keep), made[:1], copies)


def _rules(keep: Keep, *moments: datetime) -> list[str]:
    """Return which of *moments*, the newest first, *keep* keeps by which rules."""
    kept = {one.recovery_point: one for one in _plan(keep, *moments).kept}
    return [_words(kept.get(moment.astimezone(UTC))) for moment in moments]


def _words(kept: KeptCopy | None) -> str:
    always = {"newest", "selected"}  # the newest, which no rule is about here
    return " ".join(rule for rule in kept.rules if rule not in always) if kept else ""


def _times(*texts: str, zone: str = "UTC") -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) for text in texts]


# What restic's manual shows: weekdays at 11, and on Fridays at 23 as well; none on the 30th.
MANUAL = _times(
    "2025-05-02 23:00",
    "2025-05-02 11:00",
    "2025-05-01 11:00",
    "2025-04-29 11:00",
    "2025-04-28 11:00",
    "2025-04-25 23:00",
    "2025-04-25 11:00",
    "2025-04-24 11:00",
    "2025-04-23 11:00",
    "2025-04-22 11:00",
    "2025-04-21 11:00",
)


def test_the_example_of_restics_manual() -> None:
    """`forget --keep-daily 5` keeps one of each of the last five days that have any."""
    kept = ["daily", "", "daily", "daily", "daily", "daily", "", "", "", "", ""]
    assert kept == _rules(Keep(daily=5), *MANUAL)


@pytest.mark.parametrize(
    ("keep", "texts", "expected"),
    [
        (
            Keep(hourly=2),
            ["2026-03-01 10:00", "2026-03-01 09:59:59", "2026-03-01 09:00", "2026-03-01 08:59"],
            ["hourly", "hourly", "", ""],
        ),
        (
            Keep(weekly=3),
            ["2027-01-04", "2027-01-03 23:59", "2026-12-28", "2026-12-27", "2026-01-01"],
            ["weekly", "weekly", "", "weekly", ""],
        ),
        (
            Keep(weekly=9, yearly=9),
            ["2027-01-01", "2026-12-31", "2026-01-01", "2025-12-31"],
            ["weekly yearly", "yearly", "weekly", "yearly"],
        ),
        (
            Keep(monthly=2),
            ["2026-03-31", "2026-03-01", "2026-02-28", "2026-01-31"],
            ["monthly", "", "monthly", ""],
        ),
        (
            Keep(last=1, daily=2, monthly=2),
            ["2026-03-02 12:00", "2026-03-02 11:00", "2026-03-01 12:00", "2026-02-01"],
            ["last daily monthly", "", "daily", "monthly"],
        ),
        (
            Keep(within=DAY),
            ["2026-03-02", "2026-03-01 00:00:01", "2026-03-01", "2026-02-28"],
            ["within", "within", "", ""],
        ),
        (Keep(daily=5), ["2026-03-02 12:00", "2026-03-02 11:00", "2026-03-02"], ["daily", "", ""]),
    ],
    ids=["hours", "weeks", "ISO years", "months", "several", "within", "not full"],
)
def test_what_rules_keep(keep: Keep, texts: list[str], expected: list[str]) -> None:
    """Each period begins and ends on the clock, and its newest copy is kept."""
    assert expected == _rules(keep, *_times(*texts))


@pytest.mark.parametrize(
    ("zone", "keep", "texts", "expected"),
    [
        (
            "UTC",
            {"daily": 9},
            ["2026-03-02T00:30+00:00", "2026-03-01T23:30+00:00", "2026-03-01T22:30+00:00"],
            ["daily", "daily", ""],
        ),
        (
            "Europe/Berlin",
            {"daily": 9},
            ["2026-03-02T00:30+00:00", "2026-03-01T23:30+00:00", "2026-03-01T22:30+00:00"],
            ["daily", "", "daily"],
        ),
        (
            "America/New_York",
            {"yearly": 9},
            ["2026-01-01T05:00+00:00", "2026-01-01T04:59+00:00"],
            ["yearly", "yearly"],
        ),
        (
            "Europe/Berlin",  # 02:30 comes twice
            {"hourly": 9},
            ["2026-10-25T02:00+00:00", "2026-10-25T01:30+00:00", "2026-10-25T00:30+00:00"],
            ["hourly", "hourly", ""],
        ),
        (
            "Asia/Kolkata",  # half an hour off
            {"hourly": 9},
            ["2026-10-25T01:00+00:00", "2026-10-25T00:30+00:00", "2026-10-25T00:29+00:00"],
            ["hourly", "", "hourly"],
        ),
        (
            "America/Toronto",  # from 00:01 back to 23:01 of the day before
            {"daily": 9},
            ["1999-10-31T05:00+00:00", "1999-10-31T04:30+00:00", "1999-10-31T04:00:30+00:00"],
            ["daily", "", ""],
        ),
    ],
)
def test_periods_are_those_of_the_time_zone(
    zone: str, keep: dict[str, int], texts: list[str], expected: list[str]
) -> None:
    """An hour and a day are those that a clock on the wall shows there."""
    moments = [datetime.fromisoformat(text) for text in texts]
    assert expected == _rules(Keep(**keep, time_zone=zone), *moments)  # type: ignore[arg-type]  # no zone among the counts


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_the_ends_of_time(zone: str) -> None:
    """A time that has no place in the zone's calendar is judged by the one of UTC."""
    first = datetime(1, 1, 1, 0, 30, tzinfo=UTC)
    keep = Keep(hourly=1, weekly=1, yearly=1, time_zone=zone)
    assert ["hourly weekly yearly"] == _rules(keep, first)


# The model: restic's manual, sentence by sentence, for times in UTC.


def _hour(moment: datetime) -> object:
    return moment.replace(minute=0, second=0, microsecond=0)


def _monday(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


SAME = {
    "hourly": _hour,
    "daily": datetime.date,
    "weekly": _monday,
    "monthly": lambda moment: (moment.year, moment.month),
    "yearly": lambda moment: moment.year,
}


def _kept(keep: Keep, moments: list[datetime]) -> dict[datetime, set[str]]:
    """Return which of *moments* are kept, and by which rules."""
    kept: dict[datetime, set[str]] = {moment: set() for moment in moments}
    for moment in sorted(moments)[-keep.last :] if keep.last else []:
        kept[moment].add("last")
    for rule, period_of in SAME.items():
        # "for the last n days which have one or more snapshots, keep only the most recent one"
        periods = sorted({period_of(moment) for moment in moments})
        for period in periods[-(getattr(keep, rule) or len(periods) + 1) :]:
            if getattr(keep, rule):
                kept[max(one for one in moments if period_of(one) == period)].add(rule)
    if keep.within is not None:
        # "within the specified duration of the latest snapshot"
        for moment in moments:
            if moment > max(moments) - timedelta(seconds=keep.within):
                kept[moment].add("within")
    return {moment: rules for moment, rules in kept.items() if rules}


def _keeps() -> st.SearchStrategy[Keep]:
    counts = st.fixed_dictionaries(
        {}, optional={name: st.integers(1, 6) for name in COUNTS}
    ).filter(bool)
    within = st.fixed_dictionaries(
        {"within": st.sampled_from([1, 3600, DAY, 7 * DAY, 30 * DAY, 365 * DAY])}
    )
    rules = counts | within | st.builds(lambda one, other: one | other, counts, within)
    return rules.map(lambda given: Keep(**given))


def _moments() -> st.SearchStrategy[list[datetime]]:
    """Make times that are seconds to years apart, many of them on the hour or at midnight."""
    steps = st.sampled_from([1, 1800, 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400])
    gaps = st.builds(lambda step, number, odd: step * number + odd, steps, st.integers(1, 3), _ODD)
    start = st.integers(0, 3000).map(lambda days: NOW.replace(hour=0) - timedelta(days=days))
    return st.builds(_back, start, st.lists(gaps, max_size=25))


_ODD = st.sampled_from([0, 0, 0, 1, 59, 1799])


def _back(start: datetime, gaps: list[int]) -> list[datetime]:
    moments = [start]
    for gap in gaps:
        moments.append(moments[-1] - timedelta(seconds=gap))
    return moments


@settings(MODERATE, max_examples=500)
@given(_keeps(), _moments())
def test_the_same_is_kept_as_by_the_manual(keep: Keep, moments: list[datetime]) -> None:
    """What is kept, and by which rules, is what the model says, but for the newest."""
    plan = _plan(keep, *moments)
    always = {"newest", "selected"}
    kept = {one.recovery_point: {*one.rules} - always for one in plan.kept}
    expected = _kept(keep, moments)
    assert expected == kept
    assert {*moments} - {*expected} == {
        one.recovery_point for one in (*plan.to_prune, *plan.held_back)
    }


@settings(MODERATE, max_examples=200)
@given(_keeps(), _moments(), st.randoms(use_true_random=False))
def test_what_is_not_shown_makes_nothing_else_go(
    keep: Keep, moments: list[datetime], random: Random
) -> None:
    """A listing that leaves copies out prunes none that the whole one would keep."""
    policy = attrs.evolve(POLICY, keep=keep)
    made = [_backup_at(number, moment) for number, moment in enumerate(moments)]
    copies = [copy_of(one, 1000 + number) for number, one in enumerate(made)]
    shown = [one for one in copies if random.random() < 0.6]
    pruned = pruned_ids(planned(policy, made[:1], shown))
    assert {*pruned} <= {*pruned_ids(planned(policy, made[:1], copies))}


@MODERATE
@given(_keeps(), _moments())
def test_pruning_twice_is_pruning_once(keep: Keep, moments: list[datetime]) -> None:
    """What is kept is kept again when the rest is gone."""
    policy = attrs.evolve(POLICY, keep=keep)
    made = [_backup_at(number, moment) for number, moment in enumerate(moments)]
    copies = [copy_of(one, 1000 + number) for number, one in enumerate(made)]
    gone = pruned_ids(planned(policy, made[:1], copies))
    left = [one for one in copies if one.backup_id not in gone]
    assert [] == pruned_ids(planned(policy, made[:1], left))


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({}, "last: must be given if none of hourly, daily, weekly, monthly, yearly or within is"),
        ({"time_zone": "Asia/Tokyo"}, "last: must be given if none of hourly, daily"),
        ({"last": 0}, "last: must be an integer of 1 or more, or None, not 0"),
        ({"hourly": -1}, "hourly: must be an integer of 1 or more"),
        ({"daily": 1.5}, "daily: must be an integer of 1 or more"),
        ({"weekly": True}, "weekly: must be an integer of 1 or more"),
        ({"monthly": "12"}, "monthly: must be an integer of 1 or more"),
        ({"yearly": []}, "yearly: must be an integer of 1 or more"),
        ({"within": "a day"}, "within: must be seconds or a timedelta"),
        ({"within": -1}, "within: must be seconds or a timedelta"),
        ({"within": 0}, "within: must be more than 0 seconds, or None, not 0"),
        ({"within": timedelta(0)}, "within: must be more than 0 seconds, or None, not 0"),
        *(
            ({"last": 1, "time_zone": zone}, 'time_zone: must be "UTC", or an IANA time zone')
            for zone in ("Mars", "Europe", "", "../UTC", "/etc/localtime", "zone.tab", None, 1, [])
        ),
        ({"last": 1, "time_zone": "\ud800"}, 'time_zone: must be "UTC", or an IANA time zone'),
    ],
)
def test_bad_members_are_refused(members: dict[str, object], fault: str) -> None:
    """What breaks a rule is named, with the rule."""
    with pytest.raises(InvalidArguments) as caught:
        Keep(**members)  # type: ignore[arg-type]  # on purpose
    assert 1 == len(caught.value.errors)
    assert caught.value.errors[0].startswith(fault)


def test_all_faults_at_once() -> None:
    """Several faults of a document are one error with a path for each."""
    keep = {"Last": 0, "Dayly": 7, "Weekly": "4", "Within": 0, "TimeZone": "Mars"}
    with pytest.raises(InvalidArguments) as caught:
        ReplicationPolicy.from_dict({"Name": "nightly", "Keep": keep})
    names = [text.partition(":")[0] for text in caught.value.errors]
    assert sorted(names) == [f"$.Keep.{name}" for name in sorted(keep)]


@pytest.mark.parametrize(
    "keep", [Keep(last=7), Keep(hourly=1, within=0.5), Keep(yearly=9, time_zone="Asia/Tokyo")]
)
def test_a_retention_travels(keep: Keep) -> None:
    """It is read from what a policy's document says of it, and pickled."""
    policy = ReplicationPolicy(name="nightly", keep=keep)
    assert policy == ReplicationPolicy.from_dict(policy.to_dict())
    assert policy == pickle.loads(pickle.dumps(policy))


def test_a_retention_as_written_by_hand() -> None:
    """What is left out has its default."""
    policy = ReplicationPolicy.from_dict({"Name": "nightly", "Keep": {"Last": 7}})
    assert Keep(last=7, time_zone="UTC") == policy.keep
    assert ReplicationPolicy.from_dict({"Name": "nightly", "Keep": {"Last": 7}}).keep == Keep(
        last=7
    )


def _without_data(program: str, *arguments: str) -> str:
    """Return what a program prints that finds no data of time zones."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['tzdata'] = None\n{program}", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONTZPATH": "", "PYTHONPATH": str(Path(__file__).parent)},
    )
    return done.stdout


UNKNOWN = """\
time_zone: must be "UTC", or an IANA time zone that this machine knows (PyPI's tzdata has all), \
not 'Europe/Berlin'
"""


def test_without_time_zone_data() -> None:
    """Where the machine has no data, UTC works, and others are an error that says what helps."""
    program = """\
from fsxcopy_sdk import InvalidArguments
from fsxcopy_sdk.replication import Keep
Keep(daily=7)
try:
    Keep(daily=7, time_zone="Europe/Berlin")
except InvalidArguments as error:
    print(error)
"""
    assert UNKNOWN == _without_data(program)


def test_a_pickled_policy_without_time_zone_data() -> None:
    """A zone that the next machine does not know is an error there, not another zone."""
    policy = attrs.evolve(POLICY, keep=Keep(daily=7, time_zone="Europe/Berlin"))
    program = """\
import pickle
from replication_rig import backup, copy_of, planned
from fsxcopy_sdk import InvalidArguments
policy = pickle.loads(bytes.fromhex(sys.argv[1]))
try:
    planned(policy, [backup(1)], [copy_of(backup(1), 1001)])
except InvalidArguments as error:
    print(error)
"""
    assert UNKNOWN == _without_data(program, pickle.dumps(policy).hex())

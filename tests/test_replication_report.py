"""How far behind a Region is said to be."""

from __future__ import annotations

import json

import attrs
import pytest
from replication_rig import (
    DAY,
    EAST,
    FS,
    NOW,
    OTHER_FS,
    POLICY,
    VOLUME,
    backup,
    backup_id,
    copy_of,
    planned,
)

from fsxcopy_sdk import Backup
from fsxcopy_sdk._validation import age_text, duration_text, exact_duration_text
from fsxcopy_sdk.replication import ReplicationPolicy, SourceReport


def _only(
    backups: list[Backup], copies: list[Backup], policy: ReplicationPolicy = POLICY
) -> SourceReport:
    (row,) = planned(policy, backups, copies).report.sources
    return row


def test_a_row() -> None:
    """A row has the newest backup, the newest copy and how much would be lost."""
    old, new = backup(1, days=2), backup(2, days=0.5)
    row = _only([old, new], [copy_of(old, 1001, days=1), copy_of(new, 1002, lifecycle="COPYING")])

    assert row.newest_backup is not None
    assert row.newest_copy is not None
    assert (FS, backup_id(2)) == (row.source_id, row.newest_backup.backup_id)
    assert backup_id(1001) == row.newest_copy.backup_id
    assert (old.creation_time, 2 * DAY, 1) == (row.recovery_point, row.age, row.in_progress)
    assert row.is_late is True


@pytest.mark.parametrize(("days", "late"), [(0, False), (1, False), (1.01, True), (-1, False)])
def test_late(days: float, late: bool) -> None:
    """A copy is late when what it leads back to is older than the policy allows."""
    row = _only([backup(1, days=days)], [copy_of(backup(1, days=days), 1001)])
    assert late is row.is_late
    assert max(0, days * DAY) == row.age


def test_no_copy_is_late() -> None:
    """A source without a copy would lose everything."""
    row = _only([backup(1)], [copy_of(backup(1), 1001, lifecycle="FAILED")])
    assert (None, None, None, 0) == (row.newest_copy, row.recovery_point, row.age, row.in_progress)
    assert row.is_late is True


@pytest.mark.parametrize("lifecycle", ["CREATING", "FAILED", "POLISHING"])
def test_only_available_backups_are_backups(lifecycle: str) -> None:
    """What is still being made, or never will be, is no newest backup."""
    row = _only([backup(1, days=1), backup(2, lifecycle=lifecycle)], [])
    assert row.newest_backup is not None
    assert backup_id(1) == row.newest_backup.backup_id
    assert _only([backup(1, lifecycle=lifecycle)], []).newest_backup is None


def test_the_newest_copy_is_that_of_the_newest_backup() -> None:
    """A copy that was begun last need not lead back to the latest time."""
    old, new = backup(1, days=2), backup(2, days=1)
    row = _only([old, new], [copy_of(old, 1001, days=0), copy_of(new, 1002, days=1)])
    assert row.newest_copy is not None
    assert backup_id(1002) == row.newest_copy.backup_id


@pytest.mark.parametrize(
    ("policy_name", "age"), [("nightly", 3 * DAY), (None, DAY)], ids=["in its tags", "unknown"]
)
def test_recovery_point_of_a_copy_without_its_backup(policy_name: str | None, age: float) -> None:
    """The tags tell the time of the backup; without them the copy's own is all there is."""
    gone = backup(1, days=3)
    row = _only([backup(2)], [copy_of(gone, 1001, days=1, policy=policy_name)])
    assert age == row.age


@pytest.mark.parametrize("volume", [True, False])
def test_copies_that_do_not_say_what_they_are_of(volume: bool) -> None:
    """The backup says it, and if that is gone the tags; else the copy belongs to no source."""
    source = VOLUME if volume else FS
    original = backup(1, source=source)
    bare = attrs.evolve(copy_of(original, 1001), volume=None, file_system=None)
    untagged = attrs.evolve(bare, tags=())
    newer = backup(2, days=-1, source=source)

    assert 0.0 == _only([original], [untagged]).age
    assert 0.0 == _only([newer], [bare]).age
    assert _only([newer], [untagged]).age is None


def test_a_source_without_backups_is_not_forgotten() -> None:
    """When the last backup has expired, the copies of it are what is left to be late."""
    row = _only([], [copy_of(backup(1, days=100), 1001)])
    assert (FS, None, 100 * DAY, True) == (row.source_id, row.newest_backup, row.age, row.is_late)


def test_copies_of_others_do_not_count() -> None:
    """A copy from another Region is none of this one's."""
    assert _only([backup(1)], [copy_of(backup(1), 1001, region="eu-west-1")]).age is None


@pytest.mark.parametrize(
    ("ids", "backups", "expected"),
    [
        (([], []), [], []),
        (([], []), [backup(1), backup(2, source=VOLUME), backup(3, source=None)], [FS, VOLUME]),
        (([FS], []), [], [FS]),
        (([FS], []), [backup(1), backup(2, source=OTHER_FS)], [FS]),
        (([OTHER_FS], []), [backup(1, source=VOLUME)], [VOLUME]),
        (([], [VOLUME]), [backup(1)], [VOLUME]),
    ],
    ids=["nothing", "everything", "missing", "named", "by its file system", "missing volume"],
)
def test_scope(
    ids: tuple[list[str], list[str]], backups: list[Backup], expected: list[str]
) -> None:
    """All that is in scope has a row, that too which is named and has no backups at all."""
    policy = attrs.evolve(POLICY, file_system_ids=ids[0], volume_ids=ids[1])
    report = planned(policy, backups).report
    assert expected == [one.source_id for one in report.sources]
    assert report.sources == report.late


def test_a_report_reads_well() -> None:
    """Printed it has a line for every source, and says how many are late."""
    backups = [backup(1, days=3), backup(2, source=OTHER_FS), backup(3, source=VOLUME)]
    copies = [
        copy_of(backups[0], 1001),
        copy_of(backups[1], 1002),
        copy_of(backups[2], 1003, lifecycle="COPYING"),
    ]
    report = planned(POLICY, backups, copies).report

    assert """\
Report of policy nightly: us-east-2 to us-west-2, made at 2026-11-23T12:00:00+00:00
late (older than 1 d): 2 of 3
  fs-0123456789abcdef0: backup-000003e9, 3 d old, LATE
  fs-0123456789abcdef1: backup-000003ea, 0 s old
  fsvol-0123456789abcdef0: no copy, 1 in progress, LATE""" == str(report)


def test_a_report_is_a_value() -> None:
    """It hashes, and survives JSON."""
    report = planned(POLICY, [backup(1)], [copy_of(backup(1), 1001)]).report
    data = json.loads(json.dumps(report.to_dict()))
    assert data == report.to_dict()
    assert (EAST, NOW.isoformat()) == (data["SourceRegion"], data["MadeAt"])
    assert DAY == data["MaxAge"]
    assert 1 == len({report, planned(POLICY, [backup(1)], [copy_of(backup(1), 1001)]).report})


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (86399, "23 h"),
        (90 * DAY, "90 d"),
    ],
)
def test_durations_are_short(seconds: float, expected: str) -> None:
    """A duration is said in the largest unit that it fills, rounded down."""
    assert expected == duration_text(seconds)


@pytest.mark.parametrize(
    ("max_age", "days", "expected"),
    [
        (DAY, 1 + 0.4 / DAY, "1 d 1 s old, LATE"),
        (1.5 * DAY, 1.6, "1 d 14 h 24 min old, LATE"),
        (1.5 * DAY, 1.4, "1 d old"),
    ],
)
def test_a_late_age_is_not_rounded_to_the_limit(
    max_age: float, days: float, expected: str
) -> None:
    """What is late shows by how much, though it is late by less than a unit."""
    old = backup(1, days=days)
    row = _only([old], [copy_of(old, 1001)], attrs.evolve(POLICY, max_age=max_age))
    assert f"{FS}: {backup_id(1001)}, {expected}" == str(row)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.5, "0.5 s"),
        (60, "1 min"),
        (5400, "1 h 30 min"),
        (36 * 3600 + 1, "1 d 12 h 1 s"),
    ],
)
def test_exact_durations(seconds: float, expected: str) -> None:
    """A duration of a policy is said as it was given."""
    assert expected == exact_duration_text(seconds)


@pytest.mark.parametrize(
    ("age", "limit", "expected"),
    [
        (31 * DAY, 30 * DAY, "31 d"),
        (30 * DAY + 0.1, 30 * DAY, "30 d 1 s"),
        (30 * DAY, 30 * DAY, "30 d"),
        (30 * DAY - 0.1, 30 * DAY, "29 d"),
        (1.25 * DAY, 1.5 * DAY, "1 d 6 h"),
    ],
)
def test_an_age_beside_its_limit(age: float, limit: float, expected: str) -> None:
    """An age is said in one unit, or exactly where that would look like the limit."""
    assert expected == age_text(age, limit)

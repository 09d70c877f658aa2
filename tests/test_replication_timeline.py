"""What a report has of the backups of a source and of their copies, one by one."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from replication_rig import DAY, NOW, OTHER_FS, POLICY, backup, backup_id, copy_of, planned

from fsxcopy_sdk import Backup, BackupFailureDetails, UnreadableBackup
from fsxcopy_sdk.replication import (
    TIMELINE_SPAN,
    Decision,
    Keep,
    ReplicationPlan,
    ReplicationPolicy,
    TimelineEntry,
)
from fsxcopy_sdk.replication._inventory import Inventory
from fsxcopy_sdk.replication._planning import decide


def _entries(plan: ReplicationPlan) -> tuple[TimelineEntry, ...]:
    (row,) = plan.report.sources
    assert row.timeline is not None
    return row.timeline


def _by_id(
    backups: list[Backup], copies: list[Backup], policy: ReplicationPolicy = POLICY
) -> dict[str, TimelineEntry]:
    return {one.backup.backup_id: one for one in _entries(planned(policy, backups, copies))}


def test_entries_are_in_the_order_of_their_recovery_points() -> None:
    """A copy is where its backup is, whenever it was begun."""
    old, new = backup(1, days=3), backup(2, days=1)
    entries = _entries(planned(POLICY, [new, old], [copy_of(old, 1001, days=0.5)]))

    assert [backup_id(1), backup_id(1001), backup_id(2)] == [
        one.backup.backup_id for one in entries
    ]
    assert [None, backup_id(1), None] == [one.source_backup_id for one in entries]
    assert [3 * DAY, 3 * DAY, DAY] == [
        (NOW - one.recovery_point).total_seconds() for one in entries
    ]


@pytest.mark.parametrize(("days", "is_there"), [(90, True), (90.001, False)])
def test_only_the_last_days(days: float, is_there: bool) -> None:
    """What is older than the span is left out, a backup as a copy."""
    assert timedelta(days=90) == TIMELINE_SPAN
    old = backup(1, days=days)
    assert is_there is bool(_by_id([old], [copy_of(old, 1001)]))


def test_what_is_in_progress_is_there_however_old_its_backup() -> None:
    """An old backup may be copied today, and who asks what runs must find it."""
    old = backup(1, days=200)
    assert {backup_id(1001)} == _by_id([old], [copy_of(old, 1001, lifecycle="COPYING")]).keys()


def test_copies_of_all_policies_are_there() -> None:
    """A copy of another program can be restored too, and nothing is decided over it."""
    one = backup(1)
    entries = _by_id([one], [copy_of(one, 1001, policy="weekly"), copy_of(one, 1002, policy=None)])
    assert [None, None] == [entries[backup_id(number)].decision for number in (1001, 1002)]


def test_decisions() -> None:
    """Each backup and copy has what the plan decides over it, with the plan's own words."""
    backups = [backup(number, days=number) for number in range(1, 9)]
    copies = [copy_of(one, 1000 + index) for index, one in enumerate(backups) if index]
    failed = backup(9, days=0.5, lifecycle="FAILED")
    policy = attrs.evolve(POLICY, keep=Keep(last=2), newest=1)
    plan = planned(policy, [*backups, failed], copies)
    entries = {one.backup.backup_id: one for one in _entries(plan)}

    def of(decision: Decision) -> dict[str, str | None]:
        return {id_: one.reason for id_, one in entries.items() if one.decision is decision}

    assert {one.backup.backup_id: one.reason for one in plan.to_copy} == of(Decision.COPY)
    assert {one.copy.backup_id: one.reason for one in plan.kept} == of(Decision.KEEP)
    assert {one.copy.backup_id: one.reason for one in plan.to_prune} == of(Decision.PRUNE)
    assert {
        one.copy.backup_id: f"{one.reason}; but {one.obstacles[0]}" for one in plan.held_back
    } == of(Decision.HOLD_BACK)
    assert {backup_id(9): "FAILED, and will never be AVAILABLE"} == of(Decision.CANNOT_COPY)
    assert all((plan.to_copy, plan.to_prune, plan.held_back))


def test_why_a_copy_failed() -> None:
    """The service's own words are in the entry."""
    one = backup(1)
    copy = copy_of(one, 1001, lifecycle="FAILED")
    details = BackupFailureDetails(message="the key is disabled")
    entries = _by_id([one], [attrs.evolve(copy, failure_details=details), copy_of(one, 1002)])
    assert "the key is disabled" == entries[backup_id(1001)].failure
    assert entries[backup_id(1002)].failure is None


def test_failed_copies_count_until_a_newer_one_is_there() -> None:
    """A failure that is made good needs no alert, and one without any copy does."""
    backups = [backup(number, days=number) for number in (1, 2, 3)]
    failed = [copy_of(one, 1000 + index, lifecycle="FAILED") for index, one in enumerate(backups)]
    counts = [
        planned(POLICY, backups, [*failed, *made]).report.sources[0].failed
        for made in ([], [copy_of(backups[1], 1100)], [copy_of(backups[0], 1100)])
    ]
    assert [3, 1, 0] == counts


def test_bytes_are_those_of_all_available_copies() -> None:
    """Copies older than the span count too, those without a size as nothing."""
    backups = [backup(number, days=number * 60) for number in range(4)]
    copies = [
        attrs.evolve(copy_of(backups[0], 1001, lifecycle="COPYING"), size_in_bytes=7),
        attrs.evolve(copy_of(backups[1], 1002), size_in_bytes=20),
        attrs.evolve(copy_of(backups[2], 1003), size_in_bytes=300),
        copy_of(backups[3], 1004),
    ]
    assert 320 == planned(POLICY, backups, copies).report.sources[0].copy_bytes


def test_unreadable_backups_of_a_source() -> None:
    """They are counted where they belong, and those of unknown sources by the report alone."""
    here, there = backup(1), backup(2, source=OTHER_FS)
    report = decide(
        POLICY,
        Inventory(
            source_region="us-east-2",
            destination_region="us-west-2",
            now=NOW,
            backups=[here, there],
            held=[],
            unreadable_backups=(
                UnreadableBackup(backup_id="backup-1", resource_id=OTHER_FS, error_paths=()),
                UnreadableBackup(error_paths=()),
            ),
            unreadable_held=(
                UnreadableBackup(source_backup_id=there.backup_id, is_copy=True, error_paths=()),
            ),
        ),
    ).report
    assert [(here.backup_id, 0), (there.backup_id, 2)] == [
        (one.newest_backup and one.newest_backup.backup_id, one.unreadable)
        for one in report.sources
    ]
    assert 3 == report.unreadable


def test_a_timeline_is_in_no_document() -> None:
    """A plan that another process reads is the same without it."""
    one = backup(1)
    plan = planned(POLICY, [one], [copy_of(one, 1001)])
    read = ReplicationPlan.from_dict(plan.to_dict())
    assert read == plan
    assert (None, 2) == (read.report.sources[0].timeline, len(_entries(plan)))
    assert "Timeline" not in str(plan.to_dict())

"""Which copies a policy no longer keeps, and which it never gives up."""

from __future__ import annotations

import itertools
import operator
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replication_rig import (
    DAY,
    EAST,
    FS,
    NOW,
    OTHER_FS,
    POLICY,
    PROTECTED,
    VOLUME,
    WEST,
    backup,
    backup_id,
    copied_ids,
    copy_of,
    inventory,
    is_owned,
    made_of,
    planned,
    pruned_ids,
)
from strategies import MODERATE

from fsxcopy_sdk import Backup, BackupFilter, BackupLifecycle, FileSystem, FileSystemType, Tag
from fsxcopy_sdk.replication import (
    POLICY_TAG,
    TIME_TAG,
    Keep,
    KeepRule,
    PruneObstacle,
    ReplicationPolicy,
)
from fsxcopy_sdk.replication._inventory import Inventory
from fsxcopy_sdk.replication._planning import decide

KEEP_ONE = attrs.evolve(POLICY, keep=Keep(last=1))

OLD, MIDDLE, NEW = backup(1, days=30), backup(2, days=20), backup(3, days=10)
COPIES = [copy_of(OLD, 1001), copy_of(MIDDLE, 1002), copy_of(NEW, 1003)]
OLD_COPY, MIDDLE_COPY = backup_id(1001), backup_id(1002)


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (Keep(last=1), [OLD_COPY, MIDDLE_COPY]),
        (Keep(last=2), [OLD_COPY]),
        (Keep(last=3), []),
        (Keep(within=5 * DAY), [OLD_COPY, MIDDLE_COPY]),
        (Keep(within=15 * DAY), [OLD_COPY]),
        (Keep(within=20 * DAY), [OLD_COPY]),
        (Keep(within=20 * DAY + 1), []),
        (Keep(within=1), [OLD_COPY, MIDDLE_COPY]),
        (Keep(last=1, within=15 * DAY), [OLD_COPY]),
        (Keep(last=2, within=5 * DAY), [OLD_COPY]),
        (Keep(last=1, within=21 * DAY), []),
        (Keep(daily=1, yearly=9), [OLD_COPY, MIDDLE_COPY]),
        (Keep(monthly=1), [OLD_COPY, MIDDLE_COPY]),
        (Keep(monthly=2), [MIDDLE_COPY]),
        (Keep(weekly=2), [OLD_COPY]),
        (Keep(hourly=1, weekly=3), []),
    ],
    ids=str,
)
def test_any_rule_keeps(keep: Keep, expected: list[str]) -> None:
    """A copy goes if no rule keeps it, the oldest first."""
    policy = attrs.evolve(POLICY, keep=keep)
    assert expected == pruned_ids(planned(policy, [NEW], COPIES))


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (Keep(last=1), "not the newest"),
        (Keep(last=2, daily=1), "not among the newest 2, beyond the 1 daily"),
        (Keep(yearly=1), "not the newest of 2026"),
        (Keep(monthly=1, yearly=5), "beyond the 1 monthly, not the newest of 2026"),
        (Keep(within=15 * DAY), "20 d older than the newest (within is 15 d)"),
        (Keep(within=20 * DAY), "20 d older than the newest (within is 20 d)"),
        (
            Keep(within=20 * DAY - 60, last=1),
            "not the newest, 20 d older than the newest (within is 19 d 23 h 59 min)",
        ),
    ],
    ids=["the newest", "the newest two", "year", "month", "young", "at the limit", "hardly old"],
)
def test_the_reason_is_said(keep: Keep, expected: str) -> None:
    """The plan says why a copy is not kept, and what it leads back to."""
    plan = planned(attrs.evolve(POLICY, keep=keep), [NEW], COPIES)
    prune = (*plan.to_prune, *plan.held_back)[0]
    assert (FS, OLD.creation_time) == (prune.source_id, prune.recovery_point)
    assert expected == prune.reason


@pytest.mark.parametrize(
    ("old", "limits", "rules", "reason"),
    [
        (
            copy_of(OLD, 1001),
            {"keep": Keep(within=25 * DAY)},
            ["within"],
            "within 25 d of the newest",
        ),
        (
            copy_of(OLD, 1001),
            {"keep": Keep(last=2, daily=7, weekly=4, monthly=9, hourly=3)},
            ["last", "hourly", "daily", "weekly", "monthly"],
            """last 2 of 2, hourly 2 of 3 (2026-10-24 12:00), daily 2 of 7 (2026-10-24), \
weekly 2 of 4 (2026-W43), monthly 2 of 9 (2026-10)""",
        ),
        (copy_of(OLD, 1001, tags=[PROTECTED]), {}, ["tag"], "has the tag fsxcopy:protected"),
        (copy_of(OLD, 1001, days=1), {}, ["begun last"], "the copy that was begun last"),
        (copy_of(OLD, 1001), {"newest": None}, ["selected"], "its backup is selected"),
        (copy_of(OLD, 1001, lifecycle="COPYING"), {}, ["in progress"], "in progress: COPYING"),
        (copy_of(OLD, 1001, lifecycle="POLISHING"), {}, ["in progress"], "in progress: POLISHING"),
        (copy_of(OLD, 1001, lifecycle="FAILED"), {}, ["dead"], "dead: FAILED"),
        (
            copy_of(OLD, 1001, days=1, tags=[PROTECTED]),
            {},
            ["begun last", "tag"],
            "the copy that was begun last, has the tag fsxcopy:protected",
        ),
    ],
)
def test_why_a_copy_is_kept(
    old: Backup, limits: dict[str, Any], rules: list[str], reason: str
) -> None:
    """The plan names each copy that is not pruned, and all that keeps it."""
    plan = planned(attrs.evolve(KEEP_ONE, **limits), [OLD, NEW], [old, copy_of(NEW, 1003)])
    kept, newest = plan.kept
    assert (FS, OLD.backup_id, OLD_COPY) == (
        kept.source_id,
        kept.source_backup_id,
        kept.copy.backup_id,
    )
    assert (rules, reason) == ([*kept.rules], kept.reason)
    assert {KeepRule.NEWEST, KeepRule.SELECTED} <= {*newest.rules}
    assert [] == pruned_ids(plan)


@pytest.mark.parametrize(
    "copies",
    [
        [copy_of(NEW, 1003, policy="weekly")],
        [copy_of(NEW, 1003, lifecycle="DELETED")],
        [copy_of(NEW, 1003, lifecycle="COPYING")],
    ],
    ids=["another policy's", "deleted", "followed by the plan"],
)
def test_what_needs_no_reason(copies: list[Backup]) -> None:
    """What the policy has nothing to do with, and what the plan waits for, is not kept."""
    assert () == planned(KEEP_ONE, [NEW], copies).kept


def test_without_a_retention_everything_is_kept() -> None:
    """A policy that prunes nothing keeps all its copies, and a printed plan does not list them."""
    plan = planned(POLICY, [NEW], [*COPIES, copy_of(OLD, 1004, tags=[PROTECTED])])
    assert {("everything",)} == {one.rules for one in plan.kept}
    assert 4 == len(plan.kept)
    assert "kept" not in str(plan)


def test_every_copy_is_kept_or_pruned() -> None:
    """Each AVAILABLE copy of the policy is in one of three lists, once."""
    made = [backup(number, days=number / 3) for number in range(60)]
    copies = [copy_of(one, 1000 + number) for number, one in enumerate(made)]
    keep = Keep(last=2, daily=3, monthly=12)
    plan = planned(attrs.evolve(POLICY, keep=keep), made[:1], copies)
    listed = [one.copy.backup_id for one in (*plan.to_prune, *plan.held_back, *plan.kept)]
    assert sorted(listed) == [one.backup_id for one in copies]
    assert all(one.rules for one in plan.kept)


def test_many_kept_copies_print_short() -> None:
    """A line of a printed plan is about all copies of a source that the same rules keep."""
    made = [backup(number, days=number) for number in range(365)]
    copies = [copy_of(one, 1000 + number) for number, one in enumerate(made)]
    policy = attrs.evolve(POLICY, keep=Keep(last=7, daily=365, monthly=13))
    lines = str(planned(policy, made[:1], copies)).splitlines()
    assert (
        """\
kept: 365
  fs-0123456789abcdef0: 346 copies of backups of 2025-11-24 to 2026-11-16: daily
  fs-0123456789abcdef0: 12 copies of backups of 2025-11-30 to 2026-10-31: daily, monthly
  fs-0123456789abcdef0: 6 copies of backups of 2026-11-17 to 2026-11-22: last, daily
  fs-0123456789abcdef0: backup-000003e8 of a backup of 2026-11-23T12:00:00+00:00: \
last 1 of 7, daily 1 of 365 (2026-11-23), monthly 1 of 13 (2026-11), the newest, \
its backup is selected""".splitlines()
        == lines[lines.index("kept: 365") :]
    )


NOT_TO_BE_PRUNED = {
    "no policy's": copy_of(OLD, 1001, policy=None),
    "another policy's": copy_of(OLD, 1001, policy="weekly"),
    "protected": copy_of(OLD, 1001, tags=[PROTECTED]),
    "in progress": copy_of(OLD, 1001, lifecycle="COPYING"),
    "failed": copy_of(OLD, 1001, lifecycle="FAILED"),
    "deleted": copy_of(OLD, 1001, lifecycle="DELETED"),
    "in an unknown state": copy_of(OLD, 1001, lifecycle="POLISHING"),
    "from elsewhere": copy_of(OLD, 1001, region="eu-west-1"),
    "from its own Region": copy_of(OLD, 1001, region=None),
    "the only one under its key": copy_of(OLD, 1001, key="another-key"),
    "no copy": attrs.evolve(copy_of(OLD, 1001), source_backup_id=None),
    "tagged as another's": attrs.evolve(
        copy_of(OLD, 1001), file_system=FileSystem(file_system_id=OTHER_FS)
    ),
    "tagged by hand": attrs.evolve(
        copy_of(OLD, 1001), tags=(Tag(key=POLICY_TAG, value="nightly"),)
    ),
    "the only one of its file system": copy_of(backup(1, days=30, source=OTHER_FS), 1001),
    "the only one of its volume": copy_of(backup(1, days=30, source=VOLUME), 1001),
}


@pytest.mark.parametrize("other", NOT_TO_BE_PRUNED.values(), ids=NOT_TO_BE_PRUNED)
def test_what_is_not_to_be_pruned(other: Backup) -> None:
    """However old, nothing goes that is not surely this policy's, AVAILABLE and replaced."""
    assert [MIDDLE_COPY] == pruned_ids(planned(KEEP_ONE, [NEW], [other, *COPIES[1:]]))


NOTHING_TO_PRUNE = {
    "the policy keeps all": (POLICY, [NEW], COPIES),
    "the policy names another file system": (
        attrs.evolve(KEEP_ONE, file_system_ids=OTHER_FS),
        [NEW],
        COPIES,
    ),
    "tags that contradict the service": (
        KEEP_ONE,
        [],
        [attrs.evolve(one, file_system=FileSystem(file_system_id=OTHER_FS)) for one in COPIES],
    ),
    "copies of copies, made with their tags": (
        KEEP_ONE,
        COPIES,
        [
            attrs.evolve(one, backup_id=backup_id(2000 + n), source_backup_id=one.backup_id)
            for n, one in enumerate(COPIES)
        ],
    ),
}


@pytest.mark.parametrize(
    ("policy", "backups", "held"), NOTHING_TO_PRUNE.values(), ids=NOTHING_TO_PRUNE
)
def test_nothing_is_pruned(
    policy: ReplicationPolicy, backups: list[Backup], held: list[Backup]
) -> None:
    """Nothing goes without a retention, and nothing that is not surely this policy's."""
    assert [] == pruned_ids(planned(policy, backups, held))


def test_a_copy_that_does_not_say_where_it_is_from() -> None:
    """It counts as a copy of its backup, but is not pruned."""
    unsaid = copy_of(OLD, 1001, region=None)
    assert [MIDDLE_COPY] == pruned_ids(planned(KEEP_ONE, [OLD, NEW], [unsaid, *COPIES[1:]]))


def test_what_is_selected_stays() -> None:
    """A copy that the next run would make again is not pruned."""
    policy = attrs.evolve(KEEP_ONE, newest=2)
    assert [OLD_COPY] == pruned_ids(planned(policy, [OLD, MIDDLE, NEW], COPIES))


def test_two_copies_of_one_backup_are_one_point_to_go_back_to() -> None:
    """A double does not push an older point out."""
    policy = attrs.evolve(POLICY, keep=Keep(last=2))
    assert [OLD_COPY] == pruned_ids(planned(policy, [NEW], [*COPIES, copy_of(NEW, 1004)]))


def test_age_is_that_of_the_backup() -> None:
    """A backup copied late is old; begun last, it is the newest to some, and stays."""
    late = copy_of(OLD, 1001, days=1)
    later = copy_of(MIDDLE, 1002, days=0)
    assert [OLD_COPY] == pruned_ids(planned(KEEP_ONE, [], [late, later, COPIES[2]]))
    keep_days = attrs.evolve(POLICY, keep=Keep(within=5 * DAY))
    assert [OLD_COPY] == pruned_ids(planned(keep_days, [], [late, later, COPIES[2]]))


@pytest.mark.parametrize(
    ("backups", "begun", "expected"),
    [
        ([], 0.0, [MIDDLE_COPY, backup_id(1003)]),
        ([], 30.0, [OLD_COPY, MIDDLE_COPY]),
        ([OLD, NEW], 30.0, [OLD_COPY, MIDDLE_COPY]),
    ],
    ids=["gone, copied late", "gone, forged", "there, forged"],
)
def test_the_time_in_the_tags_counts_when_the_backup_is_gone(
    backups: list[Backup], begun: float, expected: list[str]
) -> None:
    """The service's word on the backup's time wins, and no tag is later than the copy itself."""
    tag = Tag(key=TIME_TAG, value=(NOW - timedelta(days=5)).isoformat())
    others = [one for one in COPIES[0].tags if one.key != TIME_TAG]
    copy = attrs.evolve(copy_of(OLD, 1001, days=begun), tags=(*others, tag))
    assert expected == pruned_ids(planned(KEEP_ONE, backups, [copy, *COPIES[1:]]))


def test_what_the_origin_is_of_counts_not_the_tag() -> None:
    """A copy that says nothing of its source is of what its listed backup is of."""
    odd = attrs.evolve(COPIES[0], file_system=None)
    of_another = attrs.evolve(OLD, file_system=FileSystem(file_system_id=OTHER_FS))
    assert [OLD_COPY] == pruned_ids(planned(KEEP_ONE, [OLD, NEW], [odd, COPIES[2]]))
    assert [] == pruned_ids(planned(KEEP_ONE, [of_another, NEW], [odd, COPIES[2]]))


def test_a_source_without_originals_is_held_back() -> None:
    """If the source shows no AVAILABLE backup, no copy is pruned, and the plan says why."""
    for backups in ([], [backup(9, lifecycle="CREATING")], [backup(9, source=OTHER_FS)]):
        plan = planned(attrs.evolve(POLICY, keep=Keep(last=2)), backups, COPIES)
        assert () == plan.to_prune
        (held_back,) = plan.held_back
        assert (PruneObstacle.NO_ORIGINAL,) == held_back.obstacles
        assert "the source shows no AVAILABLE backup of it" in str(plan)


def test_more_than_half_is_held_back() -> None:
    """No more than half of a source's copies are pruned, whatever their keys, the oldest first."""
    other_key = [
        copy_of(one, 2000 + n, key="another-key") for n, one in enumerate([OLD, MIDDLE, NEW], 1)
    ]
    plan = planned(KEEP_ONE, [NEW], [*COPIES, *other_key])

    assert [OLD_COPY, backup_id(2001), MIDDLE_COPY] == [
        one.copy.backup_id for one in plan.to_prune
    ]
    assert [backup_id(2002)] == [one.copy.backup_id for one in plan.held_back]
    assert (PruneObstacle.MORE_THAN_HALF,) == plan.held_back[0].obstacles


def test_an_origin_in_the_future_makes_nothing_old() -> None:
    """A backup that is dated after its own copy does not age the others."""
    odd = backup(9, days=-3650)
    week = attrs.evolve(POLICY, keep=Keep(last=1, within=25 * DAY))
    copies = [*COPIES, copy_of(odd, 1009, days=0)]
    assert [OLD_COPY] == pruned_ids(planned(week, [NEW, odd], copies))


def test_nothing_erodes_when_nothing_arrives() -> None:
    """Without new backups the copies stay, however much time passes."""
    month = attrs.evolve(POLICY, keep=Keep(within=25 * DAY))
    late = NOW + timedelta(days=1000)
    whole = Inventory(
        source_region=EAST, destination_region=WEST, now=late, backups=[NEW], held=COPIES
    )
    assert [] == pruned_ids(decide(month, whole))


def test_equal_times_are_ordered_by_id() -> None:
    """A plan does not depend on the order in which backups are listed."""
    twins = [copy_of(backup(n, days=5), 1000 + n) for n in range(1, 5)]
    plans = {
        tuple(pruned_ids(planned(attrs.evolve(POLICY, keep=Keep(last=2)), [], order)))
        for order in itertools.permutations(twins)
    }
    assert {(backup_id(1001), backup_id(1002))} == plans


def test_of_a_backup_listed_twice_the_later_state_counts() -> None:
    """When pages shift, a copy may be listed in two states: the order decides nothing."""
    copying = copy_of(NEW, 1003, lifecycle="COPYING")
    for order in itertools.permutations([copying, COPIES[2], COPIES[2]]):
        (copy,) = inventory([NEW], order).copies
        assert "AVAILABLE" == copy.backup.lifecycle


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("file-system-id", OTHER_FS, []),
        ("file-system-id", FS, [OLD_COPY, MIDDLE_COPY]),
        ("volume-id", VOLUME, []),
        ("file-system-type", "LUSTRE", []),
        ("file-system-type", "WINDOWS", [OLD_COPY, MIDDLE_COPY]),
        ("backup-type", "AUTOMATIC", [OLD_COPY, MIDDLE_COPY]),
    ],
)
def test_what_a_filter_excludes_is_left_alone(name: str, value: str, expected: list[str]) -> None:
    """A policy with a filter prunes no copies of what that does not let through."""
    policy = attrs.evolve(KEEP_ONE, filters=[BackupFilter(name, value)])
    windows = FileSystem(file_system_id=FS, file_system_type=FileSystemType("WINDOWS"))
    copies = [attrs.evolve(copy, file_system=windows) for copy in COPIES]
    assert expected == pruned_ids(planned(policy, [NEW], copies))


def test_copies_within_one_region() -> None:
    """Copies in the Region of their backups are pruned alike."""
    here = [copy_of(one, 1000 + n, region=EAST) for n, one in enumerate([OLD, MIDDLE, NEW], 1)]
    assert [OLD_COPY, MIDDLE_COPY] == pruned_ids(
        planned(KEEP_ONE, [NEW, *here], here, destination=EAST)
    )


# Whatever the history.

SOURCES = (FS, OTHER_FS, VOLUME)
KEYS = ("west-key", "another-key", None)
LIFECYCLES = ("AVAILABLE", "AVAILABLE", "AVAILABLE", "COPYING", "FAILED", "POLISHING")


def keeps() -> st.SearchStrategy[Keep]:
    """Make retentions that keep little: of one to four rules, most of one."""
    few = st.sampled_from([1, 1, 2])
    names = ["last", "hourly", "daily", "weekly", "monthly", "yearly"]
    counts = st.dictionaries(st.sampled_from(names), few, min_size=1, max_size=3)
    within = st.fixed_dictionaries({"within": st.sampled_from([1, 5 * DAY])})
    zone = st.fixed_dictionaries({"time_zone": st.sampled_from(["UTC", "Asia/Kolkata"])})
    rules = counts | within | st.builds(operator.or_, counts, within)
    return st.builds(lambda rules, zone: Keep(**rules, **zone), rules, zone)


@st.composite
def policies(draw: st.DrawFn) -> ReplicationPolicy:
    """Make policies that prune as eagerly as can be."""
    return ReplicationPolicy(
        name="nightly",
        newest=draw(st.sampled_from([1, 2, None])),
        newer_than=draw(st.sampled_from([None, 0, 5 * DAY])),
        file_system_ids=draw(st.sampled_from([(), (), FS])),
        keep=draw(st.none() | keeps()),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Backup], list[Backup]]:
    """Make what two Regions may hold: backups of some sources, and copies of all sorts."""
    days = st.integers(0, 12)
    originals = [
        backup(number, days=draw(days), source=draw(st.sampled_from(SOURCES)))
        for number in range(draw(st.integers(1, 6)))
    ]
    origins = [draw(st.sampled_from(originals)) for _ in range(draw(st.integers(0, 10)))]
    copies = [
        copy_of(
            original,
            1000 + number,
            days=draw(st.none() | st.integers(0, (NOW - original.creation_time).days)),
            policy=draw(st.sampled_from(["nightly", "nightly", "nightly", "weekly", None])),
            lifecycle=draw(st.sampled_from(LIFECYCLES)),
            region=draw(st.sampled_from([EAST, EAST, EAST, None, "eu-west-1"])),
            key=draw(st.sampled_from(KEYS)),
            tags=draw(st.sampled_from([[], [], [], [PROTECTED]])),
        )
        for number, original in enumerate(origins)
    ]
    return [one for one in originals if draw(st.booleans())], copies


def _time_of(copy: Backup, times: dict[str, str]) -> str:
    return times.get(copy.source_backup_id or "", copy.creation_time.isoformat())


def _groups(copies: Sequence[Backup]) -> dict[tuple[str, str | None], list[Backup]]:
    groups: defaultdict[tuple[str, str | None], list[Backup]] = defaultdict(list)
    for one in copies:
        if one.lifecycle == "AVAILABLE" and one.source_backup_region == EAST:
            groups[made_of(one), one.kms_key_id].append(one)
    return groups


def _check_survivors(copies: Sequence[Backup], pruned: Sequence[Backup]) -> None:
    """Check that of every source and key the newest is still there, by either order."""
    times = {
        one.source_backup_id: tag.value
        for one in copies
        for tag in one.tags
        if tag.key == TIME_TAG and one.source_backup_id
    }
    for group in _groups(copies).values():
        owned = [one for one in group if is_owned(one)]
        for some in filter(None, (group, owned)):
            newest = max(_time_of(one, times) for one in some)
            assert any(_time_of(one, times) == newest and one not in pruned for one in some)
            begun = max(one.creation_time for one in some)
            assert any(one.creation_time == begun and one not in pruned for one in some)
    for one in pruned:
        assert is_owned(one)
        assert PROTECTED not in one.tags
        assert (EAST, "AVAILABLE") == (one.source_backup_region, one.lifecycle)


@settings(MODERATE, max_examples=300)
@given(policies(), histories())
def test_the_newest_copy_of_every_source_and_key_survives(
    policy: ReplicationPolicy, history: tuple[list[Backup], list[Backup]]
) -> None:
    """Whatever was copied by whom, one stays, and nothing goes that is not this policy's."""
    backups, copies = history
    plan = planned(policy, backups, copies)
    ids = set(pruned_ids(plan))
    _check_survivors(copies, [one for one in copies if one.backup_id in ids])
    assert not ids & {one.copy.backup_id for one in (*plan.up_to_date, *plan.in_progress)}


@attrs.define
class World:
    """Two Regions in which time goes by, without a service."""

    numbers: itertools.count[int] = attrs.field(factory=lambda: itertools.count(1))
    day: float = 0.0
    originals: list[Backup] = attrs.field(factory=list)
    copies: list[Backup] = attrs.field(factory=list)

    def back_up(self, source: str) -> None:
        self.originals.append(backup(next(self.numbers), days=-self.day, source=source))

    def expire(self) -> None:
        self.originals = self.originals[1:]

    def copy_by_hand(self, key: str | None) -> None:
        for original in self.originals[-1:]:
            self._copy(original, policy=None, key=key, lifecycle="AVAILABLE")

    def sync(self, policy: ReplicationPolicy, lifecycles: Sequence[str]) -> None:
        plan = decide(
            policy,
            Inventory(
                source_region=EAST,
                destination_region=WEST,
                now=NOW + timedelta(days=self.day),
                backups=self.originals,
                held=self.copies,
            ),
        )
        by_id = {one.backup_id: one for one in self.originals}
        for copy_id, lifecycle in zip(copied_ids(plan), itertools.cycle(lifecycles), strict=False):
            assert not [
                one
                for one in self.copies
                if one.source_backup_id == copy_id and one.lifecycle != "FAILED"
            ]
            self._copy(by_id[copy_id], policy="nightly", key="west-key", lifecycle=lifecycle)
        ready = {one.copy.backup_id for one in plan.in_progress}
        pruned = set(pruned_ids(plan))
        _check_survivors(self.copies, [one for one in self.copies if one.backup_id in pruned])
        available = BackupLifecycle.AVAILABLE
        self.copies = [
            attrs.evolve(one, lifecycle=available) if one.backup_id in ready else one
            for one in self.copies
            if one.backup_id not in pruned
        ]

    def _copy(
        self, original: Backup, *, policy: str | None, key: str | None, lifecycle: str
    ) -> None:
        number = 1000 + next(self.numbers)
        self.copies.append(
            copy_of(original, number, days=-self.day, policy=policy, key=key, lifecycle=lifecycle)
        )


ACTIONS = st.one_of(
    st.tuples(st.just("back_up"), st.sampled_from(SOURCES)),
    st.tuples(st.just("expire")),
    st.tuples(st.just("copy_by_hand"), st.sampled_from(KEYS)),
    st.tuples(
        st.just("sync"),
        st.lists(st.sampled_from(["AVAILABLE", "COPYING", "FAILED"]), min_size=1, max_size=3),
    ),
)


@MODERATE
@given(policies(), st.lists(st.tuples(st.floats(0.01, 3), ACTIONS), max_size=25))
def test_many_runs_in_a_row(
    policy: ReplicationPolicy, steps: list[tuple[float, tuple[str, ...]]]
) -> None:
    """No run takes the newest or copies twice, and in the end runs leave nothing to do."""
    world = World()
    for days, (action, *arguments) in steps:
        world.day += days
        if action == "sync":
            world.sync(policy, *arguments)
        else:
            getattr(world, action)(*arguments)
    for _ in range(3):
        world.sync(policy, ["AVAILABLE"])
    before = list(world.copies)
    world.sync(policy, ["AVAILABLE"])

    assert before == world.copies


def test_an_inventory_lists_each_backup_once() -> None:
    """A backup that is on two pages of a listing, as they are when others go, is one."""
    found = inventory([NEW, NEW], [COPIES[0], COPIES[0]])
    assert (1, 1) == (len(found.backups), len(found.copies))

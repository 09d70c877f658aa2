"""
Pruning while listings lie: histories, views and policies at random.

Two Regions are held in memory. Every listing shows them whole, empty, cut, shuffled, as
pages that shifted, or with backups that cannot be read; calls by ID tell the truth.
Whatever is shown, no copy is deleted that the whole truth would keep, by a model of the
rules that is written here once more.
`nox -s histories` tries twenty thousand of them.
"""

from __future__ import annotations

import operator
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import anyio
import attrs
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replication_rig import (
    DAY,
    EAST,
    FS,
    NOW,
    OTHER_FS,
    PROTECTED,
    VOLUME,
    WEST,
    backup,
    copy_of,
    is_owned,
    made_of,
    planned,
)

from fsxcopy_sdk import (
    Backup,
    BackupNotFound,
    FsxCopyClient,
    RawResponse,
    ResponseDecodingError,
    to_dict,
)
from fsxcopy_sdk.models import ResponseMetadata
from fsxcopy_sdk.replication import (
    TIME_TAG,
    Keep,
    ReplicationPolicy,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.testing import ManualClock

EXAMPLES = int(os.environ.get("FSXCOPY_TEST_HISTORIES", "100"))
# Periods as `strftime` writes them.
PERIODS = {
    "hourly": "%Y %m %d %H",
    "daily": "%Y %m %d",
    "weekly": "%G %V",
    "monthly": "%Y %m",
    "yearly": "%Y",
}
_DAYS = st.integers(0, 20)
_HOURS = st.integers(0, 200).map(lambda quarters: quarters / 96)  # of an hour, for two days
VIEWS = ("whole", "whole", "empty", "cut", "hidden", "shuffled", "shifted", "odd", "odd")


@attrs.frozen
class History:
    """What two Regions hold, a policy, and how listings lie."""

    policy: ReplicationPolicy
    originals: tuple[Backup, ...]
    copies: tuple[Backup, ...]
    views: tuple[str, ...]
    """How the listings lie, one after the other and over again."""
    seed: int
    prune_most: bool


def _keeps() -> st.SearchStrategy[Keep]:
    """Make retentions of which most keep little, and some have several rules."""
    counts = st.dictionaries(
        st.sampled_from(["last", "last", *PERIODS]),
        st.sampled_from([1, 1, 2, 3]),
        min_size=1,
        max_size=3,
    )
    within = st.sampled_from([{"within": 1}, {"within": 5 * DAY}])
    rules = counts | within | st.builds(operator.or_, counts, within)
    zones = st.sampled_from(["UTC", "UTC", "Pacific/Auckland"])
    return st.builds(lambda given, zone: Keep(**given, time_zone=zone), rules, zones)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Make histories in which most copies are the policy's, and some originals are gone."""
    count = draw(st.integers(1, 9))
    days = draw(st.sampled_from([_DAYS, _DAYS, _DAYS | _HOURS, _HOURS]))
    sources = draw(st.sampled_from([(FS,), (FS, OTHER_FS), (FS, VOLUME)]))
    made = [
        backup(number, days=draw(days), source=draw(st.sampled_from(sources)))
        for number in range(count)
    ]
    copies = [
        copy_of(
            original,
            1000 + number,
            days=draw(st.integers(0, (NOW - original.creation_time).days)),
            policy=draw(st.sampled_from(["nightly"] * 6 + ["weekly", None])),
            lifecycle=draw(st.sampled_from(["AVAILABLE"] * 6 + ["COPYING", "FAILED"])),
            key=draw(st.sampled_from(["west-key"] * 3 + ["another-key"])),
            tags=draw(st.sampled_from([[]] * 6 + [[PROTECTED]])),
        )
        for number, original in enumerate(made)
        if draw(st.integers(0, 5))
    ]
    policy = ReplicationPolicy(
        name="nightly",
        newest=draw(st.sampled_from([1, 2, 3, None])),
        newer_than=draw(st.sampled_from([None, None, 5 * DAY])),
        keep=draw(st.none() | _keeps() | _keeps() | _keeps()),
    )
    return History(
        policy=policy,
        originals=tuple(one for one in made if draw(st.integers(0, 3))),
        copies=tuple(copies),
        views=tuple(draw(st.lists(st.sampled_from(VIEWS), min_size=1, max_size=6))),
        seed=draw(st.integers(0, 2**16)),
        prune_most=draw(st.booleans()),
    )


@attrs.define
class Region:
    """One Region in memory, as a transport that lies in its listings alone."""

    region: str
    held: dict[str, Backup]
    history: History
    random: random.Random
    listings: int = 0
    copied: int = 0

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        await anyio.lowlevel.checkpoint()
        if "BackupIds" in request:
            ids = cast("Sequence[str]", request["BackupIds"])
            unknown = [one for one in ids if one not in self.held]
            if unknown:
                raise BackupNotFound(unknown[0], operation="DescribeBackups")
            return _listing([self.held[one] for one in ids])
        wanted = [one for one in self.held.values() if _passes(one, request)]
        view = self.history.views[self.listings % len(self.history.views)]
        self.listings += 1
        shown = [to_dict(one) for one in _seen(view, wanted, self.random)]
        if view == "odd":
            shown = [_spoiled(one, self.history.seed) for one in shown]
        return _response("DescribeBackups", {"Backups": shown})

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        await anyio.lowlevel.checkpoint()
        backup_id = str(request["BackupId"])
        del self.held[backup_id]
        return _response("DeleteBackup", {"BackupId": backup_id, "Lifecycle": "DELETED"})

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        await anyio.lowlevel.checkpoint()
        self.copied += 1
        source = str(request["SourceBackupId"])
        (original,) = [one for one in self.history.originals if one.backup_id == source]
        copy = copy_of(original, 5000 + self.copied, days=0)
        self.held[copy.backup_id] = copy
        return _response("CopyBackup", {"Backup": to_dict(copy)})


def _listing(backups: Iterable[Backup]) -> RawResponse:
    return _response("DescribeBackups", {"Backups": [to_dict(one) for one in backups]})


def _response(operation: str, document: object) -> RawResponse:
    return RawResponse(
        operation=operation,
        payload=orjson.dumps(document),
        metadata=ResponseMetadata(date=NOW),
    )


def _passes(one: Backup, request: Mapping[str, object]) -> bool:
    shown = {
        "file-system-id": {
            one.file_system and one.file_system.file_system_id,
            one.volume and one.volume.file_system_id,
        },
        "volume-id": {one.volume and one.volume.volume_id},
    }
    filters = cast("list[dict[str, object]]", request.get("Filters", []))
    return all(
        shown[str(each["Name"])] & set(cast("Sequence[str]", each["Values"])) for each in filters
    )


def _seen(view: str, backups: list[Backup], draw: random.Random) -> list[Backup]:
    """Return what a listing shows of *backups*."""
    shown = list(backups)
    match view:
        case "empty":
            shown = []
        case "cut":
            shown = shown[: draw.randint(0, len(shown))]
        case "hidden":
            shown = [one for one in shown if draw.random() < 0.6]
        case "shuffled":
            draw.shuffle(shown)
        case "shifted":
            draw.shuffle(shown)
            shown = [*shown[len(shown) // 3 :], *shown[: len(shown) // 2]]
        case _:
            assert view in ("whole", "odd")
    return shown


def _spoiled(document: dict[str, object], seed: int) -> dict[str, object]:
    """Return a backup, one of three so that it cannot be read, or not what it is of."""
    draw = random.Random(f"{seed} {document['BackupId']}")
    if draw.random() < 0.67:
        return document
    spoiled = dict(document)
    spoiled[draw.choice(["Lifecycle", "Type", "CreationTime", "Tags"])] = {}
    for name in draw.sample(["BackupId", "FileSystem", "Volume", "KmsKeyId"], draw.randint(0, 2)):
        spoiled[name] = draw.choice([None, 7, {}])
    if "SourceBackupId" in document and draw.random() < 0.1:
        spoiled["SourceBackupId"] = 7
    return spoiled


async def _prune(history: History) -> set[str]:
    """Plan and apply with listings that lie, and return the copies that were deleted."""
    left = (await _sync(history)).held
    return {one.backup_id for one in history.copies} - set(left)


async def _sync(history: History) -> Region:
    """Plan and apply with listings that lie, and return the destination."""
    clock = ManualClock(auto_advance=True)
    draw = random.Random(history.seed)
    east = Region(EAST, {one.backup_id: one for one in history.originals}, history, draw)
    west = Region(WEST, {one.backup_id: one for one in history.copies}, history, draw)
    source, destination = (FsxCopyClient(transport=one, clock=clock) for one in (east, west))
    try:
        plan = await plan_replication(source, destination, history.policy, now=NOW)
    except ResponseDecodingError:  # of which backup there is a copy cannot be read
        return west
    async with apply_plan(
        plan, destination, source=source, prune=True, prune_most=history.prune_most
    ) as applied:
        async for _ in applied:
            pass
    return west


# The model: what the whole truth keeps.


def _is_owned(one: Backup) -> bool:
    return is_owned(one) and one.lifecycle == "AVAILABLE"


def _selected(history: History) -> set[str]:
    policy = history.policy
    by_source: defaultdict[str, list[Backup]] = defaultdict(list)
    for one in history.originals:
        young = policy.newer_than is None or (
            NOW - one.creation_time <= timedelta(seconds=policy.newer_than)
        )
        if young:
            by_source[made_of(one)].append(one)
    return {
        one.backup_id
        for group in by_source.values()
        for one in sorted(group, key=lambda one: (one.creation_time, one.backup_id))[::-1][
            : policy.newest
        ]
    }


def _kept(history: History) -> set[str]:
    """Return the copies that the policy keeps, given everything that there is."""
    policy = history.policy
    groups: defaultdict[tuple[str, str | None], list[Backup]] = defaultdict(list)
    kept = {one.backup_id for one in history.copies if not _is_owned(one)}
    for one in history.copies:
        if _is_owned(one):
            groups[made_of(one), one.kms_key_id].append(one)
    selected = _selected(history)
    for group in groups.values():
        newest_first = sorted(group, key=_order, reverse=True)
        by_rule = _kept_by_rules(policy.keep, newest_first)
        last_begun = max(one.creation_time for one in group)
        begun_last = [one for one in group if one.creation_time == last_begun]
        for one in group:
            is_kept = (
                one.source_backup_id == newest_first[0].source_backup_id
                or one.source_backup_id in by_rule
                or [one] == begun_last
                or PROTECTED in one.tags
                or one.source_backup_id in selected
                or policy.keep is None
                or not _has_original(history, one)
            )
            if is_kept:
                kept.add(one.backup_id)
    return kept


def _kept_by_rules(keep: Keep | None, newest_first: Sequence[Backup]) -> set[str | None]:
    """Return the backups whose copies the rules of *keep* keep, by restic's manual."""
    kept: set[str | None] = set()
    if keep is None:
        return kept
    # Two copies of one backup count once.
    points: dict[str | None, float] = {}
    for one in newest_first:
        points.setdefault(one.source_backup_id, _recovery_point(one))
    kept.update([*points][: keep.last or 0])
    for rule, text in PERIODS.items():
        newest: dict[str, str | None] = {}
        for origin, point in points.items():
            moment = datetime.fromtimestamp(point, ZoneInfo(keep.time_zone))
            newest.setdefault(moment.strftime(text), origin)
        kept.update([*newest.values()][: getattr(keep, rule) or 0])
    latest = max(points.values())
    kept.update(origin for origin, point in points.items() if latest - point < (keep.within or 0))
    return kept


def _recovery_point(copy: Backup) -> float:
    """Return when the backup behind *copy* was made, in epoch seconds, by its tag."""
    (made,) = [tag.value for tag in copy.tags if tag.key == TIME_TAG]
    return datetime.fromisoformat(made).timestamp()


def _order(copy: Backup) -> tuple[object, ...]:
    return (_recovery_point(copy), copy.creation_time, copy.backup_id)


def _has_original(history: History, copy: Backup) -> bool:
    return any(made_of(one) == made_of(copy) for one in history.originals)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories())
def test_nothing_is_deleted_that_the_whole_truth_would_keep(history: History) -> None:
    """No copy goes that is kept, is not ours, is the newest, or whose source shows no original."""
    deleted = anyio.run(_prune, history)

    assert not deleted & _kept(history)
    by_source: defaultdict[str, list[Backup]] = defaultdict(list)
    for one in history.copies:
        if _is_owned(one):
            by_source[made_of(one)].append(one)
    for group in by_source.values():
        gone = [one for one in group if one.backup_id in deleted]
        assert history.prune_most or len(gone) <= len(group) / 2


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_nothing_is_deleted_beside_what_cannot_be_read(history: History) -> None:
    """A source with an original or a copy that cannot be read keeps all its copies."""
    history = attrs.evolve(history, views=("odd",), prune_most=True)
    every = {one.backup_id: one for one in (*history.originals, *history.copies)}
    odd = [one for one in every.values() if _spoiled(to_dict(one), history.seed) != to_dict(one)]
    deleted = {made_of(every[one]) for one in anyio.run(_prune, history)}
    assert not deleted.intersection(map(made_of, odd))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.lists(st.sampled_from(["whole", "odd"]), min_size=1, max_size=6))
def test_nothing_is_copied_twice_for_a_copy_that_cannot_be_read(
    history: History, views: list[str]
) -> None:
    """A backup that has a copy which is not dead gets no other, whatever of it cannot be read."""
    history = attrs.evolve(history, views=tuple(views))
    live = {one.source_backup_id for one in history.copies if not one.lifecycle.is_dead}
    held = anyio.run(_sync, history).held
    made = [one for one in held.values() if one not in history.copies]
    assert not live.intersection(one.source_backup_id for one in made)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_the_plan_is_the_same_whatever_the_order(history: History) -> None:
    """Shuffled listings, and pages that show some backups twice, lead to the same plan."""
    draw = random.Random(history.seed)
    expected = planned(history.policy, history.originals, history.copies)
    for _ in range(3):
        originals = [
            *history.originals,
            *draw.sample(history.originals, len(history.originals) // 2),
        ]
        copies = [*history.copies, *draw.sample(history.copies, len(history.copies) // 2)]
        draw.shuffle(originals)
        draw.shuffle(copies)
        assert expected == planned(history.policy, originals, copies)


def test_histories_let_something_be_deleted() -> None:
    """The property is not empty: with listings that tell the truth, copies are deleted."""
    made = tuple(backup(number, days=10 - number) for number in range(4))
    history = History(
        policy=ReplicationPolicy(name="nightly", keep=Keep(last=2)),
        originals=made,
        copies=tuple(copy_of(one, 1000 + number) for number, one in enumerate(made)),
        views=("whole",),
        seed=0,
        prune_most=False,
    )

    assert {one.backup_id for one in history.copies[:2]} == anyio.run(_prune, history)

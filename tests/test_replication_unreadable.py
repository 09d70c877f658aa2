"""Plans and prunes beside backups that cannot be read: closed where anything is unknown."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import attrs
import pytest
from bulk_rig import Direct, direct_client
from replication_rig import DAY, EAST, FS, NOW, OTHER_FS, POLICY, VOLUME, WEST

from fsxcopy_sdk import FsxCopyClient, InvalidArguments, ResponseDecodingError
from fsxcopy_sdk.bulk import Copied, CopyNotObserved
from fsxcopy_sdk.replication import (
    CannotCopyReason,
    Keep,
    PlanOutcome,
    Pruned,
    PruneObstacle,
    PruneSkipped,
    ReplicationPlan,
    ReplicationPolicy,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

KEEP_ONE = attrs.evolve(POLICY, keep=Keep(last=1))
ALL = attrs.evolve(POLICY, newest=None, keep=Keep(last=2))


@attrs.frozen
class Regions:
    """Two Regions of a local FSx, and a client of each."""

    fsx: LocalFsx
    east: FsxCopyClient
    west: FsxCopyClient

    def back_up(self, days: float, file_system_id: str = FS, **members: Any) -> str:
        """Add a backup of some days ago to the source Region."""
        made = NOW.timestamp() - days * DAY
        source = {"FileSystem": {"FileSystemId": file_system_id}}
        return self.fsx.add_backup(EAST, **{**source, "CreationTime": made, **members})

    def copy_of(self, source: str, **members: Any) -> str:
        """Add another program's copy of a backup."""
        given = {"SourceBackupId": source, "SourceBackupRegion": EAST, **members}
        return self.fsx.add_backup(WEST, **given)

    def spoil(self, backup_id: str, **members: Any) -> None:
        """Change members of a backup, so that it cannot be read or says less."""
        self.fsx._store.by_id[backup_id].document.update(members)

    async def plan(self, policy: ReplicationPolicy = POLICY, **options: Any) -> ReplicationPlan:
        return await plan_replication(self.east, self.west, policy, now=NOW, **options)

    async def apply(self, plan: ReplicationPlan, **options: Any) -> list[PlanOutcome]:
        async with apply_plan(plan, self.west, source=self.east, **options) as applied:
            return [outcome async for outcome in applied]

    @property
    def held(self) -> set[str]:
        """The backups of the destination."""
        return {str(one["BackupId"]) for one in self.fsx.backups(WEST)}


@pytest.fixture(name="regions")
async def _regions(clock: ManualClock) -> AsyncIterator[Regions]:
    """Two empty Regions."""
    async with LocalFsx(clock=clock, copy_duration=60, backup_being_copied_for=0) as fsx:
        west, _ = direct_client(fsx, clock)
        east = FsxCopyClient(transport=Direct(fsx, EAST, clock), clock=clock)
        yield Regions(fsx, east, west)


async def _copied(regions: Regions, *days: float, source: str = FS) -> list[str]:
    """Back a file system up at some times, copy all of it, and return the copies in that order."""
    originals = [regions.back_up(one, source) for one in days]
    await regions.apply(await regions.plan(ALL))
    by_source = {one.get("SourceBackupId"): one for one in regions.fsx.backups(WEST)}
    return [str(by_source[one]["BackupId"]) for one in originals]


def _kinds(outcomes: Sequence[PlanOutcome]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    "odd",
    [
        {"CreationTime": None},
        {"Type": 7},
        {"SizeInBytes": "1024"},
        {"BackupId": "backup-00000bad", "Tags": [{"Key": None}]},
        {"FileSystem": {"FileSystemId": OTHER_FS, "StorageCapacity": "1200"}},
        {"SourceBackupId": 7},
    ],
)
async def test_an_odd_original_hides_no_others(regions: Regions, odd: Any) -> None:
    """Every other backup is planned, and the plan and its report say that there was one."""
    good = [regions.back_up(1), regions.back_up(2, OTHER_FS)]
    missing = {name: value for name, value in odd.items() if value is None}
    bad = regions.back_up(
        0, OTHER_FS, **{name: odd[name] for name in odd if odd[name] is not None}
    )
    regions.spoil(bad, **missing)

    plan = await regions.plan()

    assert good == [one.backup.backup_id for one in plan.to_copy]
    (unreadable,) = plan.unreadable_in_source
    assert (bad, 1, ()) == (
        unreadable.backup_id,
        plan.report.unreadable,
        plan.unreadable_in_destination,
    )
    lines = str(plan).splitlines()
    assert ["cannot be read in us-east-2: 1", f"  {unreadable}"] == lines[-2:]
    assert "backups that cannot be read: 1" == str(plan.report).splitlines()[2]
    document = json.loads(json.dumps(plan.to_dict()))
    assert bad == document["UnreadableInSource"][0]["BackupId"]


async def test_a_plan_without_odd_backups_says_nothing_of_them(regions: Regions) -> None:
    """The usual plan and report are as short as before."""
    regions.back_up(1)
    plan = await regions.plan()
    assert ((), (), 0) == (
        plan.unreadable_in_source,
        plan.unreadable_in_destination,
        plan.report.unreadable,
    )
    assert "read" not in f"{plan}{plan.report}"


@pytest.mark.parametrize("lifecycle", ["AVAILABLE", "COPYING", "FAILED"])
async def test_a_copy_that_cannot_be_read_counts(regions: Regions, lifecycle: str) -> None:
    """Its source is not copied again, with a reason, nor is an older backup in its place."""
    old, new, other = regions.back_up(2), regions.back_up(1), regions.back_up(1, OTHER_FS)
    copy = regions.copy_of(new, Lifecycle=lifecycle, Type=7)

    plan = await regions.plan()

    assert [other] == [one.backup.backup_id for one in plan.to_copy]
    (refused,) = plan.cannot_copy
    assert (new, CannotCopyReason.UNREADABLE_COPY) == (refused.backup.backup_id, refused.reason)
    text = f"the destination has a copy of it that cannot be read: {copy}: $.Backups[0].Type: "
    assert text in str(refused)
    assert "cannot be read in us-west-2: 1" in str(plan).splitlines()
    assert [copy] == [one.backup_id for one in plan.unreadable_in_destination]
    plan = await regions.plan(attrs.evolve(POLICY, newest=2))
    assert {other, old} == {one.backup.backup_id for one in plan.to_copy}


async def test_it_is_named_however_many_others_cannot_be_copied(regions: Regions) -> None:
    """The reasons that are cut to as many as are selected never hide it."""
    regions.back_up(1, Lifecycle="FAILED")
    source = regions.back_up(2)
    regions.copy_of(source, Type=7)
    reasons = [one.reason for one in (await regions.plan()).cannot_copy]
    assert [CannotCopyReason.UNREADABLE_COPY, CannotCopyReason.FAILED] == reasons


async def test_another_copy_of_the_backup_is_enough(regions: Regions) -> None:
    """A copy that is AVAILABLE is what the plan names."""
    source = regions.back_up(1)
    regions.copy_of(source, Type=7)
    good = regions.copy_of(source)
    (known,) = (await regions.plan()).up_to_date
    assert good == known.copy.backup_id


async def test_one_that_appears_after_the_plan(regions: Regions) -> None:
    """A plan that is applied late does not copy it again, and prunes nothing beside it."""
    await _copied(regions, 9, 8, 7)
    source = regions.back_up(1)
    plan = await regions.plan(KEEP_ONE)
    before = {*regions.held, regions.copy_of(source, Type=7)}

    outcomes = await regions.apply(plan, prune=True)

    assert {CopyNotObserved, PruneSkipped} == set(_kinds(outcomes))
    assert before == regions.held


@pytest.mark.parametrize("source", [7, {"Id": "backup-1"}, ["backup-1"], False])
async def test_a_copy_of_what_cannot_be_read_stops_the_plan(regions: Regions, source: Any) -> None:
    """In the destination it may be a copy of anything: the listing fails, as all strict ones."""
    regions.back_up(1)
    regions.copy_of("backup-1", SourceBackupId=source)
    with pytest.raises(ResponseDecodingError, match="which may be a copy of any backup"):
        await regions.plan()


@pytest.mark.parametrize("where", [EAST, WEST])
async def test_a_strict_plan(regions: Regions, where: str) -> None:
    """With `strict=True` one odd backup in either Region makes the plan fail."""
    regions.fsx.add_backup(where, Type=7)
    await regions.plan()
    with pytest.raises(ResponseDecodingError, match=r"\$.Backups\[0\].Type"):
        await regions.plan(strict=True)
    with pytest.raises(InvalidArguments, match="strict: must be True or False"):
        await regions.plan(strict="yes")


@pytest.mark.parametrize("where", [EAST, WEST])
@pytest.mark.parametrize(
    ("odd", "held_back"),
    [
        ({"Type": 7, "FileSystem": {"FileSystemId": FS}}, {FS}),
        ({"Type": 7, "FileSystem": {"FileSystemId": FS, "Lifecycle": 7}}, {FS}),
        ({"Type": 7, "FileSystem": {"FileSystemId": "fs-0123456789abcdefa"}}, set()),
        ({"Type": 7, "FileSystem": {"FileSystemId": 7}}, {FS, OTHER_FS}),
        ({"FileSystem": FS}, {FS, OTHER_FS}),
        ({"Type": 7, "Volume": {"VolumeId": VOLUME}}, set()),
        ({"Type": 7, "Volume": {"VolumeId": None}}, {FS, OTHER_FS}),
    ],
)
async def test_what_is_pruned_beside_it(
    regions: Regions, where: str, odd: Any, held_back: set[str]
) -> None:
    """Nothing of what it may be of, whatever switches are given; all else as ever."""
    await _copied(regions, 4, 3, 2, 1)
    await _copied(regions, 4, 3, 2, 1, source=OTHER_FS)
    regions.fsx.add_backup(where, **odd)
    plan = await regions.plan(ALL)
    assert [] == list(plan.to_prune)  # all are selected
    plan = await regions.plan(KEEP_ONE)

    obstacles = {
        one.source_id for one in plan.held_back if PruneObstacle.UNREADABLE in one.obstacles
    }
    assert held_back == obstacles
    why = "a backup that cannot be read may be of the same source"
    assert bool(held_back) == (f"but {why}" in str(plan))
    before = regions.held
    outcomes = await regions.apply(plan, prune=True, prune_most=True, prune_orphans=True)
    pruned = {one.prune.source_id for one in outcomes if isinstance(one, Pruned)}
    assert {FS, OTHER_FS} - held_back == pruned
    assert (before == regions.held) == (held_back == {FS, OTHER_FS})


@pytest.mark.parametrize("says", ["its source", "nothing", "another"])
async def test_a_copy_is_of_what_its_origin_is_of(regions: Regions, says: str) -> None:
    """A copy that does not name its file system holds back what its listed origin is of."""
    await _copied(regions, 4, 3, 2, 1)
    await _copied(regions, 4, 3, 2, 1, source=OTHER_FS)
    origin = regions.back_up(0.5, OTHER_FS)
    third = "fs-0123456789abcdefa"
    named: dict[str, Any] = {
        "its source": {"FileSystem": {"FileSystemId": OTHER_FS}},
        "nothing": {"FileSystem": {}},
        "another": {"FileSystem": {"FileSystemId": third}},
    }
    regions.copy_of(origin, Type=7, **named[says])
    plan = await regions.plan(KEEP_ONE)
    assert {OTHER_FS} == {
        one.source_id for one in plan.held_back if PruneObstacle.UNREADABLE in one.obstacles
    }
    assert {FS} == {one.source_id for one in plan.to_prune}


@pytest.mark.parametrize("where", ["the copy", "another copy", "an original", "nameless"])
async def test_one_that_cannot_be_read_before_a_deletion(regions: Regions, where: str) -> None:
    """What was readable for the plan may not be any more: then nothing is deleted, at once."""
    copies = await _copied(regions, 4, 3, 2, 1)
    plan = await regions.plan(KEEP_ONE)
    doomed = [one.copy.backup_id for one in plan.to_prune]
    kept, _ = (one for one in copies if one not in doomed)
    match where:
        case "the copy":
            regions.spoil(doomed[0], Type=7)
        case "another copy":
            regions.spoil(kept, CreationTime="soon")
        case "nameless":
            regions.spoil(kept, BackupId=7)
        case _:
            regions.back_up(0, Type=7)

    begun = regions.west.clock.now()
    outcomes = await regions.apply(plan, prune=True)

    assert [PruneSkipped] * 2 == _kinds(outcomes)
    for one in outcomes:
        assert isinstance(one, PruneSkipped)
        assert "a backup that cannot be read may be of the same source" == one.reason
        assert one.is_held_back
    assert begun == regions.west.clock.now()
    assert len(copies) == len(regions.held)


async def test_the_plan_is_carried_out_beside_it(regions: Regions) -> None:
    """Copies are made, and the run ends, with an odd original in both Regions."""
    source = regions.back_up(1)
    regions.back_up(0, OTHER_FS, Type=7)
    regions.fsx.add_backup(WEST, Type=7)
    outcomes = await regions.apply(await regions.plan(KEEP_ONE), prune=True)
    assert [Copied] == _kinds(outcomes)
    assert [source] == [outcome.request.source_backup_id for outcome in outcomes]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        ({"SizeInBytes": "many"}, "the newest backup that can be read"),
        ({"FileSystem": None, "Type": 7}, "the newest backup that can be read"),
        ({"FileSystem": {"FileSystemId": OTHER_FS}, "Type": 7}, "the newest backup"),
        ({"SourceBackupId": "backup-ffffffff", "Type": 7}, "the newest backup"),
    ],
)
async def test_a_backup_is_the_newest_of_those_that_can_be_read(
    regions: Regions, spoiled: dict[str, Any], why: str
) -> None:
    """Beside an original that may be of the same source and newer, a plan claims no more."""
    regions.back_up(2)
    regions.spoil(regions.back_up(1), **spoiled)
    plan = await regions.plan()
    assert [f"{why}, no copy yet"] == [one.reason for one in plan.to_copy]


@pytest.mark.parametrize("source", [FS, VOLUME])
async def test_a_source_is_not_missing_if_a_backup_of_it_cannot_be_read(
    regions: Regions, source: str
) -> None:
    """The source Region does show a backup of it."""
    ids = {"volume_ids": (VOLUME,)} if source == VOLUME else {"file_system_ids": (FS, OTHER_FS)}
    policy = attrs.evolve(POLICY, **ids)
    missing = {*policy.volume_ids, *policy.file_system_ids}
    assert missing == set((await regions.plan(policy)).missing)

    odd = regions.back_up(1)
    if source == VOLUME:
        regions.spoil(odd, Volume={"VolumeId": VOLUME, "VolumeType": "ONTAP"}, FileSystem=None)
    regions.spoil(odd, CreationTime="yesterday")
    plan = await regions.plan(policy)
    assert missing - {source} == set(plan.missing)
    assert 1 == len(plan.unreadable_in_source)

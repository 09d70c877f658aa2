"""Applying plans, on a clock that moves whenever something sleeps on it."""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest
from aiobotocore.session import AioSession
from bulk_rig import Direct, direct_client, live_copies
from replication_rig import DAY, EAST, FS, OTHER_FS, POLICY, WEST

from fsxcopy_sdk import (
    AccessDenied,
    BackupBeingCopied,
    BackupCopyFailed,
    BackupFilter,
    BackupNotFound,
    ClientNotOpen,
    ConfigurationError,
    FsxCopyClient,
    InvalidArguments,
    ServiceUnavailable,
    StreamNotOpen,
    WaitSchedule,
    WaitTimeout,
)
from fsxcopy_sdk.bulk import Copied, CopyFailed, CopyInProgress, CopyTimedOut, SharedCopies
from fsxcopy_sdk.replication import (
    Keep,
    PlannedPrune,
    PlanOutcome,
    Pruned,
    PruneFailed,
    PruneObstacle,
    PruneSkipped,
    ReplicationPlan,
    ReplicationPolicy,
    apply_plan,
    check_owner,
    plan_replication,
)
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect

ALL = attrs.evolve(POLICY, newest=None)
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(name="session", scope="module")
def _session() -> AioSession:
    """One session for all tests here: to load the service's model takes its time."""
    session = AioSession()
    session.set_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", "the-session-token")
    return session


@attrs.frozen
class Regions:
    """Two Regions of a local FSx, and a client of each."""

    fsx: LocalFsx
    clock: ManualClock
    east: FsxCopyClient
    west: FsxCopyClient

    def back_up(self, file_system_id: str = FS) -> str:
        return self.fsx.add_backup(EAST, FileSystem={"FileSystemId": file_system_id})

    def begin_copy(self, file_system_id: str = FS) -> None:
        """Let another program have begun a copy that does not end."""
        source = self.back_up(file_system_id)
        self.fsx.add_backup(
            WEST, SourceBackupId=source, SourceBackupRegion=EAST, Lifecycle="COPYING"
        )

    @property
    def held(self) -> list[str]:
        """The backups of the destination, the oldest first."""
        return [str(one["BackupId"]) for one in self.fsx.backups(WEST)]

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.now())

    async def plan(self, policy: ReplicationPolicy = ALL) -> ReplicationPlan:
        return await plan_replication(self.east, self.west, policy, now=self.now)

    async def apply(self, plan: ReplicationPlan, **options: Any) -> list[PlanOutcome]:
        async with apply_plan(plan, self.west, **options) as applied:
            return [outcome async for outcome in applied]

    async def sync(self, policy: ReplicationPolicy = ALL, **options: bool) -> list[type]:
        """Plan and apply, and return what became of what."""
        return _kinds(await self.apply(await self.plan(policy), **options))


@attrs.frozen(kw_only=True)
class History(Regions):
    """Two Regions after some days, and what is to be pruned to keep two copies."""

    made: list[str]
    """The copies, the oldest first."""
    planned: ReplicationPlan

    async def prune(self, **options: Any) -> list[PlanOutcome]:
        return await self.apply(self.planned, prune=True, **options)


def _tags(document: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in document["Tags"]}


def _kinds(outcomes: Sequence[PlanOutcome]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


@pytest.fixture(name="regions")
async def _regions(clock: ManualClock, connect: Connect) -> AsyncIterator[Regions]:
    """Two Regions that hold nothing, where a copy takes ten minutes."""
    async with (
        LocalFsx(clock=clock, copy_duration=600, started_at=START) as fsx,
        connect(fsx, region=EAST) as east,
        connect(fsx, region=WEST) as west,
    ):
        yield Regions(fsx, clock, east, west)


async def test_a_plan_is_carried_out(regions: Regions) -> None:
    """Everything that is to be copied is, and then there is nothing to do."""
    backups = [regions.back_up() for _ in range(7)]
    assert [Copied] * 7 == await regions.sync()
    assert dict.fromkeys(backups, 1) == live_copies(regions.fsx)
    assert not (await regions.plan()).has_work
    assert [] == await regions.sync()


async def test_a_plan_can_be_carried_out_twice(regions: Regions) -> None:
    """The same plan applied again finds the copies that it made."""
    regions.back_up()
    plan = await regions.plan()
    (first,) = await regions.apply(plan)
    (again,) = await regions.apply(plan)
    assert isinstance(first, Copied)
    assert isinstance(again, Copied)
    assert first.backup.backup_id == again.backup.backup_id


async def test_two_at_once(regions: Regions) -> None:
    """Two runs at the same time make one copy of each backup."""
    backups = [regions.back_up() for _ in range(12)]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(regions.sync)
        tasks.start_soon(regions.sync)
    assert dict.fromkeys(backups, 1) == live_copies(regions.fsx)
    assert 5 == regions.fsx.max_copies_in_progress_seen(WEST)


async def test_copies_carry_their_lineage(regions: Regions) -> None:
    """The tags of a copy name its policy and its recovery point."""
    regions.back_up()
    await regions.sync()
    (copy,) = regions.fsx.backups(WEST)

    assert [
        {"Key": "fsxcopy:backup", "Value": copy["SourceBackupId"]},
        {"Key": "fsxcopy:policy", "Value": "nightly"},
        {"Key": "fsxcopy:source", "Value": FS},
        {"Key": "fsxcopy:source-time", "Value": "2026-11-01T00:00:00+00:00"},
    ] == copy["Tags"]


async def test_the_report_afterwards_has_the_service_s_time(regions: Regions) -> None:
    """Ages are measured at the service's latest answer, when the copy was AVAILABLE."""
    regions.back_up()
    regions.clock.advance(DAY)
    plan = await regions.plan()
    async with apply_plan(plan, regions.west) as applied:
        assert [Copied] == _kinds([outcome async for outcome in applied])
    assert timedelta(minutes=10) <= applied.report.made_at - plan.made_at
    [row] = applied.report.sources
    assert row.age
    assert DAY + 600 <= row.age
    assert row.is_late


async def test_what_is_in_progress_is_waited_for(regions: Regions) -> None:
    """A copy that another program began is not begun again, but has its outcome here too."""
    source = regions.back_up()
    begun = await regions.west.copy_backup(source, source_region=EAST)
    seen: list[CopyInProgress] = []
    async with apply_plan(await regions.plan(), regions.west, on_seen=seen.append) as applied:
        (found,) = applied.in_progress
        (outcome,) = [one async for one in applied]

    assert isinstance(outcome, Copied)
    assert found.backup
    assert begun.backup.backup_id == outcome.backup.backup_id == found.backup.backup_id
    assert outcome.backup == seen[-1].backup
    assert ("AVAILABLE", source) == (outcome.backup.lifecycle, outcome.request.source_backup_id)
    assert {"DescribeBackups", "CopyBackup"} == set(regions.fsx.calls)
    assert ((), 1) == (applied.in_progress, regions.fsx.calls["CopyBackup"])


async def test_what_is_in_progress_may_fail(regions: Regions) -> None:
    """A copy that fails under our eyes is an outcome; the next run makes another."""
    source = regions.back_up()
    begun = await regions.west.copy_backup(source, source_region=EAST)
    plan = await regions.plan()
    regions.fsx.fail_copy(begun.backup.backup_id, "the key is gone")
    (outcome,) = await regions.apply(plan)

    assert isinstance(outcome, CopyFailed)
    assert isinstance(outcome.error, BackupCopyFailed)
    assert [Copied] == await regions.sync()
    assert {source: 1} == live_copies(regions.fsx)


async def test_a_failed_copy_is_made_again(regions: Regions) -> None:
    """The token of a copy that failed is spent; the same request gets another one."""
    source = regions.back_up()
    plan = await regions.plan()

    def fail(copy: CopyInProgress) -> None:
        if copy.backup and copy.backup.lifecycle == "COPYING":
            regions.fsx.fail_copy(copy.backup.backup_id, "the key is gone")

    (outcome,) = await regions.apply(plan, on_seen=fail)

    assert isinstance(outcome, CopyFailed)
    assert [Copied] == await regions.sync()
    assert {source: 1} == live_copies(regions.fsx)


async def test_a_deleted_copy_is_made_again(regions: Regions) -> None:
    """A copy that was deleted is missing, and is made anew."""
    source = regions.back_up()
    (first,) = await regions.apply(await regions.plan())
    assert isinstance(first, Copied)
    await regions.west.delete_backup(first.backup.backup_id)
    assert [Copied] == await regions.sync()
    assert {source: 1} == live_copies(regions.fsx)


async def test_waits_end(regions: Regions) -> None:
    """A wait that times out leaves its copy alone, even one that another program began."""
    regions.begin_copy()
    regions.back_up()
    outcomes = await regions.apply(await regions.plan(), max_wait=60)

    assert [CopyTimedOut] * 2 == _kinds(outcomes)
    assert [WaitTimeout] * 2 == [type(one.error) for one in outcomes]
    assert ["COPYING"] * 2 == [
        one.backup and one.backup.lifecycle for one in outcomes if isinstance(one, CopyTimedOut)
    ]


async def test_a_plan_is_applied_inside_a_block(regions: Regions) -> None:
    """Outside of `async with` nothing is copied, and the error says how it would be."""
    applied = apply_plan(await regions.plan(), regions.west)
    with pytest.raises(StreamNotOpen, match="`async with apply_plan.* as applied`"):
        await anext(applied)
    async with applied:
        with pytest.raises(StreamNotOpen, match="call apply_plan again"):
            await applied.__aenter__()
    assert [] == [outcome async for outcome in applied]


async def test_leaving_early_leaves_the_copies_alone(regions: Regions) -> None:
    """Nothing more is started, and what is still in progress is known."""
    known = await regions.west.copy_backup(regions.back_up(), source_region=EAST)
    for _ in range(9):
        regions.back_up()
    plan = await regions.plan()
    busy = anyio.Event()

    def observe(_: CopyInProgress) -> None:
        if regions.fsx.calls["CopyBackup"] >= 4:
            busy.set()

    async with apply_plan(plan, regions.west, prune=True, on_seen=observe) as applied:
        await busy.wait()

    running = [one.backup.backup_id for one in applied.in_progress if one.backup]
    assert known.backup.backup_id == running[0]
    assert len(plan.to_copy) == len(applied.in_progress) - 1 + len(applied.not_started)
    assert 5 >= len(applied.in_progress)
    assert () == applied.outcomes
    assert [] == [one async for one in applied]


async def test_what_the_block_raises_stays_what_it_is(regions: Regions) -> None:
    """An exception of the caller's is in no group."""
    regions.back_up()
    with pytest.raises(KeyError):
        async with apply_plan(await regions.plan(), regions.west):
            raise KeyError


async def test_a_cancelled_run_ends(regions: Regions) -> None:
    """A timeout around it is a timeout."""
    regions.begin_copy()
    plan = await regions.plan()
    applied = apply_plan(plan, regions.west)
    with anyio.CancelScope() as scope:
        async with applied:
            scope.cancel()
            await anyio.sleep(1)

    assert scope.cancelled_caught
    assert 1 == len(applied.in_progress)


async def test_an_observer_that_raises_ends_it(regions: Regions) -> None:
    """What the caller's own function raises is not swallowed."""
    regions.begin_copy()

    def observe(_: CopyInProgress) -> None:
        raise KeyError

    with pytest.raises(BaseExceptionGroup) as caught:
        await regions.apply(await regions.plan(), on_seen=observe)
    assert caught.value.subgroup(KeyError)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"plan": None}, "plan: must be a ReplicationPlan"),
        ({"destination": None}, "destination: must be a FsxCopyClient"),
        ({"source": "x"}, "source: must be a FsxCopyClient"),
        ({"prune": "no"}, "prune: must be True or False"),
        ({"prune": True, "prune_most": "no"}, "prune_most: must be True or False"),
        ({"max_in_progress": 0}, "max_in_progress: must be"),
        ({"max_wait": -1}, "max_wait: must be"),
        ({"schedule": 5}, "schedule: must be"),
        ({"on_seen": 5}, "on_seen: must be"),
        ({"prune_orphans": True}, "prune_orphans: must be given with prune=True"),
        ({"prune_most": True}, "prune_most: must be given with prune=True"),
    ],
)
async def test_bad_arguments(regions: Regions, arguments: dict[str, object], fault: str) -> None:
    """They are refused before anything is sent."""
    given = {"plan": await regions.plan(), "destination": regions.west, **arguments}
    regions.fsx.calls.clear()
    with pytest.raises(InvalidArguments, match=fault):
        apply_plan(**given)  # type: ignore[arg-type]  # on purpose
    assert not regions.fsx.calls


async def test_another_region_is_refused(regions: Regions) -> None:
    """A plan is for one source and one destination."""
    plan = await regions.plan()
    with pytest.raises(InvalidArguments, match="destination: must be a client of us-west-2, not"):
        apply_plan(plan, regions.east)
    with pytest.raises(InvalidArguments, match="source: must be a client of us-east-2, not"):
        apply_plan(plan, regions.west, source=regions.west)


async def test_the_owner_of_a_plan(regions: Regions) -> None:
    """It is checked by calls that change nothing, unless the plan does not name it."""
    regions.back_up()
    plan = await regions.plan()
    assert "123456789012" == plan.owner_id
    regions.fsx.add_backup(WEST, ResourceARN=None)
    await check_owner(plan, regions.east, regions.west)
    other = attrs.evolve(plan, owner_id="111111111111")
    with pytest.raises(InvalidArguments, match="of account 111111111111, not of 123456789012"):
        await check_owner(other, regions.east, regions.west)
    with pytest.raises(InvalidArguments, match="source: must be a client of us-east-2, not"):
        await check_owner(plan, regions.west, regions.west)
    assert {"DescribeBackups"} == regions.fsx.calls.keys()
    regions.fsx.calls.clear()
    await check_owner(attrs.evolve(plan, owner_id=None), regions.east, regions.west)
    assert not regions.fsx.calls


async def test_a_shared_run_of_another_region_is_refused(regions: Regions) -> None:
    """Its copies would be made there, by the requests for this one."""
    plan = await regions.plan()
    shared = SharedCopies(
        regions.east, wait=True, max_in_progress=5, max_wait=60.0, schedule=WaitSchedule()
    )
    with pytest.raises(InvalidArguments, match="shared: must be copies into us-west-2, not into"):
        apply_plan(plan, regions.west, shared=shared)


async def test_a_closed_client_is_refused(regions: Regions) -> None:
    """It is said at once."""
    with pytest.raises(ClientNotOpen):
        apply_plan(await regions.plan(), FsxCopyClient(WEST))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_either_event_loop(backend: str) -> None:
    """It runs under asyncio and under trio, and within one Region too."""
    clock = ManualClock(auto_advance=True)
    fsx = LocalFsx(clock=clock, copy_duration=600)
    backups = [fsx.add_backup(WEST) for _ in range(7)]
    client, _ = direct_client(fsx, clock)

    async def sync(outcomes: list[PlanOutcome]) -> ReplicationPlan:
        plan = await plan_replication(client, client, ALL)
        async with apply_plan(plan, client) as applied:
            outcomes += [one async for one in applied]
        return plan

    async def work() -> list[PlanOutcome]:
        outcomes: list[PlanOutcome] = []
        await client.copy_backup(backups[0])
        assert 1 == len((await sync(outcomes)).in_progress)
        assert not (await sync(outcomes)).has_work
        return outcomes

    assert [Copied] * 7 == _kinds(anyio.run(work, backend=backend))
    assert 14 == len(fsx.backups(WEST))


KEEP_ONE = attrs.evolve(POLICY, keep=Keep(last=1))
KEEP_TWO = attrs.evolve(POLICY, keep=Keep(last=2))


async def _history(regions: Regions, days: int = 4) -> list[str]:
    """Make a backup a day and copy it, and return the copies, the oldest first."""
    for _ in range(days):
        regions.back_up()
        assert Copied in await regions.sync(KEEP_ONE)
        regions.clock.advance(DAY)
    return regions.held


async def _four_days(regions: Regions) -> History:
    """Make a backup and a copy of it on each of four days."""
    made = await _history(regions)
    planned = await regions.plan(KEEP_TWO)
    return History(**attrs.asdict(regions, recurse=False), made=made, planned=planned)


@pytest.fixture(name="history")
async def _four_days_over_http(regions: Regions) -> History:
    """Two Regions with a backup and a copy of each of four days."""
    return await _four_days(regions)


async def _without_sockets(clock: ManualClock) -> tuple[History, Direct, Direct]:
    """Make such a history in two Regions of one process, and return the transports too."""
    fsx = LocalFsx(clock=clock, copy_duration=600, started_at=START)
    east, west = Direct(fsx, EAST), Direct(fsx, WEST)
    clients = (FsxCopyClient(transport=one, clock=clock) for one in (east, west))
    return await _four_days(Regions(fsx, clock, *clients)), east, west


async def test_pruning_must_be_asked_for(history: History) -> None:
    """Without it, copies that the policy no longer keeps are only planned."""
    assert history.made[:2] == [
        one.copy.backup_id for one in (await history.plan(KEEP_TWO)).to_prune
    ]
    assert [] == await history.sync(KEEP_TWO)
    assert history.made == history.held


async def test_copies_that_are_no_longer_kept_are_pruned(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    """They are deleted, a log record names each, and then there is nothing to do."""
    caplog.set_level(logging.INFO, "fsxcopy_sdk.replication")

    assert [Pruned, Pruned] == await history.sync(KEEP_TWO, prune=True)
    assert history.made[2:] == history.held
    assert [
        f"{one}: Pruned, not among the newest 2" for one in history.made[:2]
    ] == caplog.messages
    assert history.made[0] == caplog.records[0].backup_id  # type: ignore[attr-defined]  # an extra
    assert not (await history.plan(KEEP_TWO)).has_work


async def test_pruning_comes_last(history: History) -> None:
    """Nothing is deleted before all copies are over."""
    history.back_up()
    assert [Copied, Pruned, Pruned] == await history.sync(KEEP_TWO, prune=True)


async def test_what_was_protected_meanwhile_stays(history: History) -> None:
    """Each copy is checked again before it is deleted, whatever the plan says."""
    tags = _tags(history.fsx.backup(WEST, history.made[0]))
    history.fsx.set_tags(history.made[0], {**tags, "fsxcopy:protected": ""})
    assert [PruneSkipped, Pruned] == _kinds(await history.prune())
    assert [history.made[0], *history.made[2:]] == history.held


async def test_what_became_the_newest_stays(history: History) -> None:
    """If the newest was deleted, the one before is the newest now."""
    history.fsx.delete_backup(history.made[3])
    assert [Pruned, PruneSkipped] == _kinds(await history.prune())
    assert history.made[1:3] == history.held


@pytest.mark.parametrize("lifecycle", ["DELETED", None])
async def test_what_is_gone_is_pruned(history: History, lifecycle: str | None) -> None:
    """A copy that another program deleted counts as pruned."""
    if lifecycle:
        history.fsx.set_lifecycle(history.made[0], lifecycle)
    else:
        await history.west.delete_backup(history.made[0])
    outcomes = await history.prune()
    assert [Pruned, Pruned] == _kinds(outcomes)
    assert 0 == history.made.index(outcomes[0].prune.copy.backup_id)  # type: ignore[union-attr]


async def test_what_another_account_does_not_show_is_not_gone(history: History) -> None:
    """Nothing of a plan of another account is there, so that nothing of it counts as pruned."""
    elsewhere = attrs.evolve(history.planned, owner_id="999999999999")
    history.fsx.delete_backup(history.made[0])
    first, second = await history.apply(elsewhere, prune=True)
    assert isinstance(first, PruneSkipped)
    assert first.is_held_back
    assert "us-west-2 shows no backup of account 999999999999" == first.reason
    assert isinstance(second, Pruned)  # it is there, and the policy does not keep it


async def test_gone_between_check_and_deletion(history: History) -> None:
    """BackupNotFound is what was wanted."""
    history.fsx.inject(Fault.error("BackupNotFound"), operation="DeleteBackup")
    assert [Pruned, Pruned] == _kinds(await history.prune())


async def test_a_copy_that_is_being_copied_is_tried_again(regions: Regions) -> None:
    """The deletion is tried again until the service lets it be, some minutes later."""
    copies = await _history(regions, 2)
    plan = await regions.plan(KEEP_ONE)
    await regions.west.copy_backup(copies[0])
    started = regions.clock.now()
    (outcome,) = await regions.apply(plan, prune=True)

    assert isinstance(outcome, Pruned)
    assert 660 <= regions.clock.now() - started <= 660 + 60
    assert 35 >= regions.fsx.calls["DeleteBackup"]


async def test_trying_again_ends(history: History) -> None:
    """What cannot be deleted for a quarter of an hour is left to the next run."""
    onward = await history.west.copy_backup(history.made[0])
    history.fsx.set_lifecycle(onward.backup.backup_id, "COPYING")
    started = history.clock.now()
    outcomes = await history.prune()
    assert [Pruned, PruneFailed] == _kinds(outcomes)
    assert isinstance(outcomes[1].error, BackupBeingCopied)
    assert 900 == pytest.approx(history.clock.now() - started, abs=1)


@pytest.mark.parametrize(
    "fault",
    [Fault.throttling(), Fault.unavailable(), Fault.reset(), Fault.truncated(), Fault.html(200)],
    ids=["throttled", "unavailable", "reset", "half an answer", "a page"],
)
@pytest.mark.parametrize("operation", ["DeleteBackup", "DescribeBackups"])
async def test_what_passes_is_survived(history: History, fault: Fault, operation: str) -> None:
    """Throttling, outages and unreadable answers cost a round, no more."""
    history.fsx.inject(fault, operation=operation, next_calls=2)
    assert [Pruned, Pruned] == _kinds(await history.prune())
    assert history.made[2:] == history.held


@pytest.mark.parametrize("after", [True, False], ids=["carried out", "not carried out"])
async def test_an_unreadable_answer_of_deletion_is_checked(history: History, after: bool) -> None:
    """A member of another type is no answer, and may be one: the next round reads the copy."""
    unreadable = Fault.raw(
        200,
        {"Content-Type": "application/x-amz-json-1.1"},
        b'{"BackupId": 7, "Lifecycle": "DELETED"}',
    )
    history.fsx.inject(unreadable, operation="DeleteBackup", next_calls=1, after=after)
    deletions = history.fsx.calls["DeleteBackup"]

    assert [Pruned, Pruned] == _kinds(await history.prune())
    assert history.made[2:] == history.held
    assert (2 if after else 3) == history.fsx.calls["DeleteBackup"] - deletions


@pytest.mark.parametrize("operation", ["DeleteBackup", "DescribeBackups"])
async def test_what_does_not_pass_is_said(history: History, operation: str) -> None:
    """A missing permission is not tried again."""
    history.fsx.inject(Fault.error("AccessDeniedException"), operation=operation, fraction=1)
    started = history.clock.now()
    outcomes = await history.prune()
    assert [PruneFailed, PruneFailed] == _kinds(outcomes)
    assert [AccessDenied, AccessDenied] == [type(one.error) for one in outcomes]
    assert (history.made, started) == (history.held, history.clock.now())


async def test_an_outage_that_does_not_end(history: History) -> None:
    """A destination that cannot be listed is not deleted from."""
    history.fsx.inject(Fault.unavailable(), fraction=1)
    outcomes = await history.prune()
    assert [PruneFailed, PruneFailed] == _kinds(outcomes)
    assert [ServiceUnavailable, ServiceUnavailable] == [type(one.error) for one in outcomes]
    assert history.made == history.held


async def test_a_source_that_was_wiped_keeps_its_copies(history: History) -> None:
    """Without an AVAILABLE original nothing is pruned, unless orphans are asked for."""
    for original in history.fsx.backups(EAST):
        history.fsx.delete_backup(str(original["BackupId"]))
    plan = await history.plan(KEEP_TWO)

    assert ([], history.made) == (await history.apply(plan, prune=True), history.held)
    assert [(PruneObstacle.NO_ORIGINAL,)] * 2 == [one.obstacles for one in plan.held_back]
    outcomes = await history.apply(plan, prune=True, prune_orphans=True)
    assert [Pruned, Pruned] == _kinds(outcomes)
    assert history.made[2:] == history.held


async def test_originals_that_vanish_after_the_plan_count(history: History) -> None:
    """The source is read again before each deletion, not only when the plan is made."""
    for original in history.fsx.backups(EAST):
        history.fsx.delete_backup(str(original["BackupId"]))
    outcomes = await history.prune()

    assert [PruneSkipped, PruneSkipped] == _kinds(outcomes)
    assert {"the source shows no AVAILABLE backup of it"} == {
        one.reason for one in outcomes if isinstance(one, PruneSkipped)
    }
    assert history.made == history.held


async def test_no_more_than_half_goes_in_one_run(history: History) -> None:
    """Of four copies the two oldest go; the third goes only with a switch of its own."""
    plan = await history.plan(KEEP_ONE)
    outcomes = await history.apply(plan, prune=True)

    assert [Pruned, Pruned] == _kinds(outcomes)
    assert history.made[2:] == history.held
    assert [(PruneObstacle.MORE_THAN_HALF,)] == [one.obstacles for one in plan.held_back]
    outcomes = await history.apply(plan, prune=True, prune_most=True)
    assert [Pruned] * 3 == _kinds(outcomes)
    assert history.made[3:] == history.held


def _forged(plan: ReplicationPlan) -> ReplicationPlan:
    """Return *plan* as if nothing that it holds back were held back."""
    free = tuple(attrs.evolve(one, obstacles=()) for one in (*plan.to_prune, *plan.held_back))
    return attrs.evolve(plan, to_prune=free, held_back=())


async def test_lost_answers_count_as_deletions(regions: Regions) -> None:
    """If the answers of deletions are lost, no more than half of the copies go all the same."""
    copies = await _history(regions, 6)
    forged = _forged(await regions.plan(KEEP_TWO))
    regions.fsx.inject(Fault.reset(), operation="DeleteBackup", fraction=1, after=True)
    await regions.apply(forged, prune=True)
    assert 4 == len(forged.to_prune)
    assert copies[3:] == regions.held


async def test_a_run_of_days_still_prunes(history: History) -> None:
    """Copies that take more than a day do not make the plan's time a wrong one."""
    history.begin_copy(OTHER_FS)
    plan = await history.plan(KEEP_TWO)
    outcomes = await history.apply(plan, prune=True, max_wait=35 * 3600)
    assert [CopyTimedOut, Pruned, Pruned] == _kinds(outcomes)
    assert history.made[2:] == history.held[:2]


async def test_a_deletion_limit_holds_over_a_run(history: History) -> None:
    """After half of a source's copies were deleted, the others are left to a later run."""
    outcomes = await history.apply(_forged(await history.plan(KEEP_ONE)), prune=True)
    assert [Pruned, Pruned, PruneSkipped] == _kinds(outcomes)
    assert history.made[2:] == history.held
    assert isinstance(outcomes[2], PruneSkipped)
    assert "more than half of its copies would go" == outcomes[2].reason


@pytest.mark.parametrize("how", ["failed", "unseen", "refused"])
async def test_a_source_whose_copies_did_not_end_is_not_pruned(history: History, how: str) -> None:
    """When newer copies do not arrive, the old ones are what a restore has."""
    other = history.back_up(OTHER_FS)
    history.back_up()
    plan = await history.plan(attrs.evolve(KEEP_TWO, newest=1))
    assert 2 == len(plan.to_prune)

    def observe(copy: CopyInProgress) -> None:
        if copy.backup and copy.request.source_backup_id != other:
            if how == "failed":
                history.fsx.fail_copy(copy.backup.backup_id, "no more room")
            elif copy.backup.backup_id in held:
                history.fsx.delete_backup(copy.backup.backup_id)
                held.discard(copy.backup.backup_id)
            else:
                held.add(copy.backup.backup_id)

    held: set[str] = set()
    if how == "refused":
        history.fsx.inject(Fault.error("BadRequest"), operation="CopyBackup", next_calls=2)
    on_seen = None if how == "refused" else observe
    outcomes = await history.apply(plan, prune=True, max_wait=3600, on_seen=on_seen)

    skipped = [one for one in outcomes if isinstance(one, PruneSkipped)]
    assert 2 == len(skipped)
    assert {"a copy of its source failed or was not seen to end in this run"} == {
        one.reason for one in skipped
    }
    assert not [one for one in outcomes if isinstance(one, Pruned)]
    assert set(history.made) <= set(history.held)


async def test_a_cut_listing_of_the_source_proves_nothing(history: History) -> None:
    """A copy whose backup exists, though the listing left it out, is not pruned."""
    whole = attrs.evolve(KEEP_ONE, newest=None)
    history.fsx.inject(Fault.cut_listing(keep=1), operation="DescribeBackups", fraction=1)
    plan = await history.plan(whole)
    assert not plan.to_prune  # the destination is cut as well
    history.fsx.clear_faults()
    real = await history.plan(whole)
    forged = attrs.evolve(
        real,
        up_to_date=(),
        to_prune=tuple(
            PlannedPrune(
                source_id=FS,
                source_backup_id=one.backup.backup_id,
                copy=one.copy,
                recovery_point=one.backup.creation_time,
                reason="as a cut listing has it",
            )
            for one in real.up_to_date[1:]
        ),
    )
    outcomes = await history.apply(forged, prune=True, prune_most=True)

    assert [PruneSkipped] * 3 == _kinds(outcomes)
    assert history.made == history.held


async def test_an_empty_listing_of_the_source_makes_no_orphans(clock: ManualClock) -> None:
    """A copy whose backup exists is not pruned as an orphan, though no listing shows that."""
    history, east, _ = await _without_sockets(clock)
    east.listings_are_empty = True
    outcomes = await history.prune(source=history.east, prune_orphans=True)
    assert ["the source's listing is incomplete: its backup exists"] * 2 == [
        one.reason for one in outcomes if isinstance(one, PruneSkipped)
    ]
    assert history.made == history.held


async def test_a_copy_that_a_listing_leaves_out_is_described(history: History) -> None:
    """Before a copy is called pruned, it is asked for by its ID."""
    history.fsx.inject(Fault.empty_listing(), operation="DescribeBackups", fraction=1)
    assert [PruneSkipped, PruneSkipped] == _kinds(await history.prune())
    assert history.made == history.held


async def test_copies_that_name_no_file_system_are_found(history: History) -> None:
    """A copy that only its tags assign to a source is pruned like any other."""
    for document in history.fsx.backups(WEST):
        history.fsx.delete_backup(str(document["BackupId"]))
        history.fsx.add_backup(WEST, document, FileSystem=None)
    assert [Pruned, Pruned] == await history.sync(KEEP_TWO, prune=True)
    assert history.made[2:] == history.held


@pytest.mark.parametrize("days", [-2, 2])
async def test_a_wrong_clock_deletes_nothing(history: History, days: int) -> None:
    """Pruning by a time that is more than a day from the service's own is refused."""
    plan = await plan_replication(
        history.east, history.west, KEEP_TWO, now=history.now + timedelta(days=days)
    )
    outcomes = await history.apply(plan, prune=True)

    assert [PruneFailed, PruneFailed] == _kinds(outcomes)
    assert all(isinstance(one.error, InvalidArguments) for one in outcomes)
    assert "plan: must be made within a day of the service's time" in str(outcomes[0].error)
    assert history.made == history.held


async def test_without_the_service_s_time_the_plan_s_own_counts(clock: ManualClock) -> None:
    """A transport whose answers have no Date leaves nothing to compare with."""
    history, _, _ = await _without_sockets(clock)
    assert [Pruned, Pruned] == _kinds(await history.prune(source=history.east))
    assert history.west.service_time is None
    assert history.made[2:] == history.held


async def test_a_deletion_that_is_cancelled_is_logged(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """If a run is cancelled, the log names the copy that may be gone."""
    caplog.set_level(logging.WARNING, logger="fsxcopy_sdk.replication")
    history, _, west = await _without_sockets(clock)
    with anyio.CancelScope() as scope:

        def cancel(operation: str) -> None:
            if operation == "DeleteBackup":
                scope.cancel()

        west.refuse = cancel
        await history.prune(source=history.east)

    assert scope.cancelled_caught
    assert history.made[1:] == history.held
    assert [f"{history.made[0]}: its deletion may have been accepted"] == caplog.messages


async def test_the_time_of_a_plan_is_the_service_s_own(regions: Regions) -> None:
    """Unless a time is given, the plan has that of the answers."""
    regions.clock.advance(1000 * DAY)
    plan = await plan_replication(regions.east, regions.west, KEEP_TWO)
    assert timedelta(seconds=2) > abs(plan.made_at - regions.now)


async def test_outcomes_of_pruning_read_well(history: History) -> None:
    """Printed, an outcome is one line: the copy, what became of it, and why."""
    first, second = history.made[:2]
    history.fsx.set_tags(first, {"fsxcopy:protected": ""})
    history.fsx.inject(Fault.error("AccessDeniedException"), operation="DeleteBackup")
    skipped, failed = await history.prune()
    assert f"{first}: not pruned, by now the policy keeps it" == str(skipped)
    assert f"{second}: not pruned, {failed.error}" == str(failed)
    _, pruned = await history.prune()
    assert f"{second}: pruned, not among the newest 2" == str(pruned)


async def test_the_source_can_be_given(history: History) -> None:
    """A client of the source that is given is used, and stays open."""
    outcomes = await history.prune(source=history.east)
    assert [Pruned, Pruned] == _kinds(outcomes)
    assert history.made[2:] == history.held
    assert 4 == len([one async for one in history.east.iter_backups()])


async def test_a_source_that_cannot_be_opened_prunes_nothing(history: History) -> None:
    """If the source cannot be read, nothing is deleted."""
    plan = attrs.evolve(await history.plan(KEEP_TWO), source_region="no Region")
    outcomes = await history.apply(plan, prune=True)
    assert [PruneFailed, PruneFailed] == _kinds(outcomes)
    assert {ConfigurationError} == {type(one.error) for one in outcomes}
    assert history.made == history.held


async def test_a_policy_may_have_as_many_filters_as_a_call(regions: Regions) -> None:
    """With ten filters, a listing cannot be narrowed by one more, and pruning works."""
    filters = [BackupFilter("backup-type", "USER_INITIATED")] * 10
    policy = attrs.evolve(ALL, filters=filters, keep=Keep(last=1), newest=1)
    for _ in range(4):
        regions.back_up()
        await regions.sync(policy)
        regions.clock.advance(DAY)

    outcomes = await regions.sync(policy, prune=True)

    assert Pruned in outcomes
    assert PruneFailed not in outcomes


async def test_a_policy_may_filter_by_file_system_itself(history: History) -> None:
    """A filter of the policy stays as it is when the source is read again."""
    policy = attrs.evolve(KEEP_TWO, filters=[BackupFilter("file-system-id", [FS, OTHER_FS])])
    assert [Pruned, Pruned] == await history.sync(policy, prune=True)
    assert history.made[2:] == history.held


@pytest.mark.parametrize("seed", range(3))
async def test_weeks_of_runs(regions: Regions, seed: int) -> None:
    """Day by day, with backups that come and go, the newest copy of each file system stays."""
    draw = random.Random(seed)
    policy = attrs.evolve(POLICY, newest=2, keep=Keep(last=2, within=3 * DAY))
    sources: list[str] = []
    for _ in range(12):
        sources.append(regions.back_up(draw.choice([FS, OTHER_FS])))
        if draw.random() < 0.4:
            with contextlib.suppress(BackupNotFound, BackupBeingCopied):
                await regions.east.delete_backup(draw.choice(sources))
        before = _newest_points(regions.fsx.backups(WEST))
        kinds = await regions.sync(policy, prune=draw.random() < 0.8)
        after = _newest_points(regions.fsx.backups(WEST))
        assert {Copied, Pruned} >= set(kinds)
        assert all(after[source] >= point for source, point in before.items())
        regions.clock.advance(draw.uniform(0.3, 3) * DAY)
    await regions.sync(policy, prune=True)
    await regions.sync(policy, prune=True)

    assert not (await regions.plan(policy)).has_work
    assert {1} == set(live_copies(regions.fsx).values())


def _newest_points(documents: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Return for each file system the time that its newest copy leads back to."""
    points: dict[str, str] = {}
    for one in documents:
        tags = _tags(one)
        source = tags["fsxcopy:source"]
        points[source] = max(points.get(source, ""), tags["fsxcopy:source-time"])
    return points

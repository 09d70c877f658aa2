"""Plans that are applied without waiting, step by step, and the report after each of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import attrs
import pytest
from bulk_rig import Direct, live_copies
from replication_rig import DAY, EAST, FS, OTHER_FS, POLICY, WEST

from fsxcopy_sdk import AccessDenied, BackupFilter, ConnectionFailed, FsxCopyClient, FsxCopyError
from fsxcopy_sdk.bulk import Copied, CopyDeferred, CopyNotObserved, CopyStarted
from fsxcopy_sdk.replication import (
    AppliedPlan,
    Keep,
    Pruned,
    PruneFailed,
    PruneSkipped,
    ReplicationPlan,
    ReplicationPolicy,
    ReplicationReport,
    SourceReport,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = 3600.0
ALL = attrs.evolve(POLICY, newest=None)
KEEP_TWO = attrs.evolve(POLICY, newest=2, keep=Keep(last=2))


class Site:
    """Two Regions whose copies take an hour, and a clock that moves when it is slept on."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(auto_advance=True)
        settings = {"copy_duration": HOUR, "started_at": START, **settings}
        self.fsx = LocalFsx(clock=self.clock, **settings)
        self.direct = {region: Direct(self.fsx, region) for region in (EAST, WEST)}
        self.east, self.west = (
            FsxCopyClient(transport=one, clock=self.clock) for one in self.direct.values()
        )

    def back_up(self, file_system_id: str = FS) -> str:
        of = {"FileSystemId": file_system_id}
        return self.fsx.add_backup(EAST, FileSystem=of, SizeInBytes=1 << 40)

    async def plan(self, policy: ReplicationPolicy = ALL) -> ReplicationPlan:
        now = START + timedelta(seconds=self.clock.now())
        return await plan_replication(self.east, self.west, policy, now=now)

    async def apply(self, plan: ReplicationPlan, **options: Any) -> AppliedPlan:
        """Apply *plan* to its end, and return what became of it."""
        async with apply_plan(plan, self.west, source=self.east, **options) as applied:
            assert [one async for one in applied] == [*applied.outcomes]
        return applied

    async def step(self, policy: ReplicationPolicy = ALL, **options: Any) -> Counter[str]:
        """Plan and apply without waiting, within seconds, and count the outcomes."""
        begun = self.clock.now()
        applied = await self.apply(await self.plan(policy), wait=False, **options)
        assert self.clock.now() - begun < 60
        return Counter(type(one).__name__ for one in applied.outcomes)

    async def history(self, days: int) -> list[str]:
        """Make a backup of one file system a day and copy it, and return the copies."""
        for _ in range(days):
            self.back_up()
            await self.apply(await self.plan(POLICY))
            self.clock.advance(DAY)
        return self.held

    @property
    def held(self) -> list[str]:
        """The backups of the destination, the oldest first."""
        return [str(one["BackupId"]) for one in self.fsx.backups(WEST)]


@pytest.fixture(name="site")
def _site() -> Site:
    """Two Regions that hold nothing."""
    return Site()


def _row(report: ReplicationReport, source_id: str = FS) -> SourceReport:
    (row,) = [one for one in report.sources if one.source_id == source_id]
    return row


async def test_steps_copy_everything_once(site: Site) -> None:
    """Each step begins what there is capacity for, and the last one finds nothing to do."""
    for number in range(12):
        site.back_up((FS, OTHER_FS)[number % 2])
    counts: list[Counter[str]] = []
    while (await site.plan()).has_work:
        counts.append(await site.step())
        site.clock.advance(20 * 60)

    assert {"CopyStarted": 5, "CopyDeferred": 7} == counts[0]
    assert {"CopyStarted": 2} == counts[-1]
    assert {1} == set(live_copies(site.fsx).values())
    assert (12, 5) == (len(site.held), site.fsx.max_copies_in_progress_seen(WEST))


async def test_a_night_of_steps() -> None:
    """Steps every five minutes are done with a night's copies nearly as soon as one long run."""

    def copy_duration(source_backup_id: str) -> float:
        return HOUR * (0.25 + Random(source_backup_id).random())

    times: list[float] = []
    for is_one_run in (True, False):
        night = Site(copy_duration=copy_duration)
        for number in range(60):
            night.back_up(f"fs-{number % 4:017x}")
        begun = night.clock.now()
        if is_one_run:
            await night.apply(await night.plan())
        else:
            step = begun
            while await night.step():
                assert night.clock.now() - step < 20
                step += 300
                night.clock.advance(step - night.clock.now())
        times.append(night.clock.now() - begun)
        assert [1] * 60 == [*live_copies(night.fsx).values()]
    one_run, steps = times
    assert steps <= 1.2 * one_run
    print(f"one run {one_run / HOUR:.2f} h, steps {steps / HOUR:.2f} h")  # noqa: T201 - shown by -rP


async def test_what_a_late_plan_finds(site: Site) -> None:
    """A plan that is applied late shows its copies as the destination has them now."""
    backups = [site.back_up() for _ in range(2)]
    early = await site.plan()
    await site.apply(early, wait=False, max_in_progress=1)
    late = await site.plan()
    site.clock.advance(2 * HOUR)
    applied = await site.apply(late, wait=False)

    assert [Copied, CopyStarted] == [type(one) for one in applied.outcomes]
    assert Counter(backups) == live_copies(site.fsx)


async def test_a_source_with_unfinished_copies_is_not_pruned(site: Site) -> None:
    """Old copies are pruned by the step that finds the new one AVAILABLE."""
    copies = await site.history(4)
    site.back_up()
    site.back_up(OTHER_FS)
    plan = await site.plan(KEEP_TWO)
    applied = await site.apply(plan, wait=False, prune=True)

    skipped = [one for one in applied.outcomes if isinstance(one, PruneSkipped)]
    assert [one.copy.backup_id for one in plan.to_prune] == [
        one.prune.copy.backup_id for one in skipped
    ]
    assert {("a copy of its source is in progress or was not started", False)} == {
        (one.reason, one.is_held_back) for one in skipped
    }
    assert set(copies) <= set(site.held)

    site.clock.advance(2 * HOUR)
    assert {"Pruned": len(skipped)} == await site.step(KEEP_TWO, prune=True)


async def test_a_source_that_has_its_copies_is_pruned_beside_others(site: Site) -> None:
    """Copies of one file system that are in progress keep no copy of another one."""
    await site.history(4)
    site.back_up(OTHER_FS)
    assert {"CopyStarted": 1, "Pruned": 2} == await site.step(KEEP_TWO, prune=True)


async def test_a_deferred_copy_keeps_the_old_ones(site: Site) -> None:
    """Without capacity for the new copy, the old ones are what a restore has."""
    await site.history(4)
    for _ in range(5):
        await site.west.copy_backup(site.back_up(OTHER_FS), source_region=EAST)
    site.back_up()
    applied = await site.apply(await site.plan(KEEP_TWO), wait=False, prune=True)
    mine = [one for one in applied.outcomes if not isinstance(one, CopyStarted)]
    assert CopyDeferred in map(type, mine)
    assert not [one for one in mine if isinstance(one, Pruned)]


async def test_losing_access_holds_back_prunes(site: Site) -> None:
    """If the destination cannot be listed, nothing is begun, and nothing is pruned for sure."""
    copies = await site.history(4)
    site.back_up()
    plan = await site.plan(KEEP_TWO)
    site.direct[WEST].refuse = lambda _: AccessDenied("no")
    applied = await site.apply(plan, wait=False, prune=True)

    deferred, *prunes = applied.outcomes
    assert isinstance(deferred, CopyDeferred)
    assert isinstance(deferred.error, AccessDenied)
    assert {("a copy of its source could not be requested in this run", True)} == {
        (one.reason, one.is_held_back) for one in prunes if isinstance(one, PruneSkipped)
    }
    assert copies == site.held


def _all_to_prune(plan: ReplicationPlan) -> dict[str, Any]:
    """Return a plan's document in which nothing is held back."""
    document: dict[str, Any] = plan.to_dict()
    beyond = [*document["ToPrune"], *document["HeldBack"]]
    for one in beyond:
        one.pop("Obstacles", None)
    return {**document, "ToPrune": beyond, "HeldBack": []}


async def _two_histories(site: Site, days: int) -> None:
    for _ in range(days):
        site.back_up()
        site.back_up(OTHER_FS)
        await site.apply(await site.plan(POLICY))
        site.clock.advance(DAY)


@pytest.mark.parametrize("is_filtered", [True, False])
@pytest.mark.parametrize("claimed", [OTHER_FS, "fs-0123456789abcdef9", "fsvol-1", ""])
async def test_a_prune_counts_for_the_source_that_it_is_of(
    site: Site, claimed: str, is_filtered: bool
) -> None:
    """Whatever a document says a copy is of, no more of a source goes than is allowed."""
    both = BackupFilter("file-system-id", (FS, OTHER_FS))
    policy = attrs.evolve(POLICY, keep=Keep(last=1), filters=(both,) if is_filtered else ())
    await _two_histories(site, 8)
    document = _all_to_prune(await site.plan(policy))
    document["ToPrune"] = [one for one in document["ToPrune"] if one["SourceId"] == FS]
    for one in document["ToPrune"][4:]:
        one["SourceId"] = claimed
    applied = await site.apply(ReplicationPlan.from_dict(document), prune=True)
    copies = Counter(one["FileSystem"]["FileSystemId"] for one in site.fsx.backups(WEST))
    assert {FS: 4, OTHER_FS: 8} == copies
    assert 4 == Counter(type(one) for one in applied.outcomes)[Pruned]


async def test_a_prune_of_another_backup_is_skipped(site: Site) -> None:
    """The plan's word on which backup a copy is of is checked too."""
    copies = await site.history(4)
    document = _all_to_prune(await site.plan(attrs.evolve(POLICY, keep=Keep(last=1))))
    for one in document["ToPrune"]:
        one["SourceBackupId"] = "backup-00000000"
    applied = await site.apply(ReplicationPlan.from_dict(document), prune=True)
    assert {"the plan names another source or backup for this copy than the service does"} == {
        one.reason for one in applied.outcomes if isinstance(one, PruneSkipped)
    }
    assert copies == site.held


@pytest.mark.parametrize("claimed", [OTHER_FS, "fs-0123456789abcdef9", ""])
@pytest.mark.parametrize("list_name", ["to_copy", "in_progress"])
async def test_an_unfinished_copy_keeps_those_of_the_source_that_it_is_of(
    site: Site, list_name: str, claimed: str
) -> None:
    """Whatever a plan says a new copy is of, the old ones stay until it is AVAILABLE."""
    policy = attrs.evolve(POLICY, keep=Keep(last=1))
    await site.history(4)
    site.back_up()
    if list_name == "in_progress":
        await site.step(policy)
    held = site.held
    plan = await site.plan(policy)
    (unfinished,) = getattr(plan, list_name)
    changes: dict[str, Any] = {list_name: (attrs.evolve(unfinished, source_id=claimed),)}
    plan = attrs.evolve(plan, **changes)
    applied = await site.apply(plan, prune=True, wait=False)
    assert [CopyStarted, *[PruneSkipped] * len(plan.to_prune)] == [
        type(one) for one in applied.outcomes
    ]
    assert set(held) <= set(site.held)


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("lifecycle", ["AVAILABLE", "FAILED", "DELETED"])
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_copy_in_progress_has_not_ended_because_a_document_says_so(
    site: Site, lifecycle: str, is_known: bool, wait: bool
) -> None:
    """What has ended, the destination shows: a document that says so opens no prune."""
    policy = attrs.evolve(POLICY, keep=Keep(last=1))
    await site.history(3)
    source = site.back_up()
    await site.step(policy)
    document: dict[str, Any] = (await site.plan(policy)).to_dict()
    copy = document["InProgress"][0]["Copy"]
    copy["Lifecycle"] = lifecycle
    if not is_known:
        copy["BackupId"] = "backup-ffffffff"
    plan = ReplicationPlan.from_dict(document)
    applied = await site.apply(plan, wait=wait, prune=True)
    outcome = applied.outcomes[0]
    assert isinstance(outcome, Copied if wait else CopyStarted)
    assert (site.held[-1], True) == (outcome.backup.backup_id, outcome.existing)
    assert 1 == live_copies(site.fsx)[source]
    kind = Pruned if wait else PruneSkipped
    assert {kind} == {type(one) for one in applied.outcomes[1:]}


async def test_a_stale_plan_ends(site: Site) -> None:
    """A copy that was in progress and is gone meanwhile is not in progress for ever."""
    site.back_up()
    await site.step()
    stale = await site.plan()
    site.clock.advance(2 * HOUR)
    await site.west.delete_backup(stale.in_progress[0].copy.backup_id)
    site.clock.advance(DAY)
    applied = await site.apply(stale, wait=False)
    assert [CopyNotObserved] == [type(one) for one in applied.outcomes]


@pytest.mark.parametrize(("wait", "seconds"), [(False, 15), (True, 900)])
async def test_a_refused_deletion_is_tried_for_a_while(
    site: Site, wait: bool, seconds: float
) -> None:
    """A deletion that is refused for now is tried again, briefly if nothing is waited for."""
    await site.history(3)
    plan = await site.plan(attrs.evolve(KEEP_TWO, newest=1))

    def refuse(operation: str) -> FsxCopyError | None:
        return AccessDenied("slow", http_status=503) if operation == "DeleteBackup" else None

    site.direct[WEST].refuse = refuse
    begun = site.clock.now()
    applied = await site.apply(plan, wait=wait, prune=True)
    assert [PruneFailed] == [type(one) for one in applied.outcomes]
    assert seconds == pytest.approx(site.clock.now() - begun)


async def test_what_is_gone_is_checked_after_a_long_round(site: Site) -> None:
    """If a round takes longer than deletions are tried, what it deleted is still checked."""
    await site.history(3)
    plan = await site.plan(attrs.evolve(KEEP_TWO, newest=1))

    def lose(operation: str) -> FsxCopyError | None:
        if operation != "DeleteBackup":
            return None
        site.clock.advance(HOUR)
        return ConnectionFailed("lost")

    site.direct[WEST].lose = lose
    applied = await site.apply(plan, prune=True)
    assert [Pruned] == [type(one) for one in applied.outcomes]


async def test_what_was_copied_just_now_is_not_late(site: Site) -> None:
    """The plan calls a new source late; the report after its copy does not."""
    site.back_up()
    site.back_up(OTHER_FS)
    plan = await site.plan()
    assert {FS, OTHER_FS} == {one.source_id for one in plan.report.late}
    applied = await site.apply(plan)

    assert () == applied.report.late
    assert [(START, 0)] * 2 == [
        (one.recovery_point, one.in_progress) for one in applied.report.sources
    ]
    # Another plan says the same.
    fresh = (await site.plan()).report
    assert [one.newest_copy for one in fresh.sources] == [
        one.newest_copy for one in applied.report.sources
    ]


async def test_the_report_follows_the_copies(site: Site) -> None:
    """Copies that are begun, in progress or over are counted as a new plan would count them."""
    site.back_up()
    await site.apply(await site.plan(), wait=False)
    for _ in range(2):
        site.back_up()
    known = await site.plan()
    assert (1, 2) == (len(known.in_progress), len(known.to_copy))
    applied = await site.apply(known, wait=False, max_in_progress=2)
    assert 2 == _row(applied.report).in_progress == _row((await site.plan()).report).in_progress

    site.clock.advance(2 * HOUR)
    applied = await site.apply(known, wait=False, max_in_progress=9)
    assert 1 == _row(applied.report).in_progress == _row((await site.plan()).report).in_progress
    assert not _row(applied.report).is_late


async def test_the_report_of_copies_that_were_not_seen_to_end(site: Site) -> None:
    """A copy that timed out is in progress still; one that failed is not."""
    site.back_up()
    site.back_up(OTHER_FS)
    plan = await site.plan()

    def fail(copy: Any) -> None:
        if copy.backup.file_system.file_system_id == OTHER_FS and copy.backup.progress_percent:
            site.fsx.fail_copy(copy.backup.backup_id, "no such key")

    applied = await site.apply(plan, max_wait=600, on_seen=fail)
    report = applied.report
    assert [1, 0] == [_row(report, one).in_progress for one in (FS, OTHER_FS)]
    assert {FS, OTHER_FS} == {one.source_id for one in report.late}


async def test_the_report_counts_as_a_new_plan_would(site: Site) -> None:
    """Failed copies and the bytes of copies are those that the next plan finds."""
    await site.history(3)
    for _ in range(2):
        site.back_up()
        site.clock.advance(HOUR)

    def fail(copy: Any) -> None:
        if copy.backup.progress_percent:
            site.fsx.fail_copy(copy.backup.backup_id, "no such key")

    failed = await site.apply(await site.plan(), on_seen=fail)
    both = await site.plan()
    assert 2 == _row(failed.report).failed == _row(both.report).failed
    one = await site.apply(attrs.evolve(both, to_copy=both.to_copy[1:]))
    newer = await site.plan()
    assert 1 == _row(one.report).failed == _row(newer.report).failed
    pruned = await site.apply(await site.plan(KEEP_TWO), prune=True)
    assert Pruned in map(type, pruned.outcomes)
    after = (await site.plan()).report
    assert (0, 0) == (_row(pruned.report).failed, _row(after).failed)
    assert 0 < _row(after).copy_bytes == _row(pruned.report).copy_bytes


async def test_the_report_before_and_after_leaving(site: Site) -> None:
    """It can be read at any time: before anything began it is the plan's own."""
    site.back_up()
    plan = await site.plan()
    applied = apply_plan(plan, site.west)
    assert plan.report == applied.report
    async with applied:
        while not any(copy.backup for copy in applied.in_progress):
            await site.clock.sleep(1)
    assert 1 == _row(applied.report).in_progress


async def test_an_older_backup_makes_no_report_worse(site: Site) -> None:
    """If an older backup is copied last, the newest copy stays what it was."""
    for _ in range(2):
        site.back_up()
        site.clock.advance(HOUR)
    await site.apply(await site.plan(POLICY))
    before = _row((await site.plan()).report)
    applied = await site.apply(await site.plan())
    assert [Copied] == [type(one) for one in applied.outcomes]
    assert before.newest_copy == _row(applied.report).newest_copy

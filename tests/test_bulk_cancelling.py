"""Many copies, cancelled at every step of the event loop: nothing is lost, nothing is double."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import anyio
import anyio.lowlevel
import attrs
import pytest
from bulk_rig import (
    WEST,
    Direct,
    Meeting,
    Traffic,
    counting_client,
    direct_client,
    driven,
    live_copies,
)

from fsxcopy_sdk import ConnectionFailed, FsxCopyClient, Throttled, WaitSchedule
from fsxcopy_sdk.bulk import BulkCopy, Copied, CopyOutcome, CopyRequest, copy_many
from fsxcopy_sdk.testing import LocalFsx, ManualClock

EVERY_TEN = WaitSchedule(min_delay=10, max_delay=10)


@attrs.define
class Run:
    """
    Five copies, one of them asked for twice, and one of a source that is not there.

    Another program's copy takes one of three slots for 35 seconds. One answer gets lost,
    one call is throttled, and one copy failed in an earlier run.
    """

    clock: ManualClock = attrs.field(factory=ManualClock)
    fsx: LocalFsx = attrs.field(init=False)
    client: FsxCopyClient = attrs.field(init=False)
    direct: Direct = attrs.field(init=False)
    traffic: Traffic = attrs.field(init=False)
    foreign: str = attrs.field(init=False)
    requests: list[CopyRequest] = attrs.field(init=False)
    steps: int = 0
    """How many rounds of the event loop the run took."""

    def __attrs_post_init__(self) -> None:
        lengths: dict[str, float] = {}
        self.fsx = LocalFsx(
            clock=self.clock, copy_duration=lengths.__getitem__, max_copies_in_progress=3
        )
        self.client, self.direct = direct_client(self.fsx, self.clock)
        self.traffic = self.direct.traffic
        for length in (35.0, 5.0, 20.0, 30.0, 10.0, 5.0):
            lengths[self.fsx.add_backup(WEST)] = length
        self.foreign, *ours = lengths
        self.requests = [CopyRequest(source_backup_id=source) for source in ours]
        self.requests.insert(2, CopyRequest(source_backup_id="backup-00000000000000000"))
        self.requests.append(self.requests[0])

    async def prepare(self) -> None:
        """Let happen what was before the run."""
        await self.client.copy_backup(self.foreign)
        request = self.requests[3]
        failed = await self.client.copy_backup(
            request.source_backup_id, client_request_token=request.token(WEST)
        )
        self.fsx.fail_copy(failed.backup.backup_id, "no")
        self.direct.lose = Meeting([ConnectionFailed("lost")])
        self.direct.refuse = Meeting([Throttled("slow down")])

    async def until(self, most: float, *, wait: bool = True) -> BulkCopy:
        """Carry the requests out, and cancel that after *most* rounds of the event loop."""
        copies = copy_many(
            self.client, self.requests, wait=wait, max_in_progress=3, schedule=EVERY_TEN
        )

        async def work() -> bool:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._count, most, scope)
                    async with copies:
                        async for _ in copies:
                            pass
                    tasks.cancel_scope.cancel()
            return True

        await driven(self.clock, self.traffic, work)
        return copies

    async def _count(self, most: float, scope: anyio.CancelScope) -> None:
        self.steps = 0
        while self.steps < most:
            self.steps += 1
            await anyio.lowlevel.checkpoint()
        scope.cancel()

    @property
    def copied(self) -> Counter[object]:
        """How many live copies of ours the service holds, by their source."""
        copies = live_copies(self.fsx)
        del copies[self.foreign]
        return copies


def _sources(requests: Iterable[CopyRequest]) -> set[object]:
    return {request.source_backup_id for request in requests}


def _check(run: Run, copies: BulkCopy) -> None:
    """Check that every request is in one place, and no copy in none."""
    outcomes: tuple[CopyOutcome, ...] = copies.outcomes
    over = [outcome.request for outcome in outcomes]
    going = [copy.request for copy in copies.in_progress]
    assert Counter(run.requests) == Counter([*over, *going, *copies.not_started])
    assert set(run.copied) <= _sources([*over, *going])
    assert {1} >= set(run.copied.values())
    known = {one["BackupId"] for one in run.fsx.backups(WEST)}
    assert {copy.backup.backup_id for copy in copies.in_progress if copy.backup} <= known


async def _whole() -> int:
    """Return the steps of a run that is not cancelled."""
    run = Run()
    await run.prepare()
    copies = await run.until(float("inf"))
    _check(run, copies)
    kinds = Counter(type(outcome).__name__ for outcome in copies.outcomes)
    assert {"Copied": 5, "CopyFailed": 1, "CopySkipped": 1} == kinds
    return run.steps


async def _cancelled_at(step: int) -> None:
    """Cancel a run at *step*, check what it leaves, and let another one complete it."""
    run = Run()
    await run.prepare()
    copies = await run.until(step)
    _check(run, copies)
    called = run.fsx.calls.copy()
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
    assert called == run.fsx.calls
    copies = await run.until(float("inf"))
    _check(run, copies)
    assert 5 == sum(isinstance(outcome, Copied) for outcome in copies.outcomes)
    assert _sources(run.requests) - {run.requests[2].source_backup_id} == set(run.copied)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_at_every_step(backend: str) -> None:
    """Wherever it is cancelled, every copy is known, and a second run completes the first."""

    async def work() -> None:
        steps = await _whole()
        assert steps > 50
        for step in range(steps + 10):
            await _cancelled_at(step)

    anyio.run(work, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_start_cancelled_at_every_step(backend: str) -> None:
    """Without waiting, too, every copy that was begun is an outcome or in progress."""

    async def work() -> None:
        for step in range(200):
            run = Run()
            await run.prepare()
            _check(run, await run.until(step, wait=False))
            whole = run.steps < step
            _check(run, await run.until(float("inf"), wait=False))
            assert {1} == set(run.copied.values())
            if whole:
                return
        pytest.fail("it never came to its end")

    anyio.run(work, backend=backend)


@pytest.mark.parametrize("step", range(0, 500, 25))
async def test_cancelled_over_http(step: int) -> None:
    """Over HTTP a copy may be accepted whose answer was lost: it is in progress."""
    run = Run()
    await run.prepare()
    async with run.fsx, counting_client(run.fsx, run.clock) as (run.client, run.traffic):
        copies = await run.until(step)
    _check(run, copies)

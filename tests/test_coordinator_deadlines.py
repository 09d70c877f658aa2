"""Calls without an answer, on an event loop whose time jumps to the next timer."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import attrs
import pytest
import trio
from trio.testing import MockClock

from fsxcopy_sdk import (
    AccessDenied,
    Backup,
    BackupLifecycle,
    BackupNotFound,
    BackupType,
    DescribeBackupsResponse,
    FsxCopyError,
    RequestTimeout,
    Throttled,
    WaitSchedule,
    WaitTimeout,
)
from fsxcopy_sdk.testing import ManualClock
from fsxcopy_sdk.waiting import CALL_GRACE, PollCoordinator

EVERY_TEN = WaitSchedule(min_delay=10, max_delay=10)


def _about(expected: object) -> object:
    """Compare times of an event loop, on which a busy machine spends some real time too."""
    return pytest.approx(expected, abs=2)


class _Selector(selectors.SelectSelector):
    """Skip the time to the next timer where nothing else happens."""

    skipped = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, selectors._EventMask]]:
        if timeout:
            self.skipped += timeout
        return super().select(None if timeout is None else 0)


class _JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on which timers take no real time."""

    def __init__(self) -> None:
        self._jumping = _Selector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped


Run = Callable[..., Any]


@pytest.fixture(name="run", params=["asyncio", "trio"])
def _run(request: pytest.FixtureRequest) -> Run:
    """A function that runs a coroutine function on either event loop, with its arguments."""

    def run(scene: Callable[..., Awaitable[Any]], *args: object) -> Any:
        if request.param == "trio":
            # Not by anyio.run, which with anyio 4.12 and older does not end with such a clock.
            return trio.run(scene, *args, clock=MockClock(autojump_threshold=0))
        return anyio.run(scene, *args, backend_options={"loop_factory": _JumpingLoop})

    return run


class LoopClock:
    """A client's clock that shows the time of the event loop."""

    def now(self) -> float:
        return anyio.current_time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def _backup(backup_id: str, lifecycle: BackupLifecycle = BackupLifecycle.COPYING) -> Backup:
    return Backup(
        backup_id=backup_id,
        lifecycle=lifecycle,
        type=BackupType.USER_INITIATED,
        creation_time=datetime(2026, 1, 1, tzinfo=UTC),
    )


@attrs.define
class Ends:
    """How the waits of one coordinator end, and when, in the time of the event loop."""

    coordinator: PollCoordinator
    schedule: WaitSchedule = EVERY_TEN
    begun: float = attrs.field(factory=anyio.current_time)
    times: dict[str, float] = attrs.field(factory=dict)
    results: dict[str, Backup | FsxCopyError] = attrs.field(factory=dict)

    async def wait(self, name: str, max_wait: float, backup_id: str | None = None) -> None:
        try:
            async for seen in self.coordinator.watch(backup_id or name, max_wait, self.schedule):
                self.results[name] = seen
        except FsxCopyError as error:
            self.results[name] = error
        self.times[name] = anyio.current_time() - self.begun

    async def wait_for(self, lengths: Mapping[str, float]) -> None:
        """Make several waits at once."""
        async with anyio.create_task_group() as group:
            for name, length in lengths.items():
                group.start_soon(self.wait, name, length)

    def timeout(self, name: str) -> WaitTimeout:
        """Return the WaitTimeout that a wait has to have ended with."""
        result = self.results[name]
        assert isinstance(result, WaitTimeout)
        return result


@attrs.define
class Service:
    """Calls that take the given seconds each; the last number is for all later calls."""

    seconds: list[float]
    lifecycle: BackupLifecycle = BackupLifecycle.COPYING
    errors: list[FsxCopyError] = attrs.field(factory=list)
    calls: list[tuple[str, ...]] = attrs.field(factory=list)
    cancelled: int = 0

    async def describe(self, backup_ids: Sequence[str]) -> list[Backup]:
        self.calls.append(tuple(backup_ids))
        seconds = self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]
        try:
            await anyio.sleep(seconds)
        except BaseException:
            self.cancelled += 1
            raise
        if self.errors:
            raise self.errors.pop(0)
        return [_backup(one, self.lifecycle) for one in backup_ids]

    async def list_page(self, _: str | None) -> DescribeBackupsResponse:
        await anyio.sleep(self.seconds[0])
        return DescribeBackupsResponse(backups=())

    def ends(self) -> Ends:
        return Ends(PollCoordinator(self.describe, self.list_page, LoopClock(), lambda: 0.5))

    async def ends_of(
        self, lengths: Mapping[str, float], schedule: WaitSchedule = EVERY_TEN
    ) -> Ends:
        """Return how waits of these lengths end that begin together."""
        ends = self.ends()
        ends.schedule = schedule
        await ends.wait_for(lengths)
        return ends


NEVER = 1e6


def test_a_silent_call_ends_with_its_wait(run: Run) -> None:
    """Ten seconds after the deadline the call is cancelled, and the error says why."""
    service = Service([NEVER])
    ends = run(service.ends_of, {"one": 30})

    error = ends.timeout("one")
    assert _about(30 + CALL_GRACE) == ends.times["one"] == error.elapsed
    assert (30, 1, None) == (error.max_wait, error.polls, error.last_backup)
    assert isinstance(error.__cause__, RequestTimeout)
    assert "10 s after the deadline" in str(error)
    assert 1 == service.cancelled


def test_a_timeout_keeps_what_was_seen_before(run: Run) -> None:
    """The error has the last observation and the last failure before the silent call."""
    throttled = Throttled("slow down")
    service = Service([0.1, 0.1, NEVER])

    async def scene() -> None:
        ends = service.ends()
        async with anyio.create_task_group() as group:
            group.start_soon(ends.wait, "one", 60)
            await anyio.sleep(5)
            service.errors = [throttled]
        error = ends.timeout("one")
        assert _about(70) == ends.times["one"]
        assert 3 == error.polls
        assert error.last_backup == _backup("one")
        assert error.__cause__
        assert throttled is error.__cause__.__cause__

    run(scene)


def test_each_wait_leaves_a_silent_call_at_its_own_deadline(run: Run) -> None:
    """The call continues for those with time left, and is cancelled once, with the last."""
    service = Service([NEVER])
    lengths = {"short": 5.0, "middle": 20.0, "long": 60.0, "as long": 60.0}
    ends = run(service.ends_of, lengths)
    assert _about({one: end + CALL_GRACE for one, end in lengths.items()}) == ends.times
    assert [ends.timeout(one).max_wait for one in lengths] == list(lengths.values())
    assert [4] == [len(call) for call in service.calls]
    assert 1 == service.cancelled


def test_a_slow_call_answers_those_that_stayed(run: Run) -> None:
    """A wait that leaves a call does not affect the others, whichever wait made the call."""
    service = Service([40.0], lifecycle=BackupLifecycle.AVAILABLE)
    ends = run(service.ends_of, {"short": 5, "long": 60})
    assert isinstance(ends.results["short"], WaitTimeout)
    assert isinstance(ends.results["long"], Backup)
    assert _about({"short": 15.0, "long": 40.0}) == ends.times
    assert 1 == len(service.calls)


def test_an_answer_shortly_after_the_deadline_counts(run: Run) -> None:
    """The last poll is made on the deadline, and its answer comes later."""
    service = Service([9.0], lifecycle=BackupLifecycle.AVAILABLE)
    ends = run(service.ends_of, {"one": 0})
    assert isinstance(ends.results["one"], Backup)


@pytest.mark.parametrize(
    ("length", "expected_end", "expected_calls"), [(10.0, 25.0, 1), (95.0, 110.0, 2)]
)
def test_a_wait_that_joins_a_silent_call(
    run: Run, length: float, expected_end: float, expected_calls: int
) -> None:
    """A second wait for the backup of a call in progress leaves it in time, or polls again."""
    service = Service([NEVER])

    async def scene() -> None:
        ends = service.ends()
        async with anyio.create_task_group() as group:
            group.start_soon(ends.wait, "first", 40, "one")
            await anyio.sleep(5)
            group.start_soon(ends.wait, "second", length, "one")
        assert _about({"first": 50.0, "second": expected_end}) == ends.times

    run(scene)
    assert expected_calls == len(service.calls)


def test_a_wait_that_is_cancelled_before_its_call_leaves_it_to_the_others(run: Run) -> None:
    """The call is made even if the wait that was chosen to make it is cancelled."""

    async def scene(step: int) -> None:
        service = Service([1.0], lifecycle=BackupLifecycle.AVAILABLE)
        ends = service.ends()
        async with anyio.create_task_group() as group:
            group.start_soon(ends.wait, "short", 30)
            async with anyio.create_task_group() as cancelled:
                cancelled.start_soon(ends.wait, "long", 60)
                for _ in range(step):
                    await anyio.lowlevel.checkpoint()
                cancelled.cancel_scope.cancel()
        assert isinstance(ends.results["short"], Backup)
        assert ends.times["short"] < 10

    for step in range(12):
        run(scene, step)


def test_a_listing_without_end_ends_with_its_waits(run: Run) -> None:
    """A listing for unknown ids is cancelled like any other call."""
    service = Service([1.0, NEVER], errors=[BackupNotFound("one of them is unknown")])
    ends = run(service.ends_of, dict.fromkeys(map(str, range(20)), 30))
    assert _about(dict.fromkeys(map(str, range(20)), 40.0)) == ends.times
    assert {WaitTimeout} == {type(one) for one in ends.results.values()}
    assert 1 == len(service.calls)


def test_a_clock_that_runs_ahead_cancels_no_healthy_call(run: Run) -> None:
    """Hours of a test's clock may pass during a call of nine seconds."""
    clock = ManualClock()

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        clock.advance(10 * 3600)
        await anyio.sleep(9)
        return [_backup(one, BackupLifecycle.AVAILABLE) for one in backup_ids]

    async def list_page(_: str | None) -> DescribeBackupsResponse:
        return DescribeBackupsResponse(backups=())

    async def scene() -> None:
        ends = Ends(PollCoordinator(describe, list_page, clock, lambda: 0.5))
        await ends.wait("one", 60)
        assert isinstance(ends.results["one"], Backup)

    run(scene)


def test_a_wait_that_the_rate_holds_back_is_not_in_a_call(run: Run) -> None:
    """Its time is the client's again, however long the event loop runs meanwhile."""
    clock = ManualClock()

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if len(backup_ids) > 1:
            raise BackupNotFound("one of them is unknown")
        return [_backup(one, BackupLifecycle.AVAILABLE) for one in backup_ids]

    async def list_page(_: str | None) -> DescribeBackupsResponse:
        raise AccessDenied("no")

    async def scene() -> None:
        ends = Ends(PollCoordinator(describe, list_page, clock, lambda: 0.5))
        async with anyio.create_task_group() as group:
            group.start_soon(ends.wait_for, dict.fromkeys(map(str, range(20)), 60))
            await anyio.sleep(1000)
            assert len(ends.times) < 20
            for _ in range(20):
                clock.advance(1)
                await anyio.sleep(1)
        assert {Backup} == {type(one) for one in ends.results.values()}

    run(scene)


def test_a_grace_as_long_as_the_wait_includes_a_late_last_answer(run: Run) -> None:
    """A backup that stays unknown ends in a timeout, though the last answer comes later."""
    service = Service([0.0, 5.0])
    service.errors = [BackupNotFound("not yet") for _ in range(9)]
    schedule = WaitSchedule(min_delay=10, max_delay=10, not_found_grace=21)
    ends = run(service.ends_of, {"one": 21}, schedule)
    assert isinstance(ends.timeout("one").__cause__, BackupNotFound)

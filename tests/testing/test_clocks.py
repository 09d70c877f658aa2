"""ManualClock and ScaledClock."""

import math
import threading
import time
from collections.abc import Callable

import anyio
import pytest
import trio
from trio.testing import MockClock

from fsxcopy_sdk.testing import ClockStalled, ManualClock, ScaledClock


def on_either_loop(scene: Callable) -> Callable:
    """Make an async function a test, under each event loop that anyio knows."""

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test(backend) -> None:
        anyio.run(scene, backend=backend)

    test.__doc__ = scene.__doc__
    return test


def test_start() -> None:
    """A manual clock starts at the given time."""
    assert 12.5 == ManualClock(12.5).now()


@pytest.mark.parametrize("start", [math.nan, math.inf, "0", None, True])
def test_refuses_infinite_start(start) -> None:
    """A start that is not finite is refused by name."""
    with pytest.raises(ValueError, match="start must be a finite number"):
        ManualClock(start)


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, "1", None])
def test_never_goes_back(seconds) -> None:
    """A move that is negative or not finite is refused by name."""
    with pytest.raises(ValueError, match="seconds must be a finite number"):
        ManualClock().advance(seconds)


@on_either_loop
async def test_sleeper_wakes_when_advanced() -> None:
    """A sleeper wakes when the clock passes its time, not before."""
    clock = ManualClock()
    seen = []

    async def sleep() -> None:
        await clock.sleep(10)
        seen.append(clock.now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleep)
        await clock.until_sleeping()
        clock.advance(9)
        await anyio.wait_all_tasks_blocked()
        seen.append("not yet")
        clock.advance(1)
    assert ["not yet", 10.0] == seen


@on_either_loop
async def test_sleeping_for_nothing_returns() -> None:
    """Zero or fewer seconds need no advance."""
    clock = ManualClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert 0.0 == clock.now()


@on_either_loop
async def test_counts_sleepers() -> None:
    """`sleeping` counts, and `until_sleeping` waits for, several tasks."""
    clock = ManualClock()
    async with anyio.create_task_group() as tasks:
        for seconds in (1, 2, 3):
            tasks.start_soon(clock.sleep, seconds)
        await clock.until_sleeping(3)
        counts = [clock.sleeping]
        clock.advance(2)
        counts.append(clock.sleeping)
        clock.advance(1)
    assert [3, 1] == counts


@on_either_loop
async def test_until_sleeping_serves_many() -> None:
    """Several tasks may wait for sleepers at once."""
    clock = ManualClock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.until_sleeping)
        tasks.start_soon(clock.until_sleeping)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(clock.sleep, 1)
        await anyio.wait_all_tasks_blocked()
        clock.advance(1)
    assert 0 == clock.sleeping


@on_either_loop
async def test_cancelled_sleeper_is_forgotten() -> None:
    """A cancelled sleep is removed, the others continue."""
    clock = ManualClock()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, 3)
        await clock.until_sleeping()
        with anyio.move_on_after(0):
            await clock.sleep(1)
        left = clock.sleeping
        clock.advance(3)
    assert 1 == left


@on_either_loop
async def test_auto_advance_takes_no_time() -> None:
    """Sleeping moves an auto-advancing clock to the wake-up time at once."""
    clock = ManualClock(100, auto_advance=True)
    await clock.sleep(3600)
    assert 3700.0 == clock.now()


@on_either_loop
async def test_auto_advance_wakes_the_earliest_first() -> None:
    """Several sleepers wake in the order of time, each at its own."""
    clock = ManualClock(auto_advance=True)
    woken = []

    async def sleep(seconds) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.now()))

    async with anyio.create_task_group() as tasks:
        for seconds in (30, 10, 20):
            tasks.start_soon(sleep, seconds)
    assert [(10, 10.0), (20, 20.0), (30, 30.0)] == woken


@on_either_loop
async def test_a_held_clock_stands_still() -> None:
    """Nobody wakes while it is held, once or several times, but by `advance`."""
    clock = ManualClock(auto_advance=True)
    async with anyio.create_task_group() as tasks:
        with clock.hold():
            with clock.hold():
                tasks.start_soon(clock.sleep, 10)
                tasks.start_soon(clock.sleep, 20)
                await anyio.wait_all_tasks_blocked()
            await anyio.wait_all_tasks_blocked()
            held = [clock.now(), clock.sleeping]
            clock.advance(15)
            await anyio.wait_all_tasks_blocked()
            held += [clock.now(), clock.sleeping]
    assert [0.0, 2, 15.0, 1] == held
    assert 20.0 == clock.now()


@on_either_loop
async def test_an_error_ends_a_hold() -> None:
    """A block that raises holds the clock no longer."""
    clock = ManualClock(auto_advance=True)
    with pytest.raises(ZeroDivisionError), clock.hold():
        _ = 1 / 0
    await clock.sleep(10)
    assert 10.0 == clock.now()


@on_either_loop
async def test_a_lift_is_for_one_hold_before_it() -> None:
    """It lets the clock advance past one call, not past two, and not past a later one."""
    clock = ManualClock(auto_advance=True)

    async def now() -> float:
        await anyio.wait_all_tasks_blocked()
        return clock.now()

    seen = []
    async with anyio.create_task_group() as tasks:
        for seconds in (10, 20, 30):
            tasks.start_soon(clock.sleep, seconds)
        with clock.hold(), clock.hold(), clock.lift_hold():
            seen.append(await now())
            with clock.lift_hold():
                await clock.sleep(5)
                with clock.hold():
                    seen.append(await now())
    assert [0.0, 5.0] == seen
    assert 30.0 == clock.now()


def test_a_hold_ends_where_nothing_happens() -> None:
    """A sleeper that waits for a held clock ten seconds of its event loop moves it."""
    clock = ManualClock(auto_advance=True)

    async def scene() -> float:
        begun_at = anyio.current_time()
        with clock.hold():
            await clock.sleep(3600)
        return anyio.current_time() - begun_at

    assert 10 == pytest.approx(trio.run(scene, clock=MockClock(autojump_threshold=0)))
    assert 3600.0 == clock.now()


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, "1", True])
def test_refuses_other_stall_timeouts(seconds) -> None:
    """A stall_timeout that is no time is refused by name."""
    with pytest.raises(ValueError, match="stall_timeout must be a finite number of seconds"):
        ManualClock(stall_timeout=seconds)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (lambda clock: clock.sleep(10), "sleep until 10: the clock stands still at 3. Call its"),
        (lambda clock: clock.until_sleeping(2), r"until_sleeping\(2\): the clock stands still at"),
    ],
    ids=["sleep", "until_sleeping"],
)
def test_a_wait_for_a_clock_that_stands_still(wait: Callable, words: str) -> None:
    """It ends with an error after *stall_timeout*, counted from the last move."""

    async def scene() -> None:
        clock = ManualClock(stall_timeout=5)
        begun = trio.current_time()

        async def move() -> None:
            for _ in range(3):
                await anyio.sleep(4)
                clock.advance(1)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(move)
            with pytest.raises(ClockStalled, match=words):
                await wait(clock)
        assert 0 == clock.sleeping
        assert 17 <= trio.current_time() - begun <= 18

    trio.run(scene, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("auto_advance", [True, False])
def test_a_clock_that_moves_does_not_stall(*, auto_advance: bool) -> None:
    """Waits last as long as the clock moves, also one that waits for several tasks."""

    async def scene() -> None:
        clock = ManualClock(auto_advance=auto_advance, stall_timeout=5)
        woken = []

        async def sleep(seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(clock.now())

        async with anyio.create_task_group() as tasks:
            for seconds in (60, 40):
                tasks.start_soon(sleep, seconds)
            await clock.until_sleeping(2)
            while len(woken) < 2:
                await anyio.sleep(4)
                clock.advance(1)
        assert 2 == len(woken)

    trio.run(scene, clock=MockClock(autojump_threshold=0))


def test_sleepers_of_several_threads() -> None:
    """Tasks of several event loops wake each other, in the order of time."""
    clock = ManualClock(auto_advance=True)
    woken = []

    async def scene(first: int) -> None:
        async with anyio.create_task_group() as tasks:
            for seconds in (first, first + 2):
                tasks.start_soon(sleep, seconds)

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.now()))

    def run(first: int, backend: str) -> None:
        anyio.run(scene, first, backend=backend)

    threads = [threading.Thread(target=run, args=args) for args in ((1, "asyncio"), (2, "trio"))]
    with clock.hold():
        for thread in threads:
            thread.start()
        anyio.run(clock.until_sleeping, 4)
    for thread in threads:
        thread.join(timeout=20)

    assert [1, 2, 3, 4] == sorted(seconds for seconds, _ in woken)
    assert all(seconds <= now for seconds, now in woken)


def test_scaled_clock_runs_faster() -> None:
    """A clock of speed 1000 shows at least a thousand times the real seconds."""
    clock = ScaledClock(1000)
    begun_at = time.monotonic()
    first = clock.now()
    while time.monotonic() == begun_at:
        pass
    assert clock.now() > first
    assert first < 1000


@on_either_loop
async def test_scaled_clock_sleeps_less() -> None:
    """An hour of a clock of speed a million takes milliseconds."""
    clock = ScaledClock(1e6)
    begun_at = clock.now()
    with anyio.fail_after(5):
        await clock.sleep(3600)
    assert clock.now() - begun_at >= 3600


@pytest.mark.parametrize("speed", [0, -1, math.nan, math.inf, "2", None])
def test_scaled_clock_refuses_other_speeds(speed) -> None:
    """A speed that is not a finite number above zero is refused by name."""
    with pytest.raises(ValueError, match="speed must be a finite number above zero"):
        ScaledClock(speed)


async def test_next_wake_up_is_the_earliest() -> None:
    """`next_wake_up` is the earliest wake-up time, None without sleeping tasks."""
    clock = ManualClock(start=5.0)
    assert clock.next_wake_up is None

    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 30.0)
        group.start_soon(clock.sleep, 20.0)
        await clock.until_sleeping(2)
        assert 25.0 == clock.next_wake_up
        clock.advance(30.0)

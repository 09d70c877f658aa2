"""
What waiting costs: simulated copies by strategy, and many real waits on one client.

Run ``python -m benchmarks.waits`` where fsxcopy_sdk is installed with its extra
`testing`; it takes some minutes. The first table is arithmetic on a virtual clock. The
others are the client against a local FSx on one manual clock, over HTTP, so that hours
pass in seconds. All are seeded.
"""

from __future__ import annotations

import asyncio
import gc
import math
import random
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import attrs
from aiobotocore.session import AioSession

from fsxcopy_sdk import Backup, BackupLifecycle, BackupType, DescribeBackupsResponse, FsxCopyClient
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk.testing import LocalFsx, ManualClock, ProgressShape
from fsxcopy_sdk.testing._lifecycle import percent_at
from fsxcopy_sdk.waiting import (
    DEFAULT_MAX_WAIT,
    DEFAULT_SCHEDULE,
    PollCoordinator,
    ProgressHistory,
)

SEED = 20261123
COPIES = 3000
MEDIAN, SIGMA = 30 * 60.0, 1.0
SHORTEST, LONGEST = 60.0, 8 * 3600.0

# Rounds of the event loop after which a wait that got an answer sleeps again.
_STEPS = 20


def log_normal(count: int) -> list[float]:
    """Return random durations in seconds, between the shortest and the longest."""
    source = random.Random(SEED)
    drawn: list[float] = []
    while len(drawn) < count:
        duration = source.lognormvariate(math.log(MEDIAN), SIGMA)
        if SHORTEST <= duration <= LONGEST:
            drawn.append(duration)
    return drawn


def even(count: int) -> list[float]:
    """Return random durations in seconds, evenly from 20 to 40 minutes."""
    source = random.Random(SEED)
    return [source.uniform(20 * 60.0, 40 * 60.0) for _ in range(count)]


# The seconds to sleep after some polls, at some time, with some progress.
Strategy = Callable[[int, float, ProgressHistory, random.Random], float | None]


def fixed(*_: object) -> float:
    """Wait 30 s each time, as a custom botocore waiter does."""
    return 30.0


def smithy(polls: int, _: float, __: ProgressHistory, source: random.Random) -> float | None:
    """Wait 5 to 120 s, growing and with full jitter, as the Smithy specification has it."""
    shortest, longest = DEFAULT_SCHEDULE.min_delay, DEFAULT_SCHEDULE.max_delay
    grown = shortest * 2.0 ** min(polls - 1, 99)
    return source.uniform(shortest, min(longest, grown))


def ours(
    polls: int, elapsed: float, progress: ProgressHistory, source: random.Random
) -> float | None:
    """Wait as `WaitSchedule` does, which learns from progress."""
    return DEFAULT_SCHEDULE.delay(polls, math.inf, source.random, progress, elapsed)


@attrs.frozen
class Cost:
    """What a strategy costs per copy, on average."""

    calls: float
    lag: float
    lag_95: float

    @property
    def merit(self) -> float:
        """Calls times lag: less is better."""
        return self.calls * self.lag


def simulate(strategy: Strategy, shape: ProgressShape, lengths: Sequence[float]) -> Cost:
    """Simulate waits for copies that take *lengths*, in seconds, one by one."""
    source = random.Random(SEED)
    calls, lags = 0, []
    for length in lengths:
        elapsed, polls, progress = 0.0, 1, ProgressHistory()
        while elapsed < length:
            progress.add(elapsed, percent_at(shape, elapsed / length))
            # None would mean that the deadline has come, and there is no deadline.
            elapsed += strategy(polls, elapsed, progress, source) or math.nan
            polls += 1
        calls += polls
        lags.append(elapsed - length)
    lags.sort()
    count = len(lengths)
    return Cost(calls / count, sum(lags) / count, lags[int(0.95 * count)])


def print_strategies() -> None:
    """Print calls, lag and merit of every strategy on every shape of progress."""
    lengths = log_normal(COPIES)
    print("| progress | strategy | calls | mean lag s | 95 % lag s | calls x lag | vs fixed |")
    print("|---|---|---|---|---|---|---|")
    for shape in ProgressShape:
        base = simulate(fixed, shape, lengths)
        for strategy in (fixed, smithy, ours):
            cost = simulate(strategy, shape, lengths)
            print(
                f"| {shape} | {strategy.__name__} | {cost.calls:.1f} | {cost.lag:.2f} "
                f"| {cost.lag_95:.1f} | {cost.merit:.0f} | {base.merit / cost.merit:.2f} |"
            )


async def drive(
    clock: ManualClock,
    calls_in_progress: list[str],
    is_over: Callable[[], bool],
    until: float = math.inf,
) -> None:
    """Move the clock from wake-up to wake-up, never during a call."""
    while not is_over() and clock.now() < until:
        for _ in range(_STEPS):
            await asyncio.sleep(0)
        if not calls_in_progress and clock.next_wake_up is not None:
            clock.advance(max(0.0, clock.next_wake_up - clock.now()))


@attrs.frozen
class Copies:
    """Copies in progress at a local FSx, and the client that waits for them."""

    fsx: LocalFsx
    clock: ManualClock
    client: FsxCopyClient
    calls_in_progress: list[str]
    lengths: dict[str, float]
    """Seconds, by the id of the copy."""


def tracked_calls(session: AioSession) -> list[str]:
    """Return a list that holds an entry for each call of *session* that is in progress."""
    calls: list[str] = []

    def begin(**_: object) -> None:
        calls.append("call")

    def end(**_: object) -> None:
        calls.pop()

    session.register("before-call.fsx", begin)
    session.register("after-call.fsx", end)
    session.register("after-call-error.fsx", end)
    return calls


@asynccontextmanager
async def copies_in_progress(lengths: Sequence[float]) -> AsyncIterator[Copies]:
    """Begin copies that take *lengths*, in seconds."""
    clock = ManualClock()
    session = isolated_session("AKIDEXAMPLE", "secret")
    calls = tracked_calls(session)
    by_source: dict[str, float] = {}
    async with LocalFsx(
        clock=clock, copy_duration=by_source.__getitem__, max_copies_in_progress=len(lengths)
    ) as fsx:
        by_source.update((fsx.add_backup("us-west-2"), length) for length in lengths)
        async with FsxCopyClient(
            "us-west-2",
            session=session,
            endpoint_url=fsx.endpoint_url,
            config=direct_config(),
            clock=clock,
        ) as client:
            by_copy = {
                (await client.copy_backup(source)).backup.backup_id: length
                for source, length in by_source.items()
            }
            yield Copies(fsx, clock, client, calls, by_copy)


async def waits_to_the_end(lengths: Sequence[float]) -> tuple[int, int, float, float]:
    """Return the calls, the polls, the mean lag and the CPU seconds of all waits together."""
    polls, lag = 0, 0.0
    async with copies_in_progress(lengths) as copies:

        async def wait(backup_id: str, length: float) -> None:
            nonlocal polls, lag
            async for _ in copies.client.watch_backup(backup_id):
                polls += 1
            lag += copies.clock.now() - length

        begun = time.process_time()
        waits = asyncio.gather(*(wait(*copy) for copy in copies.lengths.items()))
        await drive(copies.clock, copies.calls_in_progress, waits.done)
        await waits
        cpu = time.process_time() - begun
        return copies.fsx.calls["DescribeBackups"], polls, lag / len(lengths), cpu


def print_shared_calls() -> None:
    """Print what many waits on one client cost, beside as many separate ones."""
    print("| waits | ends | calls | separate waits | ratio | mean lag s | CPU us per poll |")
    print("|---|---|---|---|---|---|---|")
    for count, draw in ((1000, even), (10_000, even), (1000, log_normal), (10_000, log_normal)):
        lengths = draw(count)
        calls, polls, lag, cpu = asyncio.run(waits_to_the_end(lengths))
        separate = simulate(ours, ProgressShape.LINEAR, lengths).calls * count
        print(
            f"| {count} | {draw.__name__} | {calls} | {separate:.0f} | {separate / calls:.1f} "
            f"| {lag:.2f} | {cpu / polls * 1e6:.0f} |"
        )


async def memory_of_waits(count: int) -> float:
    """
    Return the bytes of one wait of many after half an hour, without its last `Backup`.

    There is no server, whose memory would count too, and all backups are made before, so
    only what the waits hold is counted.
    """
    clock = ManualClock()
    seen = {
        f"backup-{number:08x}": [_backup(f"backup-{number:08x}", percent) for percent in range(20)]
        for number in range(count)
    }

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        return [seen[one][int(clock.now() / 100)] for one in backup_ids]

    async def list_page(_: str | None) -> DescribeBackupsResponse:
        return DescribeBackupsResponse(backups=())

    coordinator = PollCoordinator(describe, list_page, clock, random.Random(SEED).random)

    async def wait(backup_id: str) -> None:
        max_wait = DEFAULT_MAX_WAIT.total_seconds()
        async for _ in coordinator.watch(backup_id, max_wait, DEFAULT_SCHEDULE):
            pass

    gc.collect()
    tracemalloc.start()
    waits = [asyncio.ensure_future(wait(one)) for one in seen]
    await drive(clock, [], waits[0].done, until=1800.0)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    for task in waits:
        task.cancel()
    await asyncio.wait(waits)
    return held / count


def _backup(backup_id: str, percent: int) -> Backup:
    return Backup(
        backup_id=backup_id,
        lifecycle=BackupLifecycle.COPYING,
        type=BackupType.USER_INITIATED,
        creation_time=datetime(2026, 1, 1, tzinfo=UTC),
        progress_percent=percent,
    )


def print_memory() -> None:
    """Print what a wait holds in memory."""
    print("| waits | bytes per wait beyond the last Backup |")
    print("|---|---|")
    for count in (1000, 10_000):
        print(f"| {count} | {asyncio.run(memory_of_waits(count)):.0f} |")


if __name__ == "__main__":
    print_strategies()
    print()
    print_shared_calls()
    print()
    print_memory()

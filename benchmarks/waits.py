"""
What waiting costs: simulated copies by strategy, and many real waits on one client.

Run ``python benchmarks/waits.py`` where fsxcopy_sdk is installed. The first table is
arithmetic on a virtual clock; the second is the client against a local FSx whose clock
moves when it is slept on, so that hours pass in seconds. Both are seeded.
"""

from __future__ import annotations

import asyncio
import gc
import math
import random
import time
import tracemalloc
from collections.abc import Callable, Sequence

import attrs

from fsxcopy_sdk import FsxCopyClient, WaitSchedule
from fsxcopy_sdk._progress import ProgressHistory
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk.testing import HeldClock, LocalFsx, ProgressShape
from fsxcopy_sdk.testing._lifecycle import percent_at


COPIES = 3000
MEDIAN = 30 * 60.0
SIGMA = 1.0
SHORTEST, LONGEST = 60.0, 8 * 3600.0
SEED = 20261123

Strategy = Callable[[int, float, "ProgressHistory", random.Random], float]


def durations(count: int, seed: int = SEED) -> list[float]:
    """
    Draw log-normal durations in seconds, those outside the limits drawn again.
    """
    source = random.Random(seed)
    drawn: list[float] = []
    while len(drawn) < count:
        duration = source.lognormvariate(math.log(MEDIAN), SIGMA)
        if SHORTEST <= duration <= LONGEST:
            drawn.append(duration)
    return drawn


def fixed(polls: int, elapsed: float, progress: ProgressHistory, source: random.Random) -> float:
    """
    Wait 30 s each time, as a hand-made botocore waiter does.
    """
    return 30.0


SCHEDULE = WaitSchedule()


def smithy(polls: int, elapsed: float, progress: ProgressHistory, source: random.Random) -> float:
    """
    Wait 5 to 120 s, growing and with jitter, as the Smithy specification has it.
    """
    delay = SCHEDULE.delay(polls, math.inf, source.random)
    assert delay is not None
    return delay


def ours(polls: int, elapsed: float, progress: ProgressHistory, source: random.Random) -> float:
    """
    Wait as `WaitSchedule` does.
    """
    delay = SCHEDULE.delay(polls, math.inf, source.random, progress, elapsed)
    assert delay is not None
    return delay


@attrs.frozen
class Cost:
    """
    What a strategy costs for each copy, on the average.
    """

    calls: float
    lag: float
    lag_95: float

    @property
    def merit(self) -> float:
        """
        Calls times lag: the less the better.
        """
        return self.calls * self.lag


def simulate(strategy: Strategy, shape: ProgressShape, lengths: Sequence[float]) -> Cost:
    """
    Wait for copies of these *lengths* one by one.
    """
    source = random.Random(SEED)
    calls, lags = 0, []
    for length in lengths:
        elapsed, polls, progress = 0.0, 1, ProgressHistory()
        while elapsed < length:
            progress.add(elapsed, percent_at(shape, elapsed / length))
            elapsed += strategy(polls, elapsed, progress, source)
            polls += 1
        calls += polls
        lags.append(elapsed - length)
    lags.sort()
    return Cost(calls / len(lags), sum(lags) / len(lags), lags[int(0.95 * len(lags))])


def table_of_strategies() -> None:
    """
    Print calls, lag and merit of every strategy on every shape of progress.
    """
    lengths = durations(COPIES)
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


async def drive(clock: HeldClock, client: FsxCopyClient, waits: asyncio.Future[object]) -> None:
    """
    Move the clock from wake-up to wake-up, never while a call is under way.
    """
    board = client._board
    while not waits.done():
        for _ in range(4):  # whoever got an answer goes back to sleep
            await asyncio.sleep(0)
        if not board._calls and clock.next_wake_up is not None:
            clock.advance(max(0.0, clock.next_wake_up - clock.now()))


@attrs.define
class Together:
    """
    What many waits on one client cost.
    """

    calls: int = 0
    looks: int = 0
    cpu: float = 0.0
    lag: float = 0.0


async def many_waits(count: int) -> Together:
    """
    Wait for *count* copies at once on a clock that moves from look to look.
    """
    clock = HeldClock()
    lengths: dict[str, float] = {}
    cost = Together()
    async with LocalFsx(
        clock=clock, copy_duration=lengths.__getitem__, max_copies_in_progress=count
    ) as fsx:
        for length in durations(count):
            lengths[fsx.add_backup("us-west-2")] = length
        async with FsxCopyClient(
            "us-west-2",
            session=isolated_session("AKIDEXAMPLE", "secret"),
            endpoint_url=fsx.endpoint_url,
            config=direct_config(),
            clock=clock,
        ) as client:
            copies = {
                (await client.copy_backup(source)).backup.backup_id: length
                for source, length in lengths.items()
            }

            async def wait(backup_id: str, length: float) -> None:
                async for _ in client.watch_backup(backup_id):
                    cost.looks += 1
                cost.lag += clock.now() - length

            begun = time.process_time()
            waits = asyncio.gather(*(wait(*copy) for copy in copies.items()))
            await drive(clock, client, waits)
            await waits
            cost.cpu = time.process_time() - begun
        cost.calls = fsx.calls["DescribeBackups"]
    return cost


def table_of_many() -> None:
    """
    Print what 1,000 and 10,000 waits on one client cost.
    """
    print(
        "| waits | DescribeBackups | of separate waits | ratio | looks per call | mean lag s | CPU us per look |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in (1000, 10000):
        cost = asyncio.run(many_waits(count))
        separate = simulate(ours, ProgressShape.LINEAR, durations(count)).calls * count
        print(
            f"| {count} | {cost.calls} | {separate:.0f} | {separate / cost.calls:.1f} | {cost.looks / cost.calls:.1f} "
            f"| {cost.lag / count:.2f} | {cost.cpu / cost.looks * 1e6:.0f} |"
        )


if __name__ == "__main__":
    table_of_strategies()
    table_of_many()

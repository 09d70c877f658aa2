"""
What many copies cost: accounts times Regions times backups, all in one process.

Run ``python -m benchmarks.bulk`` where fsxcopy_sdk is installed; ``--accounts 20
--backups 200`` is the whole of it, 20,000 copies. Every account has a session and every
Region a client, all on one clock and against one local FSx of the same process, over HTTP:
CPU and memory are those of both sides. It is seeded, but for the jitter of waits.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import resource
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack

import attrs

from benchmarks.waits import log_normal
from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk.bulk import Copied, CopyRequest, copy_many
from fsxcopy_sdk.testing import LocalFsx, ManualClock

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2")
SLOTS = 5


def list_schedule(lengths: Iterable[float]) -> float:
    """Return the shortest time in which copies that start in this order can all be over."""
    free = [0.0] * SLOTS
    for length in lengths:
        heapq.heapreplace(free, free[0] + length)
    return max(free)


@attrs.define
class Shape:
    """How much there is to copy, and how long each copy takes."""

    accounts: int
    backups: int
    """For each account and Region."""
    lengths: dict[str, float] = attrs.field(factory=dict)
    """Seconds, by the id of the source."""

    @property
    def copies(self) -> int:
        """How many there are in all."""
        return self.accounts * len(REGIONS) * self.backups


@attrs.define
class Part:
    """The copies of one account into one Region."""

    client: FsxCopyClient
    requests: list[CopyRequest]
    bound: float
    ended: float = 0.0

    async def copy(self, fsx: LocalFsx, clock: ManualClock) -> None:
        """Carry them out."""
        async with copy_many(self.client, self.requests) as copies:
            async for outcome in copies:
                assert isinstance(outcome, Copied), outcome
                # They are counted; as a list they would be much of the memory.
                fsx.requests.clear()
        self.ended = clock.now()


async def open_parts(
    stack: AsyncExitStack, fsx: LocalFsx, clock: ManualClock, shape: Shape
) -> list[Part]:
    """Put backups there and open a client for every account and Region."""
    parts: list[Part] = []
    drawn = iter(log_normal(shape.copies))
    for account in range(shape.accounts):
        key, number = f"AKIA{account:016d}", f"{account + 1:012d}"
        fsx.add_access_key(key, account=number)
        session = isolated_session(key, "secret")
        for source, region in zip(REGIONS[1:] + REGIONS[:1], REGIONS, strict=True):
            client = FsxCopyClient(
                region,
                session=session,
                endpoint_url=fsx.endpoint_url,
                config=direct_config(),
                clock=clock,
            )
            await stack.enter_async_context(client)
            ids = [fsx.add_backup(source, account=number) for _ in range(shape.backups)]
            shape.lengths.update(zip(ids, drawn, strict=False))
            requests = [CopyRequest(source_backup_id=one, source_region=source) for one in ids]
            parts.append(Part(client, requests, list_schedule(shape.lengths[one] for one in ids)))
    return parts


async def measure(shape: Shape) -> None:
    """Carry out all copies, and print the table."""
    clock = ManualClock(auto_advance=True)
    async with (
        LocalFsx(clock=clock, copy_duration=shape.lengths.__getitem__) as fsx,
        AsyncExitStack() as stack,
    ):
        parts = await open_parts(stack, fsx, clock, shape)
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(part.copy(fsx, clock) for part in parts))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        most = max(
            fsx.max_copies_in_progress_seen(region, account=f"{account + 1:012d}")
            for account in range(shape.accounts)
            for region in REGIONS
        )
        assert most <= SLOTS, most
        assert fsx.calls["CopyBackup"] == shape.copies
    ratios = [part.ended / part.bound for part in parts]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        "| accounts x Regions x backups | copies | CopyBackup | DescribeBackups | virtual hours "
        "| makespan / bound: mean | worst | wall s | CPU ms per copy | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {shape.accounts} x {len(REGIONS)} x {shape.backups} | {shape.copies} "
        f"| {fsx.calls['CopyBackup']} | {fsx.calls['DescribeBackups']} "
        f"| {clock.now() / 3600:.1f} | {sum(ratios) / len(ratios):.4f} | {max(ratios):.4f} "
        f"| {wall:.0f} | {1000 * cpu / shape.copies:.1f} | {peak:.0f} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure many copies in one process.")
    parser.add_argument("--accounts", type=int, default=4)
    parser.add_argument("--backups", type=int, default=50, help="for each account and Region")
    given = parser.parse_args()
    asyncio.run(measure(Shape(given.accounts, given.backups)))

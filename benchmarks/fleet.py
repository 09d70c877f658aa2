"""
What a fleet costs: accounts times destinations times backups, in one process.

Run ``python -m benchmarks.fleet`` where fsxcopy_sdk is installed with its extra `testing`;
``--accounts 200 --backups 100`` is the whole of it: a quarter of an hour for the reports, and an
hour or more for the sync, a minute or less for each thousand copies.

The first table is `report_fleet`, which makes every plan, for a growing number of accounts. The
local FSx is a process of its own, and each measurement another one, so that memory and CPU are
those of the reports alone. The second is `sync_fleet` on a virtual clock, where the local FSx is
in the same process: its CPU is that of both sides.

A second machine would take half of the accounts: nothing is shared but the service, and neither
has to know of the other. Quotas are those of an account and Region, so that an account must
not be split: two syncs of it would compete for the same slots. Both would do the right thing,
because the service refuses what is too much and copies are found before they are requested, but
neither would keep the turns between its policies. CPU and memory of each machine would halve, the
time from the first copy to the last would not change: it is that of the slowest destination.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import attrs

from benchmarks.bulk import list_schedule
from benchmarks.waits import log_normal
from fsxcopy_sdk._transport import direct_config
from fsxcopy_sdk.bulk import Copied
from fsxcopy_sdk.fleet import (
    AccountClients,
    Fleet,
    FleetOutcome,
    FleetPolicy,
    PolicyDestination,
    PolicySource,
    report_fleet,
    sync_fleet,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

SOURCE = "us-east-2"
DESTINATIONS = ("eu-central-1", "eu-west-1", "us-west-2")
SLOTS = 5
NEWEST = 1_790_000_000.0
"""When the newest backups were made, in epoch seconds."""

_SPAWN = multiprocessing.get_context("spawn")


@attrs.frozen
class Shape:
    """How many accounts there are, and how many backups in each."""

    accounts: int
    backups: int

    @property
    def copies(self) -> int:
        """How many copies there are to be."""
        return self.accounts * len(DESTINATIONS) * self.backups

    @property
    def fleet(self) -> Fleet:
        """One policy for each account."""
        destinations = tuple(PolicyDestination(region=region) for region in DESTINATIONS)
        return Fleet(
            policies=[
                FleetPolicy(
                    name=f"policy-{number}",
                    source=PolicySource(region=SOURCE, profile=f"account-{number}"),
                    destination=destinations,
                    newest="all",
                )
                for number in range(self.accounts)
            ]
        )

    def fill(self, fsx: LocalFsx, *, has_copies: bool) -> dict[str, list[str]]:
        """Put the backups there, and copies of them; return the backups by account."""
        made: dict[str, list[str]] = {}
        for number in range(self.accounts):
            account = f"{number + 1:012d}"
            fsx.add_access_key(f"AKIA{number:016d}", account=account)
            made[account] = [  # of one file system, the newest first, as they are copied
                fsx.add_backup(
                    SOURCE,
                    account=account,
                    CreationTime=NEWEST - 3600.0 * age,
                    FileSystem={"FileSystemId": f"fs-{number:017x}"},
                )
                for age in range(self.backups)
            ]
            for region in DESTINATIONS if has_copies else ():
                for one in made[account]:
                    fsx.add_backup(
                        region, account=account, SourceBackupId=one, SourceBackupRegion=SOURCE
                    )
        return made


@contextmanager
def profiles(accounts: int) -> Iterator[None]:
    """Give every account a profile with keys."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config"
        file.write_text(
            "".join(
                f"[profile account-{number}]\naws_access_key_id = AKIA{number:016d}\n"
                "aws_secret_access_key = any\n"
                for number in range(accounts)
            ),
            "utf-8",
        )
        os.environ["AWS_CONFIG_FILE"] = str(file)
        yield


def serve(pipe: Connection, shape: Shape) -> None:
    """Serve a local FSx that has all copies; send its URL, then the calls of each measurement."""

    async def run() -> None:
        async with LocalFsx() as fsx:
            shape.fill(fsx, has_copies=True)
            pipe.send(fsx.endpoint_url)
            while await asyncio.to_thread(pipe.recv):
                pipe.send(dict(fsx.calls))
                fsx.calls.clear()
                fsx.requests.clear()

    asyncio.run(run())


def report(pipe: Connection, shape: Shape, url: str) -> None:
    """Make a report, and send its seconds, its CPU seconds, and the peaks of memory in MB."""

    async def run() -> None:
        connect = AccountClients(endpoint_url=url, config=direct_config())
        # What every process has, whatever the number of accounts.
        await report_fleet(Shape(1, 1).fleet, connect=connect)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send(None)
        pipe.recv()
        wall, cpu = time.perf_counter(), time.process_time()
        made = await report_fleet(shape.fleet, connect=connect)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert not made.failures, made.failures[0]
        assert len(made.reports) == shape.accounts * len(DESTINATIONS)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send((wall, cpu, before, peak))

    asyncio.run(run())


def measure_reports(shape: Shape) -> None:
    """Print the table of reports."""
    ours, its = _SPAWN.Pipe()
    server = _SPAWN.Process(target=serve, args=(its, shape))
    server.start()
    url = ours.recv()
    print(
        "| report of accounts | backups and copies read | DescribeBackups | wall s "
        "| CPU ms per backup | MB before | peak MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for part in sorted({max(1, shape.accounts // share) for share in (8, 4, 2, 1)}):
        wall, cpu, before, peak, calls = _measured(Shape(part, shape.backups), url, ours)
        # Every destination reads the source's listing and its own.
        read = part * len(DESTINATIONS) * 2 * shape.backups
        print(
            f"| {part} | {read} | {calls['DescribeBackups']} | {wall:.1f} "
            f"| {1000 * cpu / read:.2f} | {before:.0f} | {peak:.0f} |",
            flush=True,
        )
    ours.send(None)
    server.join()


def _measured(
    shape: Shape, url: str, server: Connection
) -> tuple[float, float, float, float, Mapping[str, int]]:
    ours, its = _SPAWN.Pipe()
    process = _SPAWN.Process(target=report, args=(its, shape, url))
    process.start()
    ours.recv()
    server.send("count from here")
    server.recv()
    ours.send(None)
    wall, cpu, before, peak = ours.recv()
    process.join()
    server.send("count to here")
    return wall, cpu, before, peak, server.recv()


async def measure_sync(shape: Shape) -> None:
    """Carry out all copies on a virtual clock, and print the table."""
    clock = ManualClock(auto_advance=True)
    lengths: dict[str, float] = {}
    async with LocalFsx(clock=clock, copy_duration=lengths.__getitem__) as fsx:
        drawn = iter(log_normal(shape.accounts * shape.backups))
        bounds = {}
        for account, ids in shape.fill(fsx, has_copies=False).items():
            lengths.update((one, next(drawn)) for one in ids)
            bounds[account] = list_schedule(lengths[one] for one in ids)
        connect = AccountClients(
            endpoint_url=fsx.endpoint_url, config=direct_config(), clock=clock
        )
        ended: dict[tuple[str, str], float] = {}
        wall, cpu = time.perf_counter(), time.process_time()
        async with sync_fleet(shape.fleet, connect=connect, max_accounts=shape.accounts) as synced:
            async for event in synced:
                assert isinstance(event, FleetOutcome), event
                assert isinstance(event.outcome, Copied), event
                ended[event.account, event.destination_region] = clock.now()
                fsx.requests.clear()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        for account in bounds:
            for region in DESTINATIONS:
                assert fsx.max_copies_in_progress_seen(region, account=account) <= SLOTS
        assert fsx.calls["CopyBackup"] == shape.copies
    ratios = [
        end / bounds[f"{int(account.removeprefix('account-')) + 1:012d}"]
        for (account, _), end in ended.items()
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        "\n| accounts x destinations x backups | copies | CopyBackup | DescribeBackups "
        "| virtual hours | makespan / bound: mean | worst | wall s | CPU ms per copy | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {shape.accounts} x {len(DESTINATIONS)} x {shape.backups} | {shape.copies} "
        f"| {fsx.calls['CopyBackup']} | {fsx.calls['DescribeBackups']} "
        f"| {clock.now() / 3600:.1f} | {sum(ratios) / len(ratios):.4f} | {max(ratios):.4f} "
        f"| {wall:.0f} | {1000 * cpu / shape.copies:.1f} | {peak:.0f} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure a fleet in one process.")
    parser.add_argument("--accounts", type=int, default=8)
    parser.add_argument("--backups", type=int, default=20, help="in each account")
    parser.add_argument("--only", choices=("report", "sync"), help="one of the tables")
    given = parser.parse_args()
    wanted = Shape(given.accounts, given.backups)
    with profiles(wanted.accounts):
        if given.only != "sync":
            measure_reports(wanted)
        if given.only != "report":
            asyncio.run(measure_sync(wanted))

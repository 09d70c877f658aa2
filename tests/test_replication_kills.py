"""
A sync that is killed, whenever that may be, and started again until it is done.

The service outlives the syncs: it runs in the process of the test, they in their own.
`nox -s kill` does it a hundred times, an ordinary run a tenth of that.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter

import attrs
import pytest
import replication_sync
from kill_rig import DAY, NEWEST, SPEED, add_old_copy, kill_at_some_time, troubled_fsx
from replication_sync import DESTINATION, SOURCE

from fsxcopy_sdk.testing import LocalFsx

KILLS = int(os.environ.get("FSXCOPY_TEST_KILLS", "10"))

FILE_SYSTEMS = [f"fs-{number:017x}" for number in range(8)]
KILL_AFTER = [range(1), range(1, 4), range(1, 20), range(1, 40), range(1, 40), range(1, 140)]
"""
How many of its requests a sync survives: two are its plan, the next begin copies, and one
that is not killed makes about a hundred and forty.
"""

NOTHING_TO_DO = "nothing to do"
SOMETHING_DONE = "not killed"


@attrs.frozen
class Service:
    """A local FSx with forty backups to copy, and some copies of backups that are gone."""

    fsx: LocalFsx
    selected: list[str]

    @classmethod
    def stocked(cls, seed: int) -> Service:
        """Make one that is overloaded now and then, and loses answers."""
        fsx = troubled_fsx(seed, being_copied_for=10)
        selected = []
        for name in FILE_SYSTEMS:
            for age in range(6):
                backup_id = fsx.add_backup(
                    SOURCE, CreationTime=NEWEST - age * DAY, FileSystem={"FileSystemId": name}
                )
                if age < 5:
                    selected.append(backup_id)
            for month in range(1, 4):
                add_old_copy(
                    fsx, name, month, policy="nightly", source=SOURCE, destination=DESTINATION
                )
        return cls(fsx, selected)

    def check(self) -> None:
        """Check that every selected backup has one copy, and nothing else is there."""
        copies = self.fsx.backups(DESTINATION)
        assert dict.fromkeys(self.selected, 1) == Counter(one["SourceBackupId"] for one in copies)
        assert {"AVAILABLE"} == {one["Lifecycle"] for one in copies}
        assert self.fsx.max_copies_in_progress_seen(DESTINATION) <= 5


async def _start(service: Service) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, replication_sync.__file__, service.fsx.endpoint_url, str(SPEED)),
        stdout=asyncio.subprocess.PIPE,
    )


async def _kill_at_some_time(service: Service, draw: random.Random) -> str:
    """Start a sync, kill it, and return what it was at, or how it ended before that."""
    process = await _start(service)
    output, stage = await kill_at_some_time(process, service.fsx, draw, KILL_AFTER)
    if process.returncode == -signal.SIGKILL:
        return stage
    assert not process.returncode
    return NOTHING_TO_DO if output.decode().splitlines()[1] == NOTHING_TO_DO else SOMETHING_DONE


async def _sync(service: Service) -> list[str]:
    process = await _start(service)
    output, _ = await process.communicate()
    assert not process.returncode
    return output.decode().splitlines()


async def _sync_until_done(service: Service) -> None:
    """Sync until there is nothing to do, which a sync must say, and check that it is done."""
    # The first may have copies to begin, and the second to prune what they replaced.
    for _ in range(3):
        service.fsx.calls.clear()
        lines = await _sync(service)
        if lines[1] == NOTHING_TO_DO:
            break
    assert {"DescribeBackups": 2} == service.fsx.calls
    assert f"up to date: {len(service.selected)}" == lines[2]
    service.check()


async def test_a_killed_sync_loses_nothing_and_doubles_nothing() -> None:
    """Killed at any time and started again, it makes one copy of every selected backup."""
    draw = random.Random(2026)
    ends: Counter[str] = Counter()
    services, started = 0, time.monotonic()
    while ends.total() - ends[SOMETHING_DONE] < KILLS:
        service = Service.stocked(seed=services)
        services += 1
        async with service.fsx:
            # Once something is done, the next have what it replaced to prune.
            while (end := await _kill_at_some_time(service, draw)) != NOTHING_TO_DO:
                ends[end] += 1
            await _sync_until_done(service)
    took = f"{services} times forty backups, {time.monotonic() - started:.0f} s"
    print(f"{dict(ends)}, {took}")  # noqa: T201 - shown by -rP


async def test_two_processes_at_once() -> None:
    """Two syncs of the same Regions make one copy of every selected backup."""
    service = Service.stocked(seed=1)
    async with service.fsx:
        await asyncio.gather(_sync(service), _sync(service))
        await asyncio.gather(_sync(service), _sync(service))
        await _sync_until_done(service)


async def test_there_is_something_to_prune() -> None:
    """The killed syncs have copies to prune: the service begins with some of each file system."""
    service = Service.stocked(seed=0)
    assert 3 * len(FILE_SYSTEMS) == len(service.fsx.backups(DESTINATION))
    with pytest.raises(AssertionError):
        service.check()

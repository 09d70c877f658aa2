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
from replication_sync import DESTINATION, SOURCE

from fsxcopy_sdk.testing import Fault, LocalFsx, ScaledClock

KILLS = int(os.environ.get("FSXCOPY_TEST_KILLS", "10"))

SPEED = 600.0
"""Times real time; a copy of minutes takes less than a second."""

FILE_SYSTEMS = [f"fs-{number:017x}" for number in range(8)]
LATEST = 1_790_000_000.0
"""When the newest backups were made, in epoch seconds."""

DAY = 86400.0
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
        draw = random.Random(seed)
        durations: dict[str, float] = {}
        fsx = LocalFsx(
            clock=ScaledClock(SPEED),
            copy_duration=lambda backup_id: durations.setdefault(backup_id, draw.uniform(30, 180)),
            backup_being_copied_for=10,
            seed=seed,
        )
        fsx.inject(Fault.throttling(), fraction=0.02, operation="CopyBackup")
        fsx.inject(Fault.reset(), fraction=0.02, operation="CopyBackup", after=True)
        selected = []
        for name in FILE_SYSTEMS:
            for age in range(6):
                backup_id = fsx.add_backup(
                    SOURCE, CreationTime=LATEST - age * DAY, FileSystem={"FileSystemId": name}
                )
                if age < 5:
                    selected.append(backup_id)
            for month in range(1, 4):
                _add_old_copy(fsx, name, month)
        return cls(fsx, selected)

    def check(self) -> None:
        """Check that every selected backup has one copy, and nothing else is there."""
        copies = self.fsx.backups(DESTINATION)
        assert dict.fromkeys(self.selected, 1) == Counter(one["SourceBackupId"] for one in copies)
        assert {"AVAILABLE"} == {one["Lifecycle"] for one in copies}
        assert self.fsx.max_copies_in_progress_seen(DESTINATION) <= 5


def _add_old_copy(fsx: LocalFsx, file_system_id: str, month: int) -> None:
    """Put a copy into the destination that this policy made of a backup of that month."""
    backup_id = f"backup-{month}{file_system_id.removeprefix('fs-')}"
    tags = {
        "fsxcopy:policy": "nightly",
        "fsxcopy:source": file_system_id,
        "fsxcopy:backup": backup_id,
        "fsxcopy:source-time": f"2026-{month:02}-01T00:00:00+00:00",
    }
    fsx.add_backup(
        DESTINATION,
        SourceBackupId=backup_id,
        SourceBackupRegion=SOURCE,
        FileSystem={"FileSystemId": file_system_id},
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


async def _start(service: Service) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, replication_sync.__file__, service.fsx.endpoint_url, str(SPEED)),
        stdout=asyncio.subprocess.PIPE,
    )


async def _finish(process: asyncio.subprocess.Process) -> list[str]:
    """Return the lines of a process, which must end well unless it was killed."""
    output, _ = await process.communicate()
    assert process.returncode in {0, -signal.SIGKILL}
    return output.decode().splitlines()


async def _kill_at_some_time(service: Service, draw: random.Random) -> str:
    """Start a sync, kill it, and return what it was at, or how it ended before that."""
    process = await _start(service)
    requests = draw.choice(draw.choice(KILL_AFTER))
    before = Counter(service.fsx.calls)
    while (  # noqa: ASYNC110 - the service has no event for it
        (service.fsx.calls - before).total() < requests and process.returncode is None
    ):
        await asyncio.sleep(0.001)
    await asyncio.sleep(draw.uniform(0, 0.02) if requests else draw.uniform(0, 0.5))
    if process.returncode is None:
        process.kill()
    lines = await _finish(process)
    if process.returncode:
        return _stage(service.fsx.calls - before)
    return NOTHING_TO_DO if lines[1] == NOTHING_TO_DO else SOMETHING_DONE


def _stage(calls: Counter[str]) -> str:
    for operation, stage in (("DeleteBackup", "pruning"), ("CopyBackup", "copying")):
        if calls[operation]:
            return stage
    return "planning or waiting" if calls else "starting"


async def _sync(service: Service) -> list[str]:
    return await _finish(await _start(service))


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

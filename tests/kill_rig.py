"""What tests of killed syncs share: a troubled service, what it held before, and the kill."""

from __future__ import annotations

import asyncio
import random
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import Sequence

from fsxcopy_sdk.testing import Fault, LocalFsx, ScaledClock

SPEED = 600.0
"""Times real time; a copy of minutes takes less than a second."""

NEWEST = 1_790_000_000.0
"""When the newest backups were made, in epoch seconds."""

DAY = 86400.0


def troubled_fsx(seed: int, being_copied_for: float) -> LocalFsx:
    """Return a service that is overloaded now and then, and loses answers."""
    draw = random.Random(seed)
    durations: dict[str, float] = {}
    fsx = LocalFsx(
        clock=ScaledClock(SPEED),
        copy_duration=lambda backup_id: durations.setdefault(backup_id, draw.uniform(30, 180)),
        backup_being_copied_for=being_copied_for,
        seed=seed,
    )
    fsx.inject(Fault.throttling(), fraction=0.02, operation="CopyBackup")
    fsx.inject(Fault.reset(), fraction=0.02, operation="CopyBackup", after=True)
    return fsx


def add_old_copy(
    fsx: LocalFsx,
    file_system_id: str,
    month: int,
    *,
    policy: str,
    source: str,
    destination: str,
    account: str | None = None,
) -> None:
    """Put a copy into the destination that a policy made of a backup of that month."""
    backup_id = f"backup-{month}{file_system_id.removeprefix('fs-')}"
    tags = {
        "fsxcopy:policy": policy,
        "fsxcopy:source": file_system_id,
        "fsxcopy:backup": backup_id,
        "fsxcopy:source-time": f"2026-{month:02}-01T00:00:00+00:00",
    }
    fsx.add_backup(
        destination,
        account=account,
        SourceBackupId=backup_id,
        SourceBackupRegion=source,
        FileSystem={"FileSystemId": file_system_id},
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


async def kill_at_some_time(
    process: Process, fsx: LocalFsx, draw: random.Random, kill_after: Sequence[range]
) -> tuple[bytes, str]:
    """Kill a sync that was just started, and return its output and what it was at."""
    requests = draw.choice(draw.choice(kill_after))
    before = Counter(fsx.calls)
    while (  # noqa: ASYNC110 - the service has no event for it
        (fsx.calls - before).total() < requests and process.returncode is None
    ):
        await asyncio.sleep(0.001)
    await asyncio.sleep(draw.uniform(0, 0.02) if requests else draw.uniform(0, 0.5))
    if process.returncode is None:
        process.kill()
    output, _ = await process.communicate()
    calls = fsx.calls - before
    stages = (("DeleteBackup", "pruning"), ("CopyBackup", "copying"))
    found = (stage for operation, stage in stages if calls[operation])
    return output, next(found, "planning or waiting" if calls else "starting")

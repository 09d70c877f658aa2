"""The flow of Prefect, as a process with Prefect's embedded server, which is killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from examples_rig import EXAMPLES

from fsxcopy_sdk.testing import Fault, LocalFsx

pytest.importorskip("prefect", reason="nox -s prefect installs it")

PROGRAM = EXAMPLES / "prefect_copy.py"
EAST, WEST = "us-east-2", "us-west-2"

Run = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture(name="fsx")
async def _fsx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[LocalFsx]:
    """A local FSx where a copy takes 20 seconds, and Prefect's files in a folder of the test."""
    async with LocalFsx(copy_duration=20) as fsx:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "any")
        monkeypatch.setenv("AWS_REGION", WEST)
        monkeypatch.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
        monkeypatch.setenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true")
        monkeypatch.setenv("DO_NOT_TRACK", "1")
        yield fsx


@pytest.fixture(name="run")
async def _run(fsx: LocalFsx) -> AsyncIterator[Run]:
    """Start the flow, with its server in the same group of processes, which end with the test."""
    started: list[asyncio.subprocess.Process] = []

    async def run(*backup_ids: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, PROGRAM, EAST, *backup_ids),
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def test_a_flow_resumes(fsx: LocalFsx, run: Run) -> None:
    """Five copies are in progress when it is killed; the next run follows them, and starts two."""
    sources = [fsx.add_backup(EAST) for _ in range(7)]
    killed = await run(*sources)
    while fsx.calls["CopyBackup"] < 5:  # noqa: ASYNC110 - the local FSx has no event
        await asyncio.sleep(0.05)
    _kill(killed)
    await killed.communicate()
    assert -signal.SIGKILL == killed.returncode

    process = await run(*sources)
    _, log = await process.communicate()

    assert 0 == process.returncode, log.decode()
    copies = fsx.backups(WEST)
    assert dict.fromkeys(sources, 1) == Counter(one["SourceBackupId"] for one in copies)
    assert {"AVAILABLE"} == {one["Lifecycle"] for one in copies}
    assert 7 == fsx.calls["CopyBackup"]
    found = re.findall(r"(backup-\w+): (?:has the copy|copied as) (backup-\w+)", log.decode())
    assert {(one["SourceBackupId"], one["BackupId"]) for one in copies} == set(found)
    assert f"{sources[0]}: in progress, " in log.decode()
    print(dict(fsx.calls))  # noqa: T201 - shown by -rP


async def test_what_may_pass_is_tried_again(fsx: LocalFsx, run: Run) -> None:
    """Where an accepted copy may no longer be polled, the task is tried again in ten minutes."""
    process = await run(fsx.add_backup(EAST))
    while not fsx.calls["CopyBackup"]:  # noqa: ASYNC110 - the local FSx has no event
        await asyncio.sleep(0.05)
    denied = Fault.error("AccessDeniedException", "no", status=400)
    fsx.inject(denied, fraction=1, operation="DescribeBackups")
    assert process.stderr is not None
    lines = []
    while b"Retry 1/3 will start" not in (line := await process.stderr.readline()):
        lines.append(line)
        assert line, b"".join(lines).decode()
    assert b"will start 600 second" in line


async def test_what_will_not_pass_is_not_repeated(fsx: LocalFsx, run: Run) -> None:
    """A backup that does not exist fails the flow, after the others were copied."""
    source = fsx.add_backup(EAST)
    process = await run("backup-00000000", source)
    _, log = await process.communicate()

    assert 1 == process.returncode
    assert b"1 of 2 copies failed" in log
    assert b"Retry 1/3" not in log
    (copy,) = fsx.backups(WEST)
    assert (source, "AVAILABLE") == (copy["SourceBackupId"], copy["Lifecycle"])

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

import attrs
import pytest
from examples_rig import EXAMPLES

from fsxcopy_sdk.testing import Fault, LocalFsx

pytest.importorskip("prefect", reason="nox -s prefect installs it")

PROGRAM = EXAMPLES / "prefect_copy.py"
EAST, WEST = "us-east-2", "us-west-2"


@attrs.frozen
class FlowRun:
    """A process that runs the flow, with its server in the same group, and its log."""

    process: asyncio.subprocess.Process
    path: Path

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self.path.read_text("utf-8")

    def kill(self) -> None:
        """End it at once, and its server."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Return when something has happened, which it must before the end."""
        while not happened():
            assert self.process.returncode is None, self.log
            await asyncio.sleep(0.05)


Run = Callable[..., Awaitable[FlowRun]]


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
        # A machine that is busy takes longer than Prefect allows.
        monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
        monkeypatch.setenv("DO_NOT_TRACK", "1")
        monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        yield fsx


@pytest.fixture(name="run")
async def _run(fsx: LocalFsx, tmp_path: Path) -> AsyncIterator[Run]:
    """Start flows, which end with the test."""
    started: list[FlowRun] = []

    async def run(*backup_ids: str) -> FlowRun:
        path = tmp_path / f"{len(started)}.log"
        with path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, PROGRAM, EAST, *backup_ids), stderr=log, start_new_session=True
            )
        started.append(FlowRun(process, path))
        return started[-1]

    yield run
    for one in started:
        one.kill()
        await one.process.wait()


async def test_a_flow_resumes(fsx: LocalFsx, run: Run) -> None:
    """Five copies are in progress when it is killed; the next run follows them, and starts two."""
    sources = [fsx.add_backup(EAST) for _ in range(7)]
    killed = await run(*sources)
    await killed.until(lambda: fsx.calls["CopyBackup"] == 5)
    killed.kill()
    assert -signal.SIGKILL == await killed.process.wait()

    second = await run(*sources)
    code = await second.process.wait()

    assert 0 == code, second.log
    copies = fsx.backups(WEST)
    assert dict.fromkeys(sources, 1) == Counter(one["SourceBackupId"] for one in copies)
    assert {"AVAILABLE"} == {one["Lifecycle"] for one in copies}
    assert 7 == fsx.calls["CopyBackup"]
    found = re.findall(r"(backup-\w+): (?:has the copy|copied as) (backup-\w+)", second.log)
    assert {(one["SourceBackupId"], one["BackupId"]) for one in copies} == set(found)
    print(dict(fsx.calls))  # noqa: T201 - shown by -rP


async def test_what_may_pass_is_tried_again(fsx: LocalFsx, run: Run) -> None:
    """Where an accepted copy may no longer be polled, the task is tried again in ten minutes."""
    started = await run(fsx.add_backup(EAST))
    await started.until(lambda: fsx.calls["CopyBackup"] == 1)
    denied = Fault.error("AccessDeniedException", "no", status=400)
    fsx.inject(denied, fraction=1, operation="DescribeBackups")
    await started.until(lambda: "Retry 1/3 will start 600 second" in started.log)
    assert "1 of 1 copies were not seen to end" in started.log


async def test_what_will_not_pass_is_not_repeated(fsx: LocalFsx, run: Run) -> None:
    """A backup that does not exist fails the flow, after the others were copied."""
    source = fsx.add_backup(EAST)
    started = await run("backup-00000000", source)
    code = await started.process.wait()

    assert 1 == code
    assert "1 of 2 copies failed" in started.log
    assert "Retry 1/3" not in started.log
    (copy,) = fsx.backups(WEST)
    assert (source, "AVAILABLE") == (copy["SourceBackupId"], copy["Lifecycle"])

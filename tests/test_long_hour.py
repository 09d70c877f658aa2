"""
An hour of waits and copies during which more than half of all calls fail, over HTTP.

The credentials must be renewed before each call. A fifth of the renewals fails; of the calls
that are sent, 30 % are throttled, 10 % lose their connection, half of those after they were
carried out, and 5 % get a proxy's page.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import mean, quantiles

import anyio
import attrs
import orjson
import pytest
from aiobotocore.config import AioConfig
from bulk_rig import WEST, live_copies, outcomes_of
from lenders import lending
from raw_peer import http

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.bulk import Copied, CopyDeferred, CopyOutcome, CopyRequest, copy_many
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx, ManualClock

SEED = 20261126
WAITS, COPIES, SLOTS = 500, 60, 15
LONGEST = 3600.0 - 300.0

_ATTEMPTS = 3
"""Of aiobotocore at a container's endpoint, for one renewal."""

_REFUSALS = (http(429, b"too many"), http(503, b"<html>busy</html>"), http(200, b"wait"), b"")


@attrs.define
class Hour:
    """A service whose calls fail, a client with lent credentials, and how long copies take."""

    fsx: LocalFsx
    clock: ManualClock
    client: FsxCopyClient
    durations: dict[str, float]
    """Of the copy of each source."""
    lags: list[float] = attrs.field(factory=list)

    def add_source(self, duration: float) -> str:
        """Add a backup whose copy takes *duration* seconds."""
        source = self.fsx.add_backup(EXAMPLE_REGION)
        self.durations[source] = duration
        return source

    def begin_copy(self, duration: float) -> str:
        """Begin a copy without HTTP, and return its ID."""
        source = self.add_source(duration)
        request = {
            "SourceBackupId": source,
            "SourceRegion": EXAMPLE_REGION,
            "ClientRequestToken": source,
        }
        _, body = self.fsx.call(WEST, "CopyBackup", request)
        return str(orjson.loads(body)["Backup"]["BackupId"])

    async def wait(self, backup_id: str, duration: float) -> None:
        """Wait for a copy that began when the clock did."""
        backup = await self.client.wait_until_backup_available(backup_id)
        assert backup.lifecycle.is_available
        self.lags.append(self.clock.now() - duration)


def _often_failing(lend: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return an endpoint that lends, except that a fifth of all renewals fails."""
    draw = random.Random(SEED)
    refusals: list[bytes] = []

    def answer() -> bytes:
        if not refusals and draw.random() < 0.2:
            refusals.extend([draw.choice(_REFUSALS)] * _ATTEMPTS)
        return refusals.pop() if refusals else lend()

    return answer


def _trouble(fsx: LocalFsx) -> None:
    # Each applies to the calls that those before it have left.
    fsx.inject(Fault.throttling(), fraction=0.3)
    fsx.inject(Fault.reset(), fraction=0.05 / 0.7)
    fsx.inject(Fault.reset(), fraction=0.05 / 0.65, after=True)
    fsx.inject(Fault.html(), fraction=0.05 / 0.6)


@asynccontextmanager
async def _hour(
    clock: ManualClock, config: AioConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Hour]:
    """Open a client, let it make one good call, and then let more than half of all fail."""
    durations: dict[str, float] = {}
    service = LocalFsx(
        clock=clock,
        copy_duration=durations.__getitem__,
        max_copies_in_progress=WAITS + COPIES,
        seed=SEED,
    )
    async with service as fsx, lending("container", monkeypatch, tmp_path) as lender:
        client = FsxCopyClient(
            WEST, session=lender.session, endpoint_url=fsx.endpoint_url, config=config, clock=clock
        )
        async with client:
            await client.describe_backups()
            lender.right = _often_failing(lender.right)
            _trouble(fsx)
            yield Hour(fsx, clock, client, durations)


async def _until_none_is_deferred(
    client: FsxCopyClient, requests: Sequence[CopyRequest]
) -> list[CopyOutcome]:
    """Run again what was deferred: eight failures in a row do happen."""
    ended: list[CopyOutcome] = []
    for _ in range(5):
        outcomes = await outcomes_of(copy_many(client, requests, max_in_progress=SLOTS))
        requests = [one.request for one in outcomes if isinstance(one, CopyDeferred)]
        ended += [one for one in outcomes if not isinstance(one, CopyDeferred)]
        if not requests:
            break
    return ended


async def test_an_hour_of_trouble(
    clock: ManualClock, config: AioConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All waits end AVAILABLE, not long after their copies, and no copy is made twice."""
    draw = random.Random(SEED)
    async with _hour(clock, config, monkeypatch, tmp_path) as hour:
        lengths = [draw.uniform(60.0, LONGEST) for _ in range(WAITS)]
        copies = {hour.begin_copy(length): length for length in lengths}
        requests = [
            CopyRequest(
                source_backup_id=hour.add_source(draw.uniform(60.0, 600.0)),
                source_region=EXAMPLE_REGION,
            )
            for _ in range(COPIES)
        ]

        async with anyio.create_task_group() as tasks:
            for backup_id, length in copies.items():
                tasks.start_soon(hour.wait, backup_id, length)
            outcomes = await _until_none_is_deferred(hour.client, requests)

        assert [Copied] * COPIES == [type(outcome) for outcome in outcomes]
        assert dict.fromkeys(hour.durations, 1) == live_copies(hour.fsx)
        assert WAITS == len(hour.lags)
        # Of more than half of all calls nothing comes back, and after each failure in a row the
        # next poll is later, up to two minutes.
        assert mean(hour.lags) < 180.0
        assert quantiles(hour.lags, n=20)[-1] < 600.0

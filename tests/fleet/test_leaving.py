"""A sync of a fleet that is left: what the service accepted until then is told."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from fleet_rig import add_accounts, configure, sources_of

from fsxcopy_sdk._transport import direct_config
from fsxcopy_sdk.bulk import CopyInProgress
from fsxcopy_sdk.fleet import (
    AccountClients,
    Fleet,
    FleetOutcome,
    FleetPolicy,
    PolicyDestination,
    PolicySource,
    Route,
    sync_fleet,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock


@pytest.mark.parametrize("yields", range(16))
@pytest.mark.parametrize("wait", [True, False])
async def test_each_copy_that_was_seen_is_an_outcome_or_in_progress(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, wait: bool, yields: int
) -> None:
    """However soon after its answer the block is left."""
    seen: set[str] = set()
    accepted = anyio.Event()
    async with LocalFsx(clock=clock, copy_duration=600.0) as fsx:
        configure(monkeypatch, tmp_path)
        add_accounts(fsx)
        for _ in range(4):
            fsx.add_backup("us-east-2")
        policy = FleetPolicy(
            name="one",
            source=PolicySource(region="us-east-2"),
            destination=(PolicyDestination(region="us-west-2"),),
            newest="all",
        )

        def see(_: Route, copy: CopyInProgress) -> None:
            seen.add(copy.request.source_backup_id)
            accepted.set()

        connect = AccountClients(
            endpoint_url=fsx.endpoint_url, config=direct_config(), clock=clock
        )
        synced = sync_fleet(Fleet(policies=[policy]), connect=connect, wait=wait, on_seen=see)
        async with synced:
            await accepted.wait()
            for _ in range(yields):
                await anyio.lowlevel.checkpoint()
        known = {
            one.outcome.request.source_backup_id
            for one in synced.outcomes
            if isinstance(one, FleetOutcome)
        }
        for applied in synced.applied.values():
            known |= {one.request.source_backup_id for one in applied.in_progress}
        assert seen
        assert seen <= known
        assert set(sources_of(fsx, "us-west-2")) >= seen

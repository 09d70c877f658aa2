"""A sync of two accounts of a file that are one account of AWS."""

from __future__ import annotations

import pytest
from fleet_rig import ROLE, ROLE_ACCOUNT, add_accounts, sources_of

from fsxcopy_sdk._transport import direct_config
from fsxcopy_sdk.bulk import Copied, CopyStarted
from fsxcopy_sdk.fleet import (
    AccountClients,
    Fleet,
    FleetOutcome,
    FleetPolicy,
    PolicyDestination,
    PolicySource,
    sync_fleet,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock


def _policy(name: str, session_name: str) -> FleetPolicy:
    return FleetPolicy(
        name=name,
        source=PolicySource(region="us-east-2", role_arn=ROLE, session_name=session_name),
        destination=(PolicyDestination(region="us-west-2"),),
        newest="all",
    )


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.usefixtures("sts")
async def test_a_backup_is_copied_once(clock: ManualClock, *, wait: bool) -> None:
    """Each policy has an outcome for each backup, and of each backup there is one copy."""
    async with LocalFsx(clock=clock, copy_duration=600.0) as fsx:
        add_accounts(fsx)
        backups = [fsx.add_backup("us-east-2", account=ROLE_ACCOUNT) for _ in range(4)]
        connect = AccountClients(
            endpoint_url=fsx.endpoint_url, config=direct_config(), clock=clock
        )
        fleet = Fleet(policies=[_policy("one", "first"), _policy("two", "second")])
        async with sync_fleet(fleet, connect=connect, wait=wait) as synced:
            events = [event async for event in synced]
        copies = sources_of(fsx, "us-west-2", ROLE_ACCOUNT)

    assert dict.fromkeys(backups, 1) == copies
    outcomes = [one.outcome for one in events if isinstance(one, FleetOutcome)]
    assert 8 == len(outcomes)
    assert all(isinstance(one, Copied if wait else CopyStarted) for one in outcomes)

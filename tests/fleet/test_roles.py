"""Roles whose credentials expire while a sync runs, lent by an STS on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from fleet_rig import (
    PROFILE_ACCOUNT,
    ROLE,
    ROLE_ACCOUNT,
    Sts,
    add_accounts,
    sources_of,
)
from lenders import refusal_of_sts

from fsxcopy_sdk import CredentialsUnavailable
from fsxcopy_sdk._transport import direct_config
from fsxcopy_sdk.bulk import Copied, CopyNotObserved
from fsxcopy_sdk.fleet import (
    Account,
    AccountClients,
    Fleet,
    FleetOutcome,
    FleetPolicy,
    PolicyDestination,
    PolicySource,
    sync_fleet,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

REGIONS = ("us-west-2", "eu-west-1")


@pytest.fixture(name="fsx")
async def _fsx(clock: ManualClock, sts: Sts) -> AsyncIterator[LocalFsx]:
    async with LocalFsx(clock=clock, copy_duration=1800.0) as fsx:
        add_accounts(fsx)
        for _ in range(6):
            fsx.add_backup("us-east-2", account=ROLE_ACCOUNT)
        yield fsx


def _fleet(**members: str) -> Fleet:
    return Fleet(
        policies=[
            FleetPolicy(
                name="dr",
                source=PolicySource(region="us-east-2", role_arn=ROLE, **members),
                destination=tuple(PolicyDestination(region=one) for one in REGIONS),
                newest="all",
            )
        ]
    )


def _connect(fsx: LocalFsx, clock: ManualClock) -> AccountClients:
    return AccountClients(endpoint_url=fsx.endpoint_url, config=direct_config(), clock=clock)


async def _sync(fleet: Fleet, fsx: LocalFsx, clock: ManualClock) -> list[FleetOutcome]:
    async with sync_fleet(fleet, connect=_connect(fsx, clock)) as synced:
        events = [event async for event in synced]
    outcomes = [one for one in events if isinstance(one, FleetOutcome)]
    assert len(outcomes) == len(events)
    return outcomes


async def test_the_role_is_assumed_as_the_policy_says(
    fsx: LocalFsx, sts: Sts, clock: ManualClock
) -> None:
    """STS is asked once, in the source Region, with the profile's keys, for both Regions."""
    fleet = _fleet(profile="prod", external_id="secret-word", session_name="nightly")
    assert 12 == len(await _sync(fleet, fsx, clock))
    (assumed,) = sts.assumed
    names = ("SignedBy", "Region", "RoleArn", "ExternalId", "RoleSessionName")
    assert ("AKIAPROD", "us-east-2", ROLE, "secret-word", "nightly") == tuple(
        assumed[name] for name in names
    )


async def test_credentials_are_renewed_while_copies_run(
    fsx: LocalFsx, sts: Sts, clock: ManualClock
) -> None:
    """Credentials that expire soon are renewed for each call, and nothing is copied twice."""
    sts.seconds = 300.0  # below the ten minutes in which botocore insists on new ones
    outcomes = await _sync(_fleet(), fsx, clock)

    assert {Copied} == {type(one.outcome) for one in outcomes}
    assert len(sts.assumed) > 10
    assert {"AKIADEFAULT"} == {one["SignedBy"] for one in sts.assumed}
    assert {"fsxcopy"} == {one["RoleSessionName"] for one in sts.assumed}
    for region in REGIONS:
        assert {1} == set(sources_of(fsx, region, ROLE_ACCOUNT).values())


async def test_a_renewal_that_fails_for_a_while_is_bridged(
    fsx: LocalFsx, sts: Sts, clock: ManualClock
) -> None:
    """An STS that throttles or is down for some calls costs no copy."""
    sts.seconds = 300.0
    refusals = [refusal_of_sts(400, "Throttling"), refusal_of_sts(503, "ServiceUnavailable")]

    def hiccup(*_: object) -> None:
        if refusals:
            sts.refusals.append(refusals.pop())

    connect = _connect(fsx, clock)
    async with sync_fleet(_fleet(), connect=connect, on_seen=hiccup) as synced:
        kinds = {type(one.outcome) async for one in synced if isinstance(one, FleetOutcome)}
    assert {Copied} == kinds
    assert ([], []) == (refusals, sts.refusals)


async def test_a_role_that_is_taken_away_is_no_failed_copy(
    fsx: LocalFsx, sts: Sts, clock: ManualClock
) -> None:
    """Copies that were begun are not observed to end; the next sync follows them."""
    sts.seconds = 300.0

    def take_away(*_: object) -> None:
        sts.refuses = fsx.calls["CopyBackup"] == 10

    connect = _connect(fsx, clock)
    async with sync_fleet(_fleet(), connect=connect, on_seen=take_away) as synced:
        outcomes = [one.outcome async for one in synced if isinstance(one, FleetOutcome)]
    lost = [one for one in outcomes if isinstance(one, CopyNotObserved)]
    assert 10 == len(lost)
    assert {CredentialsUnavailable} == {type(one.error) for one in lost}

    sts.refuses = False
    outcomes = [one.outcome for one in await _sync(_fleet(), fsx, clock)]
    assert {Copied} == {type(one) for one in outcomes}
    for region in REGIONS:
        assert {1} == set(sources_of(fsx, region, ROLE_ACCOUNT).values())


async def test_without_keys_to_assume_it_with(fsx: LocalFsx, sts: Sts, clock: ManualClock) -> None:
    """The failure names what is missing, and STS is not asked."""
    connect = _connect(fsx, clock)
    async with sync_fleet(_fleet(profile="empty"), connect=connect) as synced:
        assert [] == [one async for one in synced if isinstance(one, FleetOutcome)]
    failure, _ = synced.report.failures
    assert isinstance(failure.error, CredentialsUnavailable)
    assert "in the profile empty" in str(failure.error)
    assert [] == sts.assumed


async def test_calls_for_roles_are_made_with_the_given_config(
    fsx: LocalFsx, sts: Sts, clock: ManualClock
) -> None:
    """With an HTTP session for trio, STS is called through it too."""
    pytest.importorskip("httpx2", reason="aiobotocore runs on trio from 3.9")
    httpxsession = pytest.importorskip("aiobotocore.httpxsession")
    used: list[str] = []

    class Session(httpxsession.HttpxSession):  # type: ignore[misc, name-defined]  # imported if there
        async def send(self, request: Any) -> Any:
            used.append(request.url)
            return await super().send(request)

    config = AioConfig(proxies={}, http_session_cls=Session)
    connect = AccountClients(endpoint_url=fsx.endpoint_url, config=config, clock=clock)
    async with connect(Account(role_arn=ROLE), "us-east-2") as client:
        await client.describe_backups()
    assert [sts.url, fsx.endpoint_url] == [url.rstrip("/") for url in used]


async def test_roles_of_one_profile_share_its_credentials(
    fsx: LocalFsx, sts: Sts, clock: ManualClock
) -> None:
    """Clients of two roles are made from one session that assumes both."""
    connect = _connect(fsx, clock)
    other = ROLE.replace(ROLE_ACCOUNT, PROFILE_ACCOUNT)
    for role in (ROLE, other):
        async with connect(Account(role_arn=role), "us-west-2") as client:
            await client.describe_backups()
    assert [ROLE, other] == [one["RoleArn"] for one in sts.assumed]

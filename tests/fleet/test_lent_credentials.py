"""Credentials that a program lends: read in a thread for each request, and renewed by it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator

import attrs
import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from fleet_rig import (
    PROFILE_ACCOUNT,
    ROLE,
    ROLE_ACCOUNT,
    Sts,
    add_accounts,
)

from fsxcopy_sdk import CredentialsUnavailable
from fsxcopy_sdk._transport import direct_config
from fsxcopy_sdk.fleet import Account, AccountClients
from fsxcopy_sdk.testing import LocalFsx, ManualClock

REGION = "us-west-2"
_ACCOUNTS = {"AKIALENT": "111122223333", "AKIARENEWED": "444455556666"}


@attrs.define
class _Lender:
    """Keys that change from one reading to the next, as those of a role do."""

    keys: list[str]
    threads: set[int] = attrs.field(factory=set)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self.threads.add(threading.get_ident())
        if not self.keys:
            raise RuntimeError("the key vault is closed")
        return Credentials(self.keys.pop(0), "secret").get_frozen_credentials()


@pytest.fixture(name="fsx")
async def _fsx(clock: ManualClock, sts: Sts) -> AsyncIterator[LocalFsx]:
    async with LocalFsx(clock=clock) as fsx:
        add_accounts(fsx)
        for key, account in _ACCOUNTS.items():
            fsx.add_access_key(key, account=account)
        yield fsx


def _clients(fsx: LocalFsx, lender: _Lender) -> AccountClients:
    return AccountClients(
        endpoint_url=fsx.endpoint_url, config=direct_config(), credentials=lender
    )


def _accounts(fsx: LocalFsx) -> list[str]:
    return [one.account for one in fsx.requests]


async def test_each_request_is_signed_with_what_is_lent_then(fsx: LocalFsx) -> None:
    """Renewed keys are used at once, and reading them does not hold up the event loop."""
    lender = _Lender(["AKIALENT", "AKIARENEWED"])

    async with _clients(fsx, lender)(Account(), REGION) as client:
        await client.describe_backups()
        await client.describe_backups()

    assert [*_ACCOUNTS.values()] == _accounts(fsx)
    assert threading.get_ident() not in lender.threads


async def test_what_cannot_be_lent_is_unavailable(fsx: LocalFsx) -> None:
    """Whatever a lender raises, the call says that it is about credentials."""
    async with _clients(fsx, _Lender([]))(Account(), REGION) as client:
        with pytest.raises(CredentialsUnavailable, match="the key vault is closed"):
            await client.describe_backups()
    assert [] == fsx.requests


async def test_a_role_is_assumed_with_what_is_lent(fsx: LocalFsx, sts: Sts) -> None:
    """A role without a profile is assumed with the lent keys, and has its own."""
    fsx.add_backup(REGION, account=ROLE_ACCOUNT)

    async with _clients(fsx, _Lender(["AKIALENT"]))(Account(role_arn=ROLE), REGION) as client:
        page = await client.describe_backups()

    assert 1 == len(page.backups)
    assert ["AKIALENT"] == [one["SignedBy"] for one in sts.assumed]


async def test_a_profile_keeps_its_own(fsx: LocalFsx) -> None:
    """An account that names a profile is not called with what is lent."""
    async with _clients(fsx, _Lender(["AKIALENT"]))(Account(profile="prod"), REGION) as client:
        await client.describe_backups()

    assert [PROFILE_ACCOUNT] == _accounts(fsx)

"""What a connection of Airflow decides: Region, endpoint, credentials, certificates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from airflow_tasks import REGION

from fsxcopy_sdk import ConfigurationError, CredentialsUnavailable, FsxCopyClient
from fsxcopy_sdk.airflow import FsxCopyHook
from fsxcopy_sdk.fleet import Account
from fsxcopy_sdk.testing import DEFAULT_ACCOUNT, LocalFsx


def _connect(monkeypatch: pytest.MonkeyPatch, fsx: LocalFsx, **extra: object) -> None:
    connection = {"conn_type": "aws", "extra": {"endpoint_url": fsx.endpoint_url, **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", json.dumps(connection))


async def _region(client: FsxCopyClient) -> str:
    async with client:
        return client.region


async def test_a_connection_is_used(fsx: LocalFsx) -> None:
    """Its Region, endpoint and keys are those of the client."""
    async with FsxCopyHook("aws_local").copy_client() as client:
        await client.describe_backups()

    (request,) = fsx.requests
    assert (REGION, DEFAULT_ACCOUNT) == (request.region, request.account)


@pytest.mark.parametrize(
    ("argument", "extra", "expected"),
    [
        ("eu-west-1", {"region_name": REGION}, "eu-west-1"),
        (None, {"region_name": REGION}, REGION),
        (None, {"profile_name": "dr"}, "ap-southeast-2"),
        (None, {}, "ca-central-1"),
    ],
    ids=["argument", "connection", "profile", "environment"],
)
async def test_the_region_is_the_first_that_is_given(  # noqa: PLR0917 - pytest names them
    argument: str | None,
    extra: dict[str, object],
    expected: str,
    fsx: LocalFsx,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """An argument is before the connection, that before its profile, and then the environment."""
    file = tmp_path / "config"
    file.write_text("[profile dr]\nregion = ap-southeast-2\n", "utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    if "profile_name" not in extra:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "ca-central-1")
    _connect(monkeypatch, fsx, **extra)

    assert expected == await _region(FsxCopyHook("aws_local", region_name=argument).copy_client())


async def test_no_credentials_are_unavailable(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names a connection without keys, where the machine has none either."""
    _connect(monkeypatch, fsx, region_name=REGION)

    async with FsxCopyHook("aws_local").copy_client() as client:
        with pytest.raises(CredentialsUnavailable, match="the connection aws_local has no"):
            await client.describe_backups()
    assert [] == fsx.requests


@pytest.mark.parametrize("verify", [False, True, None])
async def test_certificates_need_not_be_verified(verify: bool | None, fsx: LocalFsx) -> None:
    """What boto3 takes as `verify` is taken."""
    async with FsxCopyHook("aws_local", verify=verify).copy_client() as client:
        await client.describe_backups()
    assert 1 == len(fsx.requests)


async def test_a_bundle_of_certificates_is_read(fsx: LocalFsx, tmp_path: Path) -> None:
    """A file as `verify` is a bundle, and one that is none is refused."""
    file = tmp_path / "bundle.pem"
    file.write_text("no certificate", "utf-8")
    with pytest.raises(ConfigurationError, match="bundle.pem"):
        await _region(FsxCopyHook("aws_local", verify=str(file)).copy_client())


async def test_accounts_have_the_credentials_of_the_connection(fsx: LocalFsx) -> None:
    """An account of a fleet without a profile is that of the connection."""
    clients = FsxCopyHook("aws_local").account_clients()

    async with clients(Account(), "eu-west-1") as client:
        await client.describe_backups()

    assert [("eu-west-1", DEFAULT_ACCOUNT)] == [(one.region, one.account) for one in fsx.requests]


async def test_a_config_is_passed_on(fsx: LocalFsx) -> None:
    """What is given as `config` wins over the connection's `config_kwargs`."""
    client = FsxCopyHook("aws_local", config={"user_agent_extra": "nightly"}).copy_client()
    async with client:
        await client.describe_backups()

    (request,) = fsx.requests
    assert "nightly" in request.headers["user-agent"]

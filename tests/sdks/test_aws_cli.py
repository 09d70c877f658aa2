"""The AWS CLI: version 1, which PyPI has, and version 2, where it is installed."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fsxcopy_sdk.testing import LocalFsx, ManualClock


def _version_2() -> str | None:
    """Return where version 2 is on PATH, behind the version 1 of this environment."""
    for folder in os.get_exec_path():
        found = shutil.which("aws", path=folder)
        # Not one that runs by the Python of this environment: that is version 1.
        if found and Path(folder) != Path(sys.executable).parent:
            done = subprocess.run(
                [found, "--version"], capture_output=True, text=True, check=False
            )
            if done.stdout.startswith("aws-cli/2."):
                return found
    return None


@pytest.fixture(name="command", scope="session", params=[1, 2], ids=["v1", "v2"])
def _command(request: pytest.FixtureRequest) -> list[str]:
    """Return what runs the AWS CLI."""
    if request.param == 1:
        return [sys.executable, "-m", "awscli"]
    found = _version_2()
    if found is None:
        pytest.skip("no AWS CLI of version 2 is installed (Debian has one: awscli)")
    return [found]


@pytest.fixture(name="aws")
def _aws(command: list[str], environment: dict[str, str]) -> Callable[..., Awaitable[tuple]]:
    """Return a function that runs the AWS CLI: exit code, output, errors."""
    # Older ones do not know AWS_ENDPOINT_URL_FSX.
    endpoint_url = environment["AWS_ENDPOINT_URL_FSX"]

    async def aws(*arguments: str) -> tuple:
        process = await asyncio.create_subprocess_exec(
            *(*command, "fsx", *arguments),
            *("--endpoint-url", endpoint_url, "--output", "json"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        return process.returncode, json.loads(output or b"null"), errors.decode()

    return aws


async def test_copies_describes_deletes(aws, clock: ManualClock, fsx: LocalFsx, source) -> None:
    """It copies a backup, sees it become AVAILABLE and deletes it."""
    _, copied, _ = await aws(
        *("copy-backup", "--source-backup-id", source, "--source-region", "us-east-2"),
        *("--tags", "Key=Name,Value=dr", "--copy-tags"),
    )
    backup_id = copied["Backup"]["BackupId"]
    clock.advance(100)
    _, described, _ = await aws("describe-backups", "--backup-ids", backup_id)
    _, deleted, _ = await aws("delete-backup", "--backup-id", backup_id)

    assert "COPYING" == copied["Backup"]["Lifecycle"]
    assert [{"Key": "Name", "Value": "dr"}] == copied["Backup"]["Tags"]
    assert "AVAILABLE" == described["Backups"][0]["Lifecycle"]
    assert {"BackupId": backup_id, "Lifecycle": "DELETED"} == deleted
    assert {"CopyBackup": 1, "DescribeBackups": 1, "DeleteBackup": 1} == fsx.calls


async def test_creates(aws, clock: ManualClock, fsx: LocalFsx) -> None:
    """It creates a backup of a file system."""
    file_system = fsx.add_file_system("us-west-2")
    _, created, _ = await aws("create-backup", "--file-system-id", file_system)
    clock.advance(100)
    assert "CREATING" == created["Backup"]["Lifecycle"]
    assert "AVAILABLE" == fsx.backup("us-west-2", created["Backup"]["BackupId"])["Lifecycle"]


async def test_pages(aws, fsx: LocalFsx) -> None:
    """It pages through all backups of a Region by itself."""
    ids = [fsx.add_backup("us-west-2") for _ in range(5)]
    _, described, _ = await aws("describe-backups", "--page-size", "2")
    assert ids == [backup["BackupId"] for backup in described["Backups"]]
    assert 3 == fsx.calls["DescribeBackups"]


async def test_tags(aws, fsx: LocalFsx) -> None:
    """It tags a backup, lists its tags and removes them."""
    arn = fsx.backup("us-west-2", fsx.add_backup("us-west-2"))["ResourceARN"]
    await aws("tag-resource", "--resource-arn", arn, "--tags", "Key=a,Value=1", "Key=b,Value=2")
    await aws("untag-resource", "--resource-arn", arn, "--tag-keys", "a")
    _, listed, _ = await aws("list-tags-for-resource", "--resource-arn", arn)
    assert {"Tags": [{"Key": "b", "Value": "2"}]} == listed


async def test_describes_file_systems(aws, fsx: LocalFsx) -> None:
    """It pages through the file systems of a Region."""
    ids = [fsx.add_file_system("us-west-2") for _ in range(3)]
    _, described, _ = await aws("describe-file-systems", "--page-size", "2")
    assert ids == [one["FileSystemId"] for one in described["FileSystems"]]


async def test_shows_errors(aws) -> None:
    """It shows the service's error."""
    code, _, errors = await aws("copy-backup", "--source-backup-id", "backup-00000000")
    assert 0 != code
    assert "(BackupNotFound) when calling the CopyBackup operation" in errors

"""Foreign clients: the AWS CLI and aiobotocore; all other tests have boto3."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.session import get_session
from botocore.exceptions import ClientError


@pytest.fixture(name="aws")
def _aws(fsx, tmp_path) -> Callable[..., Awaitable[tuple]]:
    """Return a function that runs the AWS CLI: exit code, output, errors."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_MAX_ATTEMPTS": "1",
        "HOME": str(tmp_path),
    }

    async def aws(*arguments: str) -> tuple:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "awscli", "fsx", *arguments),
            *("--endpoint-url", fsx.endpoint_url, "--output", "json"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        return process.returncode, json.loads(output or b"null"), errors.decode()

    return aws


async def test_cli_copies_describes_deletes(aws, clock, fsx, source) -> None:
    """The AWS CLI copies a backup, sees it become AVAILABLE and deletes it."""
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


async def test_cli_pages(aws, fsx) -> None:
    """The AWS CLI pages through all backups of a Region by itself."""
    ids = [fsx.add_backup("us-west-2") for _ in range(5)]
    _, described, _ = await aws("describe-backups", "--page-size", "2")
    assert ids == [backup["BackupId"] for backup in described["Backups"]]
    assert 3 == fsx.calls["DescribeBackups"]


async def test_cli_tags(aws, fsx) -> None:
    """The AWS CLI tags a backup, lists its tags and removes them."""
    arn = fsx.backup("us-west-2", fsx.add_backup("us-west-2"))["ResourceARN"]
    await aws("tag-resource", "--resource-arn", arn, "--tags", "Key=a,Value=1", "Key=b,Value=2")
    await aws("untag-resource", "--resource-arn", arn, "--tag-keys", "a")
    _, listed, _ = await aws("list-tags-for-resource", "--resource-arn", arn)
    assert {"Tags": [{"Key": "b", "Value": "2"}]} == listed


async def test_cli_describes_file_systems(aws, fsx) -> None:
    """The AWS CLI pages through the file systems of a Region."""
    ids = [fsx.add_file_system("us-west-2") for _ in range(3)]
    _, described, _ = await aws("describe-file-systems", "--page-size", "2")
    assert ids == [one["FileSystemId"] for one in described["FileSystems"]]


async def test_cli_shows_errors(aws) -> None:
    """The AWS CLI shows the service's error."""
    code, _, errors = await aws("copy-backup", "--source-backup-id", "backup-00000000")
    assert 0 != code
    assert "(BackupNotFound) when calling the CopyBackup operation" in errors


@pytest.fixture(name="raw")
async def _raw(fsx) -> AsyncIterator[AioBaseClient]:
    """Return a bare aiobotocore client of us-west-2."""
    async with get_session().create_client(
        "fsx",
        region_name="us-west-2",
        endpoint_url=fsx.endpoint_url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    ) as client:
        yield client


async def test_aiobotocore_copies_describes_deletes(clock, raw, source) -> None:
    """aiobotocore copies a backup, sees it become AVAILABLE and deletes it."""
    copied = await raw.copy_backup(SourceBackupId=source, SourceRegion="us-east-2")
    backup_id = copied["Backup"]["BackupId"]
    clock.advance(100)
    described = await raw.describe_backups(BackupIds=[backup_id])
    deleted = await raw.delete_backup(BackupId=backup_id)
    assert "AVAILABLE" == described["Backups"][0]["Lifecycle"]
    assert "DELETED" == deleted["Lifecycle"]


async def test_aiobotocore_knows_the_errors(raw) -> None:
    """aiobotocore raises the exception class of the model."""
    with pytest.raises(ClientError) as caught:
        await raw.copy_backup(SourceBackupId="backup-00000000")
    assert isinstance(caught.value, raw.exceptions.BackupNotFound)

"""aiobotocore alone: all other tests have boto3, and `tests/sdks` has further clients."""

from collections.abc import AsyncIterator

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.session import get_session
from botocore.exceptions import ClientError


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

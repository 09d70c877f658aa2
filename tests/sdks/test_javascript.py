"""The AWS SDK for JavaScript, version 3, which `nox -s sdks` installs."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fsxcopy_sdk.testing import LocalFsx, ManualClock

CLIENT = Path(__file__).parent / "client.cjs"
MODULES = os.environ.get("FSXCOPY_TEST_NODE_MODULES")

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(MODULES is None, reason="the SDK is installed by `nox -s sdks`"),
]


@pytest.fixture(name="send")
def _send(environment: dict[str, str]) -> Callable[..., Awaitable]:
    """Return a function that makes one call in a Node.js of its own; it returns the answer."""

    async def send(operation: str, **request: object):  # noqa: ANN202 - JSON of any shape
        done = await asyncio.to_thread(
            subprocess.run,
            ["node", str(CLIENT), operation, json.dumps(request)],
            env={**environment, "NODE_PATH": str(MODULES)},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return send


async def test_copies_describes_deletes(send, clock: ManualClock, fsx: LocalFsx, source) -> None:
    """It copies a backup, sees it become AVAILABLE and deletes it."""
    tags = [{"Key": "Name", "Value": "dr"}]
    copied = await send(
        "CopyBackup", SourceBackupId=source, SourceRegion="us-east-2", CopyTags=True, Tags=tags
    )
    backup_id = copied["Backup"]["BackupId"]
    clock.advance(100)
    described = await send("DescribeBackups", BackupIds=[backup_id])
    deleted = await send("DeleteBackup", BackupId=backup_id)

    assert "COPYING" == copied["Backup"]["Lifecycle"]
    assert tags[0] in copied["Backup"]["Tags"]
    assert "AVAILABLE" == described["Backups"][0]["Lifecycle"]
    # The SDK has made a Date of it.
    assert described["Backups"][0]["CreationTime"].endswith("Z")
    assert {"BackupId": backup_id, "Lifecycle": "DELETED"} == deleted
    assert {"CopyBackup": 1, "DescribeBackups": 1, "DeleteBackup": 1} == fsx.calls


async def test_creates(send, clock: ManualClock, fsx: LocalFsx) -> None:
    """It creates a backup of a file system."""
    file_system = fsx.add_file_system("us-west-2")
    created = await send("CreateBackup", FileSystemId=file_system)
    clock.advance(100)
    assert "CREATING" == created["Backup"]["Lifecycle"]
    assert "AVAILABLE" == fsx.backup("us-west-2", created["Backup"]["BackupId"])["Lifecycle"]


async def test_tags(send, fsx: LocalFsx) -> None:
    """It tags a backup, lists its tags and removes them."""
    arn = fsx.backup("us-west-2", fsx.add_backup("us-west-2"))["ResourceARN"]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    await send("TagResource", ResourceARN=arn, Tags=tags)
    await send("UntagResource", ResourceARN=arn, TagKeys=["a"])
    assert {"Tags": tags[1:]} == await send("ListTagsForResource", ResourceARN=arn)


async def test_pages(send, fsx: LocalFsx) -> None:
    """Its paginator finds all backups of a Region."""
    first, second, third = (fsx.add_backup("us-west-2") for _ in range(3))
    assert [[first, second], [third]] == await send("paginateDescribeBackups")


async def test_errors(send, fsx: LocalFsx) -> None:
    """It knows the errors of the service by their classes."""
    error = await send("CopyBackup", SourceBackupId="backup-00000000")
    assert {"error": "BackupNotFound", "known": True, "status": 400} == error

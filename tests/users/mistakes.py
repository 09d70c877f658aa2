"""
Mistakes that every type checker must find in a user's environment; it is never run.
"""

from __future__ import annotations

from datetime import timedelta

import fsxcopy_sdk
from fsxcopy_sdk import CopyClient  # mistake
from fsxcopy_sdk import (
    Backup,
    BackupFilter,
    BackupLifecycle,
    FsxCopyClient,
    ServiceLimitExceeded,
    Tag,
    WaitSchedule,
    WaitTimeout,
    from_dict,
)
from fsxcopy_sdk.bulk import Copied, CopyNotObserved, CopyRequest, copy_many
from fsxcopy_sdk.replication import Keep, ReplicationPlan, ReplicationPolicy, apply_plan
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock
from fsxcopy_sdk.testing import LocalFsX  # mistake


async def calls(client: FsxCopyClient) -> None:
    await client.copy_backup()  # mistake
    await client.copy_backup(5)  # mistake
    await client.copy_backup("backup-1", "us-east-2")  # mistake
    await client.copy_backup("backup-1", source_regoin="us-east-2")  # mistake
    await client.copy_backup("backup-1", copy_tags="yes")  # mistake
    await client.describe_backups(backup_ids=[1, 2])  # mistake
    await client.wait_until_backup_available("backup-1", max_wait="8h")  # mistake
    await client.wait_until_backup_available("backup-1", schedule=5)  # mistake
    (await client.copy_backup("backup-1")).backup_id  # mistake
    FsxCopyClient("us-west-2", session=42)  # mistake
    FsxCopyClient("us-west-2", config=42)  # mistake
    FsxCopyClient.from_client("x")  # mistake


def models(backup: Backup) -> None:
    backup.backup_id = "backup-1"  # mistake
    print(backup.file_system.file_system_id)  # mistake
    print(backup.bakcup_id)  # mistake
    size: int = backup.size_in_bytes  # mistake
    lifecycle: BackupLifecycle = "AVAILABLE"  # mistake
    Tag("Name", "x")  # mistake
    number: int = from_dict(Backup, {}).backup_id  # mistake
    print(size, lifecycle, number)


def errors(error: ServiceLimitExceeded, timeout: WaitTimeout) -> None:
    print(error.limit.value)  # mistake
    print(timeout.last_backup.lifecycle)  # mistake


async def many(client: FsxCopyClient, plan: ReplicationPlan) -> None:
    copy_many(client, ["backup-1"])  # mistake
    CopyRequest("backup-1")  # mistake
    ReplicationPolicy(keep=Keep(last=7))  # mistake
    WaitSchedule(min_delay="5")  # mistake
    async with apply_plan(plan, client, prune=True) as applied:
        async for outcome in applied:
            print(outcome.backup)  # mistake
            if isinstance(outcome, Copied):
                print(outcome.error.message)  # mistake
            if isinstance(outcome, CopyNotObserved):
                print(outcome.backup_id.upper())  # mistake


def package() -> None:
    print(fsxcopy_sdk.Bakcup)  # mistake
    print(fsxcopy_sdk.errors.BackupMissing)  # mistake


def doubles(fsx: LocalFsx) -> None:
    fsx.inject("throttling")  # mistake
    LocalFsx(clock=5)  # mistake
    ManualClock().advance("5")  # mistake
    Fault.delay(timedelta(seconds=5))  # mistake
    BackupFilter("volume-id")  # mistake

"""A program as users write it: clean under every type checker, with the wheel alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import fsxcopy_sdk
from fsxcopy_sdk import (
    AccessDenied,
    AdministrativeAction,
    Backup,
    BackupCopyFailed,
    BackupFilter,
    BackupLifecycle,
    BackupNotFound,
    Clock,
    CopyBackupResponse,
    FileSystem,
    FilterName,
    FsxCopyClient,
    FsxCopyError,
    InvalidArguments,
    LustreDeploymentType,
    NoResponse,
    ResponseDecodingError,
    ServiceError,
    ServiceLimit,
    ServiceLimitExceeded,
    Tag,
    Volume,
    WaitSchedule,
    WaitTimeout,
    from_dict,
    to_dict,
)
from fsxcopy_sdk.bulk import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    CopySkipped,
    CopyStarted,
    CopyTimedOut,
    copy_many,
)
from fsxcopy_sdk.replication import (
    Keep,
    Pruned,
    PruneFailed,
    PruneObstacle,
    PruneSkipped,
    ReplicationPlan,
    ReplicationPolicy,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

SCHEDULE = WaitSchedule(min_delay=5, max_delay=timedelta(minutes=2))


async def copy_one(client: FsxCopyClient, backup_id: str) -> Backup:
    try:
        response: CopyBackupResponse = await client.copy_backup(
            backup_id,
            source_region="us-east-2",
            kms_key_id="alias/dr",
            copy_tags=True,
            tags={"Purpose": "dr"},
        )
        return await client.wait_until_backup_available(
            response.backup.backup_id, max_wait=timedelta(hours=8), schedule=SCHEDULE
        )
    except ServiceLimitExceeded as error:
        if error.limit is ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS:
            return await copy_one(client, backup_id)
        raise
    except BackupCopyFailed as error:
        print(error.last_backup.lifecycle, error.reason, error.polls + 1, error.elapsed / 60)
        raise
    except WaitTimeout as error:
        if error.last_backup is not None:
            print(error.last_backup.progress_percent)
        raise
    except InvalidArguments as error:
        print(*error.errors, sep="\n")
        raise
    except ResponseDecodingError as error:
        print(error.error_paths, error.request_id)
        raise
    except NoResponse as error:
        print(error.may_have_been_sent, error.client_request_token, error.attempts)
        raise


def describe(error: FsxCopyError) -> str:
    if isinstance(error, AccessDenied):
        return f"ask for a permission: {error.request_id}"
    if isinstance(error, ServiceError):
        return f"{error.code}: {error.http_status}"
    return "try again" if error.is_transient else error.message


def is_in_use(error: FsxCopyError) -> bool:
    return isinstance(error, fsxcopy_sdk.errors.BackupBeingCopied | fsxcopy_sdk.BackupInProgress)


def newest(backups: Sequence[Backup]) -> Backup | None:
    return max(backups, key=lambda backup: backup.creation_time, default=None)


def actions_of(thing: FileSystem | Volume) -> tuple[AdministrativeAction, ...]:
    return thing.administrative_actions


def depth(actions: tuple[AdministrativeAction, ...]) -> int:
    targets = [
        target
        for action in actions
        for target in (action.target_file_system_values, action.target_volume_values)
        if target is not None
    ]
    return 1 + max((depth(actions_of(target)) for target in targets), default=0)


def is_persistent(backup: Backup) -> bool:
    file_system = backup.file_system
    lustre = file_system.lustre_configuration if file_system else None
    kind: LustreDeploymentType | None = lustre.deployment_type if lustre else None
    return kind in (LustreDeploymentType.PERSISTENT_1, LustreDeploymentType.PERSISTENT_2)


def size_of(volume: Volume) -> int:
    openzfs = volume.openzfs_configuration
    return (openzfs.storage_capacity_quota_gib or 0) if openzfs else 0


def name_of(backup: Backup) -> str:
    return next((tag.value or "" for tag in backup.tags if tag.key == "Name"), "")


async def list_all(client: FsxCopyClient, file_system_ids: list[str]) -> list[Backup]:
    filters = [BackupFilter(FilterName.FILE_SYSTEM_ID, file_system_ids)]
    page = await client.describe_backups(filters=filters, max_results=50)
    token: str | None = page.next_token
    print(token, page.metadata.request_id, page.metadata.http_status)
    return [backup async for backup in client.iter_backups(filters=filters)]


async def watch(client: FsxCopyClient, backup_id: str) -> AsyncIterator[tuple[datetime, int]]:
    async for backup in client.watch_backup(backup_id, max_wait=3600.0):
        if backup.lifecycle is BackupLifecycle.COPYING and backup.progress_percent:
            yield backup.creation_time, backup.progress_percent


def show(copy: CopyInProgress) -> None:
    seen = copy.backup
    print(copy.request.source_backup_id, seen.backup_id if seen else "not known yet")


def text_of(outcome: CopyOutcome) -> str:
    match outcome:
        case Copied() | CopyStarted():
            return outcome.backup.backup_id + (" (existing)" if outcome.existing else "")
        case CopyFailed() | CopyTimedOut():
            return describe(outcome.error)
        case CopyNotObserved():
            return outcome.backup_id or outcome.client_request_token
        case CopyDeferred() | CopySkipped():
            return outcome.reason


async def copy_several(client: FsxCopyClient, ids: Sequence[str]) -> dict[str, str]:
    requests = [
        CopyRequest(
            source_backup_id=one, source_region="us-east-2", tags=[Tag(key="a", value="b")]
        )
        for one in ids
    ]
    async with copy_many(client, requests, max_in_progress=5, on_seen=show) as copies:
        texts = {one.request.source_backup_id: text_of(one) async for one in copies}
    print(len(copies.in_progress), len(copies.not_started))
    return texts


async def sync(source: FsxCopyClient, destination: FsxCopyClient) -> int:
    policy = ReplicationPolicy(
        name="nightly", newest=2, keep=Keep(last=7, within=timedelta(days=30))
    )
    plan: ReplicationPlan = await plan_replication(source, destination, policy)
    orphans = [one for one in plan.held_back if PruneObstacle.NO_ORIGINAL in one.obstacles]
    pruned = len(orphans)
    async with apply_plan(plan, destination, source=source, prune=True) as applied:
        async for outcome in applied:
            if isinstance(outcome, Pruned):
                pruned += 1
            elif isinstance(outcome, PruneSkipped):
                print(outcome.reason)
            elif isinstance(outcome, PruneFailed):
                print(describe(outcome.error))
            else:
                print(text_of(outcome))
    return pruned


def as_document(backup: Backup) -> Mapping[str, object]:
    document: dict[str, object] = to_dict(backup)
    again: Backup = from_dict(Backup, document)
    return to_dict(again)


@asynccontextmanager
async def local() -> AsyncIterator[FsxCopyClient]:
    clock: Clock = ManualClock(auto_advance=True)
    async with LocalFsx(clock=clock, copy_duration=600) as fsx:
        fsx.add_example_backup("us-east-2")
        fsx.inject(Fault.throttling(), next_calls=1)
        async with FsxCopyClient(
            "us-west-2", endpoint_url=fsx.endpoint_url, clock=clock
        ) as client:
            yield client


async def main() -> None:
    async with local() as client:
        try:
            backup = await client.describe_backup("backup-03e3c82e0183b7b6b")
        except BackupNotFound:
            backup = await copy_one(client, "backup-03e3c82e0183b7b6b")
        print(name_of(backup), is_persistent(backup), as_document(backup))


if __name__ == "__main__":
    asyncio.run(main())

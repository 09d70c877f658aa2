"""
The public API as a type checker sees it; never run, only checked by ``mypy --strict``.

Everything a user writes has a type of its own: no `Any` comes out of the libraries below.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, assert_never, assert_type

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from types_aiobotocore_fsx.client import FSxClient

import fsxcopy_sdk as sdk
from fsxcopy_sdk import (
    Backup,
    BackupLifecycle,
    FsxCopyClient,
    bulk,
    fleet,
    replication,
    testing,
)
from fsxcopy_sdk.fleet import rendering


class MyClock:
    """Any object with these two methods is a clock."""

    def now(self) -> float:
        """Tell the time."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Sleep."""


async def opening(raw: FSxClient) -> None:
    """A client is opened with nothing or with everything, or wraps one that is there."""
    async with FsxCopyClient() as client:
        assert_type(client, FsxCopyClient)
        assert_type(client.region, str)
        assert_type(client.service_time, datetime | None)
    async with FsxCopyClient(
        "us-west-2",
        session=AioSession(profile="dr"),
        endpoint_url="http://127.0.0.1:1234",
        config=AioConfig(connect_timeout=5),
        clock=MyClock(),
    ) as client:
        assert_type(client, FsxCopyClient)
    assert_type(FsxCopyClient.from_client(raw), FsxCopyClient)
    assert_type(FsxCopyClient.from_client(raw, clock=MyClock()), FsxCopyClient)


class MyTransport:
    """A transport of the user's own."""

    region = "us-west-2"

    async def copy_backup(self, request: Mapping[str, object]) -> sdk.RawResponse:
        """Answer that nothing was copied."""
        metadata = sdk.ResponseMetadata()
        return sdk.RawResponse(operation="CopyBackup", payload=b"{}", metadata=metadata)

    async def describe_backups(self, request: Mapping[str, object]) -> sdk.RawResponse:
        """Answer that there are no backups."""
        return sdk.RawResponse(
            operation="DescribeBackups", payload={"Backups": []}, metadata=sdk.ResponseMetadata()
        )

    async def delete_backup(self, request: Mapping[str, object]) -> sdk.RawResponse:
        """Answer that nothing was deleted."""
        return sdk.RawResponse(
            operation="DeleteBackup", payload=b"{}", metadata=sdk.ResponseMetadata()
        )


def opening_with_a_transport(transport: sdk.Transport) -> None:
    """A transport is any object with the three operations and a Region."""
    FsxCopyClient(transport=transport)
    FsxCopyClient(transport=MyTransport(), clock=MyClock())


def opening_wrongly() -> None:
    """What is no session, config, transport or client is found before anything runs."""
    FsxCopyClient("us-west-2", session=42)  # type: ignore[arg-type]  # no session
    FsxCopyClient("us-west-2", session="dr")  # type: ignore[arg-type]  # a profile's name
    FsxCopyClient("us-west-2", config={"read_timeout": 3})  # type: ignore[arg-type]  # no config
    FsxCopyClient(transport=MyClock())  # type: ignore[arg-type]  # no transport
    FsxCopyClient.from_client("x")  # type: ignore[arg-type]  # no client


class MyClient(FsxCopyClient):
    """A subclass keeps its type where it is opened."""


async def opening_a_subclass(raw: FSxClient) -> None:
    """A subclass stays what it is."""
    async with MyClient("us-west-2") as client:
        assert_type(client, MyClient)
    assert_type(MyClient.from_client(raw), MyClient)


async def copying(client: FsxCopyClient) -> None:
    """A copy is asked for in the natural types, and answered by a typed response."""
    response = await client.copy_backup("backup-0123456789abcdef0")
    assert_type(response, sdk.CopyBackupResponse)
    assert_type(response.backup, Backup)
    assert_type(response.metadata, sdk.ResponseMetadata)
    assert_type(response.metadata.request_id, str | None)
    assert_type(response.metadata.http_status, int)
    assert_type(response.metadata.attempts, int)
    assert_type(response.metadata.date, datetime | None)
    await client.copy_backup(
        "backup-0123456789abcdef0",
        source_region="us-east-2",
        kms_key_id=None,
        copy_tags=True,
        tags={"Name": "dr"},
        client_request_token=None,
    )
    await client.copy_backup("backup-0123456789abcdef0", tags=[sdk.Tag(key="Name", value="dr")])
    await client.copy_backup("backup-0123456789abcdef0", tags=response.backup.tags)


async def copying_wrongly(client: FsxCopyClient) -> None:
    """Arguments of wrong types are found before anything runs."""
    await client.copy_backup()  # type: ignore[call-arg]  # nothing to copy
    await client.copy_backup(5)  # type: ignore[arg-type]  # no id
    await client.copy_backup("backup-1", "us-east-2")  # type: ignore[call-arg]  # given by name only
    await client.copy_backup("backup-1", tags={"Name": 5})  # type: ignore[arg-type]  # no text
    await client.copy_backup("backup-1", copy_tags="yes")  # type: ignore[arg-type]  # no boolean


async def describing(client: FsxCopyClient) -> None:
    """A page holds backups, and one backup is one backup."""
    page = await client.describe_backups(
        backup_ids=["backup-0123456789abcdef0"],
        filters=[sdk.BackupFilter(sdk.FilterName.FILE_SYSTEM_ID, ["fs-01234567"])],
        max_results=10,
        next_token=None,
    )
    assert_type(page, sdk.DescribeBackupsResponse)
    assert_type(page.backups, tuple[Backup, ...])
    assert_type(page.next_token, str | None)
    assert_type(await client.describe_backup("backup-0123456789abcdef0"), Backup)
    one = sdk.BackupFilter("backup-type", "USER_INITIATED")
    assert_type(one.name, sdk.FilterName)
    assert_type(one.values, tuple[str, ...])


async def iterating(client: FsxCopyClient) -> None:
    """Iteration gives backups, not pages."""
    assert_type(client.iter_backups(), AsyncGenerator[Backup, None])
    unreadable: list[sdk.UnreadableBackup] = []
    client.iter_backups(strict=True, on_unreadable=unreadable.append)
    assert_type(
        (await client.describe_backups(strict=False)).unreadable, tuple[sdk.UnreadableBackup, ...]
    )
    async for backup in client.iter_backups(filters=[], max_results=5):
        assert_type(backup, Backup)
    ids = [backup.backup_id async for backup in client.iter_backups()]
    assert_type(ids, list[str])


async def deleting(client: FsxCopyClient) -> None:
    """A deletion is answered by id and lifecycle."""
    response = await client.delete_backup("backup-0123456789abcdef0", client_request_token="token")
    assert_type(response, sdk.DeleteBackupResponse)
    assert_type(response.backup_id, str)
    assert_type(response.lifecycle, BackupLifecycle)


async def waiting(client: FsxCopyClient) -> None:
    """Waits take durations in both forms, and give backups."""
    schedule = sdk.WaitSchedule(min_delay=5, max_delay=timedelta(minutes=2))
    assert_type(schedule.min_delay, float)
    assert_type(schedule.max_delay, float)
    assert_type(sdk.DEFAULT_MAX_WAIT, timedelta)
    backup = await client.wait_until_backup_available(
        "backup-0123456789abcdef0", max_wait=timedelta(hours=8), schedule=schedule
    )
    assert_type(backup, Backup)
    assert_type(await client.wait_until_backup_available("backup-1", max_wait=60), Backup)
    assert_type(client.watch_backup("backup-1"), AsyncGenerator[Backup, None])
    async for seen in client.watch_backup(
        "backup-1", max_wait=0.5, schedule=schedule, last_seen=backup
    ):
        assert_type(seen, Backup)
        assert_type(seen.progress_percent, int | None)


def tree(response: sdk.CopyBackupResponse) -> None:
    """Every member of an answer has its type, and None where it may be absent."""
    backup = response.backup
    assert_type(backup.backup_id, str)
    assert_type(backup.lifecycle, BackupLifecycle)
    assert_type(backup.type, sdk.BackupType)
    assert_type(backup.creation_time, datetime)
    assert_type(backup.failure_details, sdk.BackupFailureDetails | None)
    assert_type(backup.tags, tuple[sdk.Tag, ...])
    assert_type(backup.resource_type, sdk.ResourceType | None)
    assert_type(backup.size_in_bytes, int | None)
    assert_type(backup.volume, sdk.Volume | None)
    assert_type(backup.file_system, sdk.FileSystem | None)
    if backup.file_system is None:
        return
    lustre = backup.file_system.lustre_configuration
    assert_type(lustre, sdk.LustreFileSystemConfiguration | None)
    if lustre is not None:
        assert_type(lustre.deployment_type, sdk.LustreDeploymentType | None)
        assert_type(lustre.copy_tags_to_backups, bool | None)
    ontap = backup.file_system.ontap_configuration
    assert_type(ontap, sdk.OntapFileSystemConfiguration | None)
    if ontap is not None:
        assert_type(ontap.route_table_ids, tuple[str, ...])


def recursion(first: sdk.FileSystem) -> None:
    """Actions are typed to any depth; here to the third."""
    for action in first.administrative_actions:
        assert_type(action, sdk.AdministrativeAction)
        assert_type(action.administrative_action_type, sdk.AdministrativeActionType | None)
        second = action.target_volume_values
        assert_type(second, sdk.Volume | None)
        for inner in second.administrative_actions if second else ():
            assert_type(inner, sdk.AdministrativeAction)
            third = inner.target_snapshot_values
            assert_type(third, sdk.Snapshot | None)
            for innermost in third.administrative_actions if third else ():
                assert_type(innermost.target_file_system_values, sdk.FileSystem | None)
                assert_type(innermost.request_time, datetime | None)
                assert_type(innermost.status, sdk.Status | None)


def frozen(backup: Backup) -> None:
    """Models cannot be changed or made wrongly."""
    backup.progress_percent = 5  # type: ignore[misc]  # models are frozen
    backup.tags.append(sdk.Tag(key="a", value="b"))  # type: ignore[attr-defined]  # a tuple
    Backup()  # type: ignore[call-arg]  # some members are required
    sdk.Tag("Name", "dr")  # type: ignore[call-arg]  # members are given by name
    backup.progres  # type: ignore[attr-defined]  # noqa: B018 - a misspelt member


def exhaustive(lifecycle: BackupLifecycle) -> bool:
    """A match over all lifecycles is complete once the unknown ones are set aside."""
    if lifecycle.is_unknown:
        return False
    match lifecycle:
        case BackupLifecycle.AVAILABLE:
            assert_type(lifecycle, Literal[BackupLifecycle.AVAILABLE])
            return True
        case BackupLifecycle.FAILED | BackupLifecycle.DELETED:
            return False
        case BackupLifecycle.PENDING | BackupLifecycle.CREATING:
            return False
        case BackupLifecycle.TRANSFERRING | BackupLifecycle.COPYING:
            return False
        case _:
            assert_never(lifecycle)


def not_exhaustive(lifecycle: BackupLifecycle) -> bool:
    """A lifecycle that is left out of a match is found by the type checker."""
    match lifecycle:
        case BackupLifecycle.AVAILABLE:
            return True
        case _:
            assert_never(lifecycle)  # type: ignore[arg-type]  # the rest is left


def enums(lifecycle: BackupLifecycle) -> None:
    """A value, known or not, is of its enum, and a text."""
    assert_type(BackupLifecycle("THAWING"), BackupLifecycle)
    assert_type(lifecycle.is_unknown, bool)
    assert_type(lifecycle.value, str)
    text: str = lifecycle
    base: sdk.OpenEnum = lifecycle
    assert_type(text.lower(), str)
    assert_type(base.is_unknown, bool)


def service_errors(call: Callable[[], sdk.CopyBackupResponse]) -> None:
    """Errors of the service have their further members as attributes."""
    try:
        call()
    except sdk.ServiceLimitExceeded as error:
        assert_type(error.limit, sdk.ServiceLimit | None)
    except sdk.IncompatibleParameterError as error:
        assert_type(error.parameter, str | None)
    except (sdk.SourceBackupUnavailable, sdk.BackupBeingCopied) as error:
        assert_type(error.backup_id, str | None)
    except sdk.BackupRestoring as error:
        assert_type(error.file_system_id, str | None)
    except sdk.AccessDenied as error:
        assert_type(error.code, str)
    except sdk.ServiceError as error:
        assert_type(error.code, str)
        assert_type(error.http_status, int)
        assert_type(error.request_id, str | None)
        assert_type(error.body, bytes | None)


def other_call_errors(call: Callable[[], sdk.CopyBackupResponse]) -> None:
    """Other errors of calls say which call it was."""
    try:
        call()
    except sdk.ResponseDecodingError as error:
        assert_type(error.error_paths, tuple[str, ...])
        assert_type(error.payload, object)
        assert_type(error.http_status, int | None)
    except sdk.PaginationError as error:
        assert_type(error.next_token, str | None)
    except sdk.CallError as error:
        assert_type(error.operation, str | None)
        assert_type(error.region, str | None)
        assert_type(error.client_request_token, str | None)
        assert_type(error.attempts, int)


def other_errors(call: Callable[[], Backup]) -> None:
    """Errors of waits carry what was seen; arguments have an error; the root catches the rest."""
    try:
        call()
    except sdk.BackupCopyFailed as error:
        assert_type(error.last_backup, Backup)
        assert_type(error.reason, str | None)
    except sdk.WaitTimeout as error:
        assert_type(error.last_backup, Backup | None)
        assert_type(error.max_wait, float)
        as_timeout: TimeoutError = error
        raise as_timeout from None
    except sdk.WaitError as error:
        assert_type(error.backup_id, str)
        assert_type(error.polls, int)
        assert_type(error.elapsed, float)
    except sdk.InvalidArguments as error:
        assert_type(error.errors, tuple[str, ...])
        as_builtin: ValueError = error
        raise as_builtin from None
    except sdk.FsxCopyError as error:
        assert_type(error.message, str)
        assert_type(error.is_transient, bool)


def making_errors(backup: Backup) -> list[sdk.FsxCopyError]:
    """Tests of users make errors with their fields, by place or by name."""
    return [
        sdk.ServiceLimitExceeded("no more", limit=sdk.ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS),
        sdk.ConnectionFailed("gone", operation="CopyBackup", attempts=2),
        sdk.BackupCopyFailed("failed", backup.backup_id, 1, 1.0, backup),
        sdk.WaitTimeout("late", backup.backup_id, 1, 1.0, 1.0, last_backup=backup),
        sdk.RequestTimeout("late"),
    ]


async def many(client: FsxCopyClient, tags: dict[str, str]) -> None:
    """Outcomes are a closed family, told apart by their classes."""
    requests = [bulk.CopyRequest(source_backup_id="backup-03e3c82e0183b7b6b", tags=tags)]
    async with bulk.copy_many(client, requests, max_wait=timedelta(hours=1)) as copies:
        assert_type(copies, bulk.BulkCopy)
        async for outcome in copies:
            match outcome:
                case bulk.Copied():
                    assert_type(outcome.backup, Backup)
                case bulk.CopyFailed() | bulk.CopyTimedOut():
                    assert_type(outcome.error, sdk.FsxCopyError)
                    assert_type(outcome.backup, Backup | None)
                case bulk.CopyNotObserved():
                    assert_type(outcome.backup_id, str | None)
                    assert_type(outcome.client_request_token, str)
                case bulk.CopyDeferred():
                    assert_type(outcome.reason, str)
                    assert_type(outcome.error, sdk.FsxCopyError | None)
                case bulk.CopySkipped():
                    assert_type(outcome.reason, str)
                case bulk.CopyStarted():
                    assert_type(outcome.backup, Backup)
                    assert_type(outcome.client_request_token, str)
                case _:
                    assert_never(outcome)
    assert_type(copies.in_progress, tuple[bulk.CopyInProgress, ...])
    assert_type(copies.not_started, tuple[bulk.CopyRequest, ...])
    bulk.CopyRequest("backup-03e3c82e0183b7b6b")  # type: ignore[call-arg]  # by name only


async def ready(source: FsxCopyClient, destination: FsxCopyClient) -> None:
    """A policy makes a plan, a plan is applied, and every part has its type."""
    policy = replication.ReplicationPolicy(
        name="nightly",
        file_system_ids=["fs-01234567"],
        kms_key_ids={"us-west-2": "alias/dr"},
        keep=replication.Keep(daily=7, weekly=4, within=timedelta(days=30)),
    )
    plan = await replication.plan_replication(source, destination, policy)
    assert_type(plan, replication.ReplicationPlan)
    assert_type(plan.owner_id, str | None)
    assert_type(await replication.check_owner(plan, source, destination), None)
    assert_type(plan.to_copy, tuple[replication.PlannedCopy, ...])
    assert_type(plan.to_copy[0].request, bulk.CopyRequest)
    assert_type(plan.report.sources[0].age, float | None)
    assert_type(plan.kept[0].rules, tuple[replication.KeepRule, ...])
    assert_type(plan.held_back[0].obstacles, tuple[replication.PruneObstacle, ...])
    assert_type(destination.with_region("us-east-2"), FsxCopyClient)
    async with replication.apply_plan(plan, destination, source=source, prune=True) as applied:
        async for outcome in applied:
            match outcome:
                case bulk.Copied() | bulk.CopyFailed() | bulk.CopyTimedOut():
                    assert_type(outcome.request, bulk.CopyRequest)
                case bulk.CopySkipped() | bulk.CopyNotObserved() | bulk.CopyDeferred():
                    assert_type(outcome.request, bulk.CopyRequest)
                case bulk.CopyStarted():
                    assert_type(outcome.request, bulk.CopyRequest)
                case replication.Pruned() | replication.PruneFailed() | replication.PruneSkipped():
                    assert_type(outcome.prune, replication.PlannedPrune)
                case _:
                    assert_never(outcome)


def comparisons(page: sdk.DescribeBackupsResponse, backup: Backup, other: Backup) -> bool:
    """A model can be compared with its like; with anything else it is a mistake."""
    _ = backup == "backup-1"  # type: ignore[comparison-overlap]  # no backup
    _ = "backup-1" in page.backups  # type: ignore[comparison-overlap]  # an id is no backup
    _ = page == backup  # type: ignore[comparison-overlap]  # a page is no backup
    return backup == other and backup in page.backups and hash(backup) == hash(other)


def plain(backup: Backup, parsed: dict[str, object]) -> None:
    """Plain data comes and goes by the type of the model."""
    assert_type(sdk.to_dict(backup), dict[str, object])
    assert_type(sdk.from_dict(Backup, parsed), Backup)
    assert_type(sdk.from_dict(sdk.CopyBackupResponse, sdk.to_dict(backup)), sdk.CopyBackupResponse)
    assert_type(sdk.BackupNotFound("gone").to_dict(), dict[str, object])
    policy = replication.ReplicationPolicy.from_dict(parsed)
    assert_type(policy, replication.ReplicationPolicy)
    assert_type(policy.to_dict(), dict[str, object])
    assert_type(replication.ReplicationPlan.from_dict(parsed).report.to_dict(), dict[str, object])
    assert_type(bulk.CopyRequest.from_dict(parsed), bulk.CopyRequest)
    sdk.to_dict("backup-1")  # type: ignore[arg-type]  # no model
    sdk.from_dict(str, parsed)  # type: ignore[type-var]  # no model


def own_helpers(clock: sdk.Clock, tags: sdk.Tags, patience: sdk.Duration) -> FsxCopyClient:
    """What wraps the client can name the types of its arguments; the version is a text."""
    assert_type(sdk.__version__, str)
    assert_type(clock.now(), float)
    bulk.CopyRequest(source_backup_id="backup-03e3c82e0183b7b6b", tags=tags)
    sdk.WaitSchedule(max_delay=patience)
    return FsxCopyClient("us-west-2", clock=clock)


def local_fsx(fault: testing.Fault) -> testing.LocalFsx:
    """Durations of the local FSx are of either type, or functions where it matters."""
    minutes = timedelta(minutes=2)
    testing.LocalFsx(unseen_for=minutes, unseen_by="listing", tokens_remembered_for=60)
    testing.LocalFsx(unseen_by="name")  # type: ignore[arg-type]  # none of the choices
    assert_type(testing.Fault.cut_listing(keep=2), testing.Fault)
    fsx = testing.LocalFsx(unseen_for=lambda copy_id: float(len(copy_id)))
    fsx.inject(fault, operation="DescribeBackups")
    assert_type(fsx.requests, list[testing.RecordedRequest])
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    fsx.add_backup("us-east-2", CreationTime=moment, FileSystem={"CreationTime": moment})
    fsx.add_backup("us-east-2", {"CreationTime": moment}, Tags=[{"Key": "a", "Value": "b"}])
    fsx.add_backup("us-east-2", CreationTime=minutes)  # type: ignore[arg-type]  # no time
    fsx.set_tags("backup-1", {"Name": "new", "Empty": None})
    fsx.delete_backup("backup-1")
    return fsx


class MyFailure:
    """Any object with these members is a report that failed."""

    policy_name = "nightly"
    account = None
    source_region = "us-east-2"
    destination_region = "us-west-2"

    def __init__(self, error: sdk.FsxCopyError) -> None:
        self.error = error


def reporting(report: replication.ReplicationReport, error: sdk.FsxCopyError) -> None:
    """Reports have timelines, and become a page."""
    for entry in report.sources[0].timeline or ():
        assert_type(entry.backup, replication.BackupSummary)
        assert_type(entry.decision, replication.Decision | None)
        assert_type(entry.reason, str | None)
    assert_type(rendering.render("html", [report], [MyFailure(error)]), str)
    rendering.check_form("pdf")  # type: ignore[arg-type]  # not a form


async def fleets() -> None:
    """A file of policies becomes plans, outcomes with their policy, and a report."""
    policies = fleet.Fleet.from_toml("fsxcopy.toml").select(["nightly"])
    assert_type(policies, fleet.Fleet)
    connect = fleet.AccountClients(
        endpoint_url="http://x",
        prepare=lambda session: session.register("before-send", print),
    )
    plan = await fleet.plan_fleet(policies, connect=connect)
    assert_type(plan.plans, tuple[replication.ReplicationPlan, ...])
    async with fleet.sync_fleet(policies, wait=False) as synced:
        async for event in synced:
            assert_type(event, fleet.FleetOutcome | fleet.PolicyFailure)
            if isinstance(event, fleet.FleetOutcome):
                assert_type(event.outcome, replication.PlanOutcome)
            else:
                assert_type(event.error, sdk.FsxCopyError)
    assert_type(synced.report, fleet.FleetReport)
    report = await fleet.report_fleet(policies)
    assert_type(report.reports, tuple[replication.ReplicationReport, ...])

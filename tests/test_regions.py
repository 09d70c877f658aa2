"""Programs use several Regions at once: errors and log records say which one they are of."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from bulk_rig import Direct, direct_client

from fsxcopy_sdk import (
    AccessDenied,
    BackupCopyFailed,
    BackupNotFound,
    CallError,
    ConfigurationError,
    ConnectionFailed,
    CredentialsUnavailable,
    FsxCopyClient,
    FsxCopyError,
    PaginationError,
    RawResponse,
    RequestTimeout,
    ResponseDecodingError,
    ResponseMetadata,
    WaitTimeout,
)
from fsxcopy_sdk.bulk import CopyRequest, copy_many
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect

SOURCE = "backup-03e3c82e0183b7b6b"
UNKNOWN = "backup-00000000"
REGION = "us-west-2"

Call: TypeAlias = Callable[[FsxCopyClient], Awaitable[object]]


async def _list(client: FsxCopyClient) -> object:
    return [backup async for backup in client.iter_backups()]


CALLS: dict[str, Call] = {
    "CopyBackup": lambda client: client.copy_backup(SOURCE),
    "DescribeBackups": lambda client: client.describe_backup(SOURCE),
    "DeleteBackup": lambda client: client.delete_backup(SOURCE),
}
FAULTS: dict[str, tuple[Fault, type[CallError]]] = {
    "refused": (Fault.error("AccessDeniedException"), AccessDenied),
    "broken off": (Fault.reset(), ConnectionFailed),
    "unreadable": (Fault.html(200), ResponseDecodingError),
}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(("fault", "cls"), FAULTS.values(), ids=FAULTS)
async def test_an_error_of_a_call_names_its_region(
    fsx: LocalFsx, client: FsxCopyClient, operation: str, fault: Fault, cls: type[CallError]
) -> None:
    """Operation and Region are attributes, and stand in the text."""
    fsx.inject(fault)
    with pytest.raises(cls) as caught:
        await CALLS[operation](client)
    assert (operation, REGION) == (caught.value.operation, caught.value.region)
    assert f"{operation} in {REGION}" in str(caught.value)


async def test_two_regions_are_told_apart(fsx: LocalFsx, connect: Connect) -> None:
    """Of two clients at the same address each names its own Region, and so do its waits."""
    for region in (REGION, "af-south-1"):
        fsx.inject(Fault.error("UnrecognizedClientException"), next_calls=2)
        async with connect(fsx, region=region) as client:
            for call in (_list, lambda one: one.wait_until_backup_available(SOURCE)):
                with pytest.raises(CallError, match=f"DescribeBackups in {region}"):
                    await call(client)


async def test_missing_credentials_name_the_region(fsx: LocalFsx, config: AioConfig) -> None:
    """What was not sent was to go somewhere, too."""
    async with FsxCopyClient(REGION, endpoint_url=fsx.endpoint_url, config=config) as client:
        with pytest.raises(CredentialsUnavailable, match=f"^CopyBackup in {REGION}: ") as caught:
            await client.copy_backup(SOURCE)
    assert REGION == caught.value.region


async def test_the_environments_region_is_named(
    fsx: LocalFsx,
    session: AioSession,
    config: AioConfig,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Region that was not given as an argument is known once the client is open."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client = FsxCopyClient(
        session=session, endpoint_url=fsx.endpoint_url, config=config, clock=clock
    )
    async with client:
        for call in (client.describe_backup, client.wait_until_backup_available):
            with pytest.raises(FsxCopyError, match="DescribeBackups in eu-central-1"):
                await call(UNKNOWN)


class _Scripted:
    """A transport that gives every call the same answer, or error."""

    region = REGION

    def __init__(self, answer: bytes | FsxCopyError) -> None:
        self._answer = answer

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        return self._respond("CopyBackup")

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        return self._respond("DescribeBackups")

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        return self._respond("DeleteBackup")

    def _respond(self, operation: str) -> RawResponse:
        if isinstance(self._answer, FsxCopyError):
            raise self._answer
        metadata = ResponseMetadata(http_status=200)
        return RawResponse(operation=operation, payload=self._answer, metadata=metadata)


@pytest.mark.parametrize(
    "error", [AccessDenied("no"), RequestTimeout("late"), ConfigurationError("no such file")]
)
@pytest.mark.parametrize("operation", CALLS)
async def test_errors_of_any_transport_name_the_region(
    operation: str, error: CallError | ConfigurationError
) -> None:
    """A transport need not know its Region's name for errors: the client adds it."""
    with pytest.raises(type(error), match=f"{REGION}"):
        await CALLS[operation](FsxCopyClient(transport=_Scripted(error)))
    assert REGION == error.region


async def test_a_region_that_the_transport_named_is_kept() -> None:
    """A transport that calls several Regions knows better."""
    error = AccessDenied("no", region="eu-central-1")
    with pytest.raises(AccessDenied, match="eu-central-1"):
        await FsxCopyClient(transport=_Scripted(error)).describe_backups()


@pytest.mark.parametrize(
    ("answer", "call", "cls"),
    [
        (b'{"Backups": [], "NextToken": "again"}', _list, PaginationError),
        (b'{"Backups": [], "NextToken": "again"}', CALLS["DescribeBackups"], PaginationError),
        (b'{"Backups": []}', CALLS["DescribeBackups"], BackupNotFound),
    ],
    ids=["endless listing", "endless pages of one", "left out"],
)
async def test_errors_of_the_client_itself_name_the_region(
    answer: bytes, call: Call, cls: type[CallError]
) -> None:
    """What the client finds wrong in good answers belongs to their Region."""
    with pytest.raises(cls, match=f"DescribeBackups in {REGION}") as caught:
        await call(FsxCopyClient(transport=_Scripted(answer)))
    assert REGION == caught.value.region


@pytest.mark.parametrize("is_left_out", [True, False])
async def test_a_backup_that_stays_unknown_names_the_region(
    clock: ManualClock, connect: Connect, is_left_out: bool
) -> None:
    """Waits for an ID in the wrong Region say which one it was."""
    unknown_ids = "omit" if is_left_out else "error"
    async with LocalFsx(clock=clock, unknown_ids=unknown_ids) as fsx, connect(fsx) as client:
        with pytest.raises(BackupNotFound, match=REGION) as caught:
            await client.wait_until_backup_available(UNKNOWN)
    assert REGION == caught.value.region


@pytest.mark.parametrize(
    ("lifecycle", "cls"), [("FAILED", BackupCopyFailed), ("CREATING", WaitTimeout)]
)
async def test_an_end_of_a_wait_names_the_region(
    fsx: LocalFsx,
    client: FsxCopyClient,
    lifecycle: str,
    cls: type[BackupCopyFailed | WaitTimeout],
) -> None:
    """A failed copy and a timeout are of a Region, too."""
    backup_id = fsx.add_backup(REGION, Lifecycle=lifecycle)
    with pytest.raises(cls, match=f" in {REGION}") as caught:
        await client.wait_until_backup_available(backup_id, max_wait=10)
    assert REGION == caught.value.region


def _extras(record: logging.LogRecord) -> tuple[object, ...]:
    names = ("backup_id", "source_backup_id", "region")
    return tuple(getattr(record, name, None) for name in names)


async def test_an_accepted_copy_is_logged(
    fsx: LocalFsx, client: FsxCopyClient, caplog: pytest.LogCaptureFixture
) -> None:
    """One record names the copy, its source and the destination."""
    caplog.set_level(logging.INFO, "fsxcopy_sdk.client")

    copy = await client.copy_backup_and_wait(SOURCE, source_region=EXAMPLE_REGION)

    (record,) = caplog.records
    text = f"{copy.backup_id}: the copy of {SOURCE} into {REGION} was accepted"
    assert (text, "INFO") == (record.getMessage(), record.levelname)
    assert (copy.backup_id, SOURCE, REGION) == _extras(record)


async def test_a_refused_copy_is_not_logged_as_accepted(
    client: FsxCopyClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A record says that a copy exists, so there is none without one."""
    caplog.set_level(logging.INFO, "fsxcopy_sdk.client")
    with pytest.raises(BackupNotFound):
        await client.copy_backup(UNKNOWN)
    assert [] == caplog.records


async def test_every_copy_of_many_is_logged_once(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The records of a bulk copy are those of single ones, and name the Region as well."""
    caplog.set_level(logging.DEBUG, "fsxcopy_sdk")
    fsx = LocalFsx(clock=clock, copy_duration=60)
    sources = [fsx.add_backup(EXAMPLE_REGION) for _ in range(3)]
    client, direct = direct_client(fsx, clock)
    _refuse_first(direct)
    requests = [CopyRequest(source_backup_id=one, source_region=EXAMPLE_REGION) for one in sources]

    async with copy_many(client, requests) as copies:
        made = {one.request.source_backup_id: one.backup async for one in copies}

    accepted = [_extras(one) for one in caplog.records if one.name == "fsxcopy_sdk.client"]
    expected = [(made[one].backup_id, one, REGION) for one in sources if made[one]]
    assert sorted(expected) == sorted(accepted)
    assert {REGION} == {getattr(one, "region", None) for one in caplog.records}
    assert {"client", "waiting", "bulk"} == {one.name.split(".")[1] for one in caplog.records}


def _refuse_first(direct: Direct) -> None:
    """Let the first listing and the first copy meet an outage, so that both are warned of."""
    left = {"CopyBackup": 1, "DescribeBackups": 1}

    def refuse(operation: str) -> FsxCopyError | None:
        left[operation] -= 1
        return (
            ConnectionFailed("reset", may_have_been_sent=False) if left[operation] >= 0 else None
        )

    direct.refuse = refuse


async def test_calls_are_logged_with_their_region(
    fsx: LocalFsx, client: FsxCopyClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The record of each call has operation and Region, whether it succeeded or not."""
    caplog.set_level(logging.DEBUG, "fsxcopy_sdk.transport")
    fsx.inject(Fault.throttling())
    with pytest.raises(FsxCopyError):
        await client.describe_backups()
    await client.describe_backups()

    assert 2 == len(caplog.records)
    for record in caplog.records:
        assert record.getMessage().startswith(f"DescribeBackups in {REGION}: ")
        assert REGION == record.region  # type: ignore[attr-defined]  # an extra

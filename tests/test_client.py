"""The operations as a user calls them, over HTTP against the local FSx."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import pytest
from aiobotocore.session import AioSession
from raw_peer import backup as document_of

from fsxcopy_sdk import (
    Backup,
    BackupBeingCopied,
    BackupFilter,
    BackupLifecycle,
    BackupNotFound,
    BackupType,
    ClientNotOpen,
    ConfigurationError,
    CopyBackupResponse,
    FilterName,
    FsxCopyClient,
    IncompatibleParameterError,
    InvalidArguments,
    LustreDeploymentType,
    RawResponse,
    ResponseMetadata,
    ServiceLimit,
    ServiceLimitExceeded,
    SourceBackupUnavailable,
    Tag,
    from_dict,
)
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx

if TYPE_CHECKING:
    from conftest import Connect

SOURCE = "backup-03e3c82e0183b7b6b"
COPY = "backup-0a3364eded1014b28"
DESTINATION = "us-west-2"

Copy: TypeAlias = Callable[..., Awaitable[CopyBackupResponse]]


@pytest.fixture(name="copy")
def _copy(client: FsxCopyClient) -> Copy:
    """Copy the example backup from its Region, with what else is given."""
    return partial(client.copy_backup, SOURCE, source_region=EXAMPLE_REGION)


async def test_a_copy_begins(copy: Copy) -> None:
    """The answer is typed down to the leaves, and says how the exchange went."""
    response = await copy()

    backup = response.backup
    assert BackupLifecycle.COPYING is backup.lifecycle
    assert BackupType.USER_INITIATED is backup.type
    assert (SOURCE, EXAMPLE_REGION) == (backup.source_backup_id, backup.source_backup_region)
    assert backup.file_system is not None
    assert backup.file_system.lustre_configuration is not None
    lustre = backup.file_system.lustre_configuration
    assert LustreDeploymentType.PERSISTENT_1 is lustre.deployment_type
    assert (200, 1) == (response.metadata.http_status, response.metadata.attempts)
    assert response.metadata.request_id is not None


async def test_every_argument_reaches_the_service(copy: Copy, fsx: LocalFsx) -> None:
    """The request holds what was given, under the service's names."""
    key = "arn:aws:kms:us-west-2:123456789012:key/d1234e22-543a-12b7-a98f-e12c2b54001a"

    await copy(
        kms_key_id=key, copy_tags=True, tags={"Purpose": "dr"}, client_request_token="my-token"
    )

    expected = {
        "SourceBackupId": SOURCE,
        "SourceRegion": EXAMPLE_REGION,
        "KmsKeyId": key,
        "CopyTags": True,
        "Tags": [{"Key": "Purpose", "Value": "dr"}],
        "ClientRequestToken": "my-token",
    }
    assert expected == fsx.requests[-1].body


async def test_what_is_not_given_is_not_sent(copy: Copy, fsx: LocalFsx) -> None:
    """A bare request holds the id, the source Region and a random token."""
    await copy()
    await copy()
    first, second = (request.body for request in fsx.requests)
    assert {"SourceBackupId", "SourceRegion", "ClientRequestToken"} == set(first)
    assert first["ClientRequestToken"] != second["ClientRequestToken"]


async def test_tags_are_merged(copy: Copy) -> None:
    """With copy_tags the source's tags come along, and the request's win."""
    tags = [Tag(key="Name", value="dr"), Tag(key="Größe", value="")]
    response = await copy(copy_tags=True, tags=tags)
    assert set(tags) == set(response.backup.tags)


async def test_a_token_makes_one_copy(copy: Copy, fsx: LocalFsx) -> None:
    """The same request with the same token is the same copy; another request is an error."""
    first = await copy(client_request_token="once")
    second = await copy(client_request_token="once")
    with pytest.raises(IncompatibleParameterError) as caught:
        await copy(copy_tags=True, client_request_token="once")

    assert first.backup.backup_id == second.backup.backup_id
    assert 1 == len(fsx.backups(DESTINATION))
    assert "ClientRequestToken" == caught.value.parameter


async def test_bad_arguments_are_found_before_the_network(
    client: FsxCopyClient, fsx: LocalFsx
) -> None:
    """All faults come at once, each with argument and rule, and nothing is sent."""
    with pytest.raises(InvalidArguments) as caught:
        await client.copy_backup(
            "backup-XYZ", source_region="cn-north-1", tags={"aws:x": "1"}, kms_key_id=""
        )

    names = [fault.partition(":")[0] for fault in caught.value.errors]
    assert ["source_backup_id", "source_region", "kms_key_id", "tags"] == names
    assert [] == list(fsx.requests)


async def test_an_unknown_source_is_not_found(client: FsxCopyClient) -> None:
    """The error of the service is a class, with the token that was sent."""
    with pytest.raises(BackupNotFound) as caught:
        await client.copy_backup("backup-00000000", client_request_token="my-token")
    assert "CopyBackup" == caught.value.operation
    assert "my-token" == caught.value.client_request_token


async def test_a_source_that_is_not_available(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """The error names the source."""
    source = fsx.add_backup(DESTINATION, Lifecycle="CREATING")
    with pytest.raises(SourceBackupUnavailable) as caught:
        await client.copy_backup(source)
    assert source == caught.value.backup_id


async def test_too_many_copies(copy: Copy) -> None:
    """The sixth copy in progress meets the limit that clears by waiting."""
    for _ in range(5):
        await copy()
    with pytest.raises(ServiceLimitExceeded) as caught:
        await copy()
    assert ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS is caught.value.limit


async def test_one_backup_is_described(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """What comes back equals what the service holds, a volume's without file system too."""
    backup_id = fsx.add_backup(
        DESTINATION,
        ResourceType="VOLUME",
        Volume={"VolumeId": "fsvol-0123456789abcdef0", "Lifecycle": "ACTIVE"},
        Invented="tomorrow",
    )

    backup = await client.describe_backup(backup_id)

    assert from_dict(Backup, fsx.backup(DESTINATION, backup_id)) == backup
    assert backup.file_system is None
    assert backup.volume is not None
    assert backup.volume.lifecycle is not None
    assert backup.volume.lifecycle.is_unknown


@pytest.mark.parametrize("unknown_ids", ["error", "omit"])
async def test_an_unknown_backup_is_not_found(
    connect: Connect, unknown_ids: Literal["error", "omit"]
) -> None:
    """Whether the service refuses an unknown id or leaves it out, the error is the same."""
    async with LocalFsx(unknown_ids=unknown_ids) as fsx, connect(fsx) as client:
        with pytest.raises(BackupNotFound) as caught:
            await client.describe_backup("backup-00000000")
    assert "DescribeBackups" == caught.value.operation
    assert caught.value.request_id is not None


async def test_pages_are_given_one_by_one(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A page says how to ask for the next, and the last one says that it is."""
    ids = {fsx.add_backup(DESTINATION) for _ in range(3)}
    first = await client.describe_backups(max_results=2)
    second = await client.describe_backups(max_results=2, next_token=first.next_token)
    assert (2, 1) == (len(first.backups), len(second.backups))
    assert second.next_token is None
    assert ids == {backup.backup_id for backup in first.backups + second.backups}


async def test_all_backups_are_iterated(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """Items come, not pages, and all of them once."""
    ids = [fsx.add_backup(DESTINATION) for _ in range(5)]
    found = [backup.backup_id async for backup in client.iter_backups(max_results=2)]
    assert sorted(ids) == sorted(found)
    assert 3 == fsx.calls["DescribeBackups"]


async def test_filters_are_applied(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A filter takes an enum or its text, one value or several."""
    wanted = fsx.add_backup(DESTINATION, FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
    fsx.add_backup(DESTINATION, FileSystem={"FileSystemId": "fs-0fedcba9876543210"})
    filters = [
        BackupFilter("file-system-id", "fs-0123456789abcdef0"),
        BackupFilter(FilterName.BACKUP_TYPE, ["USER_INITIATED", "AUTOMATIC"]),
    ]

    found = [backup.backup_id async for backup in client.iter_backups(filters=filters)]

    assert [wanted] == found


async def test_an_empty_next_token_is_the_end(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A page whose NextToken is empty is the last one."""
    page = b'{"Backups": [], "NextToken": ""}'
    fsx.inject(Fault.raw(200, {"Content-Type": "application/x-amz-json-1.1"}, page))
    assert [] == [backup async for backup in client.iter_backups()]
    assert 1 == fsx.calls["DescribeBackups"]


async def test_a_copy_is_deleted(client: FsxCopyClient, copy: Copy) -> None:
    """A backup that is AVAILABLE can be deleted, and is gone."""
    backup_id = (await copy()).backup.backup_id
    await client.wait_until_backup_available(backup_id)
    response = await client.delete_backup(backup_id, client_request_token="my-token")
    assert (backup_id, BackupLifecycle.DELETED) == (response.backup_id, response.lifecycle)
    with pytest.raises(BackupNotFound):
        await client.describe_backup(backup_id)


async def test_a_source_cannot_be_deleted_while_it_is_copied(
    client: FsxCopyClient, fsx: LocalFsx
) -> None:
    """The error names the backup, and carries the token that was sent."""
    source = fsx.add_backup(DESTINATION)
    await client.copy_backup(source)
    with pytest.raises(BackupBeingCopied) as caught:
        await client.delete_backup(source)
    assert source == caught.value.backup_id
    assert caught.value.client_request_token is not None


async def test_a_client_shows_its_region(fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repr names the Region; one that is not known yet is not guessed."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client = FsxCopyClient(endpoint_url=fsx.endpoint_url)
    assert "<FsxCopyClient us-west-2>" == repr(FsxCopyClient("us-west-2"))
    assert "<FsxCopyClient of the default Region>" == repr(client)
    async with client:
        assert "<FsxCopyClient eu-central-1>" == repr(client)


async def test_another_region_with_the_same_settings(fsx: LocalFsx, client: FsxCopyClient) -> None:
    """A client of another Region has the session, endpoint, config and clock of the first."""
    async with client.with_region(EXAMPLE_REGION) as other:
        found = [backup.backup_id async for backup in other.iter_backups()]
    assert client.clock is other.clock
    assert [one["BackupId"] for one in fsx.backups(EXAMPLE_REGION)] == found


async def test_a_wrapped_client_has_no_other_region(session: AioSession) -> None:
    """The settings of a client that was wrapped are not known, so none is derived from it."""
    async with session.create_client("fsx", region_name="us-west-2") as raw:
        with pytest.raises(ConfigurationError, match="made by from_client"):
            FsxCopyClient.from_client(raw).with_region("us-east-2")


@attrs.define
class Recorder:
    """A transport that answers from memory, and records what it was asked."""

    region: str = DESTINATION
    requests: list[Mapping[str, object]] = attrs.field(factory=list)

    def _answer(
        self, operation: str, request: Mapping[str, object], document: object
    ) -> RawResponse:
        self.requests.append(request)
        payload = json.dumps(document).encode()
        metadata = ResponseMetadata(request_id="request-1")
        return RawResponse(operation=operation, payload=payload, metadata=metadata)

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        return self._answer("CopyBackup", request, {"Backup": document_of(COPY)})

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        return self._answer("DescribeBackups", request, {"Backups": [document_of(COPY)]})

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        document = {"BackupId": request["BackupId"], "Lifecycle": "DELETED"}
        return self._answer("DeleteBackup", request, document)


async def test_a_transport_takes_the_place_of_aiobotocore() -> None:
    """Every operation goes to the transport that was given, under the service's names."""
    transport = Recorder()
    client = FsxCopyClient(transport=transport)

    response = await client.copy_backup(SOURCE, client_request_token="my-token")
    described = await client.describe_backup(COPY)
    deleted = await client.delete_backup(COPY, client_request_token="my-token")

    assert (COPY, "request-1") == (response.backup.backup_id, response.metadata.request_id)
    assert BackupLifecycle.AVAILABLE is described.lifecycle
    assert COPY == deleted.backup_id
    assert [
        {"SourceBackupId": SOURCE, "ClientRequestToken": "my-token"},
        {"BackupIds": [COPY]},
        {"BackupId": COPY, "ClientRequestToken": "my-token"},
    ] == transport.requests


async def test_a_client_with_a_transport_can_be_opened_and_closed() -> None:
    """Its Region is the transport's; once closed, it sends nothing more."""
    transport = Recorder()
    async with FsxCopyClient(transport=transport) as client:
        assert (DESTINATION, "<FsxCopyClient us-west-2>") == (client.region, repr(client))
    with pytest.raises(ClientNotOpen, match="was closed"):
        await client.describe_backup(COPY)
    assert [] == transport.requests


def test_a_client_with_a_transport_has_no_other_region() -> None:
    """A transport has one Region, so no client of another can be derived."""
    with pytest.raises(ConfigurationError, match="with transport="):
        FsxCopyClient(transport=Recorder()).with_region("us-east-2")


@pytest.mark.parametrize("name", ["region", "session", "endpoint_url", "config"])
def test_a_transport_excludes_what_would_make_another(name: str) -> None:
    """Settings for aiobotocore are refused by name, because the transport would ignore them."""
    with pytest.raises(InvalidArguments, match=f"^{name}: must be None where transport is given"):
        FsxCopyClient(**{name: "hidden"}, transport=Recorder())


def test_what_lacks_an_operation_is_no_transport() -> None:
    """An object without the three operations and the Region is refused, and is not shown."""
    nothing: Any = {"aws_secret_access_key": "hidden"}
    with pytest.raises(InvalidArguments, match="a Transport or None, not a value of type dict$"):
        FsxCopyClient(transport=nothing)

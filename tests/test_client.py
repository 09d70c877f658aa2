"""The operations as a user calls them, over HTTP against the local FSx."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
import pytest
from aiobotocore.session import AioSession

from fsxcopy_sdk import (
    Backup,
    BackupBeingCopied,
    BackupFilter,
    BackupLifecycle,
    BackupNotFound,
    BackupType,
    ClientNotOpen,
    ConfigurationError,
    FilterName,
    FsxCopyClient,
    IncompatibleParameterError,
    IncompatibleRegionForMultiAZ,
    InvalidArguments,
    InvalidDestinationKmsKey,
    InvalidRegion,
    InvalidSourceKmsKey,
    LustreDeploymentType,
    PaginationError,
    RawResponse,
    ResponseMetadata,
    ServiceLimit,
    ServiceLimitExceeded,
    SourceBackupUnavailable,
    Tag,
    UnsupportedOperation,
    from_dict,
)
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect

SOURCE = "backup-03e3c82e0183b7b6b"
COPY = "backup-0a3364eded1014b28"
DESTINATION = "us-west-2"


async def test_a_copy_begins(client: FsxCopyClient) -> None:
    """The answer is typed down to the leaves, and says how the exchange went."""
    response = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

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


async def test_every_argument_reaches_the_service(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """The request holds what was given, under the service's names."""
    key = "arn:aws:kms:us-west-2:123456789012:key/d1234e22-543a-12b7-a98f-e12c2b54001a"

    await client.copy_backup(
        SOURCE,
        source_region=EXAMPLE_REGION,
        kms_key_id=key,
        copy_tags=True,
        tags={"Purpose": "dr"},
        client_request_token="my-token",
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


async def test_what_is_not_given_is_not_sent(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A bare request holds the id, the source Region and a random token."""
    await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
    await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    first, second = (request.body for request in fsx.requests)
    assert {"SourceBackupId", "SourceRegion", "ClientRequestToken"} == set(first)
    assert first["ClientRequestToken"] != second["ClientRequestToken"]


async def test_tags_are_merged(client: FsxCopyClient) -> None:
    """With copy_tags the source's tags come along, and the request's win."""
    response = await client.copy_backup(
        SOURCE,
        source_region=EXAMPLE_REGION,
        copy_tags=True,
        tags=[Tag(key="Name", value="dr"), Tag(key="Größe", value="")],
    )

    expected = {Tag(key="Name", value="dr"), Tag(key="Größe", value="")}
    assert expected == set(response.backup.tags)


async def test_a_token_makes_one_copy(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """The same request with the same token is the same copy; with another, an error."""
    first = await client.copy_backup(
        SOURCE, source_region=EXAMPLE_REGION, client_request_token="once"
    )
    second = await client.copy_backup(
        SOURCE, source_region=EXAMPLE_REGION, client_request_token="once"
    )
    with pytest.raises(IncompatibleParameterError) as caught:
        await client.copy_backup(
            SOURCE, source_region=EXAMPLE_REGION, copy_tags=True, client_request_token="once"
        )

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

    assert ("CopyBackup", "my-token") == (
        caught.value.operation,
        caught.value.client_request_token,
    )


async def test_a_source_that_is_not_available(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """The error names the source."""
    source = fsx.add_backup(DESTINATION, Lifecycle="CREATING")

    with pytest.raises(SourceBackupUnavailable) as caught:
        await client.copy_backup(source)

    assert source == caught.value.backup_id


async def test_too_many_copies(client: FsxCopyClient) -> None:
    """The sixth copy in progress meets the limit that clears by waiting."""
    for _ in range(5):
        await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    with pytest.raises(ServiceLimitExceeded) as caught:
        await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    assert ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS is caught.value.limit


async def test_keys_that_cannot_be_used(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """The source's key and the copy's are distinguished."""
    source = fsx.add_backup(DESTINATION, KmsKeyId="bad-source")
    fsx.refuse_kms_key("bad-source", as_source=True)
    fsx.refuse_kms_key("bad-destination", as_destination=True)

    with pytest.raises(InvalidSourceKmsKey):
        await client.copy_backup(source)
    with pytest.raises(InvalidDestinationKmsKey):
        await client.copy_backup(
            SOURCE, source_region=EXAMPLE_REGION, kms_key_id="bad-destination"
        )


async def test_a_region_that_is_none(client: FsxCopyClient) -> None:
    """A Region of the right form that does not exist is the service's to refuse."""
    with pytest.raises(InvalidRegion):
        await client.copy_backup(SOURCE, source_region="nowhere")


async def test_a_region_without_multi_az(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A Multi-AZ file system's backup cannot go everywhere."""
    windows = {
        "FileSystemType": "WINDOWS",
        "WindowsConfiguration": {"DeploymentType": "MULTI_AZ_1"},
    }
    source = fsx.add_backup(DESTINATION, FileSystem=windows)
    fsx.forbid_multi_az(DESTINATION)

    with pytest.raises(IncompatibleRegionForMultiAZ):
        await client.copy_backup(source)


async def test_a_backup_that_cannot_be_copied(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """FlexGroup volumes are refused by the service."""
    volume = {"VolumeType": "ONTAP", "OntapConfiguration": {"VolumeStyle": "FLEXGROUP"}}
    source = fsx.add_backup(DESTINATION, Volume=volume)

    with pytest.raises(UnsupportedOperation):
        await client.copy_backup(source)


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


async def test_a_listing_without_end_is_an_error(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A NextToken that was there before ends the iteration, also in a longer circle."""
    for token in ("AAAA", "BBBB", "AAAA"):
        page = b'{"Backups": [], "NextToken": "' + token.encode() + b'"}'
        fsx.inject(Fault.raw(200, {"Content-Type": "application/x-amz-json-1.1"}, page))

    with pytest.raises(PaginationError) as caught:
        _ = [backup async for backup in client.iter_backups()]

    assert "AAAA" == caught.value.next_token
    assert 3 == fsx.calls["DescribeBackups"]


async def test_an_empty_next_token_is_the_end(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A page whose NextToken is empty is the last one."""
    page = b'{"Backups": [], "NextToken": ""}'
    fsx.inject(Fault.raw(200, {"Content-Type": "application/x-amz-json-1.1"}, page))

    assert [] == [backup async for backup in client.iter_backups()]
    assert 1 == fsx.calls["DescribeBackups"]


async def test_a_copy_is_deleted(client: FsxCopyClient, clock: ManualClock) -> None:
    """A backup that is AVAILABLE can be deleted, and is gone."""
    copy = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
    await client.wait_until_backup_available(copy.backup.backup_id)

    response = await client.delete_backup(copy.backup.backup_id, client_request_token="my-token")

    assert (copy.backup.backup_id, BackupLifecycle.DELETED) == (
        response.backup_id,
        response.lifecycle,
    )
    with pytest.raises(BackupNotFound):
        await client.describe_backup(copy.backup.backup_id)


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


async def test_a_wrapped_client_has_no_other_region(session: AioSession, fsx: LocalFsx) -> None:
    """The settings of a client that was wrapped are not known, so none is derived from it."""
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url=fsx.endpoint_url
    ) as raw:
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
        return RawResponse(
            operation=operation,
            payload=json.dumps(document).encode(),
            metadata=ResponseMetadata(request_id="request-1"),
        )

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        return self._answer("CopyBackup", request, {"Backup": self._backup()})

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        return self._answer("DescribeBackups", request, {"Backups": [self._backup()]})

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        document = {"BackupId": request["BackupId"], "Lifecycle": "DELETED"}
        return self._answer("DeleteBackup", request, document)

    @staticmethod
    def _backup() -> dict[str, object]:
        return {
            "BackupId": COPY,
            "Lifecycle": "AVAILABLE",
            "Type": "USER_INITIATED",
            "CreationTime": 1617954808,
        }


async def test_a_transport_takes_the_place_of_aiobotocore() -> None:
    """Every operation goes to the transport that was given, under the service's names."""
    transport = Recorder()
    client = FsxCopyClient(transport=transport)

    response = await client.copy_backup(SOURCE, client_request_token="my-token")
    backup = await client.describe_backup(COPY)
    deleted = await client.delete_backup(COPY, client_request_token="my-token")

    assert (COPY, "request-1") == (response.backup.backup_id, response.metadata.request_id)
    assert BackupLifecycle.AVAILABLE is backup.lifecycle
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

"""CopyBackup, called by boto3; every answer is compared with botocore's model."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fsxcopy_sdk.testing import DEFAULT_ACCOUNT, LocalFsx, ManualClock, ProgressShape

TAGS = [{"Key": "Name", "Value": "dr"}, {"Key": "team", "Value": "storage"}]

ONTAP_VOLUME = {
    "FileSystemId": "fs-0123456789abcdef0",
    "Lifecycle": "CREATED",
    "Name": "vol1",
    "OntapConfiguration": {"VolumeStyle": "FLEXVOL", "SizeInMegabytes": 1024},
    "VolumeId": "fsvol-0123456789abcdef0",
    "VolumeType": "ONTAP",
}


def windows(deployment_type) -> dict:
    """Return a Windows file system of a deployment type."""
    return {
        "FileSystemId": "fs-0123456789abcdef0",
        "FileSystemType": "WINDOWS",
        "WindowsConfiguration": {"DeploymentType": deployment_type},
    }


async def copy(client, source, **parameters: object) -> dict:
    """Copy *source* from us-east-2, return the copy."""
    answer = await client(
        "copy_backup", SourceBackupId=source, SourceRegion="us-east-2", **parameters
    )
    return answer["Backup"]


async def copy_error(client, source, **parameters: object) -> dict:
    """Copy *source* from us-east-2, return the error."""
    parameters = {"SourceRegion": "us-east-2", **parameters}
    return await client.error("copy_backup", SourceBackupId=source, **parameters)


async def copy_code(client, source, **parameters: object) -> str:
    """Copy *source* from us-east-2, return the code of the error."""
    return (await copy_error(client, source, **parameters))["Error"]["Code"]


async def test_copy_of_the_example(fsx, west, source) -> None:
    """A copy is COPYING and has its source's ID, Region and file system."""
    backup = await copy(west, source)

    assert ("COPYING", 0) == (backup["Lifecycle"], backup["ProgressPercent"])
    assert "USER_INITIATED" == backup["Type"]
    assert (source, "us-east-2") == (backup["SourceBackupId"], backup["SourceBackupRegion"])
    assert fsx.backup("us-east-2", source)["FileSystem"] == backup["FileSystem"]
    assert DEFAULT_ACCOUNT == backup["OwnerId"]
    arn = f"arn:aws:fsx:us-west-2:{DEFAULT_ACCOUNT}:backup/{backup['BackupId']}"
    assert arn == backup["ResourceARN"]
    assert backup["KmsKeyId"].startswith(f"arn:aws:kms:us-west-2:{DEFAULT_ACCOUNT}:key/")
    assert "Tags" not in backup


async def test_copy_progresses_with_the_clock(clock, west, source) -> None:
    """ProgressPercent grows with the clock, until the copy is AVAILABLE."""
    backup_id = (await copy(west, source))["BackupId"]
    seen = []
    for _ in range(4):
        clock.advance(33.4)
        backup = (await west("describe_backups", BackupIds=[backup_id]))["Backups"][0]
        seen.append((backup["Lifecycle"], backup["ProgressPercent"]))
    assert [("COPYING", 33), ("COPYING", 66), ("AVAILABLE", 100), ("AVAILABLE", 100)] == seen


async def test_no_progress_is_absent(connect, clock) -> None:
    """With the shape NONE no ProgressPercent is sent at all."""
    async with LocalFsx(clock=clock, progress=ProgressShape.NONE) as fsx:
        backup = await copy(connect(fsx), fsx.add_example_backup())
    assert "ProgressPercent" not in backup


async def test_every_stage(connect, clock) -> None:
    """With every stage a copy is PENDING before it is COPYING."""
    async with LocalFsx(clock=clock, copy_duration=100, every_stage=True) as fsx:
        backup = await copy(connect(fsx), fsx.add_example_backup())
        clock.advance(10)
        later = fsx.backup("us-west-2", backup["BackupId"])
    assert ("PENDING", "COPYING") == (backup["Lifecycle"], later["Lifecycle"])


async def test_duration_by_source(connect, clock) -> None:
    """The duration may be a function from the source's ID."""
    durations = {"backup-000000001": 10.0, "backup-000000002": 20.0}
    async with LocalFsx(clock=clock, copy_duration=durations.__getitem__) as fsx:
        client = connect(fsx)
        for source in durations:
            fsx.add_backup("us-east-2", BackupId=source)
            await copy(client, source)
        clock.advance(10)
        lifecycles = [backup["Lifecycle"] for backup in fsx.backups("us-west-2")]

    assert ["AVAILABLE", "COPYING"] == lifecycles


async def test_creation_time_follows_the_clock(connect) -> None:
    """CreationTime is the start of the FSx plus the time of its clock."""
    clock = ManualClock()
    begun = datetime(2021, 4, 9, 7, 53, 28, 68000, tzinfo=UTC)
    async with LocalFsx(clock=clock, started_at=begun) as fsx:
        source = fsx.add_example_backup()
        clock.advance(1.5)
        backup = await copy(connect(fsx), source)
    assert begun.replace(second=29, microsecond=568000) == backup["CreationTime"]


async def test_in_region_copy(fsx, connect, source) -> None:
    """Without SourceRegion the source is in the Region of the call."""
    answer = await connect(fsx, "us-east-2")("copy_backup", SourceBackupId=source)
    assert "us-east-2" == answer["Backup"]["SourceBackupRegion"]


async def test_key_of_the_request(west, source) -> None:
    """A key that is given is the copy's key."""
    assert "alias/dr" == (await copy(west, source, KmsKeyId="alias/dr"))["KmsKeyId"]


async def test_volume_backup_copies_as_one(fsx, west) -> None:
    """The copy of a volume's backup has the Volume and no FileSystem."""
    source = fsx.add_backup("us-east-2", Volume=ONTAP_VOLUME, SizeInBytes=4096)
    backup = await copy(west, source)
    assert "FileSystem" not in backup
    assert ("VOLUME", 4096) == (backup["ResourceType"], backup["SizeInBytes"])
    assert ONTAP_VOLUME == backup["Volume"]


async def test_same_seed_same_ids(connect) -> None:
    """Copies get the same ids from the same seed, others from another."""

    async def copied(seed) -> str:
        async with LocalFsx(seed=seed) as fsx:
            client = connect(fsx)
            await client("describe_backups")
            return (await copy(client, fsx.add_example_backup()))["BackupId"]

    assert await copied(1) == await copied(1)
    assert await copied(1) != await copied(2)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Tags": TAGS}, TAGS),
        ({"CopyTags": True}, [{"Key": "Name", "Value": "MyBackup"}]),
        ({"CopyTags": True, "Tags": TAGS}, TAGS),
    ],
    ids=["of the request only", "of the source", "merged"],
)
async def test_tags(west, source, parameters, expected) -> None:
    """A copy has the request's tags, with CopyTags its source's too; the request's win."""
    assert expected == (await copy(west, source, **parameters))["Tags"]


async def test_too_many_tags_together(west, source) -> None:
    """More than 50 tags after merging are a limit of the service."""
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    error = await copy_error(west, source, CopyTags=True, Tags=tags)
    assert "ServiceLimitExceeded" == error["Error"]["Code"]
    assert "TOTAL_USER_TAGS" == error["Limit"]


async def test_fifty_tags_together(west, source) -> None:
    """Fifty tags after merging are fine."""
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
    backup = await copy(west, source, CopyTags=True, Tags=tags)
    assert 50 == len(backup["Tags"])


async def test_unknown_source(west, source) -> None:
    """A source that does not exist, or not in SourceRegion, is BackupNotFound."""
    assert "BackupNotFound" == await copy_code(west, "backup-00000000")
    assert "BackupNotFound" == await copy_code(west, source, SourceRegion="us-east-1")


async def test_source_of_another_account(fsx, connect, west, source) -> None:
    """A source of another account is BackupNotFound."""
    await copy(west, source)
    assert "BackupNotFound" == await copy_code(connect(fsx, key="AKIDOTHER"), source)


@pytest.mark.parametrize("lifecycle", ["CREATING", "FAILED", "PENDING"])
async def test_source_not_available(fsx, west, lifecycle) -> None:
    """A source that is not AVAILABLE is SourceBackupUnavailable, with its id."""
    source = fsx.add_backup("us-east-2", Lifecycle=lifecycle)
    error = await copy_error(west, source)
    assert "SourceBackupUnavailable" == error["Error"]["Code"]
    assert source == error["BackupId"]


async def test_copy_in_progress_is_no_source(fsx, connect, west, source) -> None:
    """A copy can be copied when it is AVAILABLE, not before."""
    first = (await copy(west, source))["BackupId"]
    error = await connect(fsx, "eu-west-1").error(
        "copy_backup", SourceBackupId=first, SourceRegion="us-west-2"
    )
    assert "SourceBackupUnavailable" == error["Error"]["Code"]


@pytest.mark.parametrize(
    "region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "nowhere", "US-EAST-2"]
)
async def test_impossible_source_region(fsx, connect, source, region) -> None:
    """A SourceRegion of another partition, or an unknown one, is InvalidRegion."""
    client = connect(fsx, validated=False)
    assert "InvalidRegion" == await copy_code(client, source, SourceRegion=region)


async def test_copies_within_another_partition(fsx, connect) -> None:
    """A copy within China is accepted, and its ARN has the partition."""
    source = fsx.add_backup("cn-north-1")
    answer = await connect(fsx, "cn-northwest-1")(
        "copy_backup", SourceBackupId=source, SourceRegion="cn-north-1"
    )
    assert answer["Backup"]["ResourceARN"].startswith("arn:aws-cn:fsx:cn-northwest-1:")


async def test_multi_az(fsx, west) -> None:
    """Only a backup of a Multi-AZ file system into a Region without Multi-AZ is refused."""
    multi, single = (
        fsx.add_backup("us-east-2", FileSystem=windows(kind))
        for kind in ("MULTI_AZ_1", "SINGLE_AZ_2")
    )
    fsx.forbid_multi_az("eu-west-1")
    assert "COPYING" == (await copy(west, multi))["Lifecycle"]

    fsx.forbid_multi_az("us-west-2")
    assert "IncompatibleRegionForMultiAZ" == await copy_code(west, multi)
    assert "COPYING" == (await copy(west, single))["Lifecycle"]


async def test_flexgroup_volume(fsx, west) -> None:
    """Backups of FlexGroup volumes cannot be copied."""
    volume = {**ONTAP_VOLUME, "OntapConfiguration": {"VolumeStyle": "FLEXGROUP"}}
    assert "UnsupportedOperation" == await copy_code(
        west, fsx.add_backup("us-east-2", Volume=volume)
    )


@pytest.mark.parametrize("kind", ["OPENZFS", "LUSTRE"])
@pytest.mark.parametrize("source_region", ["us-east-2", "us-west-2"])
async def test_intelligent_tiering(fsx, west, kind, source_region) -> None:
    """Backups of file systems with Intelligent-Tiering storage cannot be copied anywhere."""
    file_system = {
        "FileSystemId": "fs-0000000000000000a",
        "FileSystemType": kind,
        "StorageType": "INTELLIGENT_TIERING",
    }
    source = fsx.add_backup(source_region, FileSystem=file_system)
    error = await west.error("copy_backup", SourceBackupId=source, SourceRegion=source_region)
    assert "UnsupportedOperation" == error["Error"]["Code"]
    assert "Intelligent-Tiering" in error["Error"]["Message"]


RESERVED = [{"Key": key, "Value": "x"} for key in ("aws:backup:id", "AWS:a", "Aws:b")]


async def test_reserved_tags_are_not_copied(fsx, west) -> None:
    """AWS's own tags, in any case, stay with the source; those that only look alike do not."""
    alike = [{"Key": key, "Value": ""} for key in ("aws", "awsome:a", "x:aws:", "b")]
    source = fsx.add_backup("us-east-2", Tags=[*RESERVED, *alike])
    backup = await copy(west, source, CopyTags=True, Tags=[{"Key": "b", "Value": "new"}])
    assert [*alike[:3], {"Key": "b", "Value": "new"}] == backup["Tags"]


@pytest.mark.parametrize(("own", "code"), [(46, None), (50, None), (51, "ServiceLimitExceeded")])
async def test_reserved_tags_do_not_count(fsx, west, own, code) -> None:
    """Fifty tags can be copied, whatever AWS added to them."""
    tags = [{"Key": f"k{number}", "Value": ""} for number in range(own)]
    source = fsx.add_backup("us-east-2", Tags=[*RESERVED, *tags])
    if code:
        assert code == await copy_code(west, source, CopyTags=True)
    else:
        assert tags == (await copy(west, source, CopyTags=True))["Tags"]


async def test_reserved_tags_alone(fsx, west) -> None:
    """A copy of a source with no others has no tags."""
    source = fsx.add_backup("us-east-2", Tags=RESERVED)
    assert "Tags" not in await copy(west, source, CopyTags=True)


KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION_KEY_ID = "mrk-1234abcd12ab34cd56ef1234567890ab"


@pytest.mark.parametrize(
    "key",
    [
        KEY_ID,
        MULTI_REGION_KEY_ID,
        "alias/aws/fsx",
        "alias/dr_2-x",
        f"arn:aws:kms:us-west-2:999999999999:key/{KEY_ID}",
        f"arn:aws:kms:us-west-2:{DEFAULT_ACCOUNT}:key/{MULTI_REGION_KEY_ID}",
        f"arn:aws:kms:us-west-2:{DEFAULT_ACCOUNT}:alias/dr",
    ],
)
async def test_forms_of_keys(west, source, key) -> None:
    """A key is named by its ID, by an alias or by the ARN of either."""
    assert key == (await copy(west, source, KmsKeyId=key))["KmsKeyId"]


NO_KEYS = [
    "dr",
    "key",
    "alias/",
    "alias/a b",
    f"key/{KEY_ID}",
    KEY_ID[:-1],
    KEY_ID + "0",
    MULTI_REGION_KEY_ID[:-1],
    f"arn:aws:kms:us-east-2:{DEFAULT_ACCOUNT}:key/{KEY_ID}",
    f"arn:aws-cn:kms:us-west-2:{DEFAULT_ACCOUNT}:key/{KEY_ID}",
    f"arn:aws:fsx:us-west-2:{DEFAULT_ACCOUNT}:key/{KEY_ID}",
    f"arn:aws:kms:us-west-2:123:key/{KEY_ID}",
    f"arn:aws:kms:us-west-2:{DEFAULT_ACCOUNT}:{KEY_ID}",
]


@pytest.mark.parametrize("key", NO_KEYS)
async def test_what_is_no_key(west, source, key) -> None:
    """Another text, or a key of another Region, is an InvalidDestinationKmsKey."""
    assert "InvalidDestinationKmsKey" == await copy_code(west, source, KmsKeyId=key)


async def test_any_key(connect) -> None:
    """With *allow_any_kms_key* every text is one."""
    async with LocalFsx(allow_any_kms_key=True, max_copies_in_progress=50) as fsx:
        source, west = fsx.add_example_backup(), connect(fsx)
        keys = [(await copy(west, source, KmsKeyId=key))["KmsKeyId"] for key in NO_KEYS]
    assert NO_KEYS == keys


async def test_refused_source_key(fsx, west, source) -> None:
    """A source key that cannot be used refuses the copy."""
    fsx.refuse_kms_key(fsx.backup("us-east-2", source)["KmsKeyId"], as_source=True)
    assert "InvalidSourceKmsKey" == await copy_code(west, source)


async def test_refused_destination_key(fsx, west, source) -> None:
    """A destination key that cannot be used refuses the copy, others do not."""
    fsx.refuse_kms_key("alias/bad", as_destination=True)
    assert "InvalidDestinationKmsKey" == await copy_code(west, source, KmsKeyId="alias/bad")
    assert "COPYING" == (await copy(west, source, KmsKeyId="alias/good"))["Lifecycle"]


async def test_key_fails_later(fsx, clock, west, source) -> None:
    """A copy can be accepted, and fail at half time because of its key."""
    fsx.refuse_kms_key("alias/bad", as_destination=True, later=True)
    backup = await copy(west, source, KmsKeyId="alias/bad")
    clock.advance(50)
    answer = await west("describe_backups", BackupIds=[backup["BackupId"]])

    assert "COPYING" == backup["Lifecycle"]
    assert "FAILED" == answer["Backups"][0]["Lifecycle"]
    assert "alias/bad" in answer["Backups"][0]["FailureDetails"]["Message"]
    assert 0 == fsx.copies_in_progress("us-west-2")


async def test_key_that_fails_now_goes_first(fsx, west, source) -> None:
    """Of two bad keys, the one that refuses at once does so."""
    source_key = fsx.backup("us-east-2", source)["KmsKeyId"]
    fsx.refuse_kms_key(source_key, as_source=True, later=True)
    fsx.refuse_kms_key("alias/bad", as_destination=True)
    assert "InvalidDestinationKmsKey" == await copy_code(west, source, KmsKeyId="alias/bad")


async def test_five_copies_in_progress(fsx, west, source) -> None:
    """A sixth copy into a Region is refused, with the limit's name."""
    for _ in range(5):
        await copy(west, source)
    error = await copy_error(west, source)
    assert "ServiceLimitExceeded" == error["Error"]["Code"]
    assert "TOTAL_IN_PROGRESS_COPY_BACKUPS" == error["Limit"]
    assert 5 == len(fsx.backups("us-west-2"))


async def test_slot_is_free_when_a_copy_ends(clock, connect) -> None:
    """When a copy is AVAILABLE the next is accepted."""
    async with LocalFsx(clock=clock, copy_duration=10, max_copies_in_progress=1) as one:
        client = connect(one)
        source = one.add_example_backup()
        await copy(client, source)
        clock.advance(10)
        await copy(client, source)
        assert 1 == one.copies_in_progress("us-west-2")
        assert 1 == one.max_copies_in_progress_seen("us-west-2")


async def test_regions_have_slots_of_their_own(fsx, connect, west, source) -> None:
    """Copies into one Region leave the slots of another alone."""
    await asyncio.gather(*(copy(west, source) for _ in range(5)))
    backup = await copy(connect(fsx, "eu-west-1"), source)
    assert "COPYING" == backup["Lifecycle"]
    assert (5, 1) == tuple(
        fsx.max_copies_in_progress_seen(region) for region in ("us-west-2", "eu-west-1")
    )


async def test_others_copies_take_slots(fsx, west, source) -> None:
    """A backup that was added COPYING takes a slot until its lifecycle is changed."""
    others = [fsx.add_backup("us-west-2", Lifecycle="COPYING") for _ in range(5)]
    error = await copy_error(west, source)
    fsx.set_lifecycle(others[0], "AVAILABLE")
    assert "TOTAL_IN_PROGRESS_COPY_BACKUPS" == error["Limit"]
    assert "COPYING" == (await copy(west, source))["Lifecycle"]


async def test_volumes_have_slots_of_their_own(fsx, west, source) -> None:
    """Copies of a volume are counted per volume and key, not per Region."""
    volume = fsx.add_backup("us-east-2", Volume=ONTAP_VOLUME)
    other = fsx.add_backup(
        "us-east-2", Volume={**ONTAP_VOLUME, "VolumeId": "fsvol-00000000000000000"}
    )
    for _ in range(5):
        await copy(west, volume)
    error = await copy_error(west, volume)

    assert "TOTAL_IN_PROGRESS_COPY_BACKUPS" == error["Limit"]
    assert "COPYING" == (await copy(west, volume, KmsKeyId="alias/another"))["Lifecycle"]
    assert "COPYING" == (await copy(west, other))["Lifecycle"]
    assert "COPYING" == (await copy(west, source))["Lifecycle"]


async def test_volumes_of_an_account_have_a_limit(connect, clock) -> None:
    """Copies of volumes are limited per account, over all its Regions."""
    async with LocalFsx(clock=clock, max_volume_copies_in_progress=2) as fsx:
        volume = fsx.add_backup("us-east-2", Volume=ONTAP_VOLUME)
        for region in ("us-west-2", "eu-west-1"):
            await copy(connect(fsx, region), volume)
        error = await copy_error(connect(fsx, "us-west-1"), volume)
    assert "TOTAL_IN_PROGRESS_COPY_BACKUPS" == error["Limit"]


async def test_limit_of_user_initiated_backups(connect) -> None:
    """User-initiated backups can be limited per Region; automatic ones are not."""
    async with LocalFsx(max_user_initiated_backups=1) as fsx:
        client = connect(fsx)
        source = fsx.add_example_backup()
        fsx.add_backup("us-west-2", Type="AUTOMATIC")
        await copy(client, source)
        error = await copy_error(client, source)
    assert "TOTAL_USER_INITIATED_BACKUPS" == error["Limit"]


async def test_same_token_same_copy(fsx, clock, west, source) -> None:
    """The same request with the same token gives the copy as it is now."""
    first = await copy(west, source, ClientRequestToken="t", Tags=TAGS)
    clock.advance(50)
    again = await copy(west, source, ClientRequestToken="t", Tags=TAGS[::-1], CopyTags=False)
    assert first["BackupId"] == again["BackupId"]
    assert (0, 50) == (first["ProgressPercent"], again["ProgressPercent"])
    assert 1 == len(fsx.backups("us-west-2"))


@pytest.mark.parametrize("change", [{"CopyTags": True}, {"Tags": TAGS}, {"KmsKeyId": "alias/dr"}])
async def test_same_token_other_parameters(west, source, change) -> None:
    """The same token with other parameters is an error that names the token."""
    await copy(west, source, ClientRequestToken="t")
    error = await copy_error(west, source, ClientRequestToken="t", **change)
    assert "IncompatibleParameterError" == error["Error"]["Code"]
    assert "ClientRequestToken" == error["Parameter"]


async def test_tokens_belong_to_a_region(fsx, connect, west, source) -> None:
    """The same token in another Region belongs to another request."""
    first = await copy(west, source, ClientRequestToken="t")
    other = await copy(connect(fsx, "eu-west-1"), source, ClientRequestToken="t", CopyTags=True)
    assert first["BackupId"] != other["BackupId"]


async def test_tokens_belong_to_an_operation(fsx, connect, clock, source) -> None:
    """The token of a CopyBackup may be used for a DeleteBackup."""
    east = connect(fsx, "us-east-2")
    await east("copy_backup", SourceBackupId=source, ClientRequestToken="t")
    clock.advance(160)
    answer = await east("delete_backup", BackupId=source, ClientRequestToken="t")
    assert "DELETED" == answer["Lifecycle"]


async def test_refused_request_leaves_its_token(west, source) -> None:
    """A token whose request was refused can be used for another."""
    await copy_error(west, "backup-00000000", ClientRequestToken="t")
    assert "COPYING" == (await copy(west, source, ClientRequestToken="t"))["Lifecycle"]


async def test_token_of_a_deleted_copy(clock, west, source) -> None:
    """The token of a copy that was deleted since shows it DELETED."""
    first = await copy(west, source, ClientRequestToken="t")
    clock.advance(100)
    await west("delete_backup", BackupId=first["BackupId"])
    again = await copy(west, source, ClientRequestToken="t")
    assert (first["BackupId"], "DELETED") == (again["BackupId"], again["Lifecycle"])


async def test_token_is_forgotten(clock, connect) -> None:
    """A forgotten token makes a new copy, also with other parameters, and is remembered again."""
    async with LocalFsx(clock=clock, tokens_remembered_for=timedelta(seconds=60)) as fsx:
        west, source = connect(fsx), fsx.add_example_backup()
        first = await copy(west, source, ClientRequestToken="t")
        clock.advance(59)
        remembered = await copy(west, source, ClientRequestToken="t")
        clock.advance(1)
        second = await copy(west, source, ClientRequestToken="t", CopyTags=True)
        again = await copy(west, source, ClientRequestToken="t", CopyTags=True)

    ids = [one["BackupId"] for one in (first, remembered, second, again)]
    assert ids[0] == ids[1] != ids[2] == ids[3]


async def test_tokens_that_are_never_remembered(clock, connect) -> None:
    """With zero seconds every request makes a copy."""
    async with LocalFsx(clock=clock, tokens_remembered_for=0) as fsx:
        west, source = connect(fsx), fsx.add_example_backup()
        ids = {(await copy(west, source, ClientRequestToken="t"))["BackupId"] for _ in range(2)}
    assert 2 == len(ids)


async def test_tokens_are_remembered_by_default(clock, connect) -> None:
    """By default a token is not forgotten."""
    async with LocalFsx(clock=clock) as fsx:
        west, source = connect(fsx), fsx.add_example_backup()
        first = await copy(west, source, ClientRequestToken="t")
        clock.advance(1e9)
        again = await copy(west, source, ClientRequestToken="t")
    assert first["BackupId"] == again["BackupId"]

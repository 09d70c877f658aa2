"""CreateBackup."""

import pytest

from fsxcopy_sdk.testing import LocalFsx

FILE_SYSTEM = "fs-0123456789abcdef0"
VOLUME = "fsvol-0123456789abcdef0"


async def test_unknown_file_system(west) -> None:
    """Any well-formed file system id can be backed up."""
    answer = await west("create_backup", FileSystemId=FILE_SYSTEM)
    backup = answer["Backup"]
    assert ("CREATING", "USER_INITIATED") == (backup["Lifecycle"], backup["Type"])
    assert FILE_SYSTEM == backup["FileSystem"]["FileSystemId"]


async def test_becomes_available(clock, fsx, west) -> None:
    """A backup becomes AVAILABLE after the same duration as a copy."""
    answer = await west("create_backup", FileSystemId=FILE_SYSTEM)
    clock.advance(100)
    assert "AVAILABLE" == fsx.backup("us-west-2", answer["Backup"]["BackupId"])["Lifecycle"]


async def test_every_stage(clock, connect) -> None:
    """With every stage a backup is PENDING, CREATING, then TRANSFERRING."""
    async with LocalFsx(clock=clock, copy_duration=100, every_stage=True) as fsx:
        answer = await connect(fsx)("create_backup", FileSystemId=FILE_SYSTEM)
        backup_id = answer["Backup"]["BackupId"]
        seen = []
        for _ in range(3):
            seen.append(fsx.backup("us-west-2", backup_id)["Lifecycle"])
            clock.advance(30)

    assert ["PENDING", "CREATING", "TRANSFERRING"] == seen


async def test_volume(west) -> None:
    """The backup of a volume has the Volume, and no FileSystem."""
    backup = (await west("create_backup", VolumeId=VOLUME))["Backup"]
    assert VOLUME == backup["Volume"]["VolumeId"]
    assert "FileSystem" not in backup
    assert "VOLUME" == backup["ResourceType"]


async def test_known_file_system(fsx, connect, source) -> None:
    """The file system of a backup that was added is known."""
    known = fsx.backup("us-east-2", source)["FileSystem"]
    answer = await connect(fsx, "us-east-2")(
        "create_backup", FileSystemId=known["FileSystemId"], Tags=[{"Key": "a", "Value": "b"}]
    )
    assert known.items() <= answer["Backup"]["FileSystem"].items()
    assert [{"Key": "a", "Value": "b"}] == answer["Backup"]["Tags"]


async def test_ontap_file_system(fsx, west) -> None:
    """ONTAP is backed up by volume: its file systems cannot be."""
    fsx.add_backup(
        "us-west-2", FileSystem={"FileSystemId": FILE_SYSTEM, "FileSystemType": "ONTAP"}
    )
    assert "UnsupportedOperation" == await west.code("create_backup", FileSystemId=FILE_SYSTEM)


async def test_one_at_a_time(clock, west) -> None:
    """While a backup is being made the next of the same source is refused."""
    await west("create_backup", FileSystemId=FILE_SYSTEM)
    code = await west.code("create_backup", FileSystemId=FILE_SYSTEM)
    clock.advance(100)
    assert "BackupInProgress" == code
    again = await west("create_backup", FileSystemId=FILE_SYSTEM)
    assert "CREATING" == again["Backup"]["Lifecycle"]


@pytest.mark.parametrize(
    "parameters",
    [{}, {"FileSystemId": FILE_SYSTEM, "VolumeId": VOLUME}, {"FileSystemId": "fs-UPPERCASE"}],
    ids=["no source", "two sources", "a malformed id"],
)
async def test_needs_exactly_one_source(west, parameters) -> None:
    """Neither a file system nor a volume, both, or a malformed id is a BadRequest."""
    assert "BadRequest" == await west.code("create_backup", **parameters)


async def test_same_token_same_backup(fsx, west) -> None:
    """The same token gives the same backup."""
    first = await west("create_backup", FileSystemId=FILE_SYSTEM, ClientRequestToken="t")
    again = await west("create_backup", FileSystemId=FILE_SYSTEM, ClientRequestToken="t")
    assert first["Backup"]["BackupId"] == again["Backup"]["BackupId"]


async def test_same_token_other_source(west) -> None:
    """The same token for another source is an error that names the token."""
    await west("create_backup", FileSystemId=FILE_SYSTEM, ClientRequestToken="t")
    error = await west.error("create_backup", VolumeId=VOLUME, ClientRequestToken="t")
    assert "ClientRequestToken" == error["Parameter"]


async def test_limit(connect) -> None:
    """The limit of user-initiated backups holds here too."""
    async with LocalFsx(max_user_initiated_backups=0) as fsx:
        error = await connect(fsx).error("create_backup", FileSystemId=FILE_SYSTEM)
    assert "TOTAL_USER_INITIATED_BACKUPS" == error["Limit"]

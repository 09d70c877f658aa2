"""DescribeFileSystems."""

import pytest

FILE_SYSTEM = "fs-0123456789abcdef0"


async def ids_of(client, **parameters: object) -> list[str]:
    """Return the IDs that DescribeFileSystems answers, and the NextToken if there is one."""
    answer = await client("describe_file_systems", **parameters)
    token = answer.get("NextToken")
    return [one["FileSystemId"] for one in answer["FileSystems"]] + ([token] if token else [])


async def test_no_file_systems(west) -> None:
    """A Region without any answers an empty list."""
    assert [] == await ids_of(west)


async def test_file_systems_of_backups(fsx, west) -> None:
    """It shows the file systems that backups were added of, once each."""
    for _ in range(2):
        fsx.add_backup("us-west-2", FileSystem={"FileSystemId": FILE_SYSTEM})
    other = fsx.backup("us-west-2", fsx.add_backup("us-west-2"))["FileSystem"]
    answer = await west("describe_file_systems")

    assert [FILE_SYSTEM, other["FileSystemId"]] == await ids_of(west)
    assert "AVAILABLE" == answer["FileSystems"][0]["Lifecycle"]
    # boto3 makes datetimes of times, which are read as they are elsewhere.
    del other["CreationTime"]
    assert other.items() <= answer["FileSystems"][1].items()


async def test_the_example(fsx, connect, source) -> None:
    """The file system of the example is in its Region, also after a copy to another."""
    east, west = connect(fsx, "us-east-2"), connect(fsx)
    await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2")
    file_system = (await east("describe_file_systems"))["FileSystems"][0]

    assert ("fs-0498eed5fe91001ec", "LUSTRE") == (
        file_system["FileSystemId"],
        file_system["FileSystemType"],
    )
    assert [] == await ids_of(west)
    assert [] == await ids_of(connect(fsx, "us-east-2", key="AKIDOTHER"))


async def test_a_copy_that_was_added(fsx, west) -> None:
    """A copy from another Region is of a file system there; one from the same Region is not."""
    fsx.add_backup("us-west-2", SourceBackupId="backup-00000000", SourceBackupRegion="us-east-2")
    assert [] == await ids_of(west)
    fsx.add_backup(
        "us-west-2",
        SourceBackupId="backup-00000000",
        SourceBackupRegion="us-west-2",
        FileSystem={"FileSystemId": FILE_SYSTEM},
    )
    assert [FILE_SYSTEM] == await ids_of(west)


async def test_file_systems_of_volumes(fsx, west) -> None:
    """The file system of a volume is there, the volume itself is not."""
    volume = {"VolumeId": "fsvol-0123456789abcdef0", "FileSystemId": FILE_SYSTEM}
    fsx.add_backup("us-west-2", Volume=volume)
    fsx.add_backup("us-west-2", Volume={"VolumeId": "fsvol-0123456789abcdef1"})
    await west("create_backup", VolumeId="fsvol-0123456789abcdef2")
    answer = await west("describe_file_systems")

    assert [FILE_SYSTEM, "fs-0123456789abcdef2"] == await ids_of(west)
    assert {"ONTAP"} == {one["FileSystemType"] for one in answer["FileSystems"]}


async def test_backups_of_nothing(fsx, west) -> None:
    """Backups that lack a file system, or its ID, add none."""
    fsx.add_backup("us-west-2", FileSystem=None)
    fsx.add_backup("us-west-2", FileSystem={"FileSystemType": "LUSTRE"})
    assert [] == await ids_of(west)


async def test_a_file_system_that_was_added(fsx, west) -> None:
    """A file system can be added with members of one's own, and be backed up."""
    given = {"FileSystemType": "WINDOWS", "LustreConfiguration": None, "StorageCapacity": 32}
    added = fsx.add_file_system("us-west-2", given, FileSystemId=FILE_SYSTEM, StorageType="HDD")
    file_system = (await west("describe_file_systems"))["FileSystems"][0]
    backup = (await west("create_backup", FileSystemId=FILE_SYSTEM))["Backup"]

    assert FILE_SYSTEM == added == file_system["FileSystemId"]
    assert ("WINDOWS", 32, "HDD") == tuple(
        file_system[name] for name in ("FileSystemType", "StorageCapacity", "StorageType")
    )
    assert "LustreConfiguration" not in file_system
    assert file_system == backup["FileSystem"]


def test_ids_of_file_systems(fsx) -> None:
    """Without an ID it gets one of its own; one that is taken is refused."""
    first, second = (fsx.add_file_system("us-west-2") for _ in range(2))
    assert first != second
    with pytest.raises(ValueError, match=f"FileSystemId '{first}' is taken"):
        fsx.add_file_system("us-west-2", FileSystemId=first)
    with pytest.raises(TypeError):
        fsx.add_file_system("us-west-2", Tags={1, 2})


async def test_ids(fsx, west) -> None:
    """FileSystemIds chooses some, in the order of listings."""
    ids = [fsx.add_file_system("us-west-2") for _ in range(4)]
    assert ids[1:3] == await ids_of(west, FileSystemIds=[ids[2], ids[1]])
    assert ids == await ids_of(west, FileSystemIds=[])


async def test_unknown_file_system(fsx, west) -> None:
    """An unknown ID refuses the call, as does that of another Region or of a volume."""
    known, other = fsx.add_file_system("us-west-2"), fsx.add_file_system("us-east-2")
    codes = [
        await west.code("describe_file_systems", FileSystemIds=[known, unknown])
        for unknown in (FILE_SYSTEM, other)
    ]
    assert ["FileSystemNotFound"] * 2 == codes


async def test_pages(fsx, west) -> None:
    """MaxResults, and fifty at most, cut a listing into pages."""
    ids = [fsx.add_file_system("us-west-2") for _ in range(53)]
    *first, token = await ids_of(west)
    assert ids == first + await ids_of(west, NextToken=token)
    *first, token = await ids_of(west, MaxResults=2)
    assert (ids[:2], ids[2:52]) == (first, (await ids_of(west, NextToken=token))[:-1])


async def test_foreign_token(fsx, west) -> None:
    """A token of another listing is a BadRequest."""
    for _ in range(2):
        fsx.add_backup("us-west-2")
    token = (await west("describe_backups", MaxResults=1))["NextToken"]
    assert "BadRequest" == await west.code("describe_file_systems", NextToken=token)

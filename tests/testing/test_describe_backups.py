"""DescribeBackups: IDs, filters, pages, copies that are not shown yet."""

import base64
import math
from datetime import timedelta

import pytest

from fsxcopy_sdk.testing import EXAMPLE_BACKUP, LocalFsx

LUSTRE = {"FileSystemId": "fs-00000001", "FileSystemType": "LUSTRE"}
WINDOWS = {"FileSystemId": "fs-00000002", "FileSystemType": "WINDOWS"}
VOLUME = {
    "FileSystemId": "fs-00000003",
    "VolumeId": "fsvol-0123456789abcdef0",
    "VolumeType": "ONTAP",
}


@pytest.fixture(name="ids")
def _ids(fsx) -> list[str]:
    """Put three backups of different kinds into us-west-2."""
    return [
        fsx.add_backup("us-west-2", FileSystem=LUSTRE),
        fsx.add_backup("us-west-2", FileSystem=WINDOWS, Type="AUTOMATIC"),
        fsx.add_backup("us-west-2", Volume=VOLUME, Type="AWS_BACKUP"),
    ]


async def described(client, **parameters: object) -> list[str]:
    """Describe backups, return their ids."""
    answer = await client("describe_backups", **parameters)
    return [backup["BackupId"] for backup in answer["Backups"]]


async def pages(client, **parameters: object) -> list[list[str]]:
    """Describe backups page by page, return the ids of each page."""
    listed = []
    token: dict[str, object] = {}
    while True:
        page = await client("describe_backups", **parameters, **token)
        listed.append([backup["BackupId"] for backup in page["Backups"]])
        if "NextToken" not in page:
            return listed
        token = {"NextToken": page["NextToken"]}


async def test_all(west, ids) -> None:
    """Without ids and filters all backups of the Region are shown."""
    assert ids == await described(west)


async def test_empty_region(connect, fsx, ids) -> None:
    """A Region without backups has an empty listing."""
    assert [] == await described(connect(fsx, "eu-west-1"))


async def test_by_id(west, ids) -> None:
    """Each ID is shown once, in the order of creation."""
    assert [ids[0], ids[2]] == await described(west, BackupIds=[ids[2], ids[0], ids[2]])


async def test_unknown_id(west, ids) -> None:
    """One unknown id is BackupNotFound for the whole call."""
    assert "BackupNotFound" == await west.code(
        "describe_backups", BackupIds=[ids[0], "backup-00000000"]
    )


async def test_unknown_id_can_be_left_out(connect) -> None:
    """With unknown_ids="omit" the other backups are shown."""
    async with LocalFsx(unknown_ids="omit") as fsx:
        known = fsx.add_backup("us-west-2")
        assert [known] == await described(connect(fsx), BackupIds=["backup-00000000", known])


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("file-system-id", ["fs-00000001"], [0]),
        ("file-system-id", ["fs-00000001", "fs-00000003"], [0, 2]),
        ("file-system-type", ["WINDOWS", "ONTAP"], [1, 2]),
        ("backup-type", ["USER_INITIATED"], [0]),
        ("volume-id", ["fsvol-0123456789abcdef0"], [2]),
        ("volume-id", ["fsvol-00000000000000000"], []),
        ("data-repository-type", ["S3"], []),
        ("file-cache-id", ["fc-00000001"], []),
        ("file-cache-type", ["LUSTRE"], []),
    ],
)
async def test_filter(west, ids, name, values, expected) -> None:
    """A filter matches the backups that have one of its values."""
    filters = [{"Name": name, "Values": values}]
    assert [ids[index] for index in expected] == await described(west, Filters=filters)


async def test_filters_are_combined(west, ids) -> None:
    """A backup must match all of several filters."""
    filters = [
        {"Name": "file-system-type", "Values": ["LUSTRE", "WINDOWS"]},
        {"Name": "backup-type", "Values": ["AUTOMATIC", "AWS_BACKUP"]},
    ]
    assert [ids[1]] == await described(west, Filters=filters)


@pytest.mark.parametrize(
    "filter_",
    [{}, {"Name": "backup-type"}, {"Values": ["x"]}, {"Name": "backup-type", "Values": []}],
)
async def test_filter_without_name_or_values(west, filter_) -> None:
    """A filter without a name or values is a BadRequest."""
    assert "BadRequest" == await west.code("describe_backups", Filters=[filter_])


async def test_ids_or_filters(west, ids) -> None:
    """Ids and filters together are a BadRequest."""
    filters = [{"Name": "backup-type", "Values": ["AUTOMATIC"]}]
    assert "BadRequest" == await west.code("describe_backups", BackupIds=ids, Filters=filters)


async def test_pages(west, ids) -> None:
    """MaxResults cuts pages; the last has no token."""
    first = await west("describe_backups", MaxResults=2)
    second = await west("describe_backups", MaxResults=2, NextToken=first["NextToken"])
    assert [2, 1] == [len(page["Backups"]) for page in (first, second)]
    assert "NextToken" not in second


async def test_page_size_is_a_setting(connect) -> None:
    """A page never holds more backups than the setting."""
    async with LocalFsx(page_size=2) as fsx:
        for _ in range(3):
            fsx.add_backup("us-west-2")
        assert 2 == len(await described(connect(fsx)))
        assert 2 == len(await described(connect(fsx), MaxResults=3))


async def test_pages_of_ids(west, ids) -> None:
    """Backups by ID come in pages as well."""
    first = await west("describe_backups", BackupIds=ids, MaxResults=1)
    assert ids[1:] == await described(west, BackupIds=ids, NextToken=first["NextToken"])


async def test_default_page_size(fsx, west) -> None:
    """A page holds 50 backups unless fewer are asked for."""
    ids = [fsx.add_backup("us-west-2") for _ in range(101)]
    listed = await pages(west)
    assert [50, 50, 1] == [len(page) for page in listed]
    assert ids == [backup_id for page in listed for backup_id in page]


async def test_pages_are_stable(fsx, west, ids) -> None:
    """Backups that are created or deleted between two pages shift nothing."""
    first = await west("describe_backups", MaxResults=2)
    await west("delete_backup", BackupId=ids[0])
    await west("delete_backup", BackupId=ids[1])
    new = fsx.add_backup("us-west-2")
    assert [ids[2], new] == await described(west, NextToken=first["NextToken"])


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"DescribeBackups/123456789012/eu-west-1/1",
        b"DescribeBackups/1/x/y",
        b"\xff\xfe\xfd",
    ],
    ids=["a word", "of another Region", "no position", "no text"],
)
async def test_token_of_another_listing(west, ids, content) -> None:
    """A token that this listing did not return is a BadRequest."""
    token = base64.b64encode(content).decode()
    assert "BadRequest" == await west.code("describe_backups", NextToken=token)


async def test_unknown_values_pass(connect, fsx) -> None:
    """Unknown values and members are shown as they were added."""
    backup_id = fsx.add_backup("us-west-2", Lifecycle="NEW_IN_2031", Novelty={"A": [1]})
    answer = await connect(fsx, checked=False)("describe_backups")
    assert "NEW_IN_2031" == answer["Backups"][0]["Lifecycle"]
    assert {"A": [1]} == fsx.backup("us-west-2", backup_id)["Novelty"]


@pytest.mark.parametrize("size", [1, 2, 6, 7, 8])
async def test_any_page_size_gives_the_same(fsx, west, size) -> None:
    """Pages of any size show every backup once."""
    ids = [fsx.add_backup("us-west-2") for _ in range(7)]
    assert ids == [backup_id for page in await pages(west, MaxResults=size) for backup_id in page]


async def copied(west, **members: object) -> dict:
    """Copy the example backup, return the copy."""
    source = EXAMPLE_BACKUP["BackupId"]
    answer = await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2", **members)
    return answer["Backup"]


async def shown(west, backup_id) -> tuple[bool, bool]:
    """Return whether a backup is shown by ID, and whether it is listed."""
    listed = (await west("describe_backups"))["Backups"]
    filters = [{"Name": "backup-type", "Values": ["USER_INITIATED"]}]
    filtered = (await west("describe_backups", Filters=filters))["Backups"]
    by_id = (await west("describe_backups", BackupIds=[backup_id]))["Backups"]
    ids = [[backup["BackupId"] for backup in page] for page in (listed, filtered, by_id)]
    assert ids[0] == ids[1]
    return backup_id in ids[2], backup_id in ids[0]


@pytest.mark.parametrize(
    ("unseen_by", "expected"),
    [("all", (False, False)), ("id", (False, True)), ("listing", (True, False))],
)
async def test_copy_is_unseen_for_a_while(clock, connect, unseen_by, expected) -> None:
    """For the given time the given calls do not show a new copy."""
    async with LocalFsx(
        clock=clock, unseen_for=90, unseen_by=unseen_by, unknown_ids="omit"
    ) as fsx:
        fsx.add_example_backup()
        west = connect(fsx)
        backup_id = (await copied(west))["BackupId"]
        at_once = await shown(west, backup_id)
        clock.advance(89)
        late = await shown(west, backup_id)
        clock.advance(1)
        assert [expected, expected] == [at_once, late]
        assert (True, True) == await shown(west, backup_id)


async def test_unseen_id_is_not_found(clock, connect) -> None:
    """The ID of an unseen copy is BackupNotFound, as any unknown ID."""
    async with LocalFsx(clock=clock, unseen_for=timedelta(minutes=2)) as fsx:
        fsx.add_example_backup()
        west = connect(fsx)
        ids = [(await copied(west))["BackupId"]]
        clock.advance(119)
        assert "BackupNotFound" == await west.code("describe_backups", BackupIds=ids)


async def test_unseen_copy_exists(clock, connect) -> None:
    """CopyBackup with its token, the quota and the test itself know an unseen copy."""
    async with LocalFsx(clock=clock, unseen_for=math.inf, max_copies_in_progress=1) as fsx:
        fsx.add_example_backup()
        west = connect(fsx)
        first = await copied(west, ClientRequestToken="t")
        again = await copied(west, ClientRequestToken="t")
        error = await west.error(
            "copy_backup", SourceBackupId=first["SourceBackupId"], SourceRegion="us-east-2"
        )
        assert first == again
        assert "TOTAL_IN_PROGRESS_COPY_BACKUPS" == error["Limit"]
        assert 1 == fsx.copies_in_progress("us-west-2")
        assert "COPYING" == fsx.backup("us-west-2", first["BackupId"])["Lifecycle"]
        assert 1 == len(fsx.backups("us-west-2"))


async def test_unseen_time_by_copy(clock, connect) -> None:
    """The setting may be a function from the copy's ID."""
    asked = []

    def unseen_for(copy_id: str) -> float:
        asked.append(copy_id)
        return 10.0 * len(asked)

    async with LocalFsx(clock=clock, unseen_for=unseen_for) as fsx:
        fsx.add_example_backup()
        west = connect(fsx)
        ids = [(await copied(west))["BackupId"] for _ in range(2)]
        clock.advance(15)
        listed = (await west("describe_backups"))["Backups"]

    assert ids == asked
    assert ids[:1] == [backup["BackupId"] for backup in listed]


async def test_other_backups_are_seen_at_once(clock, connect) -> None:
    """New backups, and those that a test adds, are shown at once."""
    async with LocalFsx(clock=clock, unseen_for=90) as fsx:
        west = connect(fsx)
        added = fsx.add_backup("us-west-2")
        created = await west("create_backup", FileSystemId="fs-00000001")
        listed = (await west("describe_backups"))["Backups"]
    assert [added, created["Backup"]["BackupId"]] == [backup["BackupId"] for backup in listed]

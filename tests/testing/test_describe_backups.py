"""
DescribeBackups: ids, filters, pages.
"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsxcopy_sdk.testing import LocalFsx, ManualClock
from fsxcopy_sdk.testing._documents import AccountRegion
from fsxcopy_sdk.testing._operations import OPERATIONS

LUSTRE = {"FileSystemId": "fs-00000001", "FileSystemType": "LUSTRE"}
WINDOWS = {"FileSystemId": "fs-00000002", "FileSystemType": "WINDOWS"}
VOLUME = {
    "FileSystemId": "fs-00000003",
    "VolumeId": "fsvol-0123456789abcdef0",
    "VolumeType": "ONTAP",
}


@pytest.fixture(name="ids")
def _ids(fsx) -> list[str]:
    """
    Put three backups of different kinds into us-west-2.
    """
    return [
        fsx.add_backup("us-west-2", FileSystem=LUSTRE),
        fsx.add_backup("us-west-2", FileSystem=WINDOWS, Type="AUTOMATIC"),
        fsx.add_backup("us-west-2", Volume=VOLUME, Type="AWS_BACKUP"),
    ]


async def described(client, **parameters: object) -> list[str]:
    """
    Describe backups, return their ids.
    """
    answer = await client("describe_backups", **parameters)
    return [backup["BackupId"] for backup in answer["Backups"]]


async def test_all(west, ids) -> None:
    """
    Without ids and filters all backups of the Region are shown.
    """
    assert ids == await described(west)


async def test_nothing(connect, fsx, ids) -> None:
    """
    A Region that holds nothing shows nothing.
    """
    assert [] == await described(connect(fsx, "eu-west-1"))


async def test_by_id(west, ids) -> None:
    """
    Ids are shown once each, in the order in which they arrived.
    """
    assert [ids[0], ids[2]] == await described(west, BackupIds=[ids[2], ids[0], ids[2]])


async def test_unknown_id(west, ids) -> None:
    """
    One unknown id is BackupNotFound for the whole call.
    """
    assert "BackupNotFound" == await west.code(
        "describe_backups", BackupIds=[ids[0], "backup-00000000"]
    )


async def test_unknown_id_can_be_left_out(connect) -> None:
    """
    A service that omits unknown ids shows the others.
    """
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
    """
    A filter lets pass what has one of its values.
    """
    filters = [{"Name": name, "Values": values}]

    assert [ids[index] for index in expected] == await described(west, Filters=filters)


async def test_filters_add_up(west, ids) -> None:
    """
    Of several filters all must let pass.
    """
    filters = [
        {"Name": "file-system-type", "Values": ["LUSTRE", "WINDOWS"]},
        {"Name": "backup-type", "Values": ["AUTOMATIC", "AWS_BACKUP"]},
    ]

    assert [ids[1]] == await described(west, Filters=filters)


@pytest.mark.parametrize(
    "filter_",
    [{}, {"Name": "backup-type"}, {"Values": ["x"]}, {"Name": "backup-type", "Values": []}],
)
async def test_filter_that_says_nothing(west, filter_) -> None:
    """
    A filter without a name or values is a BadRequest.
    """
    assert "BadRequest" == await west.code("describe_backups", Filters=[filter_])


async def test_ids_or_filters(west, ids) -> None:
    """
    Ids and filters together are a BadRequest.
    """
    filters = [{"Name": "backup-type", "Values": ["AUTOMATIC"]}]

    assert "BadRequest" == await west.code("describe_backups", BackupIds=ids, Filters=filters)


async def test_pages(west, ids) -> None:
    """
    MaxResults cuts pages; the last has no token.
    """
    first = await west("describe_backups", MaxResults=2)
    second = await west("describe_backups", MaxResults=2, NextToken=first["NextToken"])

    assert [2, 1] == [len(page["Backups"]) for page in (first, second)]
    assert "NextToken" not in second


async def test_page_size_is_a_setting(connect) -> None:
    """
    A page holds no more than the setting, whatever is asked for.
    """
    async with LocalFsx(page_size=2) as fsx:
        for _ in range(3):
            fsx.add_backup("us-west-2")

        assert 2 == len(await described(connect(fsx)))
        assert 2 == len(await described(connect(fsx), MaxResults=3))


async def test_pages_of_ids(west, ids) -> None:
    """
    Ids that are asked for come in pages as well.
    """
    first = await west("describe_backups", BackupIds=ids, MaxResults=1)

    assert ids[1:] == await described(west, BackupIds=ids, NextToken=first["NextToken"])


async def test_botocore_paginates(fsx, west) -> None:
    """
    botocore's own paginator finds all of more than two pages.
    """
    ids = [fsx.add_backup("us-west-2") for _ in range(101)]
    pages = []
    token = {}
    while True:
        page = await west("describe_backups", **token)
        pages.append([backup["BackupId"] for backup in page["Backups"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}

    assert [50, 50, 1] == [len(page) for page in pages]
    assert ids == [backup_id for page in pages for backup_id in page]


async def test_pages_are_stable(fsx, west, ids) -> None:
    """
    What comes and goes between two pages shifts nothing.
    """
    first = await west("describe_backups", MaxResults=2)
    await west("delete_backup", BackupId=ids[0])
    await west("delete_backup", BackupId=ids[1])
    new = fsx.add_backup("us-west-2")

    assert [ids[2], new] == await described(west, NextToken=first["NextToken"])


@pytest.mark.parametrize(
    "text", ["hello", "DescribeBackups/123456789012/eu-west-1/1", "DescribeBackups/1/x/y"]
)
async def test_token_of_another_listing(west, ids, text) -> None:
    """
    A token that this listing never gave is a BadRequest.
    """
    token = base64.b64encode(text.encode()).decode()

    assert "BadRequest" == await west.code("describe_backups", NextToken=token)


async def test_token_that_is_no_text(west) -> None:
    """
    A token of bytes that are no text is a BadRequest.
    """
    token = base64.b64encode(b"\xff\xfe\xfd").decode()

    assert "BadRequest" == await west.code("describe_backups", NextToken=token)


async def test_unknown_values_pass(connect, fsx) -> None:
    """
    What nobody knows yet is shown as it was put there.
    """
    backup_id = fsx.add_backup("us-west-2", Lifecycle="NEW_IN_2031", Novelty={"A": [1]})
    answer = await connect(fsx, checked=False)("describe_backups")

    assert "NEW_IN_2031" == answer["Backups"][0]["Lifecycle"]
    assert {"A": [1]} == fsx.backup("us-west-2", backup_id)["Novelty"]


@given(count=st.integers(0, 30), size=st.integers(1, 31))
def test_any_page_size_gives_the_same(count, size) -> None:
    """
    Pages of any size, one after the other, show every backup once.
    """
    fsx = LocalFsx(clock=ManualClock())
    ids = [fsx.add_backup("us-west-2") for _ in range(count)]
    place = AccountRegion("123456789012", "us-west-2")
    shown, request = [], {"MaxResults": size}
    while True:
        page = OPERATIONS["DescribeBackups"](fsx._store, place, request)
        shown += [backup["BackupId"] for backup in page["Backups"]]
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]

    assert ids == shown

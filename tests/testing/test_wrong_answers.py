"""Faults of the answer: wrong listings, and answers of other requests."""

import json

import pytest

from fsxcopy_sdk.testing import Fault, LocalFsx


@pytest.fixture(name="ids")
def _ids(fsx) -> list[str]:
    """Put five backups into us-west-2."""
    return [fsx.add_backup("us-west-2") for _ in range(5)]


async def listed(west, **parameters: object) -> tuple[list[str], str | None]:
    """Describe backups, return the ids of the page and its NextToken."""
    page = await west("describe_backups", **parameters)
    return [backup["BackupId"] for backup in page["Backups"]], page.get("NextToken")


async def test_empty_listing(fsx, west, ids) -> None:
    """An empty listing ends with its first page; the next call is answered correctly."""
    fsx.inject(Fault.empty_listing())
    assert ([], None) == await listed(west, MaxResults=2)
    assert (ids, None) == await listed(west)


@pytest.mark.parametrize("keep", [0, 1, 2, 7])
async def test_cut_listing(fsx, west, ids, keep) -> None:
    """A cut listing has the first backups of the page, and no NextToken."""
    fsx.inject(Fault.cut_listing(keep))
    assert (ids[: min(keep, 3)], None) == await listed(west, MaxResults=3)


async def test_cut_listing_on_a_later_page(fsx, west, ids) -> None:
    """The second page can be cut."""
    _, token = await listed(west, MaxResults=2)
    fsx.inject(Fault.cut_listing(keep=1))
    assert (ids[2:3], None) == await listed(west, MaxResults=2, NextToken=token)


@pytest.mark.parametrize("keep", [-1, 1.5, float("nan")])
def test_bad_keep(keep) -> None:
    """A number of backups that is malformed is refused by name."""
    with pytest.raises(ValueError, match="keep must be a whole number, zero or more"):
        Fault.cut_listing(keep)


async def test_shuffled_listing(fsx, west, ids) -> None:
    """A shuffled page has the same backups in another order, and its NextToken."""
    fsx.inject(Fault.shuffled_listing(), next_calls=2)
    page, token = await listed(west, MaxResults=4)
    assert ids[:4] != page
    assert sorted(ids[:4]) == sorted(page)
    assert (ids[4:], None) == await listed(west, MaxResults=4, NextToken=token)


async def shuffled(connect, seed, count) -> list[int]:
    """Return the order in which a page of some backups comes."""
    async with LocalFsx(seed=seed) as fsx:
        ids = [fsx.add_backup("us-west-2") for _ in range(count)]
        fsx.inject(Fault.shuffled_listing())
        page, _ = await listed(connect(fsx))
    return [ids.index(backup_id) for backup_id in page]


async def test_order_comes_from_the_seed(connect) -> None:
    """The same seed gives the same order, another one another."""
    orders = [await shuffled(connect, seed, 50) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


async def test_two_are_always_shuffled(connect) -> None:
    """Two backups are exchanged with every seed."""
    assert [[1, 0]] * 8 == [await shuffled(connect, seed, 2) for seed in range(8)]


async def test_endless_listing(fsx, west, ids) -> None:
    """Endless pages are empty, each with a NextToken of its own."""
    fsx.inject(Fault.endless_listing(), fraction=1)
    tokens = []
    parameters = {}
    for _ in range(50):
        page, token = await listed(west, **parameters)
        assert [] == page
        tokens.append(token)
        parameters = {"NextToken": token}

    assert 50 == len({*tokens})


async def test_endless_listing_that_ends(fsx, west, ids) -> None:
    """After the fault the listing continues at its position."""
    _, token = await listed(west, MaxResults=2)
    fsx.inject(Fault.endless_listing(), next_calls=2)
    for _ in range(2):
        page, token = await listed(west, NextToken=token)
        assert [] == page
    assert (ids[2:], None) == await listed(west, NextToken=token)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.empty_listing(),
        Fault.cut_listing(0),
        Fault.shuffled_listing(),
        Fault.endless_listing(),
    ],
)
async def test_listing_faults_are_for_listings(fsx, west, ids, fault) -> None:
    """Calls by ID and of other operations are answered correctly, and do not count."""
    fsx.inject(fault)
    await west("create_backup", FileSystemId="fs-00000001")
    assert (ids, None) == await listed(west, BackupIds=ids)
    assert ids != (await listed(west))[0][:5]


async def test_refused_listing_stays_refused(fsx, west) -> None:
    """A listing that is refused is not altered."""
    fsx.inject(Fault.empty_listing())
    assert "BadRequest" == await west.code("describe_backups", Filters=[{}])


@pytest.mark.parametrize(
    ("fault", "operation"),
    [(Fault.empty_listing(), "CopyBackup"), (Fault.other_answer(), "CreateBackup")],
)
def test_operations_of_faults(fault, operation) -> None:
    """A fault cannot be injected for an operation that it is not for."""
    with pytest.raises(ValueError, match="operation must be one of"):
        LocalFsx().inject(fault, operation=operation)


@pytest.mark.parametrize("after", [False, True])
async def test_other_copy(fsx, west, source, after) -> None:
    """CopyBackup answers a copy of another source, whether or not the real one is accepted."""
    fsx.inject(Fault.other_answer(), after=after)
    copy = await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2")
    held = [backup["SourceBackupId"] for backup in fsx.backups("us-west-2")]
    assert source != copy["Backup"]["SourceBackupId"]
    assert "us-east-2" == copy["Backup"]["SourceBackupRegion"]
    assert "COPYING" == copy["Backup"]["Lifecycle"]
    assert [source] * after == held


async def test_other_copy_within_a_region(fsx, west) -> None:
    """Without SourceRegion the other source is in the same Region."""
    fsx.inject(Fault.other_answer())
    copy = await west("copy_backup", SourceBackupId=fsx.add_backup("us-west-2"))
    assert "us-west-2" == copy["Backup"]["SourceBackupRegion"]


@pytest.mark.parametrize("after", [False, True])
async def test_other_deletion(fsx, west, ids, after) -> None:
    """DeleteBackup answers with another id, whether or not the backup is deleted."""
    fsx.inject(Fault.other_answer(), after=after)
    answer = await west("delete_backup", BackupId=ids[0])
    assert answer["BackupId"] not in ids
    assert "DELETED" == answer["Lifecycle"]
    assert ids[after:] == [backup["BackupId"] for backup in fsx.backups("us-west-2")]


async def test_other_backup(fsx, west, ids) -> None:
    """DescribeBackups with IDs answers another backup; listings are not affected."""
    fsx.inject(Fault.other_answer())
    await west("create_backup", FileSystemId="fs-00000001")
    first, _ = await listed(west)
    page, _ = await listed(west, BackupIds=ids[:2])

    assert ids == first[:5]
    assert 1 == len(page)
    assert page[0] not in first
    assert (ids[:2], None) == await listed(west, BackupIds=ids[:2])


async def test_other_answers_to_malformed_calls(fsx, raw_call) -> None:
    """The answer of another request is well-formed even if the request is not."""
    fsx.inject(Fault.other_answer())
    reader, _ = await raw_call(
        "Connection: close", operation="CopyBackup", body='{"SourceRegion": 7}'
    )
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert "us-west-2" == json.loads(body)["Backup"]["SourceBackupRegion"]

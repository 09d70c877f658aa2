"""
Copies that DescribeBackups does not show yet, and tokens that are forgotten.
"""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest

from fsxcopy_sdk.testing import LocalFsx


@pytest.fixture(name="accept")
def _accept(connect) -> Callable[[LocalFsx], tuple]:
    """
    Return a function that makes a client of an FSx, and a function that copies with it.
    """

    def accept(fsx: LocalFsx) -> tuple:
        west = connect(fsx)
        source = fsx.add_example_backup()

        async def copy(**members: object) -> dict:
            answer = await west(
                "copy_backup", SourceBackupId=source, SourceRegion="us-east-2", **members
            )
            return answer["Backup"]

        return west, copy

    return accept


async def shown(west, backup_id) -> tuple[bool, bool]:
    """
    Tell whether a backup is known by id, and whether it is listed.
    """
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
async def test_copy_is_unseen_for_a_while(clock, accept, unseen_by, expected) -> None:
    """
    A new copy is not shown for the time that is set, by the calls that are set.
    """
    async with LocalFsx(
        clock=clock, unseen_for=90, unseen_by=unseen_by, unknown_ids="omit"
    ) as fsx:
        west, copy = accept(fsx)
        backup_id = (await copy())["BackupId"]
        at_once = await shown(west, backup_id)
        clock.advance(89)
        late = await shown(west, backup_id)
        clock.advance(1)

        assert [expected, expected] == [at_once, late]
        assert (True, True) == await shown(west, backup_id)


async def test_unseen_id_is_not_found(clock, accept) -> None:
    """
    An unseen id is BackupNotFound, as any unknown id.
    """
    async with LocalFsx(clock=clock, unseen_for=timedelta(minutes=2)) as fsx:
        west, copy = accept(fsx)
        ids = [(await copy())["BackupId"]]
        clock.advance(119)

        assert "BackupNotFound" == await west.code("describe_backups", BackupIds=ids)


async def test_unseen_copy_exists(clock, accept) -> None:
    """
    An unseen copy answers to its token, is in progress, and is shown to the test.
    """
    async with LocalFsx(clock=clock, unseen_for=math.inf, max_copies_in_progress=1) as fsx:
        west, copy = accept(fsx)
        first = await copy(ClientRequestToken="t")
        again = await copy(ClientRequestToken="t")
        error = await west.error(
            "copy_backup", SourceBackupId=first["SourceBackupId"], SourceRegion="us-east-2"
        )

        assert first == again
        assert "TOTAL_IN_PROGRESS_COPY_BACKUPS" == error["Limit"]
        assert 1 == fsx.copies_in_progress("us-west-2")
        assert "COPYING" == fsx.backup("us-west-2", first["BackupId"])["Lifecycle"]
        assert 1 == len(fsx.backups("us-west-2"))


async def test_unseen_by_id_of_the_copy(clock, accept) -> None:
    """
    A function from the copy's id decides for each copy.
    """
    asked = []

    def unseen_for(copy_id: str) -> float:
        asked.append(copy_id)
        return 10.0 * len(asked)

    async with LocalFsx(clock=clock, unseen_for=unseen_for) as fsx:
        west, copy = accept(fsx)
        ids = [(await copy())["BackupId"] for _ in range(2)]
        clock.advance(15)
        listed = (await west("describe_backups"))["Backups"]

    assert ids == asked
    assert ids[:1] == [backup["BackupId"] for backup in listed]


async def test_other_backups_are_seen_at_once(clock, connect) -> None:
    """
    Only copies are unseen: new backups, and those that a test adds, are shown.
    """
    async with LocalFsx(clock=clock, unseen_for=90) as fsx:
        west = connect(fsx)
        added = fsx.add_backup("us-west-2")
        created = await west("create_backup", FileSystemId="fs-00000001")
        listed = (await west("describe_backups"))["Backups"]

    assert [added, created["Backup"]["BackupId"]] == [backup["BackupId"] for backup in listed]


async def test_token_is_forgotten(clock, accept) -> None:
    """
    A token that is forgotten makes a new copy, with whatever parameters, and is known again.
    """
    async with LocalFsx(clock=clock, tokens_remembered_for=timedelta(seconds=60)) as fsx:
        _, copy = accept(fsx)
        first = await copy(ClientRequestToken="t")
        clock.advance(59)
        remembered = await copy(ClientRequestToken="t")
        clock.advance(1)
        second = await copy(ClientRequestToken="t", CopyTags=True)
        again = await copy(ClientRequestToken="t", CopyTags=True)

    ids = [one["BackupId"] for one in (first, remembered, second, again)]
    assert ids[0] == ids[1] != ids[2] == ids[3]


async def test_tokens_that_are_never_remembered(clock, accept) -> None:
    """
    With zero seconds every request makes a copy.
    """
    async with LocalFsx(clock=clock, tokens_remembered_for=0) as fsx:
        _, copy = accept(fsx)
        ids = {(await copy(ClientRequestToken="t"))["BackupId"] for _ in range(2)}

    assert 2 == len(ids)


async def test_tokens_are_remembered_for_ever(clock, accept) -> None:
    """
    Unless something else is set, a token is not forgotten.
    """
    async with LocalFsx(clock=clock) as fsx:
        _, copy = accept(fsx)
        first = await copy(ClientRequestToken="t")
        clock.advance(1e9)
        again = await copy(ClientRequestToken="t")

    assert first["BackupId"] == again["BackupId"]

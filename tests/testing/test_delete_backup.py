"""DeleteBackup."""

import pytest


async def test_deletes(fsx, west) -> None:
    """A backup that is deleted is gone."""
    backup_id = fsx.add_backup("us-west-2")
    answer = await west("delete_backup", BackupId=backup_id)
    assert (backup_id, "DELETED") == (answer["BackupId"], answer["Lifecycle"])
    assert [] == fsx.backups("us-west-2")
    with pytest.raises(KeyError):
        fsx.backup("us-west-2", backup_id)


async def test_unknown(west) -> None:
    """A backup that does not exist cannot be deleted."""
    assert "BackupNotFound" == await west.code("delete_backup", BackupId="backup-00000000")


async def test_failed_backup(fsx, west) -> None:
    """A FAILED backup can be deleted."""
    backup_id = fsx.add_backup("us-west-2", Lifecycle="FAILED")
    assert "DELETED" == (await west("delete_backup", BackupId=backup_id))["Lifecycle"]


@pytest.mark.parametrize("lifecycle", ["COPYING", "CREATING", "TRANSFERRING", "NEW_IN_2031"])
async def test_in_progress(fsx, west, lifecycle) -> None:
    """A backup that is not finished cannot be deleted."""
    backup_id = fsx.add_backup("us-west-2", Lifecycle=lifecycle)
    assert "BackupInProgress" == await west.code("delete_backup", BackupId=backup_id)


async def test_being_copied(clock, connect, fsx, west, source) -> None:
    """A source cannot be deleted while copied, nor for a minute afterwards."""
    east = connect(fsx, "us-east-2")
    await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2")
    errors = []
    for seconds in (0, 100, 59.9):
        clock.advance(seconds)
        errors.append(await east.error("delete_backup", BackupId=source))
    clock.advance(0.2)
    answer = await east("delete_backup", BackupId=source)

    assert ["BackupBeingCopied"] * 3 == [error["Error"]["Code"] for error in errors]
    assert source == errors[0]["BackupId"]
    assert "DELETED" == answer["Lifecycle"]


async def test_failed_copy_frees_its_source(connect, fsx, west, source) -> None:
    """The source of a copy that failed can be deleted at once."""
    answer = await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2")
    fsx.fail_copy(answer["Backup"]["BackupId"], "The disk is on fire.")
    deleted = await connect(fsx, "us-east-2")("delete_backup", BackupId=source)
    assert "DELETED" == deleted["Lifecycle"]


async def test_same_token_again(fsx, west) -> None:
    """The same request with the same token is answered as before."""
    backup_id = fsx.add_backup("us-west-2")
    first = await west("delete_backup", BackupId=backup_id, ClientRequestToken="t")
    again = await west("delete_backup", BackupId=backup_id, ClientRequestToken="t")
    assert "DELETED" == first["Lifecycle"] == again["Lifecycle"]


async def test_same_token_other_backup(fsx, west) -> None:
    """The same token for another backup is an error that names the token."""
    one, other = fsx.add_backup("us-west-2"), fsx.add_backup("us-west-2")
    await west("delete_backup", BackupId=one, ClientRequestToken="t")
    error = await west.error("delete_backup", BackupId=other, ClientRequestToken="t")
    assert "IncompatibleParameterError" == error["Error"]["Code"]
    assert "ClientRequestToken" == error["Parameter"]

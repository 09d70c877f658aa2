"""Programs that wait for a local FSx whose clock stands still."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from fsxcopy_sdk.testing import LocalFsx, ManualClock

TIMEOUT = 0.05
IDS = {"BackupIds": ["backup-00000001"]}


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    """Return a clock for which programs wait in vain for a moment only."""
    return ManualClock(stall_timeout=TIMEOUT)


@pytest.fixture(name="fsx")
async def _fsx(clock) -> AsyncIterator[LocalFsx]:
    """Serve a local FSx where a copy takes 100 seconds of the clock."""
    async with LocalFsx(clock=clock, copy_duration=100) as fsx:
        yield fsx


@pytest.fixture(name="west")
async def _west(fsx, connect) -> Callable[..., Awaitable[dict]]:
    """Return a client of us-west-2 whose model need not know the error."""
    return connect(fsx, checked=False)


async def code_of_third(west, operation: str, **request: object) -> str:
    """Make a call three times, later than the clock may stand still; return the last's error."""
    codes = []
    for _ in range(3):
        try:
            await west(operation, **request)
        except west.client.exceptions.ClientError as error:
            codes.append(error.response["Error"]["Code"])
        else:
            codes.append("")
        time.sleep(TIMEOUT / 2)  # noqa: ASYNC251 - the machine's time is what counts
    assert "ClockStalled" not in codes[:2]
    return codes[-1]


@pytest.fixture(name="copied")
async def _copied(west, source) -> str:
    """Begin a copy, and return its ID."""
    copy = await west("copy_backup", SourceBackupId=source, SourceRegion="us-east-2")
    return copy["Backup"]["BackupId"]


@pytest.mark.parametrize("by_id", [True, False])
async def test_poll(west, copied, by_id: bool) -> None:
    """The third poll for a copy is refused, and says what to do; other requests are not."""
    request = {"BackupIds": [copied]} if by_id else {}
    assert "ClockStalled" == await code_of_third(west, "describe_backups", **request)
    error = await west.error("describe_backups", **request)
    assert "Advance the clock" in error["Error"]["Message"]
    await west("describe_backups", MaxResults=7)
    await west("describe_file_systems")


async def test_every_move_counts(clock, west, copied) -> None:
    """A clock that moves between two calls has not stood still."""
    for _ in range(4):
        await west("describe_backups", BackupIds=[copied])
        clock.advance(1)
        time.sleep(TIMEOUT)  # noqa: ASYNC251 - the machine's time is what counts


@pytest.mark.parametrize("end", ["clock", "set_lifecycle", "fail_copy", "delete_backup"])
async def test_nothing_to_wait_for(clock, fsx, west, copied, end: str) -> None:
    """Where nothing is in progress by the clock, every program may ask as often as it likes."""
    match end:
        case "clock":
            clock.advance(100)
        case "set_lifecycle":
            fsx.set_lifecycle(copied, "COPYING")
        case "fail_copy":
            fsx.fail_copy(copied, "no")
        case "delete_backup":
            fsx.delete_backup(copied)
    assert "" == await code_of_third(west, "describe_backups")


async def test_other_accounts_do_not_wait(fsx, connect, copied) -> None:
    """A backup of another account is none that a program waits for."""
    other = connect(fsx, key="AKIDOTHER", checked=False)
    assert "" == await code_of_third(other, "describe_backups")


async def test_busy_source(clock, fsx, west) -> None:
    """A source that was just copied cannot be deleted: a program that tries again waits."""
    source = fsx.add_backup("us-west-2")
    await west("copy_backup", SourceBackupId=source)
    clock.advance(101)
    assert "" == await code_of_third(west, "describe_backups")
    assert "ClockStalled" == await code_of_third(west, "delete_backup", BackupId=source)
    clock.advance(60)
    await west("delete_backup", BackupId=source)


async def test_full_quota(fsx, west) -> None:
    """A request with a token of each attempt's own is the same request."""
    sources = [fsx.add_backup("us-west-2") for _ in range(6)]
    for source in sources[:5]:
        await west("copy_backup", SourceBackupId=source)
    assert "ClockStalled" == await code_of_third(west, "copy_backup", SourceBackupId=sources[5])
    assert 5 == fsx.copies_in_progress("us-west-2")


async def test_unseen_copy(connect) -> None:
    """A copy that is not shown yet is waited for, too."""
    clock = ManualClock(stall_timeout=TIMEOUT)
    async with LocalFsx(clock=clock, copy_duration=0, unseen_for=10) as fsx:
        west = connect(fsx, checked=False)
        copy = await west("copy_backup", SourceBackupId=fsx.add_backup("us-west-2"))
        request = {"BackupIds": [copy["Backup"]["BackupId"]]}
        assert "ClockStalled" == await code_of_third(west, "describe_backups", **request)


async def test_no_timeout(connect) -> None:
    """Without a stall_timeout a clock may stand still for ever."""
    async with LocalFsx(clock=ManualClock()) as fsx:
        west = connect(fsx)
        await west("copy_backup", SourceBackupId=fsx.add_backup("us-west-2"))
        assert "" == await code_of_third(west, "describe_backups")

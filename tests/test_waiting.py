"""Watching and waiting, on a clock that moves as soon as a task sleeps on it."""

from __future__ import annotations

import asyncio
import logging
import pickle
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import anyio
import attrs
import pytest
from bulk_rig import WEST, Direct

from fsxcopy_sdk import (
    AccessDenied,
    Backup,
    BackupCopyFailed,
    BackupLifecycle,
    BackupNotFound,
    ClientNotOpen,
    FsxCopyClient,
    FsxCopyError,
    InvalidArguments,
    ResponseDecodingError,
    Throttled,
    WaitSchedule,
    WaitTimeout,
)
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect

SOURCE = "backup-03e3c82e0183b7b6b"
DESTINATION = "us-west-2"
EVERY_TEN = WaitSchedule(min_delay=10, max_delay=10)


@attrs.frozen
class Copy:
    """A copy in progress at a local FSx, and the client that waits for it."""

    client: FsxCopyClient
    fsx: LocalFsx
    id: str

    async def wait(self, **options: Any) -> Backup:
        return await self.client.wait_until_backup_available(self.id, **options)

    def watch(self, schedule: WaitSchedule = EVERY_TEN) -> AsyncIterator[Backup]:
        return self.client.watch_backup(self.id, schedule=schedule)


@pytest.fixture(name="copy")
async def _copy(client: FsxCopyClient, fsx: LocalFsx) -> Copy:
    """A copy in progress."""
    response = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
    return Copy(client, fsx, response.backup.backup_id)


async def test_a_wait_returns_the_available_backup(copy: Copy) -> None:
    """The result is the last observation of the backup."""
    backup = await copy.wait()
    assert (copy.id, BackupLifecycle.AVAILABLE) == (backup.backup_id, backup.lifecycle)


@pytest.mark.parametrize(("max_wait", "expected"), [(100, 10), (10, 10), (4, 4), (0, 0)])
async def test_what_was_just_seen_is_not_polled_at_once(
    copy: Copy, clock: ManualClock, max_wait: float, expected: float
) -> None:
    """The first poll comes after the first delay, or on the deadline if that is sooner."""
    seen = await copy.client.describe_backup(copy.id)
    begun = clock.now()
    observations = copy.client.watch_backup(
        copy.id, max_wait=max_wait, schedule=EVERY_TEN, last_seen=seen
    )
    await anext(observations)
    await observations.aclose()
    assert expected == clock.now() - begun


async def test_what_was_just_seen_counts_for_the_prediction(connect: Connect) -> None:
    """It saves one poll, and no others come later than without it."""
    polled: list[list[float]] = []
    for is_given in (False, True):
        clock = ManualClock(auto_advance=True)
        fsx = LocalFsx(clock=clock, copy_duration=1000.0)
        async with fsx, connect(fsx, clock=clock) as client:
            backup = (await client.copy_backup(fsx.add_backup(DESTINATION))).backup
            seen = backup if is_given else None
            async for _ in client.watch_backup(backup.backup_id, last_seen=seen):
                pass
            polled.append([one.at for one in fsx.requests if one.operation == "DescribeBackups"])
    without, with_it = polled
    assert 0.0 == without[0] < with_it[0] == 5.0
    assert len(with_it) <= len(without)
    assert with_it[-1] <= 1005.0


async def test_what_was_just_seen_is_a_backup(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """Anything else is refused before the network, another backup too."""
    other = await client.describe_backup(fsx.add_backup(DESTINATION))
    with pytest.raises(InvalidArguments, match="must be an observation of backup-00000000, not b"):
        client.watch_backup("backup-00000000", last_seen=other)
    with pytest.raises(InvalidArguments, match="last_seen"):
        client.watch_backup("backup-00000000", last_seen="COPYING")  # type: ignore[arg-type]  # it


async def test_a_wait_ends_within_the_maximum_delay(clock: ManualClock, connect: Connect) -> None:
    """The wait returns at most one delay after the end of the copy."""
    async with LocalFsx(clock=clock, copy_duration=1000) as fsx:
        source = fsx.add_backup(DESTINATION)
        async with connect(fsx) as client:
            started = clock.now()
            response = await client.copy_backup(source)
            await client.wait_until_backup_available(response.backup.backup_id)
    assert 1000 <= clock.now() - started <= 1000 + 120


async def test_a_watch_yields_every_observation(copy: Copy) -> None:
    """The first comes at once, the last is AVAILABLE, and progress only grows."""
    seen = [backup async for backup in copy.watch()]
    assert BackupLifecycle.COPYING is seen[0].lifecycle
    assert BackupLifecycle.AVAILABLE is seen[-1].lifecycle
    progress = [backup.progress_percent or 0 for backup in seen]
    assert sorted(progress) == progress
    assert len(seen) == copy.fsx.calls["DescribeBackups"]


async def test_an_unknown_lifecycle_does_not_end_a_wait(copy: Copy) -> None:
    """An unknown lifecycle is yielded, and the wait continues."""
    copy.fsx.set_lifecycle(copy.id, "POLISHING")
    seen = []
    async for backup in copy.watch():
        seen.append(backup.lifecycle)
        if len(seen) == 2:
            copy.fsx.set_lifecycle(copy.id, "AVAILABLE")
    assert ["POLISHING", "POLISHING", "AVAILABLE"] == seen


async def test_a_failed_copy_raises_with_its_reason(copy: Copy) -> None:
    """The error has the last observation and the reason that the service gives."""
    copy.fsx.fail_copy(copy.id, "The key was disabled.")
    with pytest.raises(BackupCopyFailed, match="The key was disabled.") as caught:
        await copy.wait()
    error = caught.value
    assert (copy.id, 1, 0.0) == (error.backup_id, error.polls, error.elapsed)
    assert BackupLifecycle.FAILED is error.last_backup.lifecycle
    assert "The key was disabled." == error.reason


async def test_a_deleted_copy_raises_without_a_reason(copy: Copy) -> None:
    """A deleted backup will never be AVAILABLE."""
    copy.fsx.set_lifecycle(copy.id, "DELETED")
    with pytest.raises(BackupCopyFailed, match="gives no reason") as caught:
        await copy.wait()
    assert caught.value.reason is None


@pytest.mark.parametrize("max_wait", [95, timedelta(seconds=95)], ids=["seconds", "timedelta"])
async def test_a_wait_times_out_on_its_deadline(copy: Copy, max_wait: float | timedelta) -> None:
    """The last poll falls on the deadline, and the error says how far the copy was."""
    with pytest.raises(WaitTimeout) as caught:
        await copy.wait(max_wait=max_wait, schedule=EVERY_TEN)
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert (95.0, 95.0, 11) == (error.elapsed, error.max_wait, error.polls)
    assert error.last_backup is not None
    assert BackupLifecycle.COPYING is error.last_backup.lifecycle


async def test_a_wait_of_no_time_is_one_poll(copy: Copy) -> None:
    """With a max_wait of zero, the backup is polled once."""
    with pytest.raises(WaitTimeout) as caught:
        await copy.wait(max_wait=0)
    assert 1 == caught.value.polls


async def test_transient_errors_are_survived(copy: Copy) -> None:
    """Throttling, server errors, broken connections and pages of a proxy do not end a wait."""
    faults = (Fault.throttling(), Fault.unavailable(), Fault.html(502), Fault.reset())
    for fault in (*faults, Fault.html(200), Fault.empty()):
        copy.fsx.inject(fault)
    assert BackupLifecycle.AVAILABLE is (await copy.wait()).lifecycle


async def test_a_timeout_has_the_last_failure(copy: Copy) -> None:
    """The last error that was survived is the cause of the timeout."""
    copy.fsx.inject(Fault.throttling(), next_calls=100)
    with pytest.raises(WaitTimeout, match="never observed; last failure: Throttling") as caught:
        await copy.wait(max_wait=60)
    assert isinstance(caught.value.__cause__, Throttled)
    assert caught.value.last_backup is None


async def test_a_missing_permission_ends_the_wait(copy: Copy) -> None:
    """An error that waiting does not cure is raised at once, with a note on the wait."""
    copy.fsx.inject(Fault.error("AccessDeniedException", "no"))
    with pytest.raises(AccessDenied) as caught:
        await copy.wait()
    assert [f"while waiting for {copy.id}: poll 1, after 0 s"] == caught.value.__notes__


async def test_an_answer_of_the_wrong_form_ends_the_wait(copy: Copy) -> None:
    """JSON that is not an answer is not expected to become one."""
    copy.fsx.inject(Fault.null())
    with pytest.raises(ResponseDecodingError, match="must be an object"):
        await copy.wait()


@pytest.mark.parametrize("unknown_ids", ["error", "omit"])
async def test_not_found_is_tolerated_at_first(
    clock: ManualClock, connect: Connect, unknown_ids: Literal["error", "omit"]
) -> None:
    """A backup that stays unknown for longer than the grace ends the wait."""
    schedule = attrs.evolve(EVERY_TEN, not_found_grace=20)
    async with LocalFsx(clock=clock, unknown_ids=unknown_ids) as fsx, connect(fsx) as client:
        with pytest.raises(BackupNotFound) as caught:
            await client.wait_until_backup_available("backup-00000000", schedule=schedule)
    assert ["while waiting for backup-00000000: poll 4, after 30 s"] == caught.value.__notes__


async def test_a_backup_that_appears_late_is_found(copy: Copy) -> None:
    """A copy that is not visible yet does not end the wait."""
    copy.fsx.inject(Fault.error("BackupNotFound", "not yet"), next_calls=2)
    assert BackupLifecycle.AVAILABLE is (await copy.wait()).lifecycle


async def test_a_backup_that_vanishes_ends_the_wait_after_its_grace(copy: Copy) -> None:
    """The grace of a backup that was seen begins with the first poll that does not find it."""
    schedule = attrs.evolve(EVERY_TEN, not_found_grace=20)
    with pytest.raises(BackupNotFound) as caught:
        async for _ in copy.watch(schedule):
            if copy.fsx.calls["DescribeBackups"] == 10:
                copy.fsx.inject(Fault.error("BackupNotFound", "gone"), next_calls=100)
    # Seen last at 90 s, missed first at 100 s.
    assert [f"while waiting for {copy.id}: poll 14, after 130 s"] == caught.value.__notes__


async def test_a_backup_may_be_unknown_now_and_then(copy: Copy) -> None:
    """Only an uninterrupted absence counts: one server may know what another does not."""
    schedule = attrs.evolve(EVERY_TEN, not_found_grace=20)
    async for seen in copy.watch(schedule):
        copy.fsx.inject(Fault.error("BackupNotFound", "not here"), next_calls=3)
        last = seen
    assert BackupLifecycle.AVAILABLE is last.lifecycle
    assert copy.fsx.calls["DescribeBackups"] > 20


async def test_a_failure_does_not_end_an_absence(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """A throttled poll does not interrupt an absence."""
    schedule = attrs.evolve(EVERY_TEN, not_found_grace=15)
    fsx.inject(Fault.error("BackupNotFound", "no"))
    fsx.inject(Fault.throttling())
    with pytest.raises(BackupNotFound) as caught:
        await client.wait_until_backup_available("backup-00000000", schedule=schedule)
    assert ["while waiting for backup-00000000: poll 3, after 20 s"] == caught.value.__notes__


@pytest.mark.parametrize("max_wait", [600.0, timedelta(minutes=10)], ids=["seconds", "timedelta"])
@pytest.mark.parametrize("is_seen_first", [False, True])
async def test_a_grace_as_long_as_the_wait_lasts_until_the_deadline(
    copy: Copy, max_wait: float | timedelta, is_seen_first: bool
) -> None:
    """A backup that stays unknown then ends in a timeout, with the last observation."""
    schedule = attrs.evolve(EVERY_TEN, not_found_grace=max_wait)
    unknown = Fault.error("BackupNotFound", "not yet")
    if not is_seen_first:
        copy.fsx.inject(unknown, fraction=1, operation="DescribeBackups")
    seen = []
    with pytest.raises(WaitTimeout) as caught:
        async for one in copy.client.watch_backup(copy.id, max_wait=max_wait, schedule=schedule):
            seen.append(one)
            copy.fsx.inject(unknown, fraction=1, operation="DescribeBackups")

    assert 600 == caught.value.elapsed
    assert isinstance(caught.value.__cause__, BackupNotFound)
    assert (seen[-1] if is_seen_first else None) == caught.value.last_backup


async def test_two_thousand_waits_in_a_wrong_region(connect: Connect, clock: ManualClock) -> None:
    """All end with BackupNotFound, after hundreds of calls."""
    async with LocalFsx(clock=clock) as fsx:
        for _ in range(500):
            fsx.add_backup(DESTINATION)
        async with connect(fsx) as client:
            ids = [f"backup-{number:017x}" for number in range(2000)]
            results = await asyncio.gather(
                *(client.wait_until_backup_available(one) for one in ids), return_exceptions=True
            )

    assert {BackupNotFound} == {type(result) for result in results}
    assert fsx.calls["DescribeBackups"] < 600


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"backup_id": "backup-1"}, "backup_id"),
        ({"max_wait": -1}, "max_wait"),
        ({"max_wait": "soon"}, "max_wait"),
        ({"schedule": None}, "schedule"),
    ],
    ids=["id", "negative", "text", "schedule"],
)
async def test_bad_arguments_of_a_wait(
    client: FsxCopyClient, fsx: LocalFsx, arguments: dict[str, object], name: str
) -> None:
    """The error names the argument, and nothing is sent."""
    with pytest.raises(InvalidArguments, match=f"^{name}: "):
        await client.wait_until_backup_available(**{"backup_id": SOURCE, **arguments})  # type: ignore[arg-type]  # bad on purpose
    assert 0 == fsx.calls["DescribeBackups"]


async def test_polls_are_logged(copy: Copy, caplog: pytest.LogCaptureFixture) -> None:
    """Each poll leaves a record with data at debug level, and the outcome one at info level."""
    caplog.set_level(logging.DEBUG, logger="fsxcopy_sdk.waiting")
    seen = [one async for one in copy.watch()]

    first, *_, last = caplog.records
    assert len(seen) == len(caplog.records)
    assert f"{copy.id}: COPYING, next poll in 10.0 s" == first.getMessage()
    assert f"{copy.id}: AVAILABLE, done" == last.getMessage()
    expected = {
        "backup_id": copy.id,
        "lifecycle": "COPYING",
        "progress_percent": 0,
        "next_delay": 10.0,
        "batch_size": 1,
    }
    assert expected.items() <= vars(first).items()
    assert (logging.DEBUG, logging.INFO) == (first.levelno, last.levelno)


async def test_failed_polls_are_logged(copy: Copy, caplog: pytest.LogCaptureFixture) -> None:
    """The record of a failed poll has the name of the error."""
    caplog.set_level(logging.DEBUG, logger="fsxcopy_sdk.waiting")
    copy.fsx.inject(Fault.throttling())
    copy.fsx.inject(Fault.error("AccessDeniedException", "no"))
    with suppress(AccessDenied):
        await copy.wait(schedule=EVERY_TEN)

    assert [
        f"{copy.id}: not seen yet, next poll in 10.0 s after Throttled",
        f"{copy.id}: not seen yet, ended by AccessDenied",
    ] == [record.getMessage() for record in caplog.records]


async def test_a_third_failure_is_a_warning(copy: Copy, caplog: pytest.LogCaptureFixture) -> None:
    """Repeated failures are one warning, not one each; a success in between allows another."""
    caplog.set_level(logging.DEBUG, logger="fsxcopy_sdk.waiting")
    copy.fsx.inject(Fault.throttling(), next_calls=5)
    seen = 0
    async for _ in copy.watch():
        seen += 1
        if seen == 1:
            copy.fsx.inject(Fault.throttling(), next_calls=4)

    levels = [record.levelno == logging.WARNING for record in caplog.records]
    assert [2, 8] == [number for number, is_warning in enumerate(levels) if is_warning]


def test_nothing_is_printed_without_a_logging_configuration() -> None:
    """Python's handler of last resort does not print warnings."""
    program = "import fsxcopy_sdk.client, logging; logging.getLogger('fsxcopy_sdk').error('x')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (b"", b"") == (done.stdout, done.stderr)


async def test_copy_and_wait_returns_the_copy(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """One call copies, with all arguments of `copy_backup`, and waits."""
    backup = await client.copy_backup_and_wait(
        SOURCE,
        source_region=EXAMPLE_REGION,
        kms_key_id="alias/dr",
        copy_tags=True,
        tags={"Purpose": "dr"},
        client_request_token="mine",
        schedule=EVERY_TEN,
    )

    assert (BackupLifecycle.AVAILABLE, SOURCE) == (backup.lifecycle, backup.source_backup_id)
    assert {"Name": "MyBackup", "Purpose": "dr"} == {tag.key: tag.value for tag in backup.tags}
    (request,) = (one for one in fsx.requests if one.operation == "CopyBackup")
    assert {"KmsKeyId": "alias/dr", "ClientRequestToken": "mine"}.items() <= request.body.items()


@pytest.mark.parametrize(
    ("fault", "max_wait", "expected"),
    [
        (None, 60, WaitTimeout),
        (Fault.error("AccessDeniedException", "no"), 3600, AccessDenied),
        (Fault.error("BackupNotFound", "not yet"), 3600, WaitTimeout),
    ],
    ids=["deadline", "permission", "unknown"],
)
async def test_copy_and_wait_never_loses_the_copy(
    client: FsxCopyClient,
    fsx: LocalFsx,
    fault: Fault | None,
    max_wait: float,
    expected: type[FsxCopyError],
) -> None:
    """After the copy was accepted every exception has its id, even after pickling."""
    if fault:
        fsx.inject(fault, fraction=1, operation="DescribeBackups")
    with pytest.raises(expected) as caught:
        await client.copy_backup_and_wait(SOURCE, source_region=EXAMPLE_REGION, max_wait=max_wait)
    (copy,) = fsx.backups(DESTINATION)
    assert copy["BackupId"] == caught.value.accepted_backup_id
    assert copy["BackupId"] == pickle.loads(pickle.dumps(caught.value)).accepted_backup_id


async def test_copy_and_wait_tolerates_an_absence(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """The copy was accepted, so its absence is not an error."""
    fsx.inject(
        Fault.error("BackupNotFound", "not yet"), next_calls=60, operation="DescribeBackups"
    )
    backup = await client.copy_backup_and_wait(
        SOURCE, source_region=EXAMPLE_REGION, schedule=EVERY_TEN
    )

    assert BackupLifecycle.AVAILABLE is backup.lifecycle
    assert 61 == fsx.calls["DescribeBackups"]


async def test_a_refused_copy_was_not_accepted(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """An error of CopyBackup itself has no id of a copy."""
    fsx.inject(Fault.error("BackupNotFound", "no"), operation="CopyBackup")
    with pytest.raises(BackupNotFound) as caught:
        await client.copy_backup_and_wait(SOURCE, source_region=EXAMPLE_REGION)
    assert caught.value.accepted_backup_id is None


async def test_a_cancelled_copy_and_wait_names_the_copy(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """A note on the cancellation has the id of the copy, and so has an earlier log record."""
    caplog.set_level(logging.INFO, logger="fsxcopy_sdk.client")
    clock = ManualClock()
    async with LocalFsx(clock=clock) as fsx:
        fsx.add_example_backup()
        async with connect(fsx, clock=clock) as client:
            task = asyncio.create_task(
                client.copy_backup_and_wait(SOURCE, source_region=EXAMPLE_REGION)
            )
            await clock.until_sleeping()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            copy_id = fsx.backups(DESTINATION)[0]["BackupId"]

    assert [f"the copy was accepted: {copy_id}"] == caught.value.__notes__
    assert [copy_id] == [vars(record)["backup_id"] for record in caplog.records]


@pytest.mark.parametrize("bad", [{"max_wait": -1}, {"schedule": None}, {"source_backup_id": "x"}])
async def test_bad_arguments_copy_nothing(
    client: FsxCopyClient, fsx: LocalFsx, bad: dict[str, object]
) -> None:
    """Arguments of the wait are checked before the copy is requested."""
    with pytest.raises(InvalidArguments, match=f"^{next(iter(bad))}: "):
        await client.copy_backup_and_wait(**{"source_backup_id": SOURCE, **bad})  # type: ignore[arg-type]  # bad on purpose
    assert not fsx.requests


async def test_many_waits_survive_a_bad_service(connect: Connect, clock: ManualClock) -> None:
    """With 30 % of the polls throttled, 10 % reset and 5 % unavailable, each ends correctly."""
    source = random.Random(3)
    durations: dict[str, float] = {}
    async with LocalFsx(
        clock=clock, copy_duration=durations.__getitem__, max_copies_in_progress=500, seed=7
    ) as fsx:
        durations.update(
            (fsx.add_backup(DESTINATION), source.uniform(60, 1800)) for _ in range(500)
        )
        async with connect(fsx) as client:
            copies = [(await client.copy_backup(one)).backup.backup_id for one in durations]
            for copy_id in copies[::25]:
                fsx.fail_copy(copy_id, "The key was disabled.")
            # Each fraction is of the calls that the faults before it leave.
            fsx.inject(Fault.throttling(), fraction=0.30, operation="DescribeBackups")
            fsx.inject(Fault.reset(), fraction=0.10 / 0.70, operation="DescribeBackups")
            fsx.inject(Fault.unavailable(), fraction=0.05 / 0.60, operation="DescribeBackups")
            results = await asyncio.gather(
                *(client.wait_until_backup_available(one, max_wait=7200) for one in copies),
                return_exceptions=True,
            )

    for copy_id, result in zip(copies, results, strict=True):
        if copy_id in copies[::25]:
            assert isinstance(result, BackupCopyFailed)
            assert (copy_id, "The key was disabled.") == (result.backup_id, result.reason)
        else:
            assert isinstance(result, Backup)
            assert (copy_id, BackupLifecycle.AVAILABLE) == (result.backup_id, result.lifecycle)


@pytest.mark.parametrize("rounds", [0, 3, 10, 30, 100, 300])
async def test_closing_the_client_ends_its_waits(
    connect: Connect, caplog: pytest.LogCaptureFixture, rounds: int
) -> None:
    """Asleep or in the middle of a call, each wait ends with ClientNotOpen at once."""
    clock = ManualClock()
    async with LocalFsx(clock=clock) as fsx:
        fsx.add_example_backup()
        async with connect(fsx, clock=clock) as client:
            copies = [
                (await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)).backup.backup_id
                for _ in range(5)
            ]
            waits = [
                asyncio.create_task(client.wait_until_backup_available(one)) for one in copies
            ]
            for _ in range(rounds):
                await asyncio.sleep(0)
        results = await asyncio.gather(*waits, return_exceptions=True)

    assert [ClientNotOpen] * 5 == [type(result) for result in results]
    assert not caplog.records


class HurryingClock:
    """A clock on which 0.7 seconds pass between any two readings, as on a busy machine."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Tell the time, and let some pass."""
        self._now += 0.7
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Sleep, but as event loops do it not for less than nothing."""
        await anyio.sleep(min(seconds, 0.0))
        self._now += seconds


async def test_time_that_passes_before_a_sleep_ends_no_wait() -> None:
    """If a poll is due when the sleep before it begins, it is made at once."""
    clock = HurryingClock()
    fsx = LocalFsx(clock=clock, copy_duration=300)
    client = FsxCopyClient(transport=Direct(fsx, WEST), clock=clock)
    copy = await client.copy_backup(fsx.add_backup(WEST))
    schedule = WaitSchedule(min_delay=1, max_delay=2)
    backup = await client.wait_until_backup_available(copy.backup.backup_id, schedule=schedule)
    assert backup.lifecycle == "AVAILABLE"

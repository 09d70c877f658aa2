"""Triggers: made again from JSON, sharing a client, and sending one small event each."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from typing import Any

import pytest
from airflow_tasks import LOCAL, REGION, SOURCE_REGION, copies, event_of, on_clock, tokens

from fsxcopy_sdk.airflow import (
    FsxBackupAvailableTrigger,
    FsxCopyBackupsTrigger,
    FsxCopyBackupTrigger,
    FsxSyncTrigger,
)
from fsxcopy_sdk.airflow._triggers import FsxTrigger
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

_UNKNOWN = "backup-0123456789abcdef0"
_DAY = 86400.0
_DENIED = Fault.error("AccessDeniedException")


def _begin(source: str, **members: Any) -> FsxCopyBackupTrigger:
    request = {
        "SourceBackupId": source,
        "SourceRegion": SOURCE_REGION,
        "ClientRequestToken": "airflow-first",
    }
    given = {"tries": 1, "max_wait": _DAY, **members}
    return FsxCopyBackupTrigger(request=request, **given, **LOCAL)


def _wait(backup_id: str, seconds: float = _DAY, **members: Any) -> FsxBackupAvailableTrigger:
    return FsxBackupAvailableTrigger(
        backup_id=backup_id, deadline=time.time() + seconds, **members, **LOCAL
    )


@pytest.mark.parametrize(
    "trigger",
    [
        FsxBackupAvailableTrigger(backup_id=_UNKNOWN, deadline=1.0, aws_conn_id=None),
        FsxCopyBackupTrigger(request={"SourceBackupId": _UNKNOWN}, tries=2, max_wait=60.0),
        FsxCopyBackupsTrigger(
            source_backup_ids=[_UNKNOWN],
            request={"CopyTags": True},
            max_in_progress=5,
            max_wait=60.0,
            region_name="eu-west-1",
            verify=False,
            botocore_config={"read_timeout": 5},
        ),
        FsxSyncTrigger(sync={"fleet": "version = 1"}, made_at=5.0),
    ],
    ids=lambda trigger: type(trigger).__name__,
)
def test_a_trigger_is_made_again_from_json(trigger: FsxTrigger) -> None:
    """What is stored of a trigger makes an equal one, by a name of the package."""
    name, arguments = trigger.serialize()
    assert f"fsxcopy_sdk.airflow.{type(trigger).__name__}" == name
    again = type(trigger)(**json.loads(json.dumps(arguments)))
    assert (name, arguments) == again.serialize()
    assert "Version" not in repr(again.connection)


def test_a_trigger_is_imported_without_what_it_runs() -> None:
    """The triggerer imports it on its event loop, so that takes little."""
    program = (
        "import sys; from airflow.triggers.base import BaseTrigger; before = set(sys.modules);"
        "from fsxcopy_sdk.airflow import FsxCopyBackupsTrigger;"
        "heavy = {'aiobotocore', 'aiohttp', 'boto3', 'botocore', 'cattrs', 'orjson'};"
        "print(sorted(heavy & set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "[]" == done.stdout.splitlines()[-1]


def test_the_package_has_its_names_and_no_others() -> None:
    """Names are found when they are asked for."""
    import fsxcopy_sdk.airflow as package  # noqa: PLC0415 - it is what is tested

    assert sorted(package.__all__) == dir(package)
    assert all(getattr(package, name).__name__ == name for name in package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'FsxDeleteOperator'"):
        _ = package.FsxDeleteOperator


async def test_a_backup_is_waited_for(
    fsx: LocalFsx, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event is the backup, and the log has its progress, each step once."""
    begun = await event_of(_begin(fsx.add_backup(SOURCE_REGION)), clock)
    event = await event_of(_wait(begun["BackupId"]), clock)

    assert ("Available", REGION) == (event["Outcome"], event["Region"])
    assert "AVAILABLE" == event["Backup"]["Lifecycle"]
    seen = re.findall(rf"{begun['BackupId']}: COPYING \d+%", capsys.readouterr().out)
    assert len(seen) == len(set(seen)) > 2


async def test_waits_of_a_connection_share_their_calls(fsx: LocalFsx, clock: ManualClock) -> None:
    """A dozen triggers in one triggerer make hardly more calls than one does."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(5)]
    begun = await asyncio.gather(*(event_of(_begin_own(one), clock) for one in sources))
    fsx.calls.clear()
    ended = await asyncio.gather(*(event_of(_wait(one["BackupId"]), clock) for one in begun))

    assert ["Available"] * 5 == [one["Outcome"] for one in ended]
    # One wait for half an hour makes some twenty.
    assert fsx.calls["DescribeBackups"] < 40


@pytest.mark.parametrize(
    ("fault", "kind", "helps"),
    [
        (_DENIED, "AccessDenied", False),
        (None, "BackupCopyFailed", False),
    ],
)
async def test_a_wait_that_fails_says_why(
    fault: Fault | None, kind: str, helps: bool, fsx: LocalFsx, clock: ManualClock
) -> None:
    """The event has the error, the backup, and whether a retry helps."""
    backup_id = fsx.add_backup(REGION, Lifecycle="FAILED")
    if fault:
        fsx.inject(fault, next_calls=50)
    event = await event_of(_wait(backup_id), clock)
    assert ("Failed", backup_id, helps) == (
        event["Outcome"],
        event["BackupId"],
        event["RetryHelps"],
    )
    assert kind == event["Error"]["Type"]
    assert event["Message"].startswith(kind)
    assert 1 == event["Message"].count(backup_id)


async def test_a_wait_ends_at_its_deadline(fsx: LocalFsx, clock: ManualClock) -> None:
    """A triggerer that takes over late polls once, and does not begin a wait of its own."""
    begun = await event_of(_begin(fsx.add_backup(SOURCE_REGION)), clock)
    fsx.calls.clear()
    event = await event_of(_wait(begun["BackupId"], -5.0, is_accepted=True), clock)
    assert ("WaitTimeout", True) == (event["Error"]["Type"], event["RetryHelps"])
    assert {"DescribeBackups": 1} == dict(fsx.calls)


async def test_an_accepted_copy_may_be_unseen_for_long(clock: ManualClock, fsx: LocalFsx) -> None:
    """What the service accepted exists, whatever DescribeBackups says."""
    event = await event_of(_wait(_UNKNOWN, 7200.0), clock)
    assert "BackupNotFound" == event["Error"]["Type"]
    event = await event_of(_wait(_UNKNOWN, 7200.0, is_accepted=True), clock)
    assert "WaitTimeout" == event["Error"]["Type"]


async def test_a_copy_is_begun_when_there_is_capacity(fsx: LocalFsx, clock: ManualClock) -> None:
    """Seven requests for five slots become seven copies, one at a time asking for capacity."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(7)]
    events = await asyncio.gather(*(event_of(_begin_own(one), clock) for one in sources))

    assert 7 == len({one["BackupId"] for one in events}) == len(copies(fsx))
    # Half an hour with a question each 15 to 30 s: not one for each of those that wait.
    assert 60 < fsx.calls["CopyBackup"] < 140


def _begin_own(source: str) -> FsxCopyBackupTrigger:
    trigger = _begin(source)
    trigger.request = {**trigger.request, "ClientRequestToken": source}
    return trigger


async def test_capacity_is_waited_for_so_long(fsx: LocalFsx, clock: ManualClock) -> None:
    """Where the service has none for `max_wait`, the event says so; a retry may help."""
    for _ in range(5):
        fsx.add_backup(REGION, Lifecycle="COPYING")
    event = await event_of(_begin(fsx.add_backup(SOURCE_REGION), max_wait=600.0), clock)
    assert ("CopyNotBegun", True) == (event["Error"]["Type"], event["RetryHelps"])
    assert "ServiceLimitExceeded" in event["Message"]


async def test_a_late_trigger_searches_first(fsx: LocalFsx, clock: ManualClock) -> None:
    """Hours after the request the token is forgotten, and the copy is found by its source."""
    source = fsx.add_backup(SOURCE_REGION)
    first = await event_of(_begin(source), clock)
    late = _begin(source, made_at=time.time() - 7200.0)
    late.request = {**late.request, "ClientRequestToken": "airflow-forgotten"}
    again = await event_of(late, clock)
    assert first == again
    assert 1 == len(copies(fsx)) == fsx.calls["CopyBackup"]


@pytest.mark.parametrize("tries", [2, 3])
async def test_a_retry_requests_what_is_dead_anew(
    tries: int, fsx: LocalFsx, clock: ManualClock
) -> None:
    """Each try after a copy that FAILED gets past the tokens that are spent."""
    source = fsx.add_backup(SOURCE_REGION)
    found = []
    for number in range(1, tries + 1):
        event = await event_of(_begin(source, tries=number), clock)
        found.append(event["BackupId"])
        fsx.fail_copy(event["BackupId"], "the key was disabled")
    assert tries == len(set(found)) == len(copies(fsx))
    assert tries == len(set(tokens(fsx)))


async def test_a_token_that_leads_to_a_dead_copy_is_spent(
    fsx: LocalFsx, clock: ManualClock
) -> None:
    """Also in the first try, which searches for nothing."""
    source = fsx.add_backup(SOURCE_REGION)
    first = await event_of(_begin(source), clock)
    fsx.fail_copy(first["BackupId"], "the key was disabled")
    again = await event_of(_begin(source), clock)
    assert first["BackupId"] != again["BackupId"]
    assert 2 == len(copies(fsx))


async def test_a_retry_does_not_repeat_for_ever(fsx: LocalFsx, clock: ManualClock) -> None:
    """A chain of dead copies that is longer than the tries fails."""
    source = fsx.add_backup(SOURCE_REGION)
    for number in (1, 2, 3):
        event = await event_of(_begin(source, tries=number), clock)
        fsx.fail_copy(event["BackupId"], "the key was disabled")
    event = await event_of(_begin(source, tries=1, made_at=0.0), clock)
    assert "BackupCopyFailed" == event["Error"]["Type"]


async def test_an_answer_that_is_lost_makes_no_second_copy(
    fsx: LocalFsx, clock: ManualClock
) -> None:
    """The same token finds the copy whose acceptance was not seen."""
    source = fsx.add_backup(SOURCE_REGION)
    fsx.inject(Fault.reset(), operation="CopyBackup", next_calls=1, after=True)
    event = await event_of(_begin(source), clock)
    assert [event["BackupId"]] == [one["BackupId"] for one in copies(fsx)]


@pytest.mark.parametrize("tries", [1, 2])
async def test_no_second_copy_is_made_when_the_token_is_forgotten(
    tries: int, fsx: LocalFsx, clock: ManualClock
) -> None:
    """What may have been accepted is searched for, however long the listing cannot be made."""
    forgetful = LocalFsx(clock=clock, copy_duration=1800.0, tokens_remembered_for=120)
    source = forgetful.add_backup(SOURCE_REGION)
    trigger = _begin(source, tries=tries)
    async with forgetful:
        trigger.connection["botocore_config"] = None
        connection = {"region_name": REGION, "endpoint_url": forgetful.endpoint_url}
        extra = {**connection, "config_kwargs": {"retries": {"total_max_attempts": 1}}}
        given = {"conn_type": "aws", "login": "A", "password": "a-secret-key", "extra": extra}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AIRFLOW_CONN_AWS_LOCAL", json.dumps(given))
            forgetful.inject(Fault.reset(), operation="CopyBackup", next_calls=1, after=True)
            forgetful.inject(Fault.unavailable(), operation="DescribeBackups", next_calls=40)
            if tries > 1:  # a copy of the first try, which only a listing finds
                forgetful.call(
                    REGION,
                    "CopyBackup",
                    {"SourceBackupId": source, "SourceRegion": SOURCE_REGION},
                )
            event = await event_of(trigger, clock)
    assert clock.now() > 120
    assert [event["BackupId"]] == [one["BackupId"] for one in copies(forgetful)]


async def test_doubt_is_not_taken_for_a_refusal(fsx: LocalFsx, clock: ManualClock) -> None:
    """Where it stays open what the service did, the task is not deferred to request again."""
    fsx.inject(Fault.reset(), operation="CopyBackup", after=True)
    fsx.inject(Fault.unavailable(), operation="DescribeBackups", next_calls=1000)
    event = await event_of(_begin(fsx.add_backup(SOURCE_REGION), max_wait=0.0), clock)
    assert ("ConnectionFailed", True) == (event["Error"]["Type"], event["RetryHelps"])


@pytest.mark.parametrize("tries", [1, 2])
async def test_an_answer_that_cannot_be_read_names_the_copy(
    tries: int, fsx: LocalFsx, clock: ManualClock
) -> None:
    """An accepted copy is not lost with the rest of its answer."""
    source = fsx.add_backup(SOURCE_REGION, ResourceType=5)
    event = await event_of(_begin(source, tries=tries), clock)
    assert ("Started", copies(fsx)[0]["BackupId"]) == (event["Outcome"], event["BackupId"])
    assert 1 == len(copies(fsx))


@pytest.mark.parametrize(
    ("fault", "kind", "helps"),
    [
        (_DENIED, "AccessDenied", False),
        (Fault.throttling(), "CopyNotBegun", True),
        (Fault.unavailable(), "ServiceUnavailable", True),
    ],
)
async def test_a_request_that_fails_says_why(
    fault: Fault, kind: str, helps: bool, fsx: LocalFsx, clock: ManualClock
) -> None:
    """A refusal is final; what passes is waited for, and what may be accepted stays in doubt."""
    fsx.inject(fault, next_calls=10_000)
    event = await event_of(_begin(fsx.add_backup(SOURCE_REGION), max_wait=300.0), clock)
    assert (kind, helps) == (event["Error"]["Type"], event["RetryHelps"])


async def test_many_are_copied_under_the_quota(fsx: LocalFsx, clock: ManualClock) -> None:
    """One trigger copies all, and its event is small."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(12)]
    event = await event_of(_many(sources), clock)

    assert event["IsGood"]
    assert sorted(sources) == sorted(one["SourceBackupId"] for one in event["Outcomes"])
    assert 12 == len(copies(fsx)) == len(tokens(fsx))
    assert len(json.dumps(event)) < 12 * 150


def _many(sources: list[str], **members: Any) -> FsxCopyBackupsTrigger:
    request = {"SourceBackupId": "backup-00000000", "SourceRegion": SOURCE_REGION}
    given = {"max_in_progress": 5, "max_wait": _DAY, **members}
    return FsxCopyBackupsTrigger(source_backup_ids=sources, request=request, **given, **LOCAL)


async def test_many_continue_where_a_killed_triggerer_was(
    fsx: LocalFsx, clock: ManualClock
) -> None:
    """A cancelled trigger leaves its copies, and the next one follows them."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(6)]
    trigger = on_clock(_many(sources), clock)
    running = asyncio.ensure_future(trigger.event())
    while fsx.calls["CopyBackup"] < 5:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    event = await event_of(_many(sources), clock)
    assert event["IsGood"]
    assert 6 == len(copies(fsx))


async def test_a_killed_trigger_says_what_continues(
    fsx: LocalFsx, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The copies that were seen in progress are in the log of the task."""
    trigger = on_clock(_many([fsx.add_backup(SOURCE_REGION)]), clock)
    await trigger.on_kill()
    assert "continue" not in capsys.readouterr().out
    running = asyncio.ensure_future(trigger.event())
    while not trigger.left:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    await trigger.on_kill()
    (copy,) = copies(fsx)
    assert f"copies continue at the service: {copy['BackupId']}" in capsys.readouterr().out
    assert (_UNKNOWN,) == _wait(_UNKNOWN, is_accepted=True).left
    assert () == _wait(_UNKNOWN).left == _begin(_UNKNOWN).left


async def test_outcomes_say_whether_a_retry_helps(fsx: LocalFsx, clock: ManualClock) -> None:
    """A refusal of one backup leaves the others alone; a copy that died may be repeated."""
    good = fsx.add_backup(SOURCE_REGION)
    event = await event_of(_many([good, _UNKNOWN, good]), clock)
    by_name = {one["Outcome"]: one for one in event["Outcomes"]}
    assert {"Copied", "CopyFailed", "CopySkipped"} == set(by_name)
    assert _UNKNOWN == by_name["CopyFailed"]["SourceBackupId"]
    assert (False, False) == (event["IsGood"], event["RetryHelps"])

    fsx.inject(_DENIED, operation="DescribeBackups", next_calls=10)
    event = await event_of(_many([fsx.add_backup(SOURCE_REGION)]), clock)
    assert ["CopyDeferred"] == [one["Outcome"] for one in event["Outcomes"]]
    assert (False, False) == (event["IsGood"], event["RetryHelps"])


async def test_a_wrong_request_is_an_event_too(fsx: LocalFsx, clock: ManualClock) -> None:
    """What breaks a rule fails the task with the rule."""
    event = await event_of(_many(["no-backup"]), clock)
    assert ("InvalidArguments", False) == (event["Error"]["Type"], event["RetryHelps"])


async def test_an_event_is_held_back_in_a_triggerer(fsx: LocalFsx, clock: ManualClock) -> None:
    """Airflow fails a task whose event comes before its process is seen to have ended."""
    trigger = on_clock(_wait(fsx.add_backup(REGION)), clock)
    trigger.trigger_id, trigger.made_at = 5, time.time() - 9.5
    begun = time.monotonic()
    assert 1 == len([event async for event in trigger.run()])
    assert 0.3 < time.monotonic() - begun < 5

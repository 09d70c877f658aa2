"""Triggers: made again from JSON, sharing a client, and sending one small event each."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from airflow_tasks import LOCAL, REGION, SOURCE_REGION, copies, event_of, on_clock, tokens

from fsxcopy_sdk.airflow import (
    FsxBackupAvailableTrigger,
    FsxCopyBackupsTrigger,
    FsxSyncTrigger,
)
from fsxcopy_sdk.airflow._triggers import FsxTrigger
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

_UNKNOWN = "backup-0123456789abcdef0"
_DAY = 86400.0
_DENIED = Fault.error("AccessDeniedException")


def _many(sources: list[str], **members: Any) -> FsxCopyBackupsTrigger:
    request = {"SourceBackupId": "backup-00000000", "SourceRegion": SOURCE_REGION}
    given = {"max_in_progress": 5, "max_wait": _DAY, "volume_ids": {}, "with_backups": False}
    return FsxCopyBackupsTrigger(
        source_backup_ids=sources, request=request, **{**given, **members}, **LOCAL
    )


def _wait(backup_id: str, seconds: float = _DAY, **members: Any) -> FsxBackupAvailableTrigger:
    return FsxBackupAvailableTrigger(
        backup_id=backup_id, deadline=time.time() + seconds, **members, **LOCAL
    )


@pytest.mark.parametrize(
    "trigger",
    [
        FsxBackupAvailableTrigger(backup_id=_UNKNOWN, deadline=1.0, aws_conn_id=None),
        FsxCopyBackupsTrigger(
            source_backup_ids=[_UNKNOWN],
            request={"CopyTags": True},
            max_in_progress=5,
            max_wait=60.0,
            volume_ids={_UNKNOWN: "fsvol-0123456789abcdef0"},
            with_backups=True,
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


async def _begun(fsx: LocalFsx) -> str:
    """Return the ID of a copy in progress."""
    request = {"SourceBackupId": fsx.add_backup(SOURCE_REGION), "SourceRegion": SOURCE_REGION}
    _, body = fsx.call(
        REGION, "CopyBackup", {**request, "ClientRequestToken": request["SourceBackupId"]}
    )
    backup_id: str = json.loads(body)["Backup"]["BackupId"]
    return backup_id


async def test_a_backup_is_waited_for(
    fsx: LocalFsx, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event is the backup, and the log has its progress, each step once."""
    begun = await _begun(fsx)
    event = await event_of(_wait(begun), clock)

    assert ("Available", REGION) == (event["Outcome"], event["Region"])
    assert "AVAILABLE" == event["Backup"]["Lifecycle"]
    seen = re.findall(rf"{begun}: COPYING \d+%", capsys.readouterr().out)
    assert len(seen) == len(set(seen)) > 2


async def test_waits_of_a_connection_share_their_calls(fsx: LocalFsx, clock: ManualClock) -> None:
    """A dozen triggers in one triggerer make hardly more calls than one does."""
    begun = [await _begun(fsx) for _ in range(5)]
    fsx.calls.clear()
    ended = await asyncio.gather(*(event_of(_wait(one), clock) for one in begun))

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
    begun = await _begun(fsx)
    fsx.calls.clear()
    event = await event_of(_wait(begun, -5.0), clock)
    assert ("WaitTimeout", True) == (event["Error"]["Type"], event["RetryHelps"])
    assert {"DescribeBackups": 1} == dict(fsx.calls)


async def test_mapped_copies_share_a_run(fsx: LocalFsx, clock: ManualClock) -> None:
    """Seven triggers for five slots are seven copies, and one list of the destination."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(7)]
    triggers = [_many([one], with_backups=True) for one in sources]
    events = await asyncio.gather(*(event_of(one, clock) for one in triggers))

    rows = [row for event in events for row in event["Outcomes"]]
    assert sources == [one["SourceBackupId"] for one in rows]
    assert 7 == len({one["BackupId"] for one in rows}) == len(copies(fsx))
    assert [one["BackupId"] for one in rows] == [one["Backup"]["BackupId"] for one in rows]
    # None is refused for capacity, because the run knows what is in progress.
    assert 7 == fsx.calls["CopyBackup"]
    assert fsx.calls["DescribeBackups"] < 60


async def test_runs_beside_each_other_wait_for_capacity(fsx: LocalFsx, clock: ManualClock) -> None:
    """What comes later is another run, which the service refuses until there is a slot."""
    first = on_clock(_many([fsx.add_backup(SOURCE_REGION) for _ in range(5)]), clock)
    running = asyncio.create_task(first.event())
    while fsx.calls["CopyBackup"] < 5:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    later = await event_of(_many([fsx.add_backup(SOURCE_REGION)]), clock)
    assert later["IsGood"]
    assert (await running)["IsGood"]
    assert 6 == len(copies(fsx))


_VOLUME_ID = "fsvol-0123456789abcdef0"
_ONTAP = {
    "ResourceType": "VOLUME",
    "Volume": {
        "VolumeId": _VOLUME_ID,
        "VolumeType": "ONTAP",
        "Name": "v",
        "Lifecycle": "CREATED",
        "OntapConfiguration": {},
    },
}


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "unnamed"])
async def test_a_volume_at_its_limit_delays_no_other_copy(
    fsx: LocalFsx, clock: ManualClock, is_named: bool
) -> None:
    """Copies of an ONTAP volume have a limit of their own, which holds nothing else up."""
    for number in range(5):
        source = {"SourceBackupId": f"backup-{number:017x}", "SourceBackupRegion": SOURCE_REGION}
        fsx.add_backup(REGION, Lifecycle="COPYING", **_ONTAP, **source)
    held, free = fsx.add_backup(SOURCE_REGION, **_ONTAP), fsx.add_backup(SOURCE_REGION)
    volume_ids = {held: _VOLUME_ID} if is_named else {}
    waits = on_clock(_many([held], volume_ids=volume_ids), clock)
    waiting = asyncio.create_task(waits.event())
    before = clock.now()
    event = await event_of(_many([free]), clock)  # in the same run
    assert event["IsGood"]
    assert clock.now() - before < 1800.0 + 60.0
    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])


async def _kill(trigger: FsxTrigger, fsx: LocalFsx, requests: int = 1) -> None:
    """Run a trigger until so many copies were requested, and no longer."""
    running = asyncio.create_task(trigger.event())
    while fsx.calls["CopyBackup"] < requests:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])


@pytest.fixture(name="forgetful")
async def _forgetful(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LocalFsx]:
    """A local FSx that forgets tokens, and whose listings show new backups late."""
    async with LocalFsx(
        clock=clock,
        copy_duration=1800.0,
        tokens_remembered_for=120,
        unseen_for=900,
        unseen_by="listing",
    ) as fsx:
        connection = {"region_name": REGION, "endpoint_url": fsx.endpoint_url}
        extra = {**connection, "config_kwargs": {"retries": {"total_max_attempts": 1}}}
        given = {"conn_type": "aws", "login": "A", "password": "a-secret-key", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", json.dumps(given))
        yield fsx


@pytest.mark.parametrize("later", [0.0, 60.0, 1200.0, _DAY])
async def test_a_triggerer_that_is_killed_after_a_copy_was_accepted(
    later: float, forgetful: LocalFsx, clock: ManualClock
) -> None:
    """The next one finds the copy: by its token at once, by its source later."""
    source = forgetful.add_backup(SOURCE_REGION)
    await _kill(on_clock(_many([source]), clock), forgetful)
    clock.advance(later)
    event = await event_of(_many([source]), clock)
    assert event["IsGood"]
    assert 1 == len(forgetful.backups(REGION))


@pytest.mark.parametrize("then", [0, 3, 30])
async def test_an_answer_that_is_lost_makes_no_second_copy(
    then: int, forgetful: LocalFsx, clock: ManualClock
) -> None:
    """However long the service is throttled, and whatever listings show by then."""
    source = forgetful.add_backup(SOURCE_REGION)
    forgetful.inject(Fault.reset(), operation="CopyBackup", next_calls=1, after=True)
    if then:
        forgetful.inject(Fault.throttling(), operation="CopyBackup", next_calls=then)
    event = await event_of(_many([source]), clock)
    (copy,) = forgetful.backups(REGION)
    assert [copy["BackupId"]] == [one["BackupId"] for one in event["Outcomes"]]
    assert event["IsGood"]


@pytest.mark.parametrize(
    ("fault", "kind", "outcome", "helps"),
    [
        (_DENIED, "AccessDenied", "CopyFailed", False),
        (Fault.throttling(), "Throttled", "CopyDeferred", True),
        (Fault.reset(), "BackupNotFound", "CopyNotObserved", True),
    ],
)
async def test_what_is_not_begun_says_why(  # noqa: PLR0917 - pytest names them
    fault: Fault, kind: str, outcome: str, helps: bool, fsx: LocalFsx, clock: ManualClock
) -> None:
    """A refusal is final; what passes is waited for, and what may be accepted stays in doubt."""
    fsx.inject(fault, operation="CopyBackup", next_calls=10_000)
    event = await event_of(_many([fsx.add_backup(SOURCE_REGION)], max_wait=300.0), clock)
    (row,) = event["Outcomes"]
    assert (outcome, kind, helps) == (row["Outcome"], row["Error"]["Type"], event["RetryHelps"])


async def test_capacity_is_waited_for_so_long(fsx: LocalFsx, clock: ManualClock) -> None:
    """Where the service has none for `max_wait`, the event says so; a retry may help."""
    for _ in range(5):
        fsx.add_backup(REGION, Lifecycle="COPYING")
    event = await event_of(_many([fsx.add_backup(SOURCE_REGION)], max_wait=600.0), clock)
    (row,) = event["Outcomes"]
    assert ("CopyTimedOut", "ServiceLimitExceeded") == (row["Outcome"], row["Error"]["Type"])
    assert event["RetryHelps"]


async def test_a_changed_connection_is_read(
    fsx: LocalFsx, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A triggerer that never idles signs with new keys some minutes after they were rotated."""
    waiting = on_clock(_wait(fsx.add_backup(REGION, Lifecycle="COPYING")), clock)
    running = asyncio.create_task(waiting.event())
    while not fsx.requests:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    connection = json.loads(os.environ["AIRFLOW_CONN_AWS_LOCAL"])
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_LOCAL", json.dumps({**connection, "login": "AKIDROTATED"})
    )
    fsx.add_access_key("AKIDROTATED", account="210987654321")  # which tells the keys apart
    clock.advance(301.0)
    event = await event_of(_wait(fsx.add_backup(REGION, account="210987654321")), clock)
    assert "Available" == event["Outcome"]
    running.cancel()
    await asyncio.wait([running])


async def test_many_are_copied_under_the_quota(fsx: LocalFsx, clock: ManualClock) -> None:
    """One trigger copies all, and its event is small."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(12)]
    event = await event_of(_many(sources), clock)

    assert event["IsGood"]
    assert sorted(sources) == sorted(one["SourceBackupId"] for one in event["Outcomes"])
    assert 12 == len(copies(fsx)) == len(tokens(fsx))
    assert len(json.dumps(event)) < 12 * 150


async def test_many_continue_where_a_killed_triggerer_was(
    fsx: LocalFsx, clock: ManualClock
) -> None:
    """A cancelled trigger leaves its copies, and the next one follows them."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(6)]
    await _kill(on_clock(_many(sources), clock), fsx, 5)
    event = await event_of(_many(sources), clock)
    assert event["IsGood"]
    assert 6 == len(copies(fsx))


async def test_a_killed_trigger_says_what_continues(
    fsx: LocalFsx, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The copies in progress are in the log of the task."""
    trigger = on_clock(_many([fsx.add_backup(SOURCE_REGION)]), clock)
    await trigger.on_kill()
    assert "continue" not in capsys.readouterr().out
    running = asyncio.ensure_future(trigger.event())
    while not trigger.left or trigger.is_unanswered:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    await trigger.on_kill()
    (copy,) = copies(fsx)
    assert f"copies continue at the service: {copy['BackupId']}" in capsys.readouterr().out
    assert () == _wait(_UNKNOWN).left


@pytest.mark.parametrize("has_company", [False, True])
async def test_a_trigger_that_is_killed_in_its_request_says_what_it_asked_for(
    fsx: LocalFsx, clock: ManualClock, capsys: pytest.CaptureFixture[str], has_company: bool
) -> None:
    """The answer may name a copy that was accepted: the log has the source and the token."""
    source, other = (fsx.add_backup(SOURCE_REGION) for _ in range(2))
    fsx.inject(Fault.delay(5.0), operation="CopyBackup", after=True)
    trigger, company = (on_clock(_many([one]), clock) for one in (source, other))
    running = [asyncio.create_task(trigger.event())]
    if has_company:
        running.append(asyncio.create_task(company.event()))
    while not copies(fsx):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running[0].cancel()
    await asyncio.wait(running[:1])
    await trigger.on_kill()

    text = f"continue at the service: perhaps a copy of {source}, with the token {tokens(fsx)[0]}"
    assert text in capsys.readouterr().out
    running[-1].cancel()
    await asyncio.wait(running)


async def test_outcomes_say_whether_a_retry_helps(fsx: LocalFsx, clock: ManualClock) -> None:
    """A refusal of one backup leaves the others alone; a copy that died may be repeated."""
    good = fsx.add_backup(SOURCE_REGION)
    event = await event_of(_many([good, _UNKNOWN]), clock)
    by_name = {one["Outcome"]: one for one in event["Outcomes"]}
    assert {"Copied", "CopyFailed"} == set(by_name)
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


async def test_an_event_is_not_held_back_in_a_task(fsx: LocalFsx, clock: ManualClock) -> None:
    """`dag.test()` runs triggers inline, alone, and as soon as it can."""
    begun = time.monotonic()
    trigger = on_clock(_many([fsx.add_backup(SOURCE_REGION)]), clock)
    trigger.trigger_id = None
    (event,) = [event async for event in trigger.run()]
    assert event.payload["IsGood"]
    assert time.monotonic() - begun < 5


async def test_an_event_is_held_back_in_a_triggerer(fsx: LocalFsx, clock: ManualClock) -> None:
    """Airflow fails a task whose event comes before its process is seen to have ended."""
    trigger = on_clock(_wait(fsx.add_backup(REGION)), clock)
    trigger.trigger_id, trigger.made_at = 5, time.time() - 9.5
    begun = time.monotonic()
    assert 1 == len([event async for event in trigger.run()])
    assert 0.3 < time.monotonic() - begun < 5

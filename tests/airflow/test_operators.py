"""Operators: what they defer to, what they return, and how they fail."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSensorTimeout
from airflow_rig import served
from airflow_tasks import (
    LOCAL,
    REGION,
    SOURCE_REGION,
    context,
    copies,
    deferred,
    event_of,
    on_clock,
    tokens,
)

from fsxcopy_sdk import InvalidArguments
from fsxcopy_sdk.airflow import (
    FsxBackupAvailableSensor,
    FsxBackupLink,
    FsxCopyBackupOperator,
    FsxCopyBackupsOperator,
    FsxSyncOperator,
)
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

_UNKNOWN = "backup-0123456789abcdef0"


def _serving(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalFsx]:
    with served(LocalFsx(copy_duration=seconds)) as fsx:
        text = '{"conn_type": "aws", "login": "A", "password": "a-secret-key", "extra": '
        extra = f'{{"region_name": "{REGION}", "endpoint_url": "{fsx.endpoint_url}"}}}}'
        monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", text + extra)
        yield fsx


@pytest.fixture(name="quick")
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalFsx]:
    """A local FSx in a thread, whose copies are AVAILABLE at once, behind the connection."""
    yield from _serving(0.0, monkeypatch)


@pytest.fixture(name="slow")
def _slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalFsx]:
    """The same with copies that take an hour."""
    yield from _serving(3600.0, monkeypatch)


def _one(source: str, **members: Any) -> FsxCopyBackupOperator:
    given = {"task_id": "one", "source_region": SOURCE_REGION, **LOCAL, **members}
    return FsxCopyBackupOperator(source_backup_id=source, **given)


def _many(sources: Any, **members: Any) -> FsxCopyBackupsOperator:
    given = {"task_id": "many", "source_region": SOURCE_REGION, **LOCAL, **members}
    return FsxCopyBackupsOperator(source_backup_ids=sources, **given)


async def test_a_copy_is_waited_for(fsx: LocalFsx, clock: ManualClock) -> None:
    """The task defers at once, and returns the copy, to whose page it has a link."""
    its_context = context()
    operator = _one(fsx.add_backup(SOURCE_REGION), tags={"Purpose": "dr"})
    paused = deferred(operator, its_context)
    assert {} == dict(fsx.calls)
    assert "" == FsxBackupLink().get_link(operator, ti_key=None)  # type: ignore[arg-type]  # not read

    event = await event_of(paused.trigger, clock)
    result = operator.execute_complete(its_context, event)
    (copy,) = copies(fsx)
    assert [{"Key": "Purpose", "Value": "dr"}] == copy["Tags"]
    assert ("Copied", copy["BackupId"]) == (result["Outcome"], result["BackupId"])
    assert "AVAILABLE" == result["Backup"]["Lifecycle"]
    link = its_context["ti"].pushed["fsx_backup"]
    assert f"{REGION}#backup-details/{copy['BackupId']}" in FsxBackupLink().format_link(**link)
    assert "" == FsxBackupLink().get_link(operator, ti_key=None)  # type: ignore[arg-type]  # no such XCom
    operator.on_kill()  # it awaits nothing


async def _copied(operator: Any, clock: ManualClock, **members: object) -> str:
    """Return the ID of the copy with which a task ends."""
    its_context = context(**members)
    event = await event_of(deferred(operator, its_context).trigger, clock)
    return str(operator.execute_complete(its_context, event)["BackupId"])


@pytest.mark.parametrize(
    "change",
    [
        {"try_number": 2},
        {"map_index": 2},
        {"map_index": 2, "try_number": 2},
        {"run_id": "other"},
        {"dag_id": "other", "task_id": "other"},
    ],
    ids=str,
)
@pytest.mark.parametrize("later", [0.0, 86400.0])
async def test_a_backup_has_one_copy_whatever_task_asks(
    change: dict[str, object], later: float, fsx: LocalFsx, clock: ManualClock
) -> None:
    """A retry, a run after a clear with other map indexes, another DAG find the same copy."""
    source = fsx.add_backup(SOURCE_REGION)
    first = await _copied(_one(source), clock, map_index=1)
    clock.advance(later)
    assert first == await _copied(_one(source), clock, **change)
    assert 1 == len(copies(fsx))


async def test_a_salt_forces_another_copy(fsx: LocalFsx, clock: ManualClock) -> None:
    """With that of a run, which is a template, each run has copies of its own."""
    assert "idempotency_salt" in FsxCopyBackupOperator.template_fields
    assert "idempotency_salt" in FsxCopyBackupsOperator.template_fields
    source = fsx.add_backup(SOURCE_REGION)
    found = [
        await _copied(_one(source, idempotency_salt=salt), clock)
        for salt in ("", "scheduled__2026-11-27T00:00:00+00:00", "manual")
    ]
    assert 3 == len(set(found)) == len(copies(fsx))
    assert found[1] == await _copied(
        _one(source, idempotency_salt="scheduled__2026-11-27T00:00:00+00:00"), clock
    )


async def test_a_retry_requests_what_is_dead_anew(fsx: LocalFsx, clock: ManualClock) -> None:
    """Each try after a copy that FAILED gets past the tokens that are spent, without a pause."""
    source = fsx.add_backup(SOURCE_REGION)
    for number in range(1, 4):
        its_context = context(try_number=number)
        operator = _one(source)
        paused = deferred(operator, its_context)
        running = asyncio.create_task(event_of(paused.trigger, clock))
        while fsx.calls["CopyBackup"] < number:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        (copy,) = [one for one in copies(fsx) if "FAILED" != one["Lifecycle"]]
        fsx.fail_copy(copy["BackupId"], "the key was disabled")
        with pytest.raises(AirflowException, match="key was disabled.*a retry may help") as caught:
            operator.execute_complete(its_context, await running)
        assert AirflowException is type(caught.value)
        pushed = its_context["ti"].pushed["return_value"]
        assert ("CopyFailed", copy["BackupId"]) == (pushed["Outcome"], pushed["BackupId"])
    assert 3 == len(copies(fsx)) == len(set(tokens(fsx)))


def test_the_region_is_decided_once(quick: LocalFsx, monkeypatch: pytest.MonkeyPatch) -> None:
    """A triggerer whose environment names another Region copies into that of the task."""
    connection = {"conn_type": "aws", "login": "A", "password": "s"}
    extra = {"endpoint_url": quick.endpoint_url}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", json.dumps({**connection, "extra": extra}))
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    source = quick.add_backup(SOURCE_REGION)
    waiting = quick.add_backup(REGION)
    made = [deferred(one, context()) for one in (_one(source), _many([source]), _sensor(waiting))]
    policy = {"policy": {"Name": "x"}, "source_region": SOURCE_REGION}
    sync = deferred(FsxSyncOperator(task_id="sync", **policy, **LOCAL), context())
    assert REGION == sync.trigger.sync["region_name"]

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    events = [asyncio.run(one.trigger.event()) for one in made]
    assert [REGION] * 3 == [one["Region"] for one in events]
    assert [] == quick.backups("eu-west-1")


def test_no_region_fails_the_task_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is missed by the task, not by a triggerer."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", '{"conn_type": "aws"}')
    for operator in (_one(_UNKNOWN), _many([_UNKNOWN]), _sensor(_UNKNOWN)):
        with pytest.raises(AirflowFailException, match=r"(?i)region"):
            operator.execute(context())


def test_a_task_that_is_not_deferred_waits_itself(quick: LocalFsx) -> None:
    """The operator returns what it would have deferred for."""
    result = _one(quick.add_backup(SOURCE_REGION), deferrable=False).execute(context())
    assert [result["BackupId"]] == [one["BackupId"] for one in copies(quick)]
    result = _many([quick.add_backup(SOURCE_REGION)], deferrable=False).execute(context())
    assert ["Copied"] == [one["Outcome"] for one in result["Outcomes"]]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        ({"code": "AccessDeniedException"}, AirflowFailException, "AccessDenied.*no retry helps"),
        ({"code": "SourceBackupUnavailable"}, AirflowException, "a retry may help"),
    ],
)
def test_a_refusal_fails_the_task(
    error: dict[str, str], kind: type[Exception], text: str, quick: LocalFsx
) -> None:
    """Only what may pass is left to Airflow's retries."""
    quick.inject(Fault.error(**error), operation="CopyBackup")
    with pytest.raises(kind, match=text) as caught:
        _one(quick.add_backup(SOURCE_REGION), deferrable=False).execute(its_context := context())
    assert kind is type(caught.value)
    assert "BackupId" not in its_context["ti"].pushed["return_value"]


def test_an_event_that_is_missing_fails() -> None:
    """A trigger that sent nothing is not taken for success."""
    with pytest.raises(AirflowException, match="no event"):
        _one(_UNKNOWN).execute_complete(context())


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: _one("no-backup"), "SourceBackupId|source_backup_id"),
        (lambda: _one(_UNKNOWN, tags={"": "empty"}), "tags"),
        (lambda: _many("['backup-1']"), "source_backup_ids.*render_template_as_native_obj"),
        (lambda: _many([_UNKNOWN, "no-backup"]), "SourceBackupId"),
        (lambda: _many(5), "source_backup_ids"),
        (lambda: _many([_UNKNOWN], volume_ids="{}"), "volume_ids.*render_template_as_native_obj"),
        (lambda: _many([_UNKNOWN], max_in_progress=0), "max_in_progress: must be an integer"),
        (lambda: _one(_UNKNOWN, max_in_progress=True), "max_in_progress: must be an integer"),
        (lambda: _one(_UNKNOWN, idempotency_salt="#"), "idempotency_salt"),
    ],
)
def test_a_wrong_argument_fails_the_task_for_good(make: Any, rule: str) -> None:
    """It is found by the task, before the connection is asked for, and named."""
    with pytest.raises(AirflowFailException, match=rule):
        make().execute(context())


def test_a_wrong_wait_is_found_when_the_dag_is_parsed() -> None:
    """What needs no template is checked at once."""
    with pytest.raises(InvalidArguments, match="max_wait"):
        _one(_UNKNOWN, max_wait=-1)


async def test_many_return_their_outcomes(fsx: LocalFsx, clock: ManualClock) -> None:
    """The document that the trigger sends is what the task returns."""
    sources = [fsx.add_backup(SOURCE_REGION) for _ in range(3)]
    operator = _many([*sources, sources[0]], volume_ids={sources[0]: "fsvol-0123456789abcdef0"})
    paused = deferred(operator, context())
    event = await event_of(paused.trigger, clock)
    assert event == operator.execute_complete(context(), event)
    assert sorted(sources) == sorted(one["SourceBackupId"] for one in event["Outcomes"])


async def test_many_that_were_not_all_copied_fail_with_their_outcomes(
    fsx: LocalFsx, clock: ManualClock
) -> None:
    """The XCom has what was copied, and the text what was not."""
    its_context = context()
    unknown = [f"backup-{number:017x}" for number in range(30)]
    operator = _many([fsx.add_backup(SOURCE_REGION), *unknown])
    paused = deferred(operator, its_context)
    event = await event_of(paused.trigger, clock)
    with pytest.raises(AirflowFailException) as caught:
        operator.execute_complete(its_context, event)
    text = str(caught.value)
    assert "30 CopyFailed" in text
    assert "and 10 more" in text
    assert event == its_context["ti"].pushed["return_value"]

    operator.do_xcom_push = False
    with pytest.raises(AirflowFailException):
        operator.execute_complete(silent := context(), event)
    assert {} == silent["ti"].pushed


def test_a_killed_task_leaves_its_copies_and_says_which(
    monkeypatch: pytest.MonkeyPatch, quick: LocalFsx, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killing ends the task, and the copy goes on."""
    slow = quick.add_backup(REGION, Lifecycle="COPYING", SourceBackupId=_UNKNOWN)
    source = quick.add_backup(SOURCE_REGION, BackupId=_UNKNOWN)
    operator = _many([source], deferrable=False)
    operator.on_kill()  # before it began, there is nothing to say

    def kill() -> None:
        while slow not in capsys.readouterr().out:
            time.sleep(0.05)
        operator.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(AirflowException, match="killed"):
        operator.execute(context())
    killer.join()
    operator.on_kill()  # after it ended, there is nothing to cancel
    assert f"copies continue at the service: {slow}" in capsys.readouterr().out
    assert ["COPYING"] == [one["Lifecycle"] for one in copies(quick)]


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_task_that_is_killed_in_its_request_says_what_it_asked_for(
    is_lost: bool, slow: LocalFsx, capsys: pytest.CaptureFixture[str]
) -> None:
    """It waits two seconds for the answer; without one it names the source and the token."""
    sources = [slow.add_backup(SOURCE_REGION) for _ in range(3)]
    slow.inject(Fault.delay(30.0 if is_lost else 0.5), operation="CopyBackup", after=True)
    operator = _many(sources, deferrable=False)

    def kill() -> None:
        while not copies(slow):
            time.sleep(0.01)
        operator.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(AirflowException, match="killed"):
        operator.execute(context())
    killer.join()
    (copy,) = copies(slow)  # it has begun no other
    (token,) = tokens(slow)
    text = (
        f"perhaps a copy of {sources[0]}, with the token {token}" if is_lost else copy["BackupId"]
    )
    assert f"copies continue at the service: {text}" in capsys.readouterr().out


async def test_a_killed_task_without_copies_says_nothing(
    fsx: LocalFsx, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trigger that has nothing to stop is only ended."""
    trigger = on_clock(deferred(_sensor(fsx.add_backup(REGION)), context()).trigger, clock)
    trigger.stop()
    await trigger.on_kill()
    assert "continue" not in capsys.readouterr().out


def _sensor(backup_id: str, **members: Any) -> FsxBackupAvailableSensor:
    given = {"task_id": "sensor", "poke_interval": 0.01, **LOCAL, **members}
    return FsxBackupAvailableSensor(backup_id=backup_id, **given)


async def test_a_sensor_defers_for_its_timeout(fsx: LocalFsx, clock: ManualClock) -> None:
    """The trigger waits as long as the sensor may, and its event is what is returned."""
    sensor = _sensor(fsx.add_backup(REGION), timeout=600)
    paused = deferred(sensor, context())
    assert 590 < paused.trigger.deadline - time.time() <= 600
    event = await event_of(paused.trigger, clock)
    assert event == sensor.execute_complete(context(), event)


async def test_a_sensor_that_times_out_is_not_retried(fsx: LocalFsx, clock: ManualClock) -> None:
    """As one that pokes, whose `timeout` is that of all its tries."""
    sensor = _sensor(fsx.add_backup(REGION, Lifecycle="COPYING"), timeout=600)
    event = await event_of(deferred(sensor, context()).trigger, clock)
    with pytest.raises(AirflowSensorTimeout, match="COPYING"):
        sensor.execute_complete(context(), event)


def test_a_sensor_pokes(quick: LocalFsx) -> None:
    """It is done when the backup is AVAILABLE, and fails for good when it is FAILED."""
    waiting = quick.add_backup(REGION, Lifecycle="CREATING")
    sensor = _sensor(waiting, deferrable=False)
    assert sensor.poke(context()) is False
    quick.set_lifecycle(waiting, "AVAILABLE")
    assert waiting == sensor.execute(context())["BackupId"]
    quick.set_lifecycle(waiting, "FAILED")
    with pytest.raises(AirflowFailException, match="FAILED"):
        sensor.poke(context())
    assert _sensor(_UNKNOWN, deferrable=False).poke(context()) is False

"""Operators: what they defer to, what they return, and how they fail."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred
from airflow_rig import served
from airflow_tasks import LOCAL, REGION, SOURCE_REGION, context, copies, deferred, event_of, tokens

from fsxcopy_sdk import InvalidArguments
from fsxcopy_sdk.airflow import (
    FsxBackupAvailableSensor,
    FsxBackupLink,
    FsxCopyBackupOperator,
    FsxCopyBackupsOperator,
)
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

_UNKNOWN = "backup-0123456789abcdef0"


@pytest.fixture(name="quick")
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalFsx]:
    """A local FSx in a thread, whose copies are AVAILABLE at once, behind the connection."""
    with served(LocalFsx(copy_duration=0)) as fsx:
        text = '{"conn_type": "aws", "login": "A", "password": "a-secret-key", "extra": '
        extra = f'{{"region_name": "{REGION}", "endpoint_url": "{fsx.endpoint_url}"}}}}'
        monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", text + extra)
        yield fsx


def _one(source: str, **members: Any) -> FsxCopyBackupOperator:
    given = {"task_id": "one", "source_region": SOURCE_REGION, **LOCAL, **members}
    return FsxCopyBackupOperator(source_backup_id=source, **given)


def _many(sources: Any, **members: Any) -> FsxCopyBackupsOperator:
    given = {"task_id": "many", "source_region": SOURCE_REGION, **LOCAL, **members}
    return FsxCopyBackupsOperator(source_backup_ids=sources, **given)


def test_a_copy_is_requested_and_then_waited_for(quick: LocalFsx) -> None:
    """The task requests the copy itself, and defers to a wait for it."""
    its_context = context()
    operator = _one(quick.add_backup(SOURCE_REGION), tags={"Purpose": "dr"})
    paused = deferred(operator, its_context)
    (copy,) = copies(quick)
    assert [{"Key": "Purpose", "Value": "dr"}] == copy["Tags"]
    assert ("execute_complete", copy["BackupId"]) == (paused.method_name, paused.trigger.backup_id)

    event = asyncio.run(paused.trigger.event())
    result = operator.execute_complete(its_context, event)
    assert ("Available", copy["BackupId"]) == (result["Outcome"], result["BackupId"])
    link = its_context["ti"].pushed["fsx_backup"]
    assert f"{REGION}#backup-details/{copy['BackupId']}" in FsxBackupLink().format_link(**link)
    operator.on_kill()  # it has begun a copy, and awaits none


def test_a_link_is_empty_until_there_is_a_copy() -> None:
    """Airflow asks for the link whenever a task pauses."""
    assert "" == FsxBackupLink().get_link(_one(_UNKNOWN), ti_key=None)  # type: ignore[arg-type]
    begun = _one(_UNKNOWN)
    begun.has_begun = True
    assert "" == FsxBackupLink().get_link(begun, ti_key=None)  # type: ignore[arg-type]  # no such XCom


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"try_number": 7}, True),
        ({"dag_id": "other"}, False),
        ({"task_id": "other"}, False),
        ({"run_id": "other"}, False),
        ({"map_index": 3}, False),
    ],
    ids=str,
)
def test_a_token_is_that_of_the_task_instance(
    change: dict[str, object], is_same: bool, quick: LocalFsx
) -> None:
    """Each try has the same token; another task, run or map index another one."""
    operator = _one(quick.add_backup(SOURCE_REGION))
    deferred(operator, context())
    deferred(operator, context(**change))
    assert is_same == (1 == len(copies(quick)))
    assert all(len(one) <= 63 for one in tokens(quick))


def test_another_request_has_another_token(quick: LocalFsx) -> None:
    """A task that was changed and cleared does not ask for the copy it had."""
    source = quick.add_backup(SOURCE_REGION)
    deferred(_one(source), context())
    deferred(_one(source, copy_tags=True), context())
    assert 2 == len(set(tokens(quick)))


def test_a_copy_without_capacity_defers_to_its_request(
    quick: LocalFsx, clock: ManualClock
) -> None:
    """Where the service has no capacity, that is waited for in the triggerer, without a retry."""
    running = [quick.add_backup(REGION, Lifecycle="COPYING") for _ in range(5)]
    operator = _one(quick.add_backup(SOURCE_REGION))
    paused = deferred(operator, context())
    assert "execute_started" == paused.method_name

    for one in running:
        quick.set_lifecycle(one, "AVAILABLE")
    event = asyncio.run(event_of(paused.trigger, clock))
    with pytest.raises(TaskDeferred) as again:
        operator.execute_started(context(), event)
    assert event["BackupId"] == again.value.trigger.backup_id


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
        _one(quick.add_backup(SOURCE_REGION)).execute(context())
    assert kind is type(caught.value)


@pytest.mark.parametrize("name", ["execute_started", "execute_complete"])
def test_a_dead_copy_may_be_requested_anew(name: str) -> None:
    """A copy that FAILED is left to Airflow's retries, which request another one."""
    event = {
        "Outcome": "Failed",
        "Message": "BackupCopyFailed: the key",
        "RetryHelps": False,
        "Error": {"Type": "BackupCopyFailed"},
    }
    with pytest.raises(AirflowException, match="the key: a retry requests another") as caught:
        getattr(_one(_UNKNOWN), name)(context(), event)
    assert AirflowException is type(caught.value)


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
    ],
)
def test_a_wrong_argument_fails_the_task_for_good(make: Any, rule: str) -> None:
    """It is found by the task, before anything is sent, and named."""
    with pytest.raises(AirflowFailException, match=rule):
        make().execute(context())


def test_a_wrong_wait_is_found_when_the_dag_is_parsed() -> None:
    """What needs no template is checked at once."""
    with pytest.raises(InvalidArguments, match="max_wait"):
        _one(_UNKNOWN, max_wait=-1)


async def test_many_return_their_outcomes(fsx: LocalFsx, clock: ManualClock) -> None:
    """The document that the trigger sends is what the task returns."""
    operator = _many([fsx.add_backup(SOURCE_REGION) for _ in range(3)])
    paused = deferred(operator, context())
    event = await event_of(paused.trigger, clock)
    assert event == operator.execute_complete(context(), event)


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

"""Tasks without a scheduler: their contexts, and their triggers on the clock of a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from fsxcopy_sdk import Clock
from fsxcopy_sdk.airflow import FsxCopyHook
from fsxcopy_sdk.airflow._triggers import FsxTrigger
from fsxcopy_sdk.testing import LocalFsx

REGION, SOURCE_REGION = "us-west-2", "us-east-2"
LOCAL = {"aws_conn_id": "aws_local"}


def context(**members: object) -> Any:
    """Return the context of a task instance, which keeps what is pushed as `pushed`."""
    pushed: dict[str, object] = {}
    own = {
        "dag_id": "dag",
        "task_id": "task",
        "run_id": "run",
        "map_index": -1,
        "try_number": 1,
        "pushed": pushed,
        "xcom_push": lambda key, value: pushed.update({key: value}),
    }
    return {"ti": SimpleNamespace(**{**own, **members})}


def deferred(operator: Any, its_context: Any) -> TaskDeferred:
    """Return how a task defers."""
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(its_context)
    return caught.value


def on_clock(trigger: FsxTrigger, clock: Clock) -> FsxTrigger:
    """Make a trigger again as a triggerer does, with waits that sleep on *clock*."""
    given = clock

    class ClockedHook(FsxCopyHook):
        clock = given

    class Clocked(type(trigger)):  # type: ignore[misc]  # the class of any trigger
        def hook(self) -> FsxCopyHook:
            own = self.connection
            return ClockedHook(own.get("aws_conn_id"), region_name=own.get("region_name"))

    _, arguments = trigger.serialize()
    made: FsxTrigger = Clocked(**json.loads(json.dumps(arguments)))
    made.trigger_id = 5
    return made


async def event_of(trigger: FsxTrigger, clock: Clock) -> dict[str, Any]:
    """Return the one event of a trigger in a triggerer, as Airflow passes it on."""
    made = on_clock(trigger, clock)
    made.made_at = 0.0  # so that its event is not held back
    (event,) = [event async for event in made.run()]
    payload: dict[str, Any] = json.loads(json.dumps(event.payload))
    return payload


def copies(fsx: LocalFsx, region: str = REGION) -> list[Mapping[str, Any]]:
    """Return the backups of a Region."""
    _, body = fsx.call(region, "DescribeBackups", {})
    found: list[Mapping[str, Any]] = json.loads(body)["Backups"]
    return found


def tokens(fsx: LocalFsx) -> list[Any]:
    """Return the tokens of all requests for copies, in their order."""
    requests = [one for one in fsx.requests if one.operation == "CopyBackup"]
    return [one.body["ClientRequestToken"] for one in requests]

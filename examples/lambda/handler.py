"""
Copy what a policy wants, a step of seconds at a time: an AWS Lambda function.

`state_machine.json` calls it until it says that there is nothing left, with pauses of minutes, so
that nothing runs while copies do. Its input is ``{"SourceRegion": "us-east-2",
"DestinationRegion": "us-west-2", "Policy": {"Version": 1, "Name": "nightly"}}``, with any policy
that `ReplicationPolicy.from_dict` reads. `policy.json` has the permissions that it needs.

By hand, without AWS: let ``fsxcopy local --with-example`` run in another terminal, set
AWS_ENDPOINT_URL_FSX to the URL that it prints and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to
anything, and repeat ``python examples/lambda/handler.py`` until it prints "Done".
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TypedDict

import attrs

from fsxcopy_sdk import BackupLifecycle, Clock, FsxCopyClient, FsxCopyError
from fsxcopy_sdk.replication import ReplicationPolicy, apply_plan, plan_replication

PAUSE = 300
"""Seconds until the next step: copies take minutes to hours."""

PAUSE_IN_DOUBT = 3600
"""Seconds after a request whose answer was lost: by then, a listing shows what it made."""


class Event(TypedDict):
    """What the state machine sends."""

    SourceRegion: str
    DestinationRegion: str
    Policy: dict[str, object]
    StartTime: str
    """When the execution began: a copy that FAILED since then is not repeated in it."""


def handler(event: Event, context: object) -> dict[str, object]:  # noqa: ARG001 - Lambda gives two
    """Carry out a step in an event loop of its own, because clients belong to theirs."""
    return asyncio.run(step(event))


async def step(event: Event, clock: Clock | None = None) -> dict[str, object]:
    """
    Begin what there is capacity for; return what to do next, and what became of each copy.

    Args:
        event: The input of the state machine, and when it was started.
        clock: What requests that are repeated sleep on; None for the machine's.

    Raises:
        FsxCopyError: what will not pass by waiting.
    """
    policy = ReplicationPolicy.from_dict(event["Policy"])
    started = datetime.fromisoformat(event["StartTime"])
    try:
        async with (
            FsxCopyClient(event["SourceRegion"], clock=clock) as source,
            FsxCopyClient(event["DestinationRegion"], clock=clock) as destination,
        ):
            failed = {
                backup.source_backup_id
                async for backup in destination.iter_backups()
                if backup.lifecycle is BackupLifecycle.FAILED and backup.creation_time >= started
            }
            plan = await plan_replication(source, destination, policy)
            to_copy = tuple(one for one in plan.to_copy if one.backup.backup_id not in failed)
            failures = len(plan.to_copy) - len(to_copy)
            plan = attrs.evolve(plan, to_copy=to_copy)
            async with apply_plan(plan, destination, source=source, wait=False) as applied:
                outcomes = Counter([type(one).__name__ async for one in applied])
    except FsxCopyError as error:
        if not error.is_transient:
            raise
        return {"Next": "Wait", "Seconds": PAUSE, "Error": error.to_dict()}
    outcomes["CopyFailed"] += failures
    outcomes["CannotCopy"] = len(plan.cannot_copy)
    if outcomes["CopyNotObserved"]:
        return {"Next": "Wait", "Seconds": PAUSE_IN_DOUBT, "Outcomes": outcomes}
    if outcomes["CopyStarted"] or outcomes["CopyDeferred"]:
        return {"Next": "Wait", "Seconds": PAUSE, "Outcomes": outcomes}
    return {"Next": "Fail" if outcomes["CopyFailed"] else "Done", "Outcomes": outcomes}


if __name__ == "__main__":
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    example = Event(
        SourceRegion="us-east-2",
        DestinationRegion="us-west-2",
        Policy={"Version": 1, "Name": "nightly"},
        StartTime=an_hour_ago.isoformat(),
    )
    print(json.dumps(handler(example, None), indent=2))

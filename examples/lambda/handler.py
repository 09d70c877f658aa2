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
from typing import TypedDict

from fsxcopy_sdk import BackupCopyFailed, Clock, FsxCopyClient, FsxCopyError
from fsxcopy_sdk.replication import PlanOutcome, ReplicationPolicy, apply_plan, plan_replication

PAUSE = 300
"""Seconds until the next step: copies take minutes to hours."""

PAUSE_IN_DOUBT = 3600
"""Seconds after a request whose answer was lost: by then, a listing shows what it made."""


class Event(TypedDict):
    """What the state machine sends."""

    SourceRegion: str
    DestinationRegion: str
    Policy: dict[str, object]


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
    try:
        async with (
            FsxCopyClient(event["SourceRegion"], clock=clock) as source,
            FsxCopyClient(event["DestinationRegion"], clock=clock) as destination,
        ):
            plan = await plan_replication(source, destination, policy)
            async with apply_plan(plan, destination, source=source, wait=False) as applied:
                outcomes = Counter([kind_of(one) async for one in applied])
    except FsxCopyError as error:
        if not error.is_transient:
            raise
        return {"Next": "Wait", "Seconds": PAUSE, "Error": error.to_dict()}
    refused = [str(one) for one in plan.cannot_copy if one.reason.is_failure]
    if outcomes["CopyNotObserved"]:
        return {"Next": "Wait", "Seconds": PAUSE_IN_DOUBT, "Outcomes": outcomes}
    if outcomes["CopyStarted"] or outcomes["CopyDeferred"]:
        return {"Next": "Wait", "Seconds": PAUSE, "Outcomes": outcomes}
    problems = [*plan.gaps, *refused]
    is_good = not (problems or outcomes["CopyFailed"])
    return {"Next": "Done" if is_good else "Fail", "Outcomes": outcomes, "Problems": problems}


def kind_of(outcome: PlanOutcome) -> str:
    """Return the class of an outcome; a copy that FAILED within the hour is not begun again."""
    has_failed = isinstance(outcome.error, BackupCopyFailed)
    return "CopyFailed" if has_failed else type(outcome).__name__


if __name__ == "__main__":
    example = Event(
        SourceRegion="us-east-2",
        DestinationRegion="us-west-2",
        Policy={"Version": 1, "Name": "nightly"},
    )
    print(json.dumps(handler(example, None), indent=2))

"""
One sync as a process of its own, for the tests to kill: ``replication_sync.py URL SPEED``.

It prints its plan, then one line for each outcome; the exit code is 0 if all went well.
"""

from __future__ import annotations

import sys

import anyio
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.replication import Keep, ReplicationPolicy, apply_plan, plan_replication
from fsxcopy_sdk.testing import ScaledClock

SOURCE = "us-east-2"
DESTINATION = "us-west-2"

POLICY = ReplicationPolicy(name="nightly", newest=5, keep=Keep(last=5))


async def sync(endpoint_url: str, speed: float) -> int:
    """Plan and apply, and return how many parts failed; *speed* is that of the service."""
    clock = ScaledClock(speed)
    session = AioSession()
    session.set_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI")

    def connect(region: str) -> FsxCopyClient:
        config = AioConfig(retries={"total_max_attempts": 1})
        return FsxCopyClient(
            region, session=session, endpoint_url=endpoint_url, config=config, clock=clock
        )

    async with connect(SOURCE) as source, connect(DESTINATION) as destination:
        plan = await plan_replication(source, destination, POLICY)
        print(plan, flush=True)  # noqa: T201 - what the test reads
        async with apply_plan(plan, destination, prune=True) as applied:
            async for outcome in applied:
                print(type(outcome).__name__, flush=True)  # noqa: T201 - the same
    return sum(outcome.error is not None for outcome in applied.outcomes)


if __name__ == "__main__":
    sys.exit(anyio.run(sync, sys.argv[1], float(sys.argv[2])))

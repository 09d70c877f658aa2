"""
The way in: a plan to carry out, with all arguments checked.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from fsxcopy_sdk._arguments import Duration, Faults, check_type, seconds
from fsxcopy_sdk._schedule import DEFAULT_SCHEDULE, WaitSchedule
from fsxcopy_sdk.bulk import DEFAULT_MAX_IN_PROGRESS, CopyInProgress, copy_many
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.replication._applied import AppliedPlan, Watching
from fsxcopy_sdk.replication._plan import ReplicationPlan
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT


def apply_plan(
    plan: ReplicationPlan,
    destination: FsxCopyClient,
    *,
    prune: bool = False,
    max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
    max_wait: Duration = DEFAULT_MAX_WAIT,
    schedule: WaitSchedule = DEFAULT_SCHEDULE,
    on_seen: Callable[[CopyInProgress], None] | None = None,
) -> AppliedPlan:
    """
    Carry out *plan* in the Region of *destination*.

    Use it as ``async with apply_plan(...) as applied``, and within that as
    ``async for outcome in applied``: there is one outcome for each of the plan's
    `to_copy` and `in_progress`, and with *prune* for each of `to_prune`. A failure stops
    nothing but its own part. It may be killed at any time and repeated with a new plan:
    nothing is copied twice. (With the same plan it is the service's memory of tokens
    that sees to that, and nobody says how long it lasts.) Leaving the block starts
    nothing more.

    Args:
        plan: What to do.

        destination: An open client of the plan's destination.

        prune: Whether to delete what the plan calls superfluous, once all copies are
            over. Each is looked at again, and left alone if it is worth keeping now;
            where the service refuses because it is being copied, it is tried for some
            minutes.

        max_in_progress: Copies in progress at once, as for `copy_many`.

        max_wait: Seconds or a timedelta that each copy is waited for.

        schedule: How the looks at each copy are spaced.

        on_seen: Called when a copy was accepted, and whenever one was looked at. What
            it raises ends the block, in an exception group.

    Raises:
        InvalidArguments: arguments break rules, or *destination* is of another Region;
            nothing was sent.
        ClientClosed: the client is not open.
    """
    check_type("plan", plan, ReplicationPlan)
    faults = Faults()
    if destination.region != plan.destination_region:
        rule = f"a client of {plan.destination_region}"
        faults.add("destination", rule, f"of {destination.region}")
    faults.raise_any()
    copies = copy_many(
        destination,
        [one.request for one in plan.to_copy],
        max_in_progress=max_in_progress,
        max_wait=max_wait,
        schedule=schedule,
        on_seen=on_seen,
    )
    watching = Watching(
        destination=destination,
        max_wait=seconds("max_wait", max_wait),
        schedule=schedule,
        on_seen=on_seen,
    )
    return AppliedPlan(plan, copies, watching, random.random, prune=prune)

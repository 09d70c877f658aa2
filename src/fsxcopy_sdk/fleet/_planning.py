"""`plan_fleet` and `report_fleet`: what is to be done, and how old the copies are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from fsxcopy_sdk.fleet._accounts import (
    PLANS_AT_ONCE,
    AccountRun,
    Connect,
    Runs,
    checked_runs,
)
from fsxcopy_sdk.fleet._fleet import Fleet, Route
from fsxcopy_sdk.fleet._outcomes import FleetPlan, FleetReport, PolicyFailure
from fsxcopy_sdk.replication import ReplicationPlan, ReplicationReport

_Part = TypeVar("_Part")


async def plan_fleet(
    fleet: Fleet,
    *,
    connect: Connect | None = None,
    strict: bool = False,
    max_accounts: int = PLANS_AT_ONCE,
) -> FleetPlan:
    """
    Read all Regions of *fleet* and decide what its policies want done; nothing is changed.

    An account that fails is in `failures`, and stops no other.

    Args:
        fleet: The policies; those that are not enabled are left out.
        connect: What makes the client of an account, in the first of its Regions; those of its
            other Regions are derived by `with_region`. None for `AccountClients()`.
        strict: Whether a backup that cannot be read makes a plan fail, as for
            `plan_replication`.
        max_accounts: How many accounts are in work at once.

    Raises:
        InvalidArguments: arguments break rules; nothing was sent.
    """
    runs = checked_runs(fleet, connect, max_accounts, strict=strict)
    made, failures = await _collect(runs, lambda route, plan: (plan, str(route.account)))
    return FleetPlan(
        plans=tuple(plan for plan, _ in made),
        accounts=tuple(account for _, account in made),
        failures=failures,
    )


async def report_fleet(
    fleet: Fleet,
    *,
    connect: Connect | None = None,
    strict: bool = False,
    max_accounts: int = PLANS_AT_ONCE,
) -> FleetReport:
    """
    Read all Regions of *fleet* and report how old the newest copies are.

    The arguments are those of `plan_fleet`. Plans are made as there, and only their reports
    are kept.

    Raises:
        InvalidArguments: arguments break rules; nothing was sent.
    """
    runs = checked_runs(fleet, connect, max_accounts, strict=strict)
    reports, failures = await _collect(runs, lambda _, plan: plan.report)
    return report_of(reports, failures)


def report_of(
    reports: tuple[ReplicationReport, ...], failures: tuple[PolicyFailure, ...]
) -> FleetReport:
    """Return the report that has these parts."""
    made_at = max((one.made_at for one in reports), default=None) or datetime.now(UTC)
    return FleetReport(made_at=made_at, reports=reports, failures=failures)


async def _collect(
    runs: Runs, part_of: Callable[[Route, ReplicationPlan], _Part]
) -> tuple[tuple[_Part, ...], tuple[PolicyFailure, ...]]:
    """Return a part of each plan and the failures, both in the order of the fleet."""
    parts: dict[Route, _Part] = {}
    failures: dict[Route, PolicyFailure] = {}

    def done(route: Route, made: ReplicationPlan | PolicyFailure) -> None:
        if isinstance(made, PolicyFailure):
            failures[route] = made
        else:
            parts[route] = part_of(route, made)

    async def work(run: AccountRun) -> None:
        await run.plan_all(done)

    await runs.each(work)
    routes = runs.fleet.routes
    return (
        tuple(parts[one] for one in routes if one in parts),
        tuple(failures[one] for one in routes if one in failures),
    )

"""`sync_fleet`: copy and prune as all policies say, account by account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import anyio
import attrs

from fsxcopy_sdk._validation import ArgumentErrors, Duration, check_type, to_seconds
from fsxcopy_sdk.bulk import CopyInProgress, OutcomeStream, SharedCopies
from fsxcopy_sdk.errors import ConfigurationError
from fsxcopy_sdk.fleet._accounts import (
    DEFAULT_MAX_ACCOUNTS,
    AccountRun,
    Connect,
    Runs,
    checked_runs,
)
from fsxcopy_sdk.fleet._fleet import Fleet, Route
from fsxcopy_sdk.fleet._outcomes import (
    FleetEvent,
    FleetOutcome,
    FleetPlan,
    FleetReport,
    PolicyFailure,
)
from fsxcopy_sdk.fleet._planning import report_of
from fsxcopy_sdk.replication import AppliedPlan, ReplicationPlan, ReplicationReport, apply_plan
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, WaitSchedule


@attrs.frozen(kw_only=True)
class SyncSettings:
    """The settings of a sync that hold for all of its plans."""

    prune_orphans: bool
    prune_most: bool
    wait: bool
    max_wait: float
    schedule: WaitSchedule
    on_plan: Callable[[Route, ReplicationPlan], None] | None
    on_seen: Callable[[Route, CopyInProgress], None] | None


def sync_fleet(
    fleet: Fleet,
    *,
    plan: FleetPlan | None = None,
    connect: Connect | None = None,
    strict: bool = False,
    max_accounts: int = DEFAULT_MAX_ACCOUNTS,
    prune_orphans: bool = False,
    prune_most: bool = False,
    wait: bool = True,
    max_wait: Duration = DEFAULT_MAX_WAIT,
    schedule: WaitSchedule = DEFAULT_SCHEDULE,
    on_plan: Callable[[Route, ReplicationPlan], None] | None = None,
    on_seen: Callable[[Route, CopyInProgress], None] | None = None,
) -> FleetSync:
    """
    Copy and prune in all Regions of *fleet*, as its policies say.

    Use it as ``async with sync_fleet(...) as synced``, and within that as
    ``async for event in synced``: there is a `PolicyFailure` for each plan that cannot be
    made, and a `FleetOutcome` for each outcome of `apply_plan`. An account that fails stops
    no other. Leaving the block starts nothing more.

    Plans of one account that copy into the same Region share its quota: `max_in_progress`
    is that of all, and their copies are started in turns. Pruning of a policy starts when its
    own copies have ended, with the checks of `apply_plan`.

    Args:
        fleet: The policies; those that are not enabled are left out.
        plan: A plan to carry out instead of new ones. Its policies must be those of the fleet.
            Each route that it has no plan for yields a `PolicyFailure`.
        connect: What makes the client of an account, as for `plan_fleet`.
        strict: Whether a backup that cannot be read makes a plan fail.
        max_accounts: How many accounts are in work at once. More take more memory, fewer take
            longer, because an account stays in work until its copies have ended.
        prune_orphans: As for `apply_plan`, for the policies that prune.
        prune_most: As for `apply_plan`, for the policies that prune.
        wait: Whether to follow copies to their end, as for `apply_plan`.
        max_wait: Seconds or a timedelta that each copy is waited for, as for `copy_many`.
        schedule: The intervals at which each copy is polled.
        on_plan: Called with each plan before anything of it is done.
        on_seen: Called for each copy in progress, as by `copy_many`.

    Raises:
        InvalidArguments: arguments break rules; nothing was sent.
    """
    errors = ArgumentErrors()
    switches = {"prune_orphans": prune_orphans, "prune_most": prune_most, "wait": wait}
    for name, given in switches.items():
        errors.check_type(name, given, bool, "True or False")
    errors.check_seconds("max_wait", max_wait)
    errors.check_type("schedule", schedule, WaitSchedule, "a WaitSchedule")
    errors.check_observer("on_plan", on_plan)
    errors.check_observer("on_seen", on_seen)
    runs = checked_runs(fleet, connect, max_accounts, strict=strict, errors=errors)
    if plan is not None:
        runs = attrs.evolve(runs, planned=planned_routes(fleet, plan))
    settings = SyncSettings(
        prune_orphans=prune_orphans,
        prune_most=prune_most,
        wait=wait,
        max_wait=to_seconds(max_wait),
        schedule=schedule,
        on_plan=on_plan,
        on_seen=on_seen,
    )
    return FleetSync(runs, settings)


@attrs.define(eq=False)
class _Turns:
    """
    Lets one account at a time copy a backup into a Region.

    Two accounts of a file may be the same AWS account: two roles of it, or a profile and a role.
    If both copied one backup at once, there would be two copies, because their tags, and so
    their tokens, differ. The later one finds the copies of the other.
    """

    _taken: dict[frozenset[tuple[str, str]], anyio.Event] = attrs.field(factory=dict, init=False)

    @asynccontextmanager
    async def taken(self, region: str, plans: Iterable[ReplicationPlan]) -> AsyncIterator[None]:
        """Wait until no other account copies a backup of *plans*, then let no other copy one."""
        wanted = frozenset(
            (region, backup_id)
            for plan in plans
            for backup_id in (
                *(one.backup.backup_id for one in plan.to_copy),
                *(one.backup.backup_id for one in plan.in_progress),
            )
        )
        while ended := next(
            (ended for taken, ended in self._taken.items() if not wanted.isdisjoint(taken)), None
        ):
            await ended.wait()
        if not wanted:
            yield
            return
        ended = self._taken[wanted] = anyio.Event()
        try:
            yield
        finally:
            del self._taken[wanted]
            ended.set()


def planned_routes(fleet: Fleet, plan: FleetPlan) -> dict[Route, ReplicationPlan | PolicyFailure]:
    """
    Return the plan of each route of *fleet*; plans of other policies are ignored.

    Raises:
        InvalidArguments: a plan is of another policy or account than the fleet's.
    """
    check_type("plan", plan, FleetPlan)
    planned: dict[Route, ReplicationPlan] = {}
    errors = ArgumentErrors()
    routes = fleet.routes_by_name
    for one, account in zip(plan.plans, plan.accounts, strict=True):
        route = routes.get((one.policy.name, one.destination_region))
        if route is None:
            continue
        wanted = route.policy.to(route.destination)
        name = f"plan: policy {one.policy.name} into {one.destination_region}"
        if account != str(route.account):
            errors.add(name, f"of account {route.account} as in the fleet", f"of {account}")
        elif (one.policy, one.source_region) != (wanted, route.policy.source.region):
            errors.add(name, "as the fleet has it now", "another one: make a new plan")
        if route in planned:
            errors.add(name, "planned once", "several times")
        planned[route] = one
    errors.raise_any()
    text = "The given plan does not include this policy and destination"
    return {
        one: planned.get(one) or PolicyFailure.of(one, ConfigurationError(text))
        for one in fleet.routes
    }


class FleetSync(OutcomeStream[FleetEvent]):
    """
    A fleet that is being synced: ``async with`` and ``async for``; see `sync_fleet`.

    An event that was iterated over is not kept: `outcomes` has the others.
    """

    _made_by, _name = "sync_fleet", "synced"
    _forgets = True

    def __init__(self, runs: Runs, settings: SyncSettings) -> None:
        super().__init__()
        self._runs = runs
        self._settings = settings
        self._applied: dict[Route, AppliedPlan] = {}
        self._reports: dict[Route, ReplicationReport] = {}
        self._failures: dict[Route, PolicyFailure] = {}
        self._turns = _Turns()

    @property
    def applied(self) -> dict[Route, AppliedPlan]:
        """
        The plans that have not been carried out to their end, by their policy and destination.

        After an early exit of the block, they show what is in progress and what was not started.
        """
        return dict(self._applied)

    @property
    def not_begun(self) -> tuple[Route, ...]:
        """The policies and destinations whose plans were not started so far, and did not fail."""
        known = {*self._applied, *self._reports, *self._failures}
        return tuple(one for one in self._runs.fleet.routes if one not in known)

    @property
    def report(self) -> FleetReport:
        """The report of the fleet as this run has changed it so far; see `AppliedPlan.report`."""
        reports = {**self._reports, **{one: plan.report for one, plan in self._applied.items()}}
        routes = self._runs.fleet.routes
        return report_of(
            tuple(reports[one] for one in routes if one in reports),
            tuple(self._failures[one] for one in routes if one in self._failures),
        )

    async def _run(self) -> None:
        await self._runs.each(self._sync)
        self._finish()

    async def _sync(self, run: AccountRun) -> None:
        """Make the plans of one account, then carry them out, all destinations at once."""
        by_region: dict[str, list[tuple[Route, ReplicationPlan]]] = {}

        def done(route: Route, made: ReplicationPlan | PolicyFailure) -> None:
            if isinstance(made, PolicyFailure):
                self._failures[route] = made
                self._add(made)
                return
            if self._settings.on_plan is not None:
                self._settings.on_plan(route, made)
            by_region.setdefault(made.destination_region, []).append((route, made))

        await run.plan_all(done)
        async with anyio.create_task_group() as group:
            for region, plans in by_region.items():
                group.start_soon(self._apply, run, region, plans)

    async def _apply(
        self, run: AccountRun, region: str, plans: list[tuple[Route, ReplicationPlan]]
    ) -> None:
        """Carry out the plans for one destination, which share its quota."""
        async with self._turns.taken(region, [plan for _, plan in plans]):
            await self._apply_now(run, region, plans)

    async def _apply_now(
        self, run: AccountRun, region: str, plans: list[tuple[Route, ReplicationPlan]]
    ) -> None:
        shared = SharedCopies(
            await run.client(region),
            wait=self._settings.wait,
            max_in_progress=plans[0][0].policy.max_in_progress,
            max_wait=self._settings.max_wait,
            schedule=self._settings.schedule,
        )
        plans.sort(key=lambda pair: run.routes.index(pair[0]))
        async with anyio.create_task_group() as group:
            for route, plan in plans:
                self._applied[route] = await self._begin(run, route, plan, shared)
                group.start_soon(self._follow, route)
            plans.clear()  # what is applied keeps what it needs
            group.start_soon(shared.run)

    async def _begin(
        self, run: AccountRun, route: Route, plan: ReplicationPlan, shared: SharedCopies
    ) -> AppliedPlan:
        settings, prune, on_seen = self._settings, route.policy.prune, self._settings.on_seen
        return apply_plan(
            plan,
            await run.client(plan.destination_region),
            source=await run.client(plan.source_region),
            prune=prune,
            prune_orphans=prune and settings.prune_orphans,
            prune_most=prune and settings.prune_most,
            wait=settings.wait,
            on_seen=None if on_seen is None else lambda copy: on_seen(route, copy),
            shared=shared,
        )

    async def _follow(self, route: Route) -> None:
        """Pass on the outcomes of one plan, and keep its report when it has ended."""
        applied = self._applied[route]
        await applied.pass_on(lambda outcome: self._add(FleetOutcome.of(route, outcome)))
        self._reports[route] = applied.report
        del self._applied[route]

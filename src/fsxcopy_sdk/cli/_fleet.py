"""`fsxcopy plan`, `sync` and `report` with `--config`, and `fsxcopy config`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Literal

import attrs

from fsxcopy_sdk._transport import SupportsEvents
from fsxcopy_sdk._validation import DEFAULT_MAX_AGE, ArgumentErrors
from fsxcopy_sdk.bulk import CopyDeferred, CopyInProgress
from fsxcopy_sdk.cli._backups import ended, left_of, timed_out
from fsxcopy_sdk.cli._connection import Client, config_of, report_silence
from fsxcopy_sdk.cli._deadline import Deadline
from fsxcopy_sdk.cli._options import (
    Globals,
    Policy,
    Retention,
    Scope,
    SyncOptions,
    decided,
    option_of,
    usage_error,
)
from fsxcopy_sdk.cli._outcomes import Ended, Exit, describe_error, exit_of, exit_of_all
from fsxcopy_sdk.cli._output import Results, public, write_json, write_text
from fsxcopy_sdk.cli._pages import checked_form, checked_target, write_page, written_to
from fsxcopy_sdk.cli._plans import read_fleet_plan, write_plan
from fsxcopy_sdk.cli._replication import (
    announce,
    check_scope,
    held_back,
    refused,
    row,
    switches_alone,
)
from fsxcopy_sdk.cli._reporter import COLUMNS, Reporter
from fsxcopy_sdk.cli._tables import Column
from fsxcopy_sdk.errors import ConfigurationError, InvalidArguments
from fsxcopy_sdk.fleet import (
    AccountClients,
    Fleet,
    FleetEvent,
    FleetPlan,
    FleetReport,
    PolicyFailure,
    Route,
    fleet_example,
    fleet_schema,
    plan_fleet,
    planned_routes,
    report_fleet,
    sync_fleet,
)
from fsxcopy_sdk.replication import ReplicationPlan, SourceReport

Action = Literal["check", "schema", "example"]

_BESIDE_CONFIG = {
    "config",
    "dry_run",
    "max_wait",
    "min_delay",
    "no_wait",
    "plan",
    "policy",
    "prune_most",
    "prune_orphans",
    "strict",
}
"""The options that a file leaves to the command."""

_DECIDED = ("region", "source_region", "profile")
"""The global options that a file decides."""

_REPORT_COLUMNS = (
    Column("POLICY"),
    Column("ACCOUNT", 2),
    Column("REGION"),
    Column("SOURCE"),
    Column("STATE"),
    Column("AGE", 1),
    Column("NEWEST COPY", 3),
    Column("NEWEST BACKUP", 5),
    Column("IN PROGRESS", 4),
)


async def config(action: Action, file: str | None, options: Globals) -> Exit:
    """Check a file of policies, or write its schema or an example."""
    if (action == "check") is (file is None):
        rule = "must come with FILE" if file is None else "takes no FILE"
        raise usage_error(f"config {action}: {rule}")
    if file is None:
        # Not as text for people, whose lines are broken to the width of the terminal.
        schema = f"{json.dumps(fleet_schema(), indent=2)}\n"
        sys.stdout.write(schema if action == "schema" else fleet_example())
        return Exit.DONE
    try:
        fleet = Fleet.from_toml(file)
    except InvalidArguments as error:
        reporter = Reporter(options)
        for text in error.errors:
            reporter.notice(f"{file}: {text}")
        return Exit.USAGE
    for text in fleet.find_warnings():
        Reporter(options).notice(f"{file}: warning: {text}")
    accounts = {route.account for route in fleet.routes}
    write_text(
        f"{file}: policies: {len(fleet.policies)}, enabled: {len(fleet.enabled)}, "
        f"destinations: {len(fleet.routes)}, accounts: {len(accounts)}"
    )
    return Exit.DONE


async def plan(policy: Policy, max_age: timedelta, out: str | None, options: Globals) -> Exit:
    """Write what a sync of all policies would do now."""
    target = checked_target(out)
    fleet = _fleet([policy], policy.scope, options, max_age)
    strict = policy.scope.selection.strict
    made = await plan_fleet(fleet, connect=_connect(options), strict=strict)
    write_plan(made, target)
    _write_plan(made, options)
    return exit_of_all(_codes(made, Reporter(options)))


async def sync(how: SyncOptions, options: Globals) -> Exit:
    """Copy and prune as all policies say, and report each outcome."""
    scope = how.policy.scope
    fleet = _fleet([how], scope, options)
    if not any(one.prune for one in fleet.enabled):
        ArgumentErrors(switches_alone(how, "a policy that prunes")).raise_any()
    reporter = _FleetReporter(options, waiting=how.waiting)
    given = None if how.plan is None else read_fleet_plan(how.plan)
    if how.dry_run:
        strict = scope.selection.strict
        if given is None:
            made = await plan_fleet(fleet, connect=_connect(options), strict=strict)
        else:
            made = _of_fleet(given, fleet)
        _write_plan(made, options)
        held = (held_back(one, _as_policy(how, fleet, one)) for one in made.plans)
        codes = (Exit.FAILED if some else Exit.DONE for some in held)
        return exit_of_all([*_codes(made, reporter), *codes])
    deadline = Deadline(how.waiting.max_wait)
    run = _Sync(fleet, how, reporter, deadline)
    with deadline.scope:
        return await run.carry_out(_connect(options), given)
    return timed_out(reporter, run.codes)


async def report(
    scope: Scope, retention: Retention, max_age: timedelta, out: str | None, options: Globals
) -> Exit:
    """Write the age of the newest copies of all policies."""
    target, form = checked_target(out), checked_form(options.output)
    fleet = _fleet([scope, retention], scope, options, max_age)
    made = await report_fleet(fleet, connect=_connect(options), strict=scope.selection.strict)
    with written_to(target):
        if form is not None:
            write_page(form, made.reports, made.failures)
        else:
            _write_report(made, fleet, options)
    reporter, codes = Reporter(options), [Exit.DONE]
    for failure in made.failures:
        reporter.notice(_describe(failure))
        codes.append(exit_of(failure.error))
    for one in made.reports:
        if not one.sources:
            text = f"there is no backup in {one.source_region}, and no copy of one"
            reporter.notice(f"{one.policy_name}: {text}")
        for text in one.gaps:
            reporter.notice(f"{one.policy_name}: {text}")
        is_good = one.sources and not one.late and not one.gaps
        codes.append(Exit.DONE if is_good else Exit.FAILED)
    return exit_of_all(codes)


def _fleet(
    given: Sequence[object], scope: Scope, options: Globals, max_age: timedelta = DEFAULT_MAX_AGE
) -> Fleet:
    """Read the file and select its policies, or refuse what was given beside it."""
    file = scope.config or ""
    names = [option_of(name) for name in _DECIDED if getattr(options, name) is not None]
    for one in given:
        names += decided(one, _BESIDE_CONFIG)
    if max_age != DEFAULT_MAX_AGE:
        names.append("--max-age")
    rule = "must not be given with --config, whose file decides it"
    ArgumentErrors([f"{name}: {rule}" for name in names]).raise_any()
    try:
        fleet = Fleet.from_toml(file)
    except InvalidArguments as error:
        raise usage_error(*(f"{file}: {text}" for text in error.errors)) from error
    if scope.policy:
        fleet = fleet.select(scope.policy)
    if not fleet.enabled:
        raise ConfigurationError(f"{file}: no policy is enabled")
    return fleet


def _of_fleet(given: FleetPlan, fleet: Fleet) -> FleetPlan:
    """Return what a sync would carry out of a plan, or refuse the plan as a sync does."""
    made = planned_routes(fleet, given)
    plans = {route: one for route, one in made.items() if isinstance(one, ReplicationPlan)}
    return FleetPlan(
        plans=tuple(plans.values()),
        accounts=tuple(str(route.account) for route in plans),
        failures=tuple(one for one in made.values() if isinstance(one, PolicyFailure)),
    )


class _AccountClients(AccountClients):
    client_class = Client


def _connect(options: Globals) -> AccountClients:
    return _AccountClients(
        endpoint_url=options.endpoint_url,
        config=config_of(options),
        prepare=_ignore if options.quiet else report_silence,
    )


def _ignore(_: SupportsEvents) -> None:
    """Say nothing of requests that have no answer."""


def _as_policy(how: SyncOptions, fleet: Fleet, made: ReplicationPlan) -> SyncOptions:
    """Return the options of a sync with the pruning that the plan's policy has in the file."""
    prune = any(one.prune for one in fleet.policies if one.name == made.policy.name)
    return attrs.evolve(how, prune=prune)


def _codes(made: FleetPlan, reporter: Reporter) -> Iterator[Exit]:
    """Report what could not be planned and what the sources do not show; yield their codes."""
    for failure in made.failures:
        reporter.notice(_describe(failure))
        yield exit_of(failure.error)
    for one in made.plans:
        yield check_scope(one, reporter, f"{one.policy.name}: ")


def _describe(failure: PolicyFailure) -> str:
    regions = f"{failure.source_region} to {failure.destination_region}"
    where = f"{failure.policy_name}, account {failure.account}, {regions}"
    return f"{where}: {describe_error(failure.error)}"


def _write_plan(made: FleetPlan, options: Globals) -> None:
    if options.output == "table":
        for one in made.plans:
            write_text(str(one))
    elif options.output == "json":
        write_json(made.to_dict(), options.output)
    else:
        for part in (*made.plans, *made.failures):
            write_json(part.to_dict(), options.output)


def _write_report(made: FleetReport, fleet: Fleet, options: Globals) -> None:
    if options.output == "json":
        write_json(made.to_dict(), options.output)
        return
    routes = fleet.routes_by_name
    results = Results(options.output, "Sources", _REPORT_COLUMNS)
    for one in made.reports:
        origin = routes[one.policy_name, one.destination_region].origin
        for source in one.sources:
            cells = (one.policy_name, origin["Account"], one.destination_region, *row(source))
            results.add(partial(_source, origin, source), cells)
    for failure in made.failures:
        place = (failure.policy_name, failure.account, failure.destination_region)
        cells = (*place, "-", "FAILED", *["-"] * (len(_REPORT_COLUMNS) - 5))
        results.add(partial(public, failure), cells)
    results.write()


def _source(origin: Mapping[str, str], source: SourceReport) -> dict[str, object]:
    """Return a source as JSON-able data, with its policy, account and Region."""
    return {**origin, **public(source)}


class _FleetReporter(Reporter):
    """Report items with their policy, account and Region."""

    columns = (Column("POLICY"), Column("ACCOUNT", 2), Column("REGION", 1), *COLUMNS)

    def row(self, end: Ended, why: str) -> tuple[str, ...]:
        """Return the cells of an item."""
        return (*_origin(end), *super().row(end, why))

    def name_of(self, end: Ended) -> str:
        """Return what an item is called in a message."""
        origin = "{}, account {}, {}".format(*_origin(end))
        is_item = end.backup_id is not None or end.source_id is not None
        return f"{origin}: {super().name_of(end)}" if is_item else origin

    def conclude_fleet(self, command: str, not_begun: int) -> None:
        """Print the number of items by outcome, what is left where, and how to continue."""
        self.count_outcomes()
        running: defaultdict[str, list[str]] = defaultdict(list)
        for end in self.ends:
            if end.is_running:
                _, account, region = _origin(end)
                running[f"{region} of account {account}"].append(str(end.backup_id))
        is_open = any(end.is_open and end.outcome != "started" for end in self.ends)
        say = self.notice if is_open else self.info
        for place, ids in running.items():
            say(f"still running at the service in {place}: {', '.join(ids)}")
        self.conclude_unstarted()
        if not_begun:
            self.notice(f"policies not begun in a destination: {not_begun}")
        is_open = is_open or self.has_unstarted or bool(not_begun)
        if running or is_open or self.deferred:
            say = self.notice if is_open else self.info
            say(f"resume with: {command}", is_command=True)


def _origin(end: Ended) -> tuple[str, str, str]:
    return (end.origin["PolicyName"], end.origin["Account"], end.origin["DestinationRegion"])


@attrs.define(eq=False)
class _Sync:
    """One sync of a fleet, as it is reported."""

    fleet: Fleet
    how: SyncOptions
    reporter: _FleetReporter
    deadline: Deadline
    codes: list[Exit] = attrs.field(factory=list, init=False)
    expected: int = attrs.field(default=0, init=False)
    routes: dict[tuple[str, str], Route] = attrs.field(init=False)

    @routes.default
    def _find_routes(self) -> dict[tuple[str, str], Route]:
        return self.fleet.routes_by_name

    async def carry_out(self, connect: AccountClients, plan: FleetPlan | None) -> Exit:
        """Carry out the plans, report each outcome, and name what is left."""
        how = self.how
        synced = sync_fleet(
            self.fleet,
            plan=plan,
            connect=connect,
            strict=how.policy.scope.selection.strict,
            prune_orphans=how.prune_orphans,
            prune_most=how.prune_most,
            wait=not how.no_wait,
            max_wait=how.waiting.max_wait,
            schedule=how.waiting.schedule,
            on_plan=self._plan,
            on_seen=self._see,
        )
        reporter = self.reporter
        try:
            with reporter.live():
                try:
                    async with synced:
                        async for event in synced:
                            self._end(event)
                finally:
                    # Some may have come while the command was being cancelled.
                    for event in synced.outcomes:
                        self._end(event)
                    for route, applied in synced.applied.items():
                        for end in left_of(applied, self.deadline):
                            reporter.add(attrs.evolve(end, origin=route.origin))
        finally:
            reporter.conclude_fleet(self._command(), len(synced.not_begun))
        return exit_of_all([*self.codes, reporter.exit])

    def _plan(self, route: Route, made: ReplicationPlan) -> None:
        """Report what a plan says."""
        reporter, how = self.reporter, _as_policy(self.how, self.fleet, made)
        held = held_back(made, how)
        prefix = f"{route.policy.name}, account {route.account}, {route.destination.region}: "
        self.codes += [check_scope(made, reporter, prefix), Exit.FAILED if held else Exit.DONE]
        ends = [*refused(made)]
        self.expected += len(ends) + announce(made, how, held, reporter, prefix)
        reporter.expect(self.expected)
        for end in ends:
            reporter.ended(attrs.evolve(end, origin=route.origin))

    def _see(self, route: Route, copy: CopyInProgress) -> None:
        place = f"{route.policy.name}, account {route.account}, {route.destination.region}: "
        self.reporter.seen(copy.backup, prefix=place)
        self.deadline.answered(may_start=True)

    def _end(self, event: FleetEvent) -> None:
        """Report an outcome, or a policy that cannot be planned."""
        route = self.routes[event.policy_name, event.destination_region]
        origin = route.origin
        if isinstance(event, PolicyFailure):
            members = {"Outcome": "PolicyFailure", "Error": public(event)["Error"]}
            end = Ended(outcome="failed", error=event.error, members=members, origin=origin)
            self.reporter.ended(end)
            return
        outcome = event.outcome
        # What only the quota left is listed once, at the end.
        is_left = isinstance(outcome, CopyDeferred) and outcome.error is None
        report = self.reporter.add if is_left else self.reporter.ended
        report(attrs.evolve(ended(outcome), origin=origin))
        self.deadline.answered(may_start=True)

    def _command(self) -> str:
        """Return the command that continues where this one ended."""
        scope, how = self.how.policy.scope, self.how
        words = ["sync", "--config", str(scope.config)]
        if how.plan is not None:
            words += ["--plan", how.plan]
        for name in scope.policy:
            words += ["--policy", name]
        switches = {
            "--strict": scope.selection.strict,
            "--no-wait": how.no_wait,
            "--prune-orphans": how.prune_orphans,
            "--prune-most": how.prune_most,
        }
        return self.reporter.command(*words, *(name for name in switches if switches[name]))

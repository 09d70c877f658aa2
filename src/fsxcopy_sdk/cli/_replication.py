"""`fsxcopy plan`, `fsxcopy sync` and `fsxcopy report`: keep a second Region in sync."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import attrs

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk._validation import DEFAULT_MAX_AGE, ArgumentErrors, duration_text
from fsxcopy_sdk.bulk import CopyInProgress
from fsxcopy_sdk.cli._backups import follow, timed_out
from fsxcopy_sdk.cli._connection import client_of
from fsxcopy_sdk.cli._deadline import Deadline
from fsxcopy_sdk.cli._options import (
    Globals,
    Policy,
    Retention,
    Scope,
    Selection,
    SyncOptions,
    decided,
    errors_by_option,
    filters_by_option,
    option_of,
    policy_name,
    tags,
    usage_error,
)
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of, exit_of_all
from fsxcopy_sdk.cli._output import Results, public, write_json, write_text
from fsxcopy_sdk.cli._pages import (
    PageFailure,
    checked_form,
    checked_target,
    write_page,
    written_to,
)
from fsxcopy_sdk.cli._plans import read_plan, write_plan
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._tables import Column
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.replication import (
    Keep,
    PlannedPrune,
    ReplicationPlan,
    ReplicationPolicy,
    SourceReport,
    apply_plan,
    check_owner,
    plan_replication,
)

_BESIDE_PLAN = {
    "dry_run",
    "max_in_progress",
    "max_wait",
    "min_delay",
    "no_wait",
    "plan",
    "prune",
    "prune_most",
    "prune_orphans",
}
"""The options that a plan leaves to the command."""
_RULES = (
    "--keep-last, --keep-hourly, --keep-daily, --keep-weekly, --keep-monthly, --keep-yearly "
    "or --keep-within"
)
_REPORT_COLUMNS = (
    Column("SOURCE"),
    Column("STATE"),
    Column("AGE", 1),
    Column("NEWEST COPY", 2),
    Column("NEWEST BACKUP", 4),
    Column("IN PROGRESS", 3),
)


@asynccontextmanager
async def _clients(options: Globals) -> AsyncIterator[tuple[FsxCopyClient, FsxCopyClient]]:
    """Open the clients of the source Region and of the destination, in one session."""
    if options.source_region is None:
        raise usage_error("--source-region: must be given")
    destination = client_of(options)
    async with destination.with_region(options.source_region) as source, destination:
        yield source, destination


async def plan(policy: Policy, max_age: timedelta, out: str | None, options: Globals) -> Exit:
    """Write what a sync would do now; as JSON with the report."""
    target = checked_target(out)
    async with _clients(options) as clients:
        made = await _plan(*clients, policy, max_age)
    write_plan(made, target)
    _write(made, options)
    return check_scope(made, Reporter(options))


async def sync(how: SyncOptions, options: Globals) -> Exit:
    """Copy and prune as the policy says, and report each outcome."""
    given = None if how.plan is None else _given_plan(how, how.plan, options)
    if given is None:
        _check_pruning(how)
    else:
        options = attrs.evolve(
            options, region=given.destination_region, source_region=given.source_region
        )
    reporter = Reporter(options, waiting=how.waiting)
    deadline = Deadline(how.waiting.max_wait)
    codes: list[Exit] = []
    with deadline.scope:
        await _sync(how, given, options, reporter, deadline, codes=codes)
        return exit_of_all(codes)
    return timed_out(reporter, codes)


def _given_plan(how: SyncOptions, file: str, options: Globals) -> ReplicationPlan:
    """Return the plan of a file; refuse options that the plan decides."""
    rule = "must not be given with --plan, whose file decides it"
    ArgumentErrors([f"{name}: {rule}" for name in decided(how, _BESIDE_PLAN)]).raise_any()
    made = read_plan(file)
    errors = ArgumentErrors(switches_alone(how, "--prune"))
    planned = {"region": made.destination_region, "source_region": made.source_region}
    for name, region in planned.items():
        given = getattr(options, name)
        if given not in (None, region):
            errors.add(option_of(name), f"{region} as in the plan, or not given", given)
    if how.prune and not made.policy.prunes:
        errors.texts.append(
            "--prune: the policy of this plan has no retention, so it prunes nothing"
        )
    errors.raise_any()
    return made


async def _sync(
    how: SyncOptions,
    given: ReplicationPlan | None,
    options: Globals,
    reporter: Reporter,
    deadline: Deadline,
    *,
    codes: list[Exit],
) -> None:
    """Carry out a sync, and add its exit codes to *codes* as they become known."""
    async with _clients(options) as (source, destination):
        made = given or await _plan(source, destination, how.policy)
        held = held_back(made, how)
        codes += [check_scope(made, reporter), Exit.FAILED if held else Exit.DONE]
        if how.dry_run:
            _write(made, options)
            return
        if given is not None:
            await check_owner(given, source, destination)
        ends = [*refused(made)]
        reporter.expect(len(ends) + announce(made, how, held, reporter))

        def see(copy: CopyInProgress) -> None:
            reporter.seen(copy.backup)
            deadline.answered(may_start=bool(applied.not_started))

        applied = apply_plan(
            made,
            destination,
            source=source,
            prune=how.prune,
            prune_orphans=how.prune_orphans,
            prune_most=how.prune_most,
            wait=not how.no_wait,
            max_in_progress=how.max_in_progress,
            max_wait=how.waiting.max_wait,
            schedule=how.waiting.schedule,
            on_seen=see,
        )
        codes.append(await follow(applied, destination.region, reporter, deadline, ends))


async def report(
    scope: Scope, retention: Retention, max_age: timedelta, out: str | None, options: Globals
) -> Exit:
    """Write the age of the newest copies; one that is late makes the command fail."""
    target, form = checked_target(out), checked_form(options.output)
    try:
        async with _clients(options) as clients:
            planned = await _plan(*clients, Policy(scope=scope, retention=retention), max_age)
    except FsxCopyError as error:
        # An alert or a page must show the failure too.
        if form is not None and exit_of(error) is not Exit.USAGE:
            with written_to(target):
                write_page(form, failures=[PageFailure.of(error, policy_name(scope), options)])
        raise
    made = planned.report
    with written_to(target):
        if form is not None:
            write_page(form, [made])
        elif options.output == "json":
            write_json(made.to_dict(), options.output)
        else:
            results = Results(options.output, "Sources", _REPORT_COLUMNS)
            for one in made.sources:
                results.add(partial(public, one), row(one))
            results.write()
    reporter = Reporter(options)
    for text in made.gaps:
        reporter.notice(text)
    if not made.sources:
        reporter.notice(f"there is no backup in {made.source_region}, and no copy of one")
    return Exit.FAILED if made.late or made.gaps or not made.sources else Exit.DONE


def _check_pruning(how: SyncOptions) -> None:
    """Refuse to prune without a named policy or a retention."""
    policy = how.policy
    errors = switches_alone(how, "--prune")
    if how.prune and not policy.retention.has_rule:
        errors.append(f"--prune: must come with {_RULES}")
    if how.prune and not policy.scope.policy:
        errors.append(
            "--prune: must come with --policy NAME, because only that policy's copies are deleted"
        )
    ArgumentErrors(errors).raise_any()


def switches_alone(how: SyncOptions, needed: str) -> list[str]:
    """Return errors for the switches of pruning that were given without it."""
    switches = {"--prune-orphans": how.prune_orphans, "--prune-most": how.prune_most}
    alone = [] if how.prune else [name for name in switches if switches[name]]
    return [f"{name}: must come with {needed}" for name in alone]


def _keep(given: Retention) -> Keep | None:
    if not given.has_rule:
        if given.keep_time_zone is not None:
            raise usage_error(f"--keep-time-zone: must come with {_RULES}")
        return None
    return Keep(
        last=given.keep_last,
        hourly=given.keep_hourly,
        daily=given.keep_daily,
        weekly=given.keep_weekly,
        monthly=given.keep_monthly,
        yearly=given.keep_yearly,
        within=given.keep_within,
        time_zone="UTC" if given.keep_time_zone is None else given.keep_time_zone,
    )


async def _plan(
    source: FsxCopyClient,
    destination: FsxCopyClient,
    policy: Policy,
    max_age: timedelta = DEFAULT_MAX_AGE,
) -> ReplicationPlan:
    scope, copying = policy.scope, policy.copying
    filters = filters_by_option(Selection(filter=scope.selection.filter))
    key = copying.kms_key_id
    wanted = ReplicationPolicy(
        name=policy_name(scope),
        file_system_ids=scope.selection.file_system_id,
        volume_ids=scope.selection.volume_id,
        filters=tuple(filters.values()),
        newest=None if policy.newest == "all" else policy.newest,
        newer_than=policy.newer_than,
        copy_tags=policy.copy_tags,
        tags=tags(copying.tag),
        kms_key_ids={destination.region: key} if key is not None else {},
        keep=_keep(policy.retention),
        keep_tag=policy.keep_tag,
        max_age=max_age,
    )
    with errors_by_option(filters):
        strict = scope.selection.strict
        return await plan_replication(source, destination, wanted, strict=strict)


def check_scope(made: ReplicationPlan, reporter: Reporter, prefix: str = "") -> Exit:
    """Report, after *prefix*, what the policy selects and the source does not show."""
    for text in made.gaps:
        reporter.notice(f"{prefix}{text}")
    return Exit.FAILED if made.gaps else Exit.DONE


def held_back(made: ReplicationPlan, how: SyncOptions) -> Sequence[PlannedPrune]:
    """Return the copies that would be pruned if more switches were given with --prune."""
    if not how.prune:
        return ()
    return made.held_back_by(prune_orphans=how.prune_orphans, prune_most=how.prune_most)


def _write(made: ReplicationPlan, options: Globals) -> None:
    if options.output == "table":
        write_text(str(made))
    else:
        write_json(made.to_dict(), options.output)


def announce(
    made: ReplicationPlan,
    how: SyncOptions,
    held: Sequence[PlannedPrune],
    reporter: Reporter,
    prefix: str = "",
) -> int:
    """
    Report, after *prefix*, what the sync will do, and what it cannot do.

    Return how many outcomes that has, if nothing changes.
    """
    for one in made.cannot_copy:
        if not one.reason.is_failure:
            reporter.info(f"{prefix}cannot be copied: {one}")
    for prune in held:
        reporter.notice(f"{prefix}not pruned: {prune}")
    to_prune = len(made.to_prune) + len(made.held_back) - len(held) if how.prune else 0
    if made.to_copy or made.in_progress or to_prune:
        reporter.info(
            f"{prefix}to copy: {len(made.to_copy)}, in progress: {len(made.in_progress)}, "
            f"to prune: {to_prune}"
        )
    else:
        reporter.info(f"{prefix}nothing to do; copies up to date: {len(made.up_to_date)}")
    return len(made.to_copy) + len(made.in_progress) + to_prune


def refused(made: ReplicationPlan) -> Iterator[Ended]:
    """Yield the backups that no later sync can copy either."""
    for one in made.cannot_copy:
        if one.reason.is_failure:
            yield Ended(
                outcome="cannot_copy",
                reason=f"{one.reason}: {one.detail}" if one.detail else one.reason.value,
                requested_id=one.backup.backup_id,
                members=public(one),
            )


def row(one: SourceReport) -> tuple[str, ...]:
    """Return the cells of a source in the table of a report."""
    return (
        one.source_id,
        "LATE" if one.is_late else "ok",
        "-" if one.age is None else duration_text(one.age),
        one.newest_copy.backup_id if one.newest_copy else "-",
        one.newest_backup.backup_id if one.newest_backup else "-",
        str(one.in_progress),
    )

"""
`fsxcopy plan`, `fsxcopy sync` and `fsxcopy report`: a second Region kept ready.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from fsxcopy_sdk.cli._clients import clients_of
from fsxcopy_sdk.cli._exit import Exit, exit_of_all
from fsxcopy_sdk.cli._follow import follow, show_in
from fsxcopy_sdk.cli._options import (
    MAX_AGE,
    Globals,
    Policy,
    Pruning,
    Scope,
    Waiting,
    filters,
    tags,
)
from fsxcopy_sdk.cli._outcomes import Ended
from fsxcopy_sdk.cli._output import Results, write_json, write_lines
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._wait import schedule_of
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.replication import (
    CannotCopyReason,
    PlannedPrune,
    PruneObstacle,
    ReplicationPlan,
    ReplicationPolicy,
    SourceReport,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.replication._plan import duration_text, to_plain

# What is still being made need only be waited for; a copy has an original elsewhere.
_NO_FAILURE = (CannotCopyReason.NOT_AVAILABLE, CannotCopyReason.IS_A_COPY)
_DEFAULT_POLICY = "fsxcopy"
_REPORT_COLUMNS = ("SOURCE", "STATE", "AGE", "NEWEST COPY", "NEWEST BACKUP", "ON THE WAY")


async def plan(options: Globals, policy: Policy, max_age: timedelta, talk: Reporter) -> Exit:
    """
    Write what a sync would do now; as JSON with the report.
    """
    async with clients_of(options) as (source, destination):
        wanted = _policy(policy, destination.region, max_age)
        made = await plan_replication(source, destination, wanted)
    _write(made, options)
    return _exit_of_silence(made, talk)


async def sync(
    options: Globals,
    policy: Policy,
    waiting: Waiting,
    talk: Reporter,
    *,
    pruning: Pruning,
    dry_run: bool,
    max_in_progress: int,
) -> Exit:
    """
    Do what the policy wants done, and tell of each copy and deletion.
    """
    schedule = schedule_of(waiting)
    _check_pruning(pruning, policy)
    async with clients_of(options) as (source, destination):
        wanted = _policy(policy, destination.region)
        made = await plan_replication(source, destination, wanted)
        silence = _exit_of_silence(made, talk)
        if dry_run:
            _write(made, options)
            return silence
        _say(made, talk, pruning)
        applied = apply_plan(
            made,
            destination,
            source=source,
            prune=pruning.prune,
            prune_orphans=pruning.orphans,
            prune_most=pruning.most,
            max_in_progress=max_in_progress,
            max_wait=waiting.max_wait,
            schedule=schedule,
            on_seen=partial(show_in, talk),
        )
        ended = await follow(applied, destination, options, talk, _never_copied(made))
    held_back = Exit.FAILED if pruning.prune and _held_back(made, pruning) else Exit.DONE
    return exit_of_all((ended, silence, held_back))


async def report(options: Globals, scope: Scope, max_age: timedelta, talk: Reporter) -> Exit:
    """
    Write how old the newest copies are; one that is late makes the command fail.
    """
    async with clients_of(options) as (source, destination):
        wanted = _policy(Policy(scope=scope), destination.region, max_age)
        made = (await plan_replication(source, destination, wanted)).report
    if options.output == "json":
        write_json(made.to_dict(), indent=2)
    else:
        with Results(options.output, "sources", _REPORT_COLUMNS) as results:
            for one in made.sources:
                results.add(to_plain(one), _row(one))
    if not made.sources:
        talk.notice(f"there is no backup in {made.source_region}, and no copy of one")
    return Exit.FAILED if made.late or not made.sources else Exit.DONE


def _check_pruning(pruning: Pruning, policy: Policy) -> None:
    """
    Refuse to delete by a policy that is not named, or keeps nothing in particular.

    Raises:
        InvalidArguments: with a text for every fault.
    """
    faults = [
        f"{option}: must come with --prune"
        for option, given in (
            ("--prune-orphans", pruning.orphans),
            ("--prune-most", pruning.most),
        )
        if given and not pruning.prune
    ]
    if pruning.prune and policy.keep_last is None and policy.keep_within is None:
        faults.append("--prune: must come with --keep-last or --keep-within")
    if pruning.prune and policy.scope.policy is None:
        faults.append(
            "--prune: must come with --policy NAME, because only that policy's copies are deleted"
        )
    if faults:
        raise InvalidArguments("; ".join(faults), tuple(faults))


def _exit_of_silence(made: ReplicationPlan, talk: Reporter) -> Exit:
    """
    Say that there is nothing to copy, which is no success, and return the exit code for it.
    """
    if not made.source_backups:
        talk.notice(f"{made.source_region} shows no backup in the policy's scope")
    for one in made.missing:
        talk.notice(f"{made.source_region} shows no backup of {one}")
    return Exit.DONE if made.source_backups and not made.missing else Exit.FAILED


def _held_back(made: ReplicationPlan, pruning: Pruning) -> list[PlannedPrune]:
    """
    Return the copies that the policy does not keep and that the switches do not delete.
    """
    allowed = {
        PruneObstacle.NO_ORIGINAL: pruning.orphans,
        PruneObstacle.MORE_THAN_HALF: pruning.most,
    }
    return [one for one in made.held_back if not all(allowed[why] for why in one.obstacles)]


def _policy(policy: Policy, region: str, max_age: timedelta = MAX_AGE) -> ReplicationPolicy:
    """
    Return the policy that the options describe, for copies into *region*.

    Raises:
        InvalidArguments: they break rules.
    """
    scope, copying = policy.scope, policy.copying
    return ReplicationPolicy(
        name=_DEFAULT_POLICY if scope.policy is None else scope.policy,
        file_system_ids=scope.selection.file_system_id,
        volume_ids=scope.selection.volume_id,
        filters=filters(scope.selection.filter),
        newest=None if policy.newest == "all" else policy.newest,
        newer_than=policy.newer_than,
        copy_tags=policy.copy_tags,
        tags=tags(copying.tag),
        kms_key_ids={region: copying.kms_key_id} if copying.kms_key_id else {},
        keep_last=policy.keep_last,
        keep_within=policy.keep_within,
        keep_tag=policy.keep_tag,
        max_age=max_age,
    )


def _write(made: ReplicationPlan, options: Globals) -> None:
    if options.output == "table":
        write_lines(str(made).splitlines())
    else:
        write_json(made.to_dict(), indent=2 if options.output == "json" else None)


def _never_copied(made: ReplicationPlan) -> Iterator[Ended]:
    """
    Yield the ends of backups that no later sync can copy either.
    """
    for one in made.cannot_copy:
        if one.reason not in _NO_FAILURE:
            yield Ended(
                outcome="cannot_copy",
                reason=one.reason.value,
                request={
                    "SourceBackupId": one.backup.backup_id,
                    "SourceRegion": made.source_region,
                },
            )


def _say(made: ReplicationPlan, talk: Reporter, pruning: Pruning) -> None:
    """
    Say what is going to be done, and what cannot be.
    """
    for one in made.cannot_copy:
        talk.say(f"cannot be copied: {one}")
    held_back = _held_back(made, pruning)
    if pruning.prune:
        for prune in held_back:
            talk.notice(f"not pruned: {prune}")
    to_prune = len(made.to_prune) + len(made.held_back) - len(held_back) if pruning.prune else 0
    if made.to_copy or made.in_progress or to_prune:
        talk.say(
            f"to copy: {len(made.to_copy)}, on the way: {len(made.in_progress)}, "
            f"to prune: {to_prune}"
        )
    else:
        talk.say(f"nothing to do; copies there already: {len(made.present)}")


def _row(one: SourceReport) -> tuple[str, ...]:
    return (
        one.source_id,
        "LATE" if one.is_late else "ok",
        "-" if one.age is None else duration_text(one.age),
        one.newest_copy.backup_id if one.newest_copy else "-",
        one.newest_backup.backup_id if one.newest_backup else "-",
        str(one.in_progress),
    )

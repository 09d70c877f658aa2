"""`fsxcopy copy` and `fsxcopy wait`, and the progress of copies that `fsxcopy sync` shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing

import anyio

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.bulk import (
    BulkCopy,
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyRequest,
    CopySkipped,
    CopyTimedOut,
    copy_many,
)
from fsxcopy_sdk.cli._clients import checked_ids, client_of, report_running
from fsxcopy_sdk.cli._options import Copying, Globals, Waiting, tags
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of_all, outcome_of, outcomes, summary
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication import (
    AppliedPlan,
    PlanOutcome,
    Pruned,
    PruneFailed,
    PruneSkipped,
)

_OUTCOMES: dict[type[PlanOutcome], str] = {
    Copied: "copied",
    CopyFailed: "failed",
    CopyNotObserved: "not_observed",
    CopySkipped: "skipped",
    CopyTimedOut: "timed_out",
    Pruned: "pruned",
    PruneFailed: "not_pruned",
    PruneSkipped: "kept",
}


async def copy(
    options: Globals,
    reporter: Reporter,
    copying: Copying,
    waiting: Waiting,
    backup_ids: Sequence[str],
    *,
    copy_tags: bool,
    max_in_progress: int,
    salt: str,
) -> Exit:
    """Copy backups and wait for the copies."""
    requests = [
        CopyRequest(
            source_backup_id=backup_id,
            source_region=options.source_region,
            kms_key_id=copying.kms_key_id,
            copy_tags=copy_tags,
            tags=tags(copying.tag),
            idempotency_salt=salt,
        )
        for backup_id in checked_ids(backup_ids)
    ]
    async with client_of(options) as client:
        copies = copy_many(
            client,
            requests,
            max_in_progress=max_in_progress,
            max_wait=waiting.max_wait,
            schedule=waiting.schedule,
            on_seen=seen_by(reporter),
        )
        return await follow(copies, client, options, reporter)


async def wait(
    options: Globals, reporter: Reporter, waiting: Waiting, backup_ids: Sequence[str]
) -> Exit:
    """Wait until each backup is AVAILABLE, has failed, or has taken too long."""
    ids = checked_ids(backup_ids)
    running, ends = dict.fromkeys(ids), list[Ended]()
    async with client_of(options) as client:
        try:
            with outcomes(options) as results, reporter.live():

                def end_with(end: Ended) -> None:
                    reporter.ended(str(end.backup_id), end.words)
                    ends.append(end)
                    if not end.is_running:
                        del running[str(end.backup_id)]
                    results.add(end.document(), end.row())

                # One task per backup; the client merges their polls into few calls.
                async with anyio.create_task_group() as group:
                    for backup_id in ids:
                        group.start_soon(_watch, client, backup_id, waiting, reporter, end_with)
        finally:
            if len(ends) > 1:
                reporter.info(summary(ends))
            report_running(reporter, options, client.region, running)
    return exit_of_all(end.exit for end in ends)


async def _watch(
    client: FsxCopyClient,
    backup_id: str,
    waiting: Waiting,
    reporter: Reporter,
    end_with: Callable[[Ended], None],
) -> None:
    seen: Backup | None = None
    error: FsxCopyError | None = None
    observations = client.watch_backup(
        backup_id, max_wait=waiting.max_wait, schedule=waiting.schedule
    )
    try:
        async with aclosing(observations):
            async for seen in observations:
                reporter.seen(seen)
    except FsxCopyError as caught:
        error = caught
    outcome = outcome_of(error, "available")
    end_with(Ended(outcome=outcome, backup_id=backup_id, backup=seen, error=error))


def seen_by(reporter: Reporter) -> Callable[[CopyInProgress], None]:
    """Return the observer that shows copies in progress on *reporter*."""
    return lambda copy: reporter.seen(copy.backup)


async def follow(
    copies: BulkCopy | AppliedPlan,
    client: FsxCopyClient,
    options: Globals,
    reporter: Reporter,
    refused: Iterable[Ended] = (),
) -> Exit:
    """
    Carry out *copies*, report each outcome, and name what is left to the service.

    Items that were *refused* before are among the results.
    """
    ends = list(refused)
    try:
        with outcomes(options) as results, reporter.live():
            for end in ends:
                results.add(end.document(), end.row())
            async with copies:
                async for outcome in copies:
                    end = _ended(outcome)
                    ends.append(end)
                    reporter.ended(end.backup_id or str(end.source_id), end.words)
                    results.add(end.document(), end.row())
    finally:
        if len(ends) > 1:
            reporter.info(summary(ends))
        _report_unfinished(copies, ends, client, options, reporter)
    return exit_of_all(end.exit for end in ends)


def _ended(outcome: PlanOutcome) -> Ended:
    """Return the item of a bulk copy or of an applied plan."""
    word, error, reason = _OUTCOMES[type(outcome)], outcome.error, _reason(outcome)
    if isinstance(outcome, PruneSkipped) and outcome.is_held_back:
        word = "held_back"
    if isinstance(outcome, Pruned | PruneFailed | PruneSkipped):
        backup_id = outcome.prune.copy.backup_id
        return Ended(outcome=word, backup_id=backup_id, error=error, reason=reason)
    request, backup = outcome.request, outcome.backup
    source = {"SourceBackupId": request.source_backup_id, "SourceRegion": request.source_region}
    return Ended(
        outcome=word,
        backup_id=backup.backup_id if backup else None,
        backup=backup,
        error=error,
        reason=reason,
        request={name: value for name, value in source.items() if value is not None},
    )


def _reason(outcome: PlanOutcome) -> str | None:
    if isinstance(outcome, CopySkipped | PruneSkipped):
        return outcome.reason
    if isinstance(outcome, Pruned):
        return outcome.prune.reason
    return "existing copy" if isinstance(outcome, Copied) and outcome.existing else None


def _report_unfinished(
    copies: BulkCopy | AppliedPlan,
    ends: Sequence[Ended],
    client: FsxCopyClient,
    options: Globals,
    reporter: Reporter,
) -> None:
    """Name the copies that are running, that may be running, and that were not started."""
    unseen = [end.backup_id for end in ends if end.is_running and end.backup_id]
    left = copies.in_progress
    running = [copy.backup.backup_id for copy in left if copy.backup]
    report_running(reporter, options, client.region, [*unseen, *running])
    in_doubt = [copy.request.source_backup_id for copy in left if copy.backup is None]
    in_doubt += [
        str(end.source_id) for end in ends if end.outcome == "not_observed" and not end.backup_id
    ]
    if in_doubt:
        reporter.notice(f"may have been accepted: copies of {', '.join(in_doubt)}")
    if in_doubt or copies.not_started:
        reporter.notice(
            f"not started: {len(copies.not_started)}; run the same command again for the "
            "rest: existing copies are found first"
        )

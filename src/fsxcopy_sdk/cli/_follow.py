"""
Copies on their way, as `fsxcopy copy` and `fsxcopy sync` tell of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.bulk import (
    BulkCopy,
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    CopySkipped,
    CopyTimedOut,
)
from fsxcopy_sdk.cli._clients import say_what_still_runs
from fsxcopy_sdk.cli._exit import Exit, exit_of_all
from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.cli._outcomes import Ended, outcomes, summary
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.replication import (
    AppliedPlan,
    PlanOutcome,
    Pruned,
    PruneFailed,
    PruneSkipped,
)

_WORDS: dict[type[PlanOutcome], str] = {
    Copied: "copied",
    CopyFailed: "failed",
    CopyNotObserved: "not_observed",
    CopySkipped: "skipped",
    CopyTimedOut: "timed_out",
    Pruned: "pruned",
    PruneFailed: "not_pruned",
    PruneSkipped: "kept",
}


def show_in(talk: Reporter, seen: CopyInProgress) -> None:
    """
    Show a copy that was looked at.
    """
    if seen.backup is not None:
        talk.seen(seen.backup)


async def follow(
    copies: BulkCopy | AppliedPlan,
    client: FsxCopyClient,
    options: Globals,
    talk: Reporter,
    refused: Iterable[Ended] = (),
) -> Exit:
    """
    Carry out *copies*, tell of each end, and in the end of what goes on without us.

    What was *refused* before is among the results.
    """
    ends = list(refused)
    try:
        with outcomes(options) as results, talk.shown_live():
            for end in ends:
                results.add(end.document(), end.row())
            async with copies:
                async for outcome in copies:
                    end = ended(outcome)
                    ends.append(end)
                    talk.ended(end.backup_id or str(end.source_id), end.words)
                    results.add(end.document(), end.row())
    finally:
        if len(ends) > 1:
            talk.say(summary(ends))
        _say_what_is_left(copies, ends, client, options, talk)
    return exit_of_all(end.exit for end in ends)


def ended(outcome: PlanOutcome) -> Ended:
    """
    Return *outcome* as it is told.
    """
    word, error = _WORDS[type(outcome)], outcome.error
    if isinstance(outcome, Pruned | PruneFailed | PruneSkipped):
        reason = None
        if not isinstance(outcome, PruneFailed):
            reason = outcome.prune.reason if isinstance(outcome, Pruned) else outcome.reason
        backup_id = outcome.prune.copy.backup_id
        return Ended(outcome=word, backup_id=backup_id, error=error, reason=reason)
    return Ended(
        outcome=word,
        backup_id=outcome.backup.backup_id if outcome.backup else None,
        backup=outcome.backup,
        error=error,
        reason=_reason(outcome),
        request=_document(outcome.request),
    )


def _reason(outcome: CopyOutcome) -> str | None:
    if isinstance(outcome, Copied) and outcome.existing:
        return "existing copy"
    return outcome.reason if isinstance(outcome, CopySkipped) else None


def _document(request: CopyRequest) -> dict[str, object]:
    source = {"SourceBackupId": request.source_backup_id, "SourceRegion": request.source_region}
    return {name: value for name, value in source.items() if value is not None}


def _say_what_is_left(
    copies: BulkCopy | AppliedPlan,
    ends: list[Ended],
    client: FsxCopyClient,
    options: Globals,
    talk: Reporter,
) -> None:
    lost = [end.backup_id for end in ends if end.goes_on and end.backup_id]
    left = copies.in_progress
    running = [copy.backup.backup_id for copy in left if copy.backup]
    say_what_still_runs(talk, options, client.region, [*lost, *running])
    in_doubt = [copy.request.source_backup_id for copy in left if copy.backup is None]
    in_doubt += [
        str(end.source_id) for end in ends if end.outcome == "not_observed" and not end.backup_id
    ]
    if in_doubt:
        talk.notice(f"may have been accepted: copies of {', '.join(in_doubt)}")
    if in_doubt or copies.not_started:
        talk.notice(
            f"not started: {len(copies.not_started)}; run the same command again for the "
            "rest: existing copies are found first"
        )

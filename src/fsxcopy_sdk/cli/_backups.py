"""`fsxcopy copy` and `fsxcopy wait`: copies, and the end of each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import islice
from typing import TypeAlias

import anyio
import attrs

from fsxcopy_sdk import FsxCopyClient, bulk, replication
from fsxcopy_sdk.cli._connection import client_of
from fsxcopy_sdk.cli._deadline import Deadline
from fsxcopy_sdk.cli._options import (
    CopyOptions,
    Globals,
    Waiting,
    tags,
)
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of, exit_of_all
from fsxcopy_sdk.cli._output import public
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._rows import MOST_ROWS
from fsxcopy_sdk.errors import BackupCopyFailed, BackupNotFound, FsxCopyError, WaitTimeout
from fsxcopy_sdk.models import Backup

_WORDS: dict[type[replication.PlanOutcome], str] = {
    bulk.Copied: "copied",
    bulk.CopyDeferred: "deferred",
    bulk.CopyFailed: "failed",
    bulk.CopyNotObserved: "not_observed",
    bulk.CopySkipped: "skipped",
    bulk.CopyStarted: "started",
    bulk.CopyTimedOut: "timed_out",
    replication.Pruned: "pruned",
    replication.PruneFailed: "not_pruned",
    replication.PruneSkipped: "kept",
}
_Copies: TypeAlias = bulk.BulkCopy | replication.AppliedPlan


async def copy(backup_ids: Sequence[str], how: CopyOptions, options: Globals) -> Exit:
    """Copy backups, and wait for the copies unless that is not wanted."""
    requests = [
        bulk.CopyRequest(
            source_backup_id=backup_id,
            source_region=options.source_region,
            kms_key_id=how.copying.kms_key_id,
            copy_tags=how.copy_tags,
            tags=tags(how.copying.tag),
            idempotency_salt=how.salt,
        )
        for backup_id in backup_ids
    ]
    reporter = Reporter(options, waiting=how.waiting)
    deadline = Deadline(how.waiting.max_wait)
    reporter.expect(len(requests))

    def see(copy: bulk.CopyInProgress) -> None:
        reporter.seen(copy.backup)
        deadline.answered(may_start=bool(copies.not_started))

    with deadline.scope:
        async with _opened(options, reporter, lambda: map(_not_started, requests)) as client:
            copies = bulk.copy_many(
                client,
                requests,
                wait=not how.no_wait,
                max_in_progress=how.max_in_progress,
                max_wait=how.waiting.max_wait,
                schedule=how.waiting.schedule,
                on_seen=see,
            )
            return await follow(copies, client.region, reporter, deadline)
    return timed_out(reporter)


async def wait(backup_ids: Sequence[str], waiting: Waiting, options: Globals) -> Exit:
    """Wait until each backup is AVAILABLE, has failed, or has taken too long."""
    reporter, deadline = Reporter(options, waiting=waiting), Deadline(waiting.max_wait)
    reporter.expect(len(backup_ids), not_seen="not seen yet")
    watches = [_Watch(backup_id, waiting, reporter, deadline) for backup_id in backup_ids]

    def left() -> Iterator[Ended]:
        return (watch.left for watch in watches if not watch.is_ended)

    with deadline.scope:
        async with _opened(options, reporter, left) as client:
            try:
                with reporter.live():
                    try:
                        async with anyio.create_task_group() as others:
                            others.start_soon(_report_unknown, watches, client, waiting, reporter)
                            # One task each; the client merges their polls into few calls.
                            async with anyio.create_task_group() as group:
                                for watch in watches:
                                    group.start_soon(watch.run, client)
                            others.cancel_scope.cancel()
                    finally:
                        for end in left():
                            reporter.add(end)
            finally:
                reporter.conclude(client.region)
        return reporter.exit
    return timed_out(reporter)


@asynccontextmanager
async def _opened(
    options: Globals, reporter: Reporter, left: Callable[[], Iterable[Ended]]
) -> AsyncIterator[FsxCopyClient]:
    """Open the client of a command, and report what is *left* if that is cancelled."""
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(client_of(options))
        except anyio.get_cancelled_exc_class():  # as while a process is asked for credentials
            with reporter.live():
                for end in left():
                    reporter.add(end)
            # Where no Region was given, the next command finds the same one.
            reporter.conclude(options.region)
            raise
        yield client


@attrs.define
class _Watch:
    """The wait for one backup."""

    backup_id: str
    waiting: Waiting
    reporter: Reporter
    deadline: Deadline
    seen: Backup | None = None
    is_ended: bool = False

    async def run(self, client: FsxCopyClient) -> None:
        """Wait for the backup, and report how that ends."""
        outcome, error = "available", None
        polls = client.watch_backup(
            self.backup_id, max_wait=self.waiting.max_wait, schedule=self.waiting.schedule
        )
        try:
            async with aclosing(polls):
                async for self.seen in polls:
                    self.reporter.seen(self.seen)
                    self.deadline.answered()
        except FsxCopyError as caught:
            outcome, error = self._outcome(caught), caught
        self._end(outcome, error)

    @property
    def left(self) -> Ended:
        """How it ended, if its end was not awaited."""
        word = self.deadline.word
        if self.seen is None and word == "in_progress":
            word = "not_observed"  # there may be no such backup
        return Ended(
            outcome=word,
            backup_id=self.backup_id,
            backup=self.seen,
            reason=self.deadline.reason,
        )

    def _outcome(self, error: FsxCopyError) -> str:
        if isinstance(error, WaitTimeout):
            return "timed_out"
        # Losing access is not a failed copy.
        is_lost = self.seen is not None or exit_of(error) is Exit.DENIED
        return "not_observed" if is_lost and not isinstance(error, BackupCopyFailed) else "failed"

    def _end(self, outcome: str, error: FsxCopyError | None) -> None:
        self.is_ended = True
        self.reporter.ended(
            Ended(outcome=outcome, backup_id=self.backup_id, backup=self.seen, error=error)
        )


async def _report_unknown(
    watches: Iterable[_Watch], client: FsxCopyClient, waiting: Waiting, reporter: Reporter
) -> None:
    """Report the backups that the service does not know yet, some of them if they are many."""
    # By then a wait for a backup that exists has seen it.
    await client.clock.sleep(waiting.min_delay.total_seconds())
    patience = min(waiting.max_wait.total_seconds(), waiting.schedule.not_found_grace)
    for watch in islice((watch for watch in watches if not watch.seen), MOST_ROWS):
        try:
            await client.describe_backup(watch.backup_id)
        except BackupNotFound:
            text = f"not known in {client.region} yet; waiting up to {patience:.0f} s"
            reporter.event(f"{watch.backup_id} is {text}")
        except FsxCopyError:  # which the wait reports, if it matters
            return


async def follow(
    copies: _Copies,
    region: str,
    reporter: Reporter,
    deadline: Deadline,
    refused: Iterable[Ended] = (),
) -> Exit:
    """Carry out *copies*, report each outcome after *refused* ones, and name what is left."""
    reported = 0
    try:
        with reporter.live():
            for end in refused:
                reporter.ended(end)
            try:
                async with copies:
                    async for outcome in copies:
                        reported += 1
                        is_left = isinstance(outcome, bulk.CopyDeferred) and outcome.error is None
                        # Requests that only the quota deferred are listed once, at the end.
                        (reporter.add if is_left else reporter.ended)(ended(outcome))
                        deadline.answered(may_start=bool(copies.not_started))
            finally:
                # Some may have come while the command was being cancelled.
                for outcome in copies.outcomes[reported:]:
                    reporter.ended(ended(outcome))
                for end in left_of(copies, deadline):
                    reporter.add(end)
    finally:
        reporter.conclude(region)
    return reporter.exit


def timed_out(reporter: Reporter, codes: Iterable[Exit] = ()) -> Exit:
    """Return the exit code of a command that `--max-wait` has ended, after *codes*."""
    reporter.notice("--max-wait is over")
    return exit_of_all([*codes, Exit.TIMED_OUT, reporter.exit])


def left_of(copies: _Copies, deadline: Deadline) -> Iterator[Ended]:
    """Yield what had not ended when the command did."""
    for copy in copies.in_progress:
        # Without an answer it is not known whether the copy was accepted.
        yield Ended(
            outcome=deadline.word if copy.backup else "not_observed",
            backup_id=copy.backup_id,
            backup=copy.backup,
            reason=deadline.reason,
            requested_id=copy.request.source_backup_id,
            members=public(copy),
        )
    yield from map(_not_started, copies.not_started)
    if isinstance(copies, replication.AppliedPlan):
        prunes = {
            "not_observed": copies.prunes_in_progress,
            "not_started": copies.prunes_not_started,
        }
        for word, ones in prunes.items():
            for prune in ones:
                yield Ended(
                    outcome=word,
                    backup_id=prune.copy.backup_id,
                    is_deletion=True,
                    members={"Prune": public(prune)},
                )


def _not_started(request: bulk.CopyRequest) -> Ended:
    return Ended(
        outcome="not_started",
        requested_id=request.source_backup_id,
        members={"Request": public(request)},
    )


def ended(outcome: replication.PlanOutcome) -> Ended:
    """Return the item of a bulk copy or of an applied plan."""
    word, reason = _WORDS[type(outcome)], None
    match outcome:
        case bulk.Copied(existing=True, request=request, backup=existing):
            word, reason = "existing", "copied before"
            # A copy has its key as an ARN; a request may name it by its end, or by an alias.
            wanted, used = request.kms_key_id, existing.kms_key_id
            if wanted is not None and used is not None and not used.endswith(wanted):
                reason = f"copied before, under {used}"
        case bulk.CopyStarted(existing=True):
            reason = "started before"
        case bulk.CopyDeferred() | bulk.CopySkipped() | replication.PruneSkipped():
            reason = outcome.reason
        case replication.Pruned():
            reason = outcome.prune.reason
    if isinstance(outcome, replication.PruneOutcome):
        if isinstance(outcome, replication.PruneSkipped) and outcome.is_held_back:
            word = "held_back"
        return Ended(
            outcome=word,
            backup_id=outcome.prune.copy.backup_id,
            requested_id=outcome.prune.source_backup_id,
            error=outcome.error,
            reason=reason,
            members=public(outcome),
        )
    backup = outcome.backup
    copy_id = backup.backup_id if backup else None
    if isinstance(outcome, bulk.CopyNotObserved):
        copy_id = outcome.backup_id  # it may be known where the copy cannot be read
    return Ended(
        outcome=word,
        backup_id=copy_id,
        backup=backup,
        error=outcome.error,
        reason=reason,
        requested_id=outcome.request.source_backup_id,
        members=public(outcome),
    )

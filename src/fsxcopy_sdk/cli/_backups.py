"""The commands for backups of one Region: list, show, delete, copy and wait."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import TypeAlias

import anyio
import attrs

from fsxcopy_sdk import FsxCopyClient, bulk, replication
from fsxcopy_sdk.cli._connection import client_of
from fsxcopy_sdk.cli._deadline import Deadline
from fsxcopy_sdk.cli._options import (
    CopyOptions,
    Globals,
    Selection,
    Waiting,
    errors_by_option,
    filters_by_option,
    tags,
    usage_error,
)
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of, exit_of_all
from fsxcopy_sdk.cli._output import Results, progress_of, public, write_json, write_table
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._streams import is_terminal, read_answer
from fsxcopy_sdk.errors import BackupCopyFailed, FsxCopyError, WaitTimeout
from fsxcopy_sdk.models import Backup

_COLUMNS = ("BACKUP", "CREATED", "LIFECYCLE", "TYPE", "OF", "COPY OF", "NAME")
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


async def list_backups(selection: Selection, options: Globals) -> Exit:
    """Write the selected backups of the Region, in the service's order."""
    filters = filters_by_option(selection)
    results = Results(options.output, "Backups", _COLUMNS)
    found = 0
    async with client_of(options) as client:
        with errors_by_option(filters):
            listing = client.iter_backups(filters=filters.values(), strict=selection.strict)
            async with aclosing(listing) as backups:
                async for backup in backups:
                    found += 1
                    results.add(public(backup), _row(backup))
        # Not after an error: a partial list would suggest that there are no other backups.
        results.write()
        Reporter(options).info(f"backups in {client.region}: {found}")
    return Exit.DONE


def _row(backup: Backup) -> tuple[str, ...]:
    source = backup.source_backup_id
    return (
        backup.backup_id,
        f"{backup.creation_time:%Y-%m-%d %H:%M}Z",
        progress_of(backup),
        backup.type.value,
        (backup.volume and backup.volume.volume_id)
        or (backup.file_system and backup.file_system.file_system_id)
        or "",
        f"{source} in {backup.source_backup_region or 'its Region'}" if source else "",
        next((tag.value or "" for tag in backup.tags if tag.key == "Name"), ""),
    )


async def show(backup_id: str, options: Globals) -> Exit:
    """Write all members of one backup."""
    async with client_of(options) as client:
        document = public(await client.describe_backup(backup_id))
    if options.output == "table":
        write_table(_members(document))
    else:
        write_json(document, options.output)
    return Exit.DONE


def _members(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and value of each member of a document."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _members(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _members(member, f"{path}[{number}]")
    else:
        yield path, str(value)


async def delete(backup_ids: Sequence[str], is_confirmed: bool, options: Globals) -> Exit:
    """Delete backups one after the other, whether or not one of them fails."""
    reporter = Reporter(options)
    async with client_of(options) as client:
        if not (is_confirmed or _confirmed(backup_ids, client.region, reporter)):
            reporter.info("nothing was deleted")
            return Exit.FAILED
        with reporter.live():
            for backup_id in backup_ids:
                try:
                    await client.delete_backup(backup_id)
                    end = Ended(outcome="deleted", backup_id=backup_id)
                except FsxCopyError as error:
                    end = Ended(outcome="failed", backup_id=backup_id, error=error)
                reporter.ended(end)
    return reporter.exit


def _confirmed(ids: Sequence[str], region: str, reporter: Reporter) -> bool:
    if not is_terminal(sys.stdin):
        raise usage_error(
            "--yes: stdin is not a terminal: pass --yes to delete without confirmation"
        )
    for backup_id in ids:
        reporter.notice(backup_id)
    backups = "this backup" if len(ids) == 1 else f"these {len(ids)} backups"
    reporter.notice(f"Permanently delete {backups} in {region}? Type yes:")
    return read_answer().strip().lower() in ("y", "yes")


async def copy(backup_ids: Sequence[str], how: CopyOptions, options: Globals) -> Exit:
    """Copy backups and wait for the copies."""
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
    reporter, deadline = Reporter(options), Deadline(how.waiting.max_wait)

    def see(copy: bulk.CopyInProgress) -> None:
        reporter.seen(copy.backup)
        deadline.answered(may_start=bool(copies.not_started))

    with deadline.scope:
        async with client_of(options) as client:
            copies = bulk.copy_many(
                client,
                requests,
                max_in_progress=how.max_in_progress,
                max_wait=how.waiting.max_wait,
                schedule=how.waiting.schedule,
                on_seen=see,
            )
            return await follow(copies, client.region, reporter, deadline)
    return timed_out(reporter)


async def wait(backup_ids: Sequence[str], waiting: Waiting, options: Globals) -> Exit:
    """Wait until each backup is AVAILABLE, has failed, or has taken too long."""
    reporter, deadline = Reporter(options), Deadline(waiting.max_wait)
    watches = [_Watch(backup_id, waiting, reporter, deadline) for backup_id in backup_ids]
    with deadline.scope:
        async with client_of(options) as client:
            try:
                with reporter.live():
                    try:
                        # One task each; the client merges their polls into few calls.
                        async with anyio.create_task_group() as group:
                            for watch in watches:
                                group.start_soon(watch.run, client)
                    finally:
                        for watch in watches:
                            watch.leave()
            finally:
                reporter.conclude(client.region)
        return reporter.exit
    return timed_out(reporter)


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

    def leave(self) -> None:
        """Add it to the results, if its end was not awaited."""
        if not self.is_ended:
            self.reporter.add(
                Ended(
                    outcome=self.deadline.word,
                    backup_id=self.backup_id,
                    backup=self.seen,
                    reason=self.deadline.reason,
                )
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


async def follow(
    copies: _Copies,
    region: str,
    reporter: Reporter,
    deadline: Deadline,
    refused: Iterable[Ended] = (),
) -> Exit:
    """Carry out *copies*, report each outcome after *refused* ones, and name what is left."""
    try:
        with reporter.live():
            for end in refused:
                reporter.add(end)
            try:
                async with copies:
                    async for outcome in copies:
                        reporter.ended(_ended(outcome))
                        deadline.answered(may_start=bool(copies.not_started))
            finally:
                for end in _left(copies, deadline):
                    reporter.add(end)
    finally:
        reporter.conclude(region)
    return reporter.exit


def timed_out(reporter: Reporter) -> Exit:
    """Return the exit code of a command that `--max-wait` has ended."""
    reporter.notice("--max-wait is over")
    return exit_of_all([Exit.TIMED_OUT, reporter.exit])


def _left(copies: _Copies, deadline: Deadline) -> Iterator[Ended]:
    """Yield what had not ended when the command did."""
    for copy in copies.in_progress:
        # Without an answer it is not known whether the copy was accepted.
        yield Ended(
            outcome=deadline.word if copy.backup else "not_observed",
            backup_id=copy.backup.backup_id if copy.backup else None,
            backup=copy.backup,
            reason=deadline.reason,
            requested_id=copy.request.source_backup_id,
            members=public(copy),
        )
    for request in copies.not_started:
        yield Ended(
            outcome="not_started",
            requested_id=request.source_backup_id,
            members={"Request": public(request)},
        )


def _ended(outcome: replication.PlanOutcome) -> Ended:
    """Return the item of a bulk copy or of an applied plan."""
    word, reason = _WORDS[type(outcome)], None
    match outcome:
        case bulk.Copied(existing=True) | bulk.CopyStarted(existing=True):
            reason = "existing copy"
        case bulk.CopyDeferred() | bulk.CopySkipped() | replication.PruneSkipped():
            reason = outcome.reason
        case replication.Pruned():
            reason = outcome.prune.reason
    if isinstance(outcome, replication.PruneOutcome):
        if isinstance(outcome, replication.PruneSkipped) and outcome.is_held_back:
            word = "held_back"
        backup_id = outcome.prune.copy.backup_id
        return Ended(
            outcome=word,
            backup_id=backup_id,
            error=outcome.error,
            reason=reason,
            members=public(outcome),
        )
    backup = outcome.backup
    return Ended(
        outcome=word,
        backup_id=backup.backup_id if backup else None,
        backup=backup,
        error=outcome.error,
        reason=reason,
        requested_id=outcome.request.source_backup_id,
        members=public(outcome),
    )

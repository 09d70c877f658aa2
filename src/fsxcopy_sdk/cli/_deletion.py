"""`fsxcopy delete`: show what is to be deleted, ask, and delete."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import partial

import attrs

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.cli._connection import client_of
from fsxcopy_sdk.cli._listing import COLUMNS, row_of
from fsxcopy_sdk.cli._options import Deletion, Globals, usage_error
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of_all
from fsxcopy_sdk.cli._output import Results, public, write_table
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._screen import Screen
from fsxcopy_sdk.cli._streams import is_terminal, read_answer
from fsxcopy_sdk.errors import BackupNotFound, FsxCopyError
from fsxcopy_sdk.models import Backup


async def delete(backup_ids: Sequence[str], how: Deletion, options: Globals) -> Exit:
    """Delete backups one after the other, whether or not one of them fails."""
    if not (how.yes or how.dry_run or is_terminal(sys.stdin)):
        raise usage_error(
            "--yes: stdin is not a terminal: pass --yes to delete without confirmation"
        )
    reporter = Reporter(options)
    reporter.expect(len(backup_ids))
    async with client_of(options) as client:
        if how.dry_run:
            found, missing = await _found(backup_ids, client)
            # The document is that of list, which has no outcomes.
            for end in missing:
                reporter.notice(f"{end.backup_id}: {end.words}: {end.why}")
            _show(found, client.region, options)
            return exit_of_all(end.exit for end in missing)
        if not how.yes:
            found, missing = await _found(backup_ids, client)
            for end in missing:
                reporter.ended(end)
            is_confirmed = False
            try:
                is_confirmed = bool(found) and await _is_confirmed(found, client.region, reporter)
            finally:
                # The table above the question has shown them; a document has not.
                if not is_confirmed and options.output != "table":
                    _leave(found, reporter)
            if not is_confirmed:
                reporter.info("nothing was deleted")
                return Exit.FAILED
            backup_ids = [backup.backup_id for backup in found]
        try:
            with reporter.live():
                await _delete(backup_ids, client, reporter)
        finally:
            reporter.conclude_deletions()
    return reporter.exit


async def _found(
    backup_ids: Iterable[str], client: FsxCopyClient
) -> tuple[list[Backup], list[Ended]]:
    """Return the backups that exist, and failures of the others."""
    found, missing = [], []
    for backup_id in backup_ids:
        try:
            found.append(await client.describe_backup(backup_id))
        except BackupNotFound as error:
            missing.append(Ended(outcome="failed", backup_id=backup_id, error=error))
    return found, missing


def _show(backups: Sequence[Backup], region: str, options: Globals) -> None:
    results = Results(options.output, "Backups", COLUMNS)
    for backup in backups:
        results.add(partial(public, backup), row_of(backup))
    results.write()
    Reporter(options).info(f"would be deleted in {region}: {len(backups)}; nothing was")


async def _is_confirmed(backups: Sequence[Backup], region: str, reporter: Reporter) -> bool:
    # However narrow the terminal, because an ID alone does not tell what is deleted.
    needed = ["BACKUP", "OF"]
    if any(backup.size_in_bytes is not None for backup in backups):
        needed.append("SIZE")
    columns = [
        attrs.evolve(one, rank=0 if one.heading in needed else one.rank or 1) for one in COLUMNS
    ]
    write_table(columns, map(row_of, backups), Screen(is_error=True))
    these = "this backup" if len(backups) == 1 else f"these {len(backups)} backups"
    reporter.notice(f"Permanently delete {these} in {region}? Type yes:")
    return (await read_answer()).strip().lower() in ("y", "yes")


def _leave(backups: Iterable[Backup], reporter: Reporter) -> None:
    """Write the document of a deletion that was not started."""
    with reporter.live():
        for one in backups:
            end = Ended(outcome="not_started", backup_id=one.backup_id, is_deletion=True)
            reporter.add(end)


async def _delete(backup_ids: Iterable[str], client: FsxCopyClient, reporter: Reporter) -> None:
    """Delete backups, and say what became of each, also if this is cancelled."""
    left, word = [*backup_ids], "not_started"
    try:
        while left:
            word = "not_observed"
            try:
                await client.delete_backup(left[0])
                end = Ended(outcome="deleted", backup_id=left[0])
            except FsxCopyError as error:
                end = Ended(outcome="failed", backup_id=left[0], error=error)
            word = "not_started"
            del left[0]
            reporter.ended(end)
    finally:
        # Without an answer it is not known whether the deletion was accepted.
        for backup_id in left:
            reporter.add(Ended(outcome=word, backup_id=backup_id, is_deletion=True))
            word = "not_started"

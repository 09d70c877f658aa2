"""`fsxcopy list`, `fsxcopy show` and `fsxcopy delete`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import aclosing

import anyio

from fsxcopy_sdk.cli._clients import checked_ids, client_of
from fsxcopy_sdk.cli._options import (
    Globals,
    Selection,
    errors_by_option,
    filters_by_option,
    usage_error,
)
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of_all, outcome_of, outcomes
from fsxcopy_sdk.cli._output import (
    BACKUP_COLUMNS,
    Results,
    backup_row,
    members,
    public,
    write_json,
    write_table,
)
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.errors import FsxCopyError


async def list_backups(options: Globals, reporter: Reporter, selection: Selection) -> Exit:
    """Write the selected backups of the Region, in the service's order."""
    filters = filters_by_option(selection)
    found = 0
    async with client_of(options) as client:
        # A partial list would suggest that the other backups do not exist.
        with (
            errors_by_option(filters),
            Results(
                options.output, "Backups", BACKUP_COLUMNS, is_whole_or_nothing=True
            ) as results,
        ):
            async with aclosing(client.iter_backups(filters=filters.values())) as backups:
                async for backup in backups:
                    found += 1
                    results.add(public(backup), backup_row(backup))
        reporter.info(f"backups in {client.region}: {found}")
    return Exit.DONE


async def show(options: Globals, _: Reporter, backup_id: str) -> Exit:
    """Write all members of one backup."""
    async with client_of(options) as client:
        document = public(await client.describe_backup(backup_id))
    if options.output == "table":
        write_table(("", ""), members(document))
    else:
        write_json(document, indent=2 if options.output == "json" else None)
    return Exit.DONE


async def delete(
    options: Globals, reporter: Reporter, backup_ids: Sequence[str], is_confirmed: bool
) -> Exit:
    """Delete backups one after the other, whether or not one of them fails."""
    ids = checked_ids(backup_ids)
    codes = []
    async with client_of(options) as client:
        if not (is_confirmed or await _confirmed(ids, client.region, reporter)):
            reporter.info("nothing was deleted")
            return Exit.FAILED
        with outcomes(options) as results:
            for backup_id in ids:
                error: FsxCopyError | None = None
                try:
                    await client.delete_backup(backup_id)
                except FsxCopyError as caught:
                    error = caught
                outcome = outcome_of(error, "deleted")
                end = Ended(outcome=outcome, backup_id=backup_id, error=error)
                reporter.ended(backup_id, end.words)
                codes.append(end.exit)
                results.add(end.document(), end.row())
    return exit_of_all(codes)


async def _confirmed(ids: Sequence[str], region: str, reporter: Reporter) -> bool:
    """
    Whether the user at the terminal confirms the deletion.

    Raises:
        InvalidArguments: standard input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise usage_error(
            "--yes: stdin is not a terminal: pass --yes to delete without confirmation"
        )
    for backup_id in ids:
        reporter.notice(backup_id)
    backups = "this backup" if len(ids) == 1 else f"these {len(ids)} backups"
    reporter.notice(f"Permanently delete {backups} in {region}? Type yes:")
    # A blocking read could not be interrupted: Ctrl-C cancels only what awaits.
    await anyio.wait_readable(sys.stdin)
    return sys.stdin.readline().strip().lower() in ("y", "yes")

"""
`fsxcopy list` and `fsxcopy show`: what there is.
"""

from __future__ import annotations

from contextlib import aclosing

from fsxcopy_sdk.cli._clients import client_of
from fsxcopy_sdk.cli._exit import Exit
from fsxcopy_sdk.cli._options import Globals, Selection, selected
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


async def list_backups(options: Globals, selection: Selection, talk: Reporter) -> Exit:
    """
    Write the backups of the Region that are selected, the service's order kept.
    """
    filters = selected(selection)
    found = 0
    async with client_of(options) as client:
        # Backups that are not listed are taken for gone.
        with Results(
            options.output, "Backups", BACKUP_COLUMNS, is_whole_or_nothing=True
        ) as results:
            async with aclosing(client.iter_backups(filters=filters)) as backups:
                async for backup in backups:
                    found += 1
                    results.add(public(backup), backup_row(backup))
        talk.say(f"backups in {client.region}: {found}")
    return Exit.DONE


async def show(options: Globals, backup_id: str, _: Reporter) -> Exit:
    """
    Write everything that the service tells of one backup.
    """
    async with client_of(options) as client:
        document = public(await client.describe_backup(backup_id))
    if options.output == "table":
        write_table(("", ""), members(document))
    else:
        write_json(document, indent=2 if options.output == "json" else None)
    return Exit.DONE

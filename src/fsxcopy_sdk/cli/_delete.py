"""
`fsxcopy delete`: for good, so only after a yes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import anyio

from fsxcopy_sdk.cli._clients import checked, client_of
from fsxcopy_sdk.cli._exit import Exit, exit_of_all
from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.cli._outcomes import Ended, outcome_of, outcomes
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.errors import FsxCopyError, InvalidArguments


async def delete(options: Globals, backup_ids: Sequence[str], yes: bool, talk: Reporter) -> Exit:
    """
    Delete backups one after the other; one that cannot be deleted stops no other.
    """
    ids = checked(backup_ids)
    codes = []
    async with client_of(options) as client:
        if not (yes or await _is_meant(ids, client.region, talk)):
            talk.say("nothing was deleted")
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
                talk.ended(backup_id, end.words)
                codes.append(end.exit)
                results.add(end.document(), end.row())
    return exit_of_all(codes)


async def _is_meant(ids: Sequence[str], region: str, talk: Reporter) -> bool:
    """
    Whether the person at the terminal says yes.

    Raises:
        InvalidArguments: there is no terminal to ask at.
    """
    if not sys.stdin.isatty():
        fault = "--yes: must be given where nobody can be asked"
        raise InvalidArguments(fault, (fault,))
    for backup_id in ids:
        talk.notice(backup_id)
    talk.notice(f"Delete {len(ids)} of {region} for good? Type yes:")
    # Who reads at once cannot be interrupted: a Ctrl-C only cancels what awaits.
    await anyio.wait_readable(sys.stdin)
    return sys.stdin.readline().strip().lower() in ("y", "yes")

"""
Clients from the options of a command, and what is typed to go on with them.
"""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk._transport import session_of_profile
from fsxcopy_sdk._validation import check_backup_id
from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.errors import InvalidArguments


def client_of(options: Globals) -> FsxCopyClient:
    """
    Return the client of the Region that *options* name, to be opened by ``async with``.
    """
    session = session_of_profile(options.profile)
    return FsxCopyClient(options.region, session=session, endpoint_url=options.endpoint_url)


@asynccontextmanager
async def clients_of(options: Globals) -> AsyncIterator[tuple[FsxCopyClient, FsxCopyClient]]:
    """
    Open the clients of the source's Region and of the destination's, of one session.

    Raises:
        InvalidArguments: no source Region is given.
    """
    if options.source_region is None:
        fault = "--source-region: must be given"
        raise InvalidArguments(fault, (fault,))
    session = session_of_profile(options.profile)
    url = options.endpoint_url
    async with (
        FsxCopyClient(options.source_region, session=session, endpoint_url=url) as source,
        FsxCopyClient(options.region, session=session, endpoint_url=url) as destination,
    ):
        yield source, destination


def checked(backup_ids: Iterable[str]) -> tuple[str, ...]:
    """
    Return *backup_ids*, each once, in their order.

    Raises:
        InvalidArguments: there is none, or one is no id; all that are wrong are named.
    """
    ids = tuple(dict.fromkeys(backup_ids))
    faults = [] if ids else ["BACKUP_IDS: give one at least"]
    for backup_id in ids:
        try:
            check_backup_id(backup_id)
        except InvalidArguments as error:
            faults.extend(error.errors)
    if faults:
        raise InvalidArguments("; ".join(faults), tuple(faults))
    return ids


def say_what_still_runs(
    talk: Reporter, options: Globals, region: str, backup_ids: Iterable[str]
) -> None:
    """
    Say which backups the service is still at, and what to type to wait for them.
    """
    ids = list(backup_ids)
    if not ids:
        return
    given = {
        "--region": region,
        "--profile": options.profile,
        "--endpoint-url": options.endpoint_url,
    }
    texts = [text for option, value in given.items() if value for text in (option, value)]
    talk.notice(f"still running at the service: {', '.join(ids)}")
    talk.notice(f"go on with: {shlex.join(['fsxcopy', 'wait', *ids, *texts])}")

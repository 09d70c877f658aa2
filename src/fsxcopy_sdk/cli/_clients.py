"""The clients that the options describe, and the command that resumes a wait."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk._transport import session_of_profile
from fsxcopy_sdk._validation import check_backup_id
from fsxcopy_sdk.cli._options import Globals, usage_error
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.errors import InvalidArguments


def client_of(options: Globals) -> FsxCopyClient:
    """Return the client of the Region, to be opened by ``async with``."""
    session = session_of_profile(options.profile)
    return FsxCopyClient(options.region, session=session, endpoint_url=options.endpoint_url)


@asynccontextmanager
async def clients_of(options: Globals) -> AsyncIterator[tuple[FsxCopyClient, FsxCopyClient]]:
    """
    Open the clients of the source Region and of the destination, in one session.

    Raises:
        InvalidArguments: no source Region is given.
    """
    if options.source_region is None:
        raise usage_error("--source-region: must be given")
    destination = client_of(options)
    async with destination.with_region(options.source_region) as source, destination:
        yield source, destination


def checked_ids(backup_ids: Iterable[str]) -> tuple[str, ...]:
    """
    Return *backup_ids* in their order, without duplicates.

    Raises:
        InvalidArguments: there is none, or some are not backup IDs; all errors are named.
    """
    ids = tuple(dict.fromkeys(backup_ids))
    errors = [] if ids else ["BACKUP_IDS: give at least one"]
    for backup_id in ids:
        try:
            check_backup_id(backup_id)
        except InvalidArguments as error:
            errors.extend(error.errors)
    if errors:
        raise usage_error(*errors)
    return ids


def report_running(
    reporter: Reporter, options: Globals, region: str, backup_ids: Iterable[str]
) -> None:
    """Name the backups that the service is still working on, and the command to wait for them."""
    ids = list(backup_ids)
    if not ids:
        return
    given = {
        "--region": region,
        "--profile": options.profile,
        "--endpoint-url": options.endpoint_url,
    }
    texts = [text for option, value in given.items() if value for text in (option, value)]
    reporter.notice(f"still running at the service: {', '.join(ids)}")
    reporter.notice(f"resume with: {shlex.join(['fsxcopy', 'wait', *ids, *texts])}")

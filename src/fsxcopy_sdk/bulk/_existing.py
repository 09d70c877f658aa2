"""
The copies that the destination lists, whichever program requested them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime

from fsxcopy_sdk._validation import MAX_FILTER_VALUES, BackupFilter
from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.models import Backup

_log = logging.getLogger("fsxcopy_sdk.bulk")


class ExistingCopies:
    """
    Listings of the destination, without IDs.
    """

    def __init__(self, client: FsxCopyClient, random: Callable[[], float]) -> None:
        self._client = client
        self._random = random

    async def list_copies(self, requests: Sequence[CopyRequest]) -> list[Backup]:
        """
        Return the copies there, of the requests' file systems if every request names one.

        Raises:
            FsxCopyError: the listing failed.
        """
        ids = {request.file_system_id for request in requests}
        named = sorted(one for one in ids if one is not None)
        narrows = None not in ids and len(named) <= MAX_FILTER_VALUES
        filters = [BackupFilter(FilterName.FILE_SYSTEM_ID, named)] if narrows else []
        async with aclosing(self._client.iter_backups(filters=filters)) as backups:
            return [one async for one in backups if one.source_backup_id is not None]

    async def list_patiently(self, requests: Sequence[CopyRequest]) -> list[Backup] | FsxCopyError:
        """
        Return what `list_copies` does, or the error that remains after some tries.
        """
        tries = 0
        while True:
            try:
                return await self.list_copies(requests)
            except FsxCopyError as error:
                tries += 1
                if tries >= queue.MAX_TRIES or not error.is_transient:
                    return error
                if tries == 1:
                    _log.warning("existing copies cannot be listed yet: %s", error)
            await self._client.clock.sleep(queue.retry_delay(tries, self._random))

    async def find_by_id(self, request: CopyRequest, backup_id: str) -> Backup | None:
        """
        Return a copy that DescribeBackups does not know by its ID, if a listing shows it.
        """
        try:
            copies = await self.list_copies([request])
        except FsxCopyError as error:
            _log.warning("%s: cannot be searched for: %s", backup_id, error)
            return None
        return next((one for one in copies if one.backup_id == backup_id), None)


def age_order(backup: Backup) -> tuple[datetime, str]:
    """
    Return by what copies are older and newer.
    """
    return (backup.creation_time, backup.backup_id)


def best_of(copies: Iterable[Backup]) -> Backup | None:
    """
    Return the copy that is AVAILABLE, else the first begun that may become it.
    """
    live = [one for one in copies if not one.lifecycle.is_dead]
    return min(
        live,
        key=lambda one: (
            not one.lifecycle.is_available,
            one.lifecycle.is_unknown,
            age_order(one),
        ),
        default=None,
    )

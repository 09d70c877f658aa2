"""The copies that the destination lists, whichever program requested them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from contextlib import aclosing

import anyio

from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.models import Backup


class ExistingCopies:
    """
    Every copy that a run has seen in the destination, from listings that its items share.

    Listings are not narrowed, by file system for example: a copy need not name its file
    system, and what a listing leaves out would be copied again. For the same reason a
    copy that a later listing leaves out still counts.
    """

    def __init__(self, client: FsxCopyClient, known: Iterable[Backup]) -> None:
        self._client = client
        self._lock = anyio.Lock()
        self._listed_at = -math.inf
        self._by_source: defaultdict[str, dict[str, Backup]] = defaultdict(dict)
        self._add(known)

    def _add(self, backups: Iterable[Backup]) -> None:
        for backup in backups:
            if backup.source_backup_id is not None:
                self._by_source[backup.source_backup_id][backup.backup_id] = backup

    async def refresh(self, max_age: float = 0.0) -> None:
        """
        List the destination, unless a listing began less than *max_age* seconds ago.

        Raises:
            FsxCopyError: the listing failed.
        """
        wanted = self._client.clock.now() - max_age
        async with self._lock:
            if self._listed_at > wanted:
                return
            begun = self._client.clock.now()
            async with aclosing(self._client.iter_backups()) as backups:
                self._add([one async for one in backups])
            self._listed_at = begun

    def matching(self, request: CopyRequest) -> list[Backup]:
        """Return the copies of a request's source that satisfy it, dead ones included."""
        copies = self._by_source[request.source_backup_id].values()
        return [one for one in copies if request.matches(one, self._client.region)]

    def last_listed(self, source_backup_id: str, backup_id: str) -> Backup | None:
        """Return a copy as it was last listed; None if it never was."""
        return self._by_source[source_backup_id].get(backup_id)

    def forget(self, source_backup_id: str, backup_id: str) -> None:
        """Let a copy that is known to be dead count no longer."""
        self._by_source[source_backup_id].pop(backup_id, None)


def best_of(copies: Iterable[Backup]) -> Backup | None:
    """Return the copy that is AVAILABLE, else the first begun that may become it."""
    return min(
        (one for one in copies if not one.lifecycle.is_dead),
        key=lambda one: (
            not one.lifecycle.is_available,
            one.lifecycle.is_unknown,
            one.creation_time,
            one.backup_id,
        ),
        default=None,
    )

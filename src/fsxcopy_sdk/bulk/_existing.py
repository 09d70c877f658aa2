"""The copies that the destination lists, whichever program requested them."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import aclosing
from datetime import datetime

import anyio

from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.models import Backup

_log = logging.getLogger("fsxcopy_sdk.bulk")


class ExistingCopies:
    """
    Every copy that a run has seen in the destination, from listings that its items share.

    Listings are not narrowed, by file system for example: a copy need not name its file
    system, and what a listing leaves out would be copied again. For the same reason a
    copy that a later listing leaves out still counts.
    """

    def __init__(
        self, client: FsxCopyClient, known: Iterable[Backup], random: Callable[[], float]
    ) -> None:
        self._client = client
        self._random = random
        self._lock = anyio.Lock()
        self._listed_at = -math.inf
        self._seen: dict[str, Backup] = {}
        self._by_source: defaultdict[str, set[str]] = defaultdict(set)
        self._add(known)

    def _add(self, backups: Iterable[Backup]) -> None:
        for backup in backups:
            if backup.source_backup_id is not None:
                self._seen[backup.backup_id] = backup
                self._by_source[backup.source_backup_id].add(backup.backup_id)

    async def refresh(self, max_age: float | None = None) -> None:
        """
        List the destination, unless a listing began less than *max_age* seconds ago.

        Raises:
            FsxCopyError: the listing failed.
        """
        wanted = math.inf if max_age is None else self._client.clock.now() - max_age
        async with self._lock:
            if self._listed_at >= wanted:
                return
            begun = self._client.clock.now()
            async with aclosing(self._client.iter_backups()) as backups:
                listed = [one async for one in backups]
            self._add(listed)
            self._listed_at = begun

    async def refresh_patiently(self) -> FsxCopyError | None:
        """List the destination; return the error that remains after some tries."""
        tries = 0
        while True:
            try:
                await self.refresh()
            except FsxCopyError as error:
                tries += 1
                if tries >= queue.MAX_TRIES or not error.is_transient:
                    return error
                if tries == 1:
                    _log.warning("existing copies cannot be listed yet: %s", error)
            else:
                return None
            await self._client.clock.sleep(queue.retry_delay(tries, self._random))

    def matching(self, request: CopyRequest) -> list[Backup]:
        """Return the copies of a request's source that satisfy it, dead ones included."""
        copies = (self._seen[one] for one in self._by_source[request.source_backup_id])
        return [one for one in copies if request.matches(one, self._client.region)]

    def forget(self, backup_id: str) -> None:
        """Let a copy that is known to be dead count no longer."""
        self._seen.pop(backup_id, None)
        for ids in self._by_source.values():
            ids.discard(backup_id)

    def with_id(self, backup_id: str) -> Backup | None:
        """Return a copy as it was last listed; None if it never was."""
        return self._seen.get(backup_id)


def best_of(copies: Iterable[Backup]) -> Backup | None:
    """Return the copy that is AVAILABLE, else the first begun that may become it."""
    return min(
        (one for one in copies if not one.lifecycle.is_dead),
        key=lambda one: (
            not one.lifecycle.is_available,
            one.lifecycle.is_unknown,
            age_order(one),
        ),
        default=None,
    )


def age_order(backup: Backup) -> tuple[datetime, str]:
    """Return by what copies are older and newer."""
    return (backup.creation_time, backup.backup_id)

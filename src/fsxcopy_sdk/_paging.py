"""From pages of backups to backups."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TypeAlias

import anyio
import anyio.lowlevel

from fsxcopy_sdk.errors import PaginationError
from fsxcopy_sdk.models import Backup, DescribeBackupsResponse, UnreadableBackup

Request: TypeAlias = Mapping[str, object]
Fetch: TypeAlias = Callable[[Request], Awaitable[DescribeBackupsResponse]]

MAX_EMPTY_PAGES = 100
"""
Pages without backups, one after the other, of a listing that may still end.

The service may send a NextToken with no backups, and documents no limit (API reference of
DescribeBackups). If it reads 50 for each page, filters have excluded 5,000 by then.
"""

MAX_REPEATS = 10
"""
How often the very backups of a page may come again before a listing counts as endless; once
or twice may be chance, where backups are created while they are listed.
"""

_MAX_LOGGED = 10
"""How many unreadable backups of a listing the log names; it counts them all."""

_log = logging.getLogger("fsxcopy_sdk.client")


class UnreadableLog:
    """Pass on the backups of a listing that cannot be read, and log them once, at its end."""

    def __init__(
        self,
        region: Callable[[], str | None],
        on_unreadable: Callable[[UnreadableBackup], None] | None,
    ) -> None:
        self._region = region  # known when there is a page
        self._on_unreadable = on_unreadable
        self._count = 0
        self._texts: list[str] = []

    def add(self, page: DescribeBackupsResponse) -> None:
        """Pass on those of one page."""
        for one in page.unreadable:
            self._count += 1
            if self._count <= _MAX_LOGGED:
                self._texts.append(str(one))
            if self._on_unreadable is not None:
                self._on_unreadable(one)

    def write(self) -> None:
        """Log those that were passed on."""
        if not self._count:
            return
        region = self._region()
        backups = "1 backup" if self._count == 1 else f"{self._count} backups"
        more = ["and more"] if self._count > _MAX_LOGGED else []
        texts = "; ".join(self._texts + more)
        extra = {"region": region}
        _log.warning("%s of %s cannot be read: %s", backups, region, texts, extra=extra)


async def every_backup(
    fetch: Fetch,
    request: Request,
    *,
    ahead: bool,
    region: Callable[[], str | None],
    unreadable: UnreadableLog | None = None,
) -> AsyncGenerator[Backup, None]:
    """
    Yield the backups of all pages, from the one that *request* asks for.

    With *ahead*, a task fetches each page while the one before is consumed. An error of a
    page is raised when it is reached; a listing that does not end raises PaginationError
    after the backups of its last page. Backups that *fetch* could not read are passed to
    *unreadable* before the other backups of their page. *region* returns the Region of the
    listing, which may be known only when there is a page.
    """
    guard = _EndGuard(request)
    log = unreadable or UnreadableLog(region, None)
    page = await fetch(request)
    try:
        while not (endless := guard.check(page)) and page.next_token:
            following = _NextPage(fetch, {**request, "NextToken": page.next_token})
            if ahead:
                following.prefetch()
            try:
                log.add(page)
                for backup in page.backups:
                    yield backup
                page = await following.get()
            finally:
                await following.cancel()
        log.add(page)
        for backup in page.backups:
            yield backup
    finally:
        log.write()
    if endless:
        endless.region = region()
        raise endless


class _EndGuard:
    """Check that a listing ends, page by page, in memory that does not grow with the listing."""

    def __init__(self, request: Request) -> None:
        asked = request.get("BackupIds")
        self._pages_left = len(asked) if isinstance(asked, Sequence) and asked else None
        self._empty_in_a_row = 0
        self._tokens = _CycleDetector()
        self._contents = _CycleDetector()

    def check(self, page: DescribeBackupsResponse) -> PaginationError | None:
        """Return the error to raise after *page*, None where it may continue or end."""
        ids: set[object] = {backup.backup_id for backup in page.backups}
        ids.update(one.backup_id or one for one in page.unreadable)
        if ids and self._pages_left is not None:
            self._pages_left -= 1
            if self._pages_left < 0:
                return _endless("it has more pages than backups were asked for", page)
        if not page.next_token:
            return None
        if self._tokens.repeats(page.next_token):
            return _endless("a page leads back to an earlier one", page)
        self._empty_in_a_row = 0 if ids else self._empty_in_a_row + 1
        if self._empty_in_a_row == MAX_EMPTY_PAGES:
            return _endless(f"{MAX_EMPTY_PAGES} pages in a row have no backups", page)
        if ids and self._contents.repeats(ids) == MAX_REPEATS:
            return _endless(f"the same backups have come {MAX_REPEATS} times again", page)
        return None


def _endless(reason: str, page: DescribeBackupsResponse) -> PaginationError:
    return PaginationError(
        f"The listing does not end where it should: {reason}",
        operation="DescribeBackups",
        next_token=page.next_token,
    )


class _CycleDetector:
    """
    Notice that a sequence repeats itself, whatever the length of the cycle.

    It remembers one item, of ever longer ago (R. P. Brent, 1980, "An improved Monte Carlo
    factorization algorithm"), so that it takes the same memory for any length.
    """

    def __init__(self) -> None:
        self._remembered: object = None
        self._repeats = 0
        self._steps = self._limit = 1

    def repeats(self, item: object) -> int:
        """Return how often *item* came again: 1 by the third round of a cycle at the latest."""
        if item == self._remembered:
            self._repeats += 1
            return self._repeats
        self._steps -= 1
        if not self._steps:
            self._remembered, self._repeats = item, 0
            self._steps = self._limit = self._limit * 2
        return 0


class _NextPage:
    """
    A page that is fetched on demand, or earlier by a separate task.

    The task is not in a task group, because a generator must not yield inside one: its
    cancellations would hit the wrong code. So the caller must call `cancel`.
    """

    def __init__(self, fetch: Fetch, request: Request) -> None:
        self._fetch = partial(fetch, request)
        self._scope = anyio.CancelScope()
        self._arrived = anyio.Event()
        self._task: object = None
        self._result: DescribeBackupsResponse | Exception | None = None

    def prefetch(self) -> None:
        self._task = _spawn(self._run)  # asyncio itself keeps no reference

    async def _run(self) -> None:
        try:
            with self._scope:
                # A loop may have ended before this task began; a call on an open connection
                # would be sent before it is cancelled.
                await anyio.lowlevel.checkpoint_if_cancelled()
                self._result = await self._fetch()
        except Exception as error:  # noqa: BLE001 - raised when the page is reached
            self._result = error
        finally:
            self._arrived.set()

    async def get(self) -> DescribeBackupsResponse:
        """Return the page, or raise what fetching it raised."""
        if self._task is not None:
            await self._arrived.wait()
        if isinstance(self._result, Exception):
            raise self._result
        # A task has no result if it was cancelled from outside, as asyncio.run does in the end.
        return self._result or await self._fetch()

    async def cancel(self) -> None:
        """End the task, if there is one that has not ended, and wait until it has."""
        if self._task is not None and not self._arrived.is_set():
            self._scope.cancel()
            with anyio.CancelScope(shield=True):
                await self._arrived.wait()


def _spawn(run: Callable[[], Coroutine[object, object, None]]) -> object:
    """Run a function in a task of its own; anyio has none outside of task groups."""
    with suppress(RuntimeError):  # no asyncio loop
        # Without a task it may be trio as the guest of an asyncio loop.
        if asyncio.current_task() is not None:
            return asyncio.create_task(run())
    import trio  # noqa: PLC0415 - installed only where it is used

    return trio.lowlevel.spawn_system_task(run, context=copy_context())

"""
From pages of backups to backups.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeAlias

import anyio

from fsxcopy_sdk._event_loop import runs_on_asyncio
from fsxcopy_sdk.errors import RepeatedNextToken
from fsxcopy_sdk.models import Backup, DescribeBackupsResponse

if TYPE_CHECKING:
    from types_aiobotocore_fsx.type_defs import DescribeBackupsRequestTypeDef

Fetch: TypeAlias = "Callable[[DescribeBackupsRequestTypeDef], Awaitable[DescribeBackupsResponse]]"


async def every_backup(
    fetch: Fetch, request: DescribeBackupsRequestTypeDef
) -> AsyncGenerator[Backup, None]:
    """
    Yield the backups of all pages, from the one that *request* asks for.

    Raises:
        RepeatedNextToken: a page leads back to an earlier one.
        FsxCopyError: what *fetch* raises.
    """
    way = _Way()
    while True:
        page = await fetch(request)
        for backup in page.backups:
            yield backup
        if not page.next_token:
            return
        if way.leads_back(page.next_token):
            raise _endless(page.next_token)
        request = {**request, "NextToken": page.next_token}


async def stream_backups(
    fetch: Fetch, request: DescribeBackupsRequestTypeDef
) -> AsyncGenerator[Backup, None]:
    """
    Yield what `every_backup` does, and fetch each page while the one before is consumed.

    What goes wrong with a page is raised when it is reached. Closing the generator ends
    the call that is under way.
    """
    way = _Way()
    page = await fetch(request)
    while page.next_token and not way.leads_back(page.next_token):
        coming = _Coming(fetch, {**request, "NextToken": page.next_token})
        try:
            for backup in page.backups:
                yield backup
            page = await coming.page()
        finally:
            await coming.cancel()
    for backup in page.backups:
        yield backup
    if page.next_token:
        raise _endless(page.next_token)


def _endless(token: str) -> RepeatedNextToken:
    return RepeatedNextToken(
        "A page leads back to an earlier one: the listing has no end",
        operation="DescribeBackups",
        next_token=token,
    )


class _Way:
    """
    The tokens of a listing, which notices that they go in a circle.

    It remembers one token, of ever longer ago (R. P. Brent, 1980), so that the longest
    listing takes no more memory than a short one.
    """

    def __init__(self) -> None:
        self._remembered: str | None = None
        self._steps = self._limit = 1

    def leads_back(self, token: str) -> bool:
        """
        Whether *token* was met before; a longer circle is walked up to three times.
        """
        if token == self._remembered:
            return True
        self._steps -= 1
        if not self._steps:
            self._remembered = token
            self._steps = self._limit = self._limit * 2
        return False


class _Coming:
    """
    A page on its way, in a task that nobody waits for yet.

    The task is no child of a task group, because a generator must not yield inside one:
    its cancellations would hit the wrong code. Whoever begins it must call `cancel`.
    """

    def __init__(self, fetch: Fetch, request: DescribeBackupsRequestTypeDef) -> None:
        self._fetch = fetch
        self._request = request
        self._scope = anyio.CancelScope()
        self._arrived = anyio.Event()
        self._page: DescribeBackupsResponse | None = None
        self._error: Exception | None = None
        self._task = _begin(self._run)  # asyncio itself keeps no reference

    async def _run(self) -> None:
        try:
            with self._scope:
                self._page = await self._fetch(self._request)
        except Exception as error:  # noqa: BLE001 - raised when the page is reached
            self._error = error
        finally:
            self._arrived.set()

    async def page(self) -> DescribeBackupsResponse:
        """
        Wait for the page.

        Raises:
            Exception: what fetching it raised.
        """
        await self._arrived.wait()
        if self._error is not None:
            raise self._error
        # Without either the task was cancelled from outside, as asyncio.run does in the end.
        return self._page or await self._fetch(self._request)

    async def cancel(self) -> None:
        """
        End the task, if it has not ended, and wait until it has.
        """
        if not self._arrived.is_set():
            self._scope.cancel()
            with anyio.CancelScope(shield=True):
                await self._arrived.wait()


def _begin(run: Callable[[], Coroutine[object, object, None]]) -> object:
    """
    Run a function in a task of its own; anyio knows none outside of task groups.
    """
    if runs_on_asyncio():
        return asyncio.create_task(run())
    import trio  # noqa: PLC0415 - nobody else has it installed

    return trio.lowlevel.spawn_system_task(run, context=copy_context())

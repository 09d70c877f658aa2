"""One client for all triggers of a connection and Region: they share polls, listings and runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from typing import TypeAlias
from weakref import WeakKeyDictionary

from anyio import create_task_group
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync

from fsxcopy_sdk.bulk import CopyBatch, CopyInProgress, CopyRequest, SharedCopies
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.waiting import WaitSchedule

_log = logging.getLogger("fsxcopy_sdk.airflow")


_SCHEDULE = WaitSchedule(min_delay=30.0)
"""A copy takes minutes to hours, and its task is resumed up to ten seconds after its event."""

_GATHER_FOR = 5.0
"""
Seconds for which requests are gathered before one run carries them out, because mapped tasks
defer in a burst and each run lists the destination.
"""

_MAX_AGE = 300.0
"""Seconds after which new users get a new client, because its connection may be another by now."""


class SharedClient:
    """An open client, and the copies that its users have gathered for their next run."""

    def __init__(self, client: FsxCopyClient, tasks: TaskGroup) -> None:
        self.client = client
        self._made_at = client.clock.now()
        self._tasks = tasks
        self._gathered: dict[tuple[int, float], SharedCopies] = {}

    @property
    def is_old(self) -> bool:
        """Whether it should have no new users."""
        return self.client.clock.now() - self._made_at > _MAX_AGE

    def copies(
        self,
        requests: Iterable[CopyRequest],
        *,
        max_in_progress: int,
        max_wait: float,
        on_seen: Callable[[CopyInProgress], None],
    ) -> CopyBatch:
        """
        Return copies that are carried out with those of other users, some seconds later.

        *on_seen* is called in the context of the caller, so it logs to the task of the caller.

        Raises:
            InvalidArguments: requests break rules.
        """
        settings = (max_in_progress, max_wait)
        gathered = self._gathered.get(settings)
        if gathered is None:
            gathered = SharedCopies(
                self.client,
                wait=True,
                max_in_progress=max_in_progress,
                max_wait=max_wait,
                schedule=_SCHEDULE,
            )
            self._gathered[settings] = gathered
            # Not in the caller's context, nor in its task: it may leave first.
            Context().run(self._tasks.start_soon, self._run, settings, gathered)
        context = copy_context()
        return gathered.add(requests, adopt=(), on_seen=lambda copy: context.run(on_seen, copy))

    async def _run(self, settings: tuple[int, float], gathered: SharedCopies) -> None:
        await self.client.clock.sleep(_GATHER_FOR)
        del self._gathered[settings]
        try:
            await gathered.run()
        except Exception as error:  # noqa: BLE001 - its users raise it
            text, region = "copies into %s are not followed any more: %s", gathered.region
            _log.warning(text, region, error, extra={"region": region})


MakeClient: TypeAlias = Callable[[], FsxCopyClient]
"""Make a client that is not open yet; it may block, and is called in a thread."""


class _Lease:
    """A client that a separate task opens, and closes after its last user."""

    def __init__(self, make: MakeClient) -> None:
        self.users = 0
        self.opened: asyncio.Future[SharedClient] = asyncio.get_running_loop().create_future()
        self._unused = asyncio.Event()
        # In a separate context. In that of the first trigger, log records would go to the log of
        # its task, and a cancellation of that trigger would end the client of the others.
        self._task = asyncio.create_task(self._hold(make), context=Context())

    @property
    def is_old(self) -> bool:
        """Whether it should have no new users."""
        return self.opened.done() and not self.opened.exception() and self.opened.result().is_old

    async def _hold(self, make: MakeClient) -> None:
        try:
            async with await run_sync(make) as client, create_task_group() as tasks:
                self.opened.set_result(SharedClient(client, tasks))
                await self._unused.wait()
                tasks.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - its users raise it
            if self.opened.done():
                _log.warning("a client was not closed well: %s", error, extra={"region": None})
            else:
                self.opened.set_exception(error)
                self.opened.exception()  # its users may all have been cancelled
        finally:
            self.opened.cancel()  # where the event loop ends first

    async def close(self) -> None:
        """Close the client; a cancellation does not keep it from being closed."""
        self._unused.set()
        await asyncio.wait([self._task])


# By event loop, because a client belongs to one. Each entry ends with its last user, or when a
# younger one replaces it.
_leases: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Lease]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_client(key: str, make: MakeClient) -> AsyncIterator[SharedClient]:
    """
    Yield the client of *key* in this event loop, which *make* makes if there is none.

    Raises:
        Exception: whatever *make* raises, or opening the client.
    """
    leases = _leases.setdefault(asyncio.get_running_loop(), {})
    lease = leases.get(key)
    if lease is None or lease.is_old:
        lease = leases[key] = _Lease(make)
    lease.users += 1
    try:
        yield await asyncio.shield(lease.opened)
    finally:
        lease.users -= 1
        if not lease.users:
            if leases.get(key) is lease:
                del leases[key]
            await lease.close()

"""One client for all triggers of a connection and Region: their waits share calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from typing import TypeAlias
from weakref import WeakKeyDictionary

import attrs
from anyio.to_thread import run_sync

from fsxcopy_sdk.client import FsxCopyClient

_log = logging.getLogger("fsxcopy_sdk.airflow")


@attrs.define(eq=False)
class SharedClient:
    """An open client, and what its users must do one after the other."""

    client: FsxCopyClient
    starting: asyncio.Lock = attrs.field(factory=asyncio.Lock)
    """Held while a copy is requested, because one refusal for capacity is enough."""


MakeClient: TypeAlias = Callable[[], FsxCopyClient]
"""Make a client that is not open yet; it may block, and is called in a thread."""


class _Lease:
    """A client that a task of its own opens, and closes when its last user has left."""

    def __init__(self, make: MakeClient) -> None:
        self.users = 0
        self.opened: asyncio.Future[SharedClient] = asyncio.get_running_loop().create_future()
        self._unused = asyncio.Event()
        # In a context of its own: in that of the first trigger, what is logged would go to the
        # log of its task, and a cancellation of that trigger would end the client of the others.
        self._task = asyncio.create_task(self._hold(make), context=Context())

    async def _hold(self, make: MakeClient) -> None:
        try:
            async with await run_sync(make) as client:
                self.opened.set_result(SharedClient(client))
                await self._unused.wait()
        except Exception as error:  # noqa: BLE001 - its users raise it
            if self.opened.done():
                _log.warning("a client was not closed well: %s", error)
            else:
                self.opened.set_exception(error)
                self.opened.exception()  # its users may all have been cancelled
        finally:
            self.opened.cancel()  # where the event loop ends first

    async def close(self) -> None:
        """Close the client; a cancellation does not keep it from being closed."""
        self._unused.set()
        await asyncio.wait([self._task])


# By event loop, because a client belongs to one. Each entry ends with its last user.
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
    if lease is None:
        lease = leases[key] = _Lease(make)
    lease.users += 1
    try:
        yield await asyncio.shield(lease.opened)
    finally:
        lease.users -= 1
        if not lease.users:
            del leases[key]
            await lease.close()

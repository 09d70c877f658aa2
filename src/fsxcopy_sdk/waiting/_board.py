"""
Where the waits of one client meet, so that one call looks for up to fifty of them.

There is no task of its own. Of the waits that have nothing to do, one sleeps until the
soonest of all is due; the others wait for their bell. The sleeper then looks: it takes
the soonest fifty, lets another one sleep, and makes the call. Whoever is cancelled,
asleep or in a call, leaves its part to the next.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from itertools import count
from typing import TypeAlias

import anyio
import anyio.lowlevel

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk._schedule import WaitSchedule
from fsxcopy_sdk.errors import BackupNotFound, ClientClosed, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting._wait import Wait

MAX_BATCH = 50
"""DescribeBackups takes so many ids (FSx API 2018-03-01)."""

Describe: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Backup]]]
"""Describe the backups of some ids; what is unknown is left out or `BackupNotFound`."""

_Queue: TypeAlias = list[tuple[float, int, Wait]]


class Board:
    """
    The waits of one client.
    """

    def __init__(self, describe: Describe, clock: Clock, random: Callable[[], float]) -> None:
        self._describe = describe
        self._clock = clock
        self._random = random
        self._numbers = count()
        # Waits that want a look, by backup and by time; those whose backup was not
        # found stand apart, because they would spoil a call for all the others.
        self._waiting: dict[str, set[Wait]] = {}
        self._found: _Queue = []
        self._missing: _Queue = []
        self._in_flight: set[str] = set()
        self._sleeper: Wait | None = None
        self._wakes = 0.0
        self._nap: anyio.CancelScope | None = None
        self._calls: set[anyio.CancelScope] = set()
        self._closed = False

    async def watch(
        self, backup_id: str, max_wait: float, schedule: WaitSchedule
    ) -> AsyncGenerator[Backup, None]:
        """
        Yield every observation of a backup, the first at once; end after AVAILABLE.

        *max_wait* is in seconds. Throttling, server errors and broken connections are
        survived until then.

        Raises:
            BackupCopyFailed: the backup is FAILED or DELETED.
            WaitTimeout: it was not AVAILABLE in time.
            BackupNotFound: it is unknown, and no longer only just accepted.
            ClientClosed: the client was closed meanwhile.
            FsxCopyError: what else will not pass by waiting, a missing permission say.
        """
        now = self._clock.now()
        wait = Wait(backup_id, max_wait, schedule, started=now, due=now)
        while True:
            await self._look(wait)
            backup = wait.take()
            if backup is not None:
                yield backup
                if wait.is_over(backup):
                    return
            wait.reschedule(self._random, in_crowd=len(self._waiting) >= MAX_BATCH)

    def close(self) -> None:
        """
        End all waits with `ClientClosed`, those too that are in the middle of a call.
        """
        self._closed = True
        for scope in (*self._calls, *([self._nap] if self._nap else [])):
            scope.cancel()
        for waits in self._waiting.values():
            for wait in waits:
                wait.ring()

    async def _look(self, wait: Wait) -> None:
        """
        Return when there is a new result for *wait*.
        """
        self._enter(wait)
        try:
            while not wait.answered:
                if self._closed:
                    raise ClientClosed(f"The client was closed while waiting for {wait.backup_id}")
                if self._sleeper is None and wait.backup_id not in self._in_flight:
                    await self._serve(wait)
                else:
                    wait.bell = anyio.Event()
                    await wait.bell.wait()
        finally:
            self._leave(wait)

    def _enter(self, wait: Wait) -> None:
        self._waiting.setdefault(wait.backup_id, set()).add(wait)
        self._push(wait)
        if self._nap is not None and wait.due < self._wakes:
            self._nap.cancel()

    def _push(self, wait: Wait) -> None:
        queue = self._missing if wait.is_missing else self._found
        heapq.heappush(queue, (wait.due, next(self._numbers), wait))

    def _leave(self, wait: Wait) -> None:
        wait.bell = None
        waits = self._waiting[wait.backup_id]
        waits.discard(wait)
        if not waits:
            del self._waiting[wait.backup_id]
        self._appoint()

    def _appoint(self) -> None:
        """
        See to it that somebody sleeps until the soonest wait is due.
        """
        if self._sleeper is None:
            queue = self._soonest_queue()
            if queue:
                queue[0][2].ring()

    async def _serve(self, wait: Wait) -> None:
        """
        Sleep until somebody is due, then look.
        """
        self._sleeper = wait
        try:
            batch = await self._sleep(wait)
        finally:
            self._sleeper = None
        if batch:
            await self._call(batch)

    async def _sleep(self, wait: Wait) -> list[str]:
        """
        Return the ids that are to be looked for, as soon as the soonest is due.
        """
        # Whoever starts at the same time gets the chance to be in the same call.
        await anyio.lowlevel.checkpoint()
        while not (wait.answered or self._closed) and (queue := self._soonest_queue()):
            self._wakes = queue[0][0]
            delay = self._wakes - self._clock.now()
            if delay <= 0:
                return self._take_batch(queue)
            try:
                with anyio.CancelScope() as self._nap:
                    await self._clock.sleep(delay)
            finally:
                self._nap = None
        return []

    def _soonest_queue(self) -> _Queue:
        """
        Return the queue with the soonest wait that can be looked for; empty if none.
        """
        for queue in (self._found, self._missing):
            while queue and not self._is_open(queue[0]):
                heapq.heappop(queue)
        return min((q for q in (self._found, self._missing) if q), key=_due, default=[])

    def _is_open(self, place: tuple[float, int, Wait]) -> bool:
        due, _, wait = place
        return (
            wait in self._waiting.get(wait.backup_id, ())
            and due == wait.due
            and not wait.answered
            and wait.backup_id not in self._in_flight
        )

    def _take_batch(self, queue: _Queue) -> list[str]:
        """
        Take the soonest ids out of *queue*, of those not found only one.
        """
        most = 1 if queue is self._missing else MAX_BATCH
        batch: list[str] = []
        while queue and len(batch) < most:
            place = heapq.heappop(queue)
            if self._is_open(place):
                batch.append(place[2].backup_id)
                self._in_flight.add(place[2].backup_id)
        return batch

    async def _call(self, batch: Sequence[str]) -> None:
        """
        Look for *batch*, and give everybody what was seen.
        """
        scope = anyio.CancelScope()
        self._calls.add(scope)
        self._appoint()
        try:
            with scope:
                await self._describe_or_split(batch)
        finally:
            self._calls.discard(scope)
            self._in_flight.difference_update(batch)
            # Whoever has no answer, because this call was cancelled, is due still.
            for wait in self._waits_for(batch):
                if not wait.answered:
                    self._push(wait)
            self._appoint()

    async def _describe_or_split(self, batch: Sequence[str]) -> None:
        """
        Describe *batch*; where one of it spoils the answer, halve it until that one is alone.
        """
        pending = [batch]
        while pending:
            ids = pending.pop()
            try:
                backups = await self._describe(ids)
            except FsxCopyError as error:
                if len(ids) > 1 and _may_be_of_one(error):
                    middle = len(ids) // 2
                    pending += [ids[middle:], ids[:middle]]
                else:
                    self._answer(ids, dict.fromkeys(ids, error))
            else:
                self._answer(ids, {backup.backup_id: backup for backup in backups})

    def _answer(self, ids: Sequence[str], results: dict[str, Backup | FsxCopyError]) -> None:
        now = self._clock.now()
        for wait in self._waits_for(ids):
            result = results.get(wait.backup_id)
            if result is None:
                text = f"{wait.backup_id} is not in the answer"
                result = BackupNotFound(text, operation="DescribeBackups")
            wait.answer(result, now, len(ids))

    def _waits_for(self, ids: Iterable[str]) -> list[Wait]:
        return [wait for backup_id in ids for wait in self._waiting.get(backup_id, ())]


def _may_be_of_one(error: FsxCopyError) -> bool:
    """
    Whether *error* may be the doing of one backup among many.
    """
    unreadable = isinstance(error, ResponseDecodingError) and not error.is_transient
    return unreadable or isinstance(error, BackupNotFound)


def _due(queue: _Queue) -> float:
    return queue[0][0]

"""
Where the waits of one client meet, so that one call looks for up to fifty of them.

There is no task of its own. The wait that is due soonest sleeps until then; the others
wait for their bell. It then takes the fifty that are due soonest, itself among them,
lets the next one sleep, and makes the call. So nobody is held up by a call that is not
its own; and whoever is cancelled, asleep or in a call, leaves its part to the next.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from itertools import count
from typing import TypeAlias

import anyio

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk._schedule import WaitSchedule
from fsxcopy_sdk.errors import BackupNotFound, BadRequest, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting._wait import MAX_BATCH, Wait

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
        # Waits that want a look, by backup and by time; suspects stand apart, because
        # they would spoil a call for all the others.
        self._waiting: dict[str, set[Wait]] = {}
        self._innocent: _Queue = []
        self._suspect: _Queue = []
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
            wait.reschedule(in_crowd=len(self._waiting) >= MAX_BATCH)

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
                    raise wait.closed()
                if self._sleeper is None and self._is_soonest(wait):
                    await self._serve(wait)
                else:
                    wait.bell = anyio.Event()
                    self._appoint()
                    await wait.bell.wait()
        finally:
            self._leave(wait)

    def _enter(self, wait: Wait) -> None:
        self._waiting.setdefault(wait.backup_id, set()).add(wait)
        self._push(wait)

    def _push(self, wait: Wait) -> None:
        queue = self._innocent if wait.most == MAX_BATCH else self._suspect
        heapq.heappush(queue, (wait.due, next(self._numbers), wait))
        if self._nap is not None and wait.due < self._wakes:
            self._nap.cancel()

    def _leave(self, wait: Wait) -> None:
        wait.bell = None
        waits = self._waiting[wait.backup_id]
        waits.discard(wait)
        if not waits:
            del self._waiting[wait.backup_id]
        self._appoint()

    def _appoint(self) -> None:
        """
        See to it that the soonest wait sleeps until it is due.
        """
        if self._sleeper is None:
            queue = self._soonest_queue()
            if queue:
                queue[0][2].ring()

    async def _serve(self, wait: Wait) -> None:
        """
        Sleep until *wait*, the soonest, is due, then look.
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
        Return the ids that are to be looked for; none where another wait is sooner now.
        """
        # Whoever starts at the same time gets the chance to be in the same call.
        await anyio.sleep(0)  # noqa: ASYNC115 - what it names takes a millisecond to import
        while not self._closed and self._is_soonest(wait):
            self._wakes = wait.due
            delay = self._wakes - self._clock.now()
            if delay <= 0:
                return self._take_batch(self._soonest_queue())
            try:
                with anyio.CancelScope() as self._nap:
                    await self._clock.sleep(delay)
            finally:
                self._nap = None
        return []

    def _is_soonest(self, wait: Wait) -> bool:
        queue = self._soonest_queue()
        return bool(queue) and queue[0][2] is wait

    def _soonest_queue(self) -> _Queue:
        """
        Return the queue with the soonest wait that can be looked for; empty if none.
        """
        for queue in (self._innocent, self._suspect):
            while queue and not self._is_open(queue[0]):
                heapq.heappop(queue)
        return min((q for q in (self._innocent, self._suspect) if q), key=_due, default=[])

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
        Take the soonest ids out of *queue*, as many as all of them may share a call with.
        """
        most = MAX_BATCH
        batch: list[str] = []
        while queue:
            if not self._is_open(queue[0]):
                heapq.heappop(queue)
                continue
            most = min(most, queue[0][2].most)
            if len(batch) >= most:
                break
            backup_id = heapq.heappop(queue)[2].backup_id
            batch.append(backup_id)
            self._in_flight.add(backup_id)
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
                await self._look_for(batch)
        finally:
            self._calls.discard(scope)
            self._in_flight.difference_update(batch)
            # Whoever has no answer is due still.
            for wait in self._waits_for(batch):
                if not wait.answered:
                    self._push(wait)
            self._appoint()

    async def _look_for(self, batch: Sequence[str]) -> None:
        """
        Describe *batch*; where one of it spoils the answer, none may share with so many.

        So the next calls are for halves of it, down to the one that is alone with its
        error: a number of calls that grows with the logarithm of the batch.
        """
        try:
            backups = await self._describe(batch)
        except FsxCopyError as error:
            if len(batch) == 1 or not _may_be_of_one(error):
                self._answer(batch, dict.fromkeys(batch, error))
                return
            for wait in self._waits_for(batch):
                wait.most = (len(batch) + 1) // 2
        else:
            self._answer(batch, {backup.backup_id: backup for backup in backups})

    def _answer(self, batch: Sequence[str], results: dict[str, Backup | FsxCopyError]) -> None:
        # One draw for all: whoever looked together shall look together again.
        now, draw = self._clock.now(), self._random()
        for wait in self._waits_for(batch):
            result = results.get(wait.backup_id)
            if result is None:
                text = f"{wait.backup_id} is not in the answer"
                result = BackupNotFound(text, operation="DescribeBackups")
            wait.answer(result, now, len(batch), draw)

    def _waits_for(self, ids: Iterable[str]) -> list[Wait]:
        return [wait for backup_id in ids for wait in self._waiting.get(backup_id, ())]


def _may_be_of_one(error: FsxCopyError) -> bool:
    """
    Whether *error* may be the doing of one backup among many.
    """
    if isinstance(error, ResponseDecodingError):
        return any(fault.startswith("$.Backups[") for fault in error.faults)
    return isinstance(error, BackupNotFound | BadRequest)


def _due(queue: _Queue) -> float:
    return queue[0][0]

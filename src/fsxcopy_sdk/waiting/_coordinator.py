"""
Where the waits of one client meet, so that one call looks for up to fifty of them.

There is no task of its own. The wait that is due soonest sleeps until then; the others
wait for their bell. It then takes the fifty that are due soonest, itself among them,
lets the next one sleep, and makes the call. So nobody is held up by a call that is not
its own; and whoever is cancelled, asleep or in a call, leaves its part to the next.

A call is made by the wait of its batch whose deadline is the last, so that the others
can leave it at their own deadlines, and it is cancelled when none of them needs it.

One unknown id makes the service refuse a whole batch. Such a batch is halved until the
unknown ids are isolated, and those are asked for alone. Where that would take more
calls than a listing of all backups, the listing is read instead. These calls, which no
schedule spaces, have a budget in common.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import TypeAlias

import anyio

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk._schedule import WaitSchedule
from fsxcopy_sdk.errors import BackupNotFound, BadRequest, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting._wait import CALL_GRACE, MAX_BATCH, Call, Wait

Describe: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Backup]]]
"""Describe the backups of some ids; what is unknown is left out or `BackupNotFound`."""

ListPage: TypeAlias = Callable[[str | None], Awaitable[tuple[Sequence[Backup], str | None]]]
"""Return a page of all backups and the next page's token: that of a token, or the first."""

_Queue: TypeAlias = list[tuple[float, int, Wait]]

# AWS names no rate for DescribeBackups. Five calls per second are those of one caller
# that makes one call after the other, with a round trip of 200 ms.
_SUSPECT_CALLS_PER_SECOND = 5.0

# So many of them need not be spaced: halving a batch of 50 down to one unknown id takes
# 11 or 12 calls, and the others of the batch are not to wait for that.
_SUSPECT_CALLS_AT_ONCE = 12

# So few suspects are always asked for by their ids, which shows nothing of other backups.
_FEW_SUSPECTS = 8

# Suspects that are not isolated yet cost a quarter of a call each: see 50 and 12 above.
_SUSPECTS_PER_CALL = 4


class PollCoordinator:
    """
    The waits of one client.
    """

    def __init__(
        self,
        describe: Describe,
        list_page: ListPage,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._describe = describe
        self._clock = clock
        self._random = random
        self._list_page = list_page
        self._numbers = count()
        # Waits that want a look, by backup and by time; suspects stand apart, because
        # they would spoil a call for all the others.
        self._waiting: dict[str, set[Wait]] = {}
        self._innocent: _Queue = []
        self._suspect: _Queue = []
        self._in_flight: set[str] = set()
        self._sleeper: Wait | None = None
        self._wakes = 0.0
        # The time that was last slept up to. A clock of coarse resolution may still show
        # less, and a wait that slept on the difference would spin.
        self._reached = -math.inf
        self._nap: anyio.CancelScope | None = None
        self._calls: set[anyio.CancelScope] = set()
        self._closed = False
        # The time up to which calls for suspects have used up their rate.
        self._spent_until = -math.inf
        # From how many pages on a listing is worth a try, as far as is known.
        self._listing_pages = 1

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
            ClientNotOpen: the client was closed meanwhile.
            FsxCopyError: what else will not pass by waiting, a missing permission say.
        """
        now = self._now()
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
        End all waits with `ClientNotOpen`, those too that are in the middle of a call.
        """
        self._closed = True
        for scope in (*self._calls, *([self._nap] if self._nap else [])):
            scope.cancel()
        for waits in self._waiting.values():
            for wait in waits:
                wait.ring()

    async def _look(self, wait: Wait) -> None:
        """
        Return when there is a new result for *wait*, or none in time.
        """
        wait.scope = anyio.CancelScope()
        try:
            with wait.scope:
                self._enter(wait)
                await self._until_answered(wait)
        finally:
            self._leave(wait)
        if not wait.answered:
            wait.expire(self._now(), in_call=True)

    async def _until_answered(self, wait: Wait) -> None:
        while not wait.answered:
            if self._closed:
                raise wait.closed()
            if wait.call is not None:
                call, wait.call = wait.call, None
                await self._make(call, wait)
            elif self._sleeper is None and self._is_soonest(wait):
                await self._serve(wait)
            else:
                wait.bell = anyio.Event()
                self._appoint()
                await wait.bell.wait()

    def _enter(self, wait: Wait) -> None:
        self._waiting.setdefault(wait.backup_id, set()).add(wait)
        self._push(wait)
        if wait.backup_id in self._in_flight:
            wait.set_limit(self._now(), anyio.current_time())
            wait.scope.deadline = wait.limit

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
        if wait.call is not None:
            call, wait.call = wait.call, None
            self._release(call)
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
        Sleep until *wait*, the soonest, is due, then see to it that a call is made.
        """
        self._sleeper = wait
        try:
            call = await self._sleep(wait)
        finally:
            self._sleeper = None
        if call is not None:
            waits = self._waits_for(call.ids)
            last = max(waits, key=lambda one: (one.deadline, one is wait))
            last.call = call
            last.ring()

    async def _sleep(self, wait: Wait) -> Call | None:
        """
        Return the call that is to be made; None where another wait is sooner now.
        """
        # Whoever starts at the same time gets the chance to be in the same call.
        await anyio.sleep(0)  # noqa: ASYNC115 - what it names takes a millisecond to import
        while not self._closed and self._is_soonest(wait):
            queue = self._soonest_queue()
            wakes = self._time_of(queue)
            if wakes <= self._now():
                return self._next_call(queue)
            self._wakes = min(wakes, self._expire_held())
            if wait.answered:
                break
            try:
                with anyio.CancelScope() as self._nap:
                    await self._clock.sleep(self._wakes - self._clock.now())
                    self._reached = self._wakes
            finally:
                self._nap = None
        return None

    def _now(self) -> float:
        return max(self._clock.now(), self._reached)

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
        queues = [q for q in (self._innocent, self._suspect) if q]
        return min(queues, key=self._time_of, default=[])

    def _time_of(self, queue: _Queue) -> float:
        """
        Return when the next call for *queue* may be made.
        """
        due = queue[0][0]
        return due if queue is self._innocent else max(due, self._held_until)

    @property
    def _held_until(self) -> float:
        """
        When the budget has a call for suspects.
        """
        return self._spent_until - (_SUSPECT_CALLS_AT_ONCE - 1) / _SUSPECT_CALLS_PER_SECOND

    def _spend(self, calls: int) -> None:
        """
        Take so many calls out of the suspects' budget; give them back where negative.
        """
        now = self._now()
        self._spent_until = max(self._spent_until, now) + calls / _SUSPECT_CALLS_PER_SECOND
        if calls < 0 and self._nap is not None:
            self._nap.cancel()

    def _expire_held(self) -> float:
        """
        End the suspects whose last poll had no budget; return when the next one has to end.
        """
        now, soonest = self._now(), math.inf
        if self._held_until <= now:
            return soonest
        for place in filter(self._is_open, self._suspect):
            end = place[2].deadline + CALL_GRACE
            if end <= now:
                place[2].expire(now, in_call=False)
            else:
                soonest = min(soonest, end)
        return soonest

    def _is_open(self, place: tuple[float, int, Wait]) -> bool:
        due, _, wait = place
        return (
            wait in self._waiting.get(wait.backup_id, ())
            and due == wait.due
            and not wait.answered
            and wait.backup_id not in self._in_flight
        )

    def _next_call(self, queue: _Queue) -> Call:
        if queue is self._innocent:
            return Call(self._take_batch(queue))
        self._spend(1)
        max_pages = self._pages_worth_reading()
        if not max_pages:
            return Call(self._take_batch(queue))
        # Those that are not due yet cost nothing more, and are due together from now on.
        ids = dict.fromkeys(place[2].backup_id for place in queue if self._is_open(place))
        queue.clear()
        self._in_flight.update(ids)
        return Call(tuple(ids), max_pages)

    def _pages_worth_reading(self) -> int:
        """
        Return how many pages of a listing to read for the suspects that are due.

        That is the number of calls that they take without it, so that a listing that
        turns out to be longer costs as much again at most; 0 where it is known to be.
        """
        now = self._now()
        due = {
            place[2].backup_id: place[2].most
            for place in self._suspect
            if place[0] <= now and self._is_open(place)
        }
        if len(due) <= _FEW_SUSPECTS:
            return 0
        isolated = sum(most == 1 for most in due.values())
        calls = isolated + (len(due) - isolated) // _SUSPECTS_PER_CALL
        return calls if calls >= self._listing_pages else 0

    def _take_batch(self, queue: _Queue) -> tuple[str, ...]:
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
        return tuple(batch)

    async def _make(self, call: Call, caller: Wait) -> None:
        """
        Make a call, and give everybody what was seen.
        """
        now, real_now = self._now(), anyio.current_time()
        for wait in self._waits_for(call.ids):
            wait.set_limit(now, real_now)
            if wait is not caller:
                wait.scope.deadline = wait.limit
        scope = anyio.CancelScope(deadline=caller.limit)
        self._calls.add(scope)
        self._appoint()
        try:
            with scope:
                await (self._read_listing(call) if call.max_pages else self._look_for(call.ids))
            if scope.cancelled_caught and not self._closed:
                self._expire_late(call, caller.limit)
        finally:
            self._calls.discard(scope)
            self._release(call)

    def _expire_late(self, call: Call, limit: float) -> None:
        # Who came after the call had begun may have more time, and asks again.
        for wait in self._waits_for(call.ids):
            if wait.limit <= limit and not wait.answered:
                wait.expire(self._now(), in_call=True)

    def _release(self, call: Call) -> None:
        """
        Make the waits of a call that ended due again, but for those that have an answer.
        """
        self._in_flight.difference_update(call.ids)
        for wait in self._waits_for(call.ids):
            if not wait.answered:
                wait.scope.deadline = math.inf
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
                self._answer(batch, dict.fromkeys(batch, error), len(batch))
                return
            for wait in self._waits_for(batch):
                wait.most = (len(batch) + 1) // 2
        else:
            found = {backup.backup_id: backup for backup in backups}
            absent = {one: _not_found(one, "the answer") for one in batch if one not in found}
            self._answer(batch, {**found, **absent}, len(batch))

    async def _read_listing(self, call: Call) -> None:
        """
        Find the backups of *call* in a listing of all backups.

        What a listing that is too long or cannot be read does not show is due still.
        """
        results: dict[str, Backup | FsxCopyError] = {}
        try:
            if await self._read_pages(call, results):
                absent = (one for one in call.ids if one not in results)
                results.update((one, _not_found(one, "the listing")) for one in absent)
        except FsxCopyError as error:
            if error.is_transient:
                results = {**dict.fromkeys(call.ids, error), **results}
            else:
                self._read_in_vain(call)
        self._answer(tuple(results), results, len(call.ids))

    async def _read_pages(self, call: Call, found: dict[str, Backup | FsxCopyError]) -> bool:
        """
        Add the backups of *call* to *found*; return whether no page can have more of them.
        """
        ids, pages, token = set(call.ids), 0, None
        self._spend(call.max_pages - 1)
        try:
            while pages < call.max_pages and len(found) < len(ids):
                pages += 1
                backups, token = await self._list_page(token)
                found.update((one.backup_id, one) for one in backups if one.backup_id in ids)
                if not token:
                    self._listing_pages = pages
                    return True
        finally:
            self._spend(pages - call.max_pages)
        if len(found) == len(ids):
            return True
        self._read_in_vain(call)
        return False

    def _read_in_vain(self, call: Call) -> None:
        # By doubling, all listings in vain take no more than twice the pages of the last.
        self._listing_pages = 2 * call.max_pages

    def _answer(
        self, ids: Sequence[str], results: Mapping[str, Backup | FsxCopyError], batch_size: int
    ) -> None:
        # One draw for all: whoever looked together shall look together again.
        now, draw = self._now(), self._random()
        for wait in self._waits_for(ids):
            wait.answer(results[wait.backup_id], now, batch_size, draw)

    def _waits_for(self, ids: Iterable[str]) -> list[Wait]:
        return [wait for backup_id in ids for wait in self._waiting.get(backup_id, ())]


def _may_be_of_one(error: FsxCopyError) -> bool:
    """
    Whether *error* may be the doing of one backup among many.
    """
    if isinstance(error, ResponseDecodingError):
        return any(fault.startswith("$.Backups[") for fault in error.error_paths)
    return isinstance(error, BackupNotFound | BadRequest)


def _not_found(backup_id: str, where: str) -> BackupNotFound:
    return BackupNotFound(f"{backup_id} is not in {where}", operation="DescribeBackups")

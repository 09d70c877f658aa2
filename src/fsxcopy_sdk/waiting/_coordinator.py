"""
Share the calls of all waits of one client: one call polls up to fifty backups.

There is no background task. The wait that is due first sleeps until then, and the
others wait to be notified. On waking it collects the fifty waits that are due first,
its own included, and passes the call to the one of them whose deadline is the last;
meanwhile the next wait sleeps. So no wait is delayed by a call that does not concern it,
and when a wait is cancelled, asleep or in a call, another one takes over. Each wait can
leave a call at its own deadline; the last one cancels it.

One unknown id makes the service refuse a whole batch. Such a batch is halved until the
unknown ids are isolated, and those are described one by one. Where that would take more
calls than a listing of all backups, the listing is read instead. No schedule spaces
these calls, so they share a rate limit.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import TypeAlias

import anyio
import anyio.lowlevel

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk._tracing import Span
from fsxcopy_sdk._validation import MAX_BACKUP_IDS
from fsxcopy_sdk.errors import BackupNotFound, BadRequest, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.models import Backup, DescribeBackupsResponse
from fsxcopy_sdk.waiting._schedule import NOTHING, WaitSchedule
from fsxcopy_sdk.waiting._wait import CALL_GRACE, Call, Wait

Describe: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Backup]]]
"""Describe the backups of some ids; what is unknown is left out or `BackupNotFound`."""

ListPage: TypeAlias = Callable[[str | None], Awaitable[DescribeBackupsResponse]]
"""Return the page of a token, or the first, of all backups, also of those that are unreadable."""

_Entry: TypeAlias = tuple[float, int, Wait]
_Queue: TypeAlias = list[_Entry]
"""A heap of waits by the time they are due; the number breaks ties."""

# AWS documents no rate for DescribeBackups. Five calls per second are those of one
# caller that makes one call after the other, with a round trip of 200 ms.
_ISOLATED_CALLS_PER_SECOND = 5.0

# The calls that need not be spaced: halving a batch of 50 down to one unknown id takes
# 11 or 12 calls, and the other backups of the batch should not wait for the limit.
_BURST = 12

# So few ids are always described, because a listing also costs the pages of all others.
_TOO_FEW_TO_LIST = 8

# Ids that are not isolated yet cost a quarter of a call each: 12 calls for 50.
_IDS_PER_CALL = 4


class PollCoordinator:
    """Coordinate the waits of one client."""

    def __init__(
        self,
        describe: Describe,
        list_page: ListPage,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._describe = describe
        self._list_page = list_page
        self._clock = clock
        self._random = random
        self.region: str | None = None
        """The Region of the client, for errors and log records; None until it is known."""
        self._numbers = count()
        self._closed = False
        # The waits that need a poll, by backup.
        self._waiting: dict[str, set[Wait]] = {}
        # The same, by time, with entries that are no longer pending among them. Waits that
        # would spoil a call for all others have a queue of their own.
        self._batchable: _Queue = []
        self._isolated: _Queue = []
        self._in_flight: set[str] = set()
        self._sleeper: Wait | None = None
        self._sleep_scope: anyio.CancelScope | None = None
        self._wake_at = 0.0
        # The time of the last wake-up. A coarse clock may still show less, and a wait
        # that slept for the difference would spin.
        self._reached = -math.inf
        # The time until which the calls for isolated ids have used up their rate.
        self._spent_until = -math.inf
        # The fewest pages that a listing may have, as far as is known.
        self._listing_pages = 1

    async def watch(
        self,
        backup_id: str,
        max_wait: float,
        schedule: WaitSchedule,
        last_seen: Backup | None = None,
    ) -> AsyncGenerator[Backup, None]:
        """
        Yield every observation of a backup, the first at once; end after AVAILABLE.

        With *last_seen*, which an answer has just shown, it is polled after the first delay.

        Transient failures are survived for *max_wait* seconds. What ends the wait before is
        on `FsxCopyClient.watch_backup`.
        """
        now = self._now()
        wait = Wait(backup_id, max_wait, schedule, started=now, due=now, region=self.region)
        if last_seen is not None and max_wait >= NOTHING:
            wait.begin_with(last_seen)
            wait.reschedule(in_crowd=len(self._waiting) >= MAX_BACKUP_IDS)
        known = {"fsxcopy.backup_id": backup_id, "cloud.region": self.region}
        with Span("wait", known) as span:
            while True:
                with span.current():
                    await self._poll(wait)
                span.set({"fsxcopy.polls": wait.polls})
                backup = wait.take()
                if backup is not None:
                    span.set({"fsxcopy.lifecycle": backup.lifecycle.value})
                    yield backup
                    if wait.is_over(backup):
                        return
                wait.reschedule(in_crowd=len(self._waiting) >= MAX_BACKUP_IDS)

    def close(self) -> None:
        """End all waits with `ClientNotOpen`, those in the middle of a call included."""
        self._closed = True
        for wait in self._waits_for(self._waiting):
            wait.scope.cancel()

    async def _poll(self, wait: Wait) -> None:
        """Return when there is a new result for *wait*, or its time is over."""
        wait.scope = anyio.CancelScope()
        if not self._closed:
            try:
                with wait.scope:
                    self._enter(wait)
                    await self._until_answered(wait)
            finally:
                self._leave(wait)
        if not wait.answered:
            if self._closed:
                raise wait.closed()
            wait.expire_in_call(self._now())

    async def _until_answered(self, wait: Wait) -> None:
        while not wait.answered:
            if wait.call is not None:
                await self._make_call(wait.call, wait)
            elif self._sleeper is None and self._soonest() is wait:
                await self._sleep_and_delegate(wait)
            else:
                wait.wakeup = anyio.Event()
                self._wake_next()
                await wait.wakeup.wait()

    def _enter(self, wait: Wait) -> None:
        self._waiting.setdefault(wait.backup_id, set()).add(wait)
        self._push(wait)
        if wait.backup_id in self._in_flight:
            wait.limit_call(self._now(), anyio.current_time())

    def _push(self, wait: Wait) -> None:
        queue = self._batchable if wait.max_batch == MAX_BACKUP_IDS else self._isolated
        heapq.heappush(queue, (wait.due, next(self._numbers), wait))
        if wait.due < self._wake_at:
            self._interrupt_sleep()

    def _leave(self, wait: Wait) -> None:
        waits = self._waiting[wait.backup_id]
        waits.discard(wait)
        if not waits:
            del self._waiting[wait.backup_id]
        if wait.call is not None:
            self._release(wait.call, wait)
        self._wake_next()

    def _wake_next(self) -> None:
        if self._sleeper is None and (soonest := self._soonest()):
            soonest.notify()

    async def _sleep_and_delegate(self, wait: Wait) -> None:
        """Sleep until *wait*, the soonest, is due, and choose the wait that makes the call."""
        self._sleeper = wait
        try:
            call = await self._sleep(wait)
        finally:
            self._sleeper = None
        if call is not None:
            waits = self._waits_for(call.ids)
            caller = max(waits, key=lambda one: (one.deadline, one is wait))
            caller.call = call
            caller.notify()

    async def _sleep(self, wait: Wait) -> Call | None:
        """Return the call that is to be made; None where another wait is sooner now."""
        # Waits that start at the same time can so share the first call.
        await anyio.lowlevel.checkpoint()
        while True:
            soonest_expiry = self._expire_held()
            if self._soonest() is not wait:
                return None
            queue = self._soonest_queue()
            callable_at = self._callable_at(queue)
            if callable_at <= self._now():
                return self._next_call(queue)
            self._wake_at = min(callable_at, soonest_expiry)
            try:
                with anyio.CancelScope() as self._sleep_scope:
                    await self._clock.sleep(max(0.0, self._wake_at - self._clock.now()))
                    self._reached = self._wake_at
            finally:
                self._sleep_scope = None

    def _interrupt_sleep(self) -> None:
        if self._sleep_scope is not None:
            self._sleep_scope.cancel()

    def _now(self) -> float:
        return max(self._clock.now(), self._reached)

    def _soonest(self) -> Wait | None:
        return self._first(self._soonest_queue())

    def _soonest_queue(self) -> _Queue:
        """Return the queue whose first wait can be polled soonest; an empty one if none can."""
        queues = [queue for queue in (self._batchable, self._isolated) if self._first(queue)]
        return min(queues, key=self._callable_at, default=[])

    def _first(self, queue: _Queue) -> Wait | None:
        """Return the first wait of *queue*, after dropping the entries before it."""
        while queue and not self._is_pending(queue[0]):
            heapq.heappop(queue)
        return queue[0][2] if queue else None

    def _pending(self, queue: _Queue) -> list[Wait]:
        return [entry[2] for entry in queue if self._is_pending(entry)]

    def _callable_at(self, queue: _Queue) -> float:
        due = queue[0][0]
        return due if queue is self._batchable else max(due, self._held_until)

    def _is_pending(self, entry: _Entry) -> bool:
        due, _, wait = entry
        return (
            wait in self._waiting.get(wait.backup_id, ())
            and due == wait.due
            and not wait.answered
            and wait.backup_id not in self._in_flight
        )

    @property
    def _held_until(self) -> float:
        return self._spent_until - (_BURST - 1) / _ISOLATED_CALLS_PER_SECOND

    def _spend(self, calls: int) -> None:
        """Count *calls* against the rate for isolated ids; give them back if negative."""
        spent_until = max(self._spent_until, self._now())
        self._spent_until = spent_until + calls / _ISOLATED_CALLS_PER_SECOND
        if calls < 0:
            self._interrupt_sleep()

    def _expire_held(self) -> float:
        """End the waits whose last poll was held back too long; return when the next one ends."""
        now, soonest = self._now(), math.inf
        if self._held_until <= now:
            return soonest
        for wait in self._pending(self._isolated):
            end = wait.deadline + CALL_GRACE
            if end <= now:
                wait.expire(now)
            else:
                soonest = min(soonest, end)
        return soonest

    def _next_call(self, queue: _Queue) -> Call:
        if queue is self._batchable:
            return Call(self._take_batch(queue))
        self._spend(1)
        max_pages = self._max_listing_pages()
        if not max_pages:
            return Call(self._take_batch(queue))
        # Ids that are not due yet cost nothing more, and are polled together from now on.
        ids = dict.fromkeys(wait.backup_id for wait in self._pending(queue))
        queue.clear()
        self._in_flight.update(ids)
        return Call(tuple(ids), max_pages)

    def _take_batch(self, queue: _Queue) -> tuple[str, ...]:
        """Take the soonest ids out of *queue*, as many as all of them may share a call with."""
        max_batch = MAX_BACKUP_IDS
        batch: list[str] = []
        while wait := self._first(queue):
            max_batch = min(max_batch, wait.max_batch)
            if len(batch) >= max_batch:
                break
            batch.append(wait.backup_id)
            self._in_flight.add(wait.backup_id)  # no wait of this id is pending any more
        return tuple(batch)

    def _max_listing_pages(self) -> int:
        """Return how many pages of a listing to read instead of describing what is due."""
        # As many as describing takes calls, so that a listing that turns out to be longer doubles
        # the cost at most; 0 where it is known to be longer.
        now = self._now()
        pending = self._pending(self._isolated)
        due = {wait.backup_id: wait.max_batch for wait in pending if wait.due <= now}
        if len(due) <= _TOO_FEW_TO_LIST:
            return 0
        alone = sum(max_batch == 1 for max_batch in due.values())
        calls = alone + (len(due) - alone) // _IDS_PER_CALL
        return calls if calls >= self._listing_pages else 0

    async def _make_call(self, call: Call, caller: Wait) -> None:
        now, loop_now = self._now(), anyio.current_time()
        for wait in self._waits_for(call.ids):
            wait.limit_call(now, loop_now)
        self._wake_next()
        try:
            await (self._poll_listing(call) if call.max_pages else self._poll_batch(call.ids))
        finally:
            self._release(call, caller)

    def _release(self, call: Call, caller: Wait) -> None:
        """End a call; its waits without an answer are due again."""
        caller.call = None
        self._in_flight.difference_update(call.ids)
        for wait in self._waits_for(call.ids):
            if not wait.answered:
                wait.scope.deadline = math.inf
                self._push(wait)
        self._wake_next()

    async def _poll_batch(self, batch: Sequence[str]) -> None:
        """Describe *batch*; where one id spoils the answer, poll halves of it next."""
        # Halving ends at the id that is alone with its error, so the number of calls grows with
        # the logarithm of the batch.
        try:
            backups = await self._describe(batch)
        except FsxCopyError as error:
            if len(batch) == 1 or not _may_concern_one(error):
                self._answer(dict.fromkeys(batch, error), len(batch))
                return
            for wait in self._waits_for(batch):
                wait.max_batch = (len(batch) + 1) // 2
        else:
            found = {backup.backup_id: backup for backup in backups}
            results = {one: found.get(one) or self._not_found(one, "the answer") for one in batch}
            self._answer(results, len(batch))

    async def _poll_listing(self, call: Call) -> None:
        """Find backups in a listing; if that cannot show all of them, the others remain due."""
        found: dict[str, Backup] = {}
        failure: FsxCopyError | None = None
        try:
            is_conclusive = await self._read_pages(call, found)
        except FsxCopyError as error:
            is_conclusive, failure = error.is_transient, error
        results: dict[str, Backup | FsxCopyError] = {**found}
        if is_conclusive:
            absent = (one for one in call.ids if one not in found)
            results.update((one, failure or self._not_found(one, "the listing")) for one in absent)
        else:
            # Doubling keeps the cost of all listings in vain below twice that of the last.
            self._listing_pages = 2 * call.max_pages
        self._answer(results, len(call.ids))

    async def _read_pages(self, call: Call, found: dict[str, Backup]) -> bool:
        """Add the backups of *call* to *found*; return whether the Region has no more of them."""
        ids, pages, token = set(call.ids), 0, None
        unreadable: set[str | None] = set()
        self._spend(call.max_pages - 1)
        try:
            while pages < call.max_pages and len(found) < len(ids):
                pages += 1
                page = await self._list_page(token)
                found.update((one.backup_id, one) for one in page.backups if one.backup_id in ids)
                unreadable.update(one.backup_id for one in page.unreadable)
                token = page.next_token
                if not token:
                    # One that is unreadable is not absent, and one without an ID may be any.
                    self._listing_pages = pages
                    return unreadable.isdisjoint({None, *ids.difference(found)})
        finally:
            self._spend(pages - call.max_pages)
        return len(found) == len(ids)

    def _answer(self, results: Mapping[str, Backup | FsxCopyError], batch_size: int) -> None:
        # One jitter for all, so that waits that were polled together stay together.
        now, jitter = self._now(), self._random()
        for wait in self._waits_for(results):
            wait.answer(results[wait.backup_id], now, batch_size, jitter)

    def _not_found(self, backup_id: str, where: str) -> BackupNotFound:
        text = f"{backup_id} is not in {where}"
        return BackupNotFound(text, operation="DescribeBackups", region=self.region)

    def _waits_for(self, ids: Iterable[str]) -> list[Wait]:
        return [wait for backup_id in ids for wait in self._waiting.get(backup_id, ())]


def _may_concern_one(error: FsxCopyError) -> bool:
    """Return whether one backup among many may have caused *error*."""
    if isinstance(error, ResponseDecodingError):
        return any(path.startswith("$.Backups[") for path in error.error_paths)
    return isinstance(error, BackupNotFound | BadRequest)

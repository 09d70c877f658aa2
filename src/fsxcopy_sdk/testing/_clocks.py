"""Clocks for tests, which clients and the local FSx can share."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import operator
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import anyio
import anyio.lowlevel
import attrs

from fsxcopy_sdk.testing._settings import is_number

_MAX_HOLD: Final = 10.0
"""
Seconds of the event loop for which calls in flight can hold a clock while nothing happens to it.
A call to a local FSx takes milliseconds; one without an answer must not stop a test for ever.
"""

_SETTLING_ROUNDS: Final = 20
"""
Rounds of the event loop, without a new call or sleeper, before the time moves. What a task
does about an answer may take some: each event or queue that it passes on to another is one.
"""

_TICKS: Final = 20
"""The parts of a stall_timeout in each of which the event loop must have run."""


class _Wakeup:
    """Wake the task that made it, once, from any thread."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._thread = threading.get_ident()
        self._run_soon = _run_soon()

    def set(self) -> None:
        if threading.get_ident() == self._thread:
            self._event.set()
        else:
            self._run_soon(self._event.set)

    async def wait(self) -> None:
        await self._event.wait()


def _run_soon() -> Callable[[Callable[[], object]], object]:
    """Return what runs a function in the running event loop, from any thread."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio  # noqa: PLC0415 - installed only where it is used

        return trio.lowlevel.current_trio_token().run_sync_soon


class ClockStalled(RuntimeError):
    """A task waits for a `ManualClock` that nothing moves, or for tasks that never sleep on it."""


@attrs.define(order=True)
class _Sleeper:
    wake_at: float
    number: int
    """Breaks ties: tasks with the same time wake in the order of their calls."""
    wakeup: _Wakeup = attrs.field(factory=_Wakeup, eq=False)
    is_due: bool = attrs.field(default=False, eq=False)


class ManualClock:
    """
    A clock that moves only when `advance` is called.

    With *auto_advance* a task that sleeps moves it to the earliest wake-up
    time, so that hours of waiting take no real time. It stands still while a
    call is in flight: a client that has this clock holds it from the request to
    the response, and a local FSx that has it lets it move for a call that a
    fault delays or leaves without an answer. The calls of other programs, and
    whatever else the tasks wait for, do not stop it.

    With *stall_timeout*, real seconds above zero, a wait for it ends with `ClockStalled` when
    it has stood still for so long: a task sleeps on it, or a program repeats a
    call to a local FSx that has it, which then answers with the error ClockStalled.

    It begins at *start* seconds, a finite number. Tasks of asyncio and trio can
    share it, also those of event loops in several threads.
    """

    def __init__(
        self,
        start: float = 0.0,
        *,
        auto_advance: bool = False,
        stall_timeout: float | None = None,
    ) -> None:
        if not (is_number(start) and math.isfinite(start)):
            raise ValueError(f"start must be a finite number of seconds, not {start!r}")
        if stall_timeout is not None and not (
            is_number(stall_timeout) and 0 < stall_timeout < math.inf
        ):
            raise ValueError(
                "stall_timeout must be a finite number of seconds above zero, or None, "
                f"not {stall_timeout!r}"
            )
        self._now = start
        self._auto_advance = auto_advance
        self._stall_timeout = stall_timeout
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._sleepers: list[_Sleeper] = []
        # Numbers, which tell what began before what.
        self._holds: set[int] = set()
        self._lifts: set[int] = set()
        # How often a sleeper, a hold or a lift came or went.
        self._changes = 0
        self._until_sleeping: set[_Wakeup] = set()

    @property
    def stall_timeout(self) -> float | None:
        """Return the real seconds for which it may stand still while something waits for it."""
        return self._stall_timeout

    @property
    def sleeping(self) -> int:
        """Count the tasks that sleep on this clock."""
        return len(self._sleepers)

    @property
    def next_wake_up(self) -> float | None:
        """Return the earliest wake-up time of the sleeping tasks, None without any."""
        with self._lock:
            return self._sleepers[0].wake_at if self._sleepers else None

    def now(self) -> float:
        """Return the time of this clock in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """
        Move the clock by *seconds*, also while it is held, and wake the tasks whose time has come.

        They run when the caller next awaits, and see the time after the move.

        Raises:
            ValueError: *seconds* is negative or not finite.
        """
        if not (is_number(seconds) and 0 <= seconds < math.inf):
            raise ValueError(f"seconds must be a finite number, zero or more, not {seconds!r}")
        with self._lock:
            self._move_to(self._now + seconds)

    def hold(self) -> AbstractContextManager[None]:
        """
        Keep the clock from advancing by itself inside the block; clients do so during calls.

        Do not sleep on it there: if nothing else happens to the clock for ten real seconds,
        it advances nevertheless.
        """
        return self._noted(self._holds)

    def lift_hold(self) -> AbstractContextManager[None]:
        """
        Let the clock advance inside the block although one call that began before holds it.

        Servers do so while they delay an answer by the clock, or give none.
        """
        return self._noted(self._lifts)

    @contextmanager
    def _noted(self, numbers: set[int]) -> Iterator[None]:
        with self._lock:
            number = next(self._numbers)
            numbers.add(number)
            self._changed()
        try:
            yield
        finally:
            with self._lock:
                numbers.discard(number)
                self._changed()

    async def sleep(self, seconds: float) -> None:
        """
        Return when the clock has moved by *seconds*.

        Raises:
            ClockStalled: nothing moved the clock for *stall_timeout* seconds.
        """
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        with self._lock:
            sleeper = _Sleeper(self._now + seconds, next(self._numbers))
            heapq.heappush(self._sleepers, sleeper)
            self._changed()
            for wakeup in self._until_sleeping:
                wakeup.set()
        try:
            await self._until_due(sleeper)
        finally:
            with self._lock:
                if not sleeper.is_due:
                    self._sleepers.remove(sleeper)
                    heapq.heapify(self._sleepers)
                    self._changed()

    async def until_sleeping(self, count: int = 1) -> None:
        """
        Return when at least *count* tasks sleep on this clock.

        Raises:
            ClockStalled: fewer tasks slept for *stall_timeout* seconds.
        """
        while True:
            with self._lock:
                if len(self._sleepers) >= count:
                    return
                wakeup = _Wakeup()
                self._until_sleeping.add(wakeup)
            try:
                await self._until_set(wakeup, f"until_sleeping({count})")
            finally:
                with self._lock:
                    self._until_sleeping.discard(wakeup)

    async def _until_due(self, sleeper: _Sleeper) -> None:
        """Wait until it is due; meanwhile, as the earliest sleeper, move the clock."""
        while True:
            with self._lock:
                if sleeper.is_due:
                    return
                sleeper.wakeup = _Wakeup()
                changes = self._changes
                is_mover = self._auto_advance and self._sleepers[0] is sleeper
                is_held = self._is_held()
            if not is_mover:
                await self._until_set(sleeper.wakeup, f"sleep until {sleeper.wake_at:g}")
            elif is_held:
                with anyio.move_on_after(_MAX_HOLD) as scope:
                    await sleeper.wakeup.wait()
                if scope.cancelled_caught:
                    self._holds.clear()
            elif await self._stays_quiet(changes):
                with self._lock:
                    self._move_to(sleeper.wake_at)

    async def _until_set(self, wakeup: _Wakeup, what: str) -> None:
        """Wait for *wakeup*, but not for longer than the clock may stand still."""
        if self._stall_timeout is None:
            await wakeup.wait()
            return
        still, now = 0, self._now
        while still < _TICKS:
            # In parts, because a debugger stops the event loop for longer than a test waits.
            with anyio.move_on_after(self._stall_timeout / _TICKS):
                await wakeup.wait()
                return
            still, now = (still + 1 if self._now == now else 0), self._now
        raise ClockStalled(
            f"{what}: the clock stands still at {self._now:g}. Call its advance(seconds), "
            "or let it move by itself: ManualClock(auto_advance=True)"
        )

    async def _stays_quiet(self, changes: int) -> bool:
        """Return whether no task sleeps or calls before all had time to do so."""
        for _ in range(_SETTLING_ROUNDS):
            await anyio.lowlevel.checkpoint()
            if self._changes != changes:
                return False
        return True

    def _is_held(self) -> bool:
        # A lift by the server does not name its hold; only the hold must be older. So the clock is
        # free if each hold can be paired with a younger lift.
        holds, lifts = sorted(self._holds, reverse=True), sorted(self._lifts, reverse=True)
        return len(holds) > len(lifts) or any(map(operator.gt, holds, lifts))

    def _move_to(self, now: float) -> None:
        self._now = max(self._now, now)
        while self._sleepers and self._sleepers[0].wake_at <= self._now:
            sleeper = heapq.heappop(self._sleepers)
            sleeper.is_due = True
            sleeper.wakeup.set()
        self._changed()

    def _changed(self) -> None:
        self._changes += 1
        if self._auto_advance and self._sleepers:
            self._sleepers[0].wakeup.set()


class ScaledClock:
    """A clock that starts at zero and runs *speed* times as fast as real time, finite, above 0."""

    def __init__(self, speed: float) -> None:
        if not (is_number(speed) and 0 < speed < math.inf):
            raise ValueError(f"speed must be a finite number above zero, not {speed!r}")
        self._speed = speed
        self._begun_at = time.monotonic()

    def now(self) -> float:
        """Return the seconds since the start, *speed* to each real one."""
        return (time.monotonic() - self._begun_at) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Sleep for *seconds* of this clock: *seconds* / *speed* real ones."""
        await anyio.sleep(seconds / self._speed)

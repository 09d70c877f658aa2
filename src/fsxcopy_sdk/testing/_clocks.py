"""Clocks for tests, which clients and the local FSx can share."""

from __future__ import annotations

import heapq
import itertools
import math
import time

import anyio
import anyio.lowlevel


class ManualClock:
    """
    A clock that moves only when `advance` is called.

    With *auto_advance* a task that sleeps moves it to the earliest wake-up
    time at once, so that hours of waiting take no real time. The clock also
    moves while other tasks wait for something else, such as a socket.

    It works under asyncio and trio, for tasks of one event loop, and begins at *start*
    seconds, a finite number.
    """

    def __init__(self, start: float = 0.0, *, auto_advance: bool = False) -> None:
        if not math.isfinite(start):
            raise ValueError(f"start must be a finite number of seconds, not {start!r}")
        self._now = start
        self._auto_advance = auto_advance
        self._numbers = itertools.count()
        # The number breaks ties: tasks with the same time wake in the order of their calls.
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._new_sleeper: anyio.Event | None = None

    @property
    def sleeping(self) -> int:
        """Count the tasks that sleep on this clock."""
        return len(self._sleepers)

    @property
    def next_wake_up(self) -> float | None:
        """Return the earliest wake-up time of the sleeping tasks, None without any."""
        return self._sleepers[0][0] if self._sleepers else None

    def now(self) -> float:
        """Return the time of this clock in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """
        Move the clock by *seconds* and wake the tasks whose time has come.

        They run when the caller next awaits, and see the time after the move.

        Raises:
            ValueError: *seconds* is negative or not finite.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"seconds must be a finite number, zero or more, not {seconds!r}")
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            self._wake_earliest()

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has moved by *seconds*."""
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        awake = anyio.Event()
        sleeper = (self._now + seconds, next(self._numbers), awake)
        heapq.heappush(self._sleepers, sleeper)
        if self._new_sleeper is not None:
            self._new_sleeper.set()
        try:
            if not self._auto_advance:
                await awake.wait()
                return
            # The checkpoint lets tasks that are about to sleep do so before the
            # time moves. Each task wakes itself once it is the earliest.
            await anyio.lowlevel.checkpoint()
            while not awake.is_set():
                if self._sleepers[0] is sleeper:
                    self._wake_earliest()
                else:
                    await anyio.lowlevel.checkpoint()
        finally:
            if not awake.is_set():
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def until_sleeping(self, count: int = 1) -> None:
        """Return when at least *count* tasks sleep on this clock."""
        while len(self._sleepers) < count:
            if self._new_sleeper is None or self._new_sleeper.is_set():
                self._new_sleeper = anyio.Event()
            await self._new_sleeper.wait()

    def _wake_earliest(self) -> None:
        wake_at, _, awake = heapq.heappop(self._sleepers)
        self._now = max(self._now, wake_at)
        awake.set()


class ScaledClock:
    """A clock that starts at zero and runs *speed* times as fast as real time, finite, above 0."""

    def __init__(self, speed: float) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be a finite number above zero, not {speed!r}")
        self._speed = speed
        self._begun_at = time.monotonic()

    def now(self) -> float:
        """Return the seconds since the start, *speed* to each real one."""
        return (time.monotonic() - self._begun_at) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Sleep for *seconds* of this clock: *seconds* / *speed* real ones."""
        await anyio.sleep(seconds / self._speed)

"""
Clocks that tests hold in their hands: one that stands still, one that races.

Both are a `fsxcopy_sdk._clock.Clock`, so that a client and the local FSx can
share one and agree on what time it is.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time

import anyio
import anyio.lowlevel


class ManualClock:
    """
    Stand still until `advance` is called.

    With *auto_advance* the clock moves by itself: whoever sleeps brings it
    to the earliest wake-up time at once, so that hours of waiting take no
    real time. With several sleepers the earliest wakes first. A task that
    waits for something else than this clock (a socket, for one) does not
    hold the time of the sleepers back.

    It works under asyncio and trio, for tasks of one event loop.
    """

    def __init__(self, start: float = 0.0, *, auto_advance: bool = False) -> None:
        """
        Stand at *start* seconds.

        Raises:
            ValueError: *start* is not finite.
        """
        if not math.isfinite(start):
            msg = f"start must be a finite number of seconds, not {start!r}"
            raise ValueError(msg)
        self._now = start
        self._auto_advance = auto_advance
        # The number breaks ties: first asleep, first awake.
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._fell_asleep: anyio.Event | None = None

    @property
    def sleeping(self) -> int:
        """
        Count the tasks that sleep on this clock.
        """
        return len(self._sleepers)

    @property
    def next_wake_up(self) -> float | None:
        """
        The time at which the earliest sleeper is to wake; None if nobody sleeps.
        """
        return self._sleepers[0][0] if self._sleepers else None

    def now(self) -> float:
        """
        Return the seconds at which this clock stands.
        """
        return self._now

    def advance(self, seconds: float) -> None:
        """
        Move the clock by *seconds* and wake whoever's time has come.

        The woken run when the caller next awaits, and see the time after
        the whole move.

        Raises:
            ValueError: *seconds* is negative or not finite.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            msg = f"seconds must be a finite number, zero or more, not {seconds!r}"
            raise ValueError(msg)
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            self._wake_earliest()

    async def sleep(self, seconds: float) -> None:
        """
        Return when the clock has been moved past *seconds* from now.
        """
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        awake = anyio.Event()
        sleeper = (self._now + seconds, next(self._numbers), awake)
        heapq.heappush(self._sleepers, sleeper)
        if self._fell_asleep is not None:
            self._fell_asleep.set()
        try:
            if self._auto_advance:
                await self._advance_to(sleeper)
            else:
                await awake.wait()
        finally:
            if not awake.is_set():
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def until_sleeping(self, count: int = 1) -> None:
        """
        Return when at least *count* tasks sleep on this clock.
        """
        while len(self._sleepers) < count:
            if self._fell_asleep is None or self._fell_asleep.is_set():
                self._fell_asleep = anyio.Event()
            await self._fell_asleep.wait()

    async def _advance_to(self, sleeper: tuple[float, int, anyio.Event]) -> None:
        # Whoever is about to fall asleep too gets the chance before time
        # moves: each wakes itself, once it is the earliest of all.
        await anyio.lowlevel.checkpoint()
        while not sleeper[2].is_set():
            if self._sleepers[0] is sleeper:
                self._wake_earliest()
            else:
                await anyio.lowlevel.checkpoint()

    def _wake_earliest(self) -> None:
        wake_at, _, awake = heapq.heappop(self._sleepers)
        self._now = max(self._now, wake_at)
        awake.set()


class ScaledClock:
    """
    Run *speed* times as fast as real time.
    """

    def __init__(self, speed: float) -> None:
        """
        Start at zero seconds.

        Raises:
            ValueError: *speed* is not a finite number above zero.
        """
        if not (math.isfinite(speed) and speed > 0):
            msg = f"speed must be a finite number above zero, not {speed!r}"
            raise ValueError(msg)
        self._speed = speed
        self._begun_at = time.monotonic()

    def now(self) -> float:
        """
        Return the seconds since the start, *speed* to each real one.
        """
        return (time.monotonic() - self._begun_at) * self._speed

    async def sleep(self, seconds: float) -> None:
        """
        Sleep for *seconds* of this clock: *seconds* / *speed* real ones.
        """
        await anyio.sleep(seconds / self._speed)

"""
What the package knows of time: one protocol, and the clock of the machine.

Whoever waits takes a clock as an argument, so that tests move time instead of
spending it.
"""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """
    Tell the time and sleep.

    Any object with these two methods serves; `fsxcopy_sdk.testing` has one
    that stands still until it is moved.
    """

    def now(self) -> float:
        """
        Return the time in seconds since an arbitrary start, never backwards.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """
        Return after *seconds* of this clock's time.
        """
        ...


class SystemClock:
    """
    The machine's monotonic clock, sleeping on whatever event loop runs.
    """

    def now(self) -> float:
        """
        Return the machine's monotonic time in seconds.
        """
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """
        Sleep for *seconds* of real time.
        """
        await anyio.sleep(seconds)

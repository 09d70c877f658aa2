"""Clocks: everything that waits takes one, so that tests can move time, not spend it."""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """Tell the time and sleep, as `fsxcopy_sdk.testing.ManualClock` does for tests."""

    def now(self) -> float:
        """Return the time in seconds since an arbitrary start, never backwards."""

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds* of this clock's time."""


# Linux stops its monotonic clock while the machine is suspended; tokens age meanwhile.
_CLOCK_ID = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """
    Read the machine's monotonic clock, and sleep on the running event loop.

    Where the machine has such a clock (Linux), the time that it was suspended counts.
    """

    def now(self) -> float:
        return time.monotonic() if _CLOCK_ID is None else time.clock_gettime(_CLOCK_ID)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

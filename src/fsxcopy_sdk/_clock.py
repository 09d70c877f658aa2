"""Clocks: everything that waits takes one, so that tests can move time, not spend it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable

import anyio


class Clock(Protocol):
    """Tell the time and sleep, as `fsxcopy_sdk.testing.ManualClock` does for tests."""

    def now(self) -> float:
        """Return the time in seconds since an arbitrary start, never backwards."""

    async def sleep(self, seconds: float) -> None:
        """Return after *seconds* of this clock's time."""


@runtime_checkable
class HoldableClock(Clock, Protocol):
    """A clock that may stand still while calls are in flight, which the machine's cannot."""

    def hold(self) -> AbstractContextManager[object]:
        """Keep the clock from advancing by itself inside the block."""

    def lift_hold(self) -> AbstractContextManager[object]:
        """Let it advance inside the block, although one call that began before holds it."""


def hold_of(clock: Clock) -> Callable[[], AbstractContextManager[object]]:
    """Return the method that holds *clock* during a call; it does nothing on most clocks."""
    return clock.hold if isinstance(clock, HoldableClock) else nullcontext


def lift_of(clock: Clock) -> Callable[[], AbstractContextManager[object]]:
    """Return the method that lifts a hold of *clock*; it does nothing on most clocks."""
    return clock.lift_hold if isinstance(clock, HoldableClock) else nullcontext


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

"""The machine's clock."""

from __future__ import annotations

import anyio
import trio
from trio.testing import MockClock

from fsxcopy_sdk._clock import SystemClock


def test_the_system_clock_sleeps_on_the_event_loop() -> None:
    """An hour passes on an event loop that skips it, and the machine's time never goes back."""
    clock = SystemClock()

    async def scene() -> None:
        before, begun = clock.now(), anyio.current_time()
        await clock.sleep(3600)

        assert 3600 <= anyio.current_time() - begun < 3700
        assert before <= clock.now()

    trio.run(scene, clock=MockClock(autojump_threshold=0))

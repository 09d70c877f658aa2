"""
The machine's clock.
"""

from __future__ import annotations

from fsxcopy_sdk._clock import SystemClock


async def test_the_system_clock_never_goes_back() -> None:
    """
    Time goes on by what was slept at least.
    """
    clock = SystemClock()
    before = clock.now()

    await clock.sleep(0.001)

    assert 0.001 <= clock.now() - before

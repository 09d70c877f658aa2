"""
Which event loop runs, for what anyio offers on none or not cheaply.
"""

from __future__ import annotations

import asyncio


def runs_on_asyncio() -> bool:
    """
    Whether the caller is a task of asyncio (or of uvloop), not of trio.
    """
    try:
        # Without a task it may be trio as the guest of an asyncio loop.
        return asyncio.current_task() is not None
    except RuntimeError:
        return False

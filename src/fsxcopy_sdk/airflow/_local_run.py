"""A trigger that runs in a task instead of the triggerer, and is killed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import anyio
from airflow.sdk.exceptions import AirflowException

from fsxcopy_sdk.airflow._documents import JsonDocument
from fsxcopy_sdk.airflow._triggers import FsxTrigger

_LAST_ANSWER = 2.0
"""Seconds for the answers in flight when a task is killed; Airflow gives it five in all."""


class LocalRun:
    """A trigger in an event loop of its own."""

    def __init__(self, trigger: FsxTrigger) -> None:
        self._trigger = trigger
        self._kill: Callable[[], object] = lambda: None

    def event(self) -> JsonDocument:
        """
        Run the trigger, and return its event.

        Raises:
            AirflowException: it was killed.
        """
        return asyncio.run(self._event())

    async def _event(self) -> JsonDocument:
        killed = asyncio.Event()
        self._kill = partial(asyncio.get_running_loop().call_soon_threadsafe, killed.set)
        work, kill = asyncio.create_task(self._trigger.event()), asyncio.create_task(killed.wait())
        try:
            await asyncio.wait([work, kill], return_when=asyncio.FIRST_COMPLETED)
            if not kill.done():
                return await work
            self._trigger.stop()
            with anyio.move_on_after(_LAST_ANSWER):
                while self._trigger.is_unanswered:  # noqa: ASYNC110 - nothing tells
                    await anyio.sleep(0.05)
        finally:
            self._kill = lambda: None
            work.cancel()
            kill.cancel()
            await asyncio.gather(work, kill, return_exceptions=True)
        await self._trigger.on_kill()
        raise AirflowException("The task was killed")

    def kill(self) -> None:
        """End it soon, from a signal handler or another thread; the log says what continues."""
        self._kill()

"""A trigger that runs in a task instead of the triggerer, and is killed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

import anyio
from airflow.providers.common.compat.sdk import AirflowException

from fsxcopy_sdk.airflow._documents import JsonDocument
from fsxcopy_sdk.airflow._triggers import FsxTrigger


class _Log(Protocol):
    def warning(self, event: str, *args: object) -> object: ...


class LocalRun:
    """A trigger in an event loop of its own."""

    def __init__(self, trigger: FsxTrigger) -> None:
        self._trigger = trigger
        self._cancel: Callable[[], object] = lambda: None

    def event(self) -> JsonDocument:
        """
        Run the trigger, and return its event.

        Raises:
            AirflowException: it was killed.
        """
        return asyncio.run(self._event())

    async def _event(self) -> JsonDocument:
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:
            self._cancel = partial(loop.call_soon_threadsafe, scope.cancel)
            try:
                return await self._trigger.event()
            finally:
                self._cancel = lambda: None
        raise AirflowException("The task was killed")

    def kill(self, log: _Log) -> None:
        """End it, from a signal handler or from another thread, and say what continues."""
        if self._trigger.left:
            log.warning("copies continue at the service: %s", ", ".join(self._trigger.left))
        self._cancel()

"""When a waiting command ends: `--max-wait` after its start, and after its last answer."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import anyio
import anyio.lowlevel

from fsxcopy_sdk.errors import FsxCopyError

# Seconds for credentials and the first answer, however short the wait is to be.
_FIRST_ANSWER = 10.0

# Seconds after the deadline for the last answers, which show how each wait ended. A healthy
# answer takes less than one.
_LAST_ANSWER = 2.0

_Answer = TypeVar("_Answer")


class Deadline:
    """Cancel `scope` when a command has taken *max_wait*; made when it starts."""

    def __init__(self, max_wait: timedelta) -> None:
        now = anyio.current_time()
        self._at = now + max_wait.total_seconds()
        self._is_answered = False
        self.scope = anyio.CancelScope(deadline=max(self._at, now + _FIRST_ANSWER))

    def answered(self, *, may_start: bool = False) -> None:
        """Note an answer; where more copies *may_start*, they must not do so too late."""
        if not self._is_answered:
            self._at, self._is_answered = max(self._at, anyio.current_time()), True
        self.scope.deadline = self._at if may_start else self._at + _LAST_ANSWER

    @property
    def word(self) -> str:
        """The outcome of what had not ended when the command did."""
        return "timed_out" if self.scope.cancel_called else "in_progress"

    @property
    def reason(self) -> str | None:
        """Why that had not ended."""
        return "--max-wait is over" if self.scope.cancel_called else None


async def finished(call: Awaitable[_Answer]) -> _Answer:
    """Return the result of *call*, which runs on for some seconds if the command is cancelled."""
    answers: list[_Answer] = []
    failures: list[FsxCopyError] = []
    # With an answer the caller continues, and is cancelled where it awaits the next one.
    with suppress(anyio.get_cancelled_exc_class()):
        async with anyio.create_task_group() as group:
            with anyio.CancelScope(shield=True) as scope:
                group.start_soon(_limit, scope)
                try:
                    answers.append(await call)
                except FsxCopyError as error:  # which a group would wrap
                    failures.append(error)
            group.cancel_scope.cancel()
    if not (answers or failures):
        await anyio.lowlevel.checkpoint()  # which is cancelled
    if failures:
        raise failures[0]
    return answers[0]


async def _limit(scope: anyio.CancelScope) -> None:
    """Let *scope* end soon after this is cancelled."""
    try:
        await anyio.sleep_forever()
    finally:
        scope.deadline = anyio.current_time() + _LAST_ANSWER

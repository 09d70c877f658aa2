"""
Outcomes as they come: work that goes on inside ``async with``, told by ``async for``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio

_Outcome = TypeVar("_Outcome")


class OutcomeStream(ABC, Generic[_Outcome]):
    """
    A block that does something in tasks of its own, and the outcomes of that.
    """

    def __init__(self) -> None:
        self._tasks = anyio.create_task_group()
        self._outcomes: list[_Outcome] = []
        self._news = anyio.Event()
        self._told = 0
        self._over = False

    @property
    def outcomes(self) -> tuple[_Outcome, ...]:
        """
        All outcomes so far in the order of their coming, iterated over or not.
        """
        return tuple(self._outcomes)

    async def __aenter__(self) -> Self:
        """
        Begin.
        """
        await self._tasks.__aenter__()
        self._begin()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """
        Start nothing more, and leave what is in progress to the service.
        """
        self._finish()
        self._tasks.cancel_scope.cancel()
        if exc_type and issubclass(exc_type, anyio.get_cancelled_exc_class()):
            await self._tasks.__aexit__(exc_type, exc, traceback)
        else:
            # What the block raised stays what it is, and is put into no group.
            await self._tasks.__aexit__(None, None, None)

    def __aiter__(self) -> Self:
        """
        Iterate over the outcomes as they come.
        """
        return self

    async def __anext__(self) -> _Outcome:
        """
        Return the next outcome, as soon as there is one.
        """
        while self._told == len(self._outcomes):
            if self._over:
                raise StopAsyncIteration
            await self._news.wait()
        self._told += 1
        return self._outcomes[self._told - 1]

    @abstractmethod
    def _begin(self) -> None:
        """
        Start the tasks.
        """

    def _add(self, outcome: _Outcome) -> None:
        self._outcomes.append(outcome)
        self._tell()

    def _finish(self) -> None:
        """
        Note that no more outcomes will come.
        """
        self._over = True
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()

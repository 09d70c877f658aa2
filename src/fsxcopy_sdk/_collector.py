"""
Python's garbage collector, kept away from what it cannot help with.

It walks what is young whenever some hundred objects have been made. Imports and pages
make thousands that stay or hold no cycles, and are walked again and again for nothing:
a seventh of the time from the start of a process to its first result.

Pausing counts for the whole process, so it is for what neither awaits nor waits: an
import, a page. It is done by the threshold, so that a `gc.disable` or `gc.enable` of the
program's own keeps its meaning, whenever it comes. Threads may pause at the same time, and
a process that is forked meanwhile has none of the threads that would end their pauses.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock


class _Pauses:
    """
    How many blocks want the collector to rest, and the threshold it had before.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self._count = 0
        self._threshold = 0

    def begin(self) -> None:
        """
        Let the collector rest.
        """
        with self.lock:
            threshold, *others = gc.get_threshold()
            # Zero in the middle of another pause is that one's.
            if threshold or not self._count:
                self._threshold = threshold
            self._count += 1
            gc.set_threshold(0, *others)

    def end(self) -> None:
        """
        Let the collector run as before, if no other block wants it to rest.
        """
        with self.lock:
            # A block that was forked in the middle ends in the child too, after `end_all`.
            self._count = max(self._count - 1, 0)
            threshold, *others = gc.get_threshold()
            # What the program has set meanwhile stays.
            if threshold == 0 and not self._count:
                gc.set_threshold(self._threshold, *others)

    def end_all(self) -> None:
        """
        End every pause in a process that was forked, and free the lock that was held.
        """
        if self._count:
            self._count = 1
            self.end()
        self.lock.release()


_pauses = _Pauses()

if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(
        before=_pauses.lock.acquire,
        after_in_parent=_pauses.lock.release,
        after_in_child=_pauses.end_all,
    )


@contextmanager
def paused() -> Iterator[None]:
    """
    Look for no reference cycles inside this block.
    """
    _pauses.begin()
    try:
        yield
    finally:
        _pauses.end()


@contextmanager
def settling() -> Iterator[None]:
    """
    Pause, and count what was made among what has been there for long.

    Only for what is done once in a process: young garbage of the program's own that is
    there at the end goes the same way, and is looked at when the oldest objects are.
    """
    with paused():
        yield
        # A program that has frozen objects, before a fork say, wants them to stay so.
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()

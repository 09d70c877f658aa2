"""
Python's garbage collector, kept away from what it cannot help with.

It walks what is young whenever some hundred objects have been made. Imports and pages
make thousands that stay or hold no cycles, and are walked again and again for nothing:
a seventh of the time from the start of a process to its first result.

Pausing counts for the whole process, so it is for what neither awaits nor waits: an
import, a page. It is done by the threshold, so that a `gc.disable` or `gc.enable` of the
program's own keeps its meaning, whenever it comes. A process that is forked meanwhile has the
threshold, but not the thread that would set it back.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_pauses: dict[object, int] = {}
"""The thresholds that the pauses of this moment found."""


@contextmanager
def paused() -> Iterator[None]:
    """
    Look for no reference cycles inside this block.
    """
    threshold, *others = gc.get_threshold()
    pause = object()
    _pauses[pause] = threshold
    gc.set_threshold(0, *others)
    try:
        yield
    finally:
        _pauses.pop(pause, None)
        # What the program has set meanwhile stays.
        if gc.get_threshold()[0] == 0:
            gc.set_threshold(threshold, *others)


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


def _resume() -> None:
    """
    End, in a process that was forked, the pauses of threads that it does not have.
    """
    threshold, *others = gc.get_threshold()
    if threshold == 0 and _pauses:
        gc.set_threshold(max(_pauses.values()), *others)
    _pauses.clear()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows does not fork
    os.register_at_fork(after_in_child=_resume)

"""
Python's garbage collector, kept away from what it cannot help with.

It walks what is young whenever some hundred objects have been made. Imports and pages
make thousands that stay or hold no cycles, and are walked again and again for nothing:
a seventh of the time from the start of a process to its first result.

Pausing counts for the whole process, so it is for what neither awaits nor waits: an
import, a page. It is done by the threshold, so that a `gc.disable` or `gc.enable` of the
program's own keeps its meaning, whenever it comes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """
    Look for no reference cycles inside this block.
    """
    threshold, *others = gc.get_threshold()
    gc.set_threshold(0, *others)
    try:
        yield
    finally:
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

"""
The garbage collector rests where it could not help, and is left as it was.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import TypeAlias

import pytest

from fsxcopy_sdk._collector import _pauses, paused, settling

Pause: TypeAlias = Callable[[], AbstractContextManager[None]]

_both = pytest.mark.parametrize("pause", [paused, settling])


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """
    Leave the collector to the next test as it was.
    """
    was_on, thresholds = gc.isenabled(), gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    (gc.enable if was_on else gc.disable)()


@_both
@pytest.mark.parametrize("thresholds", [(700, 10, 10), (5000, 20, 30), (0, 10, 10)])
def test_the_collector_rests_inside(pause: Pause, thresholds: tuple[int, int, int]) -> None:
    """
    It does not run inside the block; afterwards its thresholds are as they were.
    """
    gc.set_threshold(*thresholds)
    with pause():
        inside = gc.get_threshold()[0]

    assert (0, thresholds) == (inside, gc.get_threshold())


@_both
def test_an_exception_leaves_the_collector_as_it_was(pause: Pause) -> None:
    """
    Its thresholds are as they were, whatever ended the block.
    """
    before = gc.get_threshold()
    with suppress(KeyError), pause():
        raise KeyError

    assert before == gc.get_threshold()


@_both
@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_what_the_program_sets_meanwhile_stays(pause: Pause, is_on: bool) -> None:
    """
    A thread of the program that switches the collector, or has thresholds, is heard.
    """
    with pause():
        (gc.enable if is_on else gc.disable)()
        gc.set_threshold(5000, 20, 30)

    assert (is_on, (5000, 20, 30)) == (gc.isenabled(), gc.get_threshold())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.parametrize("threshold", [700, 0])
def test_a_fork_is_not_left_without_the_collector(threshold: int) -> None:
    """
    A process forked from one thread while another reads a page has the thresholds from before.
    """
    program = f"""
import gc, os, threading
from fsxcopy_sdk._collector import paused
gc.set_threshold({threshold}, 11, 12)
is_paused, is_over = threading.Event(), threading.Event()
def read_a_page():
    with paused():
        is_paused.set()
        is_over.wait()
reader = threading.Thread(target=read_a_page)
reader.start()
is_paused.wait()
if child := os.fork():
    os.waitpid(child, 0)
    is_over.set()
    reader.join()
print(*gc.get_threshold(), flush=True)
"""

    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )

    assert [f"{threshold} 11 12"] * 2 == done.stdout.splitlines()


@pytest.mark.parametrize("meanwhile", [(0, 10, 10), (5000, 20, 30)], ids=["paused", "set"])
def test_a_fork_keeps_what_the_program_has_set(meanwhile: tuple[int, int, int]) -> None:
    """
    Only a pause is ended where a process begins, and once, even where it began in one.
    """
    before = gc.get_threshold()
    with paused():
        gc.set_threshold(*meanwhile)
        _pauses.lock.acquire()  # as it is before a fork
        _pauses.end_all()
        inside = gc.get_threshold()
    expected = meanwhile if meanwhile[0] else (before[0], *meanwhile[1:])

    assert (expected, expected) == (inside, gc.get_threshold())


def test_a_fork_without_a_pause_changes_nothing() -> None:
    """
    A program that has no use for the collector finds it off in its children too.
    """
    gc.set_threshold(0)

    _pauses.lock.acquire()
    _pauses.end_all()

    assert 0 == gc.get_threshold()[0]


def test_pauses_of_many_threads_end() -> None:
    """
    However threads interrupt each other, the collector runs again after the last pause.
    """
    before = gc.get_threshold()
    interval = sys.getswitchinterval()

    def read_pages() -> None:
        for _ in range(500):
            with paused():
                pass

    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=read_pages) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert before == gc.get_threshold()


def test_what_was_made_is_old_afterwards() -> None:
    """
    What the block made is not among the young, which are walked most.
    """
    with settling():
        made: list[object] = []

    assert not any(made is young for age in (0, 1) for young in gc.get_objects(age))


def test_what_a_pause_made_stays_young() -> None:
    """
    A page is not counted among what stays: its garbage is to be found soon.
    """
    gc.collect()
    with paused():
        made: list[object] = []

    assert any(made is young for age in (0, 1) for young in gc.get_objects(age))


def test_what_a_program_has_frozen_stays_frozen() -> None:
    """
    A program that froze its objects before a fork finds them frozen.
    """
    gc.freeze()
    try:
        with settling():
            pass

        assert 0 < gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_no_import_of_ours_sets_the_collector_off() -> None:
    """
    However much a name loads, the young are not walked meanwhile or right afterwards.
    """
    program = """
import gc, fsxcopy_sdk, fsxcopy_sdk._collector
runs = []
gc.collect()
gc.callbacks.append(lambda phase, info: runs.append(phase))
fsxcopy_sdk.FsxCopyClient, fsxcopy_sdk.Backup
print(len(runs), gc.get_threshold()[0] > 0)
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ["0", "True"] == done.stdout.split()

"""
The garbage collector rests where it could not help, and is left as it was.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import TypeAlias

import pytest

from fsxcopy_sdk._collector import paused, settling

Pause: TypeAlias = Callable[[], AbstractContextManager[None]]

_both = pytest.mark.parametrize("pause", [paused, settling])


@pytest.fixture(name="is_on", params=[True, False], ids=["on", "off"])
def _collector(request: pytest.FixtureRequest) -> Iterator[bool]:
    """
    Switch the collector on or off for a test.
    """
    was_on = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if was_on else gc.disable)()


@_both
def test_the_collector_rests_inside_and_is_as_before_afterwards(pause: Pause, is_on: bool) -> None:
    """
    It is off inside the block; afterwards it is on where it was on.
    """
    with pause():
        inside = gc.isenabled()

    assert (False, is_on) == (inside, gc.isenabled())


@_both
def test_an_exception_leaves_the_collector_as_it_was(pause: Pause, is_on: bool) -> None:
    """
    It is on afterwards where it was on, whatever ended the block.
    """
    with suppress(KeyError), pause():
        raise KeyError

    assert is_on == gc.isenabled()


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
print(len(runs), gc.isenabled())
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ["0", "True"] == done.stdout.split()

"""
What progress over time says about the end, and what the schedule makes of it.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODERATE

from fsxcopy_sdk import WaitSchedule
from fsxcopy_sdk.waiting import ProgressHistory
from fsxcopy_sdk.waiting._progress import Window

SCHEDULE = WaitSchedule(min_delay=5, max_delay=120)


def _history(*looks: tuple[float, int | None]) -> ProgressHistory:
    history = ProgressHistory()
    for elapsed, percent in looks:
        history.add(elapsed, percent)
    return history


def _delay(history: ProgressHistory, elapsed: float, random: float = 0.0) -> float | None:
    return SCHEDULE.delay(2, math.inf, lambda: random, history, elapsed)


def test_two_looks_bound_the_end() -> None:
    """
    From 0 at 0 s to 50 at 100 s, each up to one more, the end lies within some seconds.
    """
    history = _history((0, 0), (2, 1), (100, 50))

    assert Window(100 * 100 / 51, 100 * 99 / 49) == history.window()


def test_resolution_is_what_the_percents_have_in_common() -> None:
    """
    Progress in steps of ten says as much less as its steps are wider.
    """
    history = _history((0, 0), (100, 20), (200, 50))

    window = history.window()

    assert window is not None
    assert (200 * 100 / 60, 200 * 90 / 40) == (window.earliest, window.latest)


@pytest.mark.parametrize(
    "looks",
    [[], [(0, None), (9, None)], [(0, 0)], [(0, 40), (50, 40), (99, 40)]],
    ids=["no look", "no progress", "one look", "standing still"],
)
def test_nothing_moved(looks: list[tuple[float, int | None]]) -> None:
    """
    Where nothing has moved there is nothing to say.
    """
    assert _history(*looks).window() is None


def test_progress_that_runs_backwards_starts_anew() -> None:
    """
    What was seen before a step back is no part of the prediction.
    """
    history = _history((0, 0), (100, 80), (200, 10), (300, 20))

    assert _history((200, 10), (300, 20)).points == history.points


def test_bent_progress_forgets_what_is_not_on_its_line() -> None:
    """
    After a slow start only the latest looks speak.
    """
    slow = [(0, 0), (100, 1), (200, 2), (300, 3)]
    fast = [(310, 23), (320, 43), (330, 63)]

    window = _history(*slow, *fast).window()

    assert window is not None
    assert 345 < window.earliest < window.latest < 355


def test_memory_is_bounded() -> None:
    """
    However many looks there were, sixteen are kept, the first among them.
    """
    history = _history(*((float(number), number) for number in range(99)))

    assert 16 == len(history.points)
    assert [0, *range(84, 99)] == [percent for _, percent in history.points]


@given(
    duration=st.floats(60, 30000),
    step=st.sampled_from([1, 2, 5, 10, 25]),
    shares=st.lists(st.floats(0, 0.99), min_size=2, max_size=30, unique=True),
)
@MODERATE
def test_the_end_of_steady_progress_is_in_the_window(
    duration: float, step: int, shares: list[float]
) -> None:
    """
    As long as progress is steady, its end is never ruled out.
    """
    history = _history(
        *((share * duration, step * int(100 * share / step)) for share in sorted(shares))
    )

    window = history.window()

    if window is not None:
        assert window.earliest <= duration * (1 + 1e-6)
        assert window.latest >= duration * (1 - 1e-6)


def test_looks_draw_near_to_the_window() -> None:
    """
    Before the end can come there are looks, each at four fifths of the way.
    """
    history = _history((0, 0), (2, 1), (100, 50))

    assert 0.8 * (100 * 100 / 51 - 100) == _delay(history, 100)
    assert 120 == _delay(_history((0, 0), (100, 5)), 100)


def test_a_narrow_window_has_one_look_at_its_end() -> None:
    """
    Two smallest delays before a window, the next look is in it; at its end if it is narrow.
    """
    history = _history((0, 0), (999, 49), (1001, 50), (1979, 98), (1981, 99))
    window = history.window()
    assert window is not None
    assert window.latest - window.earliest < 5 < window.earliest - 1985

    assert window.latest - 1991 == _delay(history, 1991)
    assert 0.8 * 12.5 == _delay(history, window.earliest - 12.5)
    assert 5 == _delay(history, window.latest - 1)


def test_looks_are_close_in_the_window() -> None:
    """
    Where the end is likely, a twelfth of what is left lies between looks.
    """
    history = _history((0, 0), (110, 1), (10000, 95))
    window = history.window()
    assert window is not None

    assert (window.latest - 10450) / 12 == _delay(history, 10450)


def test_looks_grow_apart_when_progress_stands_still() -> None:
    """
    The longer nothing moves, the further apart the looks, up to the maximum.
    """
    history = _history((0, 0), (100, 98), (200, 99), (3200, 99))

    assert 100 == _delay(history, 3200)


def test_progress_that_vanishes_is_not_hurried_after() -> None:
    """
    Past the predicted end, with no progress shown, looks grow apart as if it stood still.
    """
    history = _history((0, 0), (100, 10), (200, 20), (3000, None))

    assert (3000 - 200) / 30 == _delay(history, 3000)


@pytest.mark.parametrize("percent", [-1, 101, None])
def test_what_is_no_percentage_says_nothing(percent: int | None) -> None:
    """
    Only 0 to 100 is progress.
    """
    history = _history((0, 5), (10, percent))

    assert [(0, 5)] == history.points


def test_predicted_looks_have_jitter_too() -> None:
    """
    A tenth of a predicted delay is left to chance.
    """
    history = _history((0, 0), (2, 1), (100, 50))

    assert pytest.approx(0.9 * 0.8 * (100 * 100 / 51 - 100)) == _delay(history, 100, 1.0)


@given(
    looks=st.lists(st.tuples(st.floats(0, 1e6), st.none() | st.integers(0, 100)), max_size=40),
    remaining=st.floats(0, 1e6),
    random=st.floats(0, 1),
    schedule=st.tuples(st.floats(0.1, 100), st.floats(0.1, 1000)).map(
        lambda pair: WaitSchedule(min_delay=min(pair), max_delay=max(pair))
    ),
)
@MODERATE
def test_no_progress_breaks_the_bounds(
    looks: list[tuple[float, int | None]],
    remaining: float,
    random: float,
    schedule: WaitSchedule,
) -> None:
    """
    Whatever progress says, no delay is negative, too long, or past the deadline.
    """
    looks = sorted(looks, key=lambda look: look[0])
    elapsed = looks[-1][0] if looks else 0.0

    delay = schedule.delay(3, remaining, lambda: random, _history(*looks), elapsed)

    if delay is not None:
        assert 0 < delay <= min(schedule.max_delay, remaining)

"""What progress over time predicts, and where the schedule then places polls."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODERATE

from fsxcopy_sdk import WaitSchedule
from fsxcopy_sdk.waiting import ProgressHistory
from fsxcopy_sdk.waiting._schedule import Window

SCHEDULE = WaitSchedule(min_delay=5, max_delay=120)


def _history(*polls: tuple[float, int | None]) -> ProgressHistory:
    history = ProgressHistory()
    for elapsed, percent in polls:
        history.add(elapsed, percent)
    return history


def _delay(history: ProgressHistory, elapsed: float, random: float = 0.0) -> float | None:
    return SCHEDULE.delay(2, math.inf, lambda: random, history, elapsed)


def test_two_polls_limit_the_end() -> None:
    """From 0 at 0 s to 50 at 100 s, each up to one more, the end is known to some seconds."""
    history = _history((0, 0), (2, 1), (100, 50))
    assert Window(100 * 100 / 51, 100 * 99 / 49) == history.window()


def test_resolution_is_what_the_percents_have_in_common() -> None:
    """Progress in steps of ten makes the window as much wider."""
    history = _history((0, 0), (100, 20), (200, 50))
    assert Window(200 * 100 / 60, 200 * 90 / 40) == history.window()


@pytest.mark.parametrize(
    "polls",
    [[], [(0, None), (9, None)], [(0, 0)], [(0, 40), (50, 40), (99, 40)]],
    ids=["no poll", "no progress", "one poll", "standing still"],
)
def test_nothing_moved(polls: list[tuple[float, int | None]]) -> None:
    """Where nothing has moved there is no prediction."""
    assert _history(*polls).window() is None


def test_progress_that_goes_back_starts_again() -> None:
    """Polls before a step back are not part of the prediction."""
    history = _history((0, 0), (100, 80), (200, 10), (300, 20))
    assert _history((200, 10), (300, 20)) == history


def test_a_change_of_speed_restricts_the_prediction_to_later_polls() -> None:
    """After a slow start only the latest polls count."""
    slow = [(0, 0), (100, 1), (200, 2), (300, 3)]
    fast = [(310, 23), (320, 43), (330, 63)]
    window = _history(*slow, *fast).window()
    assert window is not None
    assert 345 < window.earliest < window.latest < 355


def test_polls_before_a_change_of_speed_are_kept() -> None:
    """They still show the resolution of the service's counting, however often one predicts."""
    polls = [(0, 0), (100, 1), (200, 2), (300, 10), (310, 20), (320, 30), (330, 40)]
    asked = ProgressHistory()
    for elapsed, percent in polls:
        asked.add(elapsed, percent)
        asked.window()

    assert _history(*polls).window() == asked.window()
    assert _history(*polls[3:]).window() != asked.window()


def test_polls_of_the_same_percent_are_merged() -> None:
    """However long progress stands still, the polls before it are kept."""
    before = [(0, 0), (3, 1), (200, 50), (204, 51), (300, 76)]
    standing = [(400 + second, 99) for second in range(100)]
    merged = _history(*before, standing[0], standing[-1])
    assert merged.points == _history(*before, *standing).points
    assert merged.stands_since == 400


def test_a_hundred_percent_is_progress() -> None:
    """A copy that shows 100 but is not AVAILABLE yet can end at any moment."""
    history = _history((0, 0), (2, 1), (100, 50), (195, 100))
    assert history.window() == Window(195, 195)


def test_memory_is_limited() -> None:
    """Of any number of polls sixteen are kept, the first among them."""
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
    """While progress is steady, its end is always in the window."""
    history = _history(
        *((share * duration, step * int(100 * share / step)) for share in sorted(shares))
    )

    window = history.window()

    if window is not None:
        assert window.earliest <= duration * (1 + 1e-6)
        assert window.latest >= duration * (1 - 1e-6)


def test_polls_before_the_window() -> None:
    """Before the end can come there are polls, each after four fifths of the time until then."""
    history = _history((0, 0), (2, 1), (100, 50))
    assert 0.8 * (100 * 100 / 51 - 100) == _delay(history, 100)
    assert 120 == _delay(_history((0, 0), (100, 5)), 100)


def test_a_narrow_window_has_one_poll_at_its_end() -> None:
    """From two minimum delays before a window, the next poll is in it; at the end if narrow."""
    history = _history((0, 0), (999, 49), (1001, 50), (1979, 98), (1981, 99))
    window = history.window()
    assert window is not None
    assert window.latest - window.earliest < 5 < window.earliest - 1985

    assert window.latest - 1991 == _delay(history, 1991)
    assert 0.8 * 12.5 == _delay(history, window.earliest - 12.5)
    assert 5 == _delay(history, window.latest - 1)


def test_polls_are_close_in_the_window() -> None:
    """Where the end is likely, the delay is a twelfth of the rest of the window."""
    history = _history((0, 0), (110, 1), (10000, 95))
    window = history.window()
    assert window is not None
    assert (window.latest - 10450) / 12 == _delay(history, 10450)


def test_delays_grow_while_progress_stands_still() -> None:
    """The longer nothing moves, the longer the delays, up to the maximum."""
    history = _history((0, 0), (100, 98), (200, 99), (3200, 99))
    assert 100 == _delay(history, 3200)


def test_delays_grow_when_progress_is_no_longer_shown() -> None:
    """After the predicted end, without progress, delays grow as if it stood still."""
    history = _history((0, 0), (100, 10), (200, 20), (3000, None))
    assert (3000 - 200) / 30 == _delay(history, 3000)


@pytest.mark.parametrize("percent", [-1, 101, None])
def test_other_numbers_are_ignored(percent: int | None) -> None:
    """Only 0 to 100 is progress."""
    polls: list[tuple[float, int | None]] = [(0, 5), (10, 15), (20, 20)]
    assert _history(*polls).window() == _history(*polls, (30, percent)).window()


def test_predicted_delays_have_jitter() -> None:
    """A tenth of a predicted delay is random."""
    history = _history((0, 0), (2, 1), (100, 50))
    assert pytest.approx(0.9 * 0.8 * (100 * 100 / 51 - 100)) == _delay(history, 100, 1.0)


@given(
    polls=st.lists(st.tuples(st.floats(0, 1e6), st.none() | st.integers(0, 100)), max_size=40),
    remaining=st.floats(0, 1e6),
    random=st.floats(0, 1),
    schedule=st.tuples(st.floats(0.1, 100), st.floats(0.1, 1000)).map(
        lambda pair: WaitSchedule(min_delay=min(pair), max_delay=max(pair))
    ),
)
@MODERATE
def test_progress_keeps_delays_within_bounds(
    polls: list[tuple[float, int | None]], remaining: float, random: float, schedule: WaitSchedule
) -> None:
    """Whatever the progress, no delay is negative, too long, or past the deadline."""
    polls = sorted(polls, key=lambda poll: poll[0])
    elapsed = polls[-1][0] if polls else 0.0
    delay = schedule.delay(3, remaining, lambda: random, _history(*polls), elapsed)
    if delay is not None:
        assert 0 < delay <= min(schedule.max_delay, remaining)

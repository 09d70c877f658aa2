"""When to poll next: exact numbers, and properties of all of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from strategies import MODERATE, junk

from benchmarks.waits import fixed, log_normal, ours, simulate
from fsxcopy_sdk import WaitSchedule
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.testing import ProgressShape
from fsxcopy_sdk.waiting import ProgressHistory

_SMITHY = WaitSchedule(min_delay=2, max_delay=120)
"""The defaults of the Smithy waiter specification."""


def _half() -> float:
    return 0.5


def _longest() -> float:
    return 1.0


def _delays(schedule: WaitSchedule, max_wait: float, random: float) -> Iterator[float]:
    """Yield the delays of a whole wait whose polls take no time."""
    polls, elapsed = 1, 0.0
    while (delay := schedule.delay(polls, max_wait - elapsed, lambda: random)) is not None:
        yield delay
        polls += 1
        elapsed += delay


@pytest.mark.parametrize(
    ("polls", "delay"),
    [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 64), (7, 120), (8, 120), (10**6, 120)],
)
def test_delays_of_smithy(polls: int, delay: float) -> None:
    """Without jitter, the delays are the upper bounds of the Smithy waiter specification."""
    assert delay == _SMITHY.delay(polls, 10**9, _longest)


@pytest.mark.parametrize(
    ("polls", "random", "delay"),
    [(1, 0, 2), (2, 0, 3.2), (3, 0, 6.4), (3, 0.5, 7.2), (3, 1, 8), (50, 0, 96), (50, 1, 120)],
)
def test_range_of_a_delay(polls: int, random: float, delay: float) -> None:
    """Jitter takes a fifth at most of what a delay has grown to; the minimum stays the minimum."""
    assert pytest.approx(delay) == _SMITHY.delay(polls, 10**9, lambda: random)


def test_wait_of_five_minutes() -> None:
    """The last poll of a wait falls on its deadline."""
    delays = list(_delays(_SMITHY, 300, 1.0))
    assert [2, 4, 8, 16, 32, 64, 120, 54] == delays
    assert 300 == sum(delays)


@pytest.mark.parametrize(
    ("percents", "longest"),
    [([], 40), ([None, None], 40), ([0], 120), ([0, 0, None], 120), ([30, 30], 120)],
    ids=["never polled", "no percentage", "none yet", "no longer shown", "standing still"],
)
def test_delays_without_progress(percents: list[int | None], longest: float) -> None:
    """Delays stay below a third of the maximum only where no percentage was ever shown."""
    history = ProgressHistory()
    for number, percent in enumerate(percents):
        history.add(10.0 * number, percent)

    delays = [_SMITHY.delay(polls, 10**9, _longest, history, 30.0) for polls in range(1, 9)]

    assert [min(2.0**polls, longest) for polls in range(1, 9)] == delays


@pytest.mark.parametrize(("low", "high"), [(50, 120), (10, 20), (7, 7)])
def test_a_third_of_the_maximum_is_below_the_minimum(low: float, high: float) -> None:
    """Where no percentage is shown, no delay is below the minimum either."""
    schedule = WaitSchedule(min_delay=low, max_delay=high)
    assert low == schedule.delay(9, 10**9, _half, ProgressHistory())


def test_waits_without_progress_cost_as_little_as_steady_ones() -> None:
    """Calls times mean lag are those of a poll each 30 s, or hardly more (0.95 of its merit)."""
    lengths = log_normal(1000)
    steady = simulate(fixed, ProgressShape.NONE, lengths)
    assert simulate(ours, ProgressShape.NONE, lengths).merit < steady.merit / 0.95


@pytest.mark.parametrize(
    ("remaining", "delay"),
    [(100.0, 4.0), (6.0, 4.0), (5.9, 5.9), (4.0, 4.0), (0.1, 0.1)],
    ids=["far off", "another fits", "no other fits", "just the delay", "less than the minimum"],
)
def test_last_poll(remaining: float, delay: float) -> None:
    """Where less than the minimum would remain after a delay, the delay is all the rest."""
    assert delay == _SMITHY.delay(2, remaining, _longest)


def test_last_but_one_poll() -> None:
    """Where the rest is more than the maximum, the last two delays share it."""
    schedule = WaitSchedule(min_delay=2, max_delay=4)
    assert 2.75 == schedule.delay(9, 5.5, _longest)
    assert 2.75 == schedule.delay(10, 2.75, _longest)


@pytest.mark.parametrize("remaining", [0.0009, 1e-18, 0.0, -0.0, -1.0, -1e9])
def test_deadline_has_come(remaining: float) -> None:
    """On the deadline, except for rounding, and after it there is no further poll."""
    assert None is _SMITHY.delay(1, remaining, _half)


def test_constant_delay() -> None:
    """With a minimum equal to the maximum all delays are the same."""
    assert [10, 10, 10] == list(_delays(WaitSchedule(min_delay=10, max_delay=10), 30, 0.7))


@st.composite
def _schedules(draw: st.DrawFn) -> WaitSchedule:
    """Make schedules of all sizes, including absurd ones."""
    bounds = st.floats(0, sys.float_info.max, exclude_min=True)
    low, high = sorted((draw(bounds), draw(bounds)))
    return WaitSchedule(min_delay=low, max_delay=high)


@MODERATE
@given(
    schedule=_schedules(),
    polls=st.integers(1, 10**9),
    remaining=st.floats(0.001, sys.float_info.max),
    random=st.floats(0, 1),
)
@example(WaitSchedule(min_delay=5e-324, max_delay=120), 1025, 1e9, 0.5)
@example(WaitSchedule(min_delay=0.18191887686165464, max_delay=2.7645091411484946), 9, 99, 1)
def test_delay_is_within_bounds(
    schedule: WaitSchedule, polls: int, remaining: float, random: float
) -> None:
    """A delay is positive, no longer than the maximum, and never past the deadline."""
    delay = schedule.delay(polls, remaining, lambda: random)
    assert delay is not None
    assert 0 < delay <= min(schedule.max_delay, remaining)


@MODERATE
@given(schedule=_schedules(), polls=st.integers(1, 100), random=st.floats(0, 1))
def test_delay_is_at_least_the_minimum(schedule: WaitSchedule, polls: int, random: float) -> None:
    """Far from the deadline no two polls are closer than the minimum."""
    assume(schedule.max_delay < sys.float_info.max / 2)
    far = max(schedule.max_delay * 2, 1)
    delay = schedule.delay(polls, far, lambda: random)
    assert delay is not None
    assert schedule.min_delay <= delay


@MODERATE
@given(
    min_delay=st.floats(1, 10),
    factor=st.floats(1, 50),
    max_wait=st.floats(0.1, 200),
    random=st.floats(0, 1),
)
def test_whole_wait_ends_on_the_deadline(
    min_delay: float, factor: float, max_wait: float, random: float
) -> None:
    """The delays of a wait add up to its length, whatever the jitter."""
    schedule = WaitSchedule(min_delay=min_delay, max_delay=min_delay * factor)
    assert pytest.approx(max_wait) == sum(_delays(schedule, max_wait, random))


def test_defaults() -> None:
    """Delays are from five seconds to two minutes, and a backup may be unknown for a minute."""
    default = WaitSchedule()
    assert (5, 120, 60) == (default.min_delay, default.max_delay, default.not_found_grace)


def test_timedeltas() -> None:
    """Timedeltas become seconds."""
    in_seconds = {"min_delay": 1, "max_delay": 60, "not_found_grace": 120}
    as_timedeltas = {name: timedelta(seconds=number) for name, number in in_seconds.items()}
    assert WaitSchedule(**in_seconds) == WaitSchedule(**as_timedeltas)


def test_frozen() -> None:
    """A schedule cannot be changed, so clients can share it."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        _SMITHY.min_delay = 1  # type: ignore[misc]  # on purpose


@pytest.mark.parametrize(("low", "high"), [(0, 1), (2, 1), (0, 0), (121, 120)])
def test_bounds_that_contradict_each_other(low: float, high: float) -> None:
    """The error for a minimum of zero or above the maximum has both numbers."""
    expected = (
        f"min_delay: must be more than zero and at most max_delay, "
        f"not {float(low)} with a max_delay of {float(high)}"
    )

    with pytest.raises(InvalidArguments) as caught:
        WaitSchedule(min_delay=low, max_delay=high)

    assert (expected,) == caught.value.errors


@pytest.mark.parametrize("argument", ["min_delay", "max_delay", "not_found_grace"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, None, "5"], ids=repr)
def test_bounds_that_are_not_durations(argument: str, value: Any) -> None:
    """The error for a bound that is not a duration has its name."""
    with pytest.raises(InvalidArguments, match=f"^{argument}: must be seconds or a timedelta"):
        WaitSchedule(**{argument: value})


@MODERATE
@given(low=junk(), high=junk())
def test_junk(low: Any, high: Any) -> None:
    """Any bounds make a schedule or InvalidArguments."""
    try:
        schedule = WaitSchedule(min_delay=low, max_delay=high)
    except InvalidArguments:
        return
    assert 0 < schedule.min_delay <= schedule.max_delay

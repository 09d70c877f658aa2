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

from fsxcopy_sdk import WaitSchedule
from fsxcopy_sdk.errors import InvalidArguments

_SMITHY = WaitSchedule(min_delay=2, max_delay=120)
"""The defaults of the Smithy waiter specification."""


def _half() -> float:
    return 0.5


def _delays(schedule: WaitSchedule, max_wait: float, random: float) -> Iterator[float]:
    """Yield the delays of a whole wait whose polls take no time."""
    polls, elapsed = 1, 0.0
    while (delay := schedule.delay(polls, max_wait - elapsed, lambda: random)) is not None:
        yield delay
        polls += 1
        elapsed += delay


@pytest.mark.parametrize(
    ("polls", "delay"),
    [(1, 2), (2, 3), (3, 5), (4, 9), (5, 17), (6, 33), (7, 61), (8, 61), (10**6, 61)],
)
def test_delays_of_smithy(polls: int, delay: float) -> None:
    """With the middle of each range, the delays are those in the tests of smithy-rs."""
    assert delay == _SMITHY.delay(polls, 10**9, _half)


@pytest.mark.parametrize(
    ("polls", "random", "delay"),
    [(3, 0, 2), (3, 0.25, 3.5), (3, 0.5, 5), (3, 1, 8), (50, 0, 2), (50, 0.5, 61), (50, 1, 120)],
)
def test_range_of_a_delay(polls: int, random: float, delay: float) -> None:
    """A delay is from the minimum to what it has grown to, the maximum at most."""
    assert delay == _SMITHY.delay(polls, 10**9, lambda: random)


def test_wait_of_five_minutes() -> None:
    """The last poll of a wait falls on its deadline."""
    delays = list(_delays(_SMITHY, 300, 0.5))
    assert [2, 3, 5, 9, 17, 33, 61, 61, 61, 48] == delays
    assert 300 == sum(delays)


@pytest.mark.parametrize(
    ("remaining", "delay"),
    [(100.0, 3.0), (5.0, 3.0), (4.9, 4.9), (3.0, 3.0), (0.1, 0.1)],
    ids=["far off", "another fits", "no other fits", "just the delay", "less than the minimum"],
)
def test_last_poll(remaining: float, delay: float) -> None:
    """Where less than the minimum would remain after a delay, the delay is all the rest."""
    assert delay == _SMITHY.delay(2, remaining, _half)


def test_last_but_one_poll() -> None:
    """Where the rest is more than the maximum, the last two delays share it."""
    schedule = WaitSchedule(min_delay=2, max_delay=4)
    assert 2.75 == schedule.delay(9, 5.5, lambda: 1.0)
    assert 2.75 == schedule.delay(10, 2.75, lambda: 1.0)


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

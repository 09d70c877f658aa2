"""How a backup progresses, as pure functions of the time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsxcopy_sdk.testing import ProgressShape
from fsxcopy_sdk.testing._lifecycle import (
    EVERY_STAGE,
    FINISHED,
    Moving,
    Settled,
    busy_until,
    percent_at,
    status,
)

shares = st.floats(min_value=0, max_value=1, exclude_max=True)
durations = st.floats(min_value=0, max_value=1e6)
times = st.floats(min_value=1e6, max_value=3e6)
"""After the beginning: the clock never goes back before it."""
progressions = st.builds(
    Moving,
    begun_at=st.floats(min_value=0, max_value=1e6),
    duration=durations,
    stages=st.sampled_from([*EVERY_STAGE.values()]),
    shape=st.sampled_from(ProgressShape),
    failure=st.none() | st.just("broken"),
)


def moving(**changes: object) -> Moving:
    """Return a copy of 100 seconds that began at 10."""
    return Moving(
        **{
            "begun_at": 10.0,
            "duration": 100.0,
            "stages": ((0.0, "COPYING"),),
            "shape": ProgressShape.LINEAR,
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("shape", "percents"),
    [
        (ProgressShape.LINEAR, [0, 25, 29, 50, 99]),
        (ProgressShape.SLOW_START, [0, 6, 8, 25, 98]),
        (ProgressShape.FAST_START, [0, 43, 49, 75, 99]),
        (ProgressShape.STEPS, [0, 20, 20, 50, 90]),
        (ProgressShape.NONE, [None] * 5),
    ],
)
def test_follows_the_formula(shape, percents) -> None:
    """Each shape gives the percents of its documented formula."""
    assert percents == [percent_at(shape, share) for share in (0, 0.25, 0.29, 0.5, 0.994)]


@given(st.sampled_from(ProgressShape), shares, shares)
def test_never_falls_nor_leaves_the_bounds(shape, one, other) -> None:
    """Percents of a backup in progress grow with the share, from 0 to 99."""
    early, late = (percent_at(shape, share) or 0 for share in sorted((one, other)))
    assert 0 <= early <= late <= 99


@given(progressions, times, times)
def test_progression_only_goes_forward(progression, one, other) -> None:
    """Neither the stage nor the percents ever go back."""
    early, late = sorted((one, other))
    order = [name for _, name in progression.stages] + ["AVAILABLE", "FAILED"]
    before, after = progression.at(early), progression.at(late)
    assert order.index(before["Lifecycle"]) <= order.index(after["Lifecycle"])
    assert before.get("ProgressPercent", 0) <= after.get("ProgressPercent", 0)


@given(progressions, times)
def test_hundred_means_available(progression, now) -> None:
    """ProgressPercent is 100 when, and only when, an AVAILABLE one shows any."""
    shown = progression.at(now)
    done = shown["Lifecycle"] == "AVAILABLE" and progression.shape is not ProgressShape.NONE
    assert done == (shown.get("ProgressPercent") == 100)


@given(progressions, times)
def test_ends_when_it_says(progression, now) -> None:
    """A backup is finished from `ends_at` on, and not before."""
    assert (now >= progression.ends_at) == (progression.at(now)["Lifecycle"] in FINISHED)


def test_goes_through_every_stage() -> None:
    """With every stage a new backup is PENDING, CREATING, then TRANSFERRING."""
    progression = moving(stages=EVERY_STAGE["CREATING"])
    assert ["PENDING", "PENDING", "CREATING", "CREATING", "TRANSFERRING", "AVAILABLE"] == [
        progression.at(10 + elapsed)["Lifecycle"] for elapsed in (0, 9, 10, 49, 50, 100)
    ]


def test_fails_half_way() -> None:
    """One that is to fail does so at half time, with its text and percents."""
    progression = moving(failure="The key is gone.")
    assert {"Lifecycle": "COPYING", "ProgressPercent": 49} == progression.at(59)
    assert {
        "Lifecycle": "FAILED",
        "ProgressPercent": 50,
        "FailureDetails": {"Message": "The key is gone."},
    } == progression.at(60)


def test_no_duration_is_available_at_once() -> None:
    """A copy that takes no time is AVAILABLE at once."""
    assert "AVAILABLE" == moving(duration=0.0).at(10)["Lifecycle"]


@pytest.mark.parametrize(
    ("progression", "until"),
    [
        (moving(), 117.0),
        (moving(failure="broken"), 60.0),
        (Settled(since=3.0, status=status("AVAILABLE")), 10.0),
        (Settled(since=3.0, status=status("DELETED")), 3.0),
        (Settled(since=3.0, status=status("NEW_IN_2031")), math.inf),
    ],
)
def test_keeps_its_source(progression, until) -> None:
    """A copy keeps its source until its end, and a grace longer if AVAILABLE."""
    assert until == busy_until(progression, 7.0)

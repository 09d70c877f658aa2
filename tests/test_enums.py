"""Open enums: known values are members, unknown ones keep their text."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fsxcopy_sdk import enums
from fsxcopy_sdk.enums import BackupLifecycle, FilterName, OpenEnum

_ENUMS: list[type[OpenEnum]] = [
    getattr(enums, name) for name in enums.__all__ if name != "OpenEnum"
]

_every_enum = pytest.mark.parametrize("enum", _ENUMS, ids=lambda enum: enum.__name__)


@_every_enum
def test_known_values_are_members(enum: type[OpenEnum]) -> None:
    """The text of a known value leads to its one member."""
    assert [True] * len(enum) == [enum(member.value) is member for member in enum]


@_every_enum
def test_known_values_are_not_unknown(enum: type[OpenEnum]) -> None:
    """No member says that it is unknown."""
    assert [False] * len(enum) == [member.is_unknown for member in enum]


@_every_enum
def test_known_values_survive_pickle(enum: type[OpenEnum]) -> None:
    """A member comes back from pickle as itself."""
    assert [True] * len(enum) == [pickle.loads(pickle.dumps(one)) is one for one in enum]


@given(text=st.text())
def test_unknown_value_keeps_its_text(text: str) -> None:
    """An unknown value is kept as it is, whatever it is."""
    assume(text not in list(BackupLifecycle))
    unknown = BackupLifecycle(text)

    assert (text, text, text) == (unknown, unknown.value, str(unknown))


def test_unknown_value_says_so() -> None:
    """A value that is not listed says that it is unknown."""
    assert BackupLifecycle("THAWING").is_unknown


def test_unknown_value_is_of_the_class() -> None:
    """A value that is not listed is an instance of the enum all the same."""
    assert BackupLifecycle is type(BackupLifecycle("THAWING"))


def test_unknown_value_does_not_join_the_enum() -> None:
    """A value that was seen once stays unknown: it is not added to the members."""
    seen = BackupLifecycle("THAWING")

    assert seen not in list(BackupLifecycle)
    assert BackupLifecycle("THAWING").is_unknown


def test_unknown_values_of_the_same_text_are_equal() -> None:
    """Two unknown values are equal and have one hash where their texts are the same."""
    assert {BackupLifecycle("THAWING")} == {BackupLifecycle("THAWING")}


def test_unknown_value_differs_from_members() -> None:
    """An unknown value equals no member, not even one that differs in case only."""
    assert [] == [one for one in BackupLifecycle if one == BackupLifecycle("available")]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_unknown_value_survives_pickle(protocol: int) -> None:
    """An unknown value comes back from pickle equal, of its class, and unknown."""
    unknown = BackupLifecycle("THAWING")
    restored = pickle.loads(pickle.dumps(unknown, protocol))

    assert ("THAWING", BackupLifecycle, True) == (restored, type(restored), restored.is_unknown)


def test_unknown_value_survives_copies() -> None:
    """Copies of an unknown value are equal to it and as unknown."""
    unknown = BackupLifecycle("THAWING")
    copies = (copy.copy(unknown), copy.deepcopy(unknown))

    assert (unknown, unknown) == copies
    assert (True, True) == tuple(one.is_unknown for one in copies)


@pytest.mark.parametrize("value", [None, 5, b"AVAILABLE", ("AVAILABLE",)], ids=repr)
def test_value_that_is_no_text(value: object) -> None:
    """Only texts can be values."""
    with pytest.raises(ValueError, match="is not a valid BackupLifecycle"):
        BackupLifecycle(value)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("text", ["COPYING", "THAWING"])
def test_plain_text_in_json(text: str) -> None:
    """Known or not, a value is written to JSON as its text."""
    assert json.dumps(text) == json.dumps(BackupLifecycle(text))


@pytest.mark.parametrize("text", ["file-system-id", "colour"])
def test_found_by_text(text: str) -> None:
    """Known or not, a value is found in a mapping by its plain text."""
    counts: dict[str, int] = {FilterName(text): 1}

    assert 1 == counts[text]


def test_repr_of_unknown_value() -> None:
    """The repr of an unknown value shows class and text, as a member's does."""
    assert "<BackupLifecycle.THAWING: 'THAWING'>" == repr(BackupLifecycle("THAWING"))


@pytest.mark.parametrize("lifecycle", [*BackupLifecycle, BackupLifecycle("POLISHING")])
def test_what_a_lifecycle_means(lifecycle: BackupLifecycle) -> None:
    """Only AVAILABLE is success, FAILED and DELETED are dead, and an unknown value is neither."""
    expected = {
        "AVAILABLE": (True, False, True),
        "FAILED": (False, True, True),
        "DELETED": (False, True, True),
    }
    found = (lifecycle.is_available, lifecycle.is_dead, lifecycle.is_terminal)

    assert expected.get(lifecycle, (False, False, False)) == found

"""The tags that assign a copy to a policy and a backup."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replication_rig import NOW, backup
from strategies import MODERATE

from fsxcopy_sdk import Tag
from fsxcopy_sdk.replication import BACKUP_TAG, POLICY_TAG, SOURCE_TAG, TIME_TAG
from fsxcopy_sdk.replication._inventory import Lineage

WHOLE = {
    POLICY_TAG: "nightly",
    SOURCE_TAG: "fs-1",
    BACKUP_TAG: "backup-1",
    TIME_TAG: "2026-11-23T12:00:00+00:00",
}


def _read(tags: dict[str, str]) -> Lineage | None:
    return Lineage.of(backup(1, tags=[Tag(key=key, value=value) for key, value in tags.items()]))


def test_lineage_is_read() -> None:
    """The four tags tell policy, source, backup and time, whatever other tags there are."""
    expected = Lineage(
        policy="nightly", source_id="fs-1", backup_id="backup-1", recovery_point=NOW
    )
    assert expected == _read({"Name": "x", **WHOLE})


@pytest.mark.parametrize("key", WHOLE)
def test_all_four_are_needed(key: str) -> None:
    """Without one of its tags a copy is not the policy's."""
    assert _read({name: value for name, value in WHOLE.items() if name != key}) is None


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-23", "2026-11-23T12:00:00", "0001-01-01T00:00:00+23:59"],
    ids=["empty", "word", "date", "no zone", "before all time"],
)
def test_a_bad_time_is_no_lineage(text: str) -> None:
    """A time that is none, or any, is as if it were not there."""
    assert _read({**WHOLE, TIME_TAG: text}) is None


def test_times_are_in_utc() -> None:
    """A time in another zone is the same time."""
    lineage = _read({**WHOLE, TIME_TAG: "2026-11-23T14:00:00+02:00"})
    assert lineage == _read(WHOLE)
    assert lineage is not None
    assert UTC is lineage.recovery_point.tzinfo


@MODERATE
@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - UTC is added
def test_tags_come_back(moment: datetime) -> None:
    """What is written is read again, to the microsecond."""
    lineage = Lineage(
        policy="x",
        source_id="fs-1",
        backup_id="backup-1",
        recovery_point=moment.replace(tzinfo=UTC),
    )
    assert lineage == _read({tag.key: tag.value for tag in lineage.tags})

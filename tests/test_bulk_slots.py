"""
Who may start when, and where each request stands: exact numbers, nothing awaited.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODERATE

from fsxcopy_sdk import Backup, BackupLifecycle, BackupType
from fsxcopy_sdk.bulk import CopyInProgress, CopyRequest
from fsxcopy_sdk.bulk._slots import Lane, Ledger, Start, lanes

VOLUME, OTHER_VOLUME = "fsvol-0123456789abcdef0", "fsvol-0123456789abcdef1"


def _request(number: int, **members: str) -> CopyRequest:
    return CopyRequest(source_backup_id=f"backup-{number:08x}", **members)  # type: ignore[arg-type]  # texts


def _start(number: int, **members: str) -> Start:
    return Start(number, _request(number, **members))


def _backup(number: int) -> Backup:
    return Backup(
        backup_id=f"backup-{number:08x}",
        lifecycle=BackupLifecycle.COPYING,
        type=BackupType.USER_INITIATED,
        creation_time=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _lane(count: int, slots: int) -> Lane:
    [lane] = lanes([_start(number) for number in range(count)], slots)
    return lane


def test_copies_of_file_systems_share_a_lane() -> None:
    """
    Whatever their key, copies of file systems are limited together.
    """
    starts = [_start(0), _start(1, kms_key_id="a"), _start(2, kms_key_id="b")]

    assert [[0, 1, 2]] == [[one.number for one in lane.waiting] for lane in lanes(starts, 5)]


def test_copies_of_volumes_have_lanes_by_volume_and_key() -> None:
    """
    Copies of ONTAP volumes are limited by volume and key, apart from all others.
    """
    starts = [
        _start(0, volume_id=VOLUME),
        _start(1),
        _start(2, volume_id=VOLUME, kms_key_id="a"),
        _start(3, volume_id=OTHER_VOLUME),
        _start(4, volume_id=VOLUME),
        _start(5),
    ]

    found = [[one.number for one in lane.waiting] for lane in lanes(starts, 5)]

    assert [[0, 4], [1, 5], [2], [3]] == found


def test_slots_are_taken_in_order_until_there_are_none() -> None:
    """
    The first in the queue gets the next slot; without slots nobody gets one.
    """
    lane = _lane(4, slots=2)

    taken = [lane.take() for _ in range(3)]

    assert [0, 1, None] == [one and one.number for one in taken]


def test_a_free_slot_is_for_the_next() -> None:
    """
    A copy that is over makes room for one more.
    """
    lane = _lane(3, slots=1)
    lane.take()
    lane.release()

    second = lane.take()

    assert second
    assert (1, 1, 1) == (second.number, lane.held, lane.ended)


def test_who_is_put_back_stays_the_first() -> None:
    """
    A refused start keeps its turn, and no copy has ended by it.
    """
    lane = _lane(3, slots=2)
    lane.take()
    refused = lane.take()
    assert refused

    lane.put_back(refused)

    assert (1, 0, refused) == (lane.held, lane.ended, lane.take())


def test_a_lane_is_done_when_nothing_is_left() -> None:
    """
    A lane is done when nothing waits and nothing is in progress.
    """
    lane = _lane(1, slots=1)
    states = [lane.is_done]
    lane.take()
    states.append(lane.is_done)
    lane.release()
    states.append(lane.is_done)

    assert [False, False, True] == states


@MODERATE
@given(st.integers(1, 6), st.lists(st.sampled_from(["take", "release", "back"]), max_size=60))
def test_never_more_than_the_slots(slots: int, steps: list[str]) -> None:
    """
    Whatever happens, no more slots are held than there are, and nobody is lost.
    """
    lane, holding, over = _lane(20, slots), list[Start](), 0
    for step in steps:
        if step == "take":
            start = lane.take()
            assert (start is None) == (len(holding) == slots or over + len(holding) == 20)
            holding += [start] if start else []
        elif holding and step == "release":
            holding.pop(0)
            lane.release()
            over += 1
        elif holding:
            lane.put_back(holding.pop())

        assert len(holding) == lane.held <= slots
        assert 20 == over + lane.held + len(lane.waiting)


def test_attempts_have_an_end() -> None:
    """
    Fifty attempts at most: a backup that cannot be copied needs somebody to look at it.
    """
    start = _start(0)
    while start.can_climb:
        start = start.climb()

    assert 49 == start.attempt


def test_a_given_token_has_one_attempt() -> None:
    """
    Who gives a token wants that one, not another.
    """
    assert not _start(0, client_request_token="mine").can_climb


def test_an_attempt_begins_anew() -> None:
    """
    What an earlier attempt met is not held against the next.
    """
    spent = Start(3, _request(3), attempt=1, tries=4, in_doubt=True)

    assert Start(3, _request(3), attempt=2) == spent.climb()


# The ledger.


@pytest.fixture(name="ledger")
def _ledger() -> Ledger:
    """
    Three requests.
    """
    return Ledger([_request(number) for number in range(3)])


def test_at_first_nothing_is_started(ledger: Ledger) -> None:
    """
    All requests wait in their order.
    """
    assert tuple(_request(number) for number in range(3)) == ledger.not_started
    assert ((), False) == (ledger.in_progress, ledger.is_complete)


def test_what_was_sent_may_have_been_accepted(ledger: Ledger) -> None:
    """
    From the call on a copy counts as in progress, though no backup is known yet.
    """
    ledger.sent(_start(1), "token", 7.0)

    copy = CopyInProgress(request=_request(1), client_request_token="token", started=7.0)
    assert (copy,) == ledger.in_progress
    assert (_request(0), _request(2)) == ledger.not_started


def test_what_was_refused_is_back_in_its_place(ledger: Ledger) -> None:
    """
    A refused request stands where it stood.
    """
    ledger.sent(_start(0), "token", 7.0)
    ledger.refused(_start(0))

    assert (_request(0), _request(1), _request(2)) == ledger.not_started
    assert () == ledger.in_progress


def test_a_copy_in_progress_is_as_last_seen(ledger: Ledger) -> None:
    """
    Each observation replaces the one before; the order is that of the requests.
    """
    for number in (2, 0):
        ledger.sent(_start(number), "token", 7.0)
        ledger.seen(_start(number), _backup(9))

    latest = ledger.seen(_start(2), _backup(8))

    assert (_backup(8), 7.0) == (latest.backup, latest.started)
    assert [_backup(9), _backup(8)] == [copy.backup for copy in ledger.in_progress]


def test_a_ledger_is_complete_with_all_outcomes(ledger: Ledger) -> None:
    """
    Whatever ended is in neither of the other places; in the end nothing is.
    """
    ledger.sent(_start(2), "token", 7.0)
    for number in (2, 0):
        ledger.ended(number)
    assert not ledger.is_complete

    ledger.ended(1)

    assert ((), (), True) == (ledger.in_progress, ledger.not_started, ledger.is_complete)


def test_nothing_to_do_is_done() -> None:
    """
    Without requests the ledger is complete.
    """
    assert Ledger([]).is_complete

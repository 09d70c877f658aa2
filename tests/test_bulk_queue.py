"""Which copy is started when, where each request stands, and what an error means."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODERATE

from fsxcopy_sdk import (
    AccessDenied,
    Backup,
    BackupLifecycle,
    BackupType,
    BadRequest,
    ClientNotOpen,
    ConnectionFailed,
    CredentialsUnavailable,
    FsxCopyError,
    InternalServerError,
    RequestTimeout,
    ResponseDecodingError,
    ServiceLimit,
    ServiceLimitExceeded,
    ServiceUnavailable,
    Throttled,
)
from fsxcopy_sdk.bulk import CopyInProgress, CopyRequest
from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._queue import CopyAttempt, CopyTracker, QuotaGroup

VOLUME, OTHER_VOLUME = "fsvol-0123456789abcdef0", "fsvol-0123456789abcdef1"


def _request(number: int, **members: str) -> CopyRequest:
    return CopyRequest(source_backup_id=f"backup-{number:08x}", **members)  # type: ignore[arg-type]  # texts


def _attempt(number: int, **members: str) -> CopyAttempt:
    return CopyAttempt(number, _request(number, **members))


def _backup(number: int) -> Backup:
    return Backup(
        backup_id=f"backup-{number:08x}",
        lifecycle=BackupLifecycle.COPYING,
        type=BackupType.USER_INITIATED,
        creation_time=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _group(count: int, slots: int) -> QuotaGroup:
    return QuotaGroup(slots, deque(_attempt(number) for number in range(count)))


def test_copies_of_file_systems_share_a_group() -> None:
    """Whatever their key, copies of file systems are limited together."""
    requests = [_request(0), _request(1, kms_key_id="a"), _request(2, kms_key_id="b")]

    assert 1 == len({QuotaGroup.key_of(request) for request in requests})


def test_copies_of_volumes_have_groups_by_volume_and_key() -> None:
    """Copies of ONTAP volumes are limited by volume and key, apart from all others."""
    requests = [
        _request(0, volume_id=VOLUME),
        _request(1),
        _request(2, volume_id=VOLUME, kms_key_id="a"),
        _request(3, volume_id=OTHER_VOLUME),
        _request(4, volume_id=VOLUME),
        _request(5),
    ]

    keys = [QuotaGroup.key_of(request) for request in requests]

    assert [0, 1, 2, 3, 0, 1] == [keys.index(key) for key in keys]


def test_slots_are_taken_in_order_until_there_are_none() -> None:
    """The first in the queue gets the next slot; without slots nobody gets one."""
    group = _group(4, slots=2)

    taken = [group.take() for _ in range(3)]

    assert [0, 1, None] == [one and one.number for one in taken]


def test_a_free_slot_is_for_the_next() -> None:
    """A copy that is over makes room for one more."""
    group = _group(3, slots=1)
    group.take()
    group.release()

    second = group.take()

    assert second
    assert (1, 1, 1) == (second.number, group.held, group.ended)


def test_who_is_put_back_stays_the_first() -> None:
    """A refused start keeps its turn, and no copy has ended by it."""
    group = _group(3, slots=2)
    group.take()
    refused = group.take()
    assert refused

    group.put_back(refused)

    assert (1, 0, refused) == (group.held, group.ended, group.take())


def test_a_group_is_done_when_nothing_is_left() -> None:
    """A group is done when nothing waits and nothing is in progress."""
    group = _group(1, slots=1)
    states = [group.is_done]
    group.take()
    states.append(group.is_done)
    group.release()
    states.append(group.is_done)

    assert [False, False, True] == states


@MODERATE
@given(st.integers(1, 6), st.lists(st.sampled_from(["take", "release", "back"]), max_size=60))
def test_never_more_than_the_slots(slots: int, steps: list[str]) -> None:
    """Whatever happens, no more slots are held than there are, and nobody is lost."""
    group, holding, over = _group(20, slots), list[CopyAttempt](), 0
    for step in steps:
        if step == "take":
            attempt = group.take()
            assert (attempt is None) == (len(holding) == slots or over + len(holding) == 20)
            holding += [attempt] if attempt else []
        elif holding and step == "release":
            holding.pop(0)
            group.release()
            over += 1
        elif holding:
            group.put_back(holding.pop())

        assert len(holding) == group.held <= slots
        assert 20 == over + group.held + len(group.waiting)


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (_attempt(0), True),
        (_attempt(0).next_attempt(), False),
        (_attempt(0, client_request_token="mine"), False),
        (CopyAttempt(0, _request(0), unknown_since=5.0), False),
    ],
    ids=["first", "repeated", "own token", "may be of this run"],
)
def test_one_attempt_may_follow_a_dead_copy(attempt: CopyAttempt, expected: bool) -> None:
    """A token that leads to a dead copy is followed by one more, unless this run began it."""
    assert expected is attempt.may_be_repeated


def test_the_next_attempt_begins_anew() -> None:
    """What an earlier attempt met is not held against the next."""
    spent = CopyAttempt(3, _request(3), attempt=1, tries=4)

    assert CopyAttempt(3, _request(3), attempt=2, is_repeated=True) == spent.next_attempt()


@pytest.mark.parametrize(
    ("unknown_since", "now", "expected"),
    [(None, 9999.0, False), (100.0, 220.0, False), (100.0, 220.1, True), (0.0, 121.0, True)],
)
def test_a_token_protects_for_minutes(
    unknown_since: float | None, now: float, expected: bool
) -> None:
    """Two minutes after a call whose result is unknown its token is not relied on."""
    attempt = CopyAttempt(0, _request(0), unknown_since=unknown_since)

    assert expected is attempt.is_token_forgotten(now)


# The tracker.


@pytest.fixture(name="tracker")
def _tracker() -> CopyTracker:
    """Three requests."""
    return CopyTracker([_request(number) for number in range(3)])


def test_at_first_nothing_is_started(tracker: CopyTracker) -> None:
    """All requests wait in their order."""
    assert tuple(_request(number) for number in range(3)) == tracker.not_started
    assert ((), False) == (tracker.in_progress, tracker.is_complete)


def test_what_was_sent_may_have_been_accepted(tracker: CopyTracker) -> None:
    """From the call on a copy counts as in progress, though no backup is known yet."""
    tracker.sent(_attempt(1), "token", 7.0)

    copy = CopyInProgress(request=_request(1), client_request_token="token", started=7.0)
    assert (copy,) == tracker.in_progress
    assert (_request(0), _request(2)) == tracker.not_started


def test_what_was_refused_is_back_in_its_place(tracker: CopyTracker) -> None:
    """A refused request stands where it stood."""
    tracker.sent(_attempt(0), "token", 7.0)
    tracker.refused(_attempt(0))

    assert (_request(0), _request(1), _request(2)) == tracker.not_started
    assert () == tracker.in_progress


def test_a_copy_in_progress_is_as_last_seen(tracker: CopyTracker) -> None:
    """Each observation replaces the one before; the order is that of the requests."""
    for number in (2, 0):
        tracker.sent(_attempt(number), "token", 7.0)
        tracker.seen(_attempt(number), _backup(9))

    latest = tracker.seen(_attempt(2), _backup(8))

    assert (_backup(8), 7.0) == (latest.backup, latest.started)
    assert [_backup(9), _backup(8)] == [copy.backup for copy in tracker.in_progress]


def test_a_tracker_is_complete_with_all_outcomes(tracker: CopyTracker) -> None:
    """Whatever ended is in neither of the other places; in the end nothing is."""
    tracker.sent(_attempt(2), "token", 7.0)
    for number in (2, 0):
        tracker.ended(number)
    assert not tracker.is_complete

    tracker.ended(1)

    assert ((), (), True) == (tracker.in_progress, tracker.not_started, tracker.is_complete)


def test_nothing_to_do_is_done() -> None:
    """Without requests the tracker is complete."""
    assert CopyTracker([]).is_complete


# Errors and delays.


def _unsent() -> ConnectionFailed:
    error = ConnectionFailed("refused")
    error.may_have_been_sent = False
    return error


def _limit(limit: ServiceLimit | None) -> ServiceLimitExceeded:
    return ServiceLimitExceeded("too many", limit=limit)


@pytest.mark.parametrize("limit", [*ServiceLimit, ServiceLimit("TOTAL_OF_TOMORROW"), None])
def test_only_copies_in_progress_hold(limit: ServiceLimit | None) -> None:
    """No other limit passes by waiting."""
    expected = limit == "TOTAL_IN_PROGRESS_COPY_BACKUPS"

    assert expected is queue.is_at_capacity(_limit(limit))


def test_no_other_error_holds() -> None:
    """Being throttled is something else."""
    assert not queue.is_at_capacity(Throttled("slow down"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Throttled("slow down"), True),
        (ServiceUnavailable("sorry"), True),
        (InternalServerError("sorry", http_status=500), True),
        (ConnectionFailed("reset"), True),
        (RequestTimeout("late"), True),
        (ResponseDecodingError("half"), True),
        (_limit(ServiceLimit.TOTAL_STORAGE), False),
        (AccessDenied("no"), False),
        (BadRequest("no"), False),
        (ClientNotOpen("closed"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_pass(error: FsxCopyError, expected: bool) -> None:
    """What overload, a broken way or an unreadable answer caused may be better next time."""
    assert expected is queue.is_retryable(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Throttled("slow down"), False),
        (BadRequest("no"), False),
        (_limit(ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS), False),
        (Throttled("slow down", attempts=2), True),
        (InternalServerError("sorry", http_status=500), True),
        (ConnectionFailed("reset"), True),
        (ResponseDecodingError("half"), True),
        (Throttled("a page", code="429", http_status=429), True),
        (ClientNotOpen("closed"), False),
        (CredentialsUnavailable("none", attempts=0), False),
        (_unsent(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_leaves_the_outcome_unknown(error: FsxCopyError, expected: bool) -> None:
    """A refused only attempt and a request that was not sent are known not to be accepted."""
    assert expected is queue.is_outcome_unknown(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionFailed("reset"), True),
        (RequestTimeout("late"), True),
        (Throttled("slow down"), True),
        (ServiceUnavailable("sorry", http_status=503), True),
        (ResponseDecodingError("a page", is_malformed=True), True),
        (ResponseDecodingError("odd"), False),
        (InternalServerError("sorry", http_status=500), False),
        (BadRequest("no"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_meets_everybody(error: FsxCopyError, expected: bool) -> None:
    """An outage is no request's own; what the service makes of one request is."""
    assert expected is queue.is_outage(error)


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 45.0), (0.5, 60.0), (1.0, 75.0)])
def test_a_full_service_is_asked_about_once_a_minute(drawn: float, expected: float) -> None:
    """The distance is a minute, a quarter more or less."""
    assert expected == queue.capacity_delay(lambda: drawn)


def test_distances_grow_to_a_minute() -> None:
    """Each distance is twice the one before, up to a minute."""
    delays = [queue.retry_delay(tries, lambda: 1.0) for tries in (*range(1, 9), 10**6)]

    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == delays


def test_distances_are_drawn_from_their_upper_half() -> None:
    """The least that chance can make of a distance is half of it."""
    assert 4.0 == queue.retry_delay(4, lambda: 0.0)

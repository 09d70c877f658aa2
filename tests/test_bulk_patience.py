"""
What a refusal means, and how long to wait for a better answer.
"""

from __future__ import annotations

import pytest

from fsxcopy_sdk import (
    AccessDenied,
    BadRequest,
    ClientClosed,
    ConnectionFailed,
    FsxCopyError,
    InternalServerError,
    RequestTimeout,
    ResponseDecodingError,
    ServiceLimit,
    ServiceLimitExceeded,
    ServiceUnavailable,
    Throttled,
)
from fsxcopy_sdk.bulk import _patience as patience


def _limit(limit: ServiceLimit | None) -> ServiceLimitExceeded:
    return ServiceLimitExceeded("too many", limit=limit)


@pytest.mark.parametrize("limit", [*ServiceLimit, ServiceLimit("TOTAL_OF_TOMORROW"), None])
def test_only_copies_in_progress_hold(limit: ServiceLimit | None) -> None:
    """
    No other limit passes by waiting.
    """
    expected = limit == "TOTAL_IN_PROGRESS_COPY_BACKUPS"

    assert expected is patience.holds(_limit(limit))


def test_no_other_error_holds() -> None:
    """
    Being throttled is something else.
    """
    assert not patience.holds(Throttled("slow down"))


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
        (ClientClosed("closed"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_pass(error: FsxCopyError, expected: bool) -> None:
    """
    What overload, a broken way or an unreadable answer caused may be better next time.
    """
    assert expected is patience.may_pass(error)


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
        (ClientClosed("closed"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_leaves_doubt(error: FsxCopyError, expected: bool) -> None:
    """
    Only a refusal of the one attempt that was made says that nothing was accepted.
    """
    assert expected is patience.is_in_doubt(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionFailed("reset"), True),
        (RequestTimeout("late"), True),
        (Throttled("slow down"), True),
        (ServiceUnavailable("sorry", http_status=503), True),
        (ResponseDecodingError("a page", is_garbled=True), True),
        (ResponseDecodingError("odd"), False),
        (InternalServerError("sorry", http_status=500), False),
        (BadRequest("no"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_meets_everybody(error: FsxCopyError, expected: bool) -> None:
    """
    An outage is no request's own; what the service makes of one request is.
    """
    assert expected is patience.is_outage(error)


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 45.0), (0.5, 60.0), (1.0, 75.0)])
def test_a_full_service_is_asked_about_once_a_minute(drawn: float, expected: float) -> None:
    """
    The distance is a minute, a quarter more or less.
    """
    assert expected == patience.hold_delay(lambda: drawn)


def test_distances_grow_to_a_minute() -> None:
    """
    Each distance is twice the one before, up to a minute.
    """
    delays = [patience.retry_delay(tries, lambda: 1.0) for tries in (*range(1, 9), 10**6)]

    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == delays


def test_distances_are_drawn_from_their_upper_half() -> None:
    """
    The least that chance can make of a distance is half of it.
    """
    assert 4.0 == patience.retry_delay(4, lambda: 0.0)

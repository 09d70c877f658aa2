"""What an error means for a request, and how long delays are."""

from __future__ import annotations

import pytest
from bulk_rig import unsent

from fsxcopy_sdk import (
    AccessDenied,
    BadRequest,
    CallError,
    ClientNotOpen,
    ClockSkewed,
    ConfigurationError,
    ConnectionFailed,
    CredentialsUnavailable,
    FsxCopyError,
    InternalServerError,
    NoResponse,
    RequestTimeout,
    ResponseDecodingError,
    ServiceError,
    ServiceLimit,
    ServiceLimitExceeded,
    ServiceUnavailable,
    Throttled,
)
from fsxcopy_sdk.bulk import _queue as queue


def _renewable(cls: type[CallError], *, worked_before: bool = True) -> CallError:
    error = cls("no")
    error.is_temporary, error.worked_before = True, worked_before
    return error


def _limit(limit: ServiceLimit | None) -> ServiceLimitExceeded:
    return ServiceLimitExceeded("too many", limit=limit)


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
    """Overload, a broken connection and an unreadable answer may be gone next time."""
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
        (unsent(), False),
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
        (ServiceError("a page", code="429", http_status=429), True),
        (ServiceError("a page", code="502", http_status=502), True),
        (ServiceError("a page", code="504", http_status=504), True),
        (ServiceError("a page", code="500", http_status=500), False),
        (ServiceError("a page", code="403", http_status=403), False),
        (InternalServerError("sorry", http_status=500), False),
        (InternalServerError("sorry", http_status=503), False),
        (BadRequest("no"), False),
        (NoResponse("a hook"), False),
        (CredentialsUnavailable("log in"), False),
        (_renewable(CredentialsUnavailable), True),
        (_renewable(CredentialsUnavailable, worked_before=False), False),
        (_renewable(NoResponse), True),
        (_renewable(ClockSkewed), True),
        (ClockSkewed("Signature expired"), False),
        (ConfigurationError("no certificate"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_an_outage(error: FsxCopyError, expected: bool) -> None:
    """An outage is no request's own; what the service makes of one request is."""
    assert expected is queue.is_outage(error)


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 45.0), (0.5, 60.0), (1.0, 75.0)])
def test_a_full_service_is_asked_about_once_a_minute(drawn: float, expected: float) -> None:
    """The delay is a minute, a quarter more or less."""
    assert expected == queue.capacity_delay(lambda: drawn)


def test_delays_grow_to_a_minute() -> None:
    """Each delay is twice the one before, up to a minute."""
    delays = [queue.retry_delay(tries, lambda: 1.0) for tries in (*range(1, 9), 10**6)]
    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == delays


def test_delays_are_jittered_by_half() -> None:
    """The jitter takes at most half of a delay."""
    assert 4.0 == queue.retry_delay(4, lambda: 0.0)

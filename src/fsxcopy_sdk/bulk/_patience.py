"""
What a refused start means: try again when, or not at all. Nothing here awaits.
"""

from __future__ import annotations

from collections.abc import Callable

from fsxcopy_sdk.enums import ServiceLimit
from fsxcopy_sdk.errors import (
    FsxCopyError,
    NoAnswer,
    ResponseDecodingError,
    ServiceError,
    ServiceLimitExceeded,
    ServiceUnavailable,
    Throttled,
)

# The ends of our own copies are seen; those of others are not, so time is all there is
# to go by. Copies take minutes to hours: a minute is short beside them, and one call a
# minute is less than the waits make.
_HOLD = 60.0

# From 1 s on, each distance twice the one before, as the Smithy waiter specification
# has it: eight tries bridge about two minutes, below that aiobotocore retries by itself.
_FIRST_DELAY = 1.0
_MAX_DELAY = 60.0
_MOST_DOUBLINGS = 1000  # 2.0 ** 1024 is no float
MOST_TRIES = 8
"""How often a start may meet what may pass, unless it is an outage of a known service."""

_SERVER_ERROR = 500


def holds(error: FsxCopyError) -> bool:
    """
    Whether *error* means that too many copies are in progress, which passes.
    """
    return (
        isinstance(error, ServiceLimitExceeded)
        and error.limit == ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS
    )


def may_pass(error: FsxCopyError) -> bool:
    """
    Whether the same request with the same token may get a good answer soon.
    """
    # One that cannot be read may be of a copy that was accepted: its token finds it.
    return error.is_transient or isinstance(error, ResponseDecodingError)


def is_outage(error: FsxCopyError) -> bool:
    """
    Whether *error* is likely to meet every request, not this one in particular.
    """
    garbled = isinstance(error, ResponseDecodingError) and error.is_garbled
    return garbled or isinstance(error, NoAnswer | Throttled | ServiceUnavailable)


def is_in_doubt(error: FsxCopyError) -> bool:
    """
    Whether the request may have been accepted in spite of *error*.
    """
    # Of several attempts an earlier one may have been accepted, and its answer lost.
    is_refusal = (
        isinstance(error, ServiceError)
        and error.http_status < _SERVER_ERROR
        and error.attempts == 1
    )
    return not is_refusal


def hold_delay(random: Callable[[], float]) -> float:
    """
    Return the seconds after which a full service is asked again.
    """
    return _HOLD * (0.75 + 0.5 * random())


def retry_delay(tries: int, random: Callable[[], float]) -> float:
    """
    Return the seconds to sleep after *tries* in a row that met what may pass.
    """
    grown = _FIRST_DELAY * 2.0 ** min(tries - 1, _MOST_DOUBLINGS)
    return min(_MAX_DELAY, grown) * (0.5 + 0.5 * random())

"""
Who may start when, and what is known of each request: bookkeeping, nothing here awaits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs

from fsxcopy_sdk.bulk._outcomes import CopyInProgress
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.models import Backup

# Each failed or deleted copy of a request costs every later run of it one call more.
# A backup that cannot be copied so many times needs somebody to look at it.
_MOST_ATTEMPTS = 50


@attrs.frozen
class Start:
    """
    A request whose copy is to be started.
    """

    number: int
    """Its place among the requests."""
    request: CopyRequest
    attempt: int = 0
    """How many copies of it are dead, and their tokens spent."""
    tries: int = 0
    """How often in a row it was asked for and met what may pass."""
    in_doubt: bool = False
    """Whether one of those calls may have been accepted."""

    @property
    def can_climb(self) -> bool:
        """
        Whether a dead copy of it can be followed by another attempt.
        """
        return self.request.client_request_token is None and self.attempt + 1 < _MOST_ATTEMPTS

    def climb(self) -> Start:
        """
        Return the next attempt, with a token of its own.
        """
        return Start(self.number, self.request, self.attempt + 1)


@attrs.define(eq=False)
class Lane:
    """
    The requests that share some slots, in their order.
    """

    slots: int
    waiting: deque[Start] = attrs.field(factory=deque)
    held: int = 0
    """Slots that are taken."""
    ended: int = 0
    """How many copies that were in progress are no longer."""
    full_since: float | None = None
    """Since when the service has had no room, by the client's clock; None if it has."""
    has_answered: bool = False
    """Whether the service was ever seen to be there."""
    failures: int = 0
    """How many calls in a row met an outage."""
    failing_since: float | None = None
    """When the first of them did."""

    def answered(self) -> None:
        """
        Note that the service is there: an outage, if there was one, is over.
        """
        self.has_answered, self.failures, self.failing_since = True, 0, None

    @property
    def is_done(self) -> bool:
        """
        Whether nothing waits and nothing is in progress.
        """
        return not (self.waiting or self.held)

    def take(self) -> Start | None:
        """
        Give the first in the queue a slot; None where there is no slot or nobody.
        """
        if not self.waiting or self.held >= self.slots:
            return None
        self.held += 1
        return self.waiting.popleft()

    def put_back(self, start: Start) -> None:
        """
        Take the slot back and let *start* be the first in the queue again.
        """
        self.held -= 1
        self.waiting.appendleft(start)

    def release(self) -> None:
        """
        Take the slot of a copy back that is over.
        """
        self.held -= 1
        self.ended += 1


def lanes(starts: Iterable[Start], slots: int) -> list[Lane]:
    """
    Give every group of requests that the service limits together a lane of its own.

    Copies of file systems are limited by destination Region, those of ONTAP volumes by
    volume and key there (FSx ONTAP guide).
    """
    found: dict[tuple[str | None, str | None], Lane] = {}
    for start in starts:
        volume_id = start.request.volume_id
        group = (volume_id, None if volume_id is None else start.request.kms_key_id)
        found.setdefault(group, Lane(slots)).waiting.append(start)
    return list(found.values())


class Ledger:
    """
    Where each request stands: every one is in exactly one of three places.
    """

    def __init__(self, requests: Iterable[CopyRequest]) -> None:
        self._not_started = dict(enumerate(requests))
        self._in_progress: dict[int, CopyInProgress] = {}

    @property
    def is_complete(self) -> bool:
        """
        Whether every request has its outcome.
        """
        return not (self._not_started or self._in_progress)

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """
        The requests of which surely no copy was accepted, in their order.
        """
        return tuple(request for _, request in sorted(self._not_started.items(), key=_number))

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """
        The copies that were accepted, or may have been, in the order of the requests.
        """
        return tuple(copy for _, copy in sorted(self._in_progress.items(), key=_number))

    def sent(self, start: Start, token: str, now: float) -> None:
        """
        Note that a copy is being asked for: from now on it may have been accepted.
        """
        self._not_started.pop(start.number, None)
        self._in_progress[start.number] = CopyInProgress(
            request=start.request, client_request_token=token, started=now
        )

    def refused(self, start: Start) -> None:
        """
        Note that no copy was accepted, or one that is dead.
        """
        del self._in_progress[start.number]
        self._not_started[start.number] = start.request

    def seen(self, start: Start, backup: Backup) -> CopyInProgress:
        """
        Note how a copy looks now.
        """
        copy = attrs.evolve(self._in_progress[start.number], backup=backup)
        self._in_progress[start.number] = copy
        return copy

    def ended(self, number: int) -> None:
        """
        Note that a request has its outcome.
        """
        self._not_started.pop(number, None)
        self._in_progress.pop(number, None)


def _number(place: tuple[int, object]) -> int:
    return place[0]

"""
When to poll a backup next: pure arithmetic, with neither clock nor randomness of its own.

It follows the Smithy waiter specification: delays grow exponentially from a minimum to
a maximum, each has jitter, and the last poll falls on the deadline. It departs from it in
the jitter: the specification draws between the minimum and the delay, to spread the load
of callers that know nothing of each other; here the waits of a client share their calls,
so each delay is shortened by a fifth at most. Once progress was seen, polls are placed
where the end is likely, which ProgressPercent over time predicts.

Percents are rounded down, so each means a range as wide as the resolution of the
service's counting (1 or 10, for example). The latest polls that lie on one straight
line limit the lines through all their ranges, and those limit the time at which 100 is
reached. Where progress changes its speed, only the polls since then count. Where it
stands still, one of the possible lines never reaches 100.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from fsxcopy_sdk._validation import (
    Duration,  # noqa: F401 - the annotation of `to_seconds`, which attrs copies to __init__
    invalid,
    seconds,
    to_seconds,
)

NOTHING = 0.001
"""
Seconds before a deadline that count as none: a clock need not move at all when it sleeps for
so little, so a poll would follow a poll for ever.
"""

# Found by benchmarks/waits.py: additional polls where the end is likely are few beside
# those before, and shorten the lag much.
_POLLS_IN_WINDOW = 12
_POLLS_STANDING_STILL = 30
_JITTER_OF_PREDICTED = 0.1

# Found in the same way. Copies that speed up end before the predicted window, so there
# are polls before it too, unless it begins within this many minimum delays.
_SHARE_BEFORE_WINDOW = 0.8
_NEAR = 2

# Found in the same way. Steady delays cost the fewest calls for their mean lag, so the jitter
# is narrow. Where the service shows no percentage at all, any poll may be the one that finds the
# end, and delays that go on growing cost more lag than they save calls; where it shows one that
# does not move yet, the end is far off.
_JITTER_OF_GROWING = 0.2
_SHARE_WITHOUT_PERCENT = 1 / 3

_MAX_DOUBLINGS = 1000  # 2.0 ** 1024 overflows

# More polls hardly improve the prediction (benchmarks/waits.py), and would take more memory.
_MAX_POINTS = 16
_WHOLE = 100


@attrs.frozen
class Window:
    """When the end can be expected: seconds since the start of the wait."""

    earliest: float
    latest: float
    """Infinite while progress stands still."""


@attrs.define
class ProgressHistory:
    """The polls of one wait that showed a ProgressPercent."""

    points: list[tuple[float, int]] = attrs.field(factory=list)
    """Seconds and percent: the first and the last poll of each percent."""

    def add(self, elapsed: float, percent: int | None) -> None:
        """Add a poll; ignore one without a percentage, start again when progress goes back."""
        points = self.points
        if percent is None or not 0 <= percent <= _WHOLE:
            return
        if points and percent < points[-1][1]:
            points.clear()
        if len(points) > 1 and points[-1][1] == points[-2][1] == percent:
            points[-1] = (elapsed, percent)
        else:
            points.append((elapsed, percent))
        if len(points) > _MAX_POINTS:
            # The first is kept, because the longest interval predicts best.
            del points[1]

    @property
    def stands_since(self) -> float:
        """The time of the first poll that showed the present percent."""
        present = self.points[-1][1]
        return next(elapsed for elapsed, percent in self.points if percent == present)

    def window(self) -> Window | None:
        """Return when the end can be expected; None where nothing has moved yet."""
        points = self.points
        if not points or points[0][1] == points[-1][1]:
            return None
        resolution = math.gcd(*(percent for _, percent in points))
        window = Window(points[-1][0], math.inf)
        for first in range(len(points) - 2, -1, -1):
            narrower = _narrow(window, points[first:], resolution)
            if narrower.earliest > narrower.latest:
                break
            window = narrower
        return window


def _narrow(window: Window, points: list[tuple[float, int]], resolution: int) -> Window:
    """Limit *window* to the lines from the first of *points* to each of the others."""
    earliest, latest = window.earliest, window.latest
    (begin, low), *others = points
    for elapsed, percent in others:
        steepest = percent + resolution - low
        flattest = percent - low - resolution
        earliest = max(earliest, begin + (elapsed - begin) * (_WHOLE - low) / steepest)
        if flattest > 0:
            left = _WHOLE - low - resolution
            latest = min(latest, begin + (elapsed - begin) * left / flattest)
    return Window(earliest, latest)


@attrs.frozen(kw_only=True)
class WaitSchedule:
    """
    Space the polls of a backup; timedeltas become seconds.

    Raises:
        InvalidArguments: `min_delay` is zero or above `max_delay`, or one of the values
            is not finite or is negative.
    """

    # A copy takes minutes at least, so the first polls need not be as close as the 2 s of
    # the Smithy waiter specification, which is for any resource; its 120 s are kept.
    min_delay: float = attrs.field(default=5.0, converter=to_seconds)
    """Seconds between the polls that a wait asks for; it also sees those of other waits."""
    max_delay: float = attrs.field(default=120.0, converter=to_seconds)
    """
    Seconds; no two polls are further apart. Delays grow to a third of it where the service
    shows no ProgressPercent, and to all of it after polls that failed.
    """
    # AWS documents no figure; this is a guess on the safe side.
    not_found_grace: float = attrs.field(default=60.0, converter=to_seconds)
    """
    Seconds for which the backup may be unknown without interruption, from the first poll
    that did not find it; with `max_wait` or more, it may be unknown until the deadline.
    """

    def __attrs_post_init__(self) -> None:
        for name in ("min_delay", "max_delay", "not_found_grace"):
            object.__setattr__(self, name, seconds(name, getattr(self, name)))
        if not 0 < self.min_delay <= self.max_delay:
            found = f"{self.min_delay} with a max_delay of {self.max_delay}"
            raise invalid("min_delay", "more than zero and at most max_delay", found)

    def delay(
        self,
        polls: int,
        remaining: float,
        random: Callable[[], float],
        progress: ProgressHistory | None = None,
        elapsed: float = 0.0,
    ) -> float | None:
        """
        Return the seconds until the next poll, or None at the deadline.

        *polls* (1 or more) were made so far; *remaining* seconds are left; *random*
        returns numbers from 0 to 1; *progress* is what the polls showed until *elapsed*,
        None after polls that failed.
        """
        if remaining < NOTHING:
            return None
        window = progress.window() if progress else None
        if progress and window:
            ideal = _until_likely(window, elapsed, progress.stands_since, self.min_delay)
            delay = min(self.max_delay, ideal) * (1 - _JITTER_OF_PREDICTED * random())
        else:
            ceiling = self.max_delay
            if progress and not progress.points:
                ceiling *= _SHARE_WITHOUT_PERCENT
            grown = self.min_delay * 2.0 ** min(polls - 1, _MAX_DOUBLINGS)
            delay = min(ceiling, grown) * (1 - _JITTER_OF_GROWING * (1 - random()))
        delay = min(self.max_delay, max(self.min_delay, delay))
        if remaining - delay >= self.min_delay:
            return delay
        # Too little would remain for another poll, so this is the last one, on the
        # deadline; or the last but one, half-way, where the deadline is too far off.
        return remaining if remaining <= self.max_delay else remaining / 2


DEFAULT_SCHEDULE = WaitSchedule()


def _until_likely(window: Window, elapsed: float, stands_since: float, min_delay: float) -> float:
    """Return the seconds from *elapsed* to a poll that suits the predicted *window*."""
    ahead = max(window.earliest - elapsed, 0.0)
    if ahead > _NEAR * min_delay:
        return ahead * _SHARE_BEFORE_WINDOW
    if math.isinf(window.latest) or elapsed > window.latest:
        return ahead or (elapsed - stands_since) / _POLLS_STANDING_STILL
    width = window.latest - elapsed - ahead
    return ahead + max(width / _POLLS_IN_WINDOW, min(width, min_delay))

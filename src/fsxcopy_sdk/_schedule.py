"""
When to look at a backup next: pure arithmetic, no clock and no randomness of its own.

The meaning is that of the Smithy waiter specification: delays grow exponentially
from a minimum to a maximum, every one is drawn at random, and the last poll falls on
the deadline. Once progress has been seen, looks are spent where the end is likely.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from fsxcopy_sdk._progress import ProgressHistory, Window
from fsxcopy_sdk._validation import Duration, seconds
from fsxcopy_sdk.errors import InvalidArguments

# A copy takes minutes at least, so the first looks need not be as close as the 2 s
# that the Smithy waiter specification has for any resource; its 120 s are kept.
_MIN_DELAY = 5.0
_MAX_DELAY = 120.0

# What rounding may leave of a deadline that was slept up to. A clock need not move at
# all when it sleeps on so little, so a look at it would follow a look for ever.
NOTHING = 0.001

# Found by benchmarks/waits.py: more looks where the end is likely cost little beside
# those before, and shorten the lag much.
_LOOKS_IN_WINDOW = 12
_LOOKS_STANDING_STILL = 30
_JITTER = 0.1

# Found in the same way. Progress that speeds up ends before the line through it says,
# so the way to a window is not slept in one go, unless it is so many smallest delays.
_PART_OF_THE_WAY = 0.8
_NEAR = 2

_NOT_FOUND_GRACE = 60.0  # a guess on the safe side: AWS names no figure

_MOST_DOUBLINGS = 1000  # 2.0 ** 1024 is no float


def _min_delay(value: Duration) -> float:
    return seconds("min_delay", value)


def _max_delay(value: Duration) -> float:
    return seconds("max_delay", value)


def _not_found_grace(value: Duration) -> float:
    return seconds("not_found_grace", value)


@attrs.frozen(kw_only=True)
class WaitSchedule:
    """
    Space the looks at a backup: seconds, or timedeltas, which become seconds.

    Raises:
        InvalidArguments: `min_delay` is zero or above `max_delay`, or one of them is
            no finite, positive duration.
    """

    min_delay: float = attrs.field(default=_MIN_DELAY, converter=_min_delay)
    """Seconds between the looks that a wait asks for; what others ask for it sees too."""
    max_delay: float = attrs.field(default=_MAX_DELAY, converter=_max_delay)
    """Seconds; no two looks are further apart."""
    not_found_grace: float = attrs.field(default=_NOT_FOUND_GRACE, converter=_not_found_grace)
    """
    Seconds for which the backup may be unknown without interruption, from the first poll
    that did not find it; with `max_wait` or more, it may be unknown until the deadline.
    """

    def __attrs_post_init__(self) -> None:
        if not 0 < self.min_delay <= self.max_delay:
            rule = (
                f"min_delay: must be more than zero and at most max_delay, "
                f"not {self.min_delay} with a max_delay of {self.max_delay}"
            )
            raise InvalidArguments(rule, (rule,))

    def delay(
        self,
        polls: int,
        remaining: float,
        random: Callable[[], float],
        progress: ProgressHistory | None = None,
        elapsed: float = 0.0,
    ) -> float | None:
        """
        Return the seconds until the next look, or None where the deadline has come.

        *polls* looks were made so far, at least one; *remaining* seconds are left;
        *random* gives numbers from 0 to 1; *progress* holds what the looks showed, in
        the time of *elapsed*.
        """
        if remaining < NOTHING:
            return None
        window = progress.window() if progress else None
        if progress and window:
            ideal = _towards(window, elapsed, progress.stands_since, self.min_delay)
            delay = min(self.max_delay, ideal) * (1 - _JITTER * random())
        else:
            ceiling = self.min_delay * 2.0 ** min(polls - 1, _MOST_DOUBLINGS)
            ceiling = min(self.max_delay, ceiling)
            delay = self.min_delay + (ceiling - self.min_delay) * random()
        delay = min(self.max_delay, max(self.min_delay, delay))
        if remaining - delay >= self.min_delay:
            return delay
        # Too little would remain for another look, so this is the last one, on the
        # deadline; or the last but one, half-way, where that would be too far off.
        return remaining if remaining <= self.max_delay else remaining / 2


DEFAULT_SCHEDULE = WaitSchedule()


def _towards(window: Window, elapsed: float, stands_since: float, min_delay: float) -> float:
    """
    Return the seconds to sleep where the end can be expected in *window*.
    """
    ahead = max(window.earliest - elapsed, 0.0)
    if ahead > _NEAR * min_delay:
        return ahead * _PART_OF_THE_WAY
    if math.isinf(window.latest) or elapsed > window.latest:
        return ahead or (elapsed - stands_since) / _LOOKS_STANDING_STILL
    width = window.latest - elapsed - ahead
    return ahead + max(width / _LOOKS_IN_WINDOW, min(width, min_delay))

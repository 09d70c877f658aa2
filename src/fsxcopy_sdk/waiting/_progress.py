"""
Predict the end of a copy from its ProgressPercent over time: pure arithmetic.

Percents are rounded down, so each means a range as wide as the resolution of the
service's counting (1 or 10, for example). The latest polls that lie on one straight
line limit the lines through all their ranges, and those limit the time at which 100 is
reached. Where progress changes its speed, only the polls since then count. Where it
stands still, one of the possible lines never reaches 100.
"""

from __future__ import annotations

import math

import attrs

# More polls hardly improve the prediction (measured by benchmarks/waits.py), and each
# wait would take more memory.
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

"""
What ProgressPercent over time says about the end: pure arithmetic.

Percents are rounded down, so one that is seen stands for a range as wide as the
resolution of the service's counting, 1 or 10 say. The latest looks that lie on one
straight line bound the lines that go through all their ranges, and those bound the
time at which 100 is reached. Progress that bends leaves the line and takes the older
looks with it; progress that stands still has a line that never gets there.
"""

from __future__ import annotations

import math

import attrs

# So many looks are remembered. More make the prediction hardly better (measured by
# benchmarks/waits.py) and every wait dearer.
_MOST_POINTS = 16


_WHOLE = 100


@attrs.frozen
class Window:
    """
    When the end can be expected, in the time of the looks.
    """

    earliest: float
    latest: float
    """Infinite where progress stands still."""


@attrs.define
class ProgressHistory:
    """
    The looks of one wait that showed a ProgressPercent.
    """

    points: list[tuple[float, int]] = attrs.field(factory=list)
    """Seconds and percent: of each percent the first look and the last."""

    def add(self, elapsed: float, percent: int | None) -> None:
        """
        Remember a look; one without progress says nothing, one backwards starts anew.
        """
        points = self.points
        if percent is None or not 0 <= percent <= _WHOLE:
            return
        if points and percent < points[-1][1]:
            points.clear()
        if len(points) > 1 and points[-1][1] == points[-2][1] == percent:
            points[-1] = (elapsed, percent)
        else:
            points.append((elapsed, percent))
        if len(points) > _MOST_POINTS:
            # Not the first: the longest view is worth most.
            del points[1]

    @property
    def stands_since(self) -> float:
        """
        The time of the first look at the present percent.
        """
        present = self.points[-1][1]
        return next(elapsed for elapsed, percent in self.points if percent == present)

    def window(self) -> Window | None:
        """
        Say when the end can be expected; None where nothing has moved yet.
        """
        points = self.points
        if not points or points[0][1] == points[-1][1]:
            return None
        resolution = max(1, math.gcd(*(percent for _, percent in points)))
        window = Window(points[-1][0], math.inf)
        for first in range(len(points) - 2, -1, -1):
            narrower = _narrow(window, points[first:], resolution)
            if narrower.earliest > narrower.latest:
                break
            window = narrower
        return window


def _narrow(window: Window, points: list[tuple[float, int]], resolution: int) -> Window:
    """
    Keep what the lines from the first of *points* to each of the others allow.
    """
    earliest, latest = window.earliest, window.latest
    (begin, low), *others = points
    for elapsed, percent in others:
        steepest = percent + resolution - low
        flattest = percent - low - resolution
        earliest = max(earliest, begin + (elapsed - begin) * (100 - low) / steepest)
        if flattest > 0:
            left = 100 - low - resolution
            latest = min(latest, begin + (elapsed - begin) * left / flattest)
    return Window(earliest, latest)

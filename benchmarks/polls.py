"""
When a wait polls: a picture of one copy for three shapes of progress.

Run ``python -m benchmarks.polls FILE.svg`` in the repository's folder. The waits are simulated
as in `benchmarks.waits`, and drawn as SVG in colours that can be read on light and dark pages.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.waits import SEED, ours
from fsxcopy_sdk.testing import ProgressShape
from fsxcopy_sdk.testing._lifecycle import percent_at
from fsxcopy_sdk.waiting import ProgressHistory

LENGTH = 40 * 60.0
"""Seconds that the copy takes."""
SHAPES = {
    ProgressShape.LINEAR: ("steady progress", "#2f81f7"),
    ProgressShape.STEPS: ("progress in tens", "#d9822b"),
    ProgressShape.NONE: ("no progress shown", "#8c6bd8"),
}

_WIDTH, _LEFT, _RIGHT = 720, 20, 20
_CURVE, _MARKS, _GAP = 70, 18, 40
_TEXT = "#888"


def polls(shape: ProgressShape, length: float = LENGTH) -> list[float]:
    """Return the times, in seconds, at which a wait polls a copy that takes *length*."""
    source = random.Random(SEED)
    elapsed, progress, times = 0.0, ProgressHistory(), [0.0]
    while elapsed < length:
        progress.add(elapsed, percent_at(shape, elapsed / length))
        delay = ours(len(times), elapsed, progress, source)
        assert delay is not None  # there is no deadline
        elapsed += delay
        times.append(elapsed)
    return times


def _x(seconds: float) -> str:
    scale = (_WIDTH - _LEFT - _RIGHT) / (LENGTH * 1.02)
    return f"{_LEFT + seconds * scale:.1f}"


def _text(x: str, y: float, text: str, colour: str = _TEXT, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y:.0f}" fill="{colour}" text-anchor="{anchor}">{text}</text>'


def _row(shape: ProgressShape, top: float) -> Iterator[str]:
    """Yield the curve of one shape, with a mark below it for each poll."""
    name, colour = SHAPES[shape]
    times = polls(shape)
    lag = times[-1] - LENGTH
    title = f"{name}: {len(times)} polls, the last {lag:.0f} s after the end"
    yield _text(str(_LEFT), top - 8, title, colour)
    base = top + _CURVE
    percents = [percent_at(shape, step / 200) for step in range(201)]
    points = [
        f"{_x(LENGTH * step / 200)},{base - _CURVE * percent / 100:.1f}"
        for step, percent in enumerate(percents)
        if percent is not None
    ]
    if points:
        curve = f'points="{" ".join(points)}" fill="none" stroke="{colour}"'
        yield f'<polyline {curve} stroke-width="1.5"/>'
    yield f'<path d="M{_LEFT} {base}H{_WIDTH - _RIGHT}" stroke="{_TEXT}" stroke-width="0.5"/>'
    marks = "".join(f"M{_x(one)} {base + 4}v{_MARKS}" for one in times)
    yield f'<path d="{marks}" stroke="{colour}" stroke-width="1"/>'
    end = _x(LENGTH)
    yield (
        f'<path d="M{end} {top}V{base + _MARKS + 4}" stroke="{_TEXT}" stroke-width="1" '
        'stroke-dasharray="3 3"/>'
    )


def picture() -> str:
    """Return the picture as SVG."""
    height = len(SHAPES) * (_CURVE + _MARKS + _GAP) + 40
    size = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    for number, shape in enumerate(SHAPES):
        parts += _row(shape, 30 + number * (_CURVE + _MARKS + _GAP))
    for minutes in range(0, 41, 10):
        label = "0" if not minutes else f"{minutes} min"
        parts.append(_text(_x(minutes * 60), height - 12, label, anchor="middle"))
    return "\n".join([*parts, "</svg>", ""])


def main(arguments: Sequence[str]) -> None:
    """Write the picture into the file that is named."""
    Path(arguments[0]).write_text(picture(), "utf-8")
    for shape, (name, _) in SHAPES.items():
        times = polls(shape)
        print(f"{name}: {len(times)} polls, lag {times[-1] - LENGTH:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])

"""What a backup costs by how many there are, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmarks.peers.report import Line
from benchmarks.peers.rows import NAMES, SIZES

_GREY = "#888"
_COLOURS = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
# Text stays text, and the same figures make the same file.
_STYLE = {**dict.fromkeys(_COLOURS, _GREY), "svg.fonttype": "none", "svg.hashsalt": "growth"}


def draw(found: Sequence[Line], path: Path) -> None:
    """Draw the rows of growth into an SVG file that can be read on light and dark pages."""
    by_key = {line.key: line.medians for line in found}
    with rc_context(_STYLE):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        for peer, name in NAMES.items():
            points = [
                (size, by_key[f"growth-{size}"][peer])
                for size in SIZES
                if peer in by_key[f"growth-{size}"]
            ]
            width = 2.5 if peer == "ours" else 1.2
            axes.plot(*zip(*points, strict=True), marker="o", linewidth=width, label=name)
        axes.set(xscale="log", ylim=(0, None), xlabel="backups decoded and kept")
        axes.set(ylabel="microseconds of CPU per backup")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        figure.savefig(path, transparent=True, metadata={"Date": None})

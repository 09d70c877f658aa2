"""From samples to medians, ratios and floors, and from these to Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import attrs

from benchmarks.peers.rows import NAMES, Floor, Row

Samples = Mapping[str, Mapping[str, Sequence[float]]]
"""What was measured, by row and by peer."""


@attrs.frozen(kw_only=True)
class Verdict:
    """A floor, and how we stand to it."""

    at_most: float
    of: str | None
    met: bool

    def __str__(self) -> str:
        than = f" of {NAMES[self.of]}" if self.of else ""
        return f"at most {self.at_most:g}{than}: {'met' if self.met else 'NOT met'}"


@attrs.frozen(kw_only=True)
class Line:
    """One row with its results."""

    key: str
    title: str
    medians: Mapping[str, float]
    samples: Mapping[str, Sequence[float]]
    missing: Mapping[str, str]
    """Who has no number, and why."""
    ratios: Mapping[str, float]
    """Our median by each peer's."""
    verdicts: Sequence[Verdict]


def lines(
    rows: Sequence[Row], samples: Samples, failures: Mapping[str, Mapping[str, str]]
) -> list[Line]:
    """Work out every row; *failures* are reasons by row and peer, as *samples* are numbers."""
    medians: dict[str, dict[str, float]] = {}
    for row in rows:
        medians[row.key] = {peer: median(found) for peer, found in samples[row.key].items()}
    return [
        Line(
            key=row.key,
            title=row.title,
            medians=medians[row.key],
            samples=samples.get(row.key, {}),
            missing={**row.cannot, **failures.get(row.key, {})},
            ratios=_ratios(medians[row.key]),
            verdicts=list(_verdicts(row.floors, medians[row.key])),
        )
        for row in rows
    ]


def _ratios(medians: Mapping[str, float]) -> dict[str, float]:
    if "ours" not in medians:
        return {}
    return {peer: medians["ours"] / theirs for peer, theirs in medians.items() if peer != "ours"}


def _verdicts(floors: Sequence[Floor], medians: Mapping[str, float]) -> Iterator[Verdict]:
    for floor in floors:
        found = _ratios(medians).get(floor.of) if floor.of else medians.get("ours")
        if found is not None:
            yield Verdict(at_most=floor.at_most, of=floor.of, met=found <= floor.at_most)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    decimals = next((n for n, least in ((0, 100), (1, 10)) if value >= least), 2)
    return f"{value:,.{decimals}f}"


def markdown(found: Sequence[Line], preamble: str, notes: str) -> str:
    """Write the table between a preamble and notes, and say who has no number and why."""
    ratios = ("raw", "capo")
    heads = ["", *NAMES.values(), *(f"ours / {NAMES[peer]}" for peer in ratios), "floor"]
    table = [heads, ["---", *["--:"] * (len(heads) - 2), "---"]]
    table += [
        [
            line.title,
            *(_number(line.medians.get(peer)) for peer in NAMES),
            *(_number(line.ratios.get(peer)) for peer in ratios),
            "; ".join(map(str, line.verdicts)),
        ]
        for line in found
    ]
    reasons = [
        f"* No number for {NAMES[peer]}, {line.title.partition(':')[0]}: {reason}."
        for line in found
        for peer, reason in line.missing.items()
    ]
    return "\n".join(
        [preamble, "", *(f"| {' | '.join(cells)} |" for cells in table), "", *reasons, notes]
    )

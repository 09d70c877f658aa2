"""The days of a timeline as the paths of a picture, and the same in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

import attrs

from fsxcopy_sdk.fleet.rendering._overview import Source
from fsxcopy_sdk.replication import TIMELINE_SPAN, Decision, TimelineEntry

DAYS = TIMELINE_SPAN.days
_LISTED = 6
"""How many runs of days are named; of more there is the number alone."""


class Mark(StrEnum):
    """What a day shows, as its class in the page; a day may show several."""

    AVAILABLE = "available"
    LEAVING = "leaving"
    RUNNING = "running"
    FAILED = "failed"


MEANINGS = {
    Mark.AVAILABLE: "AVAILABLE",
    Mark.LEAVING: "AVAILABLE, no longer kept by the policy",
    Mark.RUNNING: "in progress",
    Mark.FAILED: "FAILED",
}
# The middle of each mark in a picture that is 10 high; page.css has the widths.
_HEIGHTS = {Mark.AVAILABLE: 7, Mark.LEAVING: 7, Mark.RUNNING: 9, Mark.FAILED: 1}


def path(mark: Mark, runs: Iterable[tuple[int, int]]) -> str:
    """Return the path of *runs*, which are a first day and a number of days; a day is 1 wide."""
    return "".join(f"M{first} {_HEIGHTS[mark]}h{length}" for first, length in runs)


@attrs.frozen(kw_only=True)
class Strip:
    """One line of a timeline: the days on which there is a backup, or a copy of one."""

    label: str
    paths: dict[Mark, str]
    text: str
    """The picture in words."""


def axis(last_day: date) -> list[date]:
    """Return some days to write below a timeline, at equal distances."""
    return [last_day - timedelta(days=round(part * (DAYS - 1) / 4)) for part in range(4, -1, -1)]


def strips(source: Source, last_day: date) -> list[Strip]:
    """Return the strips of *source*: its backups, then its copies by destination and policy."""
    first = last_day - timedelta(days=DAYS - 1)
    backups = source.backups if source.has_timeline else None
    made = [_strip(f"Backups in {source.region}", backups, first)]
    for one in source.standings:
        copies = one.copies if one.source.timeline is not None else None
        made.append(_strip(f"Copies in {one.name}", copies, first))
    return made


def _strip(label: str, entries: Iterable[TimelineEntry] | None, first: date) -> Strip:
    if entries is None:
        return Strip(label=f"{label}: not known", paths={}, text=f"{label}: not known")
    days: dict[Mark, set[int]] = {mark: set() for mark in Mark}
    for one in entries:
        # Clocks differ a little: nothing is made tomorrow.
        day = min((one.recovery_point.date() - first).days, DAYS - 1)
        mark = _mark(one)
        if day >= 0 and mark is not None:
            days[mark].add(day)
    days[Mark.LEAVING] -= days[Mark.AVAILABLE]
    runs = {mark: _runs(days[mark]) for mark in Mark}
    texts = [
        f"{MEANINGS[mark]} on {len(days[mark])} of {DAYS} days{_named(runs[mark], first)}"
        for mark in Mark
        if days[mark]
    ]
    return Strip(
        label=label,
        paths={mark: path(mark, found) for mark, found in runs.items() if found},
        text=f"{label}: {'; '.join(texts) or f'none in {DAYS} days'}",
    )


def _mark(entry: TimelineEntry) -> Mark | None:
    lifecycle = entry.backup.lifecycle
    if lifecycle.is_available:
        is_leaving = entry.decision in (Decision.PRUNE, Decision.HOLD_BACK)
        return Mark.LEAVING if is_leaving else Mark.AVAILABLE
    if not lifecycle.is_terminal:
        return Mark.RUNNING
    return Mark.FAILED if lifecycle.value == "FAILED" else None


def _runs(days: Iterable[int]) -> list[tuple[int, int]]:
    """Return the runs of consecutive *days*, each as its first and its length."""
    runs: list[tuple[int, int]] = []
    for day in sorted(days):
        if runs and sum(runs[-1]) == day:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((day, 1))
    return runs


def _named(runs: list[tuple[int, int]], first: date) -> str:
    if len(runs) > _LISTED:
        return ""
    texts = []
    for start, length in runs:
        begin, end = (first + timedelta(days=day) for day in (start, start + length - 1))
        texts.append(f"{begin}" if length == 1 else f"{begin} to {end}")
    return f" ({', '.join(texts)})"

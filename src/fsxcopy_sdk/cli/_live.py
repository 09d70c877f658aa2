"""The copies in progress, as lines that move on a terminal: some rows, whatever their number."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from threading import Event, Lock, Thread
from typing import Self

import attrs
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from fsxcopy_sdk.cli._output import printable, progress_of
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import ProgressHistory

MOST_ROWS = 20
"""More rows than this would cost time and say less."""

_GAP = "  "
_SECONDS_PER_DRAWING = 0.2
# Seconds from which on the time left is given in hours, or in minutes.
_IN_HOURS = 5400
_IN_MINUTES = 90


@attrs.define
class Row:
    """What is known of a backup in progress; times are those of the reporter's clock."""

    backup_id: str
    source_id: str | None
    state: str = ""
    percent: int | None = None
    ends_at: float | None = None
    """When it is likely to end."""
    _history: ProgressHistory = attrs.field(factory=ProgressHistory)

    def see(self, backup: Backup, now: float) -> None:
        """Add an observation."""
        self.state, self.percent = printable(progress_of(backup)), backup.progress_percent
        self._history.add(now, self.percent)
        window = self._history.window()
        self.ends_at = None
        if window and not math.isinf(window.latest):
            self.ends_at = (window.earliest + window.latest) / 2

    def left(self, now: float) -> str:
        """Return the time left in words; empty if it is unknown."""
        return "" if self.ends_at is None else format_remaining(self.ends_at - now)


def name_of(backup_id: str | None, source_id: str | None) -> str:
    """Return the name of a copy in a message, with that of its source."""
    if backup_id is None:
        return f"copy of {source_id}"
    return f"{backup_id} of {source_id}" if source_id else backup_id


@attrs.define
class Rows:
    """
    The backups in progress, in the order in which they were seen first.

    A thread draws them, so what it reads is guarded.
    """

    _now: Callable[[], float]
    summary: Callable[[], str]
    """The line below the rows; an empty one is left out."""
    _by_id: dict[str, Row] = attrs.field(factory=dict)
    _lock: Lock = attrs.field(factory=Lock)

    def __len__(self) -> int:
        return len(self._by_id)

    def see(self, backup: Backup) -> Row:
        """Add an observation, and return its row."""
        with self._lock:
            row = self._by_id.get(backup.backup_id)
            if row is None:
                row = Row(backup.backup_id, backup.source_backup_id)
                self._by_id[backup.backup_id] = row
            row.see(backup, self._now())
        return row

    def remove(self, backup_id: str | None) -> None:
        """Forget a backup, which may be unknown."""
        with self._lock:
            self._by_id.pop(str(backup_id), None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the rows for which there is space, and the summary."""
        # The last line is where the cursor stands, and the one above is the summary's.
        most = max(1, min(MOST_ROWS, options.size.height - 3))
        with self._lock:
            rows = [attrs.evolve(row) for row in islice(self._by_id.values(), most)]
            hidden = len(self._by_id) - len(rows)
        lines = _lines(rows, self._now(), options.max_width, fancy=not options.ascii_only)
        if hidden:
            lines.append(Text(f"and {hidden} more in progress"))
        if summary := self.summary():
            lines.append(Text(summary))
        for line in lines:
            line.truncate(options.max_width)
            line.no_wrap = True
            yield line


class MovingLines:
    """
    Draw rows inside ``with``, some times a second, above which messages are printed.

    Both are done by a thread: a message would else draw the rows anew, and a thousand backups
    that end at once have a thousand messages.
    """

    def __init__(self, rows: Rows, console: Console) -> None:
        self._console = console
        self._live = Live(
            rows, console=console, auto_refresh=False, redirect_stdout=False, transient=True
        )
        self._messages: list[str] = []
        self._ended = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._draw()
        self._live.stop()

    def print(self, text: str) -> None:
        """Print a line of text above the rows, soon."""
        self._messages.append(text)

    def _run(self) -> None:
        while not self._ended.wait(_SECONDS_PER_DRAWING):
            self._draw()

    def _draw(self) -> None:
        messages = self._messages[:]
        del self._messages[: len(messages)]  # others may have come by now
        if messages:
            self._console.print(Text("\n".join(messages)), soft_wrap=True)
        else:
            self._live.refresh()


def _lines(rows: list[Row], now: float, width: int, *, fancy: bool) -> list[Text]:
    """Return the rows with as much as there is space for in all of them."""
    dots = "…" if fancy else "..."
    names = [
        [name_of(row.backup_id, row.source_id) for row in rows],
        [name_of(row.backup_id, row.source_id and row.source_id[:15] + dots) for row in rows],
        [row.backup_id for row in rows],
    ]
    states = [
        [row.state for row in rows],
        [row.state if row.percent is None else f"{row.percent}%" for row in rows],
    ]
    left = [row.left(now) for row in rows]
    for name, bar, state in ((0, 20, 0), (0, 10, 0), (1, 0, 0), (2, 0, 0), (2, 0, 1)):
        columns = [names[name], states[state], left]
        if bar:
            columns.insert(1, [_bar(row.percent, bar, fancy=fancy) for row in rows])
        widths = [max(map(cell_len, column), default=0) for column in columns]
        if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
            break
    styles = ["", "green", "", ""] if bar else ["", "", ""]
    return [
        Text(_GAP).join(
            Text(cell + " " * (size - cell_len(cell)), style)
            for cell, size, style in zip(cells, widths, styles, strict=True)
        )
        for cells in zip(*columns, strict=True)
    ]


def _bar(percent: int | None, width: int, *, fancy: bool) -> str:
    return f"{('━' if fancy else '=') * (width * (percent or 0) // 100):<{width}}"


def format_remaining(seconds: float) -> str:
    """Return the time left in words, rounded as an estimate should be."""
    if seconds >= _IN_HOURS:
        return f"about {seconds / 3600:.1f} h left"
    if seconds >= _IN_MINUTES:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds:.0f} s left" if seconds >= 1 else "any moment"

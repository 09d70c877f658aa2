"""Lines that move on a terminal: some rows, whatever their number, and a sum below them."""

from __future__ import annotations

from threading import Event, Thread
from typing import Self

import attrs
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from fsxcopy_sdk.cli._rows import MOST_ROWS, Row, Rows, name_of
from fsxcopy_sdk.cli._screen import cell_len

_GAP = "  "
_SECONDS_PER_DRAWING = 0.2


@attrs.frozen
class _Drawing:
    rows: Rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the rows for which there is space, and the summary."""
        # The last line is where the cursor stands, and the one above is the summary's.
        most = max(1, min(MOST_ROWS, options.size.height - 3))
        rows, hidden = self.rows.first(most)
        lines = _lines(rows, self.rows.now(), options.max_width, fancy=not options.ascii_only)
        if hidden:
            lines.append(Text(f"and {hidden} more in progress"))
        if summary := self.rows.summary():
            lines.append(Text(summary))
        yield Text("\n", no_wrap=True, overflow="crop").join(lines)


class MovingLines:
    """
    Draw rows inside ``with``, some times a second, above which messages are printed.

    Both are done by a thread: a message would else draw the rows anew, and a thousand backups
    that end at once have a thousand messages.
    """

    def __init__(self, rows: Rows, console: Console) -> None:
        self._console = console
        self._live = Live(
            _Drawing(rows),
            console=console,
            auto_refresh=False,
            redirect_stdout=False,
            transient=True,
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

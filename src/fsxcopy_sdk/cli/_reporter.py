"""
Progress and messages on standard error.

On a terminal each backup in progress has a moving line with the estimated time left;
elsewhere each event is one line of plain text.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import attrs
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.cli._output import printable, progress_of
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import ProgressHistory

_BAR_WIDTH = 20
# Seconds from which on the time left is given in hours, or in minutes.
_IN_HOURS = 5400
_IN_MINUTES = 90


class _RemainingColumn(ProgressColumn):
    """The estimated time left, counted down between two polls."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now

    def render(self, task: Task) -> Text:
        """Return the time left for one line."""
        ends_at: float | None = task.fields["ends_at"]
        return Text("" if ends_at is None else format_remaining(ends_at - self._now()))


@attrs.define
class _Row:
    history: ProgressHistory = attrs.field(factory=ProgressHistory)
    state: str = ""
    task: TaskID | None = None

    @property
    def ends_at(self) -> float | None:
        """The expected end, in the time of the polls; None if there is no estimate."""
        window = self.history.window()
        if window is None or math.isinf(window.latest):
            return None
        return (window.earliest + window.latest) / 2


class Reporter:
    """
    Report progress and messages on standard error.

    *now* returns a monotonic time in seconds.
    """

    def __init__(self, options: Globals, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._quiet = options.quiet
        self._console = Console(stderr=True)
        self._rows: dict[str, _Row] = {}
        self._live: Progress | None = None
        # Result lines on the same terminal would overwrite the moving lines.
        has_result_lines = options.output == "jsonl" and sys.stdout.isatty()
        if self._console.is_interactive and not (self._quiet or has_result_lines):
            self._live = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(_BAR_WIDTH),
                TextColumn("{task.fields[state]}", markup=False),
                _RemainingColumn(now),
                console=self._console,
                redirect_stdout=False,
                transient=True,
            )

    @contextmanager
    def live(self) -> Iterator[None]:
        """
        Show moving lines inside ``with``, if this is a terminal.

        Nothing else may write to the terminal meanwhile.
        """
        with self._live or nullcontext():
            yield

    def info(self, text: str) -> None:
        """Print *text* on one line, unless `--quiet` was given."""
        if not self._quiet:
            self.notice(text)

    def notice(self, text: str) -> None:
        """Print *text* on one line, even with `--quiet`."""
        self._console.print(Text(printable(text)), soft_wrap=True)

    def seen(self, backup: Backup | None) -> None:
        """Show the progress of *backup*, if it is in progress."""
        if backup is None or backup.lifecycle.is_terminal:
            return
        row = self._rows.setdefault(backup.backup_id, _Row())
        row.history.add(self._now(), backup.progress_percent)
        state = progress_of(backup)
        if self._live:
            self._move(self._live, row, backup)
        elif state != row.state:
            end = row.ends_at
            left = "" if end is None else f", {format_remaining(end - self._now())}"
            self.info(f"{backup.backup_id}: {state}{left}")
        row.state = state

    def ended(self, backup_id: str, text: str) -> None:
        """Print the outcome of a backup, and remove its moving line."""
        row = self._rows.pop(backup_id, None)
        if self._live and row and row.task is not None:
            self._live.remove_task(row.task)
        self.info(f"{backup_id}: {text}")

    def _move(self, live: Progress, row: _Row, backup: Backup) -> None:
        if row.task is None:
            row.task = live.add_task(printable(backup.backup_id), state="", ends_at=None)
        percent = backup.progress_percent
        live.update(
            row.task,
            total=None if percent is None else 100,
            completed=percent or 0,
            state=printable(progress_of(backup)),
            ends_at=row.ends_at,
        )


def format_remaining(seconds: float) -> str:
    """Return the time left in words, rounded as an estimate should be."""
    if seconds >= _IN_HOURS:
        return f"about {seconds / 3600:.1f} h left"
    if seconds >= _IN_MINUTES:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds:.0f} s left" if seconds >= 1 else "any moment"

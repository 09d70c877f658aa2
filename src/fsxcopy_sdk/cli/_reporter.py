"""
What is said on standard error while something goes on: to a person, or into a log.

On a terminal every backup that is under way has a line that moves, with an estimate
of its end; anywhere else each event is one line of plain text.
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
from fsxcopy_sdk.cli._output import progress_of
from fsxcopy_sdk.cli._text import printable
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import ProgressHistory

_BAR_WIDTH = 20
# Seconds from which on a unit is the one that people would use.
_IN_HOURS = 5400
_IN_MINUTES = 90


class _Left(ProgressColumn):
    """
    The time that is left, counted down between two looks.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now

    def render(self, task: Task) -> Text:
        """
        Return the estimate for one line.
        """
        ends_at: float | None = task.fields["ends_at"]
        return Text("" if ends_at is None else format_remaining(ends_at - self._now()))


@attrs.define
class _Row:
    history: ProgressHistory = attrs.field(factory=ProgressHistory)
    said: str = ""
    task: TaskID | None = None

    @property
    def ends_at(self) -> float | None:
        """
        When the end can be expected, in the time of the looks; None if nobody knows.
        """
        window = self.history.window()
        if window is None or math.isinf(window.latest):
            return None
        return (window.earliest + window.latest) / 2


class Reporter:
    """
    Say what goes on, on standard error.

    *now* tells the time in seconds.
    """

    def __init__(self, options: Globals, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._quiet = options.quiet
        self._console = Console(stderr=True)
        self._rows: dict[str, _Row] = {}
        self._live: Progress | None = None
        # Two writers on one terminal would write over each other.
        lines_are_there = options.output == "jsonl" and sys.stdout.isatty()
        if self._console.is_interactive and not (self._quiet or lines_are_there):
            self._live = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(_BAR_WIDTH),
                TextColumn("{task.fields[state]}", markup=False),
                _Left(now),
                console=self._console,
                redirect_stdout=False,
                transient=True,
            )

    @contextmanager
    def shown_live(self) -> Iterator[None]:
        """
        Let lines move meanwhile, where they can.

        Nothing else may write to the terminal in that time.
        """
        with self._live or nullcontext():
            yield

    def say(self, text: str) -> None:
        """
        Say *text*, unless nothing is to be said.
        """
        if not self._quiet:
            self.notice(text)

    def notice(self, text: str) -> None:
        """
        Say *text* in any case, on one line.
        """
        self._console.print(Text(printable(text)), soft_wrap=True)

    def seen(self, backup: Backup) -> None:
        """
        Show how far *backup* is; its end is for `ended` to tell.
        """
        if backup.lifecycle.is_terminal:
            return
        row = self._rows.setdefault(backup.backup_id, _Row())
        row.history.add(self._now(), backup.progress_percent)
        state = progress_of(backup)
        if self._live:
            self._move(self._live, row, backup)
        elif state != row.said:
            left = (
                "" if row.ends_at is None else f", {format_remaining(row.ends_at - self._now())}"
            )
            self.say(f"{backup.backup_id}: {state}{left}")
        row.said = state

    def ended(self, backup_id: str, text: str) -> None:
        """
        Say how it ended with a backup, which is no longer shown.
        """
        row = self._rows.pop(backup_id, None)
        if self._live and row and row.task is not None:
            self._live.remove_task(row.task)
        self.say(f"{backup_id}: {text}")

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
    """
    Return in words how much time is left, no more exact than an estimate may be.
    """
    if seconds >= _IN_HOURS:
        return f"about {seconds / 3600:.1f} h left"
    if seconds >= _IN_MINUTES:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds:.0f} s left" if seconds >= 1 else "any moment"

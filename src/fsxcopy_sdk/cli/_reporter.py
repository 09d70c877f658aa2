"""
Progress, messages and outcomes on standard error.

On a terminal each backup in progress has a moving line with the estimated time left;
elsewhere each event is one line of plain text.
"""

from __future__ import annotations

import math
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext

import attrs
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of_all
from fsxcopy_sdk.cli._output import Results, printable, progress_of
from fsxcopy_sdk.cli._streams import is_terminal
from fsxcopy_sdk.cli._tables import Column
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import ProgressHistory

_COLUMNS = (Column("BACKUP"), Column("OUTCOME"), Column("SOURCE", 1), Column("WHY", 2, least=16))

# Seconds from which on the time left is given in hours, or in minutes.
_IN_HOURS = 5400
_IN_MINUTES = 90


class _RemainingColumn(ProgressColumn):
    """The estimated time left, counted down between two polls."""

    def render(self, task: Task) -> Text:
        ends_at: float | None = task.fields["ends_at"]
        return Text("" if ends_at is None else format_remaining(ends_at - task.get_time()))


@attrs.define
class _Row:
    history: ProgressHistory = attrs.field(factory=ProgressHistory)
    state: str = ""
    task: TaskID | None = None


class Reporter:
    """Report progress, messages and outcomes, by *now*, a monotonic time in seconds."""

    def __init__(self, options: Globals, now: Callable[[], float] = time.monotonic) -> None:
        self.ends: list[Ended] = []
        self._options = options
        self._now = now
        self._console = Console(stderr=True)
        self._results = Results(options.output, "Outcomes", _COLUMNS)
        self._rows: dict[str, _Row] = {}
        self._live: Progress | None = None
        # Result lines on the same terminal would overwrite the moving lines.
        has_result_lines = options.output == "jsonl" and is_terminal(sys.stdout)
        # The console takes a pipe for a terminal where variables force colours.
        is_live = self._console.is_interactive and is_terminal(sys.stderr)
        if is_live and not (options.quiet or has_result_lines):
            self._live = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(20),
                TextColumn("{task.fields[state]}", markup=False),
                _RemainingColumn(),
                console=self._console,
                get_time=now,
                redirect_stdout=False,
                transient=True,
            )

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show moving lines on a terminal inside ``with``, and write the results at its end."""
        try:
            with self._live or nullcontext():
                yield
        finally:
            self._results.write()

    def info(self, text: str) -> None:
        """Print *text* on one line, unless `--quiet` was given."""
        if not self._options.quiet:
            self.notice(text)

    def notice(self, text: str) -> None:
        """Print *text* on one line, even with `--quiet`."""
        self._console.print(Text(printable(text)), soft_wrap=True)

    def seen(self, backup: Backup | None) -> None:
        """Show the progress of *backup*, if it is in progress."""
        if backup is None or backup.lifecycle.is_terminal:
            return
        row = self._rows.setdefault(backup.backup_id, _Row())
        percent, state = backup.progress_percent, progress_of(backup)
        row.history.add(self._now(), percent)
        window = row.history.window()
        ends_at = None
        if window and not math.isinf(window.latest):
            ends_at = (window.earliest + window.latest) / 2
        if self._live:
            if row.task is None:
                row.task = self._live.add_task(printable(backup.backup_id), state="", ends_at=None)
            self._live.update(
                row.task,
                total=None if percent is None else 100,
                completed=percent or 0,
                state=printable(state),
                ends_at=ends_at,
            )
        elif state != row.state:
            left = "" if ends_at is None else f", {format_remaining(ends_at - self._now())}"
            self.info(f"{backup.backup_id}: {state}{left}")
        row.state = state

    def ended(self, end: Ended) -> None:
        """Print how an item ended, remove its moving line, and add it to the results."""
        item = end.backup_id or str(end.source_id)
        row = self._rows.pop(item, None)
        if self._live and row and row.task is not None:
            self._live.remove_task(row.task)
        self.info(f"{item}: {end.words}{end.why and ': '}{end.why}")
        self.add(end)

    def add(self, end: Ended) -> None:
        """Add an item to the results, and print nothing."""
        self.ends.append(end)
        row = (end.backup_id or "-", end.outcome, end.source_id or "-", end.why)
        self._results.add(end.document(), row)

    def conclude(self, region: str, running: Iterable[str]) -> None:
        """Print the number of items by outcome, and how to wait for *running* backups."""
        if len(self.ends) > 1:
            by_exit = sorted(self.ends, key=lambda end: end.exit)
            counts = Counter(end.words for end in by_exit).items()
            self.info(", ".join(f"{count} {words}" for words, count in counts))
        ids = [*(str(end.backup_id) for end in self.ends if end.is_running), *running]
        if not ids:
            return
        command = ["fsxcopy", "wait", *ids, "--region", region]
        if self._options.profile:
            command += ["--profile", self._options.profile]
        if self._options.endpoint_url:
            command += ["--endpoint-url", self._options.endpoint_url]
        self.notice(f"still running at the service: {', '.join(ids)}")
        self.notice(f"resume with: {shlex.join(command)}")

    @property
    def exit(self) -> Exit:
        """The exit code of a command with these items."""
        return exit_of_all(end.exit for end in self.ends)


def format_remaining(seconds: float) -> str:
    """Return the time left in words, rounded as an estimate should be."""
    if seconds >= _IN_HOURS:
        return f"about {seconds / 3600:.1f} h left"
    if seconds >= _IN_MINUTES:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds:.0f} s left" if seconds >= 1 else "any moment"

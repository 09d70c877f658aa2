"""
Progress, messages and outcomes on standard error.

On a terminal the copies in progress have lines that move, and a sum below them; elsewhere
each event is one line of plain text, with its time. The reason of a failure is printed when
it happens, and not again in the table of results.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from fsxcopy_sdk._validation import printable
from fsxcopy_sdk.cli._options import PROGRAM, Globals, Waiting
from fsxcopy_sdk.cli._outcomes import Ended, Exit, exit_of_all
from fsxcopy_sdk.cli._output import TIME_FORMAT, Results
from fsxcopy_sdk.cli._rows import MOST_ROWS, Rows, name_of
from fsxcopy_sdk.cli._screen import Screen
from fsxcopy_sdk.cli._streams import is_terminal
from fsxcopy_sdk.cli._tables import Column, wrapped
from fsxcopy_sdk.models import Backup

if TYPE_CHECKING:
    from fsxcopy_sdk.cli._live import MovingLines

COLUMNS = (
    Column("BACKUP"),
    Column("OUTCOME"),
    Column("SOURCE", 1),
    Column("WHY", 2, least=16, is_optional=True),
)

# Seconds between two sums in a log, where there are too many backups for a line of each.
_SUM_EVERY = 60.0


class Reporter:
    """Report progress, messages and outcomes, by *now*, a monotonic time in seconds."""

    columns: ClassVar[Sequence[Column]] = COLUMNS

    def __init__(
        self,
        options: Globals,
        now: Callable[[], float] = time.monotonic,
        *,
        waiting: Waiting | None = None,
    ) -> None:
        self.ends: list[Ended] = []
        self._options = options
        self._waiting = waiting or Waiting()
        self._now = now
        self._screen = Screen(is_error=True)
        self._results = Results(options.output, "Outcomes", self.columns)
        self._total = 0
        self._done = 0
        self._not_seen = "waiting"
        self._rows = Rows(now, self._sum)
        self._states: dict[str, str] = {}
        self._summed_at = -_SUM_EVERY
        # Result lines on the same terminal would overwrite the moving lines.
        has_result_lines = options.output == "jsonl" and is_terminal(sys.stdout)
        self._is_live = not (options.quiet or has_result_lines) and self._screen.is_live
        self._lines: MovingLines | None = None

    def expect(self, total: int, *, not_seen: str = "waiting") -> None:
        """Count the items out of *total*; *not_seen* are those that are neither seen nor ended."""
        self._total, self._not_seen = total, not_seen

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show moving lines on a terminal inside ``with``, and write the results at its end."""
        try:
            if self._is_live:
                from fsxcopy_sdk.cli._live import MovingLines  # noqa: PLC0415 - it imports rich

                with MovingLines(self._rows, self._screen.console) as self._lines:
                    yield
            else:
                yield
        finally:
            self._lines = None
            self._results.write()

    def info(self, text: str, *, is_command: bool = False) -> None:
        """Print *text* unless `--quiet` was given."""
        if not self._options.quiet:
            self.notice(text, is_command=is_command)

    def notice(self, text: str, *, is_command: bool = False) -> None:
        """Print *text*, even with `--quiet`; what is a command to be copied stays on one line."""
        width = None if is_command else self._screen.width
        for line in wrapped(printable(text), width):
            if self._lines:
                self._lines.print(line)
            else:
                self._screen.print((line, ""))

    def event(self, text: str, *, is_failure: bool = False) -> None:
        """Print what just happened, with the time unless it is on a terminal."""
        # With --quiet a document says what failed, and a table does not say why.
        if self._options.quiet and not (is_failure and self._options.output == "table"):
            return
        if not is_terminal(sys.stderr):
            text = f"{datetime.now(UTC):{TIME_FORMAT}} {text}"
        self.notice(text)

    def seen(self, backup: Backup | None, *, prefix: str = "") -> None:
        """Show the progress of *backup* if there is some; *prefix* begins its line in a log."""
        if backup is None or backup.lifecycle.is_terminal:
            return
        row = self._rows.see(backup)
        if self._is_live:
            return
        if len(self._rows) > MOST_ROWS:
            if self._now() - self._summed_at >= _SUM_EVERY:
                self._summed_at = self._now()
                self.event(self._sum())
        elif row.state != self._states.get(row.backup_id):
            left = row.left(self._now())
            text = f"{row.state}, {left}" if left else row.state
            self.event(f"{prefix}{name_of(row.backup_id, row.source_id)}: {text}")
        self._states[row.backup_id] = row.state

    def ended(self, end: Ended) -> None:
        """Print how an item ended, remove its moving line, and add it to the results."""
        self._rows.remove(end.backup_id)
        self.ends.append(end)
        self._done += 1
        text = f"{self.name_of(end)}: {end.words}"
        if end.why:
            text += f": {end.why}"
        if self._total > 1 and not self._is_live:
            text += f" ({self._count()})"
        is_failure = end.exit is not Exit.DONE
        self.event(text, is_failure=is_failure)
        self._write(end, "" if is_failure else end.why)

    def add(self, end: Ended) -> None:
        """Add an unfinished item to the results, and print nothing."""
        self.ends.append(end)
        self._write(end, end.why)

    def _write(self, end: Ended, why: str) -> None:
        self._results.add(end.document, self.row(end, why))

    def row(self, end: Ended, why: str) -> tuple[str, ...]:
        """Return the cells of an item."""
        return (end.backup_id or "-", end.outcome, end.source_id or "-", why)

    def name_of(self, end: Ended) -> str:
        """Return the name of an item for messages."""
        return name_of(end.backup_id, end.source_id)

    def _sum(self) -> str:
        """Return how many items have ended and are in progress; nothing for a single one."""
        if self._total <= 1:
            return ""
        done, _, waiting = self._count().partition(", ")
        parts = [f"{done} done", f"{len(self._rows)} in progress", waiting]
        return ", ".join(filter(None, parts))

    def _count(self) -> str:
        """Return "5 of 12, 7 waiting", where those in progress wait for nothing."""
        not_seen = self._total - self._done - len(self._rows)
        count = f"{self._done} of {self._total}"
        return f"{count}, {not_seen} {self._not_seen}" if not_seen > 0 else count

    def conclude(self, region: str | None) -> None:
        """Print the number of items by outcome, and the commands that continue with the rest."""
        self.count_outcomes()
        running = [str(end.backup_id) for end in self.ends if end.is_running]
        # With --no-wait, copies in progress are the expected result.
        is_wanted = all(end.outcome == "started" for end in self.ends if end.is_open)
        say, word = (self.info, "wait") if is_wanted else (self.notice, "resume")
        if running:
            say(f"still running at the service: {', '.join(running)}")
        ids = [str(end.backup_id) for end in self.ends if end.is_open]
        if ids:
            say(f"{word} with: {self.command('wait', *ids, region=region)}", is_command=True)
        self.conclude_unstarted()
        if self.has_unstarted or self.deferred:
            say = self.notice if self.has_unstarted else self.info
            say("run the same command again: existing copies are found first")

    def count_outcomes(self) -> None:
        """Print the number of items by outcome."""
        if len(self.ends) > 1:
            by_exit = sorted(self.ends, key=lambda end: end.exit)
            counts = Counter(end.words for end in by_exit).items()
            self.info(", ".join(f"{count} {words}" for words, count in counts))

    @property
    def unconfirmed(self) -> list[str]:
        """The sources of copies that may have been accepted and have no known ID."""
        unseen = (end for end in self.ends if end.outcome == "not_observed")
        return [str(end.source_id) for end in unseen if end.backup_id is None]

    def conclude_unstarted(self) -> None:
        """Print what may have been accepted, and what was not."""
        if self.unconfirmed:
            self.notice(f"may have been accepted: copies of {', '.join(self.unconfirmed)}")
        if self._not_started:
            self.notice(f"not started: {self._not_started}")
        self.conclude_deletions()
        if self.deferred:
            self.info(f"left for the next run: {self.deferred}")

    @property
    def _not_started(self) -> int:
        return sum(end.outcome == "not_started" and not end.is_deletion for end in self.ends)

    @property
    def deferred(self) -> int:
        """How many copies the next run must start."""
        return sum(end.outcome == "deferred" for end in self.ends)

    @property
    def has_unstarted(self) -> bool:
        """Whether copies were not started, or may not have been."""
        # Those had no slot until the end.
        is_open = any(end.outcome == "timed_out" and end.backup_id is None for end in self.ends)
        return bool(is_open or self.unconfirmed or self._not_started)

    def conclude_deletions(self) -> None:
        """Print which deletions have no answer, and how many were not started."""
        left = [end for end in self.ends if end.is_deletion]
        unseen = [str(end.backup_id) for end in left if end.outcome == "not_observed"]
        if unseen:
            self.notice(f"may have been deleted: {', '.join(unseen)}")
        if len(left) > len(unseen):
            self.notice(f"not deleted: {len(left) - len(unseen)}")

    def command(self, *words: str, region: str | None = None) -> str:
        """Return a command with the options of this one that another wait needs."""
        given, waiting, usual = self._options, self._waiting, Waiting()
        # The next wait is to take some time, even if this one was to take none.
        max_wait = waiting.max_wait if waiting.max_wait != usual.max_wait else None
        options = {
            "--region": region,
            "--profile": given.profile,
            "--endpoint-url": given.endpoint_url,
            "--connect-timeout": given.connect_timeout,
            "--read-timeout": given.read_timeout,
            "--output": given.output if given.output != Globals().output else None,
            "--max-wait": max_wait or None,
            "--min-delay": waiting.min_delay if waiting.min_delay != usual.min_delay else None,
        }
        typed = [*PROGRAM.split(), *words]
        for name, value in options.items():
            if isinstance(value, timedelta):
                typed += [name, f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"]
            elif value is not None:
                typed += [name, value]
        return shlex.join(typed)

    @property
    def exit(self) -> Exit:
        """The exit code of a command with these items."""
        return exit_of_all(end.exit for end in self.ends)

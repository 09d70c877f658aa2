"""The copies in progress, as they are known from polls: no more of them are shown than some."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from threading import Lock

import attrs

from fsxcopy_sdk._validation import printable
from fsxcopy_sdk.cli._output import progress_of
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import ProgressHistory

MOST_ROWS = 20
"""More rows than this would cost time and say less."""

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

    now: Callable[[], float]
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
            row.see(backup, self.now())
        return row

    def remove(self, backup_id: str | None) -> None:
        """Forget a backup, which may be unknown."""
        with self._lock:
            self._by_id.pop(str(backup_id), None)

    def first(self, most: int) -> tuple[list[Row], int]:
        """Return copies of the first rows, and how many others there are."""
        with self._lock:
            rows = [attrs.evolve(row) for row in islice(self._by_id.values(), most)]
            return rows, len(self._by_id) - len(rows)


def format_remaining(seconds: float) -> str:
    """Return the time left in words, rounded as an estimate should be."""
    if seconds >= _IN_HOURS:
        return f"about {seconds / 3600:.1f} h left"
    if seconds >= _IN_MINUTES:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds:.0f} s left" if seconds >= 1 else "any moment"

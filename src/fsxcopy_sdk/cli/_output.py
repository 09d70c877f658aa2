"""What the command writes: text that is safe on a terminal, log records, tables and JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import attrs
from rich.console import Console
from rich.text import Text

import fsxcopy_sdk
from fsxcopy_sdk.cli._options import Output
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.models import Backup

_SECRETS = {"FsxAdminPassword"}
_MASK = "(not shown)"
_STYLES = {"AVAILABLE": "green", "FAILED": "red", "DELETED": "red"}


def printable(text: str) -> str:
    """Return *text* on one line, with characters that a terminal might obey escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


class _StandardError(logging.Handler):
    """Write records to the standard error of the moment, which a live display replaces."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record on one line."""
        print(printable(self.format(record)), file=sys.stderr)  # noqa: T201 - a command's output


@contextmanager
def logging_to_standard_error(level: str) -> Iterator[None]:
    """Write this package's records of at least *level* to standard error."""
    handler, logger = _StandardError(), logging.getLogger("fsxcopy_sdk")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def public(model: attrs.AttrsInstance) -> object:
    """Return *model* under the service's own names, its secrets masked."""
    # Taken from the package at run time, which imports the converter only here.
    return _masked("", fsxcopy_sdk.to_dict(model))


def _masked(name: str, value: object) -> object:
    if name in _SECRETS:
        return _MASK
    if isinstance(value, dict):
        return {key: _masked(key, one) for key, one in value.items()}
    return [_masked(name, one) for one in value] if isinstance(value, list) else value


def write_json(value: object, output: Output) -> None:
    """Write *value* as JSON in ASCII, so that it has no characters that a terminal obeys."""
    sys.stdout.write(json.dumps(value, indent=2 if output == "json" else None) + "\n")
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Write lines of text, which are not wrapped."""
    console = Console()
    for line in text.splitlines():
        console.print(Text(printable(line)), soft_wrap=True)


def write_table(rows: Iterable[Iterable[str]]) -> None:
    """
    Write *rows* in columns.

    Lines are not wrapped or cut, because users copy the IDs in them.
    """
    shown = [[Text(text, _STYLES.get(text, "")) for text in map(printable, row)] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*shown, strict=True)]
    console = Console()
    for row in shown:
        for cell, width in zip(row, widths, strict=True):
            cell.pad_right(width - cell.cell_len)
        line = Text("  ").join(row)
        line.rstrip()
        console.print(line, soft_wrap=True)


@attrs.frozen
class Results:
    """
    The results of a command, added one by one.

    As JSON they are one object with the list *name*; as JSON lines each is written as it
    is added; as a table they have *columns*.
    """

    output: Output
    name: str
    columns: Sequence[str]
    documents: list[object] = attrs.field(factory=list, init=False)
    rows: list[Sequence[str]] = attrs.field(factory=list, init=False)

    def add(self, document: object, row: Sequence[str]) -> None:
        """Add a result, which is written now or by `write`."""
        if self.output == "jsonl":
            write_json(document, self.output)
        elif self.output == "json":
            self.documents.append(document)
        else:
            self.rows.append(row)

    def write(self) -> None:
        """Write the results that are not written yet."""
        if self.output == "json":
            write_json({self.name: self.documents}, self.output)
        elif self.rows:
            write_table([self.columns, *self.rows])


BACKUP_COLUMNS = ("BACKUP", "CREATED", "LIFECYCLE", "TYPE", "OF", "COPY OF", "NAME")


def backup_row(backup: Backup) -> tuple[str, ...]:
    """Return *backup* as a row of a table."""
    source = backup.source_backup_id
    return (
        backup.backup_id,
        f"{backup.creation_time:%Y-%m-%d %H:%M}Z",
        progress_of(backup),
        backup.type.value,
        (backup.volume and backup.volume.volume_id)
        or (backup.file_system and backup.file_system.file_system_id)
        or "",
        f"{source} in {backup.source_backup_region or 'its Region'}" if source else "",
        next((tag.value or "" for tag in backup.tags if tag.key == "Name"), ""),
    )


def progress_of(backup: Backup) -> str:
    """Return the lifecycle, with the progress if the service reports it."""
    if backup.progress_percent is None or backup.lifecycle is BackupLifecycle.AVAILABLE:
        return backup.lifecycle.value
    return f"{backup.lifecycle.value} {backup.progress_percent}%"


def members(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and value of each member of a document, times as dates."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from members(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from members(member, f"{path}[{number}]")
    elif path.endswith("Time") and isinstance(value, int | float):
        yield path, datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
    else:
        yield path, str(value)

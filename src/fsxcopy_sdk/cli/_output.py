"""What the command writes: text that is safe on a terminal, log records, tables and JSON."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs

from fsxcopy_sdk._validation import printable
from fsxcopy_sdk.cli import _tables
from fsxcopy_sdk.cli._options import LogLevel, Output
from fsxcopy_sdk.cli._screen import Screen, cell_len
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import DOCUMENT_VERSION
from fsxcopy_sdk.models import Backup

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""That of UTC in logs."""


class _StandardError(logging.Handler):
    """Write records to the standard error of the moment, which a live display replaces."""

    def emit(self, record: logging.LogRecord) -> None:
        print(printable(self.format(record)), file=sys.stderr)  # noqa: T201 - a command's output


@contextmanager
def logging_to_standard_error(level: LogLevel) -> Iterator[None]:
    """Write this package's records of at least *level* to standard error."""
    handler, logger = _StandardError(), logging.getLogger("fsxcopy_sdk")
    form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", TIME_FORMAT)
    form.converter = time.gmtime
    handler.setFormatter(form)
    before = logger.level
    # Of other libraries Python would print the warnings, with tracebacks.
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(silent)
        logger.removeHandler(handler)
        logger.setLevel(before)


def public(value: attrs.AttrsInstance) -> dict[str, object]:
    """Return what a document has of *value*, its secrets masked."""
    from fsxcopy_sdk._codec import to_members  # noqa: PLC0415 - takes long, and help needs none

    return to_members(value)


def write_json(members: Mapping[str, object], output: Output) -> None:
    """Write a document as JSON in ASCII, so that it has no characters that a terminal obeys."""
    document = {"Version": DOCUMENT_VERSION, **members}
    sys.stdout.write(json.dumps(document, indent=2 if output == "json" else None) + "\n")
    sys.stdout.flush()


def write_text(text: str) -> None:
    """Write lines of text, which are broken at spaces on a terminal that is too narrow."""
    screen = Screen()
    width = screen.width
    for line in map(printable, text.splitlines()):
        for part in _tables.wrapped(line, width):
            screen.print((part, ""))


def write_members(members: Iterable[tuple[str, str]]) -> None:
    """Write names and values in two columns, a value below its name where it does not fit."""
    pairs = [(printable(name), printable(value)) for name, value in members]
    screen = Screen()
    width = screen.width
    column = max(len(name) for name, _ in pairs)
    if width is not None:
        column = min(column, width // 2)
    for name, value in pairs:
        line = f"{name:<{column}}  {value}"
        if width is not None and (len(name) > column or cell_len(line) > width):
            names = _tables.wrapped(name.replace(".", " ."), width, hanging=2)
            # A long name is broken before a dot.
            names = [re.sub(r"(?<=\S) \.", ".", part) for part in names]
            line = "\n".join([*names, *_tables.wrapped(f"    {value}", width, hanging=0)])
        screen.print((line, ""))


def write_table(
    columns: Sequence[_tables.Column], rows: Iterable[Iterable[str]], screen: Screen
) -> None:
    """Write *rows* under the headings, in the columns for which there is space."""
    _tables.write_table(columns, [[*map(printable, row)] for row in rows], screen)


@attrs.frozen
class Results:
    """Results that are written one by one as JSON lines, otherwise all at the end."""

    output: Output
    name: str
    """The member of the JSON document that lists them."""
    columns: Sequence[_tables.Column]
    """Those of the table."""
    documents: list[Mapping[str, object]] = attrs.field(factory=list, init=False)
    rows: list[Sequence[str]] = attrs.field(factory=list, init=False)

    def add(self, document: Callable[[], Mapping[str, object]], row: Sequence[str]) -> None:
        """Add a result, which is written now or by `write`; a table needs no *document*."""
        if self.output == "jsonl":
            write_json(document(), self.output)
        elif self.output == "json":
            self.documents.append(document())
        else:
            self.rows.append(row)

    def write(self) -> None:
        """Write the results that are not written yet."""
        if self.output == "json":
            write_json({self.name: self.documents}, self.output)
        elif self.rows:
            write_table(self.columns, self.rows, Screen())


def progress_of(backup: Backup) -> str:
    """Return the lifecycle, with the progress if the service reports it."""
    if backup.progress_percent is None or backup.lifecycle is BackupLifecycle.AVAILABLE:
        return backup.lifecycle.value
    return f"{backup.lifecycle.value} {backup.progress_percent}%"

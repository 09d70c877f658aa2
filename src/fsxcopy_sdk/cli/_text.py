"""
Text of the service and of users as it may stand on a terminal.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def printable(text: object) -> str:
    """
    Return *text* on one line, with everything that a terminal might obey written out.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in str(text)
    )


class _ToStandardError(logging.Handler):
    """
    Write records to what standard error is at the time: a live display replaces it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """
        Write one record on one line.
        """
        print(printable(self.format(record)), file=sys.stderr)  # noqa: T201 - a command speaks


@contextmanager
def logging_to_standard_error(level: str) -> Iterator[None]:
    """
    Write this package's records of at least *level* to standard error.
    """
    handler, logger = _ToStandardError(), logging.getLogger("fsxcopy_sdk")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)

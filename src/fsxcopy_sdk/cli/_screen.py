"""
Lines for standard output and error, in colours where these are terminals.

Rich takes a tenth of the time of a listing to import, so it is imported where a stream is a
terminal or colours are forced, and nowhere else.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, TextIO, TypeAlias

import attrs

from fsxcopy_sdk.cli._streams import is_terminal

if TYPE_CHECKING:
    from rich.console import Console

Part: TypeAlias = tuple[str, str]
"""A text, and its style in the words of rich."""

# With one of these rich takes any stream for a terminal.
_FORCING = ("FORCE_COLOR", "TTY_COMPATIBLE")


@attrs.frozen(slots=False)
class Screen:
    """Standard output, or standard error, of the moment."""

    is_error: bool = False

    @cached_property
    def console(self) -> Console:
        """Rich's console of it."""
        from rich.console import Console  # noqa: PLC0415 - said above

        return Console(stderr=self.is_error)

    @property
    def width(self) -> int | None:
        """Its width, or COLUMNS, if it is a terminal; None for a file or a pipe."""
        # The console takes a pipe for a terminal where variables force colours.
        return self.console.width if is_terminal(self._stream) else None

    @property
    def dots(self) -> str:
        """The sign of what was cut off."""
        # What a file's encoding lacks would be escaped, and wider than one cell.
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return "…" if encoding.lower().startswith("utf") else "..."

    @property
    def is_live(self) -> bool:
        """Whether lines may move on it."""
        return is_terminal(self._stream) and self.console.is_interactive

    def print(self, *parts: Part) -> None:
        """Write a line as it is, but for spaces at its end."""
        if is_terminal(self._stream) or any(map(os.environ.get, _FORCING)):
            from rich.text import Text  # noqa: PLC0415 - said above

            line = Text.assemble(*parts)
            line.rstrip()
            self.console.print(line, soft_wrap=True)
        else:
            text = "".join(text for text, _ in parts)
            print(text.rstrip(), file=self._stream)

    @property
    def _stream(self) -> TextIO:
        return sys.stderr if self.is_error else sys.stdout


def cell_len(text: str) -> int:
    """Return how many cells of a terminal printable *text* takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len as of_any  # noqa: PLC0415 - said above

    return of_any(text)

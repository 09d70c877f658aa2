"""
Standard input, output and error, which may be closed, absent, full or not a terminal.

The command ends if standard output cannot be written, because its results are lost. Text that
standard error cannot take is dropped, because the work is worth more than its messages. A
stream that was closed before the command started discards all text.
"""

from __future__ import annotations

import asyncio
import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO, Any, TextIO, cast

from fsxcopy_sdk.cli._options import usage_error
from fsxcopy_sdk.cli._signals import signals

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class OutputError(Exception):
    """Standard output cannot be written."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(getattr(reason, "strerror", None) or str(reason))
        self.is_closed_by_reader = isinstance(reason, BrokenPipeError)


class _Stream:
    """A stream of text whose failures are handled by a subclass."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:  # ValueError if the program has closed it
            self._fail(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._fail(error)

    def _fail(self, _: Exception, /) -> None:
        # Python would report the same error, and change the exit code, when it flushes the
        # stream at exit.
        with suppress(OSError, ValueError), Path(os.devnull).open("wb") as null:
            os.dup2(null.fileno(), self._stream.fileno())


class _Output(_Stream):
    def _fail(self, error: Exception, /) -> None:
        super()._fail(error)
        raise OutputError(error) from error


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make standard output and error streams that are always there, and fail as said above."""
    with ExitStack() as stack:
        streams: list[TextIO] = []
        for stream in cast("tuple[TextIO | None, ...]", (sys.stdout, sys.stderr)):
            if stream is None:
                streams.append(stack.enter_context(Path(os.devnull).open("w", encoding="utf-8")))
                continue
            if isinstance(stream, io.TextIOWrapper):
                stack.callback(_set_errors, stream, stream.errors)
                _set_errors(stream, "backslashreplace")
            streams.append(stream)
        output, messages = streams
        stack.enter_context(redirect_stderr(cast("TextIO", _Stream(messages))))
        stack.enter_context(redirect_stdout(cast("TextIO", _Output(output))))
        yield


def _set_errors(stream: io.TextIOWrapper, errors: str | None) -> None:
    with suppress(OSError, ValueError):  # it is flushed before
        stream.reconfigure(errors=errors)


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether *stream* is a terminal, whatever the variables say that force colours."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it was closed
        return False


def read_input() -> str:
    """Read standard input to its end, in UTF-8, UTF-16 with its mark, or Latin-1."""
    stream: TextIO | None = sys.stdin
    if stream is None:
        raise usage_error("standard input: is closed")
    try:
        read = getattr(stream, "buffer", stream).read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise usage_error(f"standard input: cannot be read: {reason}") from error
    return read if isinstance(read, str) else _decoded(read)


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace").replace("\ufeff", "")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


async def read_answer() -> str:
    """Return what is typed in one line; a signal ends this at once."""
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    # The loop is woken by a signal at any moment, and a read by one that comes while it reads.
    # A thread that reads could not be ended. Windows' loop cannot wait for a console.
    with suppress(NotImplementedError, OSError, ValueError):
        loop.add_reader(sys.stdin, typed.set)
        try:
            await typed.wait()
        finally:
            loop.remove_reader(sys.stdin)
    with signals.calling(None), suppress(OSError, ValueError):
        return sys.stdin.readline()
    return ""

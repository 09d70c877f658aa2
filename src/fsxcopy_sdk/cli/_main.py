"""
Around every command: the ids from standard input, and how errors end it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence

from cyclopts import CycloptsError

from fsxcopy_sdk.cli._app import carry_out
from fsxcopy_sdk.cli._exit import Exit, describe_error, exit_of
from fsxcopy_sdk.cli._text import printable
from fsxcopy_sdk.errors import FsxCopyError, InvalidArguments


def run(arguments: Sequence[str]) -> Exit:
    """
    Carry out a command line, say what went wrong, and return the code to exit with.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return carry_out([*_with_standard_input(arguments)])
        except BaseExceptionGroup as group:
            # Of a task group in which one task failed; what came alone says more alone.
            raise _alone(group) from group
    except CycloptsError as error:
        text = str(error)
        stop = "" if text.endswith((".", "?")) else "."
        return _ends(Exit.USAGE, f"{text}{stop} See fsxcopy --help.")
    except FsxCopyError as error:
        return _ends(exit_of(error), describe_error(error))
    except OSError as error:
        # Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read the output has seen enough
            return Exit.FAILED
        return _ends(Exit.FAILED, f"the output cannot be written: {error.strerror}")
    except KeyboardInterrupt:
        return _ends(Exit.INTERRUPTED, "interrupted")


def _with_standard_input(arguments: Sequence[str]) -> Iterator[str]:
    """
    Yield the arguments, and for a `-` the words on standard input.

    Raises:
        InvalidArguments: one of these would be taken for an option.
    """
    for argument in arguments:
        if argument != "-":
            yield argument
            continue
        for word in sys.stdin.read().split():
            if word.startswith("-"):
                fault = f"standard input: must be ids, not {word!r:.80}"
                raise InvalidArguments(fault, (fault,))
            yield word


def _alone(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _ends(code: Exit, text: str) -> Exit:
    print(f"fsxcopy: {printable(text)}", file=sys.stderr)  # noqa: T201 - a command speaks
    return code

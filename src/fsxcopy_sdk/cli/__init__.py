"""The `fsxcopy` command, which needs the extra `cli`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from fsxcopy_sdk.cli._signals import signals

__all__ = ["main", "run_and_end"]

_USAGE = 2
_NEEDS_EXTRA = 'fsxcopy needs the extra "cli": pip install "fsxcopy-sdk[cli]"'


def run_and_end() -> NoReturn:
    """Run the command line of this process, and end the process with its exit code."""
    code = _code(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        # Results that cannot be written have ended the command already.
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    if "opentelemetry.sdk" in sys.modules:  # which sends the last spans when the interpreter ends
        sys.exit(code)
    # Without the interpreter's own end, which frees one by one what the system frees at once:
    # a seventh of the time of a listing.
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """
    Run the command line *arguments*, by default those of the process.

    Raises:
        SystemExit: always, with one of the codes that ``fsxcopy --help`` lists.
    """
    sys.exit(_code(sys.argv[1:] if arguments is None else arguments))


def _code(arguments: Sequence[str]) -> int:
    try:
        with signals:
            return _run(arguments)
    except KeyboardInterrupt:  # while importing, before any call
        return signals.exit_code


def _run(arguments: Sequence[str]) -> int:
    try:
        from fsxcopy_sdk.cli._app import run  # noqa: PLC0415 - may be missing

        return run(arguments)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        print(_NEEDS_EXTRA, file=sys.stderr)  # noqa: T201 - a command's output
        return _USAGE

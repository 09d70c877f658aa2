"""The `fsxcopy` command, which needs the extra `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fsxcopy_sdk.cli._signals import signals

__all__ = ["main"]

_USAGE = 2
_NEEDS_EXTRA = 'fsxcopy needs the extra "cli": pip install "fsxcopy-sdk[cli]"'


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line *arguments*, by default those of the process.

    Exits with one of the codes that ``fsxcopy --help`` lists.
    """
    try:
        with signals:
            code = _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # while importing, before any call
        code = signals.exit_code
    sys.exit(code)


def _run(arguments: Sequence[str]) -> int:
    try:
        from fsxcopy_sdk.cli._app import run  # noqa: PLC0415 - may be missing

        return run(arguments)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        print(_NEEDS_EXTRA, file=sys.stderr)  # noqa: T201 - a command's output
        return _USAGE

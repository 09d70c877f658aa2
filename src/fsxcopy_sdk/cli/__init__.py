"""
The `fsxcopy` command, which needs the extra `cli`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fsxcopy_sdk.errors import FsxCopyError

__all__ = ["main"]

_NEEDED = {"cyclopts", "rich"}


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line, that of the process if none is given.

    Exits with 1 and one line where something is wrong.
    """
    try:
        from fsxcopy_sdk.cli._app import app  # noqa: PLC0415 - may be missing
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        sys.exit('fsxcopy needs the extra "cli": pip install "fsxcopy-sdk[cli]"')
    try:
        app(sys.argv[1:] if arguments is None else arguments)
    except FsxCopyError as error:
        sys.exit(f"{type(error).__name__}: {error}")

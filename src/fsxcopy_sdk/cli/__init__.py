"""
The `fsxcopy` command, which needs the extra `cli`.
"""

from __future__ import annotations

import sys

from fsxcopy_sdk.errors import FsxCopyError

__all__ = ["main"]

_NEEDED = {"cyclopts", "rich"}
_INTERRUPTED = 130
"""Exit code of a shell's command that was ended by Ctrl-C: 128 and SIGINT's number."""


def main() -> None:
    """
    Run the command line; exit with 1 and one line where something is wrong.
    """
    try:
        from fsxcopy_sdk.cli._app import app
    except ModuleNotFoundError as error:
        if error.name not in _NEEDED:
            raise
        sys.exit('fsxcopy needs the extra "cli": pip install "fsxcopy-sdk[cli]"')
    try:
        app()
    except FsxCopyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)

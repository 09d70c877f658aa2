"""The `fsxcopy` command, which needs the extra `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run the command line *arguments*, by default those of the process.

    Exits with one of the codes that ``fsxcopy --help`` lists.
    """
    try:
        from fsxcopy_sdk.cli._app import run  # noqa: PLC0415 - may be missing
    except ModuleNotFoundError as error:
        if error.name not in {"cyclopts", "rich"}:
            raise
        sys.exit('fsxcopy needs the extra "cli": pip install "fsxcopy-sdk[cli]"')
    except KeyboardInterrupt:
        sys.exit(130)  # while importing, before any call
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))

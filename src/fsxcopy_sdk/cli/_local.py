"""
`fsxcopy local`: the local FSx, as ``python -m fsxcopy_sdk.testing`` runs it.
"""

from __future__ import annotations

from datetime import timedelta

from fsxcopy_sdk.cli._exit import Exit
from fsxcopy_sdk.testing._command import main


def serve(port: int, speed: float, copy_duration: timedelta, with_example: bool) -> Exit:
    """
    Serve until SIGINT or SIGTERM.
    """
    arguments = [
        f"--port={port}",
        f"--speed={speed}",
        f"--copy-duration={copy_duration.total_seconds()}",
    ]
    return Exit(main([*arguments, *(["--with-example"] if with_example else [])]))

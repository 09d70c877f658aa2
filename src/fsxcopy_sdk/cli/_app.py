"""
The commands and what they take; what they do is in modules of their own.
"""

from __future__ import annotations

import anyio
from cyclopts import App

app = App(
    name="fsxcopy",
    help="Copy Amazon FSx backups between Regions.",
    version_flags=["--version"],
)


@app.command
def demo() -> None:
    """
    Copy a backup across Regions, without AWS, in a few seconds.

    Starts a local FSx on loopback, puts the example backup of the service's
    documentation into us-east-2, and copies it to us-west-2.
    """
    from fsxcopy_sdk.cli._demo import run_demo  # noqa: PLC0415 - --help needs none of it

    anyio.run(run_demo)

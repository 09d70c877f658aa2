"""
`fsxcopy local`: the local FSx, served until it is interrupted.
"""

from __future__ import annotations

from datetime import timedelta

from fsxcopy_sdk.cli._exit import Exit
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.testing.__main__ import serve as serve_local_fsx


async def serve(port: int, speed: float, copy_duration: timedelta, with_example: bool) -> Exit:
    """
    Serve until SIGINT or SIGTERM.

    Raises:
        InvalidArguments: the port cannot be served.
    """
    try:
        await serve_local_fsx(port, speed, copy_duration, with_example)
    except ValueError as error:
        # Its text begins with the name of the argument.
        problem = f"--{error}"
        raise InvalidArguments(problem, (problem,)) from error
    return Exit.DONE

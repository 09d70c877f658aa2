"""
`fsxcopy local`: the local FSx, served until it is interrupted.
"""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack
from datetime import timedelta

import anyio

from fsxcopy_sdk.cli._exit import Exit
from fsxcopy_sdk.cli._output import write_lines
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.testing import LocalFsx, ScaledClock


async def serve(port: int, speed: float, copy_duration: timedelta, with_example: bool) -> Exit:
    """
    Serve until SIGINT or SIGTERM.

    Raises:
        InvalidArguments: the port cannot be served.
    """
    fsx = LocalFsx(clock=ScaledClock(speed), copy_duration=copy_duration, port=port)
    # The signals first: whoever reads the URL may send one at once.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(fsx)
            except OSError as error:
                # Its own text repeats the address.
                why = os.strerror(error.errno or 0)
                fault = f"--port: {port} cannot be served: {why}"
                raise InvalidArguments(fault, (fault,)) from error
            write_lines([fsx.endpoint_url, *([fsx.add_example_backup()] if with_example else [])])
            async for _ in signals:
                break
    return Exit.DONE

"""Serve a local FSx until it is interrupted: ``python -m fsxcopy_sdk.testing``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import anyio

from fsxcopy_sdk.testing._clocks import ScaledClock
from fsxcopy_sdk.testing._local_fsx import LocalFsx
from fsxcopy_sdk.testing._operations import OPERATIONS
from fsxcopy_sdk.testing._store import COPY_DURATION


async def serve(
    port: int, speed: float, copy_duration: float | timedelta, with_example: bool
) -> None:
    """
    Serve on *port* of 127.0.0.1 until SIGINT or SIGTERM.

    The first line on standard output is the URL of the endpoint;
    *with_example* adds the example backup, whose ID is the second line.
    *copy_duration* is by a clock that runs *speed* times as fast as real time.

    Raises:
        ValueError: an argument breaks its rule, or the port cannot be served.
    """
    fsx = LocalFsx(clock=ScaledClock(speed), copy_duration=copy_duration, port=port)
    # The signals first, because a reader of the URL may send one at once.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(fsx)
            except OSError as error:
                # The error's own text repeats the address.
                reason = os.strerror(error.errno or 0)
                raise ValueError(f"port: {port} cannot be served: {reason}") from error
            print(fsx.endpoint_url, flush=True)  # noqa: T201 - this is the output of a command
            if with_example:
                print(fsx.add_example_backup(), flush=True)  # noqa: T201 - the same
            async for _ in signals:
                break


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as *arguments* say, by default those of the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fsxcopy_sdk.testing",
        description="Serve a local Amazon FSx on 127.0.0.1.",
        epilog="Any credentials are accepted, such as AWS_ACCESS_KEY_ID=any "
        "AWS_SECRET_ACCESS_KEY=any; each further access key is an account of its own. "
        f"Operations: {', '.join(OPERATIONS)}.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, metavar="N", help="TCP port (default: any free one)")
    speed = "how many times as fast as real time its clock runs (default: 1)"
    add("--speed", type=float, default=1.0, metavar="X", help=speed)
    duration = "how long a copy takes by its clock (default: %(default)g)"
    add("--copy-duration", type=float, default=COPY_DURATION, metavar="SECONDS", help=duration)
    example = "add the backup of the service's CopyBackup example to us-east-2"
    add("--with-example", action="store_true", help=example)
    options = parser.parse_args(arguments)
    try:
        anyio.run(lambda: serve(**vars(options)))
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())

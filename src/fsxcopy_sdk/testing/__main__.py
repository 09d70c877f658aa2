"""Serve a local FSx until it is interrupted: ``python -m fsxcopy_sdk.testing``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio

from fsxcopy_sdk.testing._local_fsx import serve
from fsxcopy_sdk.testing._operations import OPERATIONS
from fsxcopy_sdk.testing._settings import COPY_DURATION


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as *arguments* say, by default those of the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fsxcopy_sdk.testing",
        description="Serve a local Amazon FSx on 127.0.0.1.",
        epilog="Any credentials are accepted, such as AWS_ACCESS_KEY_ID=any "
        "AWS_SECRET_ACCESS_KEY=any. "
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
    account = "give all access keys one account, not each further one an account of its own"
    add("--one-account", action="store_true", help=account)
    options = parser.parse_args(arguments)
    try:
        anyio.run(_until_signal, partial(serve, **vars(options)))
    except ValueError as error:
        parser.error(str(error))
    return 0


async def _until_signal(work: Callable[[], Awaitable[None]]) -> None:
    """Do *work* until a signal; one that is ignored, as by nohup, stays so."""
    loop = asyncio.get_running_loop()
    with anyio.CancelScope() as scope:
        # The event loop's own handlers do not exist on Windows.
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(scope.cancel))
        await work()


if __name__ == "__main__":
    sys.exit(main())

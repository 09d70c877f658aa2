"""
The command line of the local FSx, for tests that are not Python's or async.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Sequence

import anyio

from ._clocks import ScaledClock
from ._local_fsx import COPY_DURATION, LocalFsx


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Serve until SIGINT or SIGTERM; return the exit code.

    The first line on standard output is the endpoint's URL; with
    ``--with-example`` the second is the id of the example backup.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        fsx = LocalFsx(
            clock=ScaledClock(options.speed),
            copy_duration=options.copy_duration,
            port=options.port,
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        anyio.run(_serve, fsx, options.with_example)
    except OSError as error:
        parser.error(f"port {options.port} cannot be served: {error.strerror}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fsxcopy_sdk.testing",
        description="Serve a local Amazon FSx on 127.0.0.1.",
        epilog="Any credentials will do, as AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any; "
        "each further access key is an account of its own. Operations: CopyBackup, "
        "CreateBackup, DeleteBackup, DescribeBackups, ListTagsForResource, TagResource.",
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="TCP port; any free one if left out"
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="how many times as fast as real time its clock runs (default: 1)",
    )
    parser.add_argument(
        "--copy-duration",
        type=float,
        default=COPY_DURATION,
        metavar="SECONDS",
        help="how long a copy takes by its clock (default: %(default)g)",
    )
    parser.add_argument(
        "--with-example",
        action="store_true",
        help="put the backup of the service's CopyBackup example into us-east-2",
    )
    return parser


async def _serve(fsx: LocalFsx, with_example: bool) -> None:
    # The signals first: whoever reads the URL may send one at once.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with fsx:
            print(fsx.endpoint_url, flush=True)  # noqa: T201 - what callers read
            if with_example:
                print(fsx.add_example_backup(), flush=True)  # noqa: T201 - the same
            async for _ in signals:
                break

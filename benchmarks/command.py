"""
What a listing costs in the terminal: ``fsxcopy list`` beside ``aws fsx describe-backups``.

Run ``python -m benchmarks.command`` where fsxcopy_sdk is installed with its extras `cli` and
`testing`, and `awscli` (version 1, which PyPI has). Both list the backups of one local FSx,
which lives in the process of this program, as whole processes in turn. The first run of each
is not counted: it compiles what the installation has not compiled.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import attrs

from fsxcopy_sdk.testing import LocalFsx

REGION = "us-west-2"
BACKUPS = (1, 50, 500)

_HERE = Path(sys.executable).parent
COMMANDS = {
    "aws": (str(_HERE / "aws"), "fsx", "describe-backups"),
    "fsxcopy": (str(_HERE / "fsxcopy"), "list"),
    "fsxcopy, JSON": (str(_HERE / "fsxcopy"), "list", "--output", "json"),
}


@attrs.frozen
class Run:
    """Seconds of one process."""

    wall: float
    cpu: float


async def run(command: Sequence[str], endpoint_url: str) -> Run:
    """Run a command to its end, without anything of this machine's configuration."""
    environment = {
        name: text
        for name, text in os.environ.items()
        if "AWS_" not in name and name != "PYTHONDONTWRITEBYTECODE"
    }
    environment |= {
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--region", REGION, "--endpoint-url", endpoint_url),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"{command[0]}: {errors.decode()}")
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


async def print_times(backups: int, rounds: int) -> None:
    """Print the medians of every command, in milliseconds and relative to those of `aws`."""
    async with LocalFsx() as fsx:
        for _ in range(backups):
            fsx.add_backup(REGION)
        runs: dict[str, list[Run]] = {name: [] for name in COMMANDS}
        for number in range(rounds + 1):
            for name, command in COMMANDS.items():
                done = await run(command, fsx.endpoint_url)
                if number:
                    runs[name].append(done)
    base_wall, base_cpu = (
        median(getattr(one, of) for one in runs["aws"]) for of in ("wall", "cpu")
    )
    for name, those in runs.items():
        wall, cpu = median(one.wall for one in those), median(one.cpu for one in those)
        print(
            f"| {backups} | {name} | {wall * 1e3:.0f} | {wall / base_wall:.2f} "
            f"| {cpu * 1e3:.0f} | {cpu / base_cpu:.2f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print("| backups | command | wall ms | vs aws | CPU ms | vs aws |")
    print("|---|---|---|---|---|---|")
    for count in BACKUPS:
        asyncio.run(print_times(count, options.rounds))

"""Helpers for tests of the command line: commands in this process, and in terminals."""

from __future__ import annotations

import fcntl
import io
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import anyio
import anyio.to_thread
import attrs

from fsxcopy_sdk.testing import LocalFsx

EXAMPLE = "backup-03e3c82e0183b7b6b"
SPEED = 600.0
"""How many times as fast as real time the local FSx runs."""
FSXCOPY = Path(sys.executable).with_name("fsxcopy")


@attrs.frozen
class Done:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """
    Run a command in this process, with text on standard input, piped or typed.

    With *columns* its output is on a terminal of that width.
    """

    async def __call__(
        self,
        *arguments: str,
        stdin: str | Stream = "",
        at_terminal: bool = False,
        columns: int | None = None,
    ) -> Done: ...


async def run_and_change(
    run: Run, fsx: LocalFsx, change: Callable[[], None], *arguments: str
) -> Done:
    """Run a command, and call *change* when it has requested a copy."""
    done: list[Done] = []
    before = fsx.calls["CopyBackup"]

    async def work() -> None:
        done.append(await run(*arguments))

    async with anyio.create_task_group() as group:
        group.start_soon(work)
        while fsx.calls["CopyBackup"] == before:  # noqa: ASYNC110 - the local FSx has no event
            await anyio.sleep(0.01)
        change()
    return done[0]


class Stream(io.StringIO):
    """Text in a pipe or at a terminal."""

    def __init__(self, text: str = "", *, at_terminal: bool) -> None:
        super().__init__(text)
        self._at_terminal = at_terminal

    def isatty(self) -> bool:
        return self._at_terminal


def plain(shown: str) -> str:
    """Return what a terminal shows without its control sequences."""
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown).replace("\r", "")


def untimed(log: str) -> list[str]:
    """Return the lines of a log without the times of those that have one."""
    return [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", "", line) for line in log.splitlines()]


def start(
    *arguments: str | Path, program: Sequence[str | Path] = (FSXCOPY,), ignored: int | None = None
) -> subprocess.Popen[str]:
    """Start a command, with pipes for its output."""

    def set_handlers() -> None:
        if ignored is not None:
            signal.signal(ignored, signal.SIG_IGN)

    return subprocess.Popen(
        [*program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=set_handlers,  # noqa: PLW1509 - no threads
    )


def with_terminal() -> None:
    """Make standard error the controlling terminal, whose Ctrl-C interrupts this process."""
    fcntl.ioctl(2, termios.TIOCSCTTY, 0)


@attrs.define
class Terminal:
    """A command in a terminal of its own."""

    process: subprocess.Popen[bytes]
    fd: int
    shown: str = ""

    async def until(self, pattern: str | None = None) -> str:
        """Return the output once it matches *pattern*; without one, at the end."""
        while pattern is None or not re.search(pattern, self.shown):
            try:
                part = await anyio.to_thread.run_sync(os.read, self.fd, 4096)
            except OSError:  # how Linux reports that the other side was closed
                part = b""
            if not part:
                assert pattern is None, f"{pattern!r} never came: {self.shown}"
                break
            self.shown += part.decode()
        return self.shown

    def type(self, text: str) -> None:
        """Type *text*."""
        os.write(self.fd, text.encode())

    async def code(self) -> int:
        """Return the exit code."""
        return await anyio.to_thread.run_sync(self.process.wait)


class OpenTerminal(Protocol):
    """Run a command in a terminal, with standard output there too, or in a file."""

    def __call__(
        self,
        *arguments: str,
        program: Sequence[str | Path] = (FSXCOPY,),
        out: Path | None = None,
    ) -> Terminal: ...

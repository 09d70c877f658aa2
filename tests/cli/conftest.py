"""Fixtures that run commands against a fast local FSx, in this process and in others."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import anyio.to_thread
import pytest
from cli_rig import FSXCOPY, SPEED, Done, OpenTerminal, Run, Stream, Terminal, plain, with_terminal

from fsxcopy_sdk.cli import main
from fsxcopy_sdk.testing import LocalFsx, ScaledClock


@pytest.fixture(name="durations")
def _durations() -> dict[str, float]:
    """Real seconds that copies take, by source."""
    return {}


@pytest.fixture(name="fsx")
async def _fsx(
    monkeypatch: pytest.MonkeyPatch, durations: dict[str, float]
) -> AsyncIterator[LocalFsx]:
    """A local FSx where a copy takes half a real second, and the environment to use it."""

    def copy_duration(source_id: str) -> float:
        return durations.get(source_id, 0.5) * SPEED

    async with LocalFsx(
        clock=ScaledClock(SPEED), copy_duration=copy_duration, backup_being_copied_for=0
    ) as fsx:
        fsx.add_example_backup()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
        yield fsx


def _code(arguments: Sequence[str]) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(name="run")
def _run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run commands in a thread, because the event loop of the test serves the FSx."""

    async def run(
        *arguments: str,
        stdin: str | Stream = "",
        at_terminal: bool = False,
        columns: int | None = None,
    ) -> Done:
        typed = Stream(stdin, at_terminal=at_terminal) if isinstance(stdin, str) else stdin
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", typed)
            if columns is None:
                code = await anyio.to_thread.run_sync(_code, arguments)
                return Done(code, *capsys.readouterr())
            patch.setenv("COLUMNS", str(columns))
            patch.setenv("TERM", "xterm")
            out, err = Stream(at_terminal=True), Stream(at_terminal=True)
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = await anyio.to_thread.run_sync(_code, arguments)
        return Done(code, plain(out.getvalue()), plain(err.getvalue()))

    return run


@pytest.fixture(name="terminal")
def _terminal(tmp_path: Path) -> Iterator[OpenTerminal]:
    """Run commands in terminals, which are closed at the end."""
    opened: list[Terminal] = []

    def terminal(
        *arguments: str,
        program: Sequence[str | Path] = (FSXCOPY,),
        out: Path | None = None,
    ) -> Terminal:
        mine, its = pty.openpty()
        with (out or tmp_path / "unused").open("wb") as file:
            process = subprocess.Popen(
                [*program, *arguments],
                stdin=its,
                stdout=file if out else its,
                stderr=its,
                env={**os.environ, "COLUMNS": "100", "TERM": "xterm"},
                start_new_session=True,
                preexec_fn=with_terminal,  # noqa: PLW1509 - no threads hold locks here
            )
        os.close(its)
        opened.append(Terminal(process, mine))
        return opened[-1]

    yield terminal
    for one in opened:
        one.process.kill()
        one.process.wait()
        os.close(one.fd)

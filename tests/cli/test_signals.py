"""Signals: what stops a service, a container, a closed terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread
import pytest
from cli_rig import EXAMPLE, FSXCOPY, SPEED, OpenTerminal, start

from fsxcopy_sdk.cli import main
from fsxcopy_sdk.testing import Fault, LocalFsx

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
ALL = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
every_signal = pytest.mark.parametrize(("number", "code"), ALL, ids=str)


async def _called(fsx: LocalFsx, operation: str) -> None:
    while not fsx.calls[operation]:  # noqa: ASYNC110 - the local FSx has no event
        await anyio.sleep(0.01)


@every_signal
@pytest.mark.parametrize("command", ["copy", "sync"])
async def test_what_runs_is_named(
    fsx: LocalFsx, durations: dict[str, float], number: int, code: int, command: str
) -> None:
    """The command to resume, the outcomes so far as JSON, and 128 + the number of the signal."""
    durations[EXAMPLE] = 60
    sources = [EXAMPLE, fsx.add_backup("us-east-2")] if command == "copy" else []
    how = (*WHERE, "--max-in-progress", "1", "--output", "json")
    with start(command, *sources, *how) as process:
        while not fsx.backups("us-west-2"):  # noqa: ASYNC110 - the same
            await anyio.sleep(0.01)
        await anyio.sleep(0.3)  # until its answer was read
        process.send_signal(number)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    [copy] = fsx.backups("us-west-2")
    outcomes = json.loads(out)["Outcomes"]
    assert code == process.returncode
    assert "Traceback" not in err
    again = f"fsxcopy wait {copy['BackupId']} --region us-west-2 --output json"
    assert f"resume with: {again}" in err.splitlines()
    assert ("InProgress", copy["BackupId"]) == (
        outcomes[0]["Outcome"],
        outcomes[0]["Backup"]["BackupId"],
    )
    assert ["NotStarted"] * len(sources[1:]) == [one["Outcome"] for one in outcomes[1:]]
    assert err.splitlines()[-1].startswith("fsxcopy: interrupted")


@every_signal
async def test_an_interrupted_wait_names_all(fsx: LocalFsx, number: int, code: int) -> None:
    """Every backup that has not ended is in the command to resume and in the results."""
    ids = [fsx.add_backup("us-west-2", Lifecycle="COPYING") for _ in range(3)]
    how = ("--region", "us-west-2", "--connect-timeout", "7", "--output", "json", "--quiet")
    with start("wait", *ids, *how) as process:
        await _called(fsx, "DescribeBackups")
        await anyio.sleep(0.3)  # until its answer was read
        process.send_signal(number)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    more = "--connect-timeout 7s --output json"
    expected = f"fsxcopy wait {' '.join(ids)} --region us-west-2 {more}"
    assert code == process.returncode
    assert f"resume with: {expected}" in err.splitlines()
    assert [(one, "InProgress") for one in ids] == [
        (one["BackupId"], one["Outcome"]) for one in json.loads(out)["Outcomes"]
    ]


@pytest.mark.parametrize(("number", "code"), ALL[1:])
async def test_the_cursor_is_shown_again(
    terminal: OpenTerminal, fsx: LocalFsx, durations: dict[str, float], number: int, code: int
) -> None:
    """A live display gives the terminal back."""
    durations[EXAMPLE] = 60
    opened = terminal("copy", EXAMPLE, *WHERE)
    await opened.until("COPYING")
    opened.process.send_signal(number)
    shown = await opened.until()
    assert code == await opened.code()
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


async def test_what_is_left_is_not_called_done(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """The last sum of a live display says of copies in progress what they are."""
    ids = [fsx.add_backup("us-west-2", Lifecycle="COPYING") for _ in range(2)]
    opened = terminal("wait", *ids, "--region", "us-west-2")
    await opened.until("2 in progress")
    opened.process.send_signal(signal.SIGTERM)
    sums = re.findall(r"\d of 2 done, \d in progress", await opened.until())
    assert "0 of 2 done, 2 in progress" == sums[-1]


@pytest.mark.parametrize(("number", "code"), ALL)
async def test_second_signal_ends_at_once(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    """A command that cannot write its results is ended by the second signal."""
    # Without its buffer Python gives up a write that a signal interrupts.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    for _ in range(600):  # more than a pipe holds
        fsx.add_backup("us-west-2")
    with start("list", "--region", "us-west-2", "--output", "json") as process:
        await _called(fsx, "DescribeBackups")
        assert process.stdout is not None
        while _unread(process.stdout) < select.PIPE_BUF:  # noqa: ASYNC110 - a pipe has no event
            await anyio.sleep(0.05)
        await anyio.sleep(0.3)  # until the pipe is full
        process.send_signal(number)
        await anyio.sleep(0.5)
        assert process.poll() is None
        process.send_signal(number)
        assert code == await anyio.to_thread.run_sync(process.wait)


async def test_second_signal_at_a_stopped_terminal(
    terminal: OpenTerminal, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the cursor can be shown again where output is stopped, as by Ctrl-S."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    for _ in range(600):  # more than a terminal holds
        fsx.add_backup("us-west-2")
    opened = terminal("list", "--region", "us-west-2", "--output", "json")
    await opened.until("Backups")
    await anyio.sleep(1)  # until it is blocked
    opened.process.send_signal(signal.SIGTERM)
    await anyio.sleep(0.5)
    assert opened.process.poll() is None
    opened.process.send_signal(signal.SIGTERM)
    assert 143 == await opened.code()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_where_blocking_cannot_be_switched_off(number: int) -> None:
    """Windows before Python 3.12 has no `os.set_blocking`; the second signal ends all the same."""
    program = f"""
import os, time
del os.set_blocking
from fsxcopy_sdk.cli._signals import signals
with signals, signals.calling(lambda: None):
    os.kill(os.getpid(), {int(number)})
    time.sleep(0.3)
    os.kill(os.getpid(), {int(number)})
"""
    mine, its = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stderr=its,
            env={**os.environ, "TERM": "xterm"},
            check=False,
        )
    finally:
        os.close(its)
        os.close(mine)
    assert 128 + number == done.returncode


@every_signal
@pytest.mark.parametrize("module", ["fsxcopy_sdk.cli._app", "fsxcopy_sdk.enums", "attrs"])
def test_signal_while_the_command_starts(number: int, code: int, module: str) -> None:
    """The handlers exist before the command imports anything that takes long."""
    program = f"""
import os, sys, time
class Signalling:
    def find_spec(self, name, *_):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), {int(number)})
            time.sleep(10)
sys.meta_path.insert(0, Signalling())
from fsxcopy_sdk.cli import run_and_end
run_and_end()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (code, "", "") == (done.returncode, done.stdout, done.stderr)


def _unread(pipe: IO[str]) -> int:
    """Return how many bytes a pipe holds."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


async def test_signals_at_once_are_one(fsx: LocalFsx, durations: dict[str, float]) -> None:
    """A terminal that closes and its shell both signal: what runs is named all the same."""
    durations[EXAMPLE] = 60
    with start("copy", EXAMPLE, *WHERE) as process:
        await _called(fsx, "DescribeBackups")
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
        _, err = await anyio.to_thread.run_sync(process.communicate)
    assert process.returncode in (129, 143)
    assert "fsxcopy: interrupted by SIG" in err


async def test_a_question_is_interrupted_by_any_signal(
    terminal: OpenTerminal, fsx: LocalFsx
) -> None:
    """A signal ends the question, and nothing is deleted."""
    for number, code in ALL:
        asked = terminal("delete", EXAMPLE, "--region", "us-east-2")
        await asked.until("Type yes:")
        asked.process.send_signal(number)
        await asked.until()
        assert code == await asked.code()
    assert 1 == len(fsx.backups("us-east-2"))


_RECEIVED_EARLY = """
import asyncio, signal, sys
number = int(sys.argv.pop())
before = asyncio.SelectorEventLoop.__init__
def init(self, selector=None):
    before(self, selector)
    signal.raise_signal(number)
asyncio.SelectorEventLoop.__init__ = init
from fsxcopy_sdk.cli import main
main(sys.argv[1:])
"""
"""A command that is signalled while its event loop starts."""


@every_signal
def test_a_signal_while_the_loop_starts(fsx: LocalFsx, number: int, code: int) -> None:
    """It is only noted then, and cancels the work before its first call."""
    line = ("wait", EXAMPLE, "--region", "us-east-2")
    program = (sys.executable, "-c", _RECEIVED_EARLY)
    with start(*line, str(number), program=program) as process:
        _, err = process.communicate()
    assert code == process.returncode
    assert "fsxcopy: interrupted" in err
    assert not fsx.calls


_RECEIVED_ELSEWHERE = """
import signal, sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
from fsxcopy_sdk.cli import main
main(sys.argv[1:])
"""
"""A command whose system calls no signal interrupts, as if each came just before one."""


@every_signal
async def test_a_signal_just_before_the_command_sleeps(
    terminal: OpenTerminal, fsx: LocalFsx, number: int, code: int
) -> None:
    """A wait and a question are woken by it."""
    program = (sys.executable, "-c", _RECEIVED_ELSEWHERE)
    running = fsx.add_backup("us-west-2", Lifecycle="COPYING")
    line = ("wait", running, "--region", "us-west-2", "--max-wait", "1m")
    with start(*line, program=program) as process:
        await _called(fsx, "DescribeBackups")
        await anyio.sleep(0.3)  # until its answer was read
        process.send_signal(number)
        await anyio.to_thread.run_sync(process.communicate)
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2", program=program)
    await asked.until("Type yes:")
    asked.process.send_signal(number)
    await asked.until()
    assert (code, code) == (process.returncode, await asked.code())


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare of util-linux")
@every_signal
async def test_process_1_of_a_container(fsx: LocalFsx, number: int, code: int) -> None:
    """The kernel ignores signals to process 1 that have no handler; these have one."""
    fork = ["unshare", "--pid", "--fork", "--mount-proc"]
    if (await anyio.run_process([*fork, "true"], check=False)).returncode:
        pytest.skip("namespaces are not allowed here")
    running = fsx.add_backup("us-west-2", Lifecycle="COPYING")
    command = [*fork, FSXCOPY, "wait", running, "--region", "us-west-2"]
    with start(*command, program=()) as process:
        await _called(fsx, "DescribeBackups")
        children = anyio.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        [child] = (await children.read_text("utf-8")).split()
        os.kill(int(child), number)
        _, err = await anyio.to_thread.run_sync(process.communicate)

    assert code == process.returncode
    assert f"resume with: fsxcopy wait {running} --region us-west-2" in err.splitlines()


@every_signal
@pytest.mark.parametrize("module", ["fsxcopy_sdk.cli._app", "aiobotocore.session"])
def test_signals_while_importing(number: int, code: int, module: str) -> None:
    """A signal during an import ends the command, without a traceback."""
    program = f"""
import os, sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {int(number)})

sys.meta_path.insert(0, Interrupting())
from fsxcopy_sdk.cli import main
main(["list", "--region", "us-east-2"])
"""
    done = _python(program)
    assert code == done.returncode
    assert "Traceback" not in done.stderr
    assert "" == done.stdout


def _python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )


@every_signal
async def test_ignored_signals_stay_ignored(
    fsx: LocalFsx, number: int, code: int, durations: dict[str, float]
) -> None:
    """What nohup or a shell has switched off does not end the command."""
    running = fsx.add_backup("us-west-2", Lifecycle="COPYING")
    how = ("--region", "us-west-2", "--min-delay", "0.05")
    with start("wait", running, *how, ignored=number) as process:
        await _called(fsx, "DescribeBackups")
        process.send_signal(number)
        fsx.set_lifecycle(running, "AVAILABLE")
        assert 0 == await anyio.to_thread.run_sync(process.wait)


@pytest.mark.parametrize("arguments", [["--version"], ["list", "--nothing"]])
def test_handlers_are_restored(arguments: Sequence[str]) -> None:
    """A program that calls `main` has its own handlers back, and keeps those that it set."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        handlers = [signal.getsignal(number) for number in numbers]
        with pytest.raises(SystemExit):
            main(arguments)
        assert handlers == [signal.getsignal(number) for number in numbers]
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_signal_while_a_copy_is_requested(fsx: LocalFsx) -> None:
    """A copy without an answer is one that may have been accepted, in the results too."""
    fsx.inject(Fault.delay(60 * SPEED), operation="CopyBackup")
    with start("copy", EXAMPLE, *WHERE, "--output", "json") as process:
        await _called(fsx, "CopyBackup")
        process.send_signal(signal.SIGTERM)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    [outcome] = json.loads(out)["Outcomes"]
    assert 143 == process.returncode
    assert "NotObserved" == outcome["Outcome"]
    assert f"may have been accepted: copies of {EXAMPLE}" in err.splitlines()


@pytest.mark.parametrize(
    "line", [("copy",), ("copy", "--no-wait"), ("sync",), ("sync", "--no-wait")], ids=" ".join
)
async def test_signal_while_a_copy_is_accepted(
    fsx: LocalFsx, durations: dict[str, float], line: tuple[str, ...]
) -> None:
    """The request in flight has a second for its answer, and no other one is begun."""
    durations[EXAMPLE] = 60
    other = fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-00000001"}, CreationTime=1)
    sources = (EXAMPLE, other) if "copy" in line else ()
    fsx.inject(Fault.delay(SPEED), operation="CopyBackup")
    with start(*line, *sources, *WHERE, "--output", "json") as process:
        await _called(fsx, "CopyBackup")
        process.send_signal(signal.SIGTERM)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    [copy] = fsx.backups("us-west-2")
    first, second = json.loads(out)["Outcomes"]
    assert 143 == process.returncode
    assert copy["BackupId"] == first["Backup"]["BackupId"]
    assert "NotStarted" == second["Outcome"]
    assert 1 == fsx.calls["CopyBackup"]
    word = "wait" if "--no-wait" in line else "resume"
    how = "--region us-west-2 --output json"
    assert f"{word} with: fsxcopy wait {copy['BackupId']} {how}" in err.splitlines()


async def test_signal_while_a_copy_is_refused(fsx: LocalFsx) -> None:
    """What ends while the command does is in its results."""
    fsx.inject(Fault.delay(SPEED), operation="CopyBackup")
    with start("copy", "backup-00000000", EXAMPLE, *WHERE, "--output", "json") as process:
        await _called(fsx, "CopyBackup")
        process.send_signal(signal.SIGTERM)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    failed, other = json.loads(out)["Outcomes"]
    assert 143 == process.returncode
    assert ("CopyFailed", "BackupNotFound") == (failed["Outcome"], failed["Error"]["Type"])
    assert "NotStarted" == other["Outcome"]
    assert 1 == err.count("copy of backup-00000000: failed: BackupNotFound")
    assert "may have been accepted" not in err


async def test_second_signal_while_a_copy_is_requested(fsx: LocalFsx) -> None:
    """It does not wait for the answer."""
    fsx.inject(Fault.delay(60 * SPEED), operation="CopyBackup")
    with start("copy", EXAMPLE, *WHERE) as process:
        await _called(fsx, "CopyBackup")
        process.send_signal(signal.SIGTERM)
        await anyio.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        with anyio.fail_after(1):
            assert 143 == await anyio.to_thread.run_sync(process.wait)


@every_signal
async def test_a_wait_without_answers_claims_nothing(
    fsx: LocalFsx, number: int, code: int
) -> None:
    """A backup that was not seen may not exist, but the command to resume has it."""
    fsx.inject(Fault.delay(60 * SPEED), fraction=1.0)
    with start("wait", EXAMPLE, "--region", "us-west-2", "--output", "json") as process:
        await _called(fsx, "DescribeBackups")
        process.send_signal(number)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    [outcome] = json.loads(out)["Outcomes"]
    assert code == process.returncode
    assert {"Outcome": "NotObserved", "BackupId": EXAMPLE} == outcome
    again = f"fsxcopy wait {EXAMPLE} --region us-west-2 --output json"
    assert f"resume with: {again}" in err.splitlines()
    assert "still running" not in err


@pytest.mark.parametrize("region", [(), ("--region", "us-west-2")])
@pytest.mark.parametrize(
    ("command", "word", "said"),
    [
        ("wait", "NotObserved", f"resume with: fsxcopy wait {EXAMPLE} backup-00000001"),
        ("copy", "NotStarted", "not started: 2"),
    ],
)
async def test_signal_while_credentials_are_lent(
    *,
    fsx: LocalFsx,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    word: str,
    said: str,
    region: tuple[str, ...],
) -> None:
    """What was to be done is in the results, though no client was opened yet."""
    asked, config = tmp_path / "asked", tmp_path / "config"
    lend = f"sh -c 'touch {asked}; exec sleep 60'"
    config.write_text(f"[default]\nregion = eu-west-1\ncredential_process = {lend}\n", "utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with start(command, EXAMPLE, "backup-00000001", *region, "-o", "json") as process:
        while not asked.exists():  # noqa: ASYNC110 - a file has no event
            await anyio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    assert 143 == process.returncode
    assert [word] * 2 == [one["Outcome"] for one in json.loads(out)["Outcomes"]]
    lines = err.splitlines()
    assert (" ".join([said, *region, "--output json"]) if command == "wait" else said) in lines
    assert "Traceback" not in err

"""Standard streams that are closed, absent, full, no terminal or in another encoding."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import anyio
import pytest
from cli_rig import EXAMPLE, FSXCOPY, Run, Stream

from fsxcopy_sdk.cli import main
from fsxcopy_sdk.testing import LocalFsx

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
OFTEN = ("--min-delay", "0.05")


async def _shell(line: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = line.replace("fsxcopy", str(FSXCOPY), 1)
    return await anyio.run_process(["sh", "-c", command], input=stdin, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"wait {EXAMPLE} --region us-east-2", 0),
        ("wait backup-00000000 --region us-east-2 --max-wait 0", 4),
        ("list --nothing", 2),
    ],
)
async def test_closed_streams(fsx: LocalFsx, line: str, code: int, closed: str) -> None:
    """A stream that was closed before takes all; the exit code is that of the work."""
    done = await _shell(f"fsxcopy {line} {closed}")
    assert code == done.returncode
    assert b"Traceback" not in done.stderr
    assert b"fsxcopy: " not in done.stdout


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("wait - --region us-east-2", "fsxcopy: standard input: is closed\n"),
        (f"delete {EXAMPLE} --region us-east-2", "fsxcopy: --yes: stdin is not a terminal: "),
    ],
)
async def test_closed_input(fsx: LocalFsx, line: str, text: str) -> None:
    """What must be read from a closed standard input is a usage error."""
    done = await _shell(f"fsxcopy {line} <&-")
    assert (2, b"") == (done.returncode, done.stdout)
    assert done.stderr.decode().startswith(text)
    assert 1 == len(fsx.backups("us-east-2"))


async def test_input_that_cannot_be_read(fsx: LocalFsx) -> None:
    """Standard input that is open for writing alone is a usage error."""
    done = await _shell("fsxcopy wait - --region us-east-2 0>/dev/null")
    assert 2 == done.returncode
    assert b"fsxcopy: standard input: cannot be read: " in done.stderr


@pytest.mark.parametrize(
    "line",
    ["list --region us-east-2 --output json", "--help"],
)
@pytest.mark.parametrize("buffered", [True, False])
async def test_full_output(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, line: str, buffered: bool
) -> None:
    """Results that cannot be written are an error in one line."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if buffered else "1")
    done = await _shell(f"fsxcopy {line} >/dev/full")
    assert (1, b"") == (done.returncode, done.stdout)
    expected = b"fsxcopy: the output cannot be written: No space left on device"
    assert expected == done.stderr.splitlines()[-1]


async def test_full_errors(fsx: LocalFsx) -> None:
    """Messages that cannot be written do not stop the work, nor change its exit code."""
    line = f"fsxcopy copy {EXAMPLE} {' '.join((*WHERE, *OFTEN))} --output json"
    done = await _shell(f"{line} 2>/dev/full")
    assert 0 == done.returncode
    assert "Copied" == json.loads(done.stdout)["Outcomes"][0]["Outcome"]
    failed = await _shell("fsxcopy list --nothing 2>/dev/full")
    assert (2, b"") == (failed.returncode, failed.stdout)


async def test_full_output_while_copying(fsx: LocalFsx) -> None:
    """If a line cannot be written, the command ends and names what still runs."""
    fsx.add_backup("us-east-2", BackupId="backup-0aaaaaaa")
    line = f"copy {EXAMPLE} backup-0aaaaaaa {' '.join((*WHERE, *OFTEN))} --output jsonl"
    done = await _shell(f"fsxcopy {line} >/dev/full")
    assert 1 == done.returncode
    assert b"the output cannot be written" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["list", "--nothing"]])
def test_absent_streams(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """A program without a console has no streams at all."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert (2 if "--nothing" in arguments else 0) == caught.value.code
    assert (None, None) == (sys.stdout, sys.stderr)


def test_streams_that_the_program_closed() -> None:
    """Streams that a calling program closed are like full ones."""
    out, err = io.StringIO(), io.StringIO()
    out.close()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert 1 == caught.value.code
    assert err.getvalue().startswith("fsxcopy: the output cannot be written: ")


async def test_answers_that_cannot_be_read(run: Run, fsx: LocalFsx) -> None:
    """An answer that cannot be read is no yes, and a closed terminal is none."""
    closed = Stream(at_terminal=True)
    closed.isatty = _raise  # type: ignore[method-assign]  # as closed files do
    for code, stream in ((2, closed), (1, _Unreadable(at_terminal=True))):
        done = await run("delete", EXAMPLE, "--region", "us-east-2", stdin=stream)
        assert code == done.code
    assert 1 == len(fsx.backups("us-east-2"))


def _raise() -> bool:
    raise ValueError("I/O operation on closed file")


class _Unreadable(Stream):
    def readline(self, *_: object) -> str:
        raise UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "invalid continuation byte")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
    ],
)
async def test_encodings_of_input(fsx: LocalFsx, encoding: str, mark: bytes) -> None:
    """A file with IDs may be PowerShell's."""
    other = fsx.add_backup("us-east-2")
    text = f"{EXAMPLE}\r\n{other}\r\n"
    done = await _shell("fsxcopy wait - --region us-east-2", mark + text.encode(encoding))
    assert 0 == done.returncode, done.stderr
    assert 3 == len(done.stdout.splitlines())


@pytest.mark.parametrize("junk", [b"caf\xe9", b"\xff\xfe\x00\xd8"])
async def test_input_that_is_no_text(fsx: LocalFsx, junk: bytes) -> None:
    """Other letters are refused as IDs that they are not."""
    done = await _shell("fsxcopy wait - --region us-east-2", junk)
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"Traceback" not in done.stderr
    assert 1 == len(done.stderr.splitlines())


_COLOURING = {
    "FORCE_COLOR": "1",
    "TTY_COMPATIBLE": "1",
    "TTY_INTERACTIVE": "1",
    "CLICOLOR_FORCE": "1",
    "NO_COLOR": "1",
    "TERM": "dumb",
}


@pytest.mark.parametrize("name", _COLOURING)
async def test_nothing_moves_in_a_pipe(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Variables that force colours force no animation: no cursor is moved or hidden."""
    monkeypatch.setenv(name, _COLOURING[name])
    _assert_nothing_moves(await _shell(f"fsxcopy copy {EXAMPLE} {' '.join((*WHERE, *OFTEN))}"))


async def test_nothing_moves_in_a_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The progress of the demo is no animation either, with all that forces colours."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CLICOLOR_FORCE"):
        monkeypatch.setenv(name, "1")
    _assert_nothing_moves(await _shell("fsxcopy demo"))


def _assert_nothing_moves(done: subprocess.CompletedProcess[bytes]) -> None:
    assert 0 == done.returncode
    assert set() == set(re.findall(rb"\x1b\[[\d?]*[A-Za-ln-z]|\r", done.stdout + done.stderr))


@pytest.mark.parametrize("encoding", ["cp437", "ascii"])
async def test_code_pages(fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """Help and results can be written in the code page of any console."""
    fsx.add_backup("us-west-2", Tags=[{"Key": "Name", "Value": "Größe 日本 \U0001f4be"}])
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    for line in ("copy --help", "list --region us-west-2", "list --nöthing"):
        done = await _shell(f"fsxcopy {line}")
        assert done.returncode in (0, 2)
        assert b"Traceback" not in done.stderr
        done.stdout.decode(encoding)


_WINDOWS = """
import asyncio, signal, sys
for name in ("SIGHUP", "SIGQUIT", "SIGALRM", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGCHLD"):
    delattr(signal, name)
def missing(*_, **__):
    raise NotImplementedError
asyncio.SelectorEventLoop.add_signal_handler = missing
asyncio.SelectorEventLoop.remove_signal_handler = missing
asyncio.SelectorEventLoop.add_reader = missing
asyncio.SelectorEventLoop.remove_reader = missing
signal.SIGBREAK = signal.Signals.SIGUSR1
import anyio
anyio.open_signal_receiver = anyio.wait_readable = missing
"""


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["wait", EXAMPLE, "--region", "us-east-2"], 0),
        (["copy", EXAMPLE, *WHERE, *OFTEN], 0),
        (["demo"], 0),
        (["list", "--nothing"], 2),
    ],
)
async def test_without_what_windows_lacks(fsx: LocalFsx, line: list[str], code: int) -> None:
    """No signal, no handler of an event loop and no polling of a console is needed."""
    program = f"{_WINDOWS}from fsxcopy_sdk.cli import main; main({line!r})"
    done = await anyio.run_process([sys.executable, "-c", program], check=False)
    assert code == done.returncode, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGBREAK"])
def test_local_fsx_without_what_windows_lacks(number: str) -> None:
    """`fsxcopy local` ends on the signals that there are."""
    program = f"{_WINDOWS}from fsxcopy_sdk.cli import main; main(['local'])"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.send_signal({"SIGBREAK": 10, "SIGINT": 2, "SIGTERM": 15}[number])
    assert 0 == process.returncode


async def test_quiet_is_quiet_but_for_errors(run: Run, fsx: LocalFsx) -> None:
    """What succeeds says nothing on standard error; what fails says why."""
    good = await run("copy", EXAMPLE, *WHERE, *OFTEN, "--quiet")
    bad = await run("copy", "backup-00000000", *WHERE, *OFTEN, "--quiet")
    assert (0, "") == (good.code, good.err)
    assert 1 == bad.code
    assert "backup-00000000: failed: BackupNotFound" in bad.err


async def test_quiet_demo(fsx: LocalFsx) -> None:
    """The demo is its output alone."""
    done = await _shell("fsxcopy demo --quiet")
    assert (0, b"") == (done.returncode, done.stderr)


def test_other_errors_of_the_system(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file that cannot be written is named, and not taken for the output."""
    target = tmp_path / "no-folder-but-a-file"
    target.write_text("")
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    with pytest.raises(SystemExit) as caught:
        main(["--install-completion", "--shell", "bash", "-o", str(target / "script")])
    out, err = capsys.readouterr()
    assert (1, "") == (caught.value.code, out)
    assert err.startswith(f"fsxcopy: {target}")
    assert "the output cannot be written" not in err

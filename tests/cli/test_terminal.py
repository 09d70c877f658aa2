"""Commands in a terminal, in a pipe, and interrupted."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from cli_rig import EXAMPLE, FSXCOPY, SPEED, OpenTerminal, Run, Terminal, start, untimed

from fsxcopy_sdk.testing import Fault, LocalFsx

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
HOW = (*WHERE, "--min-delay", "0.05")
REST = "run the same command again: existing copies are found first"
BOTH_MOVE = r"backup-\w+ [^\n]*COPYING[^\n]*\n[^\n]*backup-\w+ [^\n]*COPYING"
HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m[red]x[/red][link=http://evil]y[/link]\u202e\r\n{0}:smile:"
)
INERT = r"\x1b]0;owned\x07\x1b[2J\x9b31m[red]x[/red][link=http://evil]y[/link]\u202e\r\n{0}:smile:"


async def test_copy_on_a_terminal(
    terminal: OpenTerminal, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """A moving line shows the copy in progress with an estimate; the table remains."""
    durations[EXAMPLE] = 2
    opened = terminal("copy", EXAMPLE, *HOW, "--log-level", "info")
    shown = await opened.until()

    assert re.search(r"\d\dZ INFO fsxcopy_sdk.waiting: backup-\w+: AVAILABLE, done\r\n", shown)
    assert "\x1b[?25l" in shown  # the cursor is hidden while a line moves
    assert "COPYING" in shown
    assert "%" in shown
    assert " left" in shown or "any moment" in shown
    (backup,) = fsx.backups("us-west-2")
    assert f"{backup['BackupId']} of {EXAMPLE}: copied\r\n" in shown
    assert "\x1b[?25h" in shown
    assert shown.rstrip().endswith(f"copied   {EXAMPLE}")
    assert 0 == await opened.code()


async def test_a_thousand_backups_on_a_terminal(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """They are not drawn more often than ten, so that the wait ends in time."""
    ids = [fsx.add_backup("us-west-2", Lifecycle="COPYING") for _ in range(1000)]
    opened = terminal("wait", *ids, "--region", "us-west-2", "--max-wait", "2")
    await opened.until("980 more in progress")
    began = time.monotonic()
    shown = await opened.until()

    assert 4 == await opened.code()
    assert time.monotonic() - began < 7
    assert "0 of 1000 done, 1000 in progress" in shown
    assert 1000 == len(re.findall(r"backup-\w+: timed out: ", shown))
    assert len(shown) < 600_000


async def test_results_in_a_file_have_no_progress(
    terminal: OpenTerminal, fsx: LocalFsx, tmp_path: Path
) -> None:
    """Progress is on standard error; a file has the results alone, without colours."""
    opened = terminal("copy", EXAMPLE, *HOW, out=tmp_path / "out")
    shown = await opened.until()
    assert "COPYING" in shown
    text = (tmp_path / "out").read_text("utf-8")
    assert "BACKUP" == text[:6]
    assert "\x1b" not in text


async def test_json_lines_on_a_terminal(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """With JSON lines on the same terminal there is no moving line."""
    shown = await terminal("copy", EXAMPLE, *HOW, "--output", "jsonl").until()
    assert "\x1b" not in shown
    assert "Copied" == json.loads(shown.splitlines()[-1])["Outcome"]


async def test_table_colours(
    terminal: OpenTerminal, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table on a terminal has colours, unless NO_COLOR is set."""
    first = terminal("list", "--region", "us-east-2")
    monkeypatch.setenv("NO_COLOR", "1")
    second = terminal("list", "--region", "us-east-2")
    coloured, plain = await first.until(), await second.until()
    assert "\x1b[32mAVAILABLE" in coloured
    assert "\x1b" not in plain


async def test_interrupted_copy_prints_the_command_to_resume(
    terminal: OpenTerminal, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """Running copies are named with the command to wait for them, which can be interrupted too."""
    sources = [fsx.add_backup("us-east-2") for _ in range(6)]
    durations.update(dict.fromkeys(sources, 30.0))
    shown = await _interrupted(terminal("copy", *sources, *WHERE, "--max-in-progress", "2"))

    *_, running, again, left, rest, last = shown.splitlines()
    copies = {str(copy["BackupId"]) for copy in fsx.backups("us-west-2")}
    before, _, ids = running.partition("service: ")
    assert ("still running at the ", copies) == (before, set(ids.split(", ")))
    assert ("not started: 4", REST) == (left, rest)
    assert "fsxcopy: interrupted" == last
    waiting = terminal(*again.removeprefix("resume with: fsxcopy ").split())
    assert again in (await _interrupted(waiting)).splitlines()


async def test_interrupted_sync_prints_the_command_to_resume(
    terminal: OpenTerminal, run: Run, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """Running copies are named, whether this sync or another one started them."""
    sources = [fsx.add_backup("us-east-2") for _ in range(3)]
    durations.update(dict.fromkeys([EXAMPLE, *sources], 30.0))
    how = ("sync", *WHERE, "--newest", "all", "--max-in-progress", "2")
    first = await _interrupted(terminal(*how))
    copies = {str(copy["BackupId"]) for copy in fsx.backups("us-west-2")}
    planned = json.loads((await run(*how, "--dry-run", "--output", "json")).out)
    second = await _interrupted(terminal(*how))

    for shown in (first, second):
        found = re.search(r"still running at the service: (.*)\nresume with: (.*)\n", shown)
        assert found
        ids = found[1].split(", ")
        assert copies <= set(ids)
        assert f"fsxcopy wait {' '.join(ids)} --region us-west-2" == found[2]
        assert shown.endswith("\nfsxcopy: interrupted\n")
    assert f"\nnot started: 2\n{REST}\n" in first
    assert 2 == len(copies)
    assert (2, 2) == (len(planned["ToCopy"]), len(planned["InProgress"]))


async def _interrupted(opened: Terminal) -> str:
    """Interrupt a command when two copies are in progress, and return its output."""
    await opened.until(BOTH_MOVE)
    opened.type("\x03")
    shown = (await opened.until()).replace("\r", "")
    assert 130 == await opened.code()
    assert "Traceback" not in shown
    return re.sub(r"\x1b\[[\d?]*[A-Za-z]", "", shown)


async def test_interruption_while_a_copy_is_requested(fsx: LocalFsx) -> None:
    """If no answer came yet, the copy is named as one that may have been accepted."""
    fsx.inject(Fault.delay(60 * SPEED), operation="CopyBackup")
    with start("copy", EXAMPLE, *WHERE) as process:
        while not fsx.calls["CopyBackup"]:  # noqa: ASYNC110 - the process has no event
            await anyio.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, shown = await anyio.to_thread.run_sync(process.communicate)

    assert 130 == process.returncode
    assert f"may have been accepted: copies of {EXAMPLE}" in shown.splitlines()
    assert REST in shown


async def _piped(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return await anyio.run_process([FSXCOPY, *arguments], check=False)


async def test_copy_in_a_pipe(fsx: LocalFsx) -> None:
    """Output in a pipe is plain lines, with results apart from progress."""
    done = await _piped("copy", EXAMPLE, *HOW)

    (backup,) = fsx.backups("us-west-2")
    assert 0 == done.returncode
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"\r" not in done.stdout + done.stderr
    assert ["BACKUP", str(backup["BackupId"])] == [
        line.split()[0] for line in done.stdout.decode().splitlines()
    ]
    prefixes = {line.partition(":")[0] for line in untimed(done.stderr.decode())}
    assert {f"{backup['BackupId']} of {EXAMPLE}"} == prefixes


async def test_closed_pipe(fsx: LocalFsx) -> None:
    """A pipe that its reader has closed ends the command without a message."""
    for _ in range(200):
        fsx.add_backup("us-west-2")
    ended = fsx.add_backup("us-west-2")
    where = "--region us-west-2 --output jsonl --quiet"
    async with anyio.create_task_group() as group:
        done: list[subprocess.CompletedProcess[bytes]] = []
        for command in (
            f"list {where} | head -n 1",
            f"wait {ended} {where} | true",
            "--help | true",
        ):
            group.start_soon(_shell, command, done)

    assert [0, 0, 1] == sorted(len(one.stdout.splitlines()) for one in done)
    assert [b""] * 3 == [one.stderr for one in done]


async def _shell(command: str, done: list[subprocess.CompletedProcess[bytes]]) -> None:
    done.append(await anyio.run_process(f"{FSXCOPY} {command}"))


async def test_full_disk(fsx: LocalFsx) -> None:
    """Output that cannot be written ends the command with one line."""
    with Path("/dev/full").open("w") as full:  # noqa: ASYNC230 - a device, and at once
        done = await anyio.run_process(
            [FSXCOPY, "list", "--region", "us-east-2"], stdout=full, check=False
        )
    assert 1 == done.returncode
    expected = b"fsxcopy: the output cannot be written: No space left on device"
    assert expected == done.stderr.splitlines()[-1]


async def test_hostile_text_is_escaped(fsx: LocalFsx, terminal: OpenTerminal, run: Run) -> None:
    """No escape, markup or direction mark from the service reaches a terminal as such."""
    failed = fsx.add_backup("us-west-2", Tags=[{"Key": "Name", "Value": HOSTILE}])
    fsx.fail_copy(failed, HOSTILE)
    commands = [[*one, "--region", "us-west-2"] for one in (["list"], ["show", failed])]
    waiting = ["wait", failed, "--region", "us-west-2"]
    tables = [await terminal(*waiting).until(), *[(await run(*one)).out for one in commands]]
    documents = [await run(*one, "--output=jsonl") for one in (*commands, waiting)]

    for text in (*tables, *(done.out + done.err for done in documents)):
        assert "\x1b]" not in text
        assert "\x1b[2J" not in text
        assert not {"\x07", "\x9b", "\u202e"} & set(text)
    assert all(INERT in table for table in tables)
    assert HOSTILE == json.loads(documents[0].out)["Tags"][0]["Value"]


async def test_hostile_errors_are_escaped(fsx: LocalFsx) -> None:
    """Errors and log records are single lines without escape sequences."""
    fsx.inject(Fault.error("BadRequest", HOSTILE), fraction=1.0)
    done = await _piped("list", "--region", "us-west-2", "--log-level", "debug")
    assert 1 == done.returncode
    error = done.stderr.decode().splitlines()[-1]
    assert error.startswith(
        f"fsxcopy: BadRequest (DescribeBackups in us-west-2): {INERT} [request "
    )
    assert "\x1b" not in done.stderr.decode()


async def test_letters_without_encoding(fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that the encoding of the output lacks is escaped."""
    fsx.add_backup("us-west-2", Tags=[{"Key": "Name", "Value": "Größe→"}])
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    done = await _piped("list", "--region", "us-west-2")
    assert 0 == done.returncode
    assert done.stdout.endswith("Größe\\u2192\n".encode("latin-1"))

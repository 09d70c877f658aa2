"""``fsxcopy demo`` and ``fsxcopy local``."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time

import pytest
from cli_rig import FSXCOPY, OpenTerminal, Run, plain, start

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")


async def test_demo(terminal: OpenTerminal) -> None:
    """It shows a moving line, and within ten seconds the typed copy."""
    started = time.monotonic()
    opened = terminal("demo")
    shown = await opened.until()

    assert 0 == await opened.code()
    assert time.monotonic() - started < 10
    assert "\x1b[" in shown
    assert re.search(r"COPYING \d\d%  about \d+ min left", plain(shown))
    lines = plain(shown).splitlines()
    assert lines[0].startswith("local FSx at http://127.0.0.1:")
    assert lines[1].startswith("COPYING: backup-")
    members = dict(line.split(maxsplit=1) for line in lines if line.startswith("backup."))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", members.pop("backup.creation_time"))
    assert {
        "backup.lifecycle": "BackupLifecycle.AVAILABLE",
        "backup.source_backup_id": "'backup-03e3c82e0183b7b6b'",
        "backup.source_backup_region": "'us-east-2'",
        "backup.tags[0]": "Tag(key='Name', value='MyBackup')",
        "backup.tags[1]": "Tag(key='Purpose', value='demo')",
        "backup.file_system.lustre_configuration.deployment_type": (
            "LustreDeploymentType.PERSISTENT_1"
        ),
    } == members
    assert lines[-1].startswith("Against AWS: ")


def test_demo_interrupted() -> None:
    """Ctrl-C ends the demo with 130 and without a traceback."""
    with start("demo") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (130, "fsxcopy: interrupted") == (process.returncode, errors.splitlines()[-1])
    assert "Traceback" not in errors


async def test_configuration_error_in_demo(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of this package ends the command with its text in one line."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")
    done = await run("demo")
    (line,) = done.err.splitlines()
    assert 2 == done.code
    assert re.match("fsxcopy: .*many", line)


def test_local_fsx() -> None:
    """``fsxcopy local`` prints its URL, serves another process, and ends on Ctrl-C."""
    arguments = ("local", "--with-example", "--speed", "600", "--copy-duration", "2m")
    with start(*arguments) as server:
        assert server.stdout is not None
        url, backup_id = (server.stdout.readline().strip() for _ in range(2))
        how = (*WHERE, "--min-delay", "0.05", "--endpoint-url", url)
        done = subprocess.run(
            [FSXCOPY, "copy", backup_id, *how],
            env={**os.environ, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"},
            capture_output=True,
            text=True,
            check=False,
        )
        server.send_signal(signal.SIGINT)

    assert (0, 0) == (done.returncode, server.returncode)
    assert f"copied   {backup_id}" in done.stdout


def test_port_in_use() -> None:
    """A port that is in use is a usage error, in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [FSXCOPY, "local", "--port", port], capture_output=True, check=False, text=True
        )
    expected = f"fsxcopy: --port: {port} cannot be served: Address already in use\n"
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)

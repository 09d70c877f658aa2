"""
The command line as a person meets it, in this process and in one of its own.
"""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from fsxcopy_sdk.cli import main

FSXCOPY = Path(sys.executable).with_name("fsxcopy")


def test_the_demo_on_a_terminal() -> None:
    """
    It says what it does, shows a moving bar, and ends within ten seconds with the typed copy.
    """
    terminal, child = pty.openpty()
    started = time.monotonic()
    with subprocess.Popen([FSXCOPY, "demo"], stdout=child, stderr=child) as process:
        os.close(child)
        shown = _read_all(terminal)

    assert 0 == process.returncode
    assert time.monotonic() - started < 10
    assert "\x1b[" in shown
    assert "100%" in shown
    lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown).splitlines()
    assert lines[0].startswith("local FSx at http://127.0.0.1:")
    assert lines[1].startswith("COPYING: backup-")
    members = dict(line.split(maxsplit=1) for line in lines if line.startswith("backup."))
    assert "BackupLifecycle.AVAILABLE" == members["backup.lifecycle"]
    assert "'backup-03e3c82e0183b7b6b'" == members["backup.source_backup_id"]
    deployment_type = members["backup.file_system.lustre_configuration.deployment_type"]
    assert "LustreDeploymentType.PERSISTENT_1" == deployment_type
    assert lines[-1].startswith("Against AWS: ")


def _read_all(terminal: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side was closed
            break
        if not part:
            break
        parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def test_the_demo_can_be_interrupted() -> None:
    """
    Ctrl-C ends the command with 130 and without a traceback.
    """
    with subprocess.Popen(
        [FSXCOPY, "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()

    assert 130 == process.returncode
    assert "Traceback" not in errors


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """
    ``fsxcopy --help`` lists what there is, with 0.
    """
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert 0 == caught.value.code
    assert "demo" in capsys.readouterr().out


def test_an_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An error of this package ends the command with its text.
    """
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")

    with pytest.raises(SystemExit) as caught:
        main(["demo"])

    assert 2 == caught.value.code
    shown = capsys.readouterr().err.splitlines()
    assert 1 == len(shown)
    assert re.match("fsxcopy: .*many", shown[0])


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without cyclopts the command says what to install.
    """
    for module in [name for name in sys.modules if name.startswith("fsxcopy_sdk.cli.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "cyclopts", None)

    with pytest.raises(SystemExit, match=r'pip install "fsxcopy-sdk\[cli\]"'):
        main(["demo"])


def test_output_may_be_taken_by_a_program() -> None:
    """
    What a program puts in the place of standard output need not be a file.
    """
    with redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        main(["--version"])

    assert 1 == out.getvalue().count("\n")


def test_another_missing_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is not the extra's to bring is a broken installation, and shows as one.
    """
    for module in [name for name in sys.modules if name.startswith("fsxcopy_sdk.cli.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "attrs", None)

    with pytest.raises(ModuleNotFoundError, match="attrs"):
        main(["demo"])


def test_an_interruption_while_it_loads_is_no_traceback() -> None:
    """
    Who presses Ctrl-C at once sees nothing but the prompt.
    """
    program = """
import sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == "fsxcopy_sdk.cli._app":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from fsxcopy_sdk.cli import main
main([])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert (130, b"", b"") == (done.returncode, done.stdout, done.stderr)

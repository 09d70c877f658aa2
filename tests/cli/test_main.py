"""How the program starts: its extra, its imports, its standard output."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stdout

import pytest

from fsxcopy_sdk.cli import main


def _take_away(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the commands be imported anew, without the module *name*."""
    for module in [one for one in sys.modules if one.startswith("fsxcopy_sdk.cli.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without cyclopts the command says what to install."""
    _take_away(monkeypatch, "cyclopts")
    with pytest.raises(SystemExit, match=r'pip install "fsxcopy-sdk\[cli\]"'):
        main(["demo"])


def test_output_captured_by_a_program() -> None:
    """Standard output may be replaced by an object that is no file."""
    with redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        main(["--version"])
    assert 1 == out.getvalue().count("\n")


def test_other_missing_modules_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing module that is not in the extra raises its own error."""
    _take_away(monkeypatch, "attrs")
    with pytest.raises(ModuleNotFoundError, match="attrs"):
        main(["demo"])


def test_interruption_while_importing() -> None:
    """Ctrl-C during the import ends the command without a traceback."""
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

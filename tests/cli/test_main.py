"""How the program starts: its extra, its imports, its standard output."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import fsxcopy_sdk
from fsxcopy_sdk.cli import main


def _forget_the_command(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    # A module that is imported already would be found without its package.
    parts = ("fsxcopy_sdk.cli.", f"{missing}.")
    for module in [name for name in sys.modules if name.startswith(parts)]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, missing, None)


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_missing_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    """Without a library of the extra the command says what to install, and exits with 2."""
    _forget_the_command(monkeypatch, missing)
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert 2 == caught.value.code
    assert (
        "",
        'fsxcopy needs the extra "cli": pip install "fsxcopy-sdk[cli]"\n',
    ) == capsys.readouterr()


def test_missing_dependency(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing module of any other distribution is named."""
    _forget_the_command(monkeypatch, "attrs")
    with pytest.raises(ModuleNotFoundError, match="attrs"):
        main(["demo"])


def test_output_captured_by_a_program() -> None:
    """Standard output may be replaced by an object that is no file."""
    with redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        main(["--version"])
    assert 1 == out.getvalue().count("\n")


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


def test_module_is_the_command() -> None:
    """``python -m fsxcopy_sdk`` is the command, and its usage says so; importing it is not."""
    command = [sys.executable, "-m", "fsxcopy_sdk"]
    done = subprocess.run([*command, "wati"], capture_output=True, text=True, check=False)
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    importlib.import_module("fsxcopy_sdk.__main__")

    assert 2 == done.returncode
    assert done.stderr.endswith("See python -m fsxcopy_sdk --help.\n")
    assert shown.stdout.startswith("Usage: python -m fsxcopy_sdk COMMAND")


def test_package_without_its_metadata(tmp_path: Path) -> None:
    """Copied without its dist-info, the package is whole, and its version is unknown."""
    [folder] = fsxcopy_sdk.__path__
    (tmp_path / "fsxcopy_sdk").symlink_to(folder, target_is_directory=True)
    # Without the folders of this environment whose metadata would be found.
    program = f"""
import importlib.metadata, sys
sys.meta_path = [one for one in sys.meta_path if not hasattr(one, "find_distributions")]
import importlib.machinery
class Finder:
    find_spec = importlib.machinery.PathFinder.find_spec
sys.meta_path.append(Finder)
sys.path.insert(0, {str(tmp_path)!r})
import fsxcopy_sdk
from fsxcopy_sdk import *
print(hasattr(fsxcopy_sdk, "__version__"), hasattr(fsxcopy_sdk, "nothing"), __version__)
from fsxcopy_sdk.cli import main
main(["--version"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "True False 0+unknown\n0+unknown\n" == done.stdout

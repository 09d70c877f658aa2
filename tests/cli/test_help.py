"""Help, completion, and what they import."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from inspect import signature
from pathlib import Path

import pytest
from cli_rig import Run

import fsxcopy_sdk
from fsxcopy_sdk.bulk import DEFAULT_MAX_IN_PROGRESS
from fsxcopy_sdk.cli._app import app
from fsxcopy_sdk.testing import LocalFsx

COMMANDS = ("copy", "delete", "demo", "list", "local", "plan", "report", "show", "sync", "wait")


async def test_help_lists_commands_options_and_codes(run: Run) -> None:
    """The first page has every command, the global options and the exit codes."""
    done = await run("--help")
    assert 0 == done.code
    assert set(COMMANDS) <= set(re.findall(r"^│ (\w+) ", done.out, re.MULTILINE))
    assert {"--region", "--profile", "--output", "--quiet"} <= set(done.out.split())
    codes = ["0", "1", "2", "3", "4", "130"]
    assert codes == re.findall(r"^  (\d+) +\w", done.out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_help_has_an_example(run: Run, command: str) -> None:
    """The example is a command line that parses."""
    done = await run(command, "--help")
    _, _, after = done.out.partition("For example:\n")
    example = after.partition("\n╭")[0].replace("\\\n", " ").split()
    assert ["fsxcopy", command] == example[:2]
    app.meta.parse_args(example[1:], exit_on_error=False, print_error=False)
    assert "--endpoint-url" in done.out


async def test_version(run: Run) -> None:
    """``--version`` prints the version of the package."""
    assert f"{fsxcopy_sdk.__version__}\n" == (await run("--version")).out


async def test_completion(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Completion for a shell has the commands and the global options."""
    monkeypatch.setenv("HOME", str(tmp_path))
    done = await run("--install-completion", "--shell", "bash", "-o", str(tmp_path / "script"))
    assert 0 == done.code
    script = (tmp_path / "script").read_text("utf-8")
    assert set(COMMANDS) <= set(re.findall(r'"(\w+)"', script))
    assert "--source-region" in script


def test_help_needs_no_aws_library() -> None:
    """Neither the import nor help loads what only calls of the service need."""
    program = (
        "import sys; from fsxcopy_sdk.cli import main\n"
        "try: main(['copy', '--help'])\n"
        "finally: print({'aiobotocore', 'botocore', 'cattrs', 'orjson'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "set()" == done.stdout.splitlines()[-1]


async def test_defaults_in_help_match_the_library(run: Run) -> None:
    """Defaults are repeated for modules that are slow to import; they must be equal."""
    helps = [(await run(command, "--help")).out for command in ("copy", "local")]
    copy, local = (" ".join(text.replace("│", " ").split()) for text in helps)
    duration = signature(LocalFsx).parameters["copy_duration"].default
    assert f"[default: {DEFAULT_MAX_IN_PROGRESS}]" in copy
    assert f"[default: {timedelta(seconds=duration)}]" in local

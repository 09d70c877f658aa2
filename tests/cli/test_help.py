"""Help, completion, and what they import."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest
from cli_rig import EXAMPLE, Run

import fsxcopy_sdk
from fsxcopy_sdk.bulk import DEFAULT_MAX_IN_PROGRESS
from fsxcopy_sdk.cli._app import app
from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.testing import LocalFsx

COMMANDS = (
    *(
        "config",
        "copy",
        "delete",
        "demo",
        "help",
        "list",
        "local",
        "plan",
        "report",
        "show",
        "sync",
    ),
    "wait",
)
# Options of `fsxcopy` that some commands do not take.
NOT_TAKEN = {
    "demo": {"--region", "--source-region", "--endpoint-url", "--output"},
    "local": {"--region", "--profile", "--output", "--log-level"},
    "list": {"--source-region"},
    "show": {"--source-region"},
    "wait": {"--source-region"},
    "delete": {"--source-region"},
    "copy": set[str](),
    "sync": set[str](),
}


async def test_help_lists_commands_options_and_codes(run: Run) -> None:
    """The first page has every command, the global options and the exit codes."""
    done = await run("--help")
    assert 0 == done.code
    assert list(COMMANDS) == re.findall(r"^  ([a-z]+) +[A-Z]", done.out, re.MULTILINE)
    assert {"--region", "--profile", "--output", "--quiet"} <= set(done.out.split())
    codes = ["0", "1", "2", "3", "4", "130"]
    assert codes == re.findall(r"^  (\d+) +\w", done.out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_help_has_an_example(run: Run, command: str) -> None:
    """The example is a command line that parses."""
    done = await run(command, "--help")
    _, _, after = done.out.partition("For example:\n")
    example = after.lstrip().partition("\n\n")[0].replace("\\\n", " ").split()
    assert ["fsxcopy", command] == example[:2]
    app.meta.parse_args(example[1:], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("command", ["", *COMMANDS])
async def test_help_fits(run: Run, command: str) -> None:
    """Lines are broken at spaces only, at any width, and say the same at each."""
    pages = [
        (await run("help", *command.split(), columns=columns)).out for columns in (100, 80, 50)
    ]
    for columns, page in zip((100, 80, 50), pages, strict=True):
        assert max(map(len, page.splitlines())) <= columns
    assert 1 == len({"".join(page.replace("\\\n", "").split()) for page in pages})
    assert pages[1] == (await run(*command.split(), "--help", columns=80)).out


async def test_help_is_not_wider_than_can_be_read(run: Run) -> None:
    """A very wide terminal gets lines of a hundred characters at most."""
    assert (await run("sync", "-h", columns=300)).out == (await run("sync", "-h", columns=100)).out


async def test_values_have_names_and_defaults_that_can_be_typed(run: Run) -> None:
    """A duration is shown as it is typed, a choice with its values."""
    text = " ".join((await run("sync", "--help")).out.split())
    assert "--max-wait DURATION Stop waiting after this time" in text
    assert "It bounds the whole run, not each copy." in text
    assert "[default: 8h]" in text
    assert "[default: 5s]" in text
    assert "-o, --output FORMAT" in text
    assert "[table, json, jsonl] [default: table]" in text
    assert "--newest N|all How many" in text
    assert "-t, --tag KEY=VALUE" in text
    assert "TIMEDELTA" not in text
    assert "None" not in text


async def test_every_filter_of_the_service_is_named(run: Run) -> None:
    """The help of a listing has the names that the service's filters have."""
    words = (await run("list", "--help")).out.replace(",", "").replace(".", "").split()
    assert {name.value for name in FilterName} <= set(words)


@pytest.mark.parametrize("command", NOT_TAKEN)
async def test_global_options_by_command(run: Run, command: str) -> None:
    """A command shows and takes only the global options that change what it does."""
    shown = set(re.findall(r"--[a-z-]+", (await run(command, "--help")).out))
    assert set() == shown & NOT_TAKEN[command]
    for option in NOT_TAKEN[command]:
        value = {"--output": ["json"], "--quiet": [], "--log-level": ["info"]}.get(option, ["x"])
        for line in ([option, *value, command], [command, option, *value]):
            done = await run(*line, *(["backup-00000000"] if command != "demo" else []))
            assert 2 == done.code
            assert f"See fsxcopy {command} --help.\n" in done.err
    if command == "list":
        expected = (
            "fsxcopy: fsxcopy list does not take --source-region. See fsxcopy list --help.\n"
        )
        assert expected == (await run("list", "-s", "us-east-2")).err


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("copy --regoin x", "Unknown option: --regoin. Did you mean --region? See fsxcopy copy"),
        ("--regoin=x list", "Unknown option: --regoin. Did you mean --region? See fsxcopy list"),
        ("sync --keep-lst 7", "Unknown option: --keep-lst. Did you mean --keep-last? See"),
        ("list --hepl", "Unknown option: --hepl. Did you mean --help? See fsxcopy list --help."),
        ("list --xyzzy", "fsxcopy: Unknown option: --xyzzy. See fsxcopy list --help."),
        ("-p copy list --limt 3", "--limt. Did you mean --limit? See fsxcopy list --help."),
        ("-p copy list -s x", "does not take --source-region. See fsxcopy list --help."),
        ("-p copy show a b", "Unexpected argument: b. See fsxcopy show --help."),
        (
            "cpoy",
            'Unknown command "cpoy". Did you mean copy? The commands are config, copy, ',
        ),
        (
            "help cpoy",
            'Unknown command "cpoy". Did you mean copy? The commands are config, copy, ',
        ),
        ("help xyzzy", 'Unknown command "xyzzy". The commands are config, copy, delete, '),
        ("show a b", "Unexpected argument: b. See fsxcopy show --help."),
        ("show", 'Command "show" parameter BACKUP_ID requires an argument. See fsxcopy show'),
        ("wait --max-wait", "--max-wait requires an argument. See fsxcopy wait --help."),
        ("--output xml list", 'Invalid value "xml" for --output. Choose from: "table", "json"'),
        (
            "demo -r x -o json",
            "fsxcopy demo does not take --output and --region. See fsxcopy demo",
        ),
    ],
)
async def test_usage_errors_guess_and_name_the_help(run: Run, line: str, text: str) -> None:
    """A typo gets the nearest name, and the help of its own command."""
    done = await run(*line.split())
    assert (2, "") == (done.code, done.out)
    assert text in done.err
    assert done.err.endswith("--help.\n")


async def test_short_options(run: Run, fsx: LocalFsx) -> None:
    """The common options have one letter, before or after the command."""
    line = ("copy", EXAMPLE, "-s", "us-east-2", "-r", "us-west-2", "--min-delay", "0.05")
    copied = await run(*line, "-o", "json", "-q", "-t", "Purpose=dr")
    listed = await run("-r", "us-east-2", "-o", "jsonl", "list", "-f", "backup-type=AUTOMATIC")
    assert {"Key": "Purpose", "Value": "dr"} in json.loads(copied.out)["Outcomes"][0]["Backup"][
        "Tags"
    ]
    assert (0, "", 0, "") == (copied.code, copied.err, listed.code, listed.out)


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
    copy, local = (" ".join(text.split()) for text in helps)
    duration = signature(LocalFsx).parameters["copy_duration"].default
    assert f"[default: {DEFAULT_MAX_IN_PROGRESS}]" in copy
    assert f"[default: {duration / 60:g}m]" in local

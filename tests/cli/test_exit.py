"""The exit codes, and the line that is printed with each."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

import anyio
import pytest
from cli_rig import EXAMPLE, Run

import fsxcopy_sdk
from fsxcopy_sdk.testing import Fault, LocalFsx

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["wati"], 'Unknown command "wati".'),
        (["list", "--nothing"], "Unknown option: "),
        (["list", "--output", "xml"], "--output"),
        (["show"], "requires an argument"),
        (["wait", EXAMPLE, "--max-wait", "soon"], "must be like 90, 90s, 15m, 8h or 7d"),
        (["wait", EXAMPLE, "--max-wait", "9" * 30 + "d"], "must be like 90, 90s, 15m, 8h or 7d"),
        (["wait", EXAMPLE, "--min-delay", "0"], "for --min-delay. Must be more than zero. See"),
        (["wait"], "BACKUP_IDS: give at least one"),
        (["copy", "backup-x", "id"], "not 'backup-x'\nfsxcopy: BACKUP_ID: must be "),
        (["copy", EXAMPLE, "backup-00000000", "--kms-key-id", ""], "--kms-key-id: must be 1 to"),
        (["copy", EXAMPLE, "--tag", "Name"], "--tag: must be like KEY=VALUE, not 'Name'"),
        (["copy", EXAMPLE, "--max-in-progress", "0"], "for --max-in-progress. Must be 1 or"),
        (["sync", "--max-in-progress", "0"], 'value "0" for --max-in-progress. Must be 1 or'),
        (["sync", "--max-age", "1d"], "Unknown option: --max-age. Did you mean --max-wait? See"),
        (["local", "--port", "99999"], 'value "99999" for --port. Must be <= 65535. See'),
        (["local", "--port", "-1"], 'value "-1" for --port. Must be >= 0. See'),
        (["local", "--speed", "0"], "fsxcopy: --speed must be a finite number above zero"),
        (["local", "--speed", "inf"], "fsxcopy: --speed must be a finite number above zero"),
        (["list", "--filter", "x"], "--filter: must be like KEY=VALUE, not 'x'"),
        (["list", "--profile", "missing"], "fsxcopy: The config profile (missing)"),
        (["list", "--endpoint-url", "x"], "fsxcopy: --endpoint-url: must be an http or https URL"),
        (["list", "--file-system-id", "a b"], "fsxcopy: --file-system-id: must be 1 to 128"),
        (["list", "--volume-id", ""], "fsxcopy: --volume-id: must be 1 to 128"),
        (["plan", "--filter", "backup-type=a b"], "fsxcopy: --filter backup-type: must be 1"),
        (["plan", "--newest", "0"], "for --newest. Must be 1 or more."),
        (["sync", "--keep-last", "0"], "for --keep-last. Must be 1 or more."),
        (["plan", "--file-system-id", "x"], "fsxcopy: --file-system-id: must be like `fs-"),
        (["plan", "--volume-id", "x"], "fsxcopy: --volume-id: must be like `fsvol-"),
        (["plan", "--policy", "#"], "fsxcopy: --policy: must be 1 to 128 letters"),
        (["plan", "--keep-tag", "#"], "fsxcopy: --keep-tag: must be 1 to 128 letters"),
        (["plan", "--tag", "#=x"], "fsxcopy: --tag: key '#': must be 1 to 128 letters"),
        (["plan", "--kms-key-id", "a\nb"], "fsxcopy: --kms-key-id: key of 'us-west-2': must"),
        (["plan", "--kms-key-id", ""], "fsxcopy: --kms-key-id: key of 'us-west-2': must"),
        (["plan", "--region", "cn-north-1"], "fsxcopy: --region: must be of a Region in"),
        (["copy", EXAMPLE, "--region", "cn-north-1"], "fsxcopy: --source-region: must be in the"),
    ],
)
async def test_usage_errors(run: Run, fsx: LocalFsx, arguments: list[str], text: str) -> None:
    """A usage error is reported, each on a line, before anything is sent."""
    where = () if arguments[0] == "local" else WHERE
    if "--region" in arguments:
        where = WHERE[:2]
    elif arguments[0] in ("list", "show", "wait"):
        where = WHERE[2:]
    done = await run(*arguments, *where)
    assert (2, "") == (done.code, done.out)
    assert all(line.startswith("fsxcopy: ") for line in done.err.splitlines())
    # Older versions of cyclopts put the names of options into quotation marks.
    assert text in re.sub(r'"(--[a-z-]+)"', r"\1", done.err)
    assert [] == fsx.requests


async def test_region_is_required(run: Run, fsx: LocalFsx) -> None:
    """A Region must be configured or given; a report needs two."""
    none = await run("list")
    one = await run("report", "--region", "us-west-2")
    places = "--region, AWS_REGION, AWS_DEFAULT_REGION or the profile\n"
    assert f"fsxcopy: --region: give one as {places}" == none.err
    empty = await run("list", "--region", "")
    expected = f"fsxcopy: --region: is empty; the first that is set counts: {places}"
    assert expected == empty.err
    assert "fsxcopy: --source-region: must be given\n" == one.err
    assert (2, 2) == (none.code, one.code)


async def test_standard_input_has_no_options(run: Run, fsx: LocalFsx) -> None:
    """A word on standard input is never taken for an option."""
    done = await run("delete", "-", "--region", "us-east-2", stdin=f"{EXAMPLE} --yes")
    assert 2 == done.code
    assert "standard input: must be ids, not '--yes'" in done.err
    assert 1 == len(fsx.backups("us-east-2"))


async def test_standard_input_is_no_file(
    run: Run, fsx: LocalFsx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only IDs are read from it: a `-` as the value of another option is not replaced."""
    monkeypatch.chdir(tmp_path)
    where = ("--source-region", "us-east-2", "--region", "us-west-2")
    out = await run("report", *where, "--output", "html", "--out", "-", stdin="page.html")
    plan = await run("sync", *where, "--plan", "-", stdin="plan.json")
    config = await run("config", "check", "-", stdin="fsxcopy.toml")
    assert (2, 2) == (out.code, plan.code)
    assert "--out requires an argument" in out.err
    assert "--plan requires an argument" in plan.err
    assert "fsxcopy: fsxcopy.toml: No such file or directory\n" == config.err
    assert not os.listdir(tmp_path)  # noqa: PTH208 - a blocking call of a path is refused here


@pytest.mark.parametrize(("module", "end"), [("opentelemetry.sdk", "the end\n"), ("json", "")])
async def test_who_traces_is_told_of_the_end(module: str, end: str) -> None:
    """Where nothing traces the command, it ends without the interpreter's own end."""
    program = f"""
import atexit, sys
import {module}
atexit.register(print, "the end")
sys.argv = ["fsxcopy", "--version"]
from fsxcopy_sdk.cli import run_and_end
run_and_end()
"""
    done = await anyio.run_process([sys.executable, "-c", program], check=False)
    assert (0, f"{fsxcopy_sdk.__version__}\n{end}") == (done.returncode, done.stdout.decode())


async def test_the_last_spans_are_sent(fsx: LocalFsx) -> None:
    """A command that is traced ends as the interpreter does, which sends what is left."""
    program = f"""
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
sys.argv = ["fsxcopy", "wait", "{EXAMPLE}", "--region", "us-east-2"]
from fsxcopy_sdk.cli import run_and_end
run_and_end()
"""
    done = await anyio.run_process([sys.executable, "-c", program], check=False)
    assert 0 == done.returncode
    assert '"name": "fsxcopy.wait"' in done.stdout.decode()


@pytest.mark.parametrize(("region", "is_known"), [("us-wset-2", False), ("us-west-2", True)])
async def test_a_region_that_may_be_misspelt(
    run: Run, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, region: str, is_known: bool
) -> None:
    """Where no connection can be made, a Region without an endpoint is named."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = await run("list", "--region", region, "--endpoint-url", f"http://127.0.0.1:{port}")
    assert 1 == done.code
    assert "fsxcopy: ConnectionFailed: " in done.err
    hint = f"; botocore lists no endpoint of FSx in {region}"
    assert is_known is (hint not in done.err)


async def test_no_credentials(run: Run, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the code is 3."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    done = await run("list", "--region", "us-east-2")
    assert 3 == done.code
    assert "fsxcopy: CredentialsUnavailable: " in done.err


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "ExpiredTokenException",
        "RequestExpired",
        "UnrecognizedClientException",
    ],
)
async def test_refused_credentials(run: Run, fsx: LocalFsx, code: str) -> None:
    """Errors of credentials and permissions from the service have code 3."""
    fsx.inject(Fault.error(code), next_calls=1)
    assert 3 == (await run("list", "--region", "us-east-2")).code


async def test_other_errors(run: Run, fsx: LocalFsx) -> None:
    """Any other error is one line, with the request ID for AWS support."""
    done = await run("show", "backup-00000000", "--region", "us-east-2")
    assert (1, "", 1) == (done.code, done.out, len(done.err.splitlines()))
    assert done.err.startswith("fsxcopy: BackupNotFound (DescribeBackups in us-east-2): ")
    assert " [request " in done.err


async def test_repeated_error_is_reported_once(run: Run, fsx: LocalFsx) -> None:
    """An error that each of many requests has is reported once."""
    done = await run(
        *("copy", EXAMPLE, "backup-00000000"),
        *("--source-region", "cn-north-1", "--region", "us-west-2"),
    )

    assert (
        "fsxcopy: --source-region: must be in the partition of us-west-2, which is aws, "
        "not cn-north-1, which is in aws-cn\n"
    ) == done.err

"""`--max-wait` bounds a command, timeouts bound an attempt, and silence is reported."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import anyio
import anyio.lowlevel
import pytest
from aiobotocore.awsrequest import AioAWSResponse
from botocore.awsrequest import AWSPreparedRequest
from cli_rig import EXAMPLE, SPEED, Done, Run

from fsxcopy_sdk import BadRequest
from fsxcopy_sdk._transport import config_with_timeouts
from fsxcopy_sdk.cli._connection import Silence, client_of
from fsxcopy_sdk.cli._deadline import finished
from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.testing import Fault, LocalFsx

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
OFTEN = ("--min-delay", "0.05")
_URL = "https://fsx.us-west-2.amazonaws.com/?x=1"


@pytest.mark.parametrize("command", ["copy", "sync"])
async def test_max_wait_bounds_the_command(
    run: Run, fsx: LocalFsx, durations: dict[str, float], command: str
) -> None:
    """What runs is timed out, what waits for a slot is not started, and both are listed."""
    sources = [EXAMPLE, *(fsx.add_backup("us-east-2") for _ in range(3))]
    durations.update(dict.fromkeys(sources, 60.0))
    what = sources if command == "copy" else ["--newest", "all"]
    started = time.monotonic()
    done = await run(
        *(command, *what, *WHERE, *OFTEN, "--max-in-progress", "2"),
        *("--max-wait", "4", "--output", "json"),
    )

    copies = {str(copy["BackupId"]) for copy in fsx.backups("us-west-2")}
    outcomes = json.loads(done.out)["Outcomes"]
    assert 4 == done.code
    assert time.monotonic() - started < 15
    assert 2 == len(copies) == fsx.calls["CopyBackup"]
    assert ["NotStarted", "NotStarted", "TimedOut", "TimedOut"] == sorted(
        one["Outcome"] for one in outcomes
    )
    assert copies == {one["Backup"]["BackupId"] for one in outcomes if "Backup" in one}
    assert set(sources) == {one["Request"]["SourceBackupId"] for one in outcomes}
    how = "--output json --max-wait 4s --min-delay 0.05s"
    found = re.search(rf"resume with: fsxcopy wait (.*) --region us-west-2 {how}\n", done.err)
    assert found
    assert copies == set(found[1].split())
    assert "not started: 2" in done.err.splitlines()
    assert "--max-wait is over" == done.err.splitlines()[-1]


async def test_max_wait_of_many_waits(run: Run, fsx: LocalFsx) -> None:
    """Hundreds of waits end soon after the bound, each with its outcome."""
    ids = [fsx.add_backup("us-west-2", Lifecycle="COPYING") for _ in range(300)]
    started = time.monotonic()
    done = await run("wait", *ids, "--region", "us-west-2", "--max-wait", "1", "--output", "json")
    assert 4 == done.code
    assert time.monotonic() - started < 15
    outcomes = json.loads(done.out)["Outcomes"]
    assert {(one, "TimedOut") for one in ids} == {
        (one["BackupId"], one["Outcome"]) for one in outcomes
    }


async def test_max_wait_of_a_wait_without_answers(run: Run, fsx: LocalFsx) -> None:
    """If the answers stay away, the wait ends soon after the bound, and can be resumed."""
    running = fsx.add_backup("us-west-2", Lifecycle="COPYING")

    async def fall_silent() -> None:
        while not fsx.calls["DescribeBackups"]:  # noqa: ASYNC110 - the local FSx has no event
            await anyio.sleep(0.01)
        fsx.inject(Fault.delay(600 * SPEED), fraction=1.0)

    async with anyio.create_task_group() as group:
        group.start_soon(fall_silent)
        done = await run(
            *("wait", running, "--region", "us-west-2", *OFTEN),
            *("--max-wait", "1", "--output", "json"),
        )
    [outcome] = json.loads(done.out)["Outcomes"]
    assert 4 == done.code
    assert ("TimedOut", "--max-wait is over") == (outcome["Outcome"], outcome["Reason"])
    how = "--region us-west-2 --output json --max-wait 1s --min-delay 0.05s"
    assert f"resume with: fsxcopy wait {running} {how}" in done.err.splitlines()


async def test_max_wait_without_any_answer(run: Run, fsx: LocalFsx) -> None:
    """A silent service holds no command for longer than a few seconds beyond the bound."""
    fsx.inject(Fault.delay(600 * SPEED), fraction=1.0)
    started = time.monotonic()
    done = await run("copy", EXAMPLE, *WHERE, "--max-wait", "1")
    assert 4 == done.code
    assert time.monotonic() - started < 30
    *_, silence, left, again, over = done.err.splitlines()
    assert f"no answer yet from {fsx.endpoint_url}, retrying" == silence
    assert ("not started: 1", "--max-wait is over") == (left, over)
    assert again.startswith("run the same command again")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException"])
@pytest.mark.parametrize("is_seen", [True, False])
async def test_access_lost_while_waiting(
    run: Run, fsx: LocalFsx, code: str, is_seen: bool
) -> None:
    """Losing access is not a failed copy: code 3, and the command to resume."""
    running = fsx.add_backup("us-west-2", Lifecycle="COPYING")
    ended = fsx.add_backup("us-west-2", Lifecycle="COPYING")
    if not is_seen:
        fsx.inject(Fault.error(code), fraction=1.0)
    done: list[Done] = []

    async def wait() -> None:
        how = ("--region", "us-west-2", *OFTEN, "--output", "json", "--quiet")
        done.append(await run("wait", running, ended, *how))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        if is_seen:
            while not fsx.calls["DescribeBackups"]:  # noqa: ASYNC110 - the local FSx has no event
                await anyio.sleep(0.01)
            fsx.inject(Fault.error(code), fraction=1.0)
    [result] = done
    outcomes = json.loads(result.out)["Outcomes"]
    assert 3 == result.code
    assert ["NotObserved"] * 2 == [one["Outcome"] for one in outcomes]
    err = result.err.splitlines()
    ids = [one["BackupId"] for one in outcomes]
    how = "--region us-west-2 --output json --min-delay 0.05s"
    assert f"resume with: fsxcopy wait {' '.join(ids)} {how}" == err[-1]
    assert is_seen == any(line.startswith("still running") for line in err)


@pytest.mark.parametrize(("takes", "is_answered"), [(0.3, True), (9, False)])
@pytest.mark.parametrize("error", [None, BadRequest("no")])
async def test_a_call_goes_on_for_some_seconds_when_it_is_cancelled(
    takes: float, is_answered: bool, error: BadRequest | None
) -> None:
    """The caller has its answer or error, and is cancelled after that or at the end of them."""
    ends: list[object] = []

    async def call() -> str:
        await anyio.sleep(takes)
        if error:
            raise error
        return "done"

    began = time.monotonic()
    with anyio.move_on_after(0.1) as scope:
        try:
            ends.append(await finished(call()))
        except BadRequest as caught:
            ends.append(caught)
        await anyio.lowlevel.checkpoint()
        ends.append("not cancelled")
    assert scope.cancelled_caught
    assert ([error or "done"] if is_answered else []) == ends
    assert time.monotonic() - began < 3


async def test_silence_is_reported_once() -> None:
    """Requests without an answer are reported after a while, by the URL of the service."""
    said: list[str] = []
    silence = Silence(timedelta(0), said.append)
    request = cast("AWSPreparedRequest", SimpleNamespace(url=_URL))
    answer = cast("AioAWSResponse", {})
    silence.received(answer)
    silence.sent(request)
    silence.received(answer)  # in time
    await anyio.sleep(0.01)
    assert [] == said
    silence.sent(request)
    silence.received(None)  # the attempt failed
    silence.sent(request)
    await anyio.sleep(0.01)
    silence.received(answer)
    silence.sent(request)
    await anyio.sleep(0.01)
    assert ["https://fsx.us-west-2.amazonaws.com"] == said


@pytest.mark.parametrize(
    ("given", "expected"), [((None, 5.0), (60, 5.0)), ((0.5, 0.0), (0.5, None))]
)
def test_timeouts(
    given: tuple[float | None, float | None], expected: tuple[float | None, float | None]
) -> None:
    """A timeout is in seconds; none is the default, and zero switches it off."""
    config = config_with_timeouts(
        *[None if one is None else timedelta(seconds=one) for one in given]
    )
    assert expected == (config.connect_timeout, config.read_timeout)


async def test_read_timeout(run: Run, fsx: LocalFsx) -> None:
    """An attempt that takes longer than --read-timeout ends."""
    fsx.inject(Fault.delay(600 * SPEED), fraction=1.0)
    done = await run(
        "list", "--region", "us-east-2", "--read-timeout", "0.2s", "--connect-timeout=5"
    )
    assert 1 == done.code
    assert "RequestTimeout" in done.err


@pytest.mark.parametrize(
    ("given", "first", "second", "expected"),
    [
        ("eu-west-1", "us-west-1", "us-west-2", "eu-west-1"),
        (None, "us-west-1", "us-west-2", "us-west-1"),
        (None, "", "us-west-2", "us-west-2"),
        (None, None, "us-west-2", "us-west-2"),
        (None, "us-west-1", None, "us-west-1"),
        (None, None, None, "ca-central-1"),
    ],
)
async def test_places_of_the_region(
    *,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    given: str | None,
    first: str | None,
    second: str | None,
    expected: str,
) -> None:
    """They are read in the AWS CLI's order: option, two variables, profile."""
    config = tmp_path / "config"
    config.write_text("[profile dr]\nregion = ca-central-1\n", "utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name, value in (("AWS_REGION", first), ("AWS_DEFAULT_REGION", second)):
        if value is not None:
            monkeypatch.setenv(name, value)
    async with client_of(Globals(region=given, profile="dr")) as client:
        assert expected == client.region


@pytest.mark.parametrize("level", ["DEBUG", "Debug", "debug"])
async def test_log_level_in_any_case(run: Run, fsx: LocalFsx, level: str) -> None:
    """Levels are written as logging writes them, or small."""
    done = await run("list", "--region", "us-east-2", "--log-level", level)
    assert 0 == done.code
    assert " DEBUG fsxcopy_sdk." in done.err


async def test_unknown_log_level(run: Run, fsx: LocalFsx) -> None:
    """Another level is a usage error that names those that there are."""
    done = await run("list", "--region", "us-east-2", "--log-level", "loud")
    assert (2, 1) == (done.code, len(done.err.splitlines()))
    assert 'Invalid value "loud" for --log-level. Choose from: "debug", "info", ' in done.err

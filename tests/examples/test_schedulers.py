"""
The units, the CronJob and the workflow: what they say, and the command lines in them, run.

`nox -s examples` holds them against the rules of Kubernetes and GitHub, too.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import yaml
from cli_rig import EXAMPLE, FSXCOPY
from examples_rig import EXAMPLES

from fsxcopy_sdk.fleet import Fleet
from fsxcopy_sdk.testing import Fault, LocalFsx

POLICIES = EXAMPLES / "fsxcopy.toml"
PAGE = EXAMPLES.parent / "docs" / "how-to" / "cron-systemd-containers.md"
WEST = "us-west-2"
SECONDS_ON_SIGTERM = 2


class _Unit(configparser.RawConfigParser):
    """A unit of systemd, where a name may have several values."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, interpolation=None, delimiters="=")
        self.text = path.read_text("utf-8")
        self.read_string(self.text)

    def every(self, name: str) -> list[str]:
        return re.findall(rf"^{name}=(.*)$", self.text, re.MULTILINE)


SERVICE = _Unit(EXAMPLES / "systemd" / "fsxcopy.service")
CRON_JOB = next(
    one
    for one in yaml.safe_load_all((EXAMPLES / "kubernetes" / "cronjob.yaml").read_text("utf-8"))
    if one["kind"] == "CronJob"
)["spec"]
JOB = CRON_JOB["jobTemplate"]["spec"]
POD = JOB["template"]["spec"]
(CONTAINER,) = POD["containers"]
WORKFLOW = yaml.safe_load((EXAMPLES / "github-actions" / "fsxcopy.yml").read_text("utf-8"))


@pytest.fixture(name="duration")
def _duration() -> list[float]:
    """How many seconds a copy takes; what is in the list at the time of the request."""
    return [0.0]


@pytest.fixture(name="fsx")
async def _fsx(monkeypatch: pytest.MonkeyPatch, duration: list[float]) -> AsyncIterator[LocalFsx]:
    """A local FSx where the environment says that AWS is, and its example backup."""
    async with LocalFsx(copy_duration=lambda _: duration[0]) as fsx:
        fsx.add_example_backup()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
        yield fsx


def _words(line: str) -> list[str]:
    """Return a command line with this machine's paths."""
    line = line.replace("/opt/fsxcopy/bin/fsxcopy", str(FSXCOPY))
    return shlex.split(line.replace("/etc/fsxcopy.toml", str(POLICIES)))


UNIT_SYNC, UNIT_REPORT = map(_words, SERVICE.every("ExecStart"))
POD_SYNC = [str(FSXCOPY), *CONTAINER["args"]]
POD_SYNC[POD_SYNC.index("/etc/fsxcopy/fsxcopy.toml")] = str(POLICIES)


async def _code(command: list[str]) -> int:
    done = await anyio.run_process(command, check=False, stdout=None, stderr=None)
    return done.returncode


def test_the_policies_are_correct() -> None:
    """The file is read, and prunes."""
    (policy,) = Fleet.from_toml(POLICIES).policies
    assert policy.prune


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """What systemd would warn of is printed."""
    names = ["fsxcopy.service", "fsxcopy.timer", "alert@.service"]
    names += ["fsxcopy-metrics.service", "fsxcopy-metrics.timer"]
    for name in names:
        text = (EXAMPLES / "systemd" / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("/opt/fsxcopy/bin/fsxcopy", str(FSXCOPY)))
    timers = ("fsxcopy.timer", "fsxcopy-metrics.timer")
    units = [str(tmp_path / name) for name in ("alert@fsxcopy.service.service", *timers)]
    shutil.copy(tmp_path / "alert@.service", units[0])
    command = ["systemd-analyze", "verify", "--man=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_what_the_unit_mails(tmp_path: Path) -> None:
    """The unit that `OnFailure` starts mails the log of the one that failed."""
    unit = "fsxcopy.service"
    assert "alert@%n.service" == SERVICE["Unit"]["OnFailure"]
    for name in ("journalctl", "mail"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n[ {name} = mail ] && cat\n')
        (tmp_path / name).chmod(0o755)
    (line,) = _Unit(EXAMPLES / "systemd" / "alert@.service").every("ExecStart")
    command = shlex.split(line.replace("%i", unit).replace("%H", "backups"))
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": path})
    assert f"mail -s {unit} failed on backups ops@example.com" in done.stdout
    assert f"journalctl --unit={unit} " in done.stdout


async def test_the_metrics_are_written(fsx: LocalFsx, tmp_path: Path) -> None:
    """A late copy is in the file, and its code is one that the unit takes for success."""
    unit = _Unit(EXAMPLES / "systemd" / "fsxcopy-metrics.service")
    (command,) = map(_words, unit.every("ExecStart"))
    out = Path(command[-1])
    assert str(out.parent) == unit["Service"]["ReadWritePaths"]

    await _code(UNIT_SYNC)

    assert 1 == await _code([*command[:-1], str(tmp_path / out.name)])
    assert "1" == unit["Service"]["SuccessExitStatus"]
    assert "fsxcopy_source_late{" in (tmp_path / out.name).read_text("utf-8")


def _hours(text: str) -> float:
    """Return a duration such as 5h or 5h 30min."""
    return sum(
        float(number) / {"h": 1, "min": 60}[unit]
        for number, unit in re.findall(r"(\d+)(h|min)", text)
    )


def test_times_are_in_order() -> None:
    """The command ends by itself before it is ended, and that before the next run begins."""
    wait = _hours(UNIT_SYNC[UNIT_SYNC.index("--max-wait") + 1])
    assert wait < _hours(SERVICE["Service"]["TimeoutStartSec"]) < 6
    assert SECONDS_ON_SIGTERM < int(SERVICE["Service"]["TimeoutStopSec"])
    timer = _Unit(EXAMPLES / "systemd" / "fsxcopy.timer")
    assert "00/6:20" == timer["Timer"]["OnCalendar"]

    wait = _hours(POD_SYNC[POD_SYNC.index("--max-wait") + 1])
    assert wait < JOB["activeDeadlineSeconds"] / 3600 < 6
    assert SECONDS_ON_SIGTERM < POD["terminationGracePeriodSeconds"]
    assert ("20 */6 * * *", "Forbid") == (CRON_JOB["schedule"], CRON_JOB["concurrencyPolicy"])


@pytest.mark.parametrize("command", [UNIT_SYNC, POD_SYNC], ids=["systemd", "kubernetes"])
async def test_the_commands_copy(command: list[str], fsx: LocalFsx) -> None:
    """The backup is copied once, also by two runs."""
    assert [0, 0] == [await _code(command), await _code(command)]
    (copy,) = fsx.backups(WEST)
    assert EXAMPLE == copy["SourceBackupId"]


async def test_the_report_of_the_unit_fails(fsx: LocalFsx) -> None:
    """The example backup is of 2021, so its copy is late."""
    await _code(UNIT_SYNC)
    assert 1 == await _code(UNIT_REPORT)
    assert "1" not in SERVICE["Service"]["SuccessExitStatus"].split()


@pytest.mark.parametrize("command", [UNIT_SYNC, POD_SYNC], ids=["systemd", "kubernetes"])
async def test_what_is_not_finished_in_time(
    command: list[str], fsx: LocalFsx, duration: list[float]
) -> None:
    """The code is one that the unit takes for success, and that no other pod is started for."""
    duration[0] = 3600
    at = command.index("--max-wait") + 1
    assert 4 == await _code([*command[:at], "1s", *command[at + 1 :]])
    assert "4" in SERVICE["Service"]["SuccessExitStatus"].split()
    assert 4 in _codes("FailJob")


def _codes(action: str) -> list[int]:
    rules = JOB["podFailurePolicy"]["rules"]
    (codes,) = [one["onExitCodes"] for one in rules if one["action"] == action]
    assert (CONTAINER["name"], "In") == (codes["containerName"], codes["operator"])
    return list(codes["values"])


async def test_what_will_not_pass_is_not_repeated(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong file and a missing permission have codes for which no other pod is started."""
    fsx.inject(Fault.error("AccessDeniedException", "no", status=400), fraction=1)
    refused = await _code(POD_SYNC)
    wrong = tmp_path / "fsxcopy.toml"
    wrong.write_text("version = 2")
    mistaken = await _code([str(wrong) if one == str(POLICIES) else one for one in POD_SYNC])
    assert [3, 2] == [refused, mistaken]
    assert {2, 3} <= set(_codes("FailJob"))
    assert 1 not in _codes("FailJob")


@pytest.mark.parametrize("command", [UNIT_SYNC, POD_SYNC], ids=["systemd", "kubernetes"])
async def test_sigterm_ends_the_commands(
    command: list[str], fsx: LocalFsx, duration: list[float]
) -> None:
    """They end long before they would be killed, by a code that the unit does not fail for."""
    duration[0] = 3600
    async with await anyio.open_process(command, stdout=None, stderr=None) as process:
        while not fsx.calls["CopyBackup"]:  # noqa: ASYNC110 - the local FSx has no event
            await anyio.sleep(0.01)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = await process.wait()
    assert 143 == code
    assert time.monotonic() - begun < 15
    assert "143" in SERVICE["Service"]["SuccessExitStatus"].split()


STEPS = [one for job in WORKFLOW["jobs"].values() for one in job["steps"]]
_, SYNC_STEP, REPORT_STEP = [one["run"] for one in STEPS if "run" in one]
RunStep = Callable[[str], Any]


@pytest.fixture(name="run_step")
def _run_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStep:
    """Run a step as GitHub does, in a folder with the policies, and return its code."""
    shutil.copy(POLICIES, tmp_path)
    monkeypatch.setenv("PATH", f"{FSXCOPY.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))

    async def run(step: str) -> int:
        script = tmp_path / "step.sh"
        script.write_text(step)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        done = await anyio.run_process(
            command, check=False, cwd=tmp_path, stdout=None, stderr=None
        )
        return done.returncode

    return run


async def test_the_workflow_begins_copies(
    run_step: RunStep, fsx: LocalFsx, duration: list[float], tmp_path: Path
) -> None:
    """The first run begins the copy and the next one finds it; both report it as late."""
    duration[0] = 3600
    assert [0, 1, 0, 1] == [
        await run_step(one) for one in (SYNC_STEP, REPORT_STEP, SYNC_STEP, REPORT_STEP)
    ]
    assert 1 == fsx.calls["CopyBackup"]
    assert (tmp_path / "summary").read_text("utf-8").startswith("#")


async def test_the_workflow_fails_for_what_a_repetition_does_not_mend(
    run_step: RunStep, fsx: LocalFsx
) -> None:
    """An answer that is lost is left to the next run; a permission that is missing is not."""
    fsx.inject(Fault.reset(), fraction=1, operation="CopyBackup", after=True)
    assert 0 == await run_step(SYNC_STEP)
    fsx.clear_faults()
    fsx.inject(Fault.error("AccessDeniedException", "no", status=400), fraction=1)
    assert 1 == await run_step(SYNC_STEP)


def _crontab() -> tuple[str, str]:
    """Return the two commands of the page's crontab, with this machine's path."""
    (block,) = re.findall(
        r"^MAILTO=.*?(?=^```)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (line,) = [one for one in block.splitlines() if one[0].isdigit()]
    line = re.sub(r"^\S+ \S+ \S+ \S+ \S+ ", "", line)
    sync, _, report = line.replace("/etc/fsxcopy.toml", str(POLICIES)).partition("; ")
    return sync, report


@pytest.mark.skipif(shutil.which("flock") is None, reason="there is no flock")
async def test_cron_mails_only_what_there_is_to_do(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, duration: list[float]
) -> None:
    """
    A run that copies prints nothing, nor does one that has no time left.

    A refused one says why, and a report what is late.
    """
    monkeypatch.setenv("PATH", f"{FSXCOPY.parent}:{os.environ['PATH']}")
    sync, report = _crontab()
    sync = sync.replace("/tmp/fsxcopy.lock", str(tmp_path / "lock"))

    async def mail(line: str) -> bytes:
        done = await anyio.run_process(["sh", "-c", line], check=False)
        return done.stdout + done.stderr

    assert b"" == await mail(sync)
    assert 1 == fsx.calls["CopyBackup"]
    assert b"LATE" in await mail(report)
    duration[0] = 3600
    fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
    assert b"" == await mail(sync.replace("--max-wait 5h", "--max-wait 1s"))
    assert 2 == fsx.calls["CopyBackup"]
    fsx.inject(Fault.error("AccessDeniedException", "no", status=400), fraction=1)
    assert b"AccessDenied" in await mail(sync)


async def test_calls_of_a_run_with_nothing_to_do(fsx: LocalFsx) -> None:
    """Each Region is listed once, and by the report once more."""
    await _code(UNIT_SYNC)
    counts = []
    for command in (UNIT_SYNC, UNIT_REPORT):
        fsx.calls.clear()
        await _code(command)
        counts.append(dict(fsx.calls))
    assert [{"DescribeBackups": 2}] * 2 == counts

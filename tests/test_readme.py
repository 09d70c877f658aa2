"""The README's programs run, and its lines of set-up are of the form that it promises."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.replication import ReplicationPolicy
from fsxcopy_sdk.testing import LocalFsx

if TYPE_CHECKING:
    from conftest import Connect

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
POLICY, _ = (json.loads(text) for language, text in BLOCKS if language == "json")
PROGRAMS = [text for language, text in BLOCKS if language == "python"]
COPY, LIST, FOLLOW, COPY_MANY, SYNC, FLEET, TEST, TEST_OF_HOURS = PROGRAMS
(FILE,) = [text for language, text in BLOCKS if language == "toml"]


def _run(program: str) -> dict[str, Callable[..., Awaitable[None]]]:
    names: dict[str, Callable[..., Awaitable[None]]] = {}
    exec(compile(program, "README.md", "exec"), names)
    return names


def test_the_policy_can_be_read() -> None:
    """The document of a policy is one."""
    assert ReplicationPolicy.from_dict(POLICY).to_dict().items() >= POLICY.items()


@pytest.mark.usefixtures("served")
def test_the_first_program_copies_a_backup() -> None:
    """Fifteen lines copy, wait and print, as a program of its own."""
    done = subprocess.run(
        [sys.executable, "-c", COPY], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("AVAILABLE us-east-2 ")
    assert 15 >= len([line for line in COPY.splitlines() if line])


async def test_the_listing_prints_backups(
    client: FsxCopyClient, fsx: LocalFsx, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the backups of the one file system are printed."""
    backup_id = fsx.add_backup("us-west-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
    fsx.add_backup("us-west-2")

    await _run(LIST)["print_backups"](client, "fs-0123456789abcdef0")

    lines = capsys.readouterr().out.splitlines()
    assert 1 == len(lines)
    assert lines[0].startswith(f"{backup_id} ")


@pytest.mark.parametrize("ending", ["available", "failed", "slow"])
async def test_the_wait_prints_what_it_sees(
    client: FsxCopyClient, fsx: LocalFsx, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    """Each way a wait can end has its line."""
    copy = await client.copy_backup("backup-03e3c82e0183b7b6b", source_region="us-east-2")
    if ending == "failed":
        fsx.fail_copy(copy.backup.backup_id, "no such key")
    if ending == "slow":
        fsx.set_lifecycle(copy.backup.backup_id, "COPYING")

    await _run(FOLLOW)["follow"](client, copy.backup.backup_id)

    expected = {
        "available": "AVAILABLE 100",
        "failed": "FAILED no such key",
        "slow": "not yet after 3600 s: wait again, here or anywhere",
    }
    assert expected[ending] == capsys.readouterr().out.splitlines()[-1]


async def test_many_are_copied(
    client: FsxCopyClient, fsx: LocalFsx, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each copy and each failure has its line."""
    ids = [fsx.add_backup("us-east-2"), "backup-00000000"]

    await _run(COPY_MANY)["copy_all"](client, ids, "us-east-2")

    (copy,) = fsx.backups("us-west-2")
    refused, copied = sorted(capsys.readouterr().out.splitlines())
    assert f"{ids[0]} {copy['BackupId']}" == copied
    assert refused.startswith("backup-00000000 BackupNotFound (CopyBackup in us-west-2): ")


async def test_a_region_is_kept_ready(
    connect: Connect,
    client: FsxCopyClient,
    fsx: LocalFsx,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The plan is printed, then what became of it, then what is late."""
    async with connect(fsx, region="us-east-2") as source:
        await _run(SYNC)["sync"](source, client)

    lines = capsys.readouterr().out.splitlines()
    assert "to copy: 1" in lines
    [copy] = fsx.backups("us-west-2")
    assert f"{copy['SourceBackupId']}: copied as {copy['BackupId']}" in lines
    assert lines[-1].startswith("late: fs-0498eed5fe91001ec ")


@pytest.mark.usefixtures("served")
async def test_a_fleet_is_kept_ready(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is done has a line, and each account that fails, such as one whose STS is down."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    file = tmp_path / "fsxcopy.toml"
    file.write_text(FILE.replace(', profile = "production"', ""), "utf-8")

    await _run(FLEET)["sync_all"](str(file))

    lines = capsys.readouterr().out.splitlines()
    copied = "nightly: account default, backup-03e3c82e0183b7b6b: copied as backup-"
    assert 2 == sum(line.startswith(copied) for line in lines)
    assert lines[-1].startswith("not reported: databases 123456789012 ")


async def test_the_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of a user's test is one."""
    await _run(TEST)["test_a_copy_becomes_available"](monkeypatch)


async def test_the_test_of_hours_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait of hours takes no time on a clock that moves on by itself."""
    await _run(TEST_OF_HOURS)["test_a_wait_of_hours"](monkeypatch)


def test_there_are_two_lines_of_set_up() -> None:
    """One line runs the demo and one all checks; both make their own environment."""
    lines = [text for language, text in BLOCKS if language == "sh"]

    assert ["fsxcopy demo\n", "nox\n"] == [line.rpartition("/bin/")[2] for line in lines]
    assert all(line.startswith("python3 -m venv ") and line.count("\n") == 1 for line in lines)

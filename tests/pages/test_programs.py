"""The programs of the how-to pages run, and do what the pages say."""

from __future__ import annotations

import ast
import doctest
import json
import logging
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiobotocore.session import AioSession
from pages_rig import DOCS, EXAMPLE, programs, run

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.fleet import Fleet
from fsxcopy_sdk.replication import Keep, ReplicationPolicy
from fsxcopy_sdk.testing import Fault, LocalFsx

if TYPE_CHECKING:
    from conftest import Connect

HOW_TO = DOCS / "how-to"
COPY, LIST, FOLLOW = programs(HOW_TO / "copy-and-wait.md")
(COPY_MANY,) = programs(HOW_TO / "copy-many.md")
(SYNC,) = programs(HOW_TO / "keep-a-region-in-sync.md")
(FLEET,) = programs(HOW_TO / "many-accounts.md")
(FILE,) = programs(HOW_TO / "many-accounts.md", "toml")
_WHOLE = re.DOTALL | re.MULTILINE
LOGGING, REQUEST_ID = programs(HOW_TO / "debugging.md")


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_document_is_json(page: Path) -> None:
    """Nothing in a block of JSON is left out or commented."""
    for text in programs(page, "json"):
        json.loads(text)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_program_can_be_read(page: Path) -> None:
    """Python reads it, also where it needs what is not installed here."""
    for text in programs(page):
        compile(text, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_examples_at_the_prompt(page: Path) -> None:
    """What pages show at Python's prompt is what Python prints."""
    found = re.findall(r"^```\{doctest\}\n(.*?)^```$", page.read_text("utf-8"), _WHOLE)
    text = "\n".join(found)
    example = doctest.DocTestParser().get_doctest(text, {}, page.stem, str(page), 0)
    assert 0 == doctest.DocTestRunner().run(example).failed


def test_the_policy_can_be_read() -> None:
    """The document of a policy is one."""
    (text,) = programs(HOW_TO / "keep-a-region-in-sync.md", "json")
    policy = json.loads(text)
    assert ReplicationPolicy.from_dict(policy).to_dict().items() >= policy.items()


def test_the_policy_of_the_operator_can_be_read() -> None:
    """The document that the page on Airflow gives as `policy=` is one."""
    (policy,) = (
        ast.literal_eval(keyword.value)
        for text in programs(HOW_TO / "airflow.md")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "policy"
    )
    expected = ReplicationPolicy(name="nightly", newest=3, keep=Keep(daily=7, weekly=4))
    assert expected == ReplicationPolicy.from_dict(policy)


@pytest.mark.parametrize("page", ["many-accounts", "retention"])
def test_the_files_can_be_read(page: str, tmp_path: Path) -> None:
    """Files of policies on pages have no errors."""
    for text in programs(HOW_TO / f"{page}.md", "toml"):
        (tmp_path / "fsxcopy.toml").write_text(text, "utf-8")
        assert Fleet.from_toml(tmp_path / "fsxcopy.toml").policies


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

    await run(LIST)["print_backups"](client, "fs-0123456789abcdef0")

    lines = capsys.readouterr().out.splitlines()
    assert 1 == len(lines)
    assert lines[0].startswith(f"{backup_id} ")


@pytest.mark.parametrize("ending", ["available", "failed", "slow"])
async def test_the_wait_prints_what_it_sees(
    client: FsxCopyClient, fsx: LocalFsx, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    """Each way a wait can end has its line."""
    copy = await client.copy_backup(EXAMPLE, source_region="us-east-2")
    if ending == "failed":
        fsx.fail_copy(copy.backup.backup_id, "no such key")
    if ending == "slow":
        fsx.set_lifecycle(copy.backup.backup_id, "COPYING")

    await run(FOLLOW)["follow"](client, copy.backup.backup_id)

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

    await run(COPY_MANY)["copy_all"](client, ids, "us-east-2")

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
        await run(SYNC)["sync"](source, client)

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

    await run(FLEET)["sync_all"](str(file))

    lines = capsys.readouterr().out.splitlines()
    copied = f"nightly: account default, {EXAMPLE}: copied as backup-"
    assert 2 == sum(line.startswith(copied) for line in lines)
    assert lines[-1].startswith("not reported: databases 123456789012 ")


@pytest.mark.parametrize("program", programs(HOW_TO / "local-fsx.md"))
def test_the_tests_with_unittest_pass(program: str) -> None:
    """The tests that the page shows are found, and pass."""
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    cases = [one for one in run(program).values() if isinstance(one, type)]
    own = [one for one in cases if issubclass(one, unittest.TestCase) and one.__module__ == "page"]

    result = unittest.TestResult()
    unittest.TestSuite(map(load, own)).run(result)

    assert (1, True) == (result.testsRun, result.wasSuccessful()), result


async def test_a_profile_is_used(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The client signs with the keys of the profile."""
    config = tmp_path / "config"
    config.write_text(
        "[profile production]\naws_access_key_id = AKIDOFPRODUCTION\n"
        f"aws_secret_access_key = any\nendpoint_url = {fsx.endpoint_url}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    (program,) = programs(HOW_TO / "credentials.md")
    make: object = run(program)["production"]
    assert callable(make)

    fsx.add_access_key("AKIDOFPRODUCTION", account="210987654321")
    async with make("us-west-2") as client:
        await client.describe_backups()

    assert "210987654321" == fsx.requests[-1].account


async def test_a_client_is_wrapped(served: None, session: AioSession) -> None:
    """A copy is made through a client of the program's own."""
    (program,) = programs(HOW_TO / "wrap-a-client.md")
    assert (await run(program)["copy"](session, EXAMPLE)).startswith("backup-")


def test_trio_lists(served: None) -> None:
    """The program of the page runs on trio."""
    pytest.importorskip("httpx2", reason="aiobotocore runs on trio from 3.9")
    (program,) = programs(HOW_TO / "trio.md")
    done = subprocess.run(
        [sys.executable, "-c", program.replace("us-west-2", "us-east-2")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, f"{EXAMPLE}\n") == (done.returncode, done.stdout)


async def test_the_request_id_is_told(
    client: FsxCopyClient, fsx: LocalFsx, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error has what AWS support asks for."""
    fsx.inject(Fault.throttling(), next_calls=1)
    request_id = await run(REQUEST_ID)["request_id"](client, EXAMPLE)
    assert request_id
    assert capsys.readouterr().out.endswith(" DescribeBackups us-west-2 1\n")


async def test_the_loggers_that_are_named_log(
    client: FsxCopyClient, fsx: LocalFsx, caplog: pytest.LogCaptureFixture
) -> None:
    """The program of the page shows an accepted copy, and the page on logs names each logger."""
    logger = logging.getLogger("fsxcopy_sdk")
    before = logger.level
    try:
        run(LOGGING)
        await client.copy_backup_and_wait(EXAMPLE, source_region="us-east-2")
    finally:
        logger.setLevel(before)
    text = (HOW_TO / "tracing-and-logs.md").read_text("utf-8")
    assert {"fsxcopy_sdk.client", "fsxcopy_sdk.waiting"} == {one.name for one in caplog.records}
    assert all(f"`{one.name}`" in text for one in caplog.records)


def test_the_newest_copy_is_found() -> None:
    """The line of jq finds the copy of the newest backup, not the one that was begun last."""
    page = (HOW_TO / "restore.md").read_text("utf-8")
    start = page.index("jq --raw-output '") + len("jq --raw-output '")
    listing = {
        "Backups": [
            {
                "BackupId": "backup-00000001",
                "CreationTime": "2026-11-20T00:00:00+00:00",
                "Tags": [{"Key": "fsxcopy:source-time", "Value": "2026-11-19T00:00:00+00:00"}],
            },
            {
                "BackupId": "backup-00000002",
                "CreationTime": "2026-11-21T00:00:00+00:00",
                "Tags": [{"Key": "fsxcopy:source-time", "Value": "2026-11-18T00:00:00+00:00"}],
            },
            {"BackupId": "backup-00000003", "CreationTime": "2026-11-17T00:00:00+00:00"},
        ]
    }
    try:
        done = subprocess.run(
            ["jq", "--raw-output", page[start : page.index("'\n```", start)]],
            input=json.dumps(listing),
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("jq is not installed")
    assert "backup-00000001\n" == done.stdout

"""The JSON of every command: one style, which is the library's."""

from __future__ import annotations

import json

import pytest
from cli_rig import EXAMPLE, Run
from document_style import assert_style

from fsxcopy_sdk.replication import ReplicationPlan
from fsxcopy_sdk.testing import LocalFsx

_WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
_PRUNE = ("--policy", "nightly", "--keep-last", "1", "--newest", "all", "--prune")
_SLOW = "backup-00000001"
_FAILED = "backup-00000002"
_TO_GO = "backup-00000003"

_COMMANDS: dict[str, tuple[str, ...]] = {
    "list": ("list", "--region", "us-west-2"),
    "show": ("show", EXAMPLE, "--region", "us-east-2"),
    "copy": ("copy", EXAMPLE, "backup-0000000f", *_WHERE, "--min-delay", "0.05"),
    "wait": ("wait", _SLOW, _FAILED, "--region", "us-west-2", "--max-wait", "0"),
    "plan": ("plan", *_WHERE, "--keep-within", "30d"),
    "dry run": ("sync", *_WHERE, *_PRUNE, "--dry-run"),
    "sync": ("sync", *_WHERE, *_PRUNE, "--max-wait", "1"),
    "report": ("report", *_WHERE),
    "delete": ("delete", _TO_GO, "backup-0000000f", "--region", "us-west-2", "--yes"),
}


@pytest.fixture(name="regions")
def _regions(fsx: LocalFsx) -> None:
    """Backups and copies of every kind, some of which no command gets far with."""
    volume = {"VolumeId": "fsvol-0123456789abcdef0", "VolumeType": "ONTAP"}
    style = {"OntapConfiguration": {"VolumeStyle": "FLEXGROUP", "UUID": "x"}}
    fsx.add_backup("us-east-2", ResourceType="VOLUME", Volume=volume | style)
    source = fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
    fsx.add_backup(
        "us-west-2",
        BackupId=_SLOW,
        Lifecycle="COPYING",
        ProgressPercent=3,
        SourceBackupId=source,
        SourceBackupRegion="us-east-2",
    )
    fsx.add_backup("us-west-2", BackupId=_FAILED)
    fsx.fail_copy(_FAILED, "no such key")
    fsx.add_backup("us-west-2", BackupId=_TO_GO)


@pytest.mark.usefixtures("regions")
@pytest.mark.parametrize("command", _COMMANDS.values(), ids=_COMMANDS)
async def test_style(run: Run, command: tuple[str, ...]) -> None:
    """Each document, and each line of JSON lines, has the version and the style."""
    await run(*command, "--output", "json")
    document = await run(*command, "--output", "json", "--quiet")
    lines = await run(*command, "--output", "jsonl", "--quiet")
    assert_style(json.loads(document.out))
    assert lines.out
    for line in lines.out.splitlines():
        assert_style(json.loads(line))


async def test_a_plan_can_be_read(run: Run, fsx: LocalFsx) -> None:
    """What `fsxcopy plan` writes is the document of a plan, whose parts are read as well."""
    done = await run("plan", *_WHERE, "--keep-last", "7", "--output", "json")
    plan = ReplicationPlan.from_dict(json.loads(done.out))
    assert plan.to_dict() == json.loads(done.out)
    assert [EXAMPLE] == [one.request.source_backup_id for one in plan.to_copy]


async def test_failures_have_the_error(run: Run, fsx: LocalFsx) -> None:
    """The error of a failed copy has its class, the call, and what AWS support needs."""
    done = await run("copy", "backup-0000000f", *_WHERE, "--output", "jsonl")
    failed = json.loads(done.out)
    request_id = failed["Error"].pop("RequestId")
    token = failed["Error"].pop("ClientRequestToken")
    assert "BackupNotFound" == failed["Error"].pop("Cause")["Type"]  # of botocore
    assert {
        "Version": 1,
        "Outcome": "CopyFailed",
        "Request": {
            "SourceBackupId": "backup-0000000f",
            "SourceRegion": "us-east-2",
            "CopyTags": True,
        },
        "Error": {
            "Type": "BackupNotFound",
            "Message": "Backup backup-0000000f does not exist in us-east-2.",
            "IsTransient": False,
            "Operation": "CopyBackup",
            "Region": "us-west-2",
            "Attempts": 1,
            "Code": "BackupNotFound",
            "HttpStatus": 400,
        },
    } == failed
    assert request_id in done.err
    assert token.startswith("fsxcopy-")


async def test_ends_of_waits_and_deletions(run: Run, fsx: LocalFsx) -> None:
    """Items of commands that are no copies have the ID and the style of the library's outcomes."""
    available = fsx.add_backup("us-west-2")
    done = await run("wait", available, "--region", "us-west-2", "--output", "jsonl")
    end = json.loads(done.out)
    assert available == end.pop("Backup")["BackupId"]
    assert {"Version": 1, "Outcome": "Available", "BackupId": available} == end

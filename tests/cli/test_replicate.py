"""
``fsxcopy plan``, ``fsxcopy sync`` and ``fsxcopy report``.
"""

from __future__ import annotations

import json
import time

from cli_rig import EXAMPLE, Run

from fsxcopy_sdk.bulk import DEFAULT_MAX_IN_PROGRESS
from fsxcopy_sdk.cli import _app
from fsxcopy_sdk.testing import Fault, LocalFsx
from fsxcopy_sdk.testing._json import JsonValue

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
OFTEN = ("--min-delay", "0.05")
FILE_SYSTEM = "fs-0498eed5fe91001ec"


def _add_backup(fsx: LocalFsx, *, days_old: int) -> None:
    made = time.time() - days_old * 86400
    fsx.add_backup("us-east-2", CreationTime=made, FileSystem={"FileSystemId": FILE_SYSTEM})


async def test_the_plan_says_what_a_sync_would_do(run: Run, fsx: LocalFsx) -> None:
    """
    Plan and dry run write the same, and change nothing.
    """
    plan = await run("plan", *WHERE)
    dry_run = await run("sync", *WHERE, "--dry-run")
    document = json.loads((await run("plan", *WHERE, "--output", "json")).out)
    line = await run("sync", *WHERE, "--dry-run", "--output", "jsonl")

    assert "to copy: 1" == plan.out.splitlines()[1]
    assert f"  {FILE_SYSTEM}: {EXAMPLE} of 2021-04-09T07:53:28+00:00" in plan.out.splitlines()
    assert plan.out.splitlines()[1:] == dry_run.out.splitlines()[1:]
    assert EXAMPLE == document["to_copy"][0]["backup"]["backup_id"]
    assert document["to_copy"] == json.loads(line.out)["to_copy"]
    assert [] == fsx.backups("us-west-2")


async def test_a_sync_and_another(run: Run, fsx: LocalFsx) -> None:
    """
    What is missing is copied as the policy says, and then there is nothing to do.
    """
    key = "arn:aws:kms:us-west-2:123456789012:key/d1234e22-543a-12b7-a98f-e12c2b54001a"
    how = ("--kms-key-id", key, "--tag", "Purpose=dr", "--no-copy-tags", "--policy", "nightly")

    first = await run("sync", *WHERE, *OFTEN, *how, "--output", "json")
    second = await run("sync", *WHERE, *OFTEN, *how, "--output", "json")

    (end,) = json.loads(first.out)["Outcomes"]
    assert ("copied", EXAMPLE) == (end["Outcome"], end["Request"]["SourceBackupId"])
    assert key == end["Backup"]["KmsKeyId"]
    tags = {tag["Key"]: tag["Value"] for tag in end["Backup"]["Tags"]}
    assert ("nightly", "dr") == (tags["fsxcopy:policy"], tags["Purpose"])
    assert "Name" not in tags
    assert "to copy: 1, on the way: 0, to prune: 0" == first.err.splitlines()[0]
    assert {"Outcomes": []} == json.loads(second.out)
    assert "nothing to do; copies there already: 1\n" == second.err
    assert (0, 0) == (first.code, second.code)


async def test_what_is_superfluous_is_pruned(run: Run, fsx: LocalFsx) -> None:
    """
    With --prune the copies that are no longer kept are deleted, and the reason is told.
    """
    _add_backup(fsx, days_old=2)
    await run("sync", *WHERE, *OFTEN)
    (old,) = fsx.backups("us-west-2")
    _add_backup(fsx, days_old=1)

    kept = await run("sync", *WHERE, *OFTEN, "--keep-newest", "1")
    pruned = await run("sync", *WHERE, *OFTEN, "--keep-newest", "1", "--prune")

    assert ["copied"] == [line.split()[1] for line in kept.out.splitlines()[1:]]
    row = pruned.out.splitlines()[1]
    assert [old["BackupId"], "pruned", "-"] == row.split()[:3]
    assert "to copy: 0, on the way: 0, to prune: 1" == pruned.err.splitlines()[0]
    assert 1 == len(fsx.backups("us-west-2"))


async def test_what_cannot_be_pruned(run: Run, fsx: LocalFsx) -> None:
    """
    A deletion that is refused is told, and makes the command fail.
    """
    for age in (2, 1):
        _add_backup(fsx, days_old=age)
    await run("sync", *WHERE, *OFTEN, "--newest", "all")
    fsx.inject(Fault.error("UnsupportedOperation"), operation="DeleteBackup", fraction=1.0)

    done = await run("sync", *WHERE, *OFTEN, "--keep-newest", "1", "--prune")

    assert {"not_pruned"} == {row.split()[1] for row in done.out.splitlines()[1:]}
    assert "not pruned: UnsupportedOperation (DeleteBackup)" in done.err
    assert 1 == done.code


async def test_what_cannot_be_copied_is_said(run: Run, fsx: LocalFsx) -> None:
    """
    A FlexGroup volume's backup is named with the reason, and stops nothing.
    """
    volume: dict[str, JsonValue] = {
        "VolumeId": "fsvol-0123456789abcdef0",
        "VolumeType": "ONTAP",
        "OntapConfiguration": {"VolumeStyle": "FLEXGROUP"},
    }
    fsx.add_backup("us-east-2", ResourceType="VOLUME", Volume=volume)

    done = await run("sync", *WHERE, *OFTEN, "--volume-id", "fsvol-0123456789abcdef0")

    nothing, said = done.err.splitlines()
    assert "nothing to do; copies there already: 0" == nothing
    assert said.endswith(": cannot copy: of a FlexGroup volume")
    assert 1 == done.code


async def test_what_cannot_be_copied_yet_is_said(run: Run, fsx: LocalFsx) -> None:
    """
    A backup that is not AVAILABLE will be by another time, and stops nothing.
    """
    fsx.set_lifecycle(EXAMPLE, "CREATING")

    done = await run("sync", *WHERE, *OFTEN)

    said, nothing = done.err.splitlines()
    assert said.startswith(f"cannot be copied: {FILE_SYSTEM}: {EXAMPLE} of ")
    assert said.endswith(": not AVAILABLE: CREATING")
    assert ("nothing to do; copies there already: 0", 0) == (nothing, done.code)


async def test_the_report_fails_where_something_is_late(run: Run, fsx: LocalFsx) -> None:
    """
    Each file system has its line, late or not; one that is late gives code 1.
    """
    late = await run("report", *WHERE)
    await run("sync", *WHERE, *OFTEN)
    good = await run("report", *WHERE, "--max-age", "36500d")

    (copy,) = fsx.backups("us-west-2")
    assert [FILE_SYSTEM, "LATE", "-", "-", EXAMPLE, "0"] == late.out.splitlines()[1].split()
    source, state, _, _, copy_id, *_ = good.out.splitlines()[1].split()
    assert (FILE_SYSTEM, "ok", copy["BackupId"]) == (source, state, copy_id)
    assert (1, 0) == (late.code, good.code)


async def test_the_report_as_json(run: Run, fsx: LocalFsx) -> None:
    """
    One document has all, JSON lines have one file system each.
    """
    fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})

    document = json.loads((await run("report", *WHERE, "--output", "json")).out)
    lines = (await run("report", *WHERE, "--output", "jsonl")).out.splitlines()

    assert ("us-east-2", "us-west-2") == (
        document["source_region"],
        document["destination_region"],
    )
    assert [one["source_id"] for one in document["sources"]] == [
        json.loads(line)["source_id"] for line in lines
    ]
    assert 2 == len(lines)


async def test_what_can_never_be_copied_makes_a_sync_fail(run: Run, fsx: LocalFsx) -> None:
    """
    It is an outcome like others, and the others are copied.
    """
    tags = [{"Key": f"key-{number}", "Value": ""} for number in range(48)]
    hopeless = fsx.add_backup(
        "us-east-2", Tags=tags, FileSystem={"FileSystemId": "fs-0a0a0a0a0a0a0a0a0"}
    )

    done = await run("sync", *WHERE, *OFTEN, "--output", "json")

    ends = {end["Request"]["SourceBackupId"]: end for end in json.loads(done.out)["Outcomes"]}
    assert 1 == done.code
    assert {hopeless: "cannot_copy", EXAMPLE: "copied"} == {
        source: end["Outcome"] for source, end in ends.items()
    }
    reason = "its copy would have too many tags"
    assert reason == ends[hopeless]["Reason"]
    assert f"{hopeless}: cannot copy: {reason}" in done.err.splitlines()
    assert "1 cannot copy, 1 copied" == done.err.splitlines()[-1]


def test_the_command_begins_as_many_as_the_library() -> None:
    """
    The number stands in two places, so that help need not load the library.
    """
    assert DEFAULT_MAX_IN_PROGRESS == _app._IN_PROGRESS

"""
``fsxcopy copy``.
"""

from __future__ import annotations

import json

from cli_rig import EXAMPLE, Run

from fsxcopy_sdk.testing import Fault, LocalFsx

HOW = ("--source-region", "us-east-2", "--region", "us-west-2", "--min-delay", "0.05")


async def test_a_backup_is_copied(run: Run, fsx: LocalFsx) -> None:
    """
    The copy is as it was asked for, and the end tells of it and of its source.
    """
    key = "arn:aws:kms:us-west-2:123456789012:key/d1234e22-543a-12b7-a98f-e12c2b54001a"

    done = await run(
        *("copy", EXAMPLE, *HOW, "--output", "json", "--kms-key-id", key, "--copy-tags"),
        *("--tag", "Purpose=dr", "--tag", "Formula=a=b"),
    )

    (end,) = json.loads(done.out)["Outcomes"]
    assert {"SourceBackupId": EXAMPLE, "SourceRegion": "us-east-2"} == end["Request"]
    assert ("copied", "AVAILABLE", key) == (
        end["Outcome"],
        end["Backup"]["Lifecycle"],
        end["Backup"]["KmsKeyId"],
    )
    tags = {tag["Key"]: tag["Value"] for tag in end["Backup"]["Tags"]}
    assert {"Name": "MyBackup", "Purpose": "dr", "Formula": "a=b"} == tags
    assert f"{end['BackupId']}: COPYING 0%" == done.err.splitlines()[0]
    assert f"{end['BackupId']}: copied" == done.err.splitlines()[-1]
    assert 0 == done.code


async def test_the_same_again_copies_nothing_twice(run: Run, fsx: LocalFsx) -> None:
    """
    The same command finds the same copy; a salt makes it another one.
    """
    first = await run("copy", EXAMPLE, *HOW)
    again = await run("copy", EXAMPLE, *HOW)
    other = await run("copy", EXAMPLE, *HOW, "--salt", "second")

    assert first.out == again.out
    assert first.out != other.out
    assert 2 == len(fsx.backups("us-west-2"))


async def test_one_failure_stops_no_other(run: Run, fsx: LocalFsx) -> None:
    """
    What was refused is told with its reason, and the code says that some failed.
    """
    done = await run("copy", "backup-00000000", EXAMPLE, *HOW, "--max-in-progress", "1")

    rows = [line.split(maxsplit=3) for line in done.out.splitlines()[1:]]
    assert ["-", "failed", "backup-00000000"] == rows[0][:3]
    assert rows[0][3].startswith("BackupNotFound (CopyBackup): ")
    assert ["copied", EXAMPLE] == rows[1][1:3]
    assert "backup-00000000: failed: BackupNotFound (CopyBackup): " in done.err
    assert "1 copied, 1 failed" == done.err.splitlines()[-1]
    assert 1 == done.code


async def test_a_copy_that_takes_too_long(run: Run, fsx: LocalFsx) -> None:
    """
    It goes on at the service, and the command to wait for it is told.
    """
    done = await run("copy", EXAMPLE, *HOW, "--max-wait", "0", "--output", "jsonl")

    end = json.loads(done.out)
    assert "timed_out" == end["Outcome"]
    expected = f"go on with: fsxcopy wait {end['BackupId']} --region us-west-2"
    assert expected == done.err.splitlines()[-1]
    assert 4 == done.code


async def test_no_room_for_a_copy_in_time(run: Run, fsx: LocalFsx) -> None:
    """
    Where others have all the slots for too long, that is a time-out too.
    """
    for _ in range(5):
        fsx.add_backup("us-west-2", Lifecycle="COPYING")

    done = await run("copy", EXAMPLE, *HOW, "--max-wait", "0")

    assert 4 == done.code
    assert "timed out: ServiceLimitExceeded" in done.err
    assert "still running" not in done.err


async def test_no_permission(run: Run, fsx: LocalFsx) -> None:
    """
    Items that all failed for the want of a permission have its code.
    """
    denied = Fault.error("AccessDeniedException", "not authorized", status=400)
    fsx.inject(denied, fraction=1.0)

    done = await run("copy", EXAMPLE, "backup-00000000", *HOW)

    assert 3 == done.code


async def test_a_copy_that_cannot_be_looked_at(run: Run, fsx: LocalFsx) -> None:
    """
    It goes on, and the way to wait for it is told.
    """
    refused = Fault.error("AccessDeniedException", "no")
    fsx.inject(refused, next_calls=99, operation="DescribeBackups")

    done = await run("copy", EXAMPLE, *HOW)

    [copy] = fsx.backups("us-west-2")
    assert 3 == done.code
    assert f"go on with: fsxcopy wait {copy['BackupId']}" in done.err

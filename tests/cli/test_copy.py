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
    The same command finds the same copy, as with other tags; a salt forces another one.
    """
    first = await run("copy", EXAMPLE, *HOW)
    again = await run("copy", EXAMPLE, *HOW, "--tag", "Ticket=4711")
    other = await run("copy", EXAMPLE, *HOW, "--salt", "second")
    found = await run("copy", EXAMPLE, *HOW, "--salt", "second", "--tag", "Ticket=4711")

    ids = [done.out.splitlines()[1].split()[0] for done in (first, again, other, found)]
    assert [ids[0], ids[0], ids[2], ids[2]] == ids
    assert ids[0] != ids[2]
    whys = ["existing copy" in done.out for done in (first, again, other, found)]
    assert [False, True, False, True] == whys
    assert 2 == len(fsx.backups("us-west-2")) == fsx.calls["CopyBackup"]


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
    expected = f"resume with: fsxcopy wait {end['BackupId']} --region us-west-2"
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
    It continues, and the command to wait for it is printed; access was lost, so code 3.
    """
    refused = Fault.error("AccessDeniedException", "no")
    listing = Fault.content_type("application/x-amz-json-1.1")  # the first call goes well
    fsx.inject(listing, operation="DescribeBackups")
    fsx.inject(refused, next_calls=99, operation="DescribeBackups")

    done = await run("copy", EXAMPLE, *HOW)

    [copy] = fsx.backups("us-west-2")
    assert 3 == done.code
    assert "not_observed" in done.out
    assert f"resume with: fsxcopy wait {copy['BackupId']}" in done.err


async def test_what_cannot_be_listed_is_not_copied(run: Run, fsx: LocalFsx) -> None:
    """
    Without the permission to list the destination nothing is requested.
    """
    fsx.inject(
        Fault.error("AccessDeniedException", "no"), next_calls=99, operation="DescribeBackups"
    )

    done = await run("copy", EXAMPLE, *HOW)

    assert (3, 0) == (done.code, fsx.calls["CopyBackup"])


async def test_a_copy_that_is_never_seen(run: Run, fsx: LocalFsx) -> None:
    """
    A copy that was accepted and never seen is no failure: code 4, and what to type.
    """
    async with LocalFsx(copy_duration=1, unseen_for=1e6) as blind:
        blind.add_example_backup()

        done = await run(
            "copy", EXAMPLE, *HOW, "--endpoint-url", blind.endpoint_url, "--max-wait", "1"
        )

        assert 4 == done.code
        assert "not_observed" in done.out
        assert "resume with: fsxcopy wait backup-" in done.err

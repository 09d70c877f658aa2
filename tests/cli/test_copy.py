"""``fsxcopy copy``."""

from __future__ import annotations

import json

import pytest
from cli_rig import EXAMPLE, Run, run_and_change, untimed

from fsxcopy_sdk.testing import Fault, LocalFsx

REST = "run the same command again: existing copies are found first"
HOW = ("--source-region", "us-east-2", "--region", "us-west-2", "--min-delay", "0.05")


async def test_copy(run: Run, fsx: LocalFsx) -> None:
    """The copy has the requested members, and the outcome names it and its source."""
    key = "arn:aws:kms:us-west-2:123456789012:key/d1234e22-543a-12b7-a98f-e12c2b54001a"
    done = await run(
        *("copy", EXAMPLE, *HOW, "--output", "json", "--kms-key-id", key, "--copy-tags"),
        *("--tag", "Purpose=dr", "--tag", "Formula=a=b"),
    )

    (end,) = json.loads(done.out)["Outcomes"]
    tags = [{"Key": "Purpose", "Value": "dr"}, {"Key": "Formula", "Value": "a=b"}]
    assert {
        "SourceBackupId": EXAMPLE,
        "SourceRegion": "us-east-2",
        "KmsKeyId": key,
        "CopyTags": True,
        "Tags": tags,
    } == end["Request"]
    assert ("Copied", "AVAILABLE") == (end["Outcome"], end["Backup"]["Lifecycle"])
    assert key == end["Backup"]["KmsKeyId"]
    copied = {tag["Key"]: tag["Value"] for tag in end["Backup"]["Tags"]}
    assert {"Name": "MyBackup", "Purpose": "dr", "Formula": "a=b"} == copied
    name = f"{end['Backup']['BackupId']} of {EXAMPLE}"
    assert f"{name}: COPYING 0%" == untimed(done.err)[0]
    assert f"{name}: copied" == untimed(done.err)[-1]
    assert 0 == done.code


async def test_repeated_command_finds_the_copy(run: Run, fsx: LocalFsx) -> None:
    """The same command finds the same copy, also with other tags; a salt forces another copy."""
    first = await run("copy", EXAMPLE, *HOW)
    again = await run("copy", EXAMPLE, *HOW, "--tag", "Ticket=4711")
    other = await run("copy", EXAMPLE, *HOW, "--salt", "second")
    found = await run("copy", EXAMPLE, *HOW, "--salt", "second", "--tag", "Ticket=4711")

    ids = [done.out.splitlines()[1].split()[0] for done in (first, again, other, found)]
    assert [ids[0], ids[0], ids[2], ids[2]] == ids
    assert ids[0] != ids[2]
    whys = ["copied before" in done.out for done in (first, again, other, found)]
    assert [False, True, False, True] == whys
    assert 2 == len(fsx.backups("us-west-2")) == fsx.calls["CopyBackup"]


async def test_an_existing_copy_under_another_key_is_said(run: Run, fsx: LocalFsx) -> None:
    """A copy that exists satisfies a request whatever its key, so the outcome names that."""
    key = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    wide = {"columns": 200}
    await run("copy", EXAMPLE, *HOW, "--kms-key-id", key)
    same = await run("copy", EXAMPLE, *HOW, "--kms-key-id", key.rpartition("/")[2], **wide)
    other = await run("copy", EXAMPLE, *HOW, "--kms-key-id", "alias/payroll", **wide)

    assert [False, True] == [f"copied before, under {key}" in one.out for one in (same, other)]
    assert "copied before" in same.out
    assert 1 == fsx.calls["CopyBackup"]


async def test_failure_does_not_stop_other_copies(run: Run, fsx: LocalFsx) -> None:
    """A refused copy has its reason, once, and the code says that some failed."""
    done = await run("copy", "backup-00000000", EXAMPLE, *HOW, "--max-in-progress", "1")

    rows = [line.split() for line in done.out.splitlines()[1:]]
    assert ["-", "failed", "backup-00000000"] == rows[0]
    assert ["copied", EXAMPLE] == rows[1][1:]
    failed = "copy of backup-00000000: failed: BackupNotFound (CopyBackup in us-west-2): "
    assert failed in done.err
    assert 1 == (done.out + done.err).count("BackupNotFound")
    assert " (1 of 2, 1 waiting)\n" in done.err
    assert f" of {EXAMPLE}: copied (2 of 2)\n" in done.err
    assert "1 copied, 1 failed" == done.err.splitlines()[-1]
    assert 1 == done.code


async def test_copy_timeout(run: Run, fsx: LocalFsx) -> None:
    """The copy continues at the service, and the command to wait for it is printed."""
    done = await run("copy", EXAMPLE, *HOW, "--max-wait", "0", "--output", "jsonl")
    end = json.loads(done.out)
    assert ("CopyTimedOut", "WaitTimeout") == (end["Outcome"], end["Error"]["Type"])
    how = "--region us-west-2 --output jsonl --min-delay 0.05s"
    expected = f"resume with: fsxcopy wait {end['Backup']['BackupId']} {how}"
    assert expected == done.err.splitlines()[-1]
    assert 4 == done.code


async def test_copy_without_capacity_times_out(run: Run, fsx: LocalFsx) -> None:
    """If other copies use the whole quota until the deadline, the copy has timed out."""
    for _ in range(5):
        fsx.add_backup("us-west-2", Lifecycle="COPYING")
    done = await run("copy", EXAMPLE, *HOW, "--max-wait", "0")
    assert 4 == done.code
    assert "timed out: ServiceLimitExceeded" in done.err
    assert "still running" not in done.err


async def test_copies_without_permission(run: Run, fsx: LocalFsx) -> None:
    """If all items failed for want of permission, the code is 3."""
    denied = Fault.error("AccessDeniedException", "not authorized", status=400)
    fsx.inject(denied, fraction=1.0)
    done = await run("copy", EXAMPLE, "backup-00000000", *HOW)
    assert 3 == done.code


async def test_access_lost_after_copying(run: Run, fsx: LocalFsx) -> None:
    """The copy continues, and the command to wait for it is printed; the code is 3."""
    refused = Fault.error("AccessDeniedException", "no")

    def lose_access() -> None:
        fsx.inject(refused, next_calls=99, operation="DescribeBackups")

    done = await run_and_change(run, fsx, lose_access, "copy", EXAMPLE, *HOW)

    [copy] = fsx.backups("us-west-2")
    assert 3 == done.code
    assert "not_observed" in done.out
    assert f"resume with: fsxcopy wait {copy['BackupId']}" in done.err


async def test_copy_needs_permission_to_list(run: Run, fsx: LocalFsx) -> None:
    """Without permission to list the destination, no copy is requested."""
    fsx.inject(
        Fault.error("AccessDeniedException", "no"), next_calls=99, operation="DescribeBackups"
    )
    done = await run("copy", EXAMPLE, *HOW)
    assert (3, 0) == (done.code, fsx.calls["CopyBackup"])


async def test_copy_that_is_not_observed(run: Run, fsx: LocalFsx) -> None:
    """An accepted copy that was not observed is no failure: code 4, and a command to wait."""
    async with LocalFsx(copy_duration=1, unseen_for=1e6) as blind:
        blind.add_example_backup()
        done = await run(
            "copy", EXAMPLE, *HOW, "--endpoint-url", blind.endpoint_url, "--max-wait", "1"
        )
        assert 4 == done.code
        assert "not_observed" in done.out
        assert "resume with: fsxcopy wait backup-" in done.err


async def test_copies_that_are_not_waited_for(
    run: Run, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """What the quota allows is started, the rest is left, and the code is 0; again it goes on."""
    sources = [fsx.add_backup("us-east-2") for _ in range(7)]
    durations.update(dict.fromkeys(sources, 300.0))
    line = ("copy", *sources, *HOW, "--no-wait")
    first = await run(*line)
    quiet = await run(*line, "--quiet")
    copies = {str(one["BackupId"]) for one in fsx.backups("us-west-2")}
    for one in copies:
        fsx.set_lifecycle(one, "AVAILABLE")
    rest = json.loads((await run(*line, "--output", "json")).out)["Outcomes"]

    rows = [line.split()[:3] for line in first.out.splitlines()[1:]]
    started = [row[0] for row in rows if row[1] == "started"]
    assert copies == set(started)
    assert [["-", "deferred", one] for one in sources[5:]] == [
        r for r in rows if r[1] != "started"
    ]
    running, wait, left, again = first.err.splitlines()[-4:]
    assert f"still running at the service: {', '.join(started)}" == running
    how = "--region us-west-2 --min-delay 0.05s"
    assert f"wait with: fsxcopy wait {' '.join(started)} {how}" == wait
    assert ("left for the next run: 2", REST) == (left, again)
    assert "5 started, 2 deferred" in first.err
    assert (0, 0, "") == (first.code, quiet.code, quiet.err)
    assert 2 == sum(not one.get("Existing") for one in rest)
    assert 7 == fsx.calls["CopyBackup"] == len(fsx.backups("us-west-2"))


async def test_copy_that_is_denied_without_waiting(run: Run, fsx: LocalFsx) -> None:
    """Only the quota is no failure."""
    fsx.inject(Fault.error("AccessDeniedException", "no"), operation="CopyBackup", fraction=1.0)
    done = await run("copy", EXAMPLE, *HOW, "--no-wait")
    assert 3 == done.code


@pytest.mark.parametrize(("more", "names"), [((), ["Name"]), (("--no-copy-tags",), [])])
@pytest.mark.parametrize("command", [("copy", EXAMPLE), ("sync",)], ids=["copy", "sync"])
async def test_tags_are_copied(
    run: Run, fsx: LocalFsx, command: tuple[str, ...], more: tuple[str, ...], names: list[str]
) -> None:
    """Both commands copy the source's tags, unless that is switched off."""
    done = await run(*command, *HOW, *more, "--output", "json")
    tags = json.loads(done.out)["Outcomes"][0]["Backup"].get("Tags", [])
    assert names == [tag["Key"] for tag in tags if not tag["Key"].startswith("fsxcopy:")]


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
async def test_a_copy_that_never_got_a_slot_can_be_continued(
    run: Run, fsx: LocalFsx, quiet: tuple[str, ...]
) -> None:
    """Where the quota is used up until --max-wait, the way to continue is the same command."""
    limit = Fault.error("ServiceLimitExceeded", Limit="TOTAL_IN_PROGRESS_COPY_BACKUPS")
    fsx.inject(limit, operation="CopyBackup", fraction=1.0)
    done = await run("copy", EXAMPLE, *HOW, "--max-wait", "0.5", *quiet)
    assert 4 == done.code
    assert "timed_out" in done.out
    assert REST in done.err.splitlines()

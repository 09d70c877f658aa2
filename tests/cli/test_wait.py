"""``fsxcopy wait``."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest
from cli_rig import Done, Run, untimed

from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

REGION = ("--region", "us-west-2")
OFTEN = ("--min-delay", "0.05s")


async def test_wait_for_many(run: Run, fsx: LocalFsx) -> None:
    """Each backup has its outcome: available, failed with the reason, or timed out."""
    available = fsx.add_backup("us-west-2")
    failed = fsx.add_backup("us-west-2")
    fsx.fail_copy(failed, "no such key")
    slow = fsx.add_backup("us-west-2", Lifecycle="COPYING", ProgressPercent=3)
    done = await run(
        *("wait", available, failed, slow, available, *REGION, *OFTEN),
        *("--max-wait", "0.2", "--output", "json"),
    )

    ends = {end["BackupId"]: end for end in json.loads(done.out)["Outcomes"]}
    assert {available: "Available", failed: "Failed", slow: "TimedOut"} == {
        backup_id: end["Outcome"] for backup_id, end in ends.items()
    }
    assert "no such key" == ends[failed]["Backup"]["FailureDetails"]["Message"]
    assert "BackupCopyFailed" == ends[failed]["Error"]["Type"]
    assert "WaitTimeout" == ends[slow]["Error"]["Type"]
    assert "1 available, 1 failed, 1 timed out" == done.err.splitlines()[-3]
    assert 1 == done.code


async def test_timeouts_alone_give_code_4(run: Run, fsx: LocalFsx) -> None:
    """If all that failed are timeouts, the code says so."""
    backups = [fsx.add_backup("us-west-2"), fsx.add_backup("us-west-2", Lifecycle="COPYING")]
    done = await run("wait", *backups, *REGION, "--max-wait", "0")
    assert "1 available, 1 timed out" in done.err.splitlines()
    assert 4 == done.code


async def test_quiet_wait(run: Run, fsx: LocalFsx) -> None:
    """With --quiet only the results are printed."""
    both = [fsx.add_backup("us-west-2") for _ in range(2)]
    done = await run("wait", *both, *REGION, *OFTEN, "--quiet")
    assert (0, "", 3) == (done.code, done.err, len(done.out.splitlines()))


async def test_wait_timeout(run: Run, fsx: LocalFsx) -> None:
    """Each change is a line; after a timeout the command to resume is printed."""
    slow = fsx.add_backup("us-west-2", Lifecycle="COPYING", ProgressPercent=3)
    done = await run("wait", slow, *REGION, *OFTEN, "--max-wait", "0.3")

    first, second, *others = untimed(done.err)
    assert f"{slow}: COPYING 3%" == first
    assert second.startswith(f"{slow}: timed out: {slow} is not AVAILABLE in us-west-2 after ")
    assert [
        f"still running at the service: {slow}",
        f"resume with: fsxcopy wait {slow} --region us-west-2 --max-wait 0.3s --min-delay 0.05s",
    ] == others
    assert [slow, "timed_out", "-"] == done.out.splitlines()[1].split()[:3]
    assert 4 == done.code


async def test_wait_until_available(run: Run, fsx: LocalFsx) -> None:
    """Progress is printed, and finally that the copy is available."""
    started = await run(
        *("copy", "backup-03e3c82e0183b7b6b", "--source-region", "us-east-2", *REGION),
        *("--max-wait", "0", "--quiet", "--output", "jsonl"),
    )
    backup_id = json.loads(started.out)["Backup"]["BackupId"]
    done = await run("wait", "-", *REGION, *OFTEN, stdin=f"{backup_id}\n")

    *before, last = untimed(done.err)
    name = f"{backup_id} of backup-03e3c82e0183b7b6b"
    assert f"{name}: available" == last
    assert all(line.startswith(f"{name}: COPYING ") for line in before)
    assert 0 == done.code


async def test_wait_for_an_unknown_backup(run: Run, fsx: LocalFsx) -> None:
    """A backup that was never seen is not reported as running."""
    done = await run("wait", "backup-00000000", *REGION, "--max-wait", "0")
    assert 4 == done.code
    assert "still running" not in done.err


async def test_wait_says_that_a_backup_is_unknown(run: Run, fsx: LocalFsx) -> None:
    """It is said, once, long before the wait for it ends; a known backup is not affected."""
    known = fsx.add_backup("us-west-2", Lifecycle="COPYING", ProgressPercent=3)
    done = await run("wait", "backup-00000000", known, *REGION, *OFTEN, "--max-wait", "1s")

    unknown = [line for line in untimed(done.err) if "not known" in line]
    assert ["backup-00000000 is not known in us-west-2 yet; waiting up to 1 s"] == unknown
    assert "0 of 2" not in done.err
    assert "backup-00000000: timed out: " in done.err
    assert 4 == done.code


async def test_wait_while_the_service_is_busy(run: Run, fsx: LocalFsx) -> None:
    """A backup that was not seen for another reason is not called unknown."""
    backup_id = fsx.add_backup("us-west-2")
    fsx.inject(Fault.throttling(), next_calls=3)
    done = await run("wait", backup_id, *REGION, *OFTEN)
    assert [f"{backup_id}: available"] == untimed(done.err)
    assert 0 == done.code


async def test_wait_for_a_backup_that_appears(run: Run, fsx: LocalFsx) -> None:
    """A copy that is not visible yet is waited for, within the grace."""
    clock, done = ManualClock(), list[Done]()
    async with LocalFsx(clock=clock, copy_duration=1, unseen_for=1000) as late:
        source = late.add_backup("us-west-2")
        where = (*REGION, *OFTEN, "--endpoint-url", late.endpoint_url)
        started = await run("copy", source, *where, "--max-wait", "0", "-o", "json", "-q")
        (end,) = json.loads(started.out)["Outcomes"]
        backup_id = end["Backup"]["BackupId"]
        before = late.calls["DescribeBackups"]

        async def wait() -> None:
            done.append(await run("wait", backup_id, *where))

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            while late.calls["DescribeBackups"] < before + 4:  # noqa: ASYNC110 - it has no event
                await anyio.sleep(0.01)
            clock.advance(2000)

    first, *_, last = untimed(done[0].err)
    assert f"{backup_id} is not known in us-west-2 yet; waiting up to 60 s" == first
    assert f"{backup_id} of {source}: available" == last
    assert 0 == done[0].code


async def test_command_to_resume_has_the_options(
    run: Run, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The profile and the endpoint are repeated in the command to resume."""
    slow = fsx.add_backup("us-west-2", Lifecycle="COPYING")
    config = tmp_path / "config"
    keys = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = any\n"
    config.write_text(f'[profile "the dr"]\nregion = us-west-2\n{keys}', "utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ENDPOINT_URL_FSX")
    done = await run(
        *("wait", slow, "--profile", "the dr", "--endpoint-url", fsx.endpoint_url),
        *("--max-wait", "0"),
    )

    expected = (
        f"resume with: fsxcopy wait {slow} --region us-west-2 --profile 'the dr' "
        f"--endpoint-url {fsx.endpoint_url}"
    )
    assert expected == done.err.splitlines()[-1]

"""``fsxcopy plan``, ``sync`` and ``report`` with ``--config``, and ``fsxcopy config``."""

from __future__ import annotations

import json
import re
import signal
import tomllib
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from cli_rig import EXAMPLE, SPEED, Run, run_and_change, start, untimed
from fleet_rig import PROFILE_ACCOUNT, use_profiles

from fsxcopy_sdk.testing import Fault, LocalFsx

FILE_SYSTEM = "fs-0498eed5fe91001ec"
FILE = """\
version = 1
[[policy]]
name = "one"
source = { region = "us-east-2" }
destination = [{ region = "us-west-2" }, { region = "eu-west-1" }]
[[policy]]
name = "prod"
source = { region = "us-east-2", profile = "prod" }
destination = [{ region = "us-west-2" }]
"""
EMPTY = """\
[[policy]]
name = "empty"
source = { region = "us-east-2", profile = "empty" }
destination = [{ region = "us-west-2" }]
"""
WAIT = ("--min-delay", "0.05")


@pytest.fixture(name="file")
def _file(fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of two accounts, each with one backup."""
    use_profiles(fsx, monkeypatch, tmp_path)
    fsx.add_backup("us-east-2", account=PROFILE_ACCOUNT, FileSystem={"FileSystemId": FILE_SYSTEM})
    file = tmp_path / "fsxcopy.toml"
    file.write_text(FILE)
    return file


def _write(file: Path, text: str) -> None:
    file.write_text(text)


async def test_config_example_passes_check(run: Run, tmp_path: Path) -> None:
    """The example is a file that can be checked."""
    example = await run("config", "example")
    file = tmp_path / "fsxcopy.toml"
    _write(file, example.out)
    checked = await run("config", "check", str(file))

    assert 1 == tomllib.loads(example.out)["version"]
    text = f"{file}: policies: 3, enabled: 2, destinations: 3, accounts: 2\n"
    assert (0, text, "") == (checked.code, checked.out, checked.err)


async def test_config_schema(run: Run) -> None:
    """The schema is JSON."""
    done = await run("config", "schema")
    assert "https://json-schema.org/draft/2020-12/schema" == json.loads(done.out)["$schema"]
    assert (0, "") == (done.code, done.err)


async def test_config_check_warns(run: Run, file: Path) -> None:
    """What is allowed, and seldom meant, is a warning: the file passes."""
    _write(file, FILE.replace("us-west-2", "us-wset-2"))
    done = await run("config", "check", str(file))
    assert 0 == done.code
    assert done.out.startswith(f"{file}: policies: 2, ")
    text = "botocore lists no endpoint of FSx in us-wset-2; did you mean us-west-2?"
    assert [
        f"{file}: warning: policy 'one': {text}",
        f"{file}: warning: policy 'prod': {text}",
    ] == done.err.splitlines()


async def test_config_check_has_a_line_for_each_error(run: Run, file: Path) -> None:
    """Each error is one line with the file, and its path there."""
    _write(file, FILE.replace("us-west-2", "US").replace('name = "one"', 'nam = "one"'))
    done = await run("config", "check", str(file))
    assert 2 == done.code
    assert [
        f"{file}: policy[0].nam: must not be there: no such member is known; did you mean name?",
        f"{file}: policy[0].name: required, but missing",
        f"{file}: policy[0].destination[0].region: must be 1 to 20 of a-z, 0-9 and `-`, not 'US'",
        f"{file}: policy[1].destination[0].region: must be 1 to 20 of a-z, 0-9 and `-`, not 'US'",
    ] == done.err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("config", "check"), "fsxcopy: config check: must come with FILE"),
        (("config", "schema", "x"), "fsxcopy: config schema: takes no FILE"),
        (("config", "check", "/no/such"), "fsxcopy: /no/such: No such file or directory"),
        (("plan", "--config", ""), "fsxcopy: .: Is a directory"),
        (("plan", "--config", "/no/such"), "fsxcopy: /no/such: No such file or directory"),
    ],
)
async def test_config_is_used_wrongly(run: Run, arguments: tuple[str, ...], text: str) -> None:
    """What is missing or too much is a usage error."""
    done = await run(*arguments)
    assert (2, f"{text}\n") == (done.code, done.err)


async def test_plan_of_a_file(run: Run, file: Path, fsx: LocalFsx) -> None:
    """All plans are shown, in the order of the file; nothing is changed."""
    table = await run("plan", "--config", str(file))
    document = json.loads((await run("plan", "-c", str(file), "--output", "json")).out)
    lines = (await run("sync", "-c", str(file), "--dry-run", "--output", "jsonl")).out

    titles = [one.split(",")[0] for one in table.out.splitlines() if one.startswith("Plan of")]
    assert [
        "Plan of policy one: us-east-2 to us-west-2",
        "Plan of policy one: us-east-2 to eu-west-1",
        "Plan of policy prod: us-east-2 to us-west-2",
    ] == titles
    assert (0, "") == (table.code, table.err)
    assert ["us-west-2", "eu-west-1", "us-west-2"] == [
        one["DestinationRegion"] for one in document["Plans"]
    ]
    assert EXAMPLE == document["Plans"][0]["ToCopy"][0]["Backup"]["BackupId"]
    assert 3 == len(lines.splitlines())
    assert 0 == fsx.calls["CopyBackup"]


async def test_sync_of_a_file(run: Run, file: Path, fsx: LocalFsx) -> None:
    """Each row and line says which policy, account and Region; the second sync has no work."""
    first = await run("sync", "--config", str(file), *WAIT)
    second = await run("sync", "--config", str(file), *WAIT, "--output", "json")

    assert (0, 0) == (first.code, second.code)
    rows = [line.split()[:5] for line in first.out.splitlines()]
    assert ["POLICY", "ACCOUNT", "REGION", "BACKUP", "OUTCOME"] == rows[0]
    assert [
        ["one", "default", "eu-west-1", "copied"],
        ["one", "default", "us-west-2", "copied"],
        ["prod", "prod", "us-west-2", "copied"],
    ] == sorted([*row[:3], row[4]] for row in rows[1:])
    lines = untimed(first.err)
    text = "one, account default, us-west-2: to copy: 1, in progress: 0, to prune: 0"
    assert text in lines
    assert any(
        line.startswith("prod, account prod, us-west-2: backup-") and ": copied (" in line
        for line in lines
    )
    assert "3 copied" == lines[-1]
    assert {"Version": 1, "Outcomes": []} == json.loads(second.out)
    assert "prod, account prod, us-west-2: nothing to do; copies up to date: 1" in second.err
    assert 3 == fsx.calls["CopyBackup"]


async def test_outcomes_of_a_file_as_json(run: Run, file: Path) -> None:
    """Documents have the members of the outcome, with its policy, account and Regions."""
    done = await run("sync", "-c", str(file), *WAIT, "--policy", "prod", "--output", "jsonl")
    (line,) = done.out.splitlines()
    document = json.loads(line)
    assert ("Copied", "prod", "prod", "us-east-2", "us-west-2") == tuple(
        document[name]
        for name in ("Outcome", "PolicyName", "Account", "SourceRegion", "DestinationRegion")
    )


async def test_a_failing_account_is_reported_and_in_the_exit_code(
    run: Run, file: Path, fsx: LocalFsx
) -> None:
    """The others are done all the same."""
    _write(file, f"{FILE}{EMPTY}")
    where = "empty, account empty, us-east-2 to us-west-2: CredentialsUnavailable: "
    synced = await run("sync", "-c", str(file), *WAIT, "--output", "json")
    for command in ("plan", "report"):
        done = await run(command, "-c", str(file))
        assert where in done.err
        assert done.code == (3 if command == "plan" else 1)
    report = json.loads((await run("report", "-c", str(file), "--output", "json")).out)
    rows = (await run("report", "-c", str(file))).out.splitlines()
    lines = (await run("report", "-c", str(file), "--output", "jsonl")).out.splitlines()
    plan = (await run("plan", "-c", str(file), "--output", "jsonl")).out.splitlines()

    assert 3 == synced.code
    outcomes = json.loads(synced.out)["Outcomes"]
    assert ["Copied", "Copied", "Copied", "PolicyFailure"] == sorted(
        one["Outcome"] for one in outcomes
    )
    (failure,) = (one for one in outcomes if one["Outcome"] == "PolicyFailure")
    assert ("empty", "CredentialsUnavailable") == (
        failure["PolicyName"],
        failure["Error"]["Type"],
    )
    assert "empty, account empty, us-west-2: failed: CredentialsUnavailable: " in synced.err
    assert 3 == fsx.calls["CopyBackup"]
    assert ["one", "one", "prod"] == [one["PolicyName"] for one in report["Reports"]]
    assert ["empty"] == [one["PolicyName"] for one in report["Failures"]]
    assert ["empty", "empty", "us-west-2", "-", "FAILED"] == rows[-1].split()[:5]
    assert ["one", "default", "us-west-2", FILE_SYSTEM, "LATE"] == rows[1].split()[:5]
    assert ("one", "default", FILE_SYSTEM, True) == tuple(
        json.loads(lines[0])[name] for name in ("PolicyName", "Account", "SourceId", "IsLate")
    )
    assert ("PolicyFailure", "empty") == (
        json.loads(plan[-1])["Outcome"],
        json.loads(plan[-1])["Account"],
    )


async def test_report_of_a_file_without_backups(run: Run, file: Path, fsx: LocalFsx) -> None:
    """A source without backups is named with its policy, and is not well."""
    _write(file, FILE.replace("us-east-2", "ap-south-1").replace("us-west-2", "ap-south-2"))
    done = await run("report", "-c", str(file), "--policy", "prod")
    planned = await run("plan", "-c", str(file), "--policy", "prod")
    assert (1, 1) == (done.code, planned.code)
    assert "prod: there is no backup in ap-south-1, and no copy of one\n" == done.err
    assert "prod: ap-south-1 shows no backup in the policy's scope\n" == planned.err


async def test_report_of_a_source_that_cannot_be_read(
    run: Run, file: Path, fsx: LocalFsx, tmp_path: Path
) -> None:
    """It is no source of which all is well, neither in the exit code nor on the page."""
    assert 0 == (await run("sync", "-c", str(file), *WAIT, "--policy", "prod")).code
    how = ("report", "-c", str(file), "--policy", "prod")
    good = await run(*how)
    odd = {"FileSystem": {"FileSystemId": "fs-00000001"}, "CreationTime": "yesterday"}
    fsx.add_backup("us-east-2", odd, account=PROFILE_ACCOUNT)
    bad = await run(*how)
    page = await run(*how, "--output", "markdown")
    assert (0, 1, 1) == (good.code, bad.code, page.code)
    assert "prod: us-east-2 shows no backup of fs-00000001 that can be read\n" in bad.err
    assert "1 backup of other sources cannot be read" in page.out


async def test_options_that_a_file_decides(run: Run, file: Path, fsx: LocalFsx) -> None:
    """They are refused beside --config, all at once; those of the run are not."""
    options = ("--newest", "3", "--no-copy-tags", "--max-in-progress", "9", "--prune")
    done = await run("sync", "-c", str(file), "-r", "us-west-2", *options, "--file-system-id", "f")
    rule = "must not be given with --config, whose file decides it"
    names = ["region", "file-system-id", "copy-tags", "newest", "max-in-progress", "prune"]
    assert 2 == done.code
    assert set(names) == {line.split(":")[1].strip(" -") for line in done.err.splitlines()}
    assert len(names) == done.err.count(rule)
    done = await run("report", "-c", str(file), "--max-age", "2d", "--profile", "prod")
    assert f"fsxcopy: --profile: {rule}\nfsxcopy: --max-age: {rule}\n" == done.err
    assert {} == fsx.calls


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--policy", "prd"), "--policy: must be one of one, prod, not 'prd'; did you mean prod?"),
        (("--prune-most",), "--prune-most: must come with a policy that prunes"),
        (("--prune-orphans",), "--prune-orphans: must come with a policy that prunes"),
    ],
)
async def test_wrong_selections(
    run: Run, file: Path, arguments: tuple[str, ...], text: str
) -> None:
    """Names and switches must fit the file."""
    done = await run("sync", "-c", str(file), *arguments)
    assert (2, f"fsxcopy: {text}\n") == (done.code, done.err)


async def test_errors_in_the_file_and_nothing_enabled(run: Run, file: Path) -> None:
    """They are usage errors that name the file."""
    _write(file, FILE.replace("version = 1", "version = 1\ndefaults = { enabled = false }"))
    done = await run("plan", "-c", str(file))
    assert (2, f"fsxcopy: {file}: no policy is enabled\n") == (done.code, done.err)
    _write(file, FILE.replace("version = 1", "version = 2"))
    done = await run("plan", "-c", str(file))
    assert f"fsxcopy: {file}: version: must be 1, the only version" in done.err
    assert 2 == done.code


async def test_several_names_need_a_file(run: Run, fsx: LocalFsx) -> None:
    """Without --config there is one policy."""
    done = await run("sync", "--policy", "a", "--policy", "b")
    assert (2, "fsxcopy: --policy: must come with --config to be repeated\n") == (
        done.code,
        done.err,
    )


def _add_old_copies(fsx: LocalFsx, *years: int) -> None:
    for year in years:
        origin = f"backup-{year:017x}"
        tags = {
            "fsxcopy:policy": "one",
            "fsxcopy:source": FILE_SYSTEM,
            "fsxcopy:backup": origin,
            "fsxcopy:source-time": f"{year}-01-01T00:00:00+00:00",
        }
        fsx.add_backup(
            "us-west-2",
            SourceBackupId=origin,
            SourceBackupRegion="us-east-2",
            FileSystem={"FileSystemId": FILE_SYSTEM},
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )


async def test_pruning_is_the_files_decision(run: Run, file: Path, fsx: LocalFsx) -> None:
    """A policy prunes if the file says so; what is held back is in the exit code."""
    _add_old_copies(fsx, 2011, 2012, 2013, 2014)
    prunes = 'name = "one"\nprune = true\nkeep = { last = 1 }'
    _write(file, FILE.replace('name = "one"', prunes))
    dry_run = await run("sync", "-c", str(file), "--dry-run", "--policy", "one")
    first = await run("sync", "-c", str(file), *WAIT, "--policy", "one")
    again = await run("sync", "-c", str(file), *WAIT, "--policy", "one", "--prune-most")

    assert (1, 1, 0) == (dry_run.code, first.code, again.code)
    assert "one, account default, us-west-2: not pruned: " in first.err
    assert re.search(r" one, account default, us-west-2: backup-\S+ of \S+: COPYING", first.err)
    assert "pruned" in first.out
    assert "pruned" in again.out
    assert 1 == len(fsx.backups("us-west-2"))


async def test_backups_that_cannot_be_copied(run: Run, file: Path, fsx: LocalFsx) -> None:
    """They are outcomes with their policy, and in the exit code."""
    fsx.add_backup(
        "us-east-2",
        FileSystem={"FileSystemId": "fs-0123456789abcdef0", "StorageType": "INTELLIGENT_TIERING"},
    )
    done = await run("sync", "-c", str(file), *WAIT, "--policy", "one")
    assert 1 == done.code
    assert 2 == done.err.count("cannot be copied: of a file system with Intelligent-Tiering")


async def test_without_waiting(run: Run, file: Path, fsx: LocalFsx) -> None:
    """Copies are begun, and the command ends; the next one finds them."""
    for _ in range(6):
        fsx.add_backup("us-east-2", FileSystem={"FileSystemId": FILE_SYSTEM})
    _write(file, FILE.replace('name = "one"', 'name = "one"\nnewest = "all"'))
    done = await run("sync", "-c", str(file), "--no-wait")
    assert 0 == done.code
    assert {"11 started", "4 deferred"} <= {
        one for line in done.err.splitlines() for one in line.split(", ")
    }
    assert "still running at the service in us-west-2 of account prod: backup-" in done.err
    assert "left for the next run: 4" in done.err
    assert f"resume with: fsxcopy sync --config {file} --no-wait\n" in done.err
    assert 11 == fsx.calls["CopyBackup"]


async def test_deadline_of_a_file(
    run: Run, file: Path, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """--max-wait ends the command, which names what still runs."""
    durations[EXAMPLE] = 60.0
    done = await run("sync", "-c", str(file), "--max-wait", "1", "--policy", "one")
    assert 4 == done.code
    assert "still running at the service in eu-west-1 of account default: backup-" in done.err
    assert f"resume with: fsxcopy sync --config {file} --policy one --max-wait 1s\n" in done.err


async def test_interrupted_sync_of_a_file(
    file: Path, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """Ctrl-C names what still runs in which Region, and the command to resume."""
    durations[EXAMPLE] = 600.0
    process = start("sync", "--config", str(file), "--policy", "one", "--quiet")
    while fsx.calls["CopyBackup"] < 2:  # noqa: ASYNC110 - the local FSx has no event
        await anyio.sleep(0.01)
    await anyio.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = await anyio.to_thread.run_sync(process.communicate)

    assert 130 == process.returncode
    for region in ("us-west-2", "eu-west-1"):
        (copy,) = fsx.backups(region)
        text = f"still running at the service in {region} of account default: {copy['BackupId']}"
        assert text in err
        assert f"{copy['BackupId']}  in_progress" in out
    assert f"resume with: fsxcopy sync --config {file} --policy one\n" in err


async def test_interrupted_while_copies_are_refused(file: Path, fsx: LocalFsx) -> None:
    """What ends while the command does is in its results."""
    policies = FILE.replace(
        'region = "us-west-2" }', 'region = "us-west-2", kms_key_id = "alias/no" }'
    )
    _write(file, policies)
    fsx.refuse_kms_key("alias/no", as_destination=True)
    fsx.inject(Fault.delay(SPEED), fraction=1.0, operation="CopyBackup")
    process = start("sync", "--config", str(file), "--output", "json")
    while fsx.calls["CopyBackup"] < 3:  # noqa: ASYNC110 - the local FSx has no event
        await anyio.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, _ = await anyio.to_thread.run_sync(process.communicate)

    ends = {
        (one["PolicyName"], one["DestinationRegion"], one["Outcome"])
        for one in json.loads(out)["Outcomes"]
    }
    assert 143 == process.returncode
    assert {
        ("one", "us-west-2", "CopyFailed"),
        ("prod", "us-west-2", "CopyFailed"),
        ("one", "eu-west-1", "InProgress"),
    } == ends


async def test_a_page_of_a_file(run: Run, file: Path, fsx: LocalFsx, tmp_path: Path) -> None:
    """The reports of all policies become one page, with those that could not be made."""
    _write(file, FILE + EMPTY)
    page = tmp_path / "report.html"
    how = ("--config", str(file), "--output", "html", "--out", str(page))
    done = await run("report", *how)
    text = await anyio.Path(page).read_text("utf-8")
    assert (1, "") == (done.code, done.out)
    for word in ("us-west-2", "eu-west-1", "prod", "empty", "account failed", FILE_SYSTEM):
        assert word in text


async def test_interrupted_before_anything_is_begun(file: Path, fsx: LocalFsx) -> None:
    """What was not begun is counted."""
    fsx.inject(Fault.delay(30), next_calls=100, operation="DescribeBackups")
    process = start("sync", "--config", str(file))
    while fsx.calls["DescribeBackups"] < 1:  # noqa: ASYNC110 - the local FSx has no event
        await anyio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = await anyio.to_thread.run_sync(process.communicate)
    assert 130 == process.returncode
    assert "policies not begun in a destination: 3\n" in err
    assert err.endswith(f"resume with: fsxcopy sync --config {file}\nfsxcopy: interrupted\n")


async def test_a_copy_that_fails(run: Run, file: Path, fsx: LocalFsx) -> None:
    """The message names the policy."""

    def fail() -> None:
        for copy in fsx.backups("us-west-2"):
            fsx.fail_copy(str(copy["BackupId"]), "made to fail")

    command = ("sync", "-c", str(file), *WAIT, "--policy", "one")
    done = await run_and_change(run, fsx, fail, *command)
    assert done.code in {0, 1}

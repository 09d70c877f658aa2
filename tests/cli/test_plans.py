"""Plans in files: ``fsxcopy plan --out FILE`` and ``fsxcopy sync --plan FILE``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_rig import EXAMPLE, Run
from fleet_rig import PROFILE_ACCOUNT, sources_of, use_profiles

from fsxcopy_sdk.testing import LocalFsx

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
NIGHTLY = (*WHERE, "--policy", "nightly", "--keep-last", "1")
OFTEN = ("--min-delay", "0.05")
FILE = """\
version = 1
[[policy]]
name = "one"
source = { region = "us-east-2" }
destination = [{ region = "us-west-2" }]
[[policy]]
name = "prod"
source = { region = "us-east-2", profile = "prod" }
destination = [{ region = "us-west-2" }]
"""


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


@pytest.fixture(name="config")
def _config(fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of two policies, each of an account that has one backup."""
    use_profiles(fsx, monkeypatch, tmp_path)
    fsx.add_backup("us-east-2", account=PROFILE_ACCOUNT)
    config = tmp_path / "fsxcopy.toml"
    config.write_text(FILE)
    return config


def _document(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def _change(file: Path, change: Callable[[Any], None]) -> None:
    document = _document(file)
    change(document)
    _write(file, json.dumps(document))


def _write(file: Path, text: str) -> None:
    file.write_text(text)


async def test_a_plan_is_written_shown_and_carried_out(
    run: Run, fsx: LocalFsx, file: Path
) -> None:
    """What was read is what is done, and newer backups wait for the next plan."""
    planned = await run("plan", *NIGHTLY, "--out", str(file))
    later = fsx.add_backup("us-east-2")
    done = await run("sync", "--plan", str(file), *OFTEN)
    again = await run("sync", "--plan", str(file), *WHERE, *OFTEN)

    assert (0, 0, 0) == (planned.code, done.code, again.code)
    assert planned.out.startswith("Plan of policy nightly: us-east-2 to us-west-2")
    assert {"Version", "Policy", "ToCopy"} <= _document(file).keys()
    assert {EXAMPLE: 1} == sources_of(fsx, "us-west-2")
    assert later not in done.out


async def test_a_plan_prunes_what_both_regions_still_show_it_may(
    run: Run, fsx: LocalFsx, file: Path
) -> None:
    """A copy that was tagged after planning stays."""
    for _ in range(4):
        fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
        await run("sync", *NIGHTLY, *OFTEN)
    await run("plan", *NIGHTLY, "--out", str(file))
    first, second = (one["Copy"]["BackupId"] for one in _document(file)["ToPrune"])
    fsx.set_tags(first, {"fsxcopy:protected": ""})
    done = await run("sync", "--plan", str(file), "--prune", "--prune-most", *OFTEN)

    held = {one["BackupId"] for one in fsx.backups("us-west-2")}
    assert 0 == done.code
    assert first in held
    assert second not in held


async def test_a_dry_run_of_a_plan_shows_it(run: Run, fsx: LocalFsx, file: Path) -> None:
    """It makes no call."""
    await run("plan", *NIGHTLY, "--out", str(file))
    calls = fsx.calls.total()
    done = await run("sync", "--plan", str(file), "--dry-run")
    assert (0, calls) == (done.code, fsx.calls.total())
    assert f"{EXAMPLE} of 2" in done.out


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda plan: plan.update(
                MadeAt=(datetime.now(UTC) - timedelta(hours=25)).isoformat(timespec="seconds")
            ),
            "is stale: the plan of policy nightly was made at",
        ),
        (
            lambda plan: plan.update(
                MadeAt=(datetime.now(UTC) + timedelta(hours=25)).isoformat(timespec="seconds")
            ),
            "is stale",
        ),
        (lambda plan: plan.update(Version=2), "$.Version: must be 1"),
        (lambda plan: plan.pop("Policy"), "$.Policy: "),
        (lambda plan: plan.update(Plans=[]), "is a plan of many policies, which needs --config"),
    ],
)
async def test_a_plan_that_is_refused(
    run: Run, fsx: LocalFsx, file: Path, change: Callable[[Any], None], text: str
) -> None:
    """The file and the reason are named, and nothing is sent."""
    await run("plan", *NIGHTLY, "--out", str(file))
    _change(file, change)
    fsx.calls.clear()
    done = await run("sync", "--plan", str(file))
    assert (2, "") == (done.code, done.out)
    assert f"{file}: " in done.err.replace("\n  ", "")
    assert text in done.err
    assert not fsx.calls


@pytest.mark.parametrize("regions", [(), ("us-east-2",), ("us-west-2",)])
async def test_a_plan_with_the_credentials_of_another_account(
    run: Run, fsx: LocalFsx, file: Path, regions: tuple[str, ...]
) -> None:
    """Nothing is requested, and no copy that this account does not have is called pruned."""
    for _ in range(2):
        fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
        await run("sync", *NIGHTLY, *OFTEN)
    fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
    await run("plan", *NIGHTLY, "--out", str(file))
    fsx.add_access_key("AKIDEXAMPLE", account=PROFILE_ACCOUNT)
    for region in regions:
        fsx.add_backup(region, account=PROFILE_ACCOUNT)
    fsx.calls.clear()
    done = await run("sync", "--plan", str(file), "--prune", "--prune-most", *OFTEN)

    seen = PROFILE_ACCOUNT if regions else "an account that shows no backup"
    text = f"plan: must be applied with credentials of account 123456789012, not of {seen}"
    assert (2, "") == (done.code, done.out)
    assert text in done.err.replace("\n  ", " ")
    assert {"DescribeBackups"} == fsx.calls.keys()


@pytest.mark.parametrize(
    "changes",
    [
        {"Tags": [{"Key": "Team", "Value": "other"}]},
        {"KmsKeyId": "alias/other"},
        {"SourceRegion": "eu-west-1"},
        {"CopyTags": False},
        {"IdempotencySalt": "again"},
        {"ClientRequestToken": "again"},
    ],
)
async def test_a_plan_asks_for_nothing_that_its_policy_does_not(
    run: Run, fsx: LocalFsx, file: Path, changes: dict[str, object]
) -> None:
    """A copy with other tags would be no policy's, and one with a salt a second one."""
    await run("plan", *NIGHTLY, "--out", str(file))
    _change(file, lambda plan: plan["ToCopy"][0]["Request"].update(changes))
    done = await run("sync", "--plan", str(file), *OFTEN)
    assert (2, "") == (done.code, done.out)
    assert "$.ToCopy[0].Request: must be what the plan's policy asks for" in done.err
    assert 0 == fsx.calls["CopyBackup"]


async def test_a_plan_has_each_backup_once(run: Run, fsx: LocalFsx, file: Path) -> None:
    """What comes twice is refused, and what is left out is not copied."""
    await run("plan", *NIGHTLY, "--out", str(file))
    _change(file, lambda plan: plan.update(ToCopy=plan["ToCopy"] * 2))
    done = await run("sync", "--plan", str(file))
    assert 2 == done.code
    assert f"$.ToCopy[1].Backup: {EXAMPLE} is listed twice" in done.err
    _change(file, lambda plan: plan.update(ToCopy=[]))
    assert 0 == (await run("sync", "--plan", str(file))).code
    assert 0 == fsx.calls["CopyBackup"]


async def test_a_plan_follows_each_copy_once(
    run: Run, fsx: LocalFsx, durations: dict[str, float], file: Path
) -> None:
    """A copy in progress that comes twice, of two backups, is refused."""
    other = fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
    durations.update(dict.fromkeys((EXAMPLE, other), 600.0))
    await run("sync", *NIGHTLY, "--no-wait")
    await run("plan", *NIGHTLY, "--out", str(file))

    def repeat(plan: Any) -> None:
        first, second = plan["InProgress"]
        second["Copy"]["BackupId"] = first["Copy"]["BackupId"]

    _change(file, repeat)
    done = await run("sync", "--plan", str(file))
    assert 2 == done.code
    assert re.search(r"\$\.InProgress\[1\]\.Copy: backup-\S+ is listed twice", done.err)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "No such file or directory"),
        ("{", "cannot be read as JSON"),
        ("[]", "must be what fsxcopy plan --out wrote"),
    ],
)
async def test_a_file_that_is_no_plan(run: Run, file: Path, text: str | None, error: str) -> None:
    """It is named, with what is wrong."""
    if text is not None:
        _write(file, text)
    done = await run("sync", "--plan", str(file))
    assert 2 == done.code
    assert f"{file}: {error}" in done.err


@pytest.mark.parametrize(
    ("options", "errors"),
    [
        (
            ["--keep-last", "2", "--newest", "3", "--tag", "a=b"],
            [
                f"--{name}: must not be given with --plan"
                for name in ("keep-last", "newest", "tag")
            ],
        ),
        (["--policy", "other"], ["--policy: must not be given with --plan"]),
        (["--region", "eu-west-1"], ["--region: must be us-west-2 as in the plan"]),
        (["--source-region", "eu-west-1"], ["--source-region: must be us-east-2 as in the plan"]),
        (["--prune-most"], ["--prune-most: must come with --prune"]),
        (["--prune"], ["--prune: the policy of this plan has no retention"]),
    ],
)
async def test_options_that_a_plan_decides(
    run: Run, fsx: LocalFsx, file: Path, options: list[str], errors: list[str]
) -> None:
    """They are refused, all at once, before the network."""
    await run("plan", *WHERE, "--out", str(file))
    fsx.calls.clear()
    done = await run("sync", "--plan", str(file), *options)
    assert 2 == done.code
    for error in errors:
        assert error in done.err.replace("\n  ", "")
    assert not fsx.calls


async def test_a_plan_of_many_policies(run: Run, fsx: LocalFsx, config: Path, file: Path) -> None:
    """One file has the plans of all accounts, and of one policy alone if that is asked for."""
    planned = await run("plan", "--config", str(config), "--out", str(file))
    for account in (None, PROFILE_ACCOUNT):
        fsx.add_backup("us-east-2", account=account)
    how = ("sync", "--config", str(config), "--plan", str(file), *OFTEN)
    shown = await run(*how, "--dry-run")
    one = await run(*how, "--policy", "one")
    both = await run(*how)

    assert (0, 0, 0, 0) == (planned.code, shown.code, one.code, both.code)
    assert planned.out == shown.out
    assert "prod" not in one.out
    assert {EXAMPLE: 1} == sources_of(fsx, "us-west-2")
    assert [1] == [*sources_of(fsx, "us-west-2", PROFILE_ACCOUNT).values()]


async def test_a_plan_without_a_policy_of_the_file(
    run: Run, fsx: LocalFsx, config: Path, file: Path
) -> None:
    """The policy is reported as failed, and others are carried out."""
    await run("plan", "--config", str(config), "--policy", "one", "--out", str(file))
    for more in (("--dry-run",), ()):
        done = await run("sync", "--config", str(config), "--plan", str(file), *OFTEN, *more)
        assert 2 == done.code
        text = "The given plan does not include this policy"
        assert text in done.err.replace("\n  ", " ")
    assert {EXAMPLE: 1} == sources_of(fsx, "us-west-2")
    assert not sources_of(fsx, "us-west-2", PROFILE_ACCOUNT)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda plan: plan["Plans"][1].update(MadeAt="2020-01-01T00:00:00+00:00"), "is stale"),
        (lambda plan: plan["Plans"][1].update(Version=2), "$.Plans[1].Version: must be 1"),
        (lambda plan: plan.update(Policy={}), "is a plan of one policy, which takes no --config"),
        (lambda plan: plan.update(Plans=[5]), "$.Plans[0]: must be"),
        (lambda plan: plan.update(Plans=5), "$.Plans: must be a list of plans, not 5"),
        (lambda plan: plan["Plans"][0].pop("Account"), "$.Plans[0].Account: must be a string"),
    ],
)
async def test_a_plan_of_many_policies_that_is_refused(
    run: Run, config: Path, file: Path, change: Callable[[Any], None], text: str
) -> None:
    """One that is stale or cannot be read stops all."""
    await run("plan", "--config", str(config), "--out", str(file))
    _change(file, change)
    done = await run("sync", "--config", str(config), "--plan", str(file))
    assert 2 == done.code
    assert text in done.err
    assert "" == done.out


async def test_a_policy_that_was_changed_after_planning(
    run: Run, fsx: LocalFsx, config: Path, file: Path
) -> None:
    """What the file says now is not what was planned: a new plan must be made."""
    await run("plan", "--config", str(config), "--out", str(file))
    _write(config, FILE.replace('name = "one"', 'name = "one"\nnewest = "all"'))
    fsx.calls.clear()
    for more in ((), ("--dry-run",)):
        done = await run("sync", "--config", str(config), "--plan", str(file), *more)
        assert (2, "") == (done.code, done.out)
        assert "policy one into us-west-2: must be as the fleet has it now" in done.err
    assert not fsx.calls


async def test_a_dry_run_of_a_plan_is_of_the_policies_that_are_named(
    run: Run, fsx: LocalFsx, config: Path, file: Path
) -> None:
    """It shows what a sync of these would do, and makes no call."""
    await run("plan", "--config", str(config), "--out", str(file))
    fsx.calls.clear()
    how = ("sync", "--config", str(config), "--plan", str(file), "--dry-run")
    done = await run(*how, "--policy", "prod")
    assert 0 == done.code
    assert "Plan of policy prod" in done.out
    assert "Plan of policy one" not in done.out
    assert not fsx.calls


async def test_a_plan_of_one_policy_twice(run: Run, config: Path, file: Path) -> None:
    """Which of them counts is not guessed."""
    await run("plan", "--config", str(config), "--out", str(file))
    _change(file, lambda plan: plan.update(Plans=plan["Plans"] * 2))
    done = await run("sync", "--config", str(config), "--plan", str(file))
    assert 2 == done.code
    assert "policy one into us-west-2: must be planned once, not several times" in done.err


async def test_a_plan_of_another_account(
    run: Run, fsx: LocalFsx, config: Path, file: Path
) -> None:
    """What that account does not have would be called pruned, though its owner has it."""
    await run("plan", "--config", str(config), "--out", str(file))
    _write(config, FILE.replace(', profile = "prod"', ""))
    fsx.calls.clear()
    done = await run("sync", "--config", str(config), "--plan", str(file))
    assert (2, "") == (done.code, done.out)
    assert "must be of account default as in the fleet, not of prod" in done.err.replace(
        "\n  ", " "
    )
    assert not fsx.calls


async def test_a_plan_of_many_policies_with_the_credentials_of_another_account(
    run: Run, fsx: LocalFsx, config: Path, file: Path
) -> None:
    """Its policies fail there, and those of the right account are carried out."""
    await run("plan", "--config", str(config), "--out", str(file))
    fsx.add_access_key("AKIADEFAULT", account=PROFILE_ACCOUNT)
    done = await run("sync", "--config", str(config), "--plan", str(file), *OFTEN)
    text = f"must be applied with credentials of account 123456789012, not of {PROFILE_ACCOUNT}"
    assert 2 == done.code
    assert text in done.err.replace("\n  ", " ")
    assert not sources_of(fsx, "us-west-2")
    assert [1] == [*sources_of(fsx, "us-west-2", PROFILE_ACCOUNT).values()]
    assert 1 == fsx.calls["CopyBackup"]

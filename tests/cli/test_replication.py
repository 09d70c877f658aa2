"""``fsxcopy plan``, ``fsxcopy sync`` and ``fsxcopy report``."""

from __future__ import annotations

import json
import re
import signal
import time
from datetime import UTC, datetime, timedelta

import anyio
import anyio.to_thread
import pytest
from cli_rig import EXAMPLE, SPEED, Run, run_and_change, start, untimed

from fsxcopy_sdk.replication import Keep, ReplicationPolicy
from fsxcopy_sdk.testing import Fault, LocalFsx
from fsxcopy_sdk.testing._documents import JsonValue

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
SYNC = ("sync", *WHERE, "--min-delay", "0.05")
NAMED = ("--policy", "nightly")
FILE_SYSTEM = "fs-0498eed5fe91001ec"
OTHER = "fs-0123456789abcdef0"
TAGS: JsonValue = [{"Key": f"key{number}", "Value": ""} for number in range(50)]


def _add_backup(fsx: LocalFsx, *, days_old: int) -> None:
    made = time.time() - days_old * 86400
    fsx.add_backup("us-east-2", CreationTime=made, FileSystem={"FileSystemId": FILE_SYSTEM})


async def _copied(run: Run, fsx: LocalFsx, *days_old: int) -> None:
    """Add backups of these ages, and copy all that there is."""
    for age in days_old:
        _add_backup(fsx, days_old=age)
    await run(*SYNC, "--newest", "all", *NAMED)


async def test_plan_and_dry_run(run: Run, fsx: LocalFsx) -> None:
    """Plan and dry run write the same plan, and change nothing."""
    plan = await run("plan", *WHERE)
    dry_run = await run("sync", *WHERE, "--dry-run")
    document = json.loads((await run("plan", *WHERE, "--output", "json")).out)
    line = await run("sync", *WHERE, "--dry-run", "--output", "jsonl")

    assert "to copy: 1" == plan.out.splitlines()[1]
    assert (
        f"  {FILE_SYSTEM}: {EXAMPLE} of 2021-04-09T07:53:28+00:00: the newest backup, no copy yet"
        in plan.out.splitlines()
    )
    assert plan.out.splitlines()[1:] == dry_run.out.splitlines()[1:]
    assert EXAMPLE == document["ToCopy"][0]["Backup"]["BackupId"]
    assert document["ToCopy"] == json.loads(line.out)["ToCopy"]
    assert [] == fsx.backups("us-west-2")


async def test_plan_as_json_has_the_report(run: Run, fsx: LocalFsx) -> None:
    """The report in a plan uses the given maximum age."""
    done = await run("plan", *WHERE, "--max-age", "2d", "--output", "json")
    assert 2 * 86400 == json.loads(done.out)["Report"]["MaxAge"]


async def test_sync_twice(run: Run, fsx: LocalFsx) -> None:
    """The first sync copies as the policy says; the second has nothing to do."""
    key = "arn:aws:kms:us-west-2:123456789012:key/d1234e22-543a-12b7-a98f-e12c2b54001a"
    how = ("--kms-key-id", key, "--tag", "Purpose=dr", "--no-copy-tags", "--policy", "nightly")
    first = await run(*SYNC, *how, "--output", "json")
    second = await run(*SYNC, *how, "--output", "json")

    (end,) = json.loads(first.out)["Outcomes"]
    assert ("Copied", EXAMPLE) == (end["Outcome"], end["Request"]["SourceBackupId"])
    assert key == end["Backup"]["KmsKeyId"]
    tags = {tag["Key"]: tag["Value"] for tag in end["Backup"]["Tags"]}
    assert ("nightly", "dr") == (tags["fsxcopy:policy"], tags["Purpose"])
    assert "Name" not in tags
    assert "to copy: 1, in progress: 0, to prune: 0" == first.err.splitlines()[0]
    assert {"Version": 1, "Outcomes": []} == json.loads(second.out)
    assert "nothing to do; copies up to date: 1\n" == second.err
    assert (0, 0) == (first.code, second.code)


async def test_sync_prunes(run: Run, fsx: LocalFsx) -> None:
    """With --prune, copies that are no longer kept are deleted, with the reason."""
    _add_backup(fsx, days_old=2)
    await run(*SYNC, *NAMED)
    (old,) = fsx.backups("us-west-2")
    _add_backup(fsx, days_old=1)
    kept = await run(*SYNC, "--keep-last", "1", *NAMED)
    pruned = await run(*SYNC, "--keep-last", "1", "--prune", *NAMED)

    assert ["copied"] == [line.split()[1] for line in kept.out.splitlines()[1:]]
    row = pruned.out.splitlines()[1]
    assert [old["BackupId"], "pruned", old["SourceBackupId"]] == row.split()[:3]
    assert "to copy: 0, in progress: 0, to prune: 1" == pruned.err.splitlines()[0]
    assert 1 == len(fsx.backups("us-west-2"))


async def test_every_rule_of_retention(run: Run, fsx: LocalFsx) -> None:
    """The options make the policy that they name, and the plan says what they keep."""
    await _copied(run, fsx, 60, 40, 20, 1)
    rules = {"last": 1, "hourly": 2, "daily": 3, "weekly": 4, "monthly": 5, "yearly": 6}
    options = [text for name, n in rules.items() for text in (f"--keep-{name}", str(n))]
    more = ("--keep-within", "30d", "--keep-time-zone", "Europe/Berlin", "--output", "json")
    plan = json.loads((await run("plan", *WHERE, *NAMED, *options, *more)).out)

    keep = Keep(**rules, within=30 * 86400, time_zone="Europe/Berlin")
    assert keep == ReplicationPolicy.from_dict(plan["Policy"]).keep
    assert {"WITHIN", "DAILY"} <= {*plan["Kept"][-2]["Rules"]}
    assert {"LAST", "HOURLY", "MONTHLY", "YEARLY", "NEWEST"} <= {*plan["Kept"][-1]["Rules"]}
    assert "within 30 d of the newest" in plan["Kept"][-2]["Reason"]


async def test_sync_prunes_by_the_calendar(run: Run, fsx: LocalFsx) -> None:
    """Of each day the newest copy is kept."""
    for hours in (1, 2, 25, 26):
        moment = datetime(2026, 6, 15, tzinfo=UTC) - timedelta(hours=hours)
        fsx.add_backup(
            "us-east-2", CreationTime=moment.timestamp(), FileSystem={"FileSystemId": FILE_SYSTEM}
        )
    await run(*SYNC, "--newest", "all", *NAMED)
    done = await run(*SYNC, *NAMED, "--keep-daily", "2", "--prune", "--output", "json")
    plan = await run("plan", *WHERE, *NAMED, "--keep-daily", "2")

    pruned = json.loads(done.out)["Outcomes"]
    reasons = [one["Prune"]["Reason"] for one in pruned]
    assert ["not the newest of 2026-06-13", "not the newest of 2026-06-14"] == reasons
    assert "daily 2 of 2 (2026-06-13)" in plan.out
    assert 0 == done.code


async def test_refused_deletion(run: Run, fsx: LocalFsx) -> None:
    """A refused deletion is reported, and gives code 1."""
    await _copied(run, fsx, 2, 1)
    fsx.inject(Fault.error("UnsupportedOperation"), operation="DeleteBackup", fraction=1.0)
    done = await run(*SYNC, "--keep-last", "1", "--prune", *NAMED)
    assert {"not_pruned"} == {row.split()[1] for row in done.out.splitlines()[1:]}
    assert "not pruned: UnsupportedOperation (DeleteBackup in us-west-2)" in done.err
    assert 1 == done.code


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--keep-last", "1", "--prune"), "--prune: must come with --policy NAME"),
        (("--policy", "a", "--prune"), "--prune: must come with --keep-last, --keep-hourly,"),
        (
            ("--policy", "a", "--prune", "--keep-time-zone", "Europe/Berlin"),
            "--prune: must come with --keep-last, --keep-hourly,",
        ),
        (("--keep-time-zone", "UTC"), "--keep-time-zone: must come with --keep-last,"),
        (
            ("--keep-daily", "7", "--keep-time-zone", "Mars"),
            '--keep-time-zone: must be "UTC", or an IANA time zone',
        ),
        (("--keep-weekly", "0"), "for --keep-weekly. Must be 1 or more."),
        (("--keep-within", "0"), "for --keep-within. Must be more than zero."),
        (("--prune-orphans",), "--prune-orphans: must come with --prune"),
        (("--prune-most",), "--prune-most: must come with --prune"),
    ],
    ids=[
        "no policy",
        "no retention",
        "a zone is no retention",
        "zone alone",
        "no zone",
        "no weeks",
        "no time",
        "orphans alone",
        "most alone",
    ],
)
async def test_pruning_needs_its_options(
    run: Run, fsx: LocalFsx, options: tuple[str, ...], text: str
) -> None:
    """Pruning needs a policy's name, a retention and --prune; otherwise nothing is sent."""
    done = await run("sync", *WHERE, *options)
    assert 2 == done.code
    assert text in done.err
    assert {} == fsx.calls


async def test_held_back_copies_give_code_1(run: Run, fsx: LocalFsx) -> None:
    """Copies without an original, or more than half, need a switch; a dry run fails too."""
    await _copied(run, fsx, 4, 3, 2, 1)
    for one in fsx.backups("us-east-2"):
        fsx.delete_backup(str(one["BackupId"]))
    fsx.add_backup("us-east-2", FileSystem={"FileSystemId": OTHER})
    prune = (*SYNC, "--keep-last", "1", "--prune", *NAMED)
    planned = await run(*prune, "--dry-run")
    held_back = await run(*prune)
    half = await run(*prune, "--prune-orphans")
    gone = await run(*prune, "--prune-orphans", "--prune-most")

    assert [1, 1, 1, 0] == [planned.code, held_back.code, half.code, gone.code]
    assert 3 == held_back.err.count("the source shows no AVAILABLE backup of it")
    assert "more than half of its copies would go" in half.err
    assert "pruned" in gone.out
    assert 3 == len(fsx.backups("us-west-2"))
    pruned = next(line for line in gone.out.splitlines() if " pruned " in line)
    assert re.search(r" pruned +backup-[0-9a-f]+ ", pruned)  # the backup that it was a copy of


async def test_the_end_of_the_time_hides_no_other_code(
    run: Run, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """A sync that `--max-wait` ends has code 1, not 4, if copies were held back as well."""
    await _copied(run, fsx, 4, 3)
    for one in fsx.backups("us-east-2"):
        fsx.delete_backup(str(one["BackupId"]))
    for file_system in (OTHER, "fs-0123456789abcdef2"):
        slow = fsx.add_backup("us-east-2", FileSystem={"FileSystemId": file_system})
        durations[slow] = 60.0
    prune = ("--keep-last", "1", "--prune")

    done = await run(*SYNC, *NAMED, *prune, "--max-wait", "1", "--max-in-progress", "1")

    assert ("--max-wait is over", 1) == (done.err.splitlines()[-1], done.code)
    assert "held back" in done.err or "not pruned" in done.err


async def test_original_lost_after_planning_holds_its_copy_back(
    run: Run, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """An obstacle that appears after the plan was made keeps the copy, and gives code 1."""
    await _copied(run, fsx, 4, 3, 2)
    originals = [str(one["BackupId"]) for one in fsx.backups("us-east-2")]
    durations[fsx.add_backup("us-east-2", FileSystem={"FileSystemId": OTHER})] = 1

    def lose_originals() -> None:
        for one in originals:
            fsx.delete_backup(one)

    prune = (*SYNC, *NAMED, "--prune", "--prune-most", "--keep-last", "2", "--output", "json")
    done = await run_and_change(run, fsx, lose_originals, *prune)

    copied, held_back = json.loads(done.out)["Outcomes"]
    assert ("Copied", "PruneSkipped") == (copied["Outcome"], held_back["Outcome"])
    assert held_back["IsHeldBack"] is True
    assert "the source shows no AVAILABLE backup of it" == held_back["Reason"]
    assert "1 copied, 1 held back" == done.err.splitlines()[-1]
    assert 1 == done.code


async def test_copy_kept_after_planning_is_no_failure(
    run: Run, fsx: LocalFsx, durations: dict[str, float]
) -> None:
    """If a newer copy is lost after the plan was made, the older one is kept, with code 0."""
    await _copied(run, fsx, 4, 3, 2)
    newest = max(fsx.backups("us-east-2"), key=lambda one: float(str(one["CreationTime"])))
    copies = {one["SourceBackupId"]: str(one["BackupId"]) for one in fsx.backups("us-west-2")}
    durations[fsx.add_backup("us-east-2", FileSystem={"FileSystemId": OTHER})] = 1

    def lose_newest_copy() -> None:
        fsx.delete_backup(copies[newest["BackupId"]])

    prune = (*SYNC, *NAMED, "--prune", "--keep-last", "2", "--output", "json")
    done = await run_and_change(run, fsx, lose_newest_copy, *prune)

    ends = json.loads(done.out)["Outcomes"]
    assert ["Copied", "PruneSkipped"] == [end["Outcome"] for end in ends]
    assert 0 == done.code


async def test_sync_without_waiting(run: Run, fsx: LocalFsx) -> None:
    """A sync in steps starts what the quota allows, each time, until nothing is left."""
    for number in range(7):
        _add_backup(fsx, days_old=number)
    line = (*SYNC, "--newest", "all", "--no-wait", *NAMED)
    first = await run(*line)
    for one in fsx.backups("us-west-2"):
        fsx.set_lifecycle(str(one["BackupId"]), "AVAILABLE")
    second = await run(*line)
    for one in fsx.backups("us-west-2"):
        fsx.set_lifecycle(str(one["BackupId"]), "AVAILABLE")
    third = await run(*line)

    assert "5 started, 3 deferred" in first.err
    assert "left for the next run: 3" in first.err.splitlines()
    assert "wait with: fsxcopy wait backup-" in first.err
    assert "3 started" in second.err
    assert "nothing to do; copies up to date: 8\n" == third.err
    assert (0, 0, 0) == (first.code, second.code, third.code)
    assert 8 == fsx.calls["CopyBackup"]


@pytest.mark.parametrize("command", ["plan", "sync"])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--source-region", "eu-west-1"), "eu-west-1 shows no backup in the policy's scope"),
        (
            ("--source-region", "us-east-2", "--file-system-id", OTHER),
            f"us-east-2 shows no backup of {OTHER}",
        ),
        (
            ("--source-region", "us-east-2", "--filter", "backup-type=AWS_BACKUP"),
            "us-east-2 shows no backup in the policy's scope",
        ),
    ],
    ids=["Region", "file system", "filter"],
)
async def test_empty_scope_gives_code_1(
    run: Run, fsx: LocalFsx, command: str, options: tuple[str, ...], text: str
) -> None:
    """If no backup is in scope, the Region or a filter may be wrong: code 1."""
    done = await run(command, *options, "--region", "us-west-2", "--quiet")
    assert 1 == done.code
    assert text in done.err.splitlines()


async def test_backup_that_cannot_be_copied(run: Run, fsx: LocalFsx) -> None:
    """A FlexGroup volume's backup is reported, stops no other copy, and gives code 1."""
    volume: dict[str, JsonValue] = {
        "VolumeId": "fsvol-0123456789abcdef0",
        "VolumeType": "ONTAP",
        "OntapConfiguration": {"VolumeStyle": "FLEXGROUP"},
    }
    backup_id = fsx.add_backup("us-east-2", ResourceType="VOLUME", Volume=volume)
    done = await run(*SYNC, "--output", "json")
    again = await run(*SYNC)
    line = await run(*SYNC, "--output", "jsonl", "--quiet")
    plan = await run("plan", *WHERE)

    never, copied = json.loads(done.out)["Outcomes"]
    backup = never.pop("Backup")
    assert {
        "Outcome": "CannotCopy",
        "SourceId": "fsvol-0123456789abcdef0",
        "Reason": "FLEXGROUP",
    } == never
    assert (backup_id, "AVAILABLE") == (backup["BackupId"], backup["Lifecycle"])
    assert "Copied" == copied["Outcome"]
    _, text, *_, counts = untimed(done.err)
    assert (
        f"copy of {backup_id}: cannot be copied: of a FlexGroup volume (1 of 2, 1 waiting)" == text
    )
    assert "1 copied, 1 cannot be copied" == counts
    assert ["-", "cannot_copy", backup_id] == again.out.splitlines()[1].split()
    nothing, text = untimed(again.err)
    assert "nothing to do; copies up to date: 1" == nothing
    assert f"copy of {backup_id}: cannot be copied: of a FlexGroup volume" == text
    assert ({"Version": 1, **never, "Backup": backup}, "") == (json.loads(line.out), line.err)
    assert (1, 1, 1, 0) == (done.code, again.code, line.code, plan.code)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"Tags": TAGS}, "TOO_MANY_TAGS"),
        ({"FileSystem": {}}, "UNKNOWN_SOURCE"),
    ],
)
async def test_permanent_reasons_give_code_1(
    run: Run, fsx: LocalFsx, members: dict[str, JsonValue], reason: str
) -> None:
    """A backup that no later sync can copy makes every sync fail."""
    source: dict[str, JsonValue] = {"FileSystem": {"FileSystemId": OTHER}}
    backup_id = fsx.add_backup("us-east-2", {**source, **members})
    done = await run(*SYNC, "--output", "jsonl")
    never = json.loads(done.out.splitlines()[0])
    assert ("CannotCopy", reason) == (never["Outcome"], never["Reason"])
    assert backup_id == never["Backup"]["BackupId"]
    assert 1 == done.code


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"SourceBackupId": "backup-00000000"}, "a copy itself"),
        ({"Lifecycle": "CREATING"}, "not AVAILABLE: CREATING"),
    ],
)
async def test_passing_reasons_are_no_failure(
    run: Run, fsx: LocalFsx, members: dict[str, JsonValue], reason: str
) -> None:
    """A backup that is being made can be copied later, and the original of a copy elsewhere."""
    fsx.add_backup("us-east-2", {"FileSystem": {"FileSystemId": OTHER}, **members})
    done = await run(*SYNC, "--file-system-id", OTHER)
    text, nothing = done.err.splitlines()
    assert text.startswith(f"cannot be copied: {OTHER}: ")
    assert text.endswith(f": {reason}")
    assert "nothing to do; copies up to date: 0" == nothing
    assert (0, "") == (done.code, done.out)


async def test_empty_report_gives_code_1(run: Run, fsx: LocalFsx) -> None:
    """If nothing was found, the Region may be wrong, which a cron job must notice."""
    done = await run("report", "--source-region", "us-east-1", "--region", "us-west-2")
    assert "there is no backup in us-east-1, and no copy of one\n" == done.err
    assert (1, "") == (done.code, done.out)


async def test_late_copy_gives_code_1(run: Run, fsx: LocalFsx) -> None:
    """Each file system has a line, late or not; a late one gives code 1."""
    late = await run("report", *WHERE)
    await run(*SYNC)
    good = await run("report", *WHERE, "--max-age", "36500d")

    (copy,) = fsx.backups("us-west-2")
    assert [FILE_SYSTEM, "LATE", "-", "-", EXAMPLE, "0"] == late.out.splitlines()[1].split()
    source, state, _, _, copy_id, *_ = good.out.splitlines()[1].split()
    assert (FILE_SYSTEM, "ok", copy["BackupId"]) == (source, state, copy_id)
    assert (1, 0) == (late.code, good.code)


async def test_report_as_json(run: Run, fsx: LocalFsx) -> None:
    """JSON is one document, JSON lines one file system per line."""
    fsx.add_backup("us-east-2", FileSystem={"FileSystemId": "fs-0123456789abcdef0"})
    document = json.loads((await run("report", *WHERE, "--output", "json")).out)
    lines = (await run("report", *WHERE, "--output", "jsonl")).out.splitlines()

    assert "us-east-2" == document["SourceRegion"]
    assert "us-west-2" == document["DestinationRegion"]
    assert [json.loads(line) for line in lines] == [
        {"Version": 1, **one} for one in document["Sources"]
    ]
    assert 2 == len(lines)


async def test_policy_defaults_match_the_library(run: Run, fsx: LocalFsx) -> None:
    """The options repeat the defaults of `ReplicationPolicy`, whose import is slow."""
    policy = ReplicationPolicy(name="fsxcopy")
    plan = json.loads((await run("plan", *WHERE, "--output", "json")).out)
    assert policy == ReplicationPolicy.from_dict(plan["Policy"])


async def test_backups_that_cannot_be_read(run: Run, fsx: LocalFsx) -> None:
    """Plan, report and sync go on without them; a copy that cannot be read is exit code 1."""
    odd = fsx.add_backup(
        "us-east-2", CreationTime="yesterday", FileSystem=fsx.backups("us-east-2")[0]["FileSystem"]
    )
    plan = await run("plan", *WHERE)
    report = await run("report", *WHERE, "--output", "json")
    strict = [await run(name, *WHERE, "--strict") for name in ("plan", "report", "sync")]
    fsx.add_backup("us-west-2", SourceBackupId=EXAMPLE, SourceBackupRegion="us-east-2", Type=7)
    sync = await run(*SYNC)

    assert 0 == plan.code
    assert "to copy: 1" in plan.out.splitlines()
    assert "cannot be read in us-east-2: 1" in plan.out.splitlines()
    assert 1 == plan.err.count(f"1 backup of us-east-2 cannot be read: {odd}")
    assert 1 == json.loads(report.out)["Unreadable"]
    assert [(1, "")] * 3 == [(done.code, done.out) for done in strict]
    assert 1 == sync.code
    assert "the destination has a copy of it that cannot be read" in sync.err
    assert 0 == fsx.calls["CopyBackup"]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"FileSystem": {"FileSystemId": "fs-00000001"}}, "no backup of fs-00000001 that can be"),
        ({"FileSystem": "odd"}, "a backup of which nothing can be"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "report", "sync"])
async def test_a_source_without_a_backup_that_can_be_read(
    run: Run, fsx: LocalFsx, command: str, members: dict[str, JsonValue], said: str
) -> None:
    """It is not protected by copies of the others, which a quiet command says too."""
    assert 0 == (await run(*SYNC)).code
    fsx.add_backup("us-east-2", members, CreationTime="yesterday")
    done = await run(command, *WHERE, "--quiet")
    assert (1, f"us-east-2 shows {said} read") == (done.code, done.err.strip())


async def test_an_unreadable_backup_of_what_is_not_selected(run: Run, fsx: LocalFsx) -> None:
    """A policy that names its sources does not fail for others, nor for copies."""
    fsx.add_backup("us-east-2", CreationTime="yesterday")
    fsx.add_backup("us-east-2", Type=7, SourceBackupId="backup-00000000")
    done = await run("plan", *WHERE, "--file-system-id", FILE_SYSTEM)
    assert 0 == done.code
    assert "that can be read" not in done.err


async def test_an_interrupted_sync_names_what_it_may_have_pruned(run: Run, fsx: LocalFsx) -> None:
    """The deletion without an answer is not observed, and the next one not started."""
    await _copied(run, fsx, 3, 2, 1)
    fsx.inject(Fault.delay(60 * SPEED), operation="DeleteBackup", after=True)
    prune = (*SYNC, *NAMED, "--prune", "--prune-most", "--keep-last", "1", "--output", "json")
    with start(*prune) as process:
        while not fsx.calls["DeleteBackup"]:  # noqa: ASYNC110 - the local FSx has no event
            await anyio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    outcomes = json.loads(out)["Outcomes"]
    assert 143 == process.returncode
    assert ["NotObserved", "NotStarted"] == [one["Outcome"] for one in outcomes]
    backup_id = outcomes[0]["Prune"]["Copy"]["BackupId"]
    lines = err.splitlines()
    assert f"may have been deleted: {backup_id}" in lines
    assert "not deleted: 1" in lines
    assert "fsxcopy wait" not in err
    assert "not started: " not in err


async def test_prunes_are_held_back_by_what_cannot_be_read(run: Run, fsx: LocalFsx) -> None:
    """A sync with every switch deletes nothing of that source, and says why."""
    await _copied(run, fsx, 3, 2, 1)
    fsx.add_backup("us-west-2", Type=7, FileSystem={"FileSystemId": FILE_SYSTEM})
    held = len(fsx.backups("us-west-2"))
    switches = ("--prune", "--prune-orphans", "--prune-most", "--keep-last", "1")
    done = await run(*SYNC, *NAMED, *switches)

    assert 1 == done.code
    assert "but a backup that cannot be read may be of the same source" in done.err
    assert held == len(fsx.backups("us-west-2"))

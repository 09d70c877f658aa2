"""``fsxcopy list`` and ``fsxcopy show``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

import pytest
from cli_rig import EXAMPLE, Run
from strategies import as_written

from fsxcopy_sdk.testing import Fault, LocalFsx


async def test_list_writes_a_table(run: Run, fsx: LocalFsx) -> None:
    """A table has one line per backup: file system, source of a copy, name."""
    done = await run("list", "--region", "us-east-2")

    head, line = done.out.splitlines()
    expected = ["BACKUP", "CREATED", "LIFECYCLE", "SIZE", "TYPE", "OF", "COPY", "OF", "NAME"]
    assert expected == head.split()
    row = f"{EXAMPLE} 2021-04-09 07:53Z AVAILABLE USER_INITIATED fs-0498eed5fe91001ec MyBackup"
    assert row.split() == line.split()
    assert (0, "backups in us-east-2: 1\n") == (done.code, done.err)


async def test_list_shows_volumes_and_copies(run: Run, fsx: LocalFsx) -> None:
    """The backup of a volume shows the volume; a copy in progress its progress and source."""
    fsx.add_backup(
        "us-west-2",
        BackupId="backup-00000001",
        ResourceType="VOLUME",
        Volume={"VolumeId": "fsvol-0123456789abcdef0"},
        SourceBackupId=EXAMPLE,
        Lifecycle="COPYING",
        ProgressPercent=40,
    )
    fsx.add_backup(
        "us-west-2",
        BackupId="backup-00000002",
        FileSystem={},
        SourceBackupId=EXAMPLE,
        SourceBackupRegion="us-east-2",
    )
    lines = (await run("list", "--region", "us-west-2")).out.splitlines()

    assert " fsvol-0123456789abcdef0 " in lines[1]
    assert " COPYING 40% " in lines[1]
    assert lines[1].endswith(f" {EXAMPLE} in its Region")
    assert lines[2].endswith(f" {EXAMPLE} in us-east-2")


async def test_list_without_backups(run: Run, fsx: LocalFsx) -> None:
    """Without backups there is no table, or an empty document; --quiet prints no count."""
    table = await run("list", "--region", "eu-west-1")
    document = await run("--quiet", "--output", "json", "list", "--region", "eu-west-1")
    assert ("", "backups in eu-west-1: 0\n") == (table.out, table.err)
    assert ({"Version": 1, "Backups": []}, "") == (json.loads(document.out), document.err)


async def test_list_as_json(run: Run, fsx: LocalFsx) -> None:
    """JSON is one document, JSON lines one document per backup, under the service's names."""
    fsx.add_backup("us-east-2")
    document = json.loads((await run("list", "--region=us-east-2", "--output=json")).out)
    lines = (await run("list", "--region=us-east-2", "--output=jsonl")).out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"Version": 1, **backup} for backup in document["Backups"]
    ]
    assert {EXAMPLE} < {backup["BackupId"] for backup in document["Backups"]}


@pytest.mark.parametrize(("output", "expected"), [("json", 0), ("table", 0), ("jsonl", 50)])
async def test_a_list_that_fails(run: Run, fsx: LocalFsx, output: str, expected: int) -> None:
    """A partial list could be mistaken for a whole one, so only JSON lines remain of it."""
    for _ in range(200):
        fsx.add_backup("us-east-2")
    fsx.inject(Fault.delay(0), next_calls=1)
    fsx.inject(Fault.error("BadRequest"), next_calls=1)
    done = await run("list", "--region", "us-east-2", "--output", output)
    assert expected == len(done.out.splitlines())
    assert (1, 1) == (done.code, len(done.err.splitlines()))


async def test_list_filters(run: Run, fsx: LocalFsx) -> None:
    """Backups are listed that have one of the IDs and pass every filter."""
    wanted = fsx.add_backup(
        "us-east-2", Type="AUTOMATIC", FileSystem={"FileSystemId": "fs-0123456789abcdef0"}
    )
    fsx.add_backup("us-east-2", Type="AUTOMATIC")
    done = await run(
        *("list", "--region", "us-east-2", "--output", "jsonl"),
        *("--file-system-id", "fs-0123456789abcdef0", "--file-system-id", "fs-0498eed5fe91001ec"),
        *("--filter", "backup-type=AUTOMATIC", "--filter", "backup-type=AWS_BACKUP"),
    )

    assert [wanted] == [json.loads(line)["BackupId"] for line in done.out.splitlines()]


async def test_show_writes_one_line_per_member(run: Run, fsx: LocalFsx) -> None:
    """Each line has the path and the value of a member, as it is in JSON."""
    done = await run("show", EXAMPLE, "--region", "us-east-2")
    shown = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert (0, "") == (done.code, done.err)
    assert "2021-04-09T07:53:28.068000+00:00" == shown["CreationTime"]
    assert "MyBackup" == shown["Tags[0].Value"]
    assert "PERSISTENT_1" == shown["FileSystem.LustreConfiguration.DeploymentType"]
    assert "1:05:00" == shown["FileSystem.LustreConfiguration.WeeklyMaintenanceStartTime"]


async def test_show_as_json(run: Run, fsx: LocalFsx) -> None:
    """The document is the backup, with a version; as JSON lines it is on one line."""
    document = await run("show", EXAMPLE, "--region", "us-east-2", "--output", "json")
    line = await run("show", EXAMPLE, "--region", "us-east-2", "--output", "jsonl")
    backup = as_written(fsx.backup("us-east-2", EXAMPLE))
    assert isinstance(backup, dict)
    assert {"Version": 1, **backup} == json.loads(line.out)
    assert json.loads(document.out) == json.loads(line.out)
    assert 1 == len(line.out.splitlines())


async def test_passwords_are_masked(run: Run, fsx: LocalFsx) -> None:
    """A password from the service is masked in every output."""
    ontap = {"FileSystemId": "fs-0123456789abcdef0", "FileSystemType": "ONTAP"}
    configuration = {"FsxAdminPassword": "correct-horse"}
    action = {"TargetFileSystemValues": {"OntapConfiguration": configuration}}
    backup_id = fsx.add_backup(
        "us-east-2",
        FileSystem={
            **ontap,
            "OntapConfiguration": configuration,
            "AdministrativeActions": [action],
        },
    )
    document = await run("show", backup_id, "--region", "us-east-2", "--output", "json")
    lines = await run("show", backup_id, "--region", "us-east-2")
    listed = await run("list", "--region", "us-east-2", "--output", "jsonl")

    assert "correct-horse" not in document.out + lines.out + listed.out
    assert 2 == document.out.count('"FsxAdminPassword": "(not shown)"')
    assert 2 == lines.out.count("FsxAdminPassword")


async def test_list_with_a_backup_that_cannot_be_read(run: Run, fsx: LocalFsx) -> None:
    """All others are listed and it is named once; with --strict the command fails."""
    odd = fsx.add_backup("us-east-2", CreationTime="yesterday")
    done = await run("list", "--region", "us-east-2")
    strict = await run("list", "--region", "us-east-2", "--strict")

    assert (0, 2) == (done.code, len(done.out.splitlines()))
    assert EXAMPLE in done.out
    assert 1 == done.err.count(f"1 backup of us-east-2 cannot be read: {odd}: $.Backups[")
    assert (1, "") == (strict.code, strict.out)
    assert "CreationTime: must be a time" in strict.err


@pytest.fixture(name="ages")
def _ages(fsx: LocalFsx) -> list[str]:
    """IDs of 60 backups of us-west-2, whose age in days is their number, in another order."""
    ids = {}
    for days in [(7 * number) % 60 for number in range(60)]:
        ids[days] = fsx.add_backup(
            "us-west-2",
            CreationTime=time.time() - days * 86400 - 3600,
            SizeInBytes=(days + 1) * 2**30,
            Lifecycle="COPYING" if days % 2 else "AVAILABLE",
            ProgressPercent=days,
        )
    return [ids[days] for days in range(60)]


async def _listed(run: Run, *arguments: str) -> list[str]:
    done = await run("list", "--region", "us-west-2", "--output", "jsonl", *arguments)
    assert 0 == done.code
    return [json.loads(line)["BackupId"] for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--sort", "created"), range(59, -1, -1)),
        (("--sort", "created", "--reverse", "--limit", "3"), range(3)),
        (("--sort", "size", "--limit", "70"), range(60)),
        (("--sort", "size", "--reverse", "--lifecycle", "copying"), range(59, 0, -2)),
        (("--sort", "lifecycle", "--limit", "32"), [*range(0, 60, 2), 1, 3]),
        (("--newer-than", "5d", "--sort", "created"), range(4, -1, -1)),
        (("--newer-than", "800000d", "--sort", "created"), range(59, -1, -1)),
        (("--newer-than", "2d", "--lifecycle", "FAILED", "--lifecycle", "AVAILABLE"), [0]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_list_sorts_and_selects(
    run: Run, ages: list[str], arguments: tuple[str, ...], expected: Iterable[int]
) -> None:
    """Order, number, state and age are of the whole listing, not of a page."""
    assert [ages[days] for days in expected] == await _listed(run, *arguments)


@pytest.mark.parametrize("key", ["id", "name", "of", "type"])
async def test_list_sorts_by_texts(run: Run, fsx: LocalFsx, key: str) -> None:
    """The other keys are those of columns."""
    for number, letter in enumerate("bca"):
        fsx.add_backup(
            "us-west-2",
            BackupId=f"backup-0000000{letter}",
            FileSystem={"FileSystemId": f"fs-0000000{letter}"},
            Type=["AWS_BACKUP", "USER_INITIATED", "AUTOMATIC"][number],
            Tags=[{"Key": "Name", "Value": letter}],
        )
    ids = await _listed(run, "--sort", key)
    assert ["backup-0000000a", "backup-0000000b", "backup-0000000c"] == ids


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--limit 3", (3, 1)),
        ("--limit 50", (50, 1)),
        ("--limit 51", (51, 2)),
        ("--limit 2 --newer-than 30d", (2, 1)),
        ("--limit 61", (60, 2)),
    ],
)
async def test_a_limit_ends_the_paging(
    run: Run, fsx: LocalFsx, ages: list[str], arguments: str, expected: tuple[int, int]
) -> None:
    """Without an order, no page is read of which nothing is shown."""
    shown = len(await _listed(run, *arguments.split()))
    assert expected == (shown, fsx.calls["DescribeBackups"])


async def test_the_count_says_what_a_limit_left_out(run: Run, ages: list[str]) -> None:
    """After sorting all are known; without it there may be more."""
    first = await run("list", "--region", "us-west-2", "--limit", "3")
    newest = await run("list", "--region", "us-west-2", "--limit", "3", "--sort", "created")
    assert "backups in us-west-2: the first 3; there may be more\n" == first.err
    assert "backups in us-west-2: 60, of which 3 are shown\n" == newest.err
    assert "31.0 GiB" in (await run("list", "--region", "us-west-2")).out


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 2**40, "5.0 TiB")],
)
async def test_sizes(run: Run, fsx: LocalFsx, size: int, text: str) -> None:
    """A size is in the largest unit that it fills."""
    fsx.add_backup("us-west-2", SizeInBytes=size)
    done = await run("list", "--region", "us-west-2")
    assert f"AVAILABLE  {text} " in " ".join(done.out.splitlines()[1:])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("--filter", "backup-typ=AUTOMATIC"),
            "file-cache-type, not 'backup-typ'; did you mean backup-type?",
        ),
        (("--filter", "zzz=1"), "--filter: must be one of file-system-id, backup-type, file-"),
        (("--lifecycle", "avialable"), "not 'avialable'; did you mean AVAILABLE?"),
        (("--reverse",), "--reverse: must come with --sort"),
        (("--sort", "age"), 'Invalid value "age" for --sort.'),
        (("--limit", "0"), "Must be 1 or more."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_what_cannot_be_listed(
    run: Run, fsx: LocalFsx, arguments: tuple[str, ...], text: str
) -> None:
    """A mistyped name is refused before any call, with the names that there are."""
    done = await run("list", "--region", "us-west-2", *arguments)
    assert 2 == done.code
    assert text in done.err
    assert {} == fsx.calls

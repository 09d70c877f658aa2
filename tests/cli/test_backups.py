"""``fsxcopy list`` and ``fsxcopy show``."""

from __future__ import annotations

import json

import pytest
from cli_rig import EXAMPLE, Run
from strategies import as_written

from fsxcopy_sdk.testing import Fault, LocalFsx


async def test_list_writes_a_table(run: Run, fsx: LocalFsx) -> None:
    """A table has one line per backup: file system, source of a copy, name."""
    done = await run("list", "--region", "us-east-2")

    head, line = done.out.splitlines()
    assert ["BACKUP", "CREATED", "LIFECYCLE", "TYPE", "OF", "COPY", "OF", "NAME"] == head.split()
    expected = (
        f"{EXAMPLE} 2021-04-09 07:53Z AVAILABLE USER_INITIATED fs-0498eed5fe91001ec MyBackup"
    )
    assert expected.split() == line.split()
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

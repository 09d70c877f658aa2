"""Tables and lines on terminals of several widths."""

from __future__ import annotations

import re

import pytest
from cli_rig import EXAMPLE, Run, plain
from rich.cells import cell_len

from fsxcopy_sdk.testing import LocalFsx

WIDE_NAME = "データベースの夜間バックアップ🎉"
SOURCE = ("--source-region", "us-east-2")
REGION = ("--region", "us-west-2")
COPY = ("copy", EXAMPLE, "backup-00000000", *SOURCE, *REGION, "--min-delay", "0.05")
WIDTHS = (100, 80, 50)


def _add(fsx: LocalFsx, **members: str | int) -> str:
    return fsx.add_backup(
        "us-west-2",
        {
            "SourceBackupId": "backup-0123456789abcdef0",
            "SourceBackupRegion": "us-east-2",
            "Tags": [{"Key": "Name", "Value": WIDE_NAME}],
            **members,
        },
    )


@pytest.mark.parametrize(
    "command",
    [
        ("list", *REGION),
        ("show", EXAMPLE, "--region", "us-east-2"),
        ("plan", *SOURCE, *REGION),
        ("report", *SOURCE, *REGION),
        ("sync", *SOURCE, *REGION, "--min-delay", "0.05", "--newest", "all"),
        COPY,
        ("wait", EXAMPLE, "--region", "us-east-2"),
        ("delete", EXAMPLE, "--region", "us-east-2", "--yes"),
    ],
    ids=lambda command: command[0],
)
async def test_results_fit(run: Run, fsx: LocalFsx, command: tuple[str, ...]) -> None:
    """No line of results is wider than the terminal, unless it is a single long word."""
    for size in (0, 123456789012):
        _add(fsx, SizeInBytes=size)
    fsx.add_backup("us-west-2", Tags=[{"Key": "Name", "Value": "a name " * 36}])
    for columns in WIDTHS:
        fsx.add_backup("us-east-2")  # for sync
        lines = (await run(*command, columns=columns)).out.splitlines()
        assert lines
        assert [] == [line for line in lines if cell_len(line) > columns and " " in line.strip()]


async def test_ids_that_name_a_row_are_never_cut(run: Run, fsx: LocalFsx) -> None:
    """A row begins with its ID; a copy that was refused has none but that of its source."""
    copy = _add(fsx, SourceBackupId=EXAMPLE)
    for columns in WIDTHS:
        listed = (await run("list", *REGION, columns=columns)).out
        ended = (await run(*COPY, columns=columns)).out
        assert copy == listed.splitlines()[1].split()[0]
        rows = [line.split() for line in ended.splitlines()[1:]]
        assert {copy, "backup-00000000"} <= {*rows[0], *rows[1]}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (50, ["BACKUP", "CREATED", "LIFECYCLE"]),
        (80, ["BACKUP", "CREATED", "LIFECYCLE", "OF", "NAME"]),
        (100, ["BACKUP", "CREATED", "LIFECYCLE", "OF", "COPY OF"]),
        (200, ["BACKUP", "CREATED", "LIFECYCLE", "SIZE", "TYPE", "OF", "COPY OF", "NAME"]),
    ],
)
async def test_columns_by_width(
    run: Run, fsx: LocalFsx, columns: int, expected: list[str]
) -> None:
    """The columns that matter most remain, in their order, and a time is shortened to a date."""
    _add(fsx, CreationTime=1617954808)
    head, row = (await run("list", *REGION, columns=columns)).out.splitlines()
    assert expected == re.split(" {2,}", head)
    assert ("2021-04-09 07:53Z" in row) == (columns == 200)
    assert "2021-04-09" in row


async def test_empty_columns_are_dropped_first(run: Run, fsx: LocalFsx) -> None:
    """Where nothing is a copy or has a size, the name has the space, cut at whole characters."""
    fsx.add_backup("us-west-2", Tags=[{"Key": "Name", "Value": WIDE_NAME}])
    head, row = (await run("list", *REGION, columns=90)).out.splitlines()
    assert "COPY OF" not in head
    assert "SIZE" not in head
    assert row.endswith("…")
    assert 86 < cell_len(row) <= 90
    assert "データベ" in row


@pytest.mark.parametrize("columns", [None, 200, 50])
async def test_reasons_have_no_heading_where_there_are_none(
    run: Run, fsx: LocalFsx, columns: int | None
) -> None:
    """A failure was said before, so that only an existing copy has a reason."""
    how = (*SOURCE, *REGION, "--min-delay", "0.05")
    first, second = [(await run("copy", EXAMPLE, *how, columns=columns)).out for _ in range(2)]
    assert "WHY" not in first
    assert "WHY" in second


async def test_output_that_is_no_terminal_is_not_cut(
    run: Run, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file or a pipe has all columns, whatever COLUMNS says."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    _add(fsx)
    row = plain((await run("list", *REGION)).out).splitlines()[1]
    assert row.endswith(WIDE_NAME)
    assert "backup-0123456789abcdef0 in us-east-2" in row


async def test_dots_where_the_encoding_has_no_ellipsis(
    run: Run, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal whose encoding lacks a character gets three dots."""
    monkeypatch.setattr("cli_rig.Stream.encoding", "cp1252")
    fsx.add_backup("us-west-2", Tags=[{"Key": "Name", "Value": "a rather long name"}])
    row = (await run("list", *REGION, columns=80)).out.splitlines()[1]
    assert row.endswith("...")
    assert len(row) <= 80


async def test_show_puts_a_long_value_below_its_name(run: Run, fsx: LocalFsx) -> None:
    """Values stand in a column where they fit; no member is left out."""
    failed = _add(fsx)
    fsx.fail_copy(failed, "the key was disabled " * 5)
    wide = (await run("show", failed, *REGION)).out
    narrow = (await run("show", failed, *REGION, columns=50)).out
    assert "".join(wide.split()) == "".join(narrow.split())
    below = "FailureDetails.Message\n    the key was disabled the key was disabled the\n    key"
    assert below in narrow


async def test_show_breaks_a_long_name_before_a_dot(run: Run, fsx: LocalFsx) -> None:
    """No name is broken inside a word."""
    shown = (await run("show", EXAMPLE, "--region", "us-east-2", columns=50)).out
    name = "FileSystem.LustreConfiguration\n  .WeeklyMaintenanceStartTime\n    1:05:00\n"
    assert name in shown
    assert "FileSystem.FileSystemId    fs-0498eed5fe91001ec\n" in shown

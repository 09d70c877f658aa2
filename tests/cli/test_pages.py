"""``fsxcopy report --output html|markdown|prometheus`` and ``--out``."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from cli_rig import EXAMPLE, Run

from fsxcopy_sdk.cli._pages import written_to
from fsxcopy_sdk.testing import Fault, LocalFsx

WHERE = ("--source-region", "us-east-2", "--region", "us-west-2")
REPORT = ("report", *WHERE)
SYNC = ("sync", *WHERE, "--min-delay", "0.05", "--quiet")
FILE_SYSTEM = "fs-0498eed5fe91001ec"
STARTS = {
    "html": "<!DOCTYPE html>",
    "markdown": "# FSx backup copies",
    "prometheus": "# HELP fsxcopy_recovery_point_timestamp_seconds",
}


@pytest.fixture(name="umask")
def _umask() -> Iterator[int]:
    """An unusual umask, so that what it says is seen."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


@pytest.mark.parametrize("output", STARTS)
async def test_a_report_as_a_page(run: Run, fsx: LocalFsx, tmp_path: Path, output: str) -> None:
    """A page goes to standard output or to a file, and the exit code is that of the report."""
    file = tmp_path / "page"
    late = await run(*REPORT, "--output", output)
    await run(*SYNC)
    good = await run(*REPORT, "-o", output, "--max-age", "36500d", "--out", str(file))

    assert (1, 0, "", "") == (late.code, good.code, good.out, good.err)
    for text in (late.out, file.read_text("utf-8")):
        assert text.startswith(STARTS[output])
        assert FILE_SYSTEM in text
    if output == "prometheus":
        assert 'policy="fsxcopy"' in late.out
    else:
        assert "1 of 1 recovery point is late" in late.out
        assert "The recovery point is in time" in file.read_text("utf-8")


@pytest.mark.parametrize("output", ["table", "json", "jsonl"])
async def test_every_output_can_be_a_file(
    run: Run, fsx: LocalFsx, tmp_path: Path, output: str
) -> None:
    """The file has what standard output would have had."""
    shown = await run(*REPORT, "--output", output)
    written = await run(*REPORT, "--output", output, "--out", str(tmp_path / "report"))
    text = (tmp_path / "report").read_text("utf-8")
    assert (1, "") == (written.code, written.out)
    if output == "json":
        members = [json.loads(one) for one in (shown.out, text)]
        assert members[0]["Sources"][0].keys() == members[1]["Sources"][0].keys()
    else:
        assert FILE_SYSTEM in text
        assert shown.out.count("\n") == text.count("\n")


@pytest.mark.parametrize("output", STARTS)
async def test_other_commands_write_no_pages(run: Run, output: str) -> None:
    """A page is of a report; help shows the choice where there is one."""
    done = await run("list", "--output", output)
    assert (2, "") == (done.code, done.out)
    assert (
        f"fsxcopy: fsxcopy list does not take --output {output}, which is for reports."
        " See fsxcopy list --help.\n"
    ) == done.err
    helps = [(await run(command, "--help")).out for command in ("report", "list")]
    assert [True, False] == [output in text.partition("--output FORMAT")[2] for text in helps]


@pytest.mark.parametrize("output", STARTS)
async def test_a_failure_is_on_the_page(
    run: Run, fsx: LocalFsx, tmp_path: Path, output: str
) -> None:
    """Who looks at the page, and what alerts, learns that there is no report."""
    fsx.inject(Fault.error("AccessDeniedException", 400), next_calls=1)
    done = await run(*REPORT, "-o", output, "--policy", "nightly", "--out", str(tmp_path / "page"))
    text = (tmp_path / "page").read_text("utf-8")
    assert (3, "") == (done.code, done.out)
    assert "AccessDenied" in done.err
    assert ("account failed" in text) is (output != "prometheus")
    success = 'report_success{destination_region="us-west-2",policy="nightly"'
    assert (success in text) is (output == "prometheus")


@pytest.mark.parametrize("output", ["json", "html"])
async def test_nothing_is_written_where_nothing_is_known(
    run: Run, fsx: LocalFsx, tmp_path: Path, output: str
) -> None:
    """A mistake in the command line, or a failed report that is no page, leaves the file."""
    file = tmp_path / "page"
    file.write_text("before")
    how = ("--output", output, "--out", str(file))
    wrong = await run("report", "--region", "us-west-2", *how)
    odd = await run(*REPORT, *how, "--file-system-id", "x" * 200)
    assert (2, 2) == (wrong.code, odd.code)
    if output == "json":
        fsx.inject(Fault.error("AccessDeniedException", 400), next_calls=1)
        assert 3 == (await run(*REPORT, *how)).code
    assert "before" == file.read_text()


async def test_an_extra_that_is_missing(
    run: Run, fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named before anything is asked of the service."""
    monkeypatch.delitem(sys.modules, "fsxcopy_sdk.fleet.rendering._html", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = await run(*REPORT, "--output", "html")
    assert (2, "") == (done.code, done.out)
    assert "pip install 'fsxcopy-sdk[html]'" in done.err
    assert 0 == fsx.calls["DescribeBackups"]


# Files


def _names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "no folder", "file as folder"])
async def test_what_cannot_be_a_file(run: Run, fsx: LocalFsx, tmp_path: Path, kind: str) -> None:
    """A device or a pipe is never replaced, and all of it is said before any call."""
    target = tmp_path / "target"
    if kind == "folder":
        target.mkdir()
    elif kind == "pipe":
        os.mkfifo(target)
    elif kind == "device":
        target.symlink_to("/dev/null")
    elif kind == "no folder":
        target = target / "page"
    else:
        target.write_text("")
        target = target / "page"
    done = await run(*REPORT, "--out", str(target))
    assert (2, "") == (done.code, done.out)
    assert done.err.startswith("fsxcopy: --out: must be ")
    assert 0 == fsx.calls["DescribeBackups"]


def test_a_file_is_replaced(tmp_path: Path, umask: int) -> None:
    """Who reads the old file reads it to its end; the new one has the mode of a new file."""
    target = tmp_path / "metrics.prom"
    target.write_text("old")
    target.chmod(0o600)
    with target.open() as reader:
        with written_to(target):
            sys.stdout.write("new é \ud800\n")
        assert "old" == reader.read()
    assert "new é \\ud800\n" == target.read_text("utf-8")
    assert 0o666 & ~umask == stat.S_IMODE(target.stat().st_mode)
    assert ["metrics.prom"] == _names(tmp_path)


async def test_a_link_stays_one(run: Run, fsx: LocalFsx, tmp_path: Path) -> None:
    """The file that it leads to is replaced, in its own folder."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real/page")
    await run(*REPORT, "--out", str(link))
    assert link.is_symlink()
    assert EXAMPLE in (tmp_path / "real" / "page").read_text("utf-8")


def test_a_block_that_fails_writes_nothing(tmp_path: Path) -> None:
    """What was there before stays."""
    target = tmp_path / "page"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), written_to(target):
        sys.stdout.write("half\n")
        raise KeyboardInterrupt
    assert "old" == target.read_text()
    assert ["page"] == _names(tmp_path)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error has the name that was given, and leaves nothing beside it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for target in (tmp_path / "gone" / "page", folder):
        with pytest.raises(OSError, match=str(target)), written_to(target):
            sys.stdout.write("text\n")
    assert ["folder"] == _names(tmp_path)


def test_without_a_file_it_is_standard_output() -> None:
    """Nothing is held back then."""
    with redirect_stdout(io.StringIO()) as out, written_to(None):
        sys.stdout.write("text\n")
        assert "text\n" == out.getvalue()

"""``fsxcopy delete``."""

from __future__ import annotations

import json
import signal

import anyio
import anyio.to_thread
import pytest
from cli_rig import EXAMPLE, SPEED, OpenTerminal, Run, plain, start

from fsxcopy_sdk.testing import Fault, LocalFsx


async def test_delete(run: Run, fsx: LocalFsx) -> None:
    """A failed deletion does not stop others, and its error is reported."""
    done = await run(
        *("delete", "backup-00000000", EXAMPLE, "--yes"),
        *("--region", "us-east-2", "--output", "json"),
    )

    failed, deleted = json.loads(done.out)["Outcomes"]
    assert {"Outcome": "Deleted", "BackupId": EXAMPLE} == deleted
    assert ("Failed", "BackupNotFound") == (failed["Outcome"], failed["Error"]["Type"])
    assert failed["Error"]["RequestId"] in done.err
    assert 1 == done.code
    assert [] == fsx.backups("us-east-2")


async def test_delete_without_terminal_needs_yes(run: Run, fsx: LocalFsx) -> None:
    """If standard input is not a terminal, nothing is deleted without --yes."""
    done = await run("delete", "-", "--region", "us-east-2", stdin=EXAMPLE)
    assert 2 == done.code
    assert (
        "fsxcopy: --yes: stdin is not a terminal: pass --yes to delete without confirmation\n"
        == done.err
    )
    assert 1 == len(fsx.backups("us-east-2"))


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("yes", 0, 0), ("Y", 0, 0), ("", 1, 1), ("no", 1, 1)]
)
async def test_delete_asks_for_confirmation(
    terminal: OpenTerminal, fsx: LocalFsx, answer: str, code: int, left: int
) -> None:
    """At a terminal the backups are shown, a yes deletes, any other answer deletes nothing."""
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2")
    shown = await asked.until("Type yes:")
    asked.type(f"{answer}\n")
    await asked.until()
    head, row, question = plain(shown).splitlines()[-3:]
    assert ["BACKUP", "CREATED", "LIFECYCLE", "TYPE", "OF", "NAME"] == head.split()
    expected = [EXAMPLE, "2021-04-09", "AVAILABLE", "USER_INITIATED"]
    assert [*expected, "fs-0498eed5fe91001ec", "MyBackup"] == row.split()
    assert "Permanently delete this backup in us-east-2? Type yes:" == question
    assert (code, left) == (await asked.code(), len(fsx.backups("us-east-2")))
    assert bool(left) == ("nothing was deleted" in asked.shown.splitlines())


@pytest.mark.parametrize("output", ["json", "jsonl"])
async def test_a_deletion_that_is_not_confirmed_has_a_document(
    run: Run, fsx: LocalFsx, output: str
) -> None:
    """It has those that were asked about, and those that are not there."""
    line = ("delete", "backup-00000000", EXAMPLE, "-r", "us-east-2", "-o", output)
    done = await run(*line, stdin="no\n", at_terminal=True)

    lines = done.out.splitlines()
    ends = json.loads(done.out)["Outcomes"] if output == "json" else [*map(json.loads, lines)]
    outcomes = [(one["BackupId"], one["Outcome"]) for one in ends]
    assert [("backup-00000000", "Failed"), (EXAMPLE, "NotStarted")] == outcomes
    assert "nothing was deleted" in done.err.splitlines()
    assert 1 == done.code


@pytest.mark.parametrize("columns", [40, 50, 60])
async def test_delete_asks_with_what_the_backup_is_of(
    run: Run, fsx: LocalFsx, columns: int
) -> None:
    """However narrow the terminal, the question shows of what and how large a backup is."""
    backup_id = fsx.add_backup("us-east-2", SizeInBytes=3 * 2**30)
    line = ("delete", backup_id, "-r", "us-east-2")
    done = await run(*line, stdin="no\n", at_terminal=True, columns=columns)
    shown = done.err.partition("Permanently")[0]
    assert "3.0 GiB" in shown
    assert "fs-" in shown
    assert 1 == done.code


async def test_delete_reports_what_is_not_there_before_it_asks(
    terminal: OpenTerminal, fsx: LocalFsx
) -> None:
    """The question is about those that exist; the code says that one was not there."""
    asked = terminal("delete", EXAMPLE, "backup-00000000", "--region", "us-east-2")
    shown = plain(await asked.until("Type yes:"))
    asked.type("yes\n")
    shown = plain(await asked.until())

    missing = "backup-00000000: failed: BackupNotFound"
    assert shown.index(missing) < shown.index("Permanently delete this backup in us-east-2?")
    assert 1 == shown.count("BackupNotFound")
    rows = [line.split()[:2] for line in shown.splitlines()[-2:]]
    assert [["backup-00000000", "failed"], [EXAMPLE, "deleted"]] == rows
    assert (1, []) == (await asked.code(), fsx.backups("us-east-2"))


async def test_delete_of_what_is_not_there_asks_nothing(
    terminal: OpenTerminal, fsx: LocalFsx
) -> None:
    """Without any of them there is no question."""
    asked = terminal("delete", "backup-00000000", "--region", "us-east-2")
    shown = plain(await asked.until())
    assert "Type yes" not in shown
    assert "nothing was deleted" in shown.splitlines()
    assert 1 == await asked.code()


@pytest.mark.parametrize("more", [(), ("--yes",)], ids=" ".join)
async def test_dry_run_of_a_deletion(run: Run, fsx: LocalFsx, more: tuple[str, ...]) -> None:
    """It shows the backups as list does, reports those that are not there, deletes nothing."""
    line = ("delete", EXAMPLE, "backup-00000000", "--region", "us-east-2", "--dry-run", *more)
    table, document = await run(*line), await run(*line, "--output", "json", "--quiet")
    alone = await run("delete", EXAMPLE, "-r", "us-east-2", "-n")

    listed = await run("list", "--region", "us-east-2")
    assert listed.out == table.out == alone.out
    assert "backup-00000000: failed: BackupNotFound" in table.err
    assert "would be deleted in us-east-2: 1; nothing was" == table.err.splitlines()[-1]
    assert [EXAMPLE] == [one["BackupId"] for one in json.loads(document.out)["Backups"]]
    assert (1, 1, 0) == (table.code, document.code, alone.code)
    assert 1 == len(fsx.backups("us-east-2"))


@pytest.mark.parametrize("output", ["table", "json", "jsonl"])
async def test_dry_run_says_what_is_not_there(run: Run, fsx: LocalFsx, output: str) -> None:
    """It is a message, even with --quiet, and never among the backups."""
    line = ("delete", "backup-00000000", EXAMPLE, "-r", "us-east-2", "-n", "-q", "-o", output)
    done = await run(*line)
    [message] = done.err.splitlines()
    assert message.startswith("backup-00000000: failed: BackupNotFound")
    assert 1 == done.code
    assert EXAMPLE in done.out
    assert "backup-00000000" not in done.out
    assert "Outcome" not in done.out


async def test_confirmation_can_be_interrupted(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """One Ctrl-C ends the command, which has a document all the same."""
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2", "--output", "json")
    await asked.until("Type yes:")
    asked.type("\x03")
    assert "NotStarted" in await asked.until()
    assert 130 == await asked.code()
    assert 1 == len(fsx.backups("us-east-2"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("before", [0, 2])
async def test_an_interrupted_deletion_names_what_it_may_have_deleted(
    fsx: LocalFsx, number: int, code: int, before: int
) -> None:
    """The one without an answer is not observed, and those after it are not started."""
    ids = [fsx.add_backup("us-east-2") for _ in range(4)]
    if before:
        fsx.inject(Fault.delay(0), operation="DeleteBackup", next_calls=before)
    fsx.inject(Fault.delay(60 * SPEED), operation="DeleteBackup", after=True)
    with start("delete", *ids, "-r", "us-east-2", "-y", "-o", "json", "-q") as process:
        while fsx.calls["DeleteBackup"] <= before:  # noqa: ASYNC110 - the local FSx has no event
            await anyio.sleep(0.01)
        process.send_signal(number)
        out, err = await anyio.to_thread.run_sync(process.communicate)

    outcomes = [(one["BackupId"], one["Outcome"]) for one in json.loads(out)["Outcomes"]]
    words = ["Deleted"] * before + ["NotObserved"] + ["NotStarted"] * (3 - before)
    assert code == process.returncode
    assert [*zip(ids, words, strict=True)] == outcomes
    said = [f"may have been deleted: {ids[before]}", f"not deleted: {3 - before}"]
    assert said == err.splitlines()[:2]

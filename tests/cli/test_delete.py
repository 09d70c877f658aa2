"""``fsxcopy delete``."""

from __future__ import annotations

import json

import pytest
from cli_rig import EXAMPLE, OpenTerminal, Run

from fsxcopy_sdk.testing import LocalFsx


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
    """At a terminal the IDs are shown, a yes deletes, and any other answer deletes nothing."""
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2")
    shown = await asked.until("Type yes:")
    asked.type(f"{answer}\n")
    await asked.until()
    assert f"{EXAMPLE}\r\nPermanently delete this backup in us-east-2? Type yes:" in shown
    assert (code, left) == (await asked.code(), len(fsx.backups("us-east-2")))
    assert bool(left) == ("nothing was deleted" in asked.shown.splitlines())


async def test_confirmation_can_be_interrupted(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """One Ctrl-C ends the command."""
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2")
    await asked.until("Type yes:")
    asked.type("\x03")
    await asked.until()
    assert 130 == await asked.code()
    assert 1 == len(fsx.backups("us-east-2"))

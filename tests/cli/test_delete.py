"""
``fsxcopy delete``.
"""

from __future__ import annotations

import json

from cli_rig import EXAMPLE, OpenTerminal, Run

from fsxcopy_sdk.testing import LocalFsx


async def test_backups_are_deleted(run: Run, fsx: LocalFsx) -> None:
    """
    One that cannot be deleted stops no other, and its error is told.
    """
    done = await run(
        *("delete", "backup-00000000", EXAMPLE, "--yes"),
        *("--region", "us-east-2", "--output", "json"),
    )

    failed, deleted = json.loads(done.out)["Outcomes"]
    assert {"Outcome": "deleted", "BackupId": EXAMPLE} == deleted
    assert ("failed", "BackupNotFound") == (failed["Outcome"], failed["Error"]["Type"])
    assert failed["Error"]["RequestId"] in done.err
    assert 1 == done.code
    assert [] == fsx.backups("us-east-2")


async def test_nobody_to_ask(run: Run, fsx: LocalFsx) -> None:
    """
    Where there is no terminal, nothing is deleted without --yes.
    """
    done = await run("delete", "-", "--region", "us-east-2", stdin=EXAMPLE)

    assert 2 == done.code
    assert (
        "fsxcopy: --yes: stdin is not a terminal: pass --yes to delete without confirmation\n"
        == done.err
    )
    assert 1 == len(fsx.backups("us-east-2"))


async def test_a_yes_deletes(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """
    At a terminal the ids are shown, and a yes is asked for.
    """
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2")
    shown = await asked.until("Type yes:")
    asked.type("yes\n")
    await asked.until()

    assert EXAMPLE in shown
    assert "Permanently delete this backup in us-east-2? Type yes:" in shown
    assert 0 == await asked.code()
    assert [] == fsx.backups("us-east-2")


async def test_anything_else_deletes_nothing(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """
    Without a yes nothing happens, and the command says so.
    """
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2")
    await asked.until("Type yes:")
    asked.type("\n")
    shown = await asked.until()

    assert (1, "nothing was deleted") == (await asked.code(), shown.split("\r\n")[-2])
    assert 1 == len(fsx.backups("us-east-2"))


async def test_the_question_can_be_interrupted(terminal: OpenTerminal, fsx: LocalFsx) -> None:
    """
    One Ctrl-C is an answer.
    """
    asked = terminal("delete", EXAMPLE, "--region", "us-east-2")
    await asked.until("Type yes:")
    asked.type("\x03")
    await asked.until()

    assert 130 == await asked.code()
    assert 1 == len(fsx.backups("us-east-2"))

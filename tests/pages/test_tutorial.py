"""The programs of the tutorial run, and print what it says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pages_rig import DOCS, blocks, environment, normal, programs, run

PAGE = DOCS / "tutorial" / "python.md"
FIRST, SYNC, TEST = programs(PAGE)
# The first block of text is how to install.
_, PRINTED_FIRST, PRINTED_SYNC = [text for language, text in blocks(PAGE) if language == "text"]


@pytest.mark.parametrize(
    ("program", "printed"), [(FIRST, PRINTED_FIRST), (SYNC, PRINTED_SYNC)], ids=["first", "sync"]
)
def test_the_program_prints_this(program: str, printed: str) -> None:
    """It runs by itself, without AWS."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert normal(printed) == normal(done.stdout)


async def test_the_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test that it ends with is one."""
    await run(TEST)["test_a_failed_copy_is_reported"](monkeypatch)

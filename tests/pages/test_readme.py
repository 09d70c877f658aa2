"""The README is short, its program runs, and its lines of set-up are as it promises."""

from __future__ import annotations

import json
import subprocess
import sys

from pages_rig import DOCS, README, environment, local_fsx, programs

(PROGRAM,) = programs(README)
(POLICY,) = (json.loads(text) for text in programs(README, "json"))


def test_it_is_short() -> None:
    """What else there is to say is on the site."""
    assert 130 >= len(README.read_text("utf-8").splitlines())


def test_the_program_copies_a_backup() -> None:
    """It copies, waits and prints, as a program of its own."""
    with local_fsx("fsxcopy local --speed 600 --with-example") as (url, _):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=False,
            env=environment(url),
        )

    assert (0, "", "AVAILABLE us-east-2\n") == (done.returncode, done.stderr, done.stdout)


def test_the_policy_is_that_of_the_page() -> None:
    """It is what the page on permissions has for copies, which a test compares with the calls."""
    _, of_page, *_ = (
        json.loads(text) for text in programs(DOCS / "how-to" / "permissions.md", "json")
    )
    for statement in of_page["Statement"]:
        del statement["Sid"]
    assert of_page == POLICY


def test_there_are_two_lines_of_set_up() -> None:
    """One line runs the demo and one all checks; both make their own environment."""
    lines = programs(README, "sh")

    assert ["fsxcopy demo\n", "nox\n"] == [line.rpartition("/bin/")[2] for line in lines]
    assert all(line.startswith("python3 -m venv ") and line.count("\n") == 1 for line in lines)

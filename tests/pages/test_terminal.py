"""What the pages show of a terminal is what a terminal shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from pages_rig import (
    DOCS,
    README,
    blocks,
    environment,
    local_fsx,
    normal,
    outputs,
    programs,
    steps,
)

from fsxcopy_sdk.cli._app import _launcher, app

SESSIONS = [page for page in (README, *sorted(DOCS.rglob("*.md"))) if programs(page, "console")]


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: page.stem)
def test_the_session_is_as_shown(page: Path, tmp_path: Path) -> None:
    """Each command prints what the page says, but for times, ages and IDs of copies."""
    server, *others = steps(page)
    for text in programs(page, "toml"):
        (tmp_path / "fsxcopy.toml").write_text(text, "utf-8")
    with local_fsx(server.command) as (url, printed):
        env = environment() if "export" in others[0].command else environment(url)
        found = outputs([one.command for one in others], tmp_path, env, url)

    shown = "".join(f"$ {one.command}\n{one.output}" for one in [server, *others])
    ran = "".join(f"$ {one.command}\n{output}" for one, output in zip(others, found, strict=True))
    # By lines, which pytest compares whole.
    expected = normal(shown).splitlines()
    assert expected == normal(f"$ {server.command}\n{printed}{ran}").splitlines()


def _typed(page: Path) -> list[str]:
    """Return the commands of a page in blocks that are not run, one on each line."""
    texts = [text for language, text in blocks(page) if language in ("text", "ini", "sh")]
    lines = re.sub(r"\\\n\s*", "", "\n".join(texts)).splitlines()
    found = (
        re.search(r"(?:^|=|\s)(fsxcopy [a-z]+ .*?)(?:\s(?:\||&&|>|2>).*)?$", one) for one in lines
    )
    return [one[1] for one in found if one and not one.string.startswith(("resume ", "fsxcopy:"))]


@pytest.mark.parametrize("page", [README, *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.stem)
def test_what_is_not_run_can_be_typed(page: Path) -> None:
    """Commands that pages only name have no option or value that there is not."""
    for line in _typed(page):
        words = [
            "backup-00000000" if one in ("BACKUP_ID", "ID") else one for one in shlex.split(line)
        ]
        _, given, _ = _launcher.parse_args(words[1:], exit_on_error=False, print_error=False)
        app.parse_args(given.args, exit_on_error=False, print_error=False)

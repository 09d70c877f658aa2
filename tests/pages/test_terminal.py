"""What the pages show of a terminal is what a terminal shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages_rig import DOCS, README, environment, local_fsx, normal, outputs, programs, steps

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

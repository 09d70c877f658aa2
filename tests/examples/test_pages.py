"""The pages include every example, and nothing that does not exist."""

from __future__ import annotations

import re

from examples_rig import EXAMPLES

PAGES = EXAMPLES.parent / "docs" / "how-to"


def test_every_example_is_on_a_page() -> None:
    """Pages include the files that tests run, so that what a reader copies works."""
    included = {
        (page.parent / name).resolve()
        for page in PAGES.glob("*.md")
        for name in re.findall(
            r"^```\{literalinclude\} (\S+)$", page.read_text("utf-8"), re.MULTILINE
        )
    }
    examples = {
        path
        for path in EXAMPLES.rglob("*")
        if path.is_file() and path.name != "README.md" and path.suffix != ".pyc"
    }
    assert examples <= included
    assert all(path.exists() for path in included)


def test_the_list_names_every_example() -> None:
    """Each file or folder of `examples/` has a link in its list."""
    linked = set(re.findall(r"\]\((\S+?)\)", (EXAMPLES / "README.md").read_text("utf-8")))
    names = {
        path.name for path in EXAMPLES.iterdir() if path.name not in {"README.md", "__pycache__"}
    }
    assert names <= linked
    assert all((EXAMPLES / one).exists() for one in linked)

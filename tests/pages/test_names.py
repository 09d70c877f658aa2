"""What pages name exists: files of this repository, and sessions of nox."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")})
_FILE = re.compile(r"`((?:src|tests|stubs|docs|examples|benchmarks|\.github)/[\w./*-]+)`")
_SESSIONS = re.compile(r"nox (?:-R )?(?:-s|--session) ((?:[a-z]+ ?)+)")

_every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


@_every_page
def test_files_exist(page: Path) -> None:
    """A file that a page names is there, and has not moved."""
    names = _FILE.findall(page.read_text("utf-8"))

    assert [] == [name for name in names if not list(ROOT.glob(name))]


def _sessions() -> set[str]:
    tree = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if node.decorator_list}


@_every_page
def test_sessions_exist(page: Path) -> None:
    """A session that a page names can be run."""
    named = {
        name
        for text in re.findall(r"`[^`]+`", page.read_text("utf-8"))
        for names in _SESSIONS.findall(text)
        for name in names.split()
    }

    assert set[str]() == named - _sessions()

"""
The package itself: what it exports, and what it stands on.
"""

import ast
import sys
from pathlib import Path

import pytest

from fsxcopy_sdk import testing

ALLOWED = {"aiohttp", "anyio", "attrs", "fsxcopy_sdk._clock", "orjson", *sys.stdlib_module_names}
MODULES = sorted(Path(testing.__file__).parent.glob("*.py"))


def imported(path) -> set[str]:
    """
    Return what the module at *path* imports from outside its package.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            own = node.module.startswith("fsxcopy_sdk")
            found.add(node.module if own else node.module.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            # From above the package would be a way around the rule.
            found |= {"..", *node.names} if node.level > 1 else set()
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_shares_nothing_with_the_client(path) -> None:
    """
    An emulator that shared the client's converter would agree with its bugs.
    """
    assert imported(path) <= ALLOWED


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_are_short(path) -> None:
    """
    A module of the house stays under 350 lines.
    """
    assert len(path.read_text().splitlines()) < 350


def test_exports_are_sorted() -> None:
    """
    What is exported is there, and in order.
    """
    assert sorted(testing.__all__) == list(testing.__all__)
    assert all(hasattr(testing, name) for name in testing.__all__)

"""What the package exports, and that it is all there is."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

import fsxcopy_sdk
from fsxcopy_sdk import bulk, enums, errors, fleet, models, replication, testing

_PACKAGES = (fsxcopy_sdk, bulk, enums, errors, fleet, models, replication, testing)

_every_package = pytest.mark.parametrize(
    "package", _PACKAGES, ids=lambda package: package.__name__
)


def _exported(package: ModuleType) -> list[str]:
    names: list[str] = package.__all__
    return names


@_every_package
def test_all_is_sorted(package: ModuleType) -> None:
    """The exported names are sorted and unique; the package itself has those of its parts."""
    names = list(_exported(package))
    ordered = sorted(names) if package is fsxcopy_sdk else names

    assert sorted(set(names)) == ordered


@_every_package
def test_all_can_be_imported(package: ModuleType) -> None:
    """Every exported name is there."""
    missing = object()

    assert [] == [
        name for name in _exported(package) if getattr(package, name, missing) is missing
    ]


@_every_package
def test_all_is_all(package: ModuleType) -> None:
    """Every class and function of ours that can be seen in a package is exported."""
    seen = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and str(getattr(value, "__module__", "")).startswith(package.__name__)
    }

    assert set() == seen - set(_exported(package))


@_every_package
def test_star_import(package: ModuleType) -> None:
    """A star import brings the exported names and no others."""
    namespace: dict[str, object] = {}
    exec(f"from {package.__name__} import *", namespace)

    assert set(_exported(package)) == set(namespace) - {"__builtins__"}


def test_package_has_the_names_of_its_parts() -> None:
    """Enums, errors and models can all be imported from the package itself."""
    parts = {name for part in (enums, errors, models) for name in part.__all__}

    assert set() == parts - set(fsxcopy_sdk.__all__)


def test_parts_and_package_agree() -> None:
    """A name is the same object in the package and in its part."""
    assert [] == [
        name
        for part in (enums, errors, models)
        for name in part.__all__
        if getattr(part, name) is not getattr(fsxcopy_sdk, name)
    ]


def test_dir() -> None:
    """`dir()` shows the exported names, those included that are fetched when asked for."""
    assert sorted(fsxcopy_sdk.__all__) == dir(fsxcopy_sdk)


def test_unknown_name() -> None:
    """A name that does not exist is an AttributeError like that of any module."""
    words = "module 'fsxcopy_sdk' has no attribute 'CopyClient'"
    with pytest.raises(AttributeError, match=f"^{re.escape(words)}$"):
        fsxcopy_sdk.CopyClient  # noqa: B018 - asking is the test


def test_unknown_name_in_import() -> None:
    """Importing a name that does not exist is an ImportError."""
    with pytest.raises(ImportError, match="cannot import name 'CopyClient'"):
        exec("from fsxcopy_sdk import CopyClient")


def test_import_that_breaks_says_why(tmp_path: Path) -> None:
    """If the module of a lazy name cannot be imported, the error names it and the cause."""
    (tmp_path / "aiobotocore").mkdir()
    (tmp_path / "aiobotocore" / "__init__.py").write_text("import anyio\nanyio.moved_away\n")
    program = "from fsxcopy_sdk import FsxCopyClient"

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )

    assert 1 == done.returncode
    assert "ImportError: fsxcopy_sdk.client cannot be imported: " in done.stderr
    assert "moved_away" in done.stderr


def test_version() -> None:
    """The version is that of the installed distribution."""
    assert version("fsxcopy-sdk") == fsxcopy_sdk.__version__


@pytest.mark.parametrize("name", ["DEFAULT_MAX_WAIT", "FsxCopyClient", "WaitSchedule", "to_dict"])
def test_late_names_are_fetched_once(name: str) -> None:
    """A name that is fetched when asked for is the same object the next time."""
    package = importlib.import_module("fsxcopy_sdk")

    assert getattr(package, name) is getattr(package, name)
    assert name in vars(package)

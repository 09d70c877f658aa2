"""What the package exports, and that it is all there is."""

from __future__ import annotations

import importlib
import os
import pickle
import re
import subprocess
import sys
import typing
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


def _run_fresh(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter that has imported nothing of the package."""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def _break(package: str, source: str, folder: Path) -> str:
    """Put a package that breaks when it is imported before all others; return its folder."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text(source)
    return str(folder)


@pytest.mark.parametrize(
    ("name", "package", "module"),
    [
        ("fsxcopy_sdk.FsxCopyClient", "aiobotocore", "fsxcopy_sdk.client"),
        ("fsxcopy_sdk.Backup", "attrs", "fsxcopy_sdk.models"),
        ("fsxcopy_sdk.testing.LocalFsx", "aiohttp", "fsxcopy_sdk.testing._protocol"),
    ],
)
def test_import_that_breaks_says_why(tmp_path: Path, name: str, package: str, module: str) -> None:
    """If the module of a lazy name cannot be imported, the error names it and the cause."""
    folder = _break(package, "import re\nre.moved_away\n", tmp_path)
    home, _, name = name.rpartition(".")

    done = _run_fresh(f"from {home} import {name}", PYTHONPATH=folder)

    assert 1 == done.returncode
    assert f"ImportError: {module} cannot be imported: " in done.stderr
    assert "moved_away" in done.stderr


@pytest.mark.parametrize(
    ("package", "source", "words"),
    [
        ("aiohttp", "import moved_away", "No module named 'moved_away'"),
        (
            "aiohttp",
            "raise ModuleNotFoundError(name='aiohttp')",
            'the local FSx needs the extra "testing": pip install "fsxcopy-sdk[testing]"',
        ),
    ],
)
def test_missing_extra(tmp_path: Path, package: str, source: str, words: str) -> None:
    """Without aiohttp the local FSx says what to install; another missing module is named."""
    folder = _break(package, source, tmp_path)

    done = _run_fresh("from fsxcopy_sdk.testing import ManualClock, LocalFsx", PYTHONPATH=folder)

    assert f"ModuleNotFoundError: {words}" == done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "expression",
    [
        "dir(fsxcopy_sdk)",
        "fsxcopy_sdk.__all__",
        "fsxcopy_sdk.enums, fsxcopy_sdk.models, fsxcopy_sdk.errors",
        "fsxcopy_sdk.Backup, fsxcopy_sdk.BackupLifecycle, fsxcopy_sdk.BackupNotFound",
        "fsxcopy_sdk.Duration, fsxcopy_sdk.Clock, fsxcopy_sdk.from_dict",
        "typing.get_type_hints(fsxcopy_sdk.FsxCopyClient.copy_backup)",
        "dir(fsxcopy_sdk.testing)",
        "fsxcopy_sdk.testing.DEFAULT_ACCOUNT, fsxcopy_sdk.testing.serve",
    ],
)
def test_first_use(expression: str) -> None:
    """What is used first in an interpreter is the same as in one that has imported all."""
    names = {"fsxcopy_sdk": fsxcopy_sdk, "typing": typing}

    done = _run_fresh(f"import typing, fsxcopy_sdk, fsxcopy_sdk.testing; print(({expression}))")

    assert "" == done.stderr
    assert _without_addresses(str(eval(expression, names))) == _without_addresses(done.stdout)


def test_unpickling_first() -> None:
    """What was pickled can be read by an interpreter that has imported nothing yet."""
    pickled = pickle.dumps([fsxcopy_sdk.Tag(key="a", value="b"), fsxcopy_sdk.BackupLifecycle("X")])

    done = _run_fresh(f"import pickle; print(pickle.loads({pickled!r}))")

    assert f"{pickle.loads(pickled)}\n" == done.stdout


def _without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text).strip()


def test_version() -> None:
    """The version is that of the installed distribution."""
    assert version("fsxcopy-sdk") == fsxcopy_sdk.__version__


@pytest.mark.parametrize(
    "name",
    ["Backup", "BackupNotFound", "DEFAULT_MAX_WAIT", "FsxCopyClient", "WaitSchedule", "to_dict"],
)
def test_late_names_are_fetched_once(name: str) -> None:
    """A name that is fetched when asked for is the same object the next time."""
    package = importlib.import_module("fsxcopy_sdk")

    assert getattr(package, name) is getattr(package, name)
    assert name in vars(package)

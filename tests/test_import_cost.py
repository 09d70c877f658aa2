"""What an import loads: types must not cost a network library."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HEAVY = ("aiobotocore", "aiohttp", "botocore", "cattrs", "orjson")


def _loaded(statement: str, *candidates: str) -> list[str]:
    """Return which of some modules a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys; print(*(m for m in {candidates!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("import fsxcopy_sdk.models, fsxcopy_sdk.errors", id="types"),
        pytest.param("import fsxcopy_sdk", id="package"),
        pytest.param("from fsxcopy_sdk import Backup, BackupNotFound, Tag", id="names"),
    ],
)
def test_types_are_cheap(statement: str) -> None:
    """Importing types loads neither AWS's libraries nor what converts and parses."""
    assert [] == _loaded(statement, *_HEAVY)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("import fsxcopy_sdk", []),
        ("import fsxcopy_sdk.cli", []),
        ("import fsxcopy_sdk.testing", []),
        ("from fsxcopy_sdk import BackupLifecycle", []),
        ("import fsxcopy_sdk.models", ["attr", "attrs"]),
        ("from fsxcopy_sdk import Backup, BackupNotFound", ["attr", "attrs"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_types_load_attrs_alone(statement: str, expected: list[str]) -> None:
    """Of other people's packages the types load attrs alone, and what is not used loads none."""
    program = (
        f"import sys; before = set(sys.modules); {statement};"
        " names = {name.partition('.')[0] for name in set(sys.modules) - before};"
        " print(*sorted(names - set(sys.stdlib_module_names) - {'fsxcopy_sdk'}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert expected == done.stdout.split()


def test_conversion_needs_no_network() -> None:
    """Converting models loads no library of the network."""
    statement = "from fsxcopy_sdk import from_dict, to_dict"

    assert ["cattrs", "orjson"] == _loaded(statement, *_HEAVY)


def test_client_needs_aws_libraries() -> None:
    """The client loads everything: the measurement sees what it is meant to see."""
    assert list(_HEAVY) == _loaded("from fsxcopy_sdk import FsxCopyClient", *_HEAVY)


def test_listing_loads_what_it_needs() -> None:
    """A command that is not on a terminal loads no rich, and a listing nothing of copies."""
    command = ["list", "--region", "us-west-2", "--endpoint-url", "http://127.0.0.1:9"]
    statement = f"from fsxcopy_sdk.cli._app import run; run({command})"
    suspects = ("rich", "fsxcopy_sdk.bulk", "fsxcopy_sdk.replication")

    assert ["aiobotocore"] == _loaded(statement, "aiobotocore", *suspects)


def test_local_fsx_is_on_its_own() -> None:
    """The local FSx loads neither AWS's libraries nor the conversion that it is to test."""
    suspects = ("aiobotocore", "botocore", "cattrs", "fsxcopy_sdk._codec", "fsxcopy_sdk.client")

    assert [] == _loaded("import fsxcopy_sdk.testing._local_fsx", *suspects)


@pytest.mark.parametrize(
    "statement",
    [
        "import fsxcopy_sdk",
        "from fsxcopy_sdk import errors_",
        "import fsxcopy_sdk.cli",
        "import fsxcopy_sdk.testing",
        "from fsxcopy_sdk import cli, testing",
        "import fsxcopy_sdk; hasattr(fsxcopy_sdk, 'bulk')",
        "import inspect, fsxcopy_sdk; inspect.unwrap(fsxcopy_sdk)",
    ],
)
def test_what_is_not_used_is_not_loaded(statement: str) -> None:
    """An import of a package alone, or a question for another name, loads none of its modules."""
    modules = ("fsxcopy_sdk.enums", "fsxcopy_sdk.models", "fsxcopy_sdk.testing._local_fsx")
    statement = f"import contextlib\nwith contextlib.suppress(ImportError): {statement}\n"

    assert [] == _loaded(statement, *modules)

"""The plan of the house, proved by reading the source: what imports what, and how long it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest

# A module imports only from modules that stand below it. The package itself re-exports
# the public names, which is what programs such as the command use.
_FLOORS = (
    "__main__",
    "cli",
    "testing",
    "",
    "fleet",
    "replication",
    "bulk",
    "client",
    "_paging",
    "waiting",
    "_transport",
    "_codec",
    "_error_mapping",
    "_validation",
    "_tracing",
    "errors",
    "models",
    "enums",
    "_clock",
)

_AT_HOME = {
    "aiobotocore": {"_transport"},
    "botocore": {"_transport"},
    "types_aiobotocore_fsx": set[str](),
    "cattrs": {"_codec"},
    "cyclopts": {"cli"},
    "rich": {"cli"},
    "jinja2": {"fleet"},
    "markupsafe": {"fleet"},
    "prometheus_client": {"fleet"},
    "opentelemetry": {"_tracing"},
    "aiohttp": {"_transport", "testing"},
}
"""Packages that only some modules may import when they run."""

_LONGEST_MODULE = 600
_LONGEST_FUNCTION = 60


def _root() -> Path:
    spec = find_spec("fsxcopy_sdk")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@attrs.frozen
class _Module:
    """A file of the package: the name that imports use for it, and its source."""

    name: str
    path: Path

    @property
    def floor(self) -> str:
        """The first part of its name below the package: an entry of the list."""
        return self.name.partition(".")[2].partition(".")[0]

    @property
    def tree(self) -> ast.Module:
        """Its source, parsed."""
        return ast.parse(self.path.read_text("utf-8"))


def _modules() -> list[_Module]:
    root = _root()
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = ("fsxcopy_sdk", *path.relative_to(root).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(_Module(name, path))
    return found


_every_module = pytest.mark.parametrize("module", _modules(), ids=lambda module: module.name)


def _is_for_types(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs below a node, so nothing that is there for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if _is_for_types(child):
            continue
        yield child
        yield from _run(child)


def _imports(module: _Module) -> set[str]:
    """Return the full names that a module imports when it runs, wherever it does so."""
    found: set[str] = set()
    for node in _run(module.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                package = module.name.split(".")
                if module.path.name != "__init__.py":
                    package = package[:-1]
                above = package[: len(package) - node.level + 1]
                origin = ".".join([*above, origin] if origin else above)
            found.update(f"{origin}.{alias.name}" for alias in node.names)
    return found


def _floors_below(module: _Module) -> set[str]:
    """Return the other floors of the package that a module imports from."""
    parts = [name.split(".") for name in _imports(module)]
    ours = [part for part in parts if part[0] == "fsxcopy_sdk"]
    # A name of the package that is no floor is one of those that it re-exports.
    floors = {part[1] if part[1:] and part[1] in _FLOORS else "" for part in ours}
    return floors - {module.floor}


@_every_module
def test_module_has_its_floor(module: _Module) -> None:
    """Every module has an entry in the list."""
    assert module.floor in _FLOORS


@_every_module
def test_imports_go_downwards(module: _Module) -> None:
    """A module imports only from floors below its own."""
    below = set(_FLOORS[_FLOORS.index(module.floor) + 1 :])

    assert set() == _floors_below(module) - below


@_every_module
def test_private_modules_stay_in_their_package(module: _Module) -> None:
    """Only the modules of a package import its private modules."""
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    homes = [
        ".".join(parts[:number])
        for parts in (name.split(".") for name in _imports(module))
        for number, part in enumerate(parts)
        if parts[0] == "fsxcopy_sdk" and part.startswith("_") and part != "__version__"
    ]

    assert [] == [home for home in homes if not f"{package}.".startswith(f"{home}.")]


@pytest.mark.parametrize(
    "module",
    [module for module in _modules() if module.floor == "testing"],
    ids=lambda module: module.name,
)
def test_local_fsx_is_on_its_own(module: _Module) -> None:
    """The local FSx shares nothing with the client but the notion of a clock."""
    assert set() == _floors_below(module) - {"_clock"}


@_every_module
def test_libraries_stay_at_home(module: _Module) -> None:
    """A library is imported only by the modules that are there to hide it."""
    libraries = {name.partition(".")[0] for name in _imports(module)}
    strangers = {library for library, homes in _AT_HOME.items() if module.floor not in homes}

    assert set() == libraries & strangers


@_every_module
def test_length_of_module(module: _Module) -> None:
    """A module stays short enough to read; the lists of classes are searched, not read."""
    if module.floor in {"models", "enums", "errors"}:
        return
    assert _LONGEST_MODULE >= len(module.path.read_text("utf-8").splitlines())


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function, its docstring and its decorators aside."""
    assert function.end_lineno
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    documented = 0
    if docstring:
        assert docstring.end_lineno
        documented = docstring.end_lineno - docstring.lineno + 1
    return function.end_lineno - function.lineno + 1 - documented


@_every_module
def test_length_of_functions(module: _Module) -> None:
    """A function fits on one screen."""
    functions = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert [] == [one.name for one in functions if _length(one) > _LONGEST_FUNCTION]


# The reading itself, on sources that are made for it.


def _module_of(source: str, path: Path, name: str = "fsxcopy_sdk.client") -> _Module:
    file = path / "client.py"
    file.write_text(source, "utf-8")
    return _Module(name, file)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import cattrs.gen", {"cattrs.gen"}),
        ("from cattrs import gen", {"cattrs.gen"}),
        ("from . import _codec", {"fsxcopy_sdk._codec"}),
        ("from ._codec import to_dict", {"fsxcopy_sdk._codec.to_dict"}),
        ("def late():\n    import cattrs", {"cattrs"}),
        ("if TYPE_CHECKING:\n    import cattrs", set()),
        ("if True:\n    import cattrs", {"cattrs"}),
    ],
)
def test_imports_are_seen(source: str, expected: set[str], tmp_path: Path) -> None:
    """Every form of import that runs is seen, and none that is for type checkers."""
    assert expected == _imports(_module_of(source, tmp_path))


def test_imports_of_the_package_itself_are_seen(tmp_path: Path) -> None:
    """A name that the package re-exports is an import of the package, not of a floor."""
    module = _module_of("from fsxcopy_sdk import Backup, errors", tmp_path)

    assert {"", "errors"} == _floors_below(module)


def test_length_leaves_docstrings_out() -> None:
    """The lines of a function are counted from its name to its end, without the docstring."""
    source = "@decorated\ndef one(\n    two,\n):\n    '''\n    Do.\n    '''\n    return two\n"
    function = ast.parse(source).body[0]

    assert isinstance(function, ast.FunctionDef)
    assert 4 == _length(function)

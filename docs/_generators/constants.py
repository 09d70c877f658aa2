"""Constants and types of public modules, which are defined in private ones that autodoc skips."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc, getsource
from itertools import pairwise

_LONGEST = 200
"""Characters of a value that is shown; longer ones are unions and documents."""


def _origin(module: str, name: str) -> str:
    """Return the module that defines a name which *module* imports."""
    for node in ast.walk(ast.parse(getsource(import_module(module)))):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and any(one.name == name for one in node.names)
        ):
            return _origin(node.module, name)
    return module


def _defined(module: str, name: str) -> tuple[str, str]:
    """Return the value of a constant as it is written, and the string below it."""
    body = ast.parse(getsource(import_module(module))).body
    for node, after in pairwise([*body, ast.Pass()]):
        match node:
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value):
                pass
            case ast.Assign(targets=[ast.Name(id=found)], value=value):
                pass
            case _:
                continue
        if found == name:
            match after:
                case ast.Expr(value=ast.Constant(value=str() as text)):
                    return ast.unparse(value), cleandoc(text)
                case _:
                    return ast.unparse(value), ""
    raise ValueError(f"{module} does not define {name}")


def _entries(module: str) -> Iterator[str]:
    public = import_module(module)
    for name in public.__all__:
        value = getattr(public, name)
        if isinstance(value, type) or (callable(value) and hasattr(value, "__code__")):
            continue
        if module == "fsxcopy_sdk.waiting" and name == "DEFAULT_MAX_WAIT":
            continue  # it is on the client's page
        written, text = _defined(_origin(module, name), name)
        shown = f"\n   :value: {written}" if len(written) < _LONGEST else ""
        body = text.replace("\n", "\n   ")
        yield f".. py:data:: {name}\n   :module: {module}{shown}\n\n   {body}\n"


def markdown(module: str) -> str:
    """Return the constants of a public module."""
    return "```{eval-rst}\n" + "\n".join(_entries(module)) + "```\n"

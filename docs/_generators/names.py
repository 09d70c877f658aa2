"""Names in texts and signatures: where each is documented, and which are other libraries'."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from inspect import Parameter, Signature, signature
from typing import Any, Final

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.autodoc.mock import mock  # type: ignore[attr-defined]  # from a private module
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util import inspect, logging
from sphinx.util.docutils import SphinxRole
from sphinx.util.nodes import make_refnode

_log = logging.getLogger(__name__)

MODULES: Final = (
    "fsxcopy_sdk.models",
    "fsxcopy_sdk.enums",
    "fsxcopy_sdk.errors",
    "fsxcopy_sdk",
    "fsxcopy_sdk.waiting",
    "fsxcopy_sdk.bulk",
    "fsxcopy_sdk.replication",
    "fsxcopy_sdk.fleet",
    "fsxcopy_sdk.fleet.rendering",
    "fsxcopy_sdk.testing",
    "fsxcopy_sdk.airflow",
)
"""The public modules; a name that several have belongs to the first."""

OF_OTHERS: Final = (
    # Python's own; its inventory would have to be downloaded.
    r"(?:abc|collections|contextlib|datetime|enum|os|pathlib|typing|types|types\.NoneType)\b.*",
    r"(?:bool|bytes|dict|float|frozenset|int|list|object|set|str|tuple|type|None|NoneType)",
    r"(?:\w*Error|Exception|BaseException|\w*Exit)",
    r"(?:Any|Callable|ClassVar|Final|Generic|Literal|Self|TypeAlias|TypeVar|Protocol|StrEnum|ABC)",
    r"(?:AsyncGenerator|Awaitable|Collection|Iterable|Iterator|Mapping|Sequence|datetime|timedelta)",
    # Dependencies.
    r"AirflowException|BaseOperator|Context|PokeReturnValue|TaskInstanceKey",
    r"(?:airflow|attrs?|anyio|aiobotocore|botocore|cattrs)\..*",
    # Private: protocols of what aiobotocore has no types for, type variables, and bases.
    r"_\w+|CommonArguments|JsonDocument|JsonValue|GivenValue",
    r"fsxcopy_sdk\.(?:\w+\.)*_\w+(?:\.\S+)?",
)


def _public() -> Iterator[tuple[str, str, object]]:
    """Yield the module, the name and the value of everything public."""
    seen: set[str] = set()
    for module_name in MODULES:
        module = import_module(module_name)
        for name in module.__all__:
            if name not in seen:
                seen.add(name)
                yield module_name, name, getattr(module, name)


def _public_names() -> dict[str, str]:
    """Return the public names by those under which Python knows the same objects."""
    found = {}
    for module, name, value in _public():
        full = f"{module}.{name}"
        found[name] = full
        if isinstance(value, type):
            found[f"{value.__module__}.{value.__qualname__}"] = full
        elif callable(value):
            found[f"{value.__module__}.{getattr(value, '__qualname__', name)}"] = full
    return found


_STYLE: Final = Config(napoleon_use_rtype=False)

NOT_INSTALLED: Final = ["airflow"]
"""What is too much to install for a site; Sphinx puts empty classes in its place."""

with mock(NOT_INSTALLED):
    PUBLIC: Final = _public_names()


class CodeOrLink(SphinxRole):
    """A name in single backticks: code, and a link where it is the name of something here."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the reference, which may turn out to be none."""
        return [_reference(self.text, self.env)], []


def _reference(text: str, env: BuildEnvironment) -> addnodes.pending_xref:
    code = nodes.literal(text, text, classes=["py"])
    return addnodes.pending_xref(
        "",
        code,
        refdomain="py",
        reftype="obj",
        reftarget=text,
        refdoc=env.current_document.docname,
        refwarn=False,
        is_guess=True,
        **{
            "py:module": env.ref_context.get("py:module"),
            "py:class": env.ref_context.get("py:class"),
        },
    )


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """Resolve a reference to a name that is documented under another one."""
    if node.get("refdomain") != "py":
        return None
    domain = env.domains.python_domain
    target = node["reftarget"]
    first, _, member = target.partition(".")
    candidates = [
        PUBLIC.get(target),
        PUBLIC.get(first) and f"{PUBLIC[first]}.{member}".rstrip("."),
    ]
    for name in filter(None, candidates):
        if name in domain.objects:
            found = domain.objects[name]
            return make_refnode(
                app.builder, node["refdoc"], found.docname, found.node_id, content, name
            )
    return content if node.get("is_guess") else None


def _link_code(app: Sphinx, document: nodes.document) -> None:
    """Let code in Markdown that is the name of something here become a reference to it."""
    env: Any = app.env
    if env.doc2path(env.current_document.docname).suffix != ".md":
        return
    for code in list(document.findall(nodes.literal)):
        text = code.astext().removesuffix("()")
        is_name = text.partition(".")[0] in PUBLIC or text.startswith("fsxcopy_sdk.")
        is_in_link = isinstance(code.parent, nodes.reference | addnodes.pending_xref | nodes.title)
        if is_name and not is_in_link:
            code.replace_self(_reference(text, env))


def _read_docstring(
    _: Sphinx, what: str, __: str, ___: object, ____: object, lines: list[str]
) -> None:
    """Make lists of Args and Raises, and leave out of modules what is for their authors."""
    if what == "module":
        paragraphs = "\n".join(lines).split("\n\n")
        # Drawings, which pages show as code, and what private modules do.
        kept = [one for one in paragraphs if not one.startswith("    ") and "`_" not in one]
        lines[:] = "\n\n".join(kept).splitlines()
    # Elsewhere a word before a colon would be taken for a type.
    if what in ("class", "exception", "function", "method"):
        lines[:] = GoogleDocstring(lines, _STYLE).lines()  # type: ignore[arg-type]  # its own Config


def _sign(
    _: Sphinx, what: str, name: str, value: Any, __: object, signature: str | None, returns: str
) -> tuple[str | None, str]:
    """Return the arguments of a class whose base is not installed, whose own would be shown."""
    if what == "class" and name.startswith("fsxcopy_sdk.airflow."):
        signature = inspect.stringify_signature(_arguments_of(value), unqualified_typehints=True)
    return signature, returns


def _arguments_of(cls: type) -> Signature:
    """Return the arguments of a class and of its bases in this package."""
    found: dict[str, Parameter] = {}
    for one in cls.__mro__:
        if one.__module__.startswith("fsxcopy_sdk.airflow") and "__init__" in vars(one):
            for name, parameter in [*signature(vars(one)["__init__"]).parameters.items()][1:]:
                found.setdefault(name, parameter)
    return Signature(sorted(found.values(), key=lambda one: one.kind))


def _check_all_are_there(_: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that no page documents."""
    known = env.domains.python_domain.objects
    for module, name, _value in _public():
        if f"{module}.{name}" not in known and not name.startswith("__"):
            _log.warning("%s.%s is documented nowhere", module, name)


def setup(app: Sphinx) -> None:
    """Connect the above to Sphinx."""
    app.add_role("code-or-link", CodeOrLink())
    app.connect("missing-reference", _resolve)
    app.connect("doctree-read", _link_code)
    app.connect("env-check-consistency", _check_all_are_there)
    app.connect("autodoc-process-docstring", _read_docstring)
    app.connect("autodoc-process-signature", _sign)

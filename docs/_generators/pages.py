"""What pages have between their own words: made of the package when the site is built."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import commands
import constants
import documents
import fleet_file
from sphinx.application import Sphinx

from fsxcopy_sdk import errors

GUIDES = Path(__file__).parent.parent / "how-to"

_MARK = re.compile(r"^<!-- made: ([a-z-]+)(?: (\S+))? -->$", re.MULTILINE)


def error_tree() -> str:
    """Return the tree of errors, as the module draws it."""
    text = errors.__doc__ or ""
    lines = [
        line.removeprefix("    ")
        for line in text.splitlines()
        if re.match(r"    \S|    [│ ]", line)
    ]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def other_guides() -> str:
    """Return a list of the how-to pages that the index does not put under a heading."""
    index = (GUIDES / "index.md").read_text("utf-8").splitlines()
    others = sorted({page.stem for page in GUIDES.glob("*.md")} - {"index", *index})
    if not others:
        return ""
    lines = ["```{toctree}", ":caption: Integrate", ":maxdepth: 1", *others, "```", ""]
    return "\n".join(lines)


def _made(found: re.Match[str]) -> str:
    name, argument = found.groups()
    match name:
        case "commands":
            return commands.markdown()
        case "error-tree":
            return error_tree()
        case "fleet-file":
            return fleet_file.markdown()
        case "constants":
            return constants.markdown(argument)
        case "document":
            return documents.example(argument)
        case "other-guides":
            return other_guides()
    raise ValueError(f"nothing is called {name}")


def _insert(_: Sphinx, __: str, source: list[str]) -> None:
    source[0] = _MARK.sub(_made, source[0])


def _let_keyboards_scroll(
    _: Sphinx, __: str, ___: str, context: dict[str, Any], ____: object
) -> None:
    """Let code that is wider than the screen be reached, and so scrolled, by a keyboard."""
    if "body" in context:
        context["body"] = context["body"].replace("<pre>", '<pre tabindex="0">')


def _write_schemas(app: Sphinx, error: Exception | None) -> None:
    """Write the JSON Schemas beside the page that links to them."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "reference" / "schemas"
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in documents.schemas().items():
        (folder / f"{name}.json").write_text(json.dumps(schema, indent=2) + "\n", "utf-8")


def setup(app: Sphinx) -> None:
    """Connect the above to Sphinx."""
    app.connect("source-read", _insert)
    app.connect("html-page-context", _let_keyboards_scroll)
    app.connect("build-finished", _write_schemas)

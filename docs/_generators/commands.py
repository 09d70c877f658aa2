"""The reference of the command line, from the help of the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import attrs

from fsxcopy_sdk.cli._app import _TAKES, app
from fsxcopy_sdk.cli._help import HelpPage, _plain, _text
from fsxcopy_sdk.cli._options import GLOBAL_GROUP, option_of

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel

_EXAMPLE = "For example:"


@attrs.define
class _Page:
    """A help page that is collected instead of printed: Cyclopts' protocol `HelpFormatter`."""

    page: HelpPage
    usage: str = ""
    description: str = ""
    panels: list[HelpPanel] = attrs.field(factory=list)

    def render_usage(self, _: object, __: object, usage: object) -> None:
        self.usage = str(usage).strip().removeprefix("Usage: ")

    def render_description(self, _: object, __: object, description: object) -> None:
        self.description = _plain(description).strip()

    def __call__(self, console: object, options: object, panel: HelpPanel) -> None:  # noqa: ARG002 - the protocol's
        self.panels.append(panel)

    def entries(self) -> Iterator[HelpEntry]:
        """Yield the arguments and options that the command takes."""
        taken = {option_of(name) for name in self.page.takes}
        for panel in self.panels:
            if panel.format == "command":  # --help and --version
                continue
            for entry in panel.entries:
                if panel.title != GLOBAL_GROUP:
                    yield entry
                elif taken.intersection(entry.names):
                    yield self.page._own(entry)


def _collected(name: str) -> _Page:
    command = app[name]
    given = cast("HelpPage", command.help_formatter)
    page = _Page(given)
    command.help_formatter = page
    try:
        app.meta([name, "--help"])
    finally:
        command.help_formatter = given
    return page


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a description, examples as code."""
    for block in re.split(r"\n\n", text):
        if block.startswith("  "):
            lines = [line.removeprefix("  ") for line in block.splitlines()]
            yield "```sh\n" + "\n".join(lines) + "\n```"
        else:
            # Dashes would become typographic ones.
            yield re.sub(r"(--[a-z-]+)", r"`\1`", " ".join(block.split()))


def _entry(entry: HelpEntry) -> str:
    if entry.positional_label:
        return f"`{entry.positional_label}`\n: {_text(entry)}\n"
    value = f" {entry.metavar}" if entry.metavar else ""
    names = ", ".join(f"{name}{value}" for name in (*entry.names, *entry.shorts))
    text = re.sub(r"(?<![\w`-])(--[a-z-]+)", r"`\1`", _text(entry).replace("\xa0", " "))
    return f"````{{option}} {names}\n{text}\n````\n"


def markdown() -> str:
    """Return a section for each command."""
    parts = []
    for name in sorted(_TAKES):
        page = _collected(name)
        entries = [*page.entries()]
        parts += [
            f"## fsxcopy {name}\n",
            f"```text\n{page.usage}\n```\n",
            f"````{{program}} fsxcopy {name}\n````\n",
            "\n\n".join(_paragraphs(page.description)) + "\n",
            *(_entry(one) for one in entries),
        ]
    return "\n".join(parts)

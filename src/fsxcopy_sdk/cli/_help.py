"""Help pages and usage errors: lines that are broken at spaces only, at any width."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import attrs
from cyclopts.exceptions import (
    CycloptsError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from fsxcopy_sdk.cli._options import GLOBAL_GROUP, PAGES, PROGRAM, option_of
from fsxcopy_sdk.cli._screen import Screen
from fsxcopy_sdk.cli._tables import wrapped

if TYPE_CHECKING:  # they import rich
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

# Longer lines are hard to read.
_WIDEST = 100
# Below this width there is no space for two columns.
_TWO_COLUMNS = 60
_LABELS = 30
_INDENT = "  "
_NO_BREAK = "\xa0"


@attrs.frozen
class HelpPage:
    """Print the help of a command that takes some of the global options."""

    takes: Collection[str]
    """The names of the global options, as attributes."""
    has_pages: bool = False
    """Whether its results can be written as pages."""

    # The arguments are called as the protocol `HelpFormatter` calls them. The console is not
    # used, because the application keeps its first one, whatever becomes of the streams.
    def render_usage(
        self,
        console: Console,  # noqa: ARG002 - the protocol's
        options: ConsoleOptions,  # noqa: ARG002 - the protocol's
        usage: object,
    ) -> None:
        """Print how the command is called."""
        text = str(usage).strip().removeprefix("Usage: ")
        screen = Screen()
        _print(screen, _wrapped(screen, f"Usage: {text}"))

    def render_description(
        self,
        console: Console,  # noqa: ARG002 - the protocol's
        options: ConsoleOptions,  # noqa: ARG002 - the protocol's
        description: object,
    ) -> None:
        """Print paragraphs, examples and lists of terms."""
        screen = Screen()
        for block in _plain(description).strip("\n").split("\n\n"):
            _print(screen, [""])
            for line in _lines(block):
                if line.startswith(f"{_INDENT}fsxcopy "):
                    _print(screen, _wrapped_command(line.split(), _width(screen)))
                else:
                    _print(screen, _wrapped(screen, line, hanging=_hanging(line)))

    def __call__(
        self,
        console: Console,  # noqa: ARG002 - the protocol's
        options: ConsoleOptions,  # noqa: ARG002 - the protocol's
        panel: HelpPanel,
    ) -> None:
        """Print the commands, the arguments or the options of one group."""
        screen = Screen()
        entries = panel.entries
        if panel.title == GLOBAL_GROUP:
            taken = {option_of(name) for name in self.takes}
            entries = [self._own(entry) for entry in entries if taken.intersection(entry.names)]
        # Cyclopts counts --help and --version as commands.
        if panel.format == "command":
            flags = [entry for entry in entries if entry.names[0].startswith("-")]
            commands = [entry for entry in entries if entry not in flags]
            _print_entries(screen, str(panel.title), commands)
            _print_entries(screen, "Options", flags)
        else:
            _print_entries(screen, str(panel.title), entries)

    def _own(self, entry: HelpEntry) -> HelpEntry:
        """Return a global option with the choices that the command has."""
        if self.has_pages or not entry.choices:
            return entry
        return attrs.evolve(entry, choices=tuple(one for one in entry.choices if one not in PAGES))


def _print_entries(screen: Screen, title: str, entries: Sequence[HelpEntry]) -> None:
    if not entries:
        return
    _print(screen, [""])
    _print(screen, [f"{title}:"], "bold")
    has_shorts = any(entry.shorts for entry in entries)
    labels = [_label(entry, has_shorts=has_shorts) for entry in entries]
    narrow = _width(screen) < _TWO_COLUMNS
    column = 2 if narrow else min(_LABELS, max(map(len, labels)))
    indent = " " * (len(_INDENT) + column + 2)
    for label, entry in zip(labels, entries, strict=True):
        lines = _wrapped(screen, indent + _text(entry), hanging=0)
        first, *others = (line.replace(_NO_BREAK, " ") for line in lines)
        head = f"{_INDENT}{label}\n"
        if len(label) <= column:
            first, head = first[len(indent) :], f"{_INDENT}{label:<{column}}  "
        screen.print((head, "cyan"), (first, ""))
        _print(screen, others)


def _label(entry: HelpEntry, *, has_shorts: bool) -> str:
    """Return the names of an option or a command, and what its value is called."""
    if entry.positional_label:
        return entry.positional_label
    names = ", ".join([*entry.shorts, *entry.names])
    if has_shorts and not entry.shorts:
        names = f"    {names}"
    return f"{names} {entry.metavar}" if entry.metavar else names


def _text(entry: HelpEntry) -> str:
    """Return what an option does, its choices and its default."""
    parts = _plain(entry.description).split()
    if entry.choices:
        parts.append(f"[{', '.join(entry.choices)}]")
    if entry.default is not None:
        parts.append(f"[default:{_NO_BREAK}{entry.default}]")
    return " ".join(parts)


def _plain(text: object) -> str:
    # The help of Cyclopts has some texts as its own `InlineText`.
    return str(getattr(text, "primary_renderable", text))


def _lines(block: str) -> Iterator[str]:
    """Yield the lines of a paragraph as one; those that are indented one by one."""
    if not block.startswith(" "):
        yield " ".join(block.split())
        return
    yield from re.sub(r" *\\\n +", " ", block).splitlines()


def _hanging(line: str) -> int:
    """Return by how much the lines after *line* are indented: to its text after a term."""
    term = re.match(r" +(\S+ {2,})", line)
    return len(term[1]) if term else 0


def _wrapped(screen: Screen, text: str, hanging: int = 4) -> list[str]:
    return wrapped(text, _width(screen), hanging)


def _wrapped_command(words: Sequence[str], width: int) -> list[str]:
    """Return a command on lines that a shell joins, an option and its value on the same one."""
    lines = [_INDENT]
    for part in re.findall(r"-\S+ [^-]\S*|\S+", " ".join(words)):
        if len(lines[-1]) + len(part) + len(" \\") > width:
            lines[-1] += "\\"
            lines.append(2 * _INDENT)
        lines[-1] += f"{part} "
    return [line.rstrip() for line in lines]


def _width(screen: Screen) -> int:
    return min(screen.console.width, _WIDEST)


def _print(screen: Screen, lines: Iterable[str], style: str = "") -> None:
    for line in lines:
        screen.print((line, style))


def describe_usage_error(
    error: CycloptsError, command: str | None, commands: Collection[str], takes: Iterable[str]
) -> str:
    """
    Return what is wrong with a command line, what may have been meant, and which help to read.

    *takes* are the global options of the command, which is None if none of *commands* was given.
    """
    text = str(error)
    options = ["--help", *map(option_of, takes)]
    match error:
        case UnknownOptionError():
            options += [name for one in error.argument_collection for name in one.names]
            given = error.token.keyword or error.token.value
            text = _guessed(f"Unknown option: {given}.", given, options)
        case UnknownCommandError(unused_tokens=[str() as token, *_]) if token[:1] == "-":
            given = token.partition("=")[0]
            text = _guessed(f"Unknown option: {given}.", given, [*options, "--version"])
        case UnknownCommandError(unused_tokens=[str() as given, *_]):
            text = _guessed(f'Unknown command "{given}".', given, commands)
            text += f" The commands are {', '.join(sorted(commands))}."
            command = None
        case UnusedCliTokensError():
            text = f"Unexpected argument: {' '.join(error.unused_tokens or ())}."
    stop = "" if text.endswith((".", "?")) else "."
    page = f"{PROGRAM} {command} --help" if command else f"{PROGRAM} --help"
    return f"{text}{stop} See {page}."


def _guessed(text: str, given: str, names: Iterable[str]) -> str:
    """Return *text* with the one of *names* that is nearest to what was given."""
    near = get_close_matches(given, [*names], n=1)
    return f"{text} Did you mean {near[0]}?" if near else text

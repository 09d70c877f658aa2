"""
Tables and lines that fit the terminal, of texts that are safe to print.

Columns are shortened or dropped, as `gh` and `kubectl` do; nothing is broken inside a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import attrs

from fsxcopy_sdk.cli._screen import Screen, cell_len

NONE = "-"
"""What a cell shows that has nothing to show."""

_GAP = "  "
_STYLES = {"AVAILABLE": "green", "FAILED": "red", "DELETED": "red", "LATE": "red"}


@attrs.frozen
class Column:
    """A column, and what may become of it where the terminal is too narrow."""

    heading: str
    rank: int = 0
    """The higher it is, the sooner the column is dropped; one of rank 0 never is."""
    least: int | None = None
    """The cells that its texts may be cut to; None for those that are never cut."""
    brief: Callable[[str], str] = attrs.field(default=lambda text: text)
    """The shorter form of a text, which is tried before it is cut."""
    is_optional: bool = False
    """Whether it is left out where it has no texts, however wide the terminal."""


def write_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], screen: Screen) -> None:
    """Write *rows* under the headings, in the columns for which there is space."""
    used = [
        number
        for number, column in enumerate(columns)
        if not column.is_optional or any(row[number] for row in rows)
    ]
    columns = [columns[number] for number in used]
    rows = [[row[number] for number in used] for row in rows]
    cells = [[column.heading for column in columns], *rows]
    sizes = _sizes(columns, cells, screen.width)
    dropped = [number for number in range(len(columns)) if number not in sizes]
    for row in cells:
        line = []
        for number, size in sizes.items():
            text = _key(row, dropped) if number == 0 else row[number]
            if cell_len(text) > size:
                text = columns[number].brief(text)
            cell = _cut(text, size, screen.dots)
            line += [(cell, _STYLES.get(text, "")), (" " * (size - cell_len(cell)) + _GAP, "")]
        screen.print(*line)


def _key(row: Sequence[str], others: Iterable[int]) -> str:
    """Return the first cell; if it has nothing to show, the first one of the *others* that has."""
    return next((row[one] for one in (0, *others) if row[one] != NONE), NONE)


def _sizes(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> dict[int, int]:
    """Return the cells for each column, by its number, but for those that are dropped."""
    texts = [*zip(*rows, strict=True)]
    full = [_widest(column) for column in texts]
    if width is None or sum(full) + len(_GAP) * (len(full) - 1) <= width:
        return dict(enumerate(full))
    droppable = [number for number, column in enumerate(columns) if column.rank]
    full[0] = _widest(_key(row, droppable) for row in rows)
    # A heading has no shorter form.
    brief = [
        max(cell_len(column.heading), _widest(map(column.brief, cells[1:])))
        for column, cells in zip(columns, texts, strict=True)
    ]
    brief[0] = full[0]
    left, sizes = width + len(_GAP), dict[int, int]()
    for number in sorted(range(len(columns)), key=lambda number: columns[number].rank):
        column = columns[number]
        size = brief[number] if column.least is None else min(column.least, brief[number])
        is_empty = not {*texts[number][1:]} - {"", NONE}
        if column.rank and (is_empty or size + len(_GAP) > left):
            continue
        left, sizes[number] = left - size - len(_GAP), size
    for number, size in sizes.items():  # by their rank
        goal = full[number] if full[number] - size <= left else brief[number]
        more = max(0, min(goal - size, left))
        left, sizes[number] = left - more, size + more
    return dict(sorted(sizes.items()))


def _widest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)


def _cut(text: str, size: int, dots: str) -> str:
    """Return *text* in at most *size* cells; a wide character is not halved."""
    if cell_len(text) <= size:
        return text
    while text and cell_len(text) > size - len(dots):
        text = text[:-1]
    return text.rstrip() + dots


def wrapped(text: str, width: int | None, hanging: int = 4) -> list[str]:
    """
    Return one line of text as lines of at most *width* cells, broken at spaces only.

    The lines after the first are indented by its own indent and *hanging* more. A word that is
    wider than a line stays whole.
    """
    if width is None or cell_len(text) <= width:
        return [text]
    # The indent is kept, and the space that follows the term of a list.
    words = re.findall(r"^ *(?:[^ ]+ {2,})?[^ ]+|[^ ]+", text)
    indent = " " * (len(text) - len(text.lstrip()) + hanging)
    lines = words[:1]
    for word in words[1:]:
        if cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + word)
    return lines

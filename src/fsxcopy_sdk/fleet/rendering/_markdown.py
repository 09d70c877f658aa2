"""Markdown as GitHub reads it, for a mail or a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from fsxcopy_sdk._validation import exact_duration_text, printable
from fsxcopy_sdk.fleet.rendering._overview import (
    Overview,
    State,
    failure_state,
    moment_text,
    progress_text,
)

_MOST_ROWS = 100
"""How many rows a table has: GitHub takes 65,536 characters, and a mail is to be read."""
_SPECIAL = re.compile(r"[^A-Za-z0-9 ]")
_NOTHING = "-"

_Section: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A title, the heads of columns, and rows."""


def to_markdown(overview: Overview) -> str:
    """Return *overview* as tables."""
    parts = ["# FSx backup copies", f"**{overview.verdict}**"]
    if overview.made_at:
        parts.append(f"As the service showed it on {moment_text(overview.made_at)} UTC.")
    for title, heads, rows in _sections(overview):
        if rows:
            parts += [f"## {title}", *_table(heads, rows)]
    return "\n\n".join(parts) + "\n"


def _sections(overview: Overview) -> Iterator[_Section]:
    heads = ["State", "Policy", "Account", "From", "To", "Why"]
    yield "Reports that could not be made", heads, [*_failures(overview)]
    heads = ["State", "Source", "From", "To", "Policy", "Age", "Late after", "In progress"]
    yield "Sources", heads, [*_sources(overview)]
    running = [
        (
            _text(one.source.source_id),
            _text(one.where),
            _text(one.entry.backup.backup_id),
            moment_text(one.entry.backup.creation_time),
            _text(progress_text(one.entry)),
        )
        for one in overview.in_progress
    ]
    yield "In progress", ("Source", "To", "Copy", "Begun", "State"), running
    failed = [
        (
            _text(one.source.source_id),
            _text(one.where),
            _text(one.entry.backup.backup_id),
            moment_text(one.entry.backup.creation_time),
            _text(one.entry.failure),
        )
        for one in overview.failed
    ]
    yield "Failed", ("Source", "In", "Backup or copy", "Begun", "Why"), failed


def _failures(overview: Overview) -> Iterator[Sequence[str]]:
    for one in overview.failures:
        texts = (one.policy_name, one.account, one.source_region, one.destination_region)
        yield (_word(failure_state(one)), *map(_text, (*texts, str(one.error))))


def _sources(overview: Overview) -> Iterator[Sequence[str]]:
    """Yield a row for each source in each destination, those first that are late."""
    for one in (*overview.late, *overview.in_time):
        report, source = one.report, one.source
        yield (
            _word(one.state),
            _text(source.source_id),
            _text(report.source_region),
            _text(report.destination_region),
            _text(report.policy_name),
            one.age or _NOTHING,
            exact_duration_text(report.max_age),
            str(source.in_progress),
        )


def _table(heads: Sequence[str], rows: Sequence[Iterable[str]]) -> Iterator[str]:
    lines = [_row(heads), _row("---" for _ in heads), *map(_row, rows[:_MOST_ROWS])]
    yield "\n".join(lines)
    if len(rows) > _MOST_ROWS:
        yield f"{len(rows) - _MOST_ROWS} more."


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _word(state: State) -> str:
    return state if state is State.OK else f"**{state}**"


def _text(text: str | None) -> str:
    """Return *text* as code, in which nothing is a link, a mention or markup."""
    shown = printable(text or "")
    if not shown.strip():
        return _NOTHING
    # In a table a pipe ends a cell even in code, and of a backslash before one GitHub's
    # versions differ; a reference to a character is never markup.
    if not {"`", "|", "\\"}.intersection(shown):
        return f"`{shown}`"
    return f"<code>{_SPECIAL.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>"

"""One page of HTML that loads nothing and runs nothing, for people."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache

import jinja2
from markupsafe import Markup

from fsxcopy_sdk._validation import exact_duration_text, printable, size_text
from fsxcopy_sdk.fleet.rendering import _overview, _strips
from fsxcopy_sdk.fleet.rendering._overview import Found, Overview, Source, listed

# Characters: of many sources the page lists fewer entries each, so that 500 of them with copies
# in three Regions stay below 2 MB.
_ENTRIES = 450_000
_MARKUP_OF_ENTRY = 80
_MOST_ROWS = 500
"""How many copies in progress, and how many failed ones, are listed."""


def to_html(overview: Overview) -> str:
    """Return *overview* as a page."""
    most = _ENTRIES // max(1, len(overview.sources))
    last_day = overview.made_at.date() if overview.made_at else None
    page = _environment().get_template("page.html")
    text = page.render(
        overview=overview,
        most=most,
        most_rows=_MOST_ROWS,
        strips=lambda source: _strips.strips(source, last_day) if last_day else [],
        axis=_strips.axis(last_day) if last_day else [],
        style_hash=_style_hash(),
    )
    # The page declares UTF-8; ASCII is valid UTF-8 whatever encoding it is written in.
    return text.encode("ascii", "xmlcharrefreplace").decode() + "\n"


def newest(source: Source, most: int) -> list[Found]:
    """Return the newest entries of *source*, in about *most* characters, but at least one."""
    entries: list[Found] = []
    for one in sorted(listed(source), key=lambda one: one.entry.recovery_point, reverse=True):
        why, backup_id = _overview.why_text(one.entry), one.entry.backup.backup_id
        most -= len(one.where) + len(backup_id) + len(why) + _MARKUP_OF_ENTRY
        if entries and most < 0:
            break
        entries.append(one)
    return entries


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fsxcopy_sdk.fleet.rendering"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "class": lambda state: state.name.lower(),
        "duration": exact_duration_text,
        "moment": _overview.moment_text,
        "newest": newest,
        "progress": _overview.progress_text,
        "size": lambda size: "" if size is None else size_text(size),
        "why": _overview.why_text,
    }
    environment.globals |= {
        "State": _overview.State,
        "failure_state": _overview.failure_state,
        "meanings": _overview.MEANINGS,
        "marks": _strips.MEANINGS,
        "mark_path": _strips.path,
        "days": _strips.DAYS,
    }
    return environment


def _shown(value: object) -> object:
    """Return what a browser may show of *value*; jinja2 escapes it then."""
    return value if isinstance(value, Markup) else printable(str(value))


def _style_hash() -> str:
    """Return the hash by which the page allows its own style, and no other."""
    style = _environment().get_template("page.css").render()
    return b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")

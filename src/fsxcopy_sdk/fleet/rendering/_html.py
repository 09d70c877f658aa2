"""One page of HTML that loads nothing and runs nothing, for people."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from itertools import islice

import jinja2
from markupsafe import Markup

from fsxcopy_sdk._validation import exact_duration_text, printable, size_text
from fsxcopy_sdk.fleet.rendering import _overview, _strips
from fsxcopy_sdk.fleet.rendering._overview import Found, Overview, Source, listed

# Of many sources the page lists fewer entries each, so that it stays below 2 MB for 500 of them.
_ENTRIES = 4000
_FEWEST_ENTRIES = 8
_MOST_ROWS = 500
"""How many copies in progress, and how many failed ones, are listed."""


def to_html(overview: Overview) -> str:
    """Return *overview* as a page."""
    most = max(_FEWEST_ENTRIES, _ENTRIES // max(1, len(overview.sources)))
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
    # The page says that it is in UTF-8; in ASCII it is that whatever it is written to.
    return text.encode("ascii", "xmlcharrefreplace").decode() + "\n"


def newest(source: Source, most: int) -> list[Found]:
    """Return the *most* newest entries of *source*, the newest first."""
    entries = sorted(listed(source), key=lambda one: one.entry.recovery_point, reverse=True)
    return [*islice(entries, most)]


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

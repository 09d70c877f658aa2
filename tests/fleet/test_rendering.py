"""Reports as a page, as metrics and as Markdown: what they say, and what they never do."""

from __future__ import annotations

import hashlib
import re
import sys
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from prometheus_client.parser import text_string_to_metric_families
from rendering_rig import (
    Failure,
    fleet_of,
    renamed,
    renamed_failure,
    report_with_everything,
)
from replication_rig import DAY, FS, NOW, POLICY, backup, copy_of, planned
from strategies import MODERATE

from fsxcopy_sdk import ConfigurationError, InvalidArguments, ResponseDecodingError
from fsxcopy_sdk.fleet.rendering import Form, check_form, render
from fsxcopy_sdk.replication import Decision, ReplicationPlan, ReplicationReport, SourceReport

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</title></svg><svg onload=alert(1)>",
    "]]>--><!-- </style><script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//&lt;b&gt;&amp;",
    "![x](http://example.org/x.png) [a](javascript:b) @user #1 **b** `c` | d \\| e \\",
    "<!--\n\n# h\n\n| a |\n|---|\n| b |",
    "\x1b]0;title\x07\x00\u202e\ud800\u2028é😀",
    'a="b",c\\n\n# TYPE x gauge\nx 1',
)
REPORT = report_with_everything()
FORMS: tuple[Form, ...] = ("html", "markdown", "prometheus")


class _Parsed(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", ()))


def _visible(text: str) -> str:
    """Return how a text with characters that control a terminal is shown."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def _row(**members: object) -> SourceReport:
    """Return the row of a source in time, with other *members*."""
    copy = copy_of(backup(1), 1001)
    (row,) = planned(POLICY, [backup(1)], [copy]).report.sources
    return attrs.evolve(row, **members)


def _report(*rows: SourceReport) -> ReplicationReport:
    report = planned(POLICY, [backup(1)], []).report
    return attrs.evolve(report, sources=rows)


LATE = {"is_late": True, "age": 2 * DAY}


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({}, "ok"),
        ({"in_progress": 1, "failed": 1, "unreadable": 1}, "ok"),
        (LATE, "late"),
        ({"is_late": True, "age": None, "newest_copy": None}, "no copy"),
        ({**LATE, "unreadable": 1}, "cannot be read"),
        ({**LATE, "unreadable": 1, "failed": 1}, "failed"),
        ({**LATE, "unreadable": 1, "in_progress": 1}, "in progress"),
        ({**LATE, "unreadable": 1, "failed": 1, "in_progress": 1}, "failed"),
    ],
)
def test_states_in_words(members: dict[str, object], word: str) -> None:
    """A source that is late says by one word what is to be done first."""
    report = _report(_row(**members))
    page, text = render("html", [report]), render("markdown", [report])
    states = re.findall(r'<td><div><span class="state \w+">([a-z ]+)</span>', page)
    assert [word] == states
    assert f"| {word} | `{FS}`" in text.replace("**", "")


def test_a_source_in_time_says_what_else_there_is() -> None:
    """What failed, runs or cannot be read beside a copy that is young enough is not hidden."""
    page = render("html", [_report(_row(in_progress=2, failed=3, unreadable=4))])
    notes = re.findall(r"<small>(.*?)</small>", page)
    assert ["2 in progress", "3 failed", "4 cannot be read"] == notes


@pytest.mark.parametrize(
    ("rows", "failures", "verdict"),
    [
        ([], 0, "There is no backup and no copy to report."),
        ([], 1, "1 report could not be made, and there is no backup and no copy to report."),
        ([{}], 0, "The recovery point is in time."),
        ([{}, {}], 0, "All 2 recovery points are in time."),
        ([{}, LATE], 0, "1 of 2 recovery points is late."),
        ([LATE], 2, "2 reports could not be made, and 1 of 1 recovery point is late."),
        ([LATE, LATE, {}], 0, "2 of 3 recovery points are late."),
    ],
)
def test_verdict(rows: list[dict[str, object]], failures: int, verdict: str) -> None:
    """The first sentence says it all, in the page and in Markdown."""
    made = [_row(source_id=f"fs-{index}", **one) for index, one in enumerate(rows)]
    args = ([_report(*made)], [Failure()] * failures)
    assert f"<h1>{verdict}</h1>" in render("html", *args)
    assert f"**{verdict}**" in render("markdown", *args)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_at_all(form: Form) -> None:
    """Without one report there is no time, and nothing to show."""
    text = render(form, [])
    assert "UTC" not in text.partition("<main>")[0]
    if form == "html":
        assert "There is no backup in the source Regions, and no copy of one." in text


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_failures(form: Form) -> None:
    """A report that could not be made says its policy, account, Regions and reason."""
    unread = ResponseDecodingError("cannot be read", "DescribeBackups", "eu-west-1")
    nothing = Failure(account=None, source_region=None, destination_region=None, error=unread)
    text = render(form, [REPORT], [Failure(), nothing])
    assert "account failed" in text
    assert "cannot be read" in text
    for part in ("finance", "123456789012", "eu-west-1", "eu-central-1", "not authorized"):
        assert part in text


def test_the_time_of_a_report() -> None:
    """It is that of the newest report, if no other is given."""
    older = attrs.evolve(REPORT, made_at=datetime(2026, 11, 1, tzinfo=UTC))
    assert "2026-11-23 12:00" in render("html", [older, REPORT]).partition("<main>")[0]
    given_ = render("markdown", [REPORT], made_at=datetime(2026, 12, 1, 7, 30, tzinfo=UTC))
    assert "As the service showed it on 2026-12-01 07:30 UTC." in given_


# The page


def test_the_page_loads_and_runs_nothing() -> None:
    """No script, no handler, no style but its own, no address but those of its own parts."""
    page = render("html", [REPORT], [Failure()])
    parsed = _Parsed(page)
    loading = {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "use",
        "image",
    }
    assert set() == {tag for tag, _ in parsed.elements} & loading
    names = {name for _, name, _ in parsed.values}
    assert set() == names & {"style", "src", "srcset", "action", "formaction", "xlink:href"}
    assert not [name for name in names if name.startswith("on")]
    assert all(str(value).startswith("#") for _, name, value in parsed.values if name == "href")
    assert "url(" not in page
    assert "@import" not in page
    assert page.isascii()


def test_the_policy_of_the_page_allows_its_style_alone() -> None:
    """Its hash is that of the one style there is."""
    page = render("html", [REPORT])
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [
        value for tag, name, value in _Parsed(page).values if (tag, name) == ("meta", "content")
    ][:1]
    assert (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        == policy
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup_in_the_page(text: str) -> None:
    """The page has the same elements and attributes, whatever names and messages are."""
    page = render("html", [renamed(REPORT, text)], [renamed_failure(text)])
    plain = render("html", [renamed(REPORT, "a")], [renamed_failure("a")])
    parsed = _Parsed(page)
    assert _Parsed(plain).elements == parsed.elements
    assert _visible(text) in parsed.text
    assert _visible(text + FS) in parsed.text


@MODERATE
@given(text=st.text(min_size=1))
def test_no_random_text_becomes_markup(text: str) -> None:
    """The same, for any text."""
    hostile, plain = (
        render(
            "html",
            [_report(_row(source_id=one))],
            [attrs.evolve(renamed_failure(one), destination_region="us-west-2")],
        )
        for one in (text, "a")
    )
    assert _Parsed(plain).elements == _Parsed(hostile).elements


def test_identifiers_are_unique_and_links_lead_somewhere() -> None:
    """Every link of the page leads to a part of it, and so does what labels a part."""
    parsed = _Parsed(render("html", [REPORT], [Failure()]))
    ids = [value for _, name, value in parsed.values if name == "id"]
    assert len(set(ids)) == len(ids)
    linked = {str(value)[1:] for _, name, value in parsed.values if name == "href"}
    labels = {value for _, name, value in parsed.values if name == "aria-labelledby"}
    assert linked | labels <= set(ids)


def test_a_timeline_in_words() -> None:
    """The title of each picture says what it shows, day by day where there are few."""
    titles = re.findall(r"<title>(.*?)</title>", render("html", [REPORT]))
    days = "2026-08-26 to 2026-09-23, 2026-09-25 to 2026-10-21, 2026-10-24 to 2026-11-23"
    assert {
        f"Backups in us-east-2: AVAILABLE on 87 of 90 days ({days})",
        "Copies in us-west-2, policy nightly: AVAILABLE on 1 of 90 days (2026-10-14)",
        "Copies in us-west-2, policy nightly: none in 90 days",
        "Backups in us-east-2: AVAILABLE on 40 of 90 days",
    } <= set(titles)
    (mixed,) = [one for one in titles if "FAILED" in one and "no longer" in one]
    assert "AVAILABLE, no longer kept by the policy on " in mixed
    assert mixed.endswith("; FAILED on 1 of 90 days (2026-10-29)")
    (running,) = [one for one in titles if "in progress" in one]
    assert running.endswith("; in progress on 1 of 90 days (2026-11-23)")


def test_a_timeline_in_paths() -> None:
    """Days in a row are one stroke, from the first day at the left to the last at the right."""
    recent = [backup(number, days=days) for number, days in ((1, 0), (2, 1), (3, 89), (4, -0.9))]
    gone = copy_of(backup(9, days=200), 1009, lifecycle="COPYING")
    deleted = copy_of(recent[2], 1010, lifecycle="DELETED")
    page = render("html", [planned(POLICY, recent, [gone, deleted]).report])
    assert '<path class="available" d="M0 7h1M88 7h2"/>' in page
    assert page.count('class="running"') == page.count('class="failed"') == 1  # the legend


def test_a_report_of_a_document_has_no_timeline() -> None:
    """What is not known is not called nothing."""
    plan = planned(POLICY, [backup(1)], [copy_of(backup(1), 1001)])
    read = ReplicationPlan.from_dict(plan.to_dict()).report
    page = render("html", [read])
    assert "<title>Backups in us-east-2: not known</title>" in page
    assert "<p>Copies in us-west-2, policy nightly: not known</p>" in page
    assert "none in 90 days" not in page
    beside = render("html", [read, attrs.evolve(plan.report, policy_name="weekly")])
    assert "<p>Backups in us-east-2</p>" in beside
    assert "<p>Copies in us-west-2, policy nightly: not known</p>" in beside
    assert "<p>Copies in us-west-2, policy weekly</p>" in beside


def test_what_is_in_progress_and_what_failed_is_listed() -> None:
    """Both have a table of their own, with the progress and with the service's reason."""
    text = " ".join(_Parsed(render("html", [REPORT])).text.split())
    assert "COPYING 42 %" in text
    assert "The KMS key alias/dr is disabled." in text
    assert "An internal error occurred." in text
    assert "no longer kept: " in text
    assert "1.0 TiB" in text


def test_a_failure_without_a_reason() -> None:
    """The service may give none."""
    failed = copy_of(backup(1), 1001, lifecycle="FAILED")
    page = render("html", [planned(POLICY, [backup(1)], [failed]).report])
    assert "the service gives no reason" in page


def test_two_policies_into_one_region() -> None:
    """A field of the table names the policy where there are several."""
    other = attrs.evolve(REPORT, policy_name="weekly")
    page = render("html", [REPORT, other])
    assert "<small>weekly</small>" in page
    assert "<small>" not in render("html", [_report(_row())])


def test_the_size_of_a_large_page() -> None:
    """Five hundred sources with daily backups and copies in three Regions are below 2 MB."""
    regions = ["us-west-2", "ca-central-1", "eu-west-1"]
    reports = [_explained(one) for one in fleet_of(500, regions)]
    page = render("html", reports)
    assert 1_000_000 < len(page) < 2_000_000
    assert 500 == page.count("<details>")
    counts = [int(one) for one in re.findall(r"The newest (\d+), by the time", page)]
    assert (500, True) == (len(counts), min(counts) >= 4)


def _explained(report: ReplicationReport) -> ReplicationReport:
    """Return *report* with a long reason for each copy, and every other day without one."""
    reason = "last 1 of 5, daily 1 of 14 (2026-11-23), weekly 1 of 8 (2026-W48), monthly 1 of 3"
    rows = []
    for row in report.sources:
        entries = [
            attrs.evolve(
                one, reason=reason, decision=Decision.KEEP if number % 4 else Decision.PRUNE
            )
            for number, one in enumerate(row.timeline or ())
        ]
        rows.append(attrs.evolve(row, timeline=tuple(entries)))
    return attrs.evolve(report, sources=tuple(rows))


def test_every_source_has_at_least_its_newest_entry() -> None:
    """However many sources there are, and however long a reason is."""
    (row,) = planned(POLICY, [backup(1), backup(2, days=1)], []).report.sources
    entries = tuple(attrs.evolve(one, reason="x" * 500_000) for one in row.timeline or ())
    page = render("html", [_report(attrs.evolve(row, timeline=entries))])
    assert "The newest 1, by the time" in page


def test_long_tables_are_cut() -> None:
    """Of thousands of failures the page lists some, and says how many more there are."""
    one = report_with_everything()
    (row,) = [source for source in one.sources if source.failed]
    reports = [
        attrs.evolve(
            one, sources=tuple(attrs.evolve(row, source_id=f"fs-{n}") for n in range(600))
        )
    ]
    assert "100 more failed." in render("html", reports)
    text = render("markdown", reports)
    assert "500 more." in text
    assert len(text) < 65_536


# Markdown


def _tokens(text: str) -> Iterable[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup_in_markdown(text: str) -> None:
    """Every table keeps its columns, and nothing but our own code and words is in it."""
    shown = render("markdown", [renamed(REPORT, text)], [renamed_failure(text)])
    plain = render("markdown", [renamed(REPORT, "a")], [renamed_failure("a")])
    kinds = [
        [one.type for one in _tokens(page) if one.type.endswith("_open")]
        for page in (shown, plain)
    ]
    assert kinds[1] == kinds[0]
    html = {one.content for one in _tokens(shown) if one.type.startswith("html")}
    assert html <= {"<code>", "</code>"}
    read = {one.content for one in _tokens(shown) if one.type in ("code_inline", "text")}
    joined = "".join(
        one.content
        for one in _tokens(shown)
        if one.type in ("code_inline", "text", "text_special")
    )
    assert _visible(text) in read or _visible(text) in joined


def test_late_sources_come_first_in_markdown() -> None:
    """Those without a copy first, then by age."""
    rows = re.findall(r"^\| \**([a-z ]+)\** \| `fs", render("markdown", [REPORT]), re.MULTILINE)
    assert ["no copy", "late", "in progress", "late", "failed", "ok"] == rows


# Metrics


def _samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (
            one.name.removeprefix("fsxcopy_"),
            *(one.labels[name] for name in sorted(one.labels)),
        ): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_metrics_of_a_source() -> None:
    """Each value has the policy, the source and both Regions."""
    row = _row(age=2 * DAY, is_late=True, in_progress=2, failed=3, copy_bytes=4 << 40)
    samples = _samples(render("prometheus", [attrs.evolve(_report(row), unreadable=5)]))
    labels, regions = (
        ("us-west-2", "nightly", FS, "us-east-2"),
        ("us-west-2", "nightly", "us-east-2"),
    )
    assert {
        ("recovery_point_timestamp_seconds", *labels): NOW.timestamp(),
        ("recovery_point_age_seconds", *labels): 2 * DAY,
        ("time_to_max_age_seconds", *labels): -DAY,
        ("source_late", *labels): 1,
        ("copies_in_progress", *labels): 2,
        ("copies_failed", *labels): 3,
        ("copy_bytes", *labels): float(4 << 40),
        ("report_timestamp_seconds", *regions): NOW.timestamp(),
        ("report_success", *regions): 1,
        ("unreadable_backups", *regions): 5,
    } == samples


def test_metrics_without_a_copy() -> None:
    """There is no age where there is no copy, and the source is late."""
    report = planned(POLICY, [backup(1)], []).report
    names = {key[0]: value for key, value in _samples(render("prometheus", [report])).items()}
    assert 1 == names["source_late"]
    assert {"recovery_point_timestamp_seconds", "recovery_point_age_seconds"}.isdisjoint(names)
    assert "time_to_max_age_seconds" not in names


def test_metrics_of_what_failed() -> None:
    """A report that could not be made is 0, and nothing else is said of it."""
    nowhere = Failure(policy_name="other", source_region=None, destination_region=None)
    assert {
        ("report_success", "eu-central-1", "finance", "eu-west-1"): 0,
        ("report_success", "", "other", ""): 0,
    } == _samples(render("prometheus", [], [Failure(), nowhere]))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_metric(text: str) -> None:
    """Labels are read back as they were, and there are no others."""
    samples = _samples(
        render("prometheus", [_report(_row(source_id=text))], [renamed_failure(text)])
    )
    plain = _samples(render("prometheus", [_report(_row(source_id="a"))], [renamed_failure("a")]))
    assert [key[0] for key in plain] == [key[0] for key in samples]
    assert _visible(text) in {part for key in samples for part in key}


# Extras


@pytest.mark.parametrize(
    ("form", "module", "library", "extra"),
    [
        ("html", "_html", "jinja2", "html"),
        ("prometheus", "_metrics", "prometheus_client", "metrics"),
    ],
)
def test_missing_extra(
    monkeypatch: pytest.MonkeyPatch, form: Form, module: str, library: str, extra: str
) -> None:
    """Without the library of a form the error says what to install."""
    monkeypatch.delitem(sys.modules, f"fsxcopy_sdk.fleet.rendering.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigurationError, match=re.escape(f"pip install 'fsxcopy-sdk[{extra}]'")):
        check_form(form)


def test_another_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no extra of ours is not taken for one."""
    monkeypatch.delitem(sys.modules, "fsxcopy_sdk.fleet.rendering._html", raising=False)
    monkeypatch.setitem(sys.modules, "markupsafe", None)
    with pytest.raises(ModuleNotFoundError, match="markupsafe"):
        check_form("html")


def test_wrong_arguments() -> None:
    """Each is named with its rule."""
    with pytest.raises(InvalidArguments, match="form: must be one of html, markdown, prometheus"):
        check_form("pdf")
    with pytest.raises(InvalidArguments) as caught:
        render("markdown", [REPORT, "x"], made_at=datetime(2026, 1, 1))  # noqa: DTZ001 - wrong
    assert ["reports[1]", "made_at"] == [one.partition(":")[0] for one in caught.value.errors]


def test_any_iterable_and_any_zone() -> None:
    """Reports may come from a generator; a time is shown in UTC."""
    zone = timezone(timedelta(hours=2))
    text = render("markdown", iter([REPORT]), made_at=datetime(2026, 12, 1, 1, tzinfo=zone))
    assert "on 2026-11-30 23:00 UTC." in text
    assert "recovery points" in text


def test_markdown_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there without any."""
    for name in ("jinja2", "prometheus_client"):
        monkeypatch.setitem(sys.modules, name, None)
    check_form("markdown")

"""
Reports as a page for people, as metrics for Prometheus, and as Markdown for a mail or a ticket.

`_overview` puts reports together and words the state of each source; one module for each form
writes them. The page and the metrics need an extra, which is imported only when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal, TypeAlias, get_args

from fsxcopy_sdk._validation import ArgumentErrors, invalid, shown
from fsxcopy_sdk.errors import ConfigurationError
from fsxcopy_sdk.fleet.rendering._overview import Overview, ReportFailure
from fsxcopy_sdk.replication import ReplicationReport

__all__ = ["Form", "ReportFailure", "check_form", "render"]

Form: TypeAlias = Literal["html", "markdown", "prometheus"]


def check_form(form: Form) -> None:
    """
    Refuse a form that cannot be written here.

    Raises:
        InvalidArguments: there is no such form.
        ConfigurationError: the extra that it needs is not installed.
    """
    _renderer(form)


def render(
    form: Form,
    reports: Iterable[ReplicationReport],
    failures: Iterable[ReportFailure] = (),
    *,
    made_at: datetime | None = None,
) -> str:
    """
    Return *reports*, and the *failures* of those that could not be made, as one text.

    It is a page of HTML that loads nothing, metrics in the text format of Prometheus, or
    Markdown as GitHub reads it. *made_at* is the time that it shows; None for that of the newest
    report. Names, tags and messages are escaped.

    Raises:
        InvalidArguments: there is no such form, something is no report, or *made_at* has no time
            zone.
        ConfigurationError: the extra that the form needs is not installed.
    """
    write, given = _renderer(form), tuple(reports)
    errors = ArgumentErrors()
    for index, one in enumerate(given):
        errors.check_type(f"reports[{index}]", one, ReplicationReport, "a ReplicationReport")
    if made_at is not None and made_at.tzinfo is None:
        errors.add_value("made_at", "a datetime with a time zone", made_at)
    errors.raise_any()
    moment = made_at.astimezone(UTC) if made_at else None
    return write(Overview.of(given, tuple(failures), moment))


def _renderer(form: Form) -> Callable[[Overview], str]:
    if form not in get_args(Form):
        raise invalid("form", f"one of {', '.join(get_args(Form))}", shown(form))
    try:
        if form == "html":
            from fsxcopy_sdk.fleet.rendering._html import to_html  # noqa: PLC0415 - an extra

            return to_html
        if form == "prometheus":
            from fsxcopy_sdk.fleet.rendering._metrics import to_metrics  # noqa: PLC0415 - the same

            return to_metrics
    except ModuleNotFoundError as error:
        extra = {"jinja2": "html", "prometheus_client": "metrics"}.get(error.name or "")
        if extra is None:
            raise
        raise ConfigurationError(
            f"the form {form} needs the extra \"{extra}\": pip install 'fsxcopy-sdk[{extra}]'"
        ) from error
    from fsxcopy_sdk.fleet.rendering._markdown import to_markdown  # noqa: PLC0415 - like the others

    return to_markdown

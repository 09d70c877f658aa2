"""
Reports as a page for people, as metrics for Prometheus, and as Markdown for a mail or a ticket.

`_overview` puts reports together and words the state of each source; one module for each form
writes them. The page and the metrics need an extra, which is imported only when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from fsxcopy_sdk.errors import ConfigurationError
from fsxcopy_sdk.fleet.rendering._overview import Overview, ReportFailure
from fsxcopy_sdk.replication import ReplicationReport

__all__ = ["Form", "ReportFailure", "check_form", "render"]

Form: TypeAlias = Literal["html", "markdown", "prometheus"]


def check_form(form: Form) -> None:
    """
    Refuse a form that cannot be written here.

    Raises:
        ConfigurationError: the extra that it needs is not installed.
    """
    _renderer(form)


def render(
    form: Form,
    reports: Sequence[ReplicationReport],
    failures: Sequence[ReportFailure] = (),
    *,
    made_at: datetime | None = None,
) -> str:
    """
    Return *reports*, and the *failures* of those that could not be made, as one text.

    It is a page of HTML that loads nothing, metrics in the text format of Prometheus, or
    Markdown as GitHub reads it. *made_at* is the time that it says; None for that of the newest
    report. Whatever names, tags and messages hold, they stay text.

    Raises:
        ConfigurationError: the extra that the form needs is not installed.
    """
    return _renderer(form)(Overview.of(reports, failures, made_at))


def _renderer(form: Form) -> Callable[[Overview], str]:
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

"""What triggers and tasks send each other, which is what a task returns: small JSON documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from fsxcopy_sdk.errors import (
    DOCUMENT_VERSION,
    CallError,
    FsxCopyError,
    SourceBackupUnavailable,
)

JsonDocument: TypeAlias = dict[str, object]

_MAX_TEXT = 500
"""Characters of a text in a list: a thousand failures may say the same at length."""
_MAX_LINES = 20


def retry_helps(error: FsxCopyError) -> bool:
    """Whether the same task may succeed later without anything being changed."""
    # Airflow's retries are minutes apart, so that a first failure of credentials may have passed.
    is_passing = isinstance(error, CallError) and error.is_temporary
    return error.is_transient or is_passing or isinstance(error, SourceBackupUnavailable)


def describe(error: FsxCopyError) -> str:
    """Return an error as text, which begins with the name of its class."""
    name, text = type(error).__name__, str(error)
    return text if text.startswith(name) else f"{name}: {text}"


def failure(error: FsxCopyError, backup_id: str | None = None) -> JsonDocument:
    """Return the document of what went wrong, with the backup that it is about."""
    backup = {} if backup_id is None else {"BackupId": backup_id}
    text = describe(error)
    if backup_id is not None and backup_id not in text:
        text = f"{text} ({backup_id})"
    return {
        "Version": DOCUMENT_VERSION,
        "Outcome": "Failed",
        **backup,
        "Message": text,
        "RetryHelps": retry_helps(error),
        "Error": _shown(error),
    }


def _shown(error: FsxCopyError) -> JsonDocument:
    members = error.to_dict()
    del members["Version"]
    return members


def short(error: FsxCopyError) -> JsonDocument:
    """Return an error for a list of many: its class and the beginning of its text."""
    return {
        "Type": type(error).__name__,
        "Message": str(error)[:_MAX_TEXT],
        "IsTransient": error.is_transient,
    }


def checked(event: Mapping[str, object] | None) -> JsonDocument:
    """
    Return the event of a trigger, unless it is a failure.

    Raises:
        AirflowException: it is one, and a retry may help.
        AirflowFailException: it is one, and no retry helps.
    """
    if event is None:
        raise AirflowException("The trigger sent no event")
    if event["Outcome"] == "Failed":
        raise exception(str(event["Message"]), may_retry=bool(event["RetryHelps"]))
    return dict(event)


def failed_with(error: str, event: Mapping[str, object] | None) -> str | None:
    """Return the message of a failure of that class; None if the event is not one."""
    shown = (event or {}).get("Error")
    is_it = isinstance(shown, Mapping) and shown["Type"] == error
    return str(event["Message"]) if event and is_it else None


@contextmanager
def for_task() -> Iterator[None]:
    """Convert errors of this package to those with which a task of Airflow fails."""
    try:
        yield
    except FsxCopyError as error:
        raise exception(describe(error), may_retry=retry_helps(error)) from error


def exception(message: str, *, may_retry: bool) -> AirflowException:
    """Return the exception with which a task fails; its class says whether to retry."""
    if may_retry:
        return AirflowException(f"{message}; a retry may help")
    return AirflowFailException(f"{message}; no retry helps: mend the cause, then clear the task")


def summary(document: Mapping[str, object], outcomes: Sequence[Mapping[str, object]]) -> str:
    """Return the number of outcomes of each kind, with the failures and warnings."""
    counts = Counter(str(one["Outcome"]) for one in outcomes)
    numbers = ", ".join(f"{number} {name}" for name, number in counts.items())
    warnings = document.get("Warnings")
    bad = [*rows(document.get("Failures")), *(one for one in outcomes if one.get("Error"))]
    lines = [*map(_line, bad), *(map(str, warnings) if isinstance(warnings, list) else ())]
    if len(lines) > _MAX_LINES:
        lines[_MAX_LINES:] = [f"and {len(lines) - _MAX_LINES} more"]
    return "\n".join([numbers or "nothing to do", *lines])


def rows(given: object) -> list[Mapping[str, object]]:
    """Return the members of a list of a document."""
    return (
        [one for one in given if isinstance(one, Mapping)] if isinstance(given, Iterable) else []
    )


def _line(row: Mapping[str, object]) -> str:
    error = row["Error"]
    text = error["Message"] if isinstance(error, Mapping) else error
    name = row.get("SourceBackupId") or row.get("BackupId") or row.get("PolicyName")
    return f"{name}: {row['Outcome']}: {text}"

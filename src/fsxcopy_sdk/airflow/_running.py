"""What triggers do in the triggerer, and tasks that are not deferred in their own event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Protocol

import attrs

from fsxcopy_sdk._codec import to_dict
from fsxcopy_sdk.airflow._documents import JsonDocument, failure, retry_helps, short
from fsxcopy_sdk.bulk import (
    BulkCopy,
    CopyBatch,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
)
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import DOCUMENT_VERSION, BackupCopyFailed, FsxCopyError
from fsxcopy_sdk.models import Backup

_PROGRESS_EVERY = 60.0
"""Seconds between two lines about the progress of many copies."""


class Log(Protocol):
    """The log of a task."""

    def info(self, event: str, *args: object) -> object: ...

    def warning(self, event: str, *args: object) -> object: ...


@attrs.define
class Report:
    """What a trigger sends in the end."""

    event: JsonDocument = attrs.field(factory=dict)


@asynccontextmanager
async def reported(backup_id: str | None = None) -> AsyncIterator[Report]:
    """Make an error the event, because the reason is lost if a trigger raises."""
    report = Report()
    try:
        yield report
    except FsxCopyError as error:
        report.event = failure(error, backup_id)


async def watch(client: FsxCopyClient, backup_id: str, max_wait: float, log: Log) -> JsonDocument:
    """
    Follow a backup until it is AVAILABLE, and return it as a document.

    Raises:
        FsxCopyError: what `watch_backup` raises.
    """
    last: tuple[object, ...] = ()
    observations = client.watch_backup(backup_id, max_wait=max_wait)
    async with aclosing(observations):
        async for backup in observations:
            seen = (backup.lifecycle, backup.progress_percent)
            if seen != last:
                log.info("%s", progress_text(backup))
            last = seen
    return {
        "Version": DOCUMENT_VERSION,
        "Outcome": "Available",
        "BackupId": backup_id,
        "Region": client.region,
        "Backup": to_dict(backup),
    }


def progress_text(backup: Backup) -> str:
    """Return the current state of a backup."""
    percent = "" if backup.progress_percent is None else f" {backup.progress_percent}%"
    return f"{backup.backup_id}: {backup.lifecycle}{percent}"


@attrs.define(eq=False)
class Progress:
    """The progress of many copies, in the log of a task: each start and end, and sums."""

    log: Log
    now: Callable[[], float]
    _running: dict[tuple[object, ...], CopyInProgress] = attrs.field(factory=dict, init=False)
    _ended: int = attrs.field(default=0, init=False)
    _next_line: float = attrs.field(default=0.0, init=False)

    def see(self, where: tuple[object, ...], copy: CopyInProgress) -> None:
        """Note an observation of a copy."""
        key = (*where, copy.request.source_backup_id)
        if key not in self._running:
            self.log.info("%s", copy)
        self._running[key] = copy
        if self.now() >= self._next_line:
            self._next_line = self.now() + _PROGRESS_EVERY
            texts = (progress_text(one.backup) for one in self._running.values() if one.backup)
            self.log.info("ended: %d, in progress: %s", self._ended, ", ".join(texts))

    def end(self, where: tuple[object, ...], source_backup_id: str | None, text: object) -> None:
        """Note an outcome."""
        self._running.pop((*where, source_backup_id), None)
        self._ended += 1
        self.log.info("%s", text)


def name_of(copy: CopyInProgress) -> str:
    """Return the ID of a copy in progress, or what finds it where no answer named it yet."""
    if copy.backup_id is not None:
        return copy.backup_id
    source, token = copy.request.source_backup_id, copy.client_request_token
    return f"perhaps a copy of {source}, with the token {token}"


def requests_of(
    source_backup_ids: Iterable[str],
    request: Mapping[str, object],
    volume_ids: Mapping[str, str],
) -> list[CopyRequest]:
    """
    Return a request for each backup, with its volume and the other members of *request*.

    Raises:
        InvalidArguments: they break rules.
    """
    return [
        CopyRequest.from_dict({**request, "SourceBackupId": one, "VolumeId": volume_ids.get(one)})
        for one in source_backup_ids
    ]


async def end_of(
    copies: BulkCopy | CopyBatch, progress: Progress, region: str, *, with_backups: bool
) -> JsonDocument:
    """
    Follow copies to their end, and return the document of their outcomes.

    Raises:
        Exception: an error ended the run that they are part of.
    """
    async with copies:
        async for outcome in copies:
            progress.end((), outcome.request.source_backup_id, outcome)
    rows = [copy_row(one) for one in copies.outcomes]
    if with_backups:
        for row, outcome in zip(rows, copies.outcomes, strict=True):
            row["Backup"] = outcome.backup and to_dict(outcome.backup)
    return {
        "Version": DOCUMENT_VERSION,
        "Outcome": "Ended",
        "Region": region,
        "Outcomes": rows,
        "IsGood": all(is_good(one) for one in copies.outcomes),
        "RetryHelps": any(retry_may_copy(one) for one in copies.outcomes),
    }


def copy_row(outcome: CopyOutcome) -> JsonDocument:
    """Return an outcome in few bytes: events and XComs are rows of Airflow's database."""
    backup_id = (
        outcome.backup_id
        if isinstance(outcome, CopyNotObserved)
        else outcome.backup and outcome.backup.backup_id
    )
    members = {
        "Outcome": type(outcome).__name__,
        "SourceBackupId": outcome.request.source_backup_id,
        "BackupId": backup_id,
        "Reason": getattr(outcome, "reason", None),
        "Error": outcome.error and short(outcome.error),
    }
    return {name: value for name, value in members.items() if value is not None}


def is_good(outcome: CopyOutcome) -> bool:
    """Whether there is a copy, or the request was given twice."""
    return outcome.error is None


def retry_may_copy(outcome: CopyOutcome) -> bool:
    """Whether another run may get a copy that this one did not get."""
    error = outcome.error
    if error is None:
        return False
    if isinstance(outcome, CopyFailed | CopyDeferred):
        # A dead copy is requested again; a refused request may be refused every time.
        return isinstance(error, BackupCopyFailed) or retry_helps(error)
    # What may have been accepted may be there by then.
    return True

"""What triggers do in the triggerer, and tasks that are not deferred in their own event loop."""

from __future__ import annotations

import json
import random
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Protocol

import attrs

from fsxcopy_sdk._codec import to_dict
from fsxcopy_sdk.airflow._documents import (
    JsonDocument,
    describe,
    failure,
    retry_helps,
    short,
)
from fsxcopy_sdk.airflow._shared_clients import SharedClient
from fsxcopy_sdk.bulk import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    CopyStarted,
    copy_many,
    is_outcome_unknown,
)
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import DOCUMENT_VERSION, BackupCopyFailed, FsxCopyError
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import DEFAULT_SCHEDULE, NOTHING

# Copies take minutes to hours. One request at a time asks, whatever number is waiting.
_CAPACITY_DELAY = 30.0
_PROGRESS_EVERY = 60.0
"""Seconds between two lines about the progress of many copies."""
_NO_LIMIT = 1_000_000
"""As `max_in_progress`: the service's answer alone decides."""


class Log(Protocol):
    """The log of a task."""

    def info(self, event: str, *args: object) -> object: ...

    def warning(self, event: str, *args: object) -> object: ...


class CopyNotBegun(FsxCopyError):
    """No copy was accepted, because the service has no capacity now or cannot be reached."""

    _is_transient = True


@attrs.define
class Report:
    """What a trigger sends in the end."""

    event: JsonDocument = attrs.field(factory=dict)


@asynccontextmanager
async def reported(backup_id: str | None = None) -> AsyncIterator[Report]:
    """Let what goes wrong be the event, because a trigger that raises loses the reason."""
    report = Report()
    try:
        yield report
    except FsxCopyError as error:
        report.event = failure(error, backup_id)


# One backup.


async def watch(
    client: FsxCopyClient, backup_id: str, max_wait: float, log: Log, *, is_accepted: bool
) -> JsonDocument:
    """
    Follow a backup until it is AVAILABLE, and return it as a document.

    One that `is_accepted`, as a copy, may be unknown until the deadline.

    Raises:
        FsxCopyError: what `watch_backup` raises.
    """
    schedule = DEFAULT_SCHEDULE
    if is_accepted:
        grace = max(schedule.not_found_grace, max_wait)
        schedule = attrs.evolve(schedule, not_found_grace=grace)
    last: tuple[object, ...] = ()
    observations = client.watch_backup(backup_id, max_wait=max_wait, schedule=schedule)
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
    """Return what a backup is like now."""
    percent = "" if backup.progress_percent is None else f" {backup.progress_percent}%"
    return f"{backup.backup_id}: {backup.lifecycle}{percent}"


async def begin(
    shared: SharedClient,
    request: CopyRequest,
    log: Log,
    *,
    search: bool,
    tries: int,
    max_wait: float,
) -> JsonDocument:
    """
    Request a copy as soon as there is capacity, and return the document with its ID.

    With *search* a copy of an earlier try may exist: the destination is listed first. Each of
    so many *tries* may have left a dead copy, whose token is spent.

    Raises:
        FsxCopyError: the service refused, has no capacity for *max_wait* seconds, or it is
            not known what it did.
    """
    client = shared.client
    deadline = client.clock.now() + max_wait
    beginning = _Beginning(client, request, tries, search)
    async with shared.starting:
        while True:
            try:
                backup_id = await beginning.try_now()
            except CopyNotBegun as error:
                left = deadline - client.clock.now()
                if left < NOTHING:
                    raise beginning.doubt or error from error
                log.warning("%s: not begun yet: %s", request.source_backup_id, error)
            else:
                source = request.source_backup_id
                log.info("%s: the copy of %s was accepted or found", backup_id, source)
                return {
                    "Version": DOCUMENT_VERSION,
                    "Outcome": "Started",
                    "BackupId": backup_id,
                    "Region": client.region,
                }
            delay = _CAPACITY_DELAY * (0.5 + random.random() / 2)  # noqa: S311 - jitter
            await client.clock.sleep(min(delay, left))


@attrs.define(eq=False)
class _Beginning:
    """The attempts to begin one copy."""

    client: FsxCopyClient
    request: CopyRequest
    tries: int
    search: bool
    """Whether there may be a copy that the token no longer finds."""
    doubt: FsxCopyError | None = None
    """What left it open whether the service accepted the request."""

    async def try_now(self) -> str:
        """
        Return the ID of the copy, requested or found.

        Raises:
            CopyNotBegun: the service accepts none now, and may do so later.
            FsxCopyError: it refused, or it is not known what it did.
        """
        if not self.search:
            try:
                response = await self.client.copy_backup(
                    **self.request.arguments(self.client.region),
                    client_request_token=self.request.client_request_token,
                )
            except FsxCopyError as error:
                if error.accepted_backup_id is not None:
                    return error.accepted_backup_id
                if not is_outcome_unknown(error):
                    raise _not_begun(error) from error
                self.doubt, self.search = error, True
            else:
                if not response.backup.lifecycle.is_dead:
                    return response.backup.backup_id
        return await self._search_and_begin()

    async def _search_and_begin(self) -> str:
        """Find the copy that exists, by its source; request one only if there is none."""
        request, tries = self.request, self.tries
        while True:
            outcome = await self._outcome_of(request)
            match outcome:
                case Copied() | CopyStarted():
                    return outcome.backup.backup_id
                case CopyNotObserved() if outcome.backup_id is not None:
                    return outcome.backup_id
                case CopyFailed(backup=Backup() as dead) if tries > 0:
                    tries -= 1
                    token = next_token(request.client_request_token, dead.backup_id)
                    request = attrs.evolve(request, client_request_token=token)
                case CopyDeferred(error=None):
                    # The destination was listed, and has none. Later the token of a request in
                    # doubt is forgotten, and then only another listing finds its copy.
                    self.search = self.doubt is not None
                    raise CopyNotBegun(outcome.reason)
                case CopyDeferred(error=FsxCopyError() as error):
                    raise _not_begun(error) from error
                case _:
                    raise outcome.error or CopyNotBegun(str(outcome))

    async def _outcome_of(self, request: CopyRequest) -> CopyOutcome:
        copies = copy_many(self.client, [request], wait=False, max_in_progress=_NO_LIMIT)
        async with copies:
            return await anext(copies)


def _not_begun(error: FsxCopyError) -> FsxCopyError:
    return CopyNotBegun(describe(error)) if error.is_transient else error


def next_token(*parts: object) -> str:
    """Return the token that *parts* decide, in every process and at any time."""
    digest = sha256(json.dumps(parts, sort_keys=True).encode()).digest()
    return f"airflow-{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


# Many backups.


@attrs.define(eq=False)
class Progress:
    """The progress of many copies, in the log of a task: each beginning and end, and sums."""

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

    @property
    def left(self) -> tuple[str, ...]:
        """The copies that continue at the service if this ends now."""
        return tuple(str(one.backup_id) for one in self._running.values())


def requests_of(
    source_backup_ids: Iterable[str], request: Mapping[str, object]
) -> list[CopyRequest]:
    """
    Return a request for each backup, which has the other members of *request*.

    Raises:
        InvalidArguments: they break rules.
    """
    return [CopyRequest.from_dict({**request, "SourceBackupId": one}) for one in source_backup_ids]


async def copy_all(
    client: FsxCopyClient,
    requests: Iterable[CopyRequest],
    progress: Progress,
    *,
    max_in_progress: int,
    max_wait: float,
) -> JsonDocument:
    """Copy many backups under the quota, and return the document of their outcomes."""
    copies = copy_many(
        client,
        requests,
        max_in_progress=max_in_progress,
        max_wait=max_wait,
        on_seen=partial(progress.see, ()),
    )
    async with copies:
        async for outcome in copies:
            progress.end((), outcome.request.source_backup_id, outcome)
    return {
        "Version": DOCUMENT_VERSION,
        "Outcome": "Ended",
        "Region": client.region,
        "Outcomes": [copy_row(one) for one in copies.outcomes],
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
    return outcome.error is None and not isinstance(outcome, CopyDeferred | CopyStarted)


def retry_may_copy(outcome: CopyOutcome) -> bool:
    """Whether another run may get a copy that this one did not get."""
    if is_good(outcome):
        return False
    if isinstance(outcome, CopyFailed):
        # A dead copy is requested anew, a refusal may be for ever.
        return isinstance(outcome.error, BackupCopyFailed) or retry_helps(outcome.error)
    return (
        outcome.error is None
        or not isinstance(outcome, CopyDeferred)
        or retry_helps(outcome.error)
    )

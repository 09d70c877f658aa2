"""What became of a request: a closed family, and the stream that outcomes come in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import ClassVar, Generic, Self, TypeAlias, TypeVar

import anyio
import attrs
from anyio.abc import TaskGroup

from fsxcopy_sdk._codec import NOT_IN_DOCUMENTS, Document, Outcome
from fsxcopy_sdk._tracing import Attributes, Span
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.errors import FsxCopyError, StreamNotOpen
from fsxcopy_sdk.models import Backup

_Outcome = TypeVar("_Outcome")


@attrs.frozen(kw_only=True)
class CopyInProgress(Document):
    """A copy that the service has accepted, or may have."""

    request: CopyRequest
    client_request_token: str
    """The token that was sent with the request."""
    started: float = attrs.field(metadata=NOT_IN_DOCUMENTS)
    """When the copy was requested or found, in seconds of the client's clock."""
    backup: Backup | None = None
    """The copy as last seen; None if no readable answer came."""
    accepted_backup_id: str | None = None
    """The copy's ID, where an answer named it that cannot be read otherwise."""

    @property
    def backup_id(self) -> str | None:
        """The ID of the copy; None if no answer named one, so that its existence is unknown."""
        return self.backup.backup_id if self.backup else self.accepted_backup_id

    def __str__(self) -> str:
        copy = self.backup
        state = (
            f"{copy.backup_id}, {copy.lifecycle}" if copy else self.backup_id or "not known yet"
        )
        return f"{self.request.source_backup_id}: in progress, {state}"


@attrs.frozen(kw_only=True)
class Copied(Outcome):
    """The copy is AVAILABLE."""

    request: CopyRequest
    backup: Backup
    existing: bool = False
    """Whether the destination had the copy when the run began, so that none was requested."""
    error: None = None

    def __str__(self) -> str:
        how = "has the copy" if self.existing else "copied as"
        return f"{self.request.source_backup_id}: {how} {self.backup.backup_id}"


@attrs.frozen(kw_only=True)
class CopyStarted(Outcome):
    """The copy is in progress and is not waited for (`wait=False`)."""

    request: CopyRequest
    backup: Backup
    """The copy as the service's answer or a listing shows it."""
    client_request_token: str
    """The token that was sent with the request, or would have been."""
    existing: bool = False
    """Whether the copy was in progress when the run began, so that none was requested."""
    error: None = None

    def __str__(self) -> str:
        how = "in progress as" if self.existing else "started as"
        copy = self.backup
        return f"{self.request.source_backup_id}: {how} {copy.backup_id}, {copy.lifecycle}"


@attrs.frozen(kw_only=True)
class CopyFailed(Outcome):
    """The service refused the request, or the copy was seen FAILED or DELETED."""

    request: CopyRequest
    error: FsxCopyError
    """A `BackupCopyFailed` if the copy was seen FAILED or DELETED, else the refusal."""
    backup: Backup | None = None
    """The copy as last seen; None if none was accepted."""

    def __str__(self) -> str:
        return f"{self.request.source_backup_id}: failed, {self.error}"


@attrs.frozen(kw_only=True)
class CopyDeferred(Outcome):
    """
    No copy was accepted, and the service did not refuse one: another run may start it.

    The destination could not be listed, or the request could not be sent, or with
    `wait=False` there is no capacity for it now, or its copies FAILED lately.
    """

    request: CopyRequest
    reason: str
    error: FsxCopyError | None = None
    """What went wrong; None if nothing did, and only capacity is lacking."""
    backup: None = None

    def __str__(self) -> str:
        why = f"{self.reason}: {self.error}" if self.error else self.reason
        return f"{self.request.source_backup_id}: deferred, {why}"


@attrs.frozen(kw_only=True)
class CopySkipped(Outcome):
    """Nothing was sent, because there was nothing to do."""

    request: CopyRequest
    reason: str
    backup: Backup | None = None
    error: None = None

    def __str__(self) -> str:
        return f"{self.request.source_backup_id}: skipped, {self.reason}"


@attrs.frozen(kw_only=True)
class CopyTimedOut(Outcome):
    """The copy was seen in progress until the deadline, or the service had no capacity for it."""

    request: CopyRequest
    error: FsxCopyError
    """A `WaitTimeout`, or the `ServiceLimitExceeded` that was the answer all the time."""
    backup: Backup | None = None
    """The copy as last seen, which may still become AVAILABLE; None if none was accepted."""

    def __str__(self) -> str:
        return f"{self.request.source_backup_id}: timed out, {self.error}"


@attrs.frozen(kw_only=True)
class CopyNotObserved(Outcome):
    """
    The service accepted the copy, or may have, and its end was not observed.

    This is not a failed copy: do not request another one. Wait for `backup_id`, or run
    the same requests later, when the destination shows whether the copy exists.
    """

    request: CopyRequest
    client_request_token: str
    """The token of the request."""
    error: FsxCopyError
    """
    Why the end was not observed: `AccessDenied`, `ExpiredCredentials`, `BackupNotFound` ...; a
    `ResponseDecodingError` also if there was a copy before that cannot be read.
    """
    backup: Backup | None = None
    """The copy as last seen; None if no readable answer came."""

    @property
    def backup_id(self) -> str | None:
        """The ID of the accepted copy; None if no answer named one."""
        # Even an unreadable answer may name it.
        return self.backup.backup_id if self.backup else self.error.accepted_backup_id

    def __str__(self) -> str:
        copy, token = self.backup_id, self.client_request_token
        how = f"accepted as {copy}" if copy else f"in doubt, with token {token}"
        return f"{self.request.source_backup_id}: {how}, not observed: {self.error}"


CopyOutcome: TypeAlias = (
    Copied | CopyDeferred | CopyFailed | CopyNotObserved | CopySkipped | CopyStarted | CopyTimedOut
)
"""Each has the members `request`, `backup` and `error`."""


class OutcomeStream(ABC, Generic[_Outcome]):
    """Tasks that run inside ``async with``, and their outcomes by ``async for``."""

    _made_by: ClassVar[str]
    """The function that returns it."""
    _name: ClassVar[str]
    """What it is called in that function's examples."""
    _forgets: ClassVar[bool] = False
    """Whether an outcome is dropped once it was iterated over, to save memory."""

    _tasks: TaskGroup

    def __init__(self) -> None:
        self._entered = False
        self._outcomes: list[_Outcome] = []
        self._counts: Counter[str] = Counter()
        self._changed = anyio.Event()
        self._yielded = 0
        self._finished = False
        self._pass_to: Callable[[_Outcome], None] | None = None

    @property
    def _traced(self) -> Attributes:
        """The attributes of its span that are known when it starts."""
        return {}

    @property
    def outcomes(self) -> tuple[_Outcome, ...]:
        """All outcomes so far, oldest first, whether iterated over or not."""
        return tuple(self._outcomes)

    async def __aenter__(self) -> Self:
        """
        Start the work.

        Raises:
            StreamNotOpen: it was entered before.
        """
        if self._entered:
            text = f"{self._made_by}(...) can be entered once: call {self._made_by} again"
            raise StreamNotOpen(text)
        self._entered = True
        self._tasks = anyio.create_task_group()
        self._span = Span(self._made_by, self._traced)
        await self._tasks.__aenter__()
        with self._span.current():
            self._tasks.start_soon(self._run)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Start nothing more, and leave what is in progress to the service."""
        self._finish()
        self._tasks.cancel_scope.cancel()
        with self._span:
            try:
                # An exception of the block is raised as it is, not in a group.
                await self._tasks.__aexit__(None, None, None)
            finally:
                self._span.set({f"fsxcopy.outcomes.{one}": n for one, n in self._counts.items()})

    def __aiter__(self) -> Self:
        """Iterate over the outcomes as they come."""
        return self

    async def __anext__(self) -> _Outcome:
        """
        Return the next outcome, as soon as there is one.

        Raises:
            StreamNotOpen: it was not entered, so that there never will be one.
        """
        if not self._entered:
            raise StreamNotOpen(
                f"{self._made_by}(...) was not entered: use it as `async with "
                f"{self._made_by}(...) as {self._name}`, and within that as "
                f"`async for outcome in {self._name}`"
            )
        while self._yielded == len(self._outcomes):
            if self._finished:
                raise StopAsyncIteration
            await self._changed.wait()
        if self._forgets:
            return self._outcomes.pop(0)
        self._yielded += 1
        return self._outcomes[self._yielded - 1]

    @abstractmethod
    async def _run(self) -> None:
        """Add the outcomes, then finish."""

    async def pass_on(self, to: Callable[[_Outcome], None]) -> None:
        """Enter this, and call *to* with each outcome at once, also with those of before."""
        # One that waited to be iterated over would be lost by a cancellation.
        self._pass_to = to
        for outcome in self._outcomes:
            to(outcome)
        async with self:
            async for _ in self:
                pass

    def _add(self, outcome: _Outcome) -> None:
        self._outcomes.append(outcome)
        self._counts[type(outcome).__name__] += 1
        if self._pass_to is not None:
            self._pass_to(outcome)
        self._notify()

    def _finish(self) -> None:
        self._finished = True
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

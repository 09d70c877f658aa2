"""One run of copies for several callers, who share the quota of a Region instead of competing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import TypeAlias

import anyio
import attrs

from fsxcopy_sdk._validation import ArgumentErrors
from fsxcopy_sdk.bulk._copier import BulkCopy
from fsxcopy_sdk.bulk._copy_many import copy_many
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyInProgress,
    CopyOutcome,
    CopyStarted,
    OutcomeStream,
)
from fsxcopy_sdk.bulk._requests import CopyRequest, checked
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import ConfigurationError
from fsxcopy_sdk.waiting import WaitSchedule

_Identity: TypeAlias = tuple[str, str, str]


class CopyBatch(OutcomeStream[CopyOutcome]):
    """The copies of one caller, as part of `SharedCopies`: its own outcomes in its own stream."""

    _made_by, _name = "SharedCopies.add", "copies"

    def __init__(
        self,
        region: str,
        requests: Iterable[CopyRequest],
        adopted: Iterable[CopyInProgress],
        on_seen: Callable[[CopyInProgress], None] | None,
        leave: Callable[[CopyBatch], None],
    ) -> None:
        super().__init__()
        self.requests = [*requests]
        self.adopted = [*adopted]
        self._on_seen = on_seen
        everything = [*(one.request for one in self.adopted), *self.requests]
        self.open = {one.identity(region): one for one in everything}
        """What has no outcome yet."""
        self._region = region
        self._leave = leave
        self.has_left = False
        """Whether its caller no longer waits for outcomes."""
        self._run_of_all: BulkCopy | None = None
        self._failure: Exception | None = None

    async def __aexit__(self, *_: object) -> None:
        """Leave the run, which starts no more copies that only this caller wants."""
        self.has_left = True
        self._leave(self)
        await super().__aexit__()

    async def __anext__(self) -> CopyOutcome:
        """
        Return the next outcome, as soon as there is one.

        Raises:
            StreamNotOpen: it was not entered, so that there never will be one.
            Exception: what ended the run of all before this batch had ended.
        """
        try:
            return await super().__anext__()
        except StopAsyncIteration:
            if self._failure is None:
                raise
            failure = self._failure
        raise failure

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """The copies that the service has accepted, or may have, and that have no outcome yet."""
        copies = () if self._run_of_all is None else self._run_of_all.in_progress
        return tuple(
            attrs.evolve(copy, request=mine)
            for copy in copies
            if (mine := self.open.get(copy.request.identity(self._region)))
        )

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """The requests whose copies were certainly not accepted so far."""
        if self._run_of_all is None:
            return tuple(self.open.values())
        left = {one.identity(self._region) for one in self._run_of_all.not_started}
        return tuple(mine for identity, mine in self.open.items() if identity in left)

    def begin(self, run_of_all: BulkCopy) -> None:
        """Note the run that carries the copies out."""
        self._run_of_all = run_of_all

    def see(self, identity: _Identity, copy: CopyInProgress) -> None:
        """Show an observation to the caller."""
        mine = self.open.get(identity)
        if mine is not None and self._on_seen is not None and not self.has_left:
            self._on_seen(attrs.evolve(copy, request=mine))

    def end(self, identity: _Identity, outcome: CopyOutcome) -> None:
        """Add an outcome, under the caller's own request."""
        mine = self.open.pop(identity)
        if outcome.request is not mine:
            if isinstance(outcome, Copied | CopyStarted):
                outcome = attrs.evolve(outcome, existing=True)  # another's request made it
            outcome = attrs.evolve(outcome, request=mine)
        self._add(outcome)
        if not self.open:
            self._finish()

    def fail(self, error: Exception) -> None:
        """End this with the error that ended the run, where outcomes are missing."""
        if self.open:
            self._failure = error
            self._finish()

    async def _run(self) -> None:
        """Leave the outcomes to the run of all."""
        if not self.open:
            self._finish()


class SharedCopies:
    """
    Copies of several callers into one Region, with one limit and one queue for all.

    Add the batches, then `run`, while each caller iterates over its batch. Turns are taken: the
    first request of each batch comes before the second of any. A backup that several batches
    request is copied once, and each has its outcome. The arguments are those of `copy_many`.

    A caller may leave its batch without an effect on the others. Copies that only it wants are
    not started any more, and the run ends when all have left.
    """

    def __init__(
        self,
        client: FsxCopyClient,
        *,
        wait: bool,
        max_in_progress: int,
        max_wait: float,
        schedule: WaitSchedule,
    ) -> None:
        self._client = client
        self._wait = wait
        self._max_in_progress = max_in_progress
        self._max_wait = max_wait
        self._schedule = schedule
        self._has_begun = False
        self._copies: BulkCopy | None = None
        self._scope: anyio.CancelScope | None = None
        self._batches: list[CopyBatch] = []
        self._by_identity: defaultdict[_Identity, list[CopyBatch]] = defaultdict(list)

    @property
    def region(self) -> str:
        """The Region of the copies."""
        return self._client.region

    def add(
        self,
        requests: Iterable[CopyRequest],
        *,
        adopt: Iterable[CopyInProgress],
        on_seen: Callable[[CopyInProgress], None] | None,
    ) -> CopyBatch:
        """
        Return a batch of copies, which `run` carries out.

        Raises:
            ConfigurationError: `run` was called already.
            InvalidArguments: requests break rules, which would end the run of all.
        """
        self._check_not_begun()
        errors = ArgumentErrors()
        good = checked(errors, requests, self._client.region)
        errors.raise_any()
        batch = CopyBatch(self._client.region, good, adopt, on_seen, self._leave)
        self._batches.append(batch)
        for identity in batch.open:
            self._by_identity[identity].append(batch)
        return batch

    def _check_not_begun(self) -> None:
        if self._has_begun:
            raise ConfigurationError("SharedCopies.run was called already: make new SharedCopies")

    async def run(self) -> None:
        """
        Carry out the copies of all batches, once.

        Raises:
            ConfigurationError: this was called before.
            Exception: what ended it, such as one of an `on_seen`; each batch ends with it, too.
        """
        self._check_not_begun()
        self._has_begun = True
        try:
            with anyio.CancelScope() as self._scope:
                self._copies = self._copies_of_all()
                for batch in self._batches:
                    batch.begin(self._copies)
                await self._copies.pass_on(self._end)
        except Exception as error:
            for batch in self._batches:
                batch.fail(error)
            raise

    def _copies_of_all(self) -> BulkCopy:
        adopted: dict[_Identity, CopyInProgress] = {}
        for copy in (copy for batch in self._batches for copy in batch.adopted):
            adopted.setdefault(self._identity(copy.request), copy)
        queue: dict[_Identity, CopyRequest] = {}
        for turn in zip_longest(*(batch.requests for batch in self._batches)):
            for request in filter(None, turn):
                queue.setdefault(self._identity(request), request)
        return copy_many(
            self._client,
            [one for identity, one in queue.items() if identity not in adopted],
            adopt=adopted.values(),
            wait=self._wait,
            max_in_progress=self._max_in_progress,
            max_wait=self._max_wait,
            schedule=self._schedule,
            on_seen=self._see,
        )

    def _leave(self, batch: CopyBatch) -> None:
        """Withdraw the requests of this batch alone; cancel the run when the last batch leaves."""
        self._batches.remove(batch)
        if self._copies is not None:
            unwanted = (
                identity
                for identity in batch.open
                if all(one.has_left for one in self._by_identity[identity])
            )
            self._copies.withdrawn.update(unwanted)
        if not self._batches and self._scope is not None:
            self._scope.cancel()

    def _identity(self, request: CopyRequest) -> _Identity:
        return request.identity(self._client.region)

    def _end(self, outcome: CopyOutcome) -> None:
        identity = self._identity(outcome.request)
        for batch in self._by_identity.pop(identity):
            batch.end(identity, outcome)

    def _see(self, copy: CopyInProgress) -> None:
        identity = self._identity(copy.request)
        for batch in self._by_identity.get(identity, ()):
            batch.see(identity, copy)

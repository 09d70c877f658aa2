"""One run of copies for several callers, who share the quota of a Region instead of competing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import TypeAlias

import attrs

from fsxcopy_sdk.bulk._copier import BulkCopy
from fsxcopy_sdk.bulk._copy_many import copy_many
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyInProgress,
    CopyOutcome,
    CopyStarted,
    OutcomeStream,
)
from fsxcopy_sdk.bulk._requests import CopyRequest
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
    ) -> None:
        super().__init__()
        self.requests = [*requests]
        self.adopted = [*adopted]
        self._on_seen = on_seen
        everything = [*(one.request for one in self.adopted), *self.requests]
        self.open = {one.identity(region): one for one in everything}
        """What has no outcome yet."""
        self._region = region
        self._run_of_all: BulkCopy | None = None

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
        if mine is not None and self._on_seen is not None:
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
            ConfigurationError: that has begun already.
        """
        self._check_not_begun()
        batch = CopyBatch(self._client.region, requests, adopt, on_seen)
        self._batches.append(batch)
        for identity in batch.open:
            self._by_identity[identity].append(batch)
        return batch

    def _check_not_begun(self) -> None:
        if self._has_begun:
            raise ConfigurationError("SharedCopies.run has begun: make other SharedCopies")

    async def run(self) -> None:
        """
        Carry out the copies of all batches, once.

        Raises:
            ConfigurationError: this was called before.
        """
        self._check_not_begun()
        self._has_begun = True
        adopted: dict[_Identity, CopyInProgress] = {}
        for copy in (copy for batch in self._batches for copy in batch.adopted):
            adopted.setdefault(self._identity(copy.request), copy)
        queue: dict[_Identity, CopyRequest] = {}
        for turn in zip_longest(*(batch.requests for batch in self._batches)):
            for request in filter(None, turn):
                queue.setdefault(self._identity(request), request)
        copies = copy_many(
            self._client,
            [one for identity, one in queue.items() if identity not in adopted],
            adopt=adopted.values(),
            wait=self._wait,
            max_in_progress=self._max_in_progress,
            max_wait=self._max_wait,
            schedule=self._schedule,
            on_seen=self._see,
        )
        for batch in self._batches:
            batch.begin(copies)
        await copies.pass_on(self._end)

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

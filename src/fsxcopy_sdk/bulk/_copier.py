"""Carry out many copies: find those that exist, start the others, follow all to their end."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from functools import partial
from typing import ClassVar, TypeVar

import anyio
import attrs

from fsxcopy_sdk._tracing import Attributes
from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyOutcome,
    CopySkipped,
    CopyStarted,
    CopyTimedOut,
    OutcomeStream,
)
from fsxcopy_sdk.bulk._queue import QuotaGroup, RequestState
from fsxcopy_sdk.bulk._requests import CopyRequest, ExistingCopies, best_copy, ontap_volume_id
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import (
    BackupCopyFailed,
    BackupNotFound,
    FsxCopyError,
    RequestTimeout,
    ResponseDecodingError,
    ServiceLimitExceeded,
    WaitTimeout,
)
from fsxcopy_sdk.models import Backup, CopyBackupResponse, DescribeBackupsResponse
from fsxcopy_sdk.waiting import NOTHING, WaitSchedule

# One refusal of a listing may be a hiccup of the credentials.
_MAX_REFUSALS = 2

_Result = TypeVar("_Result")

_log = logging.getLogger("fsxcopy_sdk.bulk")


class BulkCopy(OutcomeStream[CopyOutcome]):
    """The copies of `copy_many`: use ``async with``, and inside it ``async for``."""

    _made_by, _name = "copy_many", "copies"
    _max_tries: ClassVar[int] = queue.MAX_TRIES

    def __init__(
        self,
        client: FsxCopyClient,
        requests: Iterable[CopyRequest],
        adopted: Iterable[tuple[CopyInProgress, Backup]],
        *,
        max_in_progress: int,
        max_wait: float,
        schedule: WaitSchedule,
        on_seen: Callable[[CopyInProgress], None] | None,
    ) -> None:
        super().__init__()
        self._client = client
        self._region = client.region
        self._clock = client.clock
        self._max_in_progress = max_in_progress
        self._max_wait = max_wait
        self._schedule = schedule
        self._on_seen = on_seen
        self._groups: dict[tuple[str | None, str | None], QuotaGroup] = {}
        self._adopted = [
            (RequestState(copy, self._group_of(copy.request), "in progress"), backup)
            for copy, backup in adopted
        ]
        self._requested = [self._state_of(request) for request in requests]
        self._states = [*(state for state, _ in self._adopted), *self._requested]
        self.withdrawn: set[tuple[str, str, str]] = set()
        """The identities of requests that no caller wants any more; they are not sent."""
        self._followed_by: dict[str, RequestState] = {}
        known = [backup for _, backup in self._adopted]
        self._existing = ExistingCopies(client, known, self._fetch_page)

    def _state_of(self, request: CopyRequest) -> RequestState:
        token = request.token(self._region)
        copy = CopyInProgress(request=request, client_request_token=token, started=0.0)
        return RequestState(copy, self._group_of(request))

    def _group_of(self, request: CopyRequest) -> QuotaGroup:
        return self._group(request.volume_id, request.kms_key_id)

    def _group(self, volume_id: str | None, kms_key_id: str | None) -> QuotaGroup:
        key = (volume_id, None if volume_id is None else kms_key_id)
        return self._groups.setdefault(key, QuotaGroup(self._max_in_progress, volume_id))

    @property
    def _traced(self) -> Attributes:
        return {"cloud.region": self._region}

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """
        The copies that the service has accepted, or may have, and that have no outcome yet.

        They continue after the block. The same requests, run again later in any process,
        find the same copies.
        """
        return tuple(
            attrs.evolve(state.copy, accepted_backup_id=state.accepted_backup_id)
            for state in self._states
            if state.stage == "in progress"
        )

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """The requests whose copies were certainly not accepted so far."""
        return tuple(state.request for state in self._states if state.stage == "not started")

    async def __aexit__(self, *_: object) -> None:
        """Start nothing more, and leave what is in progress to the service."""
        try:
            await super().__aexit__()
        finally:
            for copy in self.in_progress:
                queue.log_what_is_left(copy, self._region)

    async def _run(self) -> None:
        """Follow what is in progress, list the destination, take what exists, start the rest."""
        if not self._states:
            self._finish()
        for state, backup in self._adopted:
            state.group.held += 1
            self._follow_existing(state, backup)
        states = self._distinct()
        if not states:
            return
        try:
            await self._find_existing(states)
        except FsxCopyError as error:
            self._defer(states, error)
        else:
            self._begin(states)

    async def _find_existing(self, states: Iterable[RequestState]) -> None:
        """List the destination, twice unless that finds a copy for all."""
        await self._list_patiently()
        if not all(map(self._existing_copy, states)):
            # A single listing may be empty or cut short; what it lacks would be copied.
            await self._list_patiently()

    def _defer(self, states: Iterable[RequestState], error: FsxCopyError) -> None:
        """End the requests that were not sent, because an unlisted copy of each may exist."""
        for state in states:
            self._add_outcome(state, queue.unlisted(state.request, error))

    def _begin(self, states: Iterable[RequestState]) -> None:
        """Follow what exists, and start the others."""
        for state in states:
            state.group.held += 1
            if not self._take_existing(state):
                state.group.held -= 1
                if volume_id := self._existing.volume_id(state.request):
                    state.group = self._group(volume_id, state.request.kms_key_id)
                state.group.waiting.append(state)
        for group in self._groups.values():
            self._tasks.start_soon(self._start_in_order, group)

    def _distinct(self) -> list[RequestState]:
        """Return the requests to carry out; of those that one copy satisfies, the first."""
        first: dict[tuple[str, str, str], int] = {}
        for number, state in enumerate(self._requested):
            earlier = first.setdefault(state.request.identity(self._region), number)
            if earlier != number:
                reason = f"the same backup as requests[{earlier}]"
                self._add_outcome(state, CopySkipped(request=state.request, reason=reason))
        return [self._requested[number] for number in first.values()]

    async def _list_patiently(self) -> None:
        """List the destination, again after transient errors."""
        await self._patiently(self._existing.refresh, "existing copies cannot be listed yet: %s")

    async def _fetch_page(self, request: Mapping[str, object]) -> DescribeBackupsResponse:
        """Fetch a page of the destination; all but the first again after transient errors."""
        # Where a part of all calls fails, a long listing that began anew each time would not end.
        token = request.get("NextToken")
        if not isinstance(token, str):
            return await self._client.describe_backups(strict=False)
        page = partial(self._client.describe_backups, next_token=token, strict=False)
        since = self._clock.now() - self._max_wait
        if any(one.waiting and one.has_failed_since(since) for one in self._groups.values()):
            return await page()  # one try for each of the rest, not some minutes
        return await self._patiently(page)

    async def _patiently(
        self, call: Callable[[], Awaitable[_Result]], warning: str | None = None
    ) -> _Result:
        """Return the result of *call*, which is repeated after transient errors."""
        for tries in range(1, self._max_tries):
            try:
                return await call()
            except FsxCopyError as error:
                if not error.is_transient:
                    raise
                if tries == 1 and warning:
                    _log.warning(warning, error, extra={"region": self._region})
            await self._clock.sleep(queue.retry_delay(tries, random.random))
        return await call()

    def _existing_copy(self, state: RequestState) -> Backup | None:
        return best_copy(self._existing.matching(state.request))

    def _take_existing(self, state: RequestState) -> bool:
        """Follow the copy that exists, if one does and is wanted; the request holds a slot."""
        if state.request.identity(self._region) in self.withdrawn:
            self._end(state, CopySkipped(request=state.request, reason="withdrawn"))
            return True
        existing = self._existing_copy(state)
        if existing is not None:
            self._follow_existing(state, existing)
            return True
        unreadable = self._existing.unreadable(state.request)
        if unreadable is None:
            return False
        # It may be the copy, in any lifecycle.
        self._end(
            state, queue.not_observed(state, ResponseDecodingError.of(unreadable, self._region))
        )
        return True

    # Starting.

    async def _start_in_order(self, group: QuotaGroup) -> None:
        """Start what waits in *group*, one after the other, each when it has a slot."""
        while group.waiting:
            if group.held >= group.slots:
                await self._sleep_until_end(group)
            elif group.must_wait:
                await self._sleep_until_end(group, self._capacity_delay(group))
                group.try_anew()
            else:
                state = group.next()
                group.held += 1
                if await self._start(state):
                    group.waiting.remove(state)
                else:
                    group.held -= 1

    async def _sleep_until_end(self, group: QuotaGroup, delay: float | None = None) -> None:
        """Return when a copy of *group* has ended, or after *delay* seconds if that is sooner."""
        with anyio.CancelScope() as scope:
            group.sleeps.add(scope)
            await (anyio.sleep_forever() if delay is None else self._clock.sleep(delay))
        group.sleeps.discard(scope)

    def _capacity_delay(self, group: QuotaGroup) -> float:
        """Return how long to sleep after refusals, at most until the time for *group* is over."""
        delay = queue.capacity_delay(random.random)
        if group.full_since is None:
            return delay
        return max(0.0, min(delay, group.full_since + self._max_wait - self._clock.now()))

    async def _start(self, state: RequestState) -> bool:
        """Request a copy until it is known whether it started; return False if refused."""
        async with state.group.starting:
            while not await self._try_to_start(state):
                pass
            return state not in state.group.passed_over

    async def _try_to_start(self, state: RequestState) -> bool:
        """Find or request a copy; return False, after a delay, if that must be repeated."""
        if not state.is_in_doubt:
            # For some minutes the token finds a copy that another program has started since
            # the last listing; later only another listing does.
            try:
                await self._existing.refresh(queue.TOKEN_LIFETIME)
            except FsxCopyError as error:
                unlisted = queue.unlisted(state.request, error)
                return await self._retry(state, error, unlisted, is_outage=error.is_transient)
            if self._take_existing(state):
                state.group.failing_since = None
                return True
        elif self._clock.now() - state.unknown_since > queue.TOKEN_LIFETIME:
            # The same request could make another copy.
            source = state.request.source_backup_id
            text = f"the destination shows no copy of {source}, which may have been accepted"
            self._search_later(state, self._not_found(text))
            return True
        now = self._clock.now()
        if not state.is_in_doubt:
            # The service may have forgotten the earlier tokens. They would then make another copy
            # although a later token has made one that no listing shows yet.
            state.attempt = max(state.attempt, self._existing.dead(state.request))
        state.begin(self._region, now)
        try:
            response = await self._request(state)
        except FsxCopyError as error:
            state.accepted_backup_id = error.accepted_backup_id or state.accepted_backup_id
            if not state.is_in_doubt and queue.is_outcome_unknown(error):
                state.unknown_since = now
            if isinstance(error, ServiceLimitExceeded) and error.is_transient:
                return await self._wait_for_capacity(state, error)
            outcome = queue.not_accepted(state.request, error)
            return await self._retry(state, error, outcome, is_outage=queue.is_outage(error))
        state.is_fresh = True
        self._accept(state, response.backup)
        return True

    async def _request(self, state: RequestState) -> CopyBackupResponse:
        """Call CopyBackup, and end the call while its token can still be relied on."""
        # Retries inside the call send the same token, for longer than the service may remember it.
        # They take real time, whatever clock the client has.
        token = state.copy.client_request_token
        with anyio.move_on_after(queue.TOKEN_LIFETIME):
            return await self._client.copy_backup(
                **state.request.arguments(self._region), client_request_token=token
            )
        raise RequestTimeout(
            f"no answer within {queue.TOKEN_LIFETIME:.0f} s",
            operation="CopyBackup",
            region=self._region,
            client_request_token=token,
        )

    async def _wait_for_capacity(self, state: RequestState, error: FsxCopyError) -> bool:
        """Leave the request for later, or sleep; return True if this try is over."""
        group, now = state.group, self._clock.now()
        group.failing_since = None
        if group.full_since is None:
            self._warn(state, "the service has no capacity for it yet", error)
            group.full_since = now
        if group.full_since + self._max_wait - now < NOTHING:
            self._give_up(state, CopyTimedOut(request=state.request, error=error), error)
            return True
        state.refuse()
        if group.ended != state.ended_before:
            return False
        if state.is_in_doubt or state.is_repeated:
            await self._sleep_until_end(group, self._capacity_delay(group))
            return False
        others = self._existing.count_in_progress(group.volume_id, self._followed_by)
        group.pass_over(state, is_full=group.held - 1 + others >= group.slots)
        return True

    async def _retry(
        self,
        state: RequestState,
        error: FsxCopyError,
        outcome: CopyFailed | CopyDeferred,
        *,
        is_outage: bool,
    ) -> bool:
        """Sleep until the same call may get a better answer; if it cannot, end with *outcome*."""
        state.tries += 1
        if self._is_final(state, error, is_outage=is_outage):
            self._give_up(state, outcome, error)
            return True
        if state.tries == 1:
            self._warn(state, "is tried again", error)
        state.refuse()
        delay = queue.retry_delay(state.tries, random.random)
        await self._clock.sleep(
            min(delay, queue.MAX_DELAY_IN_DOUBT) if state.is_in_doubt else delay
        )
        return False

    def _is_final(self, state: RequestState, error: FsxCopyError, *, is_outage: bool) -> bool:
        """Whether the same call will not get a better answer, or was tried too often."""
        # An outage is not held against one request: the service answered before, so it is waited
        # for as long as a copy is.
        group, now = state.group, self._clock.now()
        if is_outage:
            group.failing_since = now if group.failing_since is None else group.failing_since
            return group.has_failed_since(now - self._max_wait)
        group.failing_since = None
        state.failures += 1
        return state.failures >= self._max_tries or not queue.is_retryable(error)

    def _warn(self, state: RequestState, what: str, error: FsxCopyError) -> None:
        """Say why nothing seems to happen for a while."""
        source = state.request.source_backup_id
        extra = {"source_backup_id": source, "region": self._region}
        _log.warning("the copy of %s: %s: %s", source, what, error, extra=extra)

    def _give_up(
        self,
        state: RequestState,
        outcome: CopyDeferred | CopyFailed | CopyTimedOut,
        error: FsxCopyError,
    ) -> None:
        """End a request with *outcome*, unless a copy of it may have been accepted."""
        if state.is_in_doubt:
            self._search_later(state, error)
        else:
            self._end(state, outcome)

    def _search_later(self, state: RequestState, reason: FsxCopyError) -> None:
        """Let a task search for a copy that may have been accepted."""
        self._tasks.start_soon(self._search, state, reason)

    async def _search(self, state: RequestState, reason: FsxCopyError) -> None:
        """Search about once a minute for a copy that may have been accepted."""
        # A new copy may be missing from listings, but only from those that succeed. If they all
        # do, *reason* is why the copy was not observed.
        deadline = state.unknown_since + self._max_wait
        absent_since: float | None = None
        failure: FsxCopyError | None = None
        refusals = 0
        while True:
            until = deadline
            try:
                await self._existing.refresh(queue.SHARED_FOR)
            except FsxCopyError as error:
                failure, absent_since = error, None
                refusals += not queue.is_retryable(error)
            else:
                if absent_since is None:
                    absent_since = self._clock.now()
                    state.group.failing_since = None  # the service answers again
                failure = None
                until = min(absent_since + queue.UNSEEN_FOR, deadline)
            # A dead one may be another program's, or of an earlier run.
            found = best_copy(filter(state.request.has_its_salt, self._unclaimed(state)))
            if found is not None:
                self._accept(state, found)
                return
            unreadable = self._existing.unreadable(state.request)
            if unreadable is not None:
                # It may be the one: then no later listing can be read better.
                failure = ResponseDecodingError.of(unreadable, self._region)
                break
            left = until - self._clock.now()
            if left < NOTHING or refusals == _MAX_REFUSALS:
                break
            await self._clock.sleep(min(left, queue.capacity_delay(random.random)))
        self._end(state, queue.not_observed(state, failure or reason))

    def _unclaimed(self, state: RequestState) -> list[Backup]:
        """Return the copies that satisfy a request and that no other request follows."""
        return [
            one
            for one in self._existing.matching(state.request)
            if self._followed_by.get(one.backup_id, state) is state
        ]

    # Following.

    def _accept(self, state: RequestState, backup: Backup) -> None:
        """Follow the copy that the service has started, or had started before for this token."""
        state.group.failing_since = state.group.full_since = None
        state.group.refusals = 0
        # A token may lead to a copy that was dead before this run; another one is tried once.
        is_first = not state.is_repeated and state.request.client_request_token is None
        if backup.lifecycle.is_dead and is_first and not state.is_in_doubt:
            state.refuse()
            extra = {"backup_id": backup.backup_id, "region": self._region}
            text = "%s: is %s, its request is repeated"
            _log.info(text, backup.backup_id, backup.lifecycle, extra=extra)
            self._tasks.start_soon(self._repeat, state)
            return
        self._take(state, backup)

    def _take(self, state: RequestState, backup: Backup) -> None:
        """Follow a copy until it ends, which it may have done."""
        self._see(state, backup)
        if backup.lifecycle.is_terminal:
            self._end(state, queue.outcome_of(state, backup, self._region))
        else:
            self._tasks.start_soon(self._follow, state, backup)

    async def _repeat(self, state: RequestState) -> None:
        """Start another copy, with another token, after a token led to a dead one."""
        await self._clock.sleep(queue.capacity_delay(random.random))
        state.repeat()
        await self._start(state)

    def _follow_existing(self, state: RequestState, backup: Backup) -> None:
        """Follow a copy that was there before."""
        if state.stage == "not started":
            state.begin(self._region, self._clock.now())
        state.is_existing = True
        if backup.lifecycle.is_dead:
            # Adopted so; the destination may have another copy.
            self._tasks.start_soon(self._follow, state, backup)
        else:
            self._take(state, backup)

    async def _follow(self, state: RequestState, backup: Backup) -> None:
        """Hold the slot of a copy until it ends, or until its deadline."""
        outcome = await self._observe(state, backup)
        if state.is_existing and isinstance(outcome, CopyFailed):
            self._existing.forget(state.request.source_backup_id, backup.backup_id)
            other = best_copy(self._unclaimed(state))
            if other is not None:
                self._follow_existing(state, other)
                return
        self._end(state, outcome)

    async def _observe(self, state: RequestState, backup: Backup) -> CopyOutcome:
        """Return how a copy ends; only a lifecycle that was seen ends it, absence does not."""
        backup_id = backup.backup_id
        request, deadline = state.request, self._clock.now() + self._max_wait
        while True:
            try:
                return await self._wait(state, backup_id, deadline)
            except (BackupNotFound, WaitTimeout) as error:
                if queue.saw_it_in_progress(error):
                    return CopyTimedOut(request=request, error=error, backup=state.copy.backup)
                unseen = error
            except FsxCopyError as error:
                return queue.not_observed(state, error)
            listed = await self._listed(backup_id)
            if listed is not None:
                self._see(state, listed)
                if listed.lifecycle.is_terminal:
                    return queue.outcome_of(state, listed, self._region)
            if deadline - self._clock.now() < NOTHING:
                if listed is not None:
                    return CopyTimedOut(request=request, error=unseen, backup=listed)
                seen = state.copy.backup
                last = f"; it was last seen {seen.lifecycle}" if seen else ""
                text = f"{backup_id} is unknown after {self._max_wait:.0f} s{last}"
                return queue.not_observed(state, self._not_found(text))

    async def _wait(
        self, state: RequestState, backup_id: str, deadline: float
    ) -> Copied | CopyFailed:
        """Poll a copy by its ID until it ends, and show each observation to the caller."""
        grace = max(self._schedule.not_found_grace, queue.NOT_FOUND_FOR)
        observations = self._client.watch_backup(
            backup_id,
            max_wait=max(0.0, deadline - self._clock.now()),
            schedule=attrs.evolve(self._schedule, not_found_grace=grace),
            last_seen=state.copy.backup if state.is_fresh else None,
        )
        state.is_fresh = False
        try:
            async with aclosing(observations):
                async for seen in observations:
                    self._see(state, seen)
        except BackupCopyFailed as error:
            return CopyFailed(request=state.request, error=error, backup=error.last_backup)
        return queue.outcome_of(state, seen, self._region)

    async def _listed(self, backup_id: str) -> Backup | None:
        """Return a copy that DescribeBackups does not know by its ID, if a listing shows it."""
        try:
            await self._existing.refresh(queue.SHARED_FOR)
        except FsxCopyError as error:
            extra = {"backup_id": backup_id, "region": self._region}
            _log.warning("%s: cannot be searched for: %s", backup_id, error, extra=extra)
            return None
        return self._existing.last_listed(backup_id)

    def _see(self, state: RequestState, backup: Backup) -> None:
        """Note what a copy is like now, and show it to the caller."""
        volume_id = ontap_volume_id(backup)
        if volume_id is not None and state.group.volume_id is None:
            group = self._group(volume_id, state.request.kms_key_id)
            # Otherwise the copy stays where its request was, so that these stay within a limit.
            if group.held < group.slots:
                state.group.held -= 1
                state.group.wake()
                state.group = group
                group.held += 1
        state.copy = attrs.evolve(state.copy, backup=backup)
        self._followed_by[backup.backup_id] = state
        if self._on_seen is not None:
            self._on_seen(state.copy)

    # Ending.

    def _not_found(self, text: str) -> BackupNotFound:
        return BackupNotFound(text, operation="DescribeBackups", region=self._region)

    def _end(self, state: RequestState, outcome: CopyOutcome) -> None:
        """End a request that holds a slot, which a copy in progress keeps."""
        if not isinstance(outcome, CopyStarted):
            state.group.held -= 1
            # A request that does not name its volume waits where none does.
            for group in {state.group, self._group_of(state.request)}:
                group.note_end()
        self._add_outcome(state, outcome)

    def _add_outcome(self, state: RequestState, outcome: CopyOutcome) -> None:
        state.stage = "ended"
        self._add(outcome)
        if len(self._outcomes) == len(self._states):
            self._finish()

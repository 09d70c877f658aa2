"""
Carry out many copies: find those that exist, start the others, follow all to their end.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from types import TracebackType

import anyio
import attrs

from fsxcopy_sdk._validation import ArgumentErrors, Duration, check_type, seconds
from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._existing import ExistingCopies, age_order, best_of
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopySkipped,
    CopyTimedOut,
    OutcomeStream,
)
from fsxcopy_sdk.bulk._queue import DEFAULT_MAX_IN_PROGRESS, CopyAttempt, CopyTracker, QuotaGroup
from fsxcopy_sdk.bulk._requests import CopyRequest, checked
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import BackupCopyFailed, BackupNotFound, FsxCopyError, WaitTimeout
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, NOTHING, WaitSchedule

_log = logging.getLogger("fsxcopy_sdk.bulk")


@attrs.frozen(kw_only=True)
class Settings:
    """
    How the copies are carried out, checked.
    """

    max_in_progress: int
    max_wait: float
    """Seconds."""
    schedule: WaitSchedule
    on_seen: Callable[[CopyInProgress], None] | None


def copy_many(
    client: FsxCopyClient,
    requests: Iterable[CopyRequest],
    *,
    adopt: Iterable[CopyInProgress] = (),
    max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
    max_wait: Duration = DEFAULT_MAX_WAIT,
    schedule: WaitSchedule = DEFAULT_SCHEDULE,
    on_seen: Callable[[CopyInProgress], None] | None = None,
) -> BulkCopy:
    """
    Copy many backups into the Region of *client*, as many at a time as the service allows.

    Use it as ``async with copy_many(...) as copies``, and within that as
    ``async for outcome in copies``: outcomes come as copies end, and a failure stops
    nothing but its own copy. Leaving the block, by an exception or a cancellation too,
    starts nothing more; `in_progress` and `not_started` then say what is left.

    First the destination is listed, once. A request whose source has an AVAILABLE copy
    there is `Copied` without another one, a copy in progress is followed, and only the
    others are started, in the order of *requests*. To force another copy of the same
    backup, give `CopyRequest.idempotency_salt`. If the listing fails, nothing is started.

    A copy ends only when it is seen AVAILABLE, FAILED or DELETED. One that FAILED in this
    run is not repeated in it; a request whose token leads to a copy that was dead before
    is repeated once, about a minute later.

    Args:
        client: An open client of the destination Region.

        requests: What to copy. Of equal requests one is carried out.

        adopt: Copies that are already in progress, with their `backup`: they are followed
            by its ID, and nothing is requested.

        max_in_progress: Copies in progress at once; of ONTAP volumes, per volume and key.
            Copies that other programs start need not be counted: the service does.

        max_wait: Seconds or a timedelta that each copy is waited for once it has begun,
            and before that, while the service has no capacity for it.

        schedule: The intervals at which each copy is polled.

        on_seen: Called when a copy was accepted or found, and at every poll of it. An
            exception from it ends the block, in an exception group.

    Raises:
        InvalidArguments: arguments break rules; nothing was sent.
        ClientNotOpen: the client is not open.
    """
    errors = ArgumentErrors()
    if not (type(max_in_progress) is int and max_in_progress >= 1):
        errors.add_value("max_in_progress", "an integer, at least 1", max_in_progress)
    observer: object = on_seen
    if not (observer is None or callable(observer)):
        errors.add_value("on_seen", "a function or None", observer)
    adopted = _checked_copies(errors, adopt)
    errors.raise_any()
    check_type("schedule", schedule, WaitSchedule)
    settings = Settings(
        max_in_progress=max_in_progress,
        max_wait=seconds("max_wait", max_wait),
        schedule=schedule,
        on_seen=on_seen,
    )
    return BulkCopy(client, checked(requests, client.region), adopted, settings, random.random)


def _checked_copies(
    errors: ArgumentErrors, given: Iterable[CopyInProgress]
) -> tuple[CopyInProgress, ...]:
    words = "a collection of CopyInProgress, each with its backup"
    copies: object = given
    found: tuple[object, ...] = tuple(copies) if isinstance(copies, Iterable) else (copies,)
    good = tuple(one for one in found if isinstance(one, CopyInProgress) and one.backup)
    if len(good) < len(found):
        errors.add_value("adopt", words, given)
    return good


class BulkCopy(OutcomeStream[CopyOutcome]):
    """
    Many copies, as ``async with`` and, within, ``async for``; see `copy_many`.
    """

    def __init__(
        self,
        client: FsxCopyClient,
        requests: tuple[CopyRequest, ...],
        adopted: tuple[CopyInProgress, ...],
        settings: Settings,
        random: Callable[[], float],
    ) -> None:
        super().__init__()
        self._client = client
        self._region = client.region
        self._clock = client.clock
        self._requests = requests
        self._settings = settings
        self._random = random
        self._tracker = CopyTracker(requests)
        # They come before the requests, with numbers of their own.
        self._adopted = [
            (number, copy, copy.backup)
            for number, copy in enumerate(adopted, -len(adopted))
            if copy.backup is not None
        ]
        for number, copy, _ in self._adopted:
            self._tracker.adopt(number, copy)
        self._existing = ExistingCopies(client, random)
        self._groups: dict[tuple[str | None, str | None], QuotaGroup] = {}
        self._sleeps: dict[QuotaGroup, anyio.CancelScope] = {}

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """
        The copies that the service has accepted, or may have, and that have not ended.

        They continue after the block. The same requests, run again later in any process,
        find the same copies.
        """
        return self._tracker.in_progress

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """
        The requests whose copies were certainly not accepted so far.
        """
        return self._tracker.not_started

    def _begin(self) -> None:
        self._tasks.start_soon(self._run, self._distinct())
        self._finish_if_complete()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """
        Start nothing more, and leave what is in progress to the service.
        """
        try:
            await super().__aexit__(exc_type, exc, traceback)
        finally:
            self._log_what_is_left()

    def _distinct(self) -> list[CopyAttempt]:
        """
        Return what is to be copied; of equal requests the first.
        """
        first: dict[str, int] = {}
        for number, request in enumerate(self._requests):
            earlier = first.setdefault(request.token(self._region), number)
            if earlier != number:
                reason = f"the same as requests[{earlier}]"
                self._end(number, CopySkipped(request=request, reason=reason))
        return [CopyAttempt(number, self._requests[number]) for number in first.values()]

    def _group_of(self, request: CopyRequest) -> QuotaGroup:
        slots = self._settings.max_in_progress
        return self._groups.setdefault(QuotaGroup.key_of(request), QuotaGroup(slots))

    async def _run(self, attempts: Sequence[CopyAttempt]) -> None:
        """
        Follow what is in progress, list the destination, take what exists, start the rest.
        """
        for number, copy, backup in self._adopted:
            attempt = CopyAttempt(number, copy.request)
            self._follow_existing(self._group_of(copy.request), attempt, backup)
        if not attempts:
            return
        listed = await self._existing.list_patiently([attempt.request for attempt in attempts])
        if isinstance(listed, FsxCopyError):
            for attempt in attempts:
                self._end(attempt.number, CopyFailed(request=attempt.request, error=listed))
            return
        for attempt in attempts:
            group = self._group_of(attempt.request)
            matching = [one for one in listed if attempt.request.matches(one, self._region)]
            existing = best_of(matching)
            if existing is None:
                # All that match are dead, and have spent their tokens.
                group.waiting.append(attrs.evolve(attempt, attempt=len(matching)))
            else:
                token = attempt.request.token(self._region)
                self._tracker.sent(attempt, token, self._clock.now())
                self._follow_existing(group, attempt, existing)
        for group in list(self._groups.values()):
            self._tasks.start_soon(self._run_group, group)

    def _follow_existing(self, group: QuotaGroup, attempt: CopyAttempt, backup: Backup) -> None:
        """
        Take a copy that was there before: it holds a slot if it is in progress.
        """
        self._see(attempt, backup)
        if backup.lifecycle.is_available:
            copied = Copied(request=attempt.request, backup=backup, existing=True)
            self._end(attempt.number, copied)
        else:
            group.held += 1
            attempt = attrs.evolve(attempt, is_existing=True)
            self._tasks.start_soon(self._follow, group, attempt, backup)

    async def _run_group(self, group: QuotaGroup) -> None:
        """
        Start what waits in *group*, one after the other, and stay until all has ended.
        """
        while not group.is_done:
            attempt = group.take()
            if attempt is None:
                await self._sleep_until_end(group, None)
            elif attempt.is_token_forgotten(self._clock.now()):
                await self._search(group, attempt)
            else:
                await self._start(group, attempt)

    async def _sleep_until_end(self, group: QuotaGroup, delay: float | None) -> None:
        """
        Return when a copy of *group* has ended, or after *delay* seconds if that is sooner.
        """
        with anyio.CancelScope() as self._sleeps[group]:
            await (anyio.sleep_forever() if delay is None else self._clock.sleep(delay))
        del self._sleeps[group]

    async def _start(self, group: QuotaGroup, attempt: CopyAttempt) -> None:
        """
        Request one copy, and act on the answer.
        """
        ended, token = group.ended, attempt.request.token(self._region, attempt.attempt)
        now = self._clock.now()
        self._tracker.sent(attempt, token, now)
        try:
            response = await self._client.copy_backup(
                **attempt.request.arguments(self._region), client_request_token=token
            )
        except FsxCopyError as error:
            if attempt.unknown_since is None and queue.is_outcome_unknown(error):
                attempt = attrs.evolve(attempt, unknown_since=now)
            if queue.is_at_capacity(error):
                await self._wait_for_capacity(group, attempt, error, ended)
            else:
                await self._retry(group, attempt, error)
        else:
            self._accepted(group, attempt, response.backup)

    async def _wait_for_capacity(
        self, group: QuotaGroup, attempt: CopyAttempt, error: FsxCopyError, ended: int
    ) -> None:
        """
        Sleep until the service may have a slot; *ended* copies had ended when it had none.
        """
        group.answered()
        now = self._clock.now()
        if group.full_since is None:
            self._warn(attempt, "the service has no capacity for it yet", error)
            group.full_since = now
        left = group.full_since + self._settings.max_wait - now
        if left < NOTHING:
            self._give_up(group, attempt, CopyTimedOut(request=attempt.request, error=error))
            return
        self._put_back(group, attempt)
        if group.ended == ended:
            await self._sleep_until_end(group, min(left, queue.capacity_delay(self._random)))

    async def _retry(self, group: QuotaGroup, attempt: CopyAttempt, error: FsxCopyError) -> None:
        """
        Sleep until the same call may get a better answer, if it may at all.
        """
        attempt = attrs.evolve(attempt, tries=attempt.tries + 1)
        if self._is_final(group, attempt, error):
            self._give_up(group, attempt, CopyFailed(request=attempt.request, error=error))
            return
        if attempt.tries == 1:
            self._warn(attempt, "is tried again", error)
        self._put_back(group, attempt)
        await self._clock.sleep(queue.retry_delay(attempt.tries, self._random))

    def _is_final(self, group: QuotaGroup, attempt: CopyAttempt, error: FsxCopyError) -> bool:
        """
        Whether *attempt* gets no other try; an outage is not held against one request.

        The service answered the listing, so it is waited for as long as a copy is.
        """
        if not queue.is_outage(error):
            group.answered()
            return attempt.tries >= queue.MAX_TRIES or not queue.is_retryable(error)
        now = self._clock.now()
        if group.failing_since is None:
            group.failing_since = now
        return now - group.failing_since >= self._settings.max_wait

    def _give_up(
        self, group: QuotaGroup, attempt: CopyAttempt, outcome: CopyFailed | CopyTimedOut
    ) -> None:
        """
        End *attempt* with *outcome*, unless a copy of it may have been accepted.
        """
        if attempt.unknown_since is None:
            group.release()
            self._end(attempt.number, outcome)
        else:
            self._tasks.start_soon(self._search_on, group, attempt, outcome.error)

    def _not_observed(self, attempt: CopyAttempt, error: FsxCopyError) -> CopyNotObserved:
        copy = self._tracker.copy_of(attempt)
        return CopyNotObserved(
            request=copy.request,
            client_request_token=copy.client_request_token,
            error=error,
            backup=copy.backup,
        )

    def _warn(self, attempt: CopyAttempt, what: str, error: FsxCopyError) -> None:
        """
        Say why nothing seems to happen for a while.
        """
        source = attempt.request.source_backup_id
        extra = {"source_backup_id": source}
        _log.warning("the copy of %s: %s: %s", source, what, error, extra=extra)

    def _put_back(self, group: QuotaGroup, attempt: CopyAttempt) -> None:
        if attempt.unknown_since is None:
            self._tracker.refused(attempt)
        group.put_back(attempt)

    async def _search(self, group: QuotaGroup, attempt: CopyAttempt) -> None:
        """
        Search the destination for a copy that may have been accepted.

        Its token may be forgotten by now, so that the same request could make another.
        """
        try:
            found = await self._find(attempt)
        except FsxCopyError as error:
            await self._retry(group, attempt, error)
            return
        group.answered()
        if found is not None:
            self._accepted(group, attempt, found)
            return
        source = attempt.request.source_backup_id
        reason = BackupNotFound(
            f"the destination shows no copy of {source}, which may have been accepted",
            operation="DescribeBackups",
        )
        self._tasks.start_soon(self._search_on, group, attempt, reason)

    async def _search_on(
        self, group: QuotaGroup, attempt: CopyAttempt, reason: FsxCopyError
    ) -> None:
        """
        Search about once a minute, for as long as a new copy may be missing from listings.

        *reason* is why the copy was not observed, if it is not found until then.
        """
        now = self._clock.now()
        deadline = (attempt.unknown_since or now) + self._settings.max_wait
        until = min(now + queue.UNSEEN_FOR, deadline)
        while (left := until - self._clock.now()) >= NOTHING:
            await self._clock.sleep(min(left, queue.capacity_delay(self._random)))
            try:
                found = await self._find(attempt)
            except FsxCopyError as error:
                if not queue.is_retryable(error):
                    reason = error
                    break
            else:
                if found is not None:
                    self._accepted(group, attempt, found)
                    self._wake(group)
                    return
        group.release()
        self._end(attempt.number, self._not_observed(attempt, reason))
        self._wake(group)

    async def _find(self, attempt: CopyAttempt) -> Backup | None:
        """
        Return the copy of *attempt* that the destination lists; a dead one if no other.
        """
        request, others = attempt.request, self._tracker.other_ids(attempt)
        matching = [
            one
            for one in await self._existing.list_copies([request])
            if request.matches(one, self._region) and one.backup_id not in others
        ]
        # Those that were dead when the run began are not its own.
        newest_first = sorted(matching, key=age_order, reverse=True)
        own = newest_first[: max(0, len(matching) - attempt.attempt)]
        return best_of(matching) or next(iter(own), None)

    def _accepted(self, group: QuotaGroup, attempt: CopyAttempt, backup: Backup) -> None:
        """
        Follow the copy that the service has started, or had started before for this token.
        """
        group.answered()
        group.full_since = None
        if backup.lifecycle.is_dead and attempt.may_be_repeated:
            self._tracker.refused(attempt)
            self._tasks.start_soon(self._repeat, group, attempt, backup)
            return
        self._see(attempt, backup)
        if not backup.lifecycle.is_terminal:
            self._tasks.start_soon(self._follow, group, attempt, backup)
            return
        group.release()
        self._end(attempt.number, _outcome_of(attempt.request, backup))

    async def _repeat(self, group: QuotaGroup, attempt: CopyAttempt, dead: Backup) -> None:
        """
        Let another attempt follow a token that led to a dead copy, after a delay.
        """
        _log.info("%s: is %s, its request is repeated", dead.backup_id, dead.lifecycle)
        await self._clock.sleep(queue.capacity_delay(self._random))
        group.put_back(attempt.next_attempt())
        self._wake(group)

    async def _follow(self, group: QuotaGroup, attempt: CopyAttempt, backup: Backup) -> None:
        """
        Hold the slot of a copy until it ends, or until its deadline.
        """
        outcome = await self._watch(attempt, backup.backup_id)
        if attempt.is_existing and isinstance(outcome, Copied):
            outcome = attrs.evolve(outcome, existing=True)
        group.release()
        self._end(attempt.number, outcome)
        self._wake(group)

    def _wake(self, group: QuotaGroup) -> None:
        if group in self._sleeps:
            self._sleeps[group].cancel()

    async def _watch(self, attempt: CopyAttempt, backup_id: str) -> CopyOutcome:
        """
        Return how a copy ends; only a lifecycle that was seen ends it, absence does not.
        """
        request = attempt.request
        deadline = self._clock.now() + self._settings.max_wait
        while True:
            outcome = await self._wait(attempt, backup_id, deadline)
            if not isinstance(outcome, FsxCopyError):
                return outcome
            listed = await self._existing.find_by_id(request, backup_id)
            if listed is not None:
                self._see(attempt, listed)
                if listed.lifecycle.is_terminal:
                    return _outcome_of(request, listed)
            if deadline - self._clock.now() < NOTHING:
                if listed is not None:
                    return CopyTimedOut(request=request, error=outcome, backup=listed)
                return self._not_observed(attempt, outcome)

    async def _wait(
        self, attempt: CopyAttempt, backup_id: str, deadline: float
    ) -> CopyOutcome | BackupNotFound | WaitTimeout:
        """
        Wait by the ID of a copy; return the error if DescribeBackups does not know it.
        """
        request, settings = attempt.request, self._settings
        grace = max(settings.schedule.not_found_grace, queue.NOT_FOUND_FOR)
        observations = self._client.watch_backup(
            backup_id,
            max_wait=max(0.0, deadline - self._clock.now()),
            schedule=attrs.evolve(settings.schedule, not_found_grace=grace),
        )
        try:
            async with aclosing(observations):
                async for seen in observations:
                    self._see(attempt, seen)
            return Copied(request=request, backup=seen)
        except BackupCopyFailed as error:
            return CopyFailed(request=request, error=error, backup=error.last_backup)
        except (BackupNotFound, WaitTimeout) as error:
            if _saw_it_in_progress(error):
                backup = self._tracker.copy_of(attempt).backup
                return CopyTimedOut(request=request, error=error, backup=backup)
            return error
        except FsxCopyError as error:
            return self._not_observed(attempt, error)

    def _see(self, attempt: CopyAttempt, backup: Backup) -> None:
        seen = self._tracker.seen(attempt, backup)
        if self._settings.on_seen is not None:
            self._settings.on_seen(seen)

    def _end(self, number: int, outcome: CopyOutcome) -> None:
        self._tracker.ended(number)
        self._add(outcome)
        self._finish_if_complete()

    def _finish_if_complete(self) -> None:
        if self._tracker.is_complete:
            self._finish()

    def _log_what_is_left(self) -> None:
        for copy in self.in_progress:
            source, token = copy.request.source_backup_id, copy.client_request_token
            extra = {"source_backup_id": source, "client_request_token": token}
            if copy.backup is None:
                text = "a copy of %s may have been accepted, with the token %s"
                _log.warning(text, source, token, extra=extra)
            else:
                backup_id = copy.backup.backup_id
                text = "%s: the copy of %s continues unobserved"
                _log.info(text, backup_id, source, extra={**extra, "backup_id": backup_id})


def _outcome_of(request: CopyRequest, backup: Backup) -> Copied | CopyFailed:
    """
    Return the outcome of a copy that has ended.
    """
    if backup.lifecycle.is_available:
        return Copied(request=request, backup=backup)
    error = BackupCopyFailed.of(backup, polls=1, elapsed=0.0)
    return CopyFailed(request=request, error=error, backup=backup)


def _saw_it_in_progress(error: BackupNotFound | WaitTimeout) -> bool:
    """
    Whether the wait that ended with *error* saw the copy until its deadline.
    """
    return (
        isinstance(error, WaitTimeout)
        and error.last_backup is not None
        and not isinstance(error.__cause__, BackupNotFound)
    )

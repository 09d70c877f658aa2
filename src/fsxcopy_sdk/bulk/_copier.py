"""Carry out many copies: find those that exist, start the others, follow all to their end."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from inspect import iscoroutinefunction

import anyio
import attrs

from fsxcopy_sdk._validation import ArgumentErrors, Duration, check_type, seconds
from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._existing import ExistingCopies, best_of
from fsxcopy_sdk.bulk._following import Follower, Settings, outcome_of
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyOutcome,
    CopySkipped,
    CopyTimedOut,
    OutcomeStream,
)
from fsxcopy_sdk.bulk._queue import DEFAULT_MAX_IN_PROGRESS, CopyAttempt, CopyTracker, QuotaGroup
from fsxcopy_sdk.bulk._requests import CopyRequest, checked
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import (
    BackupNotFound,
    FsxCopyError,
    RequestTimeout,
)
from fsxcopy_sdk.models import Backup, CopyBackupResponse
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, NOTHING, WaitSchedule

_log = logging.getLogger("fsxcopy_sdk.bulk")


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

    First the destination is listed. A request whose source has an AVAILABLE copy there
    is `Copied` without another one, a copy in progress is followed, and only the others
    are started, in the order of *requests*; the listing is repeated if it is older than
    two minutes by then, because other programs copy too. If it fails, nothing is started.
    To force another copy of the same backup, give `CopyRequest.idempotency_salt`.

    A copy ends only when it is seen AVAILABLE, FAILED or DELETED. One that FAILED in this
    run is not repeated in it; a request whose token leads to a copy that was dead before
    is repeated once, about a minute later.

    Args:
        client: An open client of the destination Region.

        requests: What to copy. Of requests for the same backup and salt the first counts.

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
    check_type("client", client, FsxCopyClient)
    errors = ArgumentErrors()
    if not (type(max_in_progress) is int and max_in_progress >= 1):
        errors.add_value("max_in_progress", "an integer, at least 1", max_in_progress)
    observer: object = on_seen
    if not (observer is None or callable(observer)) or iscoroutinefunction(observer):
        errors.add_value("on_seen", "a function that is not async, or None", observer)
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
    good = tuple(
        one
        for one in found
        if isinstance(one, CopyInProgress)
        and isinstance(one.backup, Backup)
        and isinstance(one.request, CopyRequest)
    )
    if len(good) < len(found):
        errors.add_value("adopt", words, given)
    return good


class BulkCopy(OutcomeStream[CopyOutcome]):
    """Many copies, as ``async with`` and, within, ``async for``; see `copy_many`."""

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
        known = [backup for _, _, backup in self._adopted]
        self._existing = ExistingCopies(client, known, random)
        self._follower = Follower(client, settings, self._tracker, self._existing)
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
        """The requests whose copies were certainly not accepted so far."""
        return self._tracker.not_started

    def _begin(self) -> None:
        self._tasks.start_soon(self._run, self._distinct())
        self._finish_if_complete()

    async def __aexit__(self, *_: object) -> None:
        """Start nothing more, and leave what is in progress to the service."""
        try:
            await super().__aexit__()
        finally:
            self._log_what_is_left()

    def _distinct(self) -> list[CopyAttempt]:
        """Return what is to be copied; of requests that one copy satisfies the first."""
        first: dict[tuple[str, str, str], int] = {}
        for number, request in enumerate(self._requests):
            earlier = first.setdefault(request.identity(self._region), number)
            if earlier != number:
                reason = f"the same backup as requests[{earlier}]"
                self._end(number, CopySkipped(request=request, reason=reason))
        return [CopyAttempt(number, self._requests[number]) for number in first.values()]

    def _group_of(self, request: CopyRequest) -> QuotaGroup:
        slots = self._settings.max_in_progress
        return self._groups.setdefault(QuotaGroup.key_of(request), QuotaGroup(slots))

    async def _run(self, attempts: Sequence[CopyAttempt]) -> None:
        """Follow what is in progress, list the destination, take what exists, start the rest."""
        for number, copy, backup in self._adopted:
            group = self._group_of(copy.request)
            group.held += 1
            self._follow_existing(group, CopyAttempt(number, copy.request), backup)
        if not attempts:
            return
        error = await self._existing.refresh_patiently()
        if error is None and not all(map(self._existing_copy, attempts)):
            # A single listing may be empty or cut short, and what it lacks would be copied.
            error = await self._existing.refresh_patiently()
        if error is not None:
            for attempt in attempts:
                self._end(attempt.number, CopyFailed(request=attempt.request, error=error))
            return
        for attempt in attempts:
            group = self._group_of(attempt.request)
            existing = self._existing_copy(attempt)
            if existing is None:
                group.waiting.append(attempt)
            else:
                group.held += 1
                self._follow_existing(group, attempt, existing)
        for group in list(self._groups.values()):
            self._tasks.start_soon(self._run_group, group)

    def _existing_copy(self, attempt: CopyAttempt) -> Backup | None:
        return best_of(self._existing.matching(attempt.request))

    def _follow_existing(self, group: QuotaGroup, attempt: CopyAttempt, backup: Backup) -> None:
        """Take a copy that was there before; the slot that it holds is free if it is AVAILABLE."""
        self._tracker.found(attempt, attempt.request.token(self._region), self._clock.now())
        self._follower.see(attempt, backup)
        attempt = attrs.evolve(attempt, is_existing=True)
        if backup.lifecycle.is_available:
            group.release()
            copied = Copied(request=attempt.request, backup=backup, existing=True)
            self._end(attempt.number, copied)
        else:
            self._tasks.start_soon(self._follow, group, attempt, backup)

    async def _run_group(self, group: QuotaGroup) -> None:
        """Start what waits in *group*, one after the other, and stay until all has ended."""
        while not group.is_done:
            attempt = group.take()
            if attempt is None:
                await self._sleep_until_end(group, None)
            elif attempt.is_token_forgotten(self._clock.now()):
                await self._search(group, attempt)
            elif attempt.unknown_since is not None or await self._is_still_missing(group, attempt):
                await self._start(group, attempt)

    async def _is_still_missing(self, group: QuotaGroup, attempt: CopyAttempt) -> bool:
        """
        Check that no other program has started the copy since the last listing.

        Within minutes the token would find such a copy, after that only a listing does.
        """
        try:
            await self._existing.refresh(queue.TOKEN_LIFETIME)
        except FsxCopyError as error:
            await self._retry(group, attempt, error, is_outage=error.is_transient)
            return False
        existing = self._existing_copy(attempt)
        if existing is not None:
            self._follow_existing(group, attempt, existing)
        return existing is None

    async def _sleep_until_end(self, group: QuotaGroup, delay: float | None) -> None:
        """Return when a copy of *group* has ended, or after *delay* seconds if that is sooner."""
        with anyio.CancelScope() as self._sleeps[group]:
            await (anyio.sleep_forever() if delay is None else self._clock.sleep(delay))
        del self._sleeps[group]

    async def _start(self, group: QuotaGroup, attempt: CopyAttempt) -> None:
        """Request one copy, and act on the answer."""
        ended, token = group.ended, attempt.request.token(self._region, attempt.attempt)
        now = self._clock.now()
        self._tracker.sent(attempt, token, now)
        try:
            response = await self._request(attempt, token)
        except FsxCopyError as error:
            if attempt.unknown_since is None and queue.is_outcome_unknown(error):
                attempt = attrs.evolve(attempt, unknown_since=now)
            if queue.is_at_capacity(error):
                await self._wait_for_capacity(group, attempt, error, ended)
            else:
                await self._retry(group, attempt, error, is_outage=queue.is_outage(error))
        else:
            self._accepted(group, attempt, response.backup)

    async def _request(self, attempt: CopyAttempt, token: str) -> CopyBackupResponse:
        """
        Call CopyBackup, and end the call while its token can still be relied on.

        Retries inside the call send the same token, for longer than the service may
        remember it. They take real time, whatever clock the client has.

        Raises:
            RequestTimeout: there was no answer in time.
            FsxCopyError: as in `FsxCopyClient.copy_backup`.
        """
        with anyio.move_on_after(queue.TOKEN_LIFETIME):
            return await self._client.copy_backup(
                **attempt.request.arguments(self._region), client_request_token=token
            )
        raise RequestTimeout(
            f"no answer within {queue.TOKEN_LIFETIME:.0f} s",
            operation="CopyBackup",
            client_request_token=token,
        )

    async def _wait_for_capacity(
        self, group: QuotaGroup, attempt: CopyAttempt, error: FsxCopyError, ended: int
    ) -> None:
        """Sleep until the service may have a slot; *ended* copies had ended when it had none."""
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

    async def _retry(
        self, group: QuotaGroup, attempt: CopyAttempt, error: FsxCopyError, *, is_outage: bool
    ) -> None:
        """
        Sleep until the same call may get a better answer, if it may at all.

        An outage is not held against one request: the service answered before, so it is
        waited for as long as a copy is.
        """
        attempt = attrs.evolve(attempt, tries=attempt.tries + 1)
        now = self._clock.now()
        if not is_outage:
            group.answered()
            is_final = attempt.tries >= queue.MAX_TRIES or not queue.is_retryable(error)
        else:
            group.failing_since = now if group.failing_since is None else group.failing_since
            is_final = now - group.failing_since >= self._settings.max_wait
        if is_final:
            self._give_up(group, attempt, CopyFailed(request=attempt.request, error=error))
            return
        if attempt.tries == 1:
            self._warn(attempt, "is tried again", error)
        self._put_back(group, attempt)
        await self._clock.sleep(queue.retry_delay(attempt.tries, self._random))

    def _give_up(
        self, group: QuotaGroup, attempt: CopyAttempt, outcome: CopyFailed | CopyTimedOut
    ) -> None:
        """End *attempt* with *outcome*, unless a copy of it may have been accepted."""
        if attempt.unknown_since is None:
            group.release()
            self._end(attempt.number, outcome)
        else:
            self._tasks.start_soon(self._search_on, group, attempt, outcome.error)

    def _warn(self, attempt: CopyAttempt, what: str, error: FsxCopyError) -> None:
        """Say why nothing seems to happen for a while."""
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
            await self._retry(group, attempt, error, is_outage=error.is_transient)
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
        self._end(attempt.number, self._follower.not_observed(attempt, reason))
        self._wake(group)

    async def _find(self, attempt: CopyAttempt) -> Backup | None:
        """
        Return the copy of *attempt* that the destination lists, if it may become AVAILABLE.

        A dead one may be another program's, or of an earlier run.
        """
        await self._existing.refresh(queue.SHARED_FOR)
        request, others = attempt.request, self._tracker.other_ids(attempt)
        return best_of(
            one
            for one in self._existing.matching(request)
            if one.backup_id not in others and request.has_its_salt(one)
        )

    def _accepted(self, group: QuotaGroup, attempt: CopyAttempt, backup: Backup) -> None:
        """Follow the copy that the service has started, or had started before for this token."""
        group.answered()
        group.full_since = None
        if backup.lifecycle.is_dead and attempt.may_be_repeated:
            self._tracker.refused(attempt)
            self._tasks.start_soon(self._repeat, group, attempt, backup)
            return
        self._follower.see(attempt, backup)
        if not backup.lifecycle.is_terminal:
            self._tasks.start_soon(self._follow, group, attempt, backup)
            return
        group.release()
        self._end(attempt.number, outcome_of(attempt.request, backup))

    async def _repeat(self, group: QuotaGroup, attempt: CopyAttempt, dead: Backup) -> None:
        """Let another attempt follow a token that led to a dead copy, after a delay."""
        _log.info("%s: is %s, its request is repeated", dead.backup_id, dead.lifecycle)
        await self._clock.sleep(queue.capacity_delay(self._random))
        group.put_back(attempt.next_attempt())
        self._wake(group)

    async def _follow(self, group: QuotaGroup, attempt: CopyAttempt, backup: Backup) -> None:
        """Hold the slot of a copy until it ends, or until its deadline."""
        outcome = await self._follower.follow(attempt, backup.backup_id)
        if attempt.is_existing and isinstance(outcome, Copied):
            outcome = attrs.evolve(outcome, existing=True)
        other = None
        if attempt.is_existing and isinstance(outcome, CopyFailed):
            ids = {backup.backup_id, *self._tracker.other_ids(attempt)}
            matching = self._existing.matching(attempt.request)
            other = best_of(one for one in matching if one.backup_id not in ids)
        if other is None:
            group.release()
            self._end(attempt.number, outcome)
        else:  # the destination has another copy of the same backup
            self._existing.forget(backup.backup_id)
            self._follow_existing(group, attempt, other)
        self._wake(group)

    def _wake(self, group: QuotaGroup) -> None:
        if group in self._sleeps:
            self._sleeps[group].cancel()

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

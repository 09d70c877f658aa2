"""
Carry out many copies: start them as slots are free, follow them, say what became of each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import aclosing
from types import TracebackType

import anyio
import attrs

from fsxcopy_sdk._schedule import NOTHING, WaitSchedule
from fsxcopy_sdk.bulk import _patience as patience
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyOutcome,
    CopySkipped,
    CopyTimedOut,
)
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.bulk._slots import Lane, Ledger, Start, lanes
from fsxcopy_sdk.bulk._stream import OutcomeStream
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import BackupNotFound, FsxCopyError, WaitTimeout
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import Verdict, judge

_log = logging.getLogger("fsxcopy_sdk.bulk")


@attrs.frozen(kw_only=True)
class Settings:
    """
    How the copies are to be carried out, checked.
    """

    max_in_progress: int
    max_wait: float
    """Seconds."""
    schedule: WaitSchedule
    on_seen: Callable[[CopyInProgress], None] | None


class BulkCopy(OutcomeStream[CopyOutcome]):
    """
    Copies on their way, as ``async with`` and, within, ``async for``; see `copy_many`.
    """

    def __init__(
        self,
        client: FsxCopyClient,
        requests: tuple[CopyRequest, ...],
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
        self._ledger = Ledger(requests)
        self._lanes: list[Lane] = []
        self._naps: dict[Lane, anyio.CancelScope] = {}

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """
        The copies that the service has accepted, or may have, and that are not over.

        After the block these are left alone, and go on. The same requests, copied
        again here or in another process, find the same copies.
        """
        return self._ledger.in_progress

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """
        The requests of which surely no copy was accepted so far.
        """
        return self._ledger.not_started

    def another_ended(self) -> None:
        """
        Note that a copy into this Region is over which is none of these: there may be room.
        """
        for lane in self._lanes:
            lane.ended += 1
            self._wake(lane)

    def _begin(self) -> None:
        self._lanes = lanes(self._unlike(), self._settings.max_in_progress)
        for lane in self._lanes:
            self._tasks.start_soon(self._run, lane)
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
            self._tell_what_is_left()

    def _unlike(self) -> list[Start]:
        """
        Return what is to be started; of the same requests the first.
        """
        first: dict[str, int] = {}
        for number, request in enumerate(self._requests):
            earlier = first.setdefault(request.token(self._region), number)
            if earlier != number:
                reason = f"the same as requests[{earlier}]"
                self._end(number, CopySkipped(request=request, reason=reason))
        return [Start(number, self._requests[number]) for number in first.values()]

    async def _run(self, lane: Lane) -> None:
        """
        Start what is in *lane*, one after the other, and stay until all of it is over.
        """
        while not lane.is_done:
            start = lane.take()
            if start is None:
                await self._rest(lane, None)
            else:
                await self._start(lane, start)

    async def _rest(self, lane: Lane, delay: float | None) -> None:
        """
        Return when a copy of *lane* is over, or after *delay* seconds if that is sooner.
        """
        with anyio.CancelScope() as self._naps[lane]:
            await (anyio.sleep_forever() if delay is None else self._clock.sleep(delay))
        del self._naps[lane]

    async def _start(self, lane: Lane, start: Start) -> None:
        """
        Ask for one copy, and see to what comes of it.
        """
        ended, token = lane.ended, start.request.token(self._region, start.attempt)
        self._ledger.sent(start, token, self._clock.now())
        try:
            response = await self._client.copy_backup(
                **start.request.arguments(self._region), client_request_token=token
            )
        except FsxCopyError as error:
            if patience.holds(error):
                await self._hold(lane, start, error, ended)
            else:
                await self._try_again(lane, start, error)
        else:
            self._accepted(lane, start, response.backup)

    async def _hold(self, lane: Lane, start: Start, error: FsxCopyError, ended: int) -> None:
        """
        Wait until the service may have a slot; *ended* copies were over when it had none.
        """
        lane.answered()
        now = self._clock.now()
        if lane.full_since is None:
            self._say(start, "the service has no room for it yet", error)
            lane.full_since = now
        left = lane.full_since + self._settings.max_wait - now
        if left < NOTHING:
            lane.release()
            self._end(start.number, CopyTimedOut(request=start.request, error=error))
            return
        self._put_back(lane, start, error)
        if lane.ended == ended:
            await self._rest(lane, min(left, patience.hold_delay(self._random)))

    async def _try_again(self, lane: Lane, start: Start, error: FsxCopyError) -> None:
        """
        Sleep until the same request may get a better answer, if it may at all.
        """
        start = attrs.evolve(start, tries=start.tries + 1)
        if self._gives_up(lane, start, error):
            lane.release()
            self._end(start.number, CopyFailed(request=start.request, error=error))
            return
        if start.tries == 1:
            self._say(start, "is tried again", error)
        self._put_back(lane, start, error)
        await self._clock.sleep(patience.retry_delay(start.tries, self._random))

    def _gives_up(self, lane: Lane, start: Start, error: FsxCopyError) -> bool:
        """
        Whether *start* is not worth another try; an outage is nobody's in particular.

        A service that answered before is waited for as long as a copy is; one that never
        did may not be there at all, and gets some tries, then one from each.
        """
        if not patience.is_outage(error):
            lane.answered()
            return start.tries >= patience.MOST_TRIES or not patience.may_pass(error)
        now = self._clock.now()
        if lane.failing_since is None:
            lane.failing_since = now
        lane.failures += 1
        if lane.has_answered:
            return now - lane.failing_since >= self._settings.max_wait
        return lane.failures >= patience.MOST_TRIES

    def _say(self, start: Start, what: str, error: FsxCopyError) -> None:
        """
        Say why nothing seems to happen for a while.
        """
        source = start.request.source_backup_id
        extra = {"source_backup_id": source}
        _log.warning("the copy of %s: %s: %s", source, what, error, extra=extra)

    def _put_back(self, lane: Lane, start: Start, error: FsxCopyError) -> None:
        in_doubt = start.in_doubt or patience.is_in_doubt(error)
        if not in_doubt:
            self._ledger.refused(start)
        lane.put_back(attrs.evolve(start, in_doubt=in_doubt))

    def _accepted(self, lane: Lane, start: Start, backup: Backup) -> None:
        """
        Follow the copy that the service has begun, or had begun before for this token.
        """
        lane.answered()
        lane.full_since = None
        verdict = judge(backup.lifecycle)
        if verdict is Verdict.FAILURE and start.can_climb:
            self._climb(lane, start, backup.backup_id)
            return
        self._see(start, backup)
        if verdict is Verdict.SUCCESS:
            lane.release()
            self._end(start.number, Copied(request=start.request, backup=backup))
        else:
            self._tasks.start_soon(self._follow, lane, start, backup)

    async def _follow(self, lane: Lane, start: Start, backup: Backup) -> None:
        """
        Hold the slot of a copy until it is over, or is not to be waited for any longer.
        """
        outcome = await self._watch(start, backup)
        if outcome is None:
            self._climb(lane, start, backup.backup_id)
        else:
            lane.release()
            self._end(start.number, outcome)
        self._wake(lane)

    def _wake(self, lane: Lane) -> None:
        if lane in self._naps:
            self._naps[lane].cancel()

    async def _watch(self, start: Start, accepted: Backup) -> CopyOutcome | None:
        """
        Return what becomes of a copy; None where it was gone before it was seen.
        """
        request, seen = start.request, None
        observations = self._client.watch_backup(
            accepted.backup_id,
            max_wait=self._settings.max_wait,
            schedule=self._settings.schedule,
        )
        try:
            async with aclosing(observations):
                async for seen in observations:
                    self._see(start, seen)
        except WaitTimeout as error:
            return CopyTimedOut(request=request, error=error, backup=seen or accepted)
        except FsxCopyError as error:
            if isinstance(error, BackupNotFound) and seen is None and start.can_climb:
                return None
            return CopyFailed(request=request, error=error, backup=seen or accepted)
        return Copied(request=request, backup=seen or accepted)

    def _climb(self, lane: Lane, start: Start, backup_id: str) -> None:
        """
        Let another attempt be the next; every process takes the same steps.
        """
        _log.info("%s: is dead, its request gets another token", backup_id)
        self._ledger.refused(start)
        lane.put_back(start.climb())

    def _see(self, start: Start, backup: Backup) -> None:
        seen = self._ledger.seen(start, backup)
        if self._settings.on_seen is not None:
            self._settings.on_seen(seen)

    def _end(self, number: int, outcome: CopyOutcome) -> None:
        self._ledger.ended(number)
        self._add(outcome)
        self._finish_if_complete()

    def _finish_if_complete(self) -> None:
        if self._ledger.is_complete:
            self._finish()

    def _tell_what_is_left(self) -> None:
        for copy in self.in_progress:
            source, token = copy.request.source_backup_id, copy.client_request_token
            extra = {"source_backup_id": source, "client_request_token": token}
            if copy.backup is None:
                text = "a copy of %s may have been accepted, with the token %s"
                _log.warning(text, source, token, extra=extra)
            else:
                backup_id = copy.backup.backup_id
                text = "%s: the copy of %s goes on unwatched"
                _log.info(text, backup_id, source, extra={**extra, "backup_id": backup_id})

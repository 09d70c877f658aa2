"""Begin many copies without waiting for any: what `copy_many` does with `wait=False`."""

from __future__ import annotations

import random
from typing import ClassVar

import attrs

from fsxcopy_sdk.bulk import _queue as queue
from fsxcopy_sdk.bulk._copier import BulkCopy
from fsxcopy_sdk.bulk._outcomes import CopyDeferred, CopyOutcome, CopyStarted
from fsxcopy_sdk.bulk._queue import QuotaGroup, RequestState
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import BackupCopyFailed, FsxCopyError
from fsxcopy_sdk.models import Backup


class BulkStart(BulkCopy):
    """Copies that are started while there is capacity, and then left to the service."""

    _max_tries: ClassVar[int] = queue.FEW_TRIES

    async def _run(self) -> None:
        """List the destination, take what exists, start what there is capacity for."""
        if not self._states:
            self._finish()
            return
        states = self._distinct()
        try:
            await self._find_existing(states)
        except FsxCopyError as error:
            for state, _ in self._adopted:
                self._add_outcome(state, queue.not_observed(state, error))
            self._defer(states, error)
            return
        for state, backup in self._adopted:
            state.group.held += 1
            listed = self._existing.last_listed(backup.backup_id)
            if listed is not None:
                self._follow_existing(state, listed)
            else:
                # One that is gone would be in progress in every run.
                self._see(state, backup)
                absent = self._not_found(f"the destination does not list {backup.backup_id}")
                self._end(state, queue.not_observed(state, absent))
        self._begin(states)

    async def _start_in_order(self, group: QuotaGroup) -> None:
        """Start what waits in *group* until there is no slot, and defer the rest."""
        # Copies of other programs end unseen, but nothing here waits for that.
        group.held += self._existing.count_in_progress(group.volume_id, self._followed_by)
        left = [*group.waiting]
        while left:
            # After a refusal any may be next, so that runs that follow each other try others.
            number = random.randrange(len(left)) if group.refusals else 0  # noqa: S311 - an order
            state = left.pop(number)
            if failed := self._failed_lately(state):
                self._add_outcome(state, failed)
                continue
            if group.closed is None and group.held >= group.slots:
                used, slots = group.held, group.slots
                reason = f"{used} copies are in progress, and max_in_progress is {slots}"
                group.closed = CopyDeferred(request=state.request, reason=reason)
            if group.closed is None:
                group.held += 1
                await self._start(state)
            else:
                self._add_outcome(state, attrs.evolve(group.closed, request=state.request))

    def _failed_lately(self, state: RequestState) -> CopyDeferred | None:
        """Return the outcome of a request whose copy FAILED recently; None if it may be sent."""
        now = self._client.service_time
        copies = filter(state.request.has_its_salt, self._existing.matching(state.request))
        failed = [one for one in copies if one.lifecycle is BackupLifecycle.FAILED]
        if now is None or not failed:
            return None
        last = max(failed, key=lambda one: one.creation_time)
        again = last.creation_time + queue.repeat_failed_after(len(failed))
        if now >= again:
            return None
        error = BackupCopyFailed.of(last, polls=1, elapsed=0.0, region=self._region)
        reason = f"its copy {last.backup_id} FAILED; no other is started before {again}"
        return CopyDeferred(request=state.request, reason=reason, error=error)

    async def _wait_for_capacity(self, state: RequestState, error: FsxCopyError) -> bool:
        """Leave the request to another run, and the rest of its group if that is refused too."""
        group, reason = state.group, f"the service has no capacity now: {error.message}"
        deferred = CopyDeferred(request=state.request, reason=reason)
        group.pass_over(state)
        if group.must_wait:
            group.closed = deferred
        self._give_up(state, deferred, error)
        return True

    def _is_final(self, state: RequestState, error: FsxCopyError, *, is_outage: bool) -> bool:
        """Whether a call was tried often enough; if so, the rest of its group may not be tried."""
        # An outage affects all requests. Another transient error may be of a single backup, which
        # must not keep the others from being copied in every run. Two in a row close the group,
        # because trying many would take minutes.
        group, failing_since = state.group, state.group.failing_since
        is_final = super()._is_final(state, error, is_outage=False)
        if not error.is_transient:
            return is_final
        if is_final and (is_outage or failing_since is not None):
            reason = "earlier requests failed with transient errors"
            group.closed = CopyDeferred(request=state.request, reason=reason, error=error)
        group.failing_since = self._clock.now() if is_final else failing_since
        return is_final

    def _search_later(self, state: RequestState, reason: FsxCopyError) -> None:
        """Leave it to another run to find a copy that may have been accepted."""
        self._end(state, queue.not_observed(state, reason))

    async def _repeat(self, state: RequestState) -> None:
        """Start another copy, with another token, after a token led to a dead one."""
        # At once: the copy was dead before this run, and so was not started seconds ago.
        state.repeat()
        await self._start(state)

    async def _observe(self, state: RequestState, backup: Backup) -> CopyOutcome:
        """Return the outcome that a copy has now, without another poll."""
        if backup.lifecycle.is_terminal:
            return queue.outcome_of(state, backup, self._region)
        return CopyStarted(
            request=state.request,
            backup=backup,
            client_request_token=state.copy.client_request_token,
            existing=state.is_existing,
        )

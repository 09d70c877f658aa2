"""
Delete what a plan no longer keeps: check one copy, delete it, then check the next.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta

from fsxcopy_sdk._validation import BackupFilter
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupLifecycle, FilterName
from fsxcopy_sdk.errors import (
    BackupNotFound,
    FsxCopyError,
    InvalidArguments,
    ResponseDecodingError,
)
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import Inventory, inventory_of
from fsxcopy_sdk.replication._outcomes import Pruned, PruneFailed, PruneOutcome, PruneSkipped
from fsxcopy_sdk.replication._plan import PlannedPrune, PruneObstacle, ReplicationPlan
from fsxcopy_sdk.replication._planning import decide
from fsxcopy_sdk.replication._retention import count_owned, most_to_prune
from fsxcopy_sdk.replication._values import time_text
from fsxcopy_sdk.waiting import NOTHING

# A copy that is or was just copied cannot be deleted "for a short time" (the service
# names no figure). What is not deleted now is deleted by the next run, so that nothing
# is gained by waiting for hours.
_TRY_FOR = 900.0
_FIRST_DELAY = 5.0
_MAX_DELAY = 60.0

_MAX_CLOCK_SKEW = timedelta(days=1)
"""How far the plan's time may be from the service's own; AWS itself refuses five minutes."""

_log = logging.getLogger("fsxcopy_sdk.replication")


class Pruning:
    """
    The deletions of one plan, in rounds: what is refused for now is tried again.
    """

    def __init__(
        self,
        plan: ReplicationPlan,
        source: FsxCopyClient | None,
        destination: FsxCopyClient,
        allowed: frozenset[PruneObstacle],
        random: Callable[[], float],
    ) -> None:
        candidates = [
            one for one in (*plan.to_prune, *plan.held_back) if allowed.issuperset(one.obstacles)
        ]
        self._plan = plan
        self._opens_source = source is None and bool(candidates)
        self._source = (
            destination.with_region(plan.source_region) if self._opens_source else source
        )
        self._destination = destination
        self._allowed = allowed
        self._random = random
        self._left = {one.copy.backup_id: one for one in candidates}
        self._errors: dict[str, FsxCopyError] = {}
        self._owned: dict[str, int] = {}
        self._deleted: Counter[str] = Counter()
        self._tell: Callable[[PruneOutcome], None] = lambda _: None

    async def run(self, incomplete: Collection[str], tell: Callable[[PruneOutcome], None]) -> None:
        """
        Delete what may be deleted, and *tell* each outcome.

        Nothing is deleted of the *incomplete* sources, whose copies failed or were not
        seen to end: until newer copies arrive, the old ones are what a restore has.
        """
        self._tell = tell
        for prune in list(self._left.values()):
            if prune.source_id in incomplete:
                reason = "a copy of its source failed or was not seen to end in this run"
                self._end(PruneSkipped(prune=prune, reason=reason))
        if self._source is None or not self._left:
            return
        async with AsyncExitStack() as stack:
            if self._opens_source:
                try:
                    await stack.enter_async_context(self._source)
                except FsxCopyError as error:
                    for prune in list(self._left.values()):
                        self._end(PruneFailed(prune=prune, error=error))
            await self._rounds(self._source)

    async def _rounds(self, source: FsxCopyClient) -> None:
        clock = self._destination.clock
        give_up = clock.now() + _TRY_FOR
        delay = _FIRST_DELAY
        while self._left:
            for prune in list(self._left.values()):
                await self._try(source, prune)
            left = give_up - clock.now()
            if not self._left or left < NOTHING:
                break
            await clock.sleep(min(left, delay * (0.5 + 0.5 * self._random())))
            delay = min(_MAX_DELAY, 2 * delay)
        for backup_id, prune in list(self._left.items()):
            self._end(PruneFailed(prune=prune, error=self._errors[backup_id]))

    async def _try(self, source: FsxCopyClient, prune: PlannedPrune) -> None:
        """
        Check a copy and delete it; an error that may pass leaves it for the next round.
        """
        try:
            outcome = await self._check(source, prune)
            if outcome is None:
                await self._destination.delete_backup(prune.copy.backup_id)
                self._deleted[prune.source_id] += 1
                outcome = Pruned(prune=prune)
        except FsxCopyError as error:
            self._errors[prune.copy.backup_id] = error
            # An answer that cannot be read may be that of a deletion, and a copy that is
            # not found may be gone: the next check tells.
            if error.is_transient or isinstance(error, ResponseDecodingError | BackupNotFound):
                return
            outcome = PruneFailed(prune=prune, error=error)
        self._end(outcome)

    async def _check(self, source: FsxCopyClient, prune: PlannedPrune) -> PruneOutcome | None:
        """
        Read the copies and originals of one source again, and judge the copy by them.

        Return None if it may be deleted.
        """
        backup_id = prune.copy.backup_id
        held = await self._list(self._destination, prune, ())
        copy = next((one for one in held if one.backup_id == backup_id), None)
        if copy is None:
            # A listing that does not show it proves nothing; nor need every copy name
            # its file system, by which the listing was narrowed.
            copy = await _described(self._destination, backup_id)
            held = await _list_all(self._destination, ())
        if copy is None or copy.lifecycle == BackupLifecycle.DELETED:
            return Pruned(prune=prune)
        originals = await self._list(source, prune, self._plan.policy.filters)
        self._check_clock()
        reason = self._reason_to_keep(prune, self._inventory(originals, held))
        if reason is None and all(one.backup_id != prune.source_backup_id for one in originals):
            original = await _described(source, prune.source_backup_id)
            if original is not None and original.lifecycle != BackupLifecycle.DELETED:
                reason = "the source's listing is incomplete: its backup exists"
        return None if reason is None else PruneSkipped(prune=prune, reason=reason)

    def _reason_to_keep(self, prune: PlannedPrune, situation: Inventory) -> str | None:
        plan, source_id = self._plan, prune.source_id
        owned = self._owned.setdefault(source_id, count_owned(plan.policy, situation, source_id))
        fresh = decide(plan.policy, situation)
        found = {one.copy.backup_id: one for one in (*fresh.to_prune, *fresh.held_back)}
        current = found.get(prune.copy.backup_id)
        if current is None or prune.source_backup_id in plan.selected_backup_ids:
            return "by now the policy keeps it"
        obstacles = set(current.obstacles) - {PruneObstacle.MORE_THAN_HALF}
        # Counted over the whole run: what it deleted no longer counts as a copy.
        if self._deleted[source_id] >= most_to_prune(owned):
            obstacles.add(PruneObstacle.MORE_THAN_HALF)
        return "; ".join(sorted(obstacles - self._allowed)) or None

    def _inventory(self, originals: Sequence[Backup], held: Sequence[Backup]) -> Inventory:
        return inventory_of(
            source_region=self._plan.source_region,
            destination_region=self._plan.destination_region,
            now=self._plan.made_at,
            source_backups=originals,
            destination_backups=held,
        )

    async def _list(
        self, client: FsxCopyClient, prune: PlannedPrune, filters: Sequence[BackupFilter]
    ) -> list[Backup]:
        """
        Return the backups of the copy's file system or volume that pass *filters*.
        """
        is_volume = prune.source_id.startswith("fsvol-")
        name = FilterName.VOLUME_ID if is_volume else FilterName.FILE_SYSTEM_ID
        if all(one.name != name for one in filters):
            filters = (*filters, BackupFilter(name, prune.source_id))
        return await _list_all(client, filters)

    def _check_clock(self) -> None:
        """
        Refuse a plan whose time is far from the service's own.

        Raises:
            InvalidArguments: it is.
        """
        service_time, made_at = self._destination.service_time, self._plan.made_at
        if service_time is not None and abs(service_time - made_at) > _MAX_CLOCK_SKEW:
            fault = (
                f"plan: must be made within a day of the service's own time, "
                f"{time_text(service_time)}, for pruning, not at {time_text(made_at)}"
            )
            raise InvalidArguments(fault, (fault,))

    def _end(self, outcome: PruneOutcome) -> None:
        prune = outcome.prune
        backup_id = prune.copy.backup_id
        del self._left[backup_id]
        why = outcome.reason if isinstance(outcome, PruneSkipped) else prune.reason
        extra = {"backup_id": backup_id}
        _log.info("%s: %s, %s", backup_id, type(outcome).__name__, why, extra=extra)
        self._tell(outcome)


async def _list_all(client: FsxCopyClient, filters: Sequence[BackupFilter]) -> list[Backup]:
    async with aclosing(client.iter_backups(filters=filters)) as backups:
        return [one async for one in backups]


async def _described(client: FsxCopyClient, backup_id: str) -> Backup | None:
    """
    Return a backup by its ID; None if the service does not know it.
    """
    try:
        return await client.describe_backup(backup_id)
    except BackupNotFound:
        return None

"""Delete copies that a policy no longer keeps: check one, delete it, then check the next."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TypeAlias

import anyio
import attrs

from fsxcopy_sdk._codec import Outcome
from fsxcopy_sdk._validation import MAX_FILTERS, BackupFilter
from fsxcopy_sdk.bulk import is_outcome_unknown, retry_delay
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupLifecycle, FilterName
from fsxcopy_sdk.errors import (
    BackupNotFound,
    FsxCopyError,
    InvalidArguments,
    ResponseDecodingError,
    ServiceError,
)
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import Inventory, owner_of, source_of, sources_of
from fsxcopy_sdk.replication._plan import (
    ExistingCopy,
    PlannedCopy,
    PlannedPrune,
    PruneObstacle,
    ReplicationPlan,
    time_text,
)
from fsxcopy_sdk.replication._planning import Listing, decide, read_listing
from fsxcopy_sdk.replication._retention import most_to_prune, owned_by_source
from fsxcopy_sdk.waiting import NOTHING


@attrs.frozen(kw_only=True)
class Pruned(Outcome):
    """The copy is gone: the service says that it is deleted, or does not know its ID."""

    prune: PlannedPrune
    error: None = None

    def __str__(self) -> str:
        return f"{self.prune.copy.backup_id}: pruned, {self.prune.reason}"


@attrs.frozen(kw_only=True)
class PruneFailed(Outcome):
    """The copy was not seen to be deleted; another run tries again."""

    prune: PlannedPrune
    error: FsxCopyError
    """The last error, such as `BackupBeingCopied`."""

    def __str__(self) -> str:
        return f"{self.prune.copy.backup_id}: not pruned, {self.error}"


@attrs.frozen(kw_only=True)
class PruneSkipped(Outcome):
    """The copy was left alone, because it is kept now or because too little is known."""

    prune: PlannedPrune
    reason: str
    is_held_back: bool = False
    """Whether the policy does not keep it, and only a switch or fuller listings delete it."""
    error: None = None

    def __str__(self) -> str:
        return f"{self.prune.copy.backup_id}: not pruned, {self.reason}"


PruneOutcome: TypeAlias = Pruned | PruneFailed | PruneSkipped
"""Each has the members `prune` and `error`."""


# A copy that is or was just copied cannot be deleted "for a short time" (the service
# names no figure). What is not deleted now is deleted by the next run, so that nothing
# is gained by waiting for hours; a run that does not wait for copies is repeated soon.
TRY_FOR = 900.0
TRY_BRIEFLY_FOR = 15.0

IS_UNFINISHED = "a copy of its source is in progress or was not started"
WAS_NOT_SENT = "a copy of its source could not be requested in this run"
WENT_WRONG = "a copy of its source failed or was not seen to end in this run"
_IS_OF_ANOTHER = "the plan names another source or backup for this copy than the service does"
_UNFINISHED = (IS_UNFINISHED, WAS_NOT_SENT, WENT_WRONG)
"""Why nothing of a source is pruned; the last one that applies is reported."""

_MAX_CLOCK_SKEW = timedelta(days=1)
"""How far the plan's time may be from the service's own; AWS itself refuses five minutes."""

_log = logging.getLogger("fsxcopy_sdk.replication")


@attrs.define(eq=False, kw_only=True)
class Pruning:
    """The deletions of one plan, in rounds: those that are refused temporarily are tried again."""

    plan: ReplicationPlan
    prunes: Sequence[PlannedPrune]
    source: FsxCopyClient
    opens_source: bool
    destination: FsxCopyClient
    allowed: Collection[PruneObstacle]
    random: Callable[[], float]
    try_for: float
    """Seconds for which deletions that are refused temporarily are tried again."""
    _begun: float
    _unfinished: Collection[tuple[PlannedCopy | ExistingCopy, str]] = attrs.field(
        init=False, default=()
    )
    """What has not ended well, and why: one of `_UNFINISHED`."""
    _owned: dict[str, int] = attrs.field(init=False, factory=dict)
    """How many copies of each source were the policy's before the first deletion."""
    _deleted: defaultdict[str, set[str]] = attrs.field(
        init=False, factory=lambda: defaultdict(set)
    )

    def is_requested(self, prune: PlannedPrune) -> bool:
        """Whether the service may have accepted this deletion."""
        return prune.copy.backup_id in self._deleted[prune.source_id]

    async def run(
        self,
        unfinished: Collection[tuple[PlannedCopy | ExistingCopy, str]],
        end: Callable[[PruneOutcome], None],
    ) -> None:
        """
        Delete what may be deleted, and call *end* with each outcome.

        Nothing is deleted of a source with *unfinished* copies, which come with the reason:
        until newer copies arrive, the old ones are what a restore has.
        """
        self._unfinished = unfinished
        prunes: list[PlannedPrune] = []
        for prune in self.prunes:
            skipped = self._skipped_as_unfinished(prune)
            if skipped is None:
                prunes.append(prune)
            else:
                end(skipped)
        async with AsyncExitStack() as stack:
            if prunes and self.opens_source:
                try:
                    await stack.enter_async_context(self.source)
                except FsxCopyError as error:
                    for prune in prunes:
                        end(PruneFailed(prune=prune, error=error))
                    return
            await self._rounds(prunes, end)

    def _skipped_as_unfinished(
        self, prune: PlannedPrune, originals: Collection[str] = ()
    ) -> PruneSkipped | None:
        """Skip a copy whose source, by the plan or *originals*, has an unfinished one."""
        source_id = prune.source_id
        reasons = {
            reason
            for one, reason in self._unfinished
            if one.source_id == source_id or one.backup.backup_id in originals
        }
        if not reasons:
            return None
        reason = max(reasons, key=_UNFINISHED.index)
        is_held_back = reason != IS_UNFINISHED
        return PruneSkipped(prune=prune, reason=reason, is_held_back=is_held_back)

    async def _rounds(
        self, prunes: Sequence[PlannedPrune], end: Callable[[PruneOutcome], None]
    ) -> None:
        clock = self.destination.clock
        give_up = clock.now() + self.try_for
        tries = 0
        while True:
            tries += 1
            is_last = give_up - clock.now() < NOTHING
            failed: list[PruneFailed] = []
            for prune in prunes:
                outcome = await self._try(prune)
                if isinstance(outcome, PruneFailed) and _may_pass(outcome.error):
                    failed.append(outcome)
                else:
                    end(outcome)
            if not failed or is_last:
                for outcome in failed:
                    end(outcome)
                return
            prunes = [outcome.prune for outcome in failed]
            # At least a second round, however long the first took: it checks what was deleted.
            left, delay = give_up - clock.now(), retry_delay(tries, self.random)
            await clock.sleep(min(left, delay) if left > 0 else delay)

    async def _try(self, prune: PlannedPrune) -> PruneOutcome:
        """Check a copy, and delete it unless that check has an outcome."""
        try:
            outcome = await self._check(prune)
            if outcome is None:
                await self._delete(prune)
        except FsxCopyError as error:
            return PruneFailed(prune=prune, error=error)
        return outcome or Pruned(prune=prune)

    async def _delete(self, prune: PlannedPrune) -> None:
        """Delete a copy, which counts as deleted unless the service refuses for certain."""
        backup_id = prune.copy.backup_id
        deleted = self._deleted[prune.source_id]
        deleted.add(backup_id)
        try:
            await self.destination.delete_backup(backup_id)
        except ServiceError as error:
            if not is_outcome_unknown(error):
                deleted.discard(backup_id)
            raise
        except anyio.get_cancelled_exc_class():
            extra = {"backup_id": backup_id, "region": self.destination.region}
            _log.warning("%s: its deletion may have been accepted", backup_id, extra=extra)
            raise

    async def _check(self, prune: PlannedPrune) -> PruneOutcome | None:
        """Judge a copy by both Regions as they are now; return None if it may be deleted."""
        plan, source, destination = self.plan, self.source, self.destination
        held = await _list_source(destination, prune.source_id, ())
        if not sources_of(*held.unreadable).isdisjoint({prune.source_id, None}):
            # It may be the copy itself, which then cannot be described either.
            reason = PruneObstacle.UNREADABLE.value
            return PruneSkipped(prune=prune, reason=reason, is_held_back=True)
        copy = await _found(destination, held.backups, prune.copy.backup_id)
        if copy is None:
            # Gone, unless the plan came from another account: there it never was.
            if self.is_requested(prune) or plan.owner_id in (None, *map(owner_of, held.backups)):
                return Pruned(prune=prune)
            reason = f"{destination.region} shows no backup of account {plan.owner_id}"
            return PruneSkipped(prune=prune, reason=reason, is_held_back=True)
        if copy not in held.backups:
            # A copy need not name its file system, by which the listing was narrowed.
            held = await read_listing(destination)
        originals = await _list_source(source, prune.source_id, plan.policy.filters)
        self._check_clock()
        inventory = Inventory(
            source_region=plan.source_region,
            destination_region=plan.destination_region,
            now=plan.made_at,
            backups=originals.backups,
            held=held.backups,
            unreadable_backups=originals.unreadable,
            unreadable_held=held.unreadable,
        )
        skipped = self._reason_to_skip(prune, inventory)
        if skipped is None:
            original = await _found(source, originals.backups, prune.source_backup_id)
            if original is not None and original not in originals.backups:
                reason = "the source's listing is incomplete: its backup exists"
                return PruneSkipped(prune=prune, reason=reason, is_held_back=True)
        return skipped

    def _reason_to_skip(self, prune: PlannedPrune, inventory: Inventory) -> PruneSkipped | None:
        plan, source_id = self.plan, prune.source_id
        owned = owned_by_source(plan.policy, inventory).get(source_id, [])
        most = most_to_prune(self._owned.setdefault(source_id, len(owned)))
        fresh = decide(plan.policy, inventory)
        found = {one.copy.backup_id: one for one in (*fresh.to_prune, *fresh.held_back)}
        current = found.get(prune.copy.backup_id)
        if current is None or prune.source_backup_id in plan.selected_backup_ids:
            return PruneSkipped(prune=prune, reason="by now the policy keeps it")
        # The plan may have come as a document, and counts for nothing that the Regions show.
        named = (source_id, prune.source_backup_id)
        if named != (current.source_id, current.source_backup_id):
            return PruneSkipped(prune=prune, reason=_IS_OF_ANOTHER)
        originals = {
            one.backup_id
            for one in inventory.backups
            if (source := source_of(one)) is not None and source.source_id == source_id
        }
        if unfinished := self._skipped_as_unfinished(prune, originals):
            return unfinished
        obstacles = set(current.obstacles) - {PruneObstacle.MORE_THAN_HALF}
        # Counted over the whole run: what it deleted no longer counts as a copy.
        if len(self._deleted[source_id] - {prune.copy.backup_id}) >= most:
            obstacles.add(PruneObstacle.MORE_THAN_HALF)
        if against := sorted(obstacles.difference(self.allowed)):
            return PruneSkipped(prune=prune, reason="; ".join(against), is_held_back=True)
        return None

    def _check_clock(self) -> None:
        """Refuse a plan whose time is far from the service's own."""
        service_time, made_at = self.destination.service_time, self.plan.made_at
        if service_time is None:
            return
        # The copies may have taken days since the plan was applied.
        service_time -= timedelta(seconds=self.destination.clock.now() - self._begun)
        if abs(service_time - made_at) > _MAX_CLOCK_SKEW:
            text = (
                f"plan: must be made within a day of the service's time to prune, which was "
                f"{time_text(service_time)}, not at {time_text(made_at)}"
            )
            raise InvalidArguments(text, (text,))


def _may_pass(error: FsxCopyError) -> bool:
    # An answer that cannot be read may be that of a deletion, and a copy that is not found
    # may be gone: the next check shows it.
    return error.is_transient or isinstance(error, ResponseDecodingError | BackupNotFound)


async def _list_source(
    client: FsxCopyClient, source_id: str, filters: Sequence[BackupFilter]
) -> Listing:
    """Return the backups that pass *filters*, narrowed to a file system or volume if possible."""
    is_volume = source_id.startswith("fsvol-")
    name = FilterName.VOLUME_ID if is_volume else FilterName.FILE_SYSTEM_ID
    if len(filters) < MAX_FILTERS and all(one.name != name for one in filters):
        filters = (*filters, BackupFilter(name, source_id))
    return await read_listing(client, filters)


async def _found(client: FsxCopyClient, listed: Iterable[Backup], backup_id: str) -> Backup | None:
    """Return a backup as listed, else by its ID; None if it is DELETED or unknown to both."""
    found = next((one for one in listed if one.backup_id == backup_id), None)
    try:
        found = found or await client.describe_backup(backup_id)
    except BackupNotFound:
        return None
    return None if found.lifecycle == BackupLifecycle.DELETED else found

"""
Carry out a plan: copy, follow what is in progress already, then prune.

Pruning checks one copy, deletes it, then checks the next.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TypeAlias

import anyio
import attrs

from fsxcopy_sdk._codec import Outcome
from fsxcopy_sdk._validation import (
    MAX_FILTERS,
    ArgumentErrors,
    BackupFilter,
    Duration,
    check_type,
)
from fsxcopy_sdk.bulk import (
    DEFAULT_MAX_IN_PROGRESS,
    BulkCopy,
    Copied,
    CopyBatch,
    CopyDeferred,
    CopyInProgress,
    CopyOutcome,
    CopyRequest,
    CopyStarted,
    OutcomeStream,
    SharedCopies,
    copy_many,
    is_outcome_unknown,
    retry_delay,
)
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupLifecycle, BackupType, FilterName
from fsxcopy_sdk.errors import (
    BackupNotFound,
    FsxCopyError,
    InvalidArguments,
    ResponseDecodingError,
    ServiceError,
)
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import Inventory, source_of, sources_of
from fsxcopy_sdk.replication._plan import (
    ExistingCopy,
    PlannedCopy,
    PlannedPrune,
    PruneObstacle,
    ReplicationPlan,
    ReplicationReport,
    time_text,
)
from fsxcopy_sdk.replication._planning import Listing, decide, read_listing
from fsxcopy_sdk.replication._report import report_after
from fsxcopy_sdk.replication._retention import most_to_prune, owned_by_source
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, NOTHING, WaitSchedule


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

PlanOutcome: TypeAlias = CopyOutcome | PruneOutcome
"""What became of one copy or of one deletion."""


# A copy that is or was just copied cannot be deleted "for a short time" (the service
# names no figure). What is not deleted now is deleted by the next run, so that nothing
# is gained by waiting for hours; a run that does not wait for copies is repeated soon.
_TRY_FOR = 900.0
_TRY_BRIEFLY_FOR = 15.0

_IS_UNFINISHED = "a copy of its source is in progress or was not begun"
_WAS_NOT_SENT = "a copy of its source could not be requested in this run"
_WENT_WRONG = "a copy of its source failed or was not seen to end in this run"
_IS_OF_ANOTHER = "the plan says that it is of another source or backup than it is"
_UNFINISHED = (_IS_UNFINISHED, _WAS_NOT_SENT, _WENT_WRONG)
"""Why nothing of a source is pruned; the last one that applies is told."""

_MAX_CLOCK_SKEW = timedelta(days=1)
"""How far the plan's time may be from the service's own; AWS itself refuses five minutes."""

_log = logging.getLogger("fsxcopy_sdk.replication")


@attrs.define(eq=False, kw_only=True)
class Pruning:
    """The deletions of one plan, in rounds: what is refused for now is tried again."""

    plan: ReplicationPlan
    prunes: Sequence[PlannedPrune]
    source: FsxCopyClient
    opens_source: bool
    destination: FsxCopyClient
    allowed: Collection[PruneObstacle]
    random: Callable[[], float]
    try_for: float
    """Seconds for which what is refused for now is tried again."""
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
        is_held_back = reason != _IS_UNFINISHED
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
            return Pruned(prune=prune)
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


def apply_plan(
    plan: ReplicationPlan,
    destination: FsxCopyClient,
    *,
    source: FsxCopyClient | None = None,
    prune: bool = False,
    prune_orphans: bool = False,
    prune_most: bool = False,
    wait: bool = True,
    max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
    max_wait: Duration = DEFAULT_MAX_WAIT,
    schedule: WaitSchedule = DEFAULT_SCHEDULE,
    on_seen: Callable[[CopyInProgress], None] | None = None,
    shared: SharedCopies | None = None,
) -> AppliedPlan:
    """
    Carry out *plan* in the Region of *destination*.

    Use it as ``async with apply_plan(...) as applied``, and within that as
    ``async for outcome in applied``: there is one outcome for each of the plan's
    `to_copy` and `in_progress`, and with *prune* for each copy that may be pruned. A
    failure stops nothing but its own part. The plan may be late: like `copy_many`, this
    lists the destination first, and requests no copy of a backup that has one. Leaving
    the block starts nothing more.

    Pruning begins when all copies have ended. Before each deletion the copies and
    originals of its file system or volume are read again in both Regions, and the copy is
    deleted only if the policy still does not keep it. Nothing of a source is deleted if
    one of its copies failed, could not be requested or was not seen to end in this run.

    With ``wait=False`` copies are begun as by `copy_many`, without waiting for any, and of
    sources whose copies are all AVAILABLE prunes are carried out. Plan and apply again
    minutes later, an hour after a `CopyNotObserved`, until nothing is left to do.

    Args:
        plan: What to do.
        destination: An open client of the plan's destination.
        source: An open client of the plan's source, for pruning; None for one that is
            opened with the destination's session, endpoint and config.
        prune: Whether to delete the plan's `to_prune`. If the service refuses because a
            copy is being copied, it is tried for some minutes.
        prune_orphans: Whether to delete also copies whose source shows no AVAILABLE
            backup: for file systems and volumes that were retired on purpose.
        prune_most: Whether one run may delete more than half of a source's copies.
        wait: Whether to follow copies to their end, and to wait for capacity.
        max_in_progress: Copies in progress at once, as for `copy_many`.
        max_wait: Seconds or a timedelta that each copy is waited for.
        schedule: The intervals at which each copy is polled.
        on_seen: Called for each copy in progress, as by `copy_many`.
        shared: A run of copies into the destination that several plans are part of, so that
            they share its quota. Its limits count instead of those given here, and it must be
            run beside the block.

    Raises:
        InvalidArguments: arguments break rules, or a client is of another Region;
            nothing was sent.
        ConfigurationError: *source* is needed and cannot be derived from *destination*,
            which wraps a client.
        ClientNotOpen: a client is not open.
    """
    switches = {"prune_orphans": prune_orphans, "prune_most": prune_most}
    _check_arguments(plan, destination, source, switches, prune=prune)
    # What a document says has ended is for the listing to decide, as what is to be copied.
    ended = [one for one in plan.in_progress if one.copy.lifecycle.is_terminal]
    requests = [*(one.request for one in plan.to_copy), *(one.request for one in ended)]
    adopt = _copies_in_progress(plan, destination.clock.now())
    copies: BulkCopy | CopyBatch
    if shared is not None:
        copies = shared.add(requests, adopt=adopt, on_seen=on_seen)
    else:
        copies = copy_many(
            destination,
            requests,
            adopt=adopt,
            wait=wait,
            max_in_progress=max_in_progress,
            max_wait=max_wait,
            schedule=schedule,
            on_seen=on_seen,
        )
    allowed = PruneObstacle.allowed_by(prune_orphans=prune_orphans, prune_most=prune_most)
    prunes = [
        one for one in (*plan.to_prune, *plan.held_back) if allowed.issuperset(one.obstacles)
    ]
    if not (prune and prunes):
        return AppliedPlan(plan, destination, copies, None)
    pruning = Pruning(
        plan=plan,
        prunes=prunes,
        source=source or destination.with_region(plan.source_region),
        opens_source=source is None,
        destination=destination,
        allowed=allowed,
        random=random.random,
        try_for=_TRY_FOR if wait else _TRY_BRIEFLY_FOR,
        begun=destination.clock.now(),
    )
    return AppliedPlan(plan, destination, copies, pruning)


def _check_arguments(
    plan: ReplicationPlan,
    destination: FsxCopyClient,
    source: FsxCopyClient | None,
    switches: Mapping[str, bool],
    *,
    prune: bool,
) -> None:
    """Raise InvalidArguments for arguments of `apply_plan` that break rules."""
    check_type("plan", plan, ReplicationPlan)
    check_type("destination", destination, FsxCopyClient)
    errors = ArgumentErrors()
    _check_region(errors, "destination", destination, plan.destination_region)
    if source is not None:
        check_type("source", source, FsxCopyClient)
        _check_region(errors, "source", source, plan.source_region)
    for name, given in {"prune": prune, **switches}.items():
        errors.check_type(name, given, bool, "True or False")
    for name in [name for name, given in switches.items() if given and not prune]:
        errors.add(name, "given with prune=True", "alone")
    errors.raise_any()


def _check_region(errors: ArgumentErrors, name: str, client: FsxCopyClient, region: str) -> None:
    if client.region != region:
        errors.add(name, f"a client of {region}", f"of {client.region}")


class AppliedPlan(OutcomeStream[PlanOutcome]):
    """A plan that is being applied: ``async with`` and ``async for``; see `apply_plan`."""

    _made_by, _name = "apply_plan", "applied"

    def __init__(
        self,
        plan: ReplicationPlan,
        destination: FsxCopyClient,
        copies: BulkCopy | CopyBatch,
        pruning: Pruning | None,
    ) -> None:
        super().__init__()
        self._plan = plan
        self._destination = destination
        self._copies = copies
        self._pruning = pruning
        self._region = plan.destination_region
        planned: tuple[PlannedCopy | ExistingCopy, ...] = (*plan.to_copy, *plan.in_progress)
        self._planned = {one.request.source_backup_id: one for one in planned}
        self._ended_prunes: set[str] = set()

    @property
    def report(self) -> ReplicationReport:
        """
        The plan's report as this run has changed it so far, at the service's latest time.

        A copy that was seen AVAILABLE counts, so that its source is not called late. Nothing is
        listed for that: what other programs do meanwhile shows in the next plan's report.
        """
        latest = self._destination.service_time or self._plan.made_at
        return report_after(self._plan, self._copies, max(latest, self._plan.made_at))

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """
        The copies that the service has accepted, or may have, and that have not ended.

        They continue after the block, and another plan finds them.
        """
        return self._copies.in_progress

    @property
    def not_started(self) -> tuple[CopyRequest, ...]:
        """The requests whose copies were certainly not accepted so far."""
        return self._copies.not_started

    @property
    def prunes_in_progress(self) -> tuple[PlannedPrune, ...]:
        """The deletions that the service may have accepted, and that have no outcome yet."""
        return self._prunes_left(are_requested=True)

    @property
    def prunes_not_started(self) -> tuple[PlannedPrune, ...]:
        """The deletions without an outcome that were certainly not accepted so far."""
        return self._prunes_left(are_requested=False)

    def _prunes_left(self, *, are_requested: bool) -> tuple[PlannedPrune, ...]:
        pruning = self._pruning
        if pruning is None:
            return ()
        left = (one for one in pruning.prunes if one.copy.backup_id not in self._ended_prunes)
        return tuple(one for one in left if pruning.is_requested(one) is are_requested)

    async def _run(self) -> None:
        unfinished: list[tuple[PlannedCopy | ExistingCopy, str]] = []
        async with self._copies:
            async for outcome in self._copies:
                if reason := _why_unfinished(outcome):
                    unfinished.append((self._planned[outcome.request.source_backup_id], reason))
                self._add(outcome)
        if self._pruning is not None:
            await self._pruning.run(unfinished, self._end)
        self._finish()

    def _end(self, outcome: PruneOutcome) -> None:
        backup_id = outcome.prune.copy.backup_id
        self._ended_prunes.add(backup_id)
        why = outcome.reason if isinstance(outcome, PruneSkipped) else outcome.prune.reason
        extra = {"backup_id": backup_id, "region": self._region}
        _log.info("%s: %s, %s", backup_id, type(outcome).__name__, why, extra=extra)
        self._add(outcome)


def _why_unfinished(outcome: CopyOutcome) -> str | None:
    """Return one of `_UNFINISHED`, unless a copy is AVAILABLE."""
    match outcome:
        case Copied():
            return None
        case CopyStarted() | CopyDeferred(error=None):
            return _IS_UNFINISHED
        case CopyDeferred():
            return _WAS_NOT_SENT
        case _:
            return _WENT_WRONG


def _copies_in_progress(plan: ReplicationPlan, now: float) -> Iterable[CopyInProgress]:
    """Yield the copies that were in progress when *plan* was made, as they were then."""
    for known in plan.in_progress:
        if known.copy.lifecycle.is_terminal:
            continue
        copy = Backup(
            **attrs.asdict(known.copy),
            type=BackupType.USER_INITIATED,  # which copies are
            source_backup_id=known.backup.backup_id,
            source_backup_region=plan.source_region,
        )
        token = known.request.token(plan.destination_region)
        yield CopyInProgress(
            request=known.request, client_request_token=token, started=now, backup=copy
        )

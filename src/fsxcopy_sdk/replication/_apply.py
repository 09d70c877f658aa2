"""Carry out a plan: copy, follow what is in progress already, then prune."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import TypeAlias

import attrs

from fsxcopy_sdk._tracing import Attributes
from fsxcopy_sdk._validation import ArgumentErrors, Duration, check_type, invalid
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
)
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupType
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import owner_of
from fsxcopy_sdk.replication._plan import (
    ExistingCopy,
    PlannedCopy,
    PlannedPrune,
    PruneObstacle,
    ReplicationPlan,
    ReplicationReport,
)
from fsxcopy_sdk.replication._pruning import (
    IS_UNFINISHED,
    TRY_BRIEFLY_FOR,
    TRY_FOR,
    WAS_NOT_SENT,
    WENT_WRONG,
    Pruned,
    PruneOutcome,
    PruneSkipped,
    Pruning,
)
from fsxcopy_sdk.replication._report import report_after
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, WaitSchedule

_log = logging.getLogger("fsxcopy_sdk.replication")

PlanOutcome: TypeAlias = CopyOutcome | PruneOutcome
"""What became of one copy or of one deletion."""


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
        max_wait: Seconds or a timedelta that each copy is waited for, as for `copy_many`.
        schedule: The intervals at which each copy is polled.
        on_seen: Called for each copy in progress, as by `copy_many`.
        shared: `SharedCopies` that several plans use, with one quota. Its settings replace
            `wait`, `max_in_progress`, `max_wait` and `schedule`. Call its `run()` in a
            concurrent task.

    Raises:
        InvalidArguments: arguments break rules, or a client is of another Region;
            nothing was sent.
        ConfigurationError: *source* is needed and cannot be derived from *destination*,
            which wraps a client.
        ClientNotOpen: a client is not open.
    """
    switches = {"prune_orphans": prune_orphans, "prune_most": prune_most}
    _check_arguments(plan, destination, source, switches, shared, prune=prune)
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
        try_for=TRY_FOR if wait else TRY_BRIEFLY_FOR,
        begun=destination.clock.now(),
    )
    return AppliedPlan(plan, destination, copies, pruning)


def _check_arguments(
    plan: ReplicationPlan,
    destination: FsxCopyClient,
    source: FsxCopyClient | None,
    switches: Mapping[str, bool],
    shared: SharedCopies | None,
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
    if shared is not None:
        check_type("shared", shared, SharedCopies)
        if shared.region != plan.destination_region:
            errors.add("shared", f"copies into {plan.destination_region}", f"into {shared.region}")
    for name, given in {"prune": prune, **switches}.items():
        errors.check_type(name, given, bool, "True or False")
    for name in [name for name, given in switches.items() if given and not prune]:
        errors.add(name, "given with prune=True", "alone")
    errors.raise_any()


async def check_owner(
    plan: ReplicationPlan, source: FsxCopyClient, destination: FsxCopyClient
) -> None:
    """
    Refuse a plan that was made in another account than that of open clients of its Regions.

    In another account each copy of the plan would fail, and what it is to prune would count as
    pruned, because no backup of the plan is found there. The account is that of a backup that
    one of the Regions shows; if none does, the plan is refused too. A plan without an `owner_id`
    is not checked.

    Raises:
        InvalidArguments: the plan is of another account, or a client is of another Region.
        CallError: a listing failed.
        ClientNotOpen: a client is not open.
    """
    _check_arguments(plan, destination, source, {}, None, prune=False)
    if plan.owner_id is None:
        return
    found = await _owner(destination) or await _owner(source)
    if found != plan.owner_id:
        rule = f"applied with credentials of account {plan.owner_id}"
        raise invalid("plan", rule, f"of {found or 'an account that shows no backup'}")


async def _owner(client: FsxCopyClient) -> str | None:
    """Return the account of the first backup of a Region whose ARN names one."""
    async with aclosing(client.iter_backups()) as backups:
        async for backup in backups:
            if owner := owner_of(backup):
                return owner
    return None


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
    def _traced(self) -> Attributes:
        plan = self._plan
        return {
            "cloud.region": self._region,
            "fsxcopy.source_region": plan.source_region,
            "fsxcopy.policy": plan.policy.name,
        }

    @property
    def report(self) -> ReplicationReport:
        """
        The plan's report as this run has changed it so far, at the service's latest time.

        A copy that was seen AVAILABLE counts, so that its source is not called late. Nothing is
        listed for that: what other programs do meanwhile shows in the next plan's report, and
        timelines are those of the plan.
        """
        latest = self._destination.service_time or self._plan.made_at
        pruned = [one.prune for one in self.outcomes if isinstance(one, Pruned)]
        return report_after(self._plan, self._copies, pruned, max(latest, self._plan.made_at))

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

        def end(outcome: CopyOutcome) -> None:
            if reason := _why_unfinished(outcome):
                unfinished.append((self._planned[outcome.request.source_backup_id], reason))
            self._add(outcome)

        await self._copies.pass_on(end)
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
            return IS_UNFINISHED
        case CopyDeferred():
            return WAS_NOT_SENT
        case _:
            return WENT_WRONG


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

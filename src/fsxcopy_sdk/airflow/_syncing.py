"""What a task syncs, and how: the policies of a fleet's file, or one policy."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from fsxcopy_sdk._codec import ALL
from fsxcopy_sdk.airflow._documents import JsonDocument, retry_helps, short
from fsxcopy_sdk.airflow._running import Progress, copy_row, is_good, retry_may_copy
from fsxcopy_sdk.bulk import CopyInProgress
from fsxcopy_sdk.errors import DOCUMENT_VERSION
from fsxcopy_sdk.fleet import (
    AccountClients,
    Fleet,
    FleetEvent,
    FleetPolicy,
    FleetSync,
    PolicyDestination,
    PolicyFailure,
    PolicySource,
    Route,
    sync_fleet,
)
from fsxcopy_sdk.replication import (
    Pruned,
    PruneFailed,
    PruneSkipped,
    ReplicationPlan,
    ReplicationPolicy,
)

_MAX_WARNINGS = 50
"""In the document; the log has all."""


@attrs.frozen(kw_only=True)
class Sync:
    """What a task syncs, as it gives it to its trigger: JSON."""

    fleet: str | None
    """The text of a fleet's file, which need not be where the triggerer is."""
    policies: list[str]
    """The names of the policies of it to sync; none for all."""
    policy: Mapping[str, object] | None
    """The document of a `ReplicationPolicy` instead."""
    source_region: str | None
    """The Region of its backups."""
    region_name: str | None
    """The Region of its copies."""
    prune: bool
    """Whether copies that the policy does not keep are deleted; a fleet says that itself."""
    prune_orphans: bool
    prune_most: bool
    strict: bool
    max_wait: float
    """Seconds."""

    def to_fleet(self, file: str | None = None) -> Fleet:
        """
        Return the policies to sync; errors name the *file*, where it is known.

        Raises:
            FsxCopyError: they have errors.
        """
        if self.fleet is not None:
            fleet = Fleet.from_text(self.fleet, name=file or "the fleet")
            return fleet.select(self.policies) if self.policies else fleet
        policy = ReplicationPolicy.from_dict(self.policy or {})
        region, source_region = self.region_name or "", self.source_region or ""
        destination = PolicyDestination(region=region, kms_key_id=policy.kms_key_id(region))
        members = attrs.asdict(policy, recurse=False)
        del members["kms_key_ids"]
        return Fleet(
            policies=[
                FleetPolicy(
                    **{
                        **members,
                        "newest": ALL if policy.newest is None else policy.newest,
                        "tags": tuple((tag.key, tag.value or "") for tag in policy.tags),
                    },
                    source=PolicySource(region=source_region),
                    destination=(destination,),
                    prune=self.prune,
                )
            ]
        )


@attrs.define(eq=False)
class Syncing:
    """A sync, and what it has found and done so far, as rows of the document."""

    sync: Sync
    progress: Progress
    clients: AccountClients
    running: FleetSync | None = None
    plans: list[JsonDocument] = attrs.field(factory=list)
    outcomes: list[JsonDocument] = attrs.field(factory=list)
    failures: list[JsonDocument] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    is_good: bool = True
    retry_helps: bool = False

    @property
    def in_progress(self) -> tuple[CopyInProgress, ...]:
        """The copies that the service has accepted, or may have, and that have not ended."""
        plans = self.running.applied.values() if self.running else ()
        return tuple(copy for plan in plans for copy in plan.in_progress)

    async def end(self) -> JsonDocument:
        """
        Copy and prune as the policies say, and return the document of the plans and outcomes.

        Raises:
            FsxCopyError: the policies have errors.
        """
        what, fleet = self.sync, self.sync.to_fleet()
        routes = fleet.routes_by_name
        self.running = sync_fleet(
            fleet,
            connect=self.clients,
            strict=what.strict,
            prune_orphans=what.prune_orphans,
            prune_most=what.prune_most,
            max_wait=what.max_wait,
            on_plan=self.plan,
            on_seen=self.see,
        )
        async with self.running as running:
            async for event in running:
                self.note(routes[event.policy_name, event.destination_region], event)
        return {
            "Version": DOCUMENT_VERSION,
            "Outcome": "Ended",
            "Plans": self.plans,
            "Outcomes": self.outcomes,
            "Failures": self.failures,
            "Warnings": self.warnings[:_MAX_WARNINGS],
            "IsGood": self.is_good,
            "RetryHelps": self.retry_helps,
        }

    def plan(self, route: Route, plan: ReplicationPlan) -> None:
        """Note the actions of a plan, and the problems that it found."""
        prune = route.policy.prune
        orphans, most = self.sync.prune_orphans, self.sync.prune_most
        held = plan.held_back_by(prune_orphans=orphans, prune_most=most) if prune else ()
        counts = {
            "UpToDate": len(plan.up_to_date),
            "ToCopy": len(plan.to_copy),
            "InProgress": len(plan.in_progress),
            "ToPrune": len(plan.to_prune) if prune else 0,
            "HeldBack": len(held),
            "CannotCopy": len(plan.cannot_copy),
        }
        self.plans.append({**route.origin, **counts})
        texts = ", ".join(f"{name}: {count}" for name, count in counts.items())
        self.progress.log.info("%s: %s", _name(route), texts)
        refused = [one for one in plan.cannot_copy if one.reason.is_failure]
        found = [
            *(f"not pruned: {one}" for one in held),
            *(f"cannot be copied: {one}" for one in refused),
            *plan.gaps,
        ]
        for text in found:
            self.warnings.append(f"{_name(route)}: {text}")
            self.progress.log.warning("%s: %s", _name(route), text)
        self.is_good = self.is_good and not found

    def see(self, route: Route, copy: CopyInProgress) -> None:
        """Note an observation of a copy."""
        self.progress.see((route,), copy)

    def note(self, route: Route, event: FleetEvent) -> None:
        """Note an outcome, or a plan that could not be made."""
        if isinstance(event, PolicyFailure):
            row: JsonDocument = {"Outcome": "PolicyFailure", "Error": short(event.error)}
            self.failures.append({**row, **route.origin})
            self.progress.log.warning("%s", event)
            self._judge(is_good=False, may_help=retry_helps(event.error))
            return
        outcome = event.outcome
        if isinstance(outcome, Pruned | PruneFailed | PruneSkipped):
            row = {"Outcome": type(outcome).__name__, "BackupId": outcome.prune.copy.backup_id}
            is_held_back = False
            if isinstance(outcome, PruneSkipped):
                row["Reason"], is_held_back = outcome.reason, outcome.is_held_back
            if outcome.error is not None:
                row["Error"] = short(outcome.error)
            self.progress.log.info("%s", event)
            is_good_prune = outcome.error is None and not is_held_back
            self._judge(is_good=is_good_prune, may_help=outcome.error is not None)
        else:
            row = copy_row(outcome)
            self.progress.end((route,), outcome.request.source_backup_id, event)
            self._judge(is_good=is_good(outcome), may_help=retry_may_copy(outcome))
        self.outcomes.append({**row, **route.origin})

    def _judge(self, *, is_good: bool, may_help: bool) -> None:
        self.is_good = self.is_good and is_good
        self.retry_helps = self.retry_helps or (not is_good and may_help)


def _name(route: Route) -> str:
    return f"{route.policy.name} into {route.destination.region}"

"""What is to be done: a pure decision, and the reading of both Regions that it needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from fsxcopy_sdk._validation import MAX_TAGS, ArgumentErrors, check_type, partition_of
from fsxcopy_sdk.bulk import CopyRequest
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import (
    Inventory,
    Lineage,
    inventory_of,
    is_of_flexgroup,
    ontap_volume_id,
    source_of,
)
from fsxcopy_sdk.replication._plan import (
    BackupSummary,
    CannotCopy,
    CannotCopyReason,
    ExistingCopy,
    PlannedCopy,
    ReplicationPlan,
    report_of,
)
from fsxcopy_sdk.replication._policy import ReplicationPolicy
from fsxcopy_sdk.replication._retention import prunable


async def plan_replication(
    source: FsxCopyClient,
    destination: FsxCopyClient,
    policy: ReplicationPolicy,
    *,
    now: datetime | None = None,
) -> ReplicationPlan:
    """
    Read both Regions and decide what *policy* wants done; nothing is changed.

    *now* is the time that ages are measured at; None for the service's own, as the
    answers date it, because a machine's clock may be wrong.

    Raises:
        InvalidArguments: *policy* is none, *now* has no time zone, or nothing can be
            copied between the Regions; nothing was sent.
        CallError: a listing failed.
        ClientNotOpen: a client is not open.
    """
    check_type("source", source, FsxCopyClient)
    check_type("destination", destination, FsxCopyClient)
    check_type("policy", policy, ReplicationPolicy)
    _check(source.region, destination.region, now)
    # In this order: a copy that is begun meanwhile is then seen, and not planned again.
    source_backups = [one async for one in source.iter_backups(filters=policy.filters)]
    destination_backups = [one async for one in destination.iter_backups()]
    moment = now or destination.service_time or datetime.now(UTC)
    inventory = inventory_of(
        source_region=source.region,
        destination_region=destination.region,
        now=moment.astimezone(UTC),
        source_backups=source_backups,
        destination_backups=destination_backups,
    )
    return decide(policy, inventory)


def _check(source_region: str, destination_region: str, now: datetime | None) -> None:
    """
    Refuse what no plan can be made of.

    Raises:
        InvalidArguments: with a text for every fault.
    """
    errors = ArgumentErrors()
    given: object = now
    if now is not None and not _has_utc(given):
        errors.add_value("now", "a datetime with a time zone", now)
    partitions = partition_of(source_region), partition_of(destination_region)
    if partitions[0] != partitions[1]:
        rule = f"of a Region in the partition of {source_region}, which is {partitions[0]}"
        errors.add("destination", rule, f"of {destination_region}, which is in {partitions[1]}")
    errors.raise_any()


def _has_utc(moment: object) -> bool:
    """Whether *moment* is a time that has a zone and a place in UTC."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return False
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True


def decide(policy: ReplicationPolicy, inventory: Inventory) -> ReplicationPlan:
    """Return what *policy* wants done in *inventory*."""
    copies = {
        origin_id: [copy.backup for copy in held if not copy.backup.lifecycle.is_dead]
        for origin_id, held in inventory.copies_by_origin().items()
    }
    ranked: list[tuple[int, PlannedCopy | ExistingCopy]] = []
    cannot_copy: list[CannotCopy] = []
    scope = _in_scope(policy, inventory.backups)
    for source_id, backups in sorted(scope.items()):
        chosen, refused = _choose(policy, inventory, source_id, backups, copies)
        ranked += enumerate(chosen)
        cannot_copy += refused
    # The newest of every source first: each has something before any has everything.
    wanted = [one for _, one in sorted(ranked, key=lambda pair: pair[0])]
    known = [one for one in wanted if isinstance(one, ExistingCopy)]
    beyond = prunable(policy, inventory, selected={one.backup.backup_id for one in wanted})
    return ReplicationPlan(
        policy=policy,
        source_region=inventory.source_region,
        destination_region=inventory.destination_region,
        made_at=inventory.now,
        to_copy=tuple(one for one in wanted if isinstance(one, PlannedCopy)),
        in_progress=tuple(one for one in known if not one.is_ready),
        up_to_date=tuple(one for one in known if one.is_ready),
        to_prune=tuple(one for one in beyond if not one.obstacles),
        held_back=tuple(one for one in beyond if one.obstacles),
        cannot_copy=(*cannot_copy, *_of_nothing(policy, inventory)),
        source_backups=sum(
            _is_recent(policy, one, inventory.now) for group in scope.values() for one in group
        ),
        missing=_missing(policy, scope.values()),
        report=report_of(policy, inventory),
    )


def _missing(policy: ReplicationPolicy, scope: Iterable[Sequence[Backup]]) -> tuple[str, ...]:
    """Return what *policy* names and *scope* has no backup of."""
    sources = (source_of(backups[0]) for backups in scope)
    found = {
        found
        for one in sources
        if one is not None
        for found in (one.source_id, one.file_system_id)
    }
    return tuple(sorted({*policy.file_system_ids, *policy.volume_ids} - found))


def _in_scope(policy: ReplicationPolicy, backups: Iterable[Backup]) -> dict[str, list[Backup]]:
    """
    Return the backups that are *policy*'s business, by their source, the newest first.

    Copies of other Regions' backups are, where their file system or volume is named and
    has no backups of its own here, so that the plan reports them.
    """
    originals: defaultdict[str, list[Backup]] = defaultdict(list)
    copies: defaultdict[str, list[Backup]] = defaultdict(list)
    for backup in sorted(backups, key=_order, reverse=True):
        source = source_of(backup)
        if source is not None and policy.covers(source):
            kind = originals if backup.source_backup_id is None else copies
            kind[source.source_id].append(backup)
    return {**copies, **originals} if policy.names_sources else originals


def _order(backup: Backup) -> tuple[datetime, str]:
    return (backup.creation_time, backup.backup_id)


def _choose(
    policy: ReplicationPolicy,
    inventory: Inventory,
    source_id: str,
    newest_first: Iterable[Backup],
    copies: Mapping[str, Sequence[Backup]],
) -> tuple[list[PlannedCopy | ExistingCopy], list[CannotCopy]]:
    """Return what *policy* selects of one source, and what it would if it could."""
    chosen: list[PlannedCopy | ExistingCopy] = []
    refused: list[CannotCopy] = []
    for backup in newest_first:
        if len(chosen) == policy.newest:
            break
        if not _is_recent(policy, backup, inventory.now):
            continue
        try:
            request = _request(policy, inventory, source_id, backup)
        except InvalidArguments as error:
            # An odd backup, with an ID outside the rules for example, hides no others.
            why = CannotCopyReason.INVALID
            refused.append(_cannot(source_id, backup, why, error.message))
            continue
        held = copies.get(backup.backup_id)
        reason = _obstacle(backup, request)
        if held:
            chosen.append(_known(source_id, backup, request, held))
        elif reason is not None:
            refused.append(_cannot(source_id, backup, reason))
        else:
            summary = BackupSummary.of(backup)
            chosen.append(PlannedCopy(source_id=source_id, backup=summary, request=request))
    # Of a source that never can be copied, as many as would have been.
    return chosen, refused[: policy.newest]


def _is_recent(policy: ReplicationPolicy, backup: Backup, now: datetime) -> bool:
    if backup.lifecycle == BackupLifecycle.DELETED:
        return False
    age = (now - backup.creation_time).total_seconds()
    return policy.newer_than is None or age <= policy.newer_than


def _obstacle(backup: Backup, request: CopyRequest) -> CannotCopyReason | None:
    """Return why *backup* cannot be copied, as far as one can see beforehand."""
    if backup.source_backup_id is not None:
        return CannotCopyReason.IS_A_COPY
    if is_of_flexgroup(backup):
        return CannotCopyReason.FLEXGROUP
    if backup.lifecycle.is_dead:
        return CannotCopyReason.FAILED
    if not backup.lifecycle.is_available:
        return CannotCopyReason.NOT_AVAILABLE
    # Tags of AWS's own are neither copied nor counted.
    taken_over = {tag.key for tag in backup.tags if not tag.key.startswith("aws:")}
    keys = {tag.key for tag in request.tags} | (taken_over if request.copy_tags else set())
    return CannotCopyReason.TOO_MANY_TAGS if len(keys) > MAX_TAGS else None


def _request(
    policy: ReplicationPolicy, inventory: Inventory, source_id: str, backup: Backup
) -> CopyRequest:
    """Return the request for a copy of *backup*, the same in every plan."""
    lineage = Lineage(
        policy=policy.name,
        source_id=source_id,
        backup_id=backup.backup_id,
        recovery_point=backup.creation_time,
    )
    return CopyRequest(
        source_backup_id=backup.backup_id,
        source_region=inventory.source_region,
        kms_key_id=policy.kms_key_id(inventory.destination_region),
        copy_tags=policy.copy_tags,
        tags=(*policy.tags, *lineage.tags),
        volume_id=ontap_volume_id(backup),
    )


def _known(
    source_id: str, backup: Backup, request: CopyRequest, copies: Sequence[Backup]
) -> ExistingCopy:
    """Return *backup* with the best of its live copies."""
    # One that is AVAILABLE, else one that is known to become it, else the first begun.
    best = min(
        copies,
        key=lambda one: (not one.lifecycle.is_available, one.lifecycle.is_unknown, _order(one)),
    )
    return ExistingCopy(
        source_id=source_id,
        backup=BackupSummary.of(backup),
        request=request,
        copy=BackupSummary.of(best),
    )


def _cannot(
    source_id: str | None, backup: Backup, reason: CannotCopyReason, detail: str | None = None
) -> CannotCopy:
    summary = BackupSummary.of(backup)
    return CannotCopy(source_id=source_id, backup=summary, reason=reason, detail=detail)


def _of_nothing(policy: ReplicationPolicy, inventory: Inventory) -> list[CannotCopy]:
    """Return the backups that belong to nothing that could be in scope or out of it."""
    if policy.names_sources:
        return []
    unknown = [
        _cannot(None, backup, CannotCopyReason.UNKNOWN_SOURCE)
        for backup in sorted(inventory.backups, key=_order, reverse=True)
        if source_of(backup) is None
        and backup.source_backup_id is None
        and _is_recent(policy, backup, inventory.now)
    ]
    return unknown[: policy.newest]

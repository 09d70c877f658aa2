"""Make plans: read both Regions, then decide without further calls."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import attrs

from fsxcopy_sdk._validation import (
    MAX_TAGS,
    ArgumentErrors,
    BackupFilter,
    check_type,
    exact_duration_text,
    is_reserved,
    partition_of,
)
from fsxcopy_sdk.bulk import CopyRequest, best_copy, ontap_volume_id
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import InvalidArguments, ResponseDecodingError
from fsxcopy_sdk.models import Backup, UnreadableBackup
from fsxcopy_sdk.replication._inventory import (
    Inventory,
    InventoryCopy,
    Lineage,
    grouped,
    has_intelligent_tiering,
    is_of_flexgroup,
    source_of,
    sources_of,
)
from fsxcopy_sdk.replication._plan import (
    BackupSummary,
    CannotCopy,
    CannotCopyReason,
    ExistingCopy,
    PlannedCopy,
    ReplicationPlan,
    ReplicationReport,
    SourceReport,
    request_for,
)
from fsxcopy_sdk.replication._policy import ReplicationPolicy, unseen_ids
from fsxcopy_sdk.replication._retention import retained
from fsxcopy_sdk.replication._timeline import Decisions, decisions, timeline


@attrs.frozen
class Listing:
    """What a listing showed."""

    backups: tuple[Backup, ...]
    unreadable: tuple[UnreadableBackup, ...]


async def read_listing(
    client: FsxCopyClient, filters: Iterable[BackupFilter] = (), *, strict: bool = False
) -> Listing:
    """Return all backups that pass *filters*, also those that cannot be read."""
    unreadable: list[UnreadableBackup] = []
    found = client.iter_backups(filters=filters, strict=strict, on_unreadable=unreadable.append)
    async with aclosing(found) as backups:
        readable = [one async for one in backups]
    return Listing(tuple(readable), tuple(unreadable))


async def plan_replication(
    source: FsxCopyClient,
    destination: FsxCopyClient,
    policy: ReplicationPolicy,
    *,
    now: datetime | None = None,
    strict: bool = False,
) -> ReplicationPlan:
    """
    Read both Regions and decide what *policy* wants done; nothing is changed.

    *now* is the time that ages are measured at; None for the service's own, as the
    answers date it, because a machine's clock may be wrong.

    An unreadable backup does not hide others. If it is a copy, its source is not copied again.
    Nothing is pruned of its file system or volume, or of any if that cannot be read either.
    With *strict* it makes the listing fail instead. In the destination the listing always
    fails if an unreadable backup may be a copy of any.

    Raises:
        InvalidArguments: *policy* is not a ReplicationPolicy, *now* has no time zone, or
            nothing can be copied between the Regions; nothing was sent.
        CallError: a listing failed.
        ClientNotOpen: a client is not open.
    """
    check_type("source", source, FsxCopyClient)
    check_type("destination", destination, FsxCopyClient)
    check_type("policy", policy, ReplicationPolicy)
    errors = ArgumentErrors()
    if now is not None and not _has_utc(now):
        errors.add_value("now", "a datetime with a time zone", now)
    errors.check_type("strict", strict, bool, "True or False")
    partitions = partition_of(source.region), partition_of(destination.region)
    if partitions[0] != partitions[1]:
        rule = f"of a Region in the partition of {source.region}, which is {partitions[0]}"
        errors.add("destination", rule, f"of {destination.region}, which is in {partitions[1]}")
    errors.raise_any()
    # In this order, so that a copy that is started meanwhile is seen and not planned again.
    originals = await read_listing(source, policy.filters, strict=strict)
    held = await read_listing(destination, strict=strict)
    for one in held.unreadable:
        if one.is_copy is None:
            raise ResponseDecodingError.of(one, destination.region)
    moment = now or destination.service_time or datetime.now(UTC)
    inventory = Inventory(
        source_region=source.region,
        destination_region=destination.region,
        now=moment.astimezone(UTC),
        backups=originals.backups,
        held=held.backups,
        unreadable_backups=originals.unreadable,
        unreadable_held=held.unreadable,
    )
    return decide(policy, inventory)


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
    copies = grouped(inventory.copies, lambda copy: copy.origin_id)
    ranked: list[tuple[int, PlannedCopy | ExistingCopy]] = []
    cannot_copy: list[CannotCopy] = []
    scope, unknown = _in_scope(policy, inventory.backups)
    for source_id, backups in sorted(scope.items()):
        chosen, refused = _choose(policy, inventory, source_id, backups, copies)
        ranked += enumerate(chosen)
        cannot_copy += refused
    cannot_copy += _choose(policy, inventory, None, unknown, copies)[1]
    # The newest of every source first: each has something before any has everything.
    wanted = [one for _, one in sorted(ranked, key=lambda pair: pair[0])]
    known = [one for one in wanted if isinstance(one, ExistingCopy)]
    selected = {one.backup.backup_id for one in wanted}
    beyond, kept = retained(policy, inventory, selected=selected)
    made = decisions(wanted, beyond, kept, cannot_copy)
    in_scope = [one for group in scope.values() for one in group]
    missing = unseen_ids(policy, map(source_of, in_scope))
    missing -= sources_of(*inventory.unreadable_backups)
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
        kept=kept,
        cannot_copy=tuple(cannot_copy),
        source_backups=sum(_is_recent(policy, one, inventory.now) for one in in_scope),
        missing=tuple(sorted(missing)),
        report=_report(policy, inventory, scope, made),
        unreadable_in_source=inventory.unreadable_backups,
        unreadable_in_destination=inventory.unreadable_held,
        owner_id=inventory.owner_id,
    )


def _in_scope(
    policy: ReplicationPolicy, backups: Iterable[Backup]
) -> tuple[dict[str, list[Backup]], list[Backup]]:
    """Return the backups that *policy* covers by their source, and those of unknown sources."""
    # The newest come first. Copies of other Regions' backups are among them if their file system
    # or volume is named and has no backups of its own here, so that the plan reports them.
    unknown: list[Backup] = []
    originals: defaultdict[str, list[Backup]] = defaultdict(list)
    copies: defaultdict[str, list[Backup]] = defaultdict(list)
    for backup in sorted(backups, key=_order, reverse=True):
        source = source_of(backup)
        if source is not None and policy.covers(source):
            kind = originals if backup.source_backup_id is None else copies
            kind[source.source_id].append(backup)
        elif source is None and backup.source_backup_id is None:
            unknown.append(backup)
    return ({**copies, **originals}, []) if policy.names_sources else (originals, unknown)


def _order(backup: Backup) -> tuple[datetime, str]:
    return (backup.creation_time, backup.backup_id)


def _choose(
    policy: ReplicationPolicy,
    inventory: Inventory,
    source_id: str | None,
    newest_first: Iterable[Backup],
    copies: Mapping[str, Sequence[InventoryCopy]],
) -> tuple[list[PlannedCopy | ExistingCopy], list[CannotCopy]]:
    """Return what *policy* selects of one source, and what it would if it could."""
    chosen: list[PlannedCopy | ExistingCopy] = []
    in_doubt: list[CannotCopy] = []
    refused: list[CannotCopy] = []
    for backup in newest_first:
        # A copy that cannot be read counts, so that no older backup is copied in its place.
        newer = len(chosen) + len(in_doubt)
        if newer == policy.newest:
            break
        if _is_recent(policy, backup, inventory.now):
            held = [one.backup for one in copies.get(backup.backup_id, ())]
            kind = "that can be copied"
            if not refused:
                kind = "that can be read" if _may_be_older(inventory, source_id) else ""
            why = _why_selected(policy, newer, kind)
            one = _classify(policy, inventory, source_id, backup, held, why=why)
            if not isinstance(one, CannotCopy):
                chosen.append(one)
            elif one.reason is CannotCopyReason.UNREADABLE_COPY:
                in_doubt.append(one)
            else:
                refused.append(one)
    # Of a source that never can be copied, as many as would have been.
    return chosen, [*in_doubt, *refused[: policy.newest]]


def _may_be_older(inventory: Inventory, source_id: str | None) -> bool:
    """Whether a source may have a newer original than those that can be read."""
    originals = (one for one in inventory.unreadable_backups if not one.is_copy)
    return not sources_of(*originals).isdisjoint({source_id, None})


def _why_selected(policy: ReplicationPolicy, newer: int, kind: str) -> str:
    """
    Return why *policy* selects a backup; *newer* ones of its source were selected already.

    *kind* names the backups that it is the newest of, if not all.
    """
    if not newer:
        return f"the newest backup {kind}".rstrip()
    if policy.newest is not None:
        return f"one of the {policy.newest} newest backups"
    if policy.newer_than is not None:
        return f"not older than {exact_duration_text(policy.newer_than)}"
    return "every backup is selected"


def _is_recent(policy: ReplicationPolicy, backup: Backup, now: datetime) -> bool:
    if backup.lifecycle == BackupLifecycle.DELETED:
        return False
    age = (now - backup.creation_time).total_seconds()
    return policy.newer_than is None or age <= policy.newer_than


def _classify(
    policy: ReplicationPolicy,
    inventory: Inventory,
    source_id: str | None,
    backup: Backup,
    copies: Sequence[Backup],
    *,
    why: str,
) -> PlannedCopy | ExistingCopy | CannotCopy:
    """Return the action for a backup, which may have *copies*; *why* it is selected."""
    summary = BackupSummary.of(backup)
    if source_id is None:
        reason = CannotCopyReason.UNKNOWN_SOURCE
        return CannotCopy(source_id=None, backup=summary, reason=reason)
    lineage = Lineage(
        policy=policy.name,
        source_id=source_id,
        backup_id=backup.backup_id,
        recovery_point=backup.creation_time,
    )
    try:
        request = request_for(
            policy,
            inventory.source_region,
            inventory.destination_region,
            lineage,
            ontap_volume_id(backup),
        )
    except InvalidArguments as error:
        # An odd backup, with an ID outside the rules for example, hides no others.
        return CannotCopy(
            source_id=source_id,
            backup=summary,
            reason=CannotCopyReason.INVALID,
            detail=error.message,
        )
    if best := best_copy(copies):
        copy = BackupSummary.of(best)
        return ExistingCopy(source_id=source_id, backup=summary, request=request, copy=copy)
    if unreadable := inventory.unreadable_copy_of(backup.backup_id):
        return CannotCopy(
            source_id=source_id,
            backup=summary,
            reason=CannotCopyReason.UNREADABLE_COPY,
            detail=str(unreadable),
        )
    obstacle = _obstacle(backup, request)
    if obstacle is not None:
        return CannotCopy(source_id=source_id, backup=summary, reason=obstacle)
    state = ", ".join(f"its copy {one.backup_id} is {one.lifecycle}" for one in copies)
    return PlannedCopy(
        source_id=source_id,
        backup=summary,
        request=request,
        reason=f"{why}, {state or 'no copy yet'}",
    )


def _obstacle(backup: Backup, request: CopyRequest) -> CannotCopyReason | None:
    if backup.source_backup_id is not None:
        return CannotCopyReason.IS_A_COPY
    if is_of_flexgroup(backup):
        return CannotCopyReason.FLEXGROUP
    if has_intelligent_tiering(backup):
        return CannotCopyReason.INTELLIGENT_TIERING
    if backup.lifecycle.is_dead:
        return CannotCopyReason.FAILED
    if not backup.lifecycle.is_available:
        return CannotCopyReason.NOT_AVAILABLE
    # Tags of AWS's own are neither copied nor counted.
    copied = {tag.key for tag in backup.tags if not is_reserved(tag.key)}
    keys = {tag.key for tag in request.tags} | (copied if request.copy_tags else set())
    return CannotCopyReason.TOO_MANY_TAGS if len(keys) > MAX_TAGS else None


def _report(
    policy: ReplicationPolicy,
    inventory: Inventory,
    scope: Mapping[str, Sequence[Backup]],
    made: Decisions,
) -> ReplicationReport:
    """Return the age of the newest copy of everything in the scope of *policy*."""
    # A source that has only copies here is in another Region.
    originals = {
        source_id: group for source_id, group in scope.items() if group[0].source_backup_id is None
    }
    # If the backups of a source are gone, its copies can still be late.
    owned = [copy.source_under(policy.name) for copy in inventory.copies]
    sources = [one for one in owned if one is not None and policy.covers(one)]
    backups = [one for group in originals.values() for one in group]
    missing = unseen_ids(policy, (*sources, *map(source_of, backups)))
    copies = grouped(inventory.copies, lambda copy: copy.source and copy.source.source_id)
    unreadable = Counter(
        source_id
        for one in (*inventory.unreadable_backups, *inventory.unreadable_held)
        for source_id in sources_of(one, origins=inventory.backups)
    )
    rows = []
    for one in sorted({*originals, *missing, *(source.source_id for source in sources)}):
        group = originals.get(one, ())
        row = _row(policy, inventory.now, one, group, copies.get(one, ()))
        entries = timeline(group, copies.get(one, ()), made, inventory.now)
        rows.append(attrs.evolve(row, unreadable=unreadable[one], timeline=entries))
    return ReplicationReport(
        policy_name=policy.name,
        source_region=inventory.source_region,
        destination_region=inventory.destination_region,
        made_at=inventory.now,
        max_age=policy.max_age,
        sources=tuple(rows),
        unreadable=len(inventory.unreadable_backups) + len(inventory.unreadable_held),
        unread=_unread(policy, inventory, rows),
    )


def _unread(
    policy: ReplicationPolicy, inventory: Inventory, rows: Iterable[SourceReport]
) -> tuple[UnreadableBackup, ...]:
    # A policy that names sources misses those that nothing shows. The file system of a volume is
    # not known here.
    wanted = {*policy.file_system_ids, *policy.volume_ids}
    seen = {one.source_id for one in rows if one.newest_backup is not None}
    return tuple(
        one
        for one in inventory.unreadable_backups
        if one.is_copy is not True
        and one.resource_id not in seen
        and (not wanted or one.resource_id in wanted)
    )


def _row(
    policy: ReplicationPolicy,
    now: datetime,
    source_id: str,
    newest_first: Iterable[Backup],
    copies: Sequence[InventoryCopy],
) -> SourceReport:
    newest = next((one for one in newest_first if one.lifecycle.is_available), None)
    ready = [one for one in copies if one.backup.lifecycle.is_available]
    latest = max(ready, key=lambda one: one.order, default=None)
    failed = [one for one in copies if one.backup.lifecycle is BackupLifecycle.FAILED]
    if latest is not None:
        failed = [one for one in failed if one.recovery_point > latest.recovery_point]
    # Clocks differ a little: nothing is made in the future.
    age = max(0.0, (now - latest.recovery_point).total_seconds()) if latest else None
    return SourceReport(
        source_id=source_id,
        newest_backup=BackupSummary.of(newest) if newest else None,
        newest_copy=BackupSummary.of(latest.backup) if latest else None,
        recovery_point=latest.recovery_point if latest else None,
        age=age,
        in_progress=sum(not one.backup.lifecycle.is_terminal for one in copies),
        is_late=age is None or age > policy.max_age,
        failed=len(failed),
        copy_bytes=sum(one.backup.size_in_bytes or 0 for one in ready),
    )

"""
Which copies a policy no longer keeps, and what speaks against deleting them: pure decisions.

Whatever the policy says, only AVAILABLE copies whose tags name this policy are prunable,
and never the newest of a file system or volume and key: the next incremental copy and
every restore need it. A copy that a listing leaves out makes nothing else prunable: what
is kept is counted, and its age measured, from the newest copies that are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from fsxcopy_sdk.enums import BackupLifecycle, FilterName
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import (
    Inventory,
    InventoryCopy,
    Source,
    grouped,
    source_of,
)
from fsxcopy_sdk.replication._keep import KeepRule, judge
from fsxcopy_sdk.replication._plan import BackupSummary, KeptCopy, PlannedPrune, PruneObstacle
from fsxcopy_sdk.replication._policy import ReplicationPolicy


def retained(
    policy: ReplicationPolicy, inventory: Inventory, *, selected: Collection[str]
) -> tuple[tuple[PlannedPrune, ...], tuple[KeptCopy, ...]]:
    """
    Return the copies that *policy* no longer keeps, with their obstacles, and those it does.

    Both have the oldest first. *selected* are the backups that shall have a copy: what is
    deleted of theirs today would be copied again tomorrow. Of each source the oldest are
    free to go, up to half of its copies.
    """
    prunes: list[PlannedPrune] = []
    kept = _unfinished(policy, inventory, selected)
    originals = _sources_with_originals(inventory)
    unreadable = inventory.unreadable_sources
    for source_id, owned in owned_by_source(policy, inventory).items():
        beyond: list[tuple[InventoryCopy, str]] = []
        for group in grouped(owned, lambda copy: copy.backup.kms_key_id).values():
            for copy, kept_by, passed_by in _judged(policy, group, selected):
                if kept_by:
                    kept.append(_kept(source_id, copy, kept_by))
                else:
                    beyond.append((copy, ", ".join(passed_by)))
        beyond.sort(key=lambda pair: pair[0].order)
        for number, (copy, reason) in enumerate(beyond):
            obstacles: list[PruneObstacle] = []
            if source_id not in originals:
                obstacles.append(PruneObstacle.NO_ORIGINAL)
            if number >= most_to_prune(len(owned)):
                obstacles.append(PruneObstacle.MORE_THAN_HALF)
            if not unreadable.isdisjoint({source_id, None}):
                obstacles.append(PruneObstacle.UNREADABLE)
            prunes.append(
                PlannedPrune(
                    source_id=source_id,
                    source_backup_id=copy.origin_id,
                    copy=BackupSummary.of(copy.backup),
                    recovery_point=copy.recovery_point,
                    reason=reason,
                    obstacles=tuple(obstacles),
                )
            )
    return tuple(sorted(prunes, key=_age_order)), tuple(sorted(kept, key=_age_order))


def _age_order(one: PlannedPrune | KeptCopy) -> tuple[datetime, str]:
    return (one.recovery_point, one.copy.backup_id)


def _kept(source_id: str, copy: InventoryCopy, kept_by: Mapping[KeepRule, str]) -> KeptCopy:
    return KeptCopy(
        source_id=source_id,
        source_backup_id=copy.origin_id,
        copy=BackupSummary.of(copy.backup),
        recovery_point=copy.recovery_point,
        rules=tuple(kept_by),
        reason=", ".join(kept_by.values()),
    )


def _unfinished(
    policy: ReplicationPolicy, inventory: Inventory, selected: Collection[str]
) -> list[KeptCopy]:
    """Return the copies of *policy* that are not AVAILABLE and that the plan does not follow."""
    kept: list[KeptCopy] = []
    for copy in inventory.copies:
        source, lifecycle = copy.source_under(policy.name), copy.backup.lifecycle
        is_followed = copy.origin_id in selected and not lifecycle.is_dead
        if lifecycle in (BackupLifecycle.AVAILABLE, BackupLifecycle.DELETED) or is_followed:
            continue
        if source is not None and _is_covered(policy, source, copy.backup):
            rule = KeepRule.DEAD if lifecycle.is_dead else KeepRule.IN_PROGRESS
            kept.append(_kept(source.source_id, copy, {rule: f"{rule}: {lifecycle}"}))
    return kept


def most_to_prune(copies: int) -> int:
    """Return how many of a source's *copies* one run may delete: no more than half."""
    return copies // 2


def owned_by_source(
    policy: ReplicationPolicy, inventory: Inventory
) -> dict[str, list[InventoryCopy]]:
    """Return the AVAILABLE copies that belong to *policy*, by their file system or volume."""
    owned: defaultdict[str, list[InventoryCopy]] = defaultdict(list)
    for copy in inventory.copies:
        source = copy.source_under(policy.name)
        is_available = copy.backup.lifecycle.is_available
        if is_available and source is not None and _is_covered(policy, source, copy.backup):
            owned[source.source_id].append(copy)
    return owned


def _sources_with_originals(inventory: Inventory) -> set[str]:
    """Return the file systems and volumes that have an AVAILABLE original in the listing."""
    sources = (
        source_of(one)
        for one in inventory.backups
        if one.source_backup_id is None and one.lifecycle.is_available
    )
    return {source.source_id for source in sources if source is not None}


def _is_covered(policy: ReplicationPolicy, source: Source, copy: Backup) -> bool:
    """Whether *copy*, which is of *source*, is in *policy*'s scope."""
    # Filters narrow that too, as far as they are about the source: a copy does not say, for
    # example, whether its backup was automatic.
    file_system, volume = copy.file_system, copy.volume
    shown = {
        FilterName.FILE_SYSTEM_ID: source.file_system_id,
        FilterName.VOLUME_ID: volume and volume.volume_id,
        FilterName.FILE_SYSTEM_TYPE: (file_system and file_system.file_system_type)
        or (volume and volume.volume_type),
    }
    passes = all(shown[one.name] in one.values for one in policy.filters if one.name in shown)
    return passes and policy.covers(source)


def _judged(
    policy: ReplicationPolicy, group: Collection[InventoryCopy], selected: Collection[str]
) -> Iterator[tuple[InventoryCopy, dict[KeepRule, str], list[str]]]:
    """Yield the copies of one source and key, what keeps each, and what of `keep` does not."""
    if policy.keep is None:
        for copy in group:
            yield copy, {KeepRule.EVERYTHING: "the policy prunes nothing"}, []
        return
    # Their age is measured from the newest of them: by the clock, a source that makes no new
    # backups would lose its copies.
    newest_first = sorted(group, key=lambda copy: copy.order, reverse=True)
    # Two copies of one backup are one recovery point.
    points: dict[str, datetime] = {}
    for copy in newest_first:
        points.setdefault(copy.origin_id, copy.recovery_point)
    verdicts = dict(zip(points, judge(policy.keep, [*points.values()]), strict=True))
    # An old backup may have been copied late: by creation times alone, that one is the newest.
    last_begun = max(group, key=lambda copy: (copy.backup.creation_time, copy.order))
    for copy in newest_first:
        verdict = verdicts[copy.origin_id]
        kept_by = dict(verdict.kept_by)
        if copy.origin_id == newest_first[0].origin_id:
            kept_by[KeepRule.NEWEST] = "the newest"
        elif copy.origin_id == last_begun.origin_id:
            kept_by[KeepRule.BEGUN_LAST] = "the copy that was begun last"
        if copy.origin_id in selected:
            kept_by[KeepRule.SELECTED] = "its backup is selected"
        if any(tag.key == policy.keep_tag for tag in copy.backup.tags):
            kept_by[KeepRule.TAG] = f"has the tag {policy.keep_tag}"
        yield copy, kept_by, verdict.passed_by

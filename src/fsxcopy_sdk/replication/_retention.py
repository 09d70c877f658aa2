"""
Which copies a policy no longer keeps, and what speaks against deleting them: pure decisions.

Whatever the policy says, only AVAILABLE copies whose tags name this policy are prunable,
and never the newest of a file system or volume and key: the next incremental copy and
every restore need it. A copy that a listing leaves out makes nothing else prunable: what
is kept is counted, and its age measured, from the newest copies that are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import islice

from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import Inventory, InventoryCopy, Source, source_of
from fsxcopy_sdk.replication._plan import BackupSummary, PlannedPrune, PruneObstacle, duration_text
from fsxcopy_sdk.replication._policy import ReplicationPolicy


def prunable(
    policy: ReplicationPolicy, inventory: Inventory, *, selected: Collection[str]
) -> tuple[PlannedPrune, ...]:
    """
    Return the copies that *policy* no longer keeps, the oldest first, with their obstacles.

    *selected* are the backups that shall have a copy: what is deleted of theirs today
    would be copied again tomorrow. Of each source the oldest are free to go, up to half
    of its copies.
    """
    if not policy.prunes:
        return ()
    found: list[PlannedPrune] = []
    originals = _sources_with_originals(inventory.backups)
    for source_id, owned in _owned_by_source(policy, inventory.copies).items():
        beyond = [
            copy
            for group in _by_key(owned)
            for copy in _beyond(policy, group)
            if copy.origin_id not in selected and not _is_protected(policy, copy)
        ]
        beyond.sort(key=lambda copy: copy.order)
        allowed = most_to_prune(len(owned))
        for number, copy in enumerate(beyond):
            obstacles: list[PruneObstacle] = []
            if source_id not in originals:
                obstacles.append(PruneObstacle.NO_ORIGINAL)
            if number >= allowed:
                obstacles.append(PruneObstacle.MORE_THAN_HALF)
            found.append(
                PlannedPrune(
                    source_id=source_id,
                    source_backup_id=copy.origin_id,
                    copy=BackupSummary.of(copy.backup),
                    recovery_point=copy.recovery_point,
                    reason=_reason(policy),
                    obstacles=tuple(obstacles),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.recovery_point, one.copy.backup_id)))


def most_to_prune(copies: int) -> int:
    """Return how many of a source's *copies* one run may delete: no more than half."""
    return copies // 2


def count_owned(policy: ReplicationPolicy, inventory: Inventory, source_id: str) -> int:
    """Return how many AVAILABLE copies of a source are *policy*'s."""
    return len(_owned_by_source(policy, inventory.copies).get(source_id, ()))


def _sources_with_originals(backups: Iterable[Backup]) -> set[str]:
    """Return the file systems and volumes of which an AVAILABLE original is listed."""
    sources = (
        source_of(one)
        for one in backups
        if one.source_backup_id is None and one.lifecycle.is_available
    )
    return {source.source_id for source in sources if source is not None}


def _owned_by_source(
    policy: ReplicationPolicy, copies: Iterable[InventoryCopy]
) -> dict[str, list[InventoryCopy]]:
    owned: defaultdict[str, list[InventoryCopy]] = defaultdict(list)
    for copy in copies:
        source = copy.source_under(policy.name)
        if source is not None and _is_covered(policy, source, copy.backup):
            owned[source.source_id].append(copy)
    return dict(owned)


def _by_key(copies: Iterable[InventoryCopy]) -> Iterable[list[InventoryCopy]]:
    groups: defaultdict[str | None, list[InventoryCopy]] = defaultdict(list)
    for copy in copies:
        groups[copy.backup.kms_key_id].append(copy)
    return groups.values()


def _is_covered(policy: ReplicationPolicy, source: Source, copy: Backup) -> bool:
    """
    Whether *copy*, which is of *source*, can be restored and is in *policy*'s scope.

    Filters narrow that too, as far as they are about the source: a copy does not tell,
    for example, whether its backup was automatic.
    """
    file_system, volume = copy.file_system, copy.volume
    shown = {
        FilterName.FILE_SYSTEM_ID: source.file_system_id,
        FilterName.VOLUME_ID: volume and volume.volume_id,
        FilterName.FILE_SYSTEM_TYPE: (file_system and file_system.file_system_type)
        or (volume and volume.volume_type),
    }
    passes = all(shown[one.name] in one.values for one in policy.filters if one.name in shown)
    return passes and policy.covers(source) and copy.lifecycle.is_available


def _beyond(policy: ReplicationPolicy, group: Collection[InventoryCopy]) -> list[InventoryCopy]:
    """Return the copies of one source and key that are neither new nor young enough."""
    newest_first = sorted(group, key=lambda copy: copy.order, reverse=True)
    # Two copies of one backup are one recovery point.
    origins = dict.fromkeys(copy.origin_id for copy in newest_first)
    kept = set(islice(origins, policy.keep_last or 1))
    # An old backup may have been copied late: by creation times alone, that one is the newest.
    last_begun = max(group, key=lambda copy: (copy.backup.creation_time, copy.order))
    kept.add(last_begun.origin_id)
    newest = newest_first[0]
    return [
        copy
        for copy in newest_first
        if copy.origin_id not in kept and _is_old(policy, copy, newest)
    ]


def _is_old(policy: ReplicationPolicy, copy: InventoryCopy, newest: InventoryCopy) -> bool:
    """
    Whether *copy* is older than the policy keeps, measured from the newest of its group.

    Measured from the clock, a source that makes no new backups would lose its copies.
    """
    age = (newest.recovery_point - copy.recovery_point).total_seconds()
    return policy.keep_within is None or age > policy.keep_within


def _is_protected(policy: ReplicationPolicy, copy: InventoryCopy) -> bool:
    return any(tag.key == policy.keep_tag for tag in copy.backup.tags)


def _reason(policy: ReplicationPolicy) -> str:
    newest = policy.keep_last or 1
    reasons = [f"not among the newest {newest}" if newest > 1 else "not the newest"]
    if policy.keep_within is not None:
        older = f"more than {duration_text(policy.keep_within)} older than the newest"
        reasons.append(older)
    return ", ".join(reasons)

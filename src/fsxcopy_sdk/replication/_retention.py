"""
Which copies a policy no longer keeps, and what speaks against deleting them: pure decisions.

Whatever the policy says, only AVAILABLE copies whose tags name this policy are prunable,
and never the newest of a file system or volume and key: the next incremental copy and
every restore need it. A copy that a listing leaves out makes nothing else prunable: what
is kept is counted, and its age measured, from the newest copies that are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from fsxcopy_sdk._validation import duration_text
from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._inventory import (
    Inventory,
    InventoryCopy,
    Source,
    grouped,
    source_of,
)
from fsxcopy_sdk.replication._plan import BackupSummary, PlannedPrune, PruneObstacle
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
    originals = _sources_with_originals(inventory)
    unreadable = inventory.unreadable_sources
    for source_id, owned in owned_by_source(policy, inventory).items():
        beyond = [
            copy
            for group in grouped(owned, lambda copy: copy.backup.kms_key_id).values()
            for copy in _beyond(policy, group)
            if copy.origin_id not in selected
            and all(tag.key != policy.keep_tag for tag in copy.backup.tags)
        ]
        for number, copy in enumerate(sorted(beyond, key=lambda copy: copy.order)):
            obstacles: list[PruneObstacle] = []
            if source_id not in originals:
                obstacles.append(PruneObstacle.NO_ORIGINAL)
            if number >= most_to_prune(len(owned)):
                obstacles.append(PruneObstacle.MORE_THAN_HALF)
            if not unreadable.isdisjoint({source_id, None}):
                obstacles.append(PruneObstacle.UNREADABLE)
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


def owned_by_source(
    policy: ReplicationPolicy, inventory: Inventory
) -> dict[str, list[InventoryCopy]]:
    """Return the AVAILABLE copies that belong to *policy*, by their file system or volume."""
    owned: defaultdict[str, list[InventoryCopy]] = defaultdict(list)
    for copy in inventory.copies:
        source = copy.source_under(policy.name)
        if source is not None and _is_covered(policy, source, copy.backup):
            owned[source.source_id].append(copy)
    return owned


def _sources_with_originals(inventory: Inventory) -> set[str]:
    """Return the file systems and volumes of which an AVAILABLE original is listed."""
    sources = (
        source_of(one)
        for one in inventory.backups
        if one.source_backup_id is None and one.lifecycle.is_available
    )
    return {source.source_id for source in sources if source is not None}


def _is_covered(policy: ReplicationPolicy, source: Source, copy: Backup) -> bool:
    """Whether *copy*, which is of *source*, can be restored and is in *policy*'s scope."""
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
    return passes and policy.covers(source) and copy.lifecycle.is_available


def _beyond(policy: ReplicationPolicy, group: Collection[InventoryCopy]) -> list[InventoryCopy]:
    """Return the copies of one source and key that are neither new nor young enough."""
    # Their age is measured from the newest of them: by the clock, a source that makes no new
    # backups would lose its copies.
    newest_first = sorted(group, key=lambda copy: copy.order, reverse=True)
    newest = newest_first[0].recovery_point
    # Two copies of one backup are one recovery point.
    origins = list(dict.fromkeys(copy.origin_id for copy in newest_first))
    # An old backup may have been copied late: by creation times alone, that one is the newest.
    last_begun = max(group, key=lambda copy: (copy.backup.creation_time, copy.order))
    kept = {last_begun.origin_id, *origins[: policy.keep_last or 1]}
    return [
        copy
        for copy in newest_first
        if copy.origin_id not in kept
        and (
            policy.keep_within is None
            or (newest - copy.recovery_point).total_seconds() > policy.keep_within
        )
    ]


def _reason(policy: ReplicationPolicy) -> str:
    newest = policy.keep_last or 1
    reason = f"not among the newest {newest}" if newest > 1 else "not the newest"
    if policy.keep_within is not None:
        reason += f", more than {duration_text(policy.keep_within)} older than the newest"
    return reason

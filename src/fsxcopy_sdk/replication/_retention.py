"""
Which copies a policy no longer keeps: pure decisions.

Whatever the policy says, nothing is superfluous but AVAILABLE copies whose tags are this
policy's, and never the newest of a file system or volume and key: the next incremental
copy needs it, and so does whoever has to restore.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice

from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.replication._plan import PlannedPrune
from fsxcopy_sdk.replication._policy import ReplicationPolicy
from fsxcopy_sdk.replication._situation import HeldCopy
from fsxcopy_sdk.replication._sources import Source, is_available
from fsxcopy_sdk.replication._values import BackupSummary, duration_text


def superfluous(
    policy: ReplicationPolicy,
    copies: Iterable[HeldCopy],
    *,
    selected: Collection[str],
    now: datetime,
) -> tuple[PlannedPrune, ...]:
    """
    Return the copies that *policy* no longer keeps, the oldest first.

    *selected* are the backups that are to have a copy: what is deleted of theirs today
    would be copied again tomorrow.
    """
    if not policy.prunes:
        return ()
    groups: defaultdict[tuple[str, str | None], list[HeldCopy]] = defaultdict(list)
    for copy in copies:
        source = copy.source_under(policy.name)
        if source is not None and _is_covered(policy, source, copy.backup):
            groups[source.source_id, copy.backup.kms_key_id].append(copy)
    found = [
        PlannedPrune(
            source_id=source_id,
            copy=BackupSummary.of(copy.backup),
            recovery_point=copy.recovery_point,
            reason=_reason(policy),
        )
        for (source_id, _), group in groups.items()
        for copy in _beyond(policy, group, now)
        if copy.origin_id not in selected and not _is_protected(policy, copy)
    ]
    return tuple(sorted(found, key=lambda one: (one.recovery_point, one.copy.backup_id)))


def _is_covered(policy: ReplicationPolicy, source: Source, copy: Backup) -> bool:
    """
    Whether *copy*, which is of *source*, can be restored and is *policy*'s business.

    Filters narrow that too, as far as they are about the source: whether a backup was
    automatic, say, its copy does not tell.
    """
    file_system, volume = copy.file_system, copy.volume
    shown = {
        FilterName.FILE_SYSTEM_ID: source.file_system_id,
        FilterName.VOLUME_ID: volume and volume.volume_id,
        FilterName.FILE_SYSTEM_TYPE: (file_system and file_system.file_system_type)
        or (volume and volume.volume_type),
    }
    passes = all(shown[one.name] in one.values for one in policy.filters if one.name in shown)
    return passes and policy.covers(source) and is_available(copy)


def _beyond(
    policy: ReplicationPolicy, group: Collection[HeldCopy], now: datetime
) -> list[HeldCopy]:
    """
    Return the copies of one source and key that are neither new nor young enough.
    """
    newest_first = sorted(group, key=lambda copy: copy.order, reverse=True)
    # Two copies of one backup are one point to go back to.
    origins = dict.fromkeys(copy.origin_id for copy in newest_first)
    kept = set(islice(origins, policy.keep_newest or 1))
    # An old backup may have been copied late: to whoever looks at copies alone, that
    # one is the newest.
    last_begun = max(group, key=lambda copy: copy.backup.creation_time)
    kept.add(last_begun.origin_id)
    return [
        copy for copy in newest_first if copy.origin_id not in kept and _is_old(policy, copy, now)
    ]


def _is_old(policy: ReplicationPolicy, copy: HeldCopy, now: datetime) -> bool:
    age = (now - copy.recovery_point).total_seconds()
    return policy.keep_for is None or age > policy.keep_for


def _is_protected(policy: ReplicationPolicy, copy: HeldCopy) -> bool:
    return any(tag.key == policy.protect_tag for tag in copy.backup.tags)


def _reason(policy: ReplicationPolicy) -> str:
    newest = policy.keep_newest or 1
    reasons = [f"not among the newest {newest}" if newest > 1 else "not the newest"]
    if policy.keep_for is not None:
        reasons.append(f"older than {duration_text(policy.keep_for)}")
    return ", ".join(reasons)

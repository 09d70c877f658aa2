"""
What a plan says: frozen values that print well and become JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import attrs

from fsxcopy_sdk.bulk import CopyRequest
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.replication._policy import ReplicationPolicy
from fsxcopy_sdk.replication._report import ReplicationReport
from fsxcopy_sdk.replication._values import BackupSummary, JsonValue, time_text, to_plain


class CannotCopyReason(StrEnum):
    """
    Why a backup that the policy selects is not copied.
    """

    NOT_AVAILABLE = "not AVAILABLE"
    FLEXGROUP = "of a FlexGroup volume"
    IS_A_COPY = "a copy itself"
    UNKNOWN_SOURCE = "of no file system or volume that the service names"
    TOO_MANY_TAGS = "its copy would have too many tags"


@attrs.frozen(kw_only=True)
class PlannedCopy:
    """
    A backup that is to be copied.
    """

    source_id: str
    """The file system or volume that it is of."""
    backup: BackupSummary
    request: CopyRequest
    """What will be asked of the destination: the same for the same policy and backup."""

    def __str__(self) -> str:
        return f"{self.source_id}: {self.backup}"


@attrs.frozen(kw_only=True)
class KnownCopy:
    """
    A backup that has a copy, which is AVAILABLE or on its way.
    """

    source_id: str
    """The file system or volume that the backup is of."""
    backup: BackupSummary
    request: CopyRequest
    """What would be asked of the destination, if there were no copy."""
    copy: BackupSummary

    @property
    def is_ready(self) -> bool:
        """
        Whether the copy is AVAILABLE.
        """
        return self.copy.lifecycle == BackupLifecycle.AVAILABLE

    def __str__(self) -> str:
        copy, progress = self.copy, self.copy.progress_percent
        state = "" if self.is_ready else f", {copy.lifecycle}"
        if progress is not None and not self.is_ready:
            state += f", {progress} %"
        return f"{self.source_id}: {self.backup} as {copy.backup_id}{state}"


@attrs.frozen(kw_only=True)
class PlannedPrune:
    """
    A copy that the policy no longer keeps.
    """

    source_id: str
    """The file system or volume that its backup was of."""
    copy: BackupSummary
    recovery_point: datetime
    """When its backup was made, in UTC."""
    reason: str

    def __str__(self) -> str:
        made = time_text(self.recovery_point)
        return f"{self.source_id}: {self.copy.backup_id} of a backup of {made}: {self.reason}"


@attrs.frozen(kw_only=True)
class CannotCopy:
    """
    A backup that the policy selects and that cannot be copied.
    """

    source_id: str | None
    """The file system or volume that it is of; None where the service does not say."""
    backup: BackupSummary
    reason: CannotCopyReason

    def __str__(self) -> str:
        source = self.source_id or "unknown source"
        lifecycle = self.backup.lifecycle
        state = f": {lifecycle}" if self.reason is CannotCopyReason.NOT_AVAILABLE else ""
        return f"{source}: {self.backup}: {self.reason}{state}"


@attrs.frozen(kw_only=True)
class ReplicationPlan:
    """
    What is to be done so that one Region has the copies that a policy wants of another.

    It was made from what both Regions held at `made_at`; carried out late or twice, it
    copies nothing twice and deletes nothing that was worth keeping by then.
    """

    policy: ReplicationPolicy
    source_region: str
    destination_region: str
    made_at: datetime
    """UTC."""
    to_copy: tuple[PlannedCopy, ...]
    """In the order in which the copies are begun: the newest of every source first."""
    in_progress: tuple[KnownCopy, ...]
    """Selected backups whose copies are on their way."""
    present: tuple[KnownCopy, ...]
    """Selected backups whose copies are AVAILABLE."""
    to_prune: tuple[PlannedPrune, ...]
    """Superfluous copies, which are deleted if that is asked for."""
    cannot_copy: tuple[CannotCopy, ...]
    report: ReplicationReport
    """How old the newest copies are."""

    @property
    def has_work(self) -> bool:
        """
        Whether anything is to be copied, awaited or pruned.
        """
        return bool(self.to_copy or self.in_progress or self.to_prune)

    @property
    def selected_backup_ids(self) -> frozenset[str]:
        """
        The backups that are to have a copy, whatever becomes of others.
        """
        selected: tuple[PlannedCopy | KnownCopy, ...]
        selected = (*self.to_copy, *self.in_progress, *self.present)
        return frozenset(one.backup.backup_id for one in selected)

    def to_dict(self) -> dict[str, JsonValue]:
        """
        Return plain JSON-able data; times are in ISO 8601, durations in seconds.
        """
        return {**to_plain(self), "has_work": self.has_work}

    def __str__(self) -> str:
        regions = f"{self.source_region} to {self.destination_region}"
        lines = [f"{self.policy.name}: {regions}, planned at {time_text(self.made_at)}"]
        if not self.has_work:
            lines.append("nothing to do")
        lines += _listed("to copy", self.to_copy)
        lines += _listed("on the way", self.in_progress)
        lines += _listed("there already", self.present)
        lines += _listed("to prune", self.to_prune)
        lines += _listed("cannot be copied", self.cannot_copy)
        return "\n".join(lines)


def _listed(title: str, items: Iterable[object]) -> list[str]:
    texts = [f"  {item}" for item in items]
    return [f"{title}: {len(texts)}", *texts] if texts else []

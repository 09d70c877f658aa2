"""What plans and reports say: frozen values that print well and become JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

import attrs

from fsxcopy_sdk._codec import NOT_IN_DOCUMENTS, Document, from_document
from fsxcopy_sdk._validation import (
    ArgumentErrors,
    duration_text,
    exact_duration_text,
    invalid,
    shown,
)
from fsxcopy_sdk.bulk import CopyRequest
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.models import Backup, UnreadableBackup
from fsxcopy_sdk.replication._inventory import Lineage, grouped
from fsxcopy_sdk.replication._keep import KeepRule
from fsxcopy_sdk.replication._policy import ReplicationPolicy


@attrs.frozen(kw_only=True)
class BackupSummary:
    """The members of a backup that plans and reports show."""

    backup_id: str
    lifecycle: BackupLifecycle
    creation_time: datetime
    """UTC; of a copy, when the copy was started."""
    kms_key_id: str | None = None
    progress_percent: int | None = None
    """0 to 100, if the service says."""
    size_in_bytes: int | None = None

    @classmethod
    def of(cls, backup: Backup) -> Self:
        """Return what matters of *backup*."""
        return cls(
            backup_id=backup.backup_id,
            lifecycle=backup.lifecycle,
            creation_time=backup.creation_time,
            kms_key_id=backup.kms_key_id,
            progress_percent=backup.progress_percent,
            size_in_bytes=backup.size_in_bytes,
        )

    def __str__(self) -> str:
        return f"{self.backup_id} of {time_text(self.creation_time)}"


def time_text(moment: datetime) -> str:
    """Return *moment* to the second."""
    return moment.isoformat(timespec="seconds")


class Decision(StrEnum):
    """What a plan decides about a backup, or about a copy."""

    COPY = "to be copied"
    CANNOT_COPY = "cannot be copied"
    KEEP = "kept"
    PRUNE = "no longer kept"
    HOLD_BACK = "no longer kept, but not deleted"


@attrs.frozen(kw_only=True)
class TimelineEntry:
    """A backup of a file system or volume, or a copy of one, as the service showed it."""

    backup: BackupSummary
    source_backup_id: str | None = None
    """The backup that it was copied from; None for an original."""
    recovery_point: datetime
    """The UTC time of the data in it: for a copy, when its source backup was made, if known."""
    decision: Decision | None = None
    """The plan's decision about it; None if there is nothing to decide."""
    reason: str | None = None
    """Why: the rules that keep a copy, for example."""
    failure: str | None = None
    """Why it failed, in the service's words."""


@attrs.frozen(kw_only=True)
class SourceReport:
    """The copies of one file system or volume."""

    source_id: str
    """The volume's ID; for a whole file system the file system's."""
    newest_backup: BackupSummary | None
    """The newest AVAILABLE backup in its own Region; None where there is none."""
    newest_copy: BackupSummary | None
    """The AVAILABLE copy with the latest recovery point, of any policy."""
    recovery_point: datetime | None
    """When the newest copy's backup was made; if that is unknown, when the copy was."""
    age: float | None
    """Seconds since the recovery point: how much work would be lost now."""
    in_progress: int
    """How many copies are in progress."""
    is_late: bool
    """Whether every copy is older than the policy allows, or there is no copy."""
    failed: int = 0
    """How many copies of backups made after that of the newest copy have FAILED."""
    copy_bytes: int = 0
    """Bytes of all its AVAILABLE copies, of any policy, as far as the service says."""
    unreadable: int = 0
    """How many backups and copies that cannot be read are known to be of it."""
    timeline: tuple[TimelineEntry, ...] | None = attrs.field(
        default=None, eq=False, repr=False, metadata=NOT_IN_DOCUMENTS
    )
    """
    Its backups and their copies of the last 90 days, and those in progress, the oldest first,
    as they were when the plan was made. Documents do not have it, because it may be longer than
    all the rest: None where the report was read from one.
    """

    def __str__(self) -> str:
        copy = "no copy"
        if self.newest_copy is not None and self.age is not None:
            # Rounded down, an age just above the policy's limit would look like the limit.
            late, age = exact_duration_text(math.ceil(self.age)), duration_text(self.age)
            copy = f"{self.newest_copy.backup_id}, {late if self.is_late else age} old"
        in_progress = f", {self.in_progress} in progress" if self.in_progress else ""
        return f"{self.source_id}: {copy}{in_progress}{', LATE' if self.is_late else ''}"


@attrs.frozen(kw_only=True)
class ReplicationReport(Document):
    """The copies of everything in the scope of a policy."""

    policy_name: str
    source_region: str
    destination_region: str
    made_at: datetime
    """UTC."""
    max_age: float
    """Seconds: the policy's own."""
    sources: tuple[SourceReport, ...]
    """One for each file system and volume, sorted by ID."""
    unreadable: int = 0
    """How many backups of both Regions cannot be read, and so are not counted elsewhere."""
    unread: tuple[UnreadableBackup, ...] = ()
    """
    Unreadable backups in the source Region, of file systems and volumes that have no readable one.
    """

    @property
    def gaps(self) -> tuple[str, ...]:
        """Texts about file systems and volumes whose backups in the source cannot be read."""
        unread = {one.resource_id for one in self.unread}
        texts = [f"no backup of {one} that can be read" for one in sorted(filter(None, unread))]
        if None in unread:
            texts.append("a backup of which nothing can be read")
        return tuple(f"{self.source_region} shows {one}" for one in texts)

    @property
    def late(self) -> tuple[SourceReport, ...]:
        """The file systems and volumes that are late."""
        return tuple(one for one in self.sources if one.is_late)

    def __str__(self) -> str:
        regions = f"{self.source_region} to {self.destination_region}"
        title = f"Report of policy {self.policy_name}: {regions}, made at"
        limit = f"older than {exact_duration_text(self.max_age)}"
        late = f"late ({limit}): {len(self.late)} of {len(self.sources)}"
        lines = [f"{title} {time_text(self.made_at)}", late]
        if self.unreadable:
            lines.append(f"backups that cannot be read: {self.unreadable}")
        return "\n".join([*lines, *(f"  {one}" for one in self.sources)])


class CannotCopyReason(StrEnum):
    """
    Why a backup that the policy selects is not copied.

    The guides exclude FlexGroup volumes (FSx for ONTAP) and Intelligent-Tiering storage (FSx
    for OpenZFS, "Backup copy limitations"). Opt-in Regions are not excluded here, because
    editions of the guides disagree on them: if the service excludes one, each copy fails with
    the service's error.
    """

    NOT_AVAILABLE = "not AVAILABLE"
    FAILED = "FAILED, and will never be AVAILABLE"
    FLEXGROUP = "of a FlexGroup volume"
    INTELLIGENT_TIERING = "of a file system with Intelligent-Tiering storage"
    IS_A_COPY = "a copy itself"
    UNKNOWN_SOURCE = "the service does not name its file system or volume"
    TOO_MANY_TAGS = "its copy would have too many tags"
    INVALID = "a request for its copy would break rules of CopyBackup"
    UNREADABLE_COPY = "the destination has a copy of it that cannot be read"

    @property
    def is_failure(self) -> bool:
        """Whether the backup lacks a copy, unless it is still being made or is a copy itself."""
        return self not in {CannotCopyReason.NOT_AVAILABLE, CannotCopyReason.IS_A_COPY}


class PruneObstacle(StrEnum):
    """Why a copy that the policy no longer keeps is not deleted."""

    NO_ORIGINAL = "the source shows no AVAILABLE backup of it"
    """`prune_orphans` allows it, for a source that was retired on purpose."""
    MORE_THAN_HALF = "more than half of its copies would go"
    """`prune_most` allows it, for a retention that was made stricter on purpose."""
    UNREADABLE = "a backup that cannot be read may be of the same source"
    """No switch allows it: what is kept depends on all backups of a source."""

    @classmethod
    def allowed_by(cls, *, prune_orphans: bool, prune_most: bool) -> frozenset[Self]:
        """Return the obstacles that these switches of `apply_plan` override."""
        switches = {cls.NO_ORIGINAL: prune_orphans, cls.MORE_THAN_HALF: prune_most}
        return frozenset(obstacle for obstacle, is_given in switches.items() if is_given)


def _check_request(
    planned: PlannedCopy | ExistingCopy, _: attrs.Attribute[CopyRequest], request: CopyRequest
) -> None:
    """Refuse a request for another backup, by which its outcome would be counted for this one."""
    wanted, given = planned.backup.backup_id, request.source_backup_id
    if given != wanted:
        raise invalid("request", f"for the copy of {shown(wanted)}", f"of {shown(given)}")


@attrs.frozen(kw_only=True)
class PlannedCopy:
    """
    A backup that is to be copied.

    Raises:
        InvalidArguments: the request is for another backup.
    """

    source_id: str
    """The file system or volume that it is of."""
    backup: BackupSummary
    request: CopyRequest = attrs.field(validator=_check_request)
    """What will be asked of the destination: the same for the same policy and backup."""
    reason: str
    """Why the policy selects the backup, and what there is of a copy."""

    def __str__(self) -> str:
        return f"{self.source_id}: {self.backup}: {self.reason}"


@attrs.frozen(kw_only=True)
class ExistingCopy:
    """
    A backup that has a copy, which is AVAILABLE or in progress.

    Raises:
        InvalidArguments: the request is for another backup.
    """

    source_id: str
    """The file system or volume that the backup is of."""
    backup: BackupSummary
    request: CopyRequest = attrs.field(validator=_check_request)
    """What would be asked of the destination, if there were no copy."""
    copy: BackupSummary

    @property
    def is_ready(self) -> bool:
        """Whether the copy is AVAILABLE."""
        return self.copy.lifecycle == BackupLifecycle.AVAILABLE

    def __str__(self) -> str:
        copy, progress = self.copy, self.copy.progress_percent
        state = "" if self.is_ready else f", {copy.lifecycle}"
        if progress is not None and not self.is_ready:
            state += f", {progress} %"
        return f"{self.source_id}: {self.backup} as {copy.backup_id}{state}"


@attrs.frozen(kw_only=True)
class PlannedPrune:
    """A copy that the policy no longer keeps."""

    source_id: str
    """The file system or volume that its backup was of."""
    source_backup_id: str
    """The backup that it was copied from, which may be gone."""
    copy: BackupSummary
    recovery_point: datetime
    """When its backup was made, in UTC."""
    reason: str
    """Why the policy does not keep it."""
    obstacles: tuple[PruneObstacle, ...] = ()
    """Reasons not to delete it although the policy does not keep it; empty if there are none."""

    def __str__(self) -> str:
        made = time_text(self.recovery_point)
        why = "; but ".join((self.reason, *self.obstacles))
        return f"{self.source_id}: {self.copy.backup_id} of a backup of {made}: {why}"


@attrs.frozen(kw_only=True)
class KeptCopy:
    """A copy of the policy that it keeps, or that is not AVAILABLE and so is not pruned."""

    source_id: str
    """The file system or volume that its backup was of."""
    source_backup_id: str
    """The backup that it was copied from, which may be gone."""
    copy: BackupSummary
    recovery_point: datetime
    """When its backup was made, in UTC."""
    rules: tuple[KeepRule, ...]
    """All rules that keep it, at least one."""
    reason: str
    """The same in words: the day that it is the newest of, its tag ..."""

    def __str__(self) -> str:
        made = time_text(self.recovery_point)
        return f"{self.source_id}: {self.copy.backup_id} of a backup of {made}: {self.reason}"


@attrs.frozen(kw_only=True)
class CannotCopy:
    """A backup that the policy selects and that cannot be copied."""

    source_id: str | None
    """The file system or volume that it is of; None where the service does not say."""
    backup: BackupSummary
    reason: CannotCopyReason
    detail: str | None = None
    """Details that the reason does not give."""

    def __str__(self) -> str:
        source = self.source_id or "unknown source"
        lifecycle = self.backup.lifecycle
        state = f": {lifecycle}" if self.reason is CannotCopyReason.NOT_AVAILABLE else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{source}: {self.backup}: {self.reason}{state}{detail}"


@attrs.frozen(kw_only=True)
class ReplicationPlan(Document):
    """
    The actions that give one Region the copies that a policy requires of another.

    It was made from what both Regions held at `made_at`. `apply_plan` checks it against
    both Regions again, so that it may be applied late or twice.
    """

    policy: ReplicationPolicy
    source_region: str
    destination_region: str
    made_at: datetime
    """UTC."""
    to_copy: tuple[PlannedCopy, ...]
    """In the order in which the copies are started: the newest of every source first."""
    in_progress: tuple[ExistingCopy, ...]
    """Selected backups whose copies are in progress."""
    up_to_date: tuple[ExistingCopy, ...]
    """Selected backups whose copies are AVAILABLE."""
    to_prune: tuple[PlannedPrune, ...]
    """Copies that the policy no longer keeps; they are deleted only with `prune=True`."""
    held_back: tuple[PlannedPrune, ...]
    """Copies that the policy no longer keeps, but that need more than `prune=True` to delete."""
    kept: tuple[KeptCopy, ...]
    """
    The policy's other copies, with the rules that keep each. A copy that the plan waits for is
    `in_progress` instead.
    """
    cannot_copy: tuple[CannotCopy, ...]
    source_backups: int
    """
    How many backups in the policy's scope the source Region showed, not counting those
    older than `newer_than`. Copies of other Regions' backups count only for a file system
    or volume that the policy names.
    """
    missing: tuple[str, ...]
    """
    File systems and volumes that the policy names and that have no backup in the source Region,
    not even an unreadable one.
    """
    report: ReplicationReport
    """How old the newest copies are."""
    unreadable_in_source: tuple[UnreadableBackup, ...] = ()
    """Backups of the source Region that cannot be read, and so are not copied."""
    unreadable_in_destination: tuple[UnreadableBackup, ...] = ()
    """Backups of the destination that cannot be read; one may be a copy in any lifecycle."""
    owner_id: str | None = None
    """The account that it was made in, from the ARNs of its backups; None if unknown."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """Texts about backups that the policy selects and the source Region does not show."""
        scope = () if self.source_backups else ("no backup in the policy's scope",)
        texts = (*scope, *(f"no backup of {one}" for one in self.missing))
        return (*(f"{self.source_region} shows {one}" for one in texts), *self.report.gaps)

    def held_back_by(self, *, prune_orphans: bool, prune_most: bool) -> tuple[PlannedPrune, ...]:
        """Return the copies that stay held back where `apply_plan` prunes with these switches."""
        allowed = PruneObstacle.allowed_by(prune_orphans=prune_orphans, prune_most=prune_most)
        return tuple(one for one in self.held_back if not allowed.issuperset(one.obstacles))

    @property
    def has_work(self) -> bool:
        """Whether anything is to be copied, awaited or pruned."""
        return bool(self.to_copy or self.in_progress or self.to_prune)

    @property
    def selected_backup_ids(self) -> frozenset[str]:
        """The backups that the policy selects and that have or get a copy."""
        selected: tuple[PlannedCopy | ExistingCopy, ...]
        selected = (*self.to_copy, *self.in_progress, *self.up_to_date)
        return frozenset(one.backup.backup_id for one in selected)

    def to_dict(self) -> dict[str, object]:
        """Return this as JSON-able data, with `HasWork` at the end."""
        return {**super().to_dict(), "HasWork": self.has_work}

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Self:
        """
        Make a plan from what `to_dict` returned, so that another process can apply it.

        A document may omit copies of the plan. The request of each must be that of its policy.

        Raises:
            InvalidArguments: *document* has errors; `errors` has a text with the path of each.
        """
        plan = from_document(cls, document, ignored=("HasWork",))
        errors = ArgumentErrors()
        _check_requests(errors, plan)
        errors.raise_any()
        return plan

    def __str__(self) -> str:
        regions = f"{self.source_region} to {self.destination_region}"
        made = time_text(self.made_at)
        lines = [f"Plan of policy {self.policy.name}: {regions}, made at {made}"]
        if not self.has_work:
            lines.append("nothing to do")
        lines += _listed("to copy", self.to_copy)
        lines += _listed("in progress", self.in_progress)
        lines += _listed("up to date", self.up_to_date)
        lines += _listed("to prune", self.to_prune)
        lines += _listed("not pruned", self.held_back)
        lines += _kept_lines(self.kept)
        lines += _listed("cannot be copied", self.cannot_copy)
        if not self.source_backups:
            lines.append(f"{self.source_region} shows no backup in the policy's scope")
        lines += _listed("without a backup in the source Region", self.missing)
        lines += _listed(f"cannot be read in {self.source_region}", self.unreadable_in_source)
        where = f"cannot be read in {self.destination_region}"
        lines += _listed(where, self.unreadable_in_destination)
        return "\n".join(lines)


def request_for(
    policy: ReplicationPolicy,
    source_region: str,
    destination_region: str,
    lineage: Lineage,
    volume_id: str | None,
) -> CopyRequest:
    """
    Return what *policy* asks of the destination for the backup that *lineage* names.

    Raises:
        InvalidArguments: a member breaks a rule of CopyBackup.
    """
    return CopyRequest(
        source_backup_id=lineage.backup_id,
        source_region=source_region,
        kms_key_id=policy.kms_key_id(destination_region),
        copy_tags=policy.copy_tags,
        tags=(*policy.tags, *lineage.tags),
        volume_id=volume_id,
    )


def _check_requests(errors: ArgumentErrors, plan: ReplicationPlan) -> None:
    """Note the requests of a document that differ from those of its policy, or are repeated."""
    # With other tags a copy would belong to another policy or to none. With a salt or a token it
    # would be a second copy of a backup.
    seen: set[str] = set()
    everything: list[tuple[str, PlannedCopy | ExistingCopy]] = [
        *((f"$.ToCopy[{index}]", one) for index, one in enumerate(plan.to_copy)),
        *((f"$.InProgress[{index}]", one) for index, one in enumerate(plan.in_progress)),
    ]
    for path, one in everything:
        backup = one.backup
        lineage = Lineage(
            policy=plan.policy.name,
            source_id=one.source_id,
            backup_id=backup.backup_id,
            recovery_point=backup.creation_time,
        )
        regions = plan.source_region, plan.destination_region
        wanted = request_for(plan.policy, *regions, lineage, one.request.volume_id)
        if one.request != wanted:
            errors.add(f"{path}.Request", "what the plan's policy asks for", "another request")
        if backup.backup_id in seen:
            errors.texts.append(f"{path}.Backup: {backup.backup_id} is listed twice")
        seen.add(backup.backup_id)
    followed: set[str] = set()
    for index, existing in enumerate(plan.in_progress):
        copy_id = existing.copy.backup_id
        if copy_id in followed:
            errors.texts.append(f"$.InProgress[{index}].Copy: {copy_id} is listed twice")
        followed.add(copy_id)


def _kept_lines(kept: Sequence[KeptCopy]) -> list[str]:
    """Return *kept* as text: a line for all of one source that the same rules keep."""
    # Hundreds may be kept; a reader wants to know how many and how far back they go.
    shown = [one for one in kept if KeepRule.EVERYTHING not in one.rules]
    lines = [f"kept: {len(shown)}"] if shown else []
    for (source_id, rules), alike in grouped(
        shown, lambda one: (one.source_id, one.rules)
    ).items():
        if len(alike) == 1:
            lines.append(f"  {alike[0]}")
        else:
            first, last = alike[0].recovery_point.date(), alike[-1].recovery_point.date()
            backups = f"{len(alike)} copies of backups of {first} to {last}"
            lines.append(f"  {source_id}: {backups}: {', '.join(rules)}")
    return lines


def _listed(title: str, items: Iterable[object]) -> list[str]:
    texts = [f"  {item}" for item in items]
    return [f"{title}: {len(texts)}", *texts] if texts else []

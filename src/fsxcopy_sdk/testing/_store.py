"""What the local FSx holds: its settings, the backups of each account and Region, tokens."""

from __future__ import annotations

import hashlib
import math
import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import attrs
from attrs.validators import ge, le, optional

from fsxcopy_sdk._clock import Clock, SystemClock
from fsxcopy_sdk.testing._documents import AccountRegion, Document, default_file_system
from fsxcopy_sdk.testing._lifecycle import (
    EVERY_STAGE,
    Moving,
    Progression,
    ProgressShape,
    Settled,
    status,
)

DEFAULT_ACCOUNT: Final = "123456789012"
"""The account of the first access key; the owner in the service's own CopyBackup example."""

COPY_DURATION: Final = 300.0
"""Seconds; the service documents no figure, because it depends on size and distance."""

Duration: TypeAlias = float | timedelta
"""Seconds, or a timedelta."""

BackupDuration: TypeAlias = Duration | Callable[[str], float]
"""A duration, or a function from the ID of a backup to seconds."""


def _by_id(name: str, duration: BackupDuration, *, finite: bool = True) -> Callable[[str], float]:
    """Return a function from the ID of a backup to seconds; each *duration* is checked."""
    if callable(duration):
        return lambda backup_id: _seconds(name, duration(backup_id), finite=finite)
    seconds = _seconds(name, duration, finite=finite)
    return lambda _: seconds


def _seconds(name: str, duration: Duration, *, finite: bool = True) -> float:
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    # NaN is not at least zero either.
    if not seconds >= 0 or (finite and math.isinf(seconds)):
        rule = "finite and zero or more" if finite else "zero or more"
        raise ValueError(f"{name} must be {rule}, not {duration!r}")
    return seconds


_Validator: TypeAlias = Callable[[object, "attrs.Attribute[Any]", Any], None]


def _one_of(*choices: str) -> _Validator:
    def check(_: object, field: attrs.Attribute[str], value: str) -> None:
        if value not in choices:
            *first, last = map(repr, choices)
            raise ValueError(f"{field.name} must be {', '.join(first)} or {last}, not {value!r}")

    return check


def _aware(_: object, field: attrs.Attribute[datetime | None], value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise ValueError(f"{field.name} must have a time zone, {value!r} has none")


@attrs.resolve_types  # so that LocalFsx.__init__ has types that resolve in its own module
@attrs.define(eq=False, kw_only=True)
class Settings:
    """The settings of a `LocalFsx`."""

    clock: Clock | None = None
    """The clock that copies progress with, the machine's if None; clients that wait share it."""
    copy_duration: BackupDuration = COPY_DURATION
    """How long a copy or a new backup takes; a function gets the ID of what is copied."""
    progress: ProgressShape = ProgressShape.LINEAR
    """How ProgressPercent grows meanwhile."""
    max_copies_in_progress: int = attrs.field(default=5, validator=ge(1))
    """Of file systems per account and destination Region, of ONTAP volumes per volume and key."""
    max_volume_copies_in_progress: int = attrs.field(default=1000, validator=ge(1))
    """Copies of ONTAP volumes in progress at once per account."""
    max_user_initiated_backups: int | None = attrs.field(default=None, validator=optional(ge(0)))
    """USER_INITIATED backups per account and Region, None for any number."""
    backup_being_copied_for: float = 60.0
    """Seconds after a copy until its source can be deleted, "a short time" for the service."""
    every_stage: bool = False
    """Whether backups also show PENDING and TRANSFERRING."""
    unknown_ids: Literal["error", "omit"] = attrs.field(
        default="error", validator=_one_of("error", "omit")
    )
    """Whether DescribeBackups refuses the whole call for an unknown ID, or leaves the ID out."""
    unseen_for: BackupDuration = 0
    """
    How long DescribeBackups does not show a new copy, infinity for always; a
    function gets its ID. Anything else knows it: it counts as one in progress.
    """
    unseen_by: Literal["all", "id", "listing"] = attrs.field(
        default="all", validator=_one_of("all", "id", "listing")
    )
    """Which calls do not show such a copy: "id" those with BackupIds, "listing" those without."""
    tokens_remembered_for: Duration = math.inf
    """How long a ClientRequestToken is remembered; then the same request makes a new copy."""
    page_size: int = attrs.field(default=50, validator=[ge(1), le(50)])
    """The maximum of backups on one page, 1 to 50, which is the service's own."""
    started_at: datetime | None = attrs.field(default=None, validator=_aware)
    """When CreationTime and Date begin, now if None; they advance with the clock."""
    port: int = attrs.field(default=0, validator=[ge(0), le(65535)])
    """The TCP port on 127.0.0.1, 0 for any free one."""
    seed: int = 0
    """The same calls with the same seed get the same IDs and faults."""


@attrs.define(eq=False)
class StoredBackup:
    """One backup, and how it progresses."""

    scope: AccountRegion
    backup_id: str
    document: Document
    """The members that do not depend on the time."""
    progression: Progression
    sequence: int
    """Its number in the order of creation, which is the order of listings."""
    unseen_until: float = -math.inf
    """When DescribeBackups begins to show it, in seconds of the clock."""
    copies: list[StoredBackup] = attrs.field(factory=list)
    """Copies of it, among them all that still prevent its deletion."""

    def document_at(self, now: float) -> Document:
        """Return its document at *now*; the caller must not change it."""
        return {**self.document, **self.progression.at(now)}


@attrs.define(eq=False)
class RegionState:
    """What one Region of one account holds."""

    backups: dict[str, StoredBackup] = attrs.field(factory=dict)
    sources: dict[str, Document] = attrs.field(factory=dict)
    """File systems and volumes."""
    latest: dict[str, StoredBackup] = attrs.field(factory=dict)
    """The latest backup that CreateBackup made of each source."""
    copies: list[StoredBackup] = attrs.field(factory=list)
    """Copies in progress, and some that ended since they were last counted."""
    max_copies_in_progress_seen: int = 0


class Store:
    """Hold the state of one local FSx, on which the operations work."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock() if settings.clock is None else settings.clock
        self.grace = _seconds("backup_being_copied_for", settings.backup_being_copied_for)
        """Seconds for which a copy that succeeded still prevents the deletion of its source."""
        token_seconds = settings.tokens_remembered_for
        self.token_seconds = _seconds("tokens_remembered_for", token_seconds, finite=False)
        self.unseen_seconds = _by_id("unseen_for", settings.unseen_for, finite=False)
        self._copy_seconds = _by_id("copy_duration", settings.copy_duration)
        self.by_id: dict[str, StoredBackup] = {}
        self.tokens: dict[tuple[object, ...], tuple[float, object, StoredBackup]] = {}
        """(scope, operation, token) -> when it was used, the request, its backup."""
        self.refused_keys: dict[tuple[str, str], bool] = {}
        """(error code, key) -> whether the copy is accepted and fails later."""
        self.single_az_regions: set[str] = set()
        self.accounts: dict[str, str] = {}
        """By access key."""
        self.regions: defaultdict[AccountRegion, RegionState] = defaultdict(RegionState)
        self._shape = ProgressShape(settings.progress)
        self._backup_ids = random.Random(settings.seed)  # noqa: S311 - must be repeatable
        # A generator of its own, so that more polls do not change the IDs of backups.
        self._request_ids = random.Random(settings.seed)  # noqa: S311 - must be repeatable
        self._sequence = 0
        begin = datetime.now(UTC) if settings.started_at is None else settings.started_at
        self._epoch_offset = begin.timestamp() - self.clock.now()

    def epoch(self) -> float:
        """Return the date and time in epoch seconds, to the millisecond."""
        return round(self.clock.now() + self._epoch_offset, 3)

    def account_of(self, access_key: str) -> str:
        """Return the account of *access_key*; the first key has the default account."""
        if access_key not in self.accounts:
            digest = hashlib.sha256(access_key.encode()).digest()
            account = f"{int.from_bytes(digest[:8]) % 10**12:012d}"
            self.accounts[access_key] = account if self.accounts else DEFAULT_ACCOUNT
        return self.accounts[access_key]

    def complete(self, scope: AccountRegion, given: Document) -> Document:
        """
        Return *given* completed by the defaults of a backup in *scope*.

        Members that are None are left out, except for BackupId and Lifecycle.
        """
        backup_id = str(given.get("BackupId") or self.new_backup_id())
        complete = {**self.new_document(scope, backup_id), "ResourceType": "VOLUME"}
        if given.get("Volume") is None:
            complete["ResourceType"] = "FILE_SYSTEM"
            file_system_id = backup_id.replace("backup-", "fs-")
            complete["FileSystem"] = default_file_system(scope, file_system_id, self.epoch())
        lifecycle = given.get("Lifecycle") or "AVAILABLE"
        complete.update(given, BackupId=backup_id, Lifecycle=lifecycle)
        return {name: value for name, value in complete.items() if value is not None}

    def new_document(self, scope: AccountRegion, backup_id: str) -> Document:
        """Return the members that every new backup in *scope* has."""
        return {
            "BackupId": backup_id,
            "Type": "USER_INITIATED",
            "CreationTime": self.epoch(),
            "KmsKeyId": scope.default_kms_key(),
            "ResourceARN": scope.arn(f"backup/{backup_id}"),
            "OwnerId": scope.account,
        }

    def put(
        self,
        scope: AccountRegion,
        document: Document,
        progression: Progression,
        *,
        is_copy: bool = False,
    ) -> StoredBackup:
        """Keep *document*, which has a BackupId; a copy counts as one in progress."""
        self._sequence += 1
        backup_id = str(document["BackupId"])
        backup = StoredBackup(scope, backup_id, document, progression, self._sequence)
        self.by_id[backup_id] = backup
        state = self.regions[scope]
        state.backups[backup_id] = backup
        if is_copy:
            state.copies.append(backup)
            in_progress = len(self.copies_in_progress(scope))
            state.max_copies_in_progress_seen = max(state.max_copies_in_progress_seen, in_progress)
        return backup

    def remove(self, backup: StoredBackup) -> None:
        """Remove *backup*; only its ClientRequestToken still leads to it, as DELETED."""
        del self.by_id[backup.backup_id]
        del self.regions[backup.scope].backups[backup.backup_id]
        backup.progression = Settled(since=self.clock.now(), status=status("DELETED"))

    def copies_in_progress(self, scope: AccountRegion) -> list[StoredBackup]:
        """Return the copies into *scope* that are in progress now."""
        state = self.regions[scope]
        now = self.clock.now()
        state.copies = [copy for copy in state.copies if now < copy.progression.ends_at]
        return state.copies

    def begin(self, source_id: str, stage: str, *, failure: str | None = None) -> Moving:
        """Return the progression of a backup that begins now and is mostly in *stage*."""
        return Moving(
            begun_at=self.clock.now(),
            duration=self._copy_seconds(source_id),
            stages=EVERY_STAGE[stage] if self.settings.every_stage else ((0.0, stage),),
            shape=self._shape,
            failure=failure,
        )

    def new_backup_id(self) -> str:
        """Return a new ID of a backup; the same seed gives the same IDs."""
        return f"backup-{self._backup_ids.getrandbits(68):017x}"

    def new_request_id(self) -> str:
        """Return an ID for an answer."""
        return str(uuid.UUID(int=self._request_ids.getrandbits(128), version=4))

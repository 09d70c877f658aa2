"""What the local FSx holds: its settings, the backups of each account and Region, tokens."""

from __future__ import annotations

import hashlib
import math
import random
import threading
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

import attrs

from fsxcopy_sdk._clock import Clock, SystemClock
from fsxcopy_sdk.testing._documents import (
    REGIONS,
    AccountRegion,
    Document,
    default_file_system,
    general_file_system,
    text_member,
)
from fsxcopy_sdk.testing._lifecycle import (
    EVERY_STAGE,
    Moving,
    Progression,
    ProgressShape,
    Settled,
    status,
)
from fsxcopy_sdk.testing._settings import Settings, seconds, seconds_by_id

DEFAULT_ACCOUNT: Final = "123456789012"
"""The account of the first access key; the owner in the service's own CopyBackup example."""


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
        # attrs does so after all defaults are made, of which this store is one.
        attrs.validate(settings)
        self.settings = settings
        self.lock = threading.RLock()
        """Held by each operation, and by what a test does from another thread meanwhile."""
        self.clock: Clock = SystemClock() if settings.clock is None else settings.clock
        self.grace = seconds("backup_being_copied_for", settings.backup_being_copied_for)
        """Seconds for which a copy that succeeded still prevents the deletion of its source."""
        token_seconds = settings.tokens_remembered_for
        self.token_seconds = seconds("tokens_remembered_for", token_seconds, finite=False)
        self.unseen_seconds = seconds_by_id("unseen_for", settings.unseen_for, finite=False)
        self._copy_seconds = seconds_by_id("copy_duration", settings.copy_duration)
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
        self._has_called = False
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
            is_default = self.settings.one_account or not self._has_called
            self.accounts[access_key] = DEFAULT_ACCOUNT if is_default else account
        self._has_called = True
        return self.accounts[access_key]

    def is_region(self, name: str) -> bool:
        """Return whether AWS has a Region of this *name*, or any name is allowed."""
        return self.settings.allow_any_region or name in REGIONS

    def add_source(self, scope: AccountRegion, document: Document) -> None:
        """Keep a file system, or a volume and its file system, where they are new."""
        sources = self.regions[scope].sources
        if volume_id := text_member(document, "VolumeId"):
            sources.setdefault(volume_id, {**document})
            document = {
                "FileSystemId": document.get("FileSystemId"),
                "FileSystemType": document.get("VolumeType", "ONTAP"),
            }
        if file_system_id := text_member(document, "FileSystemId"):
            general = general_file_system(scope, file_system_id, self.epoch())
            sources.setdefault(file_system_id, {**general, **document})

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

    def new_file_system_id(self) -> str:
        """Return a new ID of a file system; the same seed gives the same IDs."""
        return self.new_backup_id().replace("backup-", "fs-")

    def new_request_id(self) -> str:
        """Return an ID for an answer."""
        return str(uuid.UUID(int=self._request_ids.getrandbits(128), version=4))

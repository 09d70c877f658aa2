"""What the local FSx holds: its settings, the backups of each account and Region, tokens."""

from __future__ import annotations

import hashlib
import math
import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import attrs

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk.testing._documents import (
    AccountRegion,
    Document,
    ServiceFailure,
    default_file_system,
    text_member,
)
from fsxcopy_sdk.testing._lifecycle import (
    COPYING_STAGES,
    CREATING_STAGES,
    EVERY_COPYING_STAGE,
    EVERY_CREATING_STAGE,
    Moving,
    Progression,
    ProgressShape,
    Settled,
    Status,
)

DEFAULT_ACCOUNT: Final = "123456789012"
"""
The account of the first access key that calls, and of backups that were added
without an account; the owner in the service's own CopyBackup example.
"""

# Settings

Duration: TypeAlias = float | timedelta
"""Seconds, or a timedelta."""

BackupDuration: TypeAlias = Duration | Callable[[str], float]
"""A duration, or a function that returns it in seconds for the ID of a backup."""


def seconds_of(name: str, duration: Duration, *, finite: bool = True) -> float:
    """
    Return *duration* in seconds; infinity is allowed unless *finite*.

    Raises:
        ValueError: it breaks its rule; the message begins with *name*.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    # NaN is not at least zero either.
    if not seconds >= 0 or (finite and math.isinf(seconds)):
        rule = "finite and zero or more" if finite else "zero or more"
        raise ValueError(f"{name} must be {rule}, not {duration!r}")
    return seconds


def seconds_by_id(
    name: str, duration: BackupDuration, *, finite: bool = True
) -> Callable[[str], float]:
    """
    Return a function from the ID of a backup to seconds that are checked.

    Raises:
        ValueError: a constant *duration* breaks its rule.
    """
    if callable(duration):
        return lambda backup_id: seconds_of(name, duration(backup_id), finite=finite)
    seconds = seconds_of(name, duration, finite=finite)
    return lambda _: seconds


def _in_range(
    minimum: int, maximum: float = math.inf
) -> Callable[[object, attrs.Attribute[int], int], None]:
    def check(_: object, field: attrs.Attribute[int], value: int) -> None:
        if not minimum <= value <= maximum:
            is_open = math.isinf(maximum)
            bounds = f"{minimum} or more" if is_open else f"between {minimum} and {maximum}"
            raise ValueError(f"{field.name} must be {bounds}, not {value!r}")

    return check


def _one_of(*choices: str) -> Callable[[object, attrs.Attribute[str], str], None]:
    def check(_: object, field: attrs.Attribute[str], value: str) -> None:
        if value not in choices:
            *first, last = map(repr, choices)
            raise ValueError(f"{field.name} must be {', '.join(first)} or {last}, not {value!r}")

    return check


def _aware(_: object, field: attrs.Attribute[datetime | None], value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise ValueError(f"{field.name} must have a time zone, {value!r} has none")


@attrs.frozen(kw_only=True)
class Settings:
    """Hold the checked settings of one local FSx; `LocalFsx` explains each."""

    copy_seconds: Callable[[str], float]
    """By the ID of the backup, file system or volume that is copied or backed up."""
    progress: ProgressShape = attrs.field(converter=ProgressShape)
    max_copies_in_progress: int = attrs.field(validator=_in_range(1))
    max_volume_copies_in_progress: int = attrs.field(validator=_in_range(1))
    max_user_initiated_backups: int | None = attrs.field(
        validator=attrs.validators.optional(_in_range(0))
    )
    backup_being_copied_for: float
    """Seconds."""
    every_stage: bool
    unknown_ids: Literal["error", "omit"] = attrs.field(validator=_one_of("error", "omit"))
    unseen_seconds: Callable[[str], float]
    """By the ID of the copy."""
    unseen_by: Literal["all", "id", "listing"] = attrs.field(
        validator=_one_of("all", "id", "listing")
    )
    tokens_remembered_for: float
    """Seconds."""
    # The model allows 50 backups in one answer.
    page_size: int = attrs.field(validator=_in_range(1, 50))
    started_at: datetime | None = attrs.field(validator=_aware)
    port: int = attrs.field(validator=_in_range(0, 65535))
    seed: int


# What is held


@attrs.define(eq=False, kw_only=True)
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

    def lifecycle(self, now: float) -> str:
        """Return its Lifecycle at *now*."""
        return self.progression.at(now).lifecycle

    def document_at(self, now: float) -> Document:
        """Return its document at *now*; the caller must not change it."""
        status = self.progression.at(now)
        document: Document = {**self.document, "Lifecycle": status.lifecycle}
        if status.percent is not None:
            document["ProgressPercent"] = status.percent
        if status.failure is not None:
            document["FailureDetails"] = {"Message": status.failure}
        return document


@attrs.define(eq=False)
class Source:
    """A file system or volume, and the latest backup that CreateBackup made of it."""

    document: Document
    latest: StoredBackup | None = None


@attrs.define(eq=False)
class RegionState:
    """What one Region of one account holds."""

    backups: dict[str, StoredBackup] = attrs.field(factory=dict)
    sources: dict[str, Source] = attrs.field(factory=dict)
    copies: list[StoredBackup] = attrs.field(factory=list)
    """Copies in progress, and some that ended since they were last counted."""
    max_copies_in_progress_seen: int = 0

    def add_sources(self, backup: Document) -> None:
        """Add what *backup* is a backup of, so that CreateBackup finds it."""
        for kind in ("FileSystem", "Volume"):
            document = backup.get(kind)
            source_id = text_member(document, f"{kind}Id")
            if isinstance(document, dict) and source_id:
                self.sources.setdefault(source_id, Source(document))


class Tokens:
    """Remember the requests with a ClientRequestToken for *seconds*."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._remembered: dict[
            tuple[AccountRegion, str, str], tuple[float, object, StoredBackup]
        ] = {}

    def once(
        self,
        operation: tuple[AccountRegion, str],
        token: str | None,
        asked: object,
        carry_out: Callable[[], StoredBackup],
    ) -> StoredBackup:
        """
        Return the backup of an earlier request with *token*, else of *carry_out*.

        A token belongs to one account, Region and operation. It is not
        remembered if *carry_out* raises.

        Raises:
            ServiceFailure: the token came with other parameters than *asked*.
        """
        if token is None:
            return carry_out()
        key = (*operation, token)
        now = self._clock.now()
        if key in self._remembered:
            since, asked_before, backup = self._remembered[key]
            if now - since < self._seconds:
                if asked != asked_before:
                    raise ServiceFailure(
                        "IncompatibleParameterError",
                        "The token was used before, with other parameters.",
                        Parameter="ClientRequestToken",
                    )
                return backup
        backup = carry_out()
        self._remembered[key] = (now, asked, backup)
        return backup


class Store:
    """Hold the state of one local FSx, on which the operations work."""

    def __init__(self, settings: Settings, clock: Clock, started_at: float) -> None:
        """Start empty; *started_at* is the current time in epoch seconds."""
        self.settings = settings
        self.clock = clock
        self.by_id: dict[str, StoredBackup] = {}
        self.tokens = Tokens(clock, settings.tokens_remembered_for)
        self.refused_keys: dict[tuple[str, str], bool] = {}
        """(error code, key) -> whether the copy is accepted and fails later."""
        self.single_az_regions: set[str] = set()
        self.accounts: dict[str, str] = {}
        """By access key."""
        self.regions: defaultdict[AccountRegion, RegionState] = defaultdict(RegionState)
        self._backup_ids = random.Random(settings.seed)  # noqa: S311 - must be repeatable
        # A generator of its own, so that more polls do not change the IDs of backups.
        self._request_ids = random.Random(settings.seed)  # noqa: S311 - must be repeatable
        self._sequence = 0
        self._epoch_offset = started_at - clock.now()

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
        complete: Document = {
            **self.new_document(scope, backup_id),
            "ResourceType": "VOLUME",
        }
        if given.get("Volume") is None:
            complete["ResourceType"] = "FILE_SYSTEM"
            file_system_id = backup_id.replace("backup-", "fs-")
            complete["FileSystem"] = default_file_system(scope, file_system_id, self.epoch())
        complete.update(given)
        complete["BackupId"] = backup_id
        complete["Lifecycle"] = given.get("Lifecycle") or "AVAILABLE"
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
        self, scope: AccountRegion, document: Document, progression: Progression
    ) -> StoredBackup:
        """Keep *document*, which has a BackupId, in *scope*."""
        self._sequence += 1
        backup = StoredBackup(
            scope=scope,
            backup_id=str(document["BackupId"]),
            document=document,
            progression=progression,
            sequence=self._sequence,
        )
        self.by_id[backup.backup_id] = backup
        self.regions[scope].backups[backup.backup_id] = backup
        return backup

    def add_copy(self, copy: StoredBackup) -> None:
        """Count *copy* among the copies in progress."""
        state = self.regions[copy.scope]
        state.copies.append(copy)
        in_progress = len(self.copies_in_progress(copy.scope))
        state.max_copies_in_progress_seen = max(state.max_copies_in_progress_seen, in_progress)

    def remove(self, backup: StoredBackup) -> None:
        """Remove *backup*; only its ClientRequestToken still leads to it, as DELETED."""
        del self.by_id[backup.backup_id]
        del self.regions[backup.scope].backups[backup.backup_id]
        backup.progression = Settled(since=self.clock.now(), status=Status(lifecycle="DELETED"))

    def copies_in_progress(self, scope: AccountRegion) -> list[StoredBackup]:
        """Return the copies into *scope* that are in progress now."""
        state = self.regions[scope]
        now = self.clock.now()
        state.copies = [copy for copy in state.copies if now < copy.progression.ends_at]
        return state.copies

    def begin(self, source_id: str, *, copy: bool, failure: str | None = None) -> Moving:
        """Return the progression of a backup or copy of *source_id* that begins now."""
        if self.settings.every_stage:
            stages = EVERY_COPYING_STAGE if copy else EVERY_CREATING_STAGE
        else:
            stages = COPYING_STAGES if copy else CREATING_STAGES
        return Moving(
            begun_at=self.clock.now(),
            duration=self.settings.copy_seconds(source_id),
            stages=stages,
            shape=self.settings.progress,
            failure=failure,
        )

    def new_backup_id(self) -> str:
        """Return a new ID of a backup; the same seed gives the same IDs."""
        return f"backup-{self._backup_ids.getrandbits(68):017x}"

    def new_request_id(self) -> str:
        """Return an ID for an answer."""
        return str(uuid.UUID(int=self._request_ids.getrandbits(128), version=4))

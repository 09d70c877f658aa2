"""
What the service holds: accounts' Regions, their backups, the tokens seen.
"""

from __future__ import annotations

import hashlib
import math
import random
import uuid
from typing import Final

import attrs

from fsxcopy_sdk._clock import Clock

from ._errors import ServiceFailure
from ._json import Document
from ._lifecycle import (
    COPYING_STAGES,
    CREATING_STAGES,
    EVERY_COPYING_STAGE,
    EVERY_CREATING_STAGE,
    Moment,
    Moving,
    Progression,
    Settled,
)
from ._regions import AccountRegion
from ._settings import Settings, seconds_of

DEFAULT_ACCOUNT: Final = "123456789012"
"""
The account of the first access key that calls, and of backups that were put
in without naming one; the owner in the service's own CopyBackup example.
"""


@attrs.define(eq=False, kw_only=True)
class StoredBackup:
    """
    One backup: what it is, and the course that it is on.
    """

    place: AccountRegion
    backup_id: str
    document: Document
    """What it is, without what the course decides."""
    course: Progression
    sequence: int
    """Its number in the order of arrival, by which pages are cut."""
    unseen_until: float = -math.inf
    """When DescribeBackups begins to show it, in seconds of the clock."""
    copies: list[StoredBackup] = attrs.field(factory=list)
    """The copies that were made of it and may still keep it."""

    def lifecycle(self, now: float) -> str:
        """
        Return its Lifecycle at *now*.
        """
        return self.course.at(now).lifecycle

    def seen(self, now: float) -> Document:
        """
        Return what the service shows of it at *now*; not to be changed.
        """
        moment = self.course.at(now)
        document: Document = {
            **self.document,
            "Lifecycle": moment.lifecycle,
        }
        if moment.percent is not None:
            document["ProgressPercent"] = moment.percent
        if moment.failure is not None:
            document["FailureDetails"] = {"Message": moment.failure}
        return document


@attrs.define(eq=False)
class Source:
    """
    A file system or volume that backups were made of.
    """

    document: Document
    latest: StoredBackup | None = None


@attrs.define(eq=False)
class RegionState:
    """
    What one place holds.
    """

    backups: dict[str, StoredBackup] = attrs.field(factory=dict)
    sources: dict[str, Source] = attrs.field(factory=dict)
    copies: list[StoredBackup] = attrs.field(factory=list)
    """Copies in progress, and some that no longer are."""
    most_copies_in_progress: int = 0


class Tokens:
    """
    Remember what requests with a ClientRequestToken asked, for *seconds*.

    A token belongs to one account, Region and operation.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._seen: dict[tuple[AccountRegion, str, str], tuple[float, object, StoredBackup]] = {}

    def recall(
        self, place: AccountRegion, operation: str, token: str | None, asked: object
    ) -> StoredBackup | None:
        """
        Return what came of the same request, None if it is a new one.

        Raises:
            ServiceFailure: the token came with something else *asked*.
        """
        if token is None or (place, operation, token) not in self._seen:
            return None
        since, asked_before, backup = self._seen[place, operation, token]
        if self._clock.now() - since >= self._seconds:
            return None
        if asked != asked_before:
            msg = "The token was used before, with other parameters."
            raise ServiceFailure(
                "IncompatibleParameterError",
                msg,
                Parameter="ClientRequestToken",
            )
        return backup

    def remember(
        self,
        place: AccountRegion,
        operation: str,
        token: str | None,
        asked: object,
        backup: StoredBackup,
    ) -> None:
        """
        Remember that *backup* came of what was *asked*.
        """
        if token is not None:
            self._seen[place, operation, token] = (self._clock.now(), asked, backup)


class Store:
    """
    Hold all that one local FSx knows; the operations work on it.
    """

    def __init__(self, settings: Settings, clock: Clock, started_at: float) -> None:
        """
        Start empty; *started_at* is the epoch second that it is now.
        """
        self.settings = settings
        self.clock = clock
        self.by_id: dict[str, StoredBackup] = {}
        self.tokens = Tokens(
            clock,
            seconds_of("tokens_remembered_for", settings.tokens_remembered_for, finite=False),
        )
        self.refused_keys: dict[tuple[str, str], bool] = {}
        """(error code, key) -> whether the copy fails later only."""
        self.single_az_regions: set[str] = set()
        self._accounts: dict[str, str] = {}
        self._shelves: dict[AccountRegion, RegionState] = {}
        self._backup_ids = random.Random(settings.seed)  # noqa: S311 - must be repeatable
        # Of its own, so that polling more often changes no backup's id.
        self._request_ids = random.Random(settings.seed)  # noqa: S311 - must be repeatable
        self._sequence = 0
        self._epoch_offset = started_at - clock.now()

    def epoch(self) -> float:
        """
        Return the date and time in epoch seconds, to the millisecond.
        """
        return round(self.clock.now() + self._epoch_offset, 3)

    def account_of(self, access_key: str) -> str:
        """
        Return the account of *access_key*; the first key has the default.
        """
        if access_key not in self._accounts:
            self.add_access_key(
                access_key,
                _account_from(access_key) if self._accounts else DEFAULT_ACCOUNT,
            )
        return self._accounts[access_key]

    def add_access_key(self, access_key: str, account: str) -> None:
        """
        Give *access_key* to *account*.
        """
        self._accounts[access_key] = account

    def shelf(self, place: AccountRegion) -> RegionState:
        """
        Return what *place* holds.
        """
        return self._shelves.setdefault(place, RegionState())

    def places_of(self, account: str) -> list[AccountRegion]:
        """
        Return the Regions of *account* that hold or held anything.
        """
        return [p for p in self._shelves if p.account == account]

    def put(self, place: AccountRegion, document: Document, course: Progression) -> StoredBackup:
        """
        Keep *document*, which has a BackupId, in *place*.
        """
        self._sequence += 1
        backup = StoredBackup(
            place=place,
            backup_id=str(document["BackupId"]),
            document=document,
            course=course,
            sequence=self._sequence,
        )
        self.by_id[backup.backup_id] = backup
        self.shelf(place).backups[backup.backup_id] = backup
        return backup

    def add_copy(self, copy: StoredBackup) -> None:
        """
        Count *copy* among the copies in progress.
        """
        shelf = self.shelf(copy.place)
        shelf.copies.append(copy)
        in_progress = len(self.copies_in_progress(copy.place))
        shelf.most_copies_in_progress = max(shelf.most_copies_in_progress, in_progress)

    def remove(self, backup: StoredBackup) -> None:
        """
        Forget *backup*; only the tokens that lead to it show it, as DELETED.
        """
        del self.by_id[backup.backup_id]
        del self.shelf(backup.place).backups[backup.backup_id]
        backup.course = Settled(since=self.clock.now(), moment=Moment(lifecycle="DELETED"))

    def copies_in_progress(self, place: AccountRegion) -> list[StoredBackup]:
        """
        Return the copies into *place* that are in progress now.
        """
        shelf = self.shelf(place)
        now = self.clock.now()
        shelf.copies = [c for c in shelf.copies if now < c.course.ends_at]
        return shelf.copies

    def begin(self, source_id: str, *, copy: bool, failure: str | None = None) -> Moving:
        """
        Return the course of a backup whose making begins now.
        """
        if self.settings.every_stage:
            stages = EVERY_COPYING_STAGE if copy else EVERY_CREATING_STAGE
        else:
            stages = COPYING_STAGES if copy else CREATING_STAGES
        return Moving(
            begun_at=self.clock.now(),
            duration=self.settings.duration_of(source_id),
            stages=stages,
            shape=self.settings.progress,
            failure=failure,
        )

    def new_backup_id(self) -> str:
        """
        Return an id that no backup has, the same ones for the same seed.
        """
        return f"backup-{self._backup_ids.getrandbits(68):017x}"

    def new_request_id(self) -> str:
        """
        Return an id for an answer.
        """
        return str(uuid.UUID(int=self._request_ids.getrandbits(128), version=4))


def default_key(place: AccountRegion) -> str:
    """
    Return the ARN of the FSx-managed key of *place*.
    """
    name = hashlib.md5(f"{place.account}/{place.region}".encode(), usedforsecurity=False)
    key = f"key/{uuid.UUID(bytes=name.digest(), version=4)}"
    return place.arn(key, service="kms")


def _account_from(access_key: str) -> str:
    digest = hashlib.sha256(access_key.encode()).digest()
    return f"{int.from_bytes(digest[:8]) % 10**12:012d}"

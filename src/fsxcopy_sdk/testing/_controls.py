"""
What a test may do to the local FSx, and ask of it, past the network.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Mapping
from typing import cast

import orjson

from ._documents import EXAMPLE_BACKUP, EXAMPLE_REGION
from ._errors import LONGEST_MESSAGE
from ._faults import Fault
from ._http import RecordedRequest, RequestHandler
from ._json import Document, JsonValue, Tag, with_tags
from ._lifecycle import Moment, Settled
from ._regions import AccountRegion, partition_of
from ._seeding import completed, remember_sources
from ._store import DEFAULT_ACCOUNT, Store, StoredBackup


class Controls:
    """
    The half of `LocalFsx` that tests call.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._handler = RequestHandler(store)

    @property
    def calls(self) -> Counter[str]:
        """
        Count the calls that reached an operation, by its name.

        Calls that got a fault count as well.
        """
        return self._handler.calls

    @property
    def requests(self) -> list[RecordedRequest]:
        """
        List the latest 10,000 calls that reached an operation, in order.
        """
        return self._handler.requests

    def account_of(self, access_key: str) -> str:
        """
        Return the account of *access_key*, which from now on has it.
        """
        return self._store.account_of(access_key)

    def add_access_key(self, access_key: str, *, account: str = DEFAULT_ACCOUNT) -> None:
        """
        Give one more *access_key* to *account*.

        Raises:
            ValueError: *account* is not twelve digits.
        """
        self._store.add_access_key(access_key, _account(account))

    def add_backup(
        self,
        region: str,
        document: Mapping[str, JsonValue] | None = None,
        /,
        *,
        account: str | None = None,
        **members: JsonValue,
    ) -> str:
        """
        Put a backup into *region*, and return its id.

        It is what *document* and *members* say, under the service's own
        names and in JSON (CreationTime in epoch seconds), known to the
        service or not; members win. What they leave out is that of an
        AVAILABLE, USER_INITIATED backup of a Lustre file system, or of the
        volume in Volume. A member that is None is left out, but for BackupId
        and Lifecycle. It stays in its Lifecycle; one that is COPYING counts
        as a copy in progress, as somebody else's would.

        Raises:
            TypeError: it is not JSON.
            ValueError: *region* or *account* cannot be one, or the BackupId
                is taken.
        """
        place = _place(region, account)
        given = orjson.loads(orjson.dumps({**(document or {}), **members}))
        complete = completed(self._store, place, given)
        backup_id = str(complete["BackupId"])
        if backup_id in self._store.by_id:
            msg = f"BackupId {backup_id!r} is taken"
            raise ValueError(msg)
        moment = Moment(lifecycle=str(complete.pop("Lifecycle")))
        course = Settled(since=self._store.clock.now(), moment=moment)
        backup = self._store.put(place, complete, course)
        if moment.lifecycle == "COPYING":
            self._store.add_copy(backup)
        remember_sources(self._store, place, complete)
        return backup_id

    def add_example_backup(
        self, region: str = EXAMPLE_REGION, *, account: str | None = None
    ) -> str:
        """
        Put `EXAMPLE_BACKUP` into *region*, and return its id.

        Raises:
            ValueError: it is there already.
        """
        return self.add_backup(region, EXAMPLE_BACKUP, account=account)

    def backup(self, region: str, backup_id: str) -> Document:
        """
        Return a backup as it is now, whether or not it is shown yet.

        Raises:
            KeyError: *region* has no such backup.
        """
        backup = self._store.by_id[backup_id]
        if backup.place.region != region:
            raise KeyError(backup_id)
        return copy.deepcopy(backup.seen(self._store.clock.now()))

    def backups(self, region: str, *, account: str | None = None) -> list[Document]:
        """
        Return the backups of *region* as they are now, unseen ones too.

        Raises:
            ValueError: *region* or *account* cannot be one.
        """
        now = self._store.clock.now()
        held = self._store.shelf(_place(region, account)).backups
        return [copy.deepcopy(backup.seen(now)) for backup in held.values()]

    def copies_in_progress(self, region: str, *, account: str | None = None) -> int:
        """
        Count the copies into *region* that are in progress now.

        Raises:
            ValueError: *region* or *account* cannot be one.
        """
        place = _place(region, account)
        return len(self._store.copies_in_progress(place))

    def most_copies_in_progress(self, region: str, *, account: str | None = None) -> int:
        """
        Return the most copies into *region* that were in progress at once.

        Raises:
            ValueError: *region* or *account* cannot be one.
        """
        place = _place(region, account)
        return self._store.shelf(place).most_copies_in_progress

    def fail_copy(self, backup_id: str, message: str) -> None:
        """
        Make a backup FAILED now, with *message* in its FailureDetails.

        Raises:
            KeyError: there is no such backup.
            ValueError: *message* is not 1 to 256 characters long.
        """
        if not 1 <= len(message) <= LONGEST_MESSAGE:
            msg = f"message must have 1 to {LONGEST_MESSAGE} characters"
            raise ValueError(msg)
        self._settle(self._store.by_id[backup_id], "FAILED", message)

    def set_lifecycle(self, backup_id: str, lifecycle: str) -> None:
        """
        Make a backup stay in *lifecycle* from now on, known or not.

        It keeps the ProgressPercent that it has reached.

        Raises:
            KeyError: there is no such backup.
        """
        self._settle(self._store.by_id[backup_id], lifecycle, None)

    def delete_backup(self, backup_id: str) -> None:
        """
        Delete a backup now, as if another program had done so.

        No rule keeps it: it may be in progress, or be copied.

        Raises:
            KeyError: there is no such backup.
        """
        self._store.remove(self._store.by_id[backup_id])

    def set_tags(self, backup_id: str, tags: Mapping[str, str | None]) -> None:
        """
        Give a backup exactly these *tags*, as if another program had done so.

        Keys and values are stored as they are, reserved keys and null
        values too; an empty mapping removes all tags.

        Raises:
            KeyError: there is no such backup.
        """
        backup = self._store.by_id[backup_id]
        pairs: list[JsonValue] = [{"Key": key, "Value": value} for key, value in tags.items()]
        backup.document = with_tags(backup.document, cast("list[Tag]", pairs))

    def refuse_kms_key(
        self,
        key_id: str,
        *,
        as_source: bool = False,
        as_destination: bool = False,
        later: bool = False,
    ) -> None:
        """
        Make copies fail that need *key_id*, exactly as it is written.

        *as_source*: those whose source is encrypted with it. *as_destination*:
        those that are to be. With *later* the copy is accepted and becomes
        FAILED at half of its duration, else it is refused.

        Raises:
            ValueError: it is for neither.
        """
        if not (as_source or as_destination):
            msg = "as_source or as_destination must be true"
            raise ValueError(msg)
        if as_source:
            self._store.refused_keys["InvalidSourceKmsKey", key_id] = later
        if as_destination:
            self._store.refused_keys["InvalidDestinationKmsKey", key_id] = later

    def forbid_multi_az(self, region: str) -> None:
        """
        Make *region* one that has no Multi-AZ file systems.

        Raises:
            ValueError: *region* cannot be one.
        """
        self._store.single_az_regions.add(_place(region, None).region)

    def inject(
        self,
        fault: Fault,
        *,
        next_calls: int | None = None,
        fraction: float | None = None,
        operation: str | None = None,
        after: bool = False,
    ) -> None:
        """
        Make the next call go wrong, or as many as are asked for.

        *next_calls* counts calls of *operation* (of any, if None);
        *fraction* is the share of them, 0 to 1, drawn from the seed until
        the faults are cleared. Calls that the fault is not for, such as
        those with BackupIds for one of a listing, do not count. The call is
        not carried out, unless *after* is true or the fault is one of an
        answer (truncated, content type, listings). Each call gets one fault
        at most: of several, the one that was injected first.

        Raises:
            TypeError: *fault* is no fault.
            ValueError: an argument breaks its rule.
        """
        self._handler.injections.add(
            fault,
            next_calls=next_calls,
            fraction=fraction,
            operation=operation,
            after=after,
        )

    def clear_faults(self) -> None:
        """
        Forget all faults that were injected.
        """
        self._handler.injections.clear()

    def _settle(self, backup: StoredBackup, lifecycle: str, failure: str | None) -> None:
        now = self._store.clock.now()
        percent = backup.course.at(now).percent
        moment = Moment(lifecycle=lifecycle, percent=percent, failure=failure)
        backup.course = Settled(since=now, moment=moment)


def _place(region: str, account: str | None) -> AccountRegion:
    if partition_of(region) is None:
        msg = f"region must be the name of a Region, not {region!r}"
        raise ValueError(msg)
    return AccountRegion(DEFAULT_ACCOUNT if account is None else _account(account), region)


def _account(account: str) -> str:
    if not re.fullmatch(r"\d{12}", account):
        msg = f"account must be twelve digits, not {account!r}"
        raise ValueError(msg)
    return account

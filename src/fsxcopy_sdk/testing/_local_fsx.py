"""The local FSx: its settings, its lifetime, and what a test can do to it."""

from __future__ import annotations

import copy
import math
import random
import re
import socket
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Final, Literal, Self, cast

import orjson
from aiohttp import web

from fsxcopy_sdk._clock import Clock, SystemClock
from fsxcopy_sdk.testing._documents import (
    EXAMPLE_BACKUP,
    EXAMPLE_REGION,
    MAX_MESSAGE,
    AccountRegion,
    Document,
    JsonValue,
    partition_of,
    text_member,
)
from fsxcopy_sdk.testing._faults import Fault, Injection
from fsxcopy_sdk.testing._lifecycle import ProgressShape, Settled, status
from fsxcopy_sdk.testing._protocol import RecordedRequest, RequestHandler
from fsxcopy_sdk.testing._store import (
    DEFAULT_ACCOUNT,
    BackupDuration,
    Duration,
    Settings,
    Store,
    StoredBackup,
    seconds_by_id,
    seconds_of,
)

COPY_DURATION: Final = 300.0
"""
Seconds; long enough to watch, short enough to wait for. The service documents
no figure, because the duration depends on size and distance.
"""

BACKUP_BEING_COPIED_FOR: Final = 60.0
"""Seconds; the service documents "a short time" and no figure."""


class LocalFsx:
    """
    An Amazon FSx on a loopback port, for any AWS client.

    ``async with LocalFsx() as fsx:`` serves at ``fsx.endpoint_url`` from the
    running event loop, which must be asyncio's; other processes and programs
    without one start ``python -m fsxcopy_sdk.testing``. Its backups outlive
    the ``async with``, which may be entered again.

    Signatures are not verified: their form is checked, and any secret key
    is accepted. Requests of web pages are refused with 403: those whose
    Host is not 127.0.0.1, [::1] or localhost, and those with the Origin of
    another host.

    The Region of a call is that in the scope of its signature, its account
    that of its access key. The first access key that calls has the account
    `DEFAULT_ACCOUNT`, to which backups are added when no account is named;
    every other key has an account of its own, derived from its text.

    Args:
        clock:
            The clock that copies progress with; the machine's if None. A
            client that waits should use the same one.

        copy_duration:
            How long a copy (or a new backup) takes: seconds, a timedelta,
            or a function from the ID of what is copied to seconds.

        progress:
            How ProgressPercent grows meanwhile.

        max_copies_in_progress:
            Copies in progress at once: of file systems per account and
            destination Region, of ONTAP volumes per volume and key there.

        max_volume_copies_in_progress:
            Copies of ONTAP volumes in progress at once per account.

        max_user_initiated_backups:
            USER_INITIATED backups per account and Region, None for any
            number.

        backup_being_copied_for:
            For how many seconds after a copy is AVAILABLE its source cannot
            be deleted.

        every_stage:
            Whether backups also show PENDING and TRANSFERRING.

        unknown_ids:
            What DescribeBackups does with an unknown ID: "error" refuses
            the whole call, "omit" leaves the ID out.

        unseen_for:
            For how long after its acceptance DescribeBackups does not show
            a new copy: seconds, a timedelta, or a function from the ID of
            the copy to seconds; infinity for always. Other operations know
            it: CopyBackup with the same token answers with it, and it
            counts as one in progress. `backup` and `backups` return it.

        unseen_by:
            Which calls do not show such a copy: "id" those with BackupIds,
            "listing" those without, "all" both.

        tokens_remembered_for:
            For how long a ClientRequestToken is remembered: seconds or a
            timedelta. Afterwards the same request makes a new copy.

        page_size:
            The maximum of backups on one page, 1 to 50.

        started_at:
            The date and time at which this FSx starts, the real one if
            None; CreationTime and Date advance from there with the clock.

        port:
            The TCP port on 127.0.0.1, 0 for any free one.

        seed:
            The seed of IDs and fractions of faults: the same calls with the
            same seed give the same IDs and faults.

    Raises:
        ValueError: an argument breaks its rule.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        copy_duration: BackupDuration = COPY_DURATION,
        progress: ProgressShape = ProgressShape.LINEAR,
        max_copies_in_progress: int = 5,
        max_volume_copies_in_progress: int = 1000,
        max_user_initiated_backups: int | None = None,
        backup_being_copied_for: float = BACKUP_BEING_COPIED_FOR,
        every_stage: bool = False,
        unknown_ids: Literal["error", "omit"] = "error",
        unseen_for: BackupDuration = 0,
        unseen_by: Literal["all", "id", "listing"] = "all",
        tokens_remembered_for: Duration = math.inf,
        page_size: int = 50,
        started_at: datetime | None = None,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        self._settings = Settings(
            copy_seconds=seconds_by_id("copy_duration", copy_duration),
            progress=progress,
            max_copies_in_progress=max_copies_in_progress,
            max_volume_copies_in_progress=max_volume_copies_in_progress,
            max_user_initiated_backups=max_user_initiated_backups,
            backup_being_copied_for=seconds_of("backup_being_copied_for", backup_being_copied_for),
            every_stage=every_stage,
            unknown_ids=unknown_ids,
            unseen_seconds=seconds_by_id("unseen_for", unseen_for, finite=False),
            unseen_by=unseen_by,
            tokens_remembered_for=seconds_of(
                "tokens_remembered_for", tokens_remembered_for, finite=False
            ),
            page_size=page_size,
            started_at=started_at,
            port=port,
            seed=seed,
        )
        self._store = Store(self._settings, SystemClock() if clock is None else clock)
        self._handler = RequestHandler(self._store)
        self._runner: web.AppRunner | None = None
        self._endpoint_url: str | None = None

    async def __aenter__(self) -> Self:
        """
        Start to serve.

        Raises:
            OSError: the port is taken.
            RuntimeError: it serves already.
        """
        if self._runner is not None:
            raise RuntimeError("this LocalFsx serves already")
        listening = socket.create_server(("127.0.0.1", self._settings.port))
        self._runner = web.AppRunner(
            self._handler.application(),
            # A call that a fault delays must not delay the end of a test.
            shutdown_timeout=0.1,
            access_log=None,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()
        port = listening.getsockname()[1]
        self._endpoint_url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving; calls in progress are cancelled."""
        runner, self._runner, self._endpoint_url = self._runner, None, None
        if runner is not None:
            await runner.cleanup()

    @property
    def endpoint_url(self) -> str:
        """
        Return its URL, such as ``http://127.0.0.1:40217``.

        Raises:
            RuntimeError: it does not serve.
        """
        if self._endpoint_url is None:
            raise RuntimeError("this LocalFsx serves only inside its `async with`")
        return self._endpoint_url

    # Calls and access keys

    @property
    def calls(self) -> Counter[str]:
        """
        Count the calls that reached an operation, by its name.

        Calls that got a fault count as well.
        """
        return self._handler.calls

    @property
    def requests(self) -> list[RecordedRequest]:
        """List the latest 10,000 calls that reached an operation, in order."""
        return self._handler.requests

    def call(
        self, region: str, operation: str, request: Mapping[str, object]
    ) -> tuple[int, bytes]:
        """
        Answer a call of `DEFAULT_ACCOUNT` without HTTP; return the status and the body.

        It is counted and recorded, and gets no faults. It needs no event loop,
        so that tests can call under trio.

        Raises:
            KeyError: *operation* is unknown.
            TypeError: *request* is not JSON.
            ValueError: *region* is malformed.
        """
        body = orjson.dumps(request)
        call = self._handler.record(operation, _scope(region, None), body, {})
        answer = self._handler.answer(call)
        return answer.status, answer.body

    def account_of(self, access_key: str) -> str:
        """Return the account of *access_key*, which keeps it from now on."""
        return self._store.account_of(access_key)

    def add_access_key(self, access_key: str, *, account: str = DEFAULT_ACCOUNT) -> None:
        """
        Give one more *access_key* to *account*.

        Raises:
            ValueError: *account* is not twelve digits.
        """
        self._store.accounts[access_key] = _account(account)

    # Backups

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
        Add a backup to *region*, and return its ID.

        *document* and *members* describe it under the service's own names
        and in JSON (CreationTime in epoch seconds), known to the service or
        not; members win. The defaults are those of an AVAILABLE,
        USER_INITIATED backup of a Lustre file system, or of the volume in
        Volume. A member that is None is left out, except for BackupId and
        Lifecycle. The backup stays in its Lifecycle; one that is COPYING
        counts as a copy in progress.

        Raises:
            TypeError: it is not JSON.
            ValueError: *region* or *account* is malformed, or the BackupId
                is taken.
        """
        scope = _scope(region, account)
        given = orjson.loads(orjson.dumps({**(document or {}), **members}))
        complete = self._store.complete(scope, given)
        backup_id = str(complete["BackupId"])
        if backup_id in self._store.by_id:
            raise ValueError(f"BackupId {backup_id!r} is taken")
        lifecycle = str(complete.pop("Lifecycle"))
        progression = Settled(since=self._store.clock.now(), status=status(lifecycle))
        backup = self._store.put(scope, complete, progression)
        if lifecycle == "COPYING":
            self._store.add_copy(backup)
        for kind in ("FileSystem", "Volume"):
            if source_id := text_member(complete, kind, f"{kind}Id"):
                sources = self._store.regions[scope].sources
                sources.setdefault(source_id, cast("Document", complete[kind]))
        return backup_id

    def add_example_backup(
        self, region: str = EXAMPLE_REGION, *, account: str | None = None
    ) -> str:
        """
        Add `EXAMPLE_BACKUP` to *region*, and return its ID.

        Raises:
            ValueError: it was added already.
        """
        return self.add_backup(region, EXAMPLE_BACKUP, account=account)

    def backup(self, region: str, backup_id: str) -> Document:
        """
        Return a backup as it is now, also one that calls do not show yet.

        Raises:
            KeyError: *region* has no such backup.
        """
        backup = self._store.by_id[backup_id]
        if backup.scope.region != region:
            raise KeyError(backup_id)
        return copy.deepcopy(backup.document_at(self._store.clock.now()))

    def backups(self, region: str, *, account: str | None = None) -> list[Document]:
        """
        Return the backups of *region* as they are now, also those that calls do not show yet.

        Raises:
            ValueError: *region* or *account* is malformed.
        """
        now = self._store.clock.now()
        held = self._store.regions[_scope(region, account)].backups
        return [copy.deepcopy(backup.document_at(now)) for backup in held.values()]

    def copies_in_progress(self, region: str, *, account: str | None = None) -> int:
        """
        Count the copies into *region* that are in progress now.

        Raises:
            ValueError: *region* or *account* is malformed.
        """
        return len(self._store.copies_in_progress(_scope(region, account)))

    def max_copies_in_progress_seen(self, region: str, *, account: str | None = None) -> int:
        """
        Return the maximum of copies into *region* that were in progress at once.

        Raises:
            ValueError: *region* or *account* is malformed.
        """
        return self._store.regions[_scope(region, account)].max_copies_in_progress_seen

    def fail_copy(self, backup_id: str, message: str) -> None:
        """
        Make a backup FAILED now, with *message* in its FailureDetails.

        Raises:
            KeyError: there is no such backup.
            ValueError: *message* is not 1 to 256 characters long.
        """
        if not 1 <= len(message) <= MAX_MESSAGE:
            raise ValueError(f"message must have 1 to {MAX_MESSAGE} characters")
        self._settle(self._store.by_id[backup_id], "FAILED", message)

    def set_lifecycle(self, backup_id: str, lifecycle: str) -> None:
        """
        Make a backup stay in *lifecycle* from now on, known to the service or not.

        It keeps the ProgressPercent that it has reached.

        Raises:
            KeyError: there is no such backup.
        """
        self._settle(self._store.by_id[backup_id], lifecycle, None)

    def _settle(self, backup: StoredBackup, lifecycle: str, failure: str | None) -> None:
        now = self._store.clock.now()
        percent = backup.progression.at(now).get("ProgressPercent")
        backup.progression = Settled(since=now, status=status(lifecycle, percent, failure))

    def delete_backup(self, backup_id: str) -> None:
        """
        Delete a backup now, as another program could have done.

        No rule prevents it: it may be in progress, or be copied.

        Raises:
            KeyError: there is no such backup.
        """
        self._store.remove(self._store.by_id[backup_id])

    def set_tags(self, backup_id: str, tags: Mapping[str, str | None]) -> None:
        """
        Replace the tags of a backup by *tags*, as another program could have done.

        Keys and values are stored unchanged, also reserved keys and null
        values; an empty mapping removes all tags.

        Raises:
            KeyError: there is no such backup.
        """
        document = self._store.by_id[backup_id].document
        document["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        if not tags:
            del document["Tags"]

    # Refusals and faults

    def refuse_kms_key(
        self,
        key_id: str,
        *,
        as_source: bool = False,
        as_destination: bool = False,
        later: bool = False,
    ) -> None:
        """
        Make copies fail that need *key_id*, written exactly like this.

        *as_source*: copies of backups that are encrypted with it.
        *as_destination*: copies that are to be encrypted with it. With
        *later* the copy is accepted and becomes FAILED at half of its
        duration, else it is refused.

        Raises:
            ValueError: both are false.
        """
        if not (as_source or as_destination):
            raise ValueError("as_source or as_destination must be true")
        if as_source:
            self._store.refused_keys["InvalidSourceKmsKey", key_id] = later
        if as_destination:
            self._store.refused_keys["InvalidDestinationKmsKey", key_id] = later

    def forbid_multi_az(self, region: str) -> None:
        """
        Make *region* one that does not support Multi-AZ file systems.

        Raises:
            ValueError: *region* is malformed.
        """
        self._store.single_az_regions.add(_scope(region, None).region)

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
        Make the next call go wrong, or *next_calls* of them, or a *fraction*.

        *next_calls* counts calls of *operation* (of any, if None);
        *fraction* is the share of them, 0 to 1, drawn from the seed until
        the faults are cleared. Calls to which the fault does not apply, such
        as those with BackupIds for one of a listing, do not count. The call
        is not carried out, unless *after* is true or the fault is one of an
        answer (truncated, content type, listings). Each call gets at most
        one fault: of several, the one that was injected first.

        Raises:
            TypeError: *fault* is not a Fault.
            ValueError: an argument breaks its rule.
        """
        injections = self._handler.injections
        injection = Injection(
            fault=fault,
            next_calls=next_calls,
            fraction=fraction,
            operation=operation,
            after=after,
            # Each has a generator of its own, so that adding one does not change the others.
            random=random.Random(f"{self._settings.seed}/{len(injections)}"),  # noqa: S311 - must be repeatable
        )
        injections.append(injection)

    def clear_faults(self) -> None:
        """Remove all injected faults."""
        self._handler.injections.clear()


def _scope(region: str, account: str | None) -> AccountRegion:
    if partition_of(region) is None:
        raise ValueError(f"region must be the name of a Region, not {region!r}")
    return AccountRegion(DEFAULT_ACCOUNT if account is None else _account(account), region)


def _account(account: str) -> str:
    if not re.fullmatch(r"\d{12}", account):
        raise ValueError(f"account must be twelve digits, not {account!r}")
    return account

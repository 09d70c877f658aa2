"""The local FSx: its settings, its lifetime, and what a test can do to it."""

from __future__ import annotations

import copy
import os
import random
import re
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

import anyio
import attrs
import orjson
from aiohttp import web
from anyio.from_thread import start_blocking_portal

from fsxcopy_sdk.testing._clocks import ScaledClock
from fsxcopy_sdk.testing._documents import (
    EXAMPLE_BACKUP,
    EXAMPLE_REGION,
    MAX_MESSAGE,
    AccountRegion,
    Document,
    GivenValue,
    JsonValue,
    default_file_system,
    to_document,
)
from fsxcopy_sdk.testing._faults import Fault, Injection
from fsxcopy_sdk.testing._lifecycle import Settled, status
from fsxcopy_sdk.testing._protocol import RecordedRequest, RequestHandler
from fsxcopy_sdk.testing._settings import Settings
from fsxcopy_sdk.testing._store import DEFAULT_ACCOUNT, Store, StoredBackup

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _between_calls(
    method: Callable[Concatenate[LocalFsx, _P], _R],
) -> Callable[Concatenate[LocalFsx, _P], _R]:
    """Make *method* run between two calls where another thread serves."""

    @wraps(method)
    def locking(self: LocalFsx, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._store.lock:
            return method(self, *args, **kwargs)

    return locking


@attrs.define(eq=False, kw_only=True, on_setattr=attrs.setters.frozen)
class LocalFsx(Settings):
    """
    An Amazon FSx on a loopback port, for any AWS client.

    ``async with LocalFsx() as fsx:`` serves at ``fsx.endpoint_url`` from the
    running event loop, which must be asyncio's; ``with LocalFsx() as fsx:``
    serves from a thread, for programs with any event loop or none. Other
    processes start ``python -m fsxcopy_sdk.testing``. Its backups outlive
    the ``with``, which may be entered again. Arguments are attributes;
    durations are seconds or timedeltas. Its methods may be called from any thread.

    Signatures are not verified: their form is checked, and any secret key
    is accepted. Requests of web pages are refused with 403: those whose
    Host is not 127.0.0.1, [::1] or localhost, and those with the Origin of
    another host.

    The Region of a call is that in the scope of its signature, its account
    that of its access key. The first access key that calls has the account
    `DEFAULT_ACCOUNT`, to which backups are added when no account is named;
    every other key has an account of its own, derived from its text, unless
    *one_account* is true or `add_access_key` gives it another.

    Copies that FSx does not make are refused: of file systems with Intelligent-Tiering
    storage and of FlexGroup volumes (as UnsupportedOperation: the service documents no
    code), from what is not a Region of AWS, and with what is not the ID, alias or ARN of a
    KMS key in the destination. Two settings allow any Region and any key.

    Every method raises ValueError if an argument breaks its rule, and KeyError if
    there is no backup with the *backup_id*.

    Raises:
        TypeError: an argument is not of its type.
        ValueError: an argument breaks its rule.
    """

    _store: Store = attrs.field(
        init=False, repr=False, default=attrs.Factory(Store, takes_self=True)
    )
    _handler: RequestHandler = attrs.field(init=False, repr=False)
    _runner: web.AppRunner | None = attrs.field(
        init=False, repr=False, default=None, on_setattr=attrs.setters.NO_OP
    )
    _thread: ExitStack = attrs.field(init=False, repr=False, factory=ExitStack)

    @_handler.default
    def _new_handler(self) -> RequestHandler:
        return RequestHandler(self._store)

    async def __aenter__(self) -> Self:
        """
        Start to serve.

        Raises:
            OSError: the port is taken.
            RuntimeError: it serves already.
        """
        if self._runner is not None:
            raise RuntimeError("this LocalFsx serves already")
        listening = socket.create_server(("127.0.0.1", self.port))
        # A call that a fault delays must not delay the end of a test.
        runner = web.AppRunner(self._handler.application(), shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        self._runner = runner
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop serving; calls in progress are cancelled."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def __enter__(self) -> Self:
        """
        Start to serve from a thread of its own.

        Raises:
            OSError: the port is taken.
            RuntimeError: it serves already.
        """
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            stack.enter_context(portal.wrap_async_context_manager(self))
            self._thread.push(stack.pop_all())
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving; calls in progress are cancelled."""
        self._thread.close()

    @property
    def endpoint_url(self) -> str:
        """
        Return its URL, such as ``http://127.0.0.1:40217``.

        Raises:
            RuntimeError: it does not serve.
        """
        if self._runner is None:
            raise RuntimeError("this LocalFsx serves only inside its `with`")
        host, port = self._runner.addresses[0]
        return f"http://{host}:{port}"

    @property
    def calls(self) -> Counter[str]:
        """Count the calls that reached an operation, also those that got a fault, by its name."""
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
        """
        scope = self._scope(region, None)
        call = self._handler.record(operation, scope, orjson.dumps(request), {})
        answer = self._handler.answer(call)
        return answer.status, answer.body

    @_between_calls
    def account_of(self, access_key: str) -> str:
        """Return the account of *access_key*, which keeps it from now on."""
        return self._store.account_of(access_key)

    def add_access_key(self, access_key: str, *, account: str = DEFAULT_ACCOUNT) -> None:
        """Give one more *access_key* to *account*, which is twelve digits."""
        self._store.accounts[access_key] = _account(account)

    @_between_calls
    def add_backup(
        self,
        region: str,
        document: Mapping[str, GivenValue] | None = None,
        /,
        *,
        account: str | None = None,
        **members: GivenValue,
    ) -> str:
        """
        Add a backup to *region*, and return its ID.

        *document* and *members* describe it under the service's own names
        and in JSON, known to the service or not; members win. Times are in
        epoch seconds, or datetimes with a zone. The defaults are those of an
        AVAILABLE, USER_INITIATED backup of a Lustre file system, or of the
        volume in Volume. A member that is None is left out, except for
        BackupId and Lifecycle. The backup stays in its Lifecycle; one that
        is COPYING counts as a copy in progress.

        Raises:
            TypeError: it is not JSON, or has a time without a zone.
            ValueError: the BackupId is taken.
        """
        scope = self._scope(region, account)
        given = to_document({**(document or {}), **members})
        complete = self._store.complete(scope, given)
        backup_id = str(complete["BackupId"])
        if backup_id in self._store.by_id:
            raise ValueError(f"BackupId {backup_id!r} is taken")
        lifecycle = str(complete.pop("Lifecycle"))
        progression = Settled(since=self._store.clock.now(), status=status(lifecycle))
        self._store.put(scope, complete, progression, is_copy=lifecycle == "COPYING")
        # A copy has the file system or volume that its source is of.
        if complete.get("SourceBackupRegion", region) == region:
            for kind in ("FileSystem", "Volume"):
                if isinstance(source := complete.get(kind), dict):
                    self._store.add_source(scope, source)
        return backup_id

    @_between_calls
    def add_file_system(
        self,
        region: str,
        document: Mapping[str, GivenValue] | None = None,
        /,
        *,
        account: str | None = None,
        **members: GivenValue,
    ) -> str:
        """
        Add a file system to *region*, and return its ID.

        *document* and *members* are as those of `add_backup`; the defaults are those of a Lustre
        file system. Those that backups are of need not be added.

        Raises:
            TypeError: it is not JSON, or has a time without a zone.
            ValueError: the FileSystemId is taken.
        """
        scope = self._scope(region, account)
        given = to_document({**(document or {}), **members})
        file_system_id = str(given.get("FileSystemId") or self._store.new_file_system_id())
        if file_system_id in self._store.regions[scope].sources:
            raise ValueError(f"FileSystemId {file_system_id!r} is taken")
        defaults = default_file_system(scope, file_system_id, self._store.epoch())
        complete = {**defaults, **given, "FileSystemId": file_system_id}
        present: dict[str, JsonValue] = {
            name: value for name, value in complete.items() if value is not None
        }
        self._store.add_source(scope, present)
        return file_system_id

    def add_example_backup(
        self, region: str = EXAMPLE_REGION, *, account: str | None = None
    ) -> str:
        """Add `EXAMPLE_BACKUP` to *region*, once, and return its ID."""
        return self.add_backup(region, EXAMPLE_BACKUP, account=account)

    @_between_calls
    def backup(self, region: str, backup_id: str) -> Document:
        """Return a backup as it is now, also one that calls do not show yet."""
        backup = self._store.by_id[backup_id]
        if backup.scope.region != region:
            raise KeyError(backup_id)
        return copy.deepcopy(backup.document_at(self._store.clock.now()))

    @_between_calls
    def backups(self, region: str, *, account: str | None = None) -> list[Document]:
        """Return the backups of *region* as they are now, as `backup` does."""
        now = self._store.clock.now()
        held = self._store.regions[self._scope(region, account)].backups
        return [copy.deepcopy(backup.document_at(now)) for backup in held.values()]

    @_between_calls
    def copies_in_progress(self, region: str, *, account: str | None = None) -> int:
        """Count the copies into *region* that are in progress now."""
        return len(self._store.copies_in_progress(self._scope(region, account)))

    def max_copies_in_progress_seen(self, region: str, *, account: str | None = None) -> int:
        """Return the maximum of copies into *region* that were in progress at once."""
        return self._store.regions[self._scope(region, account)].max_copies_in_progress_seen

    @_between_calls
    def fail_copy(self, backup_id: str, message: str) -> None:
        """Make a backup FAILED now; its FailureDetails have *message*, of 1 to 256 characters."""
        if not 1 <= len(message) <= MAX_MESSAGE:
            raise ValueError(f"message must have 1 to {MAX_MESSAGE} characters")
        self._settle(self._store.by_id[backup_id], "FAILED", message)

    @_between_calls
    def set_lifecycle(self, backup_id: str, lifecycle: str) -> None:
        """
        Make a backup stay in *lifecycle* from now on, known to the service or not.

        It keeps the ProgressPercent that it has reached.
        """
        self._settle(self._store.by_id[backup_id], lifecycle, None)

    def _scope(self, region: str, account: str | None) -> AccountRegion:
        if not self._store.is_region(region):
            raise ValueError(
                f"region must be a Region of AWS unless allow_any_region is true, not {region!r}"
            )
        return AccountRegion(DEFAULT_ACCOUNT if account is None else _account(account), region)

    def _settle(self, backup: StoredBackup, lifecycle: str, failure: str | None) -> None:
        now = self._store.clock.now()
        percent = backup.progression.at(now).get("ProgressPercent")
        backup.progression = Settled(since=now, status=status(lifecycle, percent, failure))

    @_between_calls
    def delete_backup(self, backup_id: str) -> None:
        """
        Delete a backup now, as another program could have done.

        No rule prevents it: it may be in progress, or be copied.
        """
        self._store.remove(self._store.by_id[backup_id])

    @_between_calls
    def set_tags(self, backup_id: str, tags: Mapping[str, str | None]) -> None:
        """
        Replace the tags of a backup by *tags*, as another program could have done.

        Keys and values are stored unchanged, also reserved and null ones.
        """
        document = self._store.by_id[backup_id].document
        document["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        if not tags:
            del document["Tags"]

    def refuse_kms_key(
        self,
        key_id: str,
        *,
        as_source: bool = False,
        as_destination: bool = False,
        later: bool = False,
    ) -> None:
        """
        Refuse copies that need *key_id*, written exactly like this.

        *as_source* refuses copies of backups that are encrypted with it,
        *as_destination* copies that would be. With *later* the copy is
        accepted and becomes FAILED at half of its duration.
        """
        if not (as_source or as_destination):
            raise ValueError("as_source or as_destination must be true")
        if as_source:
            self._store.refused_keys["InvalidSourceKmsKey", key_id] = later
        if as_destination:
            self._store.refused_keys["InvalidDestinationKmsKey", key_id] = later

    def forbid_multi_az(self, region: str) -> None:
        """Make *region* one that does not support Multi-AZ file systems."""
        self._store.single_az_regions.add(self._scope(region, None).region)

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

        *next_calls* counts calls of *operation* (of any, if None) to which the
        fault applies; *fraction* is the share of them, 0 to 1, drawn from the
        seed until the faults are cleared. The call is not carried out, unless
        *after* is true or the fault is one of an answer (truncated, content
        type, listings). Of several faults a call gets the one injected first.
        """
        injections = self._handler.injections
        injection = Injection(
            fault=fault,
            next_calls=next_calls,
            fraction=fraction,
            operation=operation,
            after=after,
            # Each has a generator of its own, so that adding one does not change the others.
            random=random.Random(f"{self.seed}/{len(injections)}"),  # noqa: S311 - must be repeatable
        )
        injections.append(injection)

    def clear_faults(self) -> None:
        """Remove all injected faults."""
        self._handler.injections.clear()


def _account(account: object) -> str:
    if not (isinstance(account, str) and re.fullmatch(r"[0-9]{12}", account)):
        raise ValueError(f"account must be twelve digits, not {account!r}")
    return account


async def serve(
    port: int,
    speed: float,
    copy_duration: float | timedelta,
    with_example: bool,
    *,
    one_account: bool = False,
) -> None:
    """
    Serve on *port* of 127.0.0.1 until this is cancelled.

    The first line on standard output is the URL of the endpoint;
    *with_example* adds the example backup, whose ID is the second line.
    *copy_duration* is by a clock that runs *speed* times as fast as real time. With
    *one_account* all access keys have the same account.

    Raises:
        ValueError: an argument breaks its rule, or the port cannot be served.
    """
    clock = ScaledClock(speed)
    fsx = LocalFsx(clock=clock, copy_duration=copy_duration, port=port, one_account=one_account)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(fsx)
        except OSError as error:
            # The error's own text repeats the address.
            reason = os.strerror(error.errno or 0)
            raise ValueError(f"port: {port} cannot be served: {reason}") from error
        print(fsx.endpoint_url, flush=True)  # noqa: T201 - this is the output of a command
        if with_example:
            print(fsx.add_example_backup(), flush=True)  # noqa: T201 - the same
        await anyio.sleep_forever()

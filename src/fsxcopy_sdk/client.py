"""The client of one Region: the operations of the service around backup copies, and the wait."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, nullcontext
from datetime import datetime
from functools import partial
from typing import Literal, Self, TypeAlias

import attrs

from fsxcopy_sdk._clock import Clock, SystemClock, hold_of
from fsxcopy_sdk._codec import (
    RawResponse,
    Response,
    accepted_copy,
    decoding_error,
    parse_page,
    parse_response,
)
from fsxcopy_sdk._paging import UnreadableLog, every_backup
from fsxcopy_sdk._transport import (
    AiobotocoreTransport,
    SupportsClient,
    SupportsConfig,
    SupportsSession,
    Transport,
    open_transport,
)
from fsxcopy_sdk._validation import (
    ArgumentErrors,
    BackupFilter,
    Duration,
    Tags,
    check_backup_id,
    check_type,
    copy_backup_request,
    delete_backup_request,
    describe_backups_request,
    invalid,
    seconds,
    type_of,
)
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import (
    BackupNotFound,
    CallError,
    ClientNotOpen,
    ConfigurationError,
    FsxCopyError,
    ResponseDecodingError,
)
from fsxcopy_sdk.models import (
    Backup,
    CopyBackupResponse,
    DeleteBackupResponse,
    DescribeBackupsResponse,
    ResponseMetadata,
    UnreadableBackup,
)
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, PollCoordinator, WaitSchedule

_Request: TypeAlias = Mapping[str, object]

_SETTINGS = ("region", "session", "endpoint_url", "config")
"""The arguments of the client's own transport."""

_log = logging.getLogger("fsxcopy_sdk.client")

# Silent until the program configures logging: Python itself would print warnings.
logging.getLogger("fsxcopy_sdk").addHandler(logging.NullHandler())


class FsxCopyClient:
    """
    Copy, describe and delete the backups of one Region, and wait for copies.

    Use it with ``async with``. A client belongs to the event loop that it was opened in. A mistake
    on this machine, such as a certificate that is not trusted, is a `ConfigurationError`, which
    opening the client or a call raises.

    Args:
        region: The Region that requests go to, which is the destination of copies; None for
            that of the config, AWS_DEFAULT_REGION, the profile or AWS_REGION.
        session: An aiobotocore `AioSession`, for a profile or credentials of its own.
        endpoint_url: Where the service is, if not in AWS.
        config: Timeouts, retries, proxies ...: an `AioConfig` or botocore `Config`.
            `RequestTimeout` says how its timeouts bound a call.
        transport: What sends the requests instead of aiobotocore, such as a fake in a
            test. It excludes the four arguments above. The client is open at once, and
            does not close it.
        clock: The clock that waits use; None for the machine's. A `ManualClock` does not
            advance by itself while a call is in flight.

    Raises:
        InvalidArguments: *transport* is not a `Transport`, or is given with other arguments.
    """

    def __init__(
        self,
        region: str | None = None,
        *,
        session: SupportsSession | None = None,
        endpoint_url: str | None = None,
        config: SupportsConfig | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = (region, session, endpoint_url, config)
        if transport is not None:
            _check_transport(transport, self._settings)
        self._clock = SystemClock() if clock is None else clock
        self._transport = transport
        # Only during real calls: a fake may answer when another task's sleep ends.
        is_fake = not isinstance(transport, AiobotocoreTransport | None)
        self._hold = nullcontext if is_fake else hold_of(self._clock)
        self._region = region if transport is None else transport.region
        self._has_settings = transport is None
        self._state: Literal["new", "entered", "closed"] = "new"
        self._service_time: datetime | None = None
        self._worked_before = False
        self._coordinator = PollCoordinator(
            self._describe, self._list_page, self._clock, random.random
        )
        self._coordinator.region = self._region
        self._stack = AsyncExitStack()

    @classmethod
    def from_client(cls, raw: SupportsClient, *, clock: Clock | None = None) -> Self:
        """
        Wrap an open aiobotocore FSx client, which stays the caller's to close.

        Its HTTP session is used as it is. If that session follows redirects, it sends the
        session token to the other host; the response of that host is still refused. Only the
        whole call has a time limit (see `RequestTimeout`); one attempt and the size of a
        response have none.

        Raises:
            InvalidArguments: *raw* is not an FSx client.
        """
        return cls(transport=AiobotocoreTransport(raw), clock=clock)

    def with_region(self, region: str) -> Self:
        """
        Return another client, not open yet, with this one's settings except for its Region.

        Raises:
            ConfigurationError: this client was made by `from_client` or with a transport.
        """
        if not self._has_settings:
            raise ConfigurationError(
                f"A client of {region} cannot be derived from one made by from_client or with "
                "transport="
            )
        _, session, endpoint_url, config = self._settings
        return type(self)(
            region, session=session, endpoint_url=endpoint_url, config=config, clock=self._clock
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._region or 'of the default Region'}>"

    async def __aenter__(self) -> Self:
        """
        Open the client.

        Raises:
            ClientNotOpen: it was opened before.
            InvalidArguments: an argument is not of its type.
            ConfigurationError: no Region, no such profile, an invalid endpoint, a file of
                certificates that cannot be loaded, trio without the httpx backend ...
            CredentialsUnavailable: the credentials cannot be loaded.
        """
        if self._state != "new":
            raise ClientNotOpen("A client can be opened once: make a new one")
        self._state = "entered"
        if self._transport is None:
            opening = open_transport(*self._settings)
            with self._hold():
                self._transport = await self._stack.enter_async_context(opening)
            self._region = self._coordinator.region = self._transport.region
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client and its connections."""
        self._transport, self._state = None, "closed"
        self._coordinator.close()
        await self._stack.aclose()

    @property
    def region(self) -> str:
        """The Region that requests go to, known while the client is open."""
        return self._open_transport.region

    @property
    def clock(self) -> Clock:
        """The clock that waits sleep on."""
        return self._clock

    @property
    def service_time(self) -> datetime | None:
        """The `Date` of the service's last successful answer that had one, in UTC; or None."""
        return self._service_time

    async def copy_backup(
        self,
        source_backup_id: str,
        *,
        source_region: str | None = None,
        kms_key_id: str | None = None,
        copy_tags: bool = False,
        tags: Tags | None = None,
        client_request_token: str | None = None,
    ) -> CopyBackupResponse:
        """
        Start to copy a backup into this client's Region.

        If the call may be cancelled, pass a token. The service may have accepted the request
        already, and the same token then returns the same copy. This call makes a copy even if
        there is one already; `copy_many` searches first.

        Args:
            source_backup_id: The backup to copy, which must be AVAILABLE.
            source_region: The Region it lives in; None for this client's own.
            kms_key_id: The key for the copy; None for the account's key of FSx (aws/fsx).
            copy_tags: Whether the source's tags are copied too.
            tags: Tags for the copy, which win over the source's; 50 in all at most.
            client_request_token: Requests with the same token make one copy while the
                service remembers it, which may be minutes; None for a random one, which
                an exception carries.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            CallError: `ServiceLimitExceeded` and the other errors of the service, no
                answer, or one that cannot be read or belongs to another request.
            ClientNotOpen: the client is not open.
        """
        transport = self._open_transport
        request = copy_backup_request(
            source_backup_id,
            region=transport.region,
            source_region=source_region,
            kms_key_id=kms_key_id,
            copy_tags=copy_tags,
            tags=tags,
            client_request_token=client_request_token,
        )
        check = partial(_errors_in_copied, transport.region)
        parse = partial(_parse_copied, source_backup_id)
        try:
            response: CopyBackupResponse = await self._send(
                transport.copy_backup, parse, request, check
            )
        except ResponseDecodingError as error:
            if error.accepted_backup_id is not None:
                self._log_accepted(error.accepted_backup_id, source_backup_id)
            raise
        self._log_accepted(response.backup.backup_id, source_backup_id)
        return response

    def _log_accepted(self, copy: str, source: str) -> None:
        extra = {"backup_id": copy, "source_backup_id": source, "region": self._region}
        text = "%s: the copy of %s into %s was accepted"
        _log.info(text, copy, source, self._region, extra=extra)

    async def describe_backups(
        self,
        *,
        backup_ids: Iterable[str] | None = None,
        filters: Iterable[BackupFilter] = (),
        max_results: int | None = None,
        next_token: str | None = None,
        strict: bool = True,
    ) -> DescribeBackupsResponse:
        """
        Return one page of backups: of 1 to 50 ids, or of all that pass the filters.

        With `strict=False` a backup that cannot be read is in `unreadable` of the page,
        instead of making the call fail.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            CallError: `BackupNotFound` where one id is unknown, and the like.
            ClientNotOpen: the client is not open.
        """
        errors = ArgumentErrors()
        errors.check_type("strict", strict, bool, "True or False")
        request = describe_backups_request(
            backup_ids=backup_ids,
            filters=filters,
            max_results=max_results,
            next_token=next_token,
            errors=errors,
        )
        return await self._page(request, strict=strict)

    async def describe_backup(self, backup_id: str) -> Backup:
        """
        Return one backup.

        Raises:
            InvalidArguments: *backup_id* is not a backup ID; nothing was sent.
            BackupNotFound: there is no such backup in this Region and account.
            CallError: any other error of the call.
            ClientNotOpen: the client is not open.
        """
        check_backup_id(backup_id)
        last = ResponseMetadata()

        async def fetch(request: _Request) -> DescribeBackupsResponse:
            nonlocal last
            page = await self._page(request)
            last = page.metadata
            return page

        pages = every_backup(
            fetch, {"BackupIds": [backup_id]}, ahead=False, region=lambda: self._region
        )
        async with aclosing(pages) as backups:
            async for backup in backups:  # which has no backup of another id
                return backup
        raise BackupNotFound(
            f"{backup_id} is not in the answer",
            operation="DescribeBackups",
            region=self._region,
            request_id=last.request_id,
            http_status=last.http_status,
        )

    def iter_backups(
        self,
        *,
        filters: Iterable[BackupFilter] = (),
        max_results: int | None = None,
        strict: bool = False,
        on_unreadable: Callable[[UnreadableBackup], None] | None = None,
    ) -> AsyncGenerator[Backup, None]:
        """
        Yield every backup that passes the filters, page by page of *max_results*.

        The next page is fetched while one is consumed. A loop that may end early should
        close the iterator, as with `contextlib.aclosing`: that ends the call in progress.

        A backup that cannot be read hides no others: it is passed to *on_unreadable*, and
        logged as a warning at the end of the listing, once for all of them. With *strict*
        it raises ResponseDecodingError instead.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            PaginationError: a page leads back to an earlier one.
            CallError: any other error of a call.
            ClientNotOpen: the client is not open.
            Exception: whatever *on_unreadable* raises.
        """
        errors = ArgumentErrors()
        errors.check_type("strict", strict, bool, "True or False")
        errors.check_observer("on_unreadable", on_unreadable)
        request = describe_backups_request(
            backup_ids=None,
            filters=filters,
            max_results=max_results,
            next_token=None,
            errors=errors,
        )
        fetch = partial(self._page, strict=strict)
        region = lambda: self._region  # noqa: E731 - it is known when the client is open
        log = UnreadableLog(region, on_unreadable)
        return every_backup(fetch, request, ahead=True, region=region, unreadable=log)

    async def delete_backup(
        self, backup_id: str, *, client_request_token: str | None = None
    ) -> DeleteBackupResponse:
        """
        Delete a backup permanently.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            CallError: `BackupBeingCopied` while and shortly after the backup is the
                source of a copy, and the other errors of the service, no answer, or
                one that cannot be read or belongs to another request.
            ClientNotOpen: the client is not open.
        """
        request = delete_backup_request(backup_id, client_request_token=client_request_token)
        send = self._open_transport.delete_backup
        parse = partial(parse_response, DeleteBackupResponse)
        return await self._send(send, parse, request, _errors_in_deleted)

    def watch_backup(
        self,
        backup_id: str,
        *,
        max_wait: Duration = DEFAULT_MAX_WAIT,
        schedule: WaitSchedule = DEFAULT_SCHEDULE,
        last_seen: Backup | None = None,
    ) -> AsyncGenerator[Backup, None]:
        """
        Yield every observation of a backup until it is AVAILABLE.

        A wait that timed out can simply be repeated, here or in another process. The last
        poll is made on the deadline, and cancelled if it has no answer ten seconds later, by
        the event loop's time; the client's retries and timeouts may end it earlier.

        The backup may be unknown for `schedule.not_found_grace` seconds without
        interruption, also if it was seen before: only FAILED or DELETED mean that it failed.
        With a grace of *max_wait* or more, a backup that stays unknown ends the wait as
        `WaitTimeout`.

        Give what an answer has just shown as *last_seen*, CopyBackup's for example: then the
        first poll comes after the schedule's first delay, instead of at once.

        The iterator also yields what polls of other waits of this client show. Close it if
        you leave it early. A timeout around one step ends it.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            BackupCopyFailed: the backup is FAILED or DELETED, after it was yielded.
            WaitTimeout: it was not AVAILABLE in time.
            BackupNotFound: it was unknown in this Region and account for too long.
            CallError: an error that waiting does not resolve, such as `AccessDenied`.
            ClientNotOpen: the client is not open.
        """
        check_backup_id(backup_id)
        check_type("schedule", schedule, WaitSchedule)
        if last_seen is not None:
            check_type("last_seen", last_seen, Backup)
            if last_seen.backup_id != backup_id:
                raise invalid("last_seen", f"an observation of {backup_id}", last_seen.backup_id)
        wait_seconds = seconds("max_wait", max_wait)
        return self._coordinator.watch(backup_id, wait_seconds, schedule, last_seen)

    async def wait_until_backup_available(
        self,
        backup_id: str,
        *,
        max_wait: Duration = DEFAULT_MAX_WAIT,
        schedule: WaitSchedule = DEFAULT_SCHEDULE,
    ) -> Backup:
        """Return the backup as soon as it is AVAILABLE, under the rules of `watch_backup`."""
        observations = self.watch_backup(backup_id, max_wait=max_wait, schedule=schedule)
        async with aclosing(observations):
            async for backup in observations:
                last = backup
        return last

    async def copy_backup_and_wait(
        self,
        source_backup_id: str,
        *,
        source_region: str | None = None,
        kms_key_id: str | None = None,
        copy_tags: bool = False,
        tags: Tags | None = None,
        client_request_token: str | None = None,
        max_wait: Duration = DEFAULT_MAX_WAIT,
        schedule: WaitSchedule = DEFAULT_SCHEDULE,
    ) -> Backup:
        """
        Copy a backup and return the copy when it is AVAILABLE.

        Arguments and exceptions are those of `copy_backup` and `watch_backup`; all arguments
        are checked before anything is sent. Once accepted, the copy may be unknown to
        DescribeBackups until the deadline, an exception has its id as `accepted_backup_id`,
        a cancellation has it as a note, and the logger `fsxcopy_sdk.client` records it.
        """
        check_type("schedule", schedule, WaitSchedule)
        wait_seconds = seconds("max_wait", max_wait)
        response = await self.copy_backup(
            source_backup_id,
            source_region=source_region,
            kms_key_id=kms_key_id,
            copy_tags=copy_tags,
            tags=tags,
            client_request_token=client_request_token,
        )
        accepted = response.backup.backup_id
        grace = max(schedule.not_found_grace, wait_seconds)
        try:
            return await self.wait_until_backup_available(
                accepted,
                max_wait=wait_seconds,
                schedule=attrs.evolve(schedule, not_found_grace=grace),
            )
        except FsxCopyError as error:
            error.accepted_backup_id = accepted
            raise
        except BaseException as error:
            error.add_note(f"the copy was accepted: {accepted}")
            raise

    @property
    def _open_transport(self) -> Transport:
        if self._transport is None:
            is_closed = self._state == "closed"
            state = "was closed" if is_closed else "is not open: use it inside `async with`"
            raise ClientNotOpen(f"The client {state}")
        return self._transport

    async def _send(
        self,
        send: Callable[[_Request], Awaitable[RawResponse]],
        parse: Callable[[RawResponse], Response],
        request: _Request,
        check: Callable[[Response, _Request], list[str]],
    ) -> Response:
        """Send a request; *check* returns the evidence that the response is to another one."""
        try:
            with self._hold():
                answer = await send(request)
            response = parse(answer)
            if errors := check(response, request):
                reason = "belongs to another request"
                raise decoding_error(errors, answer, reason=reason, is_malformed=True)
        except (CallError, ConfigurationError) as error:
            error.region = error.region or self._region
            token = request.get("ClientRequestToken")
            if isinstance(error, CallError):
                error.worked_before = self._worked_before
                if isinstance(token, str):  # so that the request can be repeated
                    error.client_request_token = token
            raise
        self._worked_before = True
        self._service_time = response.metadata.date or self._service_time
        return response

    async def _page(self, request: _Request, *, strict: bool = True) -> DescribeBackupsResponse:
        send = self._open_transport.describe_backups
        parse = partial(parse_response, DescribeBackupsResponse) if strict else parse_page
        return await self._send(send, parse, request, _errors_in_described)

    async def _describe(self, backup_ids: Sequence[str]) -> Sequence[Backup]:
        # These ids were checked; their answer may come in pages like any other.
        request = {"BackupIds": backup_ids}
        pages = every_backup(self._page, request, ahead=False, region=lambda: self._region)
        return [one async for one in pages]

    async def _list_page(self, next_token: str | None) -> DescribeBackupsResponse:
        request = {"NextToken": next_token} if next_token else {}
        return await self._page(request, strict=False)


def _check_transport(transport: object, settings: Sequence[object]) -> None:
    errors = ArgumentErrors()
    if not isinstance(transport, Transport):
        errors.add("transport", "a Transport or None", type_of(transport))
    for name, value in zip(_SETTINGS, settings, strict=True):
        if value is not None:
            errors.add(name, "None where transport is given", type_of(value))
    errors.raise_any()


def _parse_copied(source_backup_id: str, answer: RawResponse) -> CopyBackupResponse:
    """Read the answer to CopyBackup; an error of it has the ID of the copy that was accepted."""
    try:
        return parse_response(CopyBackupResponse, answer)
    except ResponseDecodingError as error:
        error.accepted_backup_id = accepted_copy(answer, source_backup_id)
        raise


def _errors_in_copied(region: str, response: CopyBackupResponse, request: _Request) -> list[str]:
    """Find a copy of another backup; a response may omit the source of its copy."""
    copy = response.backup
    expected = (
        ("SourceBackupId", request["SourceBackupId"], copy.source_backup_id),
        ("SourceBackupRegion", request.get("SourceRegion", region), copy.source_backup_region),
    )
    return [
        f"$.Backup.{name}: must be {asked}, not {found}"
        for name, asked, found in expected
        if found not in (None, asked)
    ]


def _errors_in_described(response: DescribeBackupsResponse, request: _Request) -> list[str]:
    """Find backups that were not asked for by ID, if IDs were given."""
    asked = request.get("BackupIds")
    if not isinstance(asked, Sequence):
        return []
    # The whole page is another's, so no single backup of it is named as the place.
    ids = [one.backup_id for one in response.backups]
    ids += [one.backup_id for one in response.unreadable if one.backup_id is not None]
    others = [one for one in ids if one not in asked]
    return [f"$.Backups: has {one}, which was not asked for" for one in others]


def _errors_in_deleted(response: DeleteBackupResponse, request: _Request) -> list[str]:
    """Find another id, or a known lifecycle other than DELETED."""
    texts = []
    if response.backup_id != request["BackupId"]:
        texts.append(f"$.BackupId: must be {request['BackupId']}, not {response.backup_id}")
    lifecycle = response.lifecycle
    if lifecycle != BackupLifecycle.DELETED and not lifecycle.is_unknown:
        texts.append(f"$.Lifecycle: must be DELETED, not {lifecycle}")
    return texts

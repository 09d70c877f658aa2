"""
The client: the operations of the service around backup copies, and the wait.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import TYPE_CHECKING, Self

from fsxcopy_sdk._arguments import (
    Duration,
    Tags,
    check_backup_id,
    check_type,
    copy_backup_request,
    delete_backup_request,
    describe_backups_request,
    seconds,
)
from fsxcopy_sdk._clock import Clock, SystemClock
from fsxcopy_sdk._convert import from_answer
from fsxcopy_sdk._schedule import WaitSchedule
from fsxcopy_sdk._transport import Transport, open_transport
from fsxcopy_sdk.errors import BackupNotFound, CallError, ClientClosed, RepeatedNextToken
from fsxcopy_sdk.models import (
    Backup,
    BackupFilter,
    CopyBackupResponse,
    DeleteBackupResponse,
    DescribeBackupsResponse,
)
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, Board

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from botocore.config import Config
    from types_aiobotocore_fsx.client import FSxClient
    from types_aiobotocore_fsx.type_defs import DescribeBackupsRequestTypeDef

_DEFAULT_SCHEDULE = WaitSchedule()


@contextmanager
def _carrying(client_request_token: str) -> Iterator[None]:
    """
    Let exceptions carry the token that was sent, so that the request can be repeated.
    """
    try:
        yield
    except CallError as error:
        error.client_request_token = client_request_token
        raise


class FsxCopyClient:
    """
    Copy, describe, delete and await the backups of one Region, as ``async with``.

    Args:
        region: The Region that requests go to, which is the destination of copies;
            None for the one of the environment or profile.

        session: An aiobotocore session, for a profile or credentials of its own; None
            for aiobotocore's defaults.

        endpoint_url: Where the service is, if not in AWS.

        config: Timeouts, retries, proxies ...: an `AioConfig` or botocore `Config`.

        clock: What waits sleep on; None for the machine's.
    """

    def __init__(
        self,
        region: str | None = None,
        *,
        session: AioSession | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._opening = (region, session, endpoint_url, config)
        self._clock = SystemClock() if clock is None else clock
        self._transport: Transport | None = None
        self._entered = self._closed = False
        self._board = Board(self._describe, self._clock, random.random)
        self._stack = AsyncExitStack()

    @classmethod
    def from_client(cls, raw: FSxClient, *, clock: Clock | None = None) -> Self:
        """
        Wrap an open aiobotocore FSx client, which stays the caller's to close.

        Its HTTP session is the caller's too: where that follows redirects, the session
        token follows them; an answer from elsewhere is refused all the same.

        Raises:
            InvalidArguments: *raw* is no FSx client.
        """
        client = cls(clock=clock)
        client._transport = Transport(raw)
        return client

    async def __aenter__(self) -> Self:
        """
        Open the client.

        Raises:
            ClientClosed: it was opened before.
            InvalidArguments: an argument is not of its type.
            ConfigurationError: no Region, no such profile, a bad endpoint ...
            CredentialsUnavailable: the credentials cannot be loaded.
        """
        if self._entered:
            raise ClientClosed("A client can be opened once: make a new one")
        self._entered = True
        if self._transport is None:
            self._transport = await self._stack.enter_async_context(open_transport(*self._opening))
        return self

    async def __aexit__(self, *_: object) -> None:
        """
        Close the client and its connections.
        """
        self._transport, self._closed = None, True
        self._board.close()
        await self._stack.aclose()

    @property
    def _open_transport(self) -> Transport:
        if self._transport is None:
            state = "was closed" if self._closed else "is not open: use it inside `async with`"
            raise ClientClosed(f"The client {state}")
        return self._transport

    @property
    def region(self) -> str:
        """
        The Region that requests go to, known while the client is open.
        """
        return self._open_transport.region

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
        Begin to copy a backup into this client's Region.

        Whoever may cancel the call, by a timeout say, should give a token: a call that
        was cancelled may have been accepted, and only its token finds it again.

        Args:
            source_backup_id: The backup to copy, which must be AVAILABLE.

            source_region: The Region it lives in; None for this client's own.

            kms_key_id: The key for the copy; None for the account's own of FSx.

            copy_tags: Whether the source's tags are copied too.

            tags: Tags for the copy, which win over the source's; 50 in all at most.

            client_request_token: Requests with the same token make one copy; None for a
                random one, which an exception carries.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            CallError: `ServiceLimitExceeded` and the other errors of the service, no
                answer, or one that cannot be read.
            ClientClosed: the client is not open.
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
        with _carrying(request["ClientRequestToken"]):
            answer = await transport.copy_backup(request)
            return from_answer(CopyBackupResponse, answer)

    async def describe_backups(
        self,
        *,
        backup_ids: Iterable[str] | None = None,
        filters: Iterable[BackupFilter] = (),
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> DescribeBackupsResponse:
        """
        Return one page of backups: of 1 to 50 ids, or of all that pass the filters.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            CallError: `BackupNotFound` where one id is unknown, and the like.
            ClientClosed: the client is not open.
        """
        request = describe_backups_request(
            backup_ids=backup_ids, filters=filters, max_results=max_results, next_token=next_token
        )
        return await self._page(request)

    async def describe_backup(self, backup_id: str) -> Backup:
        """
        Return one backup.

        Raises:
            InvalidArguments: *backup_id* is no id; nothing was sent.
            BackupNotFound: there is no such backup in this Region and account.
            CallError: any other error of the call.
            ClientClosed: the client is not open.
        """
        check_backup_id(backup_id)
        page = await self.describe_backups(backup_ids=[backup_id])
        found = next((one for one in page.backups if one.backup_id == backup_id), None)
        if found is not None:
            return found
        raise BackupNotFound(
            f"{backup_id} is not in the answer",
            operation="DescribeBackups",
            request_id=page.metadata.request_id,
            http_status=page.metadata.http_status,
        )

    async def iter_backups(
        self, *, filters: Iterable[BackupFilter] = (), max_results: int | None = None
    ) -> AsyncGenerator[Backup, None]:
        """
        Yield every backup that passes the filters, page by page of *max_results*.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            RepeatedNextToken: a page leads back to an earlier one.
            CallError: any other error of a call.
            ClientClosed: the client is not open.
        """
        request = describe_backups_request(
            backup_ids=None, filters=filters, max_results=max_results, next_token=None
        )
        async for backup in self._items(request):
            yield backup

    async def _items(self, request: DescribeBackupsRequestTypeDef) -> AsyncGenerator[Backup, None]:
        seen: set[str] = set()
        while True:
            page = await self._page(request)
            for backup in page.backups:
                yield backup
            token = page.next_token
            if not token:
                return
            if token in seen:
                raise RepeatedNextToken(
                    f"Page {len(seen) + 1} leads back to an earlier one: the listing has no end",
                    operation="DescribeBackups",
                    next_token=token,
                )
            seen.add(token)
            request["NextToken"] = token

    async def delete_backup(
        self, backup_id: str, *, client_request_token: str | None = None
    ) -> DeleteBackupResponse:
        """
        Delete a backup for good.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            CallError: `BackupBeingCopied` while and shortly after the backup is the
                source of a copy, and the other errors of the service, no answer, or
                one that cannot be read.
            ClientClosed: the client is not open.
        """
        request = delete_backup_request(backup_id, client_request_token=client_request_token)
        with _carrying(request["ClientRequestToken"]):
            answer = await self._open_transport.delete_backup(request)
            return from_answer(DeleteBackupResponse, answer)

    async def watch_backup(
        self,
        backup_id: str,
        *,
        max_wait: Duration = DEFAULT_MAX_WAIT,
        schedule: WaitSchedule = _DEFAULT_SCHEDULE,
    ) -> AsyncGenerator[Backup, None]:
        """
        Yield every observation of a backup until it is AVAILABLE.

        *max_wait* is seconds or a timedelta, eight hours if not given; a wait that
        timed out can simply be repeated, here or in another process. For a minute the
        backup may be unknown, as one is whose copy was only just accepted.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            BackupCopyFailed: the backup is FAILED or DELETED, after it was yielded.
            WaitTimeout: it was not AVAILABLE in time.
            BackupNotFound: it is unknown in this Region and account.
            CallError: what will not pass by waiting, such as `AccessDenied`.
            ClientClosed: the client is not open.
        """
        check_backup_id(backup_id)
        check_type("schedule", schedule, WaitSchedule)
        observations = self._board.watch(backup_id, seconds("max_wait", max_wait), schedule)
        async with aclosing(observations):
            async for backup in observations:
                yield backup

    async def wait_until_backup_available(
        self,
        backup_id: str,
        *,
        max_wait: Duration = DEFAULT_MAX_WAIT,
        schedule: WaitSchedule = _DEFAULT_SCHEDULE,
    ) -> Backup:
        """
        Return the backup as soon as it is AVAILABLE; all else is as in `watch_backup`.
        """
        observations = self.watch_backup(backup_id, max_wait=max_wait, schedule=schedule)
        async with aclosing(observations):
            async for backup in observations:
                last = backup
        return last

    async def _page(self, request: DescribeBackupsRequestTypeDef) -> DescribeBackupsResponse:
        answer = await self._open_transport.describe_backups(request)
        return from_answer(DescribeBackupsResponse, answer)

    async def _describe(self, backup_ids: Sequence[str]) -> Sequence[Backup]:
        # Of ids known to be good; their answer may come in pages like any other.
        return [one async for one in self._items({"BackupIds": backup_ids})]

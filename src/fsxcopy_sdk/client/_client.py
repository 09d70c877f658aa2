"""
The operations of the service around backup copies, and the wait.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager

import attrs

from fsxcopy_sdk._convert import parse_response
from fsxcopy_sdk._paging import stream_backups
from fsxcopy_sdk._validation import (
    BackupFilter,
    Duration,
    Tags,
    check_backup_id,
    check_type,
    copy_backup_request,
    delete_backup_request,
    describe_backups_request,
    seconds,
)
from fsxcopy_sdk.client._answers import check_copied, check_deleted
from fsxcopy_sdk.client._open import OpenClient
from fsxcopy_sdk.errors import BackupNotFound, CallError, FsxCopyError
from fsxcopy_sdk.models import (
    Backup,
    CopyBackupResponse,
    DeleteBackupResponse,
    DescribeBackupsResponse,
)
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, WaitSchedule

_log = logging.getLogger("fsxcopy_sdk.client")


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


@contextmanager
def _keeping(accepted: str) -> Iterator[None]:
    """
    Let exceptions say which copy was accepted, cancellation too.
    """
    _log.info("%s: accepted", accepted, extra={"backup_id": accepted})
    try:
        yield
    except FsxCopyError as error:
        error.accepted_backup_id = accepted
        raise
    except BaseException as error:
        error.add_note(f"the copy was accepted: {accepted}")
        raise


class FsxCopyClient(OpenClient):
    """
    Copy, describe, delete and await the backups of one Region, as ``async with``.

    Args:
        region: The Region that requests go to, which is the destination of copies;
            None for the one of the environment or profile.

        session: An aiobotocore session, for a profile or credentials of its own; None
            for aiobotocore's defaults.

        endpoint_url: Where the service is, if not in AWS.

        config: Timeouts, retries, proxies ...: an `AioConfig` or botocore `Config`. An
            attempt ends after `connect_timeout` and `read_timeout` together, the time until
            a connection is free included; with one of them switched off (None) it may never
            end.

        clock: What waits sleep on; None for the machine's.
    """

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

        Give a token if the call may be cancelled, by a timeout for example: a call that
        was cancelled may have been accepted, and the same token finds its copy again.
        This call makes a copy even if there is one already; `copy_many` searches first.

        Args:
            source_backup_id: The backup to copy, which must be AVAILABLE.

            source_region: The Region it lives in; None for this client's own.

            kms_key_id: The key for the copy; None for the account's own of FSx.

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
        with _carrying(request["ClientRequestToken"]):
            answer = await transport.copy_backup(request)
            response = parse_response(CopyBackupResponse, answer)
            check_copied(response, request, transport.region, answer)
        self._note_time(response.metadata)
        return response

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
            ClientNotOpen: the client is not open.
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
            ClientNotOpen: the client is not open.
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

        The next page is fetched while one is consumed. A loop that may end early should
        close the iterator, as with `contextlib.aclosing`: that ends the call on its way.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            PaginationError: a page leads back to an earlier one.
            CallError: any other error of a call.
            ClientNotOpen: the client is not open.
        """
        request = describe_backups_request(
            backup_ids=None, filters=filters, max_results=max_results, next_token=None
        )
        async with aclosing(stream_backups(self._page, request)) as backups:
            async for backup in backups:
                yield backup

    async def delete_backup(
        self, backup_id: str, *, client_request_token: str | None = None
    ) -> DeleteBackupResponse:
        """
        Delete a backup for good.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            CallError: `BackupBeingCopied` while and shortly after the backup is the
                source of a copy, and the other errors of the service, no answer, or
                one that cannot be read or belongs to another request.
            ClientNotOpen: the client is not open.
        """
        request = delete_backup_request(backup_id, client_request_token=client_request_token)
        with _carrying(request["ClientRequestToken"]):
            answer = await self._open_transport.delete_backup(request)
            response = parse_response(DeleteBackupResponse, answer)
            check_deleted(response, request, answer)
        self._note_time(response.metadata)
        return response

    async def watch_backup(
        self,
        backup_id: str,
        *,
        max_wait: Duration = DEFAULT_MAX_WAIT,
        schedule: WaitSchedule = DEFAULT_SCHEDULE,
    ) -> AsyncGenerator[Backup, None]:
        """
        Yield every observation of a backup until it is AVAILABLE.

        *max_wait* is seconds or a timedelta, eight hours if not given; a wait that
        timed out can simply be repeated, here or in another process. The last poll is
        made on the deadline, and cancelled if it has no answer ten seconds later, by the
        event loop's time; the retries and timeouts of the client's config end it earlier.

        The backup may be unknown, as one is whose copy was only just accepted, for
        `schedule.not_found_grace` seconds without interruption, a minute by default.
        That holds too for a backup that was seen before: only FAILED or DELETED mean
        that it failed. With a grace of *max_wait* or more, a backup that stays unknown
        ends the wait as `WaitTimeout`.

        Observations that other waits of this client ask for are yielded too. Close the
        iterator if it is left early; it ends for good when a timeout is put around a
        single step.

        Raises:
            InvalidArguments: arguments break rules; nothing was sent.
            BackupCopyFailed: the backup is FAILED or DELETED, after it was yielded.
            WaitTimeout: it was not AVAILABLE in time.
            BackupNotFound: it was unknown in this Region and account for too long.
            CallError: what will not pass by waiting, such as `AccessDenied`.
            ClientNotOpen: the client is not open.
        """
        check_backup_id(backup_id)
        check_type("schedule", schedule, WaitSchedule)
        observations = self._coordinator.watch(backup_id, seconds("max_wait", max_wait), schedule)
        async with aclosing(observations):
            async for backup in observations:
                yield backup

    async def wait_until_backup_available(
        self,
        backup_id: str,
        *,
        max_wait: Duration = DEFAULT_MAX_WAIT,
        schedule: WaitSchedule = DEFAULT_SCHEDULE,
    ) -> Backup:
        """
        Return the backup as soon as it is AVAILABLE; all else is as in `watch_backup`.
        """
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

        Arguments and exceptions are those of `copy_backup` and `watch_backup`; both
        calls' arguments are checked before anything is sent. Because the service has
        accepted the copy, it may be unknown to DescribeBackups until the deadline. An
        exception after that has its id as `accepted_backup_id`, for another wait; a
        cancellation has it as a note, and a record of `fsxcopy_sdk.client` tells it.
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
        grace = max(schedule.not_found_grace, wait_seconds)
        with _keeping(response.backup.backup_id):
            return await self.wait_until_backup_available(
                response.backup.backup_id,
                max_wait=wait_seconds,
                schedule=attrs.evolve(schedule, not_found_grace=grace),
            )

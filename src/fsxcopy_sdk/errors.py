"""
Everything that can go wrong, as one tree.

    FsxCopyError
    ├── InvalidArguments            (ValueError) found before the network
    ├── ConfigurationError          no such profile, Region, endpoint, proxy ...
    ├── ClientClosed                the client was closed, or never opened
    ├── CallError                   one call of the service did not end well
    │   ├── NoAnswer                no whole answer came
    │   │   ├── ConnectionFailed
    │   │   ├── RequestTimeout      (TimeoutError)
    │   │   └── CredentialsUnavailable
    │   ├── ResponseDecodingError   an answer that cannot be read
    │   ├── RepeatedNextToken       paging that would never end
    │   └── ServiceError            an answer that is an error
    │       ├── AccessDenied, ExpiredCredentials, InvalidCredentials,
    │       │   ServiceUnavailable, Throttled
    │       └── BackupBeingCopied, BackupInProgress, BackupNotFound,
    │           BackupRestoring, BadRequest, FileSystemNotFound,
    │           IncompatibleParameterError, IncompatibleRegionForMultiAZ,
    │           InternalServerError, InvalidDestinationKmsKey, InvalidRegion,
    │           InvalidSourceKmsKey, ServiceLimitExceeded,
    │           SourceBackupUnavailable, UnsupportedOperation, VolumeNotFound
    └── WaitError                   a wait that did not end with AVAILABLE
        ├── BackupCopyFailed
        └── WaitTimeout             (TimeoutError)

The last group below `ServiceError` are the service's own names; the group
before it are families of codes that every AWS service has. All errors keep
their class and fields through pickle, copy and deepcopy. An error that another
library raised first is the `__cause__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fsxcopy_sdk.enums import ServiceLimit

if TYPE_CHECKING:
    from fsxcopy_sdk.models import Backup

# Positional fields, neither frozen nor slotted: BaseException pickles by `args`,
# which attrs fills with all fields in order.
_error = attrs.define(slots=False, eq=False)


@_error
class FsxCopyError(Exception):
    """
    Root of all errors of this package.
    """

    message: str

    @property
    def is_transient(self) -> bool:
        """
        Whether the same call may succeed later without anything being changed.
        """
        return False

    def __str__(self) -> str:
        return self.message


@_error
class InvalidArguments(FsxCopyError, ValueError):
    """
    Arguments break rules of the service; nothing was sent.
    """

    faults: tuple[str, ...] = ()
    """One text for each fault: the argument's name and the rule."""


@_error
class ConfigurationError(FsxCopyError):
    """
    The client cannot be made or used as it is configured.
    """


@_error
class ClientClosed(FsxCopyError):
    """
    The client is not open: use it inside ``async with``.
    """


@_error
class CallError(FsxCopyError):
    """
    One call of the service did not end well.
    """

    operation: str | None = None
    """The service's name of the operation, such as `CopyBackup`."""
    client_request_token: str | None = None
    """
    The idempotency token that was sent. Where it is not known whether the service
    accepted the request, repeat it with this token: nothing is done twice.
    """
    attempts: int = 1
    """How often the request was sent, retries included."""


@_error
class NoAnswer(CallError):
    """
    No whole answer came; the service may or may not have accepted the request.
    """


@_error
class ConnectionFailed(NoAnswer):
    """
    The connection could not be made, or broke.
    """

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


@_error
class RequestTimeout(NoAnswer, TimeoutError):
    """
    The connection or the answer took longer than the configured timeouts.
    """

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


@_error
class CredentialsUnavailable(NoAnswer):
    """
    No credentials were found, or they could not be loaded or renewed.
    """


@_error
class ResponseDecodingError(CallError):
    """
    The service answered, but the answer cannot be read.

    The request may well have been accepted, so everything that was received is
    kept here.
    """

    request_id: str | None = None
    http_status: int | None = None
    faults: tuple[str, ...] = ()
    """One text for each fault: its path in the answer, such as `$.Backup.CreationTime`."""
    payload: object = attrs.field(default=None, repr=False)
    """What was received: bytes, or a dict that botocore had parsed. May hold secrets."""


@_error
class RepeatedNextToken(CallError):
    """
    A page leads back to an earlier one, so that paging would never end.
    """

    next_token: str | None = None


@_error
class ServiceError(CallError):
    """
    The answer is an error.

    Raised itself for codes that have no class of their own. Answers without a code
    (a proxy's HTML page, say) have the HTTP status as their code.
    """

    code: str = attrs.field(
        default=attrs.Factory(lambda self: type(self).__name__, takes_self=True)
    )
    """The error's name as the service sent it, without namespace."""
    request_id: str | None = None
    """Names the exchange to AWS support."""
    http_status: int = 400
    body: bytes | None = attrs.field(default=None, repr=False)
    """What was received, byte for byte."""

    @property
    def is_transient(self) -> bool:
        """
        Whether the service or something before it is overloaded or broken for now.
        """
        return self.http_status >= 500 or self.http_status == 429  # noqa: PLR2004 - HTTP's own

    def __str__(self) -> str:
        where = f" ({self.operation})" if self.operation else ""
        return f"{self.code}{where}: {self.message}"


@_error
class AccessDenied(ServiceError):
    """
    The caller lacks a permission.
    """


@_error
class ExpiredCredentials(ServiceError):
    """
    The session token behind the request is no longer valid.
    """


@_error
class InvalidCredentials(ServiceError):
    """
    The key is unknown, or its signature does not fit the request or the time.
    """


@_error
class ServiceUnavailable(ServiceError):
    """
    The service cannot answer for now.
    """

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


@_error
class Throttled(ServiceError):
    """
    Too many requests in too short a time; there is one class for all such codes.
    """

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


@_error
class BackupBeingCopied(ServiceError):
    """
    The backup is the source of a copy, or was a short time ago, and cannot be deleted.
    """

    backup_id: str | None = None


@_error
class BackupInProgress(ServiceError):
    """
    Another backup of the same file system is being made.
    """


@_error
class BackupNotFound(ServiceError):
    """
    There is no such backup in that Region and account.
    """


@_error
class BackupRestoring(ServiceError):
    """
    A file system is being made from the backup, which cannot be deleted.
    """

    file_system_id: str | None = None


@_error
class BadRequest(ServiceError):
    """
    The request breaks a rule of the service.
    """


@_error
class FileSystemNotFound(ServiceError):
    """
    There is no such file system.
    """


@_error
class IncompatibleParameterError(ServiceError):
    """
    A parameter does not go with the others or with an earlier request of the same token.
    """

    parameter: str | None = None


@_error
class IncompatibleRegionForMultiAZ(ServiceError):
    """
    The destination Region has no room for a Multi-AZ file system.
    """


@_error
class InternalServerError(ServiceError):
    """
    The service failed.
    """


@_error
class InvalidDestinationKmsKey(ServiceError):
    """
    The key for the copy cannot be used.
    """


@_error
class InvalidRegion(ServiceError):
    """
    The source Region does not exist or cannot be copied from.
    """


@_error
class InvalidSourceKmsKey(ServiceError):
    """
    The key of the source cannot be used.
    """


@_error
class ServiceLimitExceeded(ServiceError):
    """
    A limit of the account is reached.
    """

    limit: ServiceLimit | None = None
    """TOTAL_IN_PROGRESS_COPY_BACKUPS clears as copies finish; the others do not clear by waiting."""


@_error
class SourceBackupUnavailable(ServiceError):
    """
    The source is not AVAILABLE.
    """

    backup_id: str | None = None


@_error
class UnsupportedOperation(ServiceError):
    """
    The backup is of a kind that cannot be copied.
    """


@_error
class VolumeNotFound(ServiceError):
    """
    There is no such volume.
    """


@_error
class WaitError(FsxCopyError):
    """
    A wait ended without the backup being AVAILABLE.

    The copy itself is not touched: the same wait can be started again.
    """

    backup_id: str
    polls: int
    """How often the backup was looked at."""
    elapsed: float
    """Seconds since the wait began."""


@_error
class BackupCopyFailed(WaitError):
    """
    The backup is FAILED or DELETED and will never be AVAILABLE.
    """

    backup: Backup
    """As it was last seen."""

    @property
    def reason(self) -> str | None:
        """
        The service's own words on the failure, where it gave any.
        """
        return self.backup.failure_details.message if self.backup.failure_details else None


@_error
class WaitTimeout(WaitError, TimeoutError):
    """
    The backup was not AVAILABLE in time; it may still become so.
    """

    max_wait: float
    """Seconds that the wait was given."""
    last_seen: Backup | None = None
    """The last observation; None where none was made."""

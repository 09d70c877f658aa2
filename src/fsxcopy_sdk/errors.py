"""
Everything that can go wrong, as one tree.

    FsxCopyError
    ├── InvalidArguments            (ValueError) found before the network
    ├── ConfigurationError          no such profile, Region, endpoint, proxy ...
    ├── ClientNotOpen               the client was closed, or never opened
    ├── StreamNotOpen               outcomes are asked for outside of `async with`
    ├── CallError                   a call of the service failed
    │   ├── CredentialsUnavailable  none found, loaded or renewed; nothing was sent
    │   ├── NoResponse              no whole answer came
    │   │   ├── ConnectionFailed
    │   │   └── RequestTimeout      (TimeoutError)
    │   ├── ResponseDecodingError   an answer that cannot be read, or is to another request
    │   ├── PaginationError         a listing without an end
    │   └── ServiceError            an answer that is an error
    │       ├── AccessDenied, ClockSkewed, ExpiredCredentials,
    │       │   InvalidCredentials, ServiceUnavailable, Throttled
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

from enum import StrEnum
from typing import ClassVar, Final, Self

import attrs

from fsxcopy_sdk.enums import ServiceLimit
from fsxcopy_sdk.models import Backup, UnreadableBackup

__all__ = [
    "AccessDenied",
    "BackupBeingCopied",
    "BackupCopyFailed",
    "BackupInProgress",
    "BackupNotFound",
    "BackupRestoring",
    "BadRequest",
    "CallError",
    "ClientNotOpen",
    "ClockSkewed",
    "ConfigurationError",
    "ConnectionFailed",
    "CredentialsUnavailable",
    "ExpiredCredentials",
    "FileSystemNotFound",
    "FsxCopyError",
    "IncompatibleParameterError",
    "IncompatibleRegionForMultiAZ",
    "InternalServerError",
    "InvalidArguments",
    "InvalidCredentials",
    "InvalidDestinationKmsKey",
    "InvalidRegion",
    "InvalidSourceKmsKey",
    "NoResponse",
    "PaginationError",
    "RequestTimeout",
    "ResponseDecodingError",
    "ServiceError",
    "ServiceLimitExceeded",
    "ServiceUnavailable",
    "SourceBackupUnavailable",
    "StreamNotOpen",
    "Throttled",
    "UnsupportedOperation",
    "VolumeNotFound",
    "WaitError",
    "WaitTimeout",
]


DOCUMENT_VERSION: Final = 1
"""
`Version` of everything that leaves the package as JSON. It counts up when a reader of the
earlier version would no longer understand.
"""

_HIDDEN_IN_REPR_ONLY = ("accepted_backup_id", "region")
"""Fields that documents have although no repr shows them; others may hold secrets."""


# Errors with fields are `define(slots=False, eq=False)`, positional and not
# frozen: BaseException pickles by `args`, which attrs fills with all fields in order. Those
# without fields of their own inherit all of it, and cost the import nothing.


@attrs.define(slots=False, eq=False)
class FsxCopyError(Exception):
    """Root of all errors of this package."""

    message: str
    accepted_backup_id: str | None = attrs.field(
        init=False, default=None, kw_only=True, repr=False
    )
    """
    The copy that the service had accepted: when `copy_backup_and_wait` failed, or where the
    answer to `copy_backup` cannot be read but for this.
    """

    _is_transient: ClassVar[bool] = False

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later without anything being changed."""
        return self._is_transient

    def to_dict(self) -> dict[str, object]:
        """
        Return the error as JSON-able data, in the style of all documents of this package.

        It does not include the response, which may hold secrets, and of a backup only the
        members that a wait needs. Absent members are left out. `Cause` is the exception that
        this one was raised from.
        """
        members: dict[str, object] = {
            "Version": DOCUMENT_VERSION,
            "Type": type(self).__name__,
            "Message": self.message,
            "IsTransient": self.is_transient,
        }
        fields: tuple[attrs.Attribute[object], ...] = attrs.fields(type(self))
        for field in fields:
            value: object = getattr(self, field.name)
            is_shown = field.repr or field.name in _HIDDEN_IN_REPR_ONLY
            if is_shown and field.name != "message" and value not in (None, ()):
                name = "".join(word.capitalize() for word in field.name.split("_"))
                members[name] = _to_plain(value)
        cause = self.__cause__
        # Waits that share a call raise copies of its error.
        if cause is not None and (type(cause), str(cause)) != (type(self), str(self)):
            members["Cause"] = {"Type": type(cause).__name__, "Message": str(cause)}
        return members

    def __str__(self) -> str:
        return self.message


def _to_plain(value: object) -> object:
    """Return the value of a member of an error as JSON has it."""
    match value:
        case Backup():
            members = {
                "BackupId": value.backup_id,
                "Lifecycle": value.lifecycle.value,
                "ProgressPercent": value.progress_percent,
            }
            return {name: part for name, part in members.items() if part is not None}
        case tuple():
            return list(value)
        case StrEnum():
            return value.value
        case _:
            return value


@attrs.define(slots=False, eq=False)
class InvalidArguments(FsxCopyError, ValueError):
    """Arguments break rules of the service; nothing was sent."""

    errors: tuple[str, ...] = ()
    """One text for each error: the argument's name and the rule."""


@attrs.define(slots=False, eq=False)
class ConfigurationError(FsxCopyError):
    """The client cannot be made or used as it is configured; nothing was sent."""

    operation: str | None = None
    """The service's name of the operation, if the error was found by a call."""
    region: str | None = None
    """The Region of the client that was called."""

    def __str__(self) -> str:
        return _with_place(self.message, self.operation, self.region)


class ClientNotOpen(FsxCopyError):
    """The client is not open: use it inside ``async with``."""


class StreamNotOpen(FsxCopyError):
    """The result of `copy_many` or `apply_plan` was not entered with ``async with``, or twice."""


@attrs.define(slots=False, eq=False)
class CallError(FsxCopyError):
    """A call of the service failed."""

    operation: str | None = None
    """The service's name of the operation, such as `CopyBackup`."""
    region: str | None = None
    """The Region that the request went to, or was to go to."""
    client_request_token: str | None = None
    """
    The idempotency token that was sent. Where it is not known whether the service
    accepted the request, repeat it with this token within minutes: while the service
    remembers the token, that makes no second copy.
    """
    attempts: int = 1
    """How often the request was sent, retries included."""
    refused_attempts: int = attrs.field(init=False, default=0, kw_only=True, repr=False)
    """How many of these the service certainly did not accept, as far as that was seen."""
    is_temporary: bool = attrs.field(init=False, default=False, kw_only=True, repr=False)
    """
    Whether credentials could not be lent or renewed for a reason that passes by itself, such
    as throttling, as far as that can be told. False if a login or a change is needed.
    """
    worked_before: bool = attrs.field(init=False, default=False, kw_only=True, repr=False)
    """
    Whether a call of the same client had succeeded before. Only then does a temporary failure
    of credentials, or a wrong clock, count as transient: otherwise a mistake in the
    configuration is more likely.
    """

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later without anything being changed."""
        return self._is_transient or (self.is_temporary and self.worked_before)

    def __str__(self) -> str:
        return _with_place(self.message, self.operation, self.region)


@attrs.define(slots=False, eq=False)
class NoResponse(CallError):
    """No whole answer came; unless nothing was sent, the service may have accepted the request."""

    may_have_been_sent: bool = True
    """
    Whether the request may have reached the service. False where no attempt of the call
    had a connection: refused, no such host, a proxy or TLS that failed, a timeout while
    connecting. Then it was not accepted.
    """


class ConnectionFailed(NoResponse):
    """The connection could not be made, or broke."""

    _is_transient: ClassVar[bool] = True


class RequestTimeout(NoResponse, TimeoutError):
    """
    The connection, the answer or the whole call took longer than the timeouts allow.

    Each attempt may take as long as `connect_timeout` and `read_timeout` together, whatever
    arrives meanwhile, and a call as long as all attempts, the pauses between them and five
    minutes for credentials. A client given to `from_client` has only the bound of the call.
    A timeout that was switched off (None) switches these bounds off too.
    """

    _is_transient: ClassVar[bool] = True


class CredentialsUnavailable(CallError):
    """
    No credentials were found, or they could not be loaded or renewed; nothing was sent.

    It is transient if it `is_temporary` and the client `worked_before`.
    """


@attrs.define(slots=False, eq=False)
class ResponseDecodingError(CallError):
    """
    An answer came, but it cannot be read, or is not to the request that was sent.

    The request may well have been accepted, so everything that was received is
    kept here. Of an answer of more than 64 MiB, which no client of this package reads to
    its end, the body is not kept.
    """

    request_id: str | None = None
    http_status: int | None = None
    error_paths: tuple[str, ...] = ()
    """
    One text for each error, of twenty at most: its path in the answer, such as
    `$.Backup.CreationTime`, and what is wrong there.
    """
    payload: object = attrs.field(default=None, repr=False)
    """What was received: bytes, or a dict that botocore had parsed. May hold secrets."""
    is_malformed: bool = False
    """
    Whether it is not this service's answer to this request: no JSON, as from a proxy, the
    answer to another request or of another host, or one of more than 64 MiB without the
    service's request id.
    """

    @classmethod
    def of(cls, backup: UnreadableBackup, region: str) -> Self:
        """Make the error for a backup that *region* lists and that is a copy, or may be one."""
        name = backup.backup_id or "A backup without an ID"
        source = backup.source_backup_id
        origin = "which may be a copy of any backup" if source is None else f"a copy of {source}"
        text = f"{name}, {origin}, cannot be read: {'; '.join(backup.error_paths)}"
        return cls(text, "DescribeBackups", region, error_paths=backup.error_paths)

    @property
    def is_transient(self) -> bool:
        """True if the answer is malformed: the next one may be right."""
        return self.is_malformed


@attrs.define(slots=False, eq=False)
class PaginationError(CallError):
    """
    A listing does not end where it should.

    A page leads back to an earlier one, 100 pages in a row have no backups, the backups
    of a page come ten times again, or there are more pages than ids that were given.
    """

    next_token: str | None = None


@attrs.define(slots=False, eq=False)
class ServiceError(CallError):
    """
    The answer is an error.

    Raised itself for codes that have no class of their own. Answers without a code
    (a proxy's HTML page, say) have the HTTP status as their code, and are transient
    whatever the status: the service has not refused anything.
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
        """Whether the service or something before it is overloaded or broken for now."""
        has_no_code = self.code == str(self.http_status)
        is_overload = self.http_status >= 500 or self.http_status == 429  # noqa: PLR2004 - HTTP's own
        return super().is_transient or has_no_code or is_overload

    def __str__(self) -> str:
        place = _place(self.operation, self.region)
        return (
            f"{self.code} ({place}): {self.message}" if place else f"{self.code}: {self.message}"
        )


class AccessDenied(ServiceError):
    """The caller lacks a permission."""


class ClockSkewed(ServiceError):
    """
    The time of the request is too far from the service's.

    A clock is wrong, or the machine slept between signing and sending. It is transient if the
    client `worked_before`.
    """

    @property
    def is_transient(self) -> bool:
        """Whether the client worked before, so that its clock was right."""
        return self.worked_before or super().is_transient


class ExpiredCredentials(ServiceError):
    """The session token behind the request is no longer valid."""


class InvalidCredentials(ServiceError):
    """The key is unknown, or its signature does not fit the request."""


class ServiceUnavailable(ServiceError):
    """The service is temporarily unavailable."""

    _is_transient: ClassVar[bool] = True


class Throttled(ServiceError):
    """Too many requests in too short a time; there is one class for all such codes."""

    _is_transient: ClassVar[bool] = True


@attrs.define(slots=False, eq=False)
class BackupBeingCopied(ServiceError):
    """The backup is the source of a copy, or was a short time ago, and cannot be deleted."""

    backup_id: str | None = None

    _is_transient: ClassVar[bool] = True


class BackupInProgress(ServiceError):
    """Another backup of the same file system is being made."""

    _is_transient: ClassVar[bool] = True


class BackupNotFound(ServiceError):
    """There is no such backup in that Region and account."""


@attrs.define(slots=False, eq=False)
class BackupRestoring(ServiceError):
    """A file system is being made from the backup, which cannot be deleted."""

    file_system_id: str | None = None

    _is_transient: ClassVar[bool] = True


class BadRequest(ServiceError):
    """The request breaks a rule of the service."""


class FileSystemNotFound(ServiceError):
    """There is no such file system."""


@attrs.define(slots=False, eq=False)
class IncompatibleParameterError(ServiceError):
    """A parameter does not go with the others or with an earlier request of the same token."""

    parameter: str | None = None


class IncompatibleRegionForMultiAZ(ServiceError):
    """The destination Region has no Multi-AZ file systems, so a copy could not be restored."""


class InternalServerError(ServiceError):
    """The service failed."""

    _is_transient: ClassVar[bool] = True


class InvalidDestinationKmsKey(ServiceError):
    """The key for the copy cannot be used."""


class InvalidRegion(ServiceError):
    """The source Region does not exist or cannot be copied from."""


class InvalidSourceKmsKey(ServiceError):
    """The key of the source cannot be used."""


@attrs.define(slots=False, eq=False)
class ServiceLimitExceeded(ServiceError):
    """A limit of the account is reached."""

    limit: ServiceLimit | None = None
    """TOTAL_IN_PROGRESS_COPY_BACKUPS clears as copies finish; others do not clear by waiting."""

    @property
    def is_transient(self) -> bool:
        """Whether the limit is the one that clears as copies finish."""
        return self.limit == ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS


@attrs.define(slots=False, eq=False)
class SourceBackupUnavailable(ServiceError):
    """The source is not AVAILABLE."""

    backup_id: str | None = None


class UnsupportedOperation(ServiceError):
    """The backup is of a kind that cannot be copied."""


class VolumeNotFound(ServiceError):
    """There is no such volume."""


@attrs.define(slots=False, eq=False)
class WaitError(FsxCopyError):
    """
    A wait ended without the backup being AVAILABLE.

    The copy itself is not touched: the same wait can be started again.
    """

    backup_id: str
    polls: int
    """How many times the backup was polled."""
    elapsed: float
    """Seconds since the wait began."""
    region: str | None = attrs.field(init=False, default=None, kw_only=True, repr=False)
    """The Region where the backup was waited for."""


@attrs.define(slots=False, eq=False)
class BackupCopyFailed(WaitError):
    """The backup is FAILED or DELETED and will never be AVAILABLE."""

    last_backup: Backup
    """As it was last seen."""

    @classmethod
    def of(cls, backup: Backup, *, polls: int, elapsed: float, region: str | None = None) -> Self:
        """Make the error for *backup*, which is FAILED or DELETED; *elapsed* is in seconds."""
        details = backup.failure_details
        reason = (details and details.message) or "the service gives no reason"
        place = f" in {region}" if region else ""
        text = f"{backup.backup_id} is {backup.lifecycle}{place}: {reason}"
        error = cls(text, backup.backup_id, polls, elapsed, backup)
        error.region = region
        return error

    @property
    def reason(self) -> str | None:
        """The service's own words on the failure, where it gave any."""
        return (
            self.last_backup.failure_details.message if self.last_backup.failure_details else None
        )


@attrs.define(slots=False, eq=False)
class WaitTimeout(WaitError, TimeoutError):
    """The backup was not AVAILABLE in time; it may still become so."""

    max_wait: float
    """Seconds that the wait was given."""
    last_backup: Backup | None = None
    """The last observation; None where none was made."""

    @property
    def is_transient(self) -> bool:
        """True: the same wait can be started again."""
        return True


def _place(operation: str | None, region: str | None) -> str:
    """Return which call of which Region an error belongs to; empty where neither is known."""
    return " in ".join(part for part in (operation, region) if part)


def _with_place(message: str, operation: str | None, region: str | None) -> str:
    place = _place(operation, region)
    return f"{place}: {message}" if place else message

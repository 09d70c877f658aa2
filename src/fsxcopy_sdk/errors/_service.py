"""
Answers that are errors: the service's own, and those that all AWS services share.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk.enums import ServiceLimit
from fsxcopy_sdk.errors._call import CallError


@attrs.define(slots=False, eq=False, repr=False)
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
        """
        Whether the service or something before it is overloaded or broken for now.
        """
        has_no_code = self.code == str(self.http_status)
        return has_no_code or self.http_status >= 500 or self.http_status == 429  # noqa: PLR2004 - HTTP's own

    def __str__(self) -> str:
        where = f" ({self.operation})" if self.operation else ""
        return f"{self.code}{where}: {self.message}"


class AccessDenied(ServiceError):
    """
    The caller lacks a permission.
    """


class ExpiredCredentials(ServiceError):
    """
    The session token behind the request is no longer valid.
    """


class InvalidCredentials(ServiceError):
    """
    The key is unknown, or its signature does not fit the request or the time.
    """


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


@attrs.define(slots=False, eq=False, repr=False)
class BackupBeingCopied(ServiceError):
    """
    The backup is the source of a copy, or was a short time ago, and cannot be deleted.
    """

    backup_id: str | None = None

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


class BackupInProgress(ServiceError):
    """
    Another backup of the same file system is being made.
    """

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


class BackupNotFound(ServiceError):
    """
    There is no such backup in that Region and account.
    """


@attrs.define(slots=False, eq=False, repr=False)
class BackupRestoring(ServiceError):
    """
    A file system is being made from the backup, which cannot be deleted.
    """

    file_system_id: str | None = None

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


class BadRequest(ServiceError):
    """
    The request breaks a rule of the service.
    """


class FileSystemNotFound(ServiceError):
    """
    There is no such file system.
    """


@attrs.define(slots=False, eq=False, repr=False)
class IncompatibleParameterError(ServiceError):
    """
    A parameter does not go with the others or with an earlier request of the same token.
    """

    parameter: str | None = None


class IncompatibleRegionForMultiAZ(ServiceError):
    """
    The destination Region has no room for a Multi-AZ file system.
    """


class InternalServerError(ServiceError):
    """
    The service failed.
    """


class InvalidDestinationKmsKey(ServiceError):
    """
    The key for the copy cannot be used.
    """


class InvalidRegion(ServiceError):
    """
    The source Region does not exist or cannot be copied from.
    """


class InvalidSourceKmsKey(ServiceError):
    """
    The key of the source cannot be used.
    """


@attrs.define(slots=False, eq=False, repr=False)
class ServiceLimitExceeded(ServiceError):
    """
    A limit of the account is reached.
    """

    limit: ServiceLimit | None = None
    """TOTAL_IN_PROGRESS_COPY_BACKUPS clears as copies finish, the others not by waiting."""

    @property
    def is_transient(self) -> bool:
        """
        Whether the limit is the one that clears as copies finish.
        """
        return self.limit == ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS


@attrs.define(slots=False, eq=False, repr=False)
class SourceBackupUnavailable(ServiceError):
    """
    The source is not AVAILABLE.
    """

    backup_id: str | None = None


class UnsupportedOperation(ServiceError):
    """
    The backup is of a kind that cannot be copied.
    """


class VolumeNotFound(ServiceError):
    """
    There is no such volume.
    """

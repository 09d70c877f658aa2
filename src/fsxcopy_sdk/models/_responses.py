"""
What the operations answer.
"""

from __future__ import annotations

from datetime import datetime

import attrs

from fsxcopy_sdk._value import Value
from fsxcopy_sdk.enums import (
    BackupLifecycle,
)
from fsxcopy_sdk.models._backup import (
    Backup,
)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ResponseMetadata(Value):
    """
    How one exchange with the service went.
    """

    request_id: str | None = None
    """Names the exchange to AWS support."""
    http_status: int = 200
    attempts: int = 1
    """How often the request was sent, retries included."""
    date: datetime | None = None
    """When the answer was made, in UTC, by the clock of the service (HTTP's `Date`)."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CopyBackupResponse(Value):
    """
    What `CopyBackup` answers: the copy that has begun.
    """

    backup: Backup
    """Its `lifecycle` is usually COPYING."""
    metadata: ResponseMetadata = attrs.field(factory=ResponseMetadata, eq=False)
    """How the exchange went; not part of what the service said, so not compared."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DescribeBackupsResponse(Value):
    """
    What `DescribeBackups` answers: one page of backups.
    """

    backups: tuple[Backup, ...]
    next_token: str | None = None
    """Asks for the next page; None on the last one."""
    metadata: ResponseMetadata = attrs.field(factory=ResponseMetadata, eq=False)
    """How the exchange went; not part of what the service said, so not compared."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DeleteBackupResponse(Value):
    """
    What `DeleteBackup` answers.
    """

    backup_id: str
    lifecycle: BackupLifecycle
    metadata: ResponseMetadata = attrs.field(factory=ResponseMetadata, eq=False)
    """How the exchange went; not part of what the service said, so not compared."""

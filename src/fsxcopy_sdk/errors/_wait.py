"""
Waits that ended without the backup being AVAILABLE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import attrs

from fsxcopy_sdk.errors._root import FsxCopyError

if TYPE_CHECKING:
    from fsxcopy_sdk.models import Backup


@attrs.define(slots=False, eq=False, repr=False)
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


@attrs.define(slots=False, eq=False, repr=False)
class BackupCopyFailed(WaitError):
    """
    The backup is FAILED or DELETED and will never be AVAILABLE.
    """

    backup: Backup
    """As it was last seen."""

    @classmethod
    def of(cls, backup: Backup, *, polls: int, elapsed: float) -> Self:
        """
        Make the error for *backup*, which is FAILED or DELETED; *elapsed* is in seconds.
        """
        details = backup.failure_details
        reason = (details and details.message) or "the service gives no reason"
        text = f"{backup.backup_id} is {backup.lifecycle}: {reason}"
        return cls(text, backup.backup_id, polls, elapsed, backup)

    @property
    def reason(self) -> str | None:
        """
        The service's own words on the failure, where it gave any.
        """
        return self.backup.failure_details.message if self.backup.failure_details else None


@attrs.define(slots=False, eq=False, repr=False)
class WaitTimeout(WaitError, TimeoutError):
    """
    The backup was not AVAILABLE in time; it may still become so.
    """

    max_wait: float
    """Seconds that the wait was given."""
    last_seen: Backup | None = None
    """The last observation; None where none was made."""

    @property
    def is_transient(self) -> bool:
        """
        True: the same wait can be started again.
        """
        return True

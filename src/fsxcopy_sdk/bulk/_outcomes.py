"""
What became of a request: a closed family, and what it is until then.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.models import Backup


@attrs.frozen(kw_only=True)
class CopyInProgress:
    """
    A copy that the service has accepted, or may have.
    """

    request: CopyRequest
    client_request_token: str
    """With which it was asked for: the same request with it finds the same copy."""
    started: float
    """When it was asked for, in seconds of the client's clock."""
    backup: Backup | None = None
    """The copy as it was last seen; None where no answer came, so nobody knows."""


@attrs.frozen(kw_only=True)
class Copied:
    """
    The copy is AVAILABLE.
    """

    request: CopyRequest
    backup: Backup
    error: None = None


@attrs.frozen(kw_only=True)
class CopyFailed:
    """
    The service refused the copy, or it failed, or it cannot be followed.
    """

    request: CopyRequest
    error: FsxCopyError
    """A `BackupCopyFailed` where the copy is FAILED or DELETED; else it may still end well."""
    backup: Backup | None = None
    """The copy as it was last seen; None where none is known of."""


@attrs.frozen(kw_only=True)
class CopySkipped:
    """
    Nothing was sent, for there was nothing to do.
    """

    request: CopyRequest
    reason: str
    backup: Backup | None = None
    error: None = None


@attrs.frozen(kw_only=True)
class CopyTimedOut:
    """
    The copy was not AVAILABLE in time, or could not even be started.
    """

    request: CopyRequest
    error: FsxCopyError
    """A `WaitTimeout`, or the `ServiceLimitExceeded` that was met all the time."""
    backup: Backup | None = None
    """The copy as it was last seen, which may still end well; None if none was started."""


CopyOutcome: TypeAlias = Copied | CopyFailed | CopySkipped | CopyTimedOut
"""Each has the members `request`, `backup` and `error`."""

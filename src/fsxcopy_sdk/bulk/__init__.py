"""
Many copies under the service's limit: asked for, started, followed, accounted for.

`_requests` is what is asked for, and its token; `_outcomes` what becomes of it. Who may
start when is kept in `_slots`, what a refusal means in `_patience`: neither awaits.
`_copying` carries it out, `_many` is the way in.
"""

from __future__ import annotations

from fsxcopy_sdk.bulk._copying import BulkCopy
from fsxcopy_sdk.bulk._many import DEFAULT_MAX_IN_PROGRESS, copy_many
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyFailed,
    CopyInProgress,
    CopyOutcome,
    CopySkipped,
    CopyTimedOut,
)
from fsxcopy_sdk.bulk._requests import CopyRequest
from fsxcopy_sdk.bulk._stream import OutcomeStream

__all__ = [
    "BulkCopy",
    "Copied",
    "CopyFailed",
    "CopyInProgress",
    "CopyOutcome",
    "CopyRequest",
    "CopySkipped",
    "CopyTimedOut",
    "DEFAULT_MAX_IN_PROGRESS",
    "OutcomeStream",
    "copy_many",
]

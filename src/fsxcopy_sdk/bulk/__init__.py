"""
Copy many backups under the service's limit, with one outcome for each.

`_requests` has the requests, their tokens, and the copies that satisfy them, `_outcomes` the
outcomes, `_queue` the state of each request and what an error means. `_copier` acts, and
`_starter` does so without waiting; `_copy_many` is what a program calls. `_shared` is one run
for several callers.
"""

from __future__ import annotations

from fsxcopy_sdk._validation import DEFAULT_MAX_IN_PROGRESS
from fsxcopy_sdk.bulk._copier import BulkCopy
from fsxcopy_sdk.bulk._copy_many import copy_many
from fsxcopy_sdk.bulk._outcomes import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopySkipped,
    CopyStarted,
    CopyTimedOut,
    OutcomeStream,
)
from fsxcopy_sdk.bulk._queue import is_outcome_unknown, retry_delay
from fsxcopy_sdk.bulk._requests import SALT_TAG, CopyRequest, best_copy, ontap_volume_id
from fsxcopy_sdk.bulk._shared import CopyBatch, SharedCopies

__all__ = [
    "BulkCopy",
    "Copied",
    "CopyBatch",
    "CopyDeferred",
    "CopyFailed",
    "CopyInProgress",
    "CopyNotObserved",
    "CopyOutcome",
    "CopyRequest",
    "CopySkipped",
    "CopyStarted",
    "CopyTimedOut",
    "DEFAULT_MAX_IN_PROGRESS",
    "OutcomeStream",
    "SALT_TAG",
    "SharedCopies",
    "best_copy",
    "copy_many",
    "is_outcome_unknown",
    "ontap_volume_id",
    "retry_delay",
]

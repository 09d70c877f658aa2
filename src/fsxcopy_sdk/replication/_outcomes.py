"""
What became of the parts of a plan: a closed family.
"""

from __future__ import annotations

from typing import TypeAlias

import attrs

from fsxcopy_sdk.bulk import CopyOutcome
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.replication._plan import PlannedPrune


@attrs.frozen(kw_only=True)
class Pruned:
    """
    The copy is gone: the service says that it is deleted, or does not know its ID.
    """

    prune: PlannedPrune
    error: None = None


@attrs.frozen(kw_only=True)
class PruneFailed:
    """
    The copy could not be deleted; another run tries again.
    """

    prune: PlannedPrune
    error: FsxCopyError
    """The last error, such as `BackupBeingCopied`."""


@attrs.frozen(kw_only=True)
class PruneSkipped:
    """
    The copy was left alone, because it is kept now or because too little is known.
    """

    prune: PlannedPrune
    reason: str
    error: None = None


PruneOutcome: TypeAlias = Pruned | PruneFailed | PruneSkipped
"""Each has the members `prune` and `error`."""

PlanOutcome: TypeAlias = CopyOutcome | PruneOutcome
"""What became of one copy or of one deletion."""

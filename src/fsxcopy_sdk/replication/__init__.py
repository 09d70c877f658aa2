"""
Keep a second Region ready: a policy, a plan of what it wants done, and the doing of it.

What is to be done is decided by pure functions, from a policy and what two listings
show; `_planning` reads, `_applied` and `_pruning` do. Nothing is remembered between two
runs but by the service: which backup a copy was made of, and whose it is by its tags.
"""

from __future__ import annotations

from fsxcopy_sdk.replication._applied import AppliedPlan
from fsxcopy_sdk.replication._applying import apply_plan
from fsxcopy_sdk.replication._lineage import BACKUP_TAG, POLICY_TAG, SOURCE_TAG, TIME_TAG
from fsxcopy_sdk.replication._outcomes import (
    PlanOutcome,
    Pruned,
    PruneFailed,
    PruneOutcome,
    PruneSkipped,
)
from fsxcopy_sdk.replication._plan import (
    CannotCopy,
    CannotCopyReason,
    KnownCopy,
    PlannedCopy,
    PlannedPrune,
    ReplicationPlan,
)
from fsxcopy_sdk.replication._planning import plan_replication
from fsxcopy_sdk.replication._policy import ReplicationPolicy
from fsxcopy_sdk.replication._report import ReplicationReport, SourceReport
from fsxcopy_sdk.replication._values import BackupSummary, JsonValue

__all__ = [
    "AppliedPlan",
    "BACKUP_TAG",
    "BackupSummary",
    "CannotCopy",
    "CannotCopyReason",
    "JsonValue",
    "KnownCopy",
    "POLICY_TAG",
    "PlanOutcome",
    "PlannedCopy",
    "PlannedPrune",
    "PruneFailed",
    "PruneOutcome",
    "PruneSkipped",
    "Pruned",
    "ReplicationPlan",
    "ReplicationPolicy",
    "ReplicationReport",
    "SOURCE_TAG",
    "SourceReport",
    "TIME_TAG",
    "apply_plan",
    "plan_replication",
]

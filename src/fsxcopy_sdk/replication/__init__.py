"""
Keep a second Region in sync: a policy, a plan of what it wants done, and its application.

Pure functions decide what is to be done, from a policy and two listings; `_planning` reads
the listings, `_apply` acts, `_pruning` deletes. There is no local state: the service knows
which backup a copy was made of, and tags on each copy record its policy.
"""

from __future__ import annotations

from fsxcopy_sdk.replication._apply import AppliedPlan, PlanOutcome, apply_plan, check_owner
from fsxcopy_sdk.replication._inventory import BACKUP_TAG, POLICY_TAG, SOURCE_TAG, TIME_TAG
from fsxcopy_sdk.replication._keep import Keep, KeepRule
from fsxcopy_sdk.replication._plan import (
    BackupSummary,
    CannotCopy,
    CannotCopyReason,
    Decision,
    ExistingCopy,
    KeptCopy,
    PlannedCopy,
    PlannedPrune,
    PruneObstacle,
    ReplicationPlan,
    ReplicationReport,
    SourceReport,
    TimelineEntry,
)
from fsxcopy_sdk.replication._planning import plan_replication
from fsxcopy_sdk.replication._policy import ReplicationPolicy
from fsxcopy_sdk.replication._pruning import Pruned, PruneFailed, PruneOutcome, PruneSkipped
from fsxcopy_sdk.replication._timeline import TIMELINE_SPAN

__all__ = [
    "AppliedPlan",
    "BACKUP_TAG",
    "BackupSummary",
    "CannotCopy",
    "CannotCopyReason",
    "Decision",
    "ExistingCopy",
    "Keep",
    "KeepRule",
    "KeptCopy",
    "POLICY_TAG",
    "PlanOutcome",
    "PlannedCopy",
    "PlannedPrune",
    "PruneFailed",
    "PruneObstacle",
    "PruneOutcome",
    "PruneSkipped",
    "Pruned",
    "ReplicationPlan",
    "ReplicationPolicy",
    "ReplicationReport",
    "SOURCE_TAG",
    "SourceReport",
    "TIMELINE_SPAN",
    "TIME_TAG",
    "TimelineEntry",
    "apply_plan",
    "check_owner",
    "plan_replication",
]

"""Poll backups until they are AVAILABLE, or never will be."""

from __future__ import annotations

from fsxcopy_sdk.waiting._coordinator import PollCoordinator
from fsxcopy_sdk.waiting._schedule import DEFAULT_SCHEDULE, NOTHING, ProgressHistory, WaitSchedule
from fsxcopy_sdk.waiting._wait import CALL_GRACE, DEFAULT_MAX_WAIT

__all__ = [
    "CALL_GRACE",
    "DEFAULT_MAX_WAIT",
    "DEFAULT_SCHEDULE",
    "NOTHING",
    "PollCoordinator",
    "ProgressHistory",
    "WaitSchedule",
]

"""
Poll backups until they are AVAILABLE, or never will be.

Of the client this package needs only functions that describe backups and list them.
"""

from __future__ import annotations

from fsxcopy_sdk.waiting._coordinator import PollCoordinator
from fsxcopy_sdk.waiting._progress import ProgressHistory
from fsxcopy_sdk.waiting._schedule import DEFAULT_SCHEDULE, NOTHING, WaitSchedule
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

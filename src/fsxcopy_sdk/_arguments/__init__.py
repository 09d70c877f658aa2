"""
Checks of arguments before anything is sent: all faults at once, in words.
"""

from __future__ import annotations

from fsxcopy_sdk._arguments._requests import (
    Tags,
    copy_backup_request,
    delete_backup_request,
    describe_backups_request,
)
from fsxcopy_sdk._arguments._rules import (
    Duration,
    Faults,
    check_backup_id,
    check_type,
    partition_of,
    seconds,
)

__all__ = [
    "Duration",
    "Faults",
    "Tags",
    "check_backup_id",
    "check_type",
    "copy_backup_request",
    "delete_backup_request",
    "describe_backups_request",
    "partition_of",
    "seconds",
]

"""
Watch backups until they are AVAILABLE, or never will be.

Of the client this package knows one thing: how to describe the backups of given ids.
`_wait` is one wait, what it has seen and what that means; `_coordinator` is where the
waits of a client meet, to look together.
"""

from __future__ import annotations

from fsxcopy_sdk.waiting._coordinator import Describe, ListPage, PollCoordinator
from fsxcopy_sdk.waiting._wait import CALL_GRACE, DEFAULT_MAX_WAIT

__all__ = [
    "CALL_GRACE",
    "DEFAULT_MAX_WAIT",
    "PollCoordinator",
    "Describe",
    "ListPage",
]

"""
The way in: many copies into one Region, with their arguments checked.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from fsxcopy_sdk._arguments import Duration, Faults, check_type, seconds
from fsxcopy_sdk._schedule import DEFAULT_SCHEDULE, WaitSchedule
from fsxcopy_sdk.bulk._copying import BulkCopy, Settings
from fsxcopy_sdk.bulk._outcomes import CopyInProgress
from fsxcopy_sdk.bulk._requests import CopyRequest, checked
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT

DEFAULT_MAX_IN_PROGRESS = 5
"""Per destination Region, and for ONTAP per volume and key there (FSx quotas)."""


def copy_many(
    client: FsxCopyClient,
    requests: Iterable[CopyRequest],
    *,
    max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
    max_wait: Duration = DEFAULT_MAX_WAIT,
    schedule: WaitSchedule = DEFAULT_SCHEDULE,
    on_seen: Callable[[CopyInProgress], None] | None = None,
) -> BulkCopy:
    """
    Copy many backups into the Region of *client*, as many at a time as it allows.

    Use it as ``async with copy_many(...) as copies``, and within that as
    ``async for outcome in copies``: outcomes come as copies end, and a failure stops
    nothing but its own copy. Copies are started in the order of *requests*. Leaving the
    block, by an exception or a cancellation too, starts nothing more; `in_progress` and
    `not_started` then say what is left.

    Args:
        client: An open client of the Region that is copied to.

        requests: What to copy. Of the same requests one is carried out.

        max_in_progress: Copies in progress at once; of ONTAP volumes, per volume and
            key. Copies that others start need not be counted here: the service does.

        max_wait: Seconds or a timedelta that each copy is waited for once it has begun,
            and before that, while the service has no room for it.

        schedule: How the looks at each copy are spaced.

        on_seen: Called when a copy was accepted, and whenever one was looked at. What
            it raises ends the block, in an exception group.

    Raises:
        InvalidArguments: arguments break rules; nothing was sent.
        ClientClosed: the client is not open.
    """
    faults = Faults()
    if not (type(max_in_progress) is int and max_in_progress >= 1):
        faults.add_value("max_in_progress", "an integer, at least 1", max_in_progress)
    observer: object = on_seen
    if not (observer is None or callable(observer)):
        faults.add_value("on_seen", "a function or None", observer)
    faults.raise_any()
    check_type("schedule", schedule, WaitSchedule)
    settings = Settings(
        max_in_progress=max_in_progress,
        max_wait=seconds("max_wait", max_wait),
        schedule=schedule,
        on_seen=on_seen,
    )
    return BulkCopy(client, checked(requests, client.region), settings, random.random)

"""`copy_many`: its arguments, and their rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fsxcopy_sdk._validation import (
    DEFAULT_MAX_IN_PROGRESS,
    ArgumentErrors,
    Duration,
    check_type,
    to_seconds,
)
from fsxcopy_sdk.bulk._copier import BulkCopy
from fsxcopy_sdk.bulk._outcomes import CopyInProgress
from fsxcopy_sdk.bulk._requests import CopyRequest, checked
from fsxcopy_sdk.bulk._starter import BulkStart
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.models import Backup
from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, DEFAULT_SCHEDULE, WaitSchedule


def copy_many(
    client: FsxCopyClient,
    requests: Iterable[CopyRequest],
    *,
    adopt: Iterable[CopyInProgress] = (),
    wait: bool = True,
    max_in_progress: int = DEFAULT_MAX_IN_PROGRESS,
    max_wait: Duration = DEFAULT_MAX_WAIT,
    schedule: WaitSchedule = DEFAULT_SCHEDULE,
    on_seen: Callable[[CopyInProgress], None] | None = None,
) -> BulkCopy:
    """
    Copy many backups into the Region of *client*, as many at a time as the service allows.

    Use it as ``async with copy_many(...) as copies``, and within that as
    ``async for outcome in copies``: outcomes come as copies end, and a failure stops
    nothing but its own copy. Leaving the block, by an exception or a cancellation too,
    starts nothing more; `in_progress` and `not_started` then say what is left.

    First the destination is listed. A request whose source has an AVAILABLE copy there
    is `Copied` without another one, a copy in progress is followed, and only the others
    are started, in the order of *requests*; the listing is repeated if it is older than
    two minutes by then, because other programs copy too. If it fails, nothing is started.
    A request that the service refuses for a limit is skipped, because only its ONTAP volume
    may be at the limit, and is sent again when a copy ends or after a minute. After three
    refusals in a row, or one whose limit is known, the requests behind it wait too.
    To force another copy of the same backup, give `CopyRequest.idempotency_salt`.

    A copy ends only when it is seen AVAILABLE, FAILED or DELETED. One that FAILED in this
    run is not repeated in it. One that was dead before is copied again, with a token that
    counts the dead copies; if that leads to a dead copy that no listing shows, the request
    is repeated once, about a minute later.

    With ``wait=False`` copies are started while there is capacity, and nothing is polled: for
    schedulers with steps of seconds, which repeat the same call later. A copy in progress is
    `CopyStarted`, an AVAILABLE one `Copied`, and a request without capacity `CopyDeferred`:
    either the destination has *max_in_progress* copies in progress, including those of other
    programs, or the service refuses one for its limit.
    A request whose copy FAILED is `CopyDeferred` too, with a `BackupCopyFailed`, until an hour
    after that copy was started, two hours after the second one, and so on up to a day, because
    runs every few minutes would otherwise make one failed copy after another.
    A request whose answer is lost is `CopyNotObserved` after a few tries. Leave minutes
    between two runs, and an hour after a `CopyNotObserved`, because a new copy may be
    missing from listings at first, and then only its token finds it.

    Args:
        client: An open client of the destination Region.
        requests: What to copy. Of requests for the same backup and salt the first counts.
        adopt: Copies that are already in progress, with their `backup`: they are followed
            by its ID, and nothing is requested.
        wait: Whether to follow copies to their end, and to wait for capacity.
        max_in_progress: Copies in progress at once; of ONTAP volumes, per volume and key.
            If they are waited for, copies that other programs start need not be counted:
            the service does.
        max_wait: Seconds or a timedelta: how long to follow each copy and, before it starts,
            how long to wait for capacity or for the end of an outage. Each of these may take
            so long. To limit the whole run, leave the block, as by `anyio.move_on_after`.
        schedule: The intervals at which each copy is polled.
        on_seen: Called when a copy was accepted or found, and at every poll of it. An
            exception from it ends the block, in an exception group.

    Raises:
        InvalidArguments: arguments break rules; nothing was sent.
        ClientNotOpen: the client is not open.
    """
    check_type("client", client, FsxCopyClient)
    errors = ArgumentErrors()
    errors.check_type("wait", wait, bool, "True or False")
    errors.check_count("max_in_progress", max_in_progress)
    errors.check_observer("on_seen", on_seen)
    errors.check_seconds("max_wait", max_wait)
    errors.check_type("schedule", schedule, WaitSchedule, "a WaitSchedule")
    adopted = _checked_copies(errors, adopt, client.region)
    good = checked(errors, requests, client.region)
    errors.raise_any()
    return (BulkCopy if wait else BulkStart)(
        client,
        good,
        adopted,
        max_in_progress=max_in_progress,
        max_wait=to_seconds(max_wait),
        schedule=schedule,
        on_seen=on_seen,
    )


def _checked_copies(
    errors: ArgumentErrors, adopt: object, region: str
) -> list[tuple[CopyInProgress, Backup]]:
    copies: list[object] = list(adopt) if isinstance(adopt, Iterable) else [adopt]
    good: dict[str, tuple[CopyInProgress, Backup]] = {}
    for copy in copies:
        match copy:
            case CopyInProgress(request=CopyRequest() as request, backup=Backup() as backup):
                if request.matches(backup, region):
                    good[backup.backup_id] = (copy, backup)
    if len(good) < len(copies):
        words = "a collection of CopyInProgress, each with another backup, a copy as requested"
        errors.add_value("adopt", words, adopt)
    return list(good.values())

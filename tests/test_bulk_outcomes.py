"""Outcomes as values: hashable, and the same in another process."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from fsxcopy_sdk import (
    AccessDenied,
    Backup,
    BackupCopyFailed,
    BackupLifecycle,
    BackupType,
    WaitTimeout,
)
from fsxcopy_sdk.bulk import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    CopySkipped,
    CopyStarted,
    CopyTimedOut,
)

REQUEST = CopyRequest(source_backup_id="backup-03e3c82e0183b7b6b", tags={"Name": "dr"})
BACKUP = Backup(
    backup_id="backup-0123456789abcdef0",
    lifecycle=BackupLifecycle.COPYING,
    type=BackupType.USER_INITIATED,
    creation_time=datetime(2026, 1, 1, tzinfo=UTC),
)
FAILED = BackupCopyFailed("no", BACKUP.backup_id, 1, 2.0, BACKUP)

_every_outcome = pytest.mark.parametrize(
    "outcome",
    [
        Copied(request=REQUEST, backup=BACKUP),
        CopyDeferred(request=REQUEST, reason="no capacity"),
        CopyFailed(request=REQUEST, error=FAILED),
        CopyStarted(request=REQUEST, backup=BACKUP, client_request_token="token"),
        CopySkipped(request=REQUEST, reason="the same as requests[0]"),
        CopyTimedOut(request=REQUEST, error=WaitTimeout("late", BACKUP.backup_id, 1, 2.0, 2.0)),
    ],
    ids=lambda outcome: type(outcome).__name__,
)


@_every_outcome
def test_every_outcome_has_the_same_members(outcome: CopyOutcome) -> None:
    """Request, backup and error can be read without asking for the class."""
    assert outcome.request is REQUEST
    assert outcome.backup in (BACKUP, None)
    assert (outcome.error is None) == isinstance(
        outcome, Copied | CopyDeferred | CopySkipped | CopyStarted
    )


@_every_outcome
def test_outcomes_pickle(outcome: CopyOutcome) -> None:
    """An outcome is a value, and can go to another process, its error with it."""
    again = pickle.loads(pickle.dumps(outcome))
    assert (type(outcome), outcome.request) == (type(again), again.request)
    assert outcome.backup == again.backup
    assert str(outcome.error) == str(again.error)
    assert 1 == len({outcome, outcome})


SOURCE, COPY = REQUEST.source_backup_id, BACKUP.backup_id


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Copied(request=REQUEST, backup=BACKUP), f"copied as {COPY}"),
        (Copied(request=REQUEST, backup=BACKUP, existing=True), f"has the copy {COPY}"),
        (
            CopyStarted(request=REQUEST, backup=BACKUP, client_request_token="t"),
            f"started as {COPY}, COPYING",
        ),
        (
            CopyStarted(request=REQUEST, backup=BACKUP, client_request_token="t", existing=True),
            f"in progress as {COPY}, COPYING",
        ),
        (CopyDeferred(request=REQUEST, reason="no capacity"), "deferred, no capacity"),
        (
            CopyDeferred(request=REQUEST, reason="cannot be listed", error=AccessDenied("no")),
            "deferred, cannot be listed: AccessDenied: no",
        ),
        (CopyFailed(request=REQUEST, error=FAILED), "failed, no"),
        (CopySkipped(request=REQUEST, reason="the same"), "skipped, the same"),
        (CopyTimedOut(request=REQUEST, error=FAILED), "timed out, no"),
        (
            CopyNotObserved(
                request=REQUEST, client_request_token="t", error=FAILED, backup=BACKUP
            ),
            f"accepted as {COPY}, not observed: no",
        ),
        (
            CopyNotObserved(request=REQUEST, client_request_token="t", error=FAILED),
            "in doubt, with token t, not observed: no",
        ),
        (
            CopyInProgress(request=REQUEST, client_request_token="t", started=0, backup=BACKUP),
            f"in progress, {COPY}, COPYING",
        ),
        (
            CopyInProgress(request=REQUEST, client_request_token="t", started=0),
            "in progress, not known yet",
        ),
    ],
)
def test_outcomes_read_well(outcome: CopyOutcome | CopyInProgress, expected: str) -> None:
    """Printed, an outcome is one line: the source, what became of it, and why."""
    assert f"{SOURCE}: {expected}" == str(outcome)


def test_a_copy_in_progress_is_a_value() -> None:
    """What is in progress can be kept, compared and sent elsewhere."""
    copy = CopyInProgress(request=REQUEST, client_request_token="token", started=1.0)
    assert {copy} == {pickle.loads(pickle.dumps(copy))}

"""A copy that cannot be read may be the one that is asked for: it is not made again."""

from __future__ import annotations

from typing import Any

import pytest
from bulk_rig import WEST, direct_client, driven, outcomes_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import json_values

from fsxcopy_sdk import ConnectionFailed, FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.bulk import (
    Copied,
    CopyDeferred,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    copy_many,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

EAST = "us-east-2"
HOUR = 3600.0


class Bench:
    """A local FSx, and what is copied into us-west-2."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.fsx = LocalFsx(clock=self.clock, copy_duration=HOUR)
        self.client, self.direct = direct_client(self.fsx, self.clock)

    def request(self, **members: Any) -> CopyRequest:
        """Add a backup, and return a request for its copy."""
        source = self.fsx.add_backup(EAST)
        return CopyRequest(source_backup_id=source, source_region=EAST, **members)

    def copy_of(self, request: CopyRequest, **members: Any) -> str:
        """Add a copy of a request's source."""
        return self.fsx.add_backup(
            WEST,
            **{
                "SourceBackupId": request.source_backup_id,
                "SourceBackupRegion": EAST,
                **members,
            },
        )

    async def copy(self, *requests: CopyRequest, **options: Any) -> list[CopyOutcome]:
        """Carry out *requests*, and return the outcomes in their order."""
        copies = copy_many(self.client, requests, **options)
        outcomes = await driven(self.clock, self.direct.traffic, lambda: outcomes_of(copies))
        return sorted(outcomes, key=lambda one: requests.index(one.request))

    @property
    def requested(self) -> int:
        """How many copies were requested."""
        return self.fsx.calls["CopyBackup"]


@pytest.fixture(name="bench")
def _bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("lifecycle", ["AVAILABLE", "COPYING", "FAILED"])
async def test_it_is_not_made_again(bench: Bench, lifecycle: str) -> None:
    """It may be in any lifecycle; the outcome names it, and all other copies are made."""
    odd, other = bench.request(), bench.request()
    copy = bench.copy_of(odd, Lifecycle=lifecycle, CreationTime="yesterday")
    unseen, copied = await bench.copy(odd, other)
    assert isinstance(unseen, CopyNotObserved)
    assert isinstance(unseen.error, ResponseDecodingError)
    source = odd.source_backup_id
    text = f"{copy}, a copy of {source}, cannot be read: $.Backups[0].CreationTime: must be a time"
    assert unseen.error.message.startswith(text)
    assert isinstance(copied, Copied)
    assert 1 == bench.requested


async def test_another_copy_of_the_same_backup_counts(bench: Bench) -> None:
    """An AVAILABLE copy satisfies the request, whatever else there is of its source."""
    request = bench.request()
    bench.copy_of(request, SizeInBytes="many")
    good = bench.copy_of(request)
    (outcome,) = await bench.copy(request)
    assert isinstance(outcome, Copied)
    assert (good, True, 0) == (outcome.backup.backup_id, outcome.existing, bench.requested)


async def test_a_dead_copy_beside_it_does_not(bench: Bench) -> None:
    """A copy that FAILED satisfies nothing, and so says nothing of the other."""
    request = bench.request()
    bench.copy_of(request, Lifecycle="FAILED")
    bench.copy_of(request, SizeInBytes="many")
    assert [CopyNotObserved] == [type(one) for one in await bench.copy(request)]
    assert 0 == bench.requested


async def test_a_salt_makes_no_difference(bench: Bench) -> None:
    """It may be the copy that was forced before, whose salt cannot be read."""
    request = bench.request(idempotency_salt="again")
    bench.copy_of(request, Tags="none")
    assert [CopyNotObserved] == [type(one) for one in await bench.copy(request)]
    assert 0 == bench.requested


async def test_it_may_appear_while_others_are_copied(bench: Bench) -> None:
    """A request that waits for a slot is not started once such a copy is listed."""
    first, second, third = (bench.request() for _ in range(3))

    def appear(_: object) -> None:
        if bench.requested == 1 and len(bench.fsx.backups(WEST)) == 1:
            bench.copy_of(second, Lifecycle="COPYING", Type=None)

    outcomes = await bench.copy(first, second, third, max_in_progress=1, on_seen=appear)
    assert [Copied, CopyNotObserved, Copied] == [type(one) for one in outcomes]
    assert 2 == bench.requested


async def test_originals_that_cannot_be_read_are_no_copies(bench: Bench) -> None:
    """The Region's own backups, however odd, keep nothing from being copied."""
    bench.fsx.add_backup(WEST, Type=None)
    bench.fsx.add_backup(WEST, Lifecycle=7, SourceBackupId=None)  # type: ignore[arg-type]
    assert [Copied] == [type(one) for one in await bench.copy(bench.request())]


@pytest.mark.parametrize("source", [7, [], {"Id": "backup-1"}, True])
async def test_a_copy_of_what_cannot_be_read_stops_all(bench: Bench, source: Any) -> None:
    """It may be a copy of any backup, so that nothing is copied."""
    requests = [bench.request() for _ in range(3)]
    copy = bench.copy_of(requests[0], SourceBackupId=source)
    outcomes = await bench.copy(*requests)
    assert [CopyDeferred] * 3 == [type(one) for one in outcomes]
    for one in outcomes:
        assert isinstance(one.error, ResponseDecodingError)
        assert f"{copy}, which may be a copy of any backup, cannot be read" in str(one.error)
        assert one.error.error_paths[0].startswith("$.Backups[0].SourceBackupId: ")
    assert 0 == bench.requested


async def test_one_that_can_be_read_later_is_followed(bench: Bench) -> None:
    """A listing that is odd once hides a copy only until the next listing."""
    request, other = bench.request(), bench.request()
    copy = bench.copy_of(request, CreationTime="yesterday")
    held = bench.fsx._store.by_id[copy]

    def mend(operation: str) -> None:
        if operation == "DescribeBackups" and bench.fsx.calls["DescribeBackups"] == 1:
            held.document["CreationTime"] = 1767225600.0

    bench.direct.refuse = mend
    outcomes = await bench.copy(request, other)
    assert [Copied, Copied] == [type(one) for one in outcomes]
    assert 1 == bench.requested


@pytest.mark.parametrize("member", ["CreationTime", "Tags", "SizeInBytes"])
async def test_it_ends_the_search_for_a_copy(bench: Bench, member: str) -> None:
    """If an answer is lost, and the copy can then not be read in a listing, that is the end."""
    request, other = bench.request(), bench.request()

    def lose(operation: str) -> ConnectionFailed | None:
        if operation != "CopyBackup" or bench.requested > 1:
            return None
        [copy] = bench.fsx.backups(WEST)
        bench.fsx._store.by_id[str(copy["BackupId"])].document[member] = "odd"
        bench.clock.advance(3 * 60)  # the token may be forgotten
        return ConnectionFailed("lost")

    bench.direct.lose = lose
    outcome, copied = await bench.copy(request, other)
    assert isinstance(outcome, CopyNotObserved)
    assert isinstance(outcome.error, ResponseDecodingError)
    assert f"$.Backups[0].{member}" in outcome.error.message
    assert isinstance(copied, Copied)
    assert 2 == bench.requested
    assert bench.clock.now() < 2 * HOUR


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("last", [None, ConnectionFailed("lost")])
async def test_the_id_of_an_accepted_copy_is_kept(
    bench: Bench, last: FsxCopyError | None, wait: bool
) -> None:
    """
    If an answer names the copy and cannot be read otherwise, the outcome names it too.

    The error of a later call is left as it is, because it may be that of other requests too.
    """
    request = bench.request()

    def lose(operation: str) -> FsxCopyError | None:
        if operation != "CopyBackup":
            return None
        if last is not None and bench.requested > 1:
            return last
        error = ResponseDecodingError("odd")
        error.accepted_backup_id = str(bench.fsx.backups(WEST)[0]["BackupId"])
        return error

    bench.direct.lose = lose
    bench.direct.listings_are_empty = True
    [outcome] = await bench.copy(request, wait=wait)
    [copy] = bench.fsx.backups(WEST)
    assert isinstance(outcome, CopyNotObserved)
    assert copy["BackupId"] == outcome.backup_id
    assert f"accepted as {outcome.backup_id}, not observed" in str(outcome)
    assert last is None or last.accepted_backup_id is None


async def test_an_accepted_id_is_known_while_the_copy_is_in_progress(bench: Bench) -> None:
    """A run that is stopped before the copy can be read names it all the same."""
    copies = copy_many(bench.client, [bench.request()])
    seen: list[CopyInProgress] = []

    def lose(operation: str) -> FsxCopyError | None:
        if operation != "CopyBackup":
            return None
        seen.extend(copies.in_progress)
        error = ResponseDecodingError("odd")
        error.accepted_backup_id = str(bench.fsx.backups(WEST)[0]["BackupId"])
        return error if bench.requested == 1 else None

    bench.direct.lose = lose
    await driven(bench.clock, bench.direct.traffic, lambda: outcomes_of(copies))
    [copy] = bench.fsx.backups(WEST)
    assert [None, copy["BackupId"]] == [one.backup_id for one in seen]
    assert str(seen[1]).endswith(f": in progress, {copy['BackupId']}")
    assert copy["BackupId"] == seen[1].to_dict()["AcceptedBackupId"]


NAMES = ("Type", "CreationTime", "Tags", "FileSystem", "KmsKeyId", "SizeInBytes", "Volume")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    members=st.dictionaries(st.sampled_from(NAMES), json_values(), min_size=1, max_size=3),
    twice=st.booleans(),
)
async def test_whatever_is_odd(members: dict[str, Any], twice: bool) -> None:
    """However one copy is spoiled, or two are, none is requested, and none counts as failed."""
    bench = Bench()
    request = bench.request()
    for _ in range(1 + twice):
        bench.copy_of(request, **members)
    (outcome,) = await bench.copy(request)
    assert isinstance(outcome, Copied | CopyNotObserved)
    assert 0 == bench.requested

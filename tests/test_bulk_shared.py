"""Copies of several callers in one run: which caller gets which outcome, and what is left."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs
import pytest
from bulk_rig import WEST, direct_client

from fsxcopy_sdk import ConfigurationError, InvalidArguments
from fsxcopy_sdk.bulk import (
    Copied,
    CopyBatch,
    CopyFailed,
    CopyInProgress,
    CopyRequest,
    SharedCopies,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock
from fsxcopy_sdk.waiting import DEFAULT_SCHEDULE


class Rig:
    """A local FSx, a client of it, and copies that several callers share."""

    def __init__(self, max_in_progress: int = 2) -> None:
        clock = ManualClock(auto_advance=True)
        self.fsx = LocalFsx(clock=clock, copy_duration=600.0)
        self.client, _ = direct_client(self.fsx, clock)
        self.shared = SharedCopies(
            self.client,
            wait=True,
            max_in_progress=max_in_progress,
            max_wait=86400.0,
            schedule=DEFAULT_SCHEDULE,
        )

    def request(self, **members: str) -> CopyRequest:
        """Put a backup there, and return the request for a copy of it."""
        return CopyRequest(source_backup_id=self.fsx.add_backup(WEST), **members)

    def add(
        self,
        *requests: CopyRequest,
        adopt: tuple[CopyInProgress, ...] = (),
        on_seen: Callable[[CopyInProgress], None] | None = None,
    ) -> CopyBatch:
        """Add the batch of one caller."""
        return self.shared.add(requests, adopt=adopt, on_seen=on_seen)

    async def run(self, *batches: CopyBatch) -> None:
        """Carry out all batches, each with a caller that iterates over it."""

        async def follow(batch: CopyBatch) -> None:
            async with batch:
                async for _ in batch:
                    pass

        async with anyio.create_task_group() as group:
            for batch in batches:
                group.start_soon(follow, batch)
            group.start_soon(self.shared.run)


def _copied(batch: CopyBatch) -> dict[str, bool]:
    """Return the backups that are copied, and whether another's request did it."""
    return {
        one.request.source_backup_id: one.existing
        for one in batch.outcomes
        if isinstance(one, Copied)
    }


async def test_each_caller_has_its_own_outcomes() -> None:
    """They come under the caller's own requests; an empty batch ends at once."""
    rig = Rig()
    one, two = rig.request(), rig.request()
    again = CopyRequest(source_backup_id=two.source_backup_id, tags={"of": "another"})
    first, second, empty = rig.add(one, two), rig.add(again), rig.add()
    assert (one, two) == first.not_started
    assert () == first.in_progress

    await rig.run(first, second, empty)

    # In turns, so that the second caller's request comes before the first caller's second.
    assert {one.source_backup_id: False, two.source_backup_id: True} == _copied(first)
    assert {two.source_backup_id: False} == _copied(second)
    assert [again] == [outcome.request for outcome in second.outcomes]
    assert () == empty.outcomes
    assert 2 == rig.fsx.calls["CopyBackup"]
    assert ((), ()) == (first.not_started, first.in_progress)


async def test_a_copy_that_callers_adopt_is_followed_once() -> None:
    """An adopted copy also ends the request of another caller for the same backup."""
    rig = Rig()
    request = rig.request()
    answer = await rig.client.copy_backup(request.source_backup_id)
    copy = CopyInProgress(
        request=request, client_request_token="any", started=0.0, backup=answer.backup
    )
    seen: list[CopyInProgress] = []
    batches = (
        rig.add(adopt=(copy,), on_seen=seen.append),
        rig.add(adopt=(copy,)),
        rig.add(request),
    )
    await rig.run(*batches)

    for batch in batches:
        assert {request.source_backup_id: True} == _copied(batch)
    assert 1 == rig.fsx.calls["CopyBackup"]
    assert {answer.backup.backup_id} == {one.backup.backup_id for one in seen if one.backup}


async def test_a_copy_that_fails_fails_for_each_caller() -> None:
    """The error is that of the one copy that was made."""
    rig = Rig()
    request = rig.request()

    def fail(copy: CopyInProgress) -> None:
        if copy.backup and not copy.backup.lifecycle.is_terminal:
            rig.fsx.fail_copy(copy.backup.backup_id, "made to fail")

    first, second = rig.add(request, on_seen=fail), rig.add(attrs.evolve(request))
    await rig.run(first, second)
    for batch in (first, second):
        assert [CopyFailed] == [type(one) for one in batch.outcomes]
    assert 1 == rig.fsx.calls["CopyBackup"]


async def test_what_is_left_is_told_to_each_caller() -> None:
    """A run that is cancelled has copies in progress and requests that were not begun."""
    rig = Rig(max_in_progress=1)
    one, two = rig.request(), rig.request()
    first, second = rig.add(one), rig.add(two)
    begun = anyio.Event()

    def see(_: CopyInProgress) -> None:
        begun.set()

    third = rig.add(one, on_seen=see)
    async with anyio.create_task_group() as group:
        group.start_soon(rig.shared.run)
        await begun.wait()
        group.cancel_scope.cancel()

    assert [one] == [copy.request for copy in first.in_progress]
    assert [one] == [copy.request for copy in third.in_progress]
    assert ((), (two,)) == (second.in_progress, second.not_started)
    assert () == first.not_started


async def test_a_batch_is_added_before_the_run() -> None:
    """Afterwards nothing would ever carry it out, and a second run would copy again."""
    rig = Rig()
    batch = rig.add(rig.request())
    await rig.run(batch)
    with pytest.raises(ConfigurationError, match="was called already"):
        rig.add(rig.request())
    with pytest.raises(ConfigurationError, match="was called already"):
        await rig.shared.run()


async def test_outcomes_of_before_are_passed_on() -> None:
    """A caller that is entered late misses none."""
    rig = Rig()
    batch = rig.add(rig.request(), rig.request())
    await rig.shared.run()
    passed: list[object] = []
    await batch.pass_on(passed.append)
    assert [*batch.outcomes] == passed
    assert 2 == len(passed)


async def _leave_when(batch: CopyBatch, entered: anyio.Event, leaving: anyio.Event) -> None:
    """Be a caller that does not await the end of its copies."""
    async with batch:
        entered.set()
        await leaving.wait()


async def test_what_only_a_caller_that_left_wants_is_not_begun() -> None:
    """Its copies in progress go on, and those that others want too."""
    rig = Rig(max_in_progress=1)
    begun, both, own, last = (rig.request() for _ in range(4))
    seen, entered = anyio.Event(), anyio.Event()

    def see(_: CopyInProgress) -> None:
        seen.set()

    left = rig.add(begun, own, both, on_seen=see)
    stays = rig.add(both, last)  # the last one comes after what is not wanted any more
    async with anyio.create_task_group() as group:
        group.start_soon(_leave_when, left, entered, seen)
        await entered.wait()
        group.start_soon(rig.run, stays)
        await seen.wait()
        assert [begun] == [copy.request for copy in left.in_progress]

    assert {both.source_backup_id: False, last.source_backup_id: False} == _copied(stays)
    copied = {one["SourceBackupId"] for one in rig.fsx.backups(WEST) if "SourceBackupId" in one}
    assert {one.source_backup_id for one in (begun, both, last)} == copied


async def test_the_run_ends_when_all_have_left() -> None:
    """Nobody is there to be told of the copies, which continue at the service."""
    rig = Rig()
    seen, entered = anyio.Event(), anyio.Event()
    calls: list[CopyInProgress] = []

    def see(copy: CopyInProgress) -> None:
        calls.append(copy)
        seen.set()

    batch = rig.add(rig.request(), on_seen=see)
    async with anyio.create_task_group() as group:
        group.start_soon(_leave_when, batch, entered, seen)
        group.start_soon(rig.shared.run)
    assert 1 == len(calls)
    assert calls[0].backup_id == batch.in_progress[0].backup_id


@pytest.mark.parametrize("stays", [True, False])
async def test_who_has_left_before_the_run_has_no_part_in_it(stays: bool) -> None:
    """Its copies are not requested."""
    rig = Rig()
    async with rig.add(rig.request()):
        pass
    batches = [rig.add(rig.request())] if stays else []
    await rig.run(*batches)
    assert len(batches) == rig.fsx.calls["CopyBackup"]


async def test_a_run_that_fails_ends_its_batches_with_its_error() -> None:
    """A caller would wait for ever otherwise; who has all outcomes has lost nothing."""
    rig = Rig()

    def fail(_: CopyInProgress) -> None:
        raise RuntimeError("no room for the log")

    done, first, second = rig.add(), rig.add(rig.request(), on_seen=fail), rig.add(rig.request())
    with pytest.raises(ExceptionGroup):
        await rig.shared.run()
    for batch in (first, second):
        with pytest.raises(ExceptionGroup) as caught:
            async with batch:
                await anext(batch)
        assert caught.group_contains(RuntimeError, match="no room")
    await done.pass_on(print)


async def test_a_batch_that_breaks_a_rule_is_refused() -> None:
    """In the run it would end those of all others."""
    rig = Rig()
    wrong = CopyRequest(source_backup_id="backup-03e3c82e0183b7b6b", source_region="cn-north-1")
    with pytest.raises(InvalidArguments, match="source_region"):
        rig.add(wrong)

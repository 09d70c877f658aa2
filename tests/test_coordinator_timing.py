"""Slow calls, on a clock that the test moves: no wait is delayed by the calls of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime

import attrs
import pytest

from fsxcopy_sdk import (
    Backup,
    BackupLifecycle,
    BackupNotFound,
    BackupType,
    DescribeBackupsResponse,
    FsxCopyError,
    WaitSchedule,
)
from fsxcopy_sdk.testing import ManualClock
from fsxcopy_sdk.waiting import PollCoordinator

LONG = 1000.0


def _every(seconds: float, **more: float) -> WaitSchedule:
    return WaitSchedule(min_delay=seconds, max_delay=seconds, **more)


def _backup(backup_id: str, *, done: bool) -> Backup:
    return Backup(
        backup_id=backup_id,
        lifecycle=BackupLifecycle.AVAILABLE if done else BackupLifecycle.COPYING,
        type=BackupType.USER_INITIATED,
        creation_time=datetime(2026, 1, 1, tzinfo=UTC),
    )


async def _settle() -> None:
    for _ in range(40):
        await asyncio.sleep(0)


@attrs.define
class Scene:
    """Some waits on one coordinator, on a clock that only the test moves, and their ends."""

    describe: Callable[[Sequence[str]], Awaitable[list[Backup]]] = attrs.field(init=False)
    clock: ManualClock = attrs.field(factory=ManualClock)
    calls: list[tuple[float, int]] = attrs.field(factory=list)
    ended: dict[str, tuple[float, type[object]]] = attrs.field(factory=dict)
    tasks: dict[str, asyncio.Task[None]] = attrs.field(factory=dict)
    pages: int = 0
    listing_seconds: float = 0.0
    listed: dict[str, bool] = attrs.field(factory=dict)
    """The backups that a listing shows, and whether they are done."""
    coordinator: PollCoordinator = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.coordinator = PollCoordinator(
            self._describe, self._list_page, self.clock, lambda: 0.5
        )

    async def _describe(self, backup_ids: Sequence[str]) -> list[Backup]:
        self.calls.append((self.clock.now(), len(backup_ids)))
        return await self.describe(backup_ids)

    async def _list_page(self, _: str | None) -> DescribeBackupsResponse:
        self.pages += 1
        await self.clock.sleep(self.listing_seconds)
        backups = tuple(_backup(one, done=self.listed[one]) for one in self.listed)
        return DescribeBackupsResponse(backups=backups)

    def wait(self, backup_id: str, max_wait: float, schedule: WaitSchedule) -> None:
        """Begin a wait."""
        self.tasks[backup_id] = asyncio.create_task(self._wait(backup_id, max_wait, schedule))

    async def _wait(self, backup_id: str, max_wait: float, schedule: WaitSchedule) -> None:
        result: type[object] = Backup
        try:
            async for _ in self.coordinator.watch(backup_id, max_wait, schedule):
                pass
        except FsxCopyError as error:
            result = type(error)
        self.ended[backup_id] = (self.clock.now(), result)

    async def until(self, time: float) -> None:
        """Move the clock, and let the waits do what is due."""
        await _settle()
        while (wake_up := self.clock.next_wake_up) is not None and wake_up <= time:
            self.clock.advance(wake_up - self.clock.now())
            await _settle()
        self.clock.advance(time - self.clock.now())
        await _settle()


@pytest.fixture(name="scene")
async def _scene() -> AsyncIterator[Scene]:
    """A scene whose waits end with the test, and whose calls the test describes."""
    scene = Scene()
    yield scene
    for task in scene.tasks.values():
        task.cancel()
    await asyncio.gather(*scene.tasks.values(), return_exceptions=True)


async def test_the_others_of_a_cancelled_call_are_polled_at_once(scene: Scene) -> None:
    """When the wait that made the call is cancelled, the others do not wait for the next."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if "caller" in backup_ids:
            await scene.clock.sleep(LONG)
        return [_backup(one, done=one == "rider") for one in backup_ids]

    scene.describe = describe
    scene.wait("caller", 60, _every(10))
    scene.wait("rider", 60, _every(10))
    await scene.until(1)
    scene.wait("later", 5000, _every(1000))
    await scene.until(5)
    scene.tasks["caller"].cancel()
    await scene.until(6)

    assert {"rider": (5.0, Backup)} == scene.ended


async def test_a_call_for_a_missing_backup_delays_no_other(scene: Scene) -> None:
    """While the call for an unknown id hangs, the others are polled in time."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if list(backup_ids) == ["missing"] and scene.clock.now() > 0:
            await scene.clock.sleep(LONG)
        if "missing" in backup_ids:
            raise BackupNotFound("one of them is unknown")
        return [_backup(one, done=scene.clock.now() >= 20) for one in backup_ids]

    scene.describe = describe
    scene.wait("one", 60, _every(20))
    scene.wait("other", 60, _every(20))
    scene.wait("missing", 600, _every(10, not_found_grace=1000))
    await scene.until(30)

    assert {"one": (20.0, Backup), "other": (20.0, Backup)} == scene.ended


async def test_a_call_for_new_waits_delays_no_other(scene: Scene) -> None:
    """The wait that slept does not make a call that is not for its own backup."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if "first" not in backup_ids and scene.clock.now() < 10:
            await scene.clock.sleep(LONG)
        return [_backup(one, done=scene.clock.now() >= 10) for one in backup_ids]

    scene.describe = describe
    scene.wait("first", 60, _every(10))
    await scene.until(5)
    for number in range(50):
        scene.wait(f"new {number}", 60, _every(10))
    await scene.until(11)

    assert {"first": (10.0, Backup)} == scene.ended


async def test_halving_delays_known_ids_no_longer_than_its_calls(scene: Scene) -> None:
    """With half of fifty ids unknown and slow calls, the others are seen within seconds."""
    known = {f"{number:02}" for number in range(50) if number % 2}

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        await scene.clock.sleep(0.2)
        if not known.issuperset(backup_ids):
            raise BackupNotFound("one of them is unknown")
        return [_backup(one, done=True) for one in backup_ids]

    scene.describe = describe
    scene.listed = dict.fromkeys(known, True)
    for number in range(50):
        scene.wait(f"{number:02}", 300, _every(10))
    await scene.until(2)

    assert known == set(scene.ended)
    assert {Backup} == {result for _, result in scene.ended.values()}


async def test_pages_that_were_not_read_delay_no_later_call(scene: Scene) -> None:
    """A listing delays other calls for unknown ids no longer than it lasts."""

    async def describe(_: Sequence[str]) -> list[Backup]:
        await scene.clock.sleep(1)
        raise BackupNotFound("one of them is unknown")

    scene.describe = describe
    scene.listing_seconds = 3
    for number in range(200):
        scene.wait(f"{number}", 300, _every(10))
    await scene.until(1)
    scene.wait("late", 300, _every(10))
    scene.wait("as late", 300, _every(10))
    await scene.until(8)

    # The listing may have fifty pages, ten seconds of calls. It ends after the first.
    assert 1 == scene.pages
    assert [(1.0, 2), (4.0, 1), (4.0, 1)] == scene.calls[4:]


async def test_missing_backups_are_polled_one_by_one(scene: Scene) -> None:
    """Two unknown ids do not share a call, until they were found."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if {"missing", "late"} & set(backup_ids) and scene.clock.now() < 30:
            raise BackupNotFound("one of them is unknown")
        return [_backup(one, done=False) for one in backup_ids]

    scene.describe = describe
    for backup_id in ("found", "missing", "late"):
        scene.wait(backup_id, 300, _every(10))
    await scene.until(1)
    scene.calls.clear()
    await scene.until(25)

    assert [1] * 6 == [size for _, size in scene.calls]
    scene.calls.clear()
    await scene.until(45)
    assert (40.0, 3) == scene.calls[-1]


async def test_delays_count_from_the_answer(scene: Scene) -> None:
    """A slow call does not shorten the delay until the next poll."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        await scene.clock.sleep(7)
        return [_backup(one, done=False) for one in backup_ids]

    scene.describe = describe
    scene.wait("slow", 300, _every(10))
    await scene.until(60)
    assert [0.0, 17.0, 34.0, 51.0] == [time for time, _ in scene.calls]

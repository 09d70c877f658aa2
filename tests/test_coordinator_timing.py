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
    """Some waits on one coordinator, and when each of them ended."""

    clock: ManualClock
    describe: Callable[[Sequence[str]], Awaitable[list[Backup]]]
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

    async def _list_page(self, _: str | None) -> tuple[list[Backup], str | None]:
        self.pages += 1
        await self.clock.sleep(self.listing_seconds)
        return [_backup(one, done=self.listed[one]) for one in self.listed], None

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


MakeScene = Callable[[Callable[[Sequence[str]], Awaitable[list[Backup]]]], Scene]


@pytest.fixture(name="manual")
def _held() -> ManualClock:
    """A clock that only the test moves."""
    return ManualClock()


@pytest.fixture(name="scene")
async def _scene(manual: ManualClock) -> AsyncIterator[MakeScene]:
    """Make scenes whose waits end with the test."""
    scenes: list[Scene] = []

    def make(describe: Callable[[Sequence[str]], Awaitable[list[Backup]]]) -> Scene:
        scenes.append(Scene(manual, describe))
        return scenes[-1]

    yield make
    tasks = [task for scene in scenes for task in scene.tasks.values()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_others_of_a_cancelled_call_are_polled_at_once(
    scene: MakeScene, manual: ManualClock
) -> None:
    """When the wait that made the call is cancelled, the others do not wait for the next."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if "caller" in backup_ids:
            await manual.sleep(LONG)
        return [_backup(one, done=one == "rider") for one in backup_ids]

    waits = scene(describe)
    waits.wait("caller", 60, _every(10))
    waits.wait("rider", 60, _every(10))
    await waits.until(1)
    waits.wait("later", 5000, _every(1000))
    await waits.until(5)
    waits.tasks["caller"].cancel()
    await waits.until(6)

    assert {"rider": (5.0, Backup)} == waits.ended


async def test_a_call_for_a_missing_backup_delays_no_other(
    scene: MakeScene, manual: ManualClock
) -> None:
    """While the call for an unknown id hangs, the others are polled in time."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if list(backup_ids) == ["missing"] and manual.now() > 0:
            await manual.sleep(LONG)
        if "missing" in backup_ids:
            raise BackupNotFound("one of them is unknown")
        return [_backup(one, done=manual.now() >= 20) for one in backup_ids]

    waits = scene(describe)
    waits.wait("one", 60, _every(20))
    waits.wait("other", 60, _every(20))
    waits.wait("missing", 600, _every(10, not_found_grace=1000))
    await waits.until(30)

    assert {"one": (20.0, Backup), "other": (20.0, Backup)} == waits.ended


async def test_a_call_for_new_waits_delays_no_other(scene: MakeScene, manual: ManualClock) -> None:
    """The wait that slept does not make a call that is not for its own backup."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if "first" not in backup_ids and manual.now() < 10:
            await manual.sleep(LONG)
        return [_backup(one, done=manual.now() >= 10) for one in backup_ids]

    waits = scene(describe)
    waits.wait("first", 60, _every(10))
    await waits.until(5)
    for number in range(50):
        waits.wait(f"new {number}", 60, _every(10))
    await waits.until(11)

    assert {"first": (10.0, Backup)} == waits.ended


async def test_halving_delays_known_ids_no_longer_than_its_calls(
    scene: MakeScene, manual: ManualClock
) -> None:
    """With half of fifty ids unknown and slow calls, the others are seen within seconds."""
    known = {f"{number:02}" for number in range(50) if number % 2}

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        await manual.sleep(0.2)
        if not known.issuperset(backup_ids):
            raise BackupNotFound("one of them is unknown")
        return [_backup(one, done=True) for one in backup_ids]

    waits = scene(describe)
    waits.listed = dict.fromkeys(known, True)
    for number in range(50):
        waits.wait(f"{number:02}", 300, _every(10))
    await waits.until(2)

    assert known == set(waits.ended)
    assert {Backup} == {result for _, result in waits.ended.values()}


async def test_pages_that_were_not_read_delay_no_later_call(
    scene: MakeScene, manual: ManualClock
) -> None:
    """A listing delays other calls for unknown ids no longer than it lasts."""

    async def describe(_: Sequence[str]) -> list[Backup]:
        await manual.sleep(1)
        raise BackupNotFound("one of them is unknown")

    waits = scene(describe)
    waits.listing_seconds = 3
    for number in range(200):
        waits.wait(f"{number}", 300, _every(10))
    await waits.until(1)
    waits.wait("late", 300, _every(10))
    waits.wait("as late", 300, _every(10))
    await waits.until(8)

    # The listing may have fifty pages, ten seconds of calls. It ends after the first.
    assert 1 == waits.pages
    assert [(1.0, 2), (4.0, 1), (4.0, 1)] == waits.calls[4:]


async def test_missing_backups_are_polled_one_by_one(
    scene: MakeScene, manual: ManualClock
) -> None:
    """Two unknown ids do not share a call, until they were found."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        if {"missing", "late"} & set(backup_ids) and manual.now() < 30:
            raise BackupNotFound("one of them is unknown")
        return [_backup(one, done=False) for one in backup_ids]

    waits = scene(describe)
    for backup_id in ("found", "missing", "late"):
        waits.wait(backup_id, 300, _every(10))
    await waits.until(1)
    waits.calls.clear()
    await waits.until(25)

    assert [1] * 6 == [size for _, size in waits.calls]
    waits.calls.clear()
    await waits.until(45)
    assert (40.0, 3) == waits.calls[-1]


async def test_delays_count_from_the_answer(scene: MakeScene, manual: ManualClock) -> None:
    """A slow call does not shorten the delay until the next poll."""

    async def describe(backup_ids: Sequence[str]) -> list[Backup]:
        await manual.sleep(7)
        return [_backup(one, done=False) for one in backup_ids]

    waits = scene(describe)
    waits.wait("slow", 300, _every(10))
    await waits.until(60)

    assert [0.0, 17.0, 34.0, 51.0] == [time for time, _ in waits.calls]

"""Waits that share their calls, on a clock that moves as soon as a task sleeps on it."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import attrs
import pytest

from fsxcopy_sdk import (
    AccessDenied,
    Backup,
    BackupLifecycle,
    BackupNotFound,
    BackupType,
    BadRequest,
    ClientNotOpen,
    Clock,
    DescribeBackupsResponse,
    FsxCopyError,
    PaginationError,
    ResponseDecodingError,
    Throttled,
    UnreadableBackup,
    WaitSchedule,
    WaitTimeout,
)
from fsxcopy_sdk.testing import ManualClock
from fsxcopy_sdk.waiting import CALL_GRACE, PollCoordinator, ProgressHistory

EVERY_TEN = WaitSchedule(min_delay=10, max_delay=10)
HOUR = 3600.0


@attrs.define
class Service:
    """Backups that become AVAILABLE at their time, and a coordinator that asks about them."""

    clock: Clock
    ends: dict[str, float] = attrs.field(factory=dict)
    calls: list[tuple[str, ...]] = attrs.field(factory=list)
    times: list[float] = attrs.field(factory=list)
    pages: list[float] = attrs.field(factory=list)
    """When each page of a listing was read."""
    others: int = 0
    """How many other backups the Region has; a listing shows them first."""
    listing_errors: list[FsxCopyError] = attrs.field(factory=list)
    unknown: set[str] = attrs.field(factory=set)
    omits: bool = False
    unreadable: str | None = None
    is_nameless: bool = False
    """Whether each page of a listing has an unreadable backup without an ID."""
    refused: str | None = None
    unrequested: list[str] = attrs.field(factory=list)
    errors: list[FsxCopyError] = attrs.field(factory=list)
    held: asyncio.Event | None = None
    """If given, calls last until it is set."""
    coordinator: PollCoordinator = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        draw = random.Random(1).random
        self.coordinator = PollCoordinator(self.describe, self.list_page, self.clock, draw)

    def add(self, end: float) -> str:
        backup_id = f"backup-{len(self.ends):08x}"
        self.ends[backup_id] = end
        return backup_id

    async def describe(self, backup_ids: Sequence[str]) -> list[Backup]:
        self.calls.append(tuple(backup_ids))
        self.times.append(self.clock.now())
        await asyncio.sleep(0)
        if self.held is not None:
            await self.held.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.unreadable in backup_ids:
            where = f"$.Backups[{backup_ids.index(self.unreadable)}].Lifecycle"
            raise ResponseDecodingError("unreadable", error_paths=(f"{where}: must be a string",))
        if self.refused in backup_ids:
            raise BadRequest("one of them is no id")
        if self.unknown & set(backup_ids) and not self.omits:
            raise BackupNotFound("one of them is unknown", operation="DescribeBackups")
        described = [*self.unrequested, *backup_ids]
        return [self.backup(one) for one in described if one not in self.unknown]

    async def list_page(self, token: str | None) -> DescribeBackupsResponse:
        self.pages.append(self.clock.now())
        await asyncio.sleep(0)
        if self.listing_errors:
            raise self.listing_errors.pop(0)
        begin = int(token or 0)
        hidden = {*self.unknown, self.refused}
        known = [one for one in self.ends if one not in hidden]
        skipped = max(0, begin - self.others)
        room = max(0, 50 - max(0, self.others - begin))
        page = known[skipped : skipped + room]
        more = begin + 50 < self.others + len(known)
        odd = [] if self.unreadable is None else [self.unreadable]
        ids = [None] if self.is_nameless else [one for one in odd if one in page]
        return DescribeBackupsResponse(
            backups=tuple(self.backup(one) for one in page if one not in odd),
            unreadable=tuple(UnreadableBackup(backup_id=one, error_paths=("no",)) for one in ids),
            next_token=str(begin + 50) if more else None,
        )

    def backup(self, backup_id: str) -> Backup:
        share = self.clock.now() / self.ends[backup_id]
        return Backup(
            backup_id=backup_id,
            lifecycle=BackupLifecycle.AVAILABLE if share >= 1 else BackupLifecycle.COPYING,
            type=BackupType.USER_INITIATED,
            creation_time=datetime(2026, 1, 1, tzinfo=UTC),
            progress_percent=min(99, int(100 * share)),
        )

    async def wait(
        self, backup_id: str, schedule: WaitSchedule = EVERY_TEN, max_wait: float = HOUR
    ) -> Backup:
        async for backup in self.coordinator.watch(backup_id, max_wait, schedule):
            last = backup
        return last

    async def wait_for(self, ids: Sequence[str], schedule: WaitSchedule = EVERY_TEN) -> None:
        """Wait for all of *ids* at once, and check that each wait ends with its own backup."""
        backups = await asyncio.gather(*(self.wait(one, schedule) for one in ids))
        assert [*ids] == [backup.backup_id for backup in backups]

    async def results(
        self, ids: Sequence[str], schedule: WaitSchedule = EVERY_TEN, max_wait: float = HOUR
    ) -> list[Backup | BaseException]:
        """Wait for all of *ids* at once, and return how each wait ends."""
        waits = (self.wait(one, schedule, max_wait) for one in ids)
        return await asyncio.gather(*waits, return_exceptions=True)


@pytest.fixture(name="service")
async def _service(clock: ManualClock) -> AsyncIterator[Service]:
    """A service without backups; no task is left behind, and no wait affects a later one."""
    service = Service(clock)
    yield service
    assert {asyncio.current_task()} == asyncio.all_tasks()
    # Nothing stays but the backups, all of them readable.
    healthy = attrs.asdict(Service(clock, service.ends), recurse=False)
    for field in healthy.keys() - {"coordinator"}:
        setattr(service, field, healthy[field])
    clock.advance(2 * HOUR)
    async with asyncio.timeout(10):
        later = await service.results([*service.ends])
    if {ClientNotOpen} != {type(result) for result in later}:
        assert list(service.ends) == [one.backup_id for one in later if isinstance(one, Backup)]
        assert math.ceil(len(service.ends) / 50) == len(service.calls)


async def test_waits_share_their_calls(service: Service) -> None:
    """Fifty waits that start together make the calls of one."""
    await service.wait_for([service.add(100.0) for _ in range(50)])
    assert [50] * 10 == [len(call) for call in service.calls[1:]]


@pytest.mark.parametrize(("others", "expected"), [(49, 5), (50, 10)])
async def test_a_crowd_polls_less_often(service: Service, others: int, expected: float) -> None:
    """With more than fifty waits, the minimum delay between polls is doubled."""
    schedule = WaitSchedule(min_delay=5, max_delay=600)
    await service.wait_for([service.add(20) for _ in range(1 + others)], schedule)
    assert expected == min(time for time in service.times if time > 0)


async def test_a_thousand_waits_share_nearly_all_calls(service: Service) -> None:
    """A thousand waits that end within twenty minutes make a fortieth of the calls."""
    source = random.Random(2)
    ends = [source.uniform(20 * 60, 40 * 60) for _ in range(1000)]
    schedule = WaitSchedule()
    await service.wait_for([service.add(end) for end in ends], schedule)
    together = len(service.calls)
    assert sum(_polls_alone(end, schedule, source) for end in ends) >= 40 * together


def _polls_alone(end: float, schedule: WaitSchedule, source: random.Random) -> int:
    """Count the polls of a wait that shares nothing."""
    elapsed, polls, progress = 0.0, 1, ProgressHistory()
    while elapsed < end:
        progress.add(elapsed, min(99, int(100 * elapsed / end)))
        delay = schedule.delay(polls, math.inf, source.random, progress, elapsed)
        assert delay is not None
        elapsed += delay
        polls += 1
    return polls


async def test_a_call_describes_fifty_at_most(service: Service) -> None:
    """More waits than fit into a call make as many calls as are needed."""
    await service.wait_for([service.add(1.0) for _ in range(120)])
    assert 50 == max(len(call) for call in service.calls)


async def test_waits_for_one_backup_share_its_polls(service: Service) -> None:
    """Two waits for the same backup make the calls of one."""
    backup_id = service.add(100.0)
    await service.wait_for([backup_id] * 2)
    assert {(backup_id,)} == set(service.calls)
    assert 11 == len(service.calls)


async def test_the_soonest_due_come_first(service: Service) -> None:
    """With more than fifty waits, a call polls those that are due first."""
    slow = [service.add(2000.0) for _ in range(60)]
    fast = service.add(2000.0)
    schedule = WaitSchedule(min_delay=100, max_delay=100)
    waits = [service.wait(one, schedule) for one in slow]
    await asyncio.gather(*waits, service.wait(fast, EVERY_TEN))

    _, *later = (call for call in service.calls if len(call) == 50)
    assert len(later) > 100
    assert all(fast in call for call in later)


@pytest.mark.parametrize("omits", [False, True], ids=["refused", "left out"])
async def test_a_missing_backup_does_not_affect_the_others(service: Service, omits: bool) -> None:
    """The one that is not found is isolated, and ends alone after its grace."""
    ids = [service.add(200.0) for _ in range(50)]
    missing = ids[17]
    service.unknown.add(missing)
    service.omits = omits
    results = await service.results(ids)

    assert [isinstance(one, BackupNotFound) for one in results] == [one == missing for one in ids]
    # Halving fifty down to one takes six steps, each of one or two calls.
    splits = [call for call in service.calls if len(call) < 49 and call != (missing,)]
    assert (0 if omits else 11) >= len(splits)


@pytest.mark.parametrize(
    ("what", "expected"), [("unreadable", ResponseDecodingError), ("refused", BadRequest)]
)
async def test_a_backup_that_spoils_the_call_does_not_affect_the_others(
    service: Service, what: str, expected: type[FsxCopyError]
) -> None:
    """The one whose description is unreadable, or whose id is refused, ends alone."""
    ids = [service.add(100.0) for _ in range(50)]
    setattr(service, what, ids[31])
    results = await service.results(ids)

    ended = [
        one for one, result in zip(ids, results, strict=True) if isinstance(result, Exception)
    ]
    assert [ids[31]] == ended
    assert isinstance(results[31], expected)


ODD_ANSWERS = {
    "no listing": ResponseDecodingError("unreadable", error_paths=("$: must be an object",)),
    "a circle": PaginationError("A page leads back to an earlier one"),
}


@pytest.mark.parametrize("error", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_an_odd_answer_ends_none_of_many(service: Service, error: FsxCopyError) -> None:
    """After an answer that is odd as a whole, the fifty are polled again, and not halved."""
    ids = [service.add(100.0) for _ in range(50)]
    service.errors = [error]
    await service.wait_for(ids)
    assert {50} == {len(call) for call in service.calls}


@pytest.mark.parametrize("error", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_odd_answers_end_each_wait_by_a_call_of_its_own(
    service: Service, error: FsxCopyError
) -> None:
    """Answers that stay odd end the waits, after a call for each, within the rate limit."""
    ids = [service.add(100.0) for _ in range(50)]
    service.errors = [error] * 51
    service.listing_errors = [error]
    results = await service.results(ids)

    assert {type(error)} == {type(result) for result in results}
    assert [50] + [1] * 50 == [len(call) for call in service.calls]
    assert 1 == len(service.pages)
    _check_rate(service)


async def test_an_odd_answer_for_one_ends_no_other(service: Service) -> None:
    """A wait that has an odd answer to its own call too ends alone."""
    ids = [service.add(100.0) for _ in range(3)]
    service.errors = [ODD_ANSWERS["no listing"]] * 2
    results = await service.results(ids)
    assert [ResponseDecodingError, Backup, Backup] == [type(result) for result in results]
    assert 0.0 < service.times[1]


def _check_rate(service: Service) -> None:
    """Check that calls for less than fifty are five per second, after a burst of twelve."""
    timed = zip(service.times, service.calls, strict=True)
    spaced = [time for time, call in timed if len(call) < 50]
    for first, begin in enumerate(spaced):
        for last in range(first, len(spaced)):
            assert last - first + 1 <= 12 + 5 * (spaced[last] - begin) + 1e-6


@pytest.mark.parametrize("others", [0, 5000])
async def test_the_wrong_region_costs_hundreds_of_calls(service: Service, others: int) -> None:
    """Two thousand waits for unknown ids share listings, whatever else the Region holds."""
    ids = [service.add(HOUR) for _ in range(2000)]
    service.unknown, service.others = set(ids), others
    results = await service.results(ids, WaitSchedule())
    assert {BackupNotFound} == {type(result) for result in results}
    calls = [*service.times, *service.pages]
    assert len(calls) < 600
    assert sum(time < 1 for time in calls) < 200


@pytest.mark.parametrize(
    ("good", "unknown", "others"),
    [(1000, 20, 0), (1000, 20, 5000), (1000, 20, 100_000), (2000, 3, 100_000)],
)
async def test_some_unknown_ids_among_many_good_ones(
    service: Service, good: int, unknown: int, others: int
) -> None:
    """They cost some hundred calls, and the good ones end as soon as without them."""
    source = random.Random(4)
    ends = [source.uniform(20 * 60, 40 * 60) for _ in range(good + unknown)]
    ids = [service.add(end) for end in ends]
    service.unknown, service.others = set(source.sample(ids, unknown)), others
    lags = []

    async def wait(backup_id: str) -> None:
        await service.wait(backup_id, WaitSchedule())
        lags.append(service.clock.now() - service.ends[backup_id])

    results = await asyncio.gather(*(wait(one) for one in ids), return_exceptions=True)

    ended = {one for one, end in zip(ids, results, strict=True) if end is not None}
    assert service.unknown == ended
    # The minimum delay of a crowd is ten seconds.
    assert max(lags) <= 10
    # Without the unknown ones there are about 460 calls per thousand.
    assert len(service.calls) + len(service.pages) < 500 * good / 1000 + 500


async def test_calls_for_unknown_ids_are_spaced_without_a_listing(service: Service) -> None:
    """Where the Region cannot be listed, each is described alone, five per second."""
    ids = [service.add(HOUR) for _ in range(50)]
    service.unknown = set(ids)
    service.listing_errors = [AccessDenied("no") for _ in range(100)]
    results = await service.results(ids)

    assert {BackupNotFound} == {type(result) for result in results}
    assert [1] * 50 == [len(call) for call in service.calls[-50:]]
    # A listing that failed is not tried again for as few ids.
    assert len(service.pages) <= 2
    _check_rate(service)


async def test_unknown_ids_end_in_time_where_the_rate_holds_them_back(service: Service) -> None:
    """A wait ends without its last poll where that would be too late."""
    ids = [service.add(HOUR) for _ in range(500)]
    service.unknown = set(ids)
    service.listing_errors = [AccessDenied("no") for _ in range(100)]
    results = await service.results(ids, WaitSchedule(not_found_grace=60), max_wait=60)

    assert {WaitTimeout} == {type(result) for result in results}
    assert 60 <= service.clock.now() <= 60 + CALL_GRACE + 1
    assert {60 + CALL_GRACE} >= {
        result.elapsed
        for result in results
        if isinstance(result, WaitTimeout) and not result.polls
    }
    _check_rate(service)


async def test_waits_that_are_held_back_end_in_time_beside_others(service: Service) -> None:
    """Other waits that sleep for long do not delay the end of one that is held back."""
    good = [service.add(HOUR) for _ in range(3)]
    ids = [service.add(HOUR) for _ in range(500)]
    service.unknown = set(ids)
    service.listing_errors = [AccessDenied("no") for _ in range(100)]
    long = WaitSchedule(min_delay=600, max_delay=600)
    ends: list[float] = []

    async def note(backup_id: str) -> None:
        with pytest.raises(WaitTimeout):
            await service.wait(backup_id, EVERY_TEN, 5)
        ends.append(service.clock.now())

    waits = asyncio.gather(*(service.wait(one, long) for one in good))
    await asyncio.sleep(0)
    await asyncio.gather(*(note(one) for one in ids))
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)

    assert 5 + CALL_GRACE == max(ends)


async def test_a_listing_that_is_too_long_is_given_up(service: Service) -> None:
    """An id that is not on the first pages is described alone."""
    ids = [service.add(100.0) for _ in range(50)]
    service.others = 10_000
    service.unknown = {ids[3]}
    await service.results(ids)
    # As many pages as halving takes calls, and no listing again for so few.
    assert [0.0] * 12 == service.pages


async def test_a_listing_that_shows_all_ends_there(service: Service) -> None:
    """As soon as all ids were found, no more pages are read."""
    ids = [service.add(100.0) for _ in range(50)]
    for _ in range(1000):
        service.add(HOUR)
    service.errors = [BackupNotFound("not yet")]
    await service.wait_for(ids)
    assert 1 == len(service.pages)


async def test_a_listing_that_is_throttled_is_a_poll_that_failed(service: Service) -> None:
    """All survive a transient error of the listing, and their schedules space the next."""
    ids = [service.add(100.0) for _ in range(50)]
    service.unknown = set(ids[:20])
    service.listing_errors = [Throttled("slow down")]
    results = await service.results(ids)
    assert [BackupNotFound] * 20 + [Backup] * 30 == [type(result) for result in results]
    assert [0.0, 10.0] == service.pages[:2]


@pytest.mark.parametrize("is_own", [True, False], ids=["awaited", "another"])
async def test_a_listing_with_an_unreadable_backup_shows_the_others(
    service: Service, is_own: bool
) -> None:
    """The waits for all others are answered by it, and one for that backup ends alone."""
    ids = [service.add(100.0) for _ in range(50)]
    service.unknown = set(ids[:20])
    service.unreadable = ids[30] if is_own else service.add(HOUR)
    results = await service.results(ids)

    expected: list[type] = [BackupNotFound] * 20 + [Backup] * 30
    if is_own:
        expected[30] = ResponseDecodingError
    else:
        # No id is ever described alone: one unknown id is as absent as it was.
        assert set() == {call for call in service.calls if len(call) == 1}
    assert expected == [type(result) for result in results]
    _check_rate(service)


async def test_an_unreadable_backup_without_an_id_may_be_any(service: Service) -> None:
    """Then a listing shows no absence, and what it lacks is described by its ID."""
    ids = [service.add(100.0) for _ in range(50)]
    service.unknown, service.is_nameless = set(ids[:20]), True
    results = await service.results(ids)
    assert [BackupNotFound] * 20 + [Backup] * 30 == [type(result) for result in results]
    assert 20 == len({call for call in service.calls if len(call) == 1})
    _check_rate(service)


async def test_few_unknown_ids_need_no_listing(service: Service) -> None:
    """Up to eight are described by their ids."""
    ids = [service.add(100.0) for _ in range(8)]
    service.unknown = set(ids)
    await service.results(ids)
    assert [] == service.pages


@attrs.define
class CoarseClock:
    """A clock that shows time in steps, and wakes sleepers a little early."""

    step: float
    early: float
    time: float = 0.0
    sleeps: int = 0

    def now(self) -> float:
        return self.time // self.step * self.step

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        await asyncio.sleep(0)
        self.time += max(0.0, seconds - self.early)


@pytest.mark.parametrize("step", [0.0156, 1.0])
@pytest.mark.parametrize("early", [0.0, 0.001, 0.5])
async def test_a_coarse_clock_does_not_make_a_wait_spin(step: float, early: float) -> None:
    """A wait is due once it slept until its time, whatever the clock shows."""
    clock = CoarseClock(step, early)
    service = Service(clock)
    with pytest.raises(WaitTimeout) as caught:
        await service.wait(service.add(math.inf), EVERY_TEN, 600)

    assert (61, 60) == (len(service.calls), clock.sleeps)
    assert pytest.approx(600, abs=step) == caught.value.elapsed
    # The early wake-ups do not add up.
    assert abs(clock.time - 600) <= step + early


async def test_unrequested_backups_in_an_answer_are_ignored(service: Service) -> None:
    """An answer may contain backups that were not requested; each wait takes its own."""
    ids = [service.add(100.0) for _ in range(3)]
    service.unrequested = [service.add(1.0), ids[2]]
    await service.wait_for(ids[:2])
    assert 11 == len(service.calls)


async def test_a_backup_that_appears_shares_calls_again(service: Service) -> None:
    """One that was unknown is polled alone until it is found, and with the others afterwards."""
    ids = [service.add(100.0) for _ in range(3)]
    service.unknown.add(ids[1])

    async def watch_first() -> None:
        async for _ in service.coordinator.watch(ids[0], HOUR, EVERY_TEN):
            if service.clock.now() >= 30:
                service.unknown.clear()

    await asyncio.gather(watch_first(), *(service.wait(one) for one in ids[1:]))

    timed = list(zip(service.times, service.calls, strict=True))
    assert {(ids[1],), (ids[0], ids[2])} == {tuple(sorted(c)) for at, c in timed if 0 < at < 30}
    assert {3} == {len(call) for at, call in timed if at > 40}


async def test_all_waits_survive_a_transient_error(service: Service) -> None:
    """A throttled call is a failed poll of all its waits, and all continue."""
    service.errors = [Throttled("slow down")]
    await service.wait_for([service.add(100.0) for _ in range(5)])


@pytest.mark.parametrize("waits", [1, 5, 50])
async def test_failures_grow_further_apart(service: Service, waits: int) -> None:
    """The number of failures in a row spaces the polls of many waits like those of one."""
    ids = [service.add(2 * HOUR) for _ in range(waits)]
    service.errors = [Throttled("slow down") for _ in range(1000)]
    schedule = WaitSchedule(min_delay=5, max_delay=120)
    results = await service.results(ids, schedule)

    assert len(service.calls) < 80
    for result in results:
        assert isinstance(result, WaitTimeout)
        assert isinstance(result.__cause__, Throttled)


async def test_failures_are_spaced_by_themselves(service: Service, clock: ManualClock) -> None:
    """Earlier polls and progress do not count while polls fail; afterwards they do again."""
    schedule = WaitSchedule(min_delay=10, max_delay=80)
    backup_id = service.add(clock.now() + 1000.0)
    polls = 0
    coordinator = PollCoordinator(service.describe, service.list_page, clock, lambda: 1.0)
    async for _ in coordinator.watch(backup_id, HOUR, schedule):
        polls += 1
        if polls == 3:
            service.errors = [Throttled("slow down") for _ in range(3)]
            failing_since = len(service.times)

    times = service.times[failing_since - 1 :]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    # The first gap was set by the poll before; then come those of one, two, three failures.
    assert [10.0, 20.0, 40.0] == gaps[1:4]
    assert 40.0 != gaps[4] != 80.0


async def test_a_permanent_error_ends_each_wait_with_its_own_copy(service: Service) -> None:
    """The note on each copy has the backup of its wait."""
    ids = [service.add(100.0) for _ in range(3)]
    service.errors = [AccessDenied("no") for _ in range(3)]
    results = await service.results(ids)
    notes = [getattr(one, "__notes__", None) for one in results]
    assert [[f"while waiting for {one}: poll 1, after 0 s"] for one in ids] == notes


EVERY_STEP = range(40)
"""Rounds of the event loop, more than a wait of some polls takes."""


@pytest.mark.parametrize("victim", [0, 2, 4])
@pytest.mark.parametrize("step", EVERY_STEP)
async def test_cancelling_one_leaves_the_others(service: Service, victim: int, step: int) -> None:
    """Whenever one of five is cancelled, asleep or in a call, the other four succeed."""
    ids = [service.add(100.0 + number) for number in range(5)]
    tasks = [asyncio.create_task(service.wait(one)) for one in ids]
    for _ in range(step):
        await asyncio.sleep(0)
    tasks[victim].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    for number, result in enumerate(results):
        if number != victim:
            assert isinstance(result, Backup)
            assert BackupLifecycle.AVAILABLE is result.lifecycle
        else:
            assert isinstance(result, asyncio.CancelledError | Backup)


@pytest.mark.parametrize("step", EVERY_STEP)
async def test_closing_ends_all(service: Service, step: int) -> None:
    """Whenever the client is closed, asleep or in a call, every wait ends at once."""
    ids = [service.add(HOUR / 2 + number) for number in range(5)]
    tasks = [asyncio.create_task(service.wait(one)) for one in ids]
    for _ in range(step):
        await asyncio.sleep(0)
    before = service.clock.now(), len(service.calls)
    service.coordinator.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [ClientNotOpen] * 5 == [type(result) for result in results]
    assert before == (service.clock.now(), len(service.calls))


@pytest.mark.parametrize("victim", [0, 7, 19])
@pytest.mark.parametrize("step", EVERY_STEP)
async def test_cancelling_one_of_a_listing(service: Service, victim: int, step: int) -> None:
    """The wait that reads the listing for the others can be cancelled like any other."""
    ids = [service.add(100.0) for _ in range(20)]
    service.unknown = set(ids[8:])
    tasks = [
        asyncio.create_task(service.wait(one, EVERY_TEN, HOUR + number % 7))
        for number, one in enumerate(ids)
    ]
    for _ in range(step):
        await asyncio.sleep(0)
    tasks[victim].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    del results[victim]
    expected: list[type] = [Backup] * 8 + [BackupNotFound] * 12
    del expected[victim]
    assert expected == [type(result) for result in results]
    assert service.pages


async def test_a_call_that_hangs_does_not_delay_the_others(service: Service) -> None:
    """While one call hangs, the waits that are not in it continue."""
    stuck = service.add(HOUR)
    service.held = asyncio.Event()
    slow = asyncio.create_task(service.wait(stuck))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    held, service.held = service.held, None
    backup = await service.wait(service.add(50.0))

    assert BackupLifecycle.AVAILABLE is backup.lifecycle
    assert not slow.done()
    held.set()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_a_slow_consumer_is_polled_at_once_when_it_returns(
    service: Service, clock: ManualClock
) -> None:
    """A consumer that takes longer than the delay gets the next observation at once."""
    backup_id = service.add(500.0)
    seen: list[float] = []
    async for _ in service.coordinator.watch(backup_id, HOUR, EVERY_TEN):
        seen.append(clock.now())
        clock.advance(100)
    assert [0.0, 100.0, 200.0] == seen[:3]

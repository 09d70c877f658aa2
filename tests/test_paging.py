"""Pages become one stream, and the next one is fetched while one is consumed."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

import anyio
import anyio.lowlevel
import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from fsxcopy_sdk import (
    Backup,
    BackupLifecycle,
    BackupType,
    DescribeBackupsResponse,
    FsxCopyClient,
    PaginationError,
    ResponseMetadata,
    Throttled,
)
from fsxcopy_sdk._paging import Fetch, every_backup
from fsxcopy_sdk.testing import LocalFsx

METADATA = ResponseMetadata(request_id="r", http_status=200, attempts=1)

_Main: TypeAlias = Callable[[], Coroutine[object, object, None]]


def _backup(number: int) -> Backup:
    return Backup(
        backup_id=f"backup-{number:08x}",
        lifecycle=BackupLifecycle.AVAILABLE,
        type=BackupType.USER_INITIATED,
        creation_time=datetime(2026, 1, 1, tzinfo=UTC),
    )


@attrs.define
class Pages:
    """A listing of *count* pages of *size* backups, whose calls can be held up or fail."""

    size: int
    count: int
    fails: Exception | None = None
    """What is wrong with all pages but the first."""
    held: anyio.Event | None = None
    """What all pages but the first wait for."""
    asked: list[int] = attrs.field(factory=list)
    answered: list[int] = attrs.field(factory=list)
    ended: list[int] = attrs.field(factory=list)

    async def fetch(self, request: Mapping[str, object]) -> DescribeBackupsResponse:
        page = _page_of(request)
        self.asked.append(page)
        try:
            await anyio.lowlevel.checkpoint()
            if page and self.held:
                await self.held.wait()
            if page and self.fails:
                raise self.fails
            self.answered.append(page)
        finally:
            self.ended.append(page)
        backups = tuple(_backup(page * self.size + number) for number in range(self.size))
        following = str(page + 1) if page + 1 < self.count else None
        return DescribeBackupsResponse(backups=backups, next_token=following, metadata=METADATA)


async def _settle() -> None:
    for _ in range(10):
        await anyio.lowlevel.checkpoint()


async def _ids(backups: AsyncIterator[Backup], found: list[str] | None = None) -> list[str]:
    """Return the ids of all backups; *found* has those before an error."""
    found = [] if found is None else found
    async for backup in backups:
        found.append(backup.backup_id)
    return found


def _page_of(request: Mapping[str, object]) -> int:
    return int(str(request.get("NextToken", "0")))


def _on_asyncio(main: _Main) -> None:
    async def checked() -> None:
        await main()
        await _settle()
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(checked())


Run: TypeAlias = Callable[[_Main], None]
on_each_loop = pytest.mark.parametrize("run", [_on_asyncio, trio.run], ids=["asyncio", "trio"])


def on_every_loop(test: _Main) -> Callable[[Run], None]:
    """Run a test on asyncio, where it must leave no task behind, and on trio."""

    @on_each_loop
    def on_a_loop(run: Run) -> None:
        run(test)

    return on_a_loop


on_demand = partial(every_backup, ahead=False, region=lambda: None)
ahead = partial(every_backup, ahead=True, region=lambda: None)
every_way = pytest.mark.parametrize("backups_of", [on_demand, ahead], ids=["on demand", "ahead"])
Stream: TypeAlias = Callable[[Fetch, "Mapping[str, object]"], AsyncGenerator[Backup, None]]


@on_each_loop
@every_way
def test_every_backup_comes_once_and_in_order(run: Run, backups_of: Stream) -> None:
    """Pages are asked for one after the other, each once, and the request is left alone."""
    pages = Pages(size=3, count=4)
    request: Mapping[str, object] = {"MaxResults": 3}

    async def main() -> None:
        found = await _ids(backups_of(pages.fetch, request))
        assert [f"backup-{number:08x}" for number in range(12)] == found

    run(main)

    assert [0, 1, 2, 3] == pages.asked
    assert {"MaxResults": 3} == request


@on_every_loop
async def test_the_next_page_comes_while_one_is_consumed() -> None:
    """With the first backup in hand the second page is fetched, but not the third."""
    pages = Pages(size=2, count=3)
    async with aclosing(ahead(pages.fetch, {})) as backups:
        await anext(backups)
        await _settle()
        assert ([0, 1], [0, 1]) == (pages.asked, pages.answered)


async def test_the_service_sees_the_next_request_early(
    client: FsxCopyClient, fsx: LocalFsx
) -> None:
    """Over HTTP too the second page is asked for before the first is consumed."""
    for _ in range(6):
        fsx.add_backup("us-west-2")
    async with aclosing(client.iter_backups(max_results=2)) as backups:
        await anext(backups)
        with anyio.fail_after(5):
            while fsx.calls["DescribeBackups"] < 2:
                await anyio.lowlevel.checkpoint()
        assert 5 == len(await _ids(backups))

    assert 3 == fsx.calls["DescribeBackups"]


@on_every_loop
async def test_no_page_is_fetched_ahead_on_demand() -> None:
    """On demand, as for waits, the second page is fetched when it is needed."""
    pages = Pages(size=1, count=2)
    async with aclosing(on_demand(pages.fetch, {})) as backups:
        await anext(backups)
        await _settle()
        assert [0] == pages.asked


@on_every_loop
async def test_an_error_is_raised_when_its_page_is_reached() -> None:
    """The backups of the page before come first, then the error, once and as it was."""
    error = Throttled("slow down")
    pages = Pages(size=2, count=3, fails=error)
    found: list[str] = []

    backups = ahead(pages.fetch, {})
    with pytest.raises(Throttled) as caught:
        async for backup in backups:
            await _settle()
            found.append(backup.backup_id)
    assert error is caught.value
    assert [] == await _ids(backups)

    assert ["backup-00000000", "backup-00000001"] == found
    assert [0, 1] == pages.asked


@on_every_loop
async def test_an_error_of_a_page_that_is_not_reached_is_not_raised() -> None:
    """A consumer that stops early gets no error of the page after."""
    pages = Pages(size=2, count=2, fails=Throttled("slow down"))
    async with aclosing(ahead(pages.fetch, {})) as backups:
        await anext(backups)
        await _settle()
    assert [0, 1] == pages.ended


@on_each_loop
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "not yet begun"])
def test_closing_early_ends_the_call_in_progress(run: Run, begun: bool) -> None:
    """When the iterator is closed, the call has ended, whether it had begun or not."""
    pages = Pages(size=2, count=2)

    async def main() -> None:
        pages.held = anyio.Event()
        backups = ahead(pages.fetch, {})
        await anext(backups)
        if begun:
            await _settle()
        with anyio.fail_after(5):
            await backups.aclose()
        assert pages.asked == pages.ended
        assert [0] == pages.answered

    run(main)


@on_every_loop
async def test_a_timeout_in_the_loop_is_the_users() -> None:
    """A cancel scope around the loop ends the wait for a page, and its call too."""
    pages = Pages(size=1, count=2, held=anyio.Event())
    with anyio.CancelScope() as scope:
        async with aclosing(ahead(pages.fetch, {})) as backups:
            async for _ in backups:
                await _settle()
                scope.deadline = anyio.current_time()
    assert scope.cancelled_caught
    assert [0, 1] == pages.ended


@on_every_loop
async def test_a_scope_in_the_loop_is_the_users() -> None:
    """What a consumer cancels between two backups is its own code, not a page."""
    pages = Pages(size=2, count=2)
    found: list[str] = []

    async for backup in ahead(pages.fetch, {}):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.sleep_forever()
        found.append(backup.backup_id)

    assert 4 == len(found)


def test_an_iterator_that_is_dropped_ends_its_call() -> None:
    """A loop left without closing the iterator leaves no task behind."""
    pages = Pages(size=2, count=2)

    async def main() -> None:
        pages.held = anyio.Event()
        async for _ in ahead(pages.fetch, {}):
            await _settle()
            break
        gc.collect()

    _on_asyncio(main)

    assert [0, 1] == pages.ended


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
async def test_the_client_may_be_closed_first(
    fsx: LocalFsx, client: FsxCopyClient, is_open: bool
) -> None:
    """An iterator that outlives its client ends with an error or early, and quietly."""
    for _ in range(4):
        fsx.add_backup("us-west-2")
    backups = client.iter_backups(max_results=2)
    await anext(backups)

    await client.__aexit__()

    if is_open:
        await anext(backups)
    await backups.aclose()


def test_a_page_whose_task_was_cancelled_is_fetched_again() -> None:
    """Cancelling all tasks but the consumer's does not cancel the consumer."""
    pages = Pages(size=1, count=2)

    async def main() -> None:
        pages.held = anyio.Event()
        async with aclosing(ahead(pages.fetch, {})) as backups:
            await anext(backups)
            await _settle()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await _settle()
            pages.held.set()
            assert "backup-00000001" == (await anext(backups)).backup_id

    _on_asyncio(main)

    assert [0, 1, 1] == pages.asked


@on_every_loop
async def test_a_page_is_fetched_in_the_consumers_context() -> None:
    """What a consumer keeps in context variables, a trace say, holds for every call."""
    trace: ContextVar[str] = ContextVar("trace", default="none")
    pages = Pages(size=1, count=2)
    traces: list[str] = []

    async def fetch(request: Mapping[str, object]) -> DescribeBackupsResponse:
        traces.append(trace.get())
        return await pages.fetch(request)

    trace.set("the consumer's")
    assert 2 == len(await _ids(ahead(fetch, {})))

    assert ["the consumer's"] * 2 == traces


@every_way
async def test_a_listing_without_an_end_is_noticed(backups_of: Stream) -> None:
    """A token that was seen before is an error, after the page that has it."""
    found: list[str] = []

    async def fetch(request: Mapping[str, object]) -> DescribeBackupsResponse:
        page = _page_of(request)
        token = {0: "1", 1: "2", 2: "1"}[page]
        return DescribeBackupsResponse(
            backups=(_backup(page),), next_token=token, metadata=METADATA
        )

    with pytest.raises(PaginationError) as caught:
        await _ids(backups_of(fetch, {}), found)

    assert ["backup-00000000", "backup-00000001", "backup-00000002"] == found
    assert "1" == caught.value.next_token


@every_way
@given(before=st.integers(0, 12), circle=st.integers(1, 12))
def test_a_circle_of_any_length_is_noticed(backups_of: Stream, before: int, circle: int) -> None:
    """However late it begins and however long it is, it is walked three times at most."""
    pages = Pages(size=1, count=1)

    async def fetch(request: Mapping[str, object]) -> DescribeBackupsResponse:
        page = await pages.fetch({})
        number = _page_of(request) + 1
        token = str(number if number < before + circle else before)
        return attrs.evolve(page, next_token=token)

    async def main() -> None:
        with pytest.raises(PaginationError):
            await _ids(backups_of(fetch, {}))

    asyncio.run(main())

    assert len(pages.asked) <= before + 3 * (before + circle) + 1


@attrs.define
class Endless:
    """A listing of ever new tokens, whose pages have the backups that *numbers* says."""

    numbers: Callable[[int], list[int]]
    length: int | None = None
    """How many pages there are; None for no end."""
    asked: int = 0

    async def fetch(self, request: Mapping[str, object]) -> DescribeBackupsResponse:
        page = _page_of(request)
        assert page == self.asked
        self.asked += 1
        return DescribeBackupsResponse(
            backups=tuple(map(_backup, self.numbers(page))),
            next_token=None if self.asked == self.length else str(self.asked),
            metadata=METADATA,
        )


@every_way
async def test_a_listing_of_empty_pages_ends(backups_of: Stream) -> None:
    """A hundred pages without backups in a row are an error, ever new tokens or not."""
    pages = Endless(lambda page: [7] if page == 3 else [])
    found: list[str] = []

    with pytest.raises(PaginationError, match="100 pages in a row have no backups") as caught:
        await _ids(backups_of(pages.fetch, {}), found)

    assert ["backup-00000007"] == found
    assert 104 == pages.asked
    assert "104" == caught.value.next_token


@every_way
async def test_a_listing_may_have_many_empty_pages(backups_of: Stream) -> None:
    """Empty pages are no error while backups come between them, or where they end."""
    pages = Endless(lambda page: [] if (page + 1) % 100 else [page], length=1000)
    last = Endless(lambda _: [], length=100)
    assert 10 == len(await _ids(backups_of(pages.fetch, {})))
    assert [] == await _ids(backups_of(last.fetch, {}))
    assert (1000, 100) == (pages.asked, last.asked)


@every_way
async def test_a_listing_of_one_page_again_and_again_ends(backups_of: Stream) -> None:
    """The backups of a page that come ten times again are an error, in whatever order."""
    pages = Endless(lambda page: [1, 2] if page % 2 else [2, 1])
    found: list[str] = []
    with pytest.raises(PaginationError, match="the same backups have come 10 times again"):
        await _ids(backups_of(pages.fetch, {}), found)
    assert (11, 22) == (pages.asked, len(found))


@every_way
async def test_a_page_may_come_again(backups_of: Stream) -> None:
    """Backups that are created meanwhile may shift pages; that is no error."""
    pages = Endless(lambda page: [page // 3], length=3000)
    assert 3000 == len(await _ids(backups_of(pages.fetch, {})))


@every_way
@settings(deadline=None)  # a busy machine is no failure
@given(before=st.integers(0, 12), circle=st.lists(st.booleans(), min_size=1, max_size=12))
def test_a_circle_under_new_tokens_ends(
    backups_of: Stream, before: int, circle: list[bool]
) -> None:
    """However late it begins, however long it is, and whichever of its pages are empty."""

    def numbers(page: int) -> list[int]:
        place = (page - before) % len(circle)
        is_full = page < before or circle[place]
        return [page if page < before else before + place] if is_full else []

    pages = Endless(numbers)

    async def main() -> None:
        with pytest.raises(PaginationError):
            await _ids(backups_of(pages.fetch, {}))

    asyncio.run(main())

    assert pages.asked <= before + 3 * (before + len(circle)) + 40 * len(circle) + 100


@every_way
async def test_ids_take_no_more_pages_than_there_are(backups_of: Stream) -> None:
    """Each id may come on a page of its own; a page more with backups is an error."""
    ids = [_backup(number).backup_id for number in range(3)]
    request: Mapping[str, object] = {"BackupIds": ids}
    pages, endless = Endless(lambda page: [page], length=3), Endless(lambda page: [page])

    assert ids == await _ids(backups_of(pages.fetch, request))
    with pytest.raises(PaginationError, match="more pages than backups were asked for"):
        await _ids(backups_of(endless.fetch, request))
    assert 4 == endless.asked


@every_way
async def test_ids_may_come_after_empty_pages(backups_of: Stream) -> None:
    """A page without backups is none of those that the ids take, and may follow the last."""
    wanted = [_backup(3).backup_id]
    pages = Endless(lambda page: [page] if page == 3 else [], length=5)
    assert wanted == await _ids(backups_of(pages.fetch, {"BackupIds": wanted}))
    assert 5 == pages.asked


@every_way
async def test_ids_that_never_come_end_the_listing(backups_of: Stream) -> None:
    """Empty pages of ever new tokens end for ids as they do for all backups."""
    pages = Endless(lambda _: [])
    with pytest.raises(PaginationError, match="no backups"):
        await _ids(backups_of(pages.fetch, {"BackupIds": ["backup-0"]}))
    assert 100 == pages.asked


async def _peak(count: int) -> int:
    """Return how many bytes are held at most while *count* pages are consumed."""
    pages = Pages(size=100, count=count)

    async def fetch(request: Mapping[str, object]) -> DescribeBackupsResponse:
        page = await pages.fetch(request)
        for kept in (pages.asked, pages.answered, pages.ended):
            kept.clear()
        return page

    gc.collect()
    tracemalloc.start()
    try:
        async for _ in ahead(fetch, {}):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_memory_does_not_grow_with_the_listing() -> None:
    """Twenty thousand backups take no more memory than two thousand."""
    await _peak(3)  # what is made once
    few, many = await _peak(20), await _peak(200)
    assert many < few * 1.25  # ten times as many backups; the rest is chance

"""
What the tests of many copies share: a clock that waits for calls, and two transports.

A clock that advances by itself knows nothing of calls: it lets time pass while a call is
in progress. So `driven` moves a manual one, from wake-up to wake-up, only while no call
is in progress and after the receivers of answers could act on them. Calls then take no
time, and the duration of a run is its own. Should time move too early all the same, a run
only seems longer than it is, because copies end by the clock.

`Counting` goes over HTTP; `Direct` hands requests to a local FSx of the same
process, so that every step can be counted and repeated, under asyncio and under trio.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias, TypeVar

import anyio
import anyio.lowlevel
import attrs
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from fsxcopy_sdk import ConnectionFailed, FsxCopyClient, FsxCopyError, RawResponse, Transport
from fsxcopy_sdk._error_mapping import read_error, service_error
from fsxcopy_sdk._transport import open_transport
from fsxcopy_sdk.bulk import BulkCopy, CopyOutcome
from fsxcopy_sdk.models import ResponseMetadata
from fsxcopy_sdk.testing import LocalFsx, ManualClock

WEST = "us-west-2"

_Result = TypeVar("_Result")

_ROUNDS = 25
"""Of the event loop, more than an answer takes from the socket to the next sleep."""


def list_schedule(durations: Iterable[float], slots: int) -> float:
    """Return the shortest time in which copies that start in this order can all be over."""
    free = [0.0] * slots
    for duration in durations:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


class Traffic:
    """The calls in progress."""

    def __init__(self) -> None:
        self.under_way = self.begun = 0
        self._quiet: anyio.Event | None = None

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a call while it lasts."""
        self.under_way += 1
        self.begun += 1
        try:
            yield
        finally:
            self.under_way -= 1
            if self._quiet is not None and not self.under_way:
                self._quiet.set()

    async def quiet(self) -> None:
        """Return when no call is in progress."""
        if self.under_way:
            self._quiet = anyio.Event()
            await self._quiet.wait()


@attrs.frozen
class Counting:
    """A transport that counts the calls of another one in progress."""

    inner: Transport
    traffic: Traffic = attrs.field(factory=Traffic)

    @property
    def region(self) -> str:
        return self.inner.region

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        with self.traffic.one():
            return await self.inner.copy_backup(request)

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        with self.traffic.one():
            return await self.inner.describe_backups(request)

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        with self.traffic.one():
            return await self.inner.delete_backup(request)


@asynccontextmanager
async def counting_client(
    fsx: LocalFsx, clock: ManualClock, access_key: str = "AKIA"
) -> AsyncIterator[tuple[FsxCopyClient, Traffic]]:
    """Open a client of us-west-2 that sends each request once, and return its traffic too."""
    session = AioSession()
    session.set_credentials(access_key, "secret")
    config = AioConfig(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
    async with open_transport(WEST, session, fsx.endpoint_url, config) as inner:
        counting = Counting(inner)
        yield FsxCopyClient(transport=counting, clock=clock), counting.traffic


async def outcomes_of(copies: BulkCopy) -> tuple[CopyOutcome, ...]:
    """Carry out *copies*, and return the outcomes as they came."""
    async with copies:
        return tuple([outcome async for outcome in copies])


def live_copies(fsx: LocalFsx) -> Counter[object]:
    """Count the copies in us-west-2 that are not dead, by their source."""
    return Counter(
        one["SourceBackupId"]
        for one in fsx.backups(WEST)
        if "SourceBackupId" in one and one["Lifecycle"] not in {"FAILED", "DELETED"}
    )


async def driven(
    clock: ManualClock, traffic: Traffic, work: Callable[[], Awaitable[_Result]]
) -> _Result:
    """Return what *work* does, and move the clock whenever it has nothing to do but sleep."""
    results: list[_Result] = []
    errors: list[Exception] = []

    async def do() -> None:
        try:
            results.append(await work())
        except Exception as error:  # noqa: BLE001 - raised again, outside of the group
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(do)
        while not (results or errors):
            await traffic.quiet()
            begun = traffic.begun
            for _ in range(_ROUNDS):
                await anyio.lowlevel.checkpoint()
            # Of calls that follow each other, none may be under way just now.
            if not traffic.under_way and begun == traffic.begun and clock.next_wake_up is not None:
                clock.advance(max(0.0, clock.next_wake_up - clock.now()))
    for error in errors:
        raise error
    return results[0]


Meet: TypeAlias = Callable[[str], FsxCopyError | None]


def _nothing(_: str) -> None:
    """Give no call an error."""


@attrs.define
class Meeting:
    """Give the calls of CopyBackup these errors in turn; None is no error."""

    errors: Sequence[FsxCopyError | None]

    def __call__(self, operation: str) -> FsxCopyError | None:
        if operation != "CopyBackup" or not self.errors:
            return None
        error, *self.errors = self.errors
        return error


def unsent() -> ConnectionFailed:
    """Return the error of a request that was certainly not sent."""
    error = ConnectionFailed("refused")
    error.may_have_been_sent = False
    return error


class Direct:
    """
    A transport into a local FSx of the same process, which need not serve.

    A call takes one step there and one back, and may be cancelled at both.
    """

    def __init__(self, fsx: LocalFsx, region: str, clock: ManualClock | None = None) -> None:
        self.region = region
        self.traffic = Traffic()
        self._fsx = fsx
        self._clock = clock
        self.way_back = 0.0
        """How many seconds of *clock* each answer to CopyBackup takes to arrive."""
        self.refuse: Meet = _nothing
        """The error that a call of an operation gets instead of being carried out."""
        self.lose: Meet = _nothing
        """The error that it gets instead of its answer, after it was carried out."""
        self.refused_pages: FsxCopyError | None = None
        """The error that all pages of listings get but the first."""
        self.listings_are_empty = False
        """Whether DescribeBackups without IDs shows nothing."""
        self.empty_listings = 0
        """How many of the next listings show nothing."""

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        return await self._call("CopyBackup", request)

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        return await self._call("DescribeBackups", request)

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        return await self._call("DeleteBackup", request)

    async def _call(self, operation: str, request: Mapping[str, object]) -> RawResponse:
        await self._step()
        if refused := self.refuse(operation):
            raise refused
        if self.refused_pages and "NextToken" in request:
            raise self.refused_pages
        status, body = self._fsx.call(self.region, operation, request)
        if operation == "CopyBackup" and self._clock is not None:
            await self._clock.sleep(self.way_back)
        await self._step()
        if lost := self.lose(operation):
            raise lost
        metadata = ResponseMetadata(http_status=status)
        is_listing = operation == "DescribeBackups" and "BackupIds" not in request
        if is_listing and (self.listings_are_empty or self.empty_listings):
            self.empty_listings = max(0, self.empty_listings - 1)
            return RawResponse(operation=operation, payload=b'{"Backups":[]}', metadata=metadata)
        if status != 200:
            document = read_error(status, {}, body)
            raise service_error(document, operation=operation, metadata=metadata, body=body)
        return RawResponse(operation=operation, payload=body, metadata=metadata)

    async def _step(self) -> None:
        with self.traffic.one():
            await anyio.lowlevel.checkpoint()


def direct_client(fsx: LocalFsx, clock: ManualClock) -> tuple[FsxCopyClient, Direct]:
    """Make an open client of us-west-2 that needs no socket, and return its transport too."""
    direct = Direct(fsx, WEST, clock)
    return FsxCopyClient(transport=direct, clock=clock), direct

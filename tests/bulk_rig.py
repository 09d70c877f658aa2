"""
What the tests of many copies stand on: a clock that moves past no call, ways to the FSx.

A clock that moves by itself knows nothing of calls: it lets time pass while an answer is
on its way. So `driven` moves a held one, from wake-up to wake-up, only while no call is
under way and after whoever got an answer has had the chance to act on it. Calls then
take no time, and what a run takes is its own doing. Should time move too early all the
same, a run only looks worse than it is, since copies end by the clock.

`CountingClient` goes over HTTP; `Direct` hands requests to a local FSx of the same
process, so that every step can be counted and repeated, under asyncio and under trio.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar, cast

import anyio
import anyio.lowlevel
import attrs
import orjson
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from fsxcopy_sdk import CopyBackupResponse, DescribeBackupsResponse, FsxCopyClient, FsxCopyError
from fsxcopy_sdk._convert import Answer
from fsxcopy_sdk._faults import read_error, service_error
from fsxcopy_sdk._transport import Transport
from fsxcopy_sdk.models import ResponseMetadata
from fsxcopy_sdk.testing import DEFAULT_ACCOUNT, LocalFsx, ManualClock, RecordedRequest
from fsxcopy_sdk.testing._documents import AccountRegion

WEST = "us-west-2"

_Result = TypeVar("_Result")

_ROUNDS = 10
"""Of the event loop, more than an answer takes from the socket to the next sleep."""


def list_schedule(durations: Iterable[float], slots: int) -> float:
    """
    Return the shortest time in which copies that start in this order can all be over.
    """
    free = [0.0] * slots
    for duration in durations:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


class Traffic:
    """
    The calls that are under way.
    """

    def __init__(self) -> None:
        self.under_way = 0
        self._quiet: anyio.Event | None = None

    @contextmanager
    def one(self) -> Iterator[None]:
        """
        Count a call while it lasts.
        """
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            if self._quiet is not None and not self.under_way:
                self._quiet.set()

    async def quiet(self) -> None:
        """
        Return when no call is under way.
        """
        if self.under_way:
            self._quiet = anyio.Event()
            await self._quiet.wait()


class CountingClient(FsxCopyClient):
    """
    A client that is what it is, and counts its calls that are under way.
    """

    traffic: Traffic

    async def copy_backup(self, *args: Any, **options: Any) -> CopyBackupResponse:
        with self.traffic.one():
            return await super().copy_backup(*args, **options)

    async def _page(self, request: Any) -> DescribeBackupsResponse:
        with self.traffic.one():
            return await super()._page(request)


def counting_client(fsx: LocalFsx, clock: ManualClock, access_key: str = "AKIA") -> CountingClient:
    """
    Make a client of us-west-2 that sends each request once.
    """
    session = AioSession()
    session.set_credentials(access_key, "secret")
    config = AioConfig(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
    client = CountingClient(
        WEST, session=session, endpoint_url=fsx.endpoint_url, config=config, clock=clock
    )
    client.traffic = Traffic()
    return client


async def driven(
    clock: ManualClock, traffic: Traffic, work: Callable[[], Awaitable[_Result]]
) -> _Result:
    """
    Return what *work* does, and move the clock whenever it has nothing to do but sleep.
    """
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
            for _ in range(_ROUNDS):
                await anyio.lowlevel.checkpoint()
            if not traffic.under_way and clock.next_wake_up is not None:
                clock.advance(max(0.0, clock.next_wake_up - clock.now()))
    for error in errors:
        raise error
    return results[0]


Meet: TypeAlias = Callable[[str], FsxCopyError | None]


def _nothing(_: str) -> None:
    """
    Let every call be.
    """


@attrs.define
class Meeting:
    """
    Let the calls of CopyBackup meet some errors, first to last; None is none.
    """

    errors: Sequence[FsxCopyError | None]

    def __call__(self, operation: str) -> FsxCopyError | None:
        if operation != "CopyBackup" or not self.errors:
            return None
        error, *self.errors = self.errors
        return error


class Direct:
    """
    A transport into a local FSx of the same process, which need not serve.

    A call takes one step there and one back, and may be cancelled at both.
    """

    def __init__(self, fsx: LocalFsx, region: str) -> None:
        self.region = region
        self.traffic = Traffic()
        self._fsx = fsx
        self.way_back = 0.0
        """For how many seconds of the clock each answer to CopyBackup is on its way."""
        self.refuse: Meet = _nothing
        """What a call of an operation meets in the place of being carried out."""
        self.lose: Meet = _nothing
        """What it meets in the place of its answer, when it was carried out."""
        self.listings_are_empty = False
        """Whether DescribeBackups without IDs shows nothing."""

    async def copy_backup(self, request: Mapping[str, object]) -> Answer:
        return await self._call("CopyBackup", request)

    async def describe_backups(self, request: Mapping[str, object]) -> Answer:
        return await self._call("DescribeBackups", request)

    async def _call(self, operation: str, request: Mapping[str, object]) -> Answer:
        await self._step()
        if refused := self.refuse(operation):
            raise refused
        front, place = self._fsx._handler, AccountRegion(DEFAULT_ACCOUNT, self.region)
        recorded = RecordedRequest(
            operation=operation,
            region=place.region,
            account=place.account,
            body=orjson.loads(orjson.dumps(request)),
            headers={},
            at=self._fsx._store.clock.now(),
        )
        front.calls[operation] += 1
        front.requests.append(recorded)
        answer = front._answer(recorded)
        if operation == "CopyBackup":
            await self._fsx._store.clock.sleep(self.way_back)
        await self._step()
        if lost := self.lose(operation):
            raise lost
        metadata = ResponseMetadata(http_status=answer.status)
        is_listing = operation == "DescribeBackups" and "BackupIds" not in request
        if is_listing and self.listings_are_empty:
            return Answer(operation=operation, payload=b'{"Backups":[]}', metadata=metadata)
        if answer.status != 200:
            document = read_error(answer.status, answer.headers, answer.body)
            raise service_error(document, operation=operation, metadata=metadata, body=answer.body)
        return Answer(operation=operation, payload=answer.body, metadata=metadata)

    async def _step(self) -> None:
        with self.traffic.one():
            await anyio.lowlevel.checkpoint()


def direct_client(fsx: LocalFsx, clock: ManualClock) -> tuple[FsxCopyClient, Direct]:
    """
    Make an open client of us-west-2 that needs no socket, and show its way to the service.
    """
    client, direct = FsxCopyClient(WEST, clock=clock), Direct(fsx, WEST)
    client._transport = cast("Transport", direct)
    return client, direct

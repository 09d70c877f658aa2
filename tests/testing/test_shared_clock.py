"""A clock that clients and a local FSx share: it advances by itself, but not during a call."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec

import anyio
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiohttp import web

from fsxcopy_sdk import (
    BackupNotFound,
    ClientNotOpen,
    FsxCopyClient,
    FsxCopyError,
    RawResponse,
    ResponseMetadata,
)
from fsxcopy_sdk.bulk import Copied, CopyRequest, copy_many
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx, ManualClock

HOUR = 3600.0


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock(auto_advance=True)


@pytest.fixture(name="fsx")
async def _fsx(clock: ManualClock) -> AsyncIterator[LocalFsx]:
    """A local FSx where a copy takes five minutes of the clock."""
    async with LocalFsx(clock=clock, copy_duration=300) as fsx:
        yield fsx


def new_client(endpoint_url: str, clock: ManualClock, **config: object) -> FsxCopyClient:
    """Make a client of us-west-2 with one attempt."""
    session = AioSession()
    session.set_credentials("AKIDEXAMPLE", "secret")
    options = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 5}
    return FsxCopyClient(
        "us-west-2",
        session=session,
        endpoint_url=endpoint_url,
        config=AioConfig(**{**options, **config}),
        clock=clock,
    )


@pytest.fixture(name="client")
async def _client(fsx: LocalFsx, clock: ManualClock) -> AsyncIterator[FsxCopyClient]:
    async with new_client(fsx.endpoint_url, clock) as client:
        yield client


@contextlib.contextmanager
def in_thread(serve: Callable[[], contextlib.AbstractAsyncContextManager[LocalFsx]]) -> Iterator:
    """Enter *serve* on an event loop of another thread."""
    with (
        anyio.from_thread.start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(serve()) as fsx,
    ):
        yield fsx


class Lags:
    """How long after the end of its copy each wait ended, by the clock."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.seconds: list[float] = []

    async def copy(self, client: FsxCopyClient, source: str) -> None:
        copy = await client.copy_backup(source, source_region=EXAMPLE_REGION)
        begun_at = self.clock.now()
        await client.wait_until_backup_available(copy.backup.backup_id)
        self.seconds.append(self.clock.now() - begun_at - 300)

    def check(self, count: int) -> None:
        """Check that they are what polls 5 s apart near the end of a copy give."""
        assert count == len(self.seconds)
        assert min(self.seconds) >= 0
        assert max(self.seconds) <= 6
        assert statistics.mean(self.seconds) < 5.1


@pytest.mark.parametrize("clients", [1, 5])
async def test_parallel_copies_end_soon_after_the_service(fsx, clock, clients) -> None:
    """Five copies at once, of one client or of five, are seen AVAILABLE within seconds."""
    lags = Lags(clock)
    async with contextlib.AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        opened = [
            await stack.enter_async_context(new_client(fsx.endpoint_url, clock))
            for _ in range(clients)
        ]
        for number in range(5):
            tasks.start_soon(lags.copy, opened[number % clients], fsx.add_backup(EXAMPLE_REGION))

    lags.check(5)


async def test_copies_that_begin_one_after_the_other(fsx, client, clock) -> None:
    """So are copies whose waits sleep at different times."""
    lags = Lags(clock)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(lags.copy, client, fsx.add_backup(EXAMPLE_REGION))
            await clock.sleep(61)

    lags.check(5)


async def test_many_copies_end_soon_after_the_service(fsx, client, clock) -> None:
    """Twenty copies in four batches of five take little more than four times as long as one."""
    requests = [
        CopyRequest(source_backup_id=fsx.add_backup(EXAMPLE_REGION), source_region=EXAMPLE_REGION)
        for _ in range(20)
    ]
    async with copy_many(client, requests) as copies:
        kinds = [type(outcome) async for outcome in copies]

    assert [Copied] * 20 == kinds
    assert 4 * 300 <= clock.now() <= 4 * (300 + 6)


@pytest.mark.parametrize(
    "backend",
    [
        "asyncio",
        pytest.param(
            "trio",
            marks=pytest.mark.skipif(
                find_spec("httpx2") is None,
                reason="aiobotocore runs on trio from 3.9, with its extra httpx2",
            ),
        ),
    ],
)
def test_a_server_in_another_thread(clock, backend) -> None:
    """The clients may run on another event loop than the local FSx."""
    lags = Lags(clock)

    async def scene(fsx: LocalFsx) -> None:
        config = {}
        if backend == "trio":
            httpx = pytest.importorskip("aiobotocore.httpxsession", reason="it needs httpx")
            config = {"http_session_cls": httpx.HttpxSession}
        async with new_client(fsx.endpoint_url, clock, **config) as client:
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(lags.copy, client, fsx.add_backup(EXAMPLE_REGION))
            fsx.inject(Fault.delay(HOUR))
            before = clock.now()
            await client.describe_backups()
            assert HOUR == clock.now() - before

    with in_thread(lambda: LocalFsx(clock=clock, copy_duration=300)) as fsx:
        anyio.run(partial(scene, fsx), backend=backend)

    lags.check(5)


def test_clients_in_several_threads(clock) -> None:
    """Several event loops may share a clock, and none of them waits for ever."""
    ended = []

    async def scene(endpoint_url: str, sources: list[str]) -> None:
        async with new_client(endpoint_url, clock) as client:
            for source in sources:
                await client.copy_backup_and_wait(source, source_region=EXAMPLE_REGION)
                await clock.sleep(1)
                ended.append(source)

    with in_thread(lambda: LocalFsx(clock=clock, copy_duration=300)) as fsx:
        sources = [[fsx.add_backup(EXAMPLE_REGION) for _ in range(3)] for _ in range(3)]
        threads = [
            threading.Thread(target=asyncio.run, args=(scene(fsx.endpoint_url, some),))
            for some in sources
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)

    assert sorted(source for some in sources for source in some) == sorted(ended)


@pytest.mark.parametrize("after", [False, True])
async def test_a_delayed_call_takes_its_time(fsx, client, clock, after) -> None:
    """A call that a fault delays ends when the clock has moved that far, while others sleep."""
    fsx.inject(Fault.delay(HOUR), after=after)
    seen = []

    async def sleep() -> None:
        await clock.sleep(HOUR / 2)
        seen.append(clock.now())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleep)
        await client.describe_backups()
        seen.append(clock.now())

    assert [HOUR / 2, HOUR] == seen


async def test_delayed_calls_at_once(fsx, client, clock) -> None:
    """Several may be delayed at once, each for its own time."""
    ends = []

    async def call() -> None:
        await client.describe_backups()
        ends.append(clock.now())

    for seconds in (30, 20, 10):
        fsx.inject(Fault.delay(seconds))
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(call)

    assert [0, 10, 20, 30] == ends


@pytest.mark.parametrize("fault", [Fault.interim(), Fault.drip(0.01)], ids=lambda one: one.kind)
async def test_a_call_without_an_answer_stops_nothing(fsx, client, clock, fault) -> None:
    """While a call is never answered, others go on by the clock; the next call holds it again."""
    fsx.inject(fault)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.describe_backups)
            await clock.sleep(HOUR)
            assert HOUR == clock.now()
            tasks.cancel_scope.cancel()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.sleep, HOUR)
        await client.describe_backups()
        assert HOUR == clock.now()


@pytest.mark.parametrize("fault", [Fault.reset(), Fault.html(), Fault.empty(), Fault.garbage()])
async def test_a_call_that_fails_holds_no_longer(fsx, client, clock, fault) -> None:
    """After an error the clock moves on."""
    fsx.inject(fault)
    with anyio.fail_after(5):
        with pytest.raises(FsxCopyError):
            await client.describe_backups()
        await clock.sleep(HOUR)

    assert HOUR == clock.now()


async def test_a_cancelled_call_holds_no_longer(fsx, client, clock) -> None:
    """After a cancellation the clock moves on."""
    fsx.inject(Fault.interim())
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.describe_backups)
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        await clock.sleep(HOUR)

    assert HOUR == clock.now()


async def test_a_client_is_closed_while_its_call_has_no_answer(fsx, client, clock) -> None:
    """A wait whose poll never returns does not keep another task from closing the client."""
    backup_id = fsx.add_backup("us-west-2", Lifecycle="CREATING")
    fsx.inject(Fault.interim(), fraction=1)

    async def wait() -> None:
        with pytest.raises(ClientNotOpen):
            await client.wait_until_backup_available(backup_id)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await clock.sleep(HOUR)
            await client.__aexit__(None, None, None)


@contextlib.asynccontextmanager
async def slow_server(seconds: float) -> AsyncIterator[str]:
    """Serve a listing without backups, late, and without a clock; yield the URL."""

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(seconds)
        return web.Response(body=b'{"Backups": []}', content_type="application/x-amz-json-1.1")

    application = web.Application()
    application.router.add_post("/", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def test_a_slow_server_without_a_clock(clock) -> None:
    """Its calls take no time of the clock, and waits at it end."""
    async with slow_server(0.05) as url, new_client(url, clock) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.sleep, HOUR)
            await client.describe_backups()
            assert 0 == clock.now()
        with pytest.raises(BackupNotFound):
            await client.wait_until_backup_available("backup-00000000")
    assert HOUR + 60 < clock.now() < HOUR + 200


async def test_what_an_answer_leads_to_comes_first(client, clock) -> None:
    """What tasks do about an answer, one after the other, happens before the time moves."""
    send, receive = anyio.create_memory_object_stream[float](1)
    seen = []

    async def hand_on() -> None:
        seen.append(await receive.receive())
        for _ in range(4):
            await anyio.lowlevel.checkpoint()
        await clock.sleep(1)
        seen.append(clock.now())

    with send, receive:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.sleep, HOUR)
            tasks.start_soon(hand_on)
            await client.describe_backups()
            await send.send(clock.now())

    assert [0, 1] == seen


class Fake:
    """A transport that answers when it is told to."""

    region = "us-west-2"

    def __init__(self) -> None:
        self.may_answer = anyio.Event()

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        await self.may_answer.wait()
        return RawResponse(
            operation="DescribeBackups", payload=b'{"Backups": []}', metadata=ResponseMetadata()
        )

    copy_backup = delete_backup = describe_backups


async def test_a_fake_transport_does_not_hold(clock) -> None:
    """A fake may answer at a time of the clock: its calls take what time they take."""
    fake = Fake()
    async with FsxCopyClient(transport=fake, clock=clock) as client:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.describe_backups)
                await clock.sleep(HOUR)
                fake.may_answer.set()

    assert HOUR == clock.now()

"""The clients that triggers share: one for a key and event loop, closed when the last one ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest

from fsxcopy_sdk import ClientNotOpen, ConfigurationError, FsxCopyClient
from fsxcopy_sdk.airflow import FsxCopyHook
from fsxcopy_sdk.airflow._shared_clients import SharedClient, shared_client
from fsxcopy_sdk.testing import LocalFsx


def _make() -> FsxCopyClient:
    return FsxCopyHook("aws_local").copy_client()


async def _use(
    opened: list[SharedClient], until: asyncio.Event, make: Callable[[], FsxCopyClient] = _make
) -> None:
    async with shared_client("key", make) as shared:
        opened.append(shared)
        await until.wait()
        await shared.client.describe_backups()


async def test_users_share_a_client_until_the_last_has_left(fsx: LocalFsx) -> None:
    """All get one client, whoever leaves first; after the last it is closed."""
    opened: list[SharedClient] = []
    first, last = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(_use(opened, first))
        for _ in range(3):
            group.create_task(_use(opened, last))
        while len(opened) < 4:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        first.set()
        await leaving
        last.set()

    assert 1 == len({id(one) for one in opened})
    assert 4 == fsx.calls["DescribeBackups"]
    with pytest.raises(ClientNotOpen):
        await opened[0].client.describe_backups()


async def test_a_later_user_gets_another_client(fsx: LocalFsx) -> None:
    """What was closed is not handed out."""
    opened: list[SharedClient] = []
    done = asyncio.Event()
    done.set()
    await _use(opened, done)
    await _use(opened, done)
    assert opened[0] is not opened[1]


async def test_it_is_made_in_a_thread(fsx: LocalFsx) -> None:
    """What blocks while a client is made does not block the event loop."""
    threads = []

    def make() -> FsxCopyClient:
        threads.append(threading.get_ident())
        return _make()

    async with shared_client("key", make):
        pass
    assert threading.get_ident() not in threads


async def test_the_first_user_may_be_cancelled(fsx: LocalFsx) -> None:
    """A cancellation while the client is being opened is no other user's."""
    opened: list[SharedClient] = []
    done = asyncio.Event()
    first = asyncio.create_task(_use(opened, done))
    await asyncio.sleep(0)
    second = asyncio.create_task(_use(opened, done))
    await asyncio.sleep(0)
    first.cancel()
    done.set()
    await second
    assert first.cancelled()
    assert 1 == fsx.calls["DescribeBackups"]


async def test_all_users_may_be_cancelled_while_it_fails_to_open(
    fsx: LocalFsx, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody is left to get is no unhandled one."""
    caplog.set_level(logging.ERROR, "asyncio")
    entered = threading.Event()

    def fail() -> FsxCopyClient:
        entered.wait(5)
        raise ConfigurationError("no such thing")

    user = asyncio.create_task(_use([], asyncio.Event(), fail))
    await asyncio.sleep(0)
    user.cancel()
    await asyncio.sleep(0)
    entered.set()
    await asyncio.wait([user])
    assert [] == caplog.messages


async def test_a_failure_to_open_is_every_users_and_then_forgotten(fsx: LocalFsx) -> None:
    """All that waited get the error; the next one tries anew."""

    def fail() -> FsxCopyClient:
        raise ConfigurationError("no such thing")

    done = asyncio.Event()
    done.set()
    results = await asyncio.gather(
        *(_use([], done, fail) for _ in range(3)), return_exceptions=True
    )
    assert ["no such thing"] * 3 == [str(one) for one in results]
    await _use([], done)


def test_an_event_loop_that_ends_closes_its_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left of a loop whose tasks were all cancelled, and the next one starts anew."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", '{"extra": {"region_name": "us-west-2"}}')
    opened: list[SharedClient] = []

    async def main() -> None:
        before = len(opened)
        user = asyncio.create_task(_use(opened, asyncio.Event()))
        while len(opened) == before:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        assert not user.done()

    asyncio.run(main())
    asyncio.run(main())
    assert opened[0] is not opened[1]


async def test_an_error_of_closing_is_not_the_users(
    fsx: LocalFsx, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that cannot be closed well fails no trigger."""

    class Stubborn(FsxCopyClient):
        async def __aexit__(self, *details: object) -> None:
            await super().__aexit__(*details)
            raise ConfigurationError("not closed well")

    def make() -> FsxCopyClient:
        return Stubborn("us-west-2", endpoint_url=fsx.endpoint_url)

    async with shared_client("key", make):
        pass
    assert ["a client was not closed well: not closed well"] == caplog.messages

"""What triggers share: one client for a key and event loop, and the runs of their copies."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar

import attrs
import pytest
from airflow_tasks import SOURCE_REGION as EAST

from fsxcopy_sdk import ClientNotOpen, ConfigurationError, FsxCopyClient
from fsxcopy_sdk.airflow import FsxCopyHook
from fsxcopy_sdk.airflow._shared_clients import SharedClient, shared_client
from fsxcopy_sdk.bulk import CopyBatch, CopyInProgress, CopyRequest
from fsxcopy_sdk.testing import LocalFsx, ManualClock


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
    """All get one client, in whatever order they leave; after the last it is closed."""
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
    """An error is not reported as unhandled after all users have left."""
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


async def test_an_old_client_gets_no_new_users(fsx: LocalFsx, clock: ManualClock) -> None:
    """Who comes later has the connection as it is then; the older ones go on as they were."""
    opened: list[SharedClient] = []
    make = _on(clock)
    async with shared_client("key", make) as first:
        async with shared_client("key", make) as second:
            assert first is second
        clock.advance(301)
        async with shared_client("key", make) as third:
            assert first is not third
            await first.client.describe_backups()
            async with shared_client("key", make) as fourth:
                assert third is fourth
    done = asyncio.Event()
    done.set()
    await _use(opened, done, make)
    assert 2 == fsx.calls["DescribeBackups"]


def _on(given: ManualClock) -> Callable[[], FsxCopyClient]:
    """Make clients that sleep on a clock of the test."""

    class ClockedHook(FsxCopyHook):
        clock = given

    return lambda: ClockedHook("aws_local").copy_client()


_NAME: ContextVar[str] = ContextVar("name", default="nobody")


@attrs.define(eq=False)
class _User:
    """A user that has backups copied, and what it saw."""

    batch: CopyBatch | None = None
    names: set[str] = attrs.field(factory=set)

    def see(self, _: CopyInProgress) -> None:
        self.names.add(_NAME.get())

    async def copy(
        self,
        make: Callable[[], FsxCopyClient],
        sources: Sequence[str],
        name: str = "",
        max_in_progress: int = 5,
    ) -> list[str]:
        """Return how the copies end."""
        _NAME.set(name)
        requests = [CopyRequest(source_backup_id=one, source_region=EAST) for one in sources]
        async with shared_client("key", make) as shared:
            self.batch = shared.copies(
                requests, max_in_progress=max_in_progress, max_wait=86400.0, on_seen=self.see
            )
            async with self.batch as copies:
                return [type(one).__name__ async for one in copies]


async def test_copies_of_several_users_are_one_run(fsx: LocalFsx, clock: ManualClock) -> None:
    """The destination is listed for all at once, and each user hears of its own copies."""
    sources = [fsx.add_backup(EAST) for _ in range(4)]
    users = [_User() for _ in sources]
    make = _on(clock)
    ended = await asyncio.gather(
        *(user.copy(make, [one], one) for user, one in zip(users, sources, strict=True))
    )
    assert [["Copied"]] * 4 == ended
    # Each in the context of its user, which is what decides whose log is written.
    assert [{one} for one in sources] == [user.names for user in users]
    listings = [one for one in fsx.requests if not one.body.get("BackupIds")]
    assert 2 == sum(one.operation == "DescribeBackups" for one in listings)


async def test_copies_with_other_settings_are_another_run(
    fsx: LocalFsx, clock: ManualClock
) -> None:
    """A limit is that of those who gave it."""
    make = _on(clock)
    sources = [fsx.add_backup(EAST) for _ in range(3)]
    one, two = _User(), _User()
    ended = await asyncio.gather(
        one.copy(make, sources[:2], max_in_progress=1), two.copy(make, sources[2:])
    )
    assert [["Copied"] * 2, ["Copied"]] == ended


async def test_who_comes_later_is_in_the_next_run(fsx: LocalFsx, clock: ManualClock) -> None:
    """A run that has begun takes no more, and the next one does not wait for its end."""
    make = _on(clock)
    first, later = _User(), _User()
    one, two = fsx.add_backup(EAST), fsx.add_backup(EAST)
    begun = asyncio.create_task(first.copy(make, [one]))
    while not first.names:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    assert ["Copied"] == await later.copy(make, [two])
    assert ["Copied"] == await begun


async def test_the_first_of_a_run_may_be_cancelled(fsx: LocalFsx, clock: ManualClock) -> None:
    """The others' copies continue; what it had not begun is not begun after it has left."""
    make = _on(clock)
    first, other = _User(), _User()
    own, theirs = fsx.add_backup(EAST), fsx.add_backup(EAST)
    leaving = asyncio.create_task(first.copy(make, [own]))
    while first.batch is None:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    staying = asyncio.create_task(other.copy(make, [theirs]))
    while other.batch is None:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert ["Copied"] == await staying
    assert 1 == fsx.calls["CopyBackup"]


async def test_the_last_user_that_leaves_closes_the_client(
    fsx: LocalFsx, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Its copies continue at the service, and their IDs are in the log of the triggerer."""
    caplog.set_level(logging.INFO, "fsxcopy_sdk.bulk")
    user = _User()
    running = asyncio.create_task(user.copy(_on(clock), [fsx.add_backup(EAST)]))
    while not user.names:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    running.cancel("user action")
    with pytest.raises(asyncio.CancelledError, match="user action"):  # as the triggerer looks for
        await running
    assert user.batch is not None
    (left,) = user.batch.in_progress
    assert any(f"{left.backup_id}: the copy of" in one for one in caplog.messages)


async def test_a_run_that_fails_is_the_error_of_all_its_users(
    fsx: LocalFsx, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """None waits for ever, and the client serves the next ones."""

    class Failing(_User):
        def see(self, copy: CopyInProgress) -> None:
            super().see(copy)
            raise RuntimeError("no room for the log")

    make = _on(clock)
    sources = [fsx.add_backup(EAST) for _ in range(2)]
    async with shared_client("key", make):
        ended = await asyncio.gather(
            Failing().copy(make, sources[:1]),
            _User().copy(make, sources[1:]),
            return_exceptions=True,
        )
        assert ["ExceptionGroup"] * 2 == [type(one).__name__ for one in ended]
        assert ["Copied"] == await _User().copy(make, sources[:1])
    assert any("are not followed any more" in one for one in caplog.messages)

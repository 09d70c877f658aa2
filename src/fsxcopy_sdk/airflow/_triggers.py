"""
The triggers: their arguments, which are small JSON, and how the triggerer runs them.

The triggerer imports this module on its event loop, which would stand still for seconds while
boto3, aiobotocore and the rest are imported: so that is done in a thread when a trigger runs.
"""

# ruff: noqa: PLC0415 - the imports in functions are why this module exists

from __future__ import annotations

import asyncio
import json
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from airflow.triggers.base import BaseTrigger, TriggerEvent
from anyio.to_thread import run_sync

if TYPE_CHECKING:
    from fsxcopy_sdk.airflow._documents import JsonDocument
    from fsxcopy_sdk.airflow._hook import FsxCopyHook
    from fsxcopy_sdk.airflow._running import Progress
    from fsxcopy_sdk.airflow._shared_clients import SharedClient

_TOKEN_LIFETIME = 120.0
"""
Seconds after a copy was asked for in which its token alone finds it. A trigger that begins later
may have begun before, in a triggerer that ended.
"""

_MIN_AGE = 10.0
"""
Seconds for which an event is held back after the task has deferred. If it came before the
scheduler has seen that the task's process ended, Airflow would fail the task: "finished with
state success, but the task instance's state attribute is queued". That took 6 s on a machine
with much to do.
"""


class CommonArguments(TypedDict, total=False):
    """The arguments that all triggers have: those of the hook, and when the trigger was made."""

    aws_conn_id: str | None
    region_name: str | None
    verify: bool | str | None
    botocore_config: Mapping[str, object] | None
    made_at: float


class FsxTrigger(BaseTrigger):
    """A trigger that works with a connection and sends one event when it is done."""

    def __init__(self, **common: Unpack[CommonArguments]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's
        self.made_at = common.pop("made_at", time.time())
        """When the task made it, in epoch seconds; a triggerer makes it again as it was."""
        self.connection = common

    @abstractmethod
    def arguments(self) -> dict[str, object]:
        """Return the arguments beside those of the connection."""

    @abstractmethod
    async def work(self) -> JsonDocument:
        """Do what the trigger is for, and return the event; everything is imported by then."""

    @property
    def left(self) -> Sequence[str]:
        """What continues at the service if the trigger ends now."""
        return ()

    def serialize(self) -> tuple[str, dict[str, object]]:
        """Return what the trigger is made again from, in any triggerer."""
        # The package is what has the public names, wherever they are defined.
        name = f"{__package__}.{type(self).__name__}"
        return name, {**self.arguments(), **self.connection, "made_at": self.made_at}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Work, and yield the one event."""
        event = await self.event()
        if self.trigger_id is not None:  # in a triggerer, not in `dag.test()`
            await asyncio.sleep(self.made_at + _MIN_AGE - time.time())
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]  # the same

    async def event(self) -> JsonDocument:
        """Work, and return the event."""
        await run_sync(import_module, f"{__package__}._syncing")  # which imports all the others
        return await self.work()

    async def on_kill(self) -> None:
        """Leave copies to the service, and say which."""
        if self.left:
            self.log.warning("copies continue at the service: %s", ", ".join(self.left))

    def hook(self) -> FsxCopyHook:
        """Return the hook of the connection."""
        from fsxcopy_sdk.airflow._hook import FsxCopyHook

        given = self.connection
        return FsxCopyHook(
            given.get("aws_conn_id", "aws_default"),
            given.get("verify"),
            given.get("region_name"),
            given.get("botocore_config"),
        )

    def shared_client(self) -> AbstractAsyncContextManager[SharedClient]:
        """Return the client that all triggers of this connection and Region share."""
        from fsxcopy_sdk.airflow._shared_clients import shared_client

        key = json.dumps(self.connection, sort_keys=True, default=repr)
        return shared_client(key, lambda: self.hook().copy_client())


class FsxBackupAvailableTrigger(FsxTrigger):
    """Wait until a backup is AVAILABLE."""

    def __init__(
        self,
        *,
        backup_id: str,
        deadline: float,
        is_accepted: bool = False,
        **common: Unpack[CommonArguments],
    ) -> None:
        super().__init__(**common)
        self.backup_id = backup_id
        self.deadline = deadline
        """Epoch seconds, so that a triggerer that is started again waits no longer."""
        self.is_accepted = is_accepted
        """Whether the service accepted it as a copy, so that it exists."""

    def arguments(self) -> dict[str, object]:
        """Return the ID and until when it is waited for."""
        return {
            "backup_id": self.backup_id,
            "deadline": self.deadline,
            "is_accepted": self.is_accepted,
        }

    @property
    def left(self) -> Sequence[str]:
        """The copy."""
        return (self.backup_id,) if self.is_accepted else ()

    async def work(self) -> JsonDocument:
        """Follow the backup to its end."""
        from fsxcopy_sdk.airflow._running import reported, watch

        max_wait = max(0.0, self.deadline - time.time())
        async with reported(self.backup_id) as report, self.shared_client() as shared:
            report.event = await watch(
                shared.client, self.backup_id, max_wait, self.log, is_accepted=self.is_accepted
            )
        return report.event


class FsxCopyBackupTrigger(FsxTrigger):
    """Request a copy as soon as the service has capacity for it."""

    def __init__(
        self,
        *,
        request: Mapping[str, object],
        tries: int,
        max_wait: float,
        **common: Unpack[CommonArguments],
    ) -> None:
        super().__init__(**common)
        self.request = request
        """The document of a `CopyRequest`, with its token."""
        self.tries = tries
        """Which try of the task this is, from 1."""
        self.max_wait = max_wait

    def arguments(self) -> dict[str, object]:
        """Return the request, which try it is, and for how long capacity is waited for."""
        return {
            "request": dict(self.request),
            "tries": self.tries,
            "max_wait": self.max_wait,
        }

    async def work(self) -> JsonDocument:
        """Wait for capacity, and begin the copy."""
        from fsxcopy_sdk.airflow._running import begin, reported
        from fsxcopy_sdk.bulk import CopyRequest

        is_late = time.time() - self.made_at > _TOKEN_LIFETIME
        async with reported() as report, self.shared_client() as shared:
            report.event = await begin(
                shared,
                CopyRequest.from_dict(self.request),
                self.log,
                search=is_late or self.tries > 1,
                tries=self.tries,
                max_wait=self.max_wait,
            )
        return report.event


class FsxCopyBackupsTrigger(FsxTrigger):
    """
    Copy many backups into the Region of the connection, as many at a time as the service allows.

    Its arguments and its event are in Airflow's database: some 30 bytes for each backup, and
    some 150 when it has ended, more where that was with an error.
    """

    def __init__(
        self,
        *,
        source_backup_ids: Sequence[str],
        request: Mapping[str, object],
        max_in_progress: int,
        max_wait: float,
        **common: Unpack[CommonArguments],
    ) -> None:
        super().__init__(**common)
        self.source_backup_ids = source_backup_ids
        self.request = request
        """What all requests have in common, as the document of a `CopyRequest` has it."""
        self.max_in_progress = max_in_progress
        self.max_wait = max_wait
        self._progress: Progress | None = None

    def arguments(self) -> dict[str, object]:
        """Return the IDs, and once what holds for all."""
        return {
            "source_backup_ids": list(self.source_backup_ids),
            "request": dict(self.request),
            "max_in_progress": self.max_in_progress,
            "max_wait": self.max_wait,
        }

    @property
    def left(self) -> Sequence[str]:
        """The copies that were seen in progress."""
        return self._progress.left if self._progress else ()

    async def work(self) -> JsonDocument:
        """Find the copies that exist, request the others, and follow all to their end."""
        from fsxcopy_sdk.airflow._running import Progress, copy_all, reported, requests_of

        async with reported() as report, self.shared_client() as shared:
            self._progress = Progress(self.log, shared.client.clock.now)
            report.event = await copy_all(
                shared.client,
                requests_of(self.source_backup_ids, self.request),
                self._progress,
                max_in_progress=self.max_in_progress,
                max_wait=self.max_wait,
            )
        return report.event


class FsxSyncTrigger(FsxTrigger):
    """Copy and prune as policies say; the accounts of a fleet have clients of their own."""

    def __init__(self, *, sync: Mapping[str, Any], **common: Unpack[CommonArguments]) -> None:
        super().__init__(**common)
        self.sync = sync
        """The document of a `Sync`."""
        self._progress: Progress | None = None

    def arguments(self) -> dict[str, object]:
        """Return what is synced."""
        return {"sync": dict(self.sync)}

    @property
    def left(self) -> Sequence[str]:
        """The copies that were seen in progress."""
        return self._progress.left if self._progress else ()

    async def work(self) -> JsonDocument:
        """Plan, copy and prune."""
        from fsxcopy_sdk.airflow._running import Progress, reported
        from fsxcopy_sdk.airflow._syncing import Sync, sync

        async with reported() as report:
            clients = await run_sync(lambda: self.hook().account_clients())
            self._progress = Progress(self.log, time.monotonic)
            report.event = await sync(Sync(**self.sync), clients, self._progress)
        return report.event

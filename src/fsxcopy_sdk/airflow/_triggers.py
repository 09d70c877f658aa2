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
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, Unpack

from airflow.triggers.base import BaseTrigger, TriggerEvent
from anyio.to_thread import run_sync

if TYPE_CHECKING:
    from fsxcopy_sdk.airflow._documents import JsonDocument
    from fsxcopy_sdk.airflow._hook import FsxCopyHook
    from fsxcopy_sdk.airflow._shared_clients import SharedClient
    from fsxcopy_sdk.airflow._syncing import Syncing
    from fsxcopy_sdk.bulk import BulkCopy, CopyBatch, CopyInProgress

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


class Connected(Protocol):
    """A task with the arguments of the Amazon provider."""

    aws_conn_id: str | None
    verify: bool | str | None
    botocore_config: dict[str, Any] | None


def connection_to(task: Connected, region: str | None) -> CommonArguments:
    """Return the arguments of a task's trigger that say how *region* is reached."""
    return {
        "aws_conn_id": task.aws_conn_id,
        "region_name": region,
        "verify": task.verify,
        "botocore_config": task.botocore_config,
    }


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
        """Do the trigger's work and return the event; all modules are imported before."""

    @property
    def left(self) -> Sequence[CopyInProgress]:
        """The copies that continue at the service if the trigger ends now."""
        return ()

    @property
    def is_unanswered(self) -> bool:
        """Whether a copy may have been accepted whose ID is not known yet."""
        return any(copy.backup_id is None for copy in self.left)

    def stop(self) -> None:
        """Start no more copies, because the task that this runs in was killed."""

    def serialize(self) -> tuple[str, dict[str, object]]:
        """Return the class and arguments from which any triggerer makes the trigger again."""
        # Triggers are public names of the package, wherever they are defined.
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
        """Log the copies that continue at the service."""
        if left := self.left:
            from fsxcopy_sdk.airflow._running import name_of

            self.log.warning("copies continue at the service: %s", "; ".join(map(name_of, left)))

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
        self, *, backup_id: str, deadline: float, **common: Unpack[CommonArguments]
    ) -> None:
        super().__init__(**common)
        self.backup_id = backup_id
        self.deadline = deadline
        """Epoch seconds, so that a triggerer that is started again waits no longer."""

    def arguments(self) -> dict[str, object]:
        """Return the ID and until when it is waited for."""
        return {"backup_id": self.backup_id, "deadline": self.deadline}

    async def work(self) -> JsonDocument:
        """Follow the backup to its end."""
        from fsxcopy_sdk.airflow._running import reported, watch

        max_wait = max(0.0, self.deadline - time.time())
        async with reported(self.backup_id) as report, self.shared_client() as shared:
            report.event = await watch(shared.client, self.backup_id, max_wait, self.log)
        return report.event


class FsxCopyBackupsTrigger(FsxTrigger):
    """
    Copy backups into the Region of the connection, as many at a time as the service allows.

    In a triggerer those of several triggers are one run, with one listing and one queue.

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
        volume_ids: Mapping[str, str],
        with_backups: bool,
        **common: Unpack[CommonArguments],
    ) -> None:
        super().__init__(**common)
        self.source_backup_ids = source_backup_ids
        self.request = request
        """What all requests have in common, as the document of a `CopyRequest` has it."""
        self.max_in_progress = max_in_progress
        self.max_wait = max_wait
        self.volume_ids = volume_ids
        """The ONTAP volumes of those backups that are of one."""
        self.with_backups = with_backups
        """Whether the event has the copies as documents, which are some kilobytes each."""
        self._copies: BulkCopy | CopyBatch | None = None
        self._stop: Callable[[], object] = lambda: None

    def arguments(self) -> dict[str, object]:
        """Return the IDs, and once what holds for all."""
        return {
            "source_backup_ids": list(self.source_backup_ids),
            "request": dict(self.request),
            "max_in_progress": self.max_in_progress,
            "max_wait": self.max_wait,
            "volume_ids": dict(self.volume_ids),
            "with_backups": self.with_backups,
        }

    @property
    def left(self) -> Sequence[CopyInProgress]:
        """The copies that the service has accepted, or may have."""
        return self._copies.in_progress if self._copies else ()

    def stop(self) -> None:
        """Start no more copies."""
        self._stop()

    async def work(self) -> JsonDocument:
        """Find the copies that exist, request the others, and follow all to their end."""
        from fsxcopy_sdk.airflow._running import Progress, end_of, reported, requests_of
        from fsxcopy_sdk.bulk import BulkCopy, copy_many

        async with reported() as report, self.shared_client() as shared:
            client = shared.client
            requests = requests_of(self.source_backup_ids, self.request, self.volume_ids)
            progress = Progress(self.log, client.clock.now)
            is_alone = self.trigger_id is None  # in a task, which has no others to share with
            begin = partial(copy_many, client) if is_alone else shared.copies
            copies = begin(
                requests,
                max_in_progress=self.max_in_progress,
                max_wait=self.max_wait,
                on_seen=partial(progress.see, ()),
            )
            self._copies = copies
            if isinstance(copies, BulkCopy):
                identities = [one.identity(client.region) for one in requests]
                self._stop = partial(copies.withdrawn.update, identities)
            report.event = await end_of(
                copies, progress, client.region, with_backups=self.with_backups
            )
        return report.event


class FsxSyncTrigger(FsxTrigger):
    """Copy and prune as policies say; the accounts of a fleet have clients of their own."""

    def __init__(self, *, sync: Mapping[str, Any], **common: Unpack[CommonArguments]) -> None:
        super().__init__(**common)
        self.sync = sync
        """The document of a `Sync`."""
        self._syncing: Syncing | None = None

    def arguments(self) -> dict[str, object]:
        """Return what is synced."""
        return {"sync": dict(self.sync)}

    @property
    def left(self) -> Sequence[CopyInProgress]:
        """The copies that the service has accepted, or may have."""
        return self._syncing.in_progress if self._syncing else ()

    async def work(self) -> JsonDocument:
        """Plan, copy and prune."""
        from fsxcopy_sdk.airflow._running import Progress, reported
        from fsxcopy_sdk.airflow._syncing import Sync, Syncing

        async with reported() as report:
            clients = await run_sync(lambda: self.hook().account_clients())
            progress = Progress(self.log, time.monotonic)
            self._syncing = Syncing(Sync(**self.sync), progress, clients)
            report.event = await self._syncing.end()
        return report.event

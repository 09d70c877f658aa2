"""
`fsxcopy copy`: one backup or many, under the service's limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fsxcopy_sdk.bulk import CopyRequest, copy_many
from fsxcopy_sdk.cli._clients import checked, client_of
from fsxcopy_sdk.cli._exit import Exit
from fsxcopy_sdk.cli._follow import follow, show_in
from fsxcopy_sdk.cli._options import Copying, Globals, Waiting, tags
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._wait import schedule_of


async def copy(
    options: Globals,
    copying: Copying,
    waiting: Waiting,
    backup_ids: Sequence[str],
    talk: Reporter,
    *,
    copy_tags: bool,
    max_in_progress: int,
    salt: str,
) -> Exit:
    """
    Copy backups, wait for the copies, and tell of each.
    """
    requests = [
        CopyRequest(
            source_backup_id=backup_id,
            source_region=options.source_region,
            kms_key_id=copying.kms_key_id,
            copy_tags=copy_tags,
            tags=tags(copying.tag),
            idempotency_salt=salt,
        )
        for backup_id in checked(backup_ids)
    ]
    async with client_of(options) as client:
        copies = copy_many(
            client,
            requests,
            max_in_progress=max_in_progress,
            max_wait=waiting.max_wait,
            schedule=schedule_of(waiting),
            on_seen=partial(show_in, talk),
        )
        return await follow(copies, client, options, talk)

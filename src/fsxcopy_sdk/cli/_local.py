"""`fsxcopy local` and `fsxcopy demo`: an FSx on loopback, without AWS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter

from rich.progress import Progress

from fsxcopy_sdk import Backup, FsxCopyClient, OpenEnum
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk.cli._options import Globals, usage_error
from fsxcopy_sdk.cli._outcomes import Exit
from fsxcopy_sdk.cli._output import write_text
from fsxcopy_sdk.testing import EXAMPLE_REGION, LocalFsx, ScaledClock
from fsxcopy_sdk.testing.__main__ import serve as serve_local_fsx

_DESTINATION = "us-west-2"
_MEMBERS = (
    ("lifecycle", "source_backup_id", "source_backup_region", "creation_time"),
    ("file_system.lustre_configuration.deployment_type",),
)
"""Members that the demo shows before and after the tags."""


async def serve(
    port: int, speed: float, copy_duration: timedelta, with_example: bool, _: Globals
) -> Exit:
    """Serve a local FSx until SIGINT or SIGTERM."""
    try:
        await serve_local_fsx(port, speed, copy_duration, with_example)
    except ValueError as error:
        # Its text begins with the name of the argument.
        raise usage_error(f"--{error}") from error
    return Exit.DONE


async def demo(_: Globals) -> Exit:
    """Copy the service's example backup from us-east-2 to us-west-2 and show the copy."""
    # A copy takes half an hour, as small ones do, by a clock that lets it end in three seconds.
    clock = ScaledClock(600)
    async with LocalFsx(clock=clock, copy_duration=1800) as fsx:
        source = fsx.add_example_backup()
        write_text(f"local FSx at {fsx.endpoint_url}, {source} in {EXAMPLE_REGION}")
        async with FsxCopyClient(
            _DESTINATION,
            session=isolated_session("AKIDEXAMPLE", "demo"),
            endpoint_url=fsx.endpoint_url,
            config=direct_config(),
            clock=clock,
        ) as client:
            response = await client.copy_backup(
                source, source_region=EXAMPLE_REGION, copy_tags=True, tags={"Purpose": "demo"}
            )
            write_text(f"{response.backup.lifecycle}: {response.backup.backup_id}")
            backup = await _watch(client, response.backup.backup_id)
    write_text("\n".join(_members(backup)))
    write_text(f'Against AWS: the same with FsxCopyClient("{_DESTINATION}") and credentials.')
    return Exit.DONE


async def _watch(client: FsxCopyClient, backup_id: str) -> Backup:
    # All but rich's own estimate of the time left, which knows nothing of the clock.
    with Progress(*Progress.get_default_columns()[:-1]) as progress:
        task = progress.add_task(backup_id, total=100)
        async for backup in client.watch_backup(backup_id):
            progress.update(task, completed=backup.progress_percent or 0)
        progress.update(task, completed=100)
    return backup


def _members(backup: Backup) -> Iterator[str]:
    """Yield members as a program would write them, with their values."""
    tags = {f"tags[{number}]": tag for number, tag in enumerate(backup.tags)}
    first, last = ({path: attrgetter(path)(backup) for path in paths} for paths in _MEMBERS)
    for path, value in {**first, **tags, **last}.items():
        yield f"backup.{path:<50}{_shown(value)}"


def _shown(value: object) -> str:
    if isinstance(value, OpenEnum):
        return f"{type(value).__name__}.{value.name}"
    return value.isoformat() if isinstance(value, datetime) else repr(value)

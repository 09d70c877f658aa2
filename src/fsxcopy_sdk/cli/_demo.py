"""
`fsxcopy demo`: the whole way of one copy, on loopback, with the real client.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from fsxcopy_sdk import Backup, FsxCopyClient, OpenEnum
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk.testing import EXAMPLE_REGION, LocalFsx, ScaledClock

_DESTINATION = "us-west-2"
_COPY_DURATION = 1800.0
"""Seconds of the demo's own time: half an hour, as a small copy takes."""
_SPEED = 600.0
"""Seconds of the demo's time in one second, so that it takes three of ours."""


async def run_demo() -> None:
    """
    Copy the service's example backup from us-east-2 to us-west-2 and show it.
    """
    console = Console()
    clock = ScaledClock(_SPEED)
    async with LocalFsx(clock=clock, copy_duration=_COPY_DURATION) as fsx:
        source = fsx.add_example_backup()
        _say(console, f"local FSx at {fsx.endpoint_url}, {source} in {EXAMPLE_REGION}")
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
            _say(console, f"{response.backup.lifecycle}: {response.backup.backup_id}")
            backup = await _wait(client, response.backup.backup_id, console)
    for line in _typed(backup):
        _say(console, line)
    _say(console, f'Against AWS: the same with FsxCopyClient("{_DESTINATION}") and credentials.')


def _say(console: Console, text: str) -> None:
    # As it is: what a service sends is neither markup nor to be wrapped.
    console.print(text, markup=False, highlight=False, soft_wrap=True)


async def _wait(client: FsxCopyClient, backup_id: str, console: Console) -> Backup:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(backup_id, total=100)
        async for backup in client.watch_backup(backup_id):
            progress.update(task, completed=backup.progress_percent or 0)
        progress.update(task, completed=100)
    return backup


def _typed(backup: Backup) -> Iterator[str]:
    """
    Yield lines of members as a program would write them, and what it would get.
    """
    lustre = backup.file_system.lustre_configuration if backup.file_system else None
    deployment_type = lustre.deployment_type if lustre else None
    for expression, value in (
        ("lifecycle", _name(backup.lifecycle)),
        ("source_backup_id", repr(backup.source_backup_id)),
        ("source_backup_region", repr(backup.source_backup_region)),
        ("creation_time", backup.creation_time.isoformat()),
        *((f"tags[{number}]", repr(tag)) for number, tag in enumerate(backup.tags)),
        ("file_system.lustre_configuration.deployment_type", _name(deployment_type)),
    ):
        yield f"backup.{expression:<50}{value}"


def _name(value: OpenEnum | None) -> str:
    return repr(value) if value is None else f"{type(value).__name__}.{value.name}"

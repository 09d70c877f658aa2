"""`fsxcopy local` and `fsxcopy demo`: an FSx on loopback, without AWS."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from operator import attrgetter

import anyio

from fsxcopy_sdk import Backup, FsxCopyClient
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk.cli._options import Globals, usage_error
from fsxcopy_sdk.cli._outcomes import Exit
from fsxcopy_sdk.cli._output import write_text
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._signals import signals
from fsxcopy_sdk.testing import EXAMPLE_REGION, LocalFsx, ScaledClock
from fsxcopy_sdk.testing import serve as serve_local_fsx

_DESTINATION = "us-west-2"


async def serve(
    port: int, speed: float, copy_duration: timedelta, with_example: bool, _: Globals
) -> Exit:
    """Serve a local FSx until a signal."""
    loop = asyncio.get_running_loop()
    try:
        # A signal is how this ends well.
        with (
            anyio.CancelScope() as scope,
            signals.calling(lambda: loop.call_soon_threadsafe(scope.cancel)),
        ):
            await serve_local_fsx(port, speed, copy_duration, with_example)
    except ValueError as error:
        # Its text begins with the name of the argument.
        raise usage_error(f"--{error}") from error
    return Exit.DONE


async def demo(options: Globals) -> Exit:
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
            reporter = Reporter(options, clock.now)
            with reporter.live():
                async for backup in client.watch_backup(response.backup.backup_id):
                    reporter.seen(backup)
    for path, value in _members(backup).items():
        write_text(f"backup.{path:<50}{value}")
    write_text(f'Against AWS: the same with FsxCopyClient("{_DESTINATION}") and credentials.')
    return Exit.DONE


def _members(backup: Backup) -> dict[str, str]:
    """Return members as a program would write them, with their values."""
    deployment_type = "file_system.lustre_configuration.deployment_type"
    return {
        "lifecycle": f"BackupLifecycle.{backup.lifecycle.name}",
        "source_backup_id": repr(backup.source_backup_id),
        "source_backup_region": repr(backup.source_backup_region),
        "creation_time": backup.creation_time.isoformat(),
        **{f"tags[{number}]": repr(tag) for number, tag in enumerate(backup.tags)},
        deployment_type: f"LustreDeploymentType.{attrgetter(deployment_type)(backup).name}",
    }

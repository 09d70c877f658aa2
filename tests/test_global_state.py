"""What belongs to the whole process is left to the program that runs in it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# The program records which modules register functions for forks, because Python has no
# list of them to read.
_PROGRAM = """
import asyncio, gc, os, sys
registered = []
register = os.register_at_fork
def record(**functions):
    registered.append(sys._getframe(1).f_globals["__name__"])
    register(**functions)
os.register_at_fork = record
{setting}
def state():
    return gc.get_threshold(), gc.isenabled(), gc.get_freeze_count() > 0, gc.callbacks
before = state()
import fsxcopy_sdk
from fsxcopy_sdk import FsxCopyClient, from_dict, to_dict
from fsxcopy_sdk.testing import ManualClock, LocalFsx
during = []
async def use():
    clock = ManualClock(auto_advance=True)
    async with LocalFsx(clock=clock) as fsx:
        source = fsx.add_example_backup()
        url = fsx.endpoint_url
        async with FsxCopyClient("us-west-2", endpoint_url=url, clock=clock) as client:
            copy = await client.copy_backup(source, source_region="us-east-2")
            await client.wait_until_backup_available(copy.backup.backup_id)
            async for backup in client.iter_backups():
                during.append(state())
                from_dict(type(backup), to_dict(backup))
asyncio.run(use())
ours = [name for name in registered if name.startswith("fsxcopy_sdk")]
print(len(during), *(seen == before for seen in (*during, state())), ours)
"""


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="Windows does not fork")
@pytest.mark.parametrize(
    "setting",
    ["", "gc.disable()", "gc.set_threshold(0)", "gc.set_threshold(5000, 20, 30)", "gc.freeze()"],
)
def test_the_collector_and_forks_are_the_programs_own(setting: str) -> None:
    """Importing and using the package changes no setting of the collector and hooks no fork."""
    credentials = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "any"}

    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(setting=setting)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **credentials},
    )

    assert "1 True True []\n" == done.stdout

"""A local FSx for the clients of other people, and an environment that leads them there."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fsxcopy_sdk.testing import LocalFsx, ManualClock


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    """Return a clock at zero."""
    return ManualClock()


@pytest.fixture(name="fsx")
async def _fsx(clock: ManualClock) -> AsyncIterator[LocalFsx]:
    """Serve a local FSx where a copy takes 100 seconds of the clock."""
    async with LocalFsx(clock=clock, copy_duration=100) as fsx:
        yield fsx


@pytest.fixture(name="source")
async def _source(fsx: LocalFsx) -> str:
    """Put the example backup into us-east-2."""
    return fsx.add_example_backup()


@pytest.fixture(name="environment")
def _environment(fsx: LocalFsx, tmp_path: Path) -> dict[str, str]:
    """Return what a program needs to reach it as us-west-2."""
    return {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ENDPOINT_URL_FSX": fsx.endpoint_url,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        "HOME": str(tmp_path),
    }

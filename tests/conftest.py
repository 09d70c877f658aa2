"""What every test stands on: an empty AWS environment and a local FSx."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.testing import LocalFsx, ManualClock

pytest_plugins = ["pytester"]


def pytest_configure() -> None:
    """Let signals interrupt the commands that tests start, also where they are ignored here."""
    # A shell starts background jobs so that they ignore SIGINT, nohup SIGHUP; children inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):  # not on Windows
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _isolate_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wipe what the machine says of AWS, so that no test can reach it."""
    for name in list(os.environ):
        is_of_aws = name.startswith(("AWS_", "BOTO_")) or name == "REQUESTS_CA_BUNDLE"
        if is_of_aws or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    """A clock that advances when a task sleeps on it."""
    return ManualClock(auto_advance=True)


@pytest.fixture(name="fsx")
async def _fsx(clock: ManualClock) -> AsyncIterator[LocalFsx]:
    """A local FSx with the service's example backup in us-east-2."""
    async with LocalFsx(clock=clock) as fsx:
        fsx.add_example_backup()
        yield fsx


@pytest.fixture(name="session")
def _session() -> AioSession:
    """An aiobotocore session with temporary credentials."""
    session = AioSession()
    session.set_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", "the-session-token")
    return session


@pytest.fixture(name="config")
def _config() -> AioConfig:
    """One attempt, so that a test sees each answer; what retries does says so itself."""
    return AioConfig(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)


class Connect(Protocol):
    """Make a client at a local FSx; it is opened by ``async with``."""

    def __call__(
        self,
        fsx: LocalFsx,
        *,
        region: str = "us-west-2",
        config: AioConfig | None = None,
        clock: ManualClock | None = None,
    ) -> FsxCopyClient: ...


@pytest.fixture(name="connect")
def _connect(session: AioSession, config: AioConfig, clock: ManualClock) -> Connect:
    """A way to clients of any local FSx, on the clock of the test."""

    def connect(
        fsx: LocalFsx,
        *,
        region: str = "us-west-2",
        config: AioConfig | None = config,
        clock: ManualClock | None = clock,
    ) -> FsxCopyClient:
        return FsxCopyClient(
            region, session=session, endpoint_url=fsx.endpoint_url, config=config, clock=clock
        )

    return connect


@pytest.fixture(name="client")
async def _client(fsx: LocalFsx, connect: Connect) -> AsyncIterator[FsxCopyClient]:
    """A client of us-west-2 at the local FSx of the test."""
    async with connect(fsx) as client:
        yield client


@pytest.fixture(name="served")
def _served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local FSx in a process of its own, where the environment says that AWS is."""
    command = [sys.executable, "-m", "fsxcopy_sdk.testing", "--with-example"]
    with subprocess.Popen(
        [*command, "--copy-duration", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        monkeypatch.setenv("AWS_ENDPOINT_URL_FSX", server.stdout.readline().strip())
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        yield
        server.terminate()

"""The FastAPI application, called as a server calls it: by ASGI, without a socket of its own."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest
from examples_rig import EXAMPLES, load

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect

EXAMPLE, EAST, WEST = "backup-03e3c82e0183b7b6b", "us-east-2", "us-west-2"

program = load(EXAMPLES / "fastapi_app.py")


@pytest.fixture(name="browser")
async def _browser(client: FsxCopyClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, which has the client of the test."""
    program.app.dependency_overrides[program.opened] = lambda: client
    transport = httpx.ASGITransport(program.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
        yield browser
    program.app.dependency_overrides.clear()


@attrs.define
class Following:
    """One browser that follows a copy; what it has received so far."""

    backup_id: str
    body: bytes = b""
    status: int = 0
    came: anyio.Event = attrs.field(factory=anyio.Event)
    left: anyio.Event = attrs.field(factory=anyio.Event)
    """Set to go away."""

    async def run(self) -> None:
        """Follow until the end, or until it goes away."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": f"/copies/{self.backup_id}/events",
            "query_string": b"",
            "headers": [(b"accept", b"text/event-stream")],
        }
        await program.app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, object]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)
        if part := message.get("body"):
            self.body += part
            self.came.set()

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The names and the data of the events."""
        found = re.findall(r"^event: (.*)\ndata: (.*)$", self.body.decode(), re.MULTILINE)
        return [(name, json.loads(data)) for name, data in found]


async def _begin(browser: httpx.AsyncClient, source: str = EXAMPLE) -> httpx.Response:
    new = {"SourceBackupId": source, "SourceRegion": EAST}
    return await browser.post("/copies", json=new)


async def test_a_copy_is_begun_once(browser: httpx.AsyncClient, fsx: LocalFsx) -> None:
    """Two requests for the same copy have the same answer."""
    first, second = await _begin(browser), await _begin(browser)
    (copy,) = fsx.backups(WEST)
    assert [(202, {"BackupId": copy["BackupId"]})] * 2 == [
        (one.status_code, one.json()) for one in (first, second)
    ]


async def test_what_cannot_be_begun(browser: httpx.AsyncClient, fsx: LocalFsx) -> None:
    """Each kind of refusal has a status, and says why."""
    unknown = await _begin(browser, "backup-00000000")
    wrong = await _begin(browser, "no backup")
    for _ in range(5):
        await _begin(browser, fsx.add_backup(EAST))
    full = await _begin(browser)

    assert (404, "BackupNotFound") == (unknown.status_code, unknown.json()["Type"])
    assert (422, "InvalidArguments") == (wrong.status_code, wrong.json()["Type"])
    assert (503, "300") == (full.status_code, full.headers["Retry-After"])
    assert "5 copies are in progress" in full.json()["detail"]


async def test_an_answer_that_is_lost(browser: httpx.AsyncClient, fsx: LocalFsx) -> None:
    """What may have been accepted is not to be requested again soon."""
    fsx.inject(Fault.reset(), fraction=1, operation="CopyBackup", after=True)
    lost = await _begin(browser)
    assert (503, "3600") == (lost.status_code, lost.headers["Retry-After"])


async def test_a_copy_is_followed_to_its_end(browser: httpx.AsyncClient) -> None:
    """There is an event for each observation, and a last one."""
    copy = (await _begin(browser)).json()["BackupId"]
    following = Following(copy)
    await following.run()

    *seen, last = following.events
    assert 200 == following.status
    assert {"seen"} == {name for name, _ in seen}
    assert {"Lifecycle": "COPYING", "ProgressPercent": 0} == seen[0][1]
    assert {"Lifecycle": "AVAILABLE", "ProgressPercent": 100} == seen[-1][1]
    assert ("available", {"BackupId": copy}) == last


async def test_a_copy_that_fails(browser: httpx.AsyncClient, fsx: LocalFsx) -> None:
    """The last event says why."""
    copy = (await _begin(browser)).json()["BackupId"]
    fsx.fail_copy(copy, "the key is disabled")
    following = Following(copy)
    await following.run()
    name, error = following.events[-1]
    assert ("ended", "BackupCopyFailed") == (name, error["Type"])
    assert "the key is disabled" in error["Message"]


async def test_browsers_share_the_polls(browser: httpx.AsyncClient, fsx: LocalFsx) -> None:
    """A hundred browsers cost about as many calls as one."""
    calls = []
    for browsers in (1, 100):
        copy = (await _begin(browser, fsx.add_backup(EAST))).json()["BackupId"]
        before = fsx.calls["DescribeBackups"]
        async with anyio.create_task_group() as group:
            for _ in range(browsers):
                group.start_soon(Following(copy).run)
        calls.append(fsx.calls["DescribeBackups"] - before)
    assert calls[1] <= 1.5 * calls[0] + 2
    print(f"calls for one browser and for a hundred: {calls}")  # noqa: T201 - shown by -rP


async def test_a_browser_that_goes_away_ends_its_wait(
    fsx: LocalFsx, connect: Connect, browser: httpx.AsyncClient
) -> None:
    """The wait of another one continues."""
    copy = (await _begin(browser)).json()["BackupId"]
    still = ManualClock()
    async with connect(fsx, clock=still) as client, anyio.create_task_group() as group:
        program.app.dependency_overrides[program.opened] = lambda: client
        leaving, staying = Following(copy), Following(copy)
        ended = anyio.Event()

        async def leave() -> None:
            await leaving.run()
            ended.set()

        group.start_soon(leave)
        group.start_soon(staying.run)
        await leaving.came.wait()
        await staying.came.wait()
        leaving.left.set()
        await ended.wait()
        await still.until_sleeping(1)
        assert 1 == still.sleeping

        staying.left.set()
    assert 0 == still.sleeping
    assert 1 == fsx.copies_in_progress(WEST)


async def test_the_application_opens_a_client(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is that of the environment, and is closed at the end."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_REGION", WEST)
    monkeypatch.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
    transport = httpx.ASGITransport(program.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
        async with program.app.router.lifespan_context(program.app):
            assert 202 == (await _begin(browser)).status_code
        assert "ClientNotOpen" == (await _begin(browser)).json()["Type"]

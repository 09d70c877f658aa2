"""
A client starts without holding the event loop up, and takes from a session what it needs.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.lowlevel
import pytest
import trio
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader, create_loader

from fsxcopy_sdk import ConfigurationError, FsxCopyClient
from fsxcopy_sdk._transport import direct_config, isolated_session, session_of_profile
from fsxcopy_sdk._transport._exchange import _origin
from fsxcopy_sdk._transport._files import read_all, shared_loader
from fsxcopy_sdk._transport._starting import prepare, taking_turns
from fsxcopy_sdk.testing import EXAMPLE_REGION, LocalFsx

_READ_FOR_A_CLIENT = {
    "_retry",
    "endpoint-rule-set-1",
    "endpoints",
    "partitions",
    "sdk-default-configuration",
    "service-2",
}

_MERGE_KEEPS = AioConfig(warm_up_loader_caches=True).merge(AioConfig()).warm_up_loader_caches
"""Whether this version of aiobotocore keeps its own options; the lowest one does not."""

Main: TypeAlias = Callable[[], Coroutine[object, object, None]]
Run: TypeAlias = Callable[[Main], None]


class _Watched(JSONFileLoader):
    """
    botocore's way to its files, which says what is read, and in which thread.
    """

    def __init__(self) -> None:
        self.read: list[tuple[str, threading.Thread]] = []

    def load_file(self, file_path: str) -> object:
        self.read.append((Path(file_path).name, threading.current_thread()))
        return super().load_file(file_path)


def _watch(session: AioSession) -> _Watched:
    watched = _Watched()
    session.register_component("data_loader", Loader(file_loader=watched))
    return watched


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
async def test_no_file_is_read_on_the_event_loop(session: AioSession, mode: str) -> None:
    """
    What botocore reads for a client is read in another thread, and no more than that.
    """
    watched = _watch(session)

    async with FsxCopyClient(
        "us-west-2", session=session, config=AioConfig(retries={"mode": mode})
    ):
        pass

    assert threading.main_thread() not in {thread for _, thread in watched.read}
    assert {name for name, _ in watched.read if "extras" not in name} >= _READ_FOR_A_CLIENT
    assert not [name for name, _ in watched.read if name.startswith(("paginators", "examples"))]


async def test_a_session_serves_many_regions(session: AioSession) -> None:
    """
    The second client of a session reads nothing.
    """
    watched = _watch(session)
    async with FsxCopyClient("us-west-2", session=session):
        watched.read.clear()

    async with FsxCopyClient("eu-central-1", session=session):
        pass

    assert [] == watched.read


async def test_clients_without_a_session_share_the_files_alone() -> None:
    """
    Each has a session of its own, for the environment as it is; the files are read once.
    """
    first, _ = await prepare(None, None)
    second, _ = await prepare(None, None)
    sessions = [first, second, session_of_profile(), isolated_session("AKID", "any")]

    assert 4 == len(set(map(id, sessions)))
    assert 1 == len({id(session.get_component("data_loader")) for session in sessions})
    assert 4 == len({id(session.get_component("config_store")) for session in sessions})


async def test_the_users_session_keeps_its_loader(session: AioSession) -> None:
    """
    A session that was given is used as it is.
    """
    loader = session.get_component("data_loader")

    used, _ = await prepare(session, None)

    assert session is used
    assert loader is session.get_component("data_loader")
    assert JSONFileLoader is type(loader.file_loader)


class _Own:
    """
    A loader that is none of botocore's but does as they do.
    """

    def __init__(self) -> None:
        self._loader = Loader()
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        if name == "file_loader":
            raise AttributeError(name)
        self.asked.append(name)
        return getattr(self._loader, name)


async def test_a_loader_of_the_users_own_kind_is_used(fsx: LocalFsx, session: AioSession) -> None:
    """
    A loader need have no more than botocore asks of it.
    """
    loader = _Own()
    session.register_component("data_loader", loader)

    async with FsxCopyClient(
        EXAMPLE_REGION, session=session, endpoint_url=fsx.endpoint_url
    ) as client:
        await client.describe_backups()

    assert "load_service_model" in loader.asked


class _Strict(JSONFileLoader):
    """
    A way to files that nobody should go.
    """

    def load_file(self, file_path: str) -> object:
        raise AssertionError(file_path)


def test_what_was_read_stays_with_the_users_loader() -> None:
    """
    What is read for a client is there for all others of the session.
    """
    loader = Loader()

    read_all(loader)
    way_to_files = loader.file_loader
    loader.file_loader = _Strict()

    assert JSONFileLoader is type(way_to_files)
    assert "partitions" in loader.load_data("endpoints")
    assert "operations" in loader.load_service_model("fsx", "service-2", api_version=None)


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    """
    Folders and files of a user's that stand where others are looked for are no fault.
    """
    (tmp_path / "endpoints.json").mkdir()
    (tmp_path / "partitions").write_text("no folder")
    (tmp_path / "fsx").mkdir()
    (tmp_path / "fsx" / "2018-03-01").write_text("no folder")
    theirs = create_loader(str(tmp_path))

    read_all(theirs)
    read_all(shared_loader(str(tmp_path)))

    assert theirs.load_data("endpoints") == Loader().load_data("endpoints")


async def test_the_environment_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A client sees the Region of the environment as it is when the client is opened.
    """
    regions = []
    for region in ("us-west-2", "eu-central-1"):
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        async with FsxCopyClient() as client:
            regions.append(client.region)

    assert ["us-west-2", "eu-central-1"] == regions


@pytest.mark.parametrize("name", sorted(_READ_FOR_A_CLIENT))
def test_files_say_what_botocore_reads(name: str) -> None:
    """
    Our way to the files gives the same data, compressed or not.
    """
    ours = shared_loader.__wrapped__(None)  # nobody else's, so that nothing was filled in yet
    path = name if "-" not in name or name.startswith("sdk") else f"fsx/2018-03-01/{name}"

    assert Loader().load_data(path) == ours.load_data(path)


def test_every_service_of_botocore_is_known() -> None:
    """
    The quicker list of services lacks none that botocore finds.
    """
    theirs = Loader().list_available_services("service-2")

    assert [] == sorted(
        set(theirs) - set(shared_loader(None).list_available_services("service-2"))
    )


@pytest.mark.parametrize(
    ("service", "version"), [("no-such-service", None), ("fsx", None), ("fsx", "2018-03-01")]
)
def test_what_a_service_lacks_is_unknown(service: str, version: str | None) -> None:
    """
    What there is no file of is the same fault as in botocore.
    """
    for loader in (Loader(), shared_loader(None)):
        with pytest.raises(UnknownServiceError, match=f"^Unknown service: '{service}'"):
            loader.load_service_model(service, "waiters-2", version)


async def test_a_client_can_be_warmed_up_by_aiobotocore_too(fsx: LocalFsx) -> None:
    """
    Its own way to read files before a client is made still works.
    """
    async with FsxCopyClient(
        "us-west-2", endpoint_url=fsx.endpoint_url, config=AioConfig(warm_up_loader_caches=True)
    ) as client:
        assert "us-west-2" == client.region


async def test_models_of_the_user_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    AWS_DATA_PATH has its say, for each of its values.
    """
    (tmp_path / "mine.json.gz").write_bytes(gzip.compress(json.dumps({"is": "mine"}).encode()))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    session, _ = await prepare(None, None)
    monkeypatch.delenv("AWS_DATA_PATH")
    other, _ = await prepare(None, None)

    assert {"is": "mine"} == session.get_component("data_loader").load_data("mine")
    assert other.get_component("data_loader") is not session.get_component("data_loader")


@pytest.mark.parametrize("run", [anyio.run, trio.run], ids=["asyncio", "trio"])
def test_what_goes_wrong_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An error from the other thread arrives, on every event loop.
    """
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="nobody"):
            await FsxCopyClient("us-west-2").__aenter__()

    run(main)


async def _turns_while_a_client_is_made(session: AioSession) -> int:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(count)
        await anyio.lowlevel.checkpoint()
        turns = 0
        async with session.create_client("fsx", region_name="us-west-2"):
            made = turns
        group.cancel_scope.cancel()
    return made


# trio shuffles the tasks of a turn, so one of the two may be missed there.
@pytest.mark.parametrize(
    ("run", "turns"), [(anyio.run, 2), (trio.run, 1)], ids=["asyncio", "trio"]
)
def test_other_tasks_run_while_a_client_is_made(run: Run, turns: int) -> None:
    """
    aiobotocore makes a client at one stretch; here other tasks have turns in the middle.

    The session that was given is left as it was.
    """

    async def main() -> None:
        session = AioSession()
        assert 0 == await _turns_while_a_client_is_made(session)
        with taking_turns(session):
            assert turns <= await _turns_while_a_client_is_made(session)
            with taking_turns(session):
                pass
            assert turns <= await _turns_while_a_client_is_made(session)
        with suppress(KeyError), taking_turns(session):
            raise KeyError
        assert 0 == await _turns_while_a_client_is_made(session)

    run(main)


async def test_a_session_of_the_users_has_turns_too(session: AioSession) -> None:
    """
    Whose session it is makes no difference to the event loop.
    """
    turns, seen = 0, []
    begun = anyio.Event()

    async def count() -> None:
        nonlocal turns
        await begun.wait()
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    def note(**_: object) -> None:
        begun.set()
        seen.append(turns)

    for event in ("choose-service-name", "creating-client-class.fsx"):
        session.register(event, note)
    async with anyio.create_task_group() as group:
        group.start_soon(count)
        async with FsxCopyClient("us-west-2", session=session):
            seen.append(turns)
        group.cancel_scope.cancel()

    assert sorted(set(seen)) == seen


async def _user_agent(fsx: LocalFsx, session: AioSession, config: AioConfig) -> str:
    async with FsxCopyClient(
        "us-west-2", session=session, endpoint_url=fsx.endpoint_url, config=config
    ) as client:
        await client.describe_backups()
    return fsx.requests[-1].headers["user-agent"]


async def test_requests_say_who_calls(fsx: LocalFsx, session: AioSession) -> None:
    """
    The User-Agent names aiobotocore, Python, the system, this package and botocore once.
    """
    session.user_agent_name = "my-tool"

    text = await _user_agent(fsx, session, AioConfig(user_agent_extra="job/7"))

    products = [product.partition("/")[0] for product in text.split()]
    assert ["my-tool", "Python", "Linux", "lib", "botocore", "job"] == products


@pytest.mark.parametrize("source", ["config", "default", "environment"])
async def test_requests_say_for_which_application(
    fsx: LocalFsx, session: AioSession, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """
    The application's id is sent from wherever it is configured, without foreign letters.
    """
    config = AioConfig(user_agent_appid="my app\r\nX-Evil: 1") if source == "config" else None
    if source == "environment":
        monkeypatch.setenv("AWS_SDK_UA_APP_ID", "my app\r\nX-Evil: 1")
    if source == "default":
        if not _MERGE_KEEPS:
            pytest.skip("this aiobotocore forgets it")
        session.set_default_client_config(AioConfig(user_agent_appid="my app\r\nX-Evil: 1"))

    _, careful = await prepare(session, config)

    assert careful.user_agent is not None
    assert careful.user_agent.endswith(" app/my-app--X-Evil--1")


async def test_a_user_agent_of_the_user_is_sent(fsx: LocalFsx, session: AioSession) -> None:
    """
    A config's own User-Agent comes first, with what botocore adds.
    """
    text = await _user_agent(fsx, session, AioConfig(user_agent="mine/1"))

    assert ["mine", "botocore"] == [product.partition("/")[0] for product in text.split()]


@pytest.mark.skipif(not _MERGE_KEEPS, reason="this aiobotocore forgets it")
async def test_a_user_agent_of_the_sessions_default_is_kept(session: AioSession) -> None:
    """
    The default client config of a session has its say too.
    """
    session.set_default_client_config(AioConfig(user_agent="mine/1"))

    _, careful = await prepare(session, None)

    assert "mine/1" == careful.user_agent


async def test_an_isolated_session_takes_nothing_from_the_machine(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    Neither a profile, nor files, nor a proxy come between it and the endpoint.
    """
    for name in ("config", "credentials"):
        (tmp_path / name).write_text("[default]\naws_access_key_id = AKIDFILE\nregion = no\n")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async with FsxCopyClient(
        EXAMPLE_REGION,
        session=isolated_session("AKIDEXAMPLE", "any"),
        endpoint_url=fsx.endpoint_url,
        config=direct_config(),
    ) as client:
        page = await client.describe_backups()

    assert 1 == len(page.backups)
    assert EXAMPLE_REGION == fsx.requests[-1].region


async def test_a_proxy_of_the_machine_is_used_otherwise(
    fsx: LocalFsx, session: AioSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The proxy of the last test would have been noticed.
    """
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    config = AioConfig(retries={"total_max_attempts": 1})

    async with FsxCopyClient(
        "us-west-2", session=session, endpoint_url=fsx.endpoint_url, config=config
    ) as client:
        with pytest.raises(Exception, match="127.0.0.1:9"):
            await client.describe_backups()


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("http://fsx.example/", "http://fsx.example:80/x", True),
        ("https://fsx.example/", "https://fsx.example:443/x", True),
        ("https://FSX.example/", "https://fsx.example/", True),
        ("http://fsx.example/", "http://fsx.example:443/", False),
        ("https://fsx.example/", "https://fsx.example:80/", False),
        ("https://fsx.example/", "http://fsx.example/", False),
        ("https://fsx.example/", "https://fsx.example.evil/", False),
        ("https://fsx.example:8443/", "https://fsx.example/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, other: str, same: bool) -> None:
    """
    A port that is the scheme's own may be left out; nothing else may differ.
    """
    assert same == (_origin(url) == _origin(other))

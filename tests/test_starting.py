"""A client opens without blocking the event loop, with what its session and environment say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
import trio
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader

from fsxcopy_sdk import ConfigurationError, FsxCopyClient
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk._transport._config import build_config
from fsxcopy_sdk._transport._exchange import _origin
from fsxcopy_sdk._transport._http import BoundedSession, NoRedirectSession
from fsxcopy_sdk.testing import EXAMPLE_REGION, LocalFsx

if TYPE_CHECKING:
    from conftest import Connect

_READ_FOR_A_CLIENT = {
    "_retry",
    "endpoint-rule-set-1",
    "endpoints",
    "partitions",
    "sdk-default-configuration",
    "service-2",
}


class _OwnSession(AIOHTTPSession):
    """A user's own HTTP session."""


_OWN = AioConfig(http_session_cls=_OwnSession)

_merge_keeps = pytest.mark.skipif(
    _OWN.merge(AioConfig()).http_session_cls is not _OwnSession,
    reason="the lowest aiobotocore forgets its own options in a merge",
)


class _Watched(JSONFileLoader):
    """botocore's reader of files, which records what is read, and in which thread."""

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
    """What botocore reads for a client is read in another thread."""
    watched = _watch(session)
    config = AioConfig(retries={"mode": mode})
    async with FsxCopyClient("us-west-2", session=session, config=config):
        pass
    assert {name for name, _ in watched.read} >= _READ_FOR_A_CLIENT
    assert [] == [name for name, thread in watched.read if thread is threading.main_thread()]


async def test_a_session_serves_many_regions(session: AioSession) -> None:
    """The second client of a session reads nothing."""
    watched = _watch(session)
    async with FsxCopyClient("us-west-2", session=session):
        watched.read.clear()
    async with FsxCopyClient("eu-central-1", session=session):
        pass
    assert [] == watched.read


async def test_the_environment_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client sees the Region of the environment as it is when the client is opened."""
    regions = []
    for region in ("us-west-2", "eu-central-1"):
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        async with FsxCopyClient() as client:
            regions.append(client.region)
    assert ["us-west-2", "eu-central-1"] == regions


@pytest.mark.skipif(
    not hasattr(AioSession, "warm_up_loader_caches"),
    reason="the lowest aiobotocore cannot do that",
)
async def test_a_client_can_be_warmed_up_by_aiobotocore_too() -> None:
    """Its own option to read files before a client is made still works."""
    config = AioConfig(warm_up_loader_caches=True)
    async with FsxCopyClient("us-west-2", config=config) as client:
        assert "us-west-2" == client.region


@pytest.mark.parametrize("run", [anyio.run, trio.run], ids=["asyncio", "trio"])
def test_a_failure_to_open_is_raised(
    run: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error from the other thread reaches the caller, on every event loop."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="no-such-profile"):
            await FsxCopyClient("us-west-2").__aenter__()

    run(main)


async def _products(fsx: LocalFsx, client: FsxCopyClient) -> list[str]:
    """Return the names in the User-Agent of a client's request."""
    async with client:
        await client.describe_backups()
    return [one.partition("/")[0] for one in fsx.requests[-1].headers["user-agent"].split()]


async def test_requests_say_who_calls(
    fsx: LocalFsx, session: AioSession, connect: Connect
) -> None:
    """The User-Agent names aiobotocore, Python, the system, this package and botocore once."""
    session.user_agent_name = "my-tool"
    client = connect(fsx, config=AioConfig(user_agent_extra="job/7"))
    expected = ["my-tool", "Python", "Linux", "lib", "botocore", "job"]
    assert expected == await _products(fsx, client)


@pytest.mark.parametrize(
    "source", ["config", pytest.param("default", marks=_merge_keeps), "environment"]
)
async def test_requests_say_for_which_application(
    session: AioSession, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """The application's id is sent from wherever it is configured, without foreign letters."""
    name = "my app\r\nX-Evil: 1"
    config = AioConfig(user_agent_appid=name) if source == "config" else None
    if source == "environment":
        monkeypatch.setenv("AWS_SDK_UA_APP_ID", name)
    if source == "default":
        session.set_default_client_config(AioConfig(user_agent_appid=name))

    user_agent = build_config(session, config).user_agent

    assert user_agent is not None
    assert user_agent.endswith(" app/my-app--X-Evil--1")


async def test_a_user_agent_of_the_user_is_sent(fsx: LocalFsx, connect: Connect) -> None:
    """A config's own User-Agent comes first, with what botocore adds."""
    client = connect(fsx, config=AioConfig(user_agent="mine/1"))
    assert ["mine", "botocore"] == await _products(fsx, client)


@_merge_keeps
async def test_a_user_agent_of_the_sessions_default_is_kept(session: AioSession) -> None:
    """The default client config of a session has its say too."""
    session.set_default_client_config(AioConfig(user_agent="mine/1"))
    assert "mine/1" == build_config(session, None).user_agent


async def test_an_isolated_session_takes_nothing_from_the_machine(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a profile, nor files, nor a proxy come between it and the endpoint."""
    for name in ("config", "credentials"):
        (tmp_path / name).write_text("[default]\naws_access_key_id = AKIDFILE\nregion = no\n")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
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
    fsx: LocalFsx, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy of the last test would have been noticed."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with connect(fsx) as client:
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
    """A port that is the scheme's own may be left out; nothing else may differ."""
    assert same == (_origin(url) == _origin(other))


@pytest.mark.parametrize(
    ("default", "config", "expected"),
    [
        pytest.param(None, None, AIOHTTPSession, id="none"),
        pytest.param(None, Config(read_timeout=3), AIOHTTPSession, id="plain"),
        pytest.param(None, _OWN, _OwnSession, id="own"),
        pytest.param(
            None, AioConfig(http_session_cls=NoRedirectSession), NoRedirectSession, id="ours"
        ),
        pytest.param(AioConfig(), None, AIOHTTPSession, id="default", marks=_merge_keeps),
        pytest.param(_OWN, None, _OwnSession, id="own as default", marks=_merge_keeps),
        pytest.param(
            _OWN, Config(read_timeout=3), _OwnSession, id="plain over own", marks=_merge_keeps
        ),
        pytest.param(AioConfig(), _OWN, _OwnSession, id="own over default", marks=_merge_keeps),
    ],
)
def test_http_session_is_the_users_or_ours(
    session: AioSession,
    default: Config | None,
    config: Config | None,
    expected: type[AIOHTTPSession],
) -> None:
    """The HTTP session is of the class that was asked for, but follows no redirects."""
    if default is not None:
        session.set_default_client_config(default)
    careful = build_config(session, config)
    assert issubclass(careful.http_session_cls, expected)
    assert issubclass(careful.http_session_cls, NoRedirectSession)
    assert not careful.parameter_validation


@pytest.mark.parametrize("config", [None, _OWN], ids=["none", "own"])
def test_a_default_that_cannot_hold_the_session_is_refused(
    session: AioSession, config: AioConfig | None
) -> None:
    """With a plain botocore config as the session's default nothing is made."""
    session.set_default_client_config(Config(read_timeout=3))
    with pytest.raises(ConfigurationError, match="give it as config="):
        build_config(session, config)


def test_a_session_of_another_library_has_bounds(session: AioSession) -> None:
    """The httpx backend follows no redirects by itself, and is bounded like the other."""
    careful = build_config(session, AioConfig(http_session_cls=HttpxSession))
    assert issubclass(careful.http_session_cls, HttpxSession)
    assert issubclass(careful.http_session_cls, BoundedSession)


def test_the_users_config_is_not_changed(session: AioSession) -> None:
    """The config that was given can be used for other clients as before."""
    config = AioConfig()
    build_config(session, config)
    assert AIOHTTPSession is config.http_session_cls
    assert config.parameter_validation
    assert config.user_agent is None

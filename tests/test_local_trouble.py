"""What never leaves this machine: one clear error at once, in bulk as in a single call."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
import trio
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.session import AioSession
from aiohttp import web
from raw_peer import SOURCE, client_of, raw_peer

from fsxcopy_sdk import (
    ConfigurationError,
    ConnectionFailed,
    FsxCopyClient,
    FsxCopyError,
    NoResponse,
)
from fsxcopy_sdk.bulk import CopyRequest, copy_many
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect


async def _wait(client: FsxCopyClient) -> None:
    await client.wait_until_backup_available(SOURCE)


async def _copy(client: FsxCopyClient) -> None:
    await client.copy_backup(SOURCE)


async def _copy_many(client: FsxCopyClient) -> None:
    """Copy in bulk, and raise what that reports."""
    request = CopyRequest(source_backup_id=SOURCE, source_region=EXAMPLE_REGION)
    async with copy_many(client, [request]) as copies:
        async for outcome in copies:
            assert outcome.error is not None
            raise outcome.error


CALLS = {"copy": _copy, "wait": _wait, "bulk": _copy_many}
_every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
_needs_httpx = pytest.mark.skipif(
    find_spec("httpx2") is None, reason="aiobotocore runs on trio from 3.9, with its extra httpx2"
)
_every_session = pytest.mark.parametrize(
    "session_class", [AIOHTTPSession, pytest.param(HttpxSession, marks=_needs_httpx)]
)


_OPENSSL = (
    *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
    *("-subj", "/CN=proxy.example", "-keyout", "key.pem", "-out", "certificate.pem"),
)


@pytest.fixture(name="certificate")
def _certificate(tmp_path: Path) -> Path:
    """Make a certificate that nothing trusts, and beside it its key."""
    subprocess.run(_OPENSSL, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "certificate.pem"


@pytest.fixture(name="untrusted")
async def _untrusted(certificate: Path) -> AsyncIterator[str]:
    """Serve TLS with that certificate."""
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    host, port = runner.addresses[0]
    yield f"https://{host}:{port}"
    await runner.cleanup()


@_every_session
async def test_a_peer_that_fails_in_the_handshake_may_recover(session_class: type) -> None:
    """The alert `internal_error`, as of a load balancer, is no setting of this machine."""

    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"\x15\x03\x03\x00\x02\x02\x50")
        writer.close()

    async with await asyncio.start_server(fail, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with client_of(url, http_session_cls=session_class) as client:
            with pytest.raises(ConnectionFailed) as caught:
                await client.describe_backup(SOURCE)
    assert (True, False) == (caught.value.is_transient, caught.value.may_have_been_sent)


@_every_session
@_every_call
async def test_a_certificate_that_is_not_trusted_is_told_at_once(
    untrusted: str, session_class: type, call: Callable[[FsxCopyClient], Awaitable[None]]
) -> None:
    """The error names the call and the places where trusted certificates come from."""
    client = client_of(untrusted, http_session_cls=session_class)
    begun = client.clock.now()
    async with client:
        with pytest.raises(
            ConfigurationError, match="CERTIFICATE_VERIFY.*AWS_CA_BUNDLE"
        ) as caught:
            await call(client)
    assert begun == client.clock.now()
    assert "us-west-2" == caught.value.region
    assert caught.value.operation in {"CopyBackup", "DescribeBackups"}


BUNDLES = {
    "AWS_CA_BUNDLE": "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE": "REQUESTS_CA_BUNDLE",
    "profile": "ca_bundle of the profile",
}


@_every_session
@pytest.mark.parametrize("kind", ["missing", "folder", "no certificate"])
@pytest.mark.parametrize("place", BUNDLES)
async def test_a_bundle_that_cannot_be_loaded_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str, kind: str, session_class: type
) -> None:
    """File and variable are named when the client is opened, also for an endpoint without TLS."""
    bundle = tmp_path / "bundle.pem"
    if kind == "folder":
        bundle.mkdir()
    elif kind == "no certificate":
        bundle.write_text("no certificate")
    if place == "profile":
        (tmp_path / "config").write_text(f"[default]\nca_bundle = {bundle}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    else:
        monkeypatch.setenv(place, str(bundle))
    async with raw_peer() as peer:
        client = FsxCopyClient(
            "us-west-2",
            session=AioSession(),
            endpoint_url=peer.url,
            config=AioConfig(http_session_cls=session_class),
        )
        with pytest.raises(ConfigurationError, match=f"^{BUNDLES[place]}: '{bundle}' cannot be"):
            await client.__aenter__()


@pytest.mark.parametrize("is_pair", [True, False])
async def test_a_certificate_of_the_client_that_cannot_be_loaded_is_named(
    fsx: LocalFsx, connect: Connect, is_pair: bool
) -> None:
    """The certificate of `client_cert` is read when the client is opened."""
    file = "/no/such.pem"
    config = AioConfig(client_cert=(file, file) if is_pair else file)
    with pytest.raises(ConfigurationError, match=r"^config.client_cert: .*/no/such\.pem"):
        await connect(fsx, config=config).__aenter__()


async def test_a_bundle_that_can_be_loaded_is_used(
    untrusted: str, certificate: Path, config: AioConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the certificate as the bundle, what is wrong is its name, if that is checked at all."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    client = FsxCopyClient("us-west-2", session=_session(), endpoint_url=untrusted, config=config)
    async with client:
        # aiobotocore 2.25 checks no name, and gets the answer of the server.
        with pytest.raises(FsxCopyError, match=r"IP address mismatch|HTTP 404"):
            await client.describe_backups()


def _session() -> AioSession:
    session = AioSession()
    session.set_credentials("AKIDEXAMPLE", "secret")
    return session


@_every_call
async def test_a_bundle_of_a_wrapped_client_is_found_by_the_call(
    call: Callable[[FsxCopyClient], Awaitable[None]],
) -> None:
    """There the file is known to aiobotocore only, and the error names the places."""
    clock = ManualClock(auto_advance=True)
    begun = clock.now()
    async with (
        raw_peer() as peer,
        _session().create_client(
            "fsx", region_name="us-west-2", endpoint_url=peer.url, verify="/no/such.pem"
        ) as raw,
    ):
        client = FsxCopyClient.from_client(raw, clock=clock)
        with pytest.raises(ConfigurationError, match="verify="):
            await call(client)
    assert begun == clock.now()
    assert [] == peer.requests


ENDPOINTS = [
    "",
    "127.0.0.1:9",
    "ftp://127.0.0.1:9",
    "http://",
    "http:///path",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:0",
    "http://127.0.0.1:port",
    "http://[::1",
    "http://two words:9",
    "http://a..example",
]


@pytest.mark.parametrize("place", ["argument", "AWS_ENDPOINT_URL_FSX", "AWS_ENDPOINT_URL"])
@pytest.mark.parametrize("url", ENDPOINTS)
async def test_an_endpoint_that_is_none_is_told_at_the_opening(
    session: AioSession, monkeypatch: pytest.MonkeyPatch, url: str, place: str
) -> None:
    """The error says where an endpoint could have come from; an empty variable is none."""
    if place != "argument":
        monkeypatch.setenv(place, url)
    argument = url if place == "argument" else None
    client = FsxCopyClient("us-west-2", session=session, endpoint_url=argument)
    if not url and argument is None:
        async with client:
            return
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL_FSX"):
        await client.__aenter__()


async def test_an_endpoint_of_a_wrapped_client_is_found_by_the_call(session: AioSession) -> None:
    """A scheme that nothing speaks is no outage."""
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url="ftp://fsx.example"
    ) as raw:
        with pytest.raises(ConfigurationError, match="ftp"):
            await _copy_many(FsxCopyClient.from_client(raw))


@pytest.mark.parametrize("proxy", ["http://[::1", "http://127.0.0.1:99999"])
async def test_a_proxy_that_is_none_is_told_at_once(
    fsx: LocalFsx, connect: Connect, proxy: str
) -> None:
    """It is found at the first call, by what it is configured with."""
    config = AioConfig(proxies={"http": proxy}, retries={"total_max_attempts": 1})
    async with connect(fsx, config=config) as client:
        with pytest.raises(ConfigurationError, match="proxies_config|InvalidURL"):
            await _copy_many(client)


@_every_session
async def test_a_header_with_a_line_break_is_named(
    fsx: LocalFsx, connect: Connect, session_class: type
) -> None:
    """A User-Agent that ends the header is refused before a connection is made."""
    config = AioConfig(user_agent="mine\nX-Evil: 1", http_session_cls=session_class)
    async with connect(fsx, config=config) as client:
        with pytest.raises(ConfigurationError, match="header User-Agent"):
            await _copy_many(client)
    assert [] == list(fsx.requests)


async def test_a_variable_that_does_not_parse_is_named(
    fsx: LocalFsx, session: AioSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore's error has the value only."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")
    client = FsxCopyClient("us-west-2", session=session, endpoint_url=fsx.endpoint_url)
    with pytest.raises(ConfigurationError, match="the value of AWS_MAX_ATTEMPTS"):
        await client.__aenter__()


async def test_a_number_of_the_profile_that_does_not_parse_is_told(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The error has the value only, and no variable has it."""
    (tmp_path / "config").write_text("[default]\nmax_attempts = many\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_MAX_ATTEMPTS", raising=False)
    client = FsxCopyClient("us-west-2", session=AioSession(), endpoint_url=fsx.endpoint_url)
    with pytest.raises(ConfigurationError, match="'many' .*the profile, such as max_attempts"):
        await client.__aenter__()


# Hooks of the user.

SENT = {
    "provide-client-params": False,
    "before-sign": False,
    "before-send": False,
    "before-parse": True,
    "after-call": True,
}


@pytest.mark.parametrize(("event", "is_sent"), SENT.items(), ids=SENT)
async def test_a_hook_that_raises_is_told_at_once(
    fsx: LocalFsx, session: AioSession, config: AioConfig, event: str, is_sent: bool
) -> None:
    """Before anything is sent it is a matter of the set-up, and after that the token survives."""
    clock = ManualClock(auto_advance=True)
    begun = clock.now()
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url=fsx.endpoint_url, config=config
    ) as raw:
        client = FsxCopyClient.from_client(raw, clock=clock)
        await client.describe_backups()  # so that the client has worked before
        raw.meta.events.register(f"{event}.fsx", Mock(side_effect=RuntimeError("a user's hook")))
        with pytest.raises((ConfigurationError, NoResponse), match="a user's hook") as caught:
            await client.copy_backup(SOURCE, client_request_token="my-token")
        with pytest.raises((ConfigurationError, NoResponse)):
            await _wait(client)

    assert not caught.value.is_transient
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert is_sent == isinstance(caught.value, NoResponse)
    if isinstance(caught.value, NoResponse):
        assert (True, "my-token") == (
            caught.value.may_have_been_sent,
            caught.value.client_request_token,
        )
    assert ("CopyBackup", "us-west-2") == (caught.value.operation, caught.value.region)
    assert begun == clock.now()


async def test_an_attempt_that_was_sent_is_not_forgotten(
    fsx: LocalFsx, session: AioSession
) -> None:
    """If an earlier attempt had a connection, local trouble later leaves the outcome open."""
    fsx.inject(Fault.reset(), after=True)
    config = AioConfig(retries={"total_max_attempts": 2, "mode": "standard"})
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url=fsx.endpoint_url, config=config
    ) as raw:
        hook = Mock(side_effect=[None, RuntimeError("a user's hook")])
        raw.meta.events.register("before-send.fsx", hook)
        with pytest.raises(NoResponse) as caught:
            await FsxCopyClient.from_client(raw).copy_backup(
                "backup-03e3c82e0183b7b6b", source_region=EXAMPLE_REGION
            )
    assert (2, 1) == (caught.value.attempts, caught.value.refused_attempts)
    assert caught.value.may_have_been_sent
    assert caught.value.client_request_token is not None


# The Region.


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (("eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"), "eu-west-1"),
        ((None, "eu-west-2", "eu-west-3", "eu-north-1"), "eu-west-2"),
        ((None, None, "eu-west-3", "eu-north-1"), "eu-west-3"),
        ((None, None, None, "eu-north-1"), "eu-north-1"),
        ((None, None, "eu-west-3", ""), "eu-west-3"),
    ],
)
async def test_aws_region_counts_last(
    session: AioSession,
    monkeypatch: pytest.MonkeyPatch,
    places: tuple[str | None, str | None, str | None, str],
    expected: str,
) -> None:
    """The variable of the newer SDKs is read where botocore finds no Region."""
    argument, of_config, default, aws = places
    if default is not None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", default)
    monkeypatch.setenv("AWS_REGION", aws)
    config = None if of_config is None else AioConfig(region_name=of_config)
    async with FsxCopyClient(argument, session=session, config=config) as client:
        assert expected == client.region


@pytest.mark.skipif(
    find_spec("httpx2") is None, reason="older versions of aiobotocore are refused such a config"
)
async def test_the_region_of_a_sessions_default_config(
    session: AioSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as with botocore: before the variables."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    session.set_default_client_config(AioConfig(region_name="eu-west-2"))
    async with FsxCopyClient(session=session) as client:
        assert "eu-west-2" == client.region


async def test_the_profiles_region_counts_before_aws_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with botocore, a profile has a Region of its own."""
    (tmp_path / "config").write_text("[profile dr]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    async with FsxCopyClient(session=AioSession(profile="dr")) as client:
        assert "eu-west-1" == client.region


@pytest.mark.parametrize("value", [None, ""])
async def test_every_place_of_a_region_is_named(
    session: AioSession, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Without a Region the error lists where one can be."""
    if value is not None:
        monkeypatch.setenv("AWS_REGION", value)
    with pytest.raises(ConfigurationError, match="^region: ") as caught:
        await FsxCopyClient(session=session).__aenter__()
    for place in ("argument", "config", "AWS_DEFAULT_REGION", "profile", "AWS_REGION"):
        assert place in str(caught.value)


# The event loop.


@pytest.mark.parametrize("options", [{}, {"http_session_cls": AIOHTTPSession}])
def test_trio_without_its_backend_says_what_to_install(options: dict[str, Any]) -> None:
    """aiohttp would fail at the first call, with an error that names no remedy."""

    async def run() -> None:
        client = FsxCopyClient("us-west-2", session=_session(), config=AioConfig(**options))
        with pytest.raises(ConfigurationError, match=r'pip install "fsxcopy-sdk\[trio\]"'):
            await client.__aenter__()

    trio.run(run)


@_needs_httpx
def test_trio_with_its_backend_is_opened() -> None:
    """With the backend nothing is refused, and what cannot be reached is an error of the call."""

    async def run() -> None:
        async with client_of("http://127.0.0.1:9", http_session_cls=HttpxSession) as client:
            with pytest.raises(ConnectionFailed):
                await client.describe_backups()

    trio.run(run)

"""The transport does not trust the network: every kind of answer, and none at all."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aiohttp
import boto3
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from aiobotocore.stub import AioStubber
from botocore import exceptions as theirs
from botocore.config import Config
from raw_peer import backup, client_of, http, raw_peer

from fsxcopy_sdk import (
    BackupNotFound,
    ClientNotOpen,
    ConfigurationError,
    ConnectionFailed,
    CredentialsUnavailable,
    FsxCopyClient,
    FsxCopyError,
    InvalidArguments,
    NoResponse,
    RequestTimeout,
    ResponseDecodingError,
    ServiceError,
    ServiceLimit,
    ServiceLimitExceeded,
    Tag,
    Throttled,
)
from fsxcopy_sdk._transport._botocore_errors import from_botocore_error
from fsxcopy_sdk.testing import EXAMPLE_REGION, ErrorPlacement, Fault, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect
    from types_aiobotocore_fsx.client import FSxClient

SOURCE = "backup-03e3c82e0183b7b6b"
JSON = {"Content-Type": "application/x-amz-json-1.1"}


@pytest.fixture(name="raw")
async def _raw(fsx: LocalFsx, session: AioSession, config: AioConfig) -> AsyncIterator[FSxClient]:
    """A client as aiobotocore makes it, without anything of this package."""
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url=fsx.endpoint_url, config=config
    ) as raw:
        yield raw


@pytest.fixture(name="wrapped")
def _wrapped(raw: FSxClient) -> FsxCopyClient:
    """A client of this package around the raw one."""
    return FsxCopyClient.from_client(raw)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    fsx: LocalFsx, client: FsxCopyClient, status: int
) -> None:
    """A redirect to another host is an error, and that host receives no request."""
    async with raw_peer() as other_host:
        fsx.inject(Fault.redirect(other_host.url, status))
        with pytest.raises(ServiceError) as caught:
            await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    assert [] == other_host.requests
    assert (str(status), status) == (caught.value.code, caught.value.http_status)
    assert other_host.url in caught.value.message


async def test_redirects_are_not_followed_with_a_default_client_config(
    fsx: LocalFsx, session: AioSession, connect: Connect
) -> None:
    """A session's default client config cannot switch redirects on: refused or safe."""
    session.set_default_client_config(AioConfig(retries={"total_max_attempts": 1}))
    async with raw_peer() as other_host:
        fsx.inject(Fault.redirect(other_host.url))
        with pytest.raises((ServiceError, ConfigurationError)):
            async with connect(fsx, config=None) as client:
                await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    assert [] == other_host.requests


class _MergeThatForgets(AioConfig):
    """A config whose merge keeps nothing of aiobotocore's own, as before version 3.10."""

    def merge(self, other_config: Config) -> AioConfig:
        return AioConfig()


async def test_a_merge_that_forgets_is_refused(session: AioSession) -> None:
    """Where the merge with the session's default would lose the setting, nothing is made."""
    session.set_default_client_config(_MergeThatForgets())
    with pytest.raises(ConfigurationError, match="give it as config="):
        await FsxCopyClient("us-west-2", session=session).__aenter__()


class _OwnSession(AIOHTTPSession):
    """A user's own HTTP session."""


async def test_a_session_of_the_user_follows_no_redirects_either(
    fsx: LocalFsx, connect: Connect
) -> None:
    """A class of the user's own sends the token to no other host."""
    config = AioConfig(http_session_cls=_OwnSession)
    async with raw_peer() as other_host, connect(fsx, config=config) as client:
        fsx.inject(Fault.redirect(other_host.url))
        with pytest.raises(ServiceError):
            await client.describe_backups()
    assert [] == other_host.requests


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_of_another_host_is_refused(
    fsx: LocalFsx, wrapped: FsxCopyClient, status: int
) -> None:
    """Where the user's own client follows a redirect, the answer is still not taken."""
    body = json.dumps({"Backup": backup("backup-0badc0de")}).encode()
    async with raw_peer(http(status, body)) as other_host:
        fsx.inject(Fault.redirect(other_host.url, 307))
        with pytest.raises(ResponseDecodingError) as caught:
            await wrapped.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    assert other_host.url in caught.value.message
    assert caught.value.is_transient
    assert (status, body) == (caught.value.http_status, caught.value.payload)


GARBAGE = {
    "empty": b"",
    "html": b"<html><body>It works!</body></html>",
    "null": b"null",
    "list": b"[]",
    "number": b"5",
    "half": b'{"Backup": {"BackupId": "backup-0a3364ed',
    "nothing": b"{}",
    "error document": b'{"__type": "BadRequest", "Message": "no"}',
    "not utf-8": b'{"Backup": "\xff"}',
    "no time": b'{"Backup": {"BackupId": "backup-0a3364ed", "CreationTime": "soon"}}',
}
CALLS: dict[str, Callable[[FsxCopyClient], Awaitable[object]]] = {
    "copy": lambda client: client.copy_backup(SOURCE, client_request_token="my-token"),
    "describe": lambda client: client.describe_backups(),
    "delete": lambda client: client.delete_backup(SOURCE, client_request_token="my-token"),
}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_with_200_is_no_success(
    fsx: LocalFsx, client: FsxCopyClient, body: bytes, operation: str
) -> None:
    """An answer that is none raises, with what was received and how to ask about it."""
    fsx.inject(Fault.raw(200, JSON, body))

    with pytest.raises(ResponseDecodingError) as caught:
        await CALLS[operation](client)

    error = caught.value
    assert (200, body) == (error.http_status, error.payload)
    assert error.error_paths
    assert error.request_id is not None
    assert (None if operation == "describe" else "my-token") == error.client_request_token


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b"", b"<html>", b'{"__type": 5}'])
@pytest.mark.parametrize("status", [300, 400, 403, 500, 503])
async def test_garbage_with_an_error_status_is_a_service_error(
    fsx: LocalFsx, client: FsxCopyClient, status: int, body: bytes
) -> None:
    """An error without a code has the HTTP status as its code, and the body attached."""
    fsx.inject(Fault.raw(status, JSON, body))

    with pytest.raises(ServiceError) as caught:
        await client.describe_backups()

    error = caught.value
    assert ServiceError is type(error)
    assert (str(status), status, body) == (error.code, error.http_status, error.body)
    assert "DescribeBackups" == error.operation
    assert error.is_transient


@pytest.mark.parametrize("placement", ErrorPlacement)
@pytest.mark.parametrize(
    "code",
    [
        "ServiceLimitExceeded",
        "com.amazonaws.fsx#ServiceLimitExceeded",
        "com.amazonaws.fsx#ServiceLimitExceeded:http://internal.amazon.com/fsx/",
    ],
    ids=["bare", "namespace", "suffix"],
)
@pytest.mark.parametrize("member", ["Message", "message"])
async def test_the_code_is_found_in_each_of_its_places(
    fsx: LocalFsx, client: FsxCopyClient, placement: ErrorPlacement, code: str, member: str
) -> None:
    """Class, text and members of an error do not depend on how it is written."""
    limit = ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS
    fsx.inject(
        Fault.error(code, "Too many.", placement=placement, message_member=member, Limit=limit)
    )

    with pytest.raises(ServiceLimitExceeded) as caught:
        await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    error = caught.value
    assert limit is error.limit
    assert ("ServiceLimitExceeded", "Too many.") == (error.code, error.message)
    assert ("CopyBackup", 400, 1) == (error.operation, error.http_status, error.attempts)
    assert error.request_id is not None
    assert isinstance(error.__cause__, theirs.ClientError)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault.throttling(),
        Fault.error("ThrottlingException", placement=ErrorPlacement.HEADER),
        Fault.reset(),
        Fault.truncated(),
        Fault.raw(500, JSON, b""),
    ],
    ids=["throttling", "throttling named in a header only", "reset", "body cut off", "status"],
)
async def test_every_mode_of_retries_makes_a_second_attempt(
    fsx: LocalFsx, connect: Connect, monkeypatch: pytest.MonkeyPatch, mode: str, fault: Fault
) -> None:
    """In every mode a second attempt is made and counted, and copies once, under one token."""
    monkeypatch.setattr(random, "random", lambda: 0.0)  # botocore's jitter: no sleeping
    fsx.inject(fault)

    async with connect(fsx, config=AioConfig(retries={"mode": mode})) as client:
        response = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    assert 2 == response.metadata.attempts
    assert 200 == response.metadata.http_status
    assert [response.backup.backup_id] == [one["BackupId"] for one in fsx.backups("us-west-2")]


async def test_attempts_are_counted_when_all_fail(fsx: LocalFsx, connect: Connect) -> None:
    """The error of the last attempt says how many there were."""
    fsx.inject(Fault.throttling(), next_calls=2)
    config = AioConfig(retries={"total_max_attempts": 2, "mode": "standard"})
    async with connect(fsx, config=config) as client:
        with pytest.raises(Throttled) as caught:
            await client.describe_backups()
    assert 2 == caught.value.attempts


async def test_a_broken_connection_says_with_which_token_to_repeat(
    fsx: LocalFsx, client: FsxCopyClient
) -> None:
    """A copy whose answer was lost is found again, not made twice."""
    fsx.inject(Fault.reset(), after=True)

    with pytest.raises(ConnectionFailed) as caught:
        await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
    token = caught.value.client_request_token
    response = await client.copy_backup(
        SOURCE, source_region=EXAMPLE_REGION, client_request_token=token
    )

    assert [response.backup.backup_id] == [one["BackupId"] for one in fsx.backups("us-west-2")]
    assert caught.value.is_transient


async def test_an_answer_that_takes_too_long_is_a_timeout(connect: Connect) -> None:
    """The read timeout of the config ends the call, as a TimeoutError too."""
    config = AioConfig(read_timeout=0.1, retries={"total_max_attempts": 1})

    async with LocalFsx(clock=ManualClock()) as fsx, connect(fsx, config=config) as client:
        fsx.inject(Fault.delay(1.0))
        with pytest.raises(RequestTimeout) as caught:
            await client.describe_backups()

    assert isinstance(caught.value, TimeoutError)
    assert caught.value.is_transient
    assert "DescribeBackups" == caught.value.operation


async def test_a_refused_connection_is_a_failed_connection(unused_tcp_port: int) -> None:
    """A refused connection is one error of this package, with the original as its cause."""
    async with client_of(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(ConnectionFailed) as caught:
            await client.describe_backups()
    assert isinstance(caught.value.__cause__, theirs.EndpointConnectionError)


async def test_missing_credentials_are_found_at_the_call(fsx: LocalFsx, config: AioConfig) -> None:
    """Without credentials there is no answer, and nothing was sent."""
    async with FsxCopyClient("us-west-2", endpoint_url=fsx.endpoint_url, config=config) as client:
        with pytest.raises(CredentialsUnavailable):
            await client.describe_backups()
    assert [] == list(fsx.requests)


@pytest.mark.parametrize(
    ("region", "settings"),
    [
        (None, {}),
        ("x@evil.example/#", {}),
        ("us-west-2", {"endpoint_url": "not a url"}),
        ("us-west-2", {"session": AioSession(profile="no-such-profile")}),
    ],
    ids=["no Region", "hostile Region", "bad endpoint", "no such profile"],
)
async def test_a_bad_set_up_is_a_configuration_error(
    region: str | None, settings: dict[str, Any]
) -> None:
    """What cannot be set up says so when the client is opened."""
    with pytest.raises(ConfigurationError):
        await FsxCopyClient(region, **settings).__aenter__()


@pytest.mark.parametrize("place", ["argument", "config", "environment"])
async def test_an_empty_region_is_no_region(
    session: AioSession, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A variable of a shell that was never set is not blamed on the credentials."""
    if place == "environment":
        monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    region = "" if place == "argument" else None
    config = AioConfig(region_name="") if place == "config" else None
    with pytest.raises(ConfigurationError, match="region: is empty; the first that is set counts"):
        await FsxCopyClient(region, session=session, config=config).__aenter__()


async def test_region_and_endpoint_come_from_the_environment(
    fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables that AWS's tools know work here too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_FSX", fsx.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", EXAMPLE_REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    async with FsxCopyClient() as client:
        page = await client.describe_backups()

    assert EXAMPLE_REGION == fsx.requests[-1].region
    assert [SOURCE] == [one.backup_id for one in page.backups]


async def test_a_client_that_is_not_open_says_so(session: AioSession) -> None:
    """Before and after ``async with`` every operation raises the same error."""
    client = FsxCopyClient("us-west-2", session=session)

    with pytest.raises(ClientNotOpen):
        await client.describe_backups()
    async with client:
        assert "us-west-2" == client.region
    with pytest.raises(ClientNotOpen):
        await client.copy_backup(SOURCE)


async def test_a_client_is_opened_once(wrapped: FsxCopyClient) -> None:
    """Neither open nor closed can it be opened again, so that it stays what it was."""
    async with wrapped:
        with pytest.raises(ClientNotOpen, match="make a new one"):
            await wrapped.__aenter__()
    with pytest.raises(ClientNotOpen, match="make a new one"):
        await wrapped.__aenter__()
    with pytest.raises(ClientNotOpen, match="was closed"):
        await wrapped.describe_backups()


@pytest.mark.parametrize("name", ["region", "session", "endpoint_url", "config"])
async def test_an_argument_of_a_wrong_type_is_named(name: str) -> None:
    """What cannot be a Region, a session, a URL or a config is refused by name and type."""
    arguments: dict[str, Any] = {"region": "us-west-2", name: {"aws_secret_access_key": "hidden"}}
    with pytest.raises(InvalidArguments) as caught:
        await FsxCopyClient(**arguments).__aenter__()
    expected = f"{name}: must be .* or None, not a value of type dict"
    assert re.fullmatch(expected, caught.value.message)


async def test_only_a_client_of_fsx_can_be_wrapped(session: AioSession) -> None:
    """Another service's client, a synchronous one, or none, is refused by name and not shown."""
    keys: Any = {"aws_secret_access_key": "hidden"}
    with pytest.raises(InvalidArguments, match="not a value of type dict$"):
        FsxCopyClient.from_client(keys)
    async with session.create_client("sts", region_name="us-west-2") as other:
        with closing(boto3.client("fsx", "us-west-2")) as synchronous:
            for raw in (other, synchronous):
                with pytest.raises(InvalidArguments, match="^raw: must be an aiobotocore FSx"):
                    FsxCopyClient.from_client(raw)


async def test_an_untrusted_certificate_is_not_retried_by_waits(fsx: LocalFsx) -> None:
    """TLS that fails will fail again: it is a matter of the set-up."""
    async with client_of(fsx.endpoint_url.replace("http:", "https:")) as client:
        with pytest.raises(
            ConfigurationError, match="^DescribeBackups in us-west-2: SSL"
        ) as caught:
            await client.wait_until_backup_available(SOURCE)
    assert not caught.value.is_transient


async def test_a_wrapped_client_still_serves_its_owner(fsx: LocalFsx, raw: FSxClient) -> None:
    """Calls that the owner makes get the dicts that botocore makes, and errors of its own."""
    async with FsxCopyClient.from_client(raw) as client:
        response = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
        with pytest.raises(BackupNotFound):
            await client.describe_backup("backup-00000000")

    page = await raw.describe_backups()
    assert [response.backup.backup_id] == [one["BackupId"] for one in page["Backups"]]
    fsx.inject(Fault.error("BadRequest", "no"))
    with pytest.raises(theirs.ClientError, match="no"):
        await raw.describe_backups()


async def test_a_stubbed_client_gives_the_same_objects(
    raw: FSxClient, wrapped: FsxCopyClient
) -> None:
    """Where no HTTP answer is to be had, botocore's dict becomes the same objects."""
    tags = [{"Key": "Name", "Value": "MyBackup"}]
    stubbed = backup(SOURCE, CreationTime=1617954808.068, FileSystem={}, Tags=tags)
    with AioStubber(raw) as stubber:
        stubber.add_response("copy_backup", {"Backup": stubbed})
        stubber.add_client_error(
            "copy_backup",
            "ServiceLimitExceeded",
            "Too many.",
            http_status_code=400,
            modeled_fields={"Limit": "TOTAL_USER_TAGS"},
        )
        response = await wrapped.copy_backup(SOURCE)
        with pytest.raises(ServiceLimitExceeded, match="Too many") as caught:
            await wrapped.copy_backup(SOURCE)

    assert (Tag(key="Name", value="MyBackup"),) == response.backup.tags
    assert 1617954808.068 == response.backup.creation_time.timestamp()
    assert ServiceLimit.TOTAL_USER_TAGS is caught.value.limit
    assert (None, 400) == (caught.value.body, caught.value.http_status)


async def test_a_client_whose_answers_are_not_seen_gives_the_same(
    fsx: LocalFsx, client: FsxCopyClient, raw: FSxClient, wrapped: FsxCopyClient
) -> None:
    """Where aiobotocore shows no answer before it is parsed, what was parsed is taken."""
    backup_id = fsx.add_backup("us-west-2", Tags=[{"Key": "Name", "Value": "x"}], Invented=1)
    raw.meta.events.unregister("before-parse.fsx", unique_id="fsxcopy-sdk-before-parse")

    page = await wrapped.describe_backups()
    with pytest.raises(BackupNotFound) as caught:
        await wrapped.copy_backup("backup-00000000")

    assert (await client.describe_backups()).backups == page.backups
    assert backup_id == page.backups[0].backup_id
    assert page.metadata.request_id is not None
    assert (200, 1) == (page.metadata.http_status, page.metadata.attempts)
    assert (None, 400) == (caught.value.body, caught.value.http_status)
    assert caught.value.request_id is not None


async def test_calls_at_once_do_not_mix(fsx: LocalFsx, client: FsxCopyClient) -> None:
    """Each of many concurrent calls has its own answer and its own request id."""
    ids = [fsx.add_backup("us-west-2") for _ in range(20)]
    pages = await asyncio.gather(*(client.describe_backups(backup_ids=[one]) for one in ids))
    assert ids == [page.backups[0].backup_id for page in pages]
    assert 20 == len({page.metadata.request_id for page in pages})


async def test_logs_hold_no_secrets(
    fsx: LocalFsx, client: FsxCopyClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither credentials nor passwords are in this package's own debug log."""
    caplog.set_level(logging.DEBUG, logger="fsxcopy_sdk")
    file_system = {"OntapConfiguration": {"FsxAdminPassword": "hunter2-hunter2"}}
    backup_id = fsx.add_backup("us-west-2", FileSystem=file_system)

    described = await client.describe_backup(backup_id)
    fsx.inject(Fault.error("BadRequest", "hunter2-hunter2"))
    with pytest.raises(ServiceError):
        await client.describe_backup(backup_id)

    ours = [one.getMessage() for one in caplog.records if one.name.startswith("fsxcopy_sdk")]
    assert described.file_system is not None
    assert 2 == len(ours)
    for secret in ("hunter2", "the-session-token", "wJalrXUtnFEMI", "AWS4-HMAC"):
        assert secret not in "".join(ours)


NETWORK = {
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "EndpointConnectionError",
    "ProxyConnectionError",
    "ReadTimeoutError",
    "ResponseStreamingError",
}
CREDENTIALS = {
    "CredentialRetrievalError",
    "InvalidIMDSEndpointError",
    "LoginAuthorizationCodeError",
    "LoginError",
    "LoginInsufficientPermissions",
    "LoginRefreshRequired",
    "LoginTokenLoadError",
    "MetadataRetrievalError",
    "NoAuthTokenError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "RefreshWithMFAUnsupportedError",
    "SSOError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
    "UnknownCredentialError",
}
ALL_OF_BOTOCORE = {
    name: cls
    for name, cls in inspect.getmembers(theirs, inspect.isclass)
    if issubclass(cls, theirs.BotoCoreError)
}


@pytest.mark.parametrize("name", ALL_OF_BOTOCORE)
def test_every_exception_of_botocore_has_its_counterpart(name: str) -> None:
    """Network, credential and configuration errors are told apart, whatever botocore raises."""
    error = ALL_OF_BOTOCORE[name].__new__(ALL_OF_BOTOCORE[name])

    ours = from_botocore_error(error, "CopyBackup", 1)
    before = from_botocore_error(error, "CopyBackup", 0)

    assert (name in NETWORK) == isinstance(ours, ConnectionFailed | RequestTimeout)
    assert isinstance(ours, NoResponse)
    assert (name in NETWORK) == ours.is_transient
    assert (name in CREDENTIALS) == isinstance(before, CredentialsUnavailable)
    assert isinstance(before, FsxCopyError)


@pytest.mark.parametrize(
    ("wrapped", "expected"),
    [
        (aiohttp.ServerDisconnectedError(), ConnectionFailed),
        (ConnectionResetError(), NoResponse),
        (FileNotFoundError("certificates"), NoResponse),
        (aiohttp.InvalidURL("x"), NoResponse),
    ],
    ids=["disconnected", "not known to aiobotocore", "no file", "no URL"],
)
def test_wrapped_errors_of_aiobotocore_are_distinguished(
    wrapped: Exception, expected: type[NoResponse]
) -> None:
    """What aiobotocore itself would retry is a broken connection, everything else is not."""
    error = theirs.HTTPClientError(error=wrapped)
    assert expected is type(from_botocore_error(error, "CopyBackup", 1))


async def test_credentials_that_fail_after_the_first_attempt_leave_it_open(
    fsx: LocalFsx, session: AioSession
) -> None:
    """Once something was sent, no later failure says that nothing was."""
    fsx.inject(Fault.reset(), after=True)
    config = AioConfig(retries={"total_max_attempts": 2, "mode": "standard"})
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url=fsx.endpoint_url, config=config
    ) as raw:
        fail_the_second_time = Mock(side_effect=[None, theirs.NoCredentialsError()])
        raw.meta.events.register("before-sign.fsx", fail_the_second_time)
        with pytest.raises(NoResponse) as caught:
            await FsxCopyClient.from_client(raw).copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    assert 1 == caught.value.attempts
    assert caught.value.client_request_token is not None
    assert 1 == len(fsx.backups("us-west-2"))


@pytest.mark.parametrize("event", ["provide-client-params", "before-send", "after-call"])
async def test_a_call_in_a_hook_is_the_users_own(
    fsx: LocalFsx, raw: FSxClient, wrapped: FsxCopyClient, event: str
) -> None:
    """A hook that calls the service gets its own answer, and the call in progress its own."""
    other = fsx.add_backup("us-west-2")
    inner: list[Any] = []

    async def call_once(**_: object) -> None:
        if not inner:
            inner.append(None)
            inner.append(await raw.copy_backup(SourceBackupId=other))

    raw.meta.events.register(f"{event}.fsx", call_once)
    response = await wrapped.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

    assert SOURCE == response.backup.source_backup_id
    assert other == inner[1]["Backup"]["SourceBackupId"]
    assert 1 == response.metadata.attempts


@pytest.mark.parametrize("event", ["provide-client-params", "before-send"])
async def test_the_same_call_in_a_task_of_a_hook_is_the_users_own(
    fsx: LocalFsx, raw: FSxClient, wrapped: FsxCopyClient, event: str
) -> None:
    """Even a twin of our call, begun by the very first hook, keeps its answer to itself."""
    backup_id = fsx.add_backup("us-west-2")
    tasks: list[asyncio.Task[Any]] = []

    async def begin(**_: object) -> None:
        if not tasks:
            tasks.append(asyncio.create_task(raw.describe_backups(BackupIds=[backup_id])))
            await tasks[0]

    raw.meta.events.register_first(f"{event}.fsx.DescribeBackups", begin)
    page = await wrapped.describe_backups(backup_ids=[backup_id])

    assert [backup_id] == [one.backup_id for one in page.backups]
    assert [backup_id] == [one["BackupId"] for one in tasks[0].result()["Backups"]]
    assert 1 == page.metadata.attempts


async def test_wrapping_twice_is_wrapping_once(raw: FSxClient, wrapped: FsxCopyClient) -> None:
    """Two clients over the same raw one count an attempt once."""
    page = await FsxCopyClient.from_client(raw).describe_backups()
    assert 1 == page.metadata.attempts


class _BadlyClosed(AIOHTTPSession):
    """A session that fails to close."""

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__(None, None, None)
        raise OSError("close failed")


async def test_a_client_that_cannot_be_closed_says_so(fsx: LocalFsx, connect: Connect) -> None:
    """A failure to close is an error of this package too."""
    with pytest.raises(ConfigurationError, match="close failed"):
        async with connect(fsx, config=AioConfig(http_session_cls=_BadlyClosed)) as client:
            await client.describe_backups()


def test_an_error_of_the_service_that_lends_credentials_is_no_error_of_fsx() -> None:
    """A role that may not be assumed is a matter of credentials."""
    refused = theirs.ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    assert CredentialsUnavailable is type(from_botocore_error(refused, "CopyBackup"))


async def test_an_error_before_anything_was_sent_is_of_the_set_up(
    raw: FSxClient, wrapped: FsxCopyClient
) -> None:
    """What fails before the first attempt leaves nothing open."""
    raw.meta.events.register("before-sign.fsx", Mock(side_effect=FileNotFoundError("a file")))
    with pytest.raises(ConfigurationError, match="a file"):
        await wrapped.describe_backups()


async def test_an_error_from_a_hook_of_the_user_stays_in_the_tree(
    raw: FSxClient, wrapped: FsxCopyClient
) -> None:
    """Whatever comes up in a call is an error of this package, with its cause."""
    raw.meta.events.register("before-parse.fsx", Mock(side_effect=RuntimeError("a user's hook")))
    with pytest.raises(NoResponse, match="a user's hook") as caught:
        await wrapped.describe_backups()
    assert isinstance(caught.value.__cause__, RuntimeError)

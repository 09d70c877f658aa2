"""Credentials that cannot be renewed for a while: survived by a client that worked before."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
import trio
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.httpxsession import HttpxSession
from aiobotocore.session import AioSession
from botocore import exceptions as theirs
from botocore.credentials import CredentialProvider
from lenders import Lender, helper, lending, refusal_of_sso, refusal_of_sts
from raw_peer import http, raw_peer

from fsxcopy_sdk import (
    BackupLifecycle,
    ClockSkewed,
    ConfigurationError,
    CredentialsUnavailable,
    FsxCopyClient,
    NoResponse,
)
from fsxcopy_sdk._transport._botocore_errors import from_botocore_error
from fsxcopy_sdk.bulk import Copied, CopyNotObserved, CopyRequest, copy_many
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx, ManualClock

SOURCE = "backup-03e3c82e0183b7b6b"
REGION = "us-west-2"
_HTML = b"<html><body>busy</body></html>"

BRIEF = {
    "container, 429": ("container", http(429, b"too many requests")),
    "container, 503": ("container", http(503, _HTML)),
    "container, text": ("container", http(200, b"please wait")),
    "container, cut off": ("container", b""),
    "role, throttled": ("role", refusal_of_sts(400, "Throttling")),
    "role, 503": ("role", http(503, _HTML)),
    "role, no XML": ("role", http(200, b"please wait")),
    "role, a proxy's 403": ("role", http(403, _HTML)),
    "role, cut off": ("role", b""),
    "role, the machine slept": (
        "role",
        refusal_of_sts(403, "SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2"),
    ),
    "web identity, throttled": ("web identity", refusal_of_sts(400, "ThrottlingException")),
    "web identity, 500": ("web identity", refusal_of_sts(500, "InternalFailure")),
    "web identity, token not renewed yet": (
        "web identity",
        refusal_of_sts(400, "ExpiredTokenException"),
    ),
    "web identity, provider away": ("web identity", refusal_of_sts(400, "IDPCommunicationError")),
    "sso, throttled": ("sso", refusal_of_sso(429, "TooManyRequestsException")),
    "sso, 503": ("sso", http(503, _HTML)),
    "sso, cut off": ("sso", b""),
}
"""The kind of a source, and a failure that passes."""

FINAL = {
    "role, denied": ("role", refusal_of_sts(403, "AccessDenied")),
    "role, wrong key": ("role", refusal_of_sts(403, "InvalidClientTokenId")),
    "role, wrong secret": ("role", refusal_of_sts(403, "SignatureDoesNotMatch")),
    "role, its source expired": ("role", refusal_of_sts(400, "ExpiredTokenException")),
    "web identity, denied": ("web identity", refusal_of_sts(403, "AccessDenied")),
    "web identity, not trusted": ("web identity", refusal_of_sts(400, "InvalidIdentityToken")),
    "sso, logged out": ("sso", refusal_of_sso(401, "UnauthorizedException")),
    "sso, no such role": ("sso", refusal_of_sso(404, "ResourceNotFoundException")),
}
"""The kind of a source, and a failure that does not pass."""

_every_brief = pytest.mark.parametrize(("kind", "failure"), BRIEF.values(), ids=BRIEF)
_every_final = pytest.mark.parametrize(("kind", "failure"), FINAL.values(), ids=FINAL)

# With aiobotocore's own attempts at a container's endpoint.
_MANY = 7


OpenClient: TypeAlias = Callable[..., FsxCopyClient]


Lend: TypeAlias = Callable[[str], AbstractAsyncContextManager[Lender]]


@pytest.fixture(name="lend")
def _lend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lend:
    """Serve credentials of a kind for the length of a block."""
    return lambda kind: lending(kind, monkeypatch, tmp_path)


@pytest.fixture(name="open_client")
def _open_client(fsx: LocalFsx, clock: ManualClock, config: AioConfig) -> OpenClient:
    """Make a client of us-west-2 with the credentials of a session."""
    return lambda session=None: FsxCopyClient(
        REGION, session=session, endpoint_url=fsx.endpoint_url, config=config, clock=clock
    )


@_every_brief
async def test_a_wait_and_a_bulk_copy_survive(
    fsx: LocalFsx,
    open_client: OpenClient,
    lend: Lend,
    kind: str,
    failure: bytes,
) -> None:
    """After a good call, a source that fails for a while ends nothing and loses nothing."""
    async with (
        lend(kind) as lender,
        open_client(lender.session) as client,
    ):
        copy = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)

        lender.failures = [failure] * _MANY
        backup = await client.wait_until_backup_available(copy.backup.backup_id)
        assert BackupLifecycle.AVAILABLE is backup.lifecycle
        assert [] == lender.failures

        sources = [fsx.add_backup(EXAMPLE_REGION) for _ in range(3)]
        lender.failures = [failure] * _MANY
        outcomes = await _copy(client, sources, lender, failure)
        assert [Copied] * 3 == outcomes
        assert 4 == sum("SourceBackupId" in one for one in fsx.backups(REGION))


async def _copy(
    client: FsxCopyClient, sources: list[str], lender: Lender, failure: bytes
) -> list[type]:
    """Copy backups, with more failures as soon as the first of them has ended."""
    requests = [CopyRequest(source_backup_id=one, source_region=EXAMPLE_REGION) for one in sources]
    ended: list[type] = []
    async with copy_many(client, requests, max_in_progress=1) as copies:
        async for outcome in copies:
            ended.append(type(outcome))
            lender.failures = [failure] * _MANY
    return ended


async def _wait(client: FsxCopyClient) -> None:
    await client.wait_until_backup_available(SOURCE)


async def _copy_one(client: FsxCopyClient) -> None:
    """Copy through `copy_many`, and raise what it reports."""
    request = CopyRequest(source_backup_id=SOURCE, source_region=EXAMPLE_REGION)
    async with copy_many(client, [request]) as copies:
        async for outcome in copies:
            if outcome.error is not None:
                raise outcome.error


@_every_brief
async def test_a_source_that_never_worked_fails_at_once(
    clock: ManualClock, open_client: OpenClient, lend: Lend, kind: str, failure: bytes
) -> None:
    """Before the first good call the same failure is likely a mistake, and not waited for."""
    begun = clock.now()
    async with lend(kind) as lender:
        lender.failures = [failure] * 100
        for call in (_wait, _copy_one):
            with pytest.raises(CredentialsUnavailable) as caught:
                async with open_client(lender.session) as client:
                    await call(client)
            assert (False, True) == (caught.value.is_transient, caught.value.is_temporary)
    assert begun == clock.now()


@_every_final
async def test_who_must_log_in_is_told_at_once(
    clock: ManualClock, open_client: OpenClient, lend: Lend, kind: str, failure: bytes
) -> None:
    """What does not pass ends a wait even after good calls, and is no failed copy in a bulk."""
    async with (
        lend(kind) as lender,
        open_client(lender.session) as client,
    ):
        copy = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
        begun = clock.now()
        lender.failures = [failure] * 100
        with pytest.raises(CredentialsUnavailable) as caught:
            await client.wait_until_backup_available(copy.backup.backup_id)
        assert (False, False) == (caught.value.is_transient, caught.value.is_temporary)
        assert begun == clock.now()

        lender.failures = []
        request = CopyRequest(source_backup_id=SOURCE, source_region=EXAMPLE_REGION)

        def log_out(_: object) -> None:
            lender.failures = [failure] * 100

        async with copy_many(client, [request], on_seen=log_out) as copies:
            (outcome,) = [outcome async for outcome in copies]
        assert isinstance(outcome, CopyNotObserved)
        assert copy.backup.backup_id == outcome.backup_id


FAILING_HELPERS = {
    "exits with 1": "echo busy >&2; exit 1",
    "prints text": "echo please wait; exit 0",
    "prints nothing": "exit 0",
    "prints no object": "echo []; exit 0",
    "prints no keys": """echo '{"Version": 1}'; exit 0""",
    "is killed": "kill -9 $$",
}
_every_helper = pytest.mark.parametrize("failing", FAILING_HELPERS.values(), ids=FAILING_HELPERS)


@_every_helper
async def test_a_helper_that_fails_twice_is_survived(
    open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str
) -> None:
    """A `credential_process` that worked before may fail for some polls."""
    failure = helper(monkeypatch, tmp_path)
    async with open_client() as client:
        copy = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
        # The shell goes on to lend after the second failure.
        count = f"echo x >> {tmp_path}/count; [ $(wc -l < {tmp_path}/count) -gt 2 ]"
        failure.write_text(f"{count} || {{ {failing}; }}")
        backup = await client.wait_until_backup_available(copy.backup.backup_id)
    assert BackupLifecycle.AVAILABLE is backup.lifecycle
    assert len((tmp_path / "count").read_text().splitlines()) > 2


@_every_helper
async def test_a_helper_that_never_worked_is_named(
    open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str
) -> None:
    """The error says which program of which profile has failed, and not as a class of Python's."""
    helper(monkeypatch, tmp_path).write_text(failing)
    with pytest.raises(CredentialsUnavailable, match="^credential_process of the profile dr: "):
        await open_client().__aenter__()


async def test_keys_that_are_no_text_are_no_credentials(
    open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing can be signed with them, which is said of the profile that lent them."""
    keys = '{"Version": 1, "AccessKeyId": 5, "SecretAccessKey": "x"}'
    helper(monkeypatch, tmp_path).write_text(f"echo '{keys}'; exit 0")
    async with open_client() as client:
        with pytest.raises(CredentialsUnavailable, match="the credentials of the profile dr are"):
            await client.describe_backups()


async def test_a_helper_that_is_not_there_is_named(
    open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program that cannot be started is named with the profile."""
    (tmp_path / "config").write_text("[profile dr]\ncredential_process = /no/such/helper\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(CredentialsUnavailable, match="profile dr: .*/no/such/helper"):
        await open_client(AioSession(profile="dr")).__aenter__()


@pytest.mark.parametrize(
    "login",
    [
        None,
        "{}",
        '{"accessToken": "a", "expiresAt": "2020-01-01T00:00:00Z"}',
        '{"accessToken": "a", "expiresAt": "soon"}',
        '{"accessToken": "a", "expiresAt": 5}',
        "no JSON",
    ],
    ids=["missing", "without a token", "expired", "bad time", "no time", "no JSON"],
)
def test_a_login_that_is_missing_says_what_to_run(tmp_path: Path, login: str | None) -> None:
    """One sentence names the command and the profile, whatever is wrong with the cache."""
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    if login is not None:
        name = hashlib.sha1(b"corp").hexdigest()
        (cache / f"{name}.json").write_text(login)
    (tmp_path / "config").write_text(
        "[profile dr]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = dr\n"
        "[sso-session corp]\nsso_start_url = https://x.example\nsso_region = us-east-1\n"
    )
    program = (
        "import asyncio, fsxcopy_sdk\n"
        "async def main():\n"
        "    async with fsxcopy_sdk.FsxCopyClient('us-west-2') as client:\n"
        "        try:\n"
        "            await client.describe_backups()\n"
        "        except fsxcopy_sdk.CredentialsUnavailable as error:\n"
        "            print(error)\n"
        "asyncio.run(main())\n"
    )
    environment = {
        **os.environ,
        "HOME": str(tmp_path),  # botocore finds the cache when it is imported
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_PROFILE": "dr",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("log in with: aws sso login --profile dr\n")
    assert 1 == len(done.stdout.splitlines())


@pytest.mark.parametrize("profile", [None, "dr"])
def test_texts_name_what_to_run(profile: str | None) -> None:
    """Commands name the profile where there is one, and nothing names a class of botocore's."""
    texts = {
        theirs.UnauthorizedSSOTokenError(): "aws sso login",
        theirs.TokenRetrievalError(provider="sso", error_msg="expired"): "aws sso login",
    }
    if hasattr(theirs, "LoginRefreshRequired"):  # of botocore 1.41
        texts[theirs.LoginRefreshRequired()] = "aws login"
    for error, command in texts.items():
        text = str(from_botocore_error(error, profile=profile))
        assert text.endswith(f"log in with: {command}{' --profile dr' if profile else ''}")
        assert type(error).__name__ not in text


@pytest.mark.parametrize("profile", [None, "dr"])
async def test_no_credentials_at_all_say_where_they_could_be(
    open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str | None
) -> None:
    """The places are named, the profile too, and this does not pass by waiting."""
    (tmp_path / "config").write_text("[profile dr]\nregion = us-west-2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    async with open_client(AioSession(profile=profile)) as client:
        with pytest.raises(CredentialsUnavailable, match="AWS_ACCESS_KEY_ID") as caught:
            await client.describe_backups()
    assert not caught.value.is_temporary
    assert f"the profile {profile or ''}".strip() in str(caught.value)


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_instance_metadata_that_never_worked_fail_at_once(
    fsx: LocalFsx, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """botocore finds no credentials then, as on a machine that is no instance."""
    async with raw_peer(*[http(status, _HTML)] * 9) as peer:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url)
        async with open_client() as client:
            with pytest.raises(CredentialsUnavailable) as caught:
                await client.wait_until_backup_available(SOURCE)
    assert not caught.value.is_transient


def test_instance_metadata_that_fail_at_a_renewal_pass() -> None:
    """botocore renews these minutes before they end, later than a test can wait."""
    text = "Credential refresh failed, response did not contain: access_key"
    error = theirs.CredentialRetrievalError(provider="iam-role", error_msg=text)
    ours = from_botocore_error(error, "DescribeBackups")
    assert isinstance(ours, CredentialsUnavailable)
    assert ours.is_temporary


async def test_credentials_of_a_users_own_provider_are_renewed_later(
    open_client: OpenClient,
) -> None:
    """Whatever a provider raises is a failure of credentials."""
    failures: list[Exception] = []

    async def lend() -> dict[str, str]:
        if failures:
            raise failures.pop()
        expiry = datetime.now(UTC) + timedelta(minutes=5)
        return {
            "access_key": "AKIALENT",
            "secret_key": "x",
            "token": "t",
            "expiry_time": expiry.isoformat(),
        }

    session = AioSession()
    credentials = AioRefreshableCredentials.create_from_metadata(await lend(), lend, "vault")
    session.get_component("credential_provider").insert_before("env", _Vault(credentials))
    async with open_client(session) as client:
        copy = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
        failures = [RuntimeError("sealed"), KeyError("lease"), ConfigurationError("vault")]
        await client.wait_until_backup_available(copy.backup.backup_id)
    assert [] == failures


class _Vault(CredentialProvider):
    METHOD = CANONICAL_NAME = "vault"

    def __init__(self, credentials: AioRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    async def load(self) -> AioRefreshableCredentials:
        return self._credentials


CLOCK = {
    "expired": Fault.error(
        "InvalidSignatureException",
        "Signature expired: 20260409T075328Z is now earlier than 20260409T080000Z",
    ),
    "of the future": Fault.error(
        "InvalidSignatureException",
        "Signature not yet current: 20260409T085328Z is still later than 20260409T080000Z",
    ),
    "RequestExpired": Fault.error("RequestExpired", "Request has expired."),
    "RequestInTheFuture": Fault.error("RequestInTheFuture", "no"),
    "RequestTimeTooSkewed": Fault.error("RequestTimeTooSkewed", "no", status=403),
}
_every_clock = pytest.mark.parametrize("fault", CLOCK.values(), ids=CLOCK)


@_every_clock
async def test_a_machine_that_slept_is_survived(
    fsx: LocalFsx, client: FsxCopyClient, fault: Fault
) -> None:
    """A request that was signed before the machine slept is signed again."""
    copy = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
    fsx.inject(fault, next_calls=5)
    await client.wait_until_backup_available(copy.backup.backup_id)
    fsx.inject(fault, next_calls=5)
    other = fsx.add_backup(EXAMPLE_REGION)
    async with copy_many(
        client, [CopyRequest(source_backup_id=other, source_region=EXAMPLE_REGION)]
    ) as copies:
        assert [Copied] == [type(outcome) async for outcome in copies]


@_every_clock
async def test_a_clock_that_was_never_right_is_told_at_once(
    fsx: LocalFsx, client: FsxCopyClient, fault: Fault
) -> None:
    """Before the first good call, the clock is to be set."""
    fsx.inject(fault, next_calls=9)
    for call in (_wait, _copy_one):
        with pytest.raises(ClockSkewed) as caught:
            await call(client)
        assert not caught.value.is_transient
    assert 2 == len(fsx.requests)


async def test_a_retry_without_credentials_leaves_the_outcome_open(
    fsx: LocalFsx, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, lend: Lend
) -> None:
    """If the first attempt was sent, the token survives, and the failure passes like others."""
    monkeypatch.setattr(random, "random", lambda: 0.0)  # botocore's jitter: no sleeping
    config = AioConfig(retries={"total_max_attempts": 2, "mode": "standard"})
    async with (
        lend("role") as lender,
        FsxCopyClient(
            REGION,
            session=lender.session,
            endpoint_url=fsx.endpoint_url,
            config=config,
            clock=clock,
        ) as client,
    ):
        await client.describe_backups()
        fsx.inject(Fault.reset(), after=True)
        # The second attempt renews them again; each renewal is one request.
        right, answers = lender.right, [lender.right(), refusal_of_sts(400, "Throttling")]
        lender.right = lambda: answers.pop(0) if answers else right()
        with pytest.raises(NoResponse) as caught:
            await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
    assert (True, True) == (caught.value.is_transient, caught.value.may_have_been_sent)
    assert caught.value.client_request_token is not None
    assert 1 == len(fsx.backups(REGION))


@pytest.mark.parametrize("has_session", [True, False])
@pytest.mark.parametrize("kind", ["role", "web identity"])
def test_roles_are_assumed_on_trio(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, has_session: bool
) -> None:
    """Calls for credentials use the HTTP session of the client, or of the session's default."""
    pytest.importorskip(
        "httpx2", reason="aiobotocore runs on trio from 3.9, with its extra httpx2"
    )
    config = AioConfig(http_session_cls=HttpxSession)

    async def run() -> None:
        async with lending(kind, monkeypatch, tmp_path) as lender, raw_peer() as peer:
            if kind == "role":
                monkeypatch.setenv("AWS_PROFILE", "dr")
            if has_session:
                lender.session.set_default_client_config(config)
            async with FsxCopyClient(
                REGION,
                session=lender.session if has_session else None,
                endpoint_url=peer.url,
                config=config,
            ) as client:
                assert () == (await client.describe_backups()).backups
            assert 1 == lender.requests

    trio.run(run)


KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\t"], ids=repr)
@pytest.mark.parametrize("name", KEYS)
async def test_a_key_with_a_line_break_is_named(
    fsx: LocalFsx,
    open_client: OpenClient,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    end: str,
) -> None:
    """A variable that was set from a file with a line break is found before anything is sent."""
    for one in KEYS:
        monkeypatch.setenv(one, f"AKIDEXAMPLE{end if one == name else ''}")
    async with open_client() as client:
        for call in (_wait, _copy_one):
            with pytest.raises(CredentialsUnavailable, match=f"{name}.*line breaks") as caught:
                await call(client)
            assert (False, 0) == (caught.value.is_transient, caught.value.attempts)
    assert [] == list(fsx.requests)


async def test_keys_of_another_source_are_not_blamed_on_the_environment(
    client: FsxCopyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is not used may hold anything."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any\n")
    await client.describe_backups()


async def test_any_key_with_a_line_break_is_refused(
    fsx: LocalFsx, config: AioConfig, clock: ManualClock
) -> None:
    """Keys that were given to a session are checked the same, without a variable to name."""
    session = AioSession()
    session.set_credentials("AKID", "x", "token\n")
    async with FsxCopyClient(
        REGION, session=session, endpoint_url=fsx.endpoint_url, config=config, clock=clock
    ) as client:
        with pytest.raises(CredentialsUnavailable, match="session token: must not have"):
            await client.describe_backups()

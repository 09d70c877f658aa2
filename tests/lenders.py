"""Sources that lend temporary credentials, each use of which must be renewed, and that fail."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import attrs
import pytest
from aiobotocore.credentials import AioContainerProvider, AioSSOProvider
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from aiobotocore.utils import AioContainerMetadataFetcher
from anyio.abc import SocketStream
from raw_peer import http

ROLE = "arn:aws:iam::123456789012:role/dr"
START_URL = "https://corp.example/start"

_HELPER = """\
#!/bin/sh
if [ -e {folder}/failure ]; then . {folder}/failure; fi
echo '{credentials}'
"""


def _expiration() -> datetime:
    # Less than the ten minutes within which botocore insists on renewing credentials.
    return datetime.now(UTC) + timedelta(minutes=5)


def _of_metadata() -> bytes:
    expiration = _expiration().strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"AccessKeyId": "AKIALENT", "SecretAccessKey": "x", "Token": "t"}
    return http(200, json.dumps({**keys, "Expiration": expiration}).encode())


def _of_sts(action: str) -> Callable[[], bytes]:
    def answer() -> bytes:
        document = (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
            "<Credentials><AccessKeyId>AKIALENT</AccessKeyId><SecretAccessKey>x</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{_expiration().isoformat()}</Expiration>"
            f"</Credentials></{action}Result></{action}Response>"
        )
        return http(200, document.encode(), "Content-Type: text/xml")

    return answer


def _of_sso() -> bytes:
    milliseconds = int(_expiration().timestamp() * 1000)
    keys = {"accessKeyId": "AKIALENT", "secretAccessKey": "x", "sessionToken": "t"}
    return http(
        200, json.dumps({"roleCredentials": {**keys, "expiration": milliseconds}}).encode()
    )


def refusal_of_sts(status: int, code: str, message: str = "no") -> bytes:
    """Make an error answer of STS."""
    text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return http(status, f"{text}</ErrorResponse>".encode(), "Content-Type: text/xml")


def refusal_of_sso(status: int, code: str) -> bytes:
    """Make an error answer of SSO."""
    return http(status, b'{"message": "no"}', f"x-amzn-ErrorType: {code}")


@attrs.define(eq=False)
class Lender:
    """Lends, or gives the next requests the failures that were set."""

    session: AioSession
    right: Callable[[], bytes]
    failures: list[bytes] = attrs.field(factory=list)
    requests: int = 0

    async def serve(self, stream: SocketStream) -> None:
        """Answer one request, and close the connection."""
        async with stream:
            received = b""
            while b"\r\n\r\n" not in received:
                received += await stream.receive()
            head, _, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            while length and len(body) < int(length[1]):
                body += await stream.receive()
            self.requests += 1
            await stream.send(self.failures.pop(0) if self.failures else self.right())


class _PlainSession(AIOHTTPSession):
    """
    What a fetcher of metadata has for its requests, without certificates.

    It would load them again for each renewal, which takes longer than all else there.
    """

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[AIOHTTPSession]:
        async with self:
            yield self


@asynccontextmanager
async def lending(
    kind: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> AsyncIterator[Lender]:
    """Serve credentials of one kind, and make a session that uses them."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    lender = _LENDERS[kind](url, monkeypatch, folder)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, lender.serve)
        yield lender
        group.cancel_scope.cancel()


def _role(url: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Lender:
    (folder / "config").write_text(
        f"[profile dr]\nrole_arn = {ROLE}\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
    return Lender(AioSession(profile="dr"), _of_sts("AssumeRole"))


def _web_identity(url: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Lender:
    (folder / "token").write_text("a-web-identity")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(folder / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
    return Lender(AioSession(), _of_sts("AssumeRoleWithWebIdentity"))


def _container(url: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Lender:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/credentials")
    session = AioSession()
    http_session = _PlainSession(timeout=2, verify=False)
    fetcher = AioContainerMetadataFetcher(http_session)
    # Old versions of aiobotocore replace the fetcher by one of their own.
    monkeypatch.setattr(AioContainerMetadataFetcher, "SLEEP_TIME", 0)
    provider = AioContainerProvider(fetcher=fetcher)
    session.get_component("credential_provider").insert_before("env", provider)
    return Lender(session, _of_metadata)


def _sso(url: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Lender:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", url)
    profile = {
        "sso_start_url": START_URL,
        "sso_region": "us-east-1",
        "sso_account_id": "123456789012",
        "sso_role_name": "dr",
    }
    login = {"accessToken": "a", "expiresAt": "2999-01-01T00:00:00Z"}
    session = AioSession()
    provider = AioSSOProvider(
        load_config=lambda: {"profiles": {"sso": profile}},
        client_creator=session.create_client,
        profile_name="sso",
        token_cache={hashlib.sha1(START_URL.encode()).hexdigest(): login},
    )
    session.get_component("credential_provider").insert_before("env", provider)
    return Lender(session, _of_sso)


_LENDERS = {"container": _container, "role": _role, "sso": _sso, "web identity": _web_identity}


def helper(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Configure a `credential_process`, and return the file that makes it fail, as shell."""
    expiration = _expiration().strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"AccessKeyId": "AKIALENT", "SecretAccessKey": "x", "SessionToken": "t"}
    credentials = json.dumps({"Version": 1, **keys, "Expiration": expiration})
    program = folder / "helper"
    program.write_text(_HELPER.format(folder=folder, credentials=credentials))
    program.chmod(0o755)
    (folder / "config").write_text(f"[profile dr]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_PROFILE", "dr")
    return folder / "failure"

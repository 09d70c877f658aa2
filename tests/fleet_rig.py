"""Accounts for tests of fleets: one by role, lent by an STS on loopback, and some by profile."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import attrs
import pytest
from lenders import refusal_of_sts
from raw_peer import http

from fsxcopy_sdk.testing import LocalFsx

ROLE_ACCOUNT, PROFILE_ACCOUNT = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{ROLE_ACCOUNT}:role/dr"


@attrs.define(eq=False)
class Sts:
    """Lends credentials for any role, which expire after *seconds*, or refuses."""

    url: str
    seconds: float = 3600.0
    assumed: list[dict[str, str]] = attrs.field(factory=list)
    """The parameters of each AssumeRole, and the access key and Region that it was signed for."""
    refusals: list[bytes] = attrs.field(factory=list)
    """What the next requests get instead."""
    refuses: bool = False
    """Whether every request is refused."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        signer = re.search(rb"Credential=(\w+)/\d+/([\w-]+)/sts/", head)
        assert length
        assert signer
        body = await reader.readexactly(int(length[1]))
        given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        signed = {"SignedBy": signer[1].decode(), "Region": signer[2].decode()}
        self.assumed.append(given | signed)
        if self.refuses:
            writer.write(refusal_of_sts(403, "AccessDenied"))
        else:
            writer.write(self.refusals.pop(0) if self.refusals else self._lend(given))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def _lend(self, given: dict[str, str]) -> bytes:
        role = given["RoleArn"]
        account = role.split(":")[4]
        expiration = (datetime.now(UTC) + timedelta(seconds=self.seconds)).isoformat()
        text = (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            "<AssumeRoleResult><Credentials>"
            f"<AccessKeyId>ASIA{account}{len(self.assumed)}</AccessKeyId>"
            "<SecretAccessKey>x</SecretAccessKey><SessionToken>t</SessionToken>"
            f"<Expiration>{expiration}</Expiration></Credentials>"
            f"<AssumedRoleUser><Arn>{role}/s</Arn><AssumedRoleId>A:s</AssumedRoleId>"
            "</AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
        )
        return http(200, text.encode(), "Content-Type: text/xml")


@asynccontextmanager
async def serving_sts() -> AsyncIterator[Sts]:
    """Serve an STS on loopback."""
    sts = Sts("")
    server = await asyncio.start_server(sts.serve, "127.0.0.1", 0)
    sts.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield sts


def configure(monkeypatch: pytest.MonkeyPatch, folder: Path, sts: Sts | None = None) -> None:
    """Write profiles: `prod` and the default, which assumes roles, have keys, `empty` none."""
    (folder / "config").write_text(
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n"
        "[profile prod]\naws_access_key_id = AKIAPROD\naws_secret_access_key = x\n"
        "[profile empty]\noutput = json\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    if sts is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)


def add_accounts(fsx: LocalFsx) -> None:
    """Give the access keys of the profiles, and those that the role is lent, their accounts."""
    fsx.add_access_key("AKIADEFAULT")
    fsx.add_access_key("AKIAPROD", account=PROFILE_ACCOUNT)
    for number in range(1, 200):
        fsx.add_access_key(f"ASIA{ROLE_ACCOUNT}{number}", account=ROLE_ACCOUNT)


def use_profiles(fsx: LocalFsx, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let commands have the keys of the profiles, and none of the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    configure(monkeypatch, folder)
    add_accounts(fsx)


def sources_of(fsx: LocalFsx, region: str, account: str | None = None) -> Counter[str]:
    """Return how many copies there are in a Region by the backup that they are of."""
    held = fsx.backups(region, account=account)
    return Counter(str(one["SourceBackupId"]) for one in held if "SourceBackupId" in one)

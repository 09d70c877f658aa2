"""
Requests are signed as botocore signs them, byte for byte.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from typing import TYPE_CHECKING

import botocore
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession
from botocore.auth import AUTH_TYPE_MAPS, SIGNED_HEADERS_BLACKLIST, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from hypothesis import assume, given
from hypothesis import strategies as st

from fsxcopy_sdk import FsxCopyClient, InvalidCredentials
from fsxcopy_sdk._transport._signing import THRIFTY, ThriftySigV4, choose
from fsxcopy_sdk.testing import LocalFsx

if TYPE_CHECKING:
    from types_aiobotocore_fsx.client import FSxClient


@pytest.fixture(name="raw")
async def _raw(fsx: LocalFsx, session: AioSession, config: AioConfig) -> AsyncIterator[FSxClient]:
    """
    A client as aiobotocore makes it, without anything of this package.
    """
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url=fsx.endpoint_url, config=config
    ) as raw:
        yield raw


_NAMES = st.one_of(
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True),
    st.sampled_from([*SIGNED_HEADERS_BLACKLIST, "User-Agent", "Host", "Content-Type"]),
)
_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)


@given(
    headers=st.lists(st.tuples(_NAMES, _VALUES), max_size=8),
    url=st.sampled_from(
        [
            "https://fsx.us-west-2.amazonaws.com/",
            "https://FSX.example:443/",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080/prefix//x/../y%20z",
            "https://user@fsx.example/?b=2&a=1",
        ]
    ),
    body=st.binary(max_size=100) | st.builds(BytesIO, st.binary(max_size=100)),
    context=st.sampled_from(
        [
            {},
            {"payload_signing_enabled": False},
            {"checksum": {"request_algorithm": {"in": "trailer", "algorithm": "crc32"}}},
        ]
    ),
    token=st.none() | st.text("abc/+=", min_size=1),
    twice=st.booleans(),
)
def test_every_request_is_signed_as_botocore_signs_it(
    *,
    headers: list[tuple[str, str]],
    url: str,
    body: bytes | BytesIO,
    context: dict[str, object],
    token: str | None,
    twice: bool,
) -> None:
    """
    Whatever headers, address, body, context and credentials there are, the headers are equal.
    """
    signed: list[AWSRequest] = []
    for signer_class in (SigV4Auth, ThriftySigV4):
        request = AWSRequest("POST", url, data=body)
        request.context.update(context)
        for name, value in headers:
            request.headers[name] = value
        signer = signer_class(Credentials("AKIDEXAMPLE", "secret", token), "fsx", "us-west-2")
        signer.add_auth(request)
        if twice:
            request.headers["X-Late"] = "1"
            signer.add_auth(request)
        signed.append(request)
    theirs, ours = signed

    assume(theirs.context["timestamp"] == ours.context["timestamp"])
    assert list(theirs.headers.items()) == list(ours.headers.items())


def test_only_botocores_own_signer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Other signers, and whatever stands in the place of botocore's, are left alone.
    """
    assert THRIFTY == choose("v4")
    assert ThriftySigV4 is AUTH_TYPE_MAPS[THRIFTY]
    for other in ("v4a", "bearer", botocore.UNSIGNED, None):
        assert choose(other) is None
    monkeypatch.setitem(AUTH_TYPE_MAPS, "v4", type("Other", (SigV4Auth,), {}))
    assert choose("v4") is None


async def test_the_owner_of_a_client_has_botocores_signer(fsx: LocalFsx, raw: FSxClient) -> None:
    """
    A wrapped client signs its owner's calls as before, and ours with ours.
    """
    seen: list[object] = []
    raw.meta.events.register("before-sign.fsx", lambda **sent: seen.append(sent))
    client = FsxCopyClient.from_client(raw)

    await raw.describe_backups()
    await client.describe_backups()
    await raw.describe_backups()

    assert ["v4", THRIFTY, "v4"] == [sent["signature_version"] for sent in seen]


async def test_a_signer_that_was_chosen_stays(raw: FSxClient) -> None:
    """
    A hook of the user that chooses a signer is heard.
    """
    raw.meta.events.register("choose-signer.fsx", lambda **_: botocore.UNSIGNED)

    with pytest.raises(InvalidCredentials):
        await FsxCopyClient.from_client(raw).describe_backups()


class _Refreshed(AioCredentials):
    """
    Credentials that are others each time they are asked for.
    """

    def __init__(self) -> None:
        super().__init__("unused", "unused")
        self.keys: list[str] = []

    async def load_credentials(self) -> _Refreshed:
        return self

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        self.keys.append(f"AKID{len(self.keys)}")
        return ReadOnlyCredentials(self.keys[-1], "any", None)


async def test_credentials_are_asked_for_in_each_call(fsx: LocalFsx, config: AioConfig) -> None:
    """
    Nothing of an old key is kept.
    """
    session, refreshed = AioSession(), _Refreshed()
    session.register_component("credential_provider", refreshed)
    for key, account in (("AKID0", "111111111111"), ("AKID1", "222222222222")):
        fsx.add_access_key(key, account=account)

    async with FsxCopyClient(
        "us-west-2", session=session, endpoint_url=fsx.endpoint_url, config=config
    ) as client:
        await client.describe_backups()
        await client.describe_backups()

    assert ["AKID0", "AKID1"] == refreshed.keys
    assert ["111111111111", "222222222222"] == [one.account for one in fsx.requests]

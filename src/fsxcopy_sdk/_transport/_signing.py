"""
Signature Version 4 as botocore makes it, with each header looked at once.

botocore goes through the headers of every request four times, in the classes of the
standard library for e-mail, and once more to learn the body; that is a good part of what
a call costs. Everything else is botocore's: the credentials, the scope, what is signed,
and in which order.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

from botocore.auth import AUTH_TYPE_MAPS, SIGNED_HEADERS_BLACKLIST, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

THRIFTY = "v4-fsxcopy-sdk"
"""What botocore's table of signers calls ours."""

# With these in a request's context botocore may sign something else than the body.
_UNLIKE_THE_BODY = {"checksum", "payload_signing_enabled"}


class ThriftySigV4(SigV4Auth):
    """
    Sign a request as `SigV4Auth` does.
    """

    _to_sign: Mapping[str, str] | None = None

    def add_auth(self, request: AWSRequest) -> None:
        """
        Sign *request*.
        """
        self._to_sign = None
        super().add_auth(request)

    def headers_to_sign(self, request: AWSRequest) -> Mapping[str, str]:
        """
        Return the headers to sign in their canonical form, in order.
        """
        if self._to_sign is None:
            self._to_sign = _canonical(request)
        return self._to_sign

    def canonical_headers(self, headers_to_sign: Mapping[str, str]) -> str:
        """
        Return one line for each header.
        """
        return "\n".join([f"{name}:{value}" for name, value in headers_to_sign.items()])

    def signed_headers(self, headers_to_sign: Mapping[str, str]) -> str:
        """
        Return the names of the headers.
        """
        return ";".join(headers_to_sign)

    def payload(self, request: AWSRequest) -> str:
        """
        Return the digest of the body in hexadecimal digits.
        """
        body = request.data
        if isinstance(body, bytes) and body and not request.context.keys() & _UNLIKE_THE_BODY:
            # botocore prepares the whole request to learn its body, and once more to send it.
            return sha256(body).hexdigest()
        return super().payload(request)

    def signature(self, string_to_sign: str, request: AWSRequest) -> str:
        """
        Return the signature in hexadecimal digits.
        """
        key = f"AWS4{self.credentials.secret_key}".encode()
        # The key is made of the parts of the scope, one after the other.
        for part in (*self.credential_scope(request).split("/"), string_to_sign):
            key = hmac.digest(key, part.encode(), "sha256")
        return key.hex()


def _canonical(request: AWSRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        lower, trimmed = name.lower(), " ".join(value.split())
        if lower not in SIGNED_HEADERS_BLACKLIST:
            found[lower] = f"{found[lower]},{trimmed}" if lower in found else trimmed
    if "host" not in found:
        found["host"] = _host(request.url)
    return dict(sorted(found.items()))


@lru_cache(maxsize=16)
def _host(url: str) -> str:
    """
    Return the host of a URL as botocore signs it.
    """
    signer = SigV4Auth(Credentials("", ""), "", "")
    return signer.headers_to_sign(AWSRequest("POST", url))["host"]


def choose(signature_version: object) -> str | None:
    """
    Return our signer's name in place of botocore's own; None for all others.
    """
    # With awscrt installed another class stands there, which is left where it is.
    if signature_version == "v4" and AUTH_TYPE_MAPS["v4"] is SigV4Auth:
        return THRIFTY
    return None


AUTH_TYPE_MAPS[THRIFTY] = ThriftySigV4

"""
Who calls: read from the SigV4 header, whose form is checked.

The signature itself is not: the local FSx knows no secret keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from ._errors import ProtocolFailure
from ._regions import partition_of

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_CREDENTIAL: Final = re.compile(
    r"(?P<key>[^/\s]+)/(?P<date>\d{8})/(?P<region>[^/\s]+)"
    r"/(?P<service>[^/\s]+)/aws4_request"
)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
"""The forms of both, from AWS's description of Signature Version 4."""


@attrs.frozen
class Caller:
    """
    The access key and the Region of a signature's credential scope.
    """

    access_key: str
    region: str


def read_caller(headers: Mapping[str, str]) -> Caller:
    """
    Return who signed the request with *headers*.

    Raises:
        ProtocolFailure: the request is unsigned, or not well signed.
    """
    authorization = headers.get("Authorization")
    if authorization is None:
        # Status: the common errors of AWS services.
        msg = "Missing Authentication Token"
        raise ProtocolFailure("MissingAuthenticationTokenException", msg, status=403)
    parts = _parts(authorization)
    credential = _CREDENTIAL.fullmatch(parts["Credential"])
    if credential is None:
        raise _incomplete("Credential must be key/date/region/service/…")
    if not _SIGNATURE.fullmatch(parts["Signature"]):
        raise _incomplete("Signature must be 64 hexadecimal digits.")
    if "host" not in parts["SignedHeaders"].split(";"):
        raise _incomplete("'host' must be one of SignedHeaders.")
    if "X-Amz-Date" not in headers and "Date" not in headers:
        raise _incomplete("'X-Amz-Date' or 'Date' must be a header.")
    if credential["service"] != "fsx":
        msg = "Credential should be scoped to correct service: 'fsx'. "
        raise ProtocolFailure("InvalidSignatureException", msg)
    if partition_of(credential["region"]) is None:
        msg = "Credential should be scoped to a valid region. "
        raise ProtocolFailure("InvalidSignatureException", msg)
    return Caller(credential["key"], credential["region"])


def _parts(authorization: str) -> dict[str, str]:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != _ALGORITHM:
        raise _incomplete(f"The algorithm must be {_ALGORITHM}.")
    parts = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if name not in parts:
            raise _incomplete(f"Authorization header requires '{name}'.")
    return parts


def _incomplete(message: str) -> ProtocolFailure:
    return ProtocolFailure("IncompleteSignatureException", message)

"""
From an error answer to an exception: where its code is found, and one table.

AWS JSON 1.1 has the code in ``__type``, in ``code`` or in a header, and the text in
``Message`` or ``message``. Answers of proxies have neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs
import orjson

from fsxcopy_sdk import errors
from fsxcopy_sdk.enums import ServiceLimit
from fsxcopy_sdk.models import ResponseMetadata

_SERVER_ERROR = 500

# Codes that any AWS service may send; the throttling ones are those that botocore's
# retry modes know (botocore.retries.standard, botocore/data/_retry.json).
_FAMILIES: dict[type[errors.ServiceError], tuple[str, ...]] = {
    errors.AccessDenied: ("AccessDenied", "AccessDeniedException", "NotAuthorized"),
    errors.ClockSkewed: ("RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"),
    errors.ExpiredCredentials: ("ExpiredToken", "ExpiredTokenException"),
    errors.InvalidCredentials: (
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ),
    # A request that took too long to arrive passes by itself too, as in botocore.
    errors.ServiceUnavailable: (
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    ),
    errors.Throttled: (
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    ),
}

# The service's own errors: their classes have the names of their codes.
_MODELLED = [
    cls
    for cls in (getattr(errors, name) for name in errors.__all__)
    if issubclass(cls, errors.ServiceError) and cls not in {errors.ServiceError, *_FAMILIES}
]

CLASSES: Mapping[str, type[errors.ServiceError]] = MappingProxyType(
    {cls.__name__: cls for cls in _MODELLED}
    | {code: cls for cls, codes in _FAMILIES.items() for code in codes}
)
"""Error code to class; any other code is a plain `ServiceError`."""

# What `InvalidSignatureException` and its like say where it is the time that does not fit, as in
# "Signature expired: 20260409T075328Z is now earlier than 20260409T080000Z" and "Signature not
# yet current".
_CLOCK_TEXTS = ("signature expired", "not yet current")


@attrs.frozen(kw_only=True)
class ErrorDocument:
    """The code, message and members of an error answer."""

    code: str
    """Without namespace and suffix; the HTTP status where the answer has no code."""
    message: str
    members: Mapping[str, object] = attrs.field(factory=dict)
    """The whole document under the service's names; empty where there is none."""


def is_refusal(code: str, status: int) -> bool:
    """Whether an error is the service's own and says that it refused the request."""
    # An error without a code of the service's own comes from a proxy, and has its status as code.
    return status < _SERVER_ERROR and not code.isdecimal()


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> ErrorDocument:
    """Find code and text in an error answer; *headers* have lower-case names."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    members: dict[str, object] = document if isinstance(document, dict) else {}
    code = _first_text(members.get("__type"), members.get("code"), headers.get("x-amzn-errortype"))
    # `namespace#Code:http://...`, of which any part but the code may be missing.
    code = code.partition(":")[0].rpartition("#")[2].strip()
    message = _first_text(members.get("Message"), members.get("message"))
    return ErrorDocument(
        code=code or str(status),
        message=message or _describe(status, headers, body),
        members=members,
    )


def service_error(
    document: ErrorDocument,
    *,
    operation: str,
    metadata: ResponseMetadata,
    body: bytes | None,
) -> errors.ServiceError:
    """Make the exception for *document*, of the class that the table has for its code."""
    cls = CLASSES.get(document.code, errors.ServiceError)
    text = document.message.lower()
    if cls is errors.InvalidCredentials and any(one in text for one in _CLOCK_TEXTS):
        cls = errors.ClockSkewed
    error = cls(
        document.message,
        operation=operation,
        attempts=metadata.attempts,
        code=document.code,
        request_id=metadata.request_id,
        http_status=metadata.http_status,
        body=body,
    )
    for name in attrs.fields_dict(cls).keys() - attrs.fields_dict(errors.ServiceError).keys():
        value = document.members.get(name.title().replace("_", ""))
        if isinstance(value, str):
            setattr(error, name, ServiceLimit(value) if name == "limit" else value)
    return error


def _first_text(*candidates: object) -> str:
    return next((text for text in candidates if isinstance(text, str) and text), "")


def _describe(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Describe an answer that has no message of the service."""
    if location := headers.get("location"):
        return f"HTTP {status}: a redirect to {location} was not followed"
    kind = headers.get("content-type", "no content type")
    return f"HTTP {status} without an error document ({kind}, {len(body)} bytes)"

"""From error answers to exceptions: where the code is found, and the table of classes."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import service_model
from botocore import xform_name  # type: ignore[attr-defined]  # not in our stubs
from botocore.model import StructureShape  # type: ignore[import-untyped]  # no types
from botocore.retries import standard  # type: ignore[import-untyped]  # no types

from fsxcopy_sdk import errors
from fsxcopy_sdk._error_mapping import CLASSES, ErrorDocument, read_error, service_error
from fsxcopy_sdk.enums import ServiceLimit
from fsxcopy_sdk.models import ResponseMetadata

_METADATA = ResponseMetadata(request_id="request-1", http_status=400, attempts=3)


def _read(
    document: object = None, headers: Mapping[str, str] | None = None, status: int = 400
) -> ErrorDocument:
    return read_error(status, headers or {}, json.dumps(document).encode())


def _error(code: str, **members: object) -> errors.ServiceError:
    document = ErrorDocument(code=code, message="What happened", members=members)
    return service_error(document, operation="CopyBackup", metadata=_METADATA, body=b"received")


_SPELLINGS = {
    "bare": "BackupNotFound",
    "namespace": "com.amazonaws.fsx#BackupNotFound",
    "suffix": "BackupNotFound:http://internal.amazon.com/coral/com.amazonaws.fsx/",
    "both": "com.amazonaws.fsx#BackupNotFound:http://internal.amazon.com/coral/",
    "suffix-with-fragment": "BackupNotFound:http://example.com/#there",
    "spaces": " BackupNotFound ",
}


@pytest.mark.parametrize("spelling", _SPELLINGS.values(), ids=_SPELLINGS)
@pytest.mark.parametrize("place", ["__type", "code", "header"])
def test_code_is_found(place: str, spelling: str) -> None:
    """The code is found in each of its places, whatever surrounds it."""
    headers = {"x-amzn-errortype": spelling} if place == "header" else {}
    document = {} if place == "header" else {place: spelling}
    assert "BackupNotFound" == _read(document, headers).code


def test_places_that_disagree() -> None:
    """Where places disagree, `__type` is believed before `code`, and `code` before the header."""
    headers = {"x-amzn-errortype": "BadRequest"}
    assert "InvalidRegion" == _read({"code": "BadRequest", "__type": "InvalidRegion"}).code
    assert "BackupNotFound" == _read({"code": "BackupNotFound"}, headers).code


@pytest.mark.parametrize("useless", [None, "", 5, [], {}, True], ids=repr)
def test_useless_type(useless: object) -> None:
    """A `__type` that is no text, or an empty one, does not hide the code elsewhere."""
    assert "BadRequest" == _read({"__type": useless, "code": "BadRequest"}).code


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"5", b'"x"', b"{}", b'{"__type', b"<html>Bad Gateway</html>", b"\xff"],
    ids=repr,
)
def test_no_code(body: bytes) -> None:
    """An answer without a code has its HTTP status for one."""
    assert "502" == read_error(502, {}, body).code


@pytest.mark.parametrize("empty", ["#", ":", "com.amazonaws.fsx#", ":http://x", " "])
def test_code_of_nothing_but_surroundings(empty: str) -> None:
    """A code of which nothing is left without namespace and suffix is none."""
    assert "400" == _read({"__type": empty}).code


def test_header_without_document() -> None:
    """The header is read where the body is no document at all."""
    headers = {"x-amzn-errortype": "ThrottlingException:http://x/"}
    assert "ThrottlingException" == read_error(400, headers, b"").code


@pytest.mark.parametrize("place", ["Message", "message"])
def test_message_is_found(place: str) -> None:
    """The text is found in either spelling of its place."""
    assert "There is none" == _read({place: "There is none"}).message


@pytest.mark.parametrize("useless", [None, "", 5, []], ids=repr)
def test_useless_message(useless: object) -> None:
    """A text that is none does not hide the one in the other spelling."""
    assert "There is none" == _read({"Message": useless, "message": "There is none"}).message


@pytest.mark.parametrize(
    ("body", "content_type", "described"),
    [
        (b"<html>Bad Gateway</html>", "text/html", "text/html, 24 bytes"),
        (b"", None, "no content type, 0 bytes"),
        (b"null", "application/json", "application/json, 4 bytes"),
    ],
    ids=["html", "empty", "null"],
)
def test_message_of_no_document(body: bytes, content_type: str | None, described: str) -> None:
    """Where the service says nothing, the text says what came instead."""
    headers = {"content-type": content_type} if content_type else {}
    expected = f"HTTP 502 without an error document ({described})"
    assert expected == read_error(502, headers, body).message


def test_message_of_redirect() -> None:
    """The text of a redirect says where it leads, and that it was not followed."""
    document = read_error(307, {"location": "https://elsewhere.example/"}, b"")
    assert "307" == document.code
    expected = "HTTP 307: a redirect to https://elsewhere.example/ was not followed"
    assert expected == document.message


def test_members_are_kept() -> None:
    """The whole document is kept, for the members that some errors have."""
    assert {"__type": "X", "Limit": "Y"} == _read({"__type": "X", "Limit": "Y"}).members


@pytest.mark.parametrize("document", [None, [], 5, "x"], ids=repr)
def test_no_members(document: object) -> None:
    """What is no object has no members."""
    assert {} == _read(document).members


@pytest.mark.parametrize("shape", service_model.error_shapes(), ids=lambda shape: shape.name)
def test_modelled_errors_have_their_class(shape: StructureShape) -> None:
    """Every error that the model gives the operations is raised as the class of its name."""
    assert getattr(errors, shape.name) is type(_error(shape.name))


@pytest.mark.parametrize(
    ("shape", "member"),
    [
        pytest.param(shape, member, id=f"{shape.name}-{member}")
        for shape in service_model.error_shapes()
        for member in shape.members
        if member != "Message"
    ],
)
def test_modelled_members_are_attributes(shape: StructureShape, member: str) -> None:
    """Every further member that the model gives an error is one of its attributes."""
    error = _error(shape.name, **{member: "what-it-says"})
    assert "what-it-says" == getattr(error, xform_name(member))


_FAMILIES = {
    errors.AccessDenied: "AccessDenied AccessDeniedException NotAuthorized",
    errors.ClockSkewed: "RequestExpired RequestInTheFuture RequestTimeTooSkewed",
    errors.ExpiredCredentials: "ExpiredToken ExpiredTokenException",
    errors.InvalidCredentials: (
        "IncompleteSignature IncompleteSignatureException InvalidClientTokenId "
        "InvalidSignatureException MissingAuthenticationToken "
        "MissingAuthenticationTokenException SignatureDoesNotMatch UnrecognizedClientException"
    ),
    errors.ServiceUnavailable: (
        "RequestTimeout RequestTimeoutException ServiceUnavailable ServiceUnavailableException"
    ),
}
"""Codes that every AWS service may send; those of throttling are taken from botocore."""

_OF_OTHER_SERVICES = {
    "EC2ThrottledException": "EC2",
    "ProvisionedThroughputExceededException": "DynamoDB",
    "TransactionInProgressException": "DynamoDB",
}

_CLASS_OF = {code: cls for cls, codes in _FAMILIES.items() for code in codes.split()} | {
    code: errors.Throttled
    for code in standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES
    if code not in _OF_OTHER_SERVICES
}


@pytest.mark.parametrize(("code", "cls"), _CLASS_OF.items())
def test_families(code: str, cls: type[errors.ServiceError]) -> None:
    """A code that every AWS service may send is raised as the class of its family."""
    error = _error(code)
    assert (cls, code) == (type(error), error.code)


@pytest.mark.parametrize(
    ("message", "cls"),
    [
        ("Signature expired: 20260409T075328Z is now earlier than 1", errors.ClockSkewed),
        ("Signature not yet current: 1 is still later than 2", errors.ClockSkewed),
        ("The request signature we calculated does not match.", errors.InvalidCredentials),
        ("", errors.InvalidCredentials),
    ],
)
@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
def test_signatures_of_another_time(
    code: str, message: str, cls: type[errors.ServiceError]
) -> None:
    """A signature that does not fit the time is told from one that was made with another key."""
    document = ErrorDocument(code=code, message=message)
    error = service_error(document, operation="CopyBackup", metadata=_METADATA, body=None)
    assert (cls, code) == (type(error), error.code)


def test_table_is_complete() -> None:
    """The table has the modelled errors and the families, and no other code."""
    assert {shape.name for shape in service_model.error_shapes()} | _CLASS_OF.keys() == set(
        CLASSES
    )


@pytest.mark.parametrize("code", ["ValidationException", "backupnotfound", "502", "ServiceError"])
def test_other_codes(code: str) -> None:
    """A code without a class of its own is a plain ServiceError that keeps it."""
    error = _error(code)
    assert (errors.ServiceError, code) == (type(error), error.code)


def test_error_carries_the_exchange() -> None:
    """An error answer says which call it was, how the exchange went and what was received."""
    error = _error("BadRequest")

    assert ("What happened", "CopyBackup", "request-1", 400, 3, b"received") == (
        error.message,
        error.operation,
        error.request_id,
        error.http_status,
        error.attempts,
        error.body,
    )


@pytest.mark.parametrize("text", ["TOTAL_IN_PROGRESS_COPY_BACKUPS", "TOTAL_PATIENCE"])
def test_limit(text: str) -> None:
    """The limit is an enum, also where its value is unknown."""
    error = _error("ServiceLimitExceeded", Limit=text)
    assert isinstance(error, errors.ServiceLimitExceeded)
    assert (text, ServiceLimit) == (error.limit, type(error.limit))


@pytest.mark.parametrize("members", [{}, *({"Limit": no} for no in (None, 5, [], {}))], ids=repr)
def test_members_that_are_absent_or_no_text(members: dict[str, object]) -> None:
    """A member that the service left out, or that is no text, is None on the error."""
    error = _error("ServiceLimitExceeded", **members)
    assert isinstance(error, errors.ServiceLimitExceeded)
    assert None is error.limit


def test_members_of_other_errors() -> None:
    """A member that the class does not have is not put on it."""
    assert not hasattr(_error("BadRequest", BackupId="backup-1"), "backup_id")

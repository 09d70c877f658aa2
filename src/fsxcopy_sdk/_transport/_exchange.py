"""
One exchange with the service as it really went, seen through botocore's events.

botocore's parser turns what it does not expect into an empty success or into an
AttributeError, and forgets the body. So the body is taken before it is parsed, and
the parser is handed a document that it cannot stumble on. Errors are read here and
handed on in the plainest form, so that botocore's retries see what really happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

import attrs
import orjson

from fsxcopy_sdk._faults import ErrorDocument, read_error

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.hooks import BaseEventHooks

_HTTP_ERRORS_FROM = 300  # botocore raises for every status from here on
_DEFAULT_PORTS = {"http": 80, "https": 443}


@attrs.define
class Exchange:
    """
    What was sent and received in one call, retries included.
    """

    attempts: int = 0
    url: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes | None = None
    """As received in the last attempt; None where no answer was seen."""
    error: ErrorDocument | None = None
    stranger: str | None = None
    """The URL that answered, where a redirect to another host was followed."""


# The handlers sit on a client that may be the user's own: without an exchange in this
# context the call is theirs, and is left alone.
_current: ContextVar[Exchange | None] = ContextVar("fsxcopy_sdk_exchange", default=None)


@contextmanager
def exchange() -> Iterator[Exchange]:
    """
    Record the call that is made inside the ``with`` block.
    """
    record = Exchange()
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)


def observe(events: BaseEventHooks) -> None:
    """
    Let the calls of a client be recorded; doing so twice is doing so once.
    """
    events.register("before-send.fsx", _begin_attempt, unique_id="fsxcopy-sdk-begin")
    events.register("before-parse.fsx", _take_body, unique_id="fsxcopy-sdk-take")
    events.register("after-call.fsx", _check_origin, unique_id="fsxcopy-sdk-origin")


def _begin_attempt(request: AWSPreparedRequest, **_: object) -> None:
    if record := _current.get():
        record.attempts += 1
        record.url = request.url
        record.status = record.body = record.error = record.stranger = None
        record.headers = {}


class _ResponseDict(TypedDict):
    """
    An answer as botocore hands it to its parser.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes


def _take_body(response_dict: _ResponseDict, **_: object) -> None:
    record = _current.get()
    if record is None:
        return
    status, record.body = response_dict["status_code"], response_dict["body"]
    record.status = status
    record.headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    if status < _HTTP_ERRORS_FROM:
        response_dict["body"] = b"{}"
    else:
        record.error = read_error(status, record.headers, record.body)
        response_dict["body"] = orjson.dumps(
            {"__type": record.error.code, "message": record.error.message}
        )


def _check_origin(http_response: AWSResponse, **_: object) -> None:
    record = _current.get()
    asked, answered = record and record.url, http_response.url
    if record and asked and answered and _origin(asked) != _origin(answered):
        record.stranger = answered


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)

"""
One exchange with the service as it really went, seen through botocore's events.

botocore's parser turns what it does not expect into an empty success or into an
AttributeError, and forgets the body. So the body is taken before it is parsed, and
the parser is handed a document that it cannot stumble on. Errors are read here and
handed on in the plainest form, so that botocore's retries see what really happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

import attrs
import orjson

from fsxcopy_sdk._faults import ErrorDocument, read_error
from fsxcopy_sdk._transport._failures import had_no_connection
from fsxcopy_sdk._transport._signing import choose

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.hooks import BaseEventHooks

OPERATIONS = ("CopyBackup", "DescribeBackups", "DeleteBackup")

_HTTP_ERRORS_FROM = 300  # botocore raises for every status from here on
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_HEADERS: Mapping[str, str] = {}


@attrs.define(eq=False)
class Exchange:
    """
    What was sent and received in one call, retries included.
    """

    operation: str
    request: Mapping[str, object]
    context: object = None
    """botocore's own record of the call; None until the call is seen to begin."""
    attempts: int = 0
    unsent: int = 0
    """How many of the attempts had no connection, so that nothing was sent."""
    url: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = _NO_HEADERS
    """As botocore has them: whatever the case of a name, it is found."""
    body: bytes | None = None
    """As received in the last attempt; None where no answer was seen."""
    error: ErrorDocument | None = None
    stranger: str | None = None
    """The URL that answered, where a redirect to another host was followed."""


@attrs.frozen(eq=False)
class _Stranger:
    """
    A call of the user's own, made by a hook in the middle of *interrupted*.
    """

    context: object
    interrupted: Exchange | _Stranger


# What the calls of this task belong to. The handlers sit on a client that may be the
# user's own: without an exchange here the call is theirs, and is left alone. A task that
# a hook starts inherits the exchange, and marks its calls in a context of its own.
current: ContextVar[Exchange | _Stranger | None] = ContextVar("fsxcopy_sdk_exchange", default=None)


def observe(events: BaseEventHooks) -> None:
    """
    Let the calls of a client be recorded; doing so twice is doing so once.
    """
    for operation in OPERATIONS:
        # Before all hooks of the user: what they call must not be taken for this call.
        events.register_first(
            f"provide-client-params.fsx.{operation}", _begin, f"fsxcopy-sdk-{operation}"
        )
    for event, handler in (
        ("before-call", _enter),
        ("before-send", _begin_attempt),
        ("before-parse", _take_body),
        ("response-received", _end_attempt),
        ("after-call", _leave),
        ("after-call-error", _leave),
    ):
        events.register(f"{event}.fsx", handler, f"fsxcopy-sdk-{event}")
    # After all others: whoever has chosen a signer knows why.
    events.register_last("choose-signer", _choose_signer, "fsxcopy-sdk-choose-signer")


def _recorded_now() -> Exchange | None:
    """
    Return the exchange whose own call is under way, not one that a hook makes in it.
    """
    record = current.get()
    return record if isinstance(record, Exchange) and record.context is not None else None


def _begin(params: object, context: object, event_name: str, **_: object) -> None:
    record = current.get()
    called = (event_name.rpartition(".")[2], params)
    if (
        isinstance(record, Exchange)
        and record.context is None
        and called == (record.operation, record.request)
    ):
        record.context = context


def _enter(context: object, **_: object) -> None:
    record = current.get()
    if record is None:
        return
    is_ours = isinstance(record, Exchange) and record.context is context
    if not is_ours:
        current.set(_Stranger(context, record))


def _leave(context: object, http_response: AWSResponse | None = None, **_: object) -> None:
    record = current.get()
    if record is None or record.context is not context:
        return
    if isinstance(record, _Stranger):
        current.set(record.interrupted)
        return
    answered = http_response.url if http_response else None
    if record.url and answered and not _is_same_origin(record.url, answered):
        record.stranger = answered


def _choose_signer(signature_version: object, context: object, **_: object) -> str | None:
    record = current.get()
    is_ours = isinstance(record, Exchange) and record.context is context
    return choose(signature_version) if is_ours else None


def _begin_attempt(request: AWSPreparedRequest, **_: object) -> None:
    if record := _recorded_now():
        record.attempts += 1
        record.url = request.url
        # A later attempt may end without any answer.
        record.status = record.body = record.error = None
        record.headers = _NO_HEADERS


def _end_attempt(exception: Exception | None, **_: object) -> None:
    record = _recorded_now()
    if record and exception and had_no_connection(exception):
        record.unsent += 1


class _ResponseDict(TypedDict):
    """
    An answer as botocore hands it to its parser.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes


def _take_body(response_dict: _ResponseDict, **_: object) -> None:
    record = _recorded_now()
    if record is None:
        return
    status, record.body = response_dict["status_code"], response_dict["body"]
    record.status, record.headers = status, response_dict["headers"]
    if status < _HTTP_ERRORS_FROM:
        response_dict["body"] = b"{}"
    else:
        headers = {name.lower(): value for name, value in record.headers.items()}
        record.error = read_error(status, headers, record.body)
        response_dict["body"] = orjson.dumps(
            {"__type": record.error.code, "message": record.error.message}
        )


def _is_same_origin(url: str, other: str) -> bool:
    return url == other or _origin(url) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)

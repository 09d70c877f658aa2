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

import anyio
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

    operation: str
    request: Mapping[str, object]
    task: int = attrs.field(factory=lambda: anyio.get_current_task().id)
    context: object = None
    """botocore's own record of the call; None until the call is seen to begin."""
    strangers: int = 0
    """Calls that a hook of the user makes in the middle of this one."""
    attempts: int = 0
    url: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes | None = None
    """As received in the last attempt; None where no answer was seen."""
    error: ErrorDocument | None = None
    stranger: str | None = None
    """The URL that answered, where a redirect to another host was followed."""
    is_over: bool = False


# The handlers sit on a client that may be the user's own: without an exchange in this
# context the call is theirs, and is left alone.
_current: ContextVar[Exchange | None] = ContextVar("fsxcopy_sdk_exchange", default=None)


@contextmanager
def exchange(operation: str, request: Mapping[str, object]) -> Iterator[Exchange]:
    """
    Record the call that is made inside the ``with`` block.
    """
    record = Exchange(operation, request)
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)


def observe(events: BaseEventHooks) -> None:
    """
    Let the calls of a client be recorded; doing so twice is doing so once.
    """
    for event, handler in (
        ("provide-client-params", _begin),
        ("before-call", _enter),
        ("before-send", _begin_attempt),
        ("before-parse", _take_body),
        ("after-call", _leave),
        ("after-call-error", _leave),
    ):
        events.register(f"{event}.fsx", handler, unique_id=f"fsxcopy-sdk-{event}")


def _recorded() -> Exchange | None:
    """
    Return the exchange of this task: one that it started in a hook has none of its own.
    """
    record = _current.get()
    if record is None or record.is_over or record.task != anyio.get_current_task().id:
        return None
    return record


def _recorded_now() -> Exchange | None:
    """
    Return the exchange whose own call is under way, not one that a hook makes in it.
    """
    record = _recorded()
    return record if record and record.context is not None and not record.strangers else None


def _begin(params: object, context: object, event_name: str, **_: object) -> None:
    record = _recorded()
    called = (event_name.rpartition(".")[2], params)
    if record and record.context is None and called == (record.operation, record.request):
        record.context = context


def _enter(context: object, **_: object) -> None:
    record = _recorded()
    if record and context is not record.context:
        record.strangers += 1


def _leave(context: object, http_response: AWSResponse | None = None, **_: object) -> None:
    record = _recorded()
    if record is None:
        return
    if context is not record.context:
        record.strangers -= 1
        return
    record.is_over = True
    answered = http_response.url if http_response else None
    if record.url and answered and _origin(record.url) != _origin(answered):
        record.stranger = answered


def _begin_attempt(request: AWSPreparedRequest, **_: object) -> None:
    if record := _recorded_now():
        record.attempts += 1
        record.url = request.url
        # A later attempt may end without any answer.
        record.status = record.body = record.error = None
        record.headers = {}


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
    record.status = status
    record.headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    if status < _HTTP_ERRORS_FROM:
        response_dict["body"] = b"{}"
    else:
        record.error = read_error(status, record.headers, record.body)
        response_dict["body"] = orjson.dumps(
            {"__type": record.error.code, "message": record.error.message}
        )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)

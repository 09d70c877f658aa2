"""
One exchange with the service as it really went, seen through botocore's events.

botocore's parser turns what it does not expect into an empty success or into an
AttributeError, and forgets the body. So the body is taken before it is parsed, and replaced
by a document that can be parsed: for an error its code and message, so that botocore's
retries see what really happened.

Five events are needed, because no single one has all the information:

* `provide-client-params`, the first of a call, shows which of botocore's contexts is ours;
* `request-created` starts an attempt, after it was signed, and has that context;
* `before-send` is the last before something is sent, unless a hook of the user raises there;
* `before-parse` has the body, and no context;
* `needs-retry` ends an attempt, and has the context, the error, and the URL that answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
import orjson

from fsxcopy_sdk._error_mapping import ErrorDocument, is_refusal, read_error
from fsxcopy_sdk._transport._botocore_errors import had_no_connection
from fsxcopy_sdk._transport._credentials import check_headers

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest, AWSResponse
    from botocore.hooks import BaseEventHooks

OPERATIONS = ("CopyBackup", "DescribeBackups", "DeleteBackup")

_HTTP_ERRORS_FROM = 300  # botocore raises for every status from here on
_DEFAULT_PORTS = {"http": 80, "https": 443}


@attrs.define(eq=False)
class Exchange:
    """What was sent and received in one call, retries included."""

    operation: str
    request: Mapping[str, object]
    context: object = None
    """botocore's own record of the call; None until the call has started."""
    has_nested_call: bool = False
    """Whether a hook of the user has called the service in the middle of this call."""
    attempts: int = 0
    is_sending: bool = False
    """Whether the present attempt was given to the HTTP session."""
    unsent: int = 0
    """How many of the attempts had no connection, so that nothing was sent."""
    refused: int = 0
    """How many of the attempts were certainly not accepted: unsent, or refused by the service."""
    url: str = ""
    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """As botocore has them: whatever the case of a name, it is found."""
    body: bytes | None = None
    """As received in the last attempt; None where no answer was seen."""
    error: ErrorDocument | None = None
    redirected_to: str | None = None
    """The URL that answered, where a redirect to another origin was followed."""


# The call of this task. If it is unset, the user of a wrapped client makes the call, and it is
# not recorded. Nor are calls that a hook of the user makes in the middle of ours, in the same
# task or in one that inherits the exchange: their contexts differ. `before-parse` has no
# context to compare, so after a nested call has started, no more bodies are taken in the call
# around it: what botocore parsed is used, as for clients that do not emit that event.
current: ContextVar[Exchange | None] = ContextVar("fsxcopy_sdk_exchange", default=None)


def observe(events: BaseEventHooks) -> None:
    """Record the calls of a client; a second call of this has no effect."""
    for operation in OPERATIONS:
        # Before all hooks of the user: what they call must not be taken for this call, and
        # botocore's own handler of the second event raises when no attempt is left.
        for event, handler in (
            ("provide-client-params", _begin_call),
            ("needs-retry", _end_attempt),
        ):
            name = f"{event}.fsx.{operation}"
            events.register_first(name, handler, f"fsxcopy-sdk-{name}")
    # After the signer: without credentials nothing is sent.
    events.register_last("request-created.fsx", _begin_attempt, "fsxcopy-sdk-request-created")
    events.register_last("before-send.fsx", _begin_sending, "fsxcopy-sdk-before-send")
    events.register("before-parse.fsx", _take_body, "fsxcopy-sdk-before-parse")


def _begin_call(params: object, context: object, event_name: str, **_: object) -> None:
    record = current.get()
    called = (event_name.rpartition(".")[2], params)
    if record and record.context is None and called == (record.operation, record.request):
        record.context = context


def _begin_attempt(request: AWSRequest, **_: object) -> None:
    record = current.get()
    if record is None:
        return
    if request.context is not record.context:
        record.has_nested_call = True
        return
    check_headers(request)
    record.attempts += 1
    record.is_sending = False
    record.url = request.url
    # A later attempt may end without any answer.
    record.status = record.body = record.error = record.redirected_to = None
    record.headers = {}


def _begin_sending(**_: object) -> None:
    if record := current.get():
        record.is_sending = True


def _take_body(response_dict: dict[str, Any], **_: object) -> None:
    record = current.get()
    if record is None or record.has_nested_call:
        return
    body: bytes = response_dict["body"]
    status: int = response_dict["status_code"]
    record.body, record.status, record.headers = body, status, response_dict["headers"]
    if status < _HTTP_ERRORS_FROM:
        response_dict["body"] = b"{}"
    else:
        headers = {name.lower(): value for name, value in record.headers.items()}
        record.error = read_error(status, headers, body)
        response_dict["body"] = orjson.dumps(
            {"__type": record.error.code, "message": record.error.message}
        )


def _end_attempt(
    request_dict: Mapping[str, object],
    response: tuple[AWSResponse, Any] | None,
    caught_exception: Exception | None,
    **_: object,
) -> None:
    record = current.get()
    if record is None or request_dict["context"] is not record.context:
        return
    if caught_exception and (not record.is_sending or had_no_connection(caught_exception)):
        record.unsent += 1
        record.refused += 1
    elif record.error is not None and is_refusal(record.error.code, record.status or 0):
        record.refused += 1
    answered = response[0].url if response else None
    if answered and _origin(answered) != _origin(record.url):
        record.redirected_to = answered


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)

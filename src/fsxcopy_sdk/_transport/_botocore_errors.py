"""From botocore's exceptions to ours: one table."""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp
from aiobotocore import retryhandler as _adds_to_the_map  # noqa: F401 - on import
from botocore import exceptions as theirs
from botocore.retryhandler import EXCEPTION_MAP

from fsxcopy_sdk import errors
from fsxcopy_sdk._transport._credentials import describe, is_of_credentials, is_temporary

# The first match wins, so the narrower classes come first.
_NETWORK: tuple[tuple[type[Exception], type[errors.NoResponse]], ...] = (
    (theirs.ConnectTimeoutError, errors.RequestTimeout),
    (theirs.ReadTimeoutError, errors.RequestTimeout),
    (TimeoutError, errors.RequestTimeout),  # the bound of the whole call
    # A certificate that is not accepted now will not be accepted later either.
    (theirs.SSLError, errors.NoResponse),
    (theirs.ConnectionError, errors.ConnectionFailed),
    (theirs.ConnectionClosedError, errors.ConnectionFailed),
    (theirs.ResponseStreamingError, errors.ConnectionFailed),
)
# The errors that aiobotocore's own retries count as a broken connection, and two that they do
# not: with aiohttp, a response that is not HTTP and a header that is not text.
_BROKEN = (
    *EXCEPTION_MAP["GENERAL_CONNECTION_ERROR"],
    aiohttp.ClientResponseError,
    UnicodeDecodeError,
)

# These mean that there was no connection. Others mean it if the error that they wrap does;
# classes of httpx2 and httpx are compared by name, because neither need be installed.
_NOT_CONNECTED = (theirs.ConnectTimeoutError, theirs.ProxyConnectionError, theirs.SSLError)
_WRAPPED_NOT_CONNECTED = (aiohttp.ClientConnectorError, socket.gaierror)
# Found before connecting: a missing or invalid file of certificates, an invalid proxy or URL.
# Two are compared by name, because old versions of aiohttp lack the class and httpx2 need not
# be installed.
_FILES = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError, ssl.SSLError)
_LOCAL = (*_FILES, aiohttp.InvalidURL, theirs.InvalidProxiesConfigError)
_LOCAL_BY_NAME = frozenset(("NonHttpUrlClientError", "UnsupportedProtocol"))

_ENDPOINTS = "the argument, AWS_ENDPOINT_URL_FSX, AWS_ENDPOINT_URL or the profile has it"
_CERTIFICATES = (
    "AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, ca_bundle of the profile, verify= or client_cert="
)


def from_botocore_error(
    error: Exception,
    operation: str | None = None,
    attempts: int = 0,
    unsent: int = 0,
    profile: str | None = None,
) -> errors.FsxCopyError:
    """
    Return this package's exception for one that botocore or a library below it raised.

    The service may have accepted the request if any of the *attempts* had a connection;
    *unsent* of them had none. What a hook of the user raised becomes `ConfigurationError`
    if nothing was sent, and `NoResponse` if something may have been. *profile* is the session's,
    if it has one.
    """
    may_have_been_sent = attempts > unsent
    text = _text(error)
    if is_of_credentials(error):
        text = describe(error, text, profile)
        cls = errors.NoResponse if may_have_been_sent else errors.CredentialsUnavailable
        failure = cls(text, operation=operation, attempts=attempts)
        failure.is_temporary = is_temporary(error)
        return failure
    is_local = _is_local(error)
    no_answer = None if is_local and not may_have_been_sent else _no_answer(error)
    if no_answer or may_have_been_sent:
        return (no_answer or errors.NoResponse)(
            text, operation=operation, attempts=attempts, may_have_been_sent=may_have_been_sent
        )
    if isinstance(error, errors.CallError | errors.ConfigurationError):
        error.operation = operation  # raised by a handler of this package
        return error
    if isinstance(error, theirs.ParamValidationError):
        return errors.InvalidArguments(text, (text,))
    return errors.ConfigurationError(text + _place(error), operation=operation)


def had_no_connection(error: Exception) -> bool:
    """Whether *error* means that no connection was established, so that nothing was sent."""
    name = type(_wrapped(error)).__name__
    if isinstance(error, theirs.EndpointConnectionError):
        return isinstance(_wrapped(error), _WRAPPED_NOT_CONNECTED) or name == "ConnectError"
    # aiobotocore makes a ConnectTimeoutError of httpx's WriteTimeout, which had a connection.
    is_not_connected = isinstance(error, _NOT_CONNECTED) and name != "WriteTimeout"
    return is_not_connected or _is_local(error)


def _is_local(error: Exception) -> bool:
    """Whether *error* comes from this machine's settings, and so will come again."""
    if type(error) is theirs.HTTPClientError:
        wrapped = _wrapped(error)
        return isinstance(wrapped, _LOCAL) or type(wrapped).__name__ in _LOCAL_BY_NAME
    return isinstance(error, theirs.SSLError) and not _is_failure_of_peer(error)


def _is_failure_of_peer(error: theirs.SSLError) -> bool:
    """Whether the peer says that it failed itself, as a load balancer may for a while."""
    return "ALERT_INTERNAL_ERROR" in str(error)  # what both HTTP libraries wrap has no attribute


def _no_answer(error: Exception) -> type[errors.NoResponse] | None:
    if isinstance(error, theirs.SSLError) and _is_failure_of_peer(error):
        return errors.ConnectionFailed
    for their_class, our_class in _NETWORK:
        if isinstance(error, their_class):
            return our_class
    # aiobotocore raises HTTPClientError for all other errors of a request.
    if isinstance(error, theirs.HTTPClientError) and isinstance(_wrapped(error), _BROKEN):
        return errors.ConnectionFailed
    return None


def _text(error: Exception) -> str:
    """Return what *error* says; botocore's own texts are sentences, others need their class."""
    if type(error) is theirs.HTTPClientError and isinstance(wrapped := _wrapped(error), Exception):
        return _text(wrapped)
    text = str(error)
    if isinstance(error, theirs.InvalidProxiesConfigError):
        text += f" {_wrapped(error)}"
    if isinstance(error, theirs.BotoCoreError | theirs.ClientError | errors.FsxCopyError) and text:
        return text
    return f"{type(error).__name__}: {text}".removesuffix(": ")


def _place(error: Exception) -> str:
    """Return where the setting is that *error* is about, as text to add to its own."""
    is_file = type(error) is theirs.HTTPClientError and isinstance(_wrapped(error), _FILES)
    if is_file or isinstance(error, theirs.SSLError):
        return f" (certificates come from {_CERTIFICATES})"
    if isinstance(error, ValueError):
        text = str(error)
        if "endpoint" in text or "IPv6 URL" in text:
            return f" ({_ENDPOINTS})"
        settings = os.environ.items()
        found = [
            name for name, value in settings if name.startswith("AWS_") and repr(value) in text
        ]
        if text.startswith("invalid literal for int()"):
            found = found or ["a setting of the profile, such as max_attempts"]
        return f" (the value of {' or '.join(found)})" if found else ""
    return ""


def _wrapped(error: Exception) -> object:
    return getattr(error, "kwargs", {}).get("error")

"""From botocore's exceptions to ours: one table."""

from __future__ import annotations

import socket
import ssl

import aiohttp
from aiobotocore import retryhandler as _adds_to_the_map  # noqa: F401 - on import
from botocore import exceptions as theirs
from botocore.retryhandler import EXCEPTION_MAP

from fsxcopy_sdk import errors

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
_CREDENTIALS: tuple[type[Exception], ...] = (
    theirs.CredentialRetrievalError,
    theirs.InvalidIMDSEndpointError,
    # For `aws login`; botocore before 1.41 has none, and repeats the one below instead.
    getattr(theirs, "LoginError", theirs.SSOError),
    theirs.MetadataRetrievalError,
    theirs.NoAuthTokenError,
    theirs.NoCredentialsError,
    theirs.PartialCredentialsError,
    theirs.RefreshWithMFAUnsupportedError,
    theirs.SSOError,
    theirs.TokenRetrievalError,
    theirs.UnknownCredentialError,
    # A service that lends credentials, such as STS, refused; errors of FSx itself are read
    # from their answers.
    theirs.ClientError,
)
# What aiobotocore's own retries count as a broken connection, and what they leave out: with
# aiohttp, an answer that is no HTTP and a header that is no text.
_BROKEN = (
    *EXCEPTION_MAP["GENERAL_CONNECTION_ERROR"],
    aiohttp.ClientResponseError,
    UnicodeDecodeError,
)

# With these there was no connection, and with the others there was none if what they wrap
# says so; httpx2 and httpx are known by name, because neither need be installed.
_NOT_CONNECTED = (theirs.ConnectTimeoutError, theirs.ProxyConnectionError, theirs.SSLError)
_WRAPPED_NOT_CONNECTED = (aiohttp.ClientConnectorError, socket.gaierror)
# A file of certificates that is not there or is none, or no URL: found before connecting.
_LOCAL = (FileNotFoundError, PermissionError, ssl.SSLError, aiohttp.InvalidURL)


def from_botocore_error(
    error: Exception, operation: str | None = None, attempts: int = 0, unsent: int = 0
) -> errors.FsxCopyError:
    """
    Return this package's exception for one that botocore or a library below it raised.

    The service may have accepted the request if any of the *attempts* had a connection;
    *unsent* of them had none.
    """
    text = f"{type(error).__name__}: {error}"
    no_answer = _no_answer(error) or (errors.NoResponse if attempts else None)
    if no_answer:
        return no_answer(
            text,
            operation=operation,
            attempts=attempts,
            may_have_been_sent=attempts > unsent,
        )
    if isinstance(error, theirs.ParamValidationError):
        return errors.InvalidArguments(text, (text,))
    if isinstance(error, _CREDENTIALS):
        return errors.CredentialsUnavailable(text, operation=operation, attempts=attempts)
    if isinstance(error, theirs.NoRegionError):
        text = "region: give one, or set AWS_DEFAULT_REGION"
    return errors.ConfigurationError(text)


def had_no_connection(error: Exception) -> bool:
    """Whether *error* means that no connection was established, so that nothing was sent."""
    wrapped = _wrapped(error)
    name = type(wrapped).__name__
    if type(error) is theirs.HTTPClientError:
        return isinstance(wrapped, _LOCAL)
    if isinstance(error, theirs.EndpointConnectionError):
        return isinstance(wrapped, _WRAPPED_NOT_CONNECTED) or name == "ConnectError"
    # aiobotocore makes a ConnectTimeoutError of httpx's WriteTimeout, which had a connection.
    return isinstance(error, _NOT_CONNECTED) and name != "WriteTimeout"


def _no_answer(error: Exception) -> type[errors.NoResponse] | None:
    for their_class, our_class in _NETWORK:
        if isinstance(error, their_class):
            return our_class
    # aiobotocore raises HTTPClientError for all other errors of a request, a bad URL or a
    # missing file of certificates too, and those do not pass by waiting.
    if isinstance(error, theirs.HTTPClientError) and isinstance(_wrapped(error), _BROKEN):
        return errors.ConnectionFailed
    return None


def _wrapped(error: Exception) -> object:
    return getattr(error, "kwargs", {}).get("error")

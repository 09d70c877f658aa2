"""
From botocore's exceptions to ours: one table.
"""

from __future__ import annotations

from aiobotocore import retryhandler as _adds_to_the_map  # noqa: F401 - on import
from botocore import exceptions as theirs
from botocore.retryhandler import EXCEPTION_MAP

from fsxcopy_sdk import errors

# The first line that fits wins, so the narrower classes stand first.
_NETWORK: tuple[tuple[type[Exception], type[errors.NoAnswer]], ...] = (
    (theirs.ConnectTimeoutError, errors.RequestTimeout),
    (theirs.ReadTimeoutError, errors.RequestTimeout),
    # A certificate that does not convince will not do so later either.
    (theirs.SSLError, errors.NoAnswer),
    (theirs.ConnectionError, errors.ConnectionFailed),
    (theirs.ConnectionClosedError, errors.ConnectionFailed),
    (theirs.ResponseStreamingError, errors.ConnectionFailed),
)
_CREDENTIALS: tuple[type[Exception], ...] = (
    theirs.CredentialRetrievalError,
    theirs.InvalidIMDSEndpointError,
    theirs.LoginError,
    theirs.MetadataRetrievalError,
    theirs.NoAuthTokenError,
    theirs.NoCredentialsError,
    theirs.PartialCredentialsError,
    theirs.RefreshWithMFAUnsupportedError,
    theirs.SSOError,
    theirs.TokenRetrievalError,
    theirs.UnknownCredentialError,
    # A service that lends credentials (STS, say) refused; errors of FSx itself never
    # come this way.
    theirs.ClientError,
)


def translate(
    error: Exception, operation: str | None = None, attempts: int = 0
) -> errors.FsxCopyError:
    """
    Return this package's exception for one that botocore or a library below it raised.

    With no attempt made, nothing was sent; otherwise the service may have accepted the
    request, whatever it was that came up afterwards.
    """
    text = f"{type(error).__name__}: {error}"
    for their_class, our_class in _NETWORK:
        if isinstance(error, their_class):
            return our_class(text, operation=operation, attempts=attempts)
    if _is_broken_connection(error):
        return errors.ConnectionFailed(text, operation=operation, attempts=attempts)
    if attempts:
        return errors.NoAnswer(text, operation=operation, attempts=attempts)
    if isinstance(error, theirs.ParamValidationError):
        return errors.InvalidArguments(text, (text,))
    if isinstance(error, _CREDENTIALS):
        return errors.CredentialsUnavailable(text, operation=operation, attempts=attempts)
    if isinstance(error, theirs.NoRegionError):
        text = "region: give one, or set AWS_DEFAULT_REGION"
    return errors.ConfigurationError(text)


def _is_broken_connection(error: Exception) -> bool:
    """
    Whether aiobotocore wrapped what its own retries take for a broken connection.

    HTTPClientError is its word for everything that comes up on the way, a bad URL or a
    missing file of certificates too, and those do not pass by waiting.
    """
    wrapped = getattr(error, "kwargs", {}).get("error")
    return isinstance(error, theirs.HTTPClientError) and isinstance(
        wrapped, tuple(EXCEPTION_MAP["GENERAL_CONNECTION_ERROR"])
    )

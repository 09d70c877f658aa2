"""
From botocore's exceptions to ours: one table.
"""

from __future__ import annotations

from botocore import exceptions as theirs

from fsxcopy_sdk import errors

# The first line that fits wins, so the narrower classes stand first.
_CALL_ERRORS: tuple[tuple[type[Exception], type[errors.CallError]], ...] = (
    (theirs.ConnectTimeoutError, errors.RequestTimeout),
    (theirs.ReadTimeoutError, errors.RequestTimeout),
    # A certificate that does not convince will not do so later either.
    (theirs.SSLError, errors.NoAnswer),
    (theirs.ConnectionError, errors.ConnectionFailed),
    (theirs.ConnectionClosedError, errors.ConnectionFailed),
    (theirs.ResponseStreamingError, errors.ConnectionFailed),
    # aiobotocore's word for everything else that comes up on the way: a bad URL, a
    # missing file of certificates, a closed session. Nothing that passes by waiting.
    (theirs.HTTPClientError, errors.NoAnswer),
    (theirs.CredentialRetrievalError, errors.CredentialsUnavailable),
    (theirs.InvalidIMDSEndpointError, errors.CredentialsUnavailable),
    (theirs.LoginError, errors.CredentialsUnavailable),
    (theirs.MetadataRetrievalError, errors.CredentialsUnavailable),
    (theirs.NoAuthTokenError, errors.CredentialsUnavailable),
    (theirs.NoCredentialsError, errors.CredentialsUnavailable),
    (theirs.PartialCredentialsError, errors.CredentialsUnavailable),
    (theirs.RefreshWithMFAUnsupportedError, errors.CredentialsUnavailable),
    (theirs.SSOError, errors.CredentialsUnavailable),
    (theirs.TokenRetrievalError, errors.CredentialsUnavailable),
    (theirs.UnknownCredentialError, errors.CredentialsUnavailable),
    # A service that lends credentials (STS, say) refused; errors of FSx itself never
    # come this way.
    (theirs.ClientError, errors.CredentialsUnavailable),
)


def translate(
    error: Exception, operation: str | None = None, attempts: int = 0
) -> errors.FsxCopyError:
    """
    Return this package's exception for one that botocore or a library below it raised.

    Without an *operation*, or with no attempt made, nothing was sent.
    """
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, theirs.NoRegionError):
        text = "region: give FsxCopyClient(region), or set AWS_DEFAULT_REGION"
    if isinstance(error, theirs.ParamValidationError):
        return errors.InvalidArguments(text, (text,))
    for their_class, our_class in _CALL_ERRORS:
        if isinstance(error, their_class):
            return our_class(text, operation=operation, attempts=attempts)
    if attempts == 0 or isinstance(error, theirs.BotoCoreError):
        return errors.ConfigurationError(text)
    return errors.NoAnswer(text, operation=operation, attempts=attempts)

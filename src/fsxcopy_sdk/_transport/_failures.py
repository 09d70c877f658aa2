"""
From botocore's exceptions to ours: one table.
"""

from __future__ import annotations

from botocore import exceptions as theirs

from fsxcopy_sdk import errors

# The first line that fits wins, so the narrower classes stand first.
_NO_ANSWER: tuple[tuple[type[Exception], type[errors.NoAnswer]], ...] = (
    (theirs.ConnectTimeoutError, errors.RequestTimeout),
    (theirs.ReadTimeoutError, errors.RequestTimeout),
    (theirs.ConnectionError, errors.ConnectionFailed),
    (theirs.HTTPClientError, errors.ConnectionFailed),
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
    error: Exception, operation: str | None = None, attempts: int = 1
) -> errors.FsxCopyError:
    """
    Return this package's exception for one that botocore or a library below it raised.
    """
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, theirs.ParamValidationError):
        return errors.InvalidArguments(text, (text,))
    for their_class, our_class in _NO_ANSWER:
        if isinstance(error, their_class):
            return our_class(text, operation=operation, attempts=attempts)
    if operation is None or isinstance(error, theirs.BotoCoreError):
        return errors.ConfigurationError(text)
    return errors.NoAnswer(text, operation=operation, attempts=attempts)

"""
Failures of credentials: how to recognize them, which are temporary, and their messages.

Credentials come from files, programs and services of many kinds, and botocore has a class of
its own for few of their failures: a program that prints no JSON is a JSONDecodeError, STS that
is down an EndpointConnectionError as if FSx were. So where an exception came from is read from
its traceback: both methods that load credentials have public names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from traceback import walk_tb
from typing import TYPE_CHECKING

from botocore import exceptions as theirs

from fsxcopy_sdk._error_mapping import ErrorDocument, service_error
from fsxcopy_sdk.errors import ConfigurationError, CredentialsUnavailable
from fsxcopy_sdk.models import ResponseMetadata

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest

_LOADING = frozenset(("get_credentials", "get_frozen_credentials"))
_RUNNING_A_PROCESS = "_retrieve_credentials_using"
_READING_THE_SSO_CACHE = "_refresher"
_SIGNING = "add_auth"

# For `aws login`; botocore before 1.41 has none, and repeats another one instead.
_LOGIN_ERROR: type[Exception] = getattr(theirs, "LoginError", theirs.SSOError)

# These do not pass by themselves: a login or a change of the configuration is needed.
_FINAL: tuple[type[Exception], ...] = (
    theirs.InvalidIMDSEndpointError,
    _LOGIN_ERROR,
    theirs.NoAuthTokenError,
    theirs.NoCredentialsError,
    theirs.PartialCredentialsError,
    theirs.RefreshWithMFAUnsupportedError,
    theirs.SSOError,
    theirs.TokenRetrievalError,
    theirs.UnknownCredentialError,
)
_CLASSES: tuple[type[Exception], ...] = (
    *_FINAL,
    theirs.CredentialRetrievalError,
    theirs.MetadataRetrievalError,
    # A service that lends credentials, such as STS, refused; errors of FSx itself are read
    # from their answers.
    theirs.ClientError,
)
# Found while credentials are loaded, because that reads the configuration first.
_SETTINGS = (
    theirs.ConfigNotFound,
    theirs.ConfigParseError,
    theirs.InvalidConfigError,
    theirs.MissingDependencyException,
    theirs.ProfileNotFound,
)

# Codes of STS: it could not reach the provider of the identity, and the token of the identity,
# which the platform renews in its file, is expired (API reference of AssumeRoleWithWebIdentity).
_PASSING_CODES = frozenset(
    (
        ("AssumeRoleWithWebIdentity", "ExpiredTokenException"),
        ("AssumeRoleWithWebIdentity", "IDPCommunicationError"),
    )
)

_SSO_CACHE = "~/.aws/sso/cache"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_RULE = "must not have line breaks or other control characters"
_KEY_HEADERS = {"Authorization": "access key", "X-Amz-Security-Token": "session token"}


def is_of_credentials(error: Exception) -> bool:
    """Whether *error* came up because credentials could not be loaded or renewed."""
    if isinstance(error, _CLASSES):
        return True
    names = {*_functions(error)}
    # A provider may return keys that are not text, which fail only when a request is signed.
    is_unusable = isinstance(error, TypeError | AttributeError) and _SIGNING in names
    return is_unusable or (not isinstance(error, _SETTINGS) and not _LOADING.isdisjoint(names))


def is_temporary(error: Exception) -> bool:
    """Whether a failure of credentials is temporary, as far as is known."""
    if isinstance(error, theirs.ClientError):
        return _is_temporary_refusal(error)
    return not isinstance(error, _FINAL)


def _is_temporary_refusal(error: theirs.ClientError) -> bool:
    """Whether a credentials service may succeed later, by the same rules as errors of FSx."""
    refusal, metadata = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 400)
    code = refusal.get("Code", "Unknown")
    document = ErrorDocument(
        # botocore's name for an answer without a code, such as a proxy's.
        code=str(status) if code == "Unknown" else code,
        message=refusal.get("Message", ""),
    )
    answer = service_error(
        document,
        operation=error.operation_name,
        metadata=ResponseMetadata(http_status=status if isinstance(status, int) else 400),
        body=None,
    )
    answer.worked_before = True  # the client decides that later, for the whole
    return answer.is_transient or (error.operation_name, code) in _PASSING_CODES


def describe(error: Exception, text: str, profile: str | None) -> str:
    """Return *text* of a failure of credentials with the file, program or command it is about."""
    of_profile = f" --profile {profile}" if profile else ""
    if isinstance(error, theirs.SSOError | theirs.TokenRetrievalError):
        return f"{text.rstrip('.')}; log in with: aws sso login{of_profile}"
    if isinstance(error, _LOGIN_ERROR):
        return f"{text.rstrip('.')}; log in with: aws login{of_profile}"
    if isinstance(error, theirs.NoCredentialsError):
        return (
            "no credentials were found in the environment (AWS_ACCESS_KEY_ID), in "
            f"{f'the profile {profile}' if profile else 'the profile'}, or from the container or "
            "instance"
        )
    names = set(_functions(error))
    if _RUNNING_A_PROCESS in names:
        of_profile = f" of the profile {profile}" if profile else ""
        kind = (
            "" if isinstance(error, theirs.BotoCoreError | OSError) else "printed no credentials: "
        )
        return f"credential_process{of_profile}: {kind}{text}"
    if _SIGNING in names:
        where = f" of the profile {profile}" if profile else ""
        text = f"the credentials{where} are not text: {text}"
    is_unreadable = not isinstance(error, theirs.BotoCoreError | theirs.ClientError)
    if _READING_THE_SSO_CACHE in names and is_unreadable:
        return f"{_SSO_CACHE}: {text}; log in with: aws sso login{of_profile}"
    return text


def check_headers(request: AWSRequest) -> None:
    """
    Refuse keys and other headers with control characters, which no HTTP client sends.

    A variable that was set from a file often ends with a line break. A secret key does not show
    in a request, but its signature would be wrong.

    Raises:
        CredentialsUnavailable: a key has such a character.
        ConfigurationError: another header has, such as the User-Agent.
    """
    headers = request.headers.items()
    bad = [name for name, value in headers if isinstance(value, str) and _CONTROL.search(value)]
    variables = [name for name in _KEY_VARIABLES if _CONTROL.search(os.environ.get(name, ""))]
    place = f" ({', '.join(variables)})" if variables else ""
    for header, what in _KEY_HEADERS.items():
        if header in bad:
            raise CredentialsUnavailable(f"{what}{place}: {_RULE}", attempts=0)
    if variables and _is_of_environment(request):
        raise CredentialsUnavailable(f"secret key{place}: {_RULE}", attempts=0)
    if bad:
        raise ConfigurationError(f"header {bad[0]}: {_RULE}")


def _is_of_environment(request: AWSRequest) -> bool:
    """Whether *request* was signed with the access key of the environment."""
    key = os.environ.get("AWS_ACCESS_KEY_ID")
    return bool(key) and f"Credential={key}/" in str(request.headers.get("Authorization"))


def _functions(error: BaseException) -> Iterator[str]:
    """Yield the names of the functions that an exception came through."""
    for frame, _ in walk_tb(error.__traceback__):
        yield frame.f_code.co_name

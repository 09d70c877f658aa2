"""
How a command ends: few codes, and which error leads to which.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from fsxcopy_sdk.cli._usage import usage_fault
from fsxcopy_sdk.errors import (
    AccessDenied,
    ConfigurationError,
    CredentialsUnavailable,
    ExpiredCredentials,
    FsxCopyError,
    InvalidArguments,
    InvalidCredentials,
    ServiceError,
    WaitTimeout,
)


class Exit(IntEnum):
    """
    The exit codes; the command's own help explains them.
    """

    DONE = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    TIMED_OUT = 4
    INTERRUPTED = 130


_USAGE = (InvalidArguments, ConfigurationError)
_DENIED = (AccessDenied, CredentialsUnavailable, ExpiredCredentials, InvalidCredentials)


def exit_of(error: FsxCopyError) -> Exit:
    """
    Return the code that *error* ends a command with.
    """
    if isinstance(error, _USAGE):
        return Exit.USAGE
    if isinstance(error, _DENIED):
        return Exit.DENIED
    return Exit.TIMED_OUT if isinstance(error, WaitTimeout) else Exit.FAILED


def exit_of_all(codes: Iterable[Exit]) -> Exit:
    """
    Return the code for several items: what all that did not end well have in common.
    """
    bad = set(codes) - {Exit.DONE}
    if len(bad) == 1:
        return bad.pop()
    return Exit.FAILED if bad else Exit.DONE


def describe_error(error: FsxCopyError) -> str:
    """
    Return the text of *error* with its class, and the id that AWS support asks for.

    Bad usage goes without a class, and by the names of options.
    """
    if isinstance(error, InvalidArguments | ConfigurationError):
        return usage_fault(error)
    name, text = type(error).__name__, str(error)
    if not text.startswith(name):
        text = f"{name}: {text}"
    if isinstance(error, ServiceError) and error.request_id:
        text += f" [request {error.request_id}]"
    return text

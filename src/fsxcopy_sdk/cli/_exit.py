"""
How a command ends: few codes, and which error leads to which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum

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


# Where an option has another name than what it sets.
_OPTIONS = {
    "file_system_ids": "file-system-id",
    "filters": "filter",
    "kms_key_ids": "kms-key-id",
    "name": "policy",
    "tags": "tag",
    "volume_ids": "volume-id",
}
_MEMBER = re.compile(r"([a-z]+(?:_[a-z]+)*)(?:\[[^]]*\])?:")
_NO_OPTIONS = ("backup_id", "backup_ids", "source_backup_id")


def _of_option(fault: str) -> str:
    """
    Return *fault* with the option's name in the place of what it sets.
    """
    found = _MEMBER.match(fault)
    if found is None or found[1] in _NO_OPTIONS:
        return fault
    option = _OPTIONS.get(found[1], found[1].replace("_", "-"))
    return f"--{option}:{fault[found.end() :]}"


def in_words(error: FsxCopyError) -> str:
    """
    Return the text of *error*: its class and the id that AWS support asks for, or the option.
    """
    if isinstance(error, InvalidArguments):
        return "; ".join(_of_option(fault) for fault in error.faults) or str(error)
    name, text = type(error).__name__, str(error)
    if not (text.startswith(name) or isinstance(error, ConfigurationError)):
        text = f"{name}: {text}"
    if isinstance(error, ServiceError) and error.request_id:
        text += f" [request {error.request_id}]"
    return text

"""How a command ends: the exit codes, the texts of errors, and the outcome of each item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum

import attrs

from fsxcopy_sdk import errors
from fsxcopy_sdk.cli._output import public
from fsxcopy_sdk.errors import FsxCopyError, InvalidArguments, ServiceError, WaitTimeout
from fsxcopy_sdk.models import Backup


class Exit(IntEnum):
    """The exit codes, which ``fsxcopy --help`` explains; those of signals are with `Signals`."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    TIMED_OUT = 4


_USAGE = (InvalidArguments, errors.ConfigurationError)
_DENIED = (
    errors.AccessDenied,
    errors.ClockSkewed,
    errors.CredentialsUnavailable,
    errors.ExpiredCredentials,
    errors.InvalidCredentials,
)

# The library's names of arguments, and what is typed to give them.
_OPTIONS = {
    "backup_id": "BACKUP_ID",
    "destination": "--region",
    "endpoint_url": "--endpoint-url",
    "file_system_ids": "--file-system-id",
    "idempotency_salt": "--salt",
    "kms_key_id": "--kms-key-id",
    "kms_key_ids": "--kms-key-id",
    "name": "--policy",
    "keep_tag": "--keep-tag",
    "region": "--region",
    "source_region": "--source-region",
    "tags": "--tag",
    "time_zone": "--keep-time-zone",
    "volume_ids": "--volume-id",
}
# Where the library finds a Region, and where the command does, in their orders.
_REGION_OF_LIBRARY = (
    "an argument, a config setting, AWS_DEFAULT_REGION, a profile setting or AWS_REGION"
)
_REGION_OF_COMMAND = "--region, AWS_REGION, AWS_DEFAULT_REGION or the profile"
_UNSEEN = ("in_progress", "not_observed", "not_started")
# A class whose text is a sentence; that of others means nothing without the class.
_CLASS = re.compile(r"^(?!JSONDecodeError|KeyError|TypeError|Unicode)[A-Z][A-Za-z]+: ")
_ARGUMENT = re.compile(r"^(?:requests\[\d+\]\.)?([a-z_]+)(?:\[\d+\])?(?=: )")


def exit_of(error: FsxCopyError | None) -> Exit:
    """Return the exit code of a command that ends with *error*, or without one."""
    if error is None:
        return Exit.DONE
    if isinstance(error, _USAGE):
        return Exit.USAGE
    if isinstance(error, _DENIED):
        return Exit.DENIED
    return Exit.TIMED_OUT if isinstance(error, WaitTimeout) else Exit.FAILED


def exit_of_all(codes: Iterable[Exit]) -> Exit:
    """Return the exit code for several items: the one that all unsuccessful items share, or 1."""
    bad = set(codes) - {Exit.DONE}
    if len(bad) > 1:
        return Exit.FAILED
    return bad.pop() if bad else Exit.DONE


def describe_error(error: FsxCopyError) -> str:
    """Return *error* in words on one line, as `describe_errors` does."""
    return "; ".join(describe_errors(error))


def describe_errors(error: FsxCopyError) -> Iterable[str]:
    """Return *error* in words: its class and request ID, or options instead of arguments."""
    if isinstance(error, _USAGE):
        texts = error.errors if isinstance(error, InvalidArguments) else (str(error),)
        # Many requests may have the same error.
        return dict.fromkeys(map(_in_options, texts))
    name, text = type(error).__name__, str(error)
    if not text.startswith(name):
        text = f"{name}: {text}"
    if isinstance(error, ServiceError) and error.request_id:
        text += f" [request {error.request_id}]"
    if isinstance(error, errors.ConnectionFailed):
        from fsxcopy_sdk._transport import known_regions  # noqa: PLC0415 - help needs no botocore

        if error.region not in known_regions():
            text += f"; botocore lists no endpoint of FSx in {error.region}"
    return (text,)


def _in_options(text: str) -> str:
    """Return the text of a usage error without its class, with an option for its argument."""
    text = _CLASS.sub("", text).replace(_REGION_OF_LIBRARY, _REGION_OF_COMMAND)
    return _ARGUMENT.sub(lambda found: _OPTIONS.get(found[1], found[0]), text)


@attrs.frozen(kw_only=True)
class Ended:
    """The outcome of one item: a copy, a wait or a deletion."""

    outcome: str
    """
    One word: available, copied, deleted, failed, in_progress, not_observed, not_started,
    timed_out ...
    """
    backup_id: str | None = None
    backup: Backup | None = None
    """The backup as last seen."""
    error: FsxCopyError | None = None
    reason: str | None = None
    """Why the item ended like this, if not by an error."""
    requested_id: str | None = None
    """The ID of the backup that was to be copied."""
    is_deletion: bool = False
    """Whether the backup was to be deleted, so that there is nothing to wait for."""
    members: Mapping[str, object] | None = None
    """What a document has of the item; None for its ID, the backup as last seen and the error."""
    origin: Mapping[str, str] = attrs.field(factory=dict)
    """Of a fleet: the item's policy, account and Regions, as a document has them."""

    @property
    def exit(self) -> Exit:
        """The exit code of a command with this item alone."""
        if self.outcome in ("cannot_copy", "held_back"):
            return Exit.FAILED
        code = exit_of(self.error)
        # An accepted copy whose end was not observed is not a failed copy.
        is_unseen = self.outcome in _UNSEEN and code is not Exit.DENIED
        return Exit.TIMED_OUT if is_unseen or self.outcome == "timed_out" else code

    @property
    def is_open(self) -> bool:
        """Whether the backup may still end, so that a wait for it can be resumed."""
        may_end = self.outcome in ("in_progress", "not_observed", "started", "timed_out")
        return may_end and self.backup_id is not None and not self.is_deletion

    @property
    def is_running(self) -> bool:
        """Whether the backup was seen, and the service may still be working on it."""
        return self.is_open and self.backup is not None

    @property
    def source_id(self) -> str | None:
        """The ID of the backup that was to be copied, or that this one is a copy of."""
        return self.requested_id or (self.backup.source_backup_id if self.backup else None)

    @property
    def words(self) -> str:
        """The outcome in words."""
        is_refused = self.outcome == "cannot_copy"
        return "cannot be copied" if is_refused else self.outcome.replace("_", " ")

    @property
    def why(self) -> str:
        """The error or the reason as text, which may be empty."""
        error = self.error
        if isinstance(error, errors.BackupCopyFailed) and error.reason:
            return error.reason
        if isinstance(error, WaitTimeout):
            return str(error)
        return describe_error(error) if error else self.reason or ""

    def document(self) -> dict[str, object]:
        """Return this as JSON-able data: as the library's outcome, or in the same style."""
        members = self.members
        if members is None:
            parts = {"Backup": self.backup, "Error": self.error}
            seen = {name: public(part) for name, part in parts.items() if part is not None}
            members = {"BackupId": self.backup_id, **seen}
        reason = {"Reason": self.reason} if self.reason else {}
        words = self.outcome.split("_")
        own = {"Outcome": "".join(word.capitalize() for word in words), **reason}
        # An outcome of the library has the name of its class among its members.
        own = {} if "Outcome" in members else own
        return {**own, **members, **self.origin}

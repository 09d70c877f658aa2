"""
How one item of a command ended, in the forms that it is told in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from fsxcopy_sdk.cli._exit import Exit, describe_error, exit_of
from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.cli._output import Results, public
from fsxcopy_sdk.errors import BackupCopyFailed, FsxCopyError, ServiceError, WaitTimeout
from fsxcopy_sdk.models import Backup

_EXITS = {"timed_out": Exit.TIMED_OUT, "cannot_copy": Exit.FAILED}


@attrs.frozen(kw_only=True)
class Ended:
    """
    The end of one item.
    """

    outcome: str
    """One word: available, copied, cannot_copy, deleted, failed, not_observed, skipped ..."""
    backup_id: str | None = None
    backup: Backup | None = None
    """As it was last seen."""
    error: FsxCopyError | None = None
    reason: str | None = None
    """Why it ended like this, where it is no error."""
    request: dict[str, object] | None = None
    """What was asked for, under the service's own names."""

    @property
    def exit(self) -> Exit:
        """
        The code that a command with this item alone ends with.
        """
        if self.outcome in _EXITS:
            return _EXITS[self.outcome]
        code = exit_of(self.error) if self.error else Exit.DONE
        # Whatever kept the end from being seen, an accepted copy is no failure.
        is_unseen = self.outcome == "not_observed" and code is not Exit.DENIED
        return Exit.TIMED_OUT if is_unseen else code

    @property
    def goes_on(self) -> bool:
        """
        Whether the service is still at it, as far as anybody knows.
        """
        is_over = self.error is None or isinstance(self.error, BackupCopyFailed)
        return self.backup is not None and not is_over

    @property
    def why(self) -> str:
        """
        The reason in words; empty where there is none to tell.
        """
        error = self.error
        if isinstance(error, BackupCopyFailed) and error.reason:
            return error.reason
        if isinstance(error, WaitTimeout):
            return str(error)
        return describe_error(error) if error else self.reason or ""

    @property
    def source_id(self) -> str | None:
        """
        The backup that this one is a copy of, or was to be.
        """
        if self.request:
            return str(self.request["SourceBackupId"])
        return self.backup.source_backup_id if self.backup else None

    @property
    def words(self) -> str:
        """
        The outcome and the reason.
        """
        return f"{_spaced(self.outcome)}{self.why and ': '}{self.why}"

    def document(self) -> dict[str, object]:
        """
        Return this as JSON-able data; what is absent is left out.
        """
        members: dict[str, object | None] = {
            "Outcome": self.outcome,
            "BackupId": self.backup_id,
            "Reason": self.reason,
            "Error": _error(self.error) if self.error else None,
            "Request": self.request,
            "Backup": public(self.backup) if self.backup else None,
        }
        return {name: value for name, value in members.items() if value is not None}

    def row(self) -> tuple[str, ...]:
        """
        Return this as a row of a table.
        """
        return (self.backup_id or "-", self.outcome, self.source_id or "-", self.why)


def outcome_of(error: FsxCopyError | None, success: str) -> str:
    """
    Return the word for *error*; *success* where there is none.
    """
    if error is None:
        return success
    return "timed_out" if isinstance(error, WaitTimeout) else "failed"


def summary(ends: Iterable[Ended]) -> str:
    """
    Return how many ended how, what ended well first.
    """
    counts = Counter(_spaced(end.outcome) for end in sorted(ends, key=lambda end: end.exit))
    return ", ".join(f"{count} {words}" for words, count in counts.items())


def outcomes(options: Globals) -> Results:
    """
    Return where to put the ends of items.
    """
    return Results(options.output, "Outcomes", ("BACKUP", "OUTCOME", "SOURCE", "WHY"))


def _spaced(outcome: str) -> str:
    return "cannot be copied" if outcome == "cannot_copy" else outcome.replace("_", " ")


def _error(error: FsxCopyError) -> dict[str, object]:
    document: dict[str, object] = {"Type": type(error).__name__, "Message": str(error)}
    if isinstance(error, ServiceError) and error.request_id:
        document["RequestId"] = error.request_id
    return document

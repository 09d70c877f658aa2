"""
The root of all errors, and those that need no call.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk._value import Shown

# Errors with fields are `define(slots=False, eq=False, repr=False)`, positional and not
# frozen: BaseException pickles by `args`, which attrs fills with all fields in order. Those
# without fields of their own inherit all of it, and cost the import nothing.


@attrs.define(slots=False, eq=False, repr=False)
class FsxCopyError(Shown, Exception):
    """
    Root of all errors of this package.
    """

    message: str
    accepted_backup_id: str | None = attrs.field(
        init=False, default=None, kw_only=True, repr=False
    )
    """The copy that the service had accepted when `copy_backup_and_wait` failed."""

    @property
    def is_transient(self) -> bool:
        """
        Whether the same call may succeed later without anything being changed.
        """
        return False

    def __str__(self) -> str:
        return self.message


@attrs.define(slots=False, eq=False, repr=False)
class InvalidArguments(FsxCopyError, ValueError):
    """
    Arguments break rules of the service; nothing was sent.
    """

    faults: tuple[str, ...] = ()
    """One text for each fault: the argument's name and the rule."""


class ConfigurationError(FsxCopyError):
    """
    The client cannot be made or used as it is configured.
    """


class ClientClosed(FsxCopyError):
    """
    The client is not open: use it inside ``async with``.
    """

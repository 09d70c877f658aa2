"""The retention of a policy in a file, until `ReplicationPolicy` has a class for it."""

from __future__ import annotations

from typing import TypedDict

import attrs

from fsxcopy_sdk._validation import ArgumentErrors


@attrs.frozen(kw_only=True)
class Keep:
    """Which copies of a policy are kept; at least one rule must be given."""

    last: int | None = attrs.field(default=None, metadata={"schema": {"minimum": 1}})
    """How many backups' copies of each file system or volume are never pruned."""
    within: float | None = None
    """For how long a copy is not pruned, from when its backup was made."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        if self.last is not None and not (type(self.last) is int and self.last >= 1):
            errors.add_value("last", "an integer of 1 or more", self.last)
        if self.within is not None:
            errors.check_seconds("within", self.within)
        if self.last is None and self.within is None:
            errors.add("last", "given, or another rule", "absent")
        errors.raise_any()


class Retention(TypedDict):
    """The arguments of `ReplicationPolicy` that say what is kept."""

    keep_last: int | None
    keep_within: float | None


def retention(keep: Keep | None) -> Retention:
    """Return the arguments of `ReplicationPolicy` for *keep*."""
    if keep is None:
        return {"keep_last": None, "keep_within": None}
    return {"keep_last": keep.last, "keep_within": keep.within}

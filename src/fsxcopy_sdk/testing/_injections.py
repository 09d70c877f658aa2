"""
Which calls get which errors.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

import attrs

from ._faults import Fault, FaultKind
from ._json import JsonValue
from ._rules import REQUESTS

LISTING_FAULTS: Final = frozenset(
    {
        FaultKind.EMPTY_LISTING,
        FaultKind.CUT_LISTING,
        FaultKind.SHUFFLED_LISTING,
        FaultKind.ENDLESS_LISTING,
    }
)
"""ArgumentErrors of DescribeBackups without BackupIds."""

CARRIED_OUT: Final = LISTING_FAULTS | {FaultKind.TRUNCATE, FaultKind.RELABEL}
"""ArgumentErrors that change the answer of the call, which is always carried out."""

_OPERATIONS: Final[Mapping[FaultKind, frozenset[str]]] = {
    **dict.fromkeys(LISTING_FAULTS, frozenset({"DescribeBackups"})),
    FaultKind.OTHER_ANSWER: frozenset({"CopyBackup", "DeleteBackup", "DescribeBackups"}),
}
"""The operations of errors that are not for all."""


@attrs.define(eq=False, kw_only=True)
class Injection:
    """
    A fault, and the calls that it is for.
    """

    fault: Fault
    after: bool
    """Whether the call is carried out before it goes wrong."""
    operation: str | None
    calls_left: int | None
    fraction: float
    random: random.Random

    def strikes(self, operation: str, body: Mapping[str, JsonValue]) -> bool:
        """
        Tell whether this call of *operation* gets the fault.
        """
        if self.operation not in (None, operation) or self.calls_left == 0:
            return False
        if not _concerns(self.fault.kind, operation, body):
            return False
        if self.calls_left is None:
            return self.random.random() < self.fraction
        self.calls_left -= 1
        return True


def _concerns(kind: FaultKind, operation: str, body: Mapping[str, JsonValue]) -> bool:
    """
    Tell whether a fault of *kind* is for such a call.
    """
    if operation not in _OPERATIONS.get(kind, REQUESTS):
        return False
    # Of DescribeBackups some are for listings only, one is for ids only.
    by_id = bool(body.get("BackupIds"))
    if kind in LISTING_FAULTS:
        return not by_id
    return kind is not FaultKind.OTHER_ANSWER or operation != "DescribeBackups" or by_id


class Injections:
    """
    Hold the errors on demand; the first that strikes has the call.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._injections: list[Injection] = []

    def add(
        self,
        fault: Fault,
        *,
        next_calls: int | None,
        fraction: float | None,
        operation: str | None,
        after: bool,
    ) -> None:
        """
        Add *fault*, for the next call unless something else is asked.

        Raises:
            TypeError: *fault* is no fault.
            ValueError: an argument breaks its rule.
        """
        given: object = fault
        if not isinstance(given, Fault):
            msg = f"fault must be a Fault, such as Fault.throttling(), not {fault!r}"
            raise TypeError(msg)
        if next_calls is not None and fraction is not None:
            msg = "next_calls and fraction cannot be given together"
            raise ValueError(msg)
        if next_calls is not None and (next_calls < 1 or next_calls % 1):
            msg = f"next_calls must be a whole number, one or more, not {next_calls!r}"
            raise ValueError(msg)
        if fraction is not None and not 0 <= fraction <= 1:
            msg = f"fraction must be between 0 and 1, not {fraction!r}"
            raise ValueError(msg)
        operations = _OPERATIONS.get(fault.kind, REQUESTS)
        if operation is not None and operation not in operations:
            msg = f"operation must be one of {sorted(operations)}, not {operation!r}"
            raise ValueError(msg)
        injection = Injection(
            fault=fault,
            after=after,
            operation=operation,
            calls_left=(next_calls or 1) if fraction is None else None,
            fraction=fraction or 0.0,
            # Each has numbers of its own, unlike the others': adding one changes none.
            random=random.Random(f"{self._seed}/{len(self._injections)}"),  # noqa: S311 - must be repeatable
        )
        self._injections.append(injection)

    def clear(self) -> None:
        """
        Forget all errors.
        """
        self._injections.clear()

    def strike(self, operation: str, body: Mapping[str, JsonValue]) -> Injection | None:
        """
        Return what this call of *operation* suffers, None for nothing.
        """
        for injection in self._injections:
            if injection.strikes(operation, body):
                return injection
        return None

"""Stop programs that would wait for ever for a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import orjson

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk.testing._clocks import ManualClock
from fsxcopy_sdk.testing._documents import AccountRegion, JsonValue, ServiceFailure
from fsxcopy_sdk.testing._lifecycle import Moving, busy_until
from fsxcopy_sdk.testing._store import Store, StoredBackup

_REPEATS: Final = 3
"""
How often a request must have come before it counts as a wait. A test that shows a backup to be
COPYING asks once or twice; three times over many seconds is a program that waits.
"""


class StallGuard:
    """
    Refuse a request that is repeated while the clock of a local FSx stands still.

    Only if its answer may change when the clock moves: a backup of the account is in progress,
    or not shown yet. A backup that a test keeps in COPYING does not depend on the clock.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._timeout = _stall_timeout(store.clock)
        self._now = store.clock.now()
        self._seen: dict[tuple[str, AccountRegion, bytes], list[float]] = {}
        """The request -> real times of its first calls since the clock moved."""

    def check(self, operation: str, scope: AccountRegion, body: Mapping[str, JsonValue]) -> None:
        """
        Note a call of *operation* with *body*.

        Raises:
            ServiceFailure: it waits for a clock that stands still.
        """
        if self._timeout is None:
            return
        now = self._store.clock.now()
        if now != self._now:
            self._now = now
            self._seen.clear()
        # It is the same request even if each call has its own token.
        asked = {name: text for name, text in body.items() if name != "ClientRequestToken"}
        key = (operation, scope, orjson.dumps(asked, option=orjson.OPT_SORT_KEYS))
        times = self._seen.setdefault(key, [])
        times[_REPEATS - 1 :] = [time.monotonic()]
        is_late = len(times) == _REPEATS and times[-1] - times[0] >= self._timeout
        if is_late and any(self._awaits(backup, scope, operation) for backup in self._backups()):
            message = (
                f"{operation} is repeated while the clock of this local FSx stands still. "
                "Advance the clock, give it to the client that waits (fsx_client has it), "
                "or let a copy end at once (copy_duration=0)."
            )
            raise ServiceFailure("ClockStalled", message)

    def _backups(self) -> list[StoredBackup]:
        return list(self._store.by_id.values())

    def _awaits(self, backup: StoredBackup, scope: AccountRegion, operation: str) -> bool:
        """Return whether an answer of *operation* may change with *backup* and the clock."""
        progression = backup.progression
        if backup.scope.account != scope.account or not isinstance(progression, Moving):
            return False
        # Its source cannot be deleted for a while after it ends.
        grace = self._store.grace if operation == "DeleteBackup" else 0
        return self._now < max(busy_until(progression, grace), backup.unseen_until)


def _stall_timeout(clock: Clock) -> float | None:
    return clock.stall_timeout if isinstance(clock, ManualClock) else None

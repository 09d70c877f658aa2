"""
Many copies while acceptance, visibility, tokens and answers fail at random.

Whatever happens, no request has more than one live copy, and every copy that the service
accepted is in an outcome or still in progress. `nox -s histories` runs many more seeds.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import attrs
import pytest
from bulk_rig import WEST, Direct, direct_client, driven, live_copies, outcomes_of, unsent

from fsxcopy_sdk import (
    BadRequest,
    ConnectionFailed,
    FsxCopyClient,
    FsxCopyError,
    InternalServerError,
    RequestTimeout,
    ResponseDecodingError,
    ServiceUnavailable,
    Throttled,
)
from fsxcopy_sdk.bulk import (
    Copied,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    CopyTimedOut,
    copy_many,
)
from fsxcopy_sdk.bulk._queue import TOKEN_LIFETIME
from fsxcopy_sdk.testing import LocalFsx, ManualClock

HOUR = 3600.0
SEEDS = int(os.environ.get("FSXCOPY_TEST_CHAOS", "60"))


def _errors() -> list[FsxCopyError]:
    """Return errors that may come in place of an answer."""
    return [
        ConnectionFailed("reset"),
        RequestTimeout("late"),
        InternalServerError("sorry", http_status=500),
        ServiceUnavailable("sorry", http_status=503),
        ResponseDecodingError("half"),
        ResponseDecodingError("another request's", is_malformed=True),
        Throttled("slow down", attempts=3),
    ]


@attrs.define
class Chaos:
    """A service that loses, delays, refuses and forgets, by a seed."""

    seed: int
    clock: ManualClock = attrs.field(factory=ManualClock)
    random: random.Random = attrs.field(init=False)
    fsx: LocalFsx = attrs.field(init=False)
    client: FsxCopyClient = attrs.field(init=False)
    direct: Direct = attrs.field(init=False)
    requests: list[CopyRequest] = attrs.field(init=False)
    trouble: float = attrs.field(init=False)
    """The share of calls that meet something."""

    def __attrs_post_init__(self) -> None:
        draw = self.random = random.Random(self.seed)
        self.trouble = draw.choice([0.1, 0.4, 0.7])
        self.fsx = LocalFsx(
            clock=self.clock,
            copy_duration=lambda _: draw.uniform(10, 2 * HOUR),
            max_copies_in_progress=3,
            unseen_for=lambda _: draw.choice([0, draw.uniform(0, 300), draw.uniform(0, HOUR)]),
            unseen_by=draw.choice(["all", "id", "listing"]),
            unknown_ids=draw.choice(["error", "omit"]),
            # Less than a call and its last retry take: no client could be right then.
            tokens_remembered_for=TOKEN_LIFETIME + draw.choice([1, 1, 600, 1e9]),
            seed=self.seed,
        )
        self.client, self.direct = direct_client(self.fsx, self.clock)
        self.direct.refuse, self.direct.lose = self._refuse, self._lose
        self.requests = [CopyRequest(source_backup_id=self.fsx.add_backup(WEST)) for _ in range(6)]

    def _refuse(self, _: str) -> FsxCopyError | None:
        if self.random.random() > self.trouble:
            return None
        return self.random.choice([unsent(), Throttled("slow down"), *_errors()])

    def _lose(self, operation: str) -> FsxCopyError | None:
        if operation != "CopyBackup" or self.random.random() > self.trouble:
            return None
        return self.random.choice(_errors())

    async def run(self, requests: list[CopyRequest]) -> tuple[CopyOutcome, ...]:
        """Copy, and return the outcomes."""
        copies = copy_many(self.client, requests, max_in_progress=2, max_wait=6 * HOUR)
        return await driven(self.clock, self.direct.traffic, lambda: outcomes_of(copies))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_never_two_copies_for_one_request(seed: int) -> None:
    """One request has at most one live copy, in this run and in one more than an hour later."""
    chaos = Chaos(seed)
    outcomes = await chaos.run(chaos.requests)

    _check(chaos, outcomes)
    chaos.clock.advance(8 * HOUR)
    chaos.trouble = 0.0
    again = await chaos.run(chaos.requests)
    _check(chaos, again)
    assert all(isinstance(outcome, Copied) for outcome in again)


def _check(chaos: Chaos, outcomes: tuple[CopyOutcome, ...]) -> None:
    live = live_copies(chaos.fsx)
    assert max(live.values(), default=0) <= 1
    assert Counter(chaos.requests) == Counter(outcome.request for outcome in outcomes)
    for outcome in outcomes:
        source = outcome.request.source_backup_id
        if isinstance(outcome, Copied):
            assert outcome.backup.backup_id in {one["BackupId"] for one in chaos.fsx.backups(WEST)}
        elif live[source]:
            # An accepted copy is never reported as a failure.
            assert isinstance(outcome, CopyNotObserved | CopyTimedOut)


async def test_a_refusal_is_a_failure_even_then() -> None:
    """What the service refuses for good has no copy, and fails."""
    chaos = Chaos(0)
    chaos.trouble = 0.0
    refused = BadRequest("no")
    chaos.direct.refuse = lambda operation: refused if operation == "CopyBackup" else None
    outcomes = await chaos.run(chaos.requests)
    assert {refused} == {outcome.error for outcome in outcomes}
    assert not live_copies(chaos.fsx)

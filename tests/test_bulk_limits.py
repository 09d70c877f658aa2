"""Many copies through five slots: how long it takes beside what is possible at all."""

from __future__ import annotations

import random
from collections import Counter

import attrs
import pytest
from bulk_rig import WEST, counting_client, direct_client, driven, list_schedule, outcomes_of

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.bulk import Copied, CopyOutcome, CopyRequest, copy_many
from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

SHORTEST, LONGEST = 2 * 60.0, 4 * 3600.0
SLOTS = 5
MANY = 80


@attrs.define
class Load:
    """Backups whose copies take from two minutes to four hours, and a local FSx with them."""

    count: int
    seed: int = 1
    longest: float = LONGEST
    clock: ManualClock = attrs.field(factory=ManualClock)
    lengths: dict[str, float] = attrs.field(factory=dict)
    fsx: LocalFsx = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        source = random.Random(self.seed)
        self.fsx = LocalFsx(clock=self.clock, copy_duration=self.lengths.__getitem__)
        for _ in range(self.count):
            self.lengths[self.fsx.add_backup(WEST)] = source.uniform(SHORTEST, self.longest)

    async def copy(self, client: FsxCopyClient) -> tuple[CopyOutcome, ...]:
        """Copy all of it, in the order in which it came."""
        requests = [CopyRequest(source_backup_id=source) for source in self.lengths]
        return await outcomes_of(copy_many(client, requests))

    async def over_http(self) -> tuple[CopyOutcome, ...]:
        """Copy all of it with calls over HTTP."""
        async with self.fsx, counting_client(self.fsx, self.clock) as (client, traffic):
            return await driven(self.clock, traffic, lambda: self.copy(client))

    async def directly(self) -> tuple[CopyOutcome, ...]:
        """Copy all of it without a socket in between."""
        client, direct = direct_client(self.fsx, self.clock)
        return await driven(self.clock, direct.traffic, lambda: self.copy(client))

    def check(self, outcomes: tuple[CopyOutcome, ...]) -> None:
        """Check that each backup has one copy, and that there were never too many at once."""
        sources = [str(one.get("SourceBackupId")) for one in self.fsx.backups(WEST)]
        copies = [source for source in sources if source in self.lengths]
        assert {Copied: self.count} == Counter(type(outcome) for outcome in outcomes)
        assert dict.fromkeys(self.lengths, 1) == Counter(copies)
        assert SLOTS == self.fsx.max_copies_in_progress_seen(WEST)

    def delay(self, slots: int) -> float:
        """Return the time it took as a multiple of the least that is possible."""
        return self.clock.now() / list_schedule(self.lengths.values(), slots)


async def test_as_fast_as_can_be() -> None:
    """Over HTTP, many copies take at most 1.05 of what the best list schedule takes."""
    load = Load(MANY)
    load.check(await load.over_http())
    assert 1.0 <= load.delay(SLOTS) <= 1.05
    assert MANY == load.fsx.calls["CopyBackup"]


async def test_as_fast_as_others_leave_capacity() -> None:
    """While two copies of others are in progress, it is 1.1 for three slots."""
    load = Load(MANY, seed=2)
    for number in range(2):
        source = f"backup-{number:017x}"
        load.fsx.add_backup(WEST, Lifecycle="COPYING", SourceBackupId=source)
    load.check(await load.directly())
    assert 1.0 <= load.delay(SLOTS - 2) <= 1.1
    # No busy loop: about one refusal a minute, and one for each end of ours.
    assert load.fsx.calls["CopyBackup"] <= load.clock.now() / 45 + 2 * MANY


async def test_what_others_start_counts() -> None:
    """Copies of another client of the same account take slots too, by the service's word."""
    load = Load(15, seed=3)
    others = [load.fsx.add_backup(WEST) for _ in range(2)]
    load.fsx.add_access_key("OTHER", account=load.fsx.account_of("AKIA"))
    lengths, load.lengths = load.lengths, dict(load.lengths)
    lengths.update(dict.fromkeys(others, 1e9))
    async with load.fsx, counting_client(load.fsx, load.clock, "OTHER") as (other, _):
        for source in others:
            await other.copy_backup(source)
        async with counting_client(load.fsx, load.clock) as (client, traffic):
            outcomes = await driven(load.clock, traffic, lambda: load.copy(client))

    load.check(outcomes)
    assert 1.0 <= load.delay(SLOTS - 2) <= 1.1


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([(Fault.throttling(), 0.3, False)], id="throttling"),
        pytest.param([(Fault.reset(), 0.2, False), (Fault.reset(), 0.2, True)], id="resets"),
        pytest.param([(Fault.truncated(), 0.3, True)], id="half answers"),
        pytest.param([(Fault.internal_error(), 0.3, True)], id="errors after acceptance"),
        pytest.param([(Fault.html(200), 0.3, True)], id="pages of a proxy"),
    ],
)
async def test_nothing_is_lost_or_double(faults: list[tuple[Fault, float, bool]]) -> None:
    """Whatever goes wrong, each backup has one copy in the end."""
    load = Load(30, seed=4, longest=1200.0)
    for fault, fraction, after in faults:
        load.fsx.inject(fault, fraction=fraction, after=after, operation="CopyBackup")
    for fault, fraction, _ in faults:
        if fault != Fault.html(200):  # what cannot be read ends a wait, but no call
            load.fsx.inject(fault, fraction=fraction, operation="DescribeBackups")
    load.check(await load.over_http())

    assert load.fsx.calls["CopyBackup"] > 30

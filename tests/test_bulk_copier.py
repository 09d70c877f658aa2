"""Many copies, with no socket before the local FSx, on a clock that moves past no call."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from itertools import cycle, repeat
from typing import Any, TypeVar, cast

import anyio
import attrs
import pytest
import trio
from bulk_rig import WEST, Direct, Meeting, direct_client, driven, outcomes_of, unsent
from trio.testing import MockClock

from fsxcopy_sdk import (
    AccessDenied,
    BackupCopyFailed,
    BackupNotFound,
    ConfigurationError,
    ConnectionFailed,
    CredentialsUnavailable,
    ExpiredCredentials,
    FsxCopyClient,
    FsxCopyError,
    InternalServerError,
    InvalidArguments,
    InvalidCredentials,
    RawResponse,
    RequestTimeout,
    ResponseDecodingError,
    ServiceError,
    ServiceLimit,
    ServiceLimitExceeded,
    ServiceUnavailable,
    Throttled,
    WaitSchedule,
    WaitTimeout,
)
from fsxcopy_sdk.bulk import (
    BulkCopy,
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    CopySkipped,
    CopyTimedOut,
    copy_many,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

EAST = "us-east-1"
MINUTE, HOUR = 60.0, 3600.0
EVERY_TEN = WaitSchedule(min_delay=10, max_delay=10)

_Result = TypeVar("_Result")


class Bench:
    """A local FSx, a client that needs no socket, and the requests to it."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.lengths: dict[str, float] = {}
        settings.setdefault("copy_duration", lambda source: self.lengths.get(source, HOUR))
        self.fsx = LocalFsx(clock=self.clock, **settings)
        self.client: FsxCopyClient
        self.direct: Direct
        self.client, self.direct = direct_client(self.fsx, self.clock)

    def request(self, length: float = HOUR, **members: Any) -> CopyRequest:
        """Put a backup there whose copy takes *length* seconds, and ask for that."""
        source = self.fsx.add_backup(WEST)
        self.lengths[source] = length
        return CopyRequest(source_backup_id=source, **members)

    async def copy(self, *requests: CopyRequest, **options: Any) -> tuple[CopyOutcome, ...]:
        """Carry out *requests*, and return the outcomes as they came."""
        return await self.drive(lambda: outcomes_of(self.copy_many(*requests, **options)))

    async def end(self, kind: type[_Result], *requests: CopyRequest, **options: Any) -> _Result:
        """Carry out one request, and return its outcome, which must be of that kind."""
        [outcome] = await self.copy(*requests, **options)
        assert isinstance(outcome, kind)
        return outcome

    def copy_many(self, *requests: CopyRequest, **options: Any) -> BulkCopy:
        """Make ready to carry out *requests*, polling every ten seconds."""
        return copy_many(self.client, requests, **{"schedule": EVERY_TEN, **options})

    async def begin(self, request: CopyRequest) -> CopyInProgress:
        """Begin a copy beside the run, as what a run can adopt."""
        answer = await self.client.copy_backup(request.source_backup_id)
        return CopyInProgress(
            request=request, client_request_token="any", started=0.0, backup=answer.backup
        )

    def refuse_describing(
        self, error: FsxCopyError, since: float = 0.0, until: float = math.inf
    ) -> None:
        """Refuse each DescribeBackups of that time."""
        self.direct.refuse = lambda operation: (
            error if operation == "DescribeBackups" and since < self.clock.now() < until else None
        )

    async def drive(self, work: Callable[[], Awaitable[_Result]]) -> _Result:
        """Return what *work* does, while the clock moves."""
        return await driven(self.clock, self.direct.traffic, work)

    @property
    def accepted_at(self) -> dict[object, float]:
        """When each source was requested last, which is when its copy was accepted."""
        return {
            one.body["SourceBackupId"]: one.at
            for one in self.fsx.requests
            if one.operation == "CopyBackup"
        }

    @property
    def copies(self) -> Counter[object]:
        """How many copies the service holds, by their source."""
        sources = (one.get("SourceBackupId") for one in self.fsx.backups(WEST))
        return Counter(source for source in sources if source)

    def asked(self, operation: str) -> list[Any]:
        """The requests for *operation*, in their order."""
        return [one.body for one in self.fsx.requests if one.operation == operation]

    @property
    def requested_at(self) -> list[float]:
        """When each CopyBackup came."""
        return [one.at for one in self.fsx.requests if one.operation == "CopyBackup"]

    @property
    def tokens(self) -> list[object]:
        """The tokens that were sent with CopyBackup."""
        return [body["ClientRequestToken"] for body in self.asked("CopyBackup")]


@pytest.fixture(name="bench")
def _bench() -> Bench:
    """A bench with the service's own settings."""
    return Bench()


@pytest.fixture(name="run", params=["asyncio", "trio"])
def _run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    """A way to run a coroutine function on either event loop."""
    return lambda work: anyio.run(work, backend=request.param)


def _kinds(outcomes: tuple[CopyOutcome, ...]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


class SilentOnce(Direct):
    """A transport that carries the first CopyBackup out and keeps its answer for an hour."""

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        answer = await super().copy_backup(request)
        if self._fsx.calls["CopyBackup"] == 1:
            with self.traffic.one():
                await anyio.sleep(HOUR)
        return answer


def test_outcomes_come_as_copies_end(run: Callable[..., Any], bench: Bench) -> None:
    """Each copy has its outcome when it is AVAILABLE, under asyncio and under trio."""
    slow, quick, middle = (bench.request(length) for length in (3000, 100, 1000))
    outcomes = run(lambda: bench.copy(slow, quick, middle))
    assert [quick, middle, slow] == [outcome.request for outcome in outcomes]
    assert [(Copied, "AVAILABLE", None)] * 3 == [
        (type(one), one.backup.lifecycle, one.error) for one in outcomes
    ]


def test_no_more_than_allowed_at_once(run: Callable[..., Any], bench: Bench) -> None:
    """Copies are started in the given order, the next when one is over."""
    requests = [bench.request(100 + number) for number in range(9)]
    run(lambda: bench.copy(*requests, max_in_progress=2))
    assert 2 == bench.fsx.max_copies_in_progress_seen(WEST)
    assert [one.source_backup_id for one in requests] == list(bench.copies)
    assert 9 == bench.fsx.calls["CopyBackup"]


async def test_nothing_to_copy(bench: Bench) -> None:
    """Without requests it is over at once."""
    assert () == await bench.copy()


async def test_all_of_a_request_is_sent(bench: Bench) -> None:
    """The service is asked for exactly what the request says."""
    request = attrs.evolve(
        bench.request(), kms_key_id="alias/dr", copy_tags=True, tags={"b": "2", "a": "1"}
    )
    await bench.copy(request)

    assert {
        "SourceBackupId": request.source_backup_id,
        "KmsKeyId": "alias/dr",
        "CopyTags": True,
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
        "ClientRequestToken": request.token(WEST),
    } == bench.asked("CopyBackup")[0]


async def test_quota_groups_do_not_block_each_other(bench: Bench) -> None:
    """Only copies of the same volume and key share slots; all those of file systems do."""
    volumes = [(0, None), (0, None), (1, None), (0, "alias/key")]
    requests = [
        CopyRequest(
            source_backup_id=bench.fsx.add_backup(
                WEST, Volume={"VolumeId": f"fsvol-{number:017x}", "VolumeType": "ONTAP"}
            ),
            volume_id=f"fsvol-{number:017x}",
            kms_key_id=key,
        )
        for number, key in volumes
    ]
    file_systems = bench.request(), bench.request(kms_key_id="alias/key")
    outcomes = await bench.copy(*requests, *file_systems, max_in_progress=1)

    started = {
        one.body["SourceBackupId"]: one.at
        for one in bench.fsx.requests
        if one.operation == "CopyBackup"
    }
    times = [started[one.source_backup_id] for one in (*requests, *file_systems)]
    assert [Copied] * 6 == _kinds(outcomes)
    assert [0, 0, 0, 0] == [times[number] for number in (0, 2, 3, 4)]
    assert all(HOUR <= times[number] <= HOUR + 20 for number in (1, 5))


def _ontap(
    bench: Bench, number: int, length: float = HOUR, region: str = EAST, **members: Any
) -> CopyRequest:
    """Put a backup of an ONTAP volume there, and ask for a copy without naming the volume."""
    volume = {"VolumeId": f"fsvol-{number:017x}", "VolumeType": "ONTAP"}
    source = bench.fsx.add_backup(region, Volume=volume)
    bench.lengths[source] = length
    return CopyRequest(source_backup_id=source, source_region=region, **members)


async def _fill(bench: Bench, *requests: CopyRequest) -> None:
    """Start copies of another program."""
    for request in requests:
        source, region = request.source_backup_id, request.source_region
        await bench.client.copy_backup(source, source_region=region)
    bench.fsx.requests.clear()
    bench.fsx.calls.clear()


@pytest.mark.parametrize(
    ("held_up", "rounds"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (12, 5)], ids=str
)
async def test_a_full_volume_that_no_request_names_holds_nothing_else_up(
    bench: Bench, held_up: int, rounds: int
) -> None:
    """Two requests behind one that is refused are tried, and two others about each minute."""
    await _fill(bench, *(_ontap(bench, 0, 2 * HOUR) for _ in range(5)))
    first = [_ontap(bench, 0) for _ in range(held_up)]
    others = [bench.request(), _ontap(bench, 1), bench.request(), _ontap(bench, 2)]
    outcomes = await bench.copy(*first, *others)

    assert {Copied} == set(_kinds(outcomes))
    accepted = bench.accepted_at
    times = [accepted[one.source_backup_id] for one in others]
    assert sorted(times) == times
    assert 45 * rounds <= times[0] <= times[-1] <= 75 * rounds
    assert all(2 * HOUR <= accepted[one.source_backup_id] for one in first)
    refused = sum(at < 2 * HOUR for at in bench.requested_at) - len(others)
    assert refused <= 3 * (2 * HOUR / 45 + 1) + len(others)


async def test_a_copy_shows_whose_limit_it_counts_for(bench: Bench) -> None:
    """Copies of volumes that no request names take no slots of file systems."""
    requests = [_ontap(bench, number % 4) for number in range(12)]
    file_systems = [bench.request() for _ in range(5)]
    await bench.copy(*requests, *file_systems)
    assert [0.0] * 17 == bench.requested_at


async def test_a_volume_that_no_request_names_has_its_slots(bench: Bench) -> None:
    """The end of a copy is used at once, also where its volume became known from the copy."""
    await bench.copy(*(_ontap(bench, 0, 1000) for _ in range(7)))
    assert [1000.0] * 2 == bench.requested_at[-2:]
    assert len(bench.requested_at) <= 7 + 2 * 1000 / 45 + 2


@pytest.mark.parametrize("known_from", ["source", "dead copy"])
async def test_a_listing_may_show_the_volume_of_a_source(bench: Bench, known_from: str) -> None:
    """A request waits for its volume where the destination lists its source, or a copy of it."""
    region = WEST if known_from == "source" else EAST
    await _fill(bench, *(_ontap(bench, 0, HOUR) for _ in range(5)))
    requests = [_ontap(bench, 0, region=region) for _ in range(3)]
    if known_from == "dead copy":
        for one in requests:
            source = bench.fsx.backup(EAST, one.source_backup_id)
            bench.fsx.add_backup(
                WEST,
                Lifecycle="FAILED",
                Volume=source["Volume"],
                SourceBackupId=one.source_backup_id,
                SourceBackupRegion=EAST,
            )
    await bench.copy(*requests, bench.request())

    tried = Counter(one["SourceBackupId"] for one in bench.asked("CopyBackup"))
    assert 1 == tried[requests[1].source_backup_id] == tried[requests[2].source_backup_id]
    assert tried[requests[0].source_backup_id] <= HOUR / 45 + 2


@pytest.mark.parametrize("limit", [1, 2])
async def test_copies_of_others_do_not_make_a_refusal_known(bench: Bench, limit: int) -> None:
    """Their copies may take all that *max_in_progress* allows, and the service has more."""
    await _fill(bench, *(_ontap(bench, 0, 6 * HOUR) for _ in range(5)))
    await _foreign(bench, [6 * HOUR] * limit)
    others = [bench.request(MINUTE) for _ in range(3)]
    begun = bench.clock.now()
    await bench.copy(_ontap(bench, 0), *others, max_in_progress=limit)
    accepted = bench.accepted_at
    assert all(accepted[one.source_backup_id] - begun <= 0.5 * HOUR for one in others)


async def test_unnamed_volumes_stay_within_a_limit_of_ones_own(bench: Bench) -> None:
    """A copy counts for its volume while that has a slot, and for the queue beyond that."""
    requests = [_ontap(bench, 0, 1000) for _ in range(6)]
    await bench.copy(*requests, max_in_progress=1)
    assert 2 == bench.fsx.max_copies_in_progress_seen(WEST)


async def test_an_outage_of_a_group_that_has_ended_bounds_no_other(bench: Bench) -> None:
    """Pages are still repeated for requests of others, though a volume's were given up."""
    for _ in range(60):
        bench.fsx.add_backup(WEST)
    named = _ontap(bench, 0, volume_id="fsvol-00000000000000000")
    others = [bench.request(4000) for _ in range(6)]
    copy, describe, slow, turns = (
        bench.direct.copy_backup,
        bench.direct.describe_backups,
        Throttled("slow down", http_status=400),
        cycle([True, False]),
    )

    async def copy_backup(request: Mapping[str, object]) -> RawResponse:
        if request["SourceBackupId"] == named.source_backup_id:
            raise slow
        return await copy(request)

    async def describe_backups(request: Mapping[str, object]) -> RawResponse:
        if "NextToken" in request and bench.clock.now() > 2 * HOUR + 100 and next(turns):
            raise slow
        return await describe(request)

    bench.direct.copy_backup = copy_backup  # type: ignore[method-assign]  # the rig's
    bench.direct.describe_backups = describe_backups  # type: ignore[method-assign]  # the rig's
    outcomes = await bench.copy(named, *others, max_in_progress=2, max_wait=2 * HOUR)
    assert {Copied} == {type(one) for one in outcomes if one.request in others}


async def test_the_same_request_again_is_skipped(bench: Bench) -> None:
    """Of the same requests the first is carried out, the others say which it was."""
    one, two = bench.request(), bench.request()
    outcomes = await bench.copy(one, two, one, attrs.evolve(two, source_region=WEST))
    assert [CopySkipped, CopySkipped, Copied, Copied] == _kinds(outcomes)
    assert ["the same backup as requests[0]", "the same backup as requests[1]"] == [
        cast("CopySkipped", outcome).reason for outcome in outcomes[:2]
    ]
    assert {1} == set(bench.copies.values())


async def test_what_is_repeated_is_copied_once(bench: Bench) -> None:
    """A run after the run lists the destination once, and requests nothing."""
    requests = [bench.request(100), bench.request(200)]
    first = await bench.copy(*requests)
    bench.fsx.calls.clear()
    now = bench.clock.now()
    second = await bench.copy(*requests)

    assert {1} == set(bench.copies.values())
    assert {one.backup for one in first} == {one.backup for one in second}
    assert [False] * 2 + [True] * 2 == [
        one.existing for one in (*first, *second) if isinstance(one, Copied)
    ]
    assert ({"DescribeBackups": 1}, now) == (bench.fsx.calls, bench.clock.now())


async def test_what_was_copied_long_ago_is_not_copied_again() -> None:
    """A copy is found by its source when the token is forgotten, and with other tags and key."""
    bench = Bench(tokens_remembered_for=600)
    request = bench.request(100)
    [first] = await bench.copy(request)
    bench.clock.advance(30 * 24 * HOUR)
    again = await bench.copy(request)
    other = await bench.copy(attrs.evolve(request, tags={"Ticket": "4711"}, kms_key_id="alias/k"))

    assert {first.backup} == {one.backup for one in (*again, *other)}
    assert 1 == bench.fsx.calls["CopyBackup"]


async def test_a_salt_forces_another_copy_once() -> None:
    """Another copy can be forced, and is found again by the same salt when its token is gone."""
    bench = Bench(tokens_remembered_for=600)
    request = bench.request(100)
    forced = attrs.evolve(request, idempotency_salt="before the upgrade")
    [plain] = await bench.copy(request)
    [first] = await bench.copy(forced)
    bench.clock.advance(HOUR)
    [second] = await bench.copy(forced)

    assert first.backup
    assert plain.backup != first.backup == second.backup
    assert [request.source_backup_id] * 2 == [*bench.copies.elements()]


async def test_a_copy_in_progress_is_followed(bench: Bench) -> None:
    """A run that was stopped is followed by one that waits for the same copy."""
    request = bench.request(1000)
    with anyio.CancelScope() as scope:
        await bench.copy(request, on_seen=lambda _: scope.cancel())
    bench.clock.advance(500)
    outcome = await bench.end(Copied, request)

    assert outcome.existing
    assert {1} == set(bench.copies.values())
    assert 1000 <= bench.clock.now() <= 1010
    assert 1 == bench.fsx.calls["CopyBackup"]


async def test_copies_found_in_progress_take_their_slots(bench: Bench) -> None:
    """What is found in progress counts under the limit, even if it is more than the limit."""
    found = [bench.request(1000) for _ in range(3)]
    for request in found:
        await bench.begin(request)
    other = bench.request(100)
    await bench.copy(*found, other, max_in_progress=2)
    assert [0, 0, 0] == bench.requested_at[:3]
    assert 1000 <= bench.requested_at[3] <= 1010


async def test_copies_can_be_adopted(bench: Bench) -> None:
    """Copies that are known to be in progress are followed by their IDs, without a listing."""
    request = bench.request(1000)
    known = await bench.begin(request)
    outcome = await bench.end(Copied, adopt=[known])
    assert known.backup
    assert (known.backup.backup_id, True) == (outcome.backup.backup_id, outcome.existing)
    assert 1 == bench.fsx.calls["CopyBackup"]
    assert all("BackupIds" in body for body in bench.asked("DescribeBackups"))


async def test_an_adopted_copy_is_the_one_that_was_requested(bench: Bench) -> None:
    """A copy of another source, or one that is given twice, is refused."""
    known = await bench.begin(bench.request(1000))
    foreign = attrs.evolve(known, request=bench.request())
    for adopt in ([known, known], [foreign]):
        with pytest.raises(InvalidArguments, match="adopt: must be"):
            bench.copy_many(adopt=adopt)


async def test_a_live_copy_replaces_an_adopted_one_that_is_dead(bench: Bench) -> None:
    """If a copy was FAILED when it was adopted, another copy in the destination counts."""
    request = bench.request()
    dead, live = (
        bench.fsx.add_backup(
            WEST,
            Lifecycle=lifecycle,
            SourceBackupId=request.source_backup_id,
            SourceBackupRegion=WEST,
        )
        for lifecycle in ("FAILED", "AVAILABLE")
    )
    known = CopyInProgress(
        request=request,
        client_request_token="any",
        started=0.0,
        backup=await bench.client.describe_backup(dead),
    )

    outcomes = await bench.copy(bench.request(100), adopt=[known])

    found = [one.backup for one in outcomes if one.request == request]
    assert [live] == [one.backup_id for one in found if one]


async def test_a_listing_of_another_item_counts() -> None:
    """Copies that DescribeBackups never knows by ID end as a listing that they share shows."""
    bench = Bench(unseen_for=1e9, unseen_by="id")
    bench.direct.way_back = 5.0  # so that the second ends soon after the first

    outcomes = await bench.copy(bench.request(50), bench.request(50), max_wait=60)

    assert [Copied, Copied] == _kinds(outcomes)


async def test_a_copy_that_another_run_made_meanwhile_is_found() -> None:
    """Long after the first listing the destination is listed again before a copy is started."""
    bench = Bench(tokens_remembered_for=600)
    first, second = bench.request(HOUR), bench.request(100)

    async def work() -> tuple[CopyOutcome, ...]:
        async with bench.copy_many(first, second, max_in_progress=1) as copies:
            await bench.clock.sleep(HOUR / 2)
            await bench.begin(second)
            return tuple([outcome async for outcome in copies])

    outcomes = await bench.drive(work)

    assert [Copied, Copied] == _kinds(outcomes)
    assert {1} == set(bench.copies.values())
    assert isinstance(outcomes[1], Copied)
    assert outcomes[1].existing


async def test_two_runs_that_overlap_for_hours_make_each_copy_once() -> None:
    """Another run with the same requests in another order makes no second copies."""
    bench = Bench(tokens_remembered_for=600)
    requests = [bench.request(HOUR) for _ in range(12)]

    async def work() -> None:
        async def late() -> None:
            await bench.clock.sleep(HOUR / 2)
            async with bench.copy_many(*reversed(requests), max_in_progress=5) as copies:
                assert {Copied} == {type(outcome) async for outcome in copies}

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(late)
            async with bench.copy_many(*requests, max_in_progress=2) as copies:
                assert {Copied} == {type(outcome) async for outcome in copies}

    await bench.drive(work)

    assert {1} == set(bench.copies.values())


async def test_one_empty_listing_copies_nothing_again() -> None:
    """What a single listing lacks is not taken for missing: it is confirmed by another."""
    bench = Bench(tokens_remembered_for=600)
    request = bench.request(100)
    await bench.copy(request)
    bench.clock.advance(HOUR)
    bench.direct.empty_listings = 1
    outcome = await bench.end(Copied, request)

    assert outcome.existing
    assert {1} == set(bench.copies.values())


async def test_an_adopted_copy_satisfies_a_request() -> None:
    """A copy that is adopted is not requested beside, though no listing shows it yet."""
    bench = Bench(unseen_for=1000, unseen_by="listing", tokens_remembered_for=10)
    request = bench.request(5000)
    known = await bench.begin(request)
    bench.clock.advance(60)
    outcomes = await bench.copy(request, adopt=[known])
    assert [Copied, Copied] == _kinds(outcomes)
    assert {1} == set(bench.copies.values())


async def test_another_live_copy_replaces_one_that_fails(bench: Bench) -> None:
    """If the copy that was found fails and the destination has another one, that one counts."""
    request = bench.request(1000)
    first = await bench.client.copy_backup(request.source_backup_id)
    bench.clock.advance(1)
    second = await bench.client.copy_backup(request.source_backup_id)
    failed: list[str] = []

    def fail(copy: CopyInProgress) -> None:
        if bench.clock.now() > 100 and not failed:
            failed.append(first.backup.backup_id)
            bench.fsx.fail_copy(first.backup.backup_id, "no more room")

    outcome = await bench.end(Copied, request, on_seen=fail)

    assert second.backup.backup_id == outcome.backup.backup_id
    assert 2 == bench.fsx.calls["CopyBackup"]


@pytest.mark.parametrize("dead", ["FAILED", "DELETED"])
async def test_a_dead_copy_has_spent_its_token(bench: Bench, dead: str) -> None:
    """Dead copies that are listed are counted; a token that leads to another is tried once."""
    request = bench.request(100)
    [first] = await bench.copy(request)
    assert first.backup
    if dead == "DELETED":
        bench.fsx.delete_backup(first.backup.backup_id)
    else:
        bench.fsx.set_lifecycle(first.backup.backup_id, dead)
    begun = bench.clock.now()
    [second] = await bench.copy(request)
    [third] = await bench.copy(request)

    assert isinstance(second, Copied)
    assert second.backup.backup_id != first.backup.backup_id
    assert second.backup == third.backup
    # What was deleted is not listed, so that only its token leads to it.
    is_listed = dead == "FAILED"
    attempts = (0, 1) if is_listed else (0, 0, 1)
    assert [request.token(WEST, attempt) for attempt in attempts] == bench.tokens
    delay = bench.clock.now() - begun - 100
    assert delay < 1 if is_listed else 45 <= delay <= 90


@pytest.mark.parametrize("given", [None, "mine"])
async def test_no_more_than_one_attempt_follows(bench: Bench, given: str | None) -> None:
    """When the second token leads to a dead copy too, or the token is the caller's, it fails."""
    request = bench.request(100, client_request_token=given)
    for attempt in (0, 1):
        copy = await bench.client.copy_backup(
            request.source_backup_id, client_request_token=request.token(WEST, attempt)
        )
        bench.fsx.fail_copy(copy.backup.backup_id, "no such key")
    bench.direct.listings_are_empty = True
    [outcome] = await bench.copy(request)

    assert isinstance(outcome.error, BackupCopyFailed)
    assert "no such key" == outcome.error.reason
    expected = ["mine"] if given else [request.token(WEST, 0), request.token(WEST, 1)]
    assert expected == bench.tokens[2:]


async def test_a_dead_copy_of_this_run_is_not_repeated(bench: Bench) -> None:
    """If an answer is lost and its token then leads to a dead copy, no other is requested."""

    def lose(operation: str) -> FsxCopyError | None:
        if operation != "CopyBackup" or bench.fsx.calls["CopyBackup"] > 1:
            return None
        bench.fsx.fail_copy(str(bench.fsx.backups(WEST)[-1]["BackupId"]), "no such key")
        return ConnectionFailed("lost")

    bench.direct.lose = lose
    request = bench.request(100)
    [outcome] = await bench.copy(request)

    assert isinstance(outcome.error, BackupCopyFailed)
    assert [request.token(WEST)] * 2 == bench.tokens


async def test_a_refused_copy_stops_no_other(bench: Bench) -> None:
    """A source that is not there fails, and the others are copied."""
    missing = CopyRequest(source_backup_id="backup-00000000000000000")
    outcomes = await bench.copy(bench.request(), missing, bench.request())
    assert [CopyFailed, Copied, Copied] == _kinds(outcomes)
    assert (missing, None) == (outcomes[0].request, outcomes[0].backup)
    assert isinstance(outcomes[0].error, BackupNotFound)


async def test_other_limits_fail_their_item_only() -> None:
    """A limit that does not clear by waiting is that item's failure, and at once."""
    bench = Bench(max_user_initiated_backups=4)
    requests = [bench.request() for _ in range(3)]
    outcomes = await bench.copy(*requests)

    assert [CopyFailed, CopyFailed, Copied] == _kinds(outcomes)
    assert [requests[1], requests[2], requests[0]] == [one.request for one in outcomes]
    assert isinstance(outcomes[0].error, ServiceLimitExceeded)
    assert "TOTAL_USER_INITIATED_BACKUPS" == outcomes[0].error.limit
    assert 3 == bench.fsx.calls["CopyBackup"]


async def test_a_copy_that_fails_is_a_failure(bench: Bench) -> None:
    """A copy that becomes FAILED has the service's reason, and is not begun again."""
    bench.fsx.refuse_kms_key("alias/gone", as_destination=True, later=True)
    request = bench.request(kms_key_id="alias/gone")
    outcome = await bench.end(CopyFailed, request)
    assert isinstance(outcome.error, BackupCopyFailed)
    assert outcome.error.last_backup == outcome.backup
    assert 1 == bench.fsx.calls["CopyBackup"]


async def test_a_copy_that_vanishes_was_not_seen_to_end(bench: Bench) -> None:
    """A copy that was seen and is unknown later is neither dead nor copied again."""

    def delete(copy: CopyInProgress) -> None:
        if copy.backup and bench.clock.now() > 100:
            bench.fsx.delete_backup(copy.backup.backup_id)

    request = bench.request()
    outcome = await bench.end(CopyNotObserved, request, on_seen=delete, max_wait=2 * HOUR)

    assert isinstance(outcome.error, BackupNotFound | WaitTimeout)
    assert outcome.backup
    assert outcome.backup_id == outcome.backup.backup_id
    assert request.token(WEST) == outcome.client_request_token
    assert 1 == bench.fsx.calls["CopyBackup"]
    assert 2 * HOUR <= bench.clock.now() <= 2 * HOUR + 10


async def test_a_copy_that_takes_too_long_times_out(bench: Bench) -> None:
    """After the time the copy is left alone, and its slot is given to the next."""
    slow, quick = bench.request(HOUR), bench.request(100)
    outcomes = await bench.copy(slow, quick, max_in_progress=1, max_wait=1000)
    assert [CopyTimedOut, Copied] == _kinds(outcomes)
    assert isinstance(outcomes[0].error, WaitTimeout)
    assert outcomes[0].error.last_backup == outcomes[0].backup is not None
    assert 1000 <= bench.clock.now() <= 1110


@pytest.mark.parametrize("cls", [ConnectionFailed, ResponseDecodingError, Throttled])
async def test_a_lost_answer_is_asked_for_again(bench: Bench, cls: type[FsxCopyError]) -> None:
    """The same token finds the copy whose answer was lost."""
    bench.direct.lose = Meeting([cls("lost") for _ in range(7)])
    request = bench.request()
    await bench.end(Copied, request)
    assert {1} == set(bench.copies.values())
    assert [request.token(WEST)] * 8 == bench.tokens


async def test_trying_again_has_an_end(bench: Bench) -> None:
    """After eight tries over two minutes only listings are asked, for an hour."""
    bench.direct.refuse = Meeting([InternalServerError("sorry", http_status=500)] * 8)
    request, other = bench.request(), bench.request(100)
    outcomes = await bench.copy(request, other)

    assert [Copied, CopyNotObserved] == _kinds(outcomes)
    assert isinstance(outcomes[1], CopyNotObserved)
    assert isinstance(outcomes[1].error, InternalServerError | BackupNotFound)
    assert (None, None) == (outcomes[1].backup, outcomes[1].backup_id)
    assert request.token(WEST) == outcomes[1].client_request_token
    assert [other.token(WEST)] == bench.tokens
    assert HOUR <= bench.clock.now() <= HOUR + 300


async def test_what_was_never_accepted_is_deferred_after_eight_tries(bench: Bench) -> None:
    """A transient refusal that does not pass leaves the request to another run."""
    odd = ServiceUnavailable("sorry", http_status=409)
    bench.direct.refuse = lambda operation: odd if operation == "CopyBackup" else None
    outcome = await bench.end(CopyDeferred, bench.request(), max_wait=1000)
    assert isinstance(outcome.error, ServiceUnavailable)


async def test_outages_are_not_counted_against_a_request(bench: Bench) -> None:
    """After many outages in a row, an error that is none is tried again like any first one."""
    outages: list[FsxCopyError] = [Throttled("slow down", attempts=2) for _ in range(9)]
    page = ServiceError("a page", code="500", http_status=500)
    bench.direct.refuse = Meeting([*outages, page, *outages[:3], page])
    await bench.end(Copied, bench.request(MINUTE))
    assert 1 == bench.fsx.calls["CopyBackup"]


async def test_a_gateway_without_its_service_is_waited_for(bench: Bench) -> None:
    """Pages of a gateway are no answer to any one request, so they may be many."""
    page = ServiceError("HTTP 502 without an error document", code="502", http_status=502)
    bench.direct.refuse = Meeting([page] * 10)
    await bench.end(Copied, bench.request(MINUTE))
    assert 1 == bench.fsx.calls["CopyBackup"]


async def test_a_request_in_doubt_is_repeated_often(bench: Bench) -> None:
    """While a token can be relied on there are a dozen tries to learn what became of a copy."""
    lost: list[FsxCopyError] = [RequestTimeout("late") for _ in range(12)]
    bench.direct.lose = Meeting(lost)
    request = bench.request(HOUR)
    await bench.end(Copied, request)
    assert 1 == bench.copies[request.source_backup_id]
    assert 13 == bench.fsx.calls["CopyBackup"]


async def test_a_service_that_is_not_there_is_given_up(bench: Bench) -> None:
    """If the destination cannot be listed in eight tries, nothing is started."""
    bench.direct.refuse = lambda _: unsent()
    outcomes = await bench.copy(*(bench.request() for _ in range(4)))
    assert [CopyDeferred] * 4 == _kinds(outcomes)
    assert all(isinstance(one.error, ConnectionFailed) for one in outcomes)
    assert 60 <= bench.clock.now() <= 140
    assert {} == bench.fsx.calls


async def test_what_cannot_be_listed_is_not_copied(bench: Bench) -> None:
    """Without the permission to list the destination nothing may be requested."""
    denied = AccessDenied("no", operation="DescribeBackups")
    bench.refuse_describing(denied, since=-1)
    outcomes = await bench.copy(bench.request(), bench.request())
    assert [CopyDeferred, CopyDeferred] == _kinds(outcomes)
    assert [denied, denied] == [one.error for one in outcomes]
    assert {} == bench.fsx.calls


def _failing_pages(
    error: FsxCopyError, ok: int, failed: int
) -> Callable[[str], FsxCopyError | None]:
    """Let *ok* calls of DescribeBackups through, fail the next *failed*, and so on."""
    pattern = cycle([*repeat(None, ok), *repeat(error, failed)])
    return lambda operation: next(pattern) if operation == "DescribeBackups" else None


@pytest.mark.parametrize(
    ("error", "ok", "failed"),
    [
        (Throttled("slow down"), 1, 1),
        (ConnectionFailed("reset"), 2, 3),
        (ServiceUnavailable("sorry", http_status=502), 3, 2),
        (ResponseDecodingError("half", is_malformed=True), 2, 5),
    ],
    ids=["every other one", "three of five", "at the fourth page", "unreadable"],
)
async def test_a_long_listing_continues_where_a_page_failed(
    bench: Bench, error: FsxCopyError, ok: int, failed: int
) -> None:
    """Of ten pages some fail each time, and yet each is read once per listing."""
    for _ in range(450):
        bench.fsx.add_backup(WEST)
    bench.direct.refuse = _failing_pages(error, ok, failed)
    outcomes = await bench.copy(*(bench.request(MINUTE) for _ in range(3)))
    assert [Copied] * 3 == _kinds(outcomes)
    operations = [one.operation for one in bench.fsx.requests if "BackupIds" not in one.body]
    assert 20 == operations.count("DescribeBackups")


async def test_a_page_that_fails_for_good_ends_the_listing(bench: Bench) -> None:
    """A permission that is lost between two pages starts nothing."""
    for _ in range(120):
        bench.fsx.add_backup(WEST)
    denied = AccessDenied("no", operation="DescribeBackups")
    bench.direct.refuse = _failing_pages(denied, 2, 99)
    outcome = await bench.end(CopyDeferred, bench.request())
    assert denied is outcome.error
    assert {"DescribeBackups": 2} == bench.fsx.calls


async def test_what_is_tried_again_is_logged_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Short outages delay the run; each has one warning, however often a call is tried."""
    errors: list[FsxCopyError] = [Throttled("slow down"), ConnectionFailed("reset")]
    bench.direct.refuse = lambda _: errors.pop() if errors else None
    bench.direct.lose = Meeting([ConnectionFailed("lost") for _ in range(3)])
    request = bench.request(100)
    await bench.end(Copied, request)
    assert [
        "existing copies cannot be listed yet: us-west-2: reset",
        f"the copy of {request.source_backup_id}: is tried again: us-west-2: lost",
    ] == caplog.messages


def _without_answers(seconds: float = 150.0, **settings: Any) -> Bench:
    """
    Return a bench that forgets tokens early, and loses its answers to CopyBackup for some time.

    By default that is longer than a request is repeated.
    """
    bench = Bench(tokens_remembered_for=400, **settings)
    lost = ServiceUnavailable("sorry", http_status=503)
    bench.direct.lose = lambda operation: (
        lost if operation == "CopyBackup" and bench.clock.now() < seconds else None
    )
    return bench


async def test_only_a_listing_is_repeated_when_the_token_may_be_forgotten() -> None:
    """An accepted copy whose answer was lost is found by its source, not requested again."""
    bench = _without_answers()
    outcomes = await bench.copy(bench.request(2 * HOUR), bench.request(100))
    assert [Copied, Copied] == _kinds(outcomes)
    assert {1} == set(bench.copies.values())


async def test_a_copy_that_never_shows_was_not_observed() -> None:
    """After an hour of listings without it, nothing more is requested, and its slot is free."""
    bench = _without_answers(unseen_for=100 * HOUR)
    lost, other = bench.request(100), bench.request(100)
    outcomes = await bench.copy(lost, other, max_in_progress=1, max_wait=3 * HOUR)
    assert [CopyNotObserved, CopyNotObserved] == _kinds(outcomes)
    assert [None, True] == [one.backup and True for one in outcomes]
    assert {1} == set(bench.copies.values())


@pytest.mark.parametrize("error", [AccessDenied("no"), Throttled("slow down")])
async def test_a_search_survives_what_passes(error: FsxCopyError) -> None:
    """While a copy is searched for, throttling is survived and a lost permission ends it."""
    bench = _without_answers(unseen_for=HOUR / 2)
    bench.refuse_describing(error, since=600, until=1200)
    [outcome] = await bench.copy(bench.request(2 * HOUR))

    if error.is_transient:
        assert isinstance(outcome, Copied)
    else:
        assert isinstance(outcome, CopyNotObserved)
        assert error is outcome.error
    assert {1} == set(bench.copies.values())


async def test_an_outage_that_has_ended_is_not_held_against_others() -> None:
    """If the service answers listings again, the next request has its own time for an outage."""
    bench = Bench(tokens_remembered_for=400)
    first, second = bench.request(300), bench.request(300)
    errors: list[FsxCopyError] = [Throttled("slow down", http_status=400)]

    def refuse(operation: str) -> FsxCopyError | None:
        if operation != "CopyBackup":
            return None
        if bench.clock.now() < 150:
            return ConnectionFailed("reset")
        return errors.pop() if errors else None

    bench.direct.refuse = refuse

    outcomes = await bench.copy(first, second, max_in_progress=1, max_wait=HOUR)

    assert [CopyNotObserved, Copied] == _kinds(outcomes)


async def test_only_listings_that_succeed_show_an_absence() -> None:
    """Listings that fail for longer than an hour do not end the search for a copy."""
    bench = _without_answers()
    outage = ServiceUnavailable("sorry", http_status=503)
    bench.direct.refuse = lambda operation: (
        outage if operation == "DescribeBackups" and 10 < bench.clock.now() < 5400 else None
    )

    [outcome] = await bench.copy(bench.request(4 * HOUR), max_wait=24 * HOUR)

    assert isinstance(outcome, Copied)


async def test_one_refused_listing_does_not_end_a_search() -> None:
    """Credentials that cannot be renewed for a moment leave the search as it is."""
    bench = _without_answers()
    refused = [CredentialsUnavailable("cannot renew", attempts=0)]

    def refuse(operation: str) -> FsxCopyError | None:
        is_search = operation == "DescribeBackups" and bench.clock.now() > 100
        return refused.pop() if refused and is_search else None

    bench.direct.refuse = refuse

    [outcome] = await bench.copy(bench.request(HOUR))

    assert isinstance(outcome, Copied)
    assert [] == refused


async def test_a_search_that_cannot_list_does_not_report_an_absence() -> None:
    """If the last listing failed, the outcome has its error: the copy may be there."""
    bench = _without_answers(unseen_for=HOUR / 2)
    outage = ServiceUnavailable("still sorry", http_status=503)
    bench.refuse_describing(outage, since=600)
    outcome = await bench.end(CopyNotObserved, bench.request(2 * HOUR))
    assert outage is outcome.error
    assert {1} == set(bench.copies.values())


async def test_a_dead_copy_is_not_taken_for_the_one_that_is_searched_for() -> None:
    """A FAILED copy that shows up may be an older one: it does not end the search."""
    bench = _without_answers(unseen_for=HOUR / 2)
    request = bench.request(2 * HOUR)
    old = bench.fsx.add_backup(
        WEST, SourceBackupId=request.source_backup_id, SourceBackupRegion=WEST, Lifecycle="FAILED"
    )
    outcome = await bench.end(Copied, request)
    assert old != outcome.backup.backup_id


async def test_a_search_takes_no_copy_of_another_request() -> None:
    """A plain copy is not taken for one that was forced by a salt, nor the other way round."""
    bench = _without_answers(280, unseen_for=HOUR / 2)
    one = bench.request(2 * HOUR)
    two = attrs.evolve(one, idempotency_salt="again")
    outcomes = await bench.copy(one, two)

    assert [Copied, Copied] == _kinds(outcomes)
    salted = {
        outcome.request.idempotency_salt: bool(outcome.backup.tags)
        for outcome in outcomes
        if outcome.backup
    }
    assert {"": False, "again": True} == salted


@pytest.mark.parametrize("unknown_ids", ["error", "omit"])
@pytest.mark.parametrize("lag", [90.0, 300.0, 3000.0])
async def test_an_unseen_copy_is_not_made_again(lag: float, unknown_ids: str) -> None:
    """An accepted copy that DescribeBackups does not know yet is waited for."""
    bench = Bench(unseen_for=lag, unknown_ids=unknown_ids)
    await bench.end(Copied, bench.request(100))
    assert 1 == bench.fsx.calls["CopyBackup"]
    assert lag <= bench.clock.now() <= lag + 130


@pytest.mark.parametrize("end", ["AVAILABLE", "FAILED"])
async def test_a_copy_unknown_by_its_id_is_found_in_a_listing(end: str) -> None:
    """If only listings show a copy, they show its end."""
    bench = Bench(unseen_for=100 * HOUR, unseen_by="id")
    request = bench.request(100)
    if end == "FAILED":
        bench.fsx.refuse_kms_key("alias/k", as_destination=True, later=True)
        request = attrs.evolve(request, kms_key_id="alias/k")
    [outcome] = await bench.copy(request)

    assert (Copied if end == "AVAILABLE" else CopyFailed) is type(outcome)
    assert bench.clock.now() <= 700


async def test_a_copy_that_only_listings_show_times_out() -> None:
    """If a listing shows the copy in progress, its end is waited for until the deadline."""
    bench = Bench(unseen_for=100 * HOUR, unseen_by="id")
    outcome = await bench.end(CopyTimedOut, bench.request(5 * HOUR), max_wait=HOUR)
    assert outcome.backup
    assert outcome.backup.progress_percent
    assert HOUR <= bench.clock.now() <= HOUR + 10


_no_access = pytest.mark.parametrize(
    "error",
    [
        AccessDenied("not authorized to perform: fsx:DescribeBackups"),
        ExpiredCredentials("the security token included in the request is expired"),
        InvalidCredentials("the security token included in the request is invalid"),
        CredentialsUnavailable("the SSO session has expired"),
    ],
    ids=lambda error: type(error).__name__,
)


@_no_access
@pytest.mark.parametrize("how", ["requested", "found", "adopted"])
async def test_losing_access_is_not_a_failed_copy(
    bench: Bench, error: FsxCopyError, how: str
) -> None:
    """If a copy may no longer be polled, its end was not observed, however it was begun."""
    request = bench.request()
    known = None if how == "requested" else await bench.begin(request)
    bench.refuse_describing(error, since=50)
    requests = [] if how == "adopted" else [request]
    adopt = [known] if how == "adopted" else []
    outcome = await bench.end(CopyNotObserved, *requests, adopt=adopt)

    assert type(error) is type(outcome.error)
    assert outcome.backup_id in {one["BackupId"] for one in bench.fsx.backups(WEST)}
    assert {1} == set(bench.copies.values())


@_no_access
async def test_access_that_is_lost_before_a_start_defers_it(
    bench: Bench, error: FsxCopyError
) -> None:
    """Without a listing that is recent enough nothing is requested, and nothing has failed."""
    quick, waits = bench.request(300), bench.request()
    bench.refuse_describing(error, since=295)
    outcomes = await bench.copy(quick, waits, max_in_progress=1)

    assert [CopyNotObserved, CopyDeferred] == _kinds(outcomes)
    assert [type(error)] * 2 == [type(one.error) for one in outcomes]
    assert {quick.source_backup_id: 1} == bench.copies


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AccessDenied("not authorized to perform: fsx:CopyBackup"), CopyFailed),
        (ExpiredCredentials("the security token is expired"), CopyFailed),
        (CredentialsUnavailable("the SSO session has expired", attempts=0), CopyDeferred),
        (ConfigurationError("no such certificate"), CopyDeferred),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, FsxCopyError) else "",
)
async def test_only_the_service_refuses(
    bench: Bench, error: FsxCopyError, kind: type[CopyOutcome]
) -> None:
    """A request that the service refuses has failed; one that was not sent can be repeated."""
    bench.direct.refuse = lambda operation: error if operation == "CopyBackup" else None
    outcomes = await bench.copy(bench.request(), bench.request())
    assert [kind, kind] == _kinds(outcomes)
    assert [type(error)] * 2 == [type(one.error) for one in outcomes]
    assert 0.0 == bench.clock.now()


async def test_a_listing_that_fails_ends_no_wait() -> None:
    """If an unseen copy cannot be searched for either, it is still waited for."""
    bench = Bench(unseen_for=2000)
    calls = iter(range(10**6))

    def refuse(operation: str) -> FsxCopyError | None:
        listing = operation == "DescribeBackups" and 610 < bench.clock.now() < 640
        return AccessDenied("no") if listing and next(calls) == 0 else None

    bench.direct.refuse = refuse
    [outcome] = await bench.copy(bench.request(100))

    assert isinstance(outcome, Copied | CopyNotObserved)
    assert 1 == bench.fsx.calls["CopyBackup"]


async def test_an_outage_in_the_middle_is_outlasted(bench: Bench) -> None:
    """A service that answered before is waited for as long as a copy is."""
    bench.direct.refuse = Meeting([None, *(unsent() for _ in range(40))])
    outcomes = await bench.copy(bench.request(), bench.request(), max_wait=2 * HOUR)
    assert [Copied, Copied] == _kinds(outcomes)
    assert bench.clock.now() > HOUR + 20 * MINUTE


async def test_an_outage_without_end_is_given_up(bench: Bench) -> None:
    """After that time the first is deferred, and each of the others after one more try."""
    bench.direct.refuse = Meeting([None, *(unsent() for _ in range(1000))])
    outcomes = await bench.copy(*(bench.request(MINUTE) for _ in range(4)), max_wait=HOUR)
    assert [Copied, CopyDeferred, CopyDeferred, CopyDeferred] == _kinds(outcomes)
    assert HOUR <= bench.clock.now() <= HOUR + 3 * MINUTE


@pytest.mark.parametrize("only_later_pages", [False, True])
@pytest.mark.parametrize("max_wait", [0.5 * HOUR, HOUR, 3 * HOUR])
async def test_listings_that_fail_for_ever_are_given_up(
    bench: Bench, only_later_pages: bool, max_wait: float
) -> None:
    """Copies in progress are waited for so long, and then once more what is not begun."""
    for _ in range(60):
        bench.fsx.add_backup(WEST)
    sorry = ServiceUnavailable("sorry", http_status=503)

    async def work() -> tuple[CopyOutcome, ...]:
        async with bench.copy_many(*requests, max_wait=max_wait) as copies:
            while len(copies.in_progress) < 5:
                await bench.client.clock.sleep(1)
            if only_later_pages:
                bench.direct.refused_pages = sorry
            else:
                bench.refuse_describing(sorry)
            return tuple([one async for one in copies])

    requests = [bench.request() for _ in range(10)]
    outcomes = await bench.drive(work)
    deferred = [one for one in outcomes if isinstance(one, CopyDeferred)]
    assert requests[5:] == [one.request for one in deferred]
    assert {sorry} == {one.error for one in deferred}
    assert bench.clock.now() <= 2 * max_wait + 6 * MINUTE


async def test_only_tries_in_a_row_count(bench: Bench) -> None:
    """A service that says it is full has answered: what goes wrong is counted anew."""
    full = ServiceLimitExceeded("full", limit=ServiceLimit.TOTAL_IN_PROGRESS_COPY_BACKUPS)
    broken = [unsent() for _ in range(7)]
    bench.direct.refuse = Meeting([*broken, full, *broken])
    await bench.end(Copied, bench.request())


async def _foreign(bench: Bench, lengths: list[float]) -> None:
    """Start copies of another program."""
    for length in lengths:
        await bench.begin(bench.request(length))
    bench.fsx.requests.clear()
    bench.fsx.calls.clear()


async def test_a_full_service_is_asked_again(bench: Bench) -> None:
    """Copies of others end unseen, so the service is asked about once a minute."""
    await _foreign(bench, [HOUR] * 5)
    await bench.end(Copied, bench.request(MINUTE))
    assert HOUR + MINUTE <= bench.clock.now() <= HOUR + MINUTE + 75 + 10
    assert HOUR / 75 <= bench.fsx.calls["CopyBackup"] <= HOUR / 45 + 2
    assert 5 == bench.fsx.max_copies_in_progress_seen(WEST)


async def test_an_end_of_ours_is_used_at_once(bench: Bench) -> None:
    """When one of our own copies is over, the next is tried without delay."""
    await _foreign(bench, [2 * HOUR] * 4)
    await bench.copy(bench.request(1000), bench.request(1000), bench.request(1000))
    assert 3000 <= bench.clock.now() <= 3030


async def test_the_end_of_an_adopted_copy_is_used_at_once(bench: Bench) -> None:
    """When a copy that was in progress before is over, the next is tried without delay."""
    known = await bench.begin(bench.request(100))
    await _foreign(bench, [2 * HOUR] * 4)
    await bench.copy(bench.request(100), adopt=[known])
    assert (0, 100) == (bench.requested_at[0], bench.requested_at[-1])


async def test_an_end_during_the_call_is_not_missed(bench: Bench) -> None:
    """A copy that ends before the refusal arrives frees a slot, which is tried at once."""
    await _foreign(bench, [2 * HOUR] * 4)
    bench.direct.way_back = 500.0
    # The answer to the first comes at 500, its end is seen at 710; the second is asked for
    # at 500 and refused at 1000.
    await bench.copy(bench.request(705), bench.request(100))
    assert [0, 500, 1000] == bench.requested_at


async def test_a_service_that_stays_full_times_out(bench: Bench) -> None:
    """It is asked for as long as a copy is waited for, then all requests end with the limit."""
    await _foreign(bench, [HOUR] * 5)
    requests = [bench.request(100) for _ in range(3)]
    outcomes = await bench.copy(*requests, max_wait=HOUR * 0.4)

    assert [CopyTimedOut] * 3 == _kinds(outcomes)
    assert isinstance(outcomes[0].error, ServiceLimitExceeded)
    assert (requests[0], None) == (outcomes[0].request, outcomes[0].backup)
    tried = [round(at) for at in bench.requested_at]
    assert [1440] * 3 == tried[-3:]


async def test_capacity_for_one_restarts_the_time(bench: Bench) -> None:
    """Each accepted copy restarts the time that the next one may wait for capacity."""
    await _foreign(bench, [2 * HOUR] * 4)
    outcomes = await bench.copy(*(bench.request(1000) for _ in range(4)), max_wait=1500)
    assert [Copied] * 4 == _kinds(outcomes)


async def test_what_copy_backup_has_answered_is_not_polled_at_once(bench: Bench) -> None:
    """The answer has just shown the copy; one that was found may have been there for hours."""
    accepted = [bench.request() for _ in range(3)]
    await bench.copy(*accepted)
    polled = [one.at for one in bench.fsx.requests if "BackupIds" in one.body]
    assert 10.0 == polled[0]

    found = bench.request()
    await bench.begin(found)
    bench.fsx.requests.clear()
    begun = bench.clock.now()
    await bench.copy(found)
    polled = [one.at for one in bench.fsx.requests if "BackupIds" in one.body]
    assert begun == polled[0]


async def test_every_poll_is_shown(bench: Bench) -> None:
    """The acceptance and each observation are shown, with the request and its token."""
    seen: list[CopyInProgress] = []
    request = bench.request(100)
    [outcome] = await bench.copy(request, on_seen=seen.append)

    assert {(request, request.token(WEST), 0.0)} == {
        (one.request, one.client_request_token, one.started) for one in seen
    }
    percents = [one.backup.progress_percent for one in seen if one.backup]
    assert [*range(0, 101, 10)] == percents
    assert seen[-1].backup == outcome.backup


async def test_a_faulty_observer_ends_the_block(bench: Bench) -> None:
    """What the caller's own function raises comes out in a group; the copy continues."""

    def fail(_: CopyInProgress) -> None:
        raise LookupError("mine")

    copies = bench.copy_many(bench.request(), on_seen=fail)

    async def work() -> None:
        async with copies:
            await anext(copies)

    with pytest.raises(ExceptionGroup) as caught:
        await bench.drive(work)

    assert [LookupError] == [type(error) for error in caught.value.exceptions]
    assert ["COPYING"] == [one.backup and one.backup.lifecycle for one in copies.in_progress]


async def test_leaving_says_what_is_left(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing more is started or waited for; what is in progress or not begun can be read."""
    caplog.set_level(logging.INFO, "fsxcopy_sdk.bulk")
    requests = [bench.request(100), *(bench.request() for _ in range(5))]
    left = bench.copy_many(*requests, max_in_progress=2)

    async def work() -> None:
        async with left:
            assert requests[0] == (await anext(left)).request
            await bench.clock.sleep(50)

    await bench.drive(work)

    running = {
        one.backup.backup_id: one.request.source_backup_id
        for one in left.in_progress
        if one.backup
    }
    assert (1, 2, 3) == (len(left.outcomes), len(running), len(left.not_started))
    assert caplog.messages == [
        f"{copy}: the copy of {source} continues unobserved" for copy, source in running.items()
    ]
    assert 3 == bench.fsx.calls["CopyBackup"]
    assert [] == [outcome async for outcome in left]


async def test_a_call_cut_off_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Where the block is left during a call, the copy may have been accepted: here it was."""
    request = bench.request()
    bench.direct.way_back = 100.0
    copies = bench.copy_many(request)

    async def work() -> None:
        async with copies:
            await bench.clock.sleep(50)

    await bench.drive(work)

    [left] = copies.in_progress
    assert (request, request.token(WEST)) == (left.request, left.client_request_token)
    assert left.backup is None
    source, token = request.source_backup_id, request.token(WEST)
    text = f"a copy of {source} may have been accepted, with the token {token}"
    assert [text] == caplog.messages
    assert {1} == set(bench.copies.values())


async def test_a_lost_answer_leaves_doubt(bench: Bench) -> None:
    """While a call is tried again whose answer was lost, the copy may have been accepted."""
    throttled = [Throttled("slow down") for _ in range(6)]
    bench.direct.lose = Meeting([ConnectionFailed("lost"), *throttled])
    copies = bench.copy_many(bench.request())
    left: list[int] = []

    async def work() -> None:
        async with copies:
            for _ in range(20):
                await bench.clock.sleep(1)
                left.append(len(copies.in_progress))

    await bench.drive(work)

    assert [1] * 20 == left


async def test_a_refusal_leaves_no_doubt(bench: Bench) -> None:
    """While a call is tried again that was throttled, nothing is in progress."""
    bench.direct.refuse = Meeting([Throttled("slow down") for _ in range(7)])
    request = bench.request()
    copies = bench.copy_many(request)

    async def work() -> None:
        async with copies:
            await bench.clock.sleep(20)

    await bench.drive(work)

    assert ((), (request,)) == (copies.in_progress, copies.not_started)


async def test_a_waiting_reader_is_let_go(bench: Bench) -> None:
    """Another task that waits for the next outcome stops when the block is left."""
    got: list[CopyOutcome] = []

    async def read(copies: BulkCopy) -> None:
        got.extend([outcome async for outcome in copies])

    async def work() -> None:
        async with anyio.create_task_group() as tasks, bench.copy_many(bench.request()) as copies:
            tasks.start_soon(read, copies)
            await bench.clock.sleep(100)

    await bench.drive(work)

    assert [] == got


def test_an_exception_in_the_block_stays_what_it_is(run: Callable[..., Any], bench: Bench) -> None:
    """What the caller raises is put into no group."""
    copies: list[BulkCopy] = []

    async def work() -> None:
        async with bench.copy_many(bench.request(), bench.request()) as bulk:
            copies.append(bulk)
            await bench.clock.sleep(10)
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(lambda: bench.drive(work))

    assert 2 == len(copies[0].in_progress)


async def test_a_cancelled_task_stays_cancelled(bench: Bench) -> None:
    """A cancellation of asyncio's own, such as a timeout of it, comes out as such."""
    task = asyncio.current_task()
    assert task
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0) as timeout, bench.copy_many(bench.request()) as copies:
            await anext(copies)

    assert timeout.expired()
    assert 0 == task.cancelling()
    assert 1 == len(copies.in_progress) + len(copies.not_started)


def test_a_call_ends_while_its_token_is_remembered(bench: Bench) -> None:
    """A CopyBackup that takes long is cancelled in time to find its copy by the same token."""
    # The bound is in real time, which trio's clock skips while all tasks sleep.
    silent = SilentOnce(bench.fsx, WEST)
    bench.direct, bench.client = silent, FsxCopyClient(transport=silent, clock=bench.clock)
    request = bench.request(MINUTE)
    clock = MockClock(autojump_threshold=0)

    async def work() -> tuple[float, tuple[CopyOutcome, ...]]:
        begun = trio.current_time()
        outcomes = await bench.copy(request)
        return trio.current_time() - begun, outcomes

    took, outcomes = trio.run(work, clock=clock)

    assert 120 == pytest.approx(took, abs=1)
    assert [Copied] == _kinds(outcomes)
    assert {request.source_backup_id: 1} == bench.copies
    assert 1 == len(set(bench.tokens))

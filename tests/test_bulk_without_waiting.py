"""Copies without waiting: as many as there is capacity for, run by run, until all exist."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from bulk_rig import WEST, Meeting, direct_client, live_copies, outcomes_of, unsent

from fsxcopy_sdk import (
    AccessDenied,
    BackupCopyFailed,
    BackupNotFound,
    BadRequest,
    ConnectionFailed,
    CredentialsUnavailable,
    FsxCopyError,
    InternalServerError,
    ServiceUnavailable,
    Throttled,
)
from fsxcopy_sdk.bulk import (
    Copied,
    CopyDeferred,
    CopyFailed,
    CopyInProgress,
    CopyNotObserved,
    CopyOutcome,
    CopyRequest,
    CopySkipped,
    CopyStarted,
    copy_many,
)
from fsxcopy_sdk.testing import EXAMPLE_REGION, LocalFsx, ManualClock

if TYPE_CHECKING:
    from conftest import Connect

MINUTE, HOUR = 60.0, 3600.0


class Steps:
    """A local FSx, and a client of it whose clock moves when it is slept on."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(auto_advance=True)
        self.fsx = LocalFsx(clock=self.clock, **{"copy_duration": HOUR, **settings})
        self.client, self.direct = direct_client(self.fsx, self.clock)

    def request(self, **members: Any) -> CopyRequest:
        """Put a backup there, and return the request for a copy of it."""
        return CopyRequest(source_backup_id=self.fsx.add_backup(WEST), **members)

    def requests(self, count: int) -> list[CopyRequest]:
        """Return requests for the copies of so many backups."""
        return [self.request() for _ in range(count)]

    async def fill_volume(self, count: int) -> list[CopyRequest]:
        """Use up an ONTAP volume's limit; return more requests of it, which do not name it."""
        volume = {"VolumeId": "fsvol-00000000000000001", "VolumeType": "ONTAP"}
        sources = [self.fsx.add_backup(EXAMPLE_REGION, Volume=volume) for _ in range(5 + count)]
        for source in sources[:5]:
            await self.client.copy_backup(source, source_region=EXAMPLE_REGION)
        return [
            CopyRequest(source_backup_id=one, source_region=EXAMPLE_REGION) for one in sources[5:]
        ]

    async def step(self, *requests: CopyRequest, **options: Any) -> tuple[CopyOutcome, ...]:
        """Run once, within seconds and without polling, and return the outcomes."""
        begun = self.clock.now()
        seen = len(self.fsx.requests)
        copies = copy_many(self.client, requests, wait=False, **options)
        outcomes = await outcomes_of(copies)
        assert self.clock.now() - begun < 10
        assert not any("BackupIds" in one.body for one in list(self.fsx.requests)[seen:])
        assert ((), ()) == (copies.in_progress, copies.not_started)
        return outcomes

    async def begin(self, request: CopyRequest) -> CopyInProgress:
        """Begin a copy beside the run, as what a run can adopt."""
        answer = await self.client.copy_backup(request.source_backup_id)
        return CopyInProgress(
            request=request, client_request_token="any", started=0.0, backup=answer.backup
        )


@pytest.fixture(name="steps")
def _steps() -> Steps:
    """A service with its own settings, where a copy takes an hour."""
    return Steps()


def _kinds(outcomes: tuple[CopyOutcome, ...]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


async def test_as_many_as_the_limit_allows_are_started(steps: Steps) -> None:
    """The first of the requests are begun, and the others are left to another run."""
    requests = steps.requests(8)
    seen: list[CopyInProgress] = []
    outcomes = await steps.step(*requests, on_seen=seen.append)

    started = [one for one in outcomes if isinstance(one, CopyStarted)]
    deferred = [one for one in outcomes if isinstance(one, CopyDeferred)]
    assert requests[:5] == [one.request for one in started]
    assert requests[5:] == [one.request for one in deferred]
    assert [one.backup for one in started] == [one.backup for one in seen]
    assert {("COPYING", False)} == {(one.backup.lifecycle, one.existing) for one in started}
    assert [one.token(WEST) for one in requests[:5]] == [
        one.client_request_token for one in started
    ]
    assert {("5 copies are in progress, and max_in_progress is 5", None)} == {
        (one.reason, one.error) for one in deferred
    }
    assert 5 == steps.fsx.calls["CopyBackup"]


@pytest.mark.parametrize("max_in_progress", [1, 3, 50])
async def test_runs_are_repeated_until_all_is_copied(max_in_progress: int) -> None:
    """Each run continues from what the service shows, and makes no copy twice."""
    steps = Steps(tokens_remembered_for=MINUTE)
    requests = steps.requests(12)
    for _ in range(200):
        outcomes = await steps.step(*requests, max_in_progress=max_in_progress)
        assert {"Copied", "CopyStarted", "CopyDeferred"} >= set(_kinds(outcomes))
        if {"Copied": 12} == _kinds(outcomes):
            break
        steps.clock.advance(7 * MINUTE)

    assert {"Copied": 12} == _kinds(outcomes)
    assert {1} == set(live_copies(steps.fsx).values())
    assert min(5, max_in_progress) == steps.fsx.max_copies_in_progress_seen(WEST)


async def test_what_a_run_finds(steps: Steps) -> None:
    """A copy that is AVAILABLE is Copied, one in progress Started, and neither is requested."""
    done, going, again = steps.requests(3)
    await steps.begin(done)
    steps.clock.advance(HOUR)
    found = await steps.begin(going)
    outcomes = await steps.step(done, going, again, again)

    assert [CopySkipped, Copied, CopyStarted, CopyStarted] == [type(one) for one in outcomes]
    assert [True, True, False] == [
        one.existing for one in outcomes if isinstance(one, Copied | CopyStarted)
    ]
    assert outcomes[2].backup == found.backup
    assert 3 == steps.fsx.calls["CopyBackup"]


async def test_copies_of_other_programs_take_capacity(steps: Steps) -> None:
    """What the destination has in progress counts, what has ended does not."""
    await steps.begin(steps.request())
    steps.clock.advance(HOUR)
    for other in steps.requests(2):
        await steps.begin(other)
    outcomes = await steps.step(*steps.requests(4), max_in_progress=3)
    assert {"CopyStarted": 1, "CopyDeferred": 3} == _kinds(outcomes)
    assert 4 == steps.fsx.calls["CopyBackup"]


async def test_a_volume_has_capacity_of_its_own(steps: Steps) -> None:
    """Copies of an ONTAP volume count for that volume, under any key, and for no file system."""
    first, second = (f"fsvol-{number:017x}" for number in (1, 2))

    def volume(volume_id: str, **members: Any) -> CopyRequest:
        document = {"VolumeId": volume_id, "VolumeType": "ONTAP"}
        source = steps.fsx.add_backup(WEST, Volume=document)
        return CopyRequest(source_backup_id=source, volume_id=volume_id, **members)

    await steps.begin(volume(first))
    outcomes = await steps.step(
        volume(first),
        volume(first, kms_key_id="key"),
        volume(second),
        steps.request(),
        max_in_progress=1,
    )
    deferred = {one.request.volume_id for one in outcomes if isinstance(one, CopyDeferred)}
    assert {first} == deferred
    assert {"CopyStarted": 2, "CopyDeferred": 2} == _kinds(outcomes)


async def test_a_full_volume_stops_no_later_run(steps: Steps) -> None:
    """Three of its requests in front end a run, and other runs try others behind them."""
    held_up = await steps.fill_volume(3)
    others = steps.requests(5)
    for _ in range(16):
        outcomes = await steps.step(*held_up, *others)
    assert {"CopyStarted": 5, "CopyDeferred": 3} == _kinds(outcomes)


async def test_a_full_volume_defers_only_its_own(steps: Steps) -> None:
    """What its volume's limit holds up defers no other, though no request names its volume."""
    held_up = await steps.fill_volume(2)
    others = steps.requests(6)
    outcomes = await steps.step(held_up[0], others[0], held_up[1], *others[1:])

    started = [one.request for one in outcomes if isinstance(one, CopyStarted)]
    assert 5 == len(started)
    assert all(one in others for one in started)
    assert {"CopyStarted": 5, "CopyDeferred": 3} == _kinds(outcomes)


async def test_a_refusal_for_the_limit_defers_the_rest() -> None:
    """If the service has less capacity than the setting says, three refusals are enough."""
    steps = Steps(max_copies_in_progress=2)
    outcomes = await steps.step(*steps.requests(6))
    assert {"CopyStarted": 2, "CopyDeferred": 4} == _kinds(outcomes)
    assert 2 + 3 == steps.fsx.calls["CopyBackup"]
    assert all(
        one.reason.startswith("the service has no capacity now: ") and one.error is None
        for one in outcomes
        if isinstance(one, CopyDeferred)
    )


async def test_a_refused_request_stops_no_other(steps: Steps) -> None:
    """What the service refuses for good has failed, and its slot is free for the next."""
    missing = CopyRequest(source_backup_id="backup-00000000000000000")
    outcomes = await steps.step(missing, *steps.requests(2), max_in_progress=2)
    assert [CopyFailed, CopyStarted, CopyStarted] == [type(one) for one in outcomes]


@pytest.mark.parametrize("listed", [True, False])
async def test_a_dead_copy_of_an_earlier_run_is_repeated_at_once(
    steps: Steps, listed: bool
) -> None:
    """A token that leads to a dead copy has been spent: another one is sent in the same run."""
    request = steps.request()
    [first] = await steps.step(request)
    assert first.backup
    steps.fsx.fail_copy(first.backup.backup_id, "no such key")
    steps.direct.listings_are_empty = not listed
    [second] = await steps.step(request)
    assert isinstance(second, CopyStarted)
    assert second.backup.backup_id != first.backup.backup_id
    assert request.token(WEST, 1) == second.client_request_token


async def test_what_is_repeated_at_once_is_repeated_once(steps: Steps) -> None:
    """If the second token leads to a dead copy too, the request has failed in this run."""
    request = steps.request()
    for _ in range(2):
        [outcome] = await steps.step(request)
        assert outcome.backup
        steps.fsx.fail_copy(outcome.backup.backup_id, "no such key")
    steps.direct.listings_are_empty = True
    [third] = await steps.step(request)
    assert isinstance(third, CopyFailed)
    assert isinstance(third.error, BackupCopyFailed)


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("salt", ["", "again"])
@pytest.mark.parametrize("dead", [1, 2, 3])
async def test_a_repeated_copy_is_found_by_its_own_token(dead: int, salt: str, wait: bool) -> None:
    """A copy that no listing shows yet is found after the tokens of dead ones are forgotten."""
    unseen_for = [*[0.0] * dead, 5 * MINUTE]
    steps = Steps(tokens_remembered_for=10 * MINUTE, unseen_for=lambda _: unseen_for.pop(0))
    request = steps.request(idempotency_salt=salt)
    for _ in range(dead):
        [outcome] = await steps.step(request)
        assert outcome.backup
        steps.fsx.fail_copy(outcome.backup.backup_id, "no such key")
        steps.clock.advance(9 * MINUTE)
    [live] = await steps.step(request)
    steps.clock.advance(4 * MINUTE)
    [outcome] = await outcomes_of(copy_many(steps.client, [request], wait=wait))

    assert isinstance(outcome, Copied if wait else CopyStarted)
    assert live.backup
    assert outcome.backup
    assert live.backup.backup_id == outcome.backup.backup_id
    assert {request.source_backup_id: 1} == live_copies(steps.fsx)


async def test_dead_copies_with_another_salt_are_of_other_requests(steps: Steps) -> None:
    """Neither a salt nor its absence counts the dead copies that were requested otherwise."""
    request = steps.request()
    salted = attrs.evolve(request, idempotency_salt="again")
    [outcome] = await steps.step(salted)
    assert outcome.backup
    steps.fsx.fail_copy(outcome.backup.backup_id, "no such key")
    for one, attempt in [(request, 0), (salted, 1)]:
        [outcome] = await steps.step(one)
        assert isinstance(outcome, CopyStarted)
        assert one.token(WEST, attempt) == outcome.client_request_token


async def test_adopted_copies_are_looked_up_in_the_listing(steps: Steps) -> None:
    """What was in progress is reported as the listing shows it now."""
    requests = steps.requests(3)
    known = [await steps.begin(request) for request in requests]
    copies = [one.backup.backup_id for one in known if one.backup]
    steps.fsx.set_lifecycle(copies[0], "AVAILABLE")
    steps.fsx.fail_copy(copies[1], "no such key")
    outcomes = await steps.step(steps.request(), adopt=known, max_in_progress=1)

    by_source = {one.request.source_backup_id: type(one) for one in outcomes}
    assert [Copied, CopyFailed, CopyStarted] == [
        by_source[one.source_backup_id] for one in requests
    ]
    assert {"CopyDeferred"} == set(_kinds(outcomes)) - {"Copied", "CopyFailed", "CopyStarted"}


@pytest.mark.parametrize("is_gone", [True, False])
async def test_an_adopted_copy_that_no_listing_shows(steps: Steps, is_gone: bool) -> None:
    """It was accepted, but may not be in progress, and it is not copied again."""
    request = steps.request()
    known = await steps.begin(request)
    assert known.backup
    if is_gone:
        steps.clock.advance(2 * HOUR)
        steps.fsx.delete_backup(known.backup.backup_id)
        steps.clock.advance(24 * HOUR)
        assert not live_copies(steps.fsx)
    else:
        steps.direct.listings_are_empty = True
    for requests in [(), (request,)]:
        outcome, *others = await steps.step(*requests, adopt=[known])
        assert isinstance(outcome, CopyNotObserved)
        assert isinstance(outcome.error, BackupNotFound)
        assert known.backup == outcome.backup
        assert {CopyStarted} >= {type(one) for one in others}
    assert 1 == steps.fsx.calls["CopyBackup"]


async def test_another_copy_replaces_an_adopted_one_that_is_dead(steps: Steps) -> None:
    """If the destination has a live copy of the same backup, that one counts."""
    request = steps.request()
    known = await steps.begin(request)
    assert known.backup
    steps.fsx.fail_copy(known.backup.backup_id, "no such key")
    other = await steps.begin(request)
    [outcome] = await steps.step(adopt=[known])
    assert isinstance(outcome, CopyStarted)
    assert other.backup == outcome.backup


@pytest.mark.parametrize("error", [AccessDenied("no"), unsent(), Throttled("slow down")])
async def test_without_a_listing_nothing_is_started(steps: Steps, error: FsxCopyError) -> None:
    """A destination that cannot be listed defers what is new; what was accepted is not lost."""
    known = await steps.begin(steps.request())
    steps.direct.refuse = lambda operation: error if operation == "DescribeBackups" else None
    outcomes = await steps.step(*steps.requests(2), adopt=[known])

    assert [CopyNotObserved, CopyDeferred, CopyDeferred] == [type(one) for one in outcomes]
    assert {type(error)} == {type(one.error) for one in outcomes}
    assert outcomes[0].backup == known.backup
    assert 1 == steps.fsx.calls["CopyBackup"]


@pytest.mark.parametrize(
    "error",
    [
        unsent(),
        Throttled("slow down"),
        ServiceUnavailable("sorry", http_status=409),
        CredentialsUnavailable("the SSO session has expired", attempts=0),
    ],
)
async def test_an_outage_defers_what_was_not_accepted(steps: Steps, error: FsxCopyError) -> None:
    """A request that was certainly not accepted after a few tries is left to another run."""
    steps.direct.refuse = lambda operation: error if operation == "CopyBackup" else None
    requests = steps.requests(5)
    outcomes = await steps.step(*requests)
    assert {"CopyDeferred": 5} == _kinds(outcomes)
    assert {type(error)} == {type(one.error) for one in outcomes}
    assert not live_copies(steps.fsx)

    steps.direct.refuse = lambda _: None
    assert {"CopyStarted": 5} == _kinds(await steps.step(*requests))


async def test_a_short_outage_is_outlasted(steps: Steps) -> None:
    """A call that goes wrong is tried again, with the same token."""
    steps.direct.refuse = Meeting([Throttled("slow down")])
    steps.direct.lose = Meeting([ConnectionFailed("lost")])
    assert {"CopyStarted": 2} == _kinds(await steps.step(*steps.requests(2)))
    assert {1} == set(live_copies(steps.fsx).values())


@pytest.mark.parametrize(
    "error", [ConnectionFailed("lost"), InternalServerError("sorry", http_status=500)]
)
async def test_a_lost_answer_is_not_observed(steps: Steps, error: FsxCopyError) -> None:
    """A request that may have been accepted has its token, and another run finds its copy."""
    request = steps.request()
    steps.direct.lose = Meeting([error] * 3)
    [outcome] = await steps.step(request)
    assert isinstance(outcome, CopyNotObserved)
    assert (None, request.token(WEST)) == (outcome.backup_id, outcome.client_request_token)

    steps.clock.advance(10 * MINUTE)
    [outcome] = await steps.step(request)
    assert isinstance(outcome, CopyStarted)
    assert outcome.existing
    assert {1} == set(live_copies(steps.fsx).values())


@pytest.mark.parametrize("count", [2, 10, 200])
@pytest.mark.parametrize("lost", [True, False])
async def test_a_service_that_is_down_costs_seconds(steps: Steps, count: int, lost: bool) -> None:
    """Requests that all meet errors that may pass are given up, however many there are."""
    error = InternalServerError("sorry", http_status=500)
    met = Meeting([error] * 9 * count)
    if lost:
        steps.direct.lose = met
    else:
        steps.direct.refuse = met
    outcomes = await steps.step(*steps.requests(count))
    assert {"CopyNotObserved": 2, "CopyDeferred": count - 2} == {
        "CopyDeferred": 0,
        **_kinds(outcomes),
    }
    assert {InternalServerError} == {type(one.error) for one in outcomes}


@pytest.mark.parametrize("place", range(5))
async def test_an_error_of_one_backup_keeps_no_other(steps: Steps, place: int) -> None:
    """A request that the service cannot carry out, run by run, is given up by itself."""
    requests = steps.requests(5)
    for before in (place, 0):
        errors = [InternalServerError("sorry", http_status=500)] * 3
        steps.direct.refuse = Meeting([*[None] * before, *errors])
        outcomes = await steps.step(*requests)
        assert {"CopyNotObserved": 1, "CopyStarted": 4} == _kinds(outcomes)
        [odd] = [one.request for one in outcomes if isinstance(one, CopyNotObserved)]
        assert requests[place] == odd


async def test_a_full_service_after_a_lost_answer_proves_nothing() -> None:
    """A refusal for the limit says nothing of the call before it, whose answer was lost."""
    steps = Steps(max_copies_in_progress=1, tokens_remembered_for=0)
    steps.direct.lose = Meeting([ConnectionFailed("lost")])
    requests = steps.requests(2)
    outcomes = await steps.step(*requests)
    assert [CopyNotObserved, CopyDeferred] == [type(one) for one in outcomes]
    assert {requests[0].source_backup_id: 1} == live_copies(steps.fsx)


async def test_nothing_to_start(steps: Steps) -> None:
    """Without requests it is over at once."""
    assert () == await steps.step()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("late", [False, True], ids=["tokens forgotten", "copies seen late"])
async def test_trouble_makes_no_second_copy(seed: int, late: bool) -> None:
    """Run by run everything is copied once, while tokens are remembered or copies are seen."""
    # In one run, a token is relied on for two minutes.
    settings = {"unseen_for": 15 * MINUTE} if late else {"tokens_remembered_for": 2.1 * MINUTE}
    steps = Steps(max_copies_in_progress=3, seed=seed, **settings)
    requests = steps.requests(8)
    draw = random.Random(seed)

    def refuse(_: str) -> FsxCopyError | None:
        errors = [unsent(), Throttled("slow down"), AccessDenied("no"), BadRequest("no")]
        return draw.choice(errors) if draw.random() < 0.3 else None

    def lose(_: str) -> FsxCopyError | None:
        errors = [ConnectionFailed("reset"), InternalServerError("sorry", http_status=500)]
        return draw.choice(errors) if draw.random() < 0.3 else None

    steps.direct.refuse, steps.direct.lose = refuse, lose
    for _ in range(40):
        before = live_copies(steps.fsx)
        outcomes = await steps.step(*requests)
        assert Counter(requests) == Counter(one.request for one in outcomes)
        live = live_copies(steps.fsx)
        assert max(live.values(), default=0) <= 1
        # What a run had accepted, it reports so.
        reported = [
            one.request.source_backup_id
            for one in outcomes
            if isinstance(one, Copied | CopyStarted | CopyNotObserved)
        ]
        assert set(live - before) <= set(reported)
        steps.clock.advance(10 * MINUTE)
    steps.direct.refuse = steps.direct.lose = lambda _: None
    for _ in range(4):
        outcomes = await steps.step(*requests)
        steps.clock.advance(HOUR)
    assert {"Copied": 8} == _kinds(outcomes)
    assert {1} == set(live_copies(steps.fsx).values())


async def test_a_failed_copy_is_not_repeated_in_every_step(
    clock: ManualClock, connect: Connect
) -> None:
    """Within an hour it is deferred with its error; after that another one is begun."""
    async with LocalFsx(clock=clock, copy_duration=60) as fsx, connect(fsx) as client:
        broken, good = (
            CopyRequest(source_backup_id=backup_id, source_region=EXAMPLE_REGION)
            for backup_id in (fsx.add_backup(EXAMPLE_REGION), fsx.add_backup(EXAMPLE_REGION))
        )
        copy = await client.copy_backup(broken.source_backup_id, source_region=EXAMPLE_REGION)
        fsx.fail_copy(copy.backup.backup_id, "The key was disabled.")
        kinds, calls = [], []
        for minutes in (5, 5, 45, 6):
            clock.advance(60 * minutes)
            async with copy_many(client, [broken, good], wait=False) as copies:
                kinds.append([type(one) async for one in copies])
            calls.append(fsx.calls["CopyBackup"])
            if minutes == 5:
                deferred = next(one for one in copies.outcomes if one.request is broken)

    assert [{CopyDeferred, CopyStarted}, {CopyDeferred, Copied}] == list(map(set, kinds[:2]))
    assert [2, 2, 2, 3] == calls
    assert {CopyStarted, Copied} == set(kinds[-1])
    assert isinstance(deferred.error, BackupCopyFailed)
    assert "The key was disabled." == deferred.error.reason
    assert copy.backup.backup_id in str(deferred)


async def test_another_salt_repeats_a_failed_copy_at_once(
    clock: ManualClock, connect: Connect, fsx: LocalFsx
) -> None:
    """What was mended is tried with another salt, and a run that waits tries in any case."""
    request = CopyRequest(
        source_backup_id=fsx.add_backup(EXAMPLE_REGION), source_region=EXAMPLE_REGION
    )
    async with connect(fsx) as client:
        copy = await client.copy_backup(request.source_backup_id, source_region=EXAMPLE_REGION)
        fsx.fail_copy(copy.backup.backup_id, "The key was disabled.")
        salted = attrs.evolve(request, idempotency_salt="mended")
        async with copy_many(client, [salted], wait=False) as copies:
            again = [type(one) async for one in copies]
        async with copy_many(client, [request]) as copies:
            waited = [type(one) async for one in copies]

    assert ([CopyStarted], [Copied]) == (again, waited)

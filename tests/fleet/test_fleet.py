"""Plans, syncs and reports of many accounts and Regions, against a local FSx."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from fleet_rig import (
    PROFILE_ACCOUNT,
    ROLE,
    ROLE_ACCOUNT,
    Sts,
    add_accounts,
    sources_of,
)

from fsxcopy_sdk import (
    ConfigurationError,
    CredentialsUnavailable,
    FsxCopyClient,
    InvalidArguments,
)
from fsxcopy_sdk._transport import direct_config
from fsxcopy_sdk.bulk import Copied, CopyInProgress, CopyStarted
from fsxcopy_sdk.fleet import (
    Account,
    AccountClients,
    Fleet,
    FleetEvent,
    FleetOutcome,
    FleetPlan,
    FleetPolicy,
    FleetSync,
    PolicyDestination,
    PolicySource,
    Route,
    plan_fleet,
    report_fleet,
    sync_fleet,
)
from fsxcopy_sdk.replication import Keep
from fsxcopy_sdk.testing import LocalFsx, ManualClock

EAST, OHIO, WEST, IRELAND = "us-east-1", "us-east-2", "us-west-2", "eu-west-1"
DAY = 86400.0
NEWEST = 1_790_000_000.0


@pytest.fixture(name="fsx")
async def _fsx(clock: ManualClock, sts: Sts) -> AsyncIterator[LocalFsx]:
    """A local FSx with accounts: the default one, one by profile and one by role."""
    async with LocalFsx(clock=clock, copy_duration=600.0) as fsx:
        add_accounts(fsx)
        yield fsx


@pytest.fixture(name="connect")
def _connect(fsx: LocalFsx, clock: ManualClock) -> AccountClients:
    return AccountClients(endpoint_url=fsx.endpoint_url, config=direct_config(), clock=clock)


def _policy(name: str, *regions: str, source: str = OHIO, **members: Any) -> FleetPolicy:
    account = {one: members.pop(one) for one in ("profile", "role_arn") if one in members}
    return FleetPolicy(
        name=name,
        source=PolicySource(region=source, **account),
        destination=tuple(PolicyDestination(region=one) for one in regions),
        **members,
    )


def _add(
    fsx: LocalFsx,
    count: int = 1,
    *,
    region: str = OHIO,
    number: int = 0,
    account: str | None = None,
) -> list[str]:
    """Add backups of one file system, the newest first."""
    return [
        fsx.add_backup(
            region,
            account=account,
            CreationTime=NEWEST - age * DAY,
            FileSystem={"FileSystemId": f"fs-{number:017x}"},
        )
        for age in range(count)
    ]


async def _events(synced: FleetSync) -> list[FleetEvent]:
    async with synced:
        return [event async for event in synced]


def _kinds(events: list[FleetEvent]) -> Counter[tuple[str, str, str]]:
    """Count events by policy, destination and kind."""
    return Counter(
        (
            one.policy_name,
            one.destination_region,
            type(one.outcome if isinstance(one, FleetOutcome) else one.error).__name__,
        )
        for one in events
    )


async def test_accounts_by_default_by_profile_and_by_role(
    fsx: LocalFsx, sts: Sts, connect: AccountClients
) -> None:
    """Each policy copies the backups of its own account, into all of its destinations."""
    mine, prod, role = (_add(fsx, account=one) for one in (None, PROFILE_ACCOUNT, ROLE_ACCOUNT))
    fleet = Fleet(
        policies=[
            _policy("mine", WEST, IRELAND),
            _policy("prod", WEST, profile="prod"),
            _policy("role", WEST, IRELAND, role_arn=ROLE),
        ]
    )
    plan = await plan_fleet(fleet, connect=connect)
    assert plan.has_work
    assert [
        ("mine", WEST),
        ("mine", IRELAND),
        ("prod", WEST),
        ("role", WEST),
        ("role", IRELAND),
    ] == [(one.policy.name, one.destination_region) for one in plan.plans]
    events = await _events(sync_fleet(fleet, connect=connect))

    assert dict.fromkeys(_kinds(events), 1) == _kinds(events)
    assert 5 == len(events)
    for account, ids in ((None, mine), (PROFILE_ACCOUNT, prod), (ROLE_ACCOUNT, role)):
        assert dict.fromkeys(ids, 1) == sources_of(fsx, WEST, account)
    assert {} == sources_of(fsx, IRELAND, PROFILE_ACCOUNT)
    # Once for the plan and once for the sync: Regions of an account share its credentials.
    assert [("fsxcopy", ROLE, "AKIADEFAULT")] * 2 == [
        (one["RoleSessionName"], one["RoleArn"], one["SignedBy"]) for one in sts.assumed
    ]
    assert not (await plan_fleet(fleet, connect=connect)).has_work


async def test_a_failing_account_stops_no_other(
    fsx: LocalFsx, sts: Sts, connect: AccountClients
) -> None:
    """Without credentials, access, a role or a profile: each is reported, with its policy."""
    _add(fsx)
    sts.refuses = True
    fleet = Fleet(
        policies=[
            _policy("none", WEST, IRELAND, profile="empty"),
            _policy("role", WEST, role_arn=ROLE),
            _policy("unknown", WEST, profile="nope"),
            _policy("good", WEST),
        ]
    )
    plan = await plan_fleet(fleet, connect=connect)
    report = await report_fleet(fleet, connect=connect)
    synced = sync_fleet(fleet, connect=connect)
    events = await _events(synced)

    expected = [
        ("none", "empty", WEST, CredentialsUnavailable),
        ("none", "empty", IRELAND, CredentialsUnavailable),
        ("role", ROLE_ACCOUNT, WEST, CredentialsUnavailable),
        ("unknown", "nope", WEST, ConfigurationError),
    ]
    for failures in (plan.failures, report.failures, synced.report.failures):
        assert expected == [
            (one.policy_name, one.account, one.destination_region, type(one.error))
            for one in failures
        ]
    assert set(plan.failures[0].to_dict()) == {
        *("Version", "Outcome", "PolicyName", "Account", "SourceRegion", "DestinationRegion"),
        "Error",
    }
    assert ["good"] == [one.policy.name for one in plan.plans]
    assert ["good"] == [one.policy_name for one in report.reports]
    assert 1 == len(fsx.backups(WEST))
    assert {("good", WEST, "Copied"): 1} == {
        key: count for key, count in _kinds(events).items() if key[2] == "Copied"
    }
    assert not report.is_good
    assert "failed: none: account empty, us-east-2 to us-west-2: " in str(report)
    assert "failed: role: account 111111111111" in str(plan)


async def test_policies_into_one_destination_share_its_quota(
    fsx: LocalFsx, connect: AccountClients
) -> None:
    """Two policies of two source Regions are begun in turns, never more than the limit at once."""
    east = _add(fsx, 12, region=EAST)
    ohio = _add(fsx, 4, number=1)
    started: list[str] = []
    fleet = Fleet(
        policies=[
            _policy("large", WEST, source=EAST, newest="all", max_in_progress=3),
            _policy("small", WEST, newest="all", max_in_progress=3),
        ]
    )
    synced = sync_fleet(
        fleet,
        connect=connect,
        on_seen=lambda _, copy: started.append(copy.request.source_backup_id),
    )
    events = await _events(synced)

    assert {("large", WEST, "Copied"): 12, ("small", WEST, "Copied"): 4} == _kinds(events)
    assert 3 == fsx.max_copies_in_progress_seen(WEST)
    assert 16 == fsx.calls["CopyBackup"]
    order = [*dict.fromkeys(started)]
    assert [east[0], ohio[0], east[1], ohio[1]] == order[:4]
    assert east[4:] == order[8:]


async def test_a_backup_of_two_policies_is_copied_once(
    fsx: LocalFsx, connect: AccountClients
) -> None:
    """Each policy has an outcome for it, and the later ones say that the copy exists."""
    _add(fsx, 3)
    fleet = Fleet(
        policies=[
            _policy("one", WEST, newest=2),
            _policy("two", WEST, newest="all"),
        ]
    )
    seen: Counter[str] = Counter()
    synced = sync_fleet(
        fleet, connect=connect, on_seen=lambda route, _: seen.update([route.policy.name])
    )
    events = await _events(synced)

    assert {("one", WEST, "Copied"): 2, ("two", WEST, "Copied"): 3} == _kinds(events)
    assert 3 == fsx.calls["CopyBackup"]
    assert {"one": {False}, "two": {True, False}} == {
        name: {
            one.outcome.existing
            for one in events
            if isinstance(one, FleetOutcome)
            and one.policy_name == name
            and isinstance(one.outcome, Copied)
        }
        for name in ("one", "two")
    }
    assert {"one", "two"} == set(seen)


async def test_a_copy_in_progress_that_two_policies_adopt(
    fsx: LocalFsx, connect: AccountClients
) -> None:
    """It is followed once, and ends for both."""
    _add(fsx)
    policies = [_policy("one", WEST), _policy("two", WEST)]
    first = await _events(sync_fleet(Fleet(policies=policies[:1]), connect=connect, wait=False))
    assert {("one", WEST, "CopyStarted"): 1} == _kinds(first)

    fleet = Fleet(policies=policies)
    begun = await _events(sync_fleet(fleet, connect=connect, wait=False))
    assert [True, True] == [
        isinstance(one, FleetOutcome)
        and isinstance(one.outcome, CopyStarted)
        and one.outcome.existing
        for one in begun
    ]
    events = await _events(sync_fleet(fleet, connect=connect))
    assert {("one", WEST, "Copied"): 1, ("two", WEST, "Copied"): 1} == _kinds(events)
    assert 1 == fsx.calls["CopyBackup"]


async def test_without_waiting_the_quota_is_shared_too(
    fsx: LocalFsx, connect: AccountClients, clock: ManualClock
) -> None:
    """What there is no capacity for is left to the next run, which continues."""
    _add(fsx, 4)
    _add(fsx, 4, number=1)
    fleet = Fleet(
        policies=[
            _policy("a", WEST, newest="all", file_system_ids=(f"fs-{0:017x}",)),
            _policy("b", WEST, newest="all", file_system_ids=(f"fs-{1:017x}",)),
        ]
    )
    events = await _events(sync_fleet(fleet, connect=connect, wait=False))
    assert {
        ("a", WEST, "CopyStarted"): 3,
        ("a", WEST, "CopyDeferred"): 1,
        ("b", WEST, "CopyStarted"): 2,
        ("b", WEST, "CopyDeferred"): 2,
    } == _kinds(events)
    clock.advance(700)
    events = await _events(sync_fleet(fleet, connect=connect, wait=False))
    assert {"CopyStarted": 3} == Counter(key[2] for key in _kinds(events).elements())
    assert 8 == fsx.calls["CopyBackup"]


def _add_old_copy(fsx: LocalFsx, policy: str, number: int, age: int) -> None:
    """Put a copy into the destination that a policy made of a backup that is gone."""
    source, origin = f"fs-{number:017x}", f"backup-{age}{number:016x}"
    made = datetime.fromtimestamp(NEWEST - age * DAY, UTC)
    tags = {
        "fsxcopy:policy": policy,
        "fsxcopy:source": source,
        "fsxcopy:backup": origin,
        "fsxcopy:source-time": made.isoformat(),
    }
    fsx.add_backup(
        WEST,
        SourceBackupId=origin,
        SourceBackupRegion=OHIO,
        FileSystem={"FileSystemId": source},
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


async def test_pruning_waits_for_the_copies_of_its_own_policy_only(
    fsx: LocalFsx, connect: AccountClients, clock: ManualClock
) -> None:
    """A policy prunes when its copies have ended well, whatever another policy still copies."""
    policies = []
    for number, name in enumerate(("good", "bad", "slow")):
        _add(fsx, number=number)
        for age in (2, 3, 4):
            _add_old_copy(fsx, name, number, age)
        ids = (f"fs-{number:017x}",)
        policies.append(
            _policy(name, WEST, file_system_ids=ids, keep=Keep(last=1), prune=name != "slow")
        )
    _add(fsx, 30, number=3)
    policies.append(_policy("other", WEST, file_system_ids=(f"fs-{3:017x}",), newest="all"))

    def see(route: Route, copy: CopyInProgress) -> None:
        if route.policy.name == "bad" and copy.backup and not copy.backup.lifecycle.is_terminal:
            fsx.fail_copy(copy.backup.backup_id, "made to fail")

    synced = sync_fleet(Fleet(policies=policies), connect=connect, prune_most=True, on_seen=see)
    events = await _events(synced)

    assert {
        ("good", WEST, "Copied"): 1,
        ("good", WEST, "Pruned"): 2,
        ("bad", WEST, "CopyFailed"): 1,
        ("bad", WEST, "PruneSkipped"): 2,
        ("slow", WEST, "Copied"): 1,
        ("other", WEST, "Copied"): 30,
    } == _kinds(events)
    names = [one.policy_name for one in events]
    last_pruned = max(index for index, name in enumerate(names) if name == "good")
    assert names.index("good") < last_pruned < len(names) - 10
    assert "bad: account default, backup-" in "\n".join(map(str, events))
    (bad,) = (one for one in synced.report.reports if one.policy_name == "bad")
    assert ["fs-00000000000000001"] == [one.source_id for one in bad.late]


async def test_leaving_early_says_what_is_left(
    fsx: LocalFsx, connect: AccountClients, clock: ManualClock
) -> None:
    """When the block is left nothing more is started, and each plan says what is in progress."""
    _add(fsx, 7)
    seen: defaultdict[str, set[str | None]] = defaultdict(set)
    begun = anyio.Event()

    def see(route: Route, copy: CopyInProgress) -> None:
        if copy.backup is not None:
            seen[route.policy.name].add(copy.backup_id)
        if (5, 1) == (len(seen["one"]), len(seen["two"])):
            begun.set()

    fleet = Fleet(policies=[_policy("one", WEST, newest="all"), _policy("two", IRELAND)])
    synced = sync_fleet(fleet, connect=connect, on_seen=see)
    async with synced:
        await begun.wait()
    clock.advance(3600.0)
    await anyio.wait_all_tasks_blocked()
    left = {route.policy.name: applied for route, applied in synced.applied.items()}

    assert 6 == fsx.calls["CopyBackup"]
    assert seen == {
        name: {copy.backup_id for copy in one.in_progress} for name, one in left.items()
    }
    assert {"one": 2, "two": 0} == {name: len(one.not_started) for name, one in left.items()}
    assert 2 == len(synced.report.reports)
    assert () == synced.not_begun


async def test_what_was_iterated_over_is_not_kept(fsx: LocalFsx, connect: AccountClients) -> None:
    """A large fleet has many outcomes; those that were not asked for yet can still be had."""
    _add(fsx, 3)
    fleet = Fleet(policies=[_policy("one", WEST, newest="all")])
    async with sync_fleet(fleet, connect=connect) as synced:
        first = await anext(synced)
    assert isinstance(first, FleetOutcome)
    document = first.to_dict()
    assert ("Copied", "one", "default", OHIO, WEST) == tuple(
        document[name]
        for name in ("Outcome", "PolicyName", "Account", "SourceRegion", "DestinationRegion")
    )
    synced = sync_fleet(fleet, connect=connect)
    async with synced:
        async for _ in synced:
            pass
    assert () == synced.outcomes


async def test_documents_of_plans_and_reports(fsx: LocalFsx, connect: AccountClients) -> None:
    """They have the plans and reports as these write themselves, and times in UTC."""
    _add(fsx)
    fleet = Fleet(policies=[_policy("one", WEST), _policy("none", WEST, profile="empty")])
    plan = await plan_fleet(fleet, connect=connect)
    report = await report_fleet(fleet, connect=connect)

    document = plan.to_dict()
    assert (1, True) == (document["Version"], document["HasWork"])
    assert [plan.plans[0].to_dict() | {"Account": "default"}] == document["Plans"]
    assert (plan.plans, plan.accounts) == (
        FleetPlan.from_dict(document).plans,
        FleetPlan.from_dict(document).accounts,
    )
    with pytest.raises(InvalidArguments, match="accounts: must be one for each plan, not 0 for 1"):
        FleetPlan(plans=plan.plans, accounts=())
    written: Any = report.to_dict()
    assert {"Version", "MadeAt", "Reports", "Failures"} == set(written)
    assert ("one", "none") == (
        written["Reports"][0]["PolicyName"],
        written["Failures"][0]["PolicyName"],
    )
    assert report.made_at == report.reports[0].made_at
    assert str(report).startswith("Report of policy one: us-east-2 to us-west-2")
    assert str(plan).startswith("Plan of policy one: us-east-2 to us-west-2")


async def test_a_report_of_nothing_has_a_time(connect: AccountClients) -> None:
    """Where no service answered, it is the machine's."""
    fleet = Fleet(policies=[_policy("none", WEST, profile="empty")])
    before = datetime.now(UTC)
    report = await report_fleet(fleet, connect=connect)
    assert before <= report.made_at <= datetime.now(UTC)
    assert not report.is_good


async def test_one_account_at_a_time(fsx: LocalFsx, connect: AccountClients) -> None:
    """With a limit of one, an account is begun when the one before has ended."""
    for account in (None, PROFILE_ACCOUNT, ROLE_ACCOUNT):
        _add(fsx, account=account)
    fleet = Fleet(
        policies=[
            _policy("mine", WEST),
            _policy("prod", WEST, profile="prod"),
            _policy("role", WEST, role_arn=ROLE),
        ]
    )
    log: list[str] = []
    synced = sync_fleet(
        fleet,
        connect=connect,
        max_accounts=1,
        on_plan=lambda route, _: log.append(f"plan {route.account}"),
    )
    async with synced:
        while event := await anext(synced, None):
            log.append(f"end {event.account}")
    names = ("default", "prod", ROLE_ACCOUNT)
    assert [f"{word} {name}" for name in names for word in ("plan", "end")] == log


async def test_arguments_are_checked(connect: AccountClients) -> None:
    """All errors at once, before anything is sent."""
    fleet = Fleet(policies=[_policy("one", WEST)])
    wrong: dict[str, Any] = {
        "connect": 3,
        "max_accounts": 0,
        "strict": None,
        "prune_most": 1,
        "prune_orphans": 1,
        "wait": 1,
        "max_wait": -1,
        "schedule": 3,
        "on_plan": 3,
        "on_seen": 3,
    }
    with pytest.raises(InvalidArguments) as caught:
        sync_fleet(fleet, **wrong)
    assert set(wrong) == {text.split(":")[0] for text in caught.value.errors}
    nothing: Any = None
    for call in (plan_fleet, report_fleet):
        with pytest.raises(InvalidArguments, match="fleet: must be a Fleet, not None"):
            await call(nothing)


async def test_an_outage_in_one_account_stops_no_other(
    fsx: LocalFsx, connect: AccountClients, clock: ManualClock
) -> None:
    """A service that cannot be reached is a failure of the policies there."""
    _add(fsx)
    away = AccountClients(endpoint_url="http://127.0.0.1:9", config=direct_config(), clock=clock)

    def choose(account: Account, region: str) -> FsxCopyClient:
        return (away if account.profile == "prod" else connect)(account, region)

    fleet = Fleet(policies=[_policy("gone", WEST, profile="prod"), _policy("good", WEST)])
    events = await _events(sync_fleet(fleet, connect=choose))
    assert {("gone", WEST, "ConnectionFailed"): 1, ("good", WEST, "Copied"): 1} == _kinds(events)

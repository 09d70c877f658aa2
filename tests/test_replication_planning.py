"""What a plan wants done, from what two Regions hold."""

from __future__ import annotations

import json
import pickle
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from bulk_rig import Direct
from hypothesis import given
from hypothesis import strategies as st
from replication_rig import (
    DAY,
    EAST,
    FS,
    NOW,
    OTHER_FS,
    POLICY,
    PROTECTED,
    VOLUME,
    WEST,
    backup,
    backup_id,
    copied_ids,
    copy_of,
    planned,
)
from strategies import MODERATE

from fsxcopy_sdk import (
    AccessDenied,
    Backup,
    BackupFilter,
    ClientNotOpen,
    FileSystem,
    FsxCopyClient,
    InvalidArguments,
    StorageType,
    Tag,
    VolumeStyle,
)
from fsxcopy_sdk.replication import (
    CannotCopyReason,
    ExistingCopy,
    Keep,
    ReplicationPlan,
    ReplicationPolicy,
    plan_replication,
)
from fsxcopy_sdk.testing import Fault, LocalFsx

if TYPE_CHECKING:
    from conftest import Connect

ALL = attrs.evolve(POLICY, newest=None)


def _refused(plan: ReplicationPlan) -> list[tuple[str, str]]:
    return [(one.backup.backup_id, one.reason) for one in plan.cannot_copy]


@pytest.mark.parametrize(
    ("newest", "newer_than", "expected"),
    [
        (1, None, [3]),
        (2, None, [3, 2]),
        (9, None, [3, 2, 1]),
        (None, None, [3, 2, 1]),
        (None, 2 * DAY, [3, 2]),
        (1, 2 * DAY, [3]),
        (1, 0.5 * DAY, []),
    ],
)
def test_what_is_newest(newest: int | None, newer_than: float | None, expected: list[int]) -> None:
    """The newest come first, and what is too old is simply not selected."""
    policy = attrs.evolve(POLICY, newest=newest, newer_than=newer_than)
    plan = planned(policy, [backup(1, days=3), backup(3, days=1), backup(2, days=2)])
    assert [backup_id(n) for n in expected] == copied_ids(plan)
    assert [] == _refused(plan)


def test_every_source_has_its_newest() -> None:
    """File systems and volumes each have their own, all the newest before all others."""
    backups = [
        backup(1, days=2),
        backup(2, days=1),
        backup(3, days=9, source=VOLUME),
        backup(4, days=8, source=VOLUME),
        backup(5, days=9, source=OTHER_FS),
    ]
    plan = planned(attrs.evolve(POLICY, newest=2), backups)

    assert [backup_id(n) for n in (2, 5, 4, 1, 3)] == copied_ids(plan)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (([FS], []), [1]),
        (([OTHER_FS], []), [2, 3]),
        (([], [VOLUME]), [3]),
        (([FS], [VOLUME]), [1, 3]),
    ],
)
def test_what_is_named(ids: tuple[list[str], list[str]], expected: list[int]) -> None:
    """A file system is named with its volumes; what is not named is left alone."""
    policy = attrs.evolve(POLICY, file_system_ids=ids[0], volume_ids=ids[1])
    backups = [
        backup(1),
        backup(2, source=OTHER_FS),
        backup(3, source=VOLUME),
        backup(4, source=None),
    ]
    plan = planned(policy, backups)

    assert [backup_id(n) for n in expected] == copied_ids(plan)
    assert [] == _refused(plan)


@pytest.mark.parametrize("policy_name", ["nightly", "weekly", None])
@pytest.mark.parametrize("key", ["west-key", "another-key", None])
def test_up_to_date(policy_name: str | None, key: str | None) -> None:
    """A copy counts, whichever program made it and under whatever key."""
    copy = copy_of(backup(1), 1001, policy=policy_name, key=key)
    plan = planned(POLICY, [backup(1)], [copy])
    assert [copy.backup_id] == [one.copy.backup_id for one in plan.up_to_date]
    assert not plan.has_work


@pytest.mark.parametrize(
    "lifecycle", ["COPYING", "PENDING", "TRANSFERRING", "CREATING", "POLISHING"]
)
def test_in_progress(lifecycle: str) -> None:
    """A copy in any state that may become AVAILABLE is in progress, an unknown one too."""
    plan = planned(POLICY, [backup(1)], [copy_of(backup(1), 1001, lifecycle=lifecycle)])
    assert [backup_id(1001)] == [one.copy.backup_id for one in plan.in_progress]
    assert ([], ()) == (copied_ids(plan), plan.up_to_date)
    assert plan.has_work


@pytest.mark.parametrize(
    "copy",
    [
        copy_of(backup(1), 1001, lifecycle="FAILED"),
        copy_of(backup(1), 1001, lifecycle="DELETED"),
        copy_of(backup(1), 1001, region="eu-west-1"),
        copy_of(backup(2), 1001),
        copy_of(backup(2), 1001, region=None),
        attrs.evolve(copy_of(backup(1), 1001), source_backup_id=None),
    ],
    ids=["failed", "deleted", "from elsewhere", "another's", "from its own Region", "no copy"],
)
def test_not_there(copy: Backup) -> None:
    """What failed, is gone or is a copy of something else does not count."""
    assert [backup_id(1)] == copied_ids(planned(POLICY, [backup(1)], [copy]))


def test_a_copy_that_does_not_say_where_it_is_from() -> None:
    """Ids are unique, so a copy of the backup's id is its copy."""
    plan = planned(POLICY, [backup(1)], [copy_of(backup(1), 1001, region=None)])
    assert ([], 1) == (copied_ids(plan), len(plan.up_to_date))


def test_copies_within_one_region() -> None:
    """Within a Region a copy may name it or none, and is itself no backup to copy."""
    originals = [backup(1), backup(2, source=OTHER_FS), backup(3, source=VOLUME)]
    copies = [
        copy_of(originals[0], 1001, days=-1, region=EAST),
        copy_of(originals[1], 1002, days=-1, region=None),
    ]
    plan = planned(ALL, [*originals, *copies], copies, destination=EAST)

    assert [backup_id(3)] == copied_ids(plan)
    assert 2 == len(plan.up_to_date)
    assert [] == _refused(plan)


@pytest.mark.parametrize(
    ("lifecycles", "expected"),
    [
        (["COPYING", "AVAILABLE"], 1002),
        (["AVAILABLE", "AVAILABLE"], 1001),
        (["FAILED", "COPYING"], 1002),
        (["POLISHING", "COPYING"], 1002),
        (["COPYING", "COPYING"], 1001),
    ],
)
def test_the_best_of_several_copies(lifecycles: list[str], expected: int) -> None:
    """Of two copies of one backup the plan shows what is nearest to being there."""
    copies = [
        copy_of(backup(1), 1001 + n, days=-n, lifecycle=one) for n, one in enumerate(lifecycles)
    ]
    plan = planned(POLICY, [backup(1)], reversed(copies))
    (known,) = (*plan.up_to_date, *plan.in_progress)

    assert backup_id(expected) == known.copy.backup_id
    assert ("AVAILABLE" in lifecycles) is known.is_ready
    assert [] == copied_ids(plan)


def test_a_copy_counts_though_its_backup_is_not_available() -> None:
    """What happens to a backup after it was copied does not make the copy worth less."""
    one = backup(1, lifecycle="FAILED")
    plan = planned(POLICY, [one, backup(2, days=1)], [copy_of(one, 1001)])
    assert ([], [], 1) == (copied_ids(plan), _refused(plan), len(plan.up_to_date))


@pytest.mark.parametrize("lifecycle", ["CREATING", "FAILED", "PENDING", "POLISHING"])
def test_the_newest_that_can_be_copied_is(lifecycle: str) -> None:
    """While the newest is not AVAILABLE the one before takes its place, and the plan says so."""
    plan = planned(POLICY, [backup(1, days=1), backup(2, lifecycle=lifecycle)])
    assert [backup_id(1)] == copied_ids(plan)
    dead = lifecycle == "FAILED"
    reason = CannotCopyReason.FAILED if dead else CannotCopyReason.NOT_AVAILABLE
    assert [(backup_id(2), reason)] == _refused(plan)


def test_what_is_deleted_is_gone() -> None:
    """Backups that are DELETED are not reported."""
    plan = planned(POLICY, [backup(1, lifecycle="DELETED")])
    assert ([], [], False) == (copied_ids(plan), _refused(plan), plan.has_work)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (backup(1, source=VOLUME, style=VolumeStyle.FLEXGROUP), CannotCopyReason.FLEXGROUP),
        (
            attrs.evolve(
                backup(1),
                file_system=FileSystem(
                    file_system_id=FS, storage_type=StorageType.INTELLIGENT_TIERING
                ),
            ),
            CannotCopyReason.INTELLIGENT_TIERING,
        ),
        (backup(1, source=None), CannotCopyReason.UNKNOWN_SOURCE),
        (
            backup(1, tags=[Tag(key=str(n), value="") for n in range(48)]),
            CannotCopyReason.TOO_MANY_TAGS,
        ),
    ],
    ids=["FlexGroup", "Intelligent-Tiering", "of nothing", "tags"],
)
def test_what_never_can_be_copied(one: Backup, reason: CannotCopyReason) -> None:
    """The reason is said, for as many as would have been copied."""
    older = attrs.evolve(one, backup_id=backup_id(9), creation_time=NOW - timedelta(days=9))
    plan = planned(POLICY, [older, one])
    assert ([], [(one.backup_id, reason)]) == (copied_ids(plan), _refused(plan))
    assert 2 == len(planned(ALL, [older, one]).cannot_copy)
    assert [] == _refused(planned(attrs.evolve(ALL, newer_than=DAY), [older]))


@pytest.mark.parametrize("storage", ["SSD", "HDD", "COLD", None])
def test_other_storage_is_copied(storage: str | None) -> None:
    """Storage that this version does not know, or that is not named, is left to the service."""
    kind = None if storage is None else StorageType(storage)
    file_system = FileSystem(file_system_id=FS, storage_type=kind)
    one = attrs.evolve(backup(1), file_system=file_system)
    assert [one.backup_id] == copied_ids(planned(POLICY, [one]))


@pytest.mark.parametrize(
    ("policy", "prefix"),
    [
        (attrs.evolve(POLICY, copy_tags=False), ""),
        (POLICY, "aws:"),
        (POLICY, "AWS:"),
        (POLICY, "Aws:cloudformation:"),
    ],
    ids=["tags are not copied", "tags of AWS's own", "in capitals", "in mixed case"],
)
def test_tags_that_do_not_count(policy: ReplicationPolicy, prefix: str) -> None:
    """Tags are counted as the service will count them."""
    tags = [Tag(key=f"{prefix}{n}", value="") for n in range(48)]
    assert [] == _refused(planned(policy, [backup(1, tags=tags)]))


def test_copies_are_not_copied_again() -> None:
    """Two Regions that keep each other ready do not send copies to and fro."""
    foreign = copy_of(backup(1), 1001, region="eu-west-1")
    plan = planned(ALL, [foreign])
    assert ([], [], ()) == (copied_ids(plan), _refused(plan), plan.report.sources)


def test_a_named_source_of_copies_is_reported() -> None:
    """A file system that lives elsewhere has no backups here, only copies."""
    foreign = copy_of(backup(1), 1001, region="eu-west-1")
    plan = planned(attrs.evolve(ALL, file_system_ids=FS), [foreign])
    assert [(foreign.backup_id, CannotCopyReason.IS_A_COPY)] == _refused(plan)


def test_request() -> None:
    """A copy gets the policy's tags and its lineage, and the key of its Region."""
    policy = ReplicationPolicy(
        name="nightly", tags={"team": "storage"}, kms_key_ids={WEST: "the-key"}, copy_tags=False
    )
    request = planned(policy, [backup(1, days=1)]).to_copy[0].request
    tags = {tag.key: tag.value for tag in request.tags}

    assert (backup_id(1), EAST) == (request.source_backup_id, request.source_region)
    assert ("the-key", False, None) == (request.kms_key_id, request.copy_tags, request.volume_id)
    assert {
        "team": "storage",
        "fsxcopy:policy": "nightly",
        "fsxcopy:source": FS,
        "fsxcopy:backup": backup_id(1),
        "fsxcopy:source-time": "2026-11-22T12:00:00+00:00",
    } == tags


def test_request_for_an_ontap_volume() -> None:
    """It names the volume, whose copies have slots of their own."""
    plan = planned(POLICY, [backup(1, source=VOLUME)])
    assert VOLUME == plan.to_copy[0].request.volume_id


def test_the_same_backup_gets_the_same_request() -> None:
    """Whenever and beside whatever it is planned, a copy has one token."""
    early = planned(ALL, [backup(1, days=1), backup(2)])
    late = planned(
        attrs.evolve(ALL, newest=7, keep=Keep(last=3)),
        [backup(1, days=1)],
        [copy_of(backup(3), 1001)],
    )
    assert late.to_copy[0].request.token(WEST) == early.to_copy[1].request.token(WEST)


@MODERATE
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([FS, OTHER_FS, VOLUME])),
        max_size=8,
    ),
    st.lists(
        st.tuples(st.integers(0, 7), st.sampled_from(["AVAILABLE", "COPYING", "FAILED", "NEW"])),
        max_size=8,
    ),
    st.sampled_from([1, 2, None]),
)
def test_every_selected_backup_is_in_one_place(
    ages: list[tuple[int, str]], held: list[tuple[int, str]], newest: int | None
) -> None:
    """Each of the newest is to be copied, in progress or up to date, and only one of these."""
    backups = [backup(n, days=days, source=source) for n, (days, source) in enumerate(ages)]
    copies = [
        copy_of(backups[n % len(backups)], 1000 + m, lifecycle=lifecycle)
        for m, (n, lifecycle) in enumerate(held)
        if backups
    ]
    plan = planned(attrs.evolve(POLICY, newest=newest), backups, copies)
    known: tuple[ExistingCopy, ...] = (*plan.in_progress, *plan.up_to_date)
    found = [*copied_ids(plan), *(one.backup.backup_id for one in known)]
    expected: list[str] = []
    for source in (FS, OTHER_FS, VOLUME):
        mine = [
            (one.creation_time, one.backup_id)
            for one, (_, of) in zip(backups, ages, strict=True)
            if of == source
        ]
        expected += [one_id for _, one_id in sorted(mine, reverse=True)[:newest]]

    assert sorted(expected) == sorted(found)
    assert set(expected) == plan.selected_backup_ids
    live = {one.source_backup_id for one in copies if one.lifecycle != "FAILED"}
    assert set(expected) - live == set(copied_ids(plan))


@pytest.fixture(name="east")
async def _east(fsx: LocalFsx, connect: Connect) -> AsyncIterator[FsxCopyClient]:
    """A client of the Region that the backups are in."""
    async with connect(fsx, region=EAST) as client:
        yield client


async def test_plans_only_list(fsx: LocalFsx, east: FsxCopyClient, client: FsxCopyClient) -> None:
    """A plan of two Regions makes no calls but those that list them, all their pages."""
    for _ in range(60):
        fsx.add_backup(EAST, FileSystem={"FileSystemId": FS})
        fsx.add_backup(WEST)
    plan = await plan_replication(east, client, ALL)
    assert {"DescribeBackups": 4} == fsx.calls
    assert (EAST, WEST, 61) == (plan.source_region, plan.destination_region, len(plan.to_copy))


async def test_a_copy_that_begins_between_the_listings_is_seen(fsx: LocalFsx) -> None:
    """The destination is listed last, so that the backup is not planned to be copied again."""
    (original,) = fsx.backups(EAST)
    east, west = Direct(fsx, EAST), Direct(fsx, WEST)
    begun: list[str] = []

    def begin_copy(_: str) -> None:
        source = original["BackupId"]
        begun.append(fsx.add_backup(WEST, SourceBackupId=source, SourceBackupRegion=EAST))

    east.lose = begin_copy  # called after the answer, which is not lost
    plan = await plan_replication(
        FsxCopyClient(transport=east), FsxCopyClient(transport=west), ALL
    )

    assert [] == copied_ids(plan)
    assert begun == [one.copy.backup_id for one in plan.up_to_date]


async def test_policy_filters(fsx: LocalFsx, east: FsxCopyClient, client: FsxCopyClient) -> None:
    """What does not pass the policy's filters is not even listed."""
    wanted = fsx.add_backup(EAST, Type="AUTOMATIC")
    policy = attrs.evolve(ALL, filters=[BackupFilter("backup-type", "AUTOMATIC")])
    assert [wanted] == copied_ids(await plan_replication(east, client, policy))


async def test_now_can_be_given(east: FsxCopyClient, client: FsxCopyClient) -> None:
    """Ages are measured at that time; else at the machine's."""
    policy = attrs.evolve(POLICY, newer_than=DAY)
    example = datetime.fromisoformat("2021-04-10T09:00:00+02:00")
    assert 1 == len((await plan_replication(east, client, policy, now=example)).to_copy)
    assert 0 == len((await plan_replication(east, client, policy)).to_copy)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"now": NOW.replace(tzinfo=None)}, "now: must be a datetime with a time zone"),
        ({"now": 5.0}, "now: must be a datetime with a time zone"),
        (
            {"now": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
            "now: must be a datetime with a time zone",
        ),
        ({"policy": "nightly"}, "policy: must be a ReplicationPolicy"),
    ],
    ids=["no zone", "a number", "before all times in UTC", "no policy"],
)
async def test_bad_arguments_are_refused(
    fsx: LocalFsx,
    east: FsxCopyClient,
    client: FsxCopyClient,
    arguments: dict[str, Any],
    fault: str,
) -> None:
    """A time that could be any, and what is no policy, is refused, and nothing is sent."""
    with pytest.raises(InvalidArguments, match=fault):
        await plan_replication(east, client, **{"policy": POLICY, **arguments})
    assert not fsx.calls


async def test_two_partitions(fsx: LocalFsx, connect: Connect, client: FsxCopyClient) -> None:
    """Nothing is copied from one partition to another, so nothing is planned."""
    async with connect(fsx, region="cn-north-1") as chinese:
        with pytest.raises(InvalidArguments, match="destination: must be of a Region in the part"):
            await plan_replication(chinese, client, POLICY)
    assert not fsx.calls


async def test_a_listing_that_fails_is_no_plan(
    fsx: LocalFsx, east: FsxCopyClient, client: FsxCopyClient
) -> None:
    """Nothing is decided on half of what there is."""
    fsx.inject(Fault.error("AccessDeniedException"))
    with pytest.raises(AccessDenied):
        await plan_replication(east, client, POLICY)


async def test_clients_must_be_open(client: FsxCopyClient) -> None:
    """A client that is not open is said at once."""
    with pytest.raises(ClientNotOpen):
        await plan_replication(FsxCopyClient(EAST), client, POLICY)


def _rich_plan() -> ReplicationPlan:
    """Return a plan that has something of everything."""
    policy = ReplicationPolicy(
        name="nightly",
        filters=[BackupFilter("backup-type", "AUTOMATIC")],
        newest=2,
        keep=Keep(last=1),
        kms_key_ids={WEST: "the-key"},
        tags={"team": "storage"},
    )
    there, coming, gone = backup(1, days=1), backup(2, source=OTHER_FS), backup(9, days=9)
    backups = [there, coming, backup(3, source=VOLUME), backup(4, lifecycle="CREATING")]
    copies = [
        copy_of(there, 1001),
        attrs.evolve(copy_of(coming, 1002, lifecycle="COPYING"), progress_percent=40),
        copy_of(gone, 1003),
        copy_of(backup(8, days=2, source=OTHER_FS), 1004, tags=[PROTECTED]),
        copy_of(backup(7, days=1, source=OTHER_FS), 1005),
    ]
    return planned(policy, [*backups, backup(5, source=None)], copies)


def test_a_plan_reads_well() -> None:
    """Printed it says what will be done, what need not be, and what cannot."""
    assert """\
Plan of policy nightly: us-east-2 to us-west-2, made at 2026-11-23T12:00:00+00:00
to copy: 1
  fsvol-0123456789abcdef0: backup-00000003 of 2026-11-23T12:00:00+00:00: \
the newest backup, no copy yet
in progress: 1
  fs-0123456789abcdef1: backup-00000002 of 2026-11-23T12:00:00+00:00 \
as backup-000003ea, COPYING, 40 %
up to date: 1
  fs-0123456789abcdef0: backup-00000001 of 2026-11-22T12:00:00+00:00 as backup-000003e9
to prune: 1
  fs-0123456789abcdef0: backup-000003eb of a backup of 2026-11-14T12:00:00+00:00: not the newest
kept: 3
  fs-0123456789abcdef1: backup-000003ec of a backup of 2026-11-21T12:00:00+00:00: \
has the tag fsxcopy:protected
  fs-0123456789abcdef0: backup-000003e9 of a backup of 2026-11-22T12:00:00+00:00: \
last 1 of 1, the newest, its backup is selected
  fs-0123456789abcdef1: backup-000003ed of a backup of 2026-11-22T12:00:00+00:00: \
last 1 of 1, the newest
cannot be copied: 2
  fs-0123456789abcdef0: backup-00000004 of 2026-11-23T12:00:00+00:00: not AVAILABLE: CREATING
  unknown source: backup-00000005 of 2026-11-23T12:00:00+00:00: the service does not name its \
file system or volume""" == str(_rich_plan())


@pytest.mark.parametrize(
    ("policy", "numbers", "reasons"),
    [
        (POLICY, [1], ["the newest backup"]),
        (POLICY, [5], ["the newest backup that can be copied"]),
        (
            attrs.evolve(POLICY, newest=2),
            [1, 2],
            ["the newest backup", "one of the 2 newest backups"],
        ),
        (
            attrs.evolve(POLICY, newest=None, newer_than=1.5 * DAY),
            [1, 2],
            ["the newest backup", "not older than 1 d 12 h"],
        ),
        (ALL, [1, 2, 3], ["the newest backup", *["every backup is selected"] * 2]),
    ],
)
def test_why_a_backup_is_copied(
    policy: ReplicationPolicy, numbers: list[int], reasons: list[str]
) -> None:
    """Each copy that is planned says why, and that there is none yet."""
    creating = [backup(9, days=-1, lifecycle="CREATING")] if 5 in numbers else []
    backups = [backup(number, days=number - 1) for number in (1, 2, 3)]
    plan = planned(policy, [*backups, *creating])
    assert [f"{reason}, no copy yet" for reason in reasons] == [one.reason for one in plan.to_copy]


def test_a_dead_copy_is_a_reason_to_copy() -> None:
    """The plan names a copy that failed, because another one is made for it."""
    plan = planned(POLICY, [backup(1)], [copy_of(backup(1), 1001, lifecycle="FAILED")])
    expected = f"the newest backup, its copy {backup_id(1001)} is FAILED"
    assert [expected] == [one.reason for one in plan.to_copy]


def test_a_plan_without_work_says_so() -> None:
    """Nothing to do is an answer too."""
    plan = planned(POLICY, [])
    assert ["nothing to do", "us-east-2 shows no backup in the policy's scope"] == (
        str(plan).splitlines()[1:]
    )
    assert not plan.has_work


def test_a_plan_is_a_value() -> None:
    """It cannot be changed, compares, hashes and pickles."""
    plan = _rich_plan()
    assert {plan} == {_rich_plan(), pickle.loads(pickle.dumps(plan))}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        plan.to_copy = ()  # type: ignore[misc]  # on purpose


def test_a_plan_is_json() -> None:
    """It survives JSON, with plain texts and numbers for everything."""
    plan = _rich_plan()
    data = json.loads(json.dumps(plan.to_dict()))

    assert data == plan.to_dict()
    assert {WEST: "the-key"} == data["Policy"]["KmsKeyIds"]
    assert "2026-11-23T12:00:00+00:00" == data["MadeAt"]
    assert "COPYING" == data["InProgress"][0]["Copy"]["Lifecycle"]
    assert "NOT_AVAILABLE" == data["CannotCopy"][0]["Reason"]
    assert backup_id(3) == data["ToCopy"][0]["Request"]["SourceBackupId"]
    assert "2026-11-14T12:00:00+00:00" == data["ToPrune"][0]["RecoveryPoint"]
    assert 3 == len(data["Report"]["Sources"])
    assert data["HasWork"] is True


@pytest.mark.parametrize("odd", ["backup-XYZ", "snapshot-00000001", "backup-1"])
def test_one_odd_backup_hides_no_others(odd: str) -> None:
    """A backup whose ID breaks the rules of CopyBackup is named, and the others are planned."""
    strange = attrs.evolve(backup(1), backup_id=odd)
    plan = planned(attrs.evolve(POLICY, newest=None), [strange, backup(2, days=1)])
    assert [backup_id(2)] == copied_ids(plan)
    (refused,) = plan.cannot_copy
    assert (odd, CannotCopyReason.INVALID) == (refused.backup.backup_id, refused.reason)
    assert "source_backup_id: must be " in str(plan)


@pytest.mark.parametrize(
    ("arns", "owner_id"),
    [
        ([None, None], None),
        (["arn:aws:fsx:us-east-2:111111111111:backup/backup-1", None], "111111111111"),
        ([None, "arn:aws-cn:fsx:cn-north-1:111111111111:backup/b:1"], "111111111111"),
        (["arn:aws:fsx:us-east-2:111111111111:x", "arn:aws:fsx:us-west-2:222222222222:x"], None),
        (["arn:aws:fsx:us-east-2::backup/backup-1", "none"], None),
    ],
)
def test_the_account_of_a_plan(arns: list[str | None], owner_id: str | None) -> None:
    """It is the one that the ARNs of both Regions name, and is not guessed of several."""
    original = attrs.evolve(backup(1), resource_arn=arns[0])
    copy = attrs.evolve(copy_of(original, 1001), resource_arn=arns[1])
    assert owner_id == planned(POLICY, [original], [copy]).owner_id

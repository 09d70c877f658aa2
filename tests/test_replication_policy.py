"""What a policy may say, and what it makes of it."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest
from replication_rig import FS, OTHER_FS, VOLUME

from fsxcopy_sdk import BackupFilter, InvalidArguments, Tag
from fsxcopy_sdk.replication import Keep, ReplicationPolicy
from fsxcopy_sdk.replication._inventory import Source


def test_a_policy_needs_a_name_only() -> None:
    """By default the newest backup of everything is copied with its tags, and nothing pruned."""
    policy = ReplicationPolicy(name="nightly")
    assert (1, None, True) == (policy.newest, policy.newer_than, policy.copy_tags)
    assert policy.prunes is False


def test_natural_types_become_plain_ones() -> None:
    """Mappings, timedeltas, lists and single texts become what is hashable and compares."""
    policy = ReplicationPolicy(
        name="nightly",
        file_system_ids=[FS],
        volume_ids=VOLUME,
        filters=[BackupFilter("backup-type", "AUTOMATIC")],
        newer_than=timedelta(days=1),
        tags={"team": "storage"},
        kms_key_ids={"us-west-2": "key", "eu-west-1": "other"},
        keep=Keep(daily=7, within=timedelta(days=30)),
        max_age=timedelta(hours=6),
    )
    plain = ReplicationPolicy(
        name="nightly",
        file_system_ids=(FS,),
        volume_ids=(VOLUME,),
        filters=(BackupFilter("backup-type", ("AUTOMATIC",)),),
        newer_than=86400,
        tags=[Tag(key="team", value="storage")],
        kms_key_ids=[("us-west-2", "key"), ("eu-west-1", "other")],
        keep=Keep(daily=7, within=30 * 86400, time_zone="UTC"),
        max_age=6 * 3600,
    )

    assert {plain} == {policy, pickle.loads(pickle.dumps(policy))}


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"name": ""}, "name: must be 1 to 128 letters"),
        ({"name": "a;b"}, "name: must be 1 to 128 letters"),
        ({"name": None}, "name: must be 1 to 128 letters"),
        ({"file_system_ids": "fsvol-1"}, "file_system_ids[0]: must be like"),
        ({"file_system_ids": 5}, "file_system_ids[0]: must be like"),
        ({"volume_ids": [VOLUME, FS]}, "volume_ids[1]: must be like"),
        ({"filters": ["AUTOMATIC"]}, "filters[0]: must be a BackupFilter"),
        ({"newest": 0}, "newest: must be an integer of 1 or more, or None for all, not 0"),
        ({"newest": True}, "newest: must be an integer"),
        ({"keep": 7}, "keep: must be a Keep, or None for all, not 7"),
        ({"keep": {"last": 7}}, "keep: must be a Keep"),
        ({"newer_than": -1}, "newer_than: must be seconds or a timedelta"),
        ({"max_age": float("inf")}, "max_age: must be seconds or a timedelta"),
        ({"max_age": None}, "max_age: must be seconds or a timedelta"),
        ({"keep_tag": "a;b"}, "keep_tag: must be 1 to 128 letters"),
        ({"copy_tags": "yes"}, "copy_tags: must be True or False"),
        ({"tags": {"a;b": ""}}, "tags: key 'a;b': must be 1 to 128 letters"),
        ({"tags": ["a"]}, "tags: must be a mapping of strings or Tag objects"),
        ({"tags": {"fsxcopy:source": ""}}, "tags: key 'fsxcopy:source': must be free"),
        ({"tags": {str(n): "" for n in range(47)}}, "tags: must be at most 50, not 51"),
        ({"kms_key_ids": {"US": "key"}}, "kms_key_ids: Region: must be 1 to 20"),
        ({"kms_key_ids": {"us-west-2": ""}}, "kms_key_ids: key of 'us-west-2': must be 1 to 2048"),
        (
            {"kms_key_ids": {"us-west-2": "arn:aws:kms:us-east-1:123456789012:alias/dr"}},
            "kms_key_ids: key of 'us-west-2': must be a key of us-west-2, where the copies are",
        ),
        ({"kms_key_ids": "key"}, "kms_key_ids: must be a mapping from Regions to keys"),
        (
            {"kms_key_ids": [("us-west-2", "key"), ("us-west-2", "other")]},
            "kms_key_ids: Region us-west-2: must be given once, not several times",
        ),
    ],
)
def test_bad_members_are_refused(arguments: dict[str, object], fault: str) -> None:
    """What breaks a rule is named, with the rule, before anything is sent."""
    with pytest.raises(InvalidArguments) as caught:
        ReplicationPolicy(**{"name": "nightly", **arguments})  # type: ignore[arg-type]  # on purpose
    assert 1 == len(caught.value.errors)
    assert caught.value.errors[0].startswith(fault)


def test_all_faults_at_once() -> None:
    """Several faults are one error with a text for each."""
    with pytest.raises(InvalidArguments) as caught:
        ReplicationPolicy(name="", newest=0, newer_than=-1, tags={"a;b": ""})
    assert 4 == len(caught.value.errors)


@pytest.mark.parametrize(
    ("ids", "source", "expected"),
    [
        ({}, Source.of_id(FS), True),
        ({"file_system_ids": FS}, Source.of_id(FS), True),
        ({"file_system_ids": FS}, Source.of_id(OTHER_FS), False),
        ({"file_system_ids": FS}, Source(source_id=VOLUME, file_system_id=FS), True),
        ({"file_system_ids": FS}, Source.of_id(VOLUME), False),
        ({"volume_ids": VOLUME}, Source.of_id(VOLUME), True),
        ({"volume_ids": VOLUME}, Source.of_id(FS), False),
        ({"file_system_ids": FS, "volume_ids": VOLUME}, Source.of_id(VOLUME), True),
    ],
)
def test_scope(ids: dict[str, str], source: Source, expected: bool) -> None:
    """A policy covers what it names, a file system with its volumes, or else everything."""
    policy = ReplicationPolicy(name="nightly", **ids)  # type: ignore[arg-type]  # a text will do
    assert expected is policy.covers(source)


def test_the_key_is_that_of_the_region() -> None:
    """A Region without a key has FSx's own."""
    policy = ReplicationPolicy(name="nightly", kms_key_ids={"us-west-2": "key"})
    assert ("key", None) == (policy.kms_key_id("us-west-2"), policy.kms_key_id("eu-west-1"))

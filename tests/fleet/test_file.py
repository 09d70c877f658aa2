"""The file of a fleet: what it says, and what is wrong with it, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fsxcopy_sdk import BackupFilter, ConfigurationError, InvalidArguments
from fsxcopy_sdk.fleet import (
    Account,
    Fleet,
    FleetPolicy,
    PolicyDestination,
    PolicySource,
)
from fsxcopy_sdk.replication import Keep

ROLE = "arn:aws:iam::123456789012:role/dr"
LEAST = """\
version = 1
[[policy]]
name = "nightly"
source = { region = "us-east-2" }
destination = [{ region = "us-west-2" }]
"""


def _read(text: str, folder: Path) -> Fleet:
    file = folder / "fsxcopy.toml"
    file.write_text(text, "utf-8")
    return Fleet.from_toml(file)


def _errors(text: str, folder: Path) -> list[str]:
    with pytest.raises(InvalidArguments) as caught:
        _read(text, folder)
    assert "; ".join(caught.value.errors) == str(caught.value)
    return [*caught.value.errors]


def _policy(**members: Any) -> FleetPolicy:
    default: dict[str, Any] = {
        "name": "nightly",
        "source": PolicySource(region="us-east-2"),
        "destination": [PolicyDestination(region="us-west-2")],
    }
    made = default | members
    return FleetPolicy(**made | {"destination": tuple(made["destination"])})


def test_the_least_file(tmp_path: Path) -> None:
    """A policy needs a name, a source and a destination."""
    assert Fleet(policies=[_policy()]) == _read(LEAST, tmp_path)


def test_everything_that_a_policy_can_say(tmp_path: Path) -> None:
    """Each key has its meaning; durations are texts or seconds, filters a text or a list."""
    fleet = _read(
        f"""\
        version = 1
        [[policy]]
        name = "all"
        file_system_ids = ["fs-0123456789abcdef0"]
        volume_ids = ["fsvol-0123456789abcdef0"]
        filters = {{ backup-type = "AUTOMATIC", file-system-type = ["LUSTRE", "ONTAP"] }}
        newest = "all"
        newer_than = "90d"
        copy_tags = false
        tags = {{ Purpose = "dr", Team = "a" }}
        keep = {{ last = 7, monthly = 12, within = "1d", time_zone = "Europe/Berlin" }}
        keep_tag = "hold"
        prune = true
        max_age = "25h"
        max_in_progress = 20
        enabled = false
        [policy.source]
        region = "us-east-2"
        profile = "hub"
        role_arn = "{ROLE}"
        external_id = "a:b"
        session_name = "me"
        [[policy.destination]]
        region = "us-west-2"
        kms_key_id = "alias/dr"
        tags = {{ Purpose = "west" }}
        role_arn = "{ROLE}"
        [[policy.destination]]
        region = "eu-west-1"
        """,
        tmp_path,
    )
    (policy,) = fleet.policies

    assert ((), ()) == (fleet.enabled, fleet.routes)
    assert (False, True, 20) == (policy.enabled, policy.prune, policy.max_in_progress)
    assert policy.source.account == Account(
        profile="hub", role_arn=ROLE, external_id="a:b", session_name="me"
    )
    west, europe = (policy.to(one) for one in policy.destination)
    assert (
        BackupFilter("backup-type", "AUTOMATIC"),
        BackupFilter("file-system-type", ["LUSTRE", "ONTAP"]),
    ) == west.filters
    assert (None, 90 * 86400.0, False) == (west.newest, west.newer_than, west.copy_tags)
    assert ("hold", 90000.0) == (west.keep_tag, west.max_age)
    assert Keep(last=7, monthly=12, within=86400, time_zone="Europe/Berlin") == west.keep
    assert ({"us-west-2": "alias/dr"}, {}) == (dict(west.kms_key_ids), dict(europe.kms_key_ids))
    assert {"Purpose": "west", "Team": "a"} == {tag.key: tag.value for tag in west.tags}
    assert {"Purpose": "dr", "Team": "a"} == {tag.key: tag.value for tag in europe.tags}
    assert (policy.file_system_ids, policy.volume_ids) == (west.file_system_ids, west.volume_ids)


def test_defaults_hold_where_a_policy_says_nothing(tmp_path: Path) -> None:
    """What a policy says replaces the default as a whole."""
    fleet = _read(
        """\
        version = 1
        [defaults]
        newest = 3
        max_age = "2d"
        tags = { Team = "a" }
        keep = { last = 7 }
        [[policy]]
        name = "one"
        source = { region = "us-east-2" }
        destination = [{ region = "us-west-2" }]
        prune = true
        [[policy]]
        name = "two"
        source = { region = "us-east-2", profile = "p" }
        destination = [{ region = "us-west-2" }]
        newest = "all"
        tags = { Other = "b" }
        """,
        tmp_path,
    )
    one, two = fleet.policies

    assert (3, 172800.0, Keep(last=7), (("Team", "a"),)) == (
        one.newest,
        one.max_age,
        one.keep,
        one.tags,
    )
    assert ("all", 172800.0, Keep(last=7), (("Other", "b"),)) == (
        two.newest,
        two.max_age,
        two.keep,
        two.tags,
    )


def test_all_errors_at_once_with_their_paths(tmp_path: Path) -> None:
    """Each error names its place in the file, the rule, and the key that may be meant."""
    found = _errors(
        """\
        version = 2
        default = 1
        [defaults]
        max_age = "25x"
        newest = 0
        [[policy]]
        name = "nightly"
        source = { region = "us-east-2", profile = "p" }
        filters = { file-sytem-type = "LUSTRE", backup-type = 1 }
        [[policy.destination]]
        region = "cn-north-1"
        profile = "q"
        [[policy.destination]]
        region = "cn-north-1"
        tags = { "aws:x" = "y" }
        [[policy]]
        name = "nightly"
        source = { regio = "us-east-2", external_id = "ab" }
        destination = []
        keeep = { last = 3 }
        prune = true
        keep = { last = 0 }
        """,
        tmp_path,
    )
    filters = (
        "file-system-id, backup-type, file-system-type, volume-id, data-repository-type, "
        "file-cache-id, file-cache-type"
    )
    assert [
        "default: must not be there: no such member is known; did you mean defaults?",
        "defaults.max_age: must be like 90, 90s, 15m, 8h or 7d, not '25x'",
        'defaults.newest: must be an integer of 1 or more, or "all", not 0',
        (
            f"policy[0].filters.file-sytem-type: must be one of {filters}; "
            "did you mean file-system-type?"
        ),
        "policy[0].filters.backup-type: must be a string or a list of strings, not 1",
        (
            "policy[0].destination[1].tags: key 'aws:x': must be without AWS's own prefix, "
            "not one with `aws:`"
        ),
        "policy[1].keeep: must not be there: no such member is known; did you mean keep?",
        "policy[1].keep.last: must be an integer of 1 or more, or None, not 0",
        "policy[1].source.regio: must not be there: no such member is known; did you mean region?",
        "policy[1].source.region: required, but missing",
        "policy[1].source.external_id: must be given with role_arn, not alone",
        "version: must be 1, the only version that this release reads, not 2",
        "policy[1].name: must be another one than that of policy[0], not 'nightly'",
    ] == found


def test_a_long_list_of_errors_is_cut(tmp_path: Path) -> None:
    """At most twenty are reported."""
    policies = "[[policy]]\n" * 30
    found = _errors(f"version = 1\n{policies}", tmp_path)
    assert 21 == len(found)
    assert "and more" == found[-1]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("version = 1", "policy: required, but missing"),
        ("version = 1\npolicy = []", "policy: must be at least one, not none"),
        ("version = 1\npolicy = 3", "policy: must be a list, not an integer"),
        ("version = 1\npolicy = [3]", "policy[0]: must be an object, not an integer"),
        (LEAST.replace("version = 1", "version = true"), "version: must be 1, the only version"),
        (f"defaults = 3\n{LEAST}", "defaults: must be an object, not an integer"),
        (f"{LEAST}filters = 3", "policy[0].filters: must be an object, not an integer"),
        (f"{LEAST}tags = {{ a = 1 }}", "policy[0].tags: value of 'a': must be at most 256"),
        (f"{LEAST}tags = [1]", "policy[0].tags: must be an object, not a list"),
        (f"{LEAST}newest = 1.5", 'policy[0].newest: must be an integer of 1 or more, or "all"'),
        (f"{LEAST}newest = 'some'", "policy[0].newest: must be an integer of 1 or more"),
        (f"{LEAST}max_in_progress = true", "policy[0].max_in_progress: must be an integer of 1"),
        (f"{LEAST}enabled = 1", "policy[0].enabled: must be true or false, not 1"),
        (f"{LEAST}max_age = -1", "policy[0].max_age: must be seconds or a timedelta"),
        (f"{LEAST}max_age = true", "policy[0].max_age: must be a number, not a boolean"),
        (f"{LEAST}max_age = 2026-01-01", "policy[0].max_age: must be a number"),
        (f"{LEAST}newer_than = inf", "policy[0].newer_than: must be a finite number"),
        (f"{LEAST}keep = {{}}", "policy[0].keep.last: must be given if none of"),
        (f"{LEAST}keep = {{ within = 'x' }}", "policy[0].keep.within: must be like 90"),
        (f"{LEAST}keep = {{ within = -1 }}", "policy[0].keep.within: must be seconds"),
        (f"{LEAST}prune = true", "policy[0].keep: must be given where prune is true, not absent"),
        (f"{LEAST}file_system_ids = ['x']", "policy[0].file_system_ids[0]: must be like"),
        (f"{LEAST}file_system_ids = 'fs-1'", "policy[0].file_system_ids: must be a list"),
        (f"{LEAST}filters = {{ volume-id = [] }}", "policy[0].filters[0].values: must be"),
        (LEAST.replace("nightly", ""), "policy[0].name: must be 1 to 128 letters"),
        (LEAST.replace('"nightly"', "5"), "policy[0].name: must be 1 to 128 letters"),
        (LEAST.replace("us-east-2", "US"), "policy[0].source.region: must be 1 to 20 of a-z"),
        (LEAST.replace("us-west-2", "US"), "policy[0].destination[0].region: must be 1 to 20"),
        (LEAST.replace('[{ region = "us-west-2" }]', "[]"), "policy[0].destination: must be at"),
        (
            LEAST.replace("us-west-2", "cn-north-1"),
            "policy[0].destination[0].region: must be in the partition of us-east-2",
        ),
        (
            LEAST.replace('"us-west-2" }', '"us-west-2" }, { region = "us-west-2" }'),
            "policy[0].destination[1].region: must be given once, not us-west-2 again",
        ),
        (
            LEAST.replace('"us-west-2"', '"us-west-2", role_arn = "x"'),
            (
                "policy[0].destination[0].role_arn: must be that of the source, because "
                "CopyBackup copies within one account, not 'x'"
            ),
        ),
        (
            LEAST.replace('"us-west-2"', '"us-west-2", kms_key_id = ""'),
            "policy[0].destination[0].kms_key_id: must be 1 to 2048",
        ),
        (
            LEAST.replace('"us-east-2"', '"us-east-2", role_arn = "arn:aws:iam::1:role/x"'),
            "policy[0].source.role_arn: must be the ARN of a role",
        ),
        (
            LEAST.replace('"us-east-2"', '"us-east-2", session_name = "x y"'),
            "policy[0].source.session_name: must be 2 to 64 of",
        ),
        (
            LEAST.replace('"us-east-2"', '"us-east-2", profile = ""'),
            "policy[0].source.profile: must be 1 to 256 printable characters",
        ),
        (
            LEAST.replace('"us-east-2"', '"us-east-2", external_id = "x y"'),
            "policy[0].source.external_id: must be 2 to 1224 of",
        ),
    ],
)
def test_wrong_values(text: str, error: str, tmp_path: Path) -> None:
    """Each rule has a text that begins with the path."""
    assert _errors(text, tmp_path)[0].startswith(error)


def test_tags_of_a_policy_and_of_a_destination_count_together(tmp_path: Path) -> None:
    """Fifty tags are allowed, those that assign a copy to its policy included."""
    tags = ", ".join(f"k{number} = ''" for number in range(46))
    text = f"{LEAST}tags = {{ {tags} }}\n"
    assert 1 == len(_read(text, tmp_path).policies)

    text = text.replace('"us-west-2"', '"us-west-2", tags = { more = "" }')
    (error,) = _errors(text, tmp_path)
    assert "policy[0].destination[0].tags: must be at most 50, not 51" == error


@pytest.mark.parametrize("enabled", [True, False])
def test_policies_into_one_destination_share_one_limit(*, enabled: bool) -> None:
    """Two limits for one queue are refused, unless one policy is not enabled."""
    one, other = _policy(), _policy(name="other", max_in_progress=3, enabled=enabled)
    if not enabled:
        assert 1 == len(Fleet(policies=[one, other]).enabled)
        return
    with pytest.raises(InvalidArguments) as caught:
        Fleet(policies=[one, other])
    assert [
        (
            "policies[1].max_in_progress: must be 5 as that of policies[0], which copies into "
            "us-west-2 too, not 3"
        )
    ] == [*caught.value.errors]


def test_other_accounts_and_regions_have_limits_of_their_own() -> None:
    """The limit is that of one account in one Region."""
    there = PolicySource(region="us-east-2", profile="other")
    europe = [PolicyDestination(region="eu-west-1")]
    policies = [
        _policy(),
        _policy(name="b", source=there, max_in_progress=3),
        _policy(name="c", destination=europe, max_in_progress=7),
    ]
    assert 3 == len(Fleet(policies=policies).routes)


def test_policies_are_policies() -> None:
    """What is no policy is refused by its place, and names are unique."""
    policies: Any = [_policy(), 3]
    with pytest.raises(InvalidArguments, match=r"^policies\[1\]: must be a FleetPolicy, not 3$"):
        Fleet(policies=policies)
    with pytest.raises(InvalidArguments, match=r"^policies\[1\].name: must be another one than"):
        Fleet(policies=[_policy(), _policy()])


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    fleet = _read(f"\ufeff{LEAST}", tmp_path)
    assert ["nightly"] == [one.name for one in fleet.policies]


def test_selection_by_name() -> None:
    """Policies are selected by their names; one that is unknown or not enabled is refused."""
    fleet = Fleet(policies=[_policy(name=one, enabled=one != "off") for one in ("a", "off", "b")])

    assert ["a", "b"] == [one.name for one in fleet.select(["b", "a"]).policies]
    with pytest.raises(InvalidArguments) as caught:
        fleet.select(["of", "off"])
    assert (
        "name: must be one of a, off, b, not 'of'; did you mean off?",
        "name: must be that of a policy that is enabled, not 'off'",
    ) == caught.value.errors


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"version = ", "cannot be read as TOML: "),
        (b"\xff", "cannot be read as TOML: "),
        (b"version = " + b"[" * 20_000, "cannot be read as TOML: "),
    ],
)
def test_a_file_that_cannot_be_read(content: bytes | None, words: str, tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "fsxcopy.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        Fleet.from_toml(str(file))
    assert str(caught.value).startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("account", "name"),
    [
        (Account(), "default"),
        (Account(profile="prod"), "prod"),
        (Account(profile="prod", role_arn=ROLE), "123456789012"),
    ],
)
def test_the_name_of_an_account(account: Account, name: str) -> None:
    """It is the number where a role names it, else the profile."""
    assert name == str(account)


def test_a_text_is_read_as_its_file_is(tmp_path: Path) -> None:
    """The text of a file makes the same fleet, and its errors name what it is called."""
    file = tmp_path / "fsxcopy.toml"
    file.write_text(LEAST, "utf-8")
    assert Fleet.from_toml(file) == Fleet.from_text(LEAST)
    with pytest.raises(ConfigurationError, match="the field: cannot be read as TOML"):
        Fleet.from_text("version =", name="the field")


def test_wrong_defaults_are_reported_once(tmp_path: Path) -> None:
    """What a policy needs may be in defaults with errors, and is not called missing."""
    text = LEAST.replace(
        "[[policy]]", "[defaults]\nkeep = { daily = 0 }\n[[policy]]\nprune = true"
    )
    (error,) = _errors(text, tmp_path)
    assert error.startswith("defaults.keep.daily: must be ")


def test_a_key_of_another_region_is_an_error(tmp_path: Path) -> None:
    """An ARN says where its key is, and copies can use only keys of their own Region."""
    key = "arn:aws:kms:us-west-2:123456789012:alias/dr"
    text = LEAST.replace('"us-west-2"', f'"eu-west-1", kms_key_id = "{key}"')
    path, rule = "policy[0].destination[0].kms_key_id", "a key of eu-west-1, where the copies are"
    assert [f"{path}: must be {rule}, not one of us-west-2"] == _errors(text, tmp_path)
    right = LEAST.replace('"us-west-2"', f'"us-west-2", kms_key_id = "{key}"')
    assert key == _read(right, tmp_path).routes[0].destination.kms_key_id


def test_warnings_of_regions() -> None:
    """A Region that botocore does not know, and one that is lost together with its backups."""
    fleet = Fleet(
        policies=[
            _policy(
                source=PolicySource(region="us-east-22"),
                destination=[PolicyDestination(region="us-west-2")],
            ),
            _policy(
                name="second",
                destination=[PolicyDestination(region=one) for one in ("us-east-2", "moon")],
            ),
            _policy(
                name="china",
                source=PolicySource(region="cn-north-1"),
                destination=[PolicyDestination(region="cn-northwest-1")],
            ),
            _policy(
                name="off", destination=[PolicyDestination(region="us-east-2")], enabled=False
            ),
        ]
    )
    unknown = "botocore lists no endpoint of FSx in"
    lost = "copies in us-east-2 are in the Region of their backups, and are lost with it"
    assert (
        f"policy 'nightly': {unknown} us-east-22; did you mean us-east-2?",
        f"policy 'second': {unknown} moon",
        f"policy 'second': {lost}",
    ) == fleet.find_warnings()


_FS, _OTHER, _VOLUME = "fs-0123456789abcdef0", "fs-0123456789abcdef1", "fsvol-0123456789abcdef0"
_AUTOMATIC = BackupFilter("backup-type", "AUTOMATIC")


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ({}, {}, True),
        ({}, {"file_system_ids": (_FS,)}, True),
        ({"file_system_ids": (_FS, _OTHER)}, {"file_system_ids": (_OTHER,)}, True),
        ({"volume_ids": (_VOLUME,)}, {"volume_ids": (_VOLUME,)}, True),
        ({"file_system_ids": (_FS,)}, {"file_system_ids": (_OTHER,)}, False),
        ({"file_system_ids": (_FS,)}, {"volume_ids": (_VOLUME,)}, False),
        ({"filters": (_AUTOMATIC,)}, {}, True),
        ({}, {"filters": (_AUTOMATIC,)}, True),
        (
            {"filters": (_AUTOMATIC,)},
            {"filters": (BackupFilter("backup-type", ["AUTOMATIC", "AWS_BACKUP"]),)},
            True,
        ),
        (
            {"filters": (_AUTOMATIC,)},
            {"filters": (BackupFilter("backup-type", "USER_INITIATED"),)},
            False,
        ),
        (
            {"filters": (_AUTOMATIC,)},
            {"filters": (BackupFilter("file-system-type", "ONTAP"),)},
            True,
        ),
        ({}, {"source": PolicySource(region="us-east-1")}, False),
        ({}, {"source": PolicySource(region="us-east-2", profile="other")}, False),
        ({}, {"destination": [PolicyDestination(region="eu-west-1")]}, False),
        ({}, {"enabled": False}, False),
    ],
)
def test_warnings_of_policies_that_share_backups(
    first: dict[str, Any], second: dict[str, Any], overlap: bool
) -> None:
    """Two policies of one account and Region that may copy the same backup to one destination."""
    fleet = Fleet(policies=[_policy(**first), _policy(name="second", **second)])
    text = (
        "policy 'second': selects backups that policy 'nightly' copies into us-west-2 too; a copy "
        "has the tags, the key and the retention of the policy that made it"
    )
    assert ((text,) if overlap else ()) == fleet.find_warnings()

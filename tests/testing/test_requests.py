"""The rules of requests and of Regions, against botocore's data and by example."""

import json
import re

import boto3
import pytest
from service_model import service_model

from fsxcopy_sdk.testing._documents import REGIONS, AccountRegion
from fsxcopy_sdk.testing._operations import OPERATIONS
from fsxcopy_sdk.testing._requests import REQUESTS, Shape

EXAMPLE = "backup-03e3c82e0183b7b6b"
COPY = {"SourceBackupId": EXAMPLE}


def shape_of(model) -> Shape:
    """Return botocore's shape *model* as one of the local FSx."""
    is_list, is_structure = model.type_name == "list", model.type_name == "structure"
    members = model.members if is_structure else {}
    return Shape(
        model.type_name,
        model.metadata.get("min"),
        model.metadata.get("max"),
        model.metadata.get("pattern"),
        tuple(getattr(model, "enum", ())),
        member=shape_of(model.member) if is_list else None,
        members={name: shape_of(member) for name, member in members.items()},
        required=tuple(model.required_members) if is_structure else (),
    )


@pytest.mark.parametrize("operation", REQUESTS)
def test_rules_are_the_models(operation) -> None:
    """Every rule is the service model's: none is missing, none is added."""
    assert shape_of(service_model().operation_model(operation).input_shape) == REQUESTS[operation]


def test_every_operation_has_rules() -> None:
    """Each operation has rules, and each rule an operation."""
    assert set(REQUESTS) == set(OPERATIONS)


async def refusal(send, operation, body) -> tuple[str, str]:
    """Return the code and the message of the error that answers *body*."""
    _, _, answer = await send(json.dumps(body).encode(), operation=operation)
    error = json.loads(answer)
    return error["__type"], error.get("Message") or error["message"]


async def copy_refusal(send, **changes: object) -> tuple[str, str]:
    """Return the code and the message of the error that answers a changed CopyBackup."""
    return await refusal(send, "CopyBackup", {**COPY, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"SourceBackupId": 5},
        {"KmsKeyId": ["key"]},
        {"CopyTags": "true"},
        {"CopyTags": 1},
        {"Tags": {"Key": "a", "Value": "b"}},
        {"Tags": ["a"]},
        {"Tags": [{"Key": 1, "Value": "b"}]},
    ],
)
async def test_wrong_types(send, changes) -> None:
    """A value of another type is a SerializationException that names it."""
    code, message = await copy_refusal(send, **changes)
    assert "SerializationException" == code
    assert f"CopyBackup.{next(iter(changes))}" in message


@pytest.mark.parametrize("value", [True, 1.5, "1"])
async def test_whole_numbers(send, value) -> None:
    """A boolean, a fraction or a text is not a whole number."""
    code, _ = await refusal(send, "DescribeBackups", {"MaxResults": value})
    assert "SerializationException" == code


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"SourceBackupId": None}, "sourceBackupId", "not be null"),
        ({"SourceBackupId": "backup-1"}, "sourceBackupId", "length greater than or equal to 12"),
        ({"SourceBackupId": "backup-UPPERCASE"}, "sourceBackupId", "satisfy regular expression"),
        ({"SourceBackupId": "backup-" + "0" * 122}, "sourceBackupId", "less than or equal to 128"),
        ({"SourceBackupId": f"{EXAMPLE}\n"}, "sourceBackupId", "satisfy regular expression"),
        ({"KmsKeyId": ""}, "kmsKeyId", "length greater than or equal to 1"),
        ({"KmsKeyId": "k" * 2049}, "kmsKeyId", "length less than or equal to 2048"),
        ({"ClientRequestToken": "t" * 64}, "clientRequestToken", "less than or equal to 63"),
        ({"ClientRequestToken": "a b"}, "clientRequestToken", "satisfy regular expression"),
        ({"Tags": []}, "tags", "length greater than or equal to 1"),
        (
            {"Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]},
            "tags",
            "length less than or equal to 50",
        ),
        ({"Tags": [{"Value": "b"}]}, "tags.1.member.key", "not be null"),
        ({"Tags": [{"Key": "a"}]}, "tags.1.member.value", "not be null"),
        ({"Tags": [{"Key": "k" * 129, "Value": ""}]}, "tags.1.member.key", "equal to 128"),
        ({"Tags": [{"Key": "a", "Value": "v" * 257}]}, "tags.1.member.value", "equal to 256"),
        ({"Tags": [{"Key": "a!", "Value": ""}]}, "tags.1.member.key", "regular expression"),
    ],
)
async def test_broken_rules(send, changes, path, rule) -> None:
    """A broken rule is a BadRequest that names member and rule."""
    code, message = await copy_refusal(send, **changes)
    assert "BadRequest" == code
    assert re.search(f"'{re.escape(path)}' failed .*{rule}", message)


@pytest.mark.parametrize(
    ("body", "path", "rule"),
    [
        ({"BackupIds": ["backup-00000000"] * 51}, "backupIds", "less than or equal to 50"),
        ({"MaxResults": 0}, "maxResults", "value greater than or equal to 1"),
        ({"MaxResults": 2**31}, "maxResults", "value less than or equal to 2147483647"),
        ({"NextToken": "?"}, "nextToken", "regular expression"),
        ({"Filters": [{"Name": "size"}]}, "filters.1.member.name", "satisfy enum value set"),
    ],
)
async def test_broken_rules_of_describing(send, body, path, rule) -> None:
    """DescribeBackups has its rules as well."""
    _, message = await refusal(send, "DescribeBackups", body)
    assert re.search(f"'{re.escape(path)}' failed .*{rule}", message)


async def test_all_broken_rules_are_counted(send) -> None:
    """All broken rules are counted in one BadRequest, in at most 256 characters."""
    _, message = await refusal(send, "CopyBackup", {"KmsKeyId": "", "Tags": []})
    assert message.startswith("4 validation errors detected: ")
    assert 256 == len(message)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SourceRegion": "Ohio"}, "InvalidRegion"),
        ({"SourceRegion": "Ohio", "KmsKeyId": ""}, "BadRequest"),
    ],
)
async def test_malformed_region(send, changes, code) -> None:
    """A SourceRegion that breaks its rule alone is an InvalidRegion."""
    assert code == (await copy_refusal(send, **changes))[0]


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        (["aws:name"], "reserved"),
        (["AWS:x"], "reserved"),
        (["Aws:"], "reserved"),
        (["name", "aWS:cloudformation:stack-name"], "reserved"),
        ("aa", "unique"),
    ],
)
async def test_refused_keys(send, keys, rule) -> None:
    """Keys that begin with aws: in any case, or come twice, are a BadRequest."""
    code, message = await copy_refusal(send, Tags=[{"Key": key, "Value": ""} for key in keys])
    assert ("BadRequest", True) == (code, rule in message)


@pytest.mark.parametrize(
    "text",
    ["Größe", "日本語", "a b", "1½", "\u2028", "_.:/=+-@", "", "\N{DEVANAGARI LETTER KA}"],
)
async def test_characters_of_tags(fsx, west, text) -> None:
    """Letters, separators, numbers of any script and _.:/=+-@ may be in a tag."""
    arn = fsx.backup("us-west-2", fsx.add_backup("us-west-2"))["ResourceARN"]
    tags = [{"Key": "k", "Value": text}]
    await west("tag_resource", ResourceARN=arn, Tags=tags)
    assert tags == (await west("list_tags_for_resource", ResourceARN=arn))["Tags"]


@pytest.mark.parametrize(
    "char", ["!", "*", "\\", "%", "\n", "\t", "\x00", "€", "\N{GRINNING FACE}"]
)
async def test_other_characters(send, char) -> None:
    """Punctuation, symbols and control characters may not be in a tag."""
    code, _ = await copy_refusal(send, Tags=[{"Key": "k", "Value": f"a{char}"}])
    assert "BadRequest" == code


def regions() -> list[tuple[str, str]]:
    """Return every Region that botocore lists, with its partition."""
    session = boto3.session.Session()
    return [
        (region, partition)
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    ]


@pytest.mark.parametrize(("region", "partition"), regions())
def test_knows_every_region(region, partition) -> None:
    """Every Region that botocore lists is in the partition that it lists."""
    assert partition == REGIONS[region]


@pytest.mark.parametrize(
    "region", ["aws-global", "us-east", "us-east-", "US-EAST-1", "us--1", "nowhere", "us-east-9"]
)
def test_names_that_are_no_region(fsx, source, region) -> None:
    """A text that is not the name of a Region of AWS is an InvalidRegion."""
    request = {"SourceBackupId": source, "SourceRegion": region}
    status, body = fsx.call("us-west-2", "CopyBackup", request)
    assert (400, "InvalidRegion") == (status, json.loads(body)["__type"])


@pytest.mark.parametrize("region", ["us-east-2", "cn-north-1", "us-gov-west-1"])
def test_arns_are_the_models(region) -> None:
    """ARNs are like the model's ResourceARN."""
    pattern = service_model().shape_for("ResourceARN").metadata["pattern"]
    assert re.match(pattern, AccountRegion("123456789012", region).arn("backup/backup-00000000"))

"""
The rules of requests, against botocore's service model and by example.
"""

import re
import unicodedata

import pytest

from fsxcopy_sdk.testing._documents import ProtocolFailure, ServiceFailure
from fsxcopy_sdk.testing._operations import OPERATIONS
from fsxcopy_sdk.testing._requests import (
    REQUESTS,
    Flag,
    Many,
    Members,
    Number,
    Rule,
    Text,
    check_request,
)
from fsxcopy_sdk.testing._requests import _matcher as matcher

COPY = {"SourceBackupId": "backup-03e3c82e0183b7b6b"}


def rule_of(shape) -> Rule:
    """
    Return the rule that the model's *shape* amounts to.
    """
    sizes = {"min": shape.metadata.get("min"), "max": shape.metadata.get("max")}
    match shape.type_name:
        case "structure":
            rules = {name: rule_of(member) for name, member in shape.members.items()}
            return Members(rules, required=tuple(shape.required_members))
        case "list":
            return Many(of=rule_of(shape.member), **sizes)
        case "integer":
            return Number(**sizes)
        case "boolean":
            return Flag()
    return Text(pattern=shape.metadata.get("pattern"), choices=tuple(shape.enum), **sizes)


@pytest.mark.parametrize("operation", REQUESTS)
def test_rules_are_the_models(model, operation) -> None:
    """
    Every rule is the service model's, nothing is missing, nothing is added.
    """
    assert rule_of(model.operation_model(operation).input_shape) == REQUESTS[operation]


def test_every_operation_has_rules() -> None:
    """
    What can be carried out can be checked, and the other way round.
    """
    assert set(REQUESTS) == set(OPERATIONS)


def refusal(operation, body) -> ServiceFailure:
    """
    Return what the checks of *body* raise.
    """
    with pytest.raises(ServiceFailure) as caught:
        check_request(operation, body)
    return caught.value


def copy_refusal(**changes: object) -> ServiceFailure:
    """
    Return what the checks of a CopyBackup with *changes* raise.
    """
    return refusal("CopyBackup", {**COPY, **changes})


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
def test_wrong_types(changes) -> None:
    """
    A value of another type is a SerializationException that names it.
    """
    failure = copy_refusal(**changes)

    assert "SerializationException" == failure.code
    assert f"CopyBackup.{next(iter(changes))}" in failure.message
    assert isinstance(failure, ProtocolFailure)


@pytest.mark.parametrize("value", [True, 1.5, "1"])
def test_whole_numbers(value) -> None:
    """
    A boolean, a fraction or a text is no whole number.
    """
    failure = refusal("DescribeBackups", {"MaxResults": value})

    assert "SerializationException" == failure.code


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"SourceBackupId": None}, "sourceBackupId", "not be null"),
        ({"SourceBackupId": "backup-1"}, "sourceBackupId", "length greater than or equal to 12"),
        ({"SourceBackupId": "backup-UPPERCASE"}, "sourceBackupId", "satisfy regular expression"),
        (
            {"SourceBackupId": "backup-" + "0" * 122},
            "sourceBackupId",
            "length less than or equal to 128",
        ),
        (
            {"SourceBackupId": "backup-03e3c82e0183b7b6b\n"},
            "sourceBackupId",
            "satisfy regular expression",
        ),
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
def test_broken_rules(changes, path, rule) -> None:
    """
    A broken rule is a BadRequest that names member and rule.
    """
    failure = copy_refusal(**changes)

    assert "BadRequest" == failure.code
    assert re.search(f"'{re.escape(path)}' failed .*{rule}", failure.message)


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
def test_broken_rules_of_describing(body, path, rule) -> None:
    """
    DescribeBackups has its rules as well.
    """
    assert re.search(
        f"'{re.escape(path)}' failed .*{rule}", refusal("DescribeBackups", body).message
    )


def test_all_that_is_broken_is_told() -> None:
    """
    Several faults are counted in one BadRequest, in at most 256 characters.
    """
    failure = refusal("CopyBackup", {"KmsKeyId": "", "Tags": []})

    assert failure.message.startswith("4 validation errors detected: ")
    assert 256 == len(failure.message)


def test_malformed_region() -> None:
    """
    A SourceRegion that breaks its rule alone is an InvalidRegion.
    """
    assert "InvalidRegion" == copy_refusal(SourceRegion="Ohio").code
    assert "BadRequest" == copy_refusal(SourceRegion="Ohio", KmsKeyId="").code


@pytest.mark.parametrize("key", ["aws:name", "AWS:name", "Aws:"])
def test_reserved_keys(key) -> None:
    """
    Keys that begin with aws: in any case are a BadRequest.
    """
    assert "reserved" in copy_refusal(Tags=[{"Key": key, "Value": ""}]).message


def test_repeated_keys() -> None:
    """
    Keys that come twice in one request are a BadRequest.
    """
    failure = copy_refusal(Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])

    assert ("BadRequest", True) == (failure.code, "unique" in failure.message)


@pytest.mark.parametrize(
    "text",
    ["Größe", "日本語", "a b", "1½", "\u2028", "_.:/=+-@", "", "\N{DEVANAGARI LETTER KA}"],
)
def test_characters_of_tags(text) -> None:
    """
    Letters, separators, numbers of any script and _.:/=+-@ may be in a tag.
    """
    request = check_request("CopyBackup", {**COPY, "Tags": [{"Key": "k", "Value": text}]})

    assert text == request["Tags"][0]["Value"]


def test_characters_no_tag_has() -> None:
    """
    No other character of the basic plane may be in a tag.
    """
    matches = matcher(r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$")
    allowed = {char for char in map(chr, range(0x10000)) if matches(char)}

    assert set("_.:/=+-@") == {
        char for char in allowed if unicodedata.category(char)[0] not in "LZN"
    }


def test_keeps_what_is_known() -> None:
    """
    A request after the checks holds the known members that were given.
    """
    body = {**COPY, "KmsKeyId": None, "Colour": "blue", "CopyTags": False}

    assert {**COPY, "CopyTags": False} == check_request("CopyBackup", body)

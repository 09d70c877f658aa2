"""Checks of arguments, against the constraints of botocore's service model."""

from __future__ import annotations

import copy
import json
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from importlib.resources import files
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest
import service_model
from botocore.model import Shape, StringShape  # type: ignore[import-untyped]  # no types
from botocore.validate import ParamValidator  # type: ignore[import-untyped]  # no types
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODERATE, junk

from fsxcopy_sdk import _validation as rules
from fsxcopy_sdk._validation import (
    BackupFilter,
    check_backup_id,
    copy_backup_request,
    delete_backup_request,
    describe_backups_request,
    partition_of,
    seconds,
)
from fsxcopy_sdk.enums import FilterName
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.models import Tag

_BACKUP_ID = "backup-0123456789abcdef0"
_REGION = "us-west-2"


def _copy(source_backup_id: Any = _BACKUP_ID, **others: Any) -> dict[str, Any]:
    """Make a CopyBackup request; what is not given is as the client has it."""
    absent = dict.fromkeys(("source_region", "kms_key_id", "tags"))
    given = {"region": _REGION, "copy_tags": False, "client_request_token": "token", **others}
    return dict(copy_backup_request(source_backup_id, **(absent | given)))


def _describe(**others: Any) -> dict[str, Any]:
    """Make a DescribeBackups request; what is not given is as the client has it."""
    absent = dict.fromkeys(("backup_ids", "max_results", "next_token"))
    return dict(describe_backups_request(**(absent | {"filters": (), **others})))


def _delete(backup_id: Any = _BACKUP_ID, client_request_token: Any = "token") -> dict[str, Any]:
    """Make a DeleteBackup request."""
    return dict(delete_backup_request(backup_id, client_request_token=client_request_token))


def _faults(function: Callable[..., object], **arguments: object) -> tuple[str, ...]:
    with pytest.raises(InvalidArguments) as caught:
        function(**arguments)
    return caught.value.errors


@cache
def _class_of_characters(category: str) -> str:
    """Return the inside of a character class with all characters of a Unicode category."""
    points = range(sys.maxunicode + 1)
    members = [point for point in points if unicodedata.category(chr(point))[0] == category]
    runs = groupby(enumerate(members), key=lambda pair: pair[1] - pair[0])
    ranges = [[point for _, point in run] for _, run in runs]
    return "".join(f"\\U{run[0]:08x}-\\U{run[-1]:08x}" for run in ranges)


@cache
def _pattern(shape: Shape) -> re.Pattern[str]:
    """Return the model's pattern in Python's dialect, its one known typo corrected."""
    pattern: str = shape.metadata["pattern"].replace("A-za-z", "A-Za-z")
    for category in "LZN":
        if rf"\p{{{category}}}" in pattern:
            pattern = pattern.replace(rf"\p{{{category}}}", _class_of_characters(category))
    return re.compile(pattern)


def _model_allows(shape: StringShape, text: str) -> bool:
    least, most = shape.metadata.get("min", 0), shape.metadata["max"]
    return least <= len(text) <= most and _pattern(shape).fullmatch(text) is not None


def _input(operation: str, member: str) -> Shape:
    return service_model.operation(operation).input_shape.members[member]


_RULES: dict[str, tuple[rules.Rule, Shape]] = {
    "backup-id": (rules.BACKUP_ID, _input("CopyBackup", "SourceBackupId")),
    "backup-id-of-delete": (rules.BACKUP_ID, _input("DeleteBackup", "BackupId")),
    "backup-id-of-describe": (rules.BACKUP_ID, _input("DescribeBackups", "BackupIds").member),
    "filter-value": (rules.FILTER_VALUE, service_model.shape("FilterValue")),
    "kms-key-id": (rules.KMS_KEY_ID, _input("CopyBackup", "KmsKeyId")),
    "next-token": (rules.NEXT_TOKEN, _input("DescribeBackups", "NextToken")),
    "region": (rules.REGION, _input("CopyBackup", "SourceRegion")),
    "tag-key": (rules.TAG_KEY, service_model.shape("TagKey")),
    "tag-value": (rules.TAG_VALUE, service_model.shape("TagValue")),
    "token": (rules.TOKEN, _input("CopyBackup", "ClientRequestToken")),
    "token-of-delete": (rules.TOKEN, _input("DeleteBackup", "ClientRequestToken")),
}

_by_rule = pytest.mark.parametrize("rule_name", sorted(_RULES))


def _matching(shape: StringShape) -> st.SearchStrategy[str]:
    """Make texts of the form that the model has, of whatever length."""
    if r"\p{L}" in shape.metadata["pattern"]:
        # Hypothesis takes seconds for a class of so many ranges, but knows categories.
        return st.text(st.characters(categories=("L", "Z", "N"), include_characters="_.:/=+-@"))
    return st.from_regex(_pattern(shape), fullmatch=True, alphabet=st.characters(codec="utf-8"))


@st.composite
def _candidates(draw: st.DrawFn, shape: StringShape) -> str:
    """Make texts that keep the model's rule, nearly keep it, or do not at all."""
    if draw(st.booleans()):
        return draw(st.text(max_size=20))
    text = draw(_matching(shape))
    stray = draw(st.sampled_from(["", "", "\n", " ", "A", "a", "=", "^", "`", "\\", "é"]))
    at = draw(st.integers(0, len(text)))
    longer: int = draw(st.sampled_from([1, 1, 1, shape.metadata["max"]]))
    return (text[:at] + stray + text[at:]) * longer


@_by_rule
@MODERATE
@given(data=st.data())
def test_rule_is_the_models(rule_name: str, data: st.DataObject) -> None:
    """A text is allowed here exactly where the service's model allows it."""
    rule, shape = _RULES[rule_name]
    text = data.draw(_candidates(shape))
    assert _model_allows(shape, text) == rule.allows(text)


@_by_rule
def test_characters_and_lengths_are_the_models(rule_name: str) -> None:
    """A character or a length is allowed here exactly where the service's model allows it."""
    rule, shape = _RULES[rule_name]
    template = f"{_BACKUP_ID}{{}}" if rule is rules.BACKUP_ID else "aaa{}"
    points = (*range(0x3000), *range(0x3000, sys.maxunicode + 1, 61))
    start = "backup-" if rule is rules.BACKUP_ID else ""
    edges = {0, 1, 4, 12, 63, 64, shape.metadata.get("min", 0), shape.metadata["max"]}
    lengths = {edge + step for edge in edges for step in range(-5, 6) if edge + step >= 0}

    texts = [template.format(chr(point)) for point in points]
    texts += [start + "a" * (length - len(start)) for length in sorted(lengths)]
    assert [] == [text for text in texts if _model_allows(shape, text) != rule.allows(text)]


@pytest.mark.parametrize("stray", "[\\]^`")
def test_token_lacks_the_models_stray_characters(stray: str) -> None:
    """The five characters that only a typo, still in the model, lets into tokens are refused."""
    pattern = _input("CopyBackup", "ClientRequestToken").metadata["pattern"]
    assert "[A-za-z0-9_.-]{0,63}$" == pattern
    assert not rules.TOKEN.allows(f"a{stray}a")


@pytest.mark.parametrize(
    ("ours", "shape"),
    [
        ("MAX_BACKUP_IDS", _input("DescribeBackups", "BackupIds")),
        ("MAX_FILTERS", _input("DescribeBackups", "Filters")),
        ("MAX_FILTER_VALUES", service_model.shape("FilterValues")),
        ("MAX_RESULTS", _input("DescribeBackups", "MaxResults")),
        ("MAX_TAGS", _input("CopyBackup", "Tags")),
    ],
)
def test_limits_are_the_models(ours: str, shape: Shape) -> None:
    """The limits of lists and numbers are the service model's."""
    assert shape.metadata["max"] == getattr(rules, ours)


def _regions() -> list[tuple[str, str]]:
    """Return every Region that botocore knows, with its partition."""
    document = json.loads((files("botocore") / "data" / "partitions.json").read_text("utf-8"))
    return [
        (region, partition["id"])
        for partition in document["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")  # names for services that have no Regions
    ]


@pytest.mark.parametrize(("region", "partition"), _regions())
def test_partition_of(region: str, partition: str) -> None:
    """Every Region that botocore knows lies in the partition that botocore has it in."""
    assert partition == partition_of(region)


@pytest.mark.parametrize(
    ("source", "destination"),
    [("us-east-2", "us-west-2"), ("cn-north-1", "cn-northwest-1"), ("us-gov-east-1",) * 2],
)
def test_source_region_in_same_partition(source: str, destination: str) -> None:
    """A copy between Regions of one partition, or within one Region, is let through."""
    assert source == _copy(region=destination, source_region=source)["SourceRegion"]


def test_source_region_in_other_partition() -> None:
    """A copy out of another partition is refused, with both partitions named."""
    expected = (
        "source_region: must be in the partition of us-west-2, which is aws, "
        "not cn-north-1, which is in aws-cn"
    )
    assert (expected,) == _faults(_copy, source_region="cn-north-1")


@pytest.mark.parametrize(
    ("operation", "make", "expected"),
    [
        (
            "CopyBackup",
            partial(_copy, source_region=_REGION, kms_key_id="k", copy_tags=True, tags={"a": "b"}),
            {
                "SourceBackupId": _BACKUP_ID,
                "SourceRegion": _REGION,
                "KmsKeyId": "k",
                "CopyTags": True,
                "Tags": [{"Key": "a", "Value": "b"}],
                "ClientRequestToken": "token",
            },
        ),
        (
            "DescribeBackups",
            partial(
                _describe,
                backup_ids=(_BACKUP_ID,),
                filters=iter([BackupFilter(FilterName.FILE_SYSTEM_ID, ["fs-1", "fs-2"])]),
                max_results=5,
                next_token="AAAA",
            ),
            {
                "BackupIds": [_BACKUP_ID],
                "Filters": [{"Name": "file-system-id", "Values": ("fs-1", "fs-2")}],
                "MaxResults": 5,
                "NextToken": "AAAA",
            },
        ),
        ("DeleteBackup", _delete, {"BackupId": _BACKUP_ID, "ClientRequestToken": "token"}),
    ],
    ids=service_model.OPERATIONS,
)
def test_every_argument_has_its_member(
    operation: str, make: Callable[[], object], expected: dict[str, object]
) -> None:
    """Every argument has its member in the request, and the model has no other members."""
    assert expected == make()
    assert set(service_model.operation(operation).input_shape.members) == set(expected)


def test_least_requests() -> None:
    """What is not given is not in the request: a listing of everything is an empty one."""
    assert {"SourceBackupId": _BACKUP_ID, "ClientRequestToken": "token"} == _copy()
    assert {} == _describe()


@pytest.mark.parametrize("make", [_copy, _delete], ids=["copy", "delete"])
def test_random_tokens(make: Callable[..., Mapping[str, str]]) -> None:
    """Without a token each request gets a random UUID of its own, which the rule allows."""
    one, other = (make(client_request_token=None)["ClientRequestToken"] for _ in range(2))
    assert 4 == UUID(one).version
    assert rules.TOKEN.allows(one)
    assert one != other


def test_tags_in_both_forms() -> None:
    """Tags as a mapping and as objects make the same request, in the order given."""
    expected = [{"Key": "b", "Value": ""}, {"Key": "a", "Value": "1"}]
    assert expected == _copy(tags={"b": "", "a": "1"})["Tags"]
    assert expected == _copy(tags=(Tag(key="b", value=""), Tag(key="a", value="1")))["Tags"]


@pytest.mark.parametrize("tags", [None, {}, ()], ids=repr)
def test_no_tags(tags: object) -> None:
    """No tags at all leave no member in the request, which must not be empty."""
    assert "Tags" not in _copy(tags=tags)


def test_all_faults_of_a_copy_at_once() -> None:
    """One error names every argument of a copy that breaks a rule, and the rule."""
    expected = (
        "source_backup_id: must be \"backup-\" followed by 8 to 121 hexadecimal digits, not 'ab'",
        "source_region: must be 1 to 20 of a-z, 0-9 and `-`, not 'US EAST'",
        "kms_key_id: must be 1 to 2048 characters on one line, not ''",
        "copy_tags: must be True or False, not 'yes'",
        "tags: key 'a!': must be 1 to 128 letters, digits, spaces and `_.:/=+-@`, not 'a!'",
        "tags: value of 'b': must be at most 256 letters, digits, spaces and `_.:/=+-@`, not None",
        "client_request_token: must be 1 to 63 of A-Z, a-z, 0-9, `_`, `.` and `-`, not 'a^b'",
    )

    assert expected == _faults(
        _copy,
        source_backup_id="ab",
        source_region="US EAST",
        kms_key_id="",
        copy_tags="yes",
        tags={"a!": "1", "b": None},
        client_request_token="a^b",
    )


def test_all_faults_of_a_listing_at_once() -> None:
    """One error names every argument of a listing that breaks a rule, and the rule."""
    many = [BackupFilter("volume-id", ["a"] * 21)] + [BackupFilter("volume-id", "a b")] * 10
    value_rule = r"1 to 128 of A-Z, a-z, 0-9 and `*.\/?-_`"
    expected = (
        "backup_ids[1]: must be \"backup-\" followed by 8 to 121 hexadecimal digits, not 'x'",
        "backup_ids: must be 1 to 50 ids, or None for all, not 51 ids",
        "filters[0].values: must be 1 to 20 values, not 21 values",
        *(f"filters[{index}].values: must be {value_rule}, not 'a b'" for index in range(1, 11)),
        "filters: must be at most 10, not 11",
        "max_results: must be an integer from 1 to 2147483647, not 0",
        "next_token: must be 1 to 255 characters of Base64, as the page before gave it, not 'x'",
    )

    assert expected == _faults(
        _describe,
        backup_ids=[_BACKUP_ID, "x", *[_BACKUP_ID] * 49],
        filters=many,
        max_results=0,
        next_token="x",
    )


def test_all_faults_of_a_deletion_at_once() -> None:
    """One error names both arguments of a deletion, and its text is all faults in one line."""
    expected = (
        "backup_id: must be \"backup-\" followed by 8 to 121 hexadecimal digits, not ''",
        "client_request_token: must be 1 to 63 of A-Z, a-z, 0-9, `_`, `.` and `-`, not ''",
    )

    with pytest.raises(InvalidArguments) as caught:
        _delete(backup_id="", client_request_token="")

    assert expected == caught.value.errors
    assert "; ".join(expected) == str(caught.value)


def test_found_value_is_cut_short() -> None:
    """A message shows no more than the beginning of a long value."""
    (fault,) = _faults(check_backup_id, backup_id="x" * 10**6)
    assert 200 > len(fault)


def test_duplicate_keys() -> None:
    """A tag key that is given twice is named once, however its values differ."""
    tags = [Tag(key="Name", value=value) for value in "12"]
    assert ("tags: key 'Name': must be unique, not given 2 times",) == _faults(_copy, tags=tags)


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "aWs:x", "aws:"])
def test_reserved_prefix(key: str) -> None:
    """A tag key with AWS's own prefix is refused, however it is written."""
    expected = (f"tags: key {key!r}: must be without AWS's own prefix, not one with `aws:`",)
    assert expected == _faults(_copy, tags={key: "x"})


@pytest.mark.parametrize("key", ["aws", "awsome:x", "x:aws:", " aws:x"])
def test_prefix_that_is_not_reserved(key: str) -> None:
    """A tag key that only resembles AWS's own is let through."""
    assert [{"Key": key, "Value": "x"}] == _copy(tags={key: "x"})["Tags"]


def test_number_of_tags() -> None:
    """Fifty tags are let through, fifty-one are refused."""
    tags = {f"key{index}": "" for index in range(50)}
    assert 50 == len(_copy(tags=tags)["Tags"])
    assert ("tags: must be at most 50, not 51",) == _faults(_copy, tags=tags | {"key": ""})


@pytest.mark.parametrize("count", [0, 51])
def test_number_of_ids(count: int) -> None:
    """No ids, which would mean all backups, and more than fifty are refused; fifty are not."""
    expected = (f"backup_ids: must be 1 to 50 ids, or None for all, not {count} ids",)
    assert expected == _faults(_describe, backup_ids=[_BACKUP_ID] * count)
    assert 50 == len(_describe(backup_ids=[_BACKUP_ID] * 50)["BackupIds"])


def test_filter_without_values() -> None:
    """A filter that lets nothing pass is refused."""
    expected = ("filters[0].values: must be 1 to 20 values, not 0 values",)
    assert expected == _faults(_describe, filters=[BackupFilter("volume-id", ())])


def test_check_backup_id() -> None:
    """An id that keeps the rule is let through."""
    check_backup_id(_BACKUP_ID)


_WRONG: dict[tuple[Callable[..., object], str], tuple[object, ...]] = {
    (_copy, "source_backup_id"): (None, 5, b"backup-01234567", ["backup-01234567"]),
    (_copy, "source_region"): (5, b"us-east-2"),
    (_copy, "kms_key_id"): (5, b"key"),
    (_copy, "copy_tags"): (None, 0, 1, "true"),
    (_copy, "tags"): ("Name", b"Name", 5, ["Name"], [("a", "b")], [{"Key": "a"}]),
    (_copy, "client_request_token"): (5, b"token"),
    (_describe, "backup_ids"): (_BACKUP_ID, b"x", 5, [5], [None]),
    (_describe, "filters"): (None, "x", 5, BackupFilter("volume-id", "a"), [{"Name": 1}]),
    (_describe, "max_results"): (True, 5.0, "5", []),
    (_describe, "next_token"): (5, b"AAAA"),
    (_delete, "backup_id"): (None, 5),
    (_delete, "client_request_token"): (5, b"token"),
}
"""For each argument of each request: values of other types than meant."""


@pytest.mark.parametrize(
    ("function", "argument", "value"),
    [
        pytest.param(function, argument, value, id=f"{argument}-{type(value).__name__}")
        for (function, argument), values in {
            **_WRONG,
            (check_backup_id, "backup_id"): (None, 5, 10**5000),
        }.items()
        for value in values
    ],
)
def test_wrong_types(function: Callable[..., object], argument: str, value: object) -> None:
    """An argument of another type than meant is one fault, which names the argument."""
    (fault,) = _faults(function, **{argument: value})
    assert f"{argument}: must be " == fault[: len(argument) + 10]


@pytest.mark.parametrize(
    "tags",
    [{5: "a"}, {None: "a"}, {10**5000: "a"}, {("a",): "a"}, [Tag(key=[], value="a")]],  # type: ignore[arg-type]  # on purpose
    ids=["integer", "none", "huge-integer", "tuple", "unhashable"],
)
def test_tag_keys_of_wrong_types(tags: object) -> None:
    """A tag key that is no text is a fault."""
    (fault,) = _faults(_copy, tags=tags)
    assert fault.startswith("tags: key ")


@pytest.mark.parametrize(("function", "argument"), _WRONG)
@MODERATE
@given(value=junk() | st.lists(junk(), max_size=2) | st.dictionaries(st.text(), junk()))
def test_junk(function: Callable[..., Mapping[str, object]], argument: str, value: object) -> None:
    """Whatever an argument is, it ends in a request or in InvalidArguments."""
    with suppress(InvalidArguments):
        assert isinstance(function(**{argument: value}), dict)


def _valid(name: str) -> st.SearchStrategy[str]:
    rule, shape = _RULES[name]
    return _matching(shape).filter(rule.allows)


def _optional(name: str) -> st.SearchStrategy[str | None]:
    return st.none() | _valid(name)


_tags = st.dictionaries(
    _valid("tag-key").filter(lambda key: not key.lower().startswith("aws:")),
    _valid("tag-value"),
    max_size=3,
)

_filters = st.lists(
    st.builds(
        BackupFilter,
        st.sampled_from(FilterName),
        st.lists(_valid("filter-value"), min_size=1, max_size=3),
    ),
    max_size=3,
)

_REQUESTS: dict[str, tuple[Callable[..., dict[str, Any]], st.SearchStrategy[dict[str, Any]]]] = {
    "CopyBackup": (
        _copy,
        st.fixed_dictionaries(
            {
                "source_backup_id": _valid("backup-id"),
                "source_region": st.sampled_from([None, "us-east-2", _REGION]),
                "kms_key_id": _optional("kms-key-id"),
                "copy_tags": st.booleans(),
                "tags": _tags,
                "client_request_token": _optional("token"),
            }
        ),
    ),
    "DescribeBackups": (
        _describe,
        st.fixed_dictionaries(
            {
                "backup_ids": st.none() | st.lists(_valid("backup-id"), min_size=1, max_size=3),
                "filters": _filters,
                "max_results": st.none() | st.integers(1, 2**31 - 1),
                "next_token": _optional("next-token"),
            }
        ),
    ),
    "DeleteBackup": (
        _delete,
        st.fixed_dictionaries(
            {"backup_id": _valid("backup-id"), "client_request_token": _optional("token")}
        ),
    ),
}


@pytest.mark.parametrize("operation", service_model.OPERATIONS)
@MODERATE
@given(data=st.data())
def test_requests_pass_botocores_validation(operation: str, data: st.DataObject) -> None:
    """Arguments that keep our rules stay as they are, and make a request that botocore accepts."""
    function, arguments = _REQUESTS[operation]
    drawn = data.draw(arguments)
    before = copy.deepcopy(drawn)
    shape = service_model.operation(operation).input_shape
    report = ParamValidator().validate(function(**drawn), shape)

    assert "" == report.generate_report()
    assert before == drawn


def test_request_is_independent_of_the_arguments() -> None:
    """A request does not change with the list that it was made of."""
    ids = [_BACKUP_ID]
    request = _describe(backup_ids=ids)
    ids.clear()
    assert [_BACKUP_ID] == request["BackupIds"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0.0),
        (5, 5.0),
        (1.5, 1.5),
        (sys.float_info.max, sys.float_info.max),
        (timedelta(), 0.0),
        (timedelta(minutes=2, milliseconds=500), 120.5),
        (timedelta.max, timedelta.max.total_seconds()),
    ],
    ids=repr,
)
def test_seconds(value: float | timedelta, expected: float) -> None:
    """Seconds and timedeltas become a float of seconds."""
    result = seconds("max_wait", value)
    assert (expected, float) == (result, type(result))


@pytest.mark.parametrize(
    "value",
    [-1, -0.001, math.nan, math.inf, -math.inf, True, None, "5", timedelta(microseconds=-1), []],
    ids=repr,
)
def test_no_duration(value: Any) -> None:
    """What is no duration is one fault with the argument's name and the value."""
    expected = (
        f"max_wait: must be seconds or a timedelta, finite and not negative, not {value!r}",
    )
    assert expected == _faults(seconds, name="max_wait", value=value)


@pytest.mark.parametrize("digits", [400, 5000])
def test_endless_duration(digits: int) -> None:
    """An integer beyond all floats is no duration."""
    (fault,) = _faults(seconds, name="max_wait", value=10**digits)
    assert "max_wait: must be seconds or a timedelta" == fault[:40]


@MODERATE
@given(value=junk())
def test_junk_durations(value: Any) -> None:
    """Whatever a duration is, it ends in seconds or in InvalidArguments."""
    with suppress(InvalidArguments):
        assert 0 <= seconds("max_wait", value) < math.inf

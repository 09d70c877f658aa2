"""Requests and their tokens: what is the same copy, and what is another."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from datetime import UTC, datetime
from random import Random
from typing import Any

import attrs
import pytest
from bulk_rig import direct_client
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODERATE

from fsxcopy_sdk import Backup, BackupLifecycle, BackupType, InvalidArguments, Tag
from fsxcopy_sdk.bulk import SALT_TAG, BulkCopy, CopyRequest, copy_many
from fsxcopy_sdk.testing import LocalFsx, ManualClock

SOURCE = "backup-03e3c82e0183b7b6b"
EAST, WEST = "us-east-2", "us-west-2"
TOKEN = "fsxcopy-wgydiNt7UJQ-TAGa4d6xbrGxnrMTLzX51qwY0gj-ffY"
"""Of the request of `test_tokens_never_change`; other tokens would copy everything again."""
ANOTHER = "is also the token of requests[0], but their other arguments differ"

_KEYS = st.text("abcXYZ 019_.:/=+-@é", min_size=1, max_size=12).filter(
    lambda key: not key.lower().startswith("aws:")
)
_TAGS = st.dictionaries(_KEYS, st.text("abc é", max_size=8), max_size=5)
_REQUESTS = st.builds(
    CopyRequest,
    source_backup_id=st.from_regex(r"backup-[0-9a-f]{8,20}", fullmatch=True),
    source_region=st.sampled_from([None, EAST, WEST, "eu-central-1"]),
    kms_key_id=st.none() | st.text("abc/:-", min_size=1),
    copy_tags=st.booleans(),
    tags=_TAGS,
    volume_id=st.sampled_from([None, "fsvol-0123456789abcdef0"]),
    idempotency_salt=st.text("ab é_=", max_size=5),
)

_FEW = st.builds(
    CopyRequest,
    source_backup_id=st.sampled_from([SOURCE, "backup-0aaaaaaaaaaaaaaaa"]),
    source_region=st.sampled_from([None, EAST]),
    copy_tags=st.booleans(),
    tags=st.permutations(
        [Tag(key="a", value="b"), Tag(key="c", value=""), Tag(key="cb", value="")]
    ),
    volume_id=st.sampled_from([None, "fsvol-0123456789abcdef0"]),
    idempotency_salt=st.sampled_from(["", "a"]),
)
"""So few that two of them are often the same."""


def _asked(request: CopyRequest, region: str) -> tuple[object, ...]:
    """Return all that makes a copy another copy."""
    return (
        request.source_backup_id,
        request.source_region or region,
        request.kms_key_id,
        request.copy_tags,
        sorted((tag.key, tag.value) for tag in request.tags),
        request.idempotency_salt,
        region,
    )


@MODERATE
@given(_FEW | _REQUESTS, _FEW | _REQUESTS, st.sampled_from([EAST, WEST]))
def test_a_token_stands_for_what_is_asked(one: CopyRequest, two: CopyRequest, region: str) -> None:
    """Requests have the same token if and only if they ask for the same."""
    assert (_asked(one, EAST) == _asked(two, region)) == (one.token(EAST) == two.token(region))


@MODERATE
@given(_REQUESTS, st.integers(0, 100))
def test_a_token_is_legal(request: CopyRequest, attempt: int) -> None:
    """A token is what the service takes: 1 to 63 of its characters."""
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", request.token(WEST, attempt))


@MODERATE
@given(_REQUESTS, st.randoms(use_true_random=False))
def test_the_order_of_tags_does_not_matter(request: CopyRequest, random: Random) -> None:
    """Tags in another order are the same request, and are sent in the same order."""
    tags = list(request.tags)
    random.shuffle(tags)
    shuffled = attrs.evolve(request, tags=tags)
    assert request.token(WEST) == shuffled.token(WEST)
    assert request.arguments(WEST) == shuffled.arguments(WEST)


_OTHER: dict[str, Any] = {
    "source_backup_id": "backup-0aaaaaaaaaaaaaaaa",
    "source_region": "eu-west-1",
    "kms_key_id": "other",
    "copy_tags": True,
    "tags": {"Name": "other"},
    "idempotency_salt": "other",
    "client_request_token": "other",
}


@pytest.mark.parametrize("name", _OTHER)
def test_every_part_counts(name: str) -> None:
    """A request that differs in one part has another token."""
    request = CopyRequest(source_backup_id=SOURCE, tags={"Name": "one"})
    assert request.token(WEST) != attrs.evolve(request, **{name: _OTHER[name]}).token(WEST)


def test_destination_and_attempt_count() -> None:
    """Another Region and another attempt are other copies."""
    request = CopyRequest(source_backup_id=SOURCE, source_region=EAST)
    tokens = {request.token(WEST), request.token(EAST), request.token(WEST, 1)}
    assert 3 == len(tokens)


def test_the_volume_does_not_count() -> None:
    """The volume says only which copies are limited together."""
    request = CopyRequest(source_backup_id=SOURCE)
    assert request.token(WEST) == attrs.evolve(request, volume_id="fsvol-1").token(WEST)


def test_the_destination_may_be_named_as_the_source() -> None:
    """A copy within a Region is the same whether the Region is given or not, and is sent alike."""
    unnamed = CopyRequest(source_backup_id=SOURCE)
    named = CopyRequest(source_backup_id=SOURCE, source_region=WEST)
    assert unnamed.token(WEST) == named.token(WEST)
    assert unnamed.arguments(WEST) == named.arguments(WEST)
    assert named.arguments(EAST)["source_region"] == WEST


def test_tokens_never_change() -> None:
    """A token does not depend on the process, and not on the version of this package."""
    request = CopyRequest(
        source_backup_id=SOURCE,
        source_region=EAST,
        kms_key_id="alias/dr",
        copy_tags=True,
        tags={"b": "2", "a": "1"},
        idempotency_salt="é",
    )
    program = f"import pickle, sys; print(pickle.load(sys.stdin.buffer).token({WEST!r}, 2))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(request),
        capture_output=True,
        check=True,
    )

    assert TOKEN == done.stdout.decode().strip()
    assert TOKEN == request.token(WEST, 2)


def test_a_given_token_stays() -> None:
    """Who gives a token gets it, whatever the attempt."""
    request = CopyRequest(source_backup_id=SOURCE, client_request_token="mine")
    assert {"mine"} == {request.token(WEST), request.token(EAST, 7)}


@pytest.mark.parametrize(
    "tags",
    [
        {"a": "1", "b": "2"},
        [Tag(key="a", value="1"), Tag(key="b", value="2")],
        (Tag(key=key, value=value) for key, value in (("a", "1"), ("b", "2"))),
    ],
    ids=["mapping", "list", "iterator"],
)
def test_tags_in_any_form(tags: object) -> None:
    """Tags are kept as a tuple, so that requests can be hashed."""
    request = CopyRequest(source_backup_id=SOURCE, tags=tags)  # type: ignore[arg-type]  # any form
    assert (Tag(key="a", value="1"), Tag(key="b", value="2")) == request.tags
    assert {request} == {pickle.loads(pickle.dumps(request))}


def test_a_bad_request_cannot_be_made() -> None:
    """All errors are raised at once, when the request is made."""
    with pytest.raises(InvalidArguments) as caught:
        CopyRequest(
            source_backup_id="fs-1",
            source_region="US WEST",
            kms_key_id="",
            copy_tags="yes",  # type: ignore[arg-type]  # that is the point
            tags={"": "x"},
            volume_id=5,  # type: ignore[arg-type]  # that is the point
            idempotency_salt=None,  # type: ignore[arg-type]  # that is the point
            client_request_token="no spaces",
        )

    names = [fault.partition(":")[0] for fault in caught.value.errors]
    assert (
        "source_backup_id source_region kms_key_id copy_tags tags client_request_token "
        "idempotency_salt volume_id"
    ) == " ".join(names)


@pytest.mark.parametrize("tags", [5, "Name", b"Name", [("a", "b")]])
def test_tags_that_are_none(tags: object) -> None:
    """What is no collection of tags is refused as such."""
    with pytest.raises(InvalidArguments, match="tags: must be a mapping of strings or Tag"):
        CopyRequest(source_backup_id=SOURCE, tags=tags)  # type: ignore[arg-type]  # the point


def _bulk(requests: Any) -> BulkCopy:
    """Make ready to carry out *requests* in us-west-2, without a socket."""
    clock = ManualClock()
    client, _ = direct_client(LocalFsx(clock=clock), clock)
    return copy_many(client, requests)


async def test_good_requests_pass_in_their_order() -> None:
    """Requests may come from any iterable, and may repeat each other."""
    one = CopyRequest(source_backup_id=SOURCE)
    two = attrs.evolve(one, idempotency_salt="2")

    assert (one, two, one) == _bulk(iter([one, two, one])).not_started


@pytest.mark.parametrize("requests", [None, "text", b"", 5, CopyRequest(source_backup_id=SOURCE)])
def test_requests_are_a_collection(requests: object) -> None:
    """What is no collection is refused as such, a single request too."""
    with pytest.raises(InvalidArguments, match="requests: must be a collection of CopyRequest"):
        _bulk(requests)


def test_all_errors_of_all_requests_are_raised() -> None:
    """Each error names its request by its position."""
    good = CopyRequest(source_backup_id=SOURCE, client_request_token="mine")
    requests = [
        good,
        SOURCE,
        CopyRequest(source_backup_id=SOURCE, source_region="cn-north-1"),
        attrs.evolve(good, kms_key_id="other"),
        good,
    ]
    with pytest.raises(InvalidArguments) as caught:
        _bulk(requests)

    partition = "must be in the partition of us-west-2, which is aws"
    assert (
        f"requests[1]: must be a CopyRequest, not {SOURCE!r}",
        f"requests[2].source_region: {partition}, not cn-north-1, which is in aws-cn",
        f"requests[3].client_request_token: 'mine' {ANOTHER}",
    ) == caught.value.errors


def test_the_salt_is_kept_in_a_tag() -> None:
    """A forced copy is sent with its salt as a tag, in the order of the tags."""
    request = CopyRequest(source_backup_id=SOURCE, tags={"z": "1"}, idempotency_salt="again")
    assert ((SALT_TAG, f"again@{SOURCE}"), ("z", "1")) == tuple(
        (tag.key, tag.value) for tag in request.arguments(WEST)["tags"]
    )
    assert (Tag(key="z", value="1"),) == request.tags


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"tags": {SALT_TAG: "x"}}, "tags: key 'fsxcopy:salt': must be free, not the one that"),
        ({"idempotency_salt": "a;b"}, "idempotency_salt: must be at most 100 letters"),
        (
            {"tags": {str(n): "" for n in range(50)}, "idempotency_salt": "x"},
            "tags: must be at most 50, not 51",
        ),
    ],
    ids=["the key is ours", "no value of a tag", "one tag too many"],
)
def test_a_salt_keeps_the_rules_of_tags(members: dict[str, Any], fault: str) -> None:
    """The salt becomes a tag, so it has a tag's rules and counts as one."""
    with pytest.raises(InvalidArguments, match=fault):
        CopyRequest(source_backup_id=SOURCE, **members)


def _copy(**members: Any) -> Backup:
    return Backup(
        backup_id="backup-0cccccccccccccccc",
        lifecycle=BackupLifecycle.AVAILABLE,
        type=BackupType.USER_INITIATED,
        creation_time=datetime(2026, 1, 1, tzinfo=UTC),
        **{"source_backup_id": SOURCE, "source_backup_region": EAST, **members},
    )


_SALTED = (Tag(key=SALT_TAG, value=f"again@{SOURCE}"),)
_INHERITED = (Tag(key=SALT_TAG, value="again@backup-0aaaaaaaaaaaaaaaa"),)


@pytest.mark.parametrize(
    ("salt", "copy", "expected"),
    [
        ("", _copy(), True),
        ("", _copy(kms_key_id="other", tags=(Tag(key="other", value="x"),)), True),
        ("", _copy(source_backup_region=None), True),
        ("", _copy(tags=_SALTED), True),
        ("", _copy(source_backup_region="eu-west-1"), False),
        ("", _copy(source_backup_id="backup-0aaaaaaaaaaaaaaaa"), False),
        ("", _copy(source_backup_id=None, source_backup_region=None), False),
        ("again", _copy(), False),
        ("again", _copy(tags=_SALTED), True),
        ("again", _copy(tags=_INHERITED), False),
        ("again", _copy(tags=(Tag(key=SALT_TAG),)), False),
        ("", _copy(tags=_INHERITED), True),
        ("other", _copy(tags=_SALTED), False),
    ],
)
def test_which_copies_satisfy_a_request(salt: str, copy: Backup, expected: bool) -> None:
    """A copy of the same source does, whatever its key and tags; with a salt only its own."""
    request = CopyRequest(source_backup_id=SOURCE, source_region=EAST, idempotency_salt=salt)
    assert expected is request.matches(copy, WEST)


def test_an_in_region_copy_satisfies_an_in_region_request() -> None:
    """Without a source Region the source lives in the destination."""
    request = CopyRequest(source_backup_id=SOURCE)
    assert [True, False] == [
        request.matches(_copy(source_backup_region=region), WEST) for region in (WEST, EAST)
    ]

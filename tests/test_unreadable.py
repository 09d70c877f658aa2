"""One backup that cannot be read hides no others: listings, page by page."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import anyio
import attrs
import orjson
import pytest
import service_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_peer import client_of, ok, raw_peer
from strategies import as_sent, documents, json_values

from fsxcopy_sdk import (
    Backup,
    BackupNotFound,
    FsxCopyClient,
    InvalidArguments,
    PaginationError,
    RawResponse,
    ResponseDecodingError,
    Throttled,
    UnreadableBackup,
    WaitSchedule,
    from_dict,
)
from fsxcopy_sdk.models import ResponseMetadata
from fsxcopy_sdk.testing import LocalFsx

WEST = "us-west-2"
SOURCE = "backup-0123456789abcdef0"
FS = "fs-0123456789abcdef0"
VOLUME = "fsvol-0123456789abcdef0"


def backup(number: int, **members: object) -> dict[str, Any]:
    """Return a backup as the service sends it."""
    return {
        "BackupId": f"backup-{number:017x}",
        "Lifecycle": "AVAILABLE",
        "Type": "USER_INITIATED",
        "CreationTime": 1767225600.0 + number,
        "Tags": [{"Key": "Name", "Value": None}],
        "FileSystem": {"FileSystemId": FS},
        **members,
    }


@attrs.define
class Pages:
    """A transport whose listing has these pages, each a list of items."""

    pages: Sequence[Sequence[object]]
    others: Mapping[str, object] = {}
    """More members of every page."""
    fails: Exception | None = None
    """What the last page raises."""
    asked: int = 0
    region: str = WEST

    async def describe_backups(self, request: Mapping[str, object]) -> RawResponse:
        await anyio.lowlevel.checkpoint()
        self.asked += 1
        number = int(str(request.get("NextToken", "0")))
        is_last = number + 1 == len(self.pages)
        if is_last and self.fails:
            raise self.fails
        following = {} if is_last else {"NextToken": str(number + 1)}
        document = {"Backups": self.pages[number], **following, **self.others}
        return RawResponse(
            operation="DescribeBackups",
            payload=orjson.dumps(document),
            metadata=ResponseMetadata(request_id="request-1"),
        )

    async def copy_backup(self, request: Mapping[str, object]) -> RawResponse:
        raise NotImplementedError

    async def delete_backup(self, request: Mapping[str, object]) -> RawResponse:
        raise NotImplementedError


async def read(transport: Pages, **options: Any) -> tuple[list[Backup], list[UnreadableBackup]]:
    """Return what a listing yields, and what it could not read."""
    unreadable: list[UnreadableBackup] = []
    client = FsxCopyClient(transport=transport)
    found = client.iter_backups(on_unreadable=unreadable.append, **options)
    return [one async for one in found], unreadable


Places = list[tuple[Any, Any]]


def _places(whole: object) -> Places:
    """Return every member of a document, as its object or list and its name or index."""
    found: Places = []
    members: list[tuple[Any, object]] = []
    if isinstance(whole, dict):
        members = list(whole.items())
    elif isinstance(whole, list):
        members = list(enumerate(whole))
    for name, part in members:
        found += [(whole, name), *_places(part)]
    return found


@st.composite
def items(draw: st.DrawFn) -> object:
    """Make backups with every kind of member, of which one or more are spoiled, or none."""
    document = as_sent(draw(documents(service_model.shape("Backup"))))
    holder = [json.loads(orjson.dumps(document))]
    for _ in range(draw(st.integers(0, 2))):
        places = _places(holder)
        if not places:
            break
        whole, name = draw(st.sampled_from(places))
        match draw(st.sampled_from(["missing", "null", "other"])):
            case "missing" if whole is not holder:
                del whole[name]
            case "null":
                whole[name] = None
            case _:
                whole[name] = draw(json_values())
    return holder[0]


def _is_readable(item: object) -> bool:
    try:
        from_dict(Backup, item)  # type: ignore[arg-type]  # whatever it is
    except ResponseDecodingError:
        return False
    return True


def _id(item: object, name: str = "BackupId") -> object:
    value = item.get(name) if isinstance(item, dict) else None
    return value if isinstance(value, str) else None


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(st.lists(items(), max_size=4), min_size=1, max_size=3), st.booleans())
def test_what_can_be_read_is_yielded(pages: list[list[object]], has_twins: bool) -> None:
    """Whatever is odd in whatever backup, all others come, in order, and it is named."""
    if has_twins:
        pages = [[*page, *copy.deepcopy(page)] for page in pages]
    every = [item for page in pages for item in page]
    readable = [item for item in every if _is_readable(item)]
    odd = [item for item in every if not _is_readable(item)]

    found, unreadable = anyio.run(read, Pages(pages))

    assert [from_dict(Backup, item) for item in readable] == found  # type: ignore[arg-type]
    assert [_id(item) for item in odd] == [one.backup_id for one in unreadable]
    sources = [one.source_backup_id for one in unreadable]
    assert [_id(item, "SourceBackupId") for item in odd] == sources
    places = [
        f"$.Backups[{index}]"
        for page in pages
        for index, item in enumerate(page)
        if not _is_readable(item)
    ]
    for place, one in zip(places, unreadable, strict=True):
        assert one.error_paths
        assert all(path.startswith((f"{place}.", f"{place}:")) for path in one.error_paths)

    async def strictly() -> None:
        client = FsxCopyClient(transport=Pages(pages))
        assert len(every) == len([one async for one in client.iter_backups(strict=True)])

    if odd:
        with pytest.raises(ResponseDecodingError):
            anyio.run(strictly)
    else:
        anyio.run(strictly)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, (None, False, FS)),
        ({"SourceBackupId": SOURCE}, (SOURCE, True, FS)),
        ({"SourceBackupId": 7}, (None, None, FS)),
        ({"FileSystem": {"FileSystemId": FS, "StorageCapacity": "much"}}, (None, False, FS)),
        ({"FileSystem": {"FileSystemId": 7}}, (None, False, None)),
        ({"FileSystem": [FS]}, (None, False, None)),
        ({"FileSystem": None}, (None, False, None)),
        ({"Volume": {"VolumeId": VOLUME}}, (None, False, VOLUME)),
        ({"Volume": {"VolumeId": [VOLUME]}}, (None, False, None)),
        ({"Volume": VOLUME}, (None, False, None)),
        ({"ResourceType": "VOLUME"}, (None, False, None)),
        ({"ResourceType": ["FILE_SYSTEM"]}, (None, False, None)),
        ({"ResourceType": "FILE_SYSTEM"}, (None, False, FS)),
    ],
)
async def test_what_is_known_of_it(
    members: Mapping[str, object], expected: tuple[object, ...]
) -> None:
    """What it is a copy of, and what it is of, is known only where nothing speaks against it."""
    odd = backup(1, CreationTime=None, **members)
    _, (one,) = await read(Pages([[odd]]))
    assert expected == (one.source_backup_id, one.is_copy, one.resource_id)
    assert odd["BackupId"] == one.backup_id


@pytest.mark.parametrize("item", [None, 5, "backup", [], [backup(1)]])
async def test_an_item_that_is_no_backup(item: object) -> None:
    """Nothing is known of it, not even whether it is a copy."""
    found, (one,) = await read(Pages([[backup(1), item, backup(2)]]))
    assert ["backup-00000000000000001", "backup-00000000000000002"] == [
        one.backup_id for one in found
    ]
    assert UnreadableBackup(error_paths=one.error_paths) == one
    assert str(one).startswith("without an ID: $.Backups[1]: must be an object, not ")


async def test_one_that_is_nested_too_deeply() -> None:
    """It is unreadable by itself, exactly where the whole page would be refused for it."""
    deep: object = 1
    for _ in range(29):
        deep = {"More": deep}
    found, unreadable = await read(Pages([[backup(1, More={"More": deep}), backup(2, More=deep)]]))
    assert ["backup-00000000000000001"] == [one.backup_id for one in unreadable]
    assert unreadable[0].error_paths[0].endswith("nested too deeply")
    assert ["backup-00000000000000002"] == [one.backup_id for one in found]
    client = FsxCopyClient(transport=Pages([[backup(2, More=deep)]]))
    assert [found[0]] == [one async for one in client.iter_backups(strict=True)]


@pytest.mark.parametrize(
    "others",
    [{"NextToken": 5}, {"Backups": None}, {"Backups": {"0": backup(1)}}, {"Backups": "none"}],
)
async def test_a_page_that_is_odd_itself(others: Mapping[str, object]) -> None:
    """Where the listing would go on is no matter of one backup: it fails."""
    with pytest.raises(ResponseDecodingError):
        await read(Pages([[backup(1), backup(2, Lifecycle=None)]], others))


@pytest.mark.parametrize("document", [[backup(1)], {}, None, "backups"])
async def test_what_is_no_page(document: object) -> None:
    """An answer without a list of backups fails, and is not an empty page."""
    answer = ok(document)  # type: ignore[arg-type]  # on purpose
    async with raw_peer(answer) as peer, client_of(peer.url) as client:
        with pytest.raises(ResponseDecodingError):
            assert [] == [one async for one in client.iter_backups()]


async def test_a_page_that_is_odd_everywhere() -> None:
    """More unreadable backups than any page has are no matter of single ones."""
    _, unreadable = await read(Pages([[{}] * 1000]))
    assert 1000 == len(unreadable)
    with pytest.raises(ResponseDecodingError, match="and more"):
        await read(Pages([[{}] * 100_000]))


async def test_pages_of_odd_backups_are_not_empty() -> None:
    """A listing may have a hundred pages of them, and ends where one comes again and again."""
    numbered = Pages([[backup(number, Type=None)] for number in range(150)])
    assert 150 == len((await read(numbered))[1])
    nameless = Pages([[{"BackupId": None, "Number": 1}]] * 150)
    with pytest.raises(PaginationError, match="the same backups have come 10 times again"):
        await read(nameless)
    shuffled = [backup(1, Type=None), backup(2, Type=None)]
    with pytest.raises(PaginationError, match="the same backups have come 10 times again"):
        await read(Pages([shuffled, shuffled[::-1]] * 75))


async def test_all_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One warning for the whole listing names the first ten, and counts all."""
    caplog.set_level(logging.WARNING, "fsxcopy_sdk")
    pages = [[backup(number, Type=None), backup(100 + number)] for number in range(12)]
    await read(Pages(pages))
    (record,) = caplog.records
    text = record.getMessage()
    assert text.startswith(
        "12 backups of us-west-2 cannot be read: backup-00000000000000000: "
        "$.Backups[0].Type: required, but missing; backup-00000000000000001: "
    )
    assert text.endswith("required, but missing; and more")
    assert 10 == text.count("$.Backups[0].Type")
    assert ("fsxcopy_sdk.client", "WARNING") == (record.name, record.levelname)


@pytest.mark.parametrize("ends", ["early", "with an error", "at its end"])
async def test_a_listing_is_logged_however_it_ends(
    caplog: pytest.LogCaptureFixture, ends: str
) -> None:
    """What was unreadable so far is logged also where a listing is left, or fails."""
    transport = Pages([[backup(1, Type=None), backup(2)], [backup(3)]])
    client = FsxCopyClient(transport=transport)
    if ends == "with an error":
        transport.fails = Throttled("slow down")
        with pytest.raises(Throttled):
            await read(transport)
    elif ends == "early":
        async with aclosing(client.iter_backups()) as backups:
            await anext(backups)
    else:
        assert 2 == len([one async for one in client.iter_backups()])
    (record,) = caplog.records
    assert record.getMessage().startswith("1 backup of us-west-2 cannot be read: backup-0000")


async def test_nothing_is_logged_where_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    """A listing without odd backups is silent, and so is a strict one that fails."""
    await read(Pages([[backup(1)]]))
    with pytest.raises(ResponseDecodingError):
        await read(Pages([[{}]]), strict=True)
    assert [] == caplog.records


async def _add_ids(found: list[str], backups: AsyncIterator[Backup]) -> None:
    async for one in backups:
        found.append(one.backup_id)  # noqa: PERF401 - what comes before an error is kept


async def test_an_observer_may_end_the_listing() -> None:
    """What it raises is raised by the iteration, before any backup of that page."""
    found: list[str] = []

    def refuse(one: UnreadableBackup) -> None:
        raise LookupError(one.backup_id)

    client = FsxCopyClient(transport=Pages([[backup(1)], [backup(2), backup(3, Type=7)], []]))
    with pytest.raises(LookupError, match="backup-00000000000000003"):
        await _add_ids(found, client.iter_backups(on_unreadable=refuse))
    assert ["backup-00000000000000001"] == found


async def test_arguments_are_checked_together() -> None:
    """A wrong argument is refused before anything is sent, with all others."""

    async def observer(_: UnreadableBackup) -> None:
        """Would never be awaited."""

    transport = Pages([[]])
    client = FsxCopyClient(transport=transport)
    wrong: Any = observer
    texts = [
        "strict: must be True or False, not 1",
        f"on_unreadable: must be a function that is not async, or None, not {wrong!r:.80}",
        "max_results: must be an integer from 1 to 2147483647, not 0",
    ]
    one: Any = 1
    with pytest.raises(InvalidArguments) as caught:
        client.iter_backups(strict=one, on_unreadable=wrong, max_results=0)
    assert texts == list(caught.value.errors)
    with pytest.raises(InvalidArguments) as caught:
        await client.describe_backups(strict=one, max_results=0)
    assert [texts[0], texts[2]] == list(caught.value.errors)
    assert 0 == transport.asked


async def test_one_page() -> None:
    """A page fails for one odd backup, unless it is to tell them apart."""
    client = FsxCopyClient(transport=Pages([[backup(1), backup(2, Type=None)], []]))
    with pytest.raises(ResponseDecodingError, match=r"\$.Backups\[1\].Type"):
        await client.describe_backups()
    page = await client.describe_backups(strict=False)
    assert ["backup-00000000000000001"] == [one.backup_id for one in page.backups]
    assert ["backup-00000000000000002"] == [one.backup_id for one in page.unreadable]
    assert ("1", "request-1") == (page.next_token, page.metadata.request_id)


async def test_an_odd_backup_that_was_not_asked_for_is_refused() -> None:
    """With IDs in the request, the readable ID of an odd backup must be among them too."""
    wanted, other = backup(1), backup(2, Type=None)
    client = FsxCopyClient(transport=Pages([[wanted, other]]))
    with pytest.raises(ResponseDecodingError, match="was not asked for"):
        await client.describe_backups(backup_ids=[wanted["BackupId"]], strict=False)
    page = await client.describe_backups(
        backup_ids=[wanted["BackupId"], other["BackupId"]], strict=False
    )
    assert 1 == len(page.unreadable)


@pytest.mark.parametrize(
    "spoil",
    [
        {"CreationTime": "yesterday"},
        {"SizeInBytes": "1024"},
        {"Tags": [{"Value": "no key"}]},
        {"FileSystem": {"LustreConfiguration": {"DeploymentType": 1}}},
    ],
)
async def test_over_http(
    fsx: LocalFsx,
    client: FsxCopyClient,
    spoil: Mapping[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Against the local FSx too, in pages of two, through botocore."""
    ids = [fsx.add_backup(WEST) for _ in range(4)]
    odd = fsx.add_backup(WEST, **spoil)
    unreadable: list[UnreadableBackup] = []
    found = client.iter_backups(max_results=2, on_unreadable=unreadable.append)
    assert set(ids) == {one.backup_id async for one in found}
    assert [odd] == [one.backup_id for one in unreadable]
    assert 1 == sum(f"cannot be read: {odd}" in one.getMessage() for one in caplog.records)


@pytest.mark.parametrize("empty", [1, 3, 99])
async def test_an_empty_page_is_no_absence(empty: int) -> None:
    """`describe_backup` follows a page without backups and a NextToken to the next one."""
    wanted = backup(1)
    transport = Pages([[]] * empty + [[wanted], [backup(2)]])
    found = await FsxCopyClient(transport=transport).describe_backup(wanted["BackupId"])
    assert wanted["BackupId"] == found.backup_id
    assert empty + 1 == transport.asked


async def test_pages_without_end_are_no_absence() -> None:
    """Empty pages that do not end are an error of their own, not BackupNotFound."""
    client = FsxCopyClient(transport=Pages([[]] * 101))
    with pytest.raises(PaginationError):
        await client.describe_backup(SOURCE)


async def test_waits_read_a_listing_that_has_one(fsx: LocalFsx, client: FsxCopyClient) -> None:
    """Waits for many unknown IDs share a listing that shows an odd backup, too."""
    good = [fsx.add_backup(WEST) for _ in range(20)]
    fsx.add_backup(WEST, CreationTime="yesterday")
    unknown = [f"backup-{number:017x}" for number in range(20)]
    schedule = WaitSchedule(min_delay=10, max_delay=10, not_found_grace=0)
    ends = await asyncio.gather(
        *(client.wait_until_backup_available(one, schedule=schedule) for one in good + unknown),
        return_exceptions=True,
    )
    assert [Backup] * 20 + [BackupNotFound] * 20 == [type(end) for end in ends]
    requests = [one.body for one in fsx.requests if one.operation == "DescribeBackups"]
    assert {} in requests
    assert 20 > sum(len(one.get("BackupIds", [])) == 1 for one in requests)

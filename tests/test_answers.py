"""Answers are held against the question, and say what time it is."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import cast

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiobotocore.stub import AioStubber
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_peer import COPY, DATE, SOURCE, Document, backup, client_of, http, ok, raw_peer

from fsxcopy_sdk import (
    BackupLifecycle,
    BackupNotFound,
    FsxCopyClient,
    FsxCopyError,
    ResponseDecodingError,
)
from fsxcopy_sdk._transport._aiobotocore import _date
from fsxcopy_sdk.testing import Fault, LocalFsx

OTHER = "backup-0badc0de"
REQUEST_ID = "x-amzn-RequestId: request-1"


@pytest.mark.parametrize(
    ("source_region", "wrong"),
    [
        (None, {"SourceBackupId": OTHER}),
        (None, {"SourceBackupRegion": "us-east-2"}),
        ("us-east-2", {"SourceBackupRegion": "us-west-2"}),
        ("us-east-2", {"SourceBackupId": OTHER, "SourceBackupRegion": "eu-west-1"}),
    ],
    ids=["source", "in the Region", "from another Region", "both"],
)
async def test_a_copy_of_something_else_is_refused(
    source_region: str | None, wrong: Document
) -> None:
    """An answer about another copy is not believed, and everything that it says is kept."""
    answer = {"Backup": backup(COPY, **wrong)}
    right = {"SourceBackupId": SOURCE, "SourceBackupRegion": source_region or "us-west-2"}

    async with raw_peer(ok(answer, REQUEST_ID)) as peer, client_of(peer.url) as client:
        with pytest.raises(ResponseDecodingError, match="belongs to another request") as caught:
            await client.copy_backup(
                SOURCE, source_region=source_region, client_request_token="my-token"
            )

    error = caught.value
    faults = [f"$.Backup.{name}: must be {right[name]}, not {wrong[name]}" for name in wrong]
    assert faults == list(error.error_paths)
    assert ("CopyBackup", "my-token") == (error.operation, error.client_request_token)
    assert ("request-1", 200, 1) == (error.request_id, error.http_status, error.attempts)
    assert isinstance(error.payload, bytes)
    assert answer == json.loads(error.payload)
    assert error.is_malformed
    assert error.is_transient


@pytest.mark.parametrize(
    ("source_region", "members"),
    [
        (None, {}),
        (None, {"SourceBackupId": SOURCE, "SourceBackupRegion": "us-west-2"}),
        ("us-east-2", {"SourceBackupId": SOURCE, "SourceBackupRegion": "us-east-2"}),
        ("us-east-2", {"SourceBackupId": None}),
    ],
    ids=["nothing named", "in the Region", "from another Region", "null"],
)
async def test_a_copy_of_the_source_is_believed(
    source_region: str | None, members: Document
) -> None:
    """What fits is believed, and so is an answer that does not say of what the copy is."""
    answer = ok({"Backup": backup(COPY, **members)})
    async with raw_peer(answer) as peer, client_of(peer.url) as client:
        response = await client.copy_backup(SOURCE, source_region=source_region)
    assert COPY == response.backup.backup_id


@pytest.mark.parametrize(
    "wrong",
    [{"BackupId": OTHER}, {"Lifecycle": "AVAILABLE"}, {"BackupId": OTHER, "Lifecycle": "COPYING"}],
    ids=["id", "lifecycle", "both"],
)
async def test_a_deletion_of_something_else_is_refused(wrong: Document) -> None:
    """Only an answer that says of this backup that it is gone is one to DeleteBackup."""
    right = {"BackupId": SOURCE, "Lifecycle": "DELETED"}

    async with raw_peer(ok(right | wrong)) as peer, client_of(peer.url) as client:
        with pytest.raises(ResponseDecodingError) as caught:
            await client.delete_backup(SOURCE, client_request_token="my-token")

    faults = [f"$.{name}: must be {right[name]}, not {wrong[name]}" for name in wrong]
    assert faults == list(caught.value.error_paths)
    assert caught.value.is_malformed
    assert "my-token" == caught.value.client_request_token


@pytest.mark.parametrize(
    ("odd", "copy"),
    [
        ({"SizeInBytes": "many"}, OTHER),
        ({"SizeInBytes": "many", "SourceBackupId": None}, OTHER),
        ({"BackupId": 7}, None),
        ({"SizeInBytes": "many", "SourceBackupId": OTHER}, None),
    ],
    ids=["odd", "without source", "without id", "of another backup"],
)
async def test_an_accepted_copy_is_named_though_it_cannot_be_read(
    odd: Document, copy: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The error has the ID of the copy, and the log says that it was accepted."""
    caplog.set_level("INFO", "fsxcopy_sdk.client")
    answer = ok({"Backup": {**backup(OTHER), "SourceBackupId": SOURCE, **odd}})

    async with raw_peer(answer) as peer, client_of(peer.url) as client:
        with pytest.raises(ResponseDecodingError) as caught:
            await client.copy_backup(SOURCE, source_region="us-east-2")

    assert copy == caught.value.accepted_backup_id
    assert copy == caught.value.to_dict().get("AcceptedBackupId")
    logged = f"{OTHER}: the copy of {SOURCE} into us-west-2 was accepted"
    assert [logged] * (copy is not None) == caplog.messages


@pytest.mark.parametrize("answer", [{"Backup": []}, []], ids=["a list", "no object"])
async def test_an_answer_without_a_copy_names_none(answer: object) -> None:
    """What is no answer to CopyBackup has no ID to offer."""
    async with raw_peer(ok(cast("Document", answer))) as peer, client_of(peer.url) as client:
        with pytest.raises(ResponseDecodingError) as caught:
            await client.copy_backup(SOURCE, source_region="us-east-2")
    assert caught.value.accepted_backup_id is None


@pytest.mark.parametrize("lifecycle", ["DELETED", "DELETING"])
async def test_a_deletion_is_believed(lifecycle: str) -> None:
    """A lifecycle that this version does not know may be the service's new word for it."""
    answer = ok({"BackupId": SOURCE, "Lifecycle": lifecycle})
    async with raw_peer(answer) as peer, client_of(peer.url) as client:
        response = await client.delete_backup(SOURCE)
    assert lifecycle == response.lifecycle


async def test_a_backup_that_was_not_asked_for_is_refused() -> None:
    """With ids in the request, all backups of the answer are among them."""
    page = ok({"Backups": [backup(SOURCE), backup(OTHER)]}, REQUEST_ID)

    async with raw_peer(page) as peer, client_of(peer.url) as client:
        with pytest.raises(ResponseDecodingError) as caught:
            await client.describe_backup(SOURCE)

    assert (f"$.Backups: has {OTHER}, which was not asked for",) == caught.value.error_paths
    assert "request-1" == caught.value.request_id
    assert caught.value.is_malformed


async def test_backups_may_be_left_out() -> None:
    """A backup that is unknown to the service may be missing in the answer."""
    async with raw_peer(ok({"Backups": []})) as peer, client_of(peer.url) as client:
        with pytest.raises(BackupNotFound):
            await client.describe_backup(SOURCE)


async def test_any_backup_answers_a_listing() -> None:
    """Without ids in the request there is nothing to hold an answer against."""
    async with raw_peer(ok({"Backups": [backup(OTHER)]})) as peer, client_of(peer.url) as client:
        assert [OTHER] == [one.backup_id async for one in client.iter_backups()]


async def test_waits_survive_an_answer_to_something_else() -> None:
    """Fifty waits that share a call poll again when its answer belongs to another one."""
    ids = [f"backup-{number:017x}" for number in range(50)]
    page = ok({"Backups": [backup(one, Lifecycle="FAILED") for one in [*ids[:49], OTHER]]})
    async with raw_peer(page) as peer, client_of(peer.url) as client:
        backups = await asyncio.gather(*map(client.wait_until_backup_available, ids))
    assert {BackupLifecycle.AVAILABLE} == {one.lifecycle for one in backups}
    assert [50, 50] == [len(request.body["BackupIds"]) for request in peer.requests]


async def test_what_botocore_parsed_is_held_against_the_question_too(session: AioSession) -> None:
    """The payload is botocore's dict, where that is all there is."""
    parsed = {"BackupId": OTHER, "Lifecycle": "DELETED"}
    async with session.create_client("fsx", region_name="us-west-2") as raw:
        with AioStubber(raw) as stubber:
            stubber.add_response("delete_backup", parsed)
            with pytest.raises(ResponseDecodingError) as caught:
                await FsxCopyClient.from_client(raw).delete_backup(SOURCE)

    assert isinstance(caught.value.payload, dict)
    assert OTHER == caught.value.payload["BackupId"]


_MOMENT = datetime(2026, 4, 9, 7, 53, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 09 Apr 2026 07:53:28 GMT",
        "Thursday, 09-Apr-26 07:53:28 GMT",
        "Thu Apr  9 07:53:28 2026",
        "Thu, 09 Apr 2026 07:53:28 -0000",
        "Thu, 09 Apr 2026 09:53:28 +0200",
    ],
)
def test_dates_are_read(text: str) -> None:
    """Every form of HTTP's dates is read, in UTC."""
    date = _date(text)
    assert date is not None
    assert (_MOMENT, UTC) == (date, date.tzinfo)


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 31 Apr 2026 07:53:28 GMT",
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "Thu, 09 Apr 99999999 07:53:28 GMT",
        "soon",
        "",
        " ",
    ],
)
def test_no_dates(text: str) -> None:
    """What is no date is None."""
    assert _date(text) is None


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\w{3}, \d+ \w+ \d+ \d+:\d+:\d+ [-+]?\w+"))
def test_no_date_raises(text: str) -> None:
    """Whatever the header has, the answer is read."""
    date = _date(text)
    assert date is None or date.tzinfo is UTC


@settings(deadline=None)
@given(
    st.datetimes(
        datetime(1970, 1, 2),  # noqa: DTZ001 - the time zone comes from the next line
        datetime(2999, 1, 1),  # noqa: DTZ001 - the same
        timezones=st.integers(-1439, 1439).map(lambda n: timezone(timedelta(minutes=n))),
    )
)
def test_a_written_date_is_read_back(date: datetime) -> None:
    """To the second, a date comes back as it was."""
    assert date.replace(microsecond=0) == _date(format_datetime(date))


async def test_the_client_knows_the_services_time(client: FsxCopyClient, fsx: LocalFsx) -> None:
    """Every operation's success says what time it is."""
    assert None is client.service_time
    page = await client.describe_backups()
    assert page.metadata.date is not None
    assert page.metadata.date == client.service_time
    assert abs(datetime.now(UTC) - page.metadata.date) < timedelta(minutes=1)


async def test_the_time_is_that_of_the_last_success() -> None:
    """Failures, answers to other requests and answers without a date do not change it."""
    answers = [
        ok({"Backup": backup(COPY)}, f"Date: {DATE}"),
        ok({"BackupId": SOURCE, "Lifecycle": "DELETED"}, "Date: Thu, 09 Apr 2026 07:53:29 GMT"),
        ok({"Backups": []}, "Date: Thu, 09 Apr 2026 07:53:30 GMT"),
        ok({"Backups": []}),
        ok({"Backups": []}, "Date: soon"),
        http(400, b"{}", "Date: Thu, 09 Apr 2030 07:53:28 GMT"),
        ok({"Backup": backup(COPY, SourceBackupId=OTHER)}, "Date: Thu, 09 Apr 2030 07:53:28 GMT"),
    ]
    seen: list[datetime | None] = []
    async with raw_peer(*answers) as peer, client_of(peer.url) as client:
        seen.append((await client.copy_backup(SOURCE)).metadata.date)
        seen.append(client.service_time)
        await client.delete_backup(SOURCE)
        seen.append(client.service_time)
        for _ in range(3):
            await client.describe_backups()
            seen.append(client.service_time)
        for _ in range(2):
            with pytest.raises(FsxCopyError):
                await client.copy_backup(SOURCE)
            seen.append(client.service_time)

    assert seen == [_MOMENT + timedelta(seconds=n) for n in (0, 0, 1, 2, 2, 2, 2, 2)]
    assert seen[-1] == client.service_time


async def test_waits_learn_the_time_too() -> None:
    """The client knows the time from the answers to a wait's calls too."""
    answer = ok({"Backups": [backup(SOURCE)]}, f"Date: {DATE}")
    async with raw_peer(answer) as peer, client_of(peer.url) as client:
        await client.wait_until_backup_available(SOURCE)
    assert client.service_time == _MOMENT


async def test_the_date_is_known_where_answers_are_not_seen(
    fsx: LocalFsx, session: AioSession, config: AioConfig
) -> None:
    """botocore's own account of an answer has its headers too."""
    async with session.create_client(
        "fsx", region_name="us-west-2", endpoint_url=fsx.endpoint_url, config=config
    ) as raw:
        wrapped = FsxCopyClient.from_client(raw)
        raw.meta.events.unregister("before-parse.fsx", unique_id="fsxcopy-sdk-before-parse")
        page = await wrapped.describe_backups()
        fsx.inject(Fault.throttling())
        with pytest.raises(FsxCopyError):
            await wrapped.describe_backups()

    assert page.metadata.date is not None
    assert page.metadata.date == wrapped.service_time

"""
The protocol, by hand: what is no proper request, and what is recorded.
"""

import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

TARGET = "AWSSimbaAPIService_v20180301."
SCOPE = "AKIDEXAMPLE/20260101/us-west-2/fsx/aws4_request"


def authorization(
    credential=SCOPE, signed="host;x-amz-date", signature="0" * 64, algorithm="AWS4-HMAC-SHA256"
) -> str:
    """
    Return a well-formed signature header, but for what is changed.
    """
    return f"{algorithm} Credential={credential}, SignedHeaders={signed}, Signature={signature}"


@pytest.fixture(name="send")
async def _send(fsx) -> AsyncIterator[Callable]:
    """
    Return a function that sends a request and returns status, headers, body.
    """
    async with aiohttp.ClientSession(
        fsx.endpoint_url, skip_auto_headers={"Content-Type"}
    ) as session:

        async def send(
            body=b"{}",
            *,
            method="POST",
            path="/",
            target=TARGET + "DescribeBackups",
            **changes: str | None,
        ) -> tuple:
            headers = {
                "X-Amz-Target": target,
                "X-Amz-Date": "20260101T000000Z",
                "Authorization": authorization(),
                **changes,
            }
            headers = {name: value for name, value in headers.items() if value is not None}
            async with session.request(method, path, headers=headers, data=body) as response:
                return response.status, response.headers, await response.read()

        yield send


def outcome(answer) -> tuple[int, str]:
    """
    Return the status and the code of an error.
    """
    status, _, body = answer
    return status, json.loads(body)["__type"]


async def test_proper_request(send) -> None:
    """
    A request in the form of the protocol is answered in that form.
    """
    status, headers, body = await send()

    assert 200 == status
    assert "application/x-amz-json-1.1" == headers["Content-Type"]
    assert 36 == len(headers["x-amzn-RequestId"])
    assert {"Backups": []} == json.loads(body)


async def test_errors_have_request_ids(send) -> None:
    """
    Errors carry a request id of their own each, and the content type.
    """
    answers = [await send(b"?"), await send(b"?")]

    assert {"application/x-amz-json-1.1"} == {headers["Content-Type"] for _, headers, _ in answers}
    assert 2 == len({headers["x-amzn-RequestId"] for _, headers, _ in answers})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "GET", "body": None}, (404, "UnknownOperationException")),
        ({"method": "PUT"}, (404, "UnknownOperationException")),
        ({"path": "/backups"}, (404, "UnknownOperationException")),
        ({"target": None}, (400, "UnknownOperationException")),
        ({"target": "DescribeBackups"}, (400, "UnknownOperationException")),
        ({"target": TARGET + "DescribeFileSystems"}, (400, "UnknownOperationException")),
        ({"target": "DynamoDB_20120810.ListTables"}, (400, "UnknownOperationException")),
        ({"Authorization": None}, (403, "MissingAuthenticationTokenException")),
        ({"X-Amz-Date": None}, (400, "IncompleteSignatureException")),
    ],
)
async def test_improper_requests(send, changes, expected) -> None:
    """
    What is no signed POST of a known target gets the front's own errors.
    """
    assert expected == outcome(await send(**changes))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer 123", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=" + SCOPE, "IncompleteSignatureException"),
        (authorization(algorithm="AWS4-ECDSA-P256-SHA256"), "IncompleteSignatureException"),
        (authorization("AKIDEXAMPLE"), "IncompleteSignatureException"),
        (
            authorization("AKIDEXAMPLE/2026/us-west-2/fsx/aws4_request"),
            "IncompleteSignatureException",
        ),
        (
            authorization("AKIDEXAMPLE/20260101/us-west-2/fsx/aws"),
            "IncompleteSignatureException",
        ),
        (authorization(signed="x-amz-date"), "IncompleteSignatureException"),
        (authorization(signature="zz"), "IncompleteSignatureException"),
        (
            authorization("AKIDEXAMPLE/20260101/us-west-2/s3/aws4_request"),
            "InvalidSignatureException",
        ),
        (
            authorization("AKIDEXAMPLE/20260101/nowhere/fsx/aws4_request"),
            "InvalidSignatureException",
        ),
    ],
)
async def test_malformed_signatures(send, header, code) -> None:
    """
    A signature of the wrong form or scope is refused as AWS does.
    """
    assert (400, code) == outcome(await send(Authorization=header))


async def test_date_header_will_do(send) -> None:
    """
    A signer may send Date in the place of X-Amz-Date.
    """
    changes = {"X-Amz-Date": None, "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}

    assert 200 == (await send(**changes))[0]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"\xff", b'{"a": NaN}'])
async def test_malformed_bodies(send, body) -> None:
    """
    What is no JSON object is a SerializationException.
    """
    assert (400, "SerializationException") == outcome(await send(body))


async def test_oversized_body(send) -> None:
    """
    A body of more than a mebibyte is refused, and the connection lives on.
    """
    with io.BytesIO(b" " * (1024 * 1024 + 1)) as body:
        oversized = await send(body)

    assert (413, "RequestEntityTooLargeException") == outcome(oversized)
    assert 200 == (await send())[0]


async def test_improper_requests_do_not_count(fsx, send) -> None:
    """
    What reaches no operation is neither counted nor recorded.
    """
    await send(b"?")
    await send(Authorization=None)

    assert ({}, []) == (fsx.calls, fsx.requests)


async def test_unknown_members_are_ignored(send) -> None:
    """
    Members that an operation does not know do not matter.
    """
    assert 200 == (await send(b'{"Colour": "blue"}'))[0]


async def test_null_is_absent(send) -> None:
    """
    A member that is null counts as left out.
    """
    assert 200 == (await send(b'{"BackupIds": null, "MaxResults": null}'))[0]


async def test_records_requests(clock, fsx, send) -> None:
    """
    A call is recorded with all that it said, but for what is secret.
    """
    clock.advance(7)
    await send(b'{"MaxResults": 3, "Colour": "blue"}', **{"X-Amz-Security-Token": "secret"})
    recorded = fsx.requests[0]

    assert "DescribeBackups" == recorded.operation
    assert ("us-west-2", fsx.account_of("AKIDEXAMPLE")) == (recorded.region, recorded.account)
    assert {"MaxResults": 3, "Colour": "blue"} == dict(recorded.body)
    assert 7.0 == recorded.at
    assert TARGET + "DescribeBackups" == recorded.headers["x-amz-target"]
    assert not {"authorization", "x-amz-security-token"} & set(recorded.headers)


async def test_no_token_no_memory(fsx, send, source) -> None:
    """
    Requests without a token are each a copy of its own.
    """
    body = json.dumps({"SourceBackupId": source, "SourceRegion": "us-east-2"}).encode()
    for _ in range(2):
        await send(body, target=TARGET + "CopyBackup")

    assert 2 == len(fsx.backups("us-west-2"))


async def test_date(clock, fsx, send) -> None:
    """
    Date is the time of this FSx, in answers and errors: it fits CreationTime.
    """
    backup_id = fsx.add_backup("us-west-2")
    created_at = fsx.backup("us-west-2", backup_id)["CreationTime"]
    _, at_first, _ = await send()
    clock.advance(3600)
    _, later, _ = await send(b"?")

    dates = [parsedate_to_datetime(headers["Date"]).timestamp() for headers in (at_first, later)]
    assert [int(created_at), int(created_at + 3600)] == dates


async def test_date_of_an_fsx_that_began_at_another_time() -> None:
    """
    Date is in the form that HTTP has for it (RFC 9110, 5.6.7).
    """
    begin = datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    async with (
        LocalFsx(clock=ManualClock(), started_at=begin) as fsx,
        aiohttp.ClientSession() as session,
        session.get(fsx.endpoint_url) as response,
    ):
        assert "Wed, 31 Dec 1969 23:59:59 GMT" == response.headers["Date"]


async def test_date_of_a_fault(fsx, send) -> None:
    """
    The headers of a fault win, however they are spelled.
    """
    fsx.inject(Fault.raw(200, {"date": "yesterday", "X-Amzn-RequestID": "mine"}, b"{}"))
    _, headers, _ = await send()

    assert ["yesterday"] == headers.getall("Date")
    assert ["mine"] == headers.getall("x-amzn-RequestId")

"""The protocol over bare HTTP: malformed requests, requests of web pages, recorded requests."""

import asyncio
import io
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock
from fsxcopy_sdk.testing._protocol import KEPT_REQUESTS, MAX_KEPT_BODY

SCOPE = "AKIDEXAMPLE/20260101/us-west-2/fsx/aws4_request"


def authorization(
    credential=SCOPE, signed="host;x-amz-date", signature="0" * 64, algorithm="AWS4-HMAC-SHA256"
) -> str:
    """Return a well-formed signature header, except for what is changed."""
    return f"{algorithm} Credential={credential}, SignedHeaders={signed}, Signature={signature}"


def outcome(answer) -> tuple[int, str]:
    """Return the status and the code of an error."""
    status, _, body = answer
    return status, json.loads(body)["__type"]


async def test_proper_request(send) -> None:
    """A request in the form of the protocol is answered in that form."""
    status, headers, body = await send()
    assert 200 == status
    assert "application/x-amz-json-1.1" == headers["Content-Type"]
    assert 36 == len(headers["x-amzn-RequestId"])
    assert {"Backups": []} == json.loads(body)


async def test_errors_have_request_ids(send) -> None:
    """Errors carry a request id of their own each, and the content type."""
    answers = [await send(b"?"), await send(b"?")]
    assert {"application/x-amz-json-1.1"} == {headers["Content-Type"] for _, headers, _ in answers}
    assert 2 == len({headers["x-amzn-RequestId"] for _, headers, _ in answers})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "GET", "body": None}, (404, "UnknownOperationException")),
        ({"method": "PUT"}, (404, "UnknownOperationException")),
        ({"path": "/backups"}, (404, "UnknownOperationException")),
        ({"X-Amz-Target": None}, (400, "UnknownOperationException")),
        ({"X-Amz-Target": "DescribeBackups"}, (400, "UnknownOperationException")),
        ({"operation": "CreateFileSystem"}, (400, "UnknownOperationException")),
        ({"X-Amz-Target": "DynamoDB_20120810.ListTables"}, (400, "UnknownOperationException")),
        ({"Authorization": None}, (403, "MissingAuthenticationTokenException")),
        ({"X-Amz-Date": None}, (400, "IncompleteSignatureException")),
    ],
)
async def test_improper_requests(send, changes, expected) -> None:
    """A request that is not a signed POST of a known target gets the errors of the protocol."""
    assert expected == outcome(await send(**changes))


INCOMPLETE, INVALID = "IncompleteSignatureException", "InvalidSignatureException"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer 123", INCOMPLETE),
        ("AWS4-HMAC-SHA256", INCOMPLETE),
        ("AWS4-HMAC-SHA256 Credential=" + SCOPE, INCOMPLETE),
        (authorization(algorithm="AWS4-ECDSA-P256-SHA256"), INCOMPLETE),
        (authorization("AKIDEXAMPLE"), INCOMPLETE),
        (authorization("AKIDEXAMPLE/2026/us-west-2/fsx/aws4_request"), INCOMPLETE),
        (authorization("AKIDEXAMPLE/20260101/us-west-2/fsx/aws"), INCOMPLETE),
        (authorization(signed="x-amz-date"), INCOMPLETE),
        (authorization(signature="zz"), INCOMPLETE),
        (authorization("AKIDEXAMPLE/20260101/us-west-2/s3/aws4_request"), INVALID),
        (authorization("AKIDEXAMPLE/20260101/nowhere/fsx/aws4_request"), INVALID),
        (authorization("AKIDEXAMPLE/20260101/us-west-9/fsx/aws4_request"), INVALID),
    ],
)
async def test_malformed_signatures(send, header, code) -> None:
    """A signature of the wrong form or scope is refused as AWS does."""
    assert (400, code) == outcome(await send(Authorization=header))


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Amz-Date": None, "Date": "Thu, 01 Jan 2026 00:00:00 GMT"},
        {"body": b'{"Colour": "blue"}'},
        {"body": b'{"BackupIds": null, "MaxResults": null}'},
    ],
    ids=["Date instead of X-Amz-Date", "unknown members", "null for what is absent"],
)
async def test_other_proper_requests(send, changes) -> None:
    """A signer may send Date, a body unknown members and nulls."""
    assert 200 == (await send(**changes))[0]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"\xff", b'{"a": NaN}'])
async def test_malformed_bodies(send, body) -> None:
    """A body that is not a JSON object is a SerializationException."""
    assert (400, "SerializationException") == outcome(await send(body))


async def test_oversized_body(send) -> None:
    """A body of more than a mebibyte is refused, and the connection stays usable."""
    with io.BytesIO(b" " * (1024 * 1024 + 1)) as body:
        oversized = await send(body)
    assert (413, "RequestEntityTooLargeException") == outcome(oversized)
    assert 200 == (await send())[0]


async def test_improper_requests_do_not_count(fsx, send) -> None:
    """A request that reaches no operation is neither counted nor recorded."""
    await send(b"?")
    await send(Authorization=None)
    assert ({}, []) == (fsx.calls, fsx.requests)


async def test_records_requests(clock, fsx, send) -> None:
    """A call is recorded with its body and headers, except for secrets."""
    clock.advance(7)
    await send(b'{"MaxResults": 3, "Colour": "blue"}', **{"X-Amz-Security-Token": "secret"})
    recorded = fsx.requests[0]

    assert "DescribeBackups" == recorded.operation
    assert ("us-west-2", fsx.account_of("AKIDEXAMPLE")) == (recorded.region, recorded.account)
    assert {"MaxResults": 3, "Colour": "blue"} == dict(recorded.body)
    assert 7.0 == recorded.at
    assert "AWSSimbaAPIService_v20180301.DescribeBackups" == recorded.headers["x-amz-target"]
    assert not {"authorization", "x-amz-security-token"} & set(recorded.headers)


async def test_requests_without_a_token_are_not_merged(fsx, send, source) -> None:
    """Each request without a token makes a copy."""
    body = json.dumps({"SourceBackupId": source, "SourceRegion": "us-east-2"}).encode()
    for _ in range(2):
        await send(body, operation="CopyBackup")
    assert 2 == len(fsx.backups("us-west-2"))


async def test_date(clock, fsx, send) -> None:
    """Date is the time of this FSx in answers and errors, as in CreationTime."""
    backup_id = fsx.add_backup("us-west-2")
    created_at = fsx.backup("us-west-2", backup_id)["CreationTime"]
    _, at_first, _ = await send()
    clock.advance(3600)
    _, later, _ = await send(b"?")
    dates = [parsedate_to_datetime(headers["Date"]).timestamp() for headers in (at_first, later)]
    assert [int(created_at), int(created_at + 3600)] == dates


async def test_date_of_an_fsx_that_began_at_another_time() -> None:
    """Date is in the form that HTTP has for it (RFC 9110, 5.6.7)."""
    begin = datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    async with (
        LocalFsx(clock=ManualClock(), started_at=begin) as fsx,
        aiohttp.ClientSession() as session,
        session.get(fsx.endpoint_url) as response,
    ):
        assert "Wed, 31 Dec 1969 23:59:59 GMT" == response.headers["Date"]


async def test_date_of_a_fault(fsx, send) -> None:
    """The headers of a fault win, in upper or lower case."""
    fsx.inject(Fault.raw(200, {"date": "yesterday", "X-Amzn-RequestID": "mine"}, b"{}"))
    _, headers, _ = await send()
    assert ["yesterday"] == headers.getall("Date")
    assert ["mine"] == headers.getall("x-amzn-RequestId")


async def answer_of(reader) -> tuple[int, dict]:
    """Return the status and the document of an answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    return int(head.split()[1]), json.loads(await reader.readexactly(length))


LOOPBACK = ["127.0.0.1", "127.0.0.1:80", "localhost", "LocalHost:40217", "[::1]", "[::1]:8080"]
ELSEWHERE = [
    "fsx.us-west-2.amazonaws.com",
    "rebound.example:40217",
    "127.0.0.1.example",
    "localhost.example",
    "127.0.0.1:80:80",
    "127.0.0.1:port",
    "user@127.0.0.1",
    "::1",
    "0.0.0.0",
    "",
]


@pytest.mark.parametrize("host", LOOPBACK)
async def test_loopback_hosts(raw_call, host) -> None:
    """Names of loopback are served, with a port or without."""
    reader, _ = await raw_call(host=host)
    assert (200, {"Backups": []}) == await answer_of(reader)


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_other_hosts(fsx, raw_call, host) -> None:
    """Any other Host is refused: not carried out, not counted, not recorded."""
    reader, _ = await raw_call(
        host=host, operation="CreateBackup", body='{"FileSystemId": "fs-00000001"}'
    )
    status, document = await answer_of(reader)

    assert (403, "AccessDeniedException") == (status, document["__type"])
    assert f"Host is {host!r}" in document["message"]
    assert ({}, []) == (fsx.calls, list(fsx.requests))
    assert [] == fsx.backups("us-west-2")


async def test_no_host(fsx) -> None:
    """A request of HTTP/1.0 without Host is refused."""
    host, _, port = fsx.endpoint_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    status, _ = await answer_of(reader)
    writer.close()
    assert 403 == status


@pytest.mark.parametrize("origin", [f"http://{host}" for host in LOOPBACK] + ["https://localhost"])
async def test_loopback_origins(raw_call, origin) -> None:
    """Web pages of loopback hosts may call."""
    reader, _ = await raw_call(f"Origin: {origin}")
    assert 200 == (await answer_of(reader))[0]


@pytest.mark.parametrize(
    "origin",
    ["null", "", "https://rebound.example", "http://127.0.0.1.example", "ftp://localhost"],
)
async def test_other_origins(fsx, raw_call, origin) -> None:
    """A request that a page of another host sends is refused, whatever its Host."""
    reader, _ = await raw_call(f"Origin: {origin}")
    status, document = await answer_of(reader)
    assert (403, "AccessDeniedException") == (status, document["__type"])
    assert f"Origin is {origin!r}" in document["message"]
    assert {} == fsx.calls


async def test_connection_is_usable_after_a_refusal(raw_call) -> None:
    """The body of a refused request is discarded, and the next request is answered."""
    reader, writer = await raw_call("Origin: null")
    await answer_of(reader)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert 404 == (await answer_of(reader))[0]


async def test_keeps_the_latest_requests(fsx, west) -> None:
    """Only the latest 10,000 requests are kept, while all are counted."""
    await west("describe_backups")
    oldest = fsx.requests[0]
    fsx.requests.extend([oldest] * (KEPT_REQUESTS - 1))
    await west("describe_backups", MaxResults=7)
    assert 10_000 == KEPT_REQUESTS == len(fsx.requests)
    assert {"MaxResults": 7} == fsx.requests[-1].body
    assert {"DescribeBackups": 2} == fsx.calls


async def test_does_not_keep_huge_bodies(fsx, raw_call) -> None:
    """A call with a huge body is carried out and recorded, its body is not kept."""
    bodies = [json.dumps({"Padding": "x" * (MAX_KEPT_BODY + more - 15)}) for more in (0, 1)]
    for body in bodies:
        reader, _ = await raw_call(body=body)
        assert 200 == (await answer_of(reader))[0]
    assert [MAX_KEPT_BODY, MAX_KEPT_BODY + 1] == [len(body) for body in bodies]
    assert [["Padding"], []] == [list(request.body) for request in fsx.requests]
    assert {"DescribeBackups": 2} == fsx.calls

"""
The protocol, by hand: what is no proper request, and what is recorded.
"""

import io
import json

import aiohttp
import pytest

TARGET = "AWSSimbaAPIService_v20180301."
SCOPE = "AKIDEXAMPLE/20260101/us-west-2/fsx/aws4_request"


def authorization(
    credential=SCOPE, signed="host;x-amz-date", signature="0" * 64, algorithm="AWS4-HMAC-SHA256"
):
    return f"{algorithm} Credential={credential}, SignedHeaders={signed}, Signature={signature}"


@pytest.fixture(name="send")
async def _send(fsx):
    """
    Return a function that sends a request and returns status, headers, body.
    """
    async with aiohttp.ClientSession(
        fsx.endpoint_url, skip_auto_headers={"Content-Type"}
    ) as session:

        async def send(
            body=b"{}", *, method="POST", path="/", target=TARGET + "DescribeBackups", **changes
        ):
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


async def outcome(answer):
    status, _, body = answer
    return status, json.loads(body)["__type"]


async def test_proper_request(send):
    """
    A request in the form of the protocol is answered in that form.
    """
    status, headers, body = await send()

    assert 200 == status
    assert "application/x-amz-json-1.1" == headers["Content-Type"]
    assert 36 == len(headers["x-amzn-RequestId"])
    assert {"Backups": []} == json.loads(body)


async def test_errors_have_request_ids(send):
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
async def test_improper_requests(send, changes, expected):
    """
    What is no signed POST of a known target gets the front's own errors.
    """
    assert expected == await outcome(await send(**changes))


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
async def test_malformed_signatures(send, header, code):
    """
    A signature of the wrong form or scope is refused as AWS does.
    """
    assert (400, code) == await outcome(await send(Authorization=header))


async def test_date_header_will_do(send):
    """
    A signer may send Date in the place of X-Amz-Date.
    """
    changes = {"X-Amz-Date": None, "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}

    assert 200 == (await send(**changes))[0]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"\xff", b'{"a": NaN}'])
async def test_malformed_bodies(send, body):
    """
    What is no JSON object is a SerializationException.
    """
    assert (400, "SerializationException") == await outcome(await send(body))


async def test_oversized_body(send):
    """
    A body of more than a mebibyte is refused, and the connection lives on.
    """
    with io.BytesIO(b" " * (1024 * 1024 + 1)) as body:
        oversized = await send(body)

    assert (413, "RequestEntityTooLargeException") == await outcome(oversized)
    assert 200 == (await send())[0]


async def test_improper_requests_do_not_count(fsx, send):
    """
    What reaches no operation is neither counted nor recorded.
    """
    await send(b"?")
    await send(Authorization=None)

    assert ({}, []) == (fsx.calls, fsx.requests)


async def test_unknown_members_are_ignored(send):
    """
    Members that an operation does not know do not matter.
    """
    assert 200 == (await send(b'{"Colour": "blue"}'))[0]


async def test_null_is_absent(send):
    """
    A member that is null counts as left out.
    """
    assert 200 == (await send(b'{"BackupIds": null, "MaxResults": null}'))[0]


async def test_records_requests(clock, fsx, send):
    """
    A call is recorded with its Region, account, body, time and headers, but
    for what is secret.
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

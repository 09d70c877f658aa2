"""
Web pages do not reach the local FSx, and it remembers only so much.
"""

import asyncio
import json

import pytest

from fsxcopy_sdk.testing._protocol import KEPT_REQUESTS, MAX_KEPT_BODY


async def answer_of(reader) -> tuple[int, dict]:
    """
    Return the status and the document of an answer.
    """
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
    """
    Names of loopback are served, with a port or without.
    """
    reader, _ = await raw_call(host=host)

    assert (200, {"Backups": []}) == await answer_of(reader)


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_other_hosts(fsx, raw_call, host) -> None:
    """
    Any other Host is refused: not carried out, not counted, not recorded.
    """
    reader, _ = await raw_call(
        host=host, operation="CreateBackup", body='{"FileSystemId": "fs-00000001"}'
    )
    status, document = await answer_of(reader)

    assert (403, "AccessDeniedException") == (status, document["__type"])
    assert f"Host is {host!r}" in document["message"]
    assert ({}, []) == (fsx.calls, list(fsx.requests))
    assert [] == fsx.backups("us-west-2")


async def test_no_host(fsx) -> None:
    """
    A request of HTTP/1.0 without Host is refused.
    """
    host, _, port = fsx.endpoint_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    status, _ = await answer_of(reader)
    writer.close()

    assert 403 == status


@pytest.mark.parametrize("origin", [f"http://{host}" for host in LOOPBACK] + ["https://localhost"])
async def test_loopback_origins(raw_call, origin) -> None:
    """
    Pages of loopback may call.
    """
    reader, _ = await raw_call(f"Origin: {origin}")

    assert 200 == (await answer_of(reader))[0]


@pytest.mark.parametrize(
    "origin",
    ["null", "", "https://rebound.example", "http://127.0.0.1.example", "ftp://localhost"],
)
async def test_other_origins(fsx, raw_call, origin) -> None:
    """
    A request that a page of another host sends is refused, whatever its Host.
    """
    reader, _ = await raw_call(f"Origin: {origin}")
    status, document = await answer_of(reader)

    assert (403, "AccessDeniedException") == (status, document["__type"])
    assert f"Origin is {origin!r}" in document["message"]
    assert {} == fsx.calls


async def test_the_connection_of_a_refused_request_lives_on(raw_call) -> None:
    """
    A refused request leaves its body behind: the next one is answered.
    """
    reader, writer = await raw_call("Origin: null")
    await answer_of(reader)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert 404 == (await answer_of(reader))[0]


async def test_remembers_the_latest_requests(fsx, west) -> None:
    """
    Only the latest 10,000 requests are kept, while all are counted.
    """
    await west("describe_backups")
    oldest = fsx.requests[0]
    fsx.requests.extend([oldest] * (KEPT_REQUESTS - 1))
    await west("describe_backups", MaxResults=7)

    assert 10_000 == KEPT_REQUESTS == len(fsx.requests)
    assert {"MaxResults": 7} == fsx.requests[-1].body
    assert {"DescribeBackups": 2} == fsx.calls


async def test_remembers_no_huge_bodies(fsx, raw_call) -> None:
    """
    A call with a huge body is carried out and recorded, its body is not kept.
    """
    bodies = [json.dumps({"Padding": "x" * (MAX_KEPT_BODY + more - 15)}) for more in (0, 1)]
    for body in bodies:
        reader, _ = await raw_call(body=body)
        assert 200 == (await answer_of(reader))[0]

    assert [MAX_KEPT_BODY, MAX_KEPT_BODY + 1] == [len(body) for body in bodies]
    assert [["Padding"], []] == [list(request.body) for request in fsx.requests]
    assert {"DescribeBackups": 2} == fsx.calls

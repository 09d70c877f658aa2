"""
ArgumentErrors on demand, as boto3 and a bare HTTP client meet them.
"""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from fsxcopy_sdk.testing import ErrorPlacement, Fault, LocalFsx, ManualClock

HEADERS = {
    "X-Amz-Target": "AWSSimbaAPIService_v20180301.DescribeBackups",
    "X-Amz-Date": "20260101T000000Z",
    "Content-Type": "application/x-amz-json-1.1",
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-west-2/fsx/aws4_request,"
        " SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
    ),
}


@pytest.fixture(name="plain")
def _plain(fsx, connect) -> Callable:
    """
    Return a client whose answers are not compared with the model.
    """
    return connect(fsx, checked=False)


@pytest.fixture(name="send")
async def _send() -> AsyncIterator[Callable]:
    """
    Return a function that describes all backups of an FSx over bare HTTP.
    """
    async with aiohttp.ClientSession() as session:

        async def send(fsx) -> tuple[int, dict, bytes]:
            async with session.post(
                fsx.endpoint_url, headers=HEADERS, data=b"{}", allow_redirects=False
            ) as response:
                return response.status, dict(response.headers), await response.read()

        yield send


@pytest.fixture(name="get")
def _get(fsx, send) -> Callable:
    """
    Return a function that describes all backups of the FSx over bare HTTP.
    """
    return functools.partial(send, fsx)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.throttling(), 400, "ThrottlingException"),
        (Fault.internal_error(), 500, "InternalServerError"),
        (Fault.unavailable(), 503, "ServiceUnavailable"),
        (Fault.error("ExpiredTokenException", status=403), 403, "ExpiredTokenException"),
        (Fault.error("com.amazonaws.fsx#BadRequest"), 400, "BadRequest"),
        (Fault.error("BadRequest:http://internal/"), 400, "BadRequest"),
    ],
)
async def test_error(fsx, plain, fault, status, code) -> None:
    """
    boto3 reads the injected error's status and code.
    """
    fsx.inject(fault)
    error = await plain.error("describe_backups")

    assert (status, code) == (
        error["ResponseMetadata"]["HTTPStatusCode"],
        error["Error"]["Code"],
    )


async def test_error_in_the_code(fsx, get) -> None:
    """
    A code can stand in the member ``code``.
    """
    fsx.inject(Fault.error("BadRequest", "No.", placement=ErrorPlacement.CODE))

    assert {"code": "BadRequest", "Message": "No."} == json.loads((await get())[2])


async def test_error_in_the_header(fsx, get) -> None:
    """
    A code can stand in the header, the text in either spelling.
    """
    fsx.inject(
        Fault.error("BadRequest", "No.", placement=ErrorPlacement.HEADER, message_member="message")
    )
    status, headers, body = await get()

    assert 400 == status
    assert "BadRequest" == headers["x-amzn-ErrorType"]
    assert {"message": "No."} == json.loads(body)


async def test_error_with_members(fsx, plain) -> None:
    """
    An injected error has the members that it was given.
    """
    fsx.inject(Fault.error("ServiceLimitExceeded", Limit="TOTAL_STORAGE"))

    assert "TOTAL_STORAGE" == (await plain.error("describe_backups"))["Limit"]


async def test_reset(fsx, plain) -> None:
    """
    A reset ends the call without an answer.
    """
    fsx.inject(Fault.reset())

    with pytest.raises(ConnectionClosedError):
        await plain("describe_backups")


async def test_reset_is_rst(fsx) -> None:
    """
    A reset sends RST: the client sees it as such, not as an end of file.
    """
    fsx.inject(Fault.reset())
    host, port = fsx.endpoint_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ["POST / HTTP/1.1", f"Host: {host}", "Content-Length: 2"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    writer.write("\r\n".join([*lines, "", "{}"]).encode())

    with pytest.raises(ConnectionResetError):
        await reader.read()

    writer.close()


async def test_truncated(fsx, get, source) -> None:
    """
    A truncated answer ends before the length that it announced.
    """
    fsx.inject(Fault.truncated())

    with pytest.raises(aiohttp.ClientPayloadError):
        await get()


async def test_truncated_sends_half(fsx) -> None:
    """
    A truncated answer sends the first half, then closes the connection.
    """
    fsx.inject(Fault.truncated())
    host, port = fsx.endpoint_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ["POST / HTTP/1.1", f"Host: {host}", "Content-Length: 2"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    writer.write("\r\n".join([*lines, "", "{}"]).encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()

    assert b"Content-Length: 14" in head
    assert b'{"Backu' == body


async def test_html(fsx, get) -> None:
    """
    An HTML answer has its status and content type.
    """
    fsx.inject(Fault.html(504))
    status, headers, body = await get()

    assert (504, "text/html") == (status, headers["Content-Type"])
    assert b"<h1>504</h1>" in body


async def test_content_type(fsx, get) -> None:
    """
    A wrong content type is on the right answer.
    """
    fsx.inject(Fault.content_type("text/plain"))
    status, headers, body = await get()

    assert (200, "text/plain") == (status, headers["Content-Type"])
    assert {"Backups": []} == json.loads(body)


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault.empty(), 200, b""),
        (Fault.null(), 200, b"null"),
        (Fault.raw(418, {"X-Tea": "green"}, b"[1]"), 418, b"[1]"),
    ],
)
async def test_strange_bodies(fsx, get, fault, status, body) -> None:
    """
    Empty bodies, ``null`` and whatever else is asked for are sent as asked.
    """
    fsx.inject(fault)
    answer = await get()

    assert (status, body) == (answer[0], answer[2])
    assert "x-amzn-RequestId" in answer[1]


async def test_redirect(fsx, get) -> None:
    """
    A redirect says where to go.
    """
    fsx.inject(Fault.redirect("http://127.0.0.1:9/", 308))
    status, headers, _ = await get()

    assert (308, "http://127.0.0.1:9/") == (status, headers["Location"])


async def test_delay(clock, fsx, get) -> None:
    """
    A delayed call is answered once the clock has moved.
    """
    fsx.inject(Fault.delay(30))
    call = asyncio.create_task(get())
    await clock.until_sleeping()
    fsx.add_backup("us-west-2")
    clock.advance(30)
    _, _, body = await call

    assert 1 == len(json.loads(body)["Backups"])


async def test_delay_after(clock, fsx, get) -> None:
    """
    With *after* the call is carried out first, its answer comes late.
    """
    fsx.inject(Fault.delay(30), after=True)
    call = asyncio.create_task(get())
    await clock.until_sleeping()
    fsx.add_backup("us-west-2")
    clock.advance(30)
    _, _, body = await call

    assert [] == json.loads(body)["Backups"]


async def test_delayed_call_does_not_hold_the_end(connect) -> None:
    """
    An FSx stops although a call is still delayed.
    """
    clock = ManualClock()
    async with LocalFsx(clock=clock) as fsx:
        fsx.inject(Fault.delay(1000))
        call = asyncio.create_task(connect(fsx)("describe_backups"))
        await clock.until_sleeping()

    with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
        await call


async def attempt(client, source) -> None:
    """
    Copy *source*, with the same token each time, whatever comes of it.
    """
    await asyncio.gather(
        client(
            "copy_backup",
            SourceBackupId=source,
            SourceRegion="us-east-2",
            ClientRequestToken="t",
        ),
        return_exceptions=True,
    )


@pytest.mark.parametrize("fault", [Fault.reset(), Fault.html(), Fault.throttling(), Fault.empty()])
async def test_before_nothing_is_done(fsx, plain, source, fault) -> None:
    """
    A fault keeps the call from being carried out.
    """
    fsx.inject(fault)
    await attempt(plain, source)

    assert 1 == fsx.calls["CopyBackup"]
    assert [] == fsx.backups("us-west-2")


@pytest.mark.parametrize(
    ("fault", "after"),
    [
        (Fault.reset(), True),
        (Fault.html(), True),
        (Fault.internal_error(), True),
        (Fault.truncated(), False),
    ],
)
async def test_after_it_is_done(fsx, plain, source, fault, after) -> None:
    """
    With *after* the copy is accepted and its answer lost, or cut.

    Who asks again with the same token finds the same copy.
    """
    fsx.inject(fault, after=after)
    await attempt(plain, source)
    accepted = fsx.backups("us-west-2")
    await attempt(plain, source)

    assert 1 == len(accepted)
    assert accepted == fsx.backups("us-west-2")


async def outcomes(get, count) -> list[int]:
    """
    Return the statuses of *count* calls.
    """
    return [(await get())[0] for _ in range(count)]


async def test_next_calls(fsx, get) -> None:
    """
    A fault is for as many calls as were asked for, one if nothing was.
    """
    fsx.inject(Fault.unavailable(), next_calls=2)
    fsx.inject(Fault.internal_error())

    assert [503, 503, 500, 200] == await outcomes(get, 4)


async def faulty(send, fsx, count) -> list[bool]:
    """
    Return which of *count* calls of an FSx get the faults that are injected.
    """
    return [(await send(fsx))[0] == 503 for _ in range(count)]


async def test_fraction(send) -> None:
    """
    About the given fraction of the calls gets the fault.
    """
    async with LocalFsx() as fsx:
        fsx.inject(Fault.unavailable(), fraction=0.3)

        assert 40 < sum(await faulty(send, fsx, 200)) < 80


async def test_fraction_comes_from_the_seed(send) -> None:
    """
    The same seed gives the fault to the same calls, another seed to others.
    """
    runs = []
    for seed in (1, 1, 2):
        async with LocalFsx(seed=seed) as fsx:
            fsx.inject(Fault.unavailable(), fraction=0.5)
            runs.append(await faulty(send, fsx, 32))

    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(("fraction", "statuses"), [(0, [200] * 9), (1, [503] * 9)])
async def test_none_or_all(fsx, get, fraction, statuses) -> None:
    """
    A fraction of zero strikes no call, of one every call.
    """
    fsx.inject(Fault.unavailable(), fraction=fraction)

    assert statuses == await outcomes(get, 9)


async def test_one_operation(fsx, get) -> None:
    """
    A fault for another operation waits for that one.
    """
    fsx.inject(Fault.unavailable(), operation="CopyBackup")

    assert [200] == await outcomes(get, 1)


async def test_clear(fsx, get) -> None:
    """
    Cleared faults strike no more.
    """
    fsx.inject(Fault.unavailable(), next_calls=5)
    await get()
    fsx.clear_faults()

    assert [200] == await outcomes(get, 1)


async def test_faulty_calls_count(fsx, get) -> None:
    """
    A call that got a fault counts as one that reached its operation.
    """
    fsx.inject(Fault.unavailable())
    await outcomes(get, 2)

    assert {"DescribeBackups": 2} == fsx.calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"next_calls": 0}, "next_calls must be a whole number, one or more"),
        ({"next_calls": 1.5}, "next_calls must be a whole number, one or more"),
        ({"fraction": 1.1}, "fraction must be between 0 and 1"),
        ({"fraction": -0.1}, "fraction must be between 0 and 1"),
        ({"next_calls": 1, "fraction": 0.5}, "cannot be given together"),
        ({"operation": "CopyBackups"}, "operation must be one of"),
    ],
)
def test_bad_arguments(arguments, message) -> None:
    """
    Arguments that break a rule are refused by name.
    """
    with pytest.raises(ValueError, match=message):
        LocalFsx().inject(Fault.reset(), **arguments)


def test_negative_delay() -> None:
    """
    A delay of less than nothing is refused.
    """
    with pytest.raises(ValueError, match="seconds must be a finite number, zero or more"):
        Fault.delay(-1)


def test_only_faults_can_be_injected() -> None:
    """
    What is no fault is refused when it is given, not when it would strike.
    """
    with pytest.raises(TypeError, match="must be a Fault, such as"):
        LocalFsx().inject("throttling")

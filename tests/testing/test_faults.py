"""Faults on demand, and faults of the connection, as boto3 and bare connections see them."""

import asyncio
import json
from collections.abc import Callable

import aiohttp
import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from fsxcopy_sdk.testing import ErrorPlacement, Fault, LocalFsx, ManualClock


@pytest.fixture(name="plain")
def _plain(fsx, connect) -> Callable:
    """Return a client whose answers are not compared with the model."""
    return connect(fsx, checked=False)


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
    """boto3 reads the injected error's status and code."""
    fsx.inject(fault)
    error = await plain.error("describe_backups")
    assert (status, code) == (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"])


async def test_error_in_the_code(fsx, send) -> None:
    """The code can be in the member ``code``."""
    fsx.inject(Fault.error("BadRequest", "No.", placement=ErrorPlacement.CODE))
    assert {"code": "BadRequest", "Message": "No."} == json.loads((await send())[2])


async def test_error_in_the_header(fsx, send) -> None:
    """The code can be in the header, the text in either spelling."""
    fsx.inject(
        Fault.error("BadRequest", "No.", placement=ErrorPlacement.HEADER, message_member="message")
    )
    status, headers, body = await send()
    assert 400 == status
    assert "BadRequest" == headers["x-amzn-ErrorType"]
    assert {"message": "No."} == json.loads(body)


async def test_error_with_members(fsx, plain) -> None:
    """An injected error has the members that it was given."""
    fsx.inject(Fault.error("ServiceLimitExceeded", Limit="TOTAL_STORAGE"))
    assert "TOTAL_STORAGE" == (await plain.error("describe_backups"))["Limit"]


async def test_reset(fsx, plain) -> None:
    """A reset ends the call without an answer."""
    fsx.inject(Fault.reset())
    with pytest.raises(ConnectionClosedError):
        await plain("describe_backups")


async def test_reset_is_rst(fsx, raw_call) -> None:
    """A reset sends RST: the client sees it as such, not as an end of file."""
    fsx.inject(Fault.reset())
    reader, _ = await raw_call()
    with pytest.raises(ConnectionResetError):
        await reader.read()


async def test_truncated(fsx, send, source) -> None:
    """A truncated answer ends before the length that it announced."""
    fsx.inject(Fault.truncated())
    with pytest.raises(aiohttp.ClientPayloadError):
        await send()


async def test_truncated_sends_half(fsx, raw_call) -> None:
    """A truncated answer sends the first half, then closes the connection."""
    fsx.inject(Fault.truncated())
    reader, _ = await raw_call()
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert b"Content-Length: 14" in head
    assert b'{"Backu' == body


async def test_html(fsx, send) -> None:
    """An HTML answer has its status and content type."""
    fsx.inject(Fault.html(504))
    status, headers, body = await send()
    assert (504, "text/html") == (status, headers["Content-Type"])
    assert b"<h1>504</h1>" in body


async def test_content_type(fsx, send) -> None:
    """A wrong content type is on the right answer."""
    fsx.inject(Fault.content_type("text/plain"))
    status, headers, body = await send()
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
async def test_strange_bodies(fsx, send, fault, status, body) -> None:
    """Empty bodies, ``null`` and raw answers are sent unchanged."""
    fsx.inject(fault)
    answer = await send()
    assert (status, body) == (answer[0], answer[2])
    assert "x-amzn-RequestId" in answer[1]


async def test_redirect(fsx, send) -> None:
    """A redirect has its location."""
    fsx.inject(Fault.redirect("http://127.0.0.1:9/", 308))
    status, headers, _ = await send()
    assert (308, "http://127.0.0.1:9/") == (status, headers["Location"])


@pytest.mark.parametrize(("after", "seen"), [(False, 1), (True, 0)], ids=["before", "after"])
async def test_delay(clock, fsx, send, after, seen) -> None:
    """A delayed call is carried out once the clock has moved; with *after* only its answer."""
    fsx.inject(Fault.delay(30), after=after)
    call = asyncio.create_task(send())
    await clock.until_sleeping()
    fsx.add_backup("us-west-2")
    clock.advance(30)
    _, _, body = await call
    assert seen == len(json.loads(body)["Backups"])


async def test_delayed_call_does_not_delay_the_end(connect) -> None:
    """The FSx stops although a call is still delayed."""
    clock = ManualClock()
    async with LocalFsx(clock=clock) as fsx:
        fsx.inject(Fault.delay(1000))
        call = asyncio.create_task(connect(fsx)("describe_backups"))
        await clock.until_sleeping()
    with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
        await call


async def attempt(client, source) -> None:
    """Copy *source*, with the same token each time, and ignore the outcome."""
    request = {"SourceBackupId": source, "SourceRegion": "us-east-2", "ClientRequestToken": "t"}
    await asyncio.gather(client("copy_backup", **request), return_exceptions=True)


@pytest.mark.parametrize("fault", [Fault.reset(), Fault.html(), Fault.throttling(), Fault.empty()])
async def test_faulty_call_is_not_carried_out(fsx, plain, source, fault) -> None:
    """A fault keeps the call from being carried out."""
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
async def test_after_the_call_is_carried_out(fsx, plain, source, fault, after) -> None:
    """A copy whose answer is lost or cut is found again by the same token."""
    fsx.inject(fault, after=after)
    await attempt(plain, source)
    accepted = fsx.backups("us-west-2")
    await attempt(plain, source)
    assert 1 == len(accepted)
    assert accepted == fsx.backups("us-west-2")


async def outcomes(send, count) -> list[int]:
    """Return the statuses of *count* calls."""
    return [(await send())[0] for _ in range(count)]


async def test_next_calls(fsx, send) -> None:
    """A fault happens to as many calls as were asked for, by default to one."""
    fsx.inject(Fault.unavailable(), next_calls=2)
    fsx.inject(Fault.internal_error())
    assert [503, 503, 500, 200] == await outcomes(send, 4)


async def test_fraction(fsx, send) -> None:
    """About the given fraction of the calls gets the fault."""
    fsx.inject(Fault.unavailable(), fraction=0.3)
    assert 40 < (await outcomes(send, 200)).count(503) < 80


async def faulty(connect, seed) -> list[bool]:
    """Return which of 32 calls get a fault that is injected for half of them."""
    async with LocalFsx(seed=seed) as fsx:
        fsx.inject(Fault.content_type("text/plain"), fraction=0.5)
        west = connect(fsx, checked=False)
        answers = [await west("describe_backups") for _ in range(32)]
    headers = [answer["ResponseMetadata"]["HTTPHeaders"] for answer in answers]
    return [one["content-type"] == "text/plain" for one in headers]


async def test_fraction_comes_from_the_seed(connect) -> None:
    """The same seed gives the fault to the same calls, another seed to others."""
    runs = [await faulty(connect, seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(
    ("arguments", "statuses"),
    [
        ({"fraction": 0}, [200] * 9),
        ({"fraction": 1}, [503] * 9),
        ({"operation": "CopyBackup"}, [200]),
    ],
    ids=["none", "all", "another operation"],
)
async def test_which_calls(fsx, send, arguments, statuses) -> None:
    """A fault affects no call of a fraction of zero or of another operation, or every call."""
    fsx.inject(Fault.unavailable(), **arguments)
    assert statuses == await outcomes(send, len(statuses))


async def test_clear(fsx, send) -> None:
    """Cleared faults do not happen any more."""
    fsx.inject(Fault.unavailable(), next_calls=5)
    await send()
    fsx.clear_faults()
    assert [200] == await outcomes(send, 1)


async def test_faulty_calls_count(fsx, send) -> None:
    """A call that got a fault counts as one that reached its operation."""
    fsx.inject(Fault.unavailable())
    await outcomes(send, 2)
    assert {"DescribeBackups": 2} == fsx.calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"next_calls": 0}, "next_calls must be a whole number, one or more"),
        ({"next_calls": 1.5}, "next_calls must be a whole number, one or more"),
        ({"next_calls": "2"}, "next_calls must be a whole number, one or more, not '2'"),
        ({"next_calls": True}, "next_calls must be a whole number, one or more, not True"),
        ({"fraction": "0.5"}, "fraction must be between 0 and 1, not '0.5'"),
        ({"fraction": 1.1}, "fraction must be between 0 and 1"),
        ({"fraction": -0.1}, "fraction must be between 0 and 1"),
        ({"next_calls": 1, "fraction": 0.5}, "cannot be given together"),
        ({"operation": "CopyBackups"}, "operation must be one of"),
    ],
)
def test_bad_arguments(arguments, message) -> None:
    """Arguments that break a rule are refused by name."""
    with pytest.raises(ValueError, match=message):
        LocalFsx().inject(Fault.reset(), **arguments)


def test_only_faults_can_be_injected() -> None:
    """A value that is not a Fault is refused when it is injected, not at the next call."""
    with pytest.raises(TypeError, match="must be a Fault, such as"):
        LocalFsx().inject("throttling")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fault.delay(-1), "seconds must be a finite number, zero or more"),
        (lambda: Fault.delay("3"), "seconds must be a finite number, zero or more, not '3'"),
        (lambda: Fault.drip("3"), "interval must be a finite number of seconds above zero"),
        (lambda: Fault.cut_listing("3"), "keep must be a whole number, zero or more, not '3'"),
        (lambda: Fault.interim(101), "status must be 102 or 103, not 101"),
        (lambda: Fault.interim(200), "status must be 102 or 103, not 200"),
        (lambda: Fault.drip(0), "interval must be a finite number of seconds above zero"),
        (lambda: Fault.drip(float("inf")), "interval must be a finite number"),
        (lambda: Fault.drip(float("nan")), "interval must be a finite number"),
    ],
)
def test_bad_faults(make: Callable, message) -> None:
    """Arguments that break a rule are refused by name."""
    with pytest.raises(ValueError, match=message):
        make()


async def is_silent(reader) -> bool:
    """Return whether a connection stays open without data for 0.1 s."""
    try:
        async with asyncio.timeout(0.1):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


def other_tasks() -> set[asyncio.Task]:
    """Return the tasks that run, except for the one of the test."""
    return asyncio.all_tasks() - {asyncio.current_task()}


async def until_ended(before) -> None:
    """Return when no tasks run that were not there *before*."""
    async with asyncio.timeout(5):
        while other_tasks() - before:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault.interim(), b"HTTP/1.1 102 Processing"),
        (Fault.interim(102), b"HTTP/1.1 102 Processing"),
        (Fault.interim(103), b"HTTP/1.1 103 Early Hints"),
    ],
    ids=["by default", "102", "103"],
)
async def test_interim(fsx, raw_call, fault, line) -> None:
    """After an interim answer nothing is sent; the handler ends when the client closes."""
    before = other_tasks()
    fsx.inject(fault)
    reader, writer = await raw_call()

    assert line + b"\r\n\r\n" == await reader.readuntil(b"\r\n\r\n")
    assert await is_silent(reader)
    assert other_tasks() - before
    writer.close()
    await until_ended(before)


async def test_drip(fsx, raw_call) -> None:
    """Headers come at once, bytes of the body one by one, until the client closes."""
    before = other_tasks()
    fsx.inject(Fault.drip(0.01))
    reader, writer = await raw_call()
    head = await reader.readuntil(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: application/x-amz-json-1.1\r\n" in head
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"1\r\n \r\n" * 9 == await reader.readexactly(54)
    writer.close()
    await until_ended(before)


async def test_drip_waits_between_bytes(fsx, raw_call) -> None:
    """Nothing but headers comes before the first interval is over."""
    fsx.inject(Fault.drip(60))
    reader, _ = await raw_call()
    await reader.readuntil(b"\r\n\r\n")
    assert await is_silent(reader)


async def test_garbage(fsx, raw_call) -> None:
    """Garbage has no status line, and the connection is closed after it."""
    fsx.inject(Fault.garbage())
    reader, _ = await raw_call()
    answer = await reader.read()
    assert answer
    assert not answer.startswith(b"HTTP")


async def test_bad_chunk(fsx, raw_call) -> None:
    """The first chunk does not begin with its size."""
    fsx.inject(Fault.bad_chunk())
    reader, _ = await raw_call()
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Transfer-Encoding: chunked" in head
    with pytest.raises(ValueError, match="invalid literal for int"):
        int(body.partition(b"\r\n")[0], 16)


WIRE_FAULTS = [Fault.interim(), Fault.drip(0.01), Fault.garbage(), Fault.bad_chunk()]


@pytest.mark.parametrize("fault", [Fault.garbage(), Fault.bad_chunk()])
async def test_boto3_fails(fsx, connect, fault) -> None:
    """boto3 fails at once, and its next call is answered."""
    west = connect(fsx, checked=False)
    fsx.inject(fault)
    with pytest.raises(ConnectionClosedError):
        await west("describe_backups")
    assert [] == (await west("describe_backups"))["Backups"]


@pytest.mark.parametrize("fault", WIRE_FAULTS)
@pytest.mark.parametrize("after", [False, True])
async def test_after(fsx, raw_call, fault, after) -> None:
    """Only with *after* is the call carried out."""
    fsx.inject(fault, after=after)
    reader, _ = await raw_call(
        operation="CreateBackup", body=json.dumps({"FileSystemId": "fs-00000001"})
    )
    await reader.read(1)
    assert after == len(fsx.backups("us-west-2"))
    assert {"CreateBackup": 1} == fsx.calls


@pytest.mark.parametrize("fault", [Fault.interim(), Fault.drip(0.01), Fault.delay(1000)])
@pytest.mark.parametrize("closes", [False, True])
async def test_ends_with_the_server(clock, raw_calls, fault, closes) -> None:
    """When the server has stopped no handler runs, whether or not the client has closed."""
    before = other_tasks()
    async with LocalFsx(clock=clock) as fsx, raw_calls(fsx) as raw_call:
        fsx.inject(fault)
        reader, writer = await raw_call()
        if fault == Fault.delay(1000):
            await clock.until_sleeping()
        else:
            await reader.readline()
        if closes:
            writer.close()
            await writer.wait_closed()
            # The server sees it in its next turn, and its handler later.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    assert set() == other_tasks() - before
    assert 0 == clock.sleeping

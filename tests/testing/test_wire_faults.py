"""
ArgumentErrors of the connection, as a bare connection and boto3 meet them.
"""

import asyncio
import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ConnectionClosedError

from fsxcopy_sdk.testing import Fault, LocalFsx


async def is_silent(reader) -> bool:
    """
    Tell whether a connection stays open and nothing comes for a moment.
    """
    try:
        async with asyncio.timeout(0.1):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


def other_tasks() -> set[asyncio.Task]:
    """
    Return the tasks that run, except for the one of the test.
    """
    return asyncio.all_tasks() - {asyncio.current_task()}


async def until_ended(before) -> None:
    """
    Return when no tasks run that were not there *before*.
    """
    async with asyncio.timeout(5):
        while other_tasks() - before:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("status", "line"),
    [(102, b"HTTP/1.1 102 Processing"), (103, b"HTTP/1.1 103 Early Hints")],
)
async def test_interim(fsx, raw_call, status, line) -> None:
    """
    An interim answer comes, then nothing; the handler ends when the client closes.
    """
    before = other_tasks()
    fsx.inject(Fault.interim(status))
    reader, writer = await raw_call()

    assert line + b"\r\n\r\n" == await reader.readuntil(b"\r\n\r\n")
    assert await is_silent(reader)
    assert other_tasks() - before

    writer.close()
    await until_ended(before)


async def test_interim_is_by_default_processing(fsx, raw_call) -> None:
    """
    The interim answer is 102 unless another one is asked for.
    """
    fsx.inject(Fault.interim())
    reader, _ = await raw_call()

    assert b"HTTP/1.1 102 Processing\r\n" == await reader.readline()


async def test_drip(fsx, raw_call) -> None:
    """
    Headers come at once, bytes of the body one by one, until the client closes.
    """
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
    """
    Nothing but headers comes before the first interval is over.
    """
    fsx.inject(Fault.drip(60))
    reader, _ = await raw_call()
    await reader.readuntil(b"\r\n\r\n")

    assert await is_silent(reader)


async def test_garbage(fsx, raw_call) -> None:
    """
    Garbage is no status line, and the connection is closed after it.
    """
    fsx.inject(Fault.garbage())
    reader, _ = await raw_call()
    answer = await reader.read()

    assert answer
    assert not answer.startswith(b"HTTP")


async def test_bad_chunk(fsx, raw_call) -> None:
    """
    Where a chunk should say its size, it does not.
    """
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
    """
    boto3 fails at once, and its next call is answered.
    """
    west = connect(fsx, checked=False)
    fsx.inject(fault)
    with pytest.raises(ConnectionClosedError):
        await west("describe_backups")

    assert [] == (await west("describe_backups"))["Backups"]


@pytest.mark.parametrize("fault", WIRE_FAULTS)
@pytest.mark.parametrize("after", [False, True])
async def test_after(fsx, raw_call, fault, after) -> None:
    """
    Only with *after* is the call carried out.
    """
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
    """
    When the server has stopped no handler runs, whether or not the client has closed.
    """
    before = other_tasks()
    async with LocalFsx(clock=clock) as fsx, raw_calls(fsx) as raw_call:
        fsx.inject(fault)
        reader, writer = await raw_call()
        if fault.kind is Fault.delay(0).kind:
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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fault.interim(101), "status must be 102 or 103, not 101"),
        (lambda: Fault.interim(200), "status must be 102 or 103, not 200"),
        (lambda: Fault.drip(0), "interval must be a finite number of seconds above zero"),
        (lambda: Fault.drip(float("inf")), "interval must be a finite number"),
        (lambda: Fault.drip(float("nan")), "interval must be a finite number"),
    ],
)
def test_bad_arguments(make: Callable, message) -> None:
    """
    Arguments that break a rule are refused by name.
    """
    with pytest.raises(ValueError, match=message):
        make()

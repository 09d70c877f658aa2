"""The local FSx on a manual clock, and clients whose answers botocore's model must know."""

import asyncio
import contextlib
import functools
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from multidict import CIMultiDictProxy

from fsxcopy_sdk.testing import LocalFsx, ManualClock

UNMODELLED = {"SerializationException", "UnknownOperationException"}
"""Errors that no operation of the model has, and that may answer any."""

NOT_SENT = {("Backup", "FileSystem")}
"""Required in the model, absent from the service's own volume backups."""


JSON_TYPES = {
    "structure": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
}


def deviations(shape, value, path) -> Iterator[str]:
    """Yield where a JSON value is not what the model's shape says."""
    # type() and not isinstance: true is no number.
    if type(value) not in JSON_TYPES[shape.type_name]:
        yield f"{path}: {value!r} is no {shape.type_name}"
        return
    match shape.type_name:
        case "structure":
            yield from _structure_deviations(shape, value, path)
        case "list":
            yield from _size_deviations(shape, len(value), path)
            for index, item in enumerate(value):
                yield from deviations(shape.member, item, f"{path}[{index}]")
        case "string":
            yield from _size_deviations(shape, len(value), path)
            pattern = shape.metadata.get("pattern", "")
            if r"\p" not in pattern and not re.search(pattern, value):
                yield f"{path}: {value!r} is not like {pattern}"
            if shape.enum and value not in shape.enum:
                yield f"{path}: {value!r} is none of {shape.enum}"
        case "integer" | "long":
            yield from _size_deviations(shape, value, path)


def _structure_deviations(shape, value, path) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value and (shape.name, name) not in NOT_SENT:
            yield f"{path}: no {name}"
    for name, item in value.items():
        if name in shape.members:
            yield from deviations(shape.members[name], item, f"{path}.{name}")
        else:
            yield f"{path}: unknown member {name}"


def _size_deviations(shape, size, path) -> Iterator[str]:
    # An answer may have an empty list of tags, which no request may.
    least = 0 if shape.type_name == "list" else shape.metadata.get("min", size)
    if not least <= size <= shape.metadata.get("max", size):
        yield f"{path}: size {size}"


def check_answer(operation_model, response_dict, **_: object) -> None:
    """Compare what botocore is about to parse with its own model."""
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    assert "application/x-amz-json-1.1" == headers["content-type"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-amzn-requestid"])
    body = json.loads(response_dict["body"])
    if response_dict["status_code"] == 200:
        found = list(deviations(operation_model.output_shape, body, operation_model.name))
        assert [] == found
        return
    assert 400 == response_dict["status_code"]
    code = body.pop("__type")
    if code not in UNMODELLED:
        shapes = {shape.name: shape for shape in operation_model.error_shapes}
        assert [] == list(deviations(shapes[code], body, code))


class Boto3:
    """A boto3 client in a thread: one call per operation, errors as data."""

    def __init__(self, client) -> None:
        self.client = client

    async def __call__(self, operation: str, **parameters: object) -> dict:
        method = getattr(self.client, operation)
        return await asyncio.to_thread(method, **parameters)

    async def error(self, operation: str, **parameters: object) -> dict:
        with pytest.raises(ClientError) as caught:
            await self(operation, **parameters)
        return caught.value.response

    async def code(self, operation: str, **parameters: object) -> str:
        return (await self.error(operation, **parameters))["Error"]["Code"]


@functools.cache
def boto3_session() -> boto3.session.Session:
    """Make one session for all tests: loading the model takes longer than one."""
    return boto3.session.Session()


@pytest.fixture(name="connect")
def _connect() -> Iterator[Callable[..., Boto3]]:
    """Make boto3 clients of a local FSx, closed when the test ends."""
    clients = []

    def connect(
        fsx: LocalFsx,
        region: str = "us-west-2",
        key: str = "AKIDEXAMPLE",
        *,
        attempts: int = 1,
        checked: bool = True,
        validated: bool = True,
    ) -> Boto3:
        client = boto3_session().client(
            "fsx",
            region_name=region,
            endpoint_url=fsx.endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key="secret",
            aws_session_token="session-secret",
            config=Config(
                retries={"total_max_attempts": attempts, "mode": "standard"},
                read_timeout=5,
                parameter_validation=validated,
            ),
        )
        if checked:
            client.meta.events.register("before-parse.fsx.*", check_answer)
        clients.append(client)
        return Boto3(client)

    yield connect
    for client in clients:
        client.close()


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    """Return a clock at zero."""
    return ManualClock()


@pytest.fixture(name="fsx")
async def _fsx(clock) -> AsyncIterator[LocalFsx]:
    """Serve a local FSx where a copy takes 100 seconds of the clock."""
    async with LocalFsx(clock=clock, copy_duration=100) as fsx:
        yield fsx


@pytest.fixture(name="west")
async def _west(fsx, connect) -> Boto3:
    """Return a client of us-west-2."""
    return connect(fsx)


@pytest.fixture(name="source")
async def _source(fsx) -> str:
    """Put the example backup into us-east-2."""
    return fsx.add_example_backup()


def signed_headers(operation: str) -> dict[str, str]:
    """Return the headers of a proper call, whose signature is well-formed."""
    return {
        "X-Amz-Target": f"AWSSimbaAPIService_v20180301.{operation}",
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, Signature="
        + "0" * 64
        + ", Credential=AKIDEXAMPLE/20260101/us-west-2/fsx/aws4_request",
    }


@contextlib.asynccontextmanager
async def raw_calls(fsx: LocalFsx) -> AsyncIterator[Callable]:
    """Give a function that sends a call over a bare connection: its reader and writer."""
    writers = []
    address = fsx.endpoint_url.removeprefix("http://")
    name, _, port = address.partition(":")

    async def raw_call(
        *lines: str, operation: str = "DescribeBackups", host: str = address, body: str = "{}"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        head = [
            "POST / HTTP/1.1",
            *(f"{name}: {value}" for name, value in signed_headers(operation).items()),
            f"Content-Length: {len(body)}",
            f"Host: {host}",
            *lines,
        ]
        reader, writer = await asyncio.open_connection(name, int(port))
        writers.append(writer)
        writer.write("\r\n".join([*head, "", body]).encode())
        return reader, writer

    try:
        yield raw_call
    finally:
        for writer in writers:
            writer.close()


@pytest.fixture(name="raw_calls")
def _raw_calls() -> Callable:
    """Return what makes bare connections to any local FSx."""
    return raw_calls


@pytest.fixture(name="raw_call")
async def _raw_call(fsx) -> AsyncIterator[Callable]:
    """Return a function that sends a call over a bare connection: its reader and writer."""
    async with raw_calls(fsx) as raw_call:
        yield raw_call


@pytest.fixture(name="send")
async def _send(fsx) -> AsyncIterator[Callable]:
    """Return a function that sends a DescribeBackups over bare HTTP, with changes."""
    async with aiohttp.ClientSession(
        fsx.endpoint_url, skip_auto_headers={"Content-Type"}
    ) as session:

        async def send(
            body=b"{}",
            *,
            method="POST",
            path="/",
            operation="DescribeBackups",
            **changes: str | None,
        ) -> tuple[int, CIMultiDictProxy[str], bytes]:
            headers = {**signed_headers(operation), **changes}
            headers = {name: value for name, value in headers.items() if value is not None}
            async with session.request(
                method, path, headers=headers, data=body, allow_redirects=False
            ) as response:
                return response.status, response.headers, await response.read()

        yield send

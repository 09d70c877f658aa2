"""What is seen from outside: spans of OpenTelemetry, and the attributes of log records."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import attrs
import pytest
import structlog
from pythonjsonlogger.json import JsonFormatter

import fsxcopy_sdk
from fsxcopy_sdk import CallError, FsxCopyClient
from fsxcopy_sdk.bulk import CopyRequest, copy_many
from fsxcopy_sdk.testing import EXAMPLE_REGION, Fault, LocalFsx

PAGE = (Path(__file__).parent.parent / "docs/how-to/tracing-and-logs.md").read_text("utf-8")
SOURCE = "backup-03e3c82e0183b7b6b"

# Providers and instrumentations are global, so that each program needs a process of its own.
_BEFORE = """
import json
import anyio
from opentelemetry import trace
from opentelemetry.instrumentation.botocore import AiobotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fsxcopy_sdk import BackupCopyFailed, FsxCopyClient, RawResponse, ResponseMetadata
from fsxcopy_sdk.bulk import CopyRequest, copy_many
from fsxcopy_sdk.replication import ReplicationPolicy, apply_plan, plan_replication
from fsxcopy_sdk.testing import LocalFsx, ManualClock

SOURCE = "backup-03e3c82e0183b7b6b"
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
AiobotocoreInstrumentor().instrument()
"""

_MAIN = """
async def main():
    clock = ManualClock(auto_advance=True)
    async with LocalFsx(clock=clock) as fsx:
        fsx.add_example_backup()
        client = FsxCopyClient("us-west-2", endpoint_url=fsx.endpoint_url, clock=clock)
        async with client:
            with trace.get_tracer("a program").start_as_current_span("root"):
                await do(fsx, client)

anyio.run(main)
"""

_SHOW = """
spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
for span in spans.values():
    parent = spans[span.parent.span_id].name if span.parent else None
    status, attributes = span.status.status_code.name, dict(span.attributes)
    print(json.dumps([span.name, parent, status, attributes]))
"""


@attrs.frozen
class Seen:
    """A span that a program has ended."""

    name: str
    parent: str | None
    status: str
    attributes: dict[str, object]


_Run: TypeAlias = Callable[[str], str]


@pytest.fixture(name="run")
def _run(monkeypatch: pytest.MonkeyPatch) -> _Run:
    """Run a program in a process of its own, and return what it prints."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")

    def run(program: str) -> str:
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout

    return run


def _spans(printed: str) -> list[Seen]:
    return [Seen(*json.loads(line)) for line in printed.splitlines()]


def _spans_of(run: _Run, do: str) -> list[Seen]:
    return _spans(run(f"{_BEFORE}\nasync def do(fsx, client):\n{do}\n{_MAIN}\n{_SHOW}"))


def test_a_wait_has_a_span_around_its_polls(run: _Run) -> None:
    """A wait is a child of the program's span, and its polls are the children of the wait."""
    seen = _spans_of(
        run, '    await client.copy_backup_and_wait(SOURCE, source_region="us-east-2")'
    )

    counts = Counter((one.name, one.parent) for one in seen)
    polls = counts.pop(("FSx.DescribeBackups", "fsxcopy.wait"))
    (wait,) = (one for one in seen if one.name == "fsxcopy.wait")
    assert {
        ("FSx.CopyBackup", "root"): 1,
        ("fsxcopy.wait", "root"): 1,
        ("root", None): 1,
    } == counts
    assert 1 < polls
    assert ("AVAILABLE", polls, "us-west-2", "UNSET") == (
        wait.attributes["fsxcopy.lifecycle"],
        wait.attributes["fsxcopy.polls"],
        wait.attributes["cloud.region"],
        wait.status,
    )
    assert str(wait.attributes["fsxcopy.backup_id"]).startswith("backup-")


def test_the_spans_of_calls_name_request_and_region(run: _Run) -> None:
    """What the instrumentation of botocore knows of calls, it knows of ours."""
    seen = _spans_of(run, "    await client.describe_backups()")

    (call,) = (one for one in seen if one.name == "FSx.DescribeBackups")
    assert "us-west-2" == call.attributes["cloud.region"]
    assert call.attributes["aws.request_id"]


def test_a_failed_wait_has_its_error(run: _Run) -> None:
    """The status is ERROR, and the class of the error is an attribute."""
    do = """
    copy = await client.copy_backup(SOURCE, source_region="us-east-2")
    fsx.fail_copy(copy.backup.backup_id, "The key was disabled.")
    try:
        await client.wait_until_backup_available(copy.backup.backup_id)
    except BackupCopyFailed:
        pass
    """
    (wait,) = (one for one in _spans_of(run, do) if one.name == "fsxcopy.wait")

    assert "ERROR" == wait.status
    assert "BackupCopyFailed" == wait.attributes["error.type"]
    assert "FAILED" == wait.attributes["fsxcopy.lifecycle"]


def test_the_code_that_watches_keeps_its_span(run: _Run) -> None:
    """Between two observations the current span is the program's, and a wait left early ends."""
    do = """
    copy = await client.copy_backup(SOURCE, source_region="us-east-2")
    watch = client.watch_backup(copy.backup.backup_id)
    async for seen in watch:
        assert trace.get_current_span().name == "root"
        break
    await watch.aclose()
    assert trace.get_current_span().name == "root"
    """
    (wait,) = (one for one in _spans_of(run, do) if one.name == "fsxcopy.wait")

    assert ("UNSET", 1) == (wait.status, wait.attributes["fsxcopy.polls"])


def test_bulk_copies_and_syncs_have_spans(run: _Run) -> None:
    """The copies of a plan are below its span; each span counts its outcomes."""
    do = """
    policy = ReplicationPolicy(name="nightly")
    async with client.with_region("us-east-2") as source:
        plan = await plan_replication(source, client, policy)
    async with apply_plan(plan, client) as applied:
        async for _ in applied:
            assert trace.get_current_span().name == "root"
    """
    seen = {one.name: one for one in _spans_of(run, do)}

    applied, copies = seen["fsxcopy.apply_plan"], seen["fsxcopy.copy_many"]
    parents = [seen[name].parent for name in ("fsxcopy.wait", "FSx.CopyBackup")]
    assert ["fsxcopy.copy_many"] * 2 == parents
    assert ("root", "fsxcopy.apply_plan") == (applied.parent, copies.parent)
    assert {
        "cloud.region": "us-west-2",
        "fsxcopy.source_region": "us-east-2",
        "fsxcopy.policy": "nightly",
        "fsxcopy.outcomes.Copied": 1,
    } == applied.attributes
    assert {"cloud.region": "us-west-2", "fsxcopy.outcomes.Copied": 1} == copies.attributes


_FAKE = """
class Fake:
    region = "us-west-2"
    left = ["COPYING", "AVAILABLE"]

    async def describe_backups(self, request):
        with trace.get_tracer("fake").start_as_current_span("call"):
            backup = {"BackupId": request["BackupIds"][0], "Lifecycle": self.left.pop(0),
                "Type": "USER_INITIATED", "CreationTime": 1e9,
                "FileSystem": {"FileSystemId": "fs-0123456789abcdef0"}}
        return RawResponse(operation="DescribeBackups", payload={"Backups": [backup]},
            metadata=ResponseMetadata())

    copy_backup = delete_backup = describe_backups

async def main():
    async with FsxCopyClient(transport=Fake(), clock=ManualClock(auto_advance=True)) as client:
        await client.wait_until_backup_available(SOURCE)
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_spans_on_both_event_loops(run: _Run, backend: str) -> None:
    """The calls of a wait are its children, whatever loop runs it."""
    printed = run(f"{_BEFORE}\n{_FAKE}\nanyio.run(main, backend={backend!r})\n{_SHOW}")

    tree = [(one.name, one.parent) for one in _spans(printed)]
    assert [("call", "fsxcopy.wait")] * 2 + [("fsxcopy.wait", None)] == tree


def test_nothing_is_needed_without_opentelemetry(run: _Run) -> None:
    """Where its API is not installed, waits and copies are as they are."""
    program = """
import sys
sys.modules["opentelemetry"] = None
import anyio
from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk.bulk import CopyRequest, copy_many
from fsxcopy_sdk.testing import LocalFsx, ManualClock

async def do(fsx, client):
    request = CopyRequest(source_backup_id="backup-03e3c82e0183b7b6b", source_region="us-east-2")
    async with copy_many(client, [request]) as copies:
        print([type(one).__name__ async for one in copies])

async def main():
    clock = ManualClock(auto_advance=True)
    async with LocalFsx(clock=clock) as fsx:
        fsx.add_example_backup()
        client = FsxCopyClient("us-west-2", endpoint_url=fsx.endpoint_url, clock=clock)
        async with client:
            await do(fsx, client)

anyio.run(main)
"""
    assert "['Copied']\n" == run(program)


@pytest.mark.usefixtures("served")
def test_the_program_of_the_page(run: _Run) -> None:
    """It prints the spans of a copy and of the wait for it."""
    program, *_ = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

    printed = run(program)

    names = re.findall(r'^    "name": "(.*)"', printed, re.MULTILINE)
    assert ["FSx.CopyBackup", "FSx.DescribeBackups", "fsxcopy.wait", "copy of the night"] == names


# Log records.


def _documented() -> set[str]:
    rows = re.findall(r"^\| (`.*?) \| [a-z]", PAGE, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


async def _make_records(fsx: LocalFsx, client: FsxCopyClient) -> None:
    """Do what is logged: calls, waits, copies, failures, an end with copies in progress."""
    fsx.inject(Fault.throttling(), operation="CopyBackup")
    request = CopyRequest(source_backup_id=SOURCE, source_region=EXAMPLE_REGION)
    async with copy_many(client, [request]) as copies:
        async for _ in copies:
            pass
    fsx.inject(Fault.error("AccessDeniedException"), operation="DescribeBackups")
    with pytest.raises(CallError):
        await client.wait_until_backup_available("backup-00000000")
    fresh = fsx.add_backup(EXAMPLE_REGION)
    copies = copy_many(client, [CopyRequest(source_backup_id=fresh, source_region=EXAMPLE_REGION)])
    async with copies:
        while not copies.in_progress:
            await client.clock.sleep(0.01)


async def test_every_record_has_documented_attributes(
    fsx: LocalFsx, client: FsxCopyClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Each record has its Region, and nothing that the page does not name or JSON cannot hold."""
    caplog.set_level(logging.DEBUG, "fsxcopy_sdk")

    await _make_records(fsx, client)

    records = [one for one in caplog.records if one.name.startswith("fsxcopy_sdk.")]
    extras = [vars(one).keys() - _STANDARD for one in records]
    kinds = {type(vars(one)[name]) for one in records for name in vars(one).keys() - _STANDARD}
    assert {"fsxcopy_sdk.bulk", "fsxcopy_sdk.client", "fsxcopy_sdk.transport"} <= {
        one.name for one in records
    }
    assert all("region" in names for names in extras)
    assert set[str]() == set[str]().union(*extras) - _documented()
    assert {str, int, float, type(None)} >= kinds


def _logging_calls() -> list[tuple[str, ast.Call]]:
    root = Path(fsxcopy_sdk.__path__[0])
    return [
        (f"{path.relative_to(root)}:{node.lineno}", node)
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "_log"
    ]


def test_every_call_of_a_logger_gives_attributes() -> None:
    """No record is a text alone."""
    calls = _logging_calls()

    assert 10 < len(calls)
    assert [] == [
        place for place, call in calls if "extra" not in {one.arg for one in call.keywords}
    ]


@pytest.mark.parametrize("library", ["json", "structlog"])
async def test_formatters_show_the_attributes(
    client: FsxCopyClient, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Formatters that write JSON have the attributes beside the text."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    formatters: dict[str, logging.Formatter] = {
        "json": JsonFormatter("%(levelname)s %(message)s"),
        "structlog": structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(),
            foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
        ),
    }
    handler.setFormatter(formatters[library])
    logger = logging.getLogger("fsxcopy_sdk.client")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        copy = await client.copy_backup(SOURCE, source_region=EXAMPLE_REGION)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)

    (line,) = written.getvalue().splitlines()
    assert {
        "backup_id": copy.backup.backup_id,
        "source_backup_id": SOURCE,
        "region": "us-west-2",
    }.items() <= json.loads(line).items()

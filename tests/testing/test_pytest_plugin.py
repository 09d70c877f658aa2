"""The fixtures for pytest, in runs as users have them: with any plugin for async tests."""

import json
from collections.abc import Callable
from importlib.util import find_spec

import pytest

BOTO3 = """
    import os
    import boto3
    import pytest

    def copy(fsx):
        source = fsx.add_example_backup("us-east-2")
        west = boto3.client("fsx", "us-west-2")
        answer = west.copy_backup(SourceBackupId=source, SourceRegion="us-east-2")
        return west, answer["Backup"]["BackupId"]

    def lifecycle(west, backup_id):
        [backup] = west.describe_backups(BackupIds=[backup_id])["Backups"]
        return backup["Lifecycle"]
"""

ASYNC = """
    import pytest
    from fsxcopy_sdk import BackupLifecycle

    async def copy_for_hours(fsx, fsx_client, clock, **how):
        source = fsx.add_example_backup("us-east-2")
        async with fsx_client("us-west-2", **how) as west, fsx_client("us-east-2", **how) as east:
            copy = await west.copy_backup_and_wait(source, source_region="us-east-2")
            assert copy.lifecycle is BackupLifecycle.AVAILABLE
            assert (await east.describe_backup(source)).backup_id == copy.source_backup_id
        assert clock.now() >= 4 * 3600
"""


NO_ASYNC = ("-p", "no:asyncio", "-p", "no:anyio")


@pytest.fixture(name="run")
def _run(pytester, monkeypatch) -> Callable[..., pytest.RunResult]:
    """Return what runs tests in a pytest of their own, where warnings are errors."""
    # As long as there is none, pytester's own pytest.ini of none is the project's.
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)

    def run(*sources: str, options: tuple[str, ...] = NO_ASYNC) -> pytest.RunResult:
        pytester.makepyfile("\n".join(map(_dedent, sources)))
        return pytester.runpytest_subprocess("--strict-markers", "-W", "error", *options)

    return run


def _dedent(source: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in source.splitlines())


# Each kind of event loop, and none


def test_no_plugin_for_async_tests(run) -> None:
    """boto3 follows a copy as the clock moves; `asyncio.run` runs our client, which moves it."""
    source = """
    import asyncio

    @pytest.mark.fsx(copy_duration=60)
    def test_boto3(fsx, fsx_clock):
        west, copied = copy(fsx)
        assert lifecycle(west, copied) == "COPYING"
        fsx_clock.advance(60)
        assert lifecycle(west, copied) == "AVAILABLE"
        west.tag_resource(
            ResourceARN=fsx.backup("us-west-2", copied)["ResourceARN"],
            Tags=[{"Key": "a", "Value": "b"}],
        )
        assert {"Key": "a", "Value": "b"} in fsx.backup("us-west-2", copied)["Tags"]
        assert fsx.calls == {"CopyBackup": 1, "DescribeBackups": 2, "TagResource": 1}

    @pytest.mark.fsx(copy_duration=4 * 3600)
    def test_ours(fsx, fsx_client, fsx_clock):
        asyncio.run(copy_for_hours(fsx, fsx_client, fsx_clock))
    """
    run(BOTO3, ASYNC, source).assert_outcomes(passed=2)


ASYNC_TEST = """
    @pytest.mark.fsx(copy_duration=4 * 3600)
    @pytest.mark.parametrize("number", range(3))
    async def test_ours(fsx, fsx_client, fsx_clock, number):
        await copy_for_hours(fsx, fsx_client, fsx_clock)
        [copy] = fsx.backups("us-west-2")
"""


@pytest.mark.parametrize("scope", ["function", "session"])
@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_pytest_asyncio(run, mode: str, scope: str) -> None:
    """Both modes of pytest-asyncio run them, on a loop for each test or one for all."""
    mark = "    pytestmark = pytest.mark.asyncio\n" if mode == "strict" else ""
    same_loop = f"""
    import asyncio
    loops = []

    @pytest.fixture
    async def opened(fsx, fsx_client):
        async with fsx_client("us-west-2") as client:
            yield client

    async def test_fixture(fsx, opened):
        backup_id = fsx.add_backup("us-west-2")
        assert [one.backup_id async for one in opened.iter_backups()] == [backup_id]
        loops.append(asyncio.get_running_loop())

    async def test_another(fsx, opened):
        assert [one.backup_id async for one in opened.iter_backups()] == []
        assert (loops == [asyncio.get_running_loop()]) is {scope == "session"}
    """
    if mode == "strict":
        same_loop = same_loop.replace("@pytest.fixture", "@pytest_asyncio.fixture")
        mark += "    import pytest_asyncio\n"
    options = (
        *("-p", "no:anyio", "-o", f"asyncio_mode={mode}"),
        *("-o", f"asyncio_default_fixture_loop_scope={scope}"),
        *("-o", f"asyncio_default_test_loop_scope={scope}"),
    )
    run(ASYNC, mark, ASYNC_TEST, same_loop, options=options).assert_outcomes(passed=5)


def test_anyio(run) -> None:
    """anyio's plugin runs them on asyncio, and on trio where aiobotocore can."""
    backends = ["asyncio", "trio"] if find_spec("httpx2") else ["asyncio"]
    source = f"""
    import sniffio
    from aiobotocore.config import AioConfig

    pytestmark = pytest.mark.anyio

    @pytest.fixture(params={backends})
    def anyio_backend(request):
        return request.param

    @pytest.mark.fsx(copy_duration=4 * 3600)
    async def test_ours(fsx, fsx_client, fsx_clock, anyio_backend):
        assert sniffio.current_async_library() == anyio_backend
        how = {{}}
        if anyio_backend == "trio":
            from aiobotocore.httpxsession import HttpxSession

            how = {{"config": AioConfig(http_session_cls=HttpxSession)}}
        await copy_for_hours(fsx, fsx_client, fsx_clock, **how)
    """
    done = run(ASYNC, source, options=("-p", "no:asyncio"))
    done.assert_outcomes(passed=len(backends))


# The environment


MACHINE = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "a-real-token",
    "AWS_ACCESS_KEY_ID": "AREALKEY",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "NO_PROXY": "example.com",
}


def test_environment_of_the_machine(run, monkeypatch) -> None:
    """Profiles, tokens, proxies and endpoints of the machine are out of the way, and come back."""
    for name, text in MACHINE.items():
        monkeypatch.setenv(name, text)
    source = f"""
    machine = {MACHINE!r}

    def test_with(fsx):
        west, copied = copy(fsx)
        assert boto3.client("fsx").meta.region_name == "eu-central-1"
        [call] = fsx.requests
        assert "a-real-token" not in str(call.headers)
        assert "AREALKEY" not in os.environ["AWS_ACCESS_KEY_ID"]

    def test_without():
        assert machine == {{name: os.environ.get(name) for name in machine}}
        assert "AWS_ENDPOINT_URL_FSX" not in os.environ
    """
    run(BOTO3, source).assert_outcomes(passed=2)


@pytest.mark.parametrize(("attempts", "calls"), [(None, 1), ("3", 3)])
def test_attempts(run, monkeypatch, attempts: str | None, calls: int) -> None:
    """A call is tried once, so that a test sees each fault, unless the environment says more."""
    if attempts:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", attempts)
    source = f"""
    from fsxcopy_sdk.testing import Fault
    from botocore.exceptions import ClientError

    @pytest.mark.fsx_fault(Fault.internal_error(), fraction=1.0)
    def test_fault(fsx):
        with pytest.raises(ClientError, match="InternalServerError"):
            copy(fsx)
        assert fsx.calls == {{"CopyBackup": {calls}}}
    """
    run(BOTO3, source).assert_outcomes(passed=1)


# Markers


def test_markers(run) -> None:
    """Markers set the limits, the durations, the clock and the faults; the closest one wins."""
    source = """
    from datetime import timedelta
    from botocore.exceptions import ClientError
    from fsxcopy_sdk.testing import Fault

    pytestmark = [pytest.mark.fsx(copy_duration=1000, max_copies_in_progress=1)]

    @pytest.mark.fsx(copy_duration=timedelta(minutes=1))
    @pytest.mark.fsx_clock(start=100)
    def test_limit(fsx, fsx_clock):
        west, copied = copy(fsx)
        with pytest.raises(west.exceptions.ServiceLimitExceeded):
            west.copy_backup(SourceBackupId=fsx.add_backup("us-west-2"))
        assert fsx_clock.now() == 100
        fsx_clock.advance(60)
        assert lifecycle(west, copied) == "AVAILABLE"

    class TestFaults:
        pytestmark = [pytest.mark.fsx_fault(Fault.unavailable())]

        @pytest.mark.fsx_fault(Fault.throttling(), next_calls=2, operation="CopyBackup")
        def test_faults(self, fsx):
            for code in ("ThrottlingException", "ThrottlingException", "ServiceUnavailable"):
                with pytest.raises(ClientError, match=code):
                    boto3.client("fsx", "us-west-2").copy_backup(SourceBackupId="backup-00000000")
            with pytest.raises(ClientError, match="BackupNotFound"):
                boto3.client("fsx", "us-west-2").copy_backup(SourceBackupId="backup-00000000")
    """
    run(BOTO3, source).assert_outcomes(passed=2)


WRONG_MARKERS = {
    "fsx(copy_duraton=5)": "fsx: there is no argument 'copy_duraton'; there are clock, copy_",
    "fsx(copy_duration='5')": "fsx: copy_duration must be seconds or a timedelta, not '5'",
    "fsx(max_copies_in_progress=0)": "fsx: max_copies_in_progress must be 1 or more, not 0",
    "fsx(60)": "fsx: arguments need a name, unlike 60",
    "fsx(clock=None)": "fsx: the clock is that of the fixture fsx_clock",
    "fsx_clock(speed=2)": "fsx_clock: there is no argument 'speed'; there are start, auto_",
    "fsx_clock(start='now')": "fsx_clock: start must be a finite number of seconds, not 'now'",
    "fsx_clock(stall_timeout=0)": "fsx_clock: stall_timeout must be a finite number of secon",
    "fsx_fault('throttling')": "fsx_fault: fault must be a Fault, such as Fault.throttling(),",
    "fsx_fault()": "fsx_fault: *missing*'fault'",
    "fsx_fault(F.reset(), calls=2)": "fsx_fault: there is no argument 'calls'; there are fault",
    "fsx_fault(F.reset(), next_calls=0)": "fsx_fault: next_calls must be a whole number, one",
}


def test_wrong_markers(run) -> None:
    """A mistake in a marker fails the test, and names the marker, the argument and the rule."""
    source = """
    import pytest
    from fsxcopy_sdk.testing import Fault as F
    """ + "".join(
        f"""
    @pytest.mark.{marker}
    def test_{number}(fsx):
        pass
    """
        for number, marker in enumerate(WRONG_MARKERS)
    )
    done = run(source)
    done.assert_outcomes(errors=len(WRONG_MARKERS))
    done.stdout.fnmatch_lines([f"*@pytest.mark.{words}*" for words in WRONG_MARKERS.values()])
    done.stdout.no_fnmatch_line("*pytest_plugin.py*")
    done.stdout.no_fnmatch_line("*During handling*")


def test_markers_are_listed(run) -> None:
    """`pytest --markers` and `--fixtures` explain them."""
    shown = run("", options=(*NO_ASYNC, "--markers")).stdout.str()
    for name in ("fsx(", "fsx_clock(", "fsx_fault("):
        assert f"@pytest.mark.{name}" in shown
    shown = run("", options=(*NO_ASYNC, "--fixtures")).stdout.str()
    for name in ("fsx_clock", "fsx", "fsx_client"):
        assert f"\n{name} -- " in shown


def test_fixtures_of_ones_own(run) -> None:
    """A clock of one's own takes the place of the fixture's."""
    source = """
    from fsxcopy_sdk.testing import ScaledClock

    @pytest.fixture
    def fsx_clock():
        return ScaledClock(1e9)

    def test_own(fsx, fsx_clock):
        west, copied = copy(fsx)
        while lifecycle(west, copied) != "AVAILABLE":
            pass
        assert fsx.clock is fsx_clock
    """
    run(BOTO3, source).assert_outcomes(passed=1)


# Waits for a clock that stands still


STALLED = "*the clock stands still at 0. Call its advance(seconds), or let it move*"
REPEATED = "*DescribeBackups is repeated while the clock of this local FSx stands still.*"


@pytest.mark.parametrize(
    ("clock", "test", "words"),
    [
        (
            "auto_advance=False",
            """
    def test_wait(fsx, fsx_client, fsx_clock):
        asyncio.run(copy_for_hours(fsx, fsx_client, fsx_clock))
            """,
            STALLED,
        ),
        (
            "",
            """
    def test_wait(fsx):
        west, copied = copy(fsx)
        while lifecycle(west, copied) != "AVAILABLE":
            time.sleep(0.01)
            """,
            REPEATED,
        ),
        (
            "",
            """
    def test_wait(fsx):
        from fsxcopy_sdk import FsxCopyClient, WaitSchedule

        _, copied = copy(fsx)

        async def wait():
            schedule = WaitSchedule(min_delay=1)
            async with FsxCopyClient("us-west-2") as client:
                await client.wait_until_backup_available(copied, schedule=schedule)

        asyncio.run(wait())
            """,
            REPEATED,
        ),
    ],
    ids=["sleeps on it", "polls by boto3", "sleeps on the machine's"],
)
def test_stalled(run, clock: str, test: str, words: str) -> None:
    """A wait that would hang fails, and says what to do."""
    mark = f"""
    import asyncio, time
    pytestmark = pytest.mark.fsx_clock({clock and f"{clock}, "}stall_timeout=0.3)
    """
    done = run(BOTO3, ASYNC, mark, test)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([f"E {words}"])


# What it costs


def test_unused_plugin_loads_nothing(pytester, run, monkeypatch) -> None:
    """A run that uses none of it loads none of what it needs."""
    suspects = ("attrs", "aiohttp", "anyio", "orjson", "fsxcopy_sdk.enums", "fsxcopy_sdk.models")
    source = f"""
    import json, sys

    def test_nothing(pytestconfig):
        assert pytestconfig.pluginmanager.has_plugin("fsxcopy")
        with open("loaded.json", "w") as file:
            json.dump([name for name in {suspects} if name in sys.modules], file)
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    run(source, options=("-p", "fsxcopy")).assert_outcomes(passed=1)
    assert [] == json.loads((pytester.path / "loaded.json").read_text("utf-8"))

"""``python -m fsxcopy_sdk.testing``."""

import re
import signal
import socket
import subprocess
import sys

import boto3
import pytest

from fsxcopy_sdk.testing import EXAMPLE_BACKUP
from fsxcopy_sdk.testing.__main__ import main


def started(*arguments: str) -> subprocess.Popen:
    """Start the module as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "fsxcopy_sdk.testing", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_told(number) -> None:
    """The first line is the endpoint, a signal ends it with exit code 0."""
    with started() as process:
        url = process.stdout.readline()
        process.send_signal(number)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", url)
    assert 0 == process.returncode


def test_serves_other_processes() -> None:
    """A synchronous client copies the example, which is soon AVAILABLE."""
    with started("--with-example", "--speed", "1000000", "--copy-duration", "60") as process:
        url, backup_id = (process.stdout.readline().strip() for _ in range(2))
        client = boto3.client(
            "fsx",
            "us-west-2",
            endpoint_url=url,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        answer = client.copy_backup(SourceBackupId=backup_id, SourceRegion="us-east-2")
        lifecycle = answer["Backup"]["Lifecycle"]
        while lifecycle == "COPYING":
            lifecycle = client.describe_backups()["Backups"][0]["Lifecycle"]
        client.close()
        process.send_signal(signal.SIGTERM)

    assert (EXAMPLE_BACKUP["BackupId"], "AVAILABLE") == (backup_id, lifecycle)


@pytest.mark.parametrize(("option", "seen"), [([], 0), (["--one-account"], 1)])
def test_accounts(option, seen) -> None:
    """Further keys have accounts of their own, or all have the account of the example."""
    with started("--with-example", *option) as process:
        url = process.stdout.readline().strip()
        held = []
        for key in ("first", "second"):
            client = boto3.client(
                "fsx",
                "us-east-2",
                endpoint_url=url,
                aws_access_key_id=key,
                aws_secret_access_key="secret",
            )
            held.append(len(client.describe_backups()["Backups"]))
            client.close()
        process.send_signal(signal.SIGTERM)

    assert [1, seen] == held


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speed", "0"], "speed must be a finite number above zero"),
        (["--copy-duration", "-1"], "copy_duration must be finite"),
        (["--port", "70000"], "port must be 0 to 65535"),
        (["--port", "x"], "invalid int value"),
    ],
)
def test_bad_arguments(capsys, arguments, message) -> None:
    """A bad argument ends it with exit code 2 and the rule."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert 2 == caught.value.code
    assert message in capsys.readouterr().err


def test_taken_port_is_refused(capsys, unused_tcp_port) -> None:
    """A port that another program listens on is a usage error, in one line."""
    with (
        socket.create_server(("127.0.0.1", unused_tcp_port)),
        pytest.raises(SystemExit) as caught,
    ):
        main(["--port", str(unused_tcp_port)])
    assert 2 == caught.value.code
    assert f"port: {unused_tcp_port} cannot be served: " in capsys.readouterr().err


def test_needs_no_extra_but_testing() -> None:
    """It runs where the libraries of the extra `cli` are not installed."""
    program = (
        "import runpy, sys; sys.modules.update(dict.fromkeys(['cyclopts', 'rich'])); "
        "sys.argv[1:] = ['--help']; runpy.run_module('fsxcopy_sdk.testing', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (0, b"") == (done.returncode, done.stderr)
    assert done.stdout.startswith(b"usage: python -m fsxcopy_sdk.testing")

"""
``python -m fsxcopy_sdk.testing``.
"""

import io
import os
import re
import runpy
import signal
import socket
import subprocess
import sys

import boto3
import pytest

from fsxcopy_sdk.testing import EXAMPLE_BACKUP
from fsxcopy_sdk.testing._command import main


def started(*arguments: str) -> subprocess.Popen:
    """
    Start the module as a process of its own.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "fsxcopy_sdk.testing", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_told(number) -> None:
    """
    The first line is the endpoint, a signal ends it with exit code 0.
    """
    with started() as process:
        url = process.stdout.readline()
        process.send_signal(number)

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", url)
    assert 0 == process.returncode


def test_serves_other_processes() -> None:
    """
    A synchronous client copies the example, which is soon AVAILABLE.
    """
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


class Output(io.StringIO):
    """
    Send this process SIGTERM when the last of *lines* was written.
    """

    def __init__(self, lines) -> None:
        super().__init__()
        self.lines = lines

    def flush(self) -> None:
        if self.lines == self.getvalue().count("\n"):
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(("arguments", "lines"), [([], 1), (["--with-example"], 2)])
def test_as_a_module(monkeypatch, arguments, lines) -> None:
    """
    Run as a module it prints what it must, flushed, and exits with 0.
    """
    monkeypatch.setattr(sys, "argv", ["fsx", *arguments])
    monkeypatch.setattr(sys, "stdout", output := Output(lines))
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("fsxcopy_sdk.testing", run_name="__main__")

    assert 0 == caught.value.code
    assert lines == len(output.getvalue().splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speed", "0"], "speed must be a finite number above zero"),
        (["--copy-duration", "-1"], "copy_duration must be finite"),
        (["--port", "70000"], "port must be between 0 and 65535"),
        (["--port", "x"], "invalid int value"),
    ],
)
def test_bad_arguments(monkeypatch, capsys, arguments, message) -> None:
    """
    A bad argument ends it with exit code 2 and the rule.
    """
    monkeypatch.setattr(sys, "argv", ["fsx", *arguments])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("fsxcopy_sdk.testing", run_name="__main__")

    assert 2 == caught.value.code
    assert message in capsys.readouterr().err


def test_importing_it_serves_nothing(capsys) -> None:
    """
    The module serves when it is run, not when something imports it.
    """
    runpy.run_module("fsxcopy_sdk.testing.__main__", run_name="imported")

    assert "" == capsys.readouterr().out


def test_taken_port_is_said(capsys, unused_tcp_port) -> None:
    """
    A port that somebody else listens on is bad usage, in one line.
    """
    with (
        socket.create_server(("127.0.0.1", unused_tcp_port)),
        pytest.raises(SystemExit) as caught,
    ):
        main(["--port", str(unused_tcp_port)])

    assert 2 == caught.value.code
    assert f"port {unused_tcp_port} cannot be served: " in capsys.readouterr().err

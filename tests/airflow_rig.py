"""Airflow on sqlite in a temporary folder, against a local FSx that another thread serves."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

import attrs

from fsxcopy_sdk.testing import LocalFsx

_FOLDER = Path(__file__).parent / "airflow"
SOURCE_REGION, REGION = "us-east-2", "us-west-2"
_BLOCKED = re.compile(r"(\d{4}-\S+).*thread was blocked for ([0-9.]+) seconds")
PROCESSES = ("api-server", "scheduler", "dag-processor", "triggerer")


@contextmanager
def served(fsx: LocalFsx) -> Iterator[LocalFsx]:
    """Serve a local FSx from an event loop in a thread."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def main() -> None:
        async with fsx:
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    ready.wait()
    try:
        yield fsx
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def fleet_file(folder: Path, *file_system_ids: str) -> Path:
    """Write a fleet that copies three backups of each file system into eu-west-1."""
    file = folder / "fleet.toml"
    file.write_text(
        "version = 1\n[[policy]]\nname = 'nightly'\nnewest = 3\n"
        f"file_system_ids = {list(file_system_ids)}\n"
        "source = { region = 'us-east-2' }\ndestination = [{ region = 'eu-west-1' }]\n",
        "utf-8",
    )
    return file


def settings(home: Path, endpoint_url: str) -> dict[str, str]:
    """Return the environment of all processes of Airflow, beside the DAG's own."""
    connection = {
        "conn_type": "aws",
        "login": "AKIDEXAMPLE",
        "password": "any",
        "extra": {"region_name": REGION, "endpoint_url": endpoint_url},
    }
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(_FOLDER / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_CONN_AWS_LOCAL": json.dumps(connection),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
    }


def migrate(environment: dict[str, str]) -> None:
    """Make Airflow's database."""
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
        return port


@attrs.define
class Airflow:
    """The processes of an Airflow that runs its DAGs."""

    home: Path
    environment: dict[str, str]
    _running: dict[str, subprocess.Popen[bytes]] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        port = _free_port()
        self.environment |= {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": "a secret of this test",
            "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__INTERNAL_API_SECRET_KEY": "a third secret",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            # A triggerer that is gone is noticed after seconds, not after half a minute.
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
            "PYTHONPATH": str(_FOLDER / "site"),
            "FSX_COLLECTIONS": str(self.home / "collections"),
        }

    def start(self, name: str) -> None:
        """Start one process, in a group of its own."""
        # Logs are read from their files, so nothing needs to be served at a fixed port.
        options = ["--skip-serve-logs"] if name in ("scheduler", "triggerer") else []
        with (self.home / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", name, *options],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill a process with what it has started, as a machine that loses its power."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def __enter__(self) -> Self:
        migrate(self.environment)
        for name in PROCESSES:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.terminate()
        deadline = time.monotonic() + 10
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def states(self) -> dict[str, list[str]]:
        """Return the states of the instances of each task."""
        found: dict[str, list[str]] = {}
        query = "select task_id, coalesce(state, '') from task_instance order by map_index"
        for task, state in self._rows(query):
            found.setdefault(task, []).append(state)
        return found

    def xcoms(self, task: str) -> list[dict[str, object]]:
        """Return what the instances of a task have returned."""
        query = (
            "select value from xcom where key = 'return_value' and task_id = ? order by map_index"
        )
        return [json.loads(value) for (value,) in self._rows(query, task)]

    def run_state(self) -> str:
        """Return the state of the DAG's run; nothing while there is none."""
        rows = self._rows("select state from dag_run")
        return rows[0][0] if rows else ""

    def _rows(self, query: str, *values: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self.home / "airflow.db", timeout=30)) as database:
            return database.execute(query, values).fetchall()

    def log(self, name: str) -> str:
        """Return what a process has logged so far."""
        return (self.home / f"{name}.log").read_text("utf-8", errors="replace")

    def blocked(self) -> list[float]:
        """Return for how long the triggerer's event loop stood still, collections aside."""
        collections = [
            (float(at), float(seconds))
            for name, at, seconds in map(str.split, self._lines("collections"))
            if name == "triggerer"
        ]
        found = []
        for line in self.log("triggerer").splitlines():
            if warning := _BLOCKED.search(line):
                seconds, at = float(warning[2]), datetime.fromisoformat(warning[1]).timestamp()
                # The warning comes after the next tenth of a second.
                own = (one for end, one in collections if at - seconds - 0.3 < end < at + 0.1)
                found.append(seconds - sum(own))
        return found

    def _lines(self, name: str) -> list[str]:
        file = self.home / name
        return file.read_text("utf-8").splitlines() if file.exists() else []

    def until(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for a condition; if it takes too long, fail with the logs."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(f"{name}:\n{self.log(name)[-3000:]}" for name in PROCESSES)
                raise AssertionError(f"not after {seconds} s: {what}; {self.states()}\n{logs}")
            time.sleep(0.5)

"""`dag.test()`: a DAG in one process, with its triggers inline, as its author tries it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow_rig import REGION, SOURCE_REGION, fleet_file, migrate, served, settings

from fsxcopy_sdk.testing import LocalFsx, ScaledClock

_HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "airflow.md"
_PROGRAM = """
import fsx_copies
run = fsx_copies.dag.test()
print(run.state, *(f"{one.task_id}={one.state}" for one in run.get_task_instances()))
"""


def test_the_programs_of_the_how_to_are_dags(tmp_path: Path) -> None:
    """They are parsed as Airflow parses a DAG's file."""
    programs = re.findall(
        r"^```python\n(.*?)^```", _HOW_TO.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert 3 == len(programs)
    names: dict[str, Any] = {"ids": ["backup-03e3c82e0183b7b6b"]}
    exec(programs[0], names)
    assert {"new_backups", "copy", "sync"} == set(names["dag"].task_ids)
    with DAG("another", schedule=None) as dag:
        for program in programs[1:]:
            exec(program, names)
    assert {"sync_one", "copy"} == set(dag.task_ids)


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_dag_is_tested_in_one_process(deferrable: bool, tmp_path: Path) -> None:
    """All operators and the sensor succeed, deferred or not, and each backup is copied once."""
    with served(LocalFsx(clock=ScaledClock(100), copy_duration=300)) as fsx:
        sources = [fsx.add_backup(SOURCE_REGION) for _ in range(3)]
        given = {
            "mapped": sources[:2],
            "many": sources,
            "fleet": str(fleet_file(tmp_path)),
            "deferrable": deferrable,
        }
        environment = {
            **settings(tmp_path, fsx.endpoint_url),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "FSX_COPIES": json.dumps(given),
        }
        environment["PYTHONPATH"] = environment["AIRFLOW__CORE__DAGS_FOLDER"]
        migrate(environment)
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        copied = [len(fsx.backups(one)) for one in (REGION, "eu-central-1", "eu-west-1")]

    assert "success" == done.stdout.splitlines()[-1].split()[0], done.stdout[-5000:] + done.stderr
    assert "failed" not in done.stdout.splitlines()[-1]
    assert [2, 3, 3] == copied

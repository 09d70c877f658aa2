"""A temporary Airflow, and a local FSx behind one of its connections."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest

from fsxcopy_sdk.testing import LocalFsx, ManualClock

# This folder has the name of the package that it needs.
IS_INSTALLED = find_spec("airflow.sdk") is not None
collect_ignore_glob = [] if IS_INSTALLED else ["test_[!i]*.py"]

if IS_INSTALLED:
    # Airflow reads these when it is imported, and makes its files there.
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="fsxcopy-airflow-")
    os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"


@pytest.fixture(name="fsx")
async def _fsx(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalFsx]:
    """A local FSx whose copies take half an hour, behind the connection `aws_local`."""
    async with LocalFsx(clock=clock, copy_duration=1800.0) as fsx:
        connection = {
            "conn_type": "aws",
            "login": "AKIDEXAMPLE",
            "password": "a-secret-key",
            "extra": {
                "region_name": "us-west-2",
                "endpoint_url": fsx.endpoint_url,
                "config_kwargs": {"retries": {"total_max_attempts": 1}},
            },
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_LOCAL", json.dumps(connection))
        yield fsx

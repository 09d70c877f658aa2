"""Where Airflow is not installed, the tests of this folder are not collected; this one says so."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def test_airflow_is_installed() -> None:
    """The session `airflow` of nox has it, in an environment of its own."""
    if find_spec("airflow.sdk") is None:
        pytest.skip("Airflow is not installed here, so tests/airflow is left out: nox -s airflow")

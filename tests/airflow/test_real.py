"""The real thing: scheduler, DAG processor, API server and triggerer, one of them killed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from airflow_rig import REGION, SOURCE_REGION, Airflow, fleet_file, served, settings

from fsxcopy_sdk.testing import LocalFsx, ScaledClock

_MAPPED, _MANY, _SYNCED = 12, 8, 3
_MAX_BLOCKED = 0.5
"""Seconds that the triggerer's event loop may stand still, garbage collections aside."""


# It takes some four minutes on a machine with two cores.
@pytest.mark.timeout(900)
def test_a_triggerer_may_be_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever waits in a triggerer that is killed ends well in the next one, copied once."""
    # A copy takes 50 s of the machine's time: five at once, so twelve take three waves.
    with served(LocalFsx(clock=ScaledClock(6), copy_duration=300)) as fsx:
        fleet = fleet_file(tmp_path, "fs-0123456789abcdef0")
        synced = {"FileSystemId": "fs-0123456789abcdef0", "FileSystemType": "LUSTRE"}
        for _ in range(_SYNCED):
            fsx.add_backup(SOURCE_REGION, FileSystem=synced)
        given = {
            "mapped": [fsx.add_backup(SOURCE_REGION) for _ in range(_MAPPED)],
            "many": [fsx.add_backup(SOURCE_REGION) for _ in range(_MANY)],
            "fleet": str(fleet),
        }
        environment = {
            **settings(tmp_path, fsx.endpoint_url),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "FSX_COPIES": json.dumps(given),
        }
        with Airflow(tmp_path, environment) as airflow:
            # Every operator waits then, and some mapped tasks wait for capacity.
            regions = (REGION, "eu-central-1", "eu-west-1")
            airflow.until(
                "copies are in progress in all Regions",
                lambda: (
                    all(fsx.copies_in_progress(one) >= 3 for one in regions)
                    and airflow.states()["copy"].count("deferred") >= 6
                ),
                180,
            )
            airflow.kill("triggerer")
            airflow.start("triggerer")
            airflow.until("the run ends", lambda: airflow.run_state() not in ("", "running"), 500)

            states, results = airflow.states(), airflow.xcoms("copy")
            blocked = airflow.blocked()
        asked = Counter((one.operation, one.region) for one in fsx.requests)
        made = {region: fsx.backups(region) for region in regions}

    described = [
        one.body
        for one in fsx.requests
        if (one.operation, one.region) == ("DescribeBackups", REGION)
    ]
    listings = sum("BackupIds" not in one for one in described)
    requests = asked["CopyBackup", REGION]
    text = f"{len(described)} DescribeBackups, {listings} of them listings; {requests} CopyBackup"
    with capsys.disabled():
        print(f"\n{text}; stood still for {blocked}, collections aside")  # noqa: T201
    assert {"success"} == {state for task in states.values() for state in task}, states
    assert [_MAPPED, _MANY, _SYNCED] == [len(made[region]) for region in regions]
    assert set(given["mapped"]) == {one["SourceBackupId"] for one in made[REGION]}
    assert {one["BackupId"] for one in made[REGION]} == {one["BackupId"] for one in results}
    assert len(described) <= 30
    assert [] == [seconds for seconds in blocked if seconds > _MAX_BLOCKED]

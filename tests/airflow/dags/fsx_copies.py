"""A DAG that copies, as the how-to has it; what it copies is in a variable of the environment."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta

from airflow.sdk import DAG

from fsxcopy_sdk.airflow import (
    FsxBackupAvailableSensor,
    FsxCopyBackupOperator,
    FsxCopyBackupsOperator,
    FsxSyncOperator,
)

given = json.loads(os.environ["FSX_COPIES"])

with DAG(
    "fsx_copies",
    schedule="@once",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - in Airflow's time zone
    is_paused_upon_creation=False,
    max_active_tasks=32,
    default_args={
        "aws_conn_id": "aws_local",
        "deferrable": given.get("deferrable", True),
        "retries": 0,
        "retry_delay": timedelta(seconds=1),
    },
) as dag:
    copy = FsxCopyBackupOperator.partial(
        task_id="copy", source_region="us-east-2", tags={"Purpose": "dr"}
    ).expand(source_backup_id=given["mapped"])
    wait = FsxBackupAvailableSensor(
        task_id="wait", backup_id="{{ ti.xcom_pull('copy', map_indexes=0)['BackupId'] }}"
    )
    copy_many = FsxCopyBackupsOperator(
        task_id="copy_many",
        source_backup_ids=given["many"],
        source_region="us-east-2",
        region_name="eu-central-1",
    )
    sync = FsxSyncOperator(task_id="sync", config=given["fleet"])
    copy >> wait

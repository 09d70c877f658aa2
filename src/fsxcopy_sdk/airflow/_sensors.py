"""The sensor: it waits for a backup, in the triggerer or by poking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout

from fsxcopy_sdk.airflow._documents import (
    JsonDocument,
    checked,
    failed_with,
    for_task,
)
from fsxcopy_sdk.airflow._hook import FsxCopyHook
from fsxcopy_sdk.airflow._triggers import FsxBackupAvailableTrigger, connection_to

if TYPE_CHECKING:
    from airflow.sdk import Context


class FsxBackupAvailableSensor(AwsBaseSensor[FsxCopyHook]):
    """
    Wait until a backup in the Region of the connection is AVAILABLE, a copy or any other.

    It fails, whatever the retries, where the backup is FAILED or DELETED, or unknown for a
    minute, and when its `timeout` is over; for an unknown one, a poking sensor waits so long. It
    returns
    ``{"Version": 1, "Outcome": "Available", "BackupId": ..., "Region": ..., "Backup": {...}}``.

    Args:
        backup_id: The backup to wait for.
        deferrable: Whether to wait in the triggerer; if not, it pokes.
    """

    aws_hook_class = FsxCopyHook
    template_fields: Sequence[str] = aws_template_fields("backup_id")

    def __init__(self, *, backup_id: str, deferrable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.backup_id = backup_id
        self.deferrable = deferrable

    def execute(self, context: Context) -> object:
        """Defer to a trigger, or poke."""
        if self.deferrable:
            with for_task():
                region = self.hook.region()
            trigger = self._trigger(self.timeout, region)
            self.defer(trigger=trigger, method_name="execute_complete")
        return super().execute(context)

    def _trigger(self, max_wait: float, region: str | None) -> FsxBackupAvailableTrigger:
        return FsxBackupAvailableTrigger(
            backup_id=self.backup_id,
            deadline=time.time() + max_wait,
            **connection_to(self, region),
        )

    def poke(self, context: Context) -> bool | PokeReturnValue:  # noqa: ARG002 - as Airflow calls it
        """Return whether the backup is AVAILABLE, with its document."""
        event = asyncio.run(self._trigger(0.0, self.region_name).event())
        if failed_with("WaitTimeout", event) is not None:
            return False
        return PokeReturnValue(is_done=True, xcom_value=checked(event))

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - the same
        event: JsonDocument | None = None,
    ) -> JsonDocument:
        """Return the backup."""
        timeout = failed_with("WaitTimeout", event)
        if timeout is not None:  # which is not retried, as that of a poking one
            raise AirflowSensorTimeout(timeout)
        return checked(event)

"""
Copies of FSx backups as tasks of Apache Airflow, which wait in its triggerer.

`_operators` and `_sensors` are what a DAG names, `_hook` makes clients of a connection.
`_triggers` is imported by the triggerer on its event loop, and so imports little; `_running` has
what triggers and tasks do, `_shared_clients` the clients that triggers share, `_documents` what
they send each other, `_link` the link to the console.

The names are imported when they are first used, because a triggerer needs none but a trigger.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsxcopy_sdk.airflow._hook import FsxCopyHook
    from fsxcopy_sdk.airflow._link import FsxBackupLink
    from fsxcopy_sdk.airflow._operators import (
        FsxCopyBackupOperator,
        FsxCopyBackupsOperator,
        FsxSyncOperator,
    )
    from fsxcopy_sdk.airflow._sensors import FsxBackupAvailableSensor
    from fsxcopy_sdk.airflow._triggers import (
        FsxBackupAvailableTrigger,
        FsxCopyBackupsTrigger,
        FsxSyncTrigger,
    )

__all__ = [
    "FsxBackupAvailableSensor",
    "FsxBackupAvailableTrigger",
    "FsxBackupLink",
    "FsxCopyBackupOperator",
    "FsxCopyBackupsOperator",
    "FsxCopyBackupsTrigger",
    "FsxCopyHook",
    "FsxSyncOperator",
    "FsxSyncTrigger",
]

_MODULES = {
    "FsxBackupAvailableSensor": "_sensors",
    "FsxBackupAvailableTrigger": "_triggers",
    "FsxBackupLink": "_link",
    "FsxCopyBackupOperator": "_operators",
    "FsxCopyBackupsOperator": "_operators",
    "FsxCopyBackupsTrigger": "_triggers",
    "FsxCopyHook": "_hook",
    "FsxSyncOperator": "_operators",
    "FsxSyncTrigger": "_triggers",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

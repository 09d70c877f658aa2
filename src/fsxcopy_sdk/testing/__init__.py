"""
An Amazon FSx that runs on loopback, for tests without AWS.

It speaks the real protocol to any client (boto3, the AWS CLI, aiobotocore,
other languages) and follows the service's rules of backup copies. All of it is
imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsxcopy_sdk.testing._clocks import ClockStalled, ManualClock, ScaledClock
    from fsxcopy_sdk.testing._documents import EXAMPLE_BACKUP, EXAMPLE_REGION
    from fsxcopy_sdk.testing._faults import ErrorPlacement, Fault
    from fsxcopy_sdk.testing._lifecycle import ProgressShape
    from fsxcopy_sdk.testing._local_fsx import LocalFsx, serve
    from fsxcopy_sdk.testing._protocol import RecordedRequest
    from fsxcopy_sdk.testing._store import DEFAULT_ACCOUNT

__all__ = [
    "ClockStalled",
    "DEFAULT_ACCOUNT",
    "EXAMPLE_BACKUP",
    "EXAMPLE_REGION",
    "ErrorPlacement",
    "Fault",
    "LocalFsx",
    "ManualClock",
    "ProgressShape",
    "RecordedRequest",
    "ScaledClock",
    "serve",
]

_MODULES = ("_documents", "_lifecycle", "_clocks", "_store", "_faults", "_protocol", "_local_fsx")
"""Those above, each after what it imports."""


def _fetch(name: str) -> object:
    """Return what the package has under *name*, and keep it for the next time."""
    for module in _MODULES if name in __all__ else ():
        names = vars(_imported(module))
        if name in names:
            globals()[name] = names[name]
            return names[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _imported(module: str) -> ModuleType:
    try:
        return import_module(f"{__name__}.{module}")
    except AttributeError as error:
        # Python takes an AttributeError of `__getattr__` for a name that does not exist.
        raise ImportError(f"{__name__}.{module} cannot be imported: {error}") from error
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        extra = 'the local FSx needs the extra "testing": pip install "fsxcopy-sdk[testing]"'
        raise ModuleNotFoundError(extra, name=error.name) from error


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from types import ModuleType
else:
    # Not seen by type checkers, so that they know which names do not exist.
    __getattr__ = _fetch

"""
Typed async SDK for Amazon FSx backup copies.

The client, the models, the enums and the errors are here; `bulk`, `replication`, `fleet`,
`testing` and `airflow` are modules of their own. Each name is imported when it is first used,
because attrs, cattrs and aiobotocore take their time, and a command, a test runner or a
program that starts may need none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

_LISTS = ("enums", "models", "errors")
"""
The modules whose own lists say what is public. Each imports those before it, so that
searching them in this order imports no more than the one that has the name.
"""

_HOMES = {
    "BackupFilter": "_validation",
    "Clock": "_clock",
    "DEFAULT_MAX_WAIT": "waiting",
    "Duration": "_validation",
    "FsxCopyClient": "client",
    "RawResponse": "_codec",
    "Tags": "_validation",
    "Transport": "_transport",
    "WaitSchedule": "waiting",
    "from_dict": "_codec",
    "to_dict": "_codec",
}
"""The module of each other name."""


def _fetch(name: str) -> object:
    """Return what the package has under *name*, and keep it for the next time."""
    computed = {"__all__": _public, "__version__": _version}
    value = computed[name]() if name in computed else _find(name)
    globals()[name] = value
    return value


def _find(name: str) -> object:
    if name in _LISTS:
        return _imported(name)
    if name in _HOMES:
        return getattr(_imported(_HOMES[name]), name)
    # The lists have classes only. Python asks for many other names, such as __path__.
    for module in _LISTS if name[:1].isupper() else ():
        if name in _imported(module).__all__:
            return getattr(_imported(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _imported(module: str) -> ModuleType:
    try:
        return import_module(f"{__name__}.{module}")
    except AttributeError as error:
        # Python takes an AttributeError of `__getattr__` for a name that does not exist.
        raise ImportError(f"{__name__}.{module} cannot be imported: {error}") from error


def _public() -> list[str]:
    lists: list[list[str]] = [_imported(module).__all__ for module in _LISTS]
    return [*_HOMES, "__version__", *(name for names in lists for name in names)]


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - costs milliseconds

    try:
        return version("fsxcopy-sdk")
    except PackageNotFoundError:  # copied or frozen without its metadata
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted(_public())


if TYPE_CHECKING:
    from types import ModuleType

    # By the same name, which marks them as public.
    from fsxcopy_sdk import enums as enums
    from fsxcopy_sdk import errors as errors
    from fsxcopy_sdk import models as models
    from fsxcopy_sdk._clock import Clock
    from fsxcopy_sdk._codec import RawResponse, from_dict, to_dict
    from fsxcopy_sdk._transport import Transport
    from fsxcopy_sdk._validation import BackupFilter, Duration, Tags
    from fsxcopy_sdk.client import FsxCopyClient
    from fsxcopy_sdk.enums import *  # noqa: F403 - their own lists say what is public
    from fsxcopy_sdk.errors import *  # noqa: F403 - the same
    from fsxcopy_sdk.models import *  # noqa: F403 - the same
    from fsxcopy_sdk.waiting import DEFAULT_MAX_WAIT, WaitSchedule

    __version__: str

    __all__ = [
        "BackupFilter",
        "Clock",
        "DEFAULT_MAX_WAIT",
        "Duration",
        "FsxCopyClient",
        "RawResponse",
        "Tags",
        "Transport",
        "WaitSchedule",
        "__version__",
        "from_dict",
        "to_dict",
    ]
    __all__ += enums.__all__
    __all__ += errors.__all__
    __all__ += models.__all__
else:
    # Not seen by type checkers, so that they know which names do not exist.
    __getattr__ = _fetch

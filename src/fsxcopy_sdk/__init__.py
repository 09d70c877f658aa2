"""
Typed async SDK for Amazon FSx backup copies.

Everything a user needs is here: the client, the models, the enums and the errors. The
client and the conversion are imported when they are first used, because aiobotocore and
cattrs take their time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fsxcopy_sdk import enums, errors, models
from fsxcopy_sdk._validation import BackupFilter, Duration, Tags
from fsxcopy_sdk.enums import *  # noqa: F403 - their own lists say what is public
from fsxcopy_sdk.errors import *  # noqa: F403 - the same
from fsxcopy_sdk.models import *  # noqa: F403 - the same

if TYPE_CHECKING:
    from fsxcopy_sdk._clock import Clock
    from fsxcopy_sdk._codec import RawResponse, from_dict, to_dict
    from fsxcopy_sdk._transport import Transport
    from fsxcopy_sdk.client import FsxCopyClient
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

_LAZY = {
    "Clock": "fsxcopy_sdk._clock",
    "DEFAULT_MAX_WAIT": "fsxcopy_sdk.waiting",
    "FsxCopyClient": "fsxcopy_sdk.client",
    "RawResponse": "fsxcopy_sdk._codec",
    "Transport": "fsxcopy_sdk._transport",
    "WaitSchedule": "fsxcopy_sdk.waiting",
    "from_dict": "fsxcopy_sdk._codec",
    "to_dict": "fsxcopy_sdk._codec",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - costs milliseconds

        try:
            return version("fsxcopy-sdk")
        except PackageNotFoundError:  # copied or frozen without its metadata
            return "0+unknown"
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(_LAZY[name])
    except AttributeError as error:
        # Python takes an AttributeError of this function for a name that does not exist.
        raise ImportError(f"{_LAZY[name]} cannot be imported: {error}") from error
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

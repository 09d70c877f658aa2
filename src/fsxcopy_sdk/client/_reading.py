"""
The reading of answers, loaded while the first one is on its way.

cattrs and its converters are needed when an answer is there, not before. Until then a
client waits for certificates, a connection and the service, with time to load them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from threading import Thread
from typing import TypeVar

from fsxcopy_sdk._answer import Answer
from fsxcopy_sdk._collector import settling
from fsxcopy_sdk.models import CopyBackupResponse, DeleteBackupResponse, DescribeBackupsResponse

_CONVERSION = "fsxcopy_sdk._convert"

_Response = TypeVar("_Response", CopyBackupResponse, DescribeBackupsResponse, DeleteBackupResponse)


def load_reading() -> None:
    """
    Begin to load what reads answers, in a thread of its own, if that was not done yet.
    """
    if _CONVERSION not in sys.modules:
        Thread(target=_load, name="fsxcopy-sdk loads its conversion").start()


def _load() -> None:
    with settling():
        import_module(_CONVERSION)


def read(cls: type[_Response], answer: Answer) -> _Response:
    """
    Make the response class *cls* from what the service answered.

    Raises:
        ResponseDecodingError: with the path of every fault, and the payload.
    """
    # Here, or in the thread that is at it: whoever comes second waits.
    from fsxcopy_sdk._convert import from_answer  # noqa: PLC0415 - see above

    return from_answer(cls, answer)

"""
An Amazon FSx that runs on loopback, for tests that need no AWS.

It speaks the real protocol to any client (boto3, the AWS CLI, aiobotocore,
other languages) and keeps the service's rules of backup copies.
"""

from ._clocks import ManualClock, ScaledClock
from ._documents import EXAMPLE_BACKUP, EXAMPLE_REGION
from ._faults import ErrorPlacement, Fault
from ._http import RecordedRequest
from ._lifecycle import ProgressShape
from ._local_fsx import LocalFsx
from ._store import DEFAULT_ACCOUNT

__all__ = [
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
]

"""
An Amazon FSx that runs on loopback, for tests without AWS.

It speaks the real protocol to any client (boto3, the AWS CLI, aiobotocore,
other languages) and follows the service's rules of backup copies.
"""

from fsxcopy_sdk.testing._clocks import ManualClock, ScaledClock
from fsxcopy_sdk.testing._documents import EXAMPLE_BACKUP, EXAMPLE_REGION
from fsxcopy_sdk.testing._faults import ErrorPlacement, Fault
from fsxcopy_sdk.testing._lifecycle import ProgressShape
from fsxcopy_sdk.testing._local_fsx import LocalFsx, serve
from fsxcopy_sdk.testing._protocol import RecordedRequest
from fsxcopy_sdk.testing._store import DEFAULT_ACCOUNT

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
    "serve",
]

"""
Everything that can go wrong, as one tree.

    FsxCopyError
    ├── InvalidArguments            (ValueError) found before the network
    ├── ConfigurationError          no such profile, Region, endpoint, proxy ...
    ├── ClientClosed                the client was closed, or never opened
    ├── CallError                   one call of the service did not end well
    │   ├── CredentialsUnavailable  nothing was sent
    │   ├── NoAnswer                no whole answer came
    │   │   ├── ConnectionFailed
    │   │   └── RequestTimeout      (TimeoutError)
    │   ├── ResponseDecodingError   an answer that cannot be read, or is to another request
    │   ├── RepeatedNextToken       a listing without an end
    │   └── ServiceError            an answer that is an error
    │       ├── AccessDenied, ExpiredCredentials, InvalidCredentials,
    │       │   ServiceUnavailable, Throttled
    │       └── BackupBeingCopied, BackupInProgress, BackupNotFound,
    │           BackupRestoring, BadRequest, FileSystemNotFound,
    │           IncompatibleParameterError, IncompatibleRegionForMultiAZ,
    │           InternalServerError, InvalidDestinationKmsKey, InvalidRegion,
    │           InvalidSourceKmsKey, ServiceLimitExceeded,
    │           SourceBackupUnavailable, UnsupportedOperation, VolumeNotFound
    └── WaitError                   a wait that did not end with AVAILABLE
        ├── BackupCopyFailed
        └── WaitTimeout             (TimeoutError)

The last group below `ServiceError` are the service's own names; the group
before it are families of codes that every AWS service has. All errors keep
their class and fields through pickle, copy and deepcopy. An error that another
library raised first is the `__cause__`.
"""

from __future__ import annotations

from fsxcopy_sdk.errors._call import (
    CallError,
    ConnectionFailed,
    CredentialsUnavailable,
    NoAnswer,
    RepeatedNextToken,
    RequestTimeout,
    ResponseDecodingError,
)
from fsxcopy_sdk.errors._root import (
    ClientClosed,
    ConfigurationError,
    FsxCopyError,
    InvalidArguments,
)
from fsxcopy_sdk.errors._service import (
    AccessDenied,
    BackupBeingCopied,
    BackupInProgress,
    BackupNotFound,
    BackupRestoring,
    BadRequest,
    ExpiredCredentials,
    FileSystemNotFound,
    IncompatibleParameterError,
    IncompatibleRegionForMultiAZ,
    InternalServerError,
    InvalidCredentials,
    InvalidDestinationKmsKey,
    InvalidRegion,
    InvalidSourceKmsKey,
    ServiceError,
    ServiceLimitExceeded,
    ServiceUnavailable,
    SourceBackupUnavailable,
    Throttled,
    UnsupportedOperation,
    VolumeNotFound,
)
from fsxcopy_sdk.errors._wait import (
    BackupCopyFailed,
    WaitError,
    WaitTimeout,
)

__all__ = [
    "AccessDenied",
    "BackupBeingCopied",
    "BackupCopyFailed",
    "BackupInProgress",
    "BackupNotFound",
    "BackupRestoring",
    "BadRequest",
    "CallError",
    "ClientClosed",
    "ConfigurationError",
    "ConnectionFailed",
    "CredentialsUnavailable",
    "ExpiredCredentials",
    "FileSystemNotFound",
    "FsxCopyError",
    "IncompatibleParameterError",
    "IncompatibleRegionForMultiAZ",
    "InternalServerError",
    "InvalidArguments",
    "InvalidCredentials",
    "InvalidDestinationKmsKey",
    "InvalidRegion",
    "InvalidSourceKmsKey",
    "NoAnswer",
    "RepeatedNextToken",
    "RequestTimeout",
    "ResponseDecodingError",
    "ServiceError",
    "ServiceLimitExceeded",
    "ServiceUnavailable",
    "SourceBackupUnavailable",
    "Throttled",
    "UnsupportedOperation",
    "VolumeNotFound",
    "WaitError",
    "WaitTimeout",
]

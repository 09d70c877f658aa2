"""
What a client needs from others: a transport, or a session and a config to make one.

aiobotocore and botocore ship no type information, so in a user's environment their classes
are `Any`, and `session=42` would pass. The protocols for them name a few members that their
sources and the published stubs have in common; the real type is checked at run time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, runtime_checkable

from fsxcopy_sdk._codec import RawResponse


@runtime_checkable
class Transport(Protocol):
    """
    Send requests to the service, or replace it in a test.

    Requests are mappings under the service's names, such as `SourceBackupId`; they were
    checked, and must not be changed. A transport may be called by many tasks at once, and be
    cancelled. Exceptions that are not an `FsxCopyError` reach the caller unchanged.

    Raises:
        ServiceError: the service answered with an error.
        CallError: another failure of the call, such as `NoResponse`.
    """

    @property
    def region(self) -> str:
        """The Region that requests go to."""

    async def copy_backup(self, request: Mapping[str, object], /) -> RawResponse:
        """Send one CopyBackup request."""

    async def describe_backups(self, request: Mapping[str, object], /) -> RawResponse:
        """Send one DescribeBackups request."""

    async def delete_backup(self, request: Mapping[str, object], /) -> RawResponse:
        """Send one DeleteBackup request."""


class SupportsSession(Protocol):
    """An `aiobotocore.session.AioSession`."""

    def create_client(self, *args: Any, **options: Any) -> AbstractAsyncContextManager[Any]: ...


class SupportsEvents(Protocol):
    """A session of aiobotocore, as far as its events go."""

    def register(self, event_name: str, handler: Callable[..., object], /) -> None: ...


class SupportsSettings(SupportsEvents, Protocol):
    """The same, with the variables that botocore reads from the environment or the profile."""

    def set_config_variable(self, logical_name: str, value: object, /) -> None: ...


class SupportsCredentials(Protocol):
    """Credentials of boto3 or botocore, which renew themselves when they are read."""

    def get_frozen_credentials(self) -> Any: ...


class SupportsConfig(Protocol):
    """An `aiobotocore.config.AioConfig` or a `botocore.config.Config`."""

    def merge(self, other_config: Any, /) -> Any: ...


class SupportsClient(Protocol):
    """An aiobotocore client of FSx."""

    def can_paginate(self, operation_name: str, /) -> bool: ...

    def close(self) -> Awaitable[None]: ...

"""
One call that did not end well, whatever the reason.
"""

from __future__ import annotations

import attrs

from fsxcopy_sdk.errors._root import FsxCopyError


@attrs.define(slots=False, eq=False, repr=False)
class CallError(FsxCopyError):
    """
    One call of the service did not end well.
    """

    operation: str | None = None
    """The service's name of the operation, such as `CopyBackup`."""
    client_request_token: str | None = None
    """
    The idempotency token that was sent. Where it is not known whether the service
    accepted the request, repeat it with this token: nothing is done twice.
    """
    attempts: int = 1
    """How often the request was sent, retries included."""

    def __str__(self) -> str:
        return f"{self.operation}: {self.message}" if self.operation else self.message


class NoAnswer(CallError):
    """
    No whole answer came; the service may or may not have accepted the request.
    """


class ConnectionFailed(NoAnswer):
    """
    The connection could not be made, or broke.
    """

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


class RequestTimeout(NoAnswer, TimeoutError):
    """
    The connection or the answer took longer than the configured timeouts.
    """

    @property
    def is_transient(self) -> bool:
        """
        True.
        """
        return True


class CredentialsUnavailable(CallError):
    """
    No credentials were found, or they could not be loaded or renewed; nothing was sent.
    """


@attrs.define(slots=False, eq=False, repr=False)
class ResponseDecodingError(CallError):
    """
    The service answered, but the answer cannot be read.

    The request may well have been accepted, so everything that was received is
    kept here.
    """

    request_id: str | None = None
    http_status: int | None = None
    faults: tuple[str, ...] = ()
    """
    One text for each fault, of twenty at most: its path in the answer, such as
    `$.Backup.CreationTime`, and what is wrong there.
    """
    payload: object = attrs.field(default=None, repr=False)
    """What was received: bytes, or a dict that botocore had parsed. May hold secrets."""
    is_garbled: bool = False
    """Whether it is no JSON at all, as from a proxy or of a connection that broke."""

    @property
    def is_transient(self) -> bool:
        """
        True where the answer was garbled: the next one need not be.
        """
        return self.is_garbled


@attrs.define(slots=False, eq=False, repr=False)
class RepeatedNextToken(CallError):
    """
    A listing does not end where it should.

    A page leads back to an earlier one, 100 pages in a row have no backups, the backups
    of a page come ten times again, or there are more pages than ids that were given.
    """

    next_token: str | None = None

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
    accepted the request, repeat it with this token within minutes: while the service
    remembers the token, that makes no second copy.
    """
    attempts: int = 1
    """How often the request was sent, retries included."""

    def __str__(self) -> str:
        return f"{self.operation}: {self.message}" if self.operation else self.message


@attrs.define(slots=False, eq=False, repr=False)
class NoAnswer(CallError):
    """
    No whole answer came; unless nothing was sent, the service may have accepted the request.
    """

    may_have_been_sent: bool = True
    """
    Whether the request may have reached the service. False where no attempt of the call
    had a connection: refused, no such host, a proxy or TLS that failed, a timeout while
    connecting. Then it was not accepted.
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
    The connection, the answer or the whole call took longer than the timeouts allow.

    Each attempt may take as long as `connect_timeout` and `read_timeout` together, whatever
    arrives meanwhile, and a call as long as all attempts, the pauses between them and five
    minutes for credentials. A client given to `from_client` has only the bound of the call.
    A timeout that was switched off (None) switches these bounds off too.
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
    An answer came, but it cannot be read, or is not to the request that was sent.

    The request may well have been accepted, so everything that was received is
    kept here. Of an answer of more than 64 MiB, which no client of this package reads to
    its end, the body is not kept.
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
    """
    Whether it is not this service's answer to this request: no JSON, as from a proxy, the
    answer to another request or of another host, or one of more than 64 MiB without the
    service's request id.
    """

    @property
    def is_transient(self) -> bool:
        """
        True where the answer was garbled: the next one may be the right one.
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

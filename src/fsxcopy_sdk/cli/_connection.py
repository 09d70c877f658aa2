"""The client of a command: its Region, its timeouts, and a word if the service is silent."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from fsxcopy_sdk import FsxCopyClient
from fsxcopy_sdk._transport import (
    SupportsConfig,
    SupportsEvents,
    config_with_timeouts,
    session_of_profile,
)
from fsxcopy_sdk._validation import printable
from fsxcopy_sdk.cli._deadline import finished
from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.models import CopyBackupResponse

_SILENCE = timedelta(seconds=5)


def client_of(options: Globals) -> FsxCopyClient:
    """Return the client of the Region, to be opened by ``async with``."""
    session = session_of_profile(options.profile)
    if not options.quiet:
        report_silence(session)
    return Client(
        # The order of the AWS CLI; botocore knows the other two places: AWS_DEFAULT_REGION and
        # the profile.
        options.region if options.region is not None else os.environ.get("AWS_REGION") or None,
        session=session,
        endpoint_url=options.endpoint_url,
        config=config_of(options),
    )


class Client(FsxCopyClient):
    """A client that finishes a request for a copy when the command is cancelled, for its ID."""

    async def copy_backup(self, *args: Any, **options: Any) -> CopyBackupResponse:
        """Copy a backup, as the class before does."""
        return await finished(super().copy_backup(*args, **options))


def config_of(options: Globals) -> SupportsConfig | None:
    """Return the config for the timeouts that were given; None if none were."""
    timeouts = options.connect_timeout, options.read_timeout
    return None if timeouts == (None, None) else config_with_timeouts(*timeouts)


def report_silence(session: SupportsEvents) -> None:
    """Let a session report once that its requests have no answer."""
    silence = Silence(_SILENCE, _say)
    # This includes requests for credentials, as to STS.
    session.register("before-send", silence.sent)
    session.register("response-received", silence.received)


class _Request(Protocol):
    """A request of botocore, as far as it is needed here."""

    url: str


class Silence:
    """Report once that requests have had no answer for some time; its methods get events."""

    def __init__(self, duration: timedelta, report: Callable[[str], None]) -> None:
        self._seconds = duration.total_seconds()
        self._report = report
        self._timer: asyncio.TimerHandle | None = None
        self._is_reported = False

    def sent(self, request: _Request, **_: object) -> None:
        """Note that an attempt starts."""
        if self._timer is None and not self._is_reported:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._end, request.url)

    def received(self, response_dict: object, **_: object) -> None:
        """Note that an answer came, whatever it says; an attempt without one changes nothing."""
        if response_dict is not None and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, url: str) -> None:
        self._is_reported = True
        parts = urlsplit(url)
        self._report(f"{parts.scheme}://{parts.netloc}")


def _say(url: str) -> None:
    # Not by a console of its own: a live display replaces standard error.
    print(printable(f"no answer yet from {url}, retrying"), file=sys.stderr)  # noqa: T201 - a command's output

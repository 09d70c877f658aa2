"""
A client's life: opened, looked through, closed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Self

from fsxcopy_sdk._clock import Clock, SystemClock
from fsxcopy_sdk._codec import parse_response
from fsxcopy_sdk._paging import every_backup
from fsxcopy_sdk._transport import Transport, open_transport
from fsxcopy_sdk.client._answers import check_described
from fsxcopy_sdk.errors import ClientNotOpen, ConfigurationError
from fsxcopy_sdk.models import Backup, DescribeBackupsResponse, ResponseMetadata
from fsxcopy_sdk.waiting import PollCoordinator

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from botocore.config import Config
    from types_aiobotocore_fsx.client import FSxClient
    from types_aiobotocore_fsx.type_defs import DescribeBackupsRequestTypeDef


class OpenClient:
    """
    What every operation needs: the way to the service, and the board of the waits.
    """

    def __init__(
        self,
        region: str | None = None,
        *,
        session: AioSession | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._opening = (region, session, endpoint_url, config)
        self._clock = SystemClock() if clock is None else clock
        self._transport: Transport | None = None
        self._entered = self._closed = self._wraps = False
        self._service_time: datetime | None = None
        self._coordinator = PollCoordinator(
            self._describe, self._list_page, self._clock, random.random
        )
        self._stack = AsyncExitStack()

    @classmethod
    def from_client(cls, raw: FSxClient, *, clock: Clock | None = None) -> Self:
        """
        Wrap an open aiobotocore FSx client, which stays the caller's to close.

        Its HTTP session is the caller's too: where that follows redirects, the session
        token follows them; an answer from elsewhere is refused all the same. Nor has one
        attempt a bound there, or the size of an answer: only the whole call ends, after

            attempts * (connect_timeout + read_timeout) + pauses + 300 seconds

        by *raw*'s config; the pauses between attempts are botocore's (up to 25 seconds
        each, or doubling from one second in mode legacy), and the 300 seconds are for
        credentials. With a timeout switched off (None) there is no bound.

        Raises:
            InvalidArguments: *raw* is no FSx client.
        """
        client = cls(clock=clock)
        client._transport = Transport(raw)
        client._wraps = True
        return client

    def with_region(self, region: str) -> Self:
        """
        Return another client, not open yet, with this one's settings except for its Region.

        Raises:
            ConfigurationError: this client wraps one whose settings are not known here.
        """
        if self._wraps:
            raise ConfigurationError(
                f"A client of {region} cannot be derived from one made by from_client"
            )
        _, session, endpoint_url, config = self._opening
        return type(self)(
            region,
            session=session,
            endpoint_url=endpoint_url,
            config=config,
            clock=self._clock,
        )

    def __repr__(self) -> str:
        region = self._opening[0] if self._transport is None else self._transport.region
        return f"<{type(self).__name__} {region or 'of the default Region'}>"

    async def __aenter__(self) -> Self:
        """
        Open the client.

        Raises:
            ClientNotOpen: it was opened before.
            InvalidArguments: an argument is not of its type.
            ConfigurationError: no Region, no such profile, a bad endpoint ...
            CredentialsUnavailable: the credentials cannot be loaded.
        """
        if self._entered:
            raise ClientNotOpen("A client can be opened once: make a new one")
        self._entered = True
        if self._transport is None:
            self._transport = await self._stack.enter_async_context(open_transport(*self._opening))
        return self

    async def __aexit__(self, *_: object) -> None:
        """
        Close the client and its connections.
        """
        self._transport, self._closed = None, True
        self._coordinator.close()
        await self._stack.aclose()

    @property
    def _open_transport(self) -> Transport:
        if self._transport is None:
            state = "was closed" if self._closed else "is not open: use it inside `async with`"
            raise ClientNotOpen(f"The client {state}")
        return self._transport

    @property
    def region(self) -> str:
        """
        The Region that requests go to, known while the client is open.
        """
        return self._open_transport.region

    @property
    def clock(self) -> Clock:
        """
        The clock that waits sleep on.
        """
        return self._clock

    @property
    def service_time(self) -> datetime | None:
        """
        The time that the service had at its last success, in UTC; None before the first.

        It is the `Date` of the last answer that named one, and stays what it was in between.
        """
        return self._service_time

    def _note_time(self, metadata: ResponseMetadata) -> None:
        self._service_time = metadata.date or self._service_time

    async def _page(self, request: DescribeBackupsRequestTypeDef) -> DescribeBackupsResponse:
        answer = await self._open_transport.describe_backups(request)
        response = parse_response(DescribeBackupsResponse, answer)
        check_described(response, request, answer)
        self._note_time(response.metadata)
        return response

    async def _describe(self, backup_ids: Sequence[str]) -> Sequence[Backup]:
        # Of ids known to be good; their answer may come in pages like any other.
        return [one async for one in every_backup(self._page, {"BackupIds": backup_ids})]

    async def _list_page(self, next_token: str | None) -> tuple[Sequence[Backup], str | None]:
        page = await self._page({"NextToken": next_token} if next_token else {})
        return page.backups, page.next_token

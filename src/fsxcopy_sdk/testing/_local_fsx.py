"""
The local FSx: its settings and its lifetime.
"""

from __future__ import annotations

import math
import socket
import time
from datetime import datetime
from types import TracebackType
from typing import Final, Literal, Self

from aiohttp import web

from fsxcopy_sdk._clock import Clock, SystemClock

from ._controls import Controls
from ._lifecycle import ProgressShape
from ._settings import CopyDuration, Duration, Settings, UnseenFor
from ._store import Store

COPY_DURATION: Final = 300.0
"""
Seconds; long enough to watch, short enough to wait for. The service names no
figure: a copy takes what its size and distance take.
"""

BACKUP_BEING_COPIED_FOR: Final = 60.0
"""
Seconds; the service says "a short time" and no figure.
"""


class LocalFsx(Controls):
    """
    An Amazon FSx on a loopback port, for any AWS client.

    ``async with LocalFsx() as fsx:`` serves at ``fsx.endpoint_url`` from the
    event loop that runs, which must be asyncio's; other processes and
    programs without one start ``python -m fsxcopy_sdk.testing``. What it
    holds outlives the ``async with``, which may be entered again.

    Signatures are not verified: their form is checked, and any secret key
    is accepted. Requests of web pages are refused with 403: those whose
    Host is not 127.0.0.1, [::1] or localhost, and those with the Origin of
    another host.

    Regions are kept apart by the scope of the request's signature, accounts
    by access key. The first access key that is seen has the account
    `DEFAULT_ACCOUNT`, where backups are put when no account is named; every
    other key has an account of its own, derived from its text.

    Args:
        clock:
            What time it is; the machine's clock if None. A client that
            waits should be given the same one.

        copy_duration:
            How long a copy (or a new backup) takes: seconds, a timedelta,
            or a function from the id of what is copied to seconds.

        progress:
            How ProgressPercent grows meanwhile.

        max_copies_in_progress:
            Copies in progress at once: of file systems per account and
            destination Region, of ONTAP volumes per volume and key there.

        max_volume_copies_in_progress:
            Copies of ONTAP volumes in progress at once per account.

        max_user_initiated_backups:
            USER_INITIATED backups per account and Region, None for any
            number.

        backup_being_copied_for:
            Seconds after a copy is AVAILABLE for which its source cannot be
            deleted yet.

        every_stage:
            Whether backups also show PENDING and TRANSFERRING on their way.

        unknown_ids:
            What DescribeBackups does with an id that it does not know:
            "error" refuses the whole call, "omit" leaves it out.

        unseen_for:
            For how long after its acceptance DescribeBackups does not show
            a new copy: seconds, a timedelta, or a function from the id of
            the copy to seconds; infinity for always. Other operations know
            it: CopyBackup with the same token answers with it, and it
            counts as one in progress. `backup` and `backups` return it.

        unseen_by:
            Which calls do not show such a copy: "id" those with BackupIds,
            "listing" those without, "all" both.

        tokens_remembered_for:
            For how long a ClientRequestToken is remembered: seconds or a
            timedelta. Afterwards the same request makes a new copy.

        page_size:
            The most backups on one page, 1 to 50.

        started_at:
            The date and time at which this FSx begins, the real one if
            None; CreationTime goes on from there by the clock.

        port:
            The TCP port on 127.0.0.1, 0 for any that is free.

        seed:
            What ids and fractions of faults are drawn from: the same calls
            with the same seed give the same ids and faults.

    Raises:
        ValueError: an argument breaks its rule.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        copy_duration: CopyDuration = COPY_DURATION,
        progress: ProgressShape = ProgressShape.LINEAR,
        max_copies_in_progress: int = 5,
        max_volume_copies_in_progress: int = 1000,
        max_user_initiated_backups: int | None = None,
        backup_being_copied_for: float = BACKUP_BEING_COPIED_FOR,
        every_stage: bool = False,
        unknown_ids: Literal["error", "omit"] = "error",
        unseen_for: UnseenFor = 0,
        unseen_by: Literal["all", "id", "listing"] = "all",
        tokens_remembered_for: Duration = math.inf,
        page_size: int = 50,
        started_at: datetime | None = None,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        self._settings = Settings(
            copy_duration=copy_duration,
            progress=progress,
            max_copies_in_progress=max_copies_in_progress,
            max_volume_copies_in_progress=max_volume_copies_in_progress,
            max_user_initiated_backups=max_user_initiated_backups,
            backup_being_copied_for=backup_being_copied_for,
            every_stage=every_stage,
            unknown_ids=unknown_ids,
            unseen_for=unseen_for,
            unseen_by=unseen_by,
            tokens_remembered_for=tokens_remembered_for,
            page_size=page_size,
            started_at=started_at,
            port=port,
            seed=seed,
        )
        begin = time.time() if started_at is None else started_at.timestamp()
        super().__init__(Store(self._settings, SystemClock() if clock is None else clock, begin))
        self._runner: web.AppRunner | None = None
        self._endpoint_url: str | None = None

    async def __aenter__(self) -> Self:
        """
        Begin to serve.

        Raises:
            OSError: the port is taken.
            RuntimeError: it serves already.
        """
        if self._runner is not None:
            msg = "this LocalFsx serves already"
            raise RuntimeError(msg)
        listening = socket.create_server(("127.0.0.1", self._settings.port))
        self._runner = web.AppRunner(
            # A call that a fault delays must not hold up the end of a test.
            self._handler.application(),
            shutdown_timeout=0.1,
            access_log=None,
        )
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()
        port = listening.getsockname()[1]
        self._endpoint_url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """
        Stop serving; calls that are under way are cut off.
        """
        runner, self._runner, self._endpoint_url = self._runner, None, None
        if runner is not None:
            await runner.cleanup()

    @property
    def endpoint_url(self) -> str:
        """
        Return where it serves, such as ``http://127.0.0.1:40217``.

        Raises:
            RuntimeError: it does not serve.
        """
        if self._endpoint_url is None:
            msg = "this LocalFsx serves only inside its `async with`"
            raise RuntimeError(msg)
        return self._endpoint_url

"""The accounts of a fleet: their clients, and how many are in work at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import ClassVar, Final, TypeAlias

import anyio
import attrs

from fsxcopy_sdk._clock import Clock
from fsxcopy_sdk._transport import Sessions, SupportsConfig, SupportsCredentials, SupportsSettings
from fsxcopy_sdk._validation import ArgumentErrors, check_type
from fsxcopy_sdk.client import FsxCopyClient
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.fleet._fleet import Fleet, Route
from fsxcopy_sdk.fleet._outcomes import PolicyFailure
from fsxcopy_sdk.fleet._policy import DEFAULT_SESSION_NAME, Account
from fsxcopy_sdk.replication import ReplicationPlan, check_owner, plan_replication

Connect: TypeAlias = Callable[[Account, str], FsxCopyClient]
"""Make the client of an account in one Region, not open yet; `AccountClients` is one."""

DEFAULT_MAX_ACCOUNTS: Final = 100
"""
How many accounts a sync handles at once by default. Each holds its plans, and some megabytes
for the clients of its Regions (`benchmarks/fleet.py`).
"""

PLANS_AT_ONCE: Final = 8
"""
How many plans are made at once, because each holds the listings of two Regions until it is
made. By default also how many accounts `plan_fleet` and `report_fleet` handle at once.
"""


class AccountClients:
    """
    Make clients with the credentials of accounts, which renew themselves.

    The arguments are those of `FsxCopyClient`. Calls of STS for roles are made with *config*
    too, and go to AWS_ENDPOINT_URL_STS where that is set. *prepare* is called with each
    aiobotocore session that is made, to register handlers of events for example. *credentials*
    of boto3 are those of accounts without a profile; they are read in a thread.
    """

    client_class: ClassVar[type[FsxCopyClient]] = FsxCopyClient
    """A subclass may make clients of another class."""

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        config: SupportsConfig | None = None,
        clock: Clock | None = None,
        prepare: Callable[[SupportsSettings], None] = lambda _: None,
        credentials: SupportsCredentials | None = None,
    ) -> None:
        self._endpoint_url = endpoint_url
        self._config = config
        self._clock = clock
        self._sessions = Sessions(config, prepare, credentials)

    def __call__(self, account: Account, region: str) -> FsxCopyClient:
        """Return the client of *account* in *region*, to be opened by ``async with``."""
        sessions = self._sessions
        return self.client_class(
            region,
            session=sessions.of_profile(account.profile)
            if account.role_arn is None
            else sessions.of_role(
                account.profile,
                account.role_arn,
                region,
                external_id=account.external_id,
                session_name=account.session_name or DEFAULT_SESSION_NAME,
            ),
            endpoint_url=self._endpoint_url,
            config=self._config,
            clock=self._clock,
        )


@attrs.define(eq=False)
class AccountRun:
    """One account while it is in work: its routes, and a client for each of their Regions."""

    account: Account
    routes: list[Route]
    _connect: Connect
    _making: anyio.CapacityLimiter
    _strict: bool
    _planned: Mapping[Route, ReplicationPlan | PolicyFailure] | None
    """Plans to use instead of new ones; None to make them."""
    _stack: AsyncExitStack
    _clients: dict[str, FsxCopyClient] = attrs.field(factory=dict, init=False)
    _opening: anyio.Lock = attrs.field(factory=anyio.Lock, init=False)

    async def client(self, region: str) -> FsxCopyClient:
        """
        Return the open client of a Region.

        Raises:
            FsxCopyError: it cannot be opened.
        """
        async with self._opening:
            if region not in self._clients:
                # Clients that are derived share the credentials, and their renewals.
                first = next(iter(self._clients.values()), None)
                made = first.with_region(region) if first else self._connect(self.account, region)
                self._clients[region] = await self._stack.enter_async_context(made)
            return self._clients[region]

    async def plan(self, route: Route) -> ReplicationPlan | PolicyFailure:
        """Return the plan of a route, or why there is none."""
        policy, region = route.policy, route.destination.region
        try:
            source = await self.client(policy.source.region)
            destination = await self.client(region)
            if self._planned is not None:
                planned = self._planned[route]
                if isinstance(planned, ReplicationPlan):
                    await check_owner(planned, source, destination)
                return planned
            async with self._making:
                return await plan_replication(
                    source, destination, policy.to(route.destination), strict=self._strict
                )
        except FsxCopyError as error:
            return PolicyFailure.of(route, error)

    async def plan_all(
        self, done: Callable[[Route, ReplicationPlan | PolicyFailure], None]
    ) -> None:
        """Make the plans of all routes, and call *done* with each."""

        async def make(route: Route) -> None:
            done(route, await self.plan(route))

        async with anyio.create_task_group() as group:
            for route in self.routes:
                group.start_soon(make, route)


@attrs.frozen(kw_only=True)
class Runs:
    """The accounts of a fleet, and how many are handled at once."""

    fleet: Fleet
    connect: Connect
    strict: bool
    max_accounts: int
    planned: Mapping[Route, ReplicationPlan | PolicyFailure] | None = None

    async def each(self, work: Callable[[AccountRun], Awaitable[None]]) -> None:
        """Do *work* for each account, for so many at once as are allowed."""
        making = anyio.CapacityLimiter(PLANS_AT_ONCE)
        accounts = anyio.CapacityLimiter(self.max_accounts)

        async def run(account: Account, routes: list[Route]) -> None:
            async with accounts, AsyncExitStack() as stack:
                run = AccountRun(
                    account, routes, self.connect, making, self.strict, self.planned, stack
                )
                await work(run)

        async with anyio.create_task_group() as group:
            for account, routes in _by_account(self.fleet.routes).items():
                group.start_soon(run, account, routes)


def _by_account(routes: Iterable[Route]) -> dict[Account, list[Route]]:
    groups: dict[Account, list[Route]] = {}
    for route in routes:
        groups.setdefault(route.account, []).append(route)
    return groups


def checked_runs(
    fleet: Fleet,
    connect: Connect | None,
    max_accounts: int,
    *,
    strict: bool,
    errors: ArgumentErrors | None = None,
) -> Runs:
    """Return the runs of *fleet*, or raise InvalidArguments with *errors* and those found here."""
    check_type("fleet", fleet, Fleet)
    errors = errors or ArgumentErrors()
    given: object = connect
    if not (given is None or callable(given)):
        errors.add_value("connect", "a function that makes clients, or None", connect)
    errors.check_count("max_accounts", max_accounts)
    errors.check_type("strict", strict, bool, "True or False")
    errors.raise_any()
    return Runs(
        fleet=fleet,
        connect=AccountClients() if connect is None else connect,
        strict=strict,
        max_accounts=max_accounts,
    )

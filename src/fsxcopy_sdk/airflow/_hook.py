"""The hook: clients with the settings and the credentials of an Airflow connection."""

# ruff: noqa: PLC0415 - a DAG's file, which names operators, needs no client to be parsed

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from fsxcopy_sdk.errors import CredentialsUnavailable

if TYPE_CHECKING:
    from fsxcopy_sdk._clock import Clock
    from fsxcopy_sdk._transport import SupportsCredentials, SupportsSettings
    from fsxcopy_sdk.client import FsxCopyClient
    from fsxcopy_sdk.fleet import AccountClients


class FsxCopyHook(AwsBaseHook):
    """
    Make clients of FSx with what a connection of the type `aws` says.

    Region, endpoint (`endpoint_url`, or that of `fsx` in `service_config`), role, profile,
    `verify` and `config_kwargs` are those of the Amazon provider, and so are the arguments.
    """

    clock: ClassVar[Clock | None] = None
    """What waits sleep on; None for the machine's. A test may subclass."""

    def __init__(
        self,
        aws_conn_id: str | None = "aws_default",
        verify: bool | str | None = None,
        region_name: str | None = None,
        config: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(
            aws_conn_id, verify, region_name, client_type="fsx", config={**(config or {})} or None
        )

    def region(self) -> str:
        """
        Return the Region of clients: that of the argument, else the connection's, its profile's.

        If none of these has one, it is that of the environment. This may differ between a worker
        and a triggerer, so tasks decide it. The call blocks; use it where no event loop runs.

        Raises:
            AirflowException: the connection cannot be read.
            ConfigurationError: no Region is set.
        """
        return self.region_name or asyncio.run(_region_of(self.copy_client()))

    def copy_client(self) -> FsxCopyClient:
        """
        Return a client of the connection's Region, to be opened by ``async with``.

        This blocks while Airflow is asked for the connection, so call it in a thread where an
        event loop runs. Credentials are read later, in threads too: all kinds that the provider
        knows, and renewed as it renews them.

        Raises:
            AirflowException: the connection cannot be read.
        """
        from fsxcopy_sdk._transport import Sessions
        from fsxcopy_sdk.client import FsxCopyClient

        profile = self.conn_config.profile_name

        def prepare(session: SupportsSettings) -> None:
            if profile is not None:  # its Region is needed, too
                session.set_config_variable("profile", profile)
            self._prepare(session)

        sessions = Sessions(self.config, prepare, _ConnectionCredentials(self))
        return FsxCopyClient(
            self.region_name,
            session=sessions.of_profile(None),
            endpoint_url=self._endpoint_url,
            config=self.config,
            clock=self.clock,
        )

    def account_clients(self) -> AccountClients:
        """
        Return what makes the clients of a fleet's accounts, as `copy_client` would.

        Accounts without a profile have the connection's credentials, and roles without one are
        assumed with them. Profiles are those of the machine.
        """
        from fsxcopy_sdk.fleet import AccountClients

        return AccountClients(
            endpoint_url=self._endpoint_url,
            config=self.config,
            clock=self.clock,
            prepare=self._prepare,
            credentials=_ConnectionCredentials(self),
        )

    @property
    def _endpoint_url(self) -> str | None:
        url: str | None = self.conn_config.get_service_endpoint_url("fsx")
        return url

    def _prepare(self, session: SupportsSettings) -> None:
        # True is what botocore does anyway, with the bundle of the environment if there is one.
        if self.verify not in (None, True):
            session.set_config_variable("ca_bundle", self.verify)


async def _region_of(client: FsxCopyClient) -> str:
    async with client:
        return client.region


class _ConnectionCredentials:
    """The credentials of a connection, which are loaded when they are first read."""

    def __init__(self, hook: FsxCopyHook) -> None:
        self._hook = hook
        self._lock = Lock()
        self._loaded: SupportsCredentials | None = None

    def get_frozen_credentials(self) -> object:
        with self._lock:
            if self._loaded is None:
                # With a role this calls STS.
                session = self._hook.get_session(region_name=self._hook.region_name)
                self._loaded = session.get_credentials()
        if self._loaded is None:
            raise CredentialsUnavailable(
                f"the connection {self._hook.aws_conn_id} has no credentials, and none were found "
                "in the environment, a profile, or from the container or instance",
                attempts=0,
            )
        return self._loaded.get_frozen_credentials()

"""
What is done before a client can be made, without holding the event loop up.

botocore describes services and endpoints in JSON files, of more than a megabyte, which
it reads for every session anew and on the event loop. Here a thread reads them, once.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import anyio
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader, create_loader, instance_cache

from fsxcopy_sdk._event_loop import runs_on_asyncio
from fsxcopy_sdk._transport._config import careful_config

# All that making a client of FSx reads; the last is for the retries of mode "legacy".
_GENERAL = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
_OF_THE_SERVICE = ("service-2", "endpoint-rule-set-1")
# Events between finding the credentials, making the class, and making the client of it.
_WHILE_A_CLIENT_IS_MADE = ("choose-service-name", "creating-client-class.fsx")


async def prepare(
    session: AioSession | None, config: Config | None
) -> tuple[AioSession, AioConfig]:
    """
    Return a session that has read its files, and the config for a client of it.

    Raises:
        ConfigurationError: as in `careful_config`.
        Exception: what botocore raises, of a profile that is not there say.
    """
    if runs_on_asyncio():
        # anyio would load its backend first, and that on the event loop: 10 to 20 ms.
        return await asyncio.to_thread(_prepare, session, config)
    from anyio.to_thread import run_sync  # noqa: PLC0415 - not for the many on asyncio

    return await run_sync(_prepare, session, config)


def _prepare(session: AioSession | None, config: Config | None) -> tuple[AioSession, AioConfig]:
    session = _own_session() if session is None else session
    loader: Loader = session.get_component("data_loader")
    for name in _GENERAL:
        loader.load_data_with_path(name)
    for name in _OF_THE_SERVICE:
        loader.load_service_model("fsx", name, api_version=None)
    return session, careful_config(session, config)


def _own_session() -> AioSession:
    """
    Make a session as aiobotocore does, but with the files that another one has read.

    Environment, profiles and credentials are its own, as they are at this time.
    """
    session = AioSession()
    loader = _loader(session.get_config_variable("data_path"))
    session.register_component("data_loader", loader)
    for event in _WHILE_A_CLIENT_IS_MADE:
        session.register(event, _let_others_run)
    return session


async def _let_others_run(**_: object) -> None:
    """
    Give the event loop a turn in the middle of what aiobotocore does at a stretch.
    """
    if runs_on_asyncio():
        await asyncio.sleep(0)
    else:
        await anyio.sleep(0)  # noqa: ASYNC115 - what it names takes a millisecond to import


@cache
def _loader(data_path: str | None) -> _Loader:
    """
    Make the one loader for a search path, which keeps what the files say.

    botocore fills in defaults there, as it does for all clients of one session; neither
    the environment nor credentials have any part in it.
    """
    return _Loader(
        extra_search_paths=create_loader(data_path).search_paths,
        file_loader=_Files(),
        include_default_search_paths=False,  # the other loader has added them
    )


class _Loader(Loader):
    """
    botocore's loader, which looks for one service where botocore looks through all.
    """

    @instance_cache
    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's
        """
        Return the names of services, and what else stands in the folders of data, in order.

        botocore asks for it before it loads a service, and to answer looks into each of
        some four hundred folders for a file of *type_name*.
        """
        folders = [
            folder for folder in map(Path, filter(None, self.search_paths)) if folder.is_dir()
        ]
        return sorted({found.name for folder in folders for found in folder.iterdir()})

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> dict[str, Any]:
        """
        Return what the file of *type_name* says of a service.

        Raises:
            UnknownServiceError: there is no such file, as botocore has it.
        """
        try:
            return super().load_service_model(service_name, type_name, api_version)
        except DataNotFoundError as error:
            known = ", ".join(self.list_available_services(type_name))
            raise UnknownServiceError(
                service_name=service_name, known_service_names=known
            ) from error


class _Files(JSONFileLoader):
    """
    botocore's way to its files, which lets other threads run while one is parsed.
    """

    def load_file(self, file_path: str) -> object:
        """
        Return what a file says whose path is given without ending; None without one.
        """
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            try:
                with opened(file_path + ending, "rb") as file:
                    return json.loads(file.read(), object_hook=_as_it_is)
            except FileNotFoundError:
                continue
        return None


def _as_it_is(part: dict[str, object]) -> dict[str, object]:
    # A call of Python, at which another thread gets its turn: the largest file takes any
    # parser in C 6 to 16 ms, in which the event loop would stand still.
    return part

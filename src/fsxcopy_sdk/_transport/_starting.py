"""
What is done before a client can be made, and while it is, without holding the event loop up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.config import Config

from fsxcopy_sdk._event_loop import runs_on_asyncio
from fsxcopy_sdk._transport._config import build_config
from fsxcopy_sdk._transport._files import read_all
from fsxcopy_sdk._transport._session import session_of_profile

# Events between finding the credentials, making the class, and making the client of it.
# botocore has handlers of its own under these names. A new name, with the service's say,
# would be a new key in a dictionary that another thread may be copying at the time.
_WHILE_A_CLIENT_IS_MADE = ("choose-service-name", "creating-client-class")


async def prepare(
    session: AioSession | None, config: Config | None
) -> tuple[AioSession, AioConfig]:
    """
    Return a session that has read its files, and the config for a client of it.

    Raises:
        ConfigurationError: as in `build_config`.
        Exception: what botocore raises, of a profile that is not there say.
    """
    if runs_on_asyncio():
        # anyio would load its backend first, and that on the event loop: 10 to 20 ms.
        return await asyncio.to_thread(_prepare, session, config)
    from anyio.to_thread import run_sync  # noqa: PLC0415 - not for the many on asyncio

    return await run_sync(_prepare, session, config)


def _prepare(session: AioSession | None, config: Config | None) -> tuple[AioSession, AioConfig]:
    session = session_of_profile() if session is None else session
    read_all(session.get_component("data_loader"))
    return session, build_config(session, config)


@contextmanager
def taking_turns(session: AioSession) -> Iterator[None]:
    """
    Give the event loop turns in the middle of what aiobotocore does at a stretch.

    A session of the user's is left as it was.
    """
    for event in _WHILE_A_CLIENT_IS_MADE:
        session.register(event, _let_others_run)
    try:
        yield
    finally:
        for event in _WHILE_A_CLIENT_IS_MADE:
            session.unregister(event, _let_others_run)


async def _let_others_run(**_: object) -> None:
    if runs_on_asyncio():
        await asyncio.sleep(0)
    else:
        await anyio.sleep(0)  # noqa: ASYNC115 - what it names takes a millisecond to import

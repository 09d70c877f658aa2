"""
Sessions and configs, of the machine's profiles or with nothing of the machine.
"""

from __future__ import annotations

import os

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from fsxcopy_sdk._transport._files import shared_loader

# What a session would read from the machine: name to (config key, environment
# variable, default, conversion), as botocore's session variables are written.
_NOTHING_OF_THE_MACHINE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def session_of_profile(profile: str | None = None) -> AioSession:
    """
    Make a session of the profile of this name; None for the machine's default.

    Whether there is such a profile shows when a client is made.
    """
    return _with_shared_files(AioSession(profile=profile))


def isolated_session(access_key: str, secret_key: str) -> AioSession:
    """
    Make a session that has these credentials and reads no profile and no file.
    """
    session = _with_shared_files(AioSession(_NOTHING_OF_THE_MACHINE))
    session.set_credentials(access_key, secret_key)
    return session


def direct_config() -> AioConfig:
    """
    Make a config that goes through no proxy, whatever the environment says.
    """
    return AioConfig(proxies={})


def _with_shared_files(session: AioSession) -> AioSession:
    """
    Let *session* have the files that another has read; all else stays its own.
    """
    session.lazy_register_component(
        "data_loader", lambda: shared_loader(session.get_config_variable("data_path"))
    )
    return session

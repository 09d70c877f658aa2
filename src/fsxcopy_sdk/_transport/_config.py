"""Sessions, and the config of the clients that this package makes."""

from __future__ import annotations

import copy
import os
import re
from datetime import timedelta

from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.config import Config

from fsxcopy_sdk._transport._http import safe_session
from fsxcopy_sdk.errors import ConfigurationError

# What a session would read from the machine: name to (config key, environment
# variable, default, conversion), as botocore's session variables are written.
_NOTHING_OF_THE_MACHINE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}

# What botocore allows there; what comes from the environment must not end the header.
_NOT_IN_AN_APP_ID = re.compile(r"[^\w!#$%&'*+\-.^`|~]", re.ASCII)


def session_of_profile(profile: str | None = None) -> AioSession:
    """Make a session of a profile, which is read when a client is made; None for the default."""
    return AioSession(profile=profile)


def isolated_session(access_key: str, secret_key: str) -> AioSession:
    """Make a session that has these credentials and reads no profile and no file."""
    session = AioSession(_NOTHING_OF_THE_MACHINE)
    session.set_credentials(access_key, secret_key)
    return session


def direct_config() -> AioConfig:
    """Make a config that uses no proxy, whatever the environment has."""
    return AioConfig(proxies={})


def config_with_timeouts(connect: timedelta | None, read: timedelta | None) -> AioConfig:
    """Make a config with timeouts; None is botocore's default, and zero switches one off."""
    given = {"connect_timeout": connect, "read_timeout": read}
    return AioConfig(
        **{name: one.total_seconds() or None for name, one in given.items() if one is not None}
    )


def build_config(session: AioSession, config: Config | None) -> AioConfig:
    """Return *config* with bounds and without redirects, and without what slows every call."""
    default = session.get_default_client_config()
    if isinstance(config, AioConfig):
        ours = copy.copy(config)
    else:
        ours = AioConfig().merge(config or Config())
    chosen = ours.http_session_cls
    if chosen is AIOHTTPSession and isinstance(default, AioConfig):
        chosen = default.http_session_cls
    session_class = safe_session(chosen)
    # botocore would put its own together twice in every call.
    user_agent = _user_agent(session, [ours, default] if default else [ours])
    if default is None:
        ours.http_session_cls = session_class
        ours.parameter_validation = False  # our own checks of the arguments are stricter
        ours.user_agent = user_agent
        return ours
    # The session merges its default with what it is given, and keeps only what was
    # given to a constructor; some versions of aiobotocore do not even keep that.
    merged = ours.merge(
        AioConfig(
            http_session_cls=session_class, parameter_validation=False, user_agent=user_agent
        )
    )
    try:
        kept = getattr(default.merge(merged), "http_session_cls", None)
    except TypeError:  # a plain botocore Config, which takes no options of aiobotocore
        kept = None
    if kept is not session_class:
        raise ConfigurationError(
            "session: its default client config would switch redirects on, as this version of "
            "aiobotocore merges it; give it as config= instead"
        )
    return merged


def _user_agent(session: AioSession, configs: list[Config]) -> str:
    """Return the User-Agent of a client, to which botocore adds what else the user wants."""
    for config in configs:
        if config.user_agent is not None:
            return config.user_agent
    text = session.user_agent().removesuffix(f" {session.user_agent_extra}") + " lib/fsxcopy-sdk"
    app_id = next((one.user_agent_appid for one in configs if one.user_agent_appid), None)
    app_id = app_id or session.get_config_variable("user_agent_appid")
    return f"{text} app/{_NOT_IN_AN_APP_ID.sub('-', app_id)}" if app_id else text

"""Sessions, the config of the clients that this package makes, and what settings must be like."""

from __future__ import annotations

import asyncio
import copy
import os
import re
import ssl
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.session import Session

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


def find_region(region: str | None, config: Config, session: AioSession) -> str:
    """
    Return the Region of a client: where botocore finds none, that of AWS_REGION.

    The AWS CLI v2 and the newer SDKs read that variable, and botocore does not.

    Raises:
        ConfigurationError: no Region is set, or the first that is set is empty.
    """
    default = session.get_default_client_config()
    places = (
        region,
        config.region_name,
        None if default is None else default.region_name,
        session.get_config_variable("region"),  # of AWS_DEFAULT_REGION or the profile
        os.environ.get("AWS_REGION"),
    )
    found = next((place for place in places if place is not None), None)
    # With an empty Region botocore would sign, and the service blame the key.
    if not found:
        rule = "give one as" if found is None else "is empty; the first that is set counts:"
        raise ConfigurationError(
            f"region: {rule} an argument, a config setting, AWS_DEFAULT_REGION, a profile setting "
            "or AWS_REGION"
        )
    return found


def known_regions() -> frozenset[str]:
    """Return the Regions, of all partitions, that botocore's data has an endpoint of FSx for."""
    session = Session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("fsx", partition)
    )


def check_endpoint(url: str | None) -> None:
    """
    Refuse an endpoint that no request can be sent to.

    Raises:
        ConfigurationError: *url* is no URL of HTTP.
    """
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # no port, or no address
        is_good = False
    if not is_good:
        raise ConfigurationError(
            f"endpoint_url: must be an http or https URL, not {url!r:.200}; it can be in the "
            "argument, AWS_ENDPOINT_URL_FSX, AWS_ENDPOINT_URL or the profile"
        )


def check_certificates(session: AioSession, config: Config) -> None:
    """
    Refuse files of certificates that cannot be loaded; this reads them.

    Raises:
        ConfigurationError: one cannot.
    """
    bundle, variable = session.get_config_variable("ca_bundle"), "AWS_CA_BUNDLE"
    if bundle != os.environ.get(variable):
        variable = "ca_bundle of the profile"
    if bundle is None:
        bundle, variable = os.environ.get("REQUESTS_CA_BUNDLE"), "REQUESTS_CA_BUNDLE"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    name, file = variable, bundle
    try:
        if bundle:
            context.load_verify_locations(bundle)
        name, file = "config.client_cert", config.client_cert
        if isinstance(config.client_cert, str):
            context.load_cert_chain(config.client_cert)
        elif config.client_cert:
            context.load_cert_chain(*config.client_cert)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or str(error)
        raise ConfigurationError(f"{name}: {file!r:.200} cannot be loaded: {reason}") from error


def check_event_loop(config: AioConfig) -> None:
    """
    Refuse aiohttp on an event loop that is not asyncio's.

    Raises:
        ConfigurationError: *config* has no HTTP session for this event loop.
    """
    session_class: type = config.http_session_cls
    if not issubclass(session_class, AIOHTTPSession):
        return
    with suppress(RuntimeError):  # no loop of asyncio is running
        # Without a task it may be trio as the guest of an asyncio loop.
        if asyncio.current_task() is not None:
            return
    raise ConfigurationError(
        "config: trio needs http_session_cls=aiobotocore.httpxsession.HttpxSession, and for that: "
        'pip install "fsxcopy-sdk[trio]"'
    )

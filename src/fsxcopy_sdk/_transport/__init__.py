"""How requests reach the service: the only package that imports aiobotocore or botocore."""

from __future__ import annotations

from fsxcopy_sdk._transport._aiobotocore import AiobotocoreTransport, open_transport
from fsxcopy_sdk._transport._config import (
    config_with_timeouts,
    direct_config,
    isolated_session,
    known_regions,
    session_of_profile,
)
from fsxcopy_sdk._transport._protocols import (
    SupportsClient,
    SupportsConfig,
    SupportsCredentials,
    SupportsEvents,
    SupportsSession,
    SupportsSettings,
    Transport,
)
from fsxcopy_sdk._transport._sessions import Sessions

__all__ = [
    "AiobotocoreTransport",
    "Sessions",
    "SupportsClient",
    "SupportsConfig",
    "SupportsCredentials",
    "SupportsEvents",
    "SupportsSession",
    "SupportsSettings",
    "Transport",
    "config_with_timeouts",
    "direct_config",
    "isolated_session",
    "known_regions",
    "open_transport",
    "session_of_profile",
]

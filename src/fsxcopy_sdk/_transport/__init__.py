"""
The way to the service: the only package that imports aiobotocore or botocore.
"""

from __future__ import annotations

from fsxcopy_sdk._transport._session import (
    direct_config,
    isolated_session,
    session_of_profile,
)
from fsxcopy_sdk._transport._transport import Transport, open_transport

__all__ = [
    "Transport",
    "direct_config",
    "isolated_session",
    "open_transport",
    "session_of_profile",
]

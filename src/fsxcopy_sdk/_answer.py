"""
What the way to the service hands over to the conversion.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from fsxcopy_sdk.models import ResponseMetadata


@attrs.frozen(kw_only=True, eq=False)
class Answer:
    """
    A success as it was received.
    """

    operation: str
    payload: bytes | Mapping[str, object]
    """The body, or what botocore parsed where the body was not to be had."""
    metadata: ResponseMetadata

"""
Convert between JSON and our classes: the only package that imports cattrs.

`_wire` reads what the service answers, and writes models as it would.
"""

from __future__ import annotations

from fsxcopy_sdk._codec._wire import (
    MAX_BODY,
    InvalidValue,
    RawResponse,
    Response,
    configure,
    decoding_error,
    from_dict,
    parse_page,
    parse_response,
    to_dict,
    wire_name,
)

__all__ = [
    "InvalidValue",
    "MAX_BODY",
    "RawResponse",
    "Response",
    "configure",
    "decoding_error",
    "from_dict",
    "parse_page",
    "parse_response",
    "to_dict",
    "wire_name",
]

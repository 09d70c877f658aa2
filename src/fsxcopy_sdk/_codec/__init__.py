"""
Convert between JSON and our classes: the only package that imports cattrs.

`_wire` reads what the service answers, `_partial` what can be read of odd answers;
`_documents` writes and reads what leaves the package, `_settings` reads what people write.
"""

from __future__ import annotations

from fsxcopy_sdk._codec._documents import (
    NOT_IN_DOCUMENTS,
    Document,
    Outcome,
    from_document,
    to_members,
)
from fsxcopy_sdk._codec._partial import accepted_copy, parse_page
from fsxcopy_sdk._codec._settings import ALL, from_settings, nearest
from fsxcopy_sdk._codec._wire import (
    MAX_BODY,
    InvalidValue,
    RawResponse,
    Response,
    configure,
    decoding_error,
    from_dict,
    parse_response,
    to_dict,
    wire_name,
)

__all__ = [
    "ALL",
    "accepted_copy",
    "Document",
    "InvalidValue",
    "MAX_BODY",
    "NOT_IN_DOCUMENTS",
    "Outcome",
    "RawResponse",
    "Response",
    "configure",
    "decoding_error",
    "from_dict",
    "from_document",
    "from_settings",
    "nearest",
    "parse_page",
    "parse_response",
    "to_dict",
    "to_members",
    "wire_name",
]

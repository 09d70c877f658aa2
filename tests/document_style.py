"""The style of everything that leaves the package as JSON, as a check of any document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_BY_REGION = "KmsKeyIds"
_CLOCK = re.compile(r"(?:[1-7]:)?[0-9]{2}:[0-9]{2}")
"""What the service calls a time, and has no date: `1:05:00`."""


def _members(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield every member at any depth, but for those that are named by the user."""
    if isinstance(part, list):
        for one in part:
            yield from _members(one)
    elif isinstance(part, dict):
        for name, value in part.items():
            yield name, value
            if name != _BY_REGION:
                yield from _members(value)


def assert_style(document: Any) -> None:
    """Assert that *document* is JSON, has its version first, PascalCase names and ISO times."""
    assert document == json.loads(json.dumps(document, allow_nan=False))
    assert 1 == document["Version"]
    assert "Version" == next(iter(document))
    members = [*_members(document)]
    assert 1 == sum(name == "Version" for name, _ in members)
    for name, value in members:
        assert _NAME.fullmatch(name), name
        is_time = name.endswith("Time") or name in ("MadeAt", "RecoveryPoint")
        if is_time and not _CLOCK.fullmatch(value):
            assert timedelta(0) == datetime.fromisoformat(value).utcoffset(), name

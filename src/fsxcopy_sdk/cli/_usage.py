"""
ArgumentErrors in what was typed, by the names that it was typed under.
"""

from __future__ import annotations

import re

from fsxcopy_sdk.errors import ConfigurationError, InvalidArguments

# What the library calls an argument, and how it is given here.
_TYPED = {
    "backup_id": "BACKUP_ID",
    "destination": "--region",
    "file_system_ids": "--file-system-id",
    "idempotency_salt": "--salt",
    "filters": "--filter",
    "kms_key_id": "--kms-key-id",
    "kms_key_ids": "--kms-key-id",
    "name": "--policy",
    "keep_tag": "--keep-tag",
    "region": "--region",
    "source_region": "--source-region",
    "tags": "--tag",
    "volume_ids": "--volume-id",
}

_ARGUMENT = re.compile(r"(?:requests\[\d+\]\.)?([a-z_]+)(?:\[\d+\])?(?=: )")
_CLASS = re.compile(r"[A-Z][A-Za-z]+: ")


def usage_fault(error: InvalidArguments | ConfigurationError) -> str:
    """
    Return the text of *error* for a person: options instead of arguments, and no classes.
    """
    errors = error.errors if isinstance(error, InvalidArguments) else (str(error),)
    # The same may be wrong with each of many requests.
    return "; ".join(dict.fromkeys(map(_typed, errors)))


def _typed(fault: str) -> str:
    first = _CLASS.match(fault)
    text = fault[first.end() :] if first else fault
    named = _ARGUMENT.match(text)
    if named is None or named[1] not in _TYPED:
        return text
    return _TYPED[named[1]] + text[named.end() :]

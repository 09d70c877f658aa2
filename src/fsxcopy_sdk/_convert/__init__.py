"""
Between the wire and the models; the only package that knows cattrs.

The models know nothing of the wire. What differs is said here, once:

* names: `backup_id` is `BackupId`, by rule, but for the irregular ones (`_names`);
* times: the wire has epoch seconds, their text, or ISO 8601; the models have
  aware datetimes in UTC; `to_dict` gives epoch seconds (`_leaves`);
* absence: a missing member and a null are the same;
* types are checked, never coerced; members that no model has are ignored.

A document is read by `_quick`, whose hooks are straight-line code. Only what it refuses
is read again by `_careful`, which is cattrs with detailed validation.
"""

from __future__ import annotations

from fsxcopy_sdk._convert._documents import RawResponse, from_dict, parse_response, to_dict
from fsxcopy_sdk._convert._names import wire_name

__all__ = ["RawResponse", "parse_response", "from_dict", "to_dict", "wire_name"]

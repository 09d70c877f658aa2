"""
Many policies, accounts and Regions in one file: planned, carried out and reported together.

`_policy` and `_fleet` read the file, and find all of its errors at once.
"""

from __future__ import annotations

from fsxcopy_sdk.fleet._fleet import Fleet
from fsxcopy_sdk.fleet._keep import Keep
from fsxcopy_sdk.fleet._policy import Account, FleetPolicy, PolicyDestination, PolicySource

__all__ = [
    "Account",
    "Fleet",
    "FleetPolicy",
    "Keep",
    "PolicyDestination",
    "PolicySource",
]

"""
Many policies, accounts and Regions in one file: planned, carried out and reported together.

`_policy` and `_fleet` read the file, and find all of its errors at once; `_schema` describes it
to editors. `_accounts` has the clients. `_planning` and `_sync` are what a program calls, and
`_outcomes` what that returns. `rendering` makes pages, metrics and tables of reports.
"""

from __future__ import annotations

from fsxcopy_sdk.fleet._accounts import DEFAULT_MAX_ACCOUNTS, AccountClients, Connect
from fsxcopy_sdk.fleet._fleet import Fleet, Route
from fsxcopy_sdk.fleet._outcomes import (
    FleetEvent,
    FleetOutcome,
    FleetPlan,
    FleetReport,
    PolicyFailure,
)
from fsxcopy_sdk.fleet._planning import plan_fleet, report_fleet
from fsxcopy_sdk.fleet._policy import Account, FleetPolicy, PolicyDestination, PolicySource
from fsxcopy_sdk.fleet._schema import fleet_example, fleet_schema
from fsxcopy_sdk.fleet._sync import FleetSync, planned_routes, sync_fleet

__all__ = [
    "Account",
    "AccountClients",
    "Connect",
    "DEFAULT_MAX_ACCOUNTS",
    "Fleet",
    "FleetEvent",
    "FleetOutcome",
    "FleetPlan",
    "FleetPolicy",
    "FleetReport",
    "FleetSync",
    "PolicyDestination",
    "PolicyFailure",
    "PolicySource",
    "Route",
    "fleet_example",
    "fleet_schema",
    "plan_fleet",
    "planned_routes",
    "report_fleet",
    "sync_fleet",
]

"""Plans in files: `fsxcopy plan --out` writes one, and `fsxcopy sync --plan` carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import orjson

from fsxcopy_sdk.cli._output import write_json
from fsxcopy_sdk.cli._pages import written_to
from fsxcopy_sdk.errors import ConfigurationError, InvalidArguments
from fsxcopy_sdk.fleet import FleetPlan
from fsxcopy_sdk.replication import ReplicationPlan

# Pruning refuses a plan by the service's own time, too; see `apply_plan`.
_MAX_AGE = timedelta(days=1)

_Plan = TypeVar("_Plan", ReplicationPlan, FleetPlan)


def write_plan(plan: ReplicationPlan | FleetPlan, target: Path | None) -> None:
    """Write a plan's document to *target*; None for nowhere."""
    if target is not None:
        with written_to(target):
            write_json(plan.to_dict(), "json")


def read_plan(file: str) -> ReplicationPlan:
    """
    Return the plan of one policy that `write_plan` wrote.

    Raises:
        ConfigurationError: the file cannot be read, is no such plan, or is older than a day.
    """
    plan = _read(file, ReplicationPlan.from_dict, "Plans", "many policies, which needs --config")
    _check_age(file, [plan])
    return plan


def read_fleet_plan(file: str) -> FleetPlan:
    """
    Return the plan of many policies that `write_plan` wrote.

    Raises:
        ConfigurationError: the file cannot be read, is no such plan, or is older than a day.
    """
    plan = _read(file, FleetPlan.from_dict, "Policy", "one policy, which takes no --config")
    _check_age(file, plan.plans)
    return plan


def _read(
    file: str, parse: Callable[[dict[str, object]], _Plan], member_of_other: str, other: str
) -> _Plan:
    try:
        document = orjson.loads(Path(file).read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigurationError(f"{file}: cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{file}: must be what fsxcopy plan --out wrote")
    if member_of_other in document:
        raise ConfigurationError(f"{file}: is a plan of {other}")
    try:
        return parse(document)
    except InvalidArguments as error:
        raise ConfigurationError(f"{file}: {error}") from error


def _check_age(file: str, plans: Iterable[ReplicationPlan]) -> None:
    now = datetime.now(UTC)
    for plan in plans:
        if abs(now - plan.made_at) > _MAX_AGE:
            made = plan.made_at.isoformat(timespec="seconds")
            raise ConfigurationError(
                f"{file}: is stale: the plan of policy {plan.policy.name} was made at {made}, "
                "not within a day; write a new one with fsxcopy plan --out"
            )

"""Results of plans, syncs and reports of a fleet, each with its policy and account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self, TypeAlias

import attrs

from fsxcopy_sdk._codec import Document, Outcome, from_document
from fsxcopy_sdk._validation import ArgumentErrors, invalid, shown
from fsxcopy_sdk.errors import DOCUMENT_VERSION, FsxCopyError, InvalidArguments
from fsxcopy_sdk.fleet._fleet import Route
from fsxcopy_sdk.replication import PlanOutcome, ReplicationPlan, ReplicationReport


def _members_of(route: Route) -> dict[str, str]:
    """Return what a failure and an outcome say of their route."""
    return {
        "policy_name": route.policy.name,
        "account": str(route.account),
        "source_region": route.policy.source.region,
        "destination_region": route.destination.region,
    }


@attrs.frozen(kw_only=True)
class PolicyFailure(Outcome):
    """A policy could not be planned for one of its destinations; others were not touched by it."""

    policy_name: str
    account: str
    """The account's number where a role names it, else the profile, else `default`."""
    source_region: str
    destination_region: str
    error: FsxCopyError
    """`CredentialsUnavailable`, `AccessDenied`, `ConnectionFailed` ..."""

    @classmethod
    def of(cls, route: Route, error: FsxCopyError) -> Self:
        """Return the failure of one route."""
        return cls(**_members_of(route), error=error)

    def __str__(self) -> str:
        regions = f"{self.source_region} to {self.destination_region}"
        return f"{self.policy_name}: account {self.account}, {regions}: {self.error}"


@attrs.frozen(kw_only=True)
class FleetOutcome(Document):
    """The outcome of one copy or one deletion, with its policy."""

    policy_name: str
    account: str
    """The account's number where a role names it, else the profile, else `default`."""
    source_region: str
    destination_region: str
    outcome: PlanOutcome

    @classmethod
    def of(cls, route: Route, outcome: PlanOutcome) -> Self:
        """Return an outcome of one route."""
        return cls(**_members_of(route), outcome=outcome)

    def to_dict(self) -> dict[str, object]:
        """Return this as JSON-able data: the outcome, and its policy, account and Regions."""
        return {
            **self.outcome.to_dict(),
            "PolicyName": self.policy_name,
            "Account": self.account,
            "SourceRegion": self.source_region,
            "DestinationRegion": self.destination_region,
        }

    def __str__(self) -> str:
        return f"{self.policy_name}: account {self.account}, {self.outcome}"


FleetEvent: TypeAlias = FleetOutcome | PolicyFailure
"""What a sync of a fleet yields."""


@attrs.frozen(kw_only=True)
class _Envelope:
    """What the document of a `FleetPlan` has but for its plans, which are documents as well."""


@attrs.frozen(kw_only=True)
class FleetPlan(Document):
    """
    The plans of a fleet, in the order of its policies, and what could not be planned.

    Raises:
        InvalidArguments: there is not one account for each plan.
    """

    plans: tuple[ReplicationPlan, ...]
    accounts: tuple[str, ...]
    """The account of each plan, in the form of `PolicyFailure.account`."""
    failures: tuple[PolicyFailure, ...] = ()

    def __attrs_post_init__(self) -> None:
        if len(self.accounts) != len(self.plans):
            given = f"{len(self.accounts)} for {len(self.plans)}"
            raise invalid("accounts", "one for each plan", given)

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Self:
        """
        Make a plan from what `to_dict` returned, without what could not be planned.

        Raises:
            InvalidArguments: *document* has errors; `errors` has a text with the path of each.
        """
        from_document(_Envelope, document, ignored=("Plans", "Failures", "HasWork"))
        given = document.get("Plans")
        if not isinstance(given, list):
            raise invalid("$.Plans", "a list of plans", shown(given))
        plans: list[ReplicationPlan] = []
        accounts: list[str] = []
        texts: list[str] = []
        for index, one in enumerate(given):
            members = {**one} if isinstance(one, Mapping) else one
            account = members.pop("Account", None) if isinstance(members, dict) else ""
            if isinstance(account, str):
                accounts.append(account)
            else:
                texts.append(f"$.Plans[{index}].Account: must be a string, not {shown(account)}")
            try:
                plans.append(ReplicationPlan.from_dict(members))
            except InvalidArguments as error:
                texts += (text.replace("$", f"$.Plans[{index}]", 1) for text in error.errors)
        ArgumentErrors(texts).raise_any()
        return cls(plans=tuple(plans), accounts=tuple(accounts))

    @property
    def has_work(self) -> bool:
        """Whether anything is to be copied, awaited or pruned."""
        return any(one.has_work for one in self.plans)

    def to_dict(self) -> dict[str, object]:
        """Return this as JSON-able data; plans are as their own `to_dict` has them."""
        return {
            "Version": DOCUMENT_VERSION,
            "Plans": [
                {**one.to_dict(), "Account": account}
                for one, account in zip(self.plans, self.accounts, strict=True)
            ],
            "Failures": [one.to_dict() for one in self.failures],
            "HasWork": self.has_work,
        }

    def __str__(self) -> str:
        failed = (f"failed: {one}" for one in self.failures)
        return "\n".join([*map(str, self.plans), *failed])


@attrs.frozen(kw_only=True)
class FleetReport(Document):
    """The reports of a fleet, in the order of its policies, and what could not be reported."""

    made_at: datetime
    """UTC: the latest time that a service answered at, or this machine's if none did."""
    reports: tuple[ReplicationReport, ...]
    failures: tuple[PolicyFailure, ...]

    @property
    def is_good(self) -> bool:
        """Whether everything could be reported and read, and nothing is late."""
        return not self.failures and not any(one.late or one.unread for one in self.reports)

    def __str__(self) -> str:
        failed = (f"failed: {one}" for one in self.failures)
        return "\n".join([*map(str, self.reports), *failed])

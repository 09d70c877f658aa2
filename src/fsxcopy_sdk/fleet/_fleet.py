"""A fleet: the policies of one file, which is read whole before anything is done."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Self

import attrs

from fsxcopy_sdk._codec import from_settings, nearest
from fsxcopy_sdk._transport import known_regions
from fsxcopy_sdk._validation import ArgumentErrors, shown, to_items
from fsxcopy_sdk.errors import ConfigurationError, InvalidArguments
from fsxcopy_sdk.fleet._policy import (
    AT_LEAST_ONE,
    Account,
    FleetPolicy,
    PolicyDestination,
    PolicySettings,
)

VERSION: Final = 1
"""The only version of the file's format."""


def _to_policies(given: Iterable[FleetPolicy]) -> tuple[FleetPolicy, ...]:
    return to_items(given)


@attrs.frozen(kw_only=True)
class Fleet:
    """
    Policies of any number of accounts and Regions, which are carried out and reported together.

    Raises:
        InvalidArguments: policies contradict each other; `errors` has one text for each.
    """

    policies: tuple[FleetPolicy, ...] = attrs.field(converter=_to_policies)
    """In the order of the file, those that are not enabled too."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        for index, one in enumerate(self.policies):
            errors.check_type(f"policies[{index}]", one, FleetPolicy, "a FleetPolicy")
        errors.raise_any()
        if not self.policies:
            errors.add("policies", "at least one", "none")
        _check_names(errors, [one.name for one in self.policies], "policies")
        _check_quotas(errors, self.policies)
        errors.raise_any()

    @classmethod
    def from_toml(cls, path: str | Path) -> Self:
        """
        Read a file such as `fsxcopy.toml`; ``fsxcopy config example`` prints one.

        Raises:
            ConfigurationError: the file cannot be read, or is not TOML.
            InvalidArguments: it has errors; `errors` has a text for each, with its path in
                the file, such as `policy[2].source.region`.
        """
        return cls.from_text(cls.read_text(path), name=str(Path(path)))

    @staticmethod
    def read_text(path: str | Path) -> str:
        """
        Return the text of such a file, for a `from_text` on another machine.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        file = Path(path)
        try:
            return file.read_text("utf-8-sig")
        except OSError as error:
            raise ConfigurationError(f"{file}: {error.strerror or error}") from error
        except ValueError as error:  # no UTF-8
            raise ConfigurationError(f"{file}: cannot be read as TOML: {error}") from error

    @classmethod
    def from_text(cls, text: str, *, name: str = "the fleet") -> Self:
        """
        Read what such a file has; errors that are not about a policy begin with *name*.

        Raises:
            ConfigurationError: it is not TOML.
            InvalidArguments: as for `from_toml`.
        """
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # no TOML, or nested too deeply
            raise ConfigurationError(f"{name}: cannot be read as TOML: {error}") from error
        return cls(policies=_read(document))

    def select(self, names: Iterable[str]) -> Self:
        """
        Return a fleet of the policies with these names alone, in the order of the file.

        Raises:
            InvalidArguments: there is no policy of a name, or it is not enabled.
        """
        by_name = {one.name: one for one in self.policies}
        wanted, errors = [*to_items(names)], ArgumentErrors()
        for name in wanted:
            found = by_name.get(name)
            if found is None:
                guess = nearest(str(name), by_name)
                errors.add("name", f"one of {', '.join(by_name)}", f"{shown(name)}{guess}")
            elif not found.enabled:
                errors.add("name", "that of a policy that is enabled", shown(name))
        errors.raise_any()
        return type(self)(policies=[one for one in self.policies if one.name in wanted])

    @property
    def enabled(self) -> tuple[FleetPolicy, ...]:
        """The policies that are carried out."""
        return tuple(one for one in self.policies if one.enabled)

    @property
    def routes_by_name(self) -> dict[tuple[str, str], Route]:
        """What is carried out, by the policy's name and the destination's Region."""
        return {(one.policy.name, one.destination.region): one for one in self.routes}

    @property
    def routes(self) -> tuple[Route, ...]:
        """What is carried out: each policy that is enabled, into each of its destinations."""
        return tuple(
            Route(policy, destination)
            for policy in self.enabled
            for destination in policy.destination
        )

    def find_warnings(self) -> tuple[str, ...]:
        """
        Return texts about settings of enabled policies that are valid and probably unintended.

        A Region that botocore's data does not know for FSx, a destination in the source's own
        Region, and policies that select the same backups for the same destination.
        """
        regions = known_regions()
        return tuple(
            f"policy {shown(policy.name)}: {text}"
            for index, policy in enumerate(self.enabled)
            for text in _doubts(policy, self.enabled[:index], regions)
        )


@attrs.frozen(cache_hash=True)
class Route:
    """A policy and one of its destinations: what one plan is made for."""

    policy: FleetPolicy
    destination: PolicyDestination
    account: Account = attrs.field(init=False)
    """The account of both Regions."""

    @account.default
    def _find_account(self) -> Account:
        return self.policy.source.account

    @property
    def origin(self) -> dict[str, str]:
        """Policy, account and Regions, under the names that documents have for them."""
        return {
            "PolicyName": self.policy.name,
            "Account": str(self.account),
            "SourceRegion": self.policy.source.region,
            "DestinationRegion": self.destination.region,
        }


@attrs.frozen(kw_only=True)
class FleetFile:
    """Policies that keep copies of Amazon FSx backups in other Regions."""

    version: int = attrs.field(metadata={"schema": {"const": VERSION}})
    """Version of this format: 1."""
    defaults: PolicySettings = attrs.field(factory=PolicySettings)
    """What applies to each policy that does not say otherwise."""
    policy: tuple[FleetPolicy, ...] = attrs.field(metadata=AT_LEAST_ONE)
    """The policies; the names are unique."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        if not (type(self.version) is int and self.version == VERSION):
            rule = f"{VERSION}, the only version that this release reads"
            errors.add_value("version", rule, self.version)
        if isinstance(self.policy, tuple):
            try:
                Fleet(policies=self.policy)
            except InvalidArguments as error:
                texts = (re.sub(r"\bpolicies(?=\[|: )", "policy", text) for text in error.errors)
                errors.texts.extend(texts)
        errors.raise_any()


def _read(document: Mapping[str, object]) -> tuple[FleetPolicy, ...]:
    """Return the policies of a parsed file, completed from its defaults."""
    policies = document.get("policy")
    if not isinstance(policies, list):
        return from_settings(FleetFile, document).policy
    defaults = document.get("defaults")
    common = _usable(defaults) if isinstance(defaults, Mapping) else {}
    complete = [{**common, **one} if isinstance(one, Mapping) else one for one in policies]
    if isinstance(defaults, Mapping) and len(common) < len(defaults):
        # What a policy that prunes must keep may be in what has errors, which are enough.
        for one in complete:
            if isinstance(one, dict) and "keep" not in one:
                one.pop("prune", None)
    errors = ArgumentErrors()
    try:
        return from_settings(FleetFile, {**document, "policy": complete}).policy
    except InvalidArguments as error:
        errors.texts.extend(error.errors)
    # These show only in policies that can be read, so that they would come up later.
    repeated = ArgumentErrors()
    names = [one.get("name") if isinstance(one, Mapping) else None for one in policies]
    _check_names(repeated, names, "policy")
    errors.texts.extend(text for text in repeated.texts if text not in errors.texts)
    raise InvalidArguments("; ".join(errors.texts), tuple(errors.texts))


def _usable(defaults: Mapping[str, object]) -> dict[str, object]:
    """Return the defaults that have no errors, so that these are reported once."""
    known = {field.name for field in attrs.fields(PolicySettings)}
    usable: dict[str, object] = {}
    for key in known.intersection(defaults):
        try:
            from_settings(PolicySettings, {key: defaults[key]})
        except InvalidArguments:
            continue
        usable[key] = defaults[key]
    return usable


def _check_names(errors: ArgumentErrors, names: Iterable[object], place: str) -> None:
    first: dict[object, int] = {}
    for index, name in enumerate(names):
        if isinstance(name, str) and first.setdefault(name, index) != index:
            rule = f"another one than that of {place}[{first[name]}]"
            errors.add_value(f"{place}[{index}].name", rule, name)


def _doubts(
    policy: FleetPolicy, earlier: Iterable[FleetPolicy], known: Collection[str]
) -> Iterator[str]:
    """Yield what is doubtful in a policy, for itself and beside those *earlier* in the file."""
    source, targets = policy.source.region, [one.region for one in policy.destination]
    for region in dict.fromkeys((source, *targets)):
        if region not in known:
            yield f"botocore lists no endpoint of FSx in {region}{nearest(region, known)}"
    if source in targets:
        yield f"copies in {source} are in the Region of their backups, and are lost with it"
    for other in earlier:
        shared = sorted({*targets}.intersection(one.region for one in other.destination))
        if shared and policy.shares_backups_with(other):
            yield (
                f"selects backups that policy {shown(other.name)} copies into "
                f"{' and '.join(shared)} too; a copy has the tags, the key and the retention "
                "of the policy that made it"
            )


def _check_quotas(errors: ArgumentErrors, policies: Iterable[FleetPolicy]) -> None:
    """Note limits that contradict each other, because there is one queue for each destination."""
    first: dict[tuple[Account, str], tuple[int, int]] = {}
    for index, policy in enumerate(policies):
        limit = policy.max_in_progress
        for region in (one.region for one in policy.destination if policy.enabled):
            earlier, its = first.setdefault((policy.source.account, region), (index, limit))
            if its != limit:
                rule = f"{its} as that of policies[{earlier}], which copies into {region} too"
                errors.add_value(f"policies[{index}].max_in_progress", rule, limit)

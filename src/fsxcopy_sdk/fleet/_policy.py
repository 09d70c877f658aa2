"""The policies of a fleet: classes that the tables of its file are read into."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final, Literal

import attrs

from fsxcopy_sdk import _validation as rules
from fsxcopy_sdk._codec import ALL
from fsxcopy_sdk._validation import (
    DEFAULT_KEEP_TAG,
    DEFAULT_MAX_AGE,
    DEFAULT_MAX_IN_PROGRESS,
    ArgumentErrors,
    BackupFilter,
    Rule,
    describe_backups_request,
    partition_of,
)
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.replication import Keep, ReplicationPolicy

DEFAULT_SESSION_NAME: Final = "fsxcopy"
"""What CloudTrail shows of an assumed role unless the policy says otherwise."""

# The service models of STS and IAM have the same patterns and lengths.
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+", re.ASCII)
_ROLE_ARN = Rule(
    20,
    2048,
    lambda text: _ROLE.fullmatch(text) is not None,
    "the ARN of a role, like arn:aws:iam::123456789012:role/NAME",
)
_EXTERNAL_ID = Rule(
    2,
    1224,
    lambda text: re.fullmatch(r"[\w+=,.@:/-]*", text, re.ASCII) is not None,
    "2 to 1224 of A-Z, a-z, 0-9 and `_+=,.@:/-`",
)
_SESSION_NAME = Rule(
    2,
    64,
    lambda text: re.fullmatch(r"[\w+=,.@-]*", text, re.ASCII) is not None,
    "2 to 64 of A-Z, a-z, 0-9 and `_+=,.@-`",
)
_PROFILE = Rule(1, 256, lambda text: text.isprintable(), "1 to 256 printable characters")

_REGION_SCHEMA: Final = {"schema": {"pattern": "^[a-z0-9-]{1,20}$"}}
AT_LEAST_ONE: Final = {"schema": {"minItems": 1}}
_ANY_NAME = "any"
_Pairs = tuple[tuple[str, str], ...]


@attrs.frozen(kw_only=True)
class Account:
    """
    An AWS account, by the credentials that sign the requests to it.

    Raises:
        InvalidArguments: members break rules; `errors` has one text for each.
    """

    profile: str | None = None
    """Profile of the AWS configuration; with a role, the one that assumes it."""
    role_arn: str | None = None
    """Role to assume; its credentials are renewed as long as the run lasts."""
    external_id: str | None = None
    """The external ID that the role's trust policy asks for."""
    session_name: str | None = None
    """Name of the role's session, which CloudTrail shows (default: fsxcopy)."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        self._check(errors)
        errors.raise_any()

    def _check(self, errors: ArgumentErrors) -> None:
        errors.check_optional("profile", self.profile, _PROFILE)
        errors.check_optional("role_arn", self.role_arn, _ROLE_ARN)
        errors.check_optional("external_id", self.external_id, _EXTERNAL_ID)
        errors.check_optional("session_name", self.session_name, _SESSION_NAME)
        if self.role_arn is None:
            for name in ("external_id", "session_name"):
                if getattr(self, name) is not None:
                    errors.add(name, "given with role_arn", "alone")

    def __str__(self) -> str:
        """Return the number of the role's account, or the name of the profile."""
        role = _ROLE.fullmatch(self.role_arn or "")
        return role[1] if role else self.profile or "default"


@attrs.frozen(kw_only=True)
class PolicySource(Account):
    """Where the backups of a policy are: a Region, and an account by its credentials."""

    region: str = attrs.field(metadata=_REGION_SCHEMA)
    """Region of the backups."""

    def _check(self, errors: ArgumentErrors) -> None:
        errors.check("region", self.region, rules.REGION)
        super()._check(errors)

    @property
    def account(self) -> Account:
        """The account, whatever the Region."""
        members = {field.name: getattr(self, field.name) for field in attrs.fields(Account)}
        return Account(**members)


@attrs.frozen(kw_only=True)
class PolicyDestination:
    """A Region that gets copies, in the same account, because CopyBackup reaches no other."""

    region: str = attrs.field(metadata=_REGION_SCHEMA)
    """Region of the copies."""
    kms_key_id: str | None = None
    """KMS key for the copies, in this Region (default: aws/fsx)."""
    tags: _Pairs = ()
    """More tags for the copies in this Region; they win over those of the policy."""
    profile: str | None = None
    """The same as the source's, if it is repeated here."""
    role_arn: str | None = None
    """The same as the source's, if it is repeated here."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        errors.check("region", self.region, rules.REGION)
        if self.kms_key_id is not None:
            errors.check_key_of(self.region, "kms_key_id", self.kms_key_id)
        _check(errors, lambda: ReplicationPolicy(name=_ANY_NAME, tags=dict(self.tags)))
        errors.raise_any()


@attrs.frozen(kw_only=True)
class PolicySettings:
    """Settings of `[defaults]`, which each policy may set for itself."""

    filters: tuple[BackupFilter, ...] = ()
    """Filters of the service that backups must pass, by their names: a value or a list."""
    newest: int | Literal["all"] = 1
    """How many backups of each file system or volume to copy, the newest first, or "all"."""
    newer_than: float | None = None
    """Copy only backups younger than this."""
    copy_tags: bool = True
    """Whether copies get the tags of their backups."""
    tags: _Pairs = ()
    """More tags for copies; they win over those of the backups."""
    keep: Keep | None = None
    """Which copies are kept; without it none is ever pruned."""
    keep_tag: str = DEFAULT_KEEP_TAG
    """Keep the copies that have a tag with this key."""
    prune: bool = False
    """Whether a sync deletes the copies that are not kept."""
    max_age: float = DEFAULT_MAX_AGE.total_seconds()
    """Report a newest copy older than this as late."""
    max_in_progress: int = DEFAULT_MAX_IN_PROGRESS
    """Copies in progress at once in a destination, for all policies of the account together."""
    enabled: bool = True
    """Whether the policy is carried out and reported."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        self._check(errors)
        errors.raise_any()

    def _check(self, errors: ArgumentErrors) -> None:
        _check_count(errors, "max_in_progress", self.max_in_progress)
        for name in ("copy_tags", "prune", "enabled"):
            errors.check_type(name, getattr(self, name), bool, "true or false")
        if self.newest != ALL:
            _check_count(errors, "newest", self.newest, ' or more, or "all"')
        _check(
            errors,
            lambda: ReplicationPolicy(
                name=_ANY_NAME,
                filters=self.filters,
                newer_than=self.newer_than,
                tags=dict(self.tags),
                keep_tag=self.keep_tag,
                max_age=self.max_age,
            ),
        )
        _check(
            errors,
            lambda: describe_backups_request(
                backup_ids=None, filters=self.filters, max_results=None, next_token=None
            ),
        )


@attrs.frozen(kw_only=True)
class FleetPolicy(PolicySettings):
    """
    Say which backups of one account and Region have copies in which other Regions.

    Raises:
        InvalidArguments: members break rules; `errors` has one text for each.
    """

    name: str
    """Recorded in the tags of each copy: only copies with this name are pruned."""
    source: PolicySource
    """Region and account of the backups."""
    destination: tuple[PolicyDestination, ...] = attrs.field(metadata=AT_LEAST_ONE)
    """Regions of the copies."""
    file_system_ids: tuple[str, ...] = ()
    """File systems to copy the backups of, together with the backups of their volumes."""
    volume_ids: tuple[str, ...] = ()
    """More volumes to copy the backups of. Without file systems and volumes: everything."""

    def _check(self, errors: ArgumentErrors) -> None:
        super()._check(errors)
        # In a file with errors members may be missing, which are reported already.
        _check(
            errors,
            lambda: ReplicationPolicy(
                name=self.name,
                file_system_ids=self.file_system_ids,
                volume_ids=self.volume_ids,
            ),
        )
        if self.prune is True and self.keep is None:
            errors.add("keep", "given where prune is true", "absent")
        members: tuple[object, ...] = (self.source, self.destination)
        if None not in members:
            self._check_destinations(errors)

    def _check_destinations(self, errors: ArgumentErrors) -> None:
        source = self.source
        if not self.destination:
            errors.add("destination", "at least one Region", "none")
        partition = partition_of(source.region)
        seen: set[str] = set()
        for index, one in enumerate(self.destination):
            name = f"destination[{index}]"
            if partition_of(one.region) != partition:
                rule = f"in the partition of {source.region}, which is {partition}"
                errors.add(f"{name}.region", rule, one.region)
            if one.region in seen:
                errors.add(f"{name}.region", "given once", f"{one.region} again")
            seen.add(one.region)
            for member in ("profile", "role_arn"):
                given = getattr(one, member)
                if given not in (None, getattr(source, member)):
                    rule = "that of the source, because CopyBackup copies within one account"
                    errors.add_value(f"{name}.{member}", rule, given)
        if not errors.texts:
            self._check_together(errors)

    def _check_together(self, errors: ArgumentErrors) -> None:
        """Note what is wrong with members that are right by themselves."""
        for index, one in enumerate(self.destination):
            _check(errors, partial(self.to, one), f"destination[{index}].")

    def to(self, destination: PolicyDestination) -> ReplicationPolicy:
        """Return the policy of copies into one *destination*."""
        key = destination.kms_key_id
        return ReplicationPolicy(
            name=self.name,
            file_system_ids=self.file_system_ids,
            volume_ids=self.volume_ids,
            filters=self.filters,
            newest=None if self.newest == ALL else self.newest,
            newer_than=self.newer_than,
            copy_tags=self.copy_tags,
            tags={**dict(self.tags), **dict(destination.tags)},
            kms_key_ids={} if key is None else {destination.region: key},
            keep=self.keep,
            keep_tag=self.keep_tag,
            max_age=self.max_age,
        )


def _check(errors: ArgumentErrors, make: Callable[[], object], prefix: str = "") -> None:
    """Note what *make* refuses, each with *prefix* before its name."""
    try:
        make()
    except InvalidArguments as error:
        errors.texts.extend(f"{prefix}{text}" for text in error.errors)


def _check_count(errors: ArgumentErrors, name: str, value: object, more: str = " or more") -> None:
    if not (type(value) is int and value >= 1):
        errors.add_value(name, f"an integer of 1{more}", value)

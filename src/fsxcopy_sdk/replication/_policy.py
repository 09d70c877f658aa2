"""Which backups have copies elsewhere, how these are made, and how long they are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Self

import attrs

from fsxcopy_sdk import _validation as rules
from fsxcopy_sdk._codec import Document, from_document
from fsxcopy_sdk._validation import (
    DEFAULT_KEEP_TAG,
    DEFAULT_MAX_AGE,
    ArgumentErrors,
    BackupFilter,
    Duration,  # noqa: F401 - annotations of converters, which attrs copies to __init__
    Tags,  # noqa: F401 - the same
    to_items,
    to_seconds,
    to_tags,
)
from fsxcopy_sdk.bulk import CopyRequest
from fsxcopy_sdk.errors import InvalidArguments
from fsxcopy_sdk.models import Tag
from fsxcopy_sdk.replication._inventory import LINEAGE_TAGS, Source
from fsxcopy_sdk.replication._keep import Keep, to_seconds_or_none

# The service's model has the same patterns and lengths.
_FILE_SYSTEM_ID = re.compile(r"fs-[0-9a-f]{8,18}")
_VOLUME_ID = re.compile(r"fsvol-[0-9a-f]{17}")

_SOME_BACKUP_ID = "backup-00000000"


def _to_ids(given: Iterable[str]) -> tuple[str, ...]:
    return to_items(given)


def _to_filters(given: Iterable[BackupFilter]) -> tuple[BackupFilter, ...]:
    return to_items(given)


def _to_pairs(
    given: Mapping[str, str] | Iterable[tuple[str, str]],
) -> tuple[tuple[str, str], ...]:
    pairs = given.items() if isinstance(given, Mapping) else given
    return tuple(sorted(to_items(pairs), key=str))


@attrs.frozen(kw_only=True)
class ReplicationPolicy(Document):
    """
    Say which backups of one Region have copies in another, and how long these stay.

    Durations are seconds or timedeltas, and become seconds.

    Raises:
        InvalidArguments: members break rules; `errors` has one text for each.
    """

    name: str
    """
    Recorded in the tags of each copy: only copies with this name are pruned.
    Policies that select the same backups share the copies, and each copy follows the retention
    of the policy that made it.
    """
    file_system_ids: tuple[str, ...] = attrs.field(default=(), converter=_to_ids)
    """File systems to copy the backups of, together with the backups of their volumes."""
    volume_ids: tuple[str, ...] = attrs.field(default=(), converter=_to_ids)
    """More volumes to copy the backups of. Without file systems and volumes: everything."""
    filters: tuple[BackupFilter, ...] = attrs.field(default=(), converter=_to_filters)
    """What the backups must pass as well."""
    newest: int | None = 1
    """How many backups of each file system or volume, the newest first; None for all."""
    newer_than: float | None = attrs.field(default=None, converter=to_seconds_or_none)
    """Seconds: how old the backups may be; None for any age."""
    copy_tags: bool = True
    """Whether copies get the tags of their backups."""
    tags: tuple[Tag, ...] = attrs.field(default=(), converter=to_tags)
    """More tags for copies, as a mapping or as `Tag` objects; they win."""
    kms_key_ids: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_to_pairs)
    """The key for copies by destination Region, given as a mapping; FSx's own elsewhere."""
    keep: Keep | None = None
    """Which copies are not pruned; None for all."""
    keep_tag: str = DEFAULT_KEEP_TAG
    """
    The key of a tag that keeps a copy from being pruned, whatever its value. On a backup
    it protects the copies too that are made with `copy_tags`.
    """
    max_age: float = attrs.field(default=DEFAULT_MAX_AGE.total_seconds(), converter=to_seconds)
    """Seconds: how old the newest copy's backup may be before the report calls it late."""

    def __attrs_post_init__(self) -> None:
        errors = ArgumentErrors()
        errors.check("name", self.name, rules.TAG_KEY)
        _check_ids(errors, "file_system_ids", self.file_system_ids, _FILE_SYSTEM_ID)
        _check_ids(errors, "volume_ids", self.volume_ids, _VOLUME_ID)
        for index, one in enumerate(self.filters):
            errors.check_type(f"filters[{index}]", one, BackupFilter, "a BackupFilter")
        newest = self.newest
        if newest is not None and not (type(newest) is int and newest >= 1):
            errors.add_value("newest", "an integer of 1 or more, or None for all", newest)
        if self.newer_than is not None:
            errors.check_seconds("newer_than", self.newer_than)
        if self.keep is not None:
            errors.check_type("keep", self.keep, Keep, "a Keep, or None for all")
        errors.check_seconds("max_age", self.max_age)
        errors.check("keep_tag", self.keep_tag, rules.TAG_KEY)
        _check_keys(errors, self.kms_key_ids)
        _check_copies(errors, self)
        errors.raise_any()

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Self:
        """
        Make a policy from what `to_dict` returned, or from JSON that was written by hand.

        Raises:
            InvalidArguments: *document* has errors; `errors` has a text with the path of each.
        """
        return from_document(cls, document)

    @property
    def prunes(self) -> bool:
        """Whether the policy has a retention, so that copies can be pruned."""
        return self.keep is not None

    @property
    def names_sources(self) -> bool:
        """Whether file systems or volumes are named, so that others are left alone."""
        return bool(self.file_system_ids or self.volume_ids)

    def covers(self, source: Source) -> bool:
        """Whether the policy is about the backups of *source*."""
        return (
            not self.names_sources
            or source.source_id in self.volume_ids
            or source.file_system_id in self.file_system_ids
        )

    def kms_key_id(self, region: str) -> str | None:
        """Return the key for copies into *region*; None for FSx's own there."""
        return dict(self.kms_key_ids).get(region)


def _check_ids(
    errors: ArgumentErrors, name: str, ids: Iterable[object], pattern: re.Pattern[str]
) -> None:
    for index, one in enumerate(ids):
        if not isinstance(one, str) or not pattern.fullmatch(one):
            errors.add_value(f"{name}[{index}]", f"like `{pattern.pattern}`", one)


def _check_keys(errors: ArgumentErrors, pairs: Iterable[object]) -> None:
    regions: list[object] = []
    for pair in pairs:
        match pair:
            case (region, key):
                errors.check("kms_key_ids: Region", region, rules.REGION)
                errors.check_key_of(region, f"kms_key_ids: key of {rules.shown(region)}", key)
                if regions.count(region) == 1:
                    errors.add(f"kms_key_ids: Region {region}", "given once", "several times")
                regions.append(region)
            case _:
                errors.add_value("kms_key_ids", "a mapping from Regions to keys", pair)


def _check_copies(errors: ArgumentErrors, policy: ReplicationPolicy) -> None:
    """Note which rules of CopyBackup the copies of *policy* would break."""
    keys = [getattr(tag, "key", None) for tag in policy.tags]
    reserved = [key for key in keys if key in LINEAGE_TAGS]
    for key in reserved:
        errors.add(f"tags: key {key!r}", "free", "one that assigns a copy to a policy")
    lineage = () if reserved else (Tag(key=key, value="") for key in LINEAGE_TAGS)
    try:
        CopyRequest(
            source_backup_id=_SOME_BACKUP_ID,
            copy_tags=policy.copy_tags,
            tags=(*policy.tags, *lineage),
        )
    except InvalidArguments as error:
        errors.texts.extend(error.errors)


def unseen_ids(policy: ReplicationPolicy, sources: Iterable[Source | None]) -> set[str]:
    """Return the IDs that *policy* names and that are not among *sources*."""
    seen = {one_id for one in sources if one for one_id in (one.source_id, one.file_system_id)}
    return {*policy.file_system_ids, *policy.volume_ids} - seen

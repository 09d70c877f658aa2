"""
From the arguments of a call to the request that is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from uuid import uuid4

from fsxcopy_sdk._arguments import _rules as rules
from fsxcopy_sdk.models import BackupFilter, Tag

if TYPE_CHECKING:
    from types_aiobotocore_fsx.type_defs import (
        CopyBackupRequestTypeDef,
        DeleteBackupRequestTypeDef,
        DescribeBackupsRequestTypeDef,
        TagTypeDef,
    )

Tags: TypeAlias = Mapping[str, str] | Iterable[Tag]
"""Keys and values, or `Tag` objects."""

# The service model's limits on lists and numbers; see `_rules` for its version.
MAX_BACKUP_IDS = 50
MAX_FILTERS = 10
MAX_FILTER_VALUES = 20
MAX_RESULTS = 2**31 - 1
MAX_TAGS = 50

_Item = TypeVar("_Item")


def copy_backup_request(
    source_backup_id: str,
    *,
    region: str,
    source_region: str | None,
    kms_key_id: str | None,
    copy_tags: bool,
    tags: Tags | None,
    client_request_token: str | None,
) -> CopyBackupRequestTypeDef:
    """
    Make a CopyBackup request to *region*; without a token it gets a random one.

    Raises:
        InvalidArguments: with a text for every fault.
    """
    faults = rules.Faults()
    faults.check("source_backup_id", source_backup_id, rules.BACKUP_ID)
    _check_source_region(faults, source_region, region)
    faults.check_optional("kms_key_id", kms_key_id, rules.KMS_KEY_ID)
    faults.check_type("copy_tags", copy_tags, bool, "True or False")
    wire_tags = _wire_tags(faults, tags)
    faults.check_optional("client_request_token", client_request_token, rules.TOKEN)
    faults.raise_any()
    request: CopyBackupRequestTypeDef = {
        "SourceBackupId": source_backup_id,
        "ClientRequestToken": client_request_token or str(uuid4()),
    }
    if source_region is not None:
        request["SourceRegion"] = source_region
    if kms_key_id is not None:
        request["KmsKeyId"] = kms_key_id
    if copy_tags:
        request["CopyTags"] = True
    if wire_tags:
        request["Tags"] = wire_tags
    return request


def describe_backups_request(
    *,
    backup_ids: Iterable[str] | None,
    filters: Iterable[BackupFilter],
    max_results: int | None,
    next_token: str | None,
) -> DescribeBackupsRequestTypeDef:
    """
    Make a DescribeBackups request.

    Raises:
        InvalidArguments: with a text for every fault.
    """
    faults = rules.Faults()
    ids = None if backup_ids is None else _backup_ids(faults, backup_ids)
    wanted = _filters(faults, filters)
    if max_results is not None and not (
        type(max_results) is int and 1 <= max_results <= MAX_RESULTS
    ):
        faults.add_value("max_results", f"an integer from 1 to {MAX_RESULTS}", max_results)
    faults.check_optional("next_token", next_token, rules.NEXT_TOKEN)
    faults.raise_any()
    request: DescribeBackupsRequestTypeDef = {}
    if ids is not None:
        request["BackupIds"] = ids
    if wanted:
        request["Filters"] = [{"Name": one.name.value, "Values": one.values} for one in wanted]
    if max_results is not None:
        request["MaxResults"] = max_results
    if next_token is not None:
        request["NextToken"] = next_token
    return request


def delete_backup_request(
    backup_id: str, *, client_request_token: str | None
) -> DeleteBackupRequestTypeDef:
    """
    Make a DeleteBackup request; without a token it gets a random one.

    Raises:
        InvalidArguments: with a text for every fault.
    """
    faults = rules.Faults()
    faults.check("backup_id", backup_id, rules.BACKUP_ID)
    faults.check_optional("client_request_token", client_request_token, rules.TOKEN)
    faults.raise_any()
    return {"BackupId": backup_id, "ClientRequestToken": client_request_token or str(uuid4())}


def _check_source_region(faults: rules.Faults, source_region: str | None, region: str) -> None:
    if source_region is None:
        return
    faults.check("source_region", source_region, rules.REGION)
    if rules.REGION.allows(source_region):
        source, destination = rules.partition_of(source_region), rules.partition_of(region)
        if source != destination:
            rule = f"in the partition of {region}, which is {destination}"
            faults.add("source_region", rule, f"{source_region}, which is in {source}")


def _wire_tags(faults: rules.Faults, tags: Tags | None) -> list[TagTypeDef]:
    if tags is None:
        return []
    if isinstance(tags, Mapping):
        pairs = list(tags.items())
    else:
        given = _items(faults, "tags", tags, Tag, "a mapping of strings or Tag objects")
        pairs = [(tag.key, tag.value) for tag in given or ()]
    for key, value in pairs:
        faults.check(f"tags: key {rules.shown(key)}", key, rules.TAG_KEY)
        faults.check(f"tags: value of {rules.shown(key)}", value, rules.TAG_VALUE)
    keys = [key for key, _ in pairs if isinstance(key, str)]
    for key, count in Counter(keys).items():
        if count > 1:
            faults.add(f"tags: key {rules.shown(key)}", "unique", f"given {count} times")
        if key.lower().startswith("aws:"):
            name = f"tags: key {rules.shown(key)}"
            faults.add(name, "without AWS's own prefix", "one with `aws:`")
    if len(pairs) > MAX_TAGS:
        faults.add("tags", f"at most {MAX_TAGS}", str(len(pairs)))
    return [{"Key": key, "Value": value} for key, value in pairs]


def _backup_ids(faults: rules.Faults, backup_ids: Iterable[str]) -> list[str]:
    ids = _items(faults, "backup_ids", backup_ids, str, "a collection of ids")
    if ids is None:
        return []
    for index, backup_id in enumerate(ids):
        faults.check(f"backup_ids[{index}]", backup_id, rules.BACKUP_ID)
    # An empty list would ask for all backups, which nobody means who gives one.
    if not 1 <= len(ids) <= MAX_BACKUP_IDS:
        faults.add("backup_ids", f"1 to {MAX_BACKUP_IDS} ids, or None for all", f"{len(ids)} ids")
    return ids


def _filters(faults: rules.Faults, filters: Iterable[BackupFilter]) -> list[BackupFilter]:
    wanted = _items(faults, "filters", filters, BackupFilter, "a collection of BackupFilter") or []
    for index, one in enumerate(wanted):
        for value in one.values:
            faults.check(f"filters[{index}].values", value, rules.FILTER_VALUE)
        if not 1 <= len(one.values) <= MAX_FILTER_VALUES:
            name = f"filters[{index}].values"
            faults.add(name, f"1 to {MAX_FILTER_VALUES} values", f"{len(one.values)} values")
    if len(wanted) > MAX_FILTERS:
        faults.add("filters", f"at most {MAX_FILTERS}", str(len(wanted)))
    return wanted


def _items(
    faults: rules.Faults, name: str, given: object, cls: type[_Item], words: str
) -> list[_Item] | None:
    """
    Return the members of a collection, or note that it is none of *cls*.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        faults.add_value(name, words, given)
        return None
    items = list(given)
    if not all(isinstance(item, cls) for item in items):
        faults.add_value(name, words, items)
        return None
    return items

"""
CopyBackup: the rules by which a copy is accepted, and what it then is.
"""

from __future__ import annotations

from typing import Final

from ._checks import MOST_TAGS
from ._errors import LONGEST_MESSAGE, ServiceFailure
from ._json import Document, Tag, tags_of, text_member, with_tags
from ._regions import AccountRegion, partition_of
from ._requests import CopyBackupRequest
from ._store import Store, StoredBackup, default_key

INHERITED: Final[tuple[str, ...]] = (
    "FileSystem",
    "Volume",
    "ResourceType",
    "DirectoryInformation",
    "SizeInBytes",
)
"""The members that a copy takes over from its source."""

_CONFIGURATIONS: Final = (
    "WindowsConfiguration",
    "OntapConfiguration",
    "OpenZFSConfiguration",
)


def copy_backup(store: Store, place: AccountRegion, request: CopyBackupRequest) -> Document:
    """
    Accept a copy into *place*; the same token gives the same copy again.

    Raises:
        ServiceFailure: one of the operation's errors.
    """
    token = request.get("ClientRequestToken")
    asked = _asked(place, request)
    copy = store.tokens.recall(place, "CopyBackup", token, asked)
    if copy is None:
        source = _source(store, place, request)
        copy = _begin(store, place, source, request)
        store.tokens.remember(place, "CopyBackup", token, asked, copy)
    return {"Backup": copy.seen(store.clock.now())}


def _asked(place: AccountRegion, request: CopyBackupRequest) -> object:
    # Leaving a member out and giving its default ask for the same.
    return (
        request["SourceBackupId"],
        request.get("SourceRegion", place.region),
        request.get("KmsKeyId"),
        request.get("CopyTags", False),
        sorted((tag["Key"], tag["Value"]) for tag in request.get("Tags", [])),
    )


def _source(store: Store, place: AccountRegion, request: CopyBackupRequest) -> StoredBackup:
    """
    Return the backup to copy, if it can be copied to *place*.
    """
    region = request.get("SourceRegion", place.region)
    partition = partition_of(region)
    if partition is None or partition != partition_of(place.region):
        msg = f"{region} is not a Region from which backups can be copied to {place.region}."
        raise ServiceFailure("InvalidRegion", msg)
    backup_id = request["SourceBackupId"]
    source = store.shelf(AccountRegion(place.account, region)).backups.get(backup_id)
    if source is None:
        msg = f"Backup {backup_id} does not exist in {region}."
        raise ServiceFailure("BackupNotFound", msg)
    lifecycle = source.lifecycle(store.clock.now())
    if lifecycle != "AVAILABLE":
        msg = f"Backup {backup_id} is {lifecycle}, not AVAILABLE."
        raise ServiceFailure("SourceBackupUnavailable", msg, BackupId=backup_id)
    _check_kind(store, place, source.document)
    return source


def _check_kind(store: Store, place: AccountRegion, source: Document) -> None:
    style = text_member(source, "Volume", "OntapConfiguration", "VolumeStyle")
    if style == "FLEXGROUP":
        msg = "Backups of FlexGroup volumes cannot be copied."
        raise ServiceFailure("UnsupportedOperation", msg)
    deployments = (
        text_member(source, "FileSystem", configuration, "DeploymentType")
        for configuration in _CONFIGURATIONS
    )
    multi_az = any((kind or "").startswith("MULTI_AZ") for kind in deployments)
    if multi_az and place.region in store.single_az_regions:
        msg = f"{place.region} does not support Multi-AZ file systems."
        raise ServiceFailure("IncompatibleRegionForMultiAZ", msg)


def _begin(
    store: Store,
    place: AccountRegion,
    source: StoredBackup,
    request: CopyBackupRequest,
) -> StoredBackup:
    key = request.get("KmsKeyId") or default_key(place)
    failure = _key_failure(store, source, key)
    tags = merged_tags(
        tags_of(source.document) if request.get("CopyTags") else [],
        request.get("Tags", []),
    )
    if len(tags) > MOST_TAGS:
        # Each list alone is within the model's rule, which is what a
        # BadRequest is for; the sum is a limit on the resource.
        msg = f"The copy would have {len(tags)} tags, {MOST_TAGS} are allowed."
        raise ServiceFailure("ServiceLimitExceeded", msg, Limit="TOTAL_USER_TAGS")
    check_user_initiated_limit(store, place)
    _check_copies_limit(store, place, source, key)
    copy = store.put(
        place,
        _document(store, place, source, key, tags),
        store.begin(source.backup_id, copy=True, failure=failure),
    )
    copy.unseen_until = store.clock.now() + store.settings.unseen_seconds(copy.backup_id)
    source.copies.append(copy)
    store.add_copy(copy)
    return copy


def _key_failure(store: Store, source: StoredBackup, key: str) -> str | None:
    """
    Return the text with which the copy will fail, raise if it does now.
    """
    failure = None
    for code, key_id in (
        ("InvalidSourceKmsKey", text_member(source.document, "KmsKeyId")),
        ("InvalidDestinationKmsKey", key),
    ):
        later = store.refused_keys.get((code, key_id or ""))
        msg = f"{code}: the KMS key {key_id} cannot be used."
        if later is False:
            raise ServiceFailure(code, msg)
        if later is True:
            failure = msg[:LONGEST_MESSAGE]
    return failure


def merged_tags(first: list[Tag], second: list[Tag]) -> list[Tag]:
    """
    Return both lists as one; on the same key the second one's value wins.
    """
    merged = {tag["Key"]: tag["Value"] for tag in (*first, *second)}
    return [Tag(Key=key, Value=value) for key, value in merged.items()]


def check_user_initiated_limit(store: Store, place: AccountRegion) -> None:
    """
    Check that *place* may hold one more user-initiated backup.

    Raises:
        ServiceFailure: ServiceLimitExceeded.
    """
    most = store.settings.max_user_initiated_backups
    if most is None:
        return
    backups = store.shelf(place).backups.values()
    held = sum(b.document.get("Type") == "USER_INITIATED" for b in backups)
    if held >= most:
        msg = f"{place.region} holds {held} user-initiated backups already."
        raise ServiceFailure("ServiceLimitExceeded", msg, Limit="TOTAL_USER_INITIATED_BACKUPS")


def _check_copies_limit(
    store: Store, place: AccountRegion, source: StoredBackup, key: str
) -> None:
    """
    Check that one more copy of *source* may be in progress.

    Copies of file systems are limited per account and destination Region;
    those of ONTAP volumes per volume and key there, and per account.
    """
    volume = text_member(source.document, "Volume", "VolumeId")
    rivals = [
        copy
        for copy in store.copies_in_progress(place)
        if text_member(copy.document, "Volume", "VolumeId") == volume
        and (volume is None or copy.document.get("KmsKeyId") == key)
    ]
    full = len(rivals) >= store.settings.max_copies_in_progress
    if volume is not None:
        most = store.settings.max_volume_copies_in_progress
        full = full or _volume_copies(store, place.account) >= most
    if full:
        msg = f"Too many backup copies in progress to {place.region}."
        raise ServiceFailure(
            "ServiceLimitExceeded",
            msg,
            Limit="TOTAL_IN_PROGRESS_COPY_BACKUPS",
        )


def _volume_copies(store: Store, account: str) -> int:
    return sum(
        "Volume" in copy.document
        for place in store.places_of(account)
        for copy in store.copies_in_progress(place)
    )


def _document(
    store: Store,
    place: AccountRegion,
    source: StoredBackup,
    key: str,
    tags: list[Tag],
) -> Document:
    inherited = {name: source.document[name] for name in INHERITED if name in source.document}
    backup_id = store.new_backup_id()
    document: Document = {
        "BackupId": backup_id,
        "Type": "USER_INITIATED",
        "CreationTime": store.epoch(),
        "KmsKeyId": key,
        "ResourceARN": place.arn(f"backup/{backup_id}"),
        "OwnerId": place.account,
        "SourceBackupId": source.backup_id,
        "SourceBackupRegion": source.place.region,
        **inherited,
    }
    return with_tags(document, tags)

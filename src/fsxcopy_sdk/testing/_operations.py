"""The operations of the service by name, on what the store holds."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

from fsxcopy_sdk.testing._documents import (
    MAX_MESSAGE,
    AccountRegion,
    Document,
    JsonValue,
    ServiceFailure,
    default_file_system,
    default_volume,
    merged_tags,
    partition_of,
    tags_of,
    text_member,
    with_tags,
)
from fsxcopy_sdk.testing._lifecycle import FINISHED, busy_until
from fsxcopy_sdk.testing._requests import (
    MAX_TAGS,
    Filter,
    Request,
)
from fsxcopy_sdk.testing._store import Source, Store, StoredBackup

# CopyBackup

_INHERITED: Final = (
    "FileSystem",
    "Volume",
    "ResourceType",
    "DirectoryInformation",
    "SizeInBytes",
)
"""The members that a copy has from its source."""

_CONFIGURATIONS: Final = ("WindowsConfiguration", "OntapConfiguration", "OpenZFSConfiguration")
"""The configurations of file systems that may be Multi-AZ."""


def _copy_backup(store: Store, scope: AccountRegion, request: Request) -> Document:
    """Accept a copy into *scope*; the same token gives the same copy again."""
    # Leaving a member out is the same request as giving its default.
    asked = (
        request["SourceBackupId"],
        request.get("SourceRegion", scope.region),
        request.get("KmsKeyId"),
        request.get("CopyTags", False),
        sorted((tag["Key"], tag["Value"]) for tag in request.get("Tags", [])),
    )
    copy = store.tokens.once(
        (scope, "CopyBackup"),
        request.get("ClientRequestToken"),
        asked,
        lambda: _begin_copy(store, scope, _source_of_copy(store, scope, request), request),
    )
    return {"Backup": copy.document_at(store.clock.now())}


def _source_of_copy(store: Store, scope: AccountRegion, request: Request) -> StoredBackup:
    """Return the backup to copy if it can be copied to *scope*."""
    region = request.get("SourceRegion", scope.region)
    partition = partition_of(region)
    if partition is None or partition != partition_of(scope.region):
        raise ServiceFailure(
            "InvalidRegion",
            f"{region} is not a Region from which backups can be copied to {scope.region}.",
        )
    backup_id = request["SourceBackupId"]
    source = store.regions[AccountRegion(scope.account, region)].backups.get(backup_id)
    if source is None:
        raise ServiceFailure("BackupNotFound", f"Backup {backup_id} does not exist in {region}.")
    lifecycle = source.lifecycle(store.clock.now())
    if lifecycle != "AVAILABLE":
        raise ServiceFailure(
            "SourceBackupUnavailable",
            f"Backup {backup_id} is {lifecycle}, not AVAILABLE.",
            BackupId=backup_id,
        )
    _check_kind(store, scope, source.document)
    return source


def _check_kind(store: Store, scope: AccountRegion, source: Document) -> None:
    style = text_member(source, "Volume", "OntapConfiguration", "VolumeStyle")
    if style == "FLEXGROUP":
        raise ServiceFailure(
            "UnsupportedOperation", "Backups of FlexGroup volumes cannot be copied."
        )
    deployments = (
        text_member(source, "FileSystem", configuration, "DeploymentType")
        for configuration in _CONFIGURATIONS
    )
    multi_az = any((kind or "").startswith("MULTI_AZ") for kind in deployments)
    if multi_az and scope.region in store.single_az_regions:
        raise ServiceFailure(
            "IncompatibleRegionForMultiAZ",
            f"{scope.region} does not support Multi-AZ file systems.",
        )


def _begin_copy(
    store: Store, scope: AccountRegion, source: StoredBackup, request: Request
) -> StoredBackup:
    key = request.get("KmsKeyId") or scope.default_kms_key()
    failure = _key_failure(store, source, key)
    source_tags = tags_of(source.document) if request.get("CopyTags") else []
    tags = merged_tags(source_tags, request.get("Tags", []))
    if len(tags) > MAX_TAGS:
        # BadRequest is for a request that breaks the model's rules, which this
        # one does not: the sum of both lists is a limit on the resource.
        raise ServiceFailure(
            "ServiceLimitExceeded",
            f"The copy would have {len(tags)} tags, {MAX_TAGS} are allowed.",
            Limit="TOTAL_USER_TAGS",
        )
    _check_user_initiated_limit(store, scope)
    _check_copies_limit(store, scope, source, key)
    document: Document = {
        **store.new_document(scope, store.new_backup_id()),
        "KmsKeyId": key,
        "SourceBackupId": source.backup_id,
        "SourceBackupRegion": source.scope.region,
        **{name: source.document[name] for name in _INHERITED if name in source.document},
    }
    progression = store.begin(source.backup_id, copy=True, failure=failure)
    copy = store.put(scope, with_tags(document, tags), progression)
    copy.unseen_until = store.clock.now() + store.settings.unseen_seconds(copy.backup_id)
    source.copies.append(copy)
    store.add_copy(copy)
    return copy


def _key_failure(store: Store, source: StoredBackup, key: str) -> str | None:
    """Return the text with which the copy will fail; raise if its key is refused at once."""
    failure = None
    for code, key_id in (
        ("InvalidSourceKmsKey", text_member(source.document, "KmsKeyId")),
        ("InvalidDestinationKmsKey", key),
    ):
        later = store.refused_keys.get((code, key_id or ""))
        message = f"{code}: the KMS key {key_id} cannot be used."
        if later is False:
            raise ServiceFailure(code, message)
        if later is True:
            failure = message[:MAX_MESSAGE]
    return failure


def _check_user_initiated_limit(store: Store, scope: AccountRegion) -> None:
    """Check that *scope* may hold one more user-initiated backup."""
    limit = store.settings.max_user_initiated_backups
    if limit is None:
        return
    backups = store.regions[scope].backups.values()
    held = sum(backup.document.get("Type") == "USER_INITIATED" for backup in backups)
    if held >= limit:
        raise ServiceFailure(
            "ServiceLimitExceeded",
            f"{scope.region} holds {held} user-initiated backups already.",
            Limit="TOTAL_USER_INITIATED_BACKUPS",
        )


def _check_copies_limit(
    store: Store, scope: AccountRegion, source: StoredBackup, key: str
) -> None:
    """
    Check that one more copy of *source* may be in progress.

    Copies of file systems are limited per account and destination Region;
    those of ONTAP volumes per volume and key there, and per account.
    """
    volume = text_member(source.document, "Volume", "VolumeId")
    rivals = [
        copy
        for copy in store.copies_in_progress(scope)
        if text_member(copy.document, "Volume", "VolumeId") == volume
        and (volume is None or copy.document.get("KmsKeyId") == key)
    ]
    full = len(rivals) >= store.settings.max_copies_in_progress
    if volume is not None:
        of_account = sum(
            "Volume" in copy.document
            for used in store.regions
            if used.account == scope.account
            for copy in store.copies_in_progress(used)
        )
        full = full or of_account >= store.settings.max_volume_copies_in_progress
    if full:
        raise ServiceFailure(
            "ServiceLimitExceeded",
            f"Too many backup copies in progress to {scope.region}.",
            Limit="TOTAL_IN_PROGRESS_COPY_BACKUPS",
        )


# CreateBackup


def _create_backup(store: Store, scope: AccountRegion, request: Request) -> Document:
    """Begin a backup of a file system or volume, which need not exist before."""
    ids = [request.get("FileSystemId"), request.get("VolumeId")]
    asked = (ids, sorted((tag["Key"], tag["Value"]) for tag in request.get("Tags", [])))
    backup = store.tokens.once(
        (scope, "CreateBackup"),
        request.get("ClientRequestToken"),
        asked,
        lambda: _begin_backup(store, scope, request),
    )
    return {"Backup": backup.document_at(store.clock.now())}


def _begin_backup(store: Store, scope: AccountRegion, request: Request) -> StoredBackup:
    ids = (request.get("FileSystemId"), request.get("VolumeId"))
    match ids:
        case (str(source_id), None) | (None, str(source_id)):
            source = _source_of_backup(store, scope, source_id)
        case _:
            raise ServiceFailure(
                "BadRequest", "Exactly one of FileSystemId and VolumeId must be given."
            )
    _check_user_initiated_limit(store, scope)
    is_volume = "VolumeId" in source.document
    document: Document = {
        **store.new_document(scope, store.new_backup_id()),
        "ResourceType": "VOLUME" if is_volume else "FILE_SYSTEM",
        "Volume" if is_volume else "FileSystem": source.document,
    }
    document = with_tags(document, request.get("Tags", []))
    source.latest = store.put(scope, document, store.begin(source_id, copy=False))
    return source.latest


def _source_of_backup(store: Store, scope: AccountRegion, source_id: str) -> Source:
    """Return the file system or volume to back up; an unknown one is created."""
    sources = store.regions[scope].sources
    if source_id not in sources:
        make = default_volume if source_id.startswith("fsvol-") else default_file_system
        sources[source_id] = Source(make(scope, source_id, store.epoch()))
    source = sources[source_id]
    if text_member(source.document, "FileSystemType") == "ONTAP":
        # In the service's own words: aws/aws-sdk issue 183.
        raise ServiceFailure("UnsupportedOperation", "ONTAP file system backup is unsupported.")
    if source.latest and not _is_finished(store, source.latest):
        raise ServiceFailure("BackupInProgress", f"Another backup of {source_id} is in progress.")
    return source


def _is_finished(store: Store, backup: StoredBackup) -> bool:
    return backup.lifecycle(store.clock.now()) in FINISHED


# DeleteBackup


def _delete_backup(store: Store, scope: AccountRegion, request: Request) -> Document:
    """Delete a backup that is neither in progress nor being copied."""
    backup_id = request["BackupId"]

    def delete() -> StoredBackup:
        backup = store.regions[scope].backups.get(backup_id)
        if backup is None:
            raise ServiceFailure("BackupNotFound", f"Backup {backup_id} does not exist.")
        _check_deletable(store, backup)
        store.remove(backup)
        return backup

    token = request.get("ClientRequestToken")
    store.tokens.once((scope, "DeleteBackup"), token, backup_id, delete)
    return {"BackupId": backup_id, "Lifecycle": "DELETED"}


def _check_deletable(store: Store, backup: StoredBackup) -> None:
    if not _is_finished(store, backup):
        raise ServiceFailure(
            "BackupInProgress", f"Backup {backup.backup_id} is still in progress."
        )
    now = store.clock.now()
    grace = store.settings.backup_being_copied_for
    backup.copies = [copy for copy in backup.copies if now < busy_until(copy.progression, grace)]
    if backup.copies:
        raise ServiceFailure(
            "BackupBeingCopied",
            f"Backup {backup.backup_id} is being copied.",
            BackupId=backup.backup_id,
        )


# DescribeBackups


def _absent(_: Document) -> None:
    """Return None for a member that backups do not have, so that no value matches."""


_FILTERS: Final[Mapping[str, Callable[[Document], str | None]]] = {
    "file-system-id": lambda document: (
        text_member(document, "FileSystem", "FileSystemId")
        or text_member(document, "Volume", "FileSystemId")
    ),
    "backup-type": lambda document: text_member(document, "Type"),
    "file-system-type": lambda document: (
        text_member(document, "FileSystem", "FileSystemType")
        or text_member(document, "Volume", "VolumeType")
    ),
    "volume-id": lambda document: text_member(document, "Volume", "VolumeId"),
    "data-repository-type": _absent,
    "file-cache-id": _absent,
    "file-cache-type": _absent,
}
"""The value of a backup that a filter compares with its own values."""


def _describe_backups(store: Store, scope: AccountRegion, request: Request) -> Document:
    """
    Return one page of the backups of *scope* that are asked for.

    Pages are in the order of creation. A token has the position of the last
    backup that was shown, so that each is shown once although others are
    created or deleted between two pages.
    """
    ids = request.get("BackupIds", [])
    filters = request.get("Filters", [])
    if ids and filters:
        raise ServiceFailure("BadRequest", "BackupIds and Filters cannot be given together.")
    shown_up_to = 0
    if "NextToken" in request:
        shown_up_to = read_token("DescribeBackups", scope, request["NextToken"])
    found = _by_id(store, scope, ids) if ids else _by_filter(store, scope, filters)
    size = min(request.get("MaxResults", store.settings.page_size), store.settings.page_size)
    rest = (backup for backup in found if backup.sequence > shown_up_to)
    page = list(itertools.islice(rest, size))
    now = store.clock.now()
    answer: Document = {"Backups": [backup.document_at(now) for backup in page]}
    if next(rest, None) is not None:
        answer["NextToken"] = write_token("DescribeBackups", scope, page[-1].sequence)
    return answer


def _shown(store: Store, scope: AccountRegion, by: str) -> dict[str, StoredBackup]:
    """Return the backups of *scope* without copies that a call *by* this does not show yet."""
    backups = store.regions[scope].backups
    if store.settings.unseen_by not in ("all", by):
        return backups
    now = store.clock.now()
    return {known: backup for known, backup in backups.items() if now >= backup.unseen_until}


def _by_id(store: Store, scope: AccountRegion, ids: list[str]) -> Iterable[StoredBackup]:
    backups = _shown(store, scope, "id")
    unknown = [backup_id for backup_id in ids if backup_id not in backups]
    if unknown and store.settings.unknown_ids == "error":
        raise ServiceFailure("BackupNotFound", f"Backup {unknown[0]} does not exist.")
    found = {backups[known] for known in ids if known in backups}
    return sorted(found, key=lambda backup: backup.sequence)


def _by_filter(
    store: Store, scope: AccountRegion, filters: list[Filter]
) -> Iterable[StoredBackup]:
    wanted = []
    for filter_ in filters:
        if "Name" not in filter_ or not filter_.get("Values"):
            # The model requires neither; such a filter would match all or nothing.
            raise ServiceFailure(
                "BadRequest", "Filters: each needs a Name and at least one of Values."
            )
        wanted.append((_FILTERS[filter_["Name"]], set(filter_["Values"])))
    return (
        backup
        for backup in _shown(store, scope, "listing").values()
        if all(read(backup.document) in values for read, values in wanted)
    )


def write_token(operation: str, scope: AccountRegion, position: int, salt: str = "") -> str:
    """
    Return a NextToken for *position* of this listing.

    Tokens that differ only in *salt* have the same position.
    """
    text = f"{operation}/{scope.account}/{scope.region}/{position}.{salt}"
    return base64.b64encode(text.encode()).decode()


def read_token(operation: str, scope: AccountRegion, token: str) -> int:
    """
    Return the position of *token*.

    Raises:
        ServiceFailure: BadRequest, for a token of another listing.
    """
    try:
        listing, _, position = base64.b64decode(token).decode().rpartition("/")
        if listing == f"{operation}/{scope.account}/{scope.region}":
            return int(position.partition(".")[0])
    except (binascii.Error, ValueError):
        pass
    raise ServiceFailure("BadRequest", "NextToken: it was not returned by this listing.")


# Tags


def _tag_resource(store: Store, scope: AccountRegion, request: Request) -> Document:
    """Add tags to a backup, replacing those that have the same keys."""
    backup = _resource(store, scope, request["ResourceARN"])
    tags = merged_tags(tags_of(backup.document), request["Tags"])
    if len(tags) > MAX_TAGS:
        # This operation's model has no ServiceLimitExceeded.
        raise ServiceFailure("BadRequest", f"Tags: {len(tags)} together, {MAX_TAGS} are allowed.")
    backup.document = with_tags(backup.document, tags)
    return {}


def _list_tags_for_resource(store: Store, scope: AccountRegion, request: Request) -> Document:
    """Return one page of the tags of a backup; all fit unless MaxResults is smaller."""
    backup = _resource(store, scope, request["ResourceARN"])
    tags = tags_of(backup.document)
    begin = 0
    if "NextToken" in request:
        # No operation removes a tag, so that positions stay valid.
        begin = read_token("ListTagsForResource", scope, request["NextToken"])
    end = begin + min(request.get("MaxResults", MAX_TAGS), MAX_TAGS)
    answer: Document = {"Tags": cast("JsonValue", tags[begin:end])}
    if end < len(tags):
        answer["NextToken"] = write_token("ListTagsForResource", scope, end)
    return answer


def _resource(store: Store, scope: AccountRegion, arn: str) -> StoredBackup:
    """Return the backup with *arn*; no other resource has tags here."""
    backup = store.regions[scope].backups.get(arn.rpartition("/")[2])
    if backup is None or backup.document.get("ResourceARN") != arn:
        raise ServiceFailure("ResourceNotFound", f"{arn} does not exist.", ResourceARN=arn)
    return backup


OPERATIONS: Final[Mapping[str, Callable[[Store, AccountRegion, Request], Document]]] = {
    "CopyBackup": _copy_backup,
    "CreateBackup": _create_backup,
    "DeleteBackup": _delete_backup,
    "DescribeBackups": _describe_backups,
    "ListTagsForResource": _list_tags_for_resource,
    "TagResource": _tag_resource,
}
"""The operations of the local FSx; each raises `ServiceFailure` for its errors."""

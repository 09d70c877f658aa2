"""The operations of the service by name, on what the store holds."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from fsxcopy_sdk.testing._documents import (
    MAX_MESSAGE,
    AccountRegion,
    Document,
    JsonValue,
    ServiceFailure,
    Tag,
    default_file_system,
    default_volume,
    is_reserved,
    merged_tags,
    partition_of,
    tags_of,
    text_member,
)
from fsxcopy_sdk.testing._lifecycle import FINISHED, busy_until
from fsxcopy_sdk.testing._requests import MAX_TAGS, Request
from fsxcopy_sdk.testing._store import Store, StoredBackup

_MAX_PAGE: Final = 50
"""The items of a page at most, where the model has no other number for them."""

_Begin: TypeAlias = Callable[[Store, AccountRegion, Request], StoredBackup]


def _once(begin: _Begin, store: Store, scope: AccountRegion, request: Request) -> StoredBackup:
    """Return the backup of an earlier request with the same token, else of *begin*."""
    token = request.get("ClientRequestToken")
    if token is None:
        return begin(store, scope, request)
    # Leaving a member out is the same request as giving its default, and tags have no order.
    tags = sorted((tag["Key"], tag["Value"]) for tag in request.get("Tags", []))
    asked = {"SourceRegion": scope.region, "CopyTags": False, **request, "Tags": tags}
    now = store.clock.now()
    since, asked_before, backup = store.tokens.get((scope, begin, token), (now, None, None))
    if backup is None or now - since >= store.token_seconds:
        backup = begin(store, scope, request)
        store.tokens[scope, begin, token] = (now, asked, backup)
    elif asked != asked_before:
        code = "IncompatibleParameterError"
        message = "The token was used before, with other parameters."
        raise ServiceFailure(code, message, Parameter="ClientRequestToken")
    return backup


_INHERITED: Final = ("FileSystem", "Volume", "ResourceType", "DirectoryInformation", "SizeInBytes")
"""The members that a copy has from its source."""

_CONFIGURATIONS: Final = ("WindowsConfiguration", "OntapConfiguration", "OpenZFSConfiguration")
"""The configurations of file systems that may be Multi-AZ."""


_NEVER_COPIED: Final = (
    (("Volume", "OntapConfiguration", "VolumeStyle"), "FLEXGROUP", "FlexGroup volumes"),
    (
        ("FileSystem", "StorageType"),
        "INTELLIGENT_TIERING",
        "file systems with Intelligent-Tiering storage",
    ),
)
"""Member of the source, value, and what has it."""

_KMS_KEY: Final = r"key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
_KMS_ALIAS: Final = r"alias/[A-Za-z0-9/_-]{1,250}"
"""The end of an ARN (the API reference of KMS); a key's ID stands alone, too, and an alias."""


def _copy_backup(store: Store, scope: AccountRegion, request: Request) -> Document:
    copy = _once(_begin_copy, store, scope, request)
    return {"Backup": copy.document_at(store.clock.now())}


def _source_of_copy(store: Store, scope: AccountRegion, request: Request) -> StoredBackup:
    region = request.get("SourceRegion", scope.region)
    if not store.is_region(region) or partition_of(region) != partition_of(scope.region):
        message = f"{region} is not a Region from which backups can be copied to {scope.region}."
        raise ServiceFailure("InvalidRegion", message)
    backup_id = request["SourceBackupId"]
    source = store.regions[AccountRegion(scope.account, region)].backups.get(backup_id)
    if source is None:
        raise ServiceFailure("BackupNotFound", f"Backup {backup_id} does not exist in {region}.")
    lifecycle = source.progression.at(store.clock.now())["Lifecycle"]
    if lifecycle != "AVAILABLE":
        message = f"Backup {backup_id} is {lifecycle}, not AVAILABLE."
        raise ServiceFailure("SourceBackupUnavailable", message, BackupId=backup_id)
    _check_kind(store, scope, source.document)
    return source


def _check_kind(store: Store, scope: AccountRegion, source: Document) -> None:
    # The guides say that these are not copied; no source says with which error. By the model
    # this one is for an operation that is not supported for the resource.
    for path, value, what in _NEVER_COPIED:
        if text_member(source, *path) == value:
            message = f"Backups of {what} cannot be copied."
            raise ServiceFailure("UnsupportedOperation", message)
    deployments = (
        text_member(source, "FileSystem", configuration, "DeploymentType") or ""
        for configuration in _CONFIGURATIONS
    )
    multi_az = any(deployment.startswith("MULTI_AZ") for deployment in deployments)
    if multi_az and scope.region in store.single_az_regions:
        message = f"{scope.region} does not support Multi-AZ file systems."
        raise ServiceFailure("IncompatibleRegionForMultiAZ", message)


def _begin_copy(store: Store, scope: AccountRegion, request: Request) -> StoredBackup:
    source = _source_of_copy(store, scope, request)
    key = request.get("KmsKeyId") or scope.default_kms_key()
    failure = _key_failure(store, scope, source, key)
    source_tags = _own_tags(source.document) if request.get("CopyTags") else []
    tags = merged_tags(source_tags, request.get("Tags", []))
    if len(tags) > MAX_TAGS:
        # No BadRequest, because neither list breaks a rule of the model.
        message = f"The copy would have {len(tags)} tags, {MAX_TAGS} are allowed."
        raise _limit_exceeded("TOTAL_USER_TAGS", message)
    _check_user_initiated_limit(store, scope)
    _check_copies_limit(store, scope, source.document, key)
    document: Document = {
        **store.new_document(scope, store.new_backup_id()),
        "KmsKeyId": key,
        "SourceBackupId": source.backup_id,
        "SourceBackupRegion": source.scope.region,
        **{name: source.document[name] for name in _INHERITED if name in source.document},
    }
    if tags:
        document["Tags"] = tags
    progression = store.begin(source.backup_id, "COPYING", failure=failure)
    copy = store.put(scope, document, progression, is_copy=True)
    copy.unseen_until = store.clock.now() + store.unseen_seconds(copy.backup_id)
    source.copies.append(copy)
    return copy


def _own_tags(document: Document) -> list[Tag]:
    """Return the tags of *document* without those of AWS, which are not copied nor counted."""
    return [tag for tag in tags_of(document) if not is_reserved(tag["Key"])]


def _check_key(store: Store, scope: AccountRegion, key: str) -> None:
    prefix = f"arn:{partition_of(scope.region)}:kms:{scope.region}:"
    forms = (_KMS_KEY.removeprefix("key/"), _KMS_ALIAS)
    arns = (rf"{prefix}\d{{12}}:{resource}" for resource in (_KMS_KEY, _KMS_ALIAS))
    if store.settings.allow_any_kms_key or any(re.fullmatch(x, key) for x in (*forms, *arns)):
        return
    code = "InvalidDestinationKmsKey"
    message = f"{code}: {key} is not the ID, alias or ARN of a KMS key in {scope.region}."
    raise ServiceFailure(code, message)


def _key_failure(store: Store, scope: AccountRegion, source: StoredBackup, key: str) -> str | None:
    """Return the text with which the copy will fail; raise if a key is refused at once."""
    _check_key(store, scope, key)
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


def _limit_exceeded(limit: str, message: str) -> ServiceFailure:
    return ServiceFailure("ServiceLimitExceeded", message, Limit=limit)


def _check_user_initiated_limit(store: Store, scope: AccountRegion) -> None:
    limit = store.settings.max_user_initiated_backups
    if limit is None:
        return
    backups = store.regions[scope].backups.values()
    held = sum(backup.document.get("Type") == "USER_INITIATED" for backup in backups)
    if held >= limit:
        message = f"{scope.region} holds {held} user-initiated backups already."
        raise _limit_exceeded("TOTAL_USER_INITIATED_BACKUPS", message)


def _check_copies_limit(store: Store, scope: AccountRegion, source: Document, key: str) -> None:
    # Copies of file systems are limited per account and destination Region;
    # those of ONTAP volumes per volume and key there, and per account.
    volume = text_member(source, "Volume", "VolumeId")
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
        message = f"Too many backup copies in progress to {scope.region}."
        raise _limit_exceeded("TOTAL_IN_PROGRESS_COPY_BACKUPS", message)


def _create_backup(store: Store, scope: AccountRegion, request: Request) -> Document:
    backup = _once(_begin_backup, store, scope, request)
    return {"Backup": backup.document_at(store.clock.now())}


def _begin_backup(store: Store, scope: AccountRegion, request: Request) -> StoredBackup:
    match request.get("FileSystemId"), request.get("VolumeId"):
        case (str(source_id), None) | (None, str(source_id)):
            source = _source_of_backup(store, scope, source_id)
        case _:
            message = "Exactly one of FileSystemId and VolumeId must be given."
            raise ServiceFailure("BadRequest", message)
    _check_user_initiated_limit(store, scope)
    is_volume = "VolumeId" in source
    document: Document = {
        **store.new_document(scope, store.new_backup_id()),
        "ResourceType": "VOLUME" if is_volume else "FILE_SYSTEM",
        "Volume" if is_volume else "FileSystem": {**source},
    }
    if "Tags" in request:
        document["Tags"] = request["Tags"]
    backup = store.put(scope, document, store.begin(source_id, "CREATING"))
    store.regions[scope].latest[source_id] = backup
    return backup


def _source_of_backup(store: Store, scope: AccountRegion, source_id: str) -> Document:
    state = store.regions[scope]
    if source_id not in state.sources:
        make = default_volume if source_id.startswith("fsvol-") else default_file_system
        store.add_source(scope, make(scope, source_id, store.epoch()))
    source = state.sources[source_id]
    if text_member(source, "FileSystemType") == "ONTAP":
        # In the service's own words: aws/aws-sdk issue 183.
        raise ServiceFailure("UnsupportedOperation", "ONTAP file system backup is unsupported.")
    latest = state.latest.get(source_id)
    if latest and not _is_finished(store, latest):
        raise ServiceFailure("BackupInProgress", f"Another backup of {source_id} is in progress.")
    return source


def _is_finished(store: Store, backup: StoredBackup) -> bool:
    return backup.progression.at(store.clock.now())["Lifecycle"] in FINISHED


def _delete_backup(store: Store, scope: AccountRegion, request: Request) -> Document:
    backup = _once(_remove, store, scope, request)
    return {"BackupId": backup.backup_id, "Lifecycle": "DELETED"}


def _remove(store: Store, scope: AccountRegion, request: Request) -> StoredBackup:
    backup_id = request["BackupId"]
    backup = store.regions[scope].backups.get(backup_id)
    if backup is None:
        raise ServiceFailure("BackupNotFound", f"Backup {backup_id} does not exist.")
    if not _is_finished(store, backup):
        raise ServiceFailure("BackupInProgress", f"Backup {backup_id} is still in progress.")
    now = store.clock.now()
    backup.copies = [
        copy for copy in backup.copies if now < busy_until(copy.progression, store.grace)
    ]
    if backup.copies:
        message = f"Backup {backup_id} is being copied."
        raise ServiceFailure("BackupBeingCopied", message, BackupId=backup_id)
    store.remove(backup)
    return backup


_FILTERS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "file-system-id": (("FileSystem", "FileSystemId"), ("Volume", "FileSystemId")),
    "backup-type": (("Type",),),
    "file-system-type": (("FileSystem", "FileSystemType"), ("Volume", "VolumeType")),
    "volume-id": (("Volume", "VolumeId"),),
}
"""Where backups may have what a filter compares; for the model's other filters they have none."""


def _describe_backups(store: Store, scope: AccountRegion, request: Request) -> Document:
    # Pages are in the order of creation. A token has the position of the last backup
    # that was shown, so that creating and deleting others between two pages shifts nothing.
    shown_up_to = read_token("DescribeBackups", scope, request)
    found = _found(store, scope, request)
    rest = (backup for backup in found if backup.sequence > shown_up_to)
    size = min(request.get("MaxResults", store.settings.page_size), store.settings.page_size)
    page = list(itertools.islice(rest, size))
    now = store.clock.now()
    answer: Document = {"Backups": [backup.document_at(now) for backup in page]}
    if next(rest, None) is not None:
        answer["NextToken"] = write_token("DescribeBackups", scope, page[-1].sequence)
    return answer


def _found(store: Store, scope: AccountRegion, request: Request) -> Iterator[StoredBackup]:
    ids = request.get("BackupIds", [])
    filters = request.get("Filters", [])
    if ids and filters:
        raise ServiceFailure("BadRequest", "BackupIds and Filters cannot be given together.")
    # The model requires neither; such a filter would match all or nothing.
    if not all(wanted.get("Name") and wanted.get("Values") for wanted in filters):
        message = "Filters: each needs a Name and at least one of Values."
        raise ServiceFailure("BadRequest", message)
    backups = store.regions[scope].backups
    if store.settings.unseen_by in ("all", "id" if ids else "listing"):
        now = store.clock.now()
        backups = {key: backup for key, backup in backups.items() if now >= backup.unseen_until}
    unknown = [backup_id for backup_id in ids if backup_id not in backups]
    if unknown and store.settings.unknown_ids == "error":
        raise ServiceFailure("BackupNotFound", f"Backup {unknown[0]} does not exist.")
    return (
        backup
        for backup in backups.values()
        if (not ids or backup.backup_id in ids)
        and all(_has_value(backup.document, wanted) for wanted in filters)
    )


def _has_value(document: Document, wanted: Request) -> bool:
    paths = _FILTERS.get(wanted["Name"], ())
    return any(text_member(document, *path) in wanted["Values"] for path in paths)


def _describe_file_systems(store: Store, scope: AccountRegion, request: Request) -> Document:
    sources = store.regions[scope].sources
    held = {one: document for one, document in sources.items() if "VolumeId" not in document}
    ids = request.get("FileSystemIds") or held
    for file_system_id in ids:
        if file_system_id not in held:
            message = f"File system {file_system_id} does not exist."
            raise ServiceFailure("FileSystemNotFound", message)
    found = [document for one, document in held.items() if one in ids]
    return _page(found, "FileSystems", "DescribeFileSystems", scope, request)


def _page(
    items: Sequence[JsonValue], member: str, operation: str, scope: AccountRegion, request: Request
) -> Document:
    """Return the page of *items* that *request* is for, 50 of them at most."""
    begin = read_token(operation, scope, request)
    end = begin + min(request.get("MaxResults", _MAX_PAGE), _MAX_PAGE)
    answer: Document = {member: items[begin:end]}
    if end < len(items):
        answer["NextToken"] = write_token(operation, scope, end)
    return answer


def write_token(operation: str, scope: AccountRegion, position: int, salt: str = "") -> str:
    """Return a NextToken; those that differ only in *salt* have the same position."""
    text = f"{operation}/{scope.account}/{scope.region}/{position}.{salt}"
    return base64.b64encode(text.encode()).decode()


def read_token(operation: str, scope: AccountRegion, request: Request) -> int:
    """Return the position of the NextToken of *request*, zero without one."""
    token = request.get("NextToken")
    if token is None:
        return 0
    try:
        text = base64.b64decode(token).decode()
        listing, _, position = text.rpartition("/")
        if listing == f"{operation}/{scope.account}/{scope.region}":
            return int(position.partition(".")[0])
    except ValueError:
        pass
    raise ServiceFailure("BadRequest", "NextToken: it was not returned by this listing.")


def _tag_resource(store: Store, scope: AccountRegion, request: Request) -> Document:
    resource = _resource(store, scope, request["ResourceARN"])
    tags = merged_tags(tags_of(resource), request["Tags"])
    if (count := sum(not is_reserved(tag["Key"]) for tag in tags)) > MAX_TAGS:
        # This operation's model has no ServiceLimitExceeded.
        raise ServiceFailure("BadRequest", f"Tags: {count} together, {MAX_TAGS} are allowed.")
    resource["Tags"] = tags
    return {}


def _untag_resource(store: Store, scope: AccountRegion, request: Request) -> Document:
    resource = _resource(store, scope, request["ResourceARN"])
    removed = request["TagKeys"]
    resource["Tags"] = [tag for tag in tags_of(resource) if tag["Key"] not in removed]
    return {}


def _list_tags_for_resource(store: Store, scope: AccountRegion, request: Request) -> Document:
    tags = tags_of(_resource(store, scope, request["ResourceARN"]))
    return _page(tags, "Tags", "ListTagsForResource", scope, request)


def _resource(store: Store, scope: AccountRegion, arn: str) -> Document:
    """Return the backup, file system or volume with *arn*."""
    state, resource_id = store.regions[scope], arn.rpartition("/")[2]
    backup = state.backups.get(resource_id)
    document = backup.document if backup else state.sources.get(resource_id, {})
    if document.get("ResourceARN") != arn:
        raise ServiceFailure("ResourceNotFound", f"{arn} does not exist.", ResourceARN=arn)
    return document


OPERATIONS: Final[Mapping[str, Callable[[Store, AccountRegion, Request], Document]]] = {
    "CopyBackup": _copy_backup,
    "CreateBackup": _create_backup,
    "DeleteBackup": _delete_backup,
    "DescribeBackups": _describe_backups,
    "DescribeFileSystems": _describe_file_systems,
    "ListTagsForResource": _list_tags_for_resource,
    "TagResource": _tag_resource,
    "UntagResource": _untag_resource,
}
"""The operations of the local FSx; each raises `ServiceFailure` for its errors."""

"""
The operations of the service, by name, on top of what the store holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from ._checks import MOST_TAGS, check_request
from ._copying import check_user_initiated_limit, copy_backup, merged_tags
from ._describing import describe_backups, read_token, write_token
from ._documents import default_file_system, default_volume
from ._errors import ServiceFailure
from ._json import Document, JsonValue, tags_of, text_member, with_tags
from ._lifecycle import FINISHED, busy_until
from ._regions import AccountRegion
from ._requests import (
    CreateBackupRequest,
    DeleteBackupRequest,
    ListTagsForResourceRequest,
    TagResourceRequest,
)
from ._store import Source, Store, StoredBackup, default_key


def perform(store: Store, place: AccountRegion, operation: str, body: Document) -> Document:
    """
    Carry out *operation*, one of `OPERATIONS`, and return its answer.

    Raises:
        ServiceFailure: the answer is an error.
    """
    return OPERATIONS[operation](store, place, check_request(operation, body))


def create_backup(store: Store, place: AccountRegion, request: CreateBackupRequest) -> Document:
    """
    Begin a backup of a file system or volume, which need not exist before.

    Raises:
        ServiceFailure: one of the operation's errors.
    """
    ids = [request.get("FileSystemId"), request.get("VolumeId")]
    tags = request.get("Tags", [])
    token = request.get("ClientRequestToken")
    asked = (ids, sorted((tag["Key"], tag["Value"]) for tag in tags))
    backup = store.tokens.recall(place, "CreateBackup", token, asked)
    if backup is None:
        given = [source_id for source_id in ids if source_id is not None]
        if len(given) != 1:
            msg = "Exactly one of FileSystemId and VolumeId must be given."
            raise ServiceFailure("BadRequest", msg)
        source = _source_of_backup(store, place, given[0])
        check_user_initiated_limit(store, place)
        document = with_tags(_new_document(store, place, source), tags)
        course = store.begin(given[0], copy=False)
        backup = source.latest = store.put(place, document, course)
        store.tokens.remember(place, "CreateBackup", token, asked, backup)
    return {"Backup": backup.seen(store.clock.now())}


def _source_of_backup(store: Store, place: AccountRegion, source_id: str) -> Source:
    """
    Return what to back up, made on the spot if nobody knows it yet.
    """
    sources = store.shelf(place).sources
    if source_id not in sources:
        make = default_volume if source_id.startswith("fsvol-") else default_file_system
        sources[source_id] = Source(make(place, source_id, store.epoch()))
    source = sources[source_id]
    if text_member(source.document, "FileSystemType") == "ONTAP":
        # In the service's own words: aws/aws-sdk issue 183.
        msg = "ONTAP file system backup is unsupported."
        raise ServiceFailure("UnsupportedOperation", msg)
    if source.latest and not _finished(store, source.latest):
        msg = f"Another backup of {source_id} is under way."
        raise ServiceFailure("BackupInProgress", msg)
    return source


def _new_document(store: Store, place: AccountRegion, source: Source) -> Document:
    is_volume = "VolumeId" in source.document
    backup_id = store.new_backup_id()
    return {
        "BackupId": backup_id,
        "Type": "USER_INITIATED",
        "CreationTime": store.epoch(),
        "KmsKeyId": default_key(place),
        "ResourceARN": place.arn(f"backup/{backup_id}"),
        "OwnerId": place.account,
        "ResourceType": "VOLUME" if is_volume else "FILE_SYSTEM",
        "Volume" if is_volume else "FileSystem": source.document,
    }


def delete_backup(store: Store, place: AccountRegion, request: DeleteBackupRequest) -> Document:
    """
    Delete a backup that nothing needs any more.

    Raises:
        ServiceFailure: one of the operation's errors.
    """
    backup_id = request["BackupId"]
    token = request.get("ClientRequestToken")
    if not store.tokens.recall(place, "DeleteBackup", token, backup_id):
        backup = store.shelf(place).backups.get(backup_id)
        if backup is None:
            msg = f"Backup {backup_id} does not exist."
            raise ServiceFailure("BackupNotFound", msg)
        _check_deletable(store, backup)
        store.remove(backup)
        store.tokens.remember(place, "DeleteBackup", token, backup_id, backup)
    return {"BackupId": backup_id, "Lifecycle": "DELETED"}


def _finished(store: Store, backup: StoredBackup) -> bool:
    return backup.lifecycle(store.clock.now()) in FINISHED


def _check_deletable(store: Store, backup: StoredBackup) -> None:
    if not _finished(store, backup):
        msg = f"Backup {backup.backup_id} is still being made."
        raise ServiceFailure("BackupInProgress", msg)
    now = store.clock.now()
    grace = store.settings.backup_being_copied_for
    backup.copies = [copy for copy in backup.copies if now < busy_until(copy.course, grace)]
    if backup.copies:
        msg = f"Backup {backup.backup_id} is being copied."
        raise ServiceFailure("BackupBeingCopied", msg, BackupId=backup.backup_id)


def tag_resource(store: Store, place: AccountRegion, request: TagResourceRequest) -> Document:
    """
    Add tags to a backup, in the place of those that have the same keys.

    Raises:
        ServiceFailure: one of the operation's errors.
    """
    backup = _resource(store, place, request["ResourceARN"])
    tags = merged_tags(tags_of(backup.document), request["Tags"])
    if len(tags) > MOST_TAGS:
        # This operation's model has no ServiceLimitExceeded.
        msg = f"Tags: {len(tags)} together, {MOST_TAGS} are allowed."
        raise ServiceFailure("BadRequest", msg)
    backup.document = with_tags(backup.document, tags)
    return {}


def list_tags_for_resource(
    store: Store, place: AccountRegion, request: ListTagsForResourceRequest
) -> Document:
    """
    Return one page of the tags of a backup; all fit unless asked for fewer.

    Raises:
        ServiceFailure: one of the operation's errors.
    """
    backup = _resource(store, place, request["ResourceARN"])
    tags = tags_of(backup.document)
    # Tags keep their places, since none can be removed.
    begin = (
        read_token("ListTagsForResource", place, request["NextToken"])
        if "NextToken" in request
        else 0
    )
    end = begin + min(request.get("MaxResults", MOST_TAGS), MOST_TAGS)
    answer: Document = {"Tags": cast("JsonValue", tags[begin:end])}
    if end < len(tags):
        answer["NextToken"] = write_token("ListTagsForResource", place, end)
    return answer


def _resource(store: Store, place: AccountRegion, arn: str) -> StoredBackup:
    """
    Return the backup with *arn*: the only resource that has tags here.
    """
    backup = store.shelf(place).backups.get(arn.rpartition("/")[2])
    if backup is None or backup.document.get("ResourceARN") != arn:
        msg = f"{arn} does not exist."
        raise ServiceFailure("ResourceNotFound", msg, ResourceARN=arn)
    return backup


_Operation: TypeAlias = Callable[[Store, AccountRegion, Document], Document]

OPERATIONS: Final[Mapping[str, _Operation]] = {
    # The checks have made a request of the body; no type can say so.
    "CopyBackup": cast("_Operation", copy_backup),
    "CreateBackup": cast("_Operation", create_backup),
    "DeleteBackup": cast("_Operation", delete_backup),
    "DescribeBackups": cast("_Operation", describe_backups),
    "ListTagsForResource": cast("_Operation", list_tags_for_resource),
    "TagResource": cast("_Operation", tag_resource),
}
"""What can be asked of the local FSx."""

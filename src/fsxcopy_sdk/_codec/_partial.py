"""Read what can be read of answers that have something odd in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from fsxcopy_sdk import models
from fsxcopy_sdk._codec._wire import MAX_DEPTH, RawResponse, parse_body, read_model
from fsxcopy_sdk.enums import ResourceType
from fsxcopy_sdk.errors import ResponseDecodingError

_MAX_UNREADABLE = 1000
"""
Backups of one page that cannot be read; a page with more is refused as a whole. The service's
have 50 backups (model), so that such a page is wrong, not its backups.
"""


def parse_page(response: RawResponse) -> models.DescribeBackupsResponse:
    """
    Make a page of the backups that can be read; its `unreadable` are the others.

    Raises:
        ResponseDecodingError: the page is wrong elsewhere, or nearly everywhere.
    """
    cls, document = models.DescribeBackupsResponse, parse_body(response)
    try:
        page = read_model(cls, document, response)
    except ResponseDecodingError:
        items = document.get("Backups") if isinstance(document, Mapping) else None
        if not (isinstance(document, Mapping) and isinstance(items, list)):
            raise
        page = read_model(cls, {**document, "Backups": []}, response)
        readable, unreadable = _divide(items)
        if len(unreadable) > _MAX_UNREADABLE:
            raise
        page = attrs.evolve(page, backups=readable, unreadable=unreadable)
    return attrs.evolve(page, metadata=response.metadata)


def _divide(
    items: list[object],
) -> tuple[tuple[models.Backup, ...], tuple[models.UnreadableBackup, ...]]:
    """Return the backups of a page, and those of them that cannot be read."""
    readable: list[models.Backup] = []
    unreadable: list[models.UnreadableBackup] = []
    for index, item in enumerate(items):
        try:
            readable.append(read_model(models.Backup, item, max_depth=MAX_DEPTH - 2))
        except ResponseDecodingError as error:
            place = f"$.Backups[{index}]"
            paths = [f"{place}{path.removeprefix('$')}" for path in error.error_paths]
            unreadable.append(_unreadable(item, paths))
            if len(unreadable) > _MAX_UNREADABLE:
                break
    return tuple(readable), tuple(unreadable)


def _unreadable(item: object, error_paths: Iterable[str]) -> models.UnreadableBackup:
    """Return what can be read of *item* by itself."""
    members = item if isinstance(item, Mapping) else {}
    source_backup_id = _text_in(members, "SourceBackupId")
    is_original = isinstance(item, Mapping) and members.get("SourceBackupId") is None
    # As in a backup that can be read, one of a volume may name a file system too.
    resource_id = None
    if members.get("Volume") is not None:
        resource_id = _text_in(members["Volume"], "VolumeId")
    elif members.get("ResourceType") in (None, ResourceType.FILE_SYSTEM):
        resource_id = _text_in(members.get("FileSystem"), "FileSystemId")
    return models.UnreadableBackup(
        backup_id=_text_in(members, "BackupId"),
        source_backup_id=source_backup_id,
        is_copy=False if is_original else True if source_backup_id is not None else None,
        resource_id=resource_id,
        error_paths=tuple(error_paths),
    )


def _text_in(whole: object, name: str) -> str | None:
    value = whole.get(name) if isinstance(whole, Mapping) else None
    return value if isinstance(value, str) else None


def accepted_copy(response: RawResponse, source_backup_id: str) -> str | None:
    """Return the ID of the copy in an answer to CopyBackup that cannot be read otherwise."""
    try:
        document = parse_body(response)
    except ResponseDecodingError:
        return None
    backup = document.get("Backup") if isinstance(document, Mapping) else None
    is_of_source = _text_in(backup, "SourceBackupId") in (None, source_backup_id)
    return _text_in(backup, "BackupId") if is_of_source else None

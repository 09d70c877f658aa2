"""
DescribeBackups: by id, by filter, page by page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ._errors import ServiceFailure
from ._json import Document, text_member
from ._regions import AccountRegion
from ._requests import DescribeBackupsRequest, Filter
from ._store import Store, StoredBackup


def _nothing(document: Document) -> None:
    """
    Return None: backups have no such member, the filter matches none.
    """


_READERS: Final[Mapping[str, Callable[[Document], str | None]]] = {
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
    "data-repository-type": _nothing,
    "file-cache-id": _nothing,
    "file-cache-type": _nothing,
}
"""What a filter compares its values with; backups of volumes tell as well."""


def describe_backups(
    store: Store, place: AccountRegion, request: DescribeBackupsRequest
) -> Document:
    """
    Return one page of the backups of *place* that are asked for.

    Pages follow the order in which backups arrived. A token stands for the
    last backup that was shown, so that nothing is shown twice or left out
    when others come or go between two pages.

    Raises:
        ServiceFailure: one of the operation's errors.
    """
    ids = request.get("BackupIds", [])
    filters = request.get("Filters", [])
    if ids and filters:
        msg = "BackupIds and Filters cannot be given together."
        raise ServiceFailure("BadRequest", msg)
    shown_up_to = 0
    if "NextToken" in request:
        shown_up_to = read_token("DescribeBackups", place, request["NextToken"])
    found = _by_id(store, place, ids) if ids else _by_filter(store, place, filters)
    size = min(
        request.get("MaxResults", store.settings.page_size),
        store.settings.page_size,
    )
    page: list[StoredBackup] = []
    for backup in found:
        if backup.sequence <= shown_up_to:
            continue
        if len(page) == size:
            token = write_token("DescribeBackups", place, page[-1].sequence)
            return {"Backups": _seen(store, page), "NextToken": token}
        page.append(backup)
    return {"Backups": _seen(store, page)}


def _seen(store: Store, page: list[StoredBackup]) -> list[Document]:
    now = store.clock.now()
    return [backup.seen(now) for backup in page]


def _shown(store: Store, place: AccountRegion, by: str) -> dict[str, StoredBackup]:
    """
    Return the backups of *place*, without copies that are not shown *by* this yet.
    """
    backups = store.shelf(place).backups
    if store.settings.unseen_by not in ("all", by):
        return backups
    now = store.clock.now()
    return {known: backup for known, backup in backups.items() if now >= backup.unseen_until}


def _by_id(store: Store, place: AccountRegion, ids: list[str]) -> Iterable[StoredBackup]:
    backups = _shown(store, place, "id")
    unknown = [backup_id for backup_id in ids if backup_id not in backups]
    if unknown and store.settings.unknown_ids == "error":
        msg = f"Backup {unknown[0]} does not exist."
        raise ServiceFailure("BackupNotFound", msg)
    found = {backups[known] for known in ids if known in backups}
    return sorted(found, key=lambda backup: backup.sequence)


def _by_filter(
    store: Store, place: AccountRegion, filters: list[Filter]
) -> Iterable[StoredBackup]:
    wanted = []
    for filter_ in filters:
        if "Name" not in filter_ or not filter_.get("Values"):
            # Such a filter would say nothing, or refuse everything.
            msg = "Filters: each needs a Name and at least one of Values."
            raise ServiceFailure("BadRequest", msg)
        wanted.append((_READERS[filter_["Name"]], set(filter_["Values"])))
    return (
        backup
        for backup in _shown(store, place, "listing").values()
        if all(read(backup.document) in values for read, values in wanted)
    )


def write_token(operation: str, place: AccountRegion, position: int, salt: str = "") -> str:
    """
    Return a NextToken that stands for *position* in this listing.

    Tokens with another *salt* are different, and stand for the same.
    """
    text = f"{operation}/{place.account}/{place.region}/{position}.{salt}"
    return base64.b64encode(text.encode()).decode()


def read_token(operation: str, place: AccountRegion, token: str) -> int:
    """
    Return the position that *token* stands for.

    Raises:
        ServiceFailure: BadRequest, for a token from elsewhere.
    """
    try:
        text = base64.b64decode(token).decode()
        listing, _, position = text.rpartition("/")
        if listing == f"{operation}/{place.account}/{place.region}":
            return int(position.partition(".")[0])
    except (binascii.Error, ValueError):
        pass
    msg = "NextToken: this listing never gave that token."
    raise ServiceFailure("BadRequest", msg)

"""
Backups that did not come over the network: what a test need not say of them.
"""

from __future__ import annotations

from ._documents import default_file_system
from ._json import Document, text_member
from ._regions import AccountRegion
from ._store import Source, Store, default_key


def completed(store: Store, place: AccountRegion, given: Document) -> Document:
    """
    Return *given* with what a backup in *place* needs beside it.

    Members that are None are left out, but for BackupId and Lifecycle.
    """
    now = store.epoch()
    backup_id = str(given.get("BackupId") or store.new_backup_id())
    complete: Document = {
        "BackupId": backup_id,
        "Type": "USER_INITIATED",
        "CreationTime": now,
        "KmsKeyId": default_key(place),
        "ResourceARN": place.arn(f"backup/{backup_id}"),
        "OwnerId": place.account,
    }
    if given.get("Volume") is not None:
        complete["ResourceType"] = "VOLUME"
    else:
        file_system_id = backup_id.replace("backup-", "fs-")
        complete["ResourceType"] = "FILE_SYSTEM"
        complete["FileSystem"] = default_file_system(place, file_system_id, now)
    complete.update(given)
    complete["BackupId"] = backup_id
    complete["Lifecycle"] = given.get("Lifecycle") or "AVAILABLE"
    return {name: value for name, value in complete.items() if value is not None}


def remember_sources(store: Store, place: AccountRegion, backup: Document) -> None:
    """
    Let CreateBackup know what *backup* is a backup of.
    """
    sources = store.shelf(place).sources
    for kind in ("FileSystem", "Volume"):
        document = backup.get(kind)
        source_id = text_member(document, f"{kind}Id")
        if isinstance(document, dict) and source_id:
            sources.setdefault(source_id, Source(document))

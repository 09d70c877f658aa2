"""
ArgumentErrors within the answer: proper documents that are not the right ones.
"""

from __future__ import annotations

import random
from typing import cast

from ._describing import read_token, write_token
from ._faults import Fault, FaultKind
from ._json import Document, JsonValue, text_member
from ._regions import AccountRegion
from ._seeding import completed
from ._store import Store


def alter_listing(
    fault: Fault, place: AccountRegion, request: Document, answer: Document, rng: random.Random
) -> Document:
    """
    Return *answer*, a page of backups of *place*, as *fault* makes it.
    """
    backups = list(cast("list[JsonValue]", answer["Backups"]))
    match fault.kind:
        case FaultKind.CUT_LISTING:
            return {"Backups": backups[: fault.keep]}
        case FaultKind.SHUFFLED_LISTING:
            rng.shuffle(backups)
            if backups == answer["Backups"]:
                backups.reverse()
            return {**answer, "Backups": backups}
        case FaultKind.ENDLESS_LISTING:
            token = text_member(request, "NextToken")
            position = read_token("DescribeBackups", place, token) if token is not None else 0
            salt = f"{rng.getrandbits(64):016x}"
            token = write_token("DescribeBackups", place, position, salt)
            return {"Backups": [], "NextToken": token}
    return {"Backups": []}


def other_answer(
    store: Store, place: AccountRegion, operation: str, request: Document
) -> Document:
    """
    Return what another request of *operation* would have been answered.

    The backups in it are made up; the store does not hold them.
    """
    if operation == "DeleteBackup":
        return {"BackupId": store.new_backup_id(), "Lifecycle": "DELETED"}
    if operation == "DescribeBackups":
        return {"Backups": [completed(store, place, {})]}
    lineage: Document = {
        "SourceBackupId": store.new_backup_id(),
        "SourceBackupRegion": text_member(request, "SourceRegion") or place.region,
    }
    return {"Backup": completed(store, place, {"Lifecycle": "COPYING", **lineage})}

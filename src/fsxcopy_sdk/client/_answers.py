"""
Whether an answer fits the request: one that does not belongs to another request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsxcopy_sdk._codec import RawResponse
from fsxcopy_sdk.enums import BackupLifecycle
from fsxcopy_sdk.errors import ResponseDecodingError
from fsxcopy_sdk.models import CopyBackupResponse, DeleteBackupResponse, DescribeBackupsResponse

if TYPE_CHECKING:
    from types_aiobotocore_fsx.type_defs import (
        CopyBackupRequestTypeDef,
        DeleteBackupRequestTypeDef,
        DescribeBackupsRequestTypeDef,
    )


def check_copied(
    response: CopyBackupResponse,
    request: CopyBackupRequestTypeDef,
    region: str,
    answer: RawResponse,
) -> None:
    """
    Refuse a copy of another backup; an answer may leave out what it is a copy of.

    Raises:
        ResponseDecodingError: source or source Region are not those of *request*.
    """
    copy = response.backup
    _refuse(
        [
            f"$.Backup.{name}: must be {asked}, not {found}"
            for name, asked, found in (
                ("SourceBackupId", request["SourceBackupId"], copy.source_backup_id),
                (
                    "SourceBackupRegion",
                    request.get("SourceRegion", region),
                    copy.source_backup_region,
                ),
            )
            if found not in (None, asked)
        ],
        answer,
    )


def check_described(
    response: DescribeBackupsResponse, request: DescribeBackupsRequestTypeDef, answer: RawResponse
) -> None:
    """
    Refuse a page with a backup that is none of those whose ids were asked for, if any were.

    Raises:
        ResponseDecodingError: there is such a backup.
    """
    if "BackupIds" in request:
        asked = set(request["BackupIds"])
        # The whole page is another's, so no single backup of it is named as the place.
        strangers = [one.backup_id for one in response.backups if one.backup_id not in asked]
        _refuse([f"$.Backups: has {one}, which was not asked for" for one in strangers], answer)


def check_deleted(
    response: DeleteBackupResponse, request: DeleteBackupRequestTypeDef, answer: RawResponse
) -> None:
    """
    Refuse what does not say that this backup was deleted.

    Raises:
        ResponseDecodingError: the id is another, or the lifecycle is a known one but DELETED.
    """
    texts = []
    if response.backup_id != request["BackupId"]:
        texts.append(f"$.BackupId: must be {request['BackupId']}, not {response.backup_id}")
    lifecycle = response.lifecycle
    if lifecycle != BackupLifecycle.DELETED and not lifecycle.is_unknown:
        texts.append(f"$.Lifecycle: must be DELETED, not {lifecycle}")
    _refuse(texts, answer)


def _refuse(texts: list[str], answer: RawResponse) -> None:
    if texts:
        raise ResponseDecodingError(
            f"The answer belongs to another request: {'; '.join(texts)}",
            operation=answer.operation,
            attempts=answer.metadata.attempts,
            request_id=answer.metadata.request_id,
            http_status=answer.metadata.http_status,
            error_paths=tuple(texts),
            payload=answer.payload,
            is_malformed=True,
        )

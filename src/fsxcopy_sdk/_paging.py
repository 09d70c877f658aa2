"""
From pages of backups to backups.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from fsxcopy_sdk.errors import RepeatedNextToken
from fsxcopy_sdk.models import Backup, DescribeBackupsResponse

if TYPE_CHECKING:
    from types_aiobotocore_fsx.type_defs import DescribeBackupsRequestTypeDef

Fetch: TypeAlias = "Callable[[DescribeBackupsRequestTypeDef], Awaitable[DescribeBackupsResponse]]"


async def every_backup(
    fetch: Fetch, request: DescribeBackupsRequestTypeDef
) -> AsyncGenerator[Backup, None]:
    """
    Yield the backups of all pages, from the one that *request* asks for.

    Raises:
        RepeatedNextToken: a page leads back to an earlier one.
        FsxCopyError: what *fetch* raises.
    """
    seen: set[str] = set()
    while True:
        page = await fetch(request)
        for backup in page.backups:
            yield backup
        token = page.next_token
        if not token:
            return
        if token in seen:
            raise RepeatedNextToken(
                f"Page {len(seen) + 1} leads back to an earlier one: the listing has no end",
                operation="DescribeBackups",
                next_token=token,
            )
        seen.add(token)
        request["NextToken"] = token

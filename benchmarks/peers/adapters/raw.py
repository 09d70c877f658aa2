"""aiobotocore as it is: dicts. types-aiobotocore-fsx makes them TypedDicts, which run the same."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from aiobotocore.session import AioSession

from benchmarks.peers.adapters.botocore_parser import parse

if TYPE_CHECKING:
    from types_aiobotocore_fsx.client import FSxClient


def decode(body: bytes) -> Any:
    """Do what botocore does with a body, json included."""
    return parse(body)["Backups"]


def connect(url: str) -> AbstractAsyncContextManager[FSxClient]:
    """Make a session and a client of it."""
    return AioSession().create_client("fsx", region_name="us-west-2", endpoint_url=url)


async def call(client: FSxClient) -> str:
    """Copy one backup."""
    response = await client.copy_backup(
        SourceBackupId="backup-03e3c82e0183b7b6b", SourceRegion="us-east-2", CopyTags=True
    )
    return response["Backup"]["BackupId"]


async def list_all(client: FSxClient) -> Any:
    """List all backups."""
    pages = client.get_paginator("describe_backups").paginate(PaginationConfig={"PageSize": 50})
    return [backup async for page in pages for backup in page["Backups"]]


async def main() -> None:
    """Copy one backup, from nothing."""
    async with connect(sys.argv[1]) as client:
        print(await call(client), time.monotonic())


if __name__ == "__main__":
    asyncio.run(main())

"""fsxcopy-sdk: frozen attrs objects."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

from fsxcopy_sdk import Backup, FsxCopyClient
from fsxcopy_sdk._codec import RawResponse, parse_response
from fsxcopy_sdk.models import DescribeBackupsResponse, ResponseMetadata


def decode(body: bytes) -> Sequence[Backup]:
    """Do what the client does with a body that the transport took: orjson included."""
    response = RawResponse(operation="DescribeBackups", payload=body, metadata=ResponseMetadata())
    return parse_response(DescribeBackupsResponse, response).backups


def connect(url: str) -> FsxCopyClient:
    """Make a client."""
    return FsxCopyClient("us-west-2", endpoint_url=url)


async def call(client: FsxCopyClient) -> str:
    """Copy one backup."""
    response = await client.copy_backup(
        "backup-03e3c82e0183b7b6b", source_region="us-east-2", copy_tags=True
    )
    return response.backup.backup_id


async def list_all(client: FsxCopyClient) -> Sequence[Backup]:
    """List all backups."""
    return [backup async for backup in client.iter_backups()]


async def main() -> None:
    """Copy one backup, from nothing."""
    async with connect(sys.argv[1]) as client:
        print(await call(client), time.monotonic())


if __name__ == "__main__":
    asyncio.run(main())

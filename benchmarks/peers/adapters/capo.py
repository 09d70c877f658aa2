"""capo-fsx: TypedDicts under names in snake_case, over its own HTTP stack."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from capo_fsx import AsyncFSxClient


def decode(body: bytes) -> Any:
    """Do what its operations do with a body, json included."""
    from capo_fsx.types import describe_backups_response  # noqa: PLC0415 - as its operations do

    return describe_backups_response.deserialize_aws_json_1_1(json.loads(body))["backups"]


def connect(url: str) -> AsyncFSxClient:
    """Make a client."""
    return AsyncFSxClient(region="us-west-2", endpoint=url)


async def call(client: AsyncFSxClient) -> Any:
    """Copy one backup."""
    response = await client.copy_backup(
        source_backup_id="backup-03e3c82e0183b7b6b", source_region="us-east-2", copy_tags=True
    )
    return response["backup"]["backup_id"]


async def list_all(client: AsyncFSxClient) -> Any:
    """List all backups."""
    pages = client.iter_describe_backups(max_results=50)
    return [backup async for page in pages for backup in page["backups"]]


async def main() -> None:
    """Copy one backup, from nothing."""
    async with connect(sys.argv[1]) as client:
        print(await call(client), time.monotonic())


if __name__ == "__main__":
    asyncio.run(main())

"""aws-resource-validator-fsx: pydantic models of what boto3 returned."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from aws_resource_validator.pydantic_models.fsx import (
    CopyBackupResponseTypeDef,
    DescribeBackupsResponseTypeDef,
)

from benchmarks.peers.adapters.botocore_parser import parse


def decode(body: bytes) -> Any:
    """Do what boto3 does with a body, then make models of it."""
    parsed = parse(body)
    parsed["ResponseMetadata"]["RetryAttempts"] = 0  # a client would have added it
    return DescribeBackupsResponseTypeDef.model_validate(parsed).Backups


@contextmanager
def connect(url: str) -> Iterator[Any]:
    """Make a client."""
    client = boto3.client("fsx", region_name="us-west-2", endpoint_url=url)
    yield client
    client.close()


def call(client: Any) -> Any:
    """Copy one backup."""
    response = client.copy_backup(
        SourceBackupId="backup-03e3c82e0183b7b6b", SourceRegion="us-east-2", CopyTags=True
    )
    return CopyBackupResponseTypeDef.model_validate(response).Backup.BackupId


def list_all(client: Any) -> Any:
    """List all backups."""
    pages = client.get_paginator("describe_backups").paginate(PaginationConfig={"PageSize": 50})
    models = map(DescribeBackupsResponseTypeDef.model_validate, pages)
    return [backup for page in models for backup in page.Backups]


def main() -> None:
    """Copy one backup, from nothing."""
    with connect(sys.argv[1]) as client:
        print(call(client), time.monotonic())


if __name__ == "__main__":
    main()

"""The service's vocabulary: JSON documents, errors, Regions and ARNs, default resources."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias, cast

import attrs
import orjson

JsonValue: TypeAlias = (
    bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
)
"""Any value of a JSON document."""

Document: TypeAlias = dict[str, JsonValue]
"""A JSON object under the service's own member names."""

Tag: TypeAlias = Mapping[str, str]
"""One tag: its Key and its Value."""


def text_member(document: JsonValue, *path: str) -> str | None:
    """Return the text at *path* below *document*, None where there is none."""
    value = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None


def tags_of(document: Document) -> list[Tag]:
    """Return the tags of *document*, an empty list where it has none."""
    return cast("list[Tag]", document.get("Tags") or [])


def merged_tags(first: list[Tag], second: list[Tag]) -> list[Tag]:
    """Return both lists as one; where both have a key, the value of *second* wins."""
    return list({tag["Key"]: tag for tag in (*first, *second)}.values())


CONTENT_TYPE: Final = "application/x-amz-json-1.1"
"""The content type of the protocol AWS JSON 1.1."""

MAX_MESSAGE: Final = 256
"""Characters; the maximum of the service model's ErrorMessage."""


@attrs.frozen
class Answer:
    """An HTTP answer without its request ID and date."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"Content-Type": CONTENT_TYPE})


class ServiceFailure(Exception):
    """Answer the call with an error of the service's model."""

    message_member = "Message"

    # AWS JSON uses status 400 for every error that the caller can correct.
    def __init__(self, code: str, message: str, status: int = 400, **members: JsonValue) -> None:
        super().__init__(code, message)
        text = {self.message_member: message[:MAX_MESSAGE]}
        self.answer = Answer(status, orjson.dumps({"__type": code, **text, **members}))


class ProtocolFailure(ServiceFailure):
    """Answer with an error that occurs before the operation and is not in the model."""

    message_member = "message"
    """As recorded from services of this protocol (aws/aws-sdk-ruby issue 431)."""


_PARTITIONS: Final = {
    "cn": "aws-cn",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "eu-isoe": "aws-iso-e",
    "us-isof": "aws-iso-f",
    "eusc-de": "aws-eusc",
    # Last, and wider than today's list of continents, because Regions with
    # new prefixes keep opening.
    "[a-z]{2}": "aws",
}
"""Partition by the prefix of its Regions, from botocore's partitions.json."""


def partition_of(region: str) -> str | None:
    """Return the partition of *region*, None for what cannot be a Region."""
    for prefix, partition in _PARTITIONS.items():
        if re.fullmatch(rf"{prefix}-[a-z]+-\d{{1,2}}", region):
            return partition
    return None


@attrs.frozen
class AccountRegion:
    """One Region of one account; each has backups of its own."""

    account: str
    region: str

    def arn(self, resource: str, *, service: str = "fsx") -> str:
        """Return the ARN of *resource*, such as ``backup/backup-…``."""
        partition = partition_of(self.region)
        return f"arn:{partition}:{service}:{self.region}:{self.account}:{resource}"

    def default_kms_key(self) -> str:
        """Return the ARN of the key aws/fsx, which depends on account and Region only."""
        name = hashlib.md5(f"{self.account}/{self.region}".encode(), usedforsecurity=False)
        return self.arn(f"key/{uuid.UUID(bytes=name.digest(), version=4)}", service="kms")


EXAMPLE_REGION: Final = "us-east-2"
"""The source Region of the service's own CopyBackup example."""

_LUSTRE: Final[Mapping[str, JsonValue]] = {
    "AutomaticBackupRetentionDays": 0,
    "DeploymentType": "PERSISTENT_1",
    "PerUnitStorageThroughput": 50,
    "WeeklyMaintenanceStartTime": "1:05:00",
}

EXAMPLE_BACKUP: Final[Mapping[str, JsonValue]] = MappingProxyType(
    {
        "BackupId": "backup-03e3c82e0183b7b6b",
        "CreationTime": 1617954808.068,
        "FileSystem": {
            "FileSystemId": "fs-0498eed5fe91001ec",
            "FileSystemType": "LUSTRE",
            "LustreConfiguration": _LUSTRE,
            "ResourceARN": "arn:aws:fsx:us-east-2:012345678912:file-system/fs-0498eed5fe91001ec",
            "StorageCapacity": 2400,
            "StorageType": "SSD",
        },
        "KmsKeyId": "arn:aws:kms:us-east-2:012345678912:key/d1234e22-543a-12b7-a98f-e12c2b54001a",
        "Tags": [{"Key": "Name", "Value": "MyBackup"}],
        "Type": "USER_INITIATED",
    }
)
"""
The Lustre backup that the service's own CopyBackup example copies. The example
shows only the copy, so the Region in the ARNs is the source's here. Two ARNs
are corrected: the key's said ``fsx``, and the file system's named another one.
"""


def default_file_system(scope: AccountRegion, file_system_id: str, created_at: float) -> Document:
    """Return a Lustre file system of 1200 GiB; *created_at* is in epoch seconds."""
    return {
        "OwnerId": scope.account,
        "CreationTime": created_at,
        "FileSystemId": file_system_id,
        "FileSystemType": "LUSTRE",
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": 1200,
        "StorageType": "SSD",
        "ResourceARN": scope.arn(f"file-system/{file_system_id}"),
        "LustreConfiguration": {**_LUSTRE, "CopyTagsToBackups": False},
    }


def default_volume(scope: AccountRegion, volume_id: str, created_at: float) -> Document:
    """Return an ONTAP FlexVol volume; *created_at* is in epoch seconds."""
    file_system_id = volume_id.replace("fsvol-", "fs-")
    return {
        "CreationTime": created_at,
        "FileSystemId": file_system_id,
        "Lifecycle": "CREATED",
        "Name": "vol1",
        "OntapConfiguration": {
            "JunctionPath": "/vol1",
            "OntapVolumeType": "RW",
            "SecurityStyle": "UNIX",
            "SizeInMegabytes": 1024,
            "VolumeStyle": "FLEXVOL",
        },
        "ResourceARN": scope.arn(f"volume/{file_system_id}/{volume_id}"),
        "VolumeId": volume_id,
        "VolumeType": "ONTAP",
    }

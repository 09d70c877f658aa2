"""The service's vocabulary: JSON documents, errors, Regions and ARNs, default resources."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
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

GivenValue: TypeAlias = (
    bool
    | int
    | float
    | str
    | datetime
    | Sequence["GivenValue"]
    | Mapping[str, "GivenValue"]
    | None
)
"""A value as tests may give it: in JSON, with times that have a zone as datetimes too."""

Tag: TypeAlias = Mapping[str, str]
"""One tag: its Key and its Value."""


def to_document(given: Mapping[str, GivenValue]) -> Document:
    """
    Return a copy of *given* as JSON, its times in epoch seconds, as the service sends them.

    Raises:
        TypeError: it has a value that is neither JSON nor a time with a zone.
    """
    option = orjson.OPT_PASSTHROUGH_DATETIME
    document: Document = orjson.loads(orjson.dumps(given, _epoch_seconds, option))
    return document


def _epoch_seconds(value: object) -> float:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.timestamp()
    raise TypeError("must be JSON, or a datetime with a time zone")


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
    "aws": "af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 "
    "ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 "
    "ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 "
    "eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 "
    "me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2",
    "aws-cn": "cn-north-1 cn-northwest-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1 us-iso-west-1",
    "aws-iso-b": "us-isob-east-1 us-isob-west-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-east-1 us-isof-south-1",
    "aws-us-gov": "us-gov-east-1 us-gov-west-1",
}
"""Regions by partition, from botocore's partitions.json, with which a test compares them."""

REGIONS: Final[Mapping[str, str]] = {
    region: partition for partition, regions in _PARTITIONS.items() for region in regions.split()
}
"""Partition by Region."""


def partition_of(region: str) -> str:
    """Return the partition of *region*; that of a Region that AWS does not have is aws."""
    return REGIONS.get(region, "aws")


def is_reserved(tag_key: str) -> bool:
    """Return whether a tag with this key is one of AWS's own."""
    return tag_key.lower().startswith("aws:")


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


def general_file_system(scope: AccountRegion, file_system_id: str, created_at: float) -> Document:
    """Return what file systems of all types have; *created_at* is in epoch seconds."""
    return {
        "OwnerId": scope.account,
        "CreationTime": created_at,
        "FileSystemId": file_system_id,
        "Lifecycle": "AVAILABLE",
        "ResourceARN": scope.arn(f"file-system/{file_system_id}"),
    }


def default_file_system(scope: AccountRegion, file_system_id: str, created_at: float) -> Document:
    """Return a Lustre file system of 1200 GiB; *created_at* is in epoch seconds."""
    return {
        **general_file_system(scope, file_system_id, created_at),
        "FileSystemType": "LUSTRE",
        "StorageCapacity": 1200,
        "StorageType": "SSD",
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

"""
The documents that the local FSx starts from, in the service's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ._json import Document, JsonValue
from ._regions import AccountRegion

EXAMPLE_REGION: Final = "us-east-2"
"""Where the service's own CopyBackup example copies from."""

EXAMPLE_BACKUP: Final[Mapping[str, JsonValue]] = MappingProxyType(
    {
        "BackupId": "backup-03e3c82e0183b7b6b",
        "CreationTime": 1617954808.068,
        "FileSystem": {
            "FileSystemId": "fs-0498eed5fe91001ec",
            "FileSystemType": "LUSTRE",
            "LustreConfiguration": {
                "AutomaticBackupRetentionDays": 0,
                "DeploymentType": "PERSISTENT_1",
                "PerUnitStorageThroughput": 50,
                "WeeklyMaintenanceStartTime": "1:05:00",
            },
            "ResourceARN": ("arn:aws:fsx:us-east-2:012345678912:file-system/fs-0498eed5fe91001ec"),
            "StorageCapacity": 2400,
            "StorageType": "SSD",
        },
        "KmsKeyId": (
            "arn:aws:kms:us-east-2:012345678912:key/d1234e22-543a-12b7-a98f-e12c2b54001a"
        ),
        "Tags": [{"Key": "Name", "Value": "MyBackup"}],
        "Type": "USER_INITIATED",
    }
)
"""
The Lustre backup that the service's own CopyBackup example copies, as it
stands in its source Region. The example shows the copy only: the Region in
the ARNs is the source's, the key's ARN is mended (it said ``fsx``), and so is
the file system's (it named another one).
"""


def default_file_system(place: AccountRegion, file_system_id: str, created_at: float) -> Document:
    """
    Return a Lustre file system of 1200 GiB that nobody said more about.

    *created_at* is in epoch seconds.
    """
    return {
        "OwnerId": place.account,
        "CreationTime": created_at,
        "FileSystemId": file_system_id,
        "FileSystemType": "LUSTRE",
        "Lifecycle": "AVAILABLE",
        "StorageCapacity": 1200,
        "StorageType": "SSD",
        "ResourceARN": place.arn(f"file-system/{file_system_id}"),
        "LustreConfiguration": {
            "WeeklyMaintenanceStartTime": "1:05:00",
            "DeploymentType": "PERSISTENT_1",
            "PerUnitStorageThroughput": 50,
            "AutomaticBackupRetentionDays": 0,
            "CopyTagsToBackups": False,
        },
    }


def default_volume(place: AccountRegion, volume_id: str, created_at: float) -> Document:
    """
    Return an ONTAP FlexVol volume that nobody said more about.

    *created_at* is in epoch seconds.
    """
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
        "ResourceARN": place.arn(f"volume/{file_system_id}/{volume_id}"),
        "VolumeId": volume_id,
        "VolumeType": "ONTAP",
    }

"""
What may be in a request: the service model's input shapes, as data.

The tests compare every rule here with botocore's `service-2.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import attrs


@attrs.frozen(kw_only=True)
class Text:
    """
    A string: least and most characters, pattern, values it may have.
    """

    least: int | None = None
    most: int | None = None
    pattern: str | None = None
    """As the model writes it, in Java's dialect."""
    choices: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Number:
    """
    A whole number: least and most.
    """

    least: int
    most: int


@attrs.frozen
class Flag:
    """
    A boolean.
    """


@attrs.frozen(kw_only=True)
class Many:
    """
    A list: of what, least and most items.
    """

    of: Rule
    least: int | None = None
    most: int | None = None


@attrs.frozen
class Members:
    """
    An object: its members, and those that must be there.
    """

    rules: Mapping[str, Rule]
    required: tuple[str, ...] = ()


Rule: TypeAlias = "Text | Number | Flag | Many | Members"

_TAG_TEXT: Final = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"

# The model's pattern, typo (A-z) and all: what the service lets pass.
_TOKEN: Final = Text(least=1, most=63, pattern=r"[A-za-z0-9_.-]{0,63}$")
_BACKUP_ID: Final = Text(least=12, most=128, pattern=r"^(backup-[0-9a-f]{8,})$")
_TAGS: Final = Many(
    of=Members(
        {
            "Key": Text(least=1, most=128, pattern=_TAG_TEXT),
            "Value": Text(least=0, most=256, pattern=_TAG_TEXT),
        },
        required=("Key", "Value"),
    ),
    least=1,
    most=50,
)
_MAX_RESULTS: Final = Number(least=1, most=2147483647)
_NEXT_TOKEN: Final = Text(
    least=1,
    most=255,
    pattern=(
        r"^(?:[A-Za-z0-9+\/]{4})*"
        r"(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?$"
    ),
)
_RESOURCE_ARN: Final = Text(
    least=8,
    most=512,
    pattern=(
        r"^arn:(?=[^:]+:fsx:[^:]+:\d{12}:)((|(?=[a-z0-9-.]{1,63})"
        r"(?!\d{1,3}(\.\d{1,3}){3})(?![^:]*-{2})(?![^:]*-\.)(?![^:]*\.-)"
        r"[a-z0-9].*(?<!-)):){4}(?!/).{0,1024}$"
    ),
)
_FILTER: Final = Members(
    {
        "Name": Text(
            choices=(
                "file-system-id",
                "backup-type",
                "file-system-type",
                "volume-id",
                "data-repository-type",
                "file-cache-id",
                "file-cache-type",
            )
        ),
        "Values": Many(
            of=Text(
                least=1,
                most=128,
                pattern=r"^[0-9a-zA-Z\*\.\\/\?\-\_]*$",
            ),
            most=20,
        ),
    }
)

REQUESTS: Final[Mapping[str, Members]] = {
    "CopyBackup": Members(
        {
            "ClientRequestToken": _TOKEN,
            "SourceBackupId": _BACKUP_ID,
            "SourceRegion": Text(least=1, most=20, pattern=r"^[a-z0-9-]{1,20}$"),
            "KmsKeyId": Text(least=1, most=2048, pattern=r"^.{1,2048}$"),
            "CopyTags": Flag(),
            "Tags": _TAGS,
        },
        required=("SourceBackupId",),
    ),
    "CreateBackup": Members(
        {
            "FileSystemId": Text(least=11, most=21, pattern=r"^(fs-[0-9a-f]{8,})$"),
            "ClientRequestToken": _TOKEN,
            "Tags": _TAGS,
            "VolumeId": Text(least=23, most=23, pattern=r"^(fsvol-[0-9a-f]{17,})$"),
        }
    ),
    "DescribeBackups": Members(
        {
            "BackupIds": Many(of=_BACKUP_ID, most=50),
            "Filters": Many(of=_FILTER, most=10),
            "MaxResults": _MAX_RESULTS,
            "NextToken": _NEXT_TOKEN,
        }
    ),
    "DeleteBackup": Members(
        {"BackupId": _BACKUP_ID, "ClientRequestToken": _TOKEN},
        required=("BackupId",),
    ),
    "TagResource": Members(
        {"ResourceARN": _RESOURCE_ARN, "Tags": _TAGS},
        required=("ResourceARN", "Tags"),
    ),
    "ListTagsForResource": Members(
        {
            "ResourceARN": _RESOURCE_ARN,
            "MaxResults": _MAX_RESULTS,
            "NextToken": _NEXT_TOKEN,
        },
        required=("ResourceARN",),
    ),
}
"""The operations that the local FSx knows, and what each may be asked."""

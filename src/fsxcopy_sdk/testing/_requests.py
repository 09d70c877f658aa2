"""
Requests after the checks: every member is present with its type, or absent.
"""

from __future__ import annotations

from typing import TypedDict

from ._json import Tag


class Filter(TypedDict, total=False):
    """
    One filter of DescribeBackups; the model demands neither member.
    """

    Name: str
    Values: list[str]


class CopyBackupRequest(TypedDict, total=False):
    """
    What CopyBackup is asked.
    """

    ClientRequestToken: str
    SourceBackupId: str
    SourceRegion: str
    KmsKeyId: str
    CopyTags: bool
    Tags: list[Tag]


class CreateBackupRequest(TypedDict, total=False):
    """
    What CreateBackup is asked.
    """

    FileSystemId: str
    ClientRequestToken: str
    Tags: list[Tag]
    VolumeId: str


class DescribeBackupsRequest(TypedDict, total=False):
    """
    What DescribeBackups is asked.
    """

    BackupIds: list[str]
    Filters: list[Filter]
    MaxResults: int
    NextToken: str


class DeleteBackupRequest(TypedDict, total=False):
    """
    What DeleteBackup is asked.
    """

    BackupId: str
    ClientRequestToken: str


class TagResourceRequest(TypedDict, total=False):
    """
    What TagResource is asked.
    """

    ResourceARN: str
    Tags: list[Tag]


class ListTagsForResourceRequest(TypedDict, total=False):
    """
    What ListTagsForResource is asked.
    """

    ResourceARN: str
    MaxResults: int
    NextToken: str

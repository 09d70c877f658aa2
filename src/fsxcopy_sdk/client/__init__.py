"""
The client of one Region.
"""

from fsxcopy_sdk.client._client import FsxCopyClient

__all__ = ["FsxCopyClient"]

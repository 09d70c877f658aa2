"""
The client of one Region.
"""

import logging

from fsxcopy_sdk.client._client import FsxCopyClient

__all__ = ["FsxCopyClient"]

# Silent until the program listens: Python itself would print warnings.
logging.getLogger("fsxcopy_sdk").addHandler(logging.NullHandler())

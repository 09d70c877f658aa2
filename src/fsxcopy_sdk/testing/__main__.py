"""
Serve a local FSx until told to stop: ``python -m fsxcopy_sdk.testing``.
"""

import sys

from ._command import main

if __name__ == "__main__":
    sys.exit(main())

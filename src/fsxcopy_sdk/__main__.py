"""The `fsxcopy` command, as ``python -m fsxcopy_sdk``."""

from __future__ import annotations

from fsxcopy_sdk.cli import main

if __name__ == "__main__":
    main()

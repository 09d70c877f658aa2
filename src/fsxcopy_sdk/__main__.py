"""The `fsxcopy` command, as ``python -m fsxcopy_sdk``."""

from __future__ import annotations

from fsxcopy_sdk.cli import run_and_end

if __name__ == "__main__":
    run_and_end()

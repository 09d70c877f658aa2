"""Write down the long garbage collections of each process of Airflow, which stop its threads."""

from __future__ import annotations

import gc
import os
import sys
import time

_LONG = 0.1
_begun = 0.0


def _watch(phase: str, _: object) -> None:
    global _begun  # noqa: PLW0603 - the hook has no other memory
    if phase == "start":
        _begun = time.monotonic()
        return
    seconds = time.monotonic() - _begun
    if seconds > _LONG:
        with open(os.environ["FSX_COLLECTIONS"], "a", encoding="utf-8") as file:  # noqa: PTH123 - early
            name = "triggerer" if "triggerer" in sys.argv else "other"
            file.write(f"{name} {time.time()} {seconds}\n")


if "FSX_COLLECTIONS" in os.environ:
    gc.callbacks.append(_watch)

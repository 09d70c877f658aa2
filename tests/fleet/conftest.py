"""An STS on loopback, which the profiles in the environment use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fleet_rig import Sts, configure, serving_sts


@pytest.fixture(name="sts")
async def _sts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Sts]:
    async with serving_sts() as sts:
        configure(monkeypatch, tmp_path, sts)
        yield sts

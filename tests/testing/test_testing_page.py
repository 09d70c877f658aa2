"""The page for those who test with the local FSx: its programs pass as they stand there."""

import re
from pathlib import Path

from fsxcopy_sdk.testing import Fault, LocalFsx, ManualClock

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "testing.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_programs(pytester) -> None:
    """All pass, and none of their tests is left out."""
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    pytester.makepyfile(**{f"test_{number}": text for number, text in enumerate(PROGRAMS)})

    done = pytester.runpytest_subprocess(
        *("-W", "error", "--strict-markers", "-p", "no:anyio"),
        *("-o", "asyncio_default_fixture_loop_scope=function"),
    )

    done.assert_outcomes(passed=len(re.findall(r"def test_", "".join(PROGRAMS))))


def test_every_setting_exists() -> None:
    """The names that the page gives for arguments and methods are those of the classes."""
    known = {*dir(Fault), *dir(LocalFsx), *dir(ManualClock)}
    named = re.findall(r"`fsx(?:_clock)?\.(\w+)", PAGE)
    assert named
    assert set() == set(named) - known

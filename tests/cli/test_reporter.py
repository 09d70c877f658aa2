"""Progress and messages on standard error."""

from __future__ import annotations

import sys

import attrs
import pytest
from cli_rig import Stream

from fsxcopy_sdk import from_dict
from fsxcopy_sdk.cli._options import Globals
from fsxcopy_sdk.cli._outcomes import Ended
from fsxcopy_sdk.cli._reporter import Reporter, format_remaining
from fsxcopy_sdk.models import Backup

BACKUP = from_dict(
    Backup,
    {
        "BackupId": "backup-00000001",
        "Lifecycle": "COPYING",
        "Type": "USER_INITIATED",
        "CreationTime": 0,
    },
)


def _at(percent: int | None) -> Backup:
    return attrs.evolve(BACKUP, progress_percent=percent)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "any moment"),
        (-5, "any moment"),
        (1, "about 1 s left"),
        (89, "about 89 s left"),
        (90, "about 2 min left"),
        (5399, "about 90 min left"),
        (5400, "about 1.5 h left"),
        (30000, "about 8.3 h left"),
    ],
)
def test_remaining_time(seconds: float, text: str) -> None:
    """The unit fits the length, and the number is rounded."""
    assert text == format_remaining(seconds)


def test_lines_report_changes(capsys: pytest.CaptureFixture[str]) -> None:
    """An unchanged state prints nothing; progress adds an estimate."""
    now = [0.0]
    reporter = Reporter(Globals(), lambda: now[0])
    with reporter.live():
        reporter.seen(_at(None))
        for now[0], percent in ((0, 1), (600, 11), (700, 11)):
            reporter.seen(_at(percent))
    reporter.ended(Ended(outcome="copied", backup_id="backup-00000001"))

    assert [
        "backup-00000001: COPYING",
        "backup-00000001: COPYING 1%",
        "backup-00000001: COPYING 11%, about 89 min left",
        "backup-00000001: copied",
    ] == capsys.readouterr().err.splitlines()


def test_quiet_prints_notices_only(capsys: pytest.CaptureFixture[str]) -> None:
    """With --quiet progress and outcomes are not printed, notices are."""
    reporter = Reporter(Globals(quiet=True))
    reporter.seen(_at(10))
    reporter.ended(Ended(outcome="copied", backup_id="backup-00000001"))
    reporter.notice("still running")
    assert "still running\n" == capsys.readouterr().err


def test_moving_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line has a bar, the state and the time left, counted down; the outcome follows."""
    terminal = Stream(at_terminal=True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    now = [0.0]
    reporter = Reporter(Globals(), lambda: now[0])
    with reporter.live():
        reporter.seen(_at(None))
        for now[0], percent in ((0, 1), (600, 51)):
            reporter.seen(_at(percent))
        now[0] = 900  # shown when the lines are drawn for the last time
    reporter.ended(Ended(outcome="copied", backup_id="backup-00000001"))

    shown = terminal.getvalue()
    assert "COPYING 51%" in shown
    assert "about 5 min left" in shown
    assert "backup-00000001: copied\n" in shown

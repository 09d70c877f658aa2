"""Progress and messages on standard error."""

from __future__ import annotations

import re
import sys
from datetime import timedelta

import attrs
import pytest
from cli_rig import Stream, plain, untimed

from fsxcopy_sdk import from_dict
from fsxcopy_sdk.cli._options import Globals, Output, Waiting
from fsxcopy_sdk.cli._outcomes import Ended
from fsxcopy_sdk.cli._reporter import Reporter
from fsxcopy_sdk.cli._rows import MOST_ROWS, format_remaining
from fsxcopy_sdk.errors import BackupCopyFailed, NoResponse
from fsxcopy_sdk.models import Backup

COPY = "backup-0123456789abcdef0"
SOURCE = "backup-fedcba98765432100"
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


def _lines(text: str) -> list[str]:
    """Return lines of a log without their times, which each must have."""
    lines = text.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in lines)
    return untimed(text)


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
    ] == _lines(capsys.readouterr().err)


def test_lines_name_sources_and_count(capsys: pytest.CaptureFixture[str]) -> None:
    """A copy is named with its source; an end says how many there were, and how many wait."""
    copy = attrs.evolve(_at(5), source_backup_id="backup-0000000a")
    reporter = Reporter(Globals())
    reporter.expect(4)
    reporter.seen(copy)
    error = BackupCopyFailed.of(copy, polls=1, elapsed=1)
    reporter.ended(Ended(outcome="failed", backup_id="backup-00000001", backup=copy, error=error))
    error_text = f"BackupCopyFailed: {error}"
    for _ in range(3):
        reporter.ended(
            Ended(outcome="failed", error=NoResponse("no"), requested_id="backup-0000000b")
        )
    assert [
        "backup-00000001 of backup-0000000a: COPYING 5%",
        f"backup-00000001 of backup-0000000a: failed: {error_text} (1 of 4, 3 waiting)",
        "copy of backup-0000000b: failed: NoResponse: no (2 of 4, 2 waiting)",
        "copy of backup-0000000b: failed: NoResponse: no (3 of 4, 1 waiting)",
        "copy of backup-0000000b: failed: NoResponse: no (4 of 4)",
    ] == _lines(capsys.readouterr().err)


def test_very_many_get_sums_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a line for each would be thousands, there is one sum a minute."""
    now = [0.0]
    reporter = Reporter(Globals(), lambda: now[0])
    reporter.expect(MOST_ROWS + 10, not_seen="not seen yet")
    for now[0] in (0, 59, 61, 100):
        for number in range(MOST_ROWS + 5):
            reporter.seen(attrs.evolve(_at(int(now[0])), backup_id=f"backup-{number:08}"))
    lines = _lines(capsys.readouterr().err)[MOST_ROWS:]
    assert ["0 of 30 done", "21 in progress", "9 not seen yet"] == lines[0].split(", ")
    assert ["0 of 30 done, 25 in progress, 5 not seen yet"] == lines[1:]


@pytest.mark.parametrize(
    ("output", "expected"),
    [("table", ["backup-00000002: failed: NoResponse: no"]), ("json", []), ("jsonl", [])],
)
def test_quiet_prints_failures_and_notices_only(
    capsys: pytest.CaptureFixture[str], output: Output, expected: list[str]
) -> None:
    """With --quiet progress is not printed; a failure is, unless the document names it."""
    reporter = Reporter(Globals(quiet=True, output=output))
    reporter.seen(_at(10))
    reporter.ended(Ended(outcome="copied", backup_id="backup-00000001"))
    reporter.ended(Ended(outcome="failed", backup_id="backup-00000002", error=NoResponse("no")))
    reporter.notice("still running")
    assert [*expected, "still running"] == untimed(capsys.readouterr().err)


def test_a_failure_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The reason is in a message, not in the table too; that of a success is in the table."""
    reporter = Reporter(Globals())
    with reporter.live():
        reporter.ended(
            Ended(outcome="failed", backup_id="backup-00000001", error=NoResponse("no"))
        )
        reporter.ended(
            Ended(outcome="copied", backup_id="backup-00000002", reason="copied before")
        )
    shown = capsys.readouterr()
    assert 1 == (shown.out + shown.err).count("NoResponse")
    assert "copied   -       copied before" in shown.out


def _opened(monkeypatch: pytest.MonkeyPatch, columns: int = 100, lines: int = 24) -> Stream:
    """Return a terminal that standard error is on."""
    stream = Stream(at_terminal=True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    return stream


def _drawn(screen: Stream) -> list[str]:
    """Return the lines as they were drawn last, before they were removed."""
    frames = re.split(r"\r?(?:\x1b\[(?:1A|2K|\?25[lh]))+", screen.getvalue())
    last = [plain(frame) for frame in frames if "COPYING" in frame or "%" in frame][-1]
    return [line.rstrip() for line in last.splitlines()]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (120, f"{COPY} of {SOURCE}  ━━━━━━━━━━            COPYING 51%  about 5 min left"),
        (100, f"{COPY} of {SOURCE}  ━━━━━       COPYING 51%  about 5 min left"),
        (80, f"{COPY} of backup-fedcba98…  COPYING 51%  about 5 min left"),
        (60, f"{COPY}  COPYING 51%  about 5 min left"),
        (50, f"{COPY}  51%  about 5 min left"),
        (30, f"{COPY}  51%"),
    ],
)
def test_moving_line_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int, expected: str
) -> None:
    """The line has what fits of the source, a bar, the state and the time left."""
    screen = _opened(monkeypatch, columns)
    copy = attrs.evolve(BACKUP, backup_id=COPY, source_backup_id=SOURCE)
    now = [0.0]
    reporter = Reporter(Globals(), lambda: now[0])
    with reporter.live():
        reporter.seen(copy)
        for now[0], percent in ((0, 1), (600, 51)):
            reporter.seen(attrs.evolve(copy, progress_percent=percent))
        now[0] = 900  # shown when the lines are drawn for the last time
    reporter.ended(Ended(outcome="copied", backup_id=copy.backup_id, backup=copy))

    assert [expected] == [line[:columns].rstrip() for line in _drawn(screen)]
    assert f"{COPY} of {SOURCE}: copied" in " ".join(plain(screen.getvalue()).split())


@pytest.mark.parametrize(("lines", "rows"), [(50, 20), (24, 20), (10, 7), (5, 2)])
def test_a_terminal_shows_some_rows_and_a_sum(
    monkeypatch: pytest.MonkeyPatch, lines: int, rows: int
) -> None:
    """However many there are, no more rows are drawn than there is space for."""
    screen = _opened(monkeypatch, lines=lines)
    reporter = Reporter(Globals())
    reporter.expect(100)
    with reporter.live():
        reporter.seen(attrs.evolve(BACKUP, backup_id="backup-00000000"))
        reporter.ended(Ended(outcome="copied", backup_id="backup-00000000"))
        for number in range(1, 60):
            reporter.seen(attrs.evolve(BACKUP, backup_id=f"backup-{number:08}"))
    shown = [line for line in _drawn(screen) if "copied" not in line]
    assert "1 of 100 done, 59 in progress, 40 waiting" == shown[-1]
    assert f"and {59 - rows} more in progress" == shown[-2]
    assert "backup-00000001" == shown[0].split()[0]
    assert rows == len(shown) - 2


def test_moving_lines_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal whose encoding lacks the characters of bars gets others."""
    monkeypatch.setattr("cli_rig.Stream.encoding", "cp1252")
    screen = _opened(monkeypatch)
    reporter = Reporter(Globals())
    with reporter.live():
        reporter.seen(_at(50))
    assert " ==========  " in _drawn(screen)[0]


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        (Waiting(), ""),
        (Waiting(max_wait=timedelta(0)), ""),
        (Waiting(max_wait=timedelta(days=30)), " --max-wait 2592000s"),
        (Waiting(max_wait=timedelta(seconds=1234567.25)), " --max-wait 1234567.25s"),
        (Waiting(min_delay=timedelta(seconds=0.05)), " --min-delay 0.05s"),
        (
            Waiting(max_wait=timedelta(hours=1), min_delay=timedelta(minutes=1)),
            " --max-wait 3600s --min-delay 60s",
        ),
    ],
)
def test_the_command_to_resume_waits_alike(
    capsys: pytest.CaptureFixture[str], waiting: Waiting, expected: str
) -> None:
    """Options that differ from their defaults are repeated, as they can be typed."""
    reporter = Reporter(Globals(output="jsonl"), waiting=waiting)
    reporter.add(Ended(outcome="in_progress", backup_id=COPY, backup=BACKUP))
    reporter.conclude("us-west-2")
    command = f"fsxcopy wait {COPY} --region us-west-2 --output jsonl{expected}"
    assert f"resume with: {command}" == capsys.readouterr().err.splitlines()[-1]

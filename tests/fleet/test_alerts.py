"""The alert rules of the documentation, as Prometheus' own tool reads and tries them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from prometheus_client.parser import text_string_to_metric_families
from rendering_rig import Failure, report_with_everything

from fsxcopy_sdk.fleet.rendering import render

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "alerting.md"
(RULES,) = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
ALERTS = re.findall(r"alert: (\w+)", RULES)
# Promtool's clock starts here.
REPORT = attrs.evolve(report_with_everything(), made_at=datetime(1970, 1, 1, tzinfo=UTC))

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed"
)


def _promtool(*arguments: str | Path, stdin: str = "") -> str:
    done = subprocess.run(
        ["promtool", *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    assert 0 == done.returncode, output
    return output


def _series(text: str) -> list[dict[str, str]]:
    """Return the samples of some metrics as series that stay the same for three hours."""
    made = []
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = ", ".join(f"{name}={json.dumps(value)}" for name, value in one.labels.items())
            made.append({"series": f"{one.name}{{{labels}}}", "values": f"{one.value:f}x180"})
    return made


def test_every_metric_is_explained_and_used_by_its_name() -> None:
    """The table has the metrics that there are, and rules use no others."""
    families = text_string_to_metric_families(render("prometheus", []))
    names = {family.name for family in families}
    assert names == set(re.findall(r"^\| `(fsxcopy_\w+)`", GUIDE.read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"fsxcopy_\w+", RULES)) <= names


@needs_promtool
def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    """All of them, and without a remark."""
    (tmp_path / "rules.yml").write_text(RULES, "utf-8")
    assert f"SUCCESS: {len(ALERTS)} rules found" in _promtool(
        "check", "rules", tmp_path / "rules.yml"
    )


@needs_promtool
def test_promtool_accepts_the_metrics() -> None:
    """Names, help and types are as Prometheus wants them."""
    assert "" == _promtool("check", "metrics", stdin=render("prometheus", [REPORT], [Failure()]))


def _firing(tmp_path: Path, text: str, minutes: int) -> set[str]:
    """Return the alerts that fire some minutes after the report."""
    (tmp_path / "rules.yml").write_text(RULES, "utf-8")
    firing = set()
    for alert in ALERTS:
        test = {
            "rule_files": ["rules.yml"],
            "evaluation_interval": "1m",
            "tests": [
                {
                    "interval": "1m",
                    "input_series": _series(text),
                    "alert_rule_test": [
                        {"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []}
                    ],
                }
            ],
        }
        (tmp_path / "test.yml").write_text(json.dumps(test), "utf-8")
        command = ["promtool", "test", "rules", "test.yml"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        if done.returncode:
            assert f"alertname: {alert}" in done.stdout + done.stderr
            firing.add(alert)
    return firing


@needs_promtool
@pytest.mark.parametrize(
    ("kind", "minutes", "alerts"),
    [
        ("good", 20, set()),
        ("good", 125, {"FsxReportStale"}),
        ("nearly late", 20, {"FsxCopySoonLate"}),
        ("bad", 20, {"FsxCopyLate", "FsxCopySoonLate", "FsxCopyFailed"}),
        ("failed", 20, {"FsxReportFailed"}),
        ("nothing", 61, {"FsxReportMissing"}),
    ],
)
def test_alerts_fire(tmp_path: Path, kind: str, minutes: int, alerts: set[str]) -> None:
    """Each fires when it should, and none else, on what a report really says."""
    good = [one for one in REPORT.sources if not one.is_late]
    left = timedelta(hours=1, minutes=10).total_seconds()
    near = [attrs.evolve(one, age=REPORT.max_age - left) for one in good]
    text = {
        "good": render("prometheus", [attrs.evolve(REPORT, sources=tuple(good))]),
        "nearly late": render("prometheus", [attrs.evolve(REPORT, sources=tuple(near))]),
        "bad": render("prometheus", [REPORT]),
        "failed": render("prometheus", [], [Failure()]),
        "nothing": "",
    }[kind]
    assert alerts == _firing(tmp_path, text, minutes)

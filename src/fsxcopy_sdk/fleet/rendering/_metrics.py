"""Metrics in the text format of Prometheus, to alert on."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from fsxcopy_sdk._validation import printable
from fsxcopy_sdk.fleet.rendering._overview import Overview, Standing

_REGIONS = ("policy", "source_region", "destination_region")
_SOURCE = ("policy", "source", "source_region", "destination_region")


def to_metrics(overview: Overview) -> str:
    """Return the metrics of *overview*; what is unknown has no sample."""
    registry = CollectorRegistry()
    _add_sources(registry, overview.standings)
    timestamp = Gauge(
        "fsxcopy_report_timestamp_seconds",
        "When both Regions were listed, by the service's clock.",
        _REGIONS,
        registry=registry,
    )
    success = Gauge(
        "fsxcopy_report_success",
        "1 if the report could be made; 0 if not, so that nothing else is known.",
        _REGIONS,
        registry=registry,
    )
    unreadable = Gauge(
        "fsxcopy_unreadable_backups",
        "Backups and copies of both Regions that cannot be read.",
        _REGIONS,
        registry=registry,
    )
    for one in overview.reports:
        labels = _labels(one.policy_name, one.source_region, one.destination_region)
        timestamp.labels(*labels).set(one.made_at.timestamp())
        success.labels(*labels).set(1)
        unreadable.labels(*labels).set(one.unreadable)
    for failure in overview.failures:
        regions = (failure.source_region or "", failure.destination_region or "")
        success.labels(*_labels(failure.policy_name, *regions)).set(0)
    return generate_latest(registry).decode()


def _add_sources(registry: CollectorRegistry, standings: list[Standing]) -> None:
    def gauge(name: str, text: str) -> Gauge:
        return Gauge(f"fsxcopy_{name}", text, _SOURCE, registry=registry)

    point = gauge(
        "recovery_point_timestamp_seconds",
        "The time that the newest AVAILABLE copy leads back to; none without a copy.",
    )
    age = gauge(
        "recovery_point_age_seconds",
        "Age of that time when the report was made; none without a copy.",
    )
    left = gauge(
        "time_to_max_age_seconds",
        "Time until the source is late; negative if it is, and none without a copy.",
    )
    late = gauge("source_late", "1 if there is no copy, or none that is young enough.")
    running = gauge("copies_in_progress", "Copies in progress.")
    failed = gauge("copies_failed", "FAILED copies that are newer than the newest AVAILABLE one.")
    size = gauge("copy_bytes", "Bytes of all AVAILABLE copies, as far as the service says.")
    for one in standings:
        report, source = one.report, one.source
        regions = (report.source_region, report.destination_region)
        labels = _labels(report.policy_name, source.source_id, *regions)
        if source.recovery_point is not None and source.age is not None:
            point.labels(*labels).set(source.recovery_point.timestamp())
            age.labels(*labels).set(source.age)
            left.labels(*labels).set(report.max_age - source.age)
        late.labels(*labels).set(source.is_late)
        running.labels(*labels).set(source.in_progress)
        failed.labels(*labels).set(source.failed)
        size.labels(*labels).set(source.copy_bytes)


def _labels(*values: str) -> list[str]:
    """Return *values* as labels, which must be proper UTF-8."""
    return [printable(value) for value in values]

"""Reports to render: some made by the planner of made-up backups, with something of everything."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from replication_rig import DAY, FS, OTHER_FS, VOLUME, backup, copy_of, planned

from fsxcopy_sdk import AccessDenied, Backup, BackupFailureDetails, BackupLifecycle
from fsxcopy_sdk.errors import FsxCopyError
from fsxcopy_sdk.replication import Keep, ReplicationPolicy, ReplicationReport, TimelineEntry

TIB = 1 << 40
NIGHTLY = ReplicationPolicy(name="nightly", keep=Keep(last=14), newest=2, max_age=DAY)
LOST = "fs-0123456789abcdef9"


@attrs.frozen(kw_only=True)
class Failure:
    """A report that could not be made."""

    policy_name: str = "finance"
    account: str | None = "123456789012"
    source_region: str | None = "eu-west-1"
    destination_region: str | None = "eu-central-1"
    error: FsxCopyError = attrs.field(
        factory=lambda: AccessDenied(
            "not authorized to perform fsx:DescribeBackups", "DescribeBackups", "eu-west-1"
        )
    )


def history(
    first: int, days: Iterable[float], *, source: str = FS, size: int = TIB
) -> list[Backup]:
    """Return one backup for each of some *days* ago, with numbers from *first* on."""
    made = (backup(first + index, days=ago, source=source) for index, ago in enumerate(days))
    return [attrs.evolve(one, size_in_bytes=size + one.creation_time.day) for one in made]


def copies_of(
    backups: Iterable[Backup], first: int, *, size: int = TIB, lifecycle: str = "AVAILABLE"
) -> list[Backup]:
    """Return a copy of each of *backups*, with numbers from *first* on."""
    return [
        attrs.evolve(copy_of(one, first + index, lifecycle=lifecycle), size_in_bytes=size)
        for index, one in enumerate(backups)
    ]


def failing(copy: Backup, message: str) -> Backup:
    """Return *copy* as one that has FAILED."""
    details = BackupFailureDetails(message=message)
    return attrs.evolve(copy, lifecycle=BackupLifecycle.FAILED, failure_details=details)


def report_with_everything(
    message: str = "The KMS key alias/dr is disabled.", *, destination: str = "us-west-2"
) -> ReplicationReport:
    """Return a report in which sources are in every state that a report knows."""
    good = history(0x100, [0.2 + day for day in range(90) if day not in (31, 32, 60)])
    late = history(0x200, [1.5 + 2 * day for day in range(40)], source=OTHER_FS)
    running = history(0x300, [0.3 + 7 * day for day in range(12)], source=VOLUME)
    none = history(0x400, [0.1, 3.1], source="fsvol-0123456789abcdef7")
    failed = history(0x500, [0.4 + day for day in range(30)], source="fs-0123456789abcdef8")
    copies = [
        *copies_of(good[:20], 0x3100),
        failing(copies_of(good[25:26], 0x31F0)[0], "An internal error occurred."),
        *copies_of(late[1:15], 0x3200),
        attrs.evolve(copies_of(running[:1], 0x3300, lifecycle="COPYING")[0], progress_percent=42),
        *copies_of(running[1:6], 0x3310),
        failing(copies_of(failed[:1], 0x3500)[0], message),
        *copies_of(failed[2:12], 0x3510),
        copy_of(backup(0x600, days=40, source=LOST), 0x3600),
    ]
    backups = [*good, *late, *running, *none, *failed]
    return planned(NIGHTLY, backups, copies, destination=destination).report


def fleet_of(sources: int, destinations: Iterable[str]) -> list[ReplicationReport]:
    """Return reports of many sources, each with daily backups and copies for ninety days."""
    backups: list[Backup] = []
    copies: list[Backup] = []
    for number in range(sources):
        source = f"fs-{number:017x}"
        own = history(number * 1000, [0.2 + day for day in range(90)], source=source)
        backups += own
        kept = own[: 90 if number % 2 else 30]
        copies += copies_of(kept[number % 5 == 0 :], 0x1000000 + number * 1000)
        if number % 7 == 0:
            copies.append(failing(copies_of(own[1:2], 0x2000000 + number)[0], "no such key"))
    report = planned(NIGHTLY, backups, copies).report
    return [attrs.evolve(report, destination_region=one) for one in destinations]


def renamed(report: ReplicationReport, text: str) -> ReplicationReport:
    """Return *report* with *text* before everything in it that is text, and as some reasons."""
    sources = tuple(
        attrs.evolve(
            one,
            source_id=text + one.source_id,
            timeline=tuple(_renamed_entry(entry, text) for entry in one.timeline or ()),
        )
        for one in report.sources
    )
    return attrs.evolve(
        report,
        policy_name=text + report.policy_name,
        source_region=text + report.source_region,
        destination_region=text + report.destination_region,
        sources=sources,
    )


def _renamed_entry(entry: TimelineEntry, text: str) -> TimelineEntry:
    backup, lifecycle = entry.backup, entry.backup.lifecycle
    if not lifecycle.is_terminal:
        lifecycle = BackupLifecycle(text + lifecycle.value)
    return attrs.evolve(
        entry,
        backup=attrs.evolve(backup, backup_id=text + backup.backup_id, lifecycle=lifecycle),
        reason=text if entry.reason else None,
        failure=text if entry.failure else None,
    )


def renamed_failure(text: str) -> Failure:
    """Return a failure in which everything is *text*."""
    return Failure(
        policy_name=text,
        account=text,
        source_region=text,
        destination_region=f"{text}us-west-2",
        error=FsxCopyError(text),
    )

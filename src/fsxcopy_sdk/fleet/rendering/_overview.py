"""Reports put together: the state of each source in each destination, in one word for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

import attrs

from fsxcopy_sdk._validation import age_text
from fsxcopy_sdk.errors import FsxCopyError, ResponseDecodingError
from fsxcopy_sdk.replication import ReplicationReport, SourceReport, TimelineEntry


class State(StrEnum):
    """The state of a source in a destination; all but OK mean that it is late."""

    OK = "ok"
    LATE = "late"
    NO_COPY = "no copy"
    IN_PROGRESS = "in progress"
    """Late, and a newer copy is in progress."""
    FAILED = "failed"
    """Late, and a newer copy has failed."""
    UNREADABLE = "cannot be read"
    """Late, as far as is known: a backup or copy of it cannot be read."""
    ACCOUNT_FAILED = "account failed"
    """There is no report at all."""


MEANINGS = {
    State.OK: "the newest copy is young enough",
    State.LATE: "the newest copy is older than the policy allows",
    State.NO_COPY: "there is no copy that can be restored",
    State.IN_PROGRESS: "late or without a copy, and a newer copy is in progress",
    State.FAILED: "late or without a copy, and a newer copy has failed",
    State.UNREADABLE: "late, and a backup or copy of it cannot be read",
    State.ACCOUNT_FAILED: "no report could be made",
}


class ReportFailure(Protocol):
    """A report that could not be made, and why."""

    @property
    def policy_name(self) -> str: ...
    @property
    def account(self) -> str | None: ...
    @property
    def source_region(self) -> str | None: ...
    @property
    def destination_region(self) -> str | None: ...
    @property
    def error(self) -> FsxCopyError: ...


@attrs.frozen(kw_only=True)
class Standing:
    """One source under one policy in one destination."""

    report: ReplicationReport
    source: SourceReport

    @property
    def state(self) -> State:
        """The state that needs action first."""
        source = self.source
        if not source.is_late:
            return State.OK
        # Copies in progress may be older; those that failed are not.
        if source.failed:
            return State.FAILED
        if source.in_progress:
            return State.IN_PROGRESS
        if source.unreadable:
            return State.UNREADABLE
        return State.LATE if source.newest_copy else State.NO_COPY

    @property
    def age(self) -> str:
        """The age of the recovery point; empty without a copy."""
        age = self.source.age
        return "" if age is None else age_text(age, self.report.max_age)

    @property
    def copies(self) -> list[TimelineEntry]:
        """The copies of its timeline, as far as that is known."""
        return [one for one in self.source.timeline or () if one.source_backup_id is not None]

    @property
    def name(self) -> str:
        """The destination, and the policy."""
        return f"{self.report.destination_region}, policy {self.report.policy_name}"


@attrs.frozen(kw_only=True)
class Source:
    """A file system or volume, and its state in each destination."""

    region: str
    source_id: str
    standings: tuple[Standing, ...]

    @property
    def backups(self) -> list[TimelineEntry]:
        """Its originals, of all policies, the oldest first."""
        found = {
            entry.backup.backup_id: entry
            for one in self.standings
            for entry in one.source.timeline or ()
            if entry.source_backup_id is None
        }
        return sorted(found.values(), key=lambda one: one.recovery_point)

    @property
    def has_timeline(self) -> bool:
        """Whether its backups are known; no document has them."""
        return any(one.source.timeline is not None for one in self.standings)

    def into(self, region: str) -> list[Standing]:
        """Return its states in one destination, under each policy."""
        return [one for one in self.standings if one.report.destination_region == region]


@attrs.frozen(kw_only=True)
class Found:
    """A backup or copy, with where it was found."""

    source: Source
    where: str
    """Its Region, and of a copy the policy."""
    entry: TimelineEntry


@attrs.frozen(kw_only=True)
class Overview:
    """Everything that is to be said, whatever the form."""

    reports: tuple[ReplicationReport, ...]
    failures: tuple[ReportFailure, ...]
    made_at: datetime | None
    """UTC; None where there is not one report."""
    sources: tuple[Source, ...]
    """By their Region and ID."""

    @classmethod
    def of(
        cls,
        reports: tuple[ReplicationReport, ...],
        failures: tuple[ReportFailure, ...],
        made_at: datetime | None,
    ) -> Self:
        """Put *reports* and *failures* together."""
        groups: dict[tuple[str, str], list[Standing]] = {}
        for report in reports:
            for source in report.sources:
                standing = Standing(report=report, source=source)
                groups.setdefault((report.source_region, source.source_id), []).append(standing)
        return cls(
            reports=reports,
            failures=failures,
            made_at=made_at or max((one.made_at for one in reports), default=None),
            sources=tuple(
                Source(
                    region=region,
                    source_id=source_id,
                    standings=tuple(sorted(group, key=lambda one: one.name)),
                )
                for (region, source_id), group in sorted(groups.items())
            ),
        )

    @property
    def standings(self) -> list[Standing]:
        """All sources in all destinations."""
        return [one for source in self.sources for one in source.standings]

    @property
    def destinations(self) -> list[str]:
        """The Regions that copies are in, or should be."""
        failed = {one.destination_region for one in self.failures} - {None}
        return sorted({one.destination_region for one in self.reports} | {str(x) for x in failed})

    @property
    def counts(self) -> dict[State, int]:
        """How many sources and failures are in each state."""
        counted = Counter(one.state for one in self.standings)
        counted.update(map(failure_state, self.failures))
        return {state: counted[state] for state in State}

    @property
    def late(self) -> list[Standing]:
        """What is late, the worst first: without a copy, then by age."""
        late = [one for one in self.standings if one.source.is_late]
        return sorted(late, key=lambda one: (one.source.age is not None, -(one.source.age or 0)))

    @property
    def in_time(self) -> list[Standing]:
        """What is not late."""
        return [one for one in self.standings if not one.source.is_late]

    @property
    def verdict(self) -> str:
        """The whole in one sentence."""
        late, all_ = len(self.late), len(self.standings)
        parts = []
        if self.failures:
            parts.append(f"{_counted(len(self.failures), 'report')} could not be made")
        if late:
            parts.append(f"{late} of {_counted(all_, 'recovery point')} {_be(late)} late")
        elif all_:
            them = f"all {all_} recovery points" if all_ > 1 else "the recovery point"
            parts.append(f"{them} {_be(all_)} in time")
        else:
            parts.append("there is no backup and no copy to report")
        if unread := sum(len(one.unread) for one in self.reports):
            parts.append(f"{_counted(unread, 'backup')} of other sources cannot be read")
        text = ", and ".join(parts)
        return f"{text[0].upper()}{text[1:]}."

    @property
    def in_progress(self) -> list[Found]:
        """The copies in progress, the oldest recovery point first."""
        return self._found(
            lambda one: not one.backup.lifecycle.is_terminal and one.source_backup_id
        )

    @property
    def failed(self) -> list[Found]:
        """The backups and copies that have failed in the time of the timelines, newest first."""
        return self._found(lambda one: one.backup.lifecycle.value == "FAILED")[::-1]

    def _found(self, wanted: _Test) -> list[Found]:
        found = [one for source in self.sources for one in listed(source) if wanted(one.entry)]
        return sorted(found, key=lambda one: one.entry.recovery_point)


class _Test(Protocol):
    def __call__(self, one: TimelineEntry, /) -> object: ...


def listed(source: Source) -> Iterator[Found]:
    """Yield the entries of *source*: its backups once, and its copies under each policy."""
    for entry in source.backups:
        yield Found(source=source, where=source.region, entry=entry)
    for standing in source.standings:
        for entry in standing.copies:
            yield Found(source=source, where=standing.name, entry=entry)


def failure_state(failure: ReportFailure) -> State:
    """Return the state of everything that a missing report would have said."""
    is_unreadable = isinstance(failure.error, ResponseDecodingError)
    return State.UNREADABLE if is_unreadable else State.ACCOUNT_FAILED


def progress_text(entry: TimelineEntry) -> str:
    """Return the lifecycle, with the progress where it says something."""
    percent, lifecycle = entry.backup.progress_percent, entry.backup.lifecycle
    if percent is None or lifecycle.is_terminal:
        return lifecycle.value
    return f"{lifecycle.value} {percent} %"


def why_text(entry: TimelineEntry) -> str:
    """Return why an entry failed, else what is decided over it, and why."""
    return entry.failure or ": ".join(filter(None, (entry.decision, entry.reason)))


def moment_text(moment: datetime) -> str:
    """Return *moment*, which is in UTC, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"

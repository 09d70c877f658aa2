"""How a backup progresses: its Lifecycle and ProgressPercent at any time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from fsxcopy_sdk.testing._documents import Document, JsonValue

FINISHED: Final = frozenset({"AVAILABLE", "FAILED", "DELETED"})
"""What a backup does not leave by itself; any other lifecycle counts as in progress."""

Stages: TypeAlias = tuple[tuple[float, str], ...]
"""(share of the duration at which it begins, lifecycle); the first at 0."""

EVERY_STAGE: Final[Mapping[str, Stages]] = {
    "COPYING": ((0.0, "PENDING"), (0.1, "COPYING")),
    "CREATING": ((0.0, "PENDING"), (0.1, "CREATING"), (0.5, "TRANSFERRING")),
}
"""By the main stage. The service documents no shares: these are this package's own."""

FAILS_AFTER: Final = 0.5
"""The share of its duration after which a copy that is to fail does so."""


class ProgressShape(StrEnum):
    """
    Name how ProgressPercent grows with the share *x* of the duration.

    Percents are rounded down, never fall, and stay between 0 and 100. A
    backup in progress shows 99 at most: 100 is shown by AVAILABLE ones only.
    """

    LINEAR = "linear"
    """100 * x."""

    SLOW_START = "slow-start"
    """100 * x ** 2: a quarter at half time."""

    FAST_START = "fast-start"
    """100 * (1 - (1 - x) ** 2): three quarters at half time."""

    STEPS = "steps"
    """10 * floor(10 * x): constant, then up by ten."""

    NONE = "none"
    """ProgressPercent is absent, also when the backup is AVAILABLE."""


def percent_at(shape: ProgressShape, share: float) -> int | None:
    """Return the ProgressPercent when *share* of the duration, 0 to 1, has passed."""
    match shape:
        case ProgressShape.NONE:
            return None
        case ProgressShape.SLOW_START:
            share = share**2
        case ProgressShape.FAST_START:
            share = 1 - (1 - share) ** 2
        case ProgressShape.STEPS:
            share = math.floor(round(10 * share, 6)) / 10
    # Rounded first: 29 s of 100 s are 29 %, not 28.999999999999996 %.
    return min(99, math.floor(round(100 * share, 6)))


def status(lifecycle: str, percent: JsonValue = None, failure: str | None = None) -> Document:
    """Return the members that show how far a backup is."""
    shown: Document = {"Lifecycle": lifecycle}
    if percent is not None:
        shown["ProgressPercent"] = percent
    if failure is not None:
        shown["FailureDetails"] = {"Message": failure}
    return shown


@attrs.frozen(kw_only=True)
class Settled:
    """Stay as it is: a backup that was added, stopped or deleted."""

    since: float
    status: Document

    @property
    def ends_at(self) -> float:
        """Return when the work ended, infinity for work that never ends."""
        return self.since if self.status["Lifecycle"] in FINISHED else math.inf

    def at(self, now: float) -> Document:  # noqa: ARG002 - the same signature as Moving
        return self.status


@attrs.frozen(kw_only=True)
class Moving:
    """Go through the stages and become AVAILABLE, or FAILED before that."""

    begun_at: float
    duration: float
    """Seconds."""
    stages: Stages
    shape: ProgressShape
    failure: str | None = None
    """The text of FailureDetails if it is to fail."""

    @property
    def ends_at(self) -> float:
        share = 1.0 if self.failure is None else FAILS_AFTER
        return self.begun_at + self.duration * share

    def at(self, now: float) -> Document:
        if now < self.ends_at:
            share = (now - self.begun_at) / self.duration
            reached = [name for begin, name in self.stages if begin <= share]
            return status(reached[-1], percent_at(self.shape, share))
        if self.failure is not None:
            return status("FAILED", percent_at(self.shape, FAILS_AFTER), self.failure)
        return status("AVAILABLE", None if self.shape is ProgressShape.NONE else 100)


Progression: TypeAlias = Settled | Moving


def busy_until(progression: Progression, grace: float) -> float:
    """Return when a source can be deleted: *grace* seconds after a copy of it succeeds."""
    end = progression.ends_at
    return end + (grace if progression.at(end)["Lifecycle"] == "AVAILABLE" else 0.0)

"""What is measured, of whom, and what this package has set itself."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

NAMES = {
    "ours": "fsxcopy-sdk",
    "raw": "aiobotocore",
    "capo": "capo-fsx",
    "bdc": "boto3-dataclass-fsx",
    "arv": "aws-resource-validator-fsx",
}
"""The peers in the order of the table; the keys are the names of their adapters."""

_SYNCHRONOUS = dict.fromkeys(("bdc", "arv"), "boto3 below it is synchronous")

SIZES = (10**2, 10**3, 10**4, 10**5)
"""Backups that are decoded and kept; whole pages."""


@attrs.frozen
class Floor:
    """What our median must not exceed, as a share of a peer's or as it stands."""

    at_most: float
    of: str | None = None


@attrs.frozen(kw_only=True)
class Row:
    """One line of the table."""

    key: str
    title: str
    worker: tuple[str, ...] = ()
    """Arguments of the worker, with places for {url} and {documents}."""
    floors: tuple[Floor, ...] = ()
    cannot: Mapping[str, str] = attrs.field(factory=dict)
    """Who is not measured, and why."""
    times: int = 1
    """Processes in each round; more where one is over soon and tells one number."""


_GROWTH = tuple(
    Row(
        key=f"growth-{size}",
        title=f"decode of {size:,} backups, kept: us of CPU per backup",
        worker=("growth", "{documents}", str(size)),
        times=3 if size == SIZES[0] else 1,
    )
    for size in SIZES
)

ROWS = (
    Row(
        key="decode-example",
        title="decode of an example-like page: us of CPU per backup",
        worker=("decode", "{documents}/listing-00.json"),
        floors=(Floor(0.45, "raw"),),
    ),
    Row(
        key="decode-dense",
        title="decode of a dense page: us of CPU per backup",
        worker=("decode", "{documents}/dense-page.json"),
        floors=(Floor(0.55, "raw"),),
    ),
    Row(
        key="listing",
        title="listing of 2,000 backups over HTTP: us per backup",
        worker=("listing", "{url}"),
        floors=(Floor(0.75, "raw"),),
        times=2,
    ),
    Row(
        key="cpu",
        title="copy_backup: us of CPU per call",
        worker=("cpu", "{url}"),
        floors=(Floor(0.95, "raw"),),
        times=4,
    ),
    Row(
        key="concurrent",
        title="copy_backup, 32 at once: calls per second (more is better)",
        worker=("concurrent", "{url}"),
        cannot=_SYNCHRONOUS,
    ),
    Row(
        key="import-types",
        title="import of the types alone: ms of CPU",
        floors=(Floor(0.30, "raw"),),
        times=2,
    ),
    Row(key="import-client", title="import of the client: ms of CPU", times=2),
    Row(
        key="first",
        title="process start to first result: ms",
        floors=(Floor(1.10, "raw"),),
        times=6,
    ),
    Row(
        key="memory",
        title="memory of a decoded backup: bytes",
        worker=("memory", "{documents}"),
        floors=(Floor(0.7, "raw"),),
    ),
    Row(
        key="stall",
        title="longest stall of the event loop while a client is made: ms",
        worker=("stall", "{url}"),
        floors=(Floor(0.4, "raw"),),
        cannot=_SYNCHRONOUS,
        times=2,
    ),
    *_GROWTH,
    Row(
        key="growth-uncollected",
        title="decode of 100,000 backups, kept, collector off: us of CPU per backup",
        worker=("growth", "{documents}", str(SIZES[-1]), "off"),
    ),
)

NOTES = """\
* Medians of all rounds; the peers take turns, and every measurement is a process of its own.
* A ratio is our median by theirs. Floors are what the project has set itself: at most that
  share of the named peer's median, or at most that number.
* Decode is from the bytes of a DescribeBackups answer to what a caller keeps, JSON included.
  fsxcopy-sdk: frozen objects, enums, times in UTC, every type checked. aiobotocore: botocore's
  parser, dicts with times. capo-fsx: its own deserialiser, dicts with times.
  boto3-dataclass-fsx: botocore's parser, then its Backup objects around the dicts; what is
  below them it makes when asked, which is not counted. aws-resource-validator-fsx: botocore's
  parser, then its pydantic models.
* Example-like backups have the members of the one in the service's documentation; dense ones
  have every member, one item to a list, and no structure inside one of its own kind. Both are
  written from botocore's service model by the seed.
* A listing is 40 pages of 50 backups, fetched by each peer's own paginator where it has one; the
  time is the wall's, and the server's share of it is the same for all.
* CPU is the client process's alone. The server is another process and keeps connections.
  Clients have their defaults, retries and pools of connections included.
  boto3-dataclass-fsx and aws-resource-validator-fsx call through boto3; the latter's
  wrap_client is not used, as it refuses valid tags.
* Imports are in a fresh process, the interpreter's start left out. Types alone are
  fsxcopy_sdk.models, and for aiobotocore, which has none that run, aiobotocore.session.
* First result: from before the process starts until it has the id of a copy.
* Memory is what tracemalloc counts for 2,000 backups of a list, nothing else kept.
* A stall is the longest distance between two beats of a task that sleeps 1 ms, less that 1 ms,
  for the first client of a process, all imports done. capo-fsx loads at the first call what
  others load here.
* All pages have 50 backups.
* Growth keeps every backup in a list, as a caller of iter_backups may, with the garbage
  collector on, which walks each of 100,000 backups two or three times. The row with the
  collector off separates that cost, which is Python's, from the cost of decoding.
"""

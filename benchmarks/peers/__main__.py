"""Measure every peer in turn, several rounds, and write what came of it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from benchmarks.peers.picture import draw
from benchmarks.peers.report import lines, markdown
from benchmarks.peers.rows import NAMES, NOTES, ROWS, Row

SEED = 20261123
ROUNDS = 5

_IMPORTS = {
    "import-types": {
        "ours": "fsxcopy_sdk.models",
        "raw": "aiobotocore.session",
        "capo": "capo_fsx.types.describe_backups_response",
        "bdc": "boto3_dataclass_fsx.type_defs",
        "arv": "aws_resource_validator.pydantic_models.fsx.fsx_classes",
    },
    "import-client": {
        "ours": "fsxcopy_sdk.client",
        "raw": "aiobotocore.session",
        "capo": "capo_fsx",
        "bdc": "boto3, boto3_dataclass_fsx",
        "arv": "boto3, aws_resource_validator.pydantic_models.fsx.fsx_classes",
    },
}
_TIMED_IMPORT = (
    "import time; begun = time.process_time(); import {};"
    " print((time.process_time() - begun) * 1e3)"
)
_VERSIONS = (
    "import json, sys; from importlib.metadata import version;"
    " print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
)


class Failed(Exception):
    """A measurement ended without a number; says the last line of what it printed."""


def _environment() -> dict[str, str]:
    """Return an environment with credentials and nothing else of AWS, proxies or Python."""
    foreign = ("AWS_", "PYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and not name.lower().endswith("_proxy")
    }
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _run(*command: str) -> str:
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip().rpartition("\n")[2])
    return done.stdout


@contextmanager
def _served(python: str, documents: Path) -> Iterator[str]:
    command = [python, "-m", "benchmarks.peers.server", str(documents)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@attrs.frozen
class Bench:
    """The interpreters of the peers, and what they are measured with."""

    pythons: Mapping[str, str]
    documents: Path
    url: str

    def measure(self, row: Row, peer: str) -> float:
        """
        Make one measurement of one peer.

        Raises:
            Failed: its process did.
        """
        python = self.pythons[peer]
        if row.key in _IMPORTS:
            return float(_run(python, "-c", _TIMED_IMPORT.format(_IMPORTS[row.key][peer])))
        if row.key == "first":
            begun = time.monotonic()
            printed = _run(python, "-m", f"benchmarks.peers.adapters.{peer}", self.url)
            return (float(printed.split()[-1]) - begun) * 1e3
        what = [one.format(url=self.url, documents=self.documents) for one in row.worker]
        return float(_run(python, "-m", "benchmarks.peers.worker", peer, *what))

    def round(self, rows: Sequence[Row]) -> Iterator[tuple[Row, str, float | Failed]]:
        """Measure every row of every peer once, or as often as the row has it."""
        for row in rows:
            for _ in range(row.times):
                for peer in self.pythons:
                    if peer in row.cannot:
                        continue
                    try:
                        yield row, peer, self.measure(row, peer)
                    except Failed as failure:
                        yield row, peer, failure


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores ({platform.machine()}), {platform.system()},"
        f" {platform.python_implementation()} {platform.python_version()},"
        f" load average {os.getloadavg()[0]:.1f} at the start"
    )


def _versions(pythons: Mapping[str, str]) -> dict[str, dict[str, str]]:
    below = {"ours": ["aiobotocore"], "bdc": ["boto3"], "arv": ["boto3"]}
    return {
        peer: json.loads(_run(python, "-c", _VERSIONS, NAMES[peer], *below.get(peer, [])))
        for peer, python in pythons.items()
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s bench --")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/bench"))
    parser.add_argument("--seed", type=int, default=SEED, help="of the documents")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--only", action="append", choices=[row.key for row in ROWS], help="this row; repeatable"
    )
    parser.add_argument("--python", action="append", default=[], help=argparse.SUPPRESS)
    return parser.parse_args()


def _chosen(only: Sequence[str] | None) -> list[Row]:
    """Return the rows with these keys; all of them for None."""
    if only is None:
        return list(ROWS)
    return [row for row in ROWS if row.key in only]


def _measured(
    rows: Sequence[Row], pythons: Mapping[str, str], documents: Path, rounds: int
) -> tuple[dict[str, dict[str, list[float]]], dict[str, dict[str, str]]]:
    """Return all samples by row and peer, and why there are none."""
    samples: dict[str, dict[str, list[float]]] = {row.key: {} for row in rows}
    failures: dict[str, dict[str, str]] = {row.key: {} for row in rows}
    with _served(sys.executable, documents) as url:
        bench = Bench(pythons, documents, url)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for row, peer, found in bench.round(rows):
                if isinstance(found, Failed):
                    failures[row.key][peer] = str(found)
                else:
                    samples[row.key].setdefault(peer, []).append(found)
    return samples, failures


def main() -> None:
    """Do as the command line says."""
    options = _options()
    pythons = dict(one.split("=", 1) for one in options.python)
    machine = _machine()
    versions = _versions(pythons)
    with tempfile.TemporaryDirectory() as folder:
        _run(pythons["raw"], "-m", "benchmarks.peers.documents", folder, str(options.seed))
        rows = _chosen(options.only)
        found = lines(rows, *_measured(rows, pythons, Path(folder), options.rounds))
    installed = "; ".join(
        " on ".join(f"{name} {version}" for name, version in one.items())
        for one in versions.values()
    )
    preamble = f"{machine}. Seed {options.seed}, {options.rounds} rounds. {installed}."
    table = markdown(found, preamble, NOTES)
    print(table)
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "peers.md").write_text(table, "utf-8")
    record = {
        "machine": machine,
        "seed": options.seed,
        "rounds": options.rounds,
        "versions": versions,
        "rows": [attrs.asdict(line) for line in found],
    }
    (options.folder / "peers.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    if options.only is None:
        draw(found, options.folder / "growth.svg")


if __name__ == "__main__":
    main()

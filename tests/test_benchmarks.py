"""The benchmark's documents are what they claim to be, and its table says what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.model import ListShape, Shape, StructureShape  # type: ignore[attr-defined]  # no stub
from service_model import shape
from strategies import as_written

from benchmarks.peers.documents import Author, write
from benchmarks.peers.report import lines, markdown
from benchmarks.peers.rows import NAMES, ROWS, Floor, Row
from fsxcopy_sdk import Backup, from_dict, to_dict

SAMPLE = json.loads((Path(__file__).parent / "samples" / "copy_backup.json").read_text("utf-8"))


def _names(value: object) -> object:
    """Return the names in a document without its values."""
    if isinstance(value, Mapping):
        return {name: _names(part) for name, part in value.items()}
    return [_names(part) for part in value] if isinstance(value, list) else None


def _missing(value: object, current: Shape, within: frozenset[str] = frozenset()) -> list[str]:
    """Return the members that a document lacks though they end."""
    if isinstance(current, ListShape):
        assert isinstance(value, list)
        return [name for part in value for name in _missing(part, current.member, within)]
    if not isinstance(current, StructureShape):
        return []
    assert isinstance(value, Mapping)
    found, within = [], within | {current.name}
    for name, member in current.members.items():
        below = member.member if isinstance(member, ListShape) else member
        if name in value:
            found += _missing(value[name], member, within)
        elif below.name not in within:
            found.append(f"{current.name}.{name}")
    return found


def test_a_seed_decides_the_documents() -> None:
    """The same seed writes the same backups, another one others."""
    first, again, other = Author(1), Author(1), Author(2)

    assert [first.example_like(), first.dense()] == [again.example_like(), again.dense()]
    assert Author(1).example_like() != other.example_like()
    assert Author(1).dense() != other.dense()


def test_example_like_backups_have_the_members_of_the_example() -> None:
    """Names are the documented example's, at any depth; values are not."""
    backup = Author(1).example_like()

    assert _names(SAMPLE["Backup"]) == _names(backup)
    assert SAMPLE["Backup"] != backup


def test_dense_backups_have_every_member() -> None:
    """Nothing is left out but a structure within its own kind."""
    assert [] == _missing(Author(1).dense(), shape("Backup"))


@pytest.mark.parametrize("seed", range(20))
def test_nothing_in_the_documents_is_unknown_here(seed: int) -> None:
    """The models read every member and every value, so that none is decoded for free."""
    author = Author(seed)
    for backup in (author.example_like(), author.dense()):
        assert as_written(backup) == to_dict(from_dict(Backup, backup))


def test_a_run_has_pages_and_an_answer(tmp_path: Path) -> None:
    """All documents of a run are in one folder."""
    write(tmp_path, 1)

    pages = {path.name: json.loads(path.read_text("utf-8")) for path in tmp_path.iterdir()}
    answer = pages.pop("copy-backup.json")
    assert ["Backup"] == list(answer)
    assert {
        "dense-page.json": 50,
        **{f"listing-{number:02}.json": 50 for number in range(40)},
    } == {name: len(page["Backups"]) for name, page in pages.items()}


ROW = Row(key="one", title="one: us", floors=(Floor(0.5, "raw"), Floor(1.4, "capo"), Floor(3)))


def test_ratios_are_of_medians_and_stand_beside_their_floors() -> None:
    """An outlier changes nothing; a floor is met up to and including its number."""
    samples = {"one": {"ours": [2.0, 900.0, 1.0], "raw": [4.0], "capo": [1.0, 1.0]}}

    (line,) = lines([ROW], samples, {})

    assert {"ours": 2.0, "raw": 4.0, "capo": 1.0} == line.medians
    assert {"raw": 0.5, "capo": 2.0} == line.ratios
    assert [True, False, True] == [verdict.met for verdict in line.verdicts]
    assert [
        "at most 0.5 of aiobotocore: met",
        "at most 1.4 of capo-fsx: NOT met",
        "at most 3: met",
    ] == list(map(str, line.verdicts))


def test_a_missing_number_has_a_reason() -> None:
    """The table has a dash, with the reason below it; no floor is judged without numbers."""
    row = Row(key="one", title="one: us", cannot={"bdc": "why not"}, floors=(Floor(1, "raw"),))

    found = lines([row], {"one": {"ours": [1234.0], "capo": [0.5]}}, {"one": {"raw": "it broke"}})
    table = markdown(found, "Preamble.", "* Note.").splitlines()

    assert "| one: us | 1,234 | - | 0.50 | - | - | - | 2,468 |  |" in table
    assert "* No number for boto3-dataclass-fsx, one: why not." in table
    assert "* No number for aiobotocore, one: it broke." in table
    assert ("Preamble.", "* Note.") == (table[0], table[-1])


def test_the_benchmark_of_bulk_copies_runs() -> None:
    """It copies all there is, near the shortest time in which that can be done."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bulk", "--accounts", "1", "--backups", "6"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "" == done.stderr
    columns = [column.strip() for column in done.stdout.splitlines()[-1].split("|")[1:-1]]
    assert ["1 x 5 x 6", "30", "30"] == columns[:3]
    assert 1 <= float(columns[5]) < 1.02


def test_rows_and_peers_fit_together() -> None:
    """Every floor, every exception and every adapter belongs to a peer in the table."""
    adapters = Path(__file__).parent.parent / "benchmarks" / "peers" / "adapters"

    assert all((adapters / f"{peer}.py").is_file() for peer in NAMES)
    assert set(NAMES) >= {floor.of for row in ROWS for floor in row.floors if floor.of}
    assert set(NAMES) >= {peer for row in ROWS for peer in row.cannot}
    assert len(ROWS) == len({row.key for row in ROWS})


def test_the_benchmark_of_fleets_runs() -> None:
    """It reports and copies all there is, near the shortest time in which that can be done."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fleet", "--accounts", "2", "--backups", "4"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "" == done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line]
    columns = [column.strip() for column in rows[-1]]
    assert ["2 x 3 x 4", "24", "24"] == columns[:3]
    assert 1 <= float(columns[5]) < 1.02
    assert ["1", "2"] == [row[0].strip() for row in rows[2:4]]

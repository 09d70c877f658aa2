"""What the site makes of the package is whole and true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pages_rig import DOCS, README, generator

from benchmarks.polls import picture
from fsxcopy_sdk import errors
from fsxcopy_sdk.cli._app import _TAKES
from fsxcopy_sdk.cli._outcomes import Exit

commands, documents, fleet_file = map(generator, ("commands", "documents", "fleet_file"))
REFERENCE = DOCS / "reference"
PAGES = sorted(DOCS.rglob("*.md"))


@pytest.mark.parametrize("name", documents.schemas())
def test_each_schema_is_one(name: str) -> None:
    """It is valid, and refuses what is no document."""
    schema: Any = documents.schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert not Draft202012Validator(schema).is_valid({"Version": 2})


@pytest.mark.parametrize("name", sorted(set(documents.examples())))
def test_each_example_fits_its_schema(name: str) -> None:
    """What the package really writes is what the schema says, and nothing more is in it."""
    validator = Draft202012Validator(_closed(documents.schemas()[name]))
    assert [] == [one.message for one in validator.iter_errors(documents.examples()[name])]


def _closed(schema: Any) -> Any:
    """Return a schema that refuses members which it does not name, errors' own aside."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    is_object = schema.get("type") == "object" and "additionalProperties" not in schema
    if is_object and "IsTransient" not in schema["properties"]:
        closed["additionalProperties"] = False
    return closed


def test_a_wrong_document_is_refused() -> None:
    """A member of the wrong type does not fit."""
    plan = json.loads(json.dumps(documents.examples()["ReplicationPlan"]))
    plan["Policy"]["Newest"] = "two"
    validator = Draft202012Validator(documents.schemas()["ReplicationPlan"])
    assert ["$.Policy.Newest"] == [one.json_path for one in validator.iter_errors(plan)]


def test_each_schema_is_linked() -> None:
    """The page leads to every schema, and to no other."""
    text = (REFERENCE / "documents.md").read_text("utf-8")
    assert set(documents.schemas()) == set(re.findall(r"schemas/(\w+)\.json", text))


def test_each_command_and_option_is_there() -> None:
    """The reference has every command, each with the options of its help."""
    text = commands.markdown()
    assert sorted(f"fsxcopy {name}" for name in _TAKES) == re.findall(
        r"^## (.*)$", text, re.MULTILINE
    )
    assert "{option} --max-wait DURATION\n" in text
    assert "{option} --region REGION, -r REGION\n" in text


def test_each_key_of_the_file_is_there() -> None:
    """The reference has the keys of every table, with their defaults."""
    text = fleet_file.markdown()
    assert {"`destination`", "`[defaults]`", "`[[policy]]`", "`keep`", "`source`"} <= set(
        re.findall(r"^## (`.*`)$", text, re.MULTILINE)
    )
    assert '| `newest` | whole number or `"all"` |' in text
    assert "Default: `24h`." in text


def test_each_error_has_something_to_do() -> None:
    """The page has a row for every class, and for no other."""
    text = (REFERENCE / "errors.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    bases = {"FsxCopyError", "CallError", "ServiceError", "WaitError"}
    assert set(errors.__all__) == rows | bases
    assert all(f"`{name}`" in text for name in bases)


def test_each_exit_code_is_explained() -> None:
    """The page has the codes of the command, and those of signals."""
    text = (REFERENCE / "exit-codes.md").read_text("utf-8")
    codes = {int(one) for one in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert {*map(int, Exit), 129, 130, 143} == codes


def test_the_picture_of_waits_is_the_one_that_is_drawn() -> None:
    """``python -m benchmarks.polls docs/explanation/polls.svg`` draws it again."""
    assert picture() == (DOCS / "explanation" / "polls.svg").read_text("utf-8")


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_links_to_pages_lead_somewhere(page: Path) -> None:
    """Files and headings that pages link to exist; the build of the site checks it too."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http", "mailto")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
            assert anchor in slugs, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_that_make_numbers_again_exist(page: Path) -> None:
    """Each benchmark that a page names is there, and each session of nox."""
    text = page.read_text("utf-8")
    for name in re.findall(r"python benchmarks/(\w+)\.py", text):
        assert (README.parent / "benchmarks" / f"{name}.py").exists()
    sessions = (README.parent / "noxfile.py").read_text("utf-8")
    for name in re.findall(r"`nox -s (\w+)", text):
        assert f"\ndef {name}(session" in sessions

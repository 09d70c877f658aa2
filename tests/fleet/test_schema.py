"""The JSON Schema of the file: it knows every key, and accepts what is read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator

from fsxcopy_sdk.fleet import (
    Fleet,
    FleetPolicy,
    PolicyDestination,
    PolicySource,
    fleet_example,
    fleet_schema,
)
from fsxcopy_sdk.replication import Keep

LEAST: dict[str, Any] = {
    "version": 1,
    "policy": [
        {
            "name": "nightly",
            "source": {"region": "us-east-2"},
            "destination": [{"region": "us-west-2"}],
        }
    ],
}


def _errors(document: object) -> list[str]:
    found = Draft202012Validator(fleet_schema()).iter_errors(document)
    return [one.json_path for one in found]


def test_the_schema_is_one() -> None:
    """It is right by the schema of its dialect."""
    Draft202012Validator.check_schema(fleet_schema())


def test_the_example_is_valid(tmp_path: Path) -> None:
    """It is read without errors, and accepted by the schema."""
    file = tmp_path / "fsxcopy.toml"
    file.write_text(fleet_example(), "utf-8")
    fleet = Fleet.from_toml(file)

    assert ["nightly", "databases", "archive"] == [one.name for one in fleet.policies]
    assert ["nightly", "databases"] == [one.name for one in fleet.enabled]
    assert [] == _errors(tomllib.loads(fleet_example()))


@pytest.mark.parametrize(
    ("cls", "key", "text"),
    [
        (FleetPolicy, "prune", "Whether a sync deletes the copies that are not kept."),
        (FleetPolicy, "name", "Recorded in the tags of each copy: only copies with this name are"),
        (Keep, "last", "How many of the newest backups keep their copies."),
        (PolicyDestination, "region", "Region of the copies."),
        (PolicySource, "profile", "Profile of the AWS configuration; with a role, the one that"),
        (PolicySource, "region", "Region of the backups."),
    ],
)
def test_every_key_is_described(cls: type[attrs.AttrsInstance], key: str, text: str) -> None:
    """Keys are those of the class and what it inherits from, each with its own docstring."""
    schema: Any = fleet_schema()
    described = schema["$defs"][cls.__name__]
    texts = {name: one["description"] for name, one in described["properties"].items()}
    assert [field.name for field in attrs.fields(cls)] == list(texts)
    assert texts[key].startswith(text)
    assert all(re.fullmatch(r"[A-Z].{10,}\.", one) for one in texts.values())
    # A destination repeats the two members that a source's account is known by.
    assert len(texts) - (cls is PolicyDestination) == len({*texts.values()})
    assert not described["additionalProperties"]
    assert re.fullmatch(r"[A-Z].{10,}\.", described["description"])


def test_defaults_are_told() -> None:
    """Editors show what holds where a key is left out."""
    schema: Any = fleet_schema()
    properties = schema["$defs"]["FleetPolicy"]["properties"]
    assert (1, 5, True, "24h") == tuple(
        properties[name]["default"] for name in ("newest", "max_in_progress", "enabled", "max_age")
    )
    assert ["name", "source", "destination"] == schema["$defs"]["FleetPolicy"]["required"]


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"newest": "all"}, None),
        ({"newest": 3}, None),
        ({"newest": 0}, "$.policy[0].newest"),
        ({"newest": "some"}, "$.policy[0].newest"),
        ({"max_age": "25h"}, None),
        ({"max_age": 3.5}, None),
        ({"max_age": "25x"}, "$.policy[0].max_age"),
        ({"filters": {"backup-type": "AUTOMATIC", "volume-id": ["a", "b"]}}, None),
        ({"filters": {"backup": "AUTOMATIC"}}, "$.policy[0].filters"),
        ({"tags": {"a": "b"}}, None),
        ({"tags": {"a": 1}}, "$.policy[0].tags.a"),
        ({"keep": {"last": 7, "within": "30d"}}, None),
        ({"keep": {"lst": 7}}, "$.policy[0].keep"),
        ({"destination": []}, "$.policy[0].destination"),
        ({"prune": "yes"}, "$.policy[0].prune"),
        ({"keeep": 1}, "$.policy[0]"),
    ],
)
def test_what_the_schema_accepts(members: dict[str, object], path: str | None) -> None:
    """It accepts the values that are read, and names the place of others."""
    document = {**LEAST, "policy": [{**LEAST["policy"][0], **members}]}
    assert ([] if path is None else [path]) == _errors(document)

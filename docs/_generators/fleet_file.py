"""The reference of `fsxcopy.toml`, from the JSON Schema that `fsxcopy config schema` prints."""

from __future__ import annotations

from typing import Any

from fsxcopy_sdk.fleet import fleet_schema

_TITLES = {
    "PolicySettings": "`[defaults]`",
    "FleetPolicy": "`[[policy]]`",
    "PolicySource": "`source`",
    "PolicyDestination": "`destination`",
    "Keep": "`keep`",
}


def _type(schema: dict[str, Any]) -> str:
    """Return what a value is, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {"Duration": "duration", "Filters": "table", "Tags": "table"}.get(
            name, f"table {_TITLES.get(name, name)}"
        )
    if "enum" in schema:
        return " or ".join(f"`{value!r}`".replace("'", '"') for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(one) for one in schema[key])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return {"string": "text", "integer": "whole number", "boolean": "`true` or `false`"}.get(
        schema.get("type", ""), str(schema.get("type", "anything"))
    )


def _table(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = ["| key | value | meaning |", "|---|---|---|"]
    for name, value in schema["properties"].items():
        text = value.get("description", "").replace("|", "\\|")
        if "default" in value:
            default = str(value["default"])
            if isinstance(value["default"], bool):
                default = default.lower()
            text += f" Default: `{default}`." if default else ""
        if name in required:
            text += " **Required.**"
        rows.append(f"| `{name}` | {_type(value)} | {text} |")
    return "\n".join(rows) + "\n"


def markdown() -> str:
    """Return a section with a table for each table of the file."""
    schema: dict[str, Any] = fleet_schema()
    definitions = schema.pop("$defs")
    parts = ["## The file\n", f"{schema['description']}\n", _table(schema)]
    for name, definition in definitions.items():
        if "properties" in definition and name != "Filters":
            text = definition.get("description", "")
            parts += [f"## {_TITLES.get(name, name)}\n", f"{text}\n", _table(definition)]
    return "\n".join(parts)

"""The JSON Schemas of all documents, from the classes, and examples from a local FSx."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import anyio
import attrs

from fsxcopy_sdk import Backup, FsxCopyClient, FsxCopyError, bulk, fleet, replication, to_dict
from fsxcopy_sdk._codec import Document, Outcome
from fsxcopy_sdk._codec._documents import NOT_IN_DOCUMENTS, Pairs
from fsxcopy_sdk._codec._wire import wire_name
from fsxcopy_sdk._transport import direct_config, isolated_session
from fsxcopy_sdk.bulk import Copied, CopyInProgress, CopyRequest, copy_many
from fsxcopy_sdk.enums import OpenEnum
from fsxcopy_sdk.errors import DOCUMENT_VERSION
from fsxcopy_sdk.fleet import FleetOutcome, FleetPlan, FleetReport
from fsxcopy_sdk.replication import (
    Keep,
    Pruned,
    ReplicationPlan,
    ReplicationPolicy,
    apply_plan,
    plan_replication,
)
from fsxcopy_sdk.testing import LocalFsx, ManualClock

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_VERSION: Final = {"const": DOCUMENT_VERSION}
_ERROR: Final = {
    "description": "An error; it has more members by its type, such as Code, RequestId, Region.",
    "type": "object",
    "properties": {
        "Type": {"type": "string"},
        "Message": {"type": "string"},
        "IsTransient": {"type": "boolean"},
        "Cause": {
            "type": "object",
            "properties": {"Type": {"type": "string"}, "Message": {"type": "string"}},
            "required": ["Type", "Message"],
        },
    },
    "required": ["Type", "Message", "IsTransient"],
}
_SCALARS: Final[dict[object, dict[str, object]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    Pairs: {"type": "object", "additionalProperties": {"type": "string"}},
}
_ORIGIN: Final = ("PolicyName", "Account", "SourceRegion", "DestinationRegion")


@attrs.define
class _Schemas:
    """Schemas of classes that refer to each other."""

    definitions: dict[str, object] = attrs.field(factory=dict)

    def of_class(self, cls: type[attrs.AttrsInstance]) -> dict[str, Any]:
        """Return the schema of an object that *cls* is written as."""
        attrs.resolve_types(cls)
        properties: dict[str, object] = {}
        required = []
        if issubclass(cls, Outcome):
            properties["Outcome"] = {"const": cls.__name__}
            required.append("Outcome")
        for field in attrs.fields(cls):
            type_: Any = field.type
            if field.metadata == NOT_IN_DOCUMENTS or type_ is NoneType:
                continue
            name = wire_name(field.name)
            properties[name] = self.of_type(type_)
            is_optional = NoneType in get_args(type_) and get_origin(type_) is not tuple
            if field.default is attrs.NOTHING and not is_optional:
                required.append(name)
        schema = {
            "description": cleandoc(cls.__doc__ or "").partition("\n")[0],
            "type": "object",
            "properties": properties,
        }
        return {**schema, "required": required} if required else schema

    def of_type(self, type_: Any) -> dict[str, object]:
        """Return the schema of a value."""
        if type_ in _SCALARS:
            return dict(_SCALARS[type_])
        if get_origin(type_) is tuple:
            return {"type": "array", "items": self.of_type(get_args(type_)[0])}
        if get_origin(type_) in (Union, UnionType):
            options = [self.of_type(one) for one in get_args(type_) if one is not NoneType]
            nothing: list[dict[str, object]] = (
                [{"type": "null"}] if NoneType in get_args(type_) else []
            )
            both = [*options, *nothing]
            return both[0] if len(both) == 1 else {"anyOf": both}
        if issubclass(type_, OpenEnum):
            return {"type": "string", "examples": [one.value for one in type_]}
        if issubclass(type_, StrEnum):
            return {"enum": [one.name for one in type_]}
        return self._reference(type_)

    def _reference(self, cls: type[Any]) -> dict[str, object]:
        name = "Error" if issubclass(cls, FsxCopyError) else cls.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # classes may refer to themselves
            self.definitions[name] = _ERROR if name == "Error" else self.of_class(cls)
        return {"$ref": f"#/$defs/{name}"}


def _finished(schema: dict[str, Any], schemas: _Schemas, title: str) -> dict[str, Any]:
    """Return the schema of a document that stands by itself."""
    return {
        "$schema": _DIALECT,
        "title": title,
        **schema,
        "properties": {"Version": _VERSION, **schema["properties"]},
        "required": ["Version", *schema.get("required", ())],
        **({"$defs": schemas.definitions} if schemas.definitions else {}),
    }


def _schema(cls: type[attrs.AttrsInstance]) -> dict[str, Any]:
    schemas = _Schemas()
    schema = schemas.of_class(cls)
    properties = schema["properties"]
    if cls is ReplicationPlan:
        properties["HasWork"] = {"type": "boolean"}
        properties["Account"] = {"type": "string", "description": "In the plan of a fleet."}
    if cls is FleetPlan:
        plan = _schema(ReplicationPlan)
        schemas.definitions.update(plan.pop("$defs"))
        failure = schemas.of_class(fleet.PolicyFailure)
        failure["properties"]["Version"] = _VERSION
        schemas.definitions |= {"ReplicationPlan": plan, "PolicyFailure": failure}
        schema["properties"] = {
            "Plans": {"type": "array", "items": {"$ref": "#/$defs/ReplicationPlan"}},
            "Failures": {"type": "array", "items": {"$ref": "#/$defs/PolicyFailure"}},
            "HasWork": {"type": "boolean"},
        }
        schema["required"] = [*schema["properties"]]
        del plan["$schema"]
    return _finished(schema, schemas, cls.__name__)


def _classes() -> Iterator[type[attrs.AttrsInstance]]:
    yield Backup
    for module in (bulk, replication, fleet):
        for name in module.__all__:
            value = getattr(module, name)
            is_document = isinstance(value, type) and issubclass(value, Document)
            # A fleet's outcome is the outcome itself, with four members more.
            if is_document and value is not FleetOutcome:
                yield value


@cache
def schemas() -> Mapping[str, dict[str, object]]:
    """Return the JSON Schema of each document, by the name of its class."""
    made = {cls.__name__: _schema(cls) for cls in _classes()}
    backup = made["Backup"]
    # It is the service's document, which has no version.
    del backup["properties"]["Version"]
    backup["required"].remove("Version")
    # As JSON has it, so that no two of them share a part.
    read: dict[str, dict[str, object]] = json.loads(json.dumps(made))
    return read


async def _world() -> dict[str, object]:
    """Return one document of each kind from a small world: two file systems, two Regions."""
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    clock = ManualClock(auto_advance=True)
    async with LocalFsx(clock=clock, started_at=now) as fsx:
        names = ("fs-0123456789abcdef0", "fs-0123456789abcdef1")
        for name in names:
            for days in (2, 1, 0):
                fsx.add_backup(
                    "us-east-2",
                    CreationTime=(now - timedelta(days=days, hours=3)).timestamp(),
                    FileSystem={"FileSystemId": name},
                )
        source = FsxCopyClient(
            "us-east-2",
            session=isolated_session("AKIDEXAMPLE", "any"),
            endpoint_url=fsx.endpoint_url,
            config=direct_config(),
            clock=clock,
        )
        async with source, source.with_region("us-west-2") as destination:
            everything = ReplicationPolicy(name="nightly", newest=None)
            plan = await plan_replication(source, destination, everything)
            async with apply_plan(plan, destination, source=source) as applied:
                async for _ in applied:
                    pass
            policy = ReplicationPolicy(
                name="nightly",
                kms_key_ids={"us-west-2": "alias/dr"},
                keep=Keep(last=1, daily=2, time_zone="Europe/Berlin"),
            )
            plan = await plan_replication(
                source, destination, attrs.evolve(policy, kms_key_ids=())
            )
            seen: list[CopyInProgress] = []
            async with apply_plan(plan, destination, source=source, prune=True) as pruning:
                pruned = [one async for one in pruning]
            backup_id = fsx.add_backup("us-east-2", FileSystem={"FileSystemId": names[0]})
            request = CopyRequest(source_backup_id=backup_id, source_region="us-east-2")
            unknown = CopyRequest(source_backup_id="backup-00000000", source_region="us-east-2")
            requests = [request, unknown]
            async with copy_many(destination, requests, on_seen=seen.append) as copies:
                outcomes = {type(one).__name__: one async for one in copies}
    made: dict[str, object] = {name: one.to_dict() for name, one in outcomes.items()}
    copied = outcomes["Copied"]
    assert isinstance(copied, Copied)  # noqa: S101 - it is what the local FSx does
    made |= {
        "Backup": to_dict(copied.backup),
        "CopyInProgress": seen[0].to_dict(),
        "CopyRequest": request.to_dict(),
        "Pruned": next(one.to_dict() for one in pruned if isinstance(one, Pruned)),
        "ReplicationPlan": plan.to_dict(),
        "ReplicationPolicy": policy.to_dict(),
        "ReplicationReport": plan.report.to_dict(),
        "FleetReport": FleetReport(made_at=now, reports=(plan.report,), failures=()).to_dict(),
    }
    return made


@cache
def examples() -> dict[str, object]:
    """Return examples of documents, by the names of their classes."""
    return anyio.run(_world)


def example(name: str) -> str:
    """Return an example as Markdown."""
    return "```json\n" + json.dumps(examples()[name], indent=2) + "\n```\n"

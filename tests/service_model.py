"""botocore's model of FSx: what the tests compare this package with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version

import botocore.session
from botocore import xform_name  # type: ignore[attr-defined]  # not in our stubs
from botocore.model import (  # type: ignore[import-untyped]  # botocore ships no types
    ListShape,
    OperationModel,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
)

OPERATIONS = ("CopyBackup", "DescribeBackups", "DeleteBackup")

WRITTEN_FROM = (1, 44, 8)
"""The botocore that the models were written from; an older one knows less."""

INSTALLED = tuple(int(part) for part in version("botocore").split("."))

OPTIONAL_HERE = {
    ("Backup", "FileSystem"): "the service leaves it out of backups of volumes",
    ("Tag", "Value"): "tag values can be null (the API page of CopyBackup)",
}
"""Members that the service's model requires and this package does not, with the reason."""

REQUIRED_HERE = {
    ("CopyBackupResponse", "Backup"): "an answer without it says nothing; it is an error here",
    ("DescribeBackupsResponse", "Backups"): "the same",
    ("DeleteBackupResponse", "BackupId"): "the same",
    ("DeleteBackupResponse", "Lifecycle"): "the same",
    ("Filter", "Name"): "a filter without it filters nothing",
    ("Filter", "Values"): "the same",
}
"""Members that this package requires and the service's model does not, with the reason."""


_OUR_NAMES = {
    "open_zfs_configuration": "openzfs_configuration",
    "record_size_ki_b": "record_size_kib",
    "size_gi_b": "size_gib",
    "storage_capacity_quota_gi_b": "storage_capacity_quota_gib",
    "storage_capacity_reservation_gi_b": "storage_capacity_reservation_gib",
}


def member_name(wire: str) -> str:
    """Return our name of a member: botocore's, but that units and OpenZFS are one word."""
    name: str = xform_name(wire)
    return _OUR_NAMES.get(name, name)


@cache
def service_model() -> ServiceModel:
    """Load the model of FSx from the installed botocore."""
    session = botocore.session.Session()
    return session.get_service_model("fsx")  # type: ignore[attr-defined]  # not in our stubs


def operation(name: str) -> OperationModel:
    """Return the model of one operation."""
    return service_model().operation_model(name)


def shape(name: str) -> Shape:
    """Return the model of one shape."""
    return service_model().shape_for(name)


def requires(structure: StructureShape, member: str) -> bool:
    """Whether a member is required, the documented deviations applied."""
    key = (structure.name, member)
    return key in REQUIRED_HERE or (
        member in structure.required_members and key not in OPTIONAL_HERE
    )


def is_enum(candidate: Shape) -> bool:
    """Whether a shape is a string with a list of values."""
    return isinstance(candidate, StringShape) and bool(candidate.enum)


def walk(*roots: Shape) -> Iterator[Shape]:
    """Yield the shapes below some shapes, and these themselves, each of them once."""
    waiting, seen = list(roots), set()
    while waiting:
        current = waiting.pop()
        if current.name in seen:
            continue
        seen.add(current.name)
        yield current
        if isinstance(current, StructureShape):
            waiting.extend(current.members.values())
        elif isinstance(current, ListShape):
            waiting.append(current.member)


def answered() -> list[Shape]:
    """Return all shapes that the three operations can answer."""
    return list(walk(*(operation(name).output_shape for name in OPERATIONS)))


def error_shapes() -> list[StructureShape]:
    """Return all errors that the model gives the three operations, by name."""
    found = {one.name: one for name in OPERATIONS for one in operation(name).error_shapes}
    return [found[name] for name in sorted(found)]

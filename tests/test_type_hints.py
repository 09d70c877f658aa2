"""Annotations resolve at run time, as pydantic and documentation tools need."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import get_type_hints

import attrs
import pytest

import fsxcopy_sdk
from fsxcopy_sdk import bulk, fleet, replication, testing
from fsxcopy_sdk._codec import RawResponse
from fsxcopy_sdk.models import AdministrativeAction, FileSystem, Snapshot, Volume


def _public() -> list[object]:
    """Return every exported class and function once; the seam of the transport is one of them."""
    exported = [
        getattr(package, name)
        for package in (fsxcopy_sdk, bulk, fleet, replication, testing)
        for name in package.__all__
    ]
    found = [one for one in exported if inspect.isclass(one) or inspect.isfunction(one)]
    return list(dict.fromkeys([*found, RawResponse]))


def _functions(cls: type) -> Iterator[object]:
    """Yield the constructor, the public methods and the properties that a class defines."""
    for name, value in vars(cls).items():
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(value, classmethod | staticmethod):
            yield value.__func__
        elif isinstance(value, property):
            yield value.fget
        elif inspect.isfunction(value):
            yield value


def _name(public: object) -> str:
    return f"{public.__module__}.{getattr(public, '__qualname__', public)}"


@pytest.mark.parametrize("public", _public(), ids=_name)
def test_annotations_resolve(public: object) -> None:
    """Every annotation of an exported name, its fields and its public methods resolves."""
    get_type_hints(public)
    if isinstance(public, type):
        for function in _functions(public):
            get_type_hints(function)
        if attrs.has(public):
            attrs.resolve_types(public)


def test_members_that_come_after_their_class() -> None:
    """An administrative action's constructor has the classes that contain actions themselves."""
    hints = get_type_hints(AdministrativeAction.__init__)

    assert {
        "target_file_system_values": FileSystem | None,
        "target_volume_values": Volume | None,
        "target_snapshot_values": Snapshot | None,
    } == {name: hint for name, hint in hints.items() if name.startswith("target_")}

"""Which file system or volume a backup is of."""

from __future__ import annotations

import attrs
import pytest
from replication_rig import FS, OTHER_FS, VOLUME, backup

from fsxcopy_sdk import (
    Backup,
    FileSystem,
    OntapVolumeConfiguration,
    ResourceType,
    Volume,
    VolumeStyle,
    VolumeType,
)
from fsxcopy_sdk.bulk import ontap_volume_id
from fsxcopy_sdk.replication._inventory import (
    Source,
    is_of_flexgroup,
    source_of,
)

OF_FILE_SYSTEM = backup(1, source=FS)
OF_VOLUME = backup(2, source=VOLUME)


SOURCES = {
    "file system": (OF_FILE_SYSTEM, Source(source_id=FS, file_system_id=FS)),
    "volume": (OF_VOLUME, Source(source_id=VOLUME, file_system_id=OTHER_FS)),
    "volume and its file system": (
        attrs.evolve(OF_VOLUME, file_system=FileSystem(file_system_id=FS)),
        Source(source_id=VOLUME, file_system_id=OTHER_FS),
    ),
    "volume without id": (attrs.evolve(OF_FILE_SYSTEM, volume=Volume()), None),
    "volume that is left out": (
        attrs.evolve(OF_FILE_SYSTEM, resource_type=ResourceType.VOLUME),
        None,
    ),
    "file system without id": (attrs.evolve(OF_FILE_SYSTEM, file_system=FileSystem()), None),
    "nothing": (backup(3, source=None), None),
}


@pytest.mark.parametrize(("one", "expected"), SOURCES.values(), ids=SOURCES)
def test_source(one: Backup, expected: Source | None) -> None:
    """A backup is of the volume or the file system that the service names, never of a guess."""
    assert expected == source_of(one)


@pytest.mark.parametrize(
    ("source_id", "file_system_id"), [(FS, FS), (VOLUME, None)], ids=["file system", "volume"]
)
def test_source_of_an_id(source_id: str, file_system_id: str | None) -> None:
    """An id alone does not tell which file system a volume lies on."""
    assert file_system_id == Source.of_id(source_id).file_system_id


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (OF_VOLUME, VOLUME),
        (attrs.evolve(OF_VOLUME, volume=Volume(volume_id=VOLUME)), None),
        (
            attrs.evolve(
                OF_VOLUME, volume=Volume(volume_id=VOLUME, volume_type=VolumeType.OPENZFS)
            ),
            None,
        ),
        (
            attrs.evolve(
                OF_VOLUME,
                volume=Volume(volume_id=VOLUME, ontap_configuration=OntapVolumeConfiguration()),
            ),
            VOLUME,
        ),
        (OF_FILE_SYSTEM, None),
    ],
    ids=["ONTAP", "unknown", "OpenZFS", "ONTAP by its configuration", "file system"],
)
def test_ontap_volume(one: Backup, expected: str | None) -> None:
    """Only copies of ONTAP volumes have a limit of their own."""
    assert expected == ontap_volume_id(one)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (backup(1, source=VOLUME, style=VolumeStyle.FLEXGROUP), True),
        (backup(1, source=VOLUME, style=VolumeStyle.FLEXVOL), False),
        (backup(1, source=VOLUME), False),
        (attrs.evolve(OF_VOLUME, volume=Volume(volume_id=VOLUME)), False),
        (OF_FILE_SYSTEM, False),
    ],
    ids=["FlexGroup", "FlexVol", "no style", "no configuration", "file system"],
)
def test_flexgroup(one: Backup, expected: bool) -> None:
    """A FlexGroup volume is known by its style."""
    assert expected is is_of_flexgroup(one)
